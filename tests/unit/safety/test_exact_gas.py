"""Bounded calls of the safety plane, to the gas: when one is made, what it gets, when it counts.

A trace tells how much gas the code itself saw at each edge. No figure of a whole transaction is
fixed, so these hold for any compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from tests.support.evm import Contract, Evm, Revert, reverts
from tests.support.gate import GateWorld, State
from tests.support.gate import Mode as TargetMode
from tests.unit.safety.conftest import USD, Plane

GAS, CALLS = 0x5A, {0xF1, 0xFA}
BURNS = 7
REPORT_GAS = 300_000
HOUR = 3_600
Step = Mapping[str, Any]
Call = Callable[[int], object]


def steps_of(evm: Evm, call: Call, gas: int) -> list[Step]:
    """Every step of the call under that gas limit, whatever becomes of it; nothing stays."""
    found: list[Step] = []
    with evm.rollback(), evm.traces(found.append), suppress(Revert):
        call(gas)
    return found


def number(value: Any) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)


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
    raise AssertionError("it never looked at its gas")


def asked(evm: Evm, call: Call, nth: int, least: int, ample: int) -> tuple[int, int]:
    """The nth inner call under the gas with which the code sees `least`: gas seen, gas given.

    With one unit less that call must not be made. What is spent before it does not depend on the
    limit, so one run with ample gas tells where that edge is.
    """
    plenty = steps_of(evm, call, ample)
    limit = ample - seen_before(plenty, opened(plenty)[nth - 1]) + least
    enough, refused = steps_of(evm, call, limit), steps_of(evm, call, limit - 1)
    assert len(opened(refused)) == nth - 1
    assert seen_before(refused, len(refused)) == least - 1
    callee = opened(enough)[nth - 1]
    return seen_before(enough, callee), number(enough[callee]["gas"])


def needed(cap: int) -> int:
    """A call keeps a 64th back; 20 000 are for what the caller does around it."""
    return cap + cap // 63 + 20_000


# ----------------------------------------------------------------- bounded reads


@pytest.fixture
def base(evm: Evm) -> Contract:
    return evm.deploy("AdapterDouble", evm.account("publisher"), USD)


def test_aggregator__read__asks_its_feed_from_the_exact_gas_on(evm: Evm) -> None:
    feed = evm.deploy("FeedDouble", "X", 8, 10**8)
    adapter = evm.deploy("AggregatorV3Adapter", feed, HOUR, 0, 10**12, "X")
    found = asked(evm, lambda gas: adapter.read(gas=gas), 1, needed(100_000), 400_000)
    assert found == (needed(100_000), 100_000)


@pytest.fixture
def rate(evm: Evm, base: Contract) -> Contract:
    asset = evm.deploy("TestToken", "Dollar", "USD", 6)
    vault = evm.deploy("RateVaultDouble", asset, 6, 10**6)
    return evm.deploy("Erc4626RateAdapter", vault, base, 2_000, 500, "X")


def test_rate__read__asks_the_vault_from_the_exact_gas_on(evm: Evm, rate: Contract) -> None:
    found = asked(evm, lambda gas: rate.read(gas=gas), 1, needed(150_000), 400_000)
    assert found == (needed(150_000), 150_000)


def test_rate__read__asks_the_base_from_the_exact_gas_on(evm: Evm, rate: Contract) -> None:
    found = asked(evm, lambda gas: rate.read(gas=gas), 2, needed(150_000), 400_000)
    assert found == (needed(150_000), 150_000)


@pytest.fixture
def twap(evm: Evm, base: Contract) -> Contract:
    tokens = [evm.deploy("TestToken", f"T{i}", f"T{i}", 18) for i in range(2)]
    pool = evm.deploy("TwapPoolDouble", tokens[0], tokens[1], 1 << 128)
    return evm.deploy("PoolTwapAdapter", pool, tokens[0], base, HOUR, "X")


def test_twap__read__asks_the_pool_from_the_exact_gas_on(evm: Evm, twap: Contract) -> None:
    found = asked(evm, lambda gas: twap.read(gas=gas), 1, needed(170_000), 400_000)
    assert found == (needed(170_000), 170_000)


def test_oracle__adapter__asked_from_the_exact_gas_on(plane: Plane) -> None:
    def price(gas: int) -> object:
        return plane.oracle.indicativePrice(plane.asset, gas=gas)

    found = asked(plane.evm, price, 1, needed(400_000), 2_000_000)
    assert found == (needed(400_000), 400_000)


def test_oracle__too_little_gas__names_what_an_adapter_needs(plane: Plane) -> None:
    with reverts("InsufficientGas", needed(400_000)):
        plane.oracle.indicativePrice(plane.asset, gas=400_000)


def test_oracle__sequencer__asked_from_the_exact_gas_on(plane: Plane) -> None:
    feed = plane.evm.deploy("FeedDouble", "up", 0, 0)
    plane.oracle.setSequencerFeed(feed, HOUR, sender=plane.governance)
    found = asked(
        plane.evm, lambda gas: plane.oracle.sequencerReady(gas=gas), 1, needed(100_000), 400_000
    )
    assert found == (needed(100_000), 100_000)


def test_breaker__target__asked_from_the_exact_gas_on(watched: Plane) -> None:
    def poke(gas: int) -> object:
        return watched.breaker.poke(watched.target, gas=gas)

    found = asked(watched.evm, poke, 1, needed(3_000_000), 12_000_000)
    assert found == (needed(3_000_000), 3_000_000)


# ----------------------------------------------------------------------- reports


def test_meter__burning_breaker__broken_from_the_exact_gas_on(evm: Evm) -> None:
    """Properties: S1, R9. With a unit less the breaker may have had too little."""
    breaker = evm.deploy("BrokenBreaker")
    reporter = evm.deploy("Reporter", breaker)
    breaker.arm(BURNS)
    asset = evm.account("asset")

    def report(gas: int) -> object:
        return reporter.leave(asset, 1, gas=gas)

    plenty = steps_of(evm, report, 400_000)
    limit = 400_000 - seen_before(plenty, len(plenty)) + REPORT_GAS // 63
    reporter.leave(asset, 1, gas=limit)
    assert len(evm.events("Unmetered")) == 1
    with reverts("InsufficientGas", REPORT_GAS):
        reporter.leave(asset, 1, gas=limit - 1)
    passed, refused = steps_of(evm, report, limit), steps_of(evm, report, limit - 1)
    assert number(passed[opened(passed)[0]]["gas"]) == REPORT_GAS
    assert seen_before(passed, len(passed)) == REPORT_GAS // 63
    assert seen_before(refused, len(refused)) == REPORT_GAS // 63 - 1


# ------------------------------------------------------------------ the gate's calls


@pytest.fixture
def gates() -> GateWorld:
    return GateWorld.create(Evm())


def test_gate__order__given_from_the_exact_gas_on(gates: GateWorld) -> None:
    target = gates.honest()[0]

    def order(gas: int) -> object:
        return gates.gate.raiseState(
            target, State.FROZEN, 1, bytes(32), sender=gates.guardian, gas=gas
        )

    assert asked(gates.evm, order, 1, 105_000, 400_000) == (105_000, 100_000)


def test_gate__view_after_a_burnt_order__asked_from_the_exact_gas_on(gates: GateWorld) -> None:
    target = gates.hostile()[0]
    target.arm(TargetMode.BURN)

    def order(gas: int) -> object:
        return gates.gate.raiseMany(
            [target], State.FROZEN, 1, bytes(32), sender=gates.guardian, gas=gas
        )

    assert asked(gates.evm, order, 2, 35_000, 400_000) == (35_000, 30_000)


def test_gate__registering__asks_the_target_from_the_exact_gas_on(gates: GateWorld) -> None:
    target = gates.honest(register=False)[0]

    def register(gas: int) -> object:
        return gates.gate.register(target, sender=gates.governance, gas=gas)

    assert asked(gates.evm, register, 1, 35_000, 400_000) == (35_000, 30_000)
