"""Gas as the code itself sees it, read from a trace: where a call's edge is; asserts nothing.

A traced step costs a millisecond, so the edge is looked for once, with ample gas: what is spent
before it does not depend on the limit. What happens at the edge is then seen without a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from tests.support.evm import Evm, Revert

GAS, CALLS = 0x5A, {0xF1, 0xFA}
Step = Mapping[str, Any]
Call = Callable[[int], object]


def needed(cap: int) -> int:
    """What must be left for a bounded read: a call keeps a 64th back; 20 000 are for the rest."""
    return cap + cap // 63 + 20_000


def number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


def steps_of(evm: Evm, call: Call, gas: int) -> list[Step]:
    """Every step of the call under that gas limit, whatever becomes of it; nothing stays."""
    found: list[Step] = []
    with evm.rollback(), evm.traces(found.append), suppress(Revert):
        call(gas)
    return found


def opened(steps: Sequence[Step]) -> list[int]:
    """Where the outermost contract calls another: positions of the callees' first steps."""
    base = steps[0]["depth"]
    return [
        place + 1
        for place, step in enumerate(steps[:-1])
        if step["depth"] == base and step["op"] in CALLS and steps[place + 1]["depth"] == base + 1
    ]


def seen_before(steps: Sequence[Step], end: int) -> int:
    """What the outermost contract last read as the gas that is left to it."""
    base = steps[0]["depth"]
    for place in range(end - 1, -1, -1):
        if steps[place]["depth"] == base and steps[place]["op"] == GAS:
            return number(steps[place + 1]["stack"][-1])
    raise LookupError("it never looked at its gas")


def edge(evm: Evm, call: Call, nth: int, least: int, ample: int) -> int:
    """The limit under which the code sees `least` when it decides on its nth inner call."""
    plenty = steps_of(evm, call, ample)
    return ample - seen_before(plenty, opened(plenty)[nth - 1]) + least


def given(evm: Evm, call: Call, nth: int, limit: int) -> int:
    """What the nth inner call gets."""
    steps = steps_of(evm, call, limit)
    return number(steps[opened(steps)[nth - 1]]["gas"])
