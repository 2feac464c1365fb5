"""Works out what a transaction costs on a chain from a trace of pyrevm; never executes by itself.

pyrevm keeps accounts and slots warm from call to call and takes every slot's original value for 0,
so its figures are too low. Here every access is priced again by EIP-2929 (access), EIP-2200
(writes) and EIP-3529 (refunds), as for a transaction that starts cold. Exact as long as no inner
call burns all the gas it was given.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

import pyrevm

COLD_SLOT, WARM = 2_100, 100
COLD_ACCOUNT = 2_600
SET, RESET = 20_000, 2_900
CLEAR_REFUND = 4_800
REFUND_QUOTIENT = 5
PRECOMPILES = frozenset(range(1, 11))

SLOAD, SSTORE = 0x54, 0x55
CALLS = {0xF1, 0xF2, 0xF4, 0xFA}  # CALL, CALLCODE, DELEGATECALL, STATICCALL
KEEPS_CONTEXT = {0xF2, 0xF4}
CREATES = {0xF0, 0xF5}
READS_ACCOUNT = {0x31, 0x3B, 0x3C, 0x3F}  # BALANCE, EXTCODESIZE, EXTCODECOPY, EXTCODEHASH
SELFDESTRUCT, REVERT = 0xFF, 0xFD
CREATED = -1  # the account that a creation is about to make: its slots are all 0

Step = Mapping[str, Any]
Slot = tuple[int, int]


@dataclass(frozen=True)
class Trace:
    """Steps of one transaction and what pyrevm charged for it, refunds not yet taken off."""

    steps: Sequence[Step]
    spent: int
    succeeded: bool
    halted: bool


@dataclass(frozen=True)
class Meter:
    """Gas of one transaction: its execution alone, the refund, and the total of a receipt."""

    execution: int
    refunded: int
    total: int


@contextmanager
def tracing(evm: pyrevm.EVM, sink: Callable[[Step], None]) -> Iterator[None]:
    """Hands every step that the EVM executes inside to `sink`, once the block is left."""
    evm.tracing = True  # type: ignore[misc]
    try:
        # The tracer prints, through sys.stdout.
        with redirect_stdout(io.StringIO()) as output:
            yield
    finally:
        evm.tracing = False  # type: ignore[misc]
    for line in output.getvalue().splitlines():
        step = json.loads(line)
        if "pc" in step:
            sink(step)


def traced(evm: pyrevm.EVM, run: Callable[[], Any]) -> Trace:
    """Runs one transaction under the tracer; its failure is part of the answer."""
    steps: list[Step] = []
    failure: Exception | None = None
    with tracing(evm, steps.append):
        try:
            run()
        except Exception as error:  # noqa: BLE001
            failure = error
    result = evm.result
    if result is None:
        raise failure or RuntimeError("pyrevm gave no result")
    spent = result.gas_used + result.gas_refunded
    return Trace(steps, spent, failure is None, bool(getattr(failure, "halt", "")))


@dataclass
class _State:
    """What a frame that fails gives back."""

    accessed: set[int]
    loaded: set[int]
    slots: set[Slot] = field(default_factory=set)
    values: dict[Slot, int] = field(default_factory=dict)
    refund: int = 0

    def copy(self) -> _State:
        return _State(
            set(self.accessed), set(self.loaded), set(self.slots), dict(self.values), self.refund
        )


def _results(steps: Sequence[Step]) -> dict[int, int]:
    """For each step that opens a frame: the word it leaves on the stack (0 if it failed)."""
    waiting: dict[int, int] = {}
    results: dict[int, int] = {}
    for position, step in enumerate(steps):
        depth = step["depth"]
        opener = waiting.pop(depth, None)
        if opener is not None and step["stack"]:
            results[opener] = int(step["stack"][-1], 16)
        if step["op"] in CALLS or step["op"] in CREATES:
            waiting[depth] = position
    return results


class _Pricer:
    def __init__(self, evm: pyrevm.EVM, accessed: set[int]) -> None:
        self._evm = evm
        loaded = {int(address, 16) for address in evm.journal_state}
        self.state = _State(accessed, loaded | accessed)
        self.correction = 0
        self._originals: dict[Slot, int] = {}

    def original(self, slot: Slot) -> int:
        account, index = slot
        if account == CREATED:
            return 0
        if slot not in self._originals:
            self._originals[slot] = int(self._evm.storage(f"0x{account:040x}", index))
        return self._originals[slot]

    def account(self, address: int, warm_cost: int = WARM) -> None:
        if address not in self.state.accessed:
            if address in self.state.loaded:
                self.correction += COLD_ACCOUNT - warm_cost
            self.state.accessed.add(address)
        self.state.loaded.add(address)

    def load(self, slot: Slot, charged: int) -> None:
        cost = WARM if slot in self.state.slots else COLD_SLOT
        self.state.slots.add(slot)
        self.correction += cost - charged

    def store(self, slot: Slot, new: int, charged: int) -> None:
        state = self.state
        original = self.original(slot)
        current = state.values.get(slot, original)
        cost = 0 if slot in state.slots else COLD_SLOT
        if current == new or original != current:
            cost += WARM
        else:
            cost += RESET if original else SET
        self.correction += cost - charged
        state.refund += _refund(original, current, new)
        state.slots.add(slot)
        state.values[slot] = new


def _refund(original: int, current: int, new: int) -> int:
    if current == new:
        return 0
    if original == current:
        return CLEAR_REFUND if original and not new else 0
    refund = 0
    if original and not current:
        refund -= CLEAR_REFUND
    elif original and not new:
        refund += CLEAR_REFUND
    if original == new:
        refund += RESET - WARM if original else SET - WARM
    return refund


def intrinsic(data: bytes, creates: bool) -> int:
    """Base cost of a transaction (EIP-2028, EIP-3860)."""
    zeros = data.count(0)
    base = 21_000 + 4 * zeros + 16 * (len(data) - zeros)
    return base + (32_000 + 2 * -(-len(data) // 32) if creates else 0)


def measure(evm: pyrevm.EVM, trace: Trace, origin: str, target: str, data: bytes) -> Meter:
    """Prices a trace again. `evm` must be in the state from before the transaction.

    Args:
        evm: where the transaction is about to run.
        trace: of the transaction.
        origin: its sender.
        target: its receiver; empty for a creation.
        data: its calldata or creation code.
    """
    base = intrinsic(data, not target)
    if trace.halted:
        return Meter(trace.spent - base, 0, trace.spent)
    context = int(target, 16) if target else CREATED
    pricer = _Pricer(evm, {int(origin, 16), context, 0, *PRECOMPILES})
    results = _results(trace.steps)
    # Per open frame: storage context, state and correction at its start, the step that opened it.
    frames: list[tuple[int, _State, int, int]] = [(context, pricer.state.copy(), 0, -1)]
    last_op: dict[int, int] = {}
    opener = -1
    # Checkpoints of pyrevm count as call depth.
    outside = trace.steps[0]["depth"] - 1 if trace.steps else 0
    for position, step in enumerate(trace.steps):
        depth = step["depth"] - outside
        while depth < len(frames):
            _, before, correction, opened_by = frames.pop()
            if not results.get(opened_by, 0):
                pricer.state = before
                if last_op.get(len(frames) + 1) != REVERT:
                    pricer.correction = correction
        if depth > len(frames):
            inner = _inner_context(trace.steps[opener], frames[-1][0], results.get(opener, 0))
            frames.append((inner, pricer.state.copy(), pricer.correction, opener))
        _price(pricer, step, frames[-1][0])
        if step["op"] in CALLS or step["op"] in CREATES:
            opener = position
        last_op[depth] = step["op"]
    spent = trace.spent + pricer.correction
    refund = pricer.state.refund if trace.succeeded else 0
    refunded = min(refund, spent // REFUND_QUOTIENT)
    return Meter(spent - base, refunded, spent - refunded)


def _inner_context(step: Step, outer: int, result: int) -> int:
    if step["op"] in KEEPS_CONTEXT:
        return outer
    if step["op"] in CREATES:
        return result or CREATED
    return int(step["stack"][-2], 16)


def _price(pricer: _Pricer, step: Step, context: int) -> None:
    op, stack = step["op"], step["stack"]
    if op == SLOAD:
        pricer.load((context, int(stack[-1], 16)), int(step["gasCost"], 16))
    elif op == SSTORE:
        slot = (context, int(stack[-1], 16))
        pricer.store(slot, int(stack[-2], 16), int(step["gasCost"], 16))
    elif op in CALLS:
        pricer.account(int(stack[-2], 16) & (1 << 160) - 1)
    elif op in READS_ACCOUNT:
        pricer.account(int(stack[-1], 16) & (1 << 160) - 1)
    elif op == SELFDESTRUCT:
        pricer.account(int(stack[-1], 16) & (1 << 160) - 1, warm_cost=0)
