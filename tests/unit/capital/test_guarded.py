"""Guarded: what counts as an answer, and from which gas on a failure is the callee's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest

from tests.support.evm import Contract, Evm, RejectedError, Revert, reverts

READ_GAS = 600_000
GAS = 0x5A
AMPLE = 1_000_000
# Not empty, or the callees would take it for a payment and answer nothing.
ASK = b"ask?"


@pytest.fixture
def probe(evm: Evm) -> Contract:
    return evm.deploy("GuardedProbe")


def answering(evm: Evm, answer: bytes) -> Contract:
    """A contract that answers everything with these bytes."""
    target = evm.deploy("JunkReturner")
    target.arm(answer)
    return target


def last_seen(evm: Evm, call: Callable[[int], object], gas: int) -> int:
    """What the probe last read as the gas that is left to it."""
    steps: list[Mapping[str, Any]] = []
    with evm.rollback(), evm.traces(steps.append), suppress(Revert):
        call(gas)
    base = steps[0]["depth"]
    seen = [
        steps[place + 1]["stack"][-1]
        for place, step in enumerate(steps)
        if step["depth"] == base and step["op"] == GAS
    ]
    assert seen, "it never looked at its gas"
    return int(seen[-1], 16) if isinstance(seen[-1], str) else int(seen[-1])


def counts_from(evm: Evm, call: Callable[[int], object], cap: int) -> None:
    """The failure counts with a 63rd of the cap left, and is refused with a unit less."""
    limit = AMPLE - last_seen(evm, call, AMPLE) + cap // 63
    assert last_seen(evm, call, limit) == cap // 63
    call(limit)
    assert last_seen(evm, call, limit - 1) == cap // 63 - 1
    with reverts("InsufficientGas"):
        call(limit - 1)


def test_call__callee_burns_its_gas__counts_only_if_it_had_all(evm: Evm, probe: Contract) -> None:
    burner = evm.deploy("GasBurner")
    cap = 400_000
    assert probe.call(burner, ASK, cap) == (False, False, 0)
    counts_from(evm, lambda gas: probe.call(burner, ASK, cap, gas=gas), cap)


def test_read_word__callee_burns_its_gas__counts_only_if_it_had_all(
    evm: Evm, probe: Contract
) -> None:
    burner = evm.deploy("GasBurner")
    assert probe.readWord(burner, ASK) == (False, 0)
    counts_from(evm, lambda gas: probe.readWord(burner, ASK, gas=gas), READ_GAS)


def test_read__largest_amount__counts_and_one_more_is_junk(evm: Evm, probe: Contract) -> None:
    largest = 2**127 - 1
    assert probe.read(answering(evm, largest.to_bytes(32, "big")), ASK) == (True, largest)
    junk = answering(evm, (largest + 1).to_bytes(32, "big"))
    assert probe.read(junk, ASK) == (False, 0)
    assert probe.readWord(junk, ASK) == (True, largest + 1)


def test_read_word__a_word_or_a_byte_less__only_the_word_counts(evm: Evm, probe: Contract) -> None:
    assert probe.readWord(answering(evm, b"\x01" * 32), ASK)[0]
    assert probe.readWord(answering(evm, b"\x01" * 31), ASK) == (False, 0)


def test_call__a_word_or_a_byte_less__only_the_word_is_an_answer(evm: Evm, probe: Contract) -> None:
    word = (7).to_bytes(32, "big")
    assert probe.call(answering(evm, word), ASK, 100_000) == (True, True, 7)
    assert probe.call(answering(evm, word[:31]), ASK, 100_000) == (True, False, 0)


def test_call__callee_reverts_with_a_word__failed_but_answered(evm: Evm, probe: Contract) -> None:
    target = evm.deploy("Reverter")
    target.arm((7).to_bytes(32, "big"))
    assert probe.call(target, ASK, 100_000) == (False, True, 7)
    assert probe.readWord(target, ASK) == (False, 0)


def least(call: Callable[[int], object]) -> int:
    """The least gas with which a call succeeds."""
    low, high = 0, AMPLE
    while high - low > 1:
        middle = (low + high) // 2
        try:
            call(middle)
        except (Revert, RejectedError):
            low = middle
        else:
            high = middle
    return high


def test_call__succeeds_with_less_than_its_cap__counts(evm: Evm, probe: Contract) -> None:
    """How much is left matters to failures only."""
    target = answering(evm, (7).to_bytes(32, "big"))
    assert probe.call(target, ASK, 2**64) == (True, True, 7)


def test_read_word__succeeds_and_little_is_left__counts(evm: Evm, probe: Contract) -> None:
    """It takes hardly more than the other, which is given a cap that leaves nothing to ask for."""
    target = answering(evm, (7).to_bytes(32, "big"))
    other = least(lambda gas: probe.call(target, ASK, 10_000, gas=gas))
    assert least(lambda gas: probe.readWord(target, ASK, gas=gas)) < other + READ_GAS // 63 // 2
