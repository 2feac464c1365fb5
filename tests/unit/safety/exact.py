"""Gas as the code itself sees it, and what becomes of a call under any gas; asserts nothing.

A traced step costs a millisecond, and the probed builds of the audit take ten times as many: an
edge is looked for once, and what happens there is seen without a trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from tests.support.evm import Contract, Evm, Revert

GAS, CALLS = 0x5A, {0xF1, 0xFA}
TELL = 7
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


def edge(evm: Evm, call: Call, nth: int, least: int, ample: int) -> tuple[int, int]:
    """The limit under which the code sees `least` when it decides on its nth inner call.

    Returns:
        The limit, and the gas that this inner call got under `ample`.
    """
    plenty = steps_of(evm, call, ample)
    callee = opened(plenty)[nth - 1]
    return ample - seen_before(plenty, callee) + least, number(plenty[callee]["gas"])


def told(evm: Evm, double: Contract, method: str, cap: int) -> int:
    """What a double that tells its gas answers to whoever gives it just `cap`."""
    return int(evm.deploy("Asker").ask(double, cap, double.calldata(method)))


def outcomes(evm: Evm, call: Call, gases: Iterable[int]) -> dict[int, object]:
    """Of each gas limit: the answer, the error's name and arguments, or the halt. Nothing stays.

    Undone, since what a call touched would be warm for the next one, which would then need less.
    """
    found: dict[int, object] = {}
    for gas in gases:
        with evm.rollback():
            try:
                found[gas] = call(gas)
            except Revert as error:
                found[gas] = (
                    (error.name, *error.args) if error.name else error.halt.partition("(")[0]
                )
    return found
