"""Bounded calls of the safety plane, to the gas: when one is made, what it gets, when it counts.

No figure of a whole transaction is fixed, so these hold for any compiler. Each call is undone: what
it touched would be warm for the next one, which would then need less.
"""

from __future__ import annotations

import pytest

from tests.support.evm import Contract, Evm, reverts
from tests.support.gate import GateWorld, State
from tests.support.gate import Mode as TargetMode
from tests.unit.safety.conftest import USD, Plane
from tests.unit.safety.exact import edge, given, needed, opened, seen_before, steps_of

BURNS, SLOW = 7, 6
REPORT_GAS = 300_000
HOUR = 3_600
AMPLE = 4_000_000
TOO_LITTLE = "emergency_gate: too little gas"

# ----------------------------------------------------------------- bounded reads


@pytest.fixture
def base(evm: Evm) -> Contract:
    return evm.deploy("AdapterDouble", evm.account("publisher"), USD)


def test_aggregator__read__asks_its_feed_from_the_exact_gas_on(evm: Evm) -> None:
    feed = evm.deploy("FeedDouble", "X", 8, 10**8)
    adapter = evm.deploy("AggregatorV3Adapter", feed, HOUR, 0, 10**12, "X")

    def read(gas: int) -> object:
        with evm.rollback():
            return adapter.read(gas=gas)

    limit = edge(evm, read, 1, needed(100_000), AMPLE)
    assert read(limit) == USD
    assert read(limit - 1) == 0
    assert given(evm, read, 1, limit) == 100_000


def assert_both_or_none(evm: Evm, adapter: Contract, first: Contract, cap: int) -> None:
    """A first source that spends all of its gas still leaves the second one all of its own."""

    def read(gas: int) -> object:
        with evm.rollback():
            return adapter.read(gas=gas)

    limit = edge(evm, read, 1, needed(cap + 150_000), AMPLE)
    assert read(limit) == USD
    assert read(limit - 1) == 0
    assert given(evm, read, 1, limit) == cap
    first.arm(SLOW)
    assert read(limit) == USD
    assert given(evm, read, 2, limit) == 150_000


def test_rate__read__asks_vault_and_base_from_the_exact_gas_on(evm: Evm, base: Contract) -> None:
    """Property: O1."""
    asset = evm.deploy("TestToken", "Dollar", "USD", 6)
    vault = evm.deploy("RateVaultDouble", asset, 6, 10**6)
    adapter = evm.deploy("Erc4626RateAdapter", vault, base, 2_000, 500, "X")
    assert_both_or_none(evm, adapter, vault, 150_000)


def test_twap__read__asks_pool_and_quote_from_the_exact_gas_on(evm: Evm, base: Contract) -> None:
    """Property: O1."""
    tokens = [evm.deploy("TestToken", f"T{i}", f"T{i}", 18) for i in range(2)]
    pool = evm.deploy("TwapPoolDouble", tokens[0], tokens[1], 1 << 128)
    adapter = evm.deploy("PoolTwapAdapter", pool, tokens[0], base, HOUR, "X")
    assert_both_or_none(evm, adapter, pool, 170_000)


def test_oracle__adapter__asked_from_the_exact_gas_on(plane: Plane) -> None:
    def price(gas: int) -> object:
        with plane.evm.rollback():
            return plane.oracle.indicativePrice(plane.asset, gas=gas)

    limit = edge(plane.evm, price, len(plane.adapters), needed(400_000), AMPLE)
    assert price(limit) == USD
    with reverts("InsufficientGas", needed(400_000)):
        price(limit - 1)
    assert given(plane.evm, price, len(plane.adapters), limit) == 400_000


def test_oracle__sequencer__asked_from_the_exact_gas_on(plane: Plane) -> None:
    feed = plane.evm.deploy("FeedDouble", "up", 0, 0)
    plane.oracle.setSequencerFeed(feed, HOUR, sender=plane.governance)
    plane.evm.mine(1, seconds=HOUR + 1)

    def ready(gas: int) -> object:
        with plane.evm.rollback():
            return plane.oracle.sequencerReady(gas=gas)

    limit = edge(plane.evm, ready, 1, needed(100_000), AMPLE)
    assert ready(limit) is True
    with reverts("InsufficientGas", needed(100_000)):
        ready(limit - 1)
    assert given(plane.evm, ready, 1, limit) == 100_000


def test_breaker__target__asked_from_the_exact_gas_on(watched: Plane) -> None:
    def poke(gas: int) -> object:
        with watched.evm.rollback():
            return watched.breaker.poke(watched.target, gas=gas)

    # The books and the balance first, then the share price.
    limit = edge(watched.evm, poke, 3, needed(3_000_000), 3 * AMPLE)
    assert poke(limit) == 0
    with reverts("InsufficientGas", needed(3_000_000)):
        poke(limit - 1)
    assert given(watched.evm, poke, 3, limit) == 3_000_000


# ----------------------------------------------------------------------- reports


def test_meter__burning_breaker__broken_from_the_exact_gas_on(evm: Evm) -> None:
    """Properties: S1, R9. With a unit less the breaker may have had too little."""
    breaker = evm.deploy("BrokenBreaker")
    reporter = evm.deploy("Reporter", breaker)
    breaker.arm(BURNS)
    asset = evm.account("asset")

    def report(gas: int) -> object:
        return reporter.leave(asset, 1, gas=gas)

    plenty = steps_of(evm, report, AMPLE)
    limit = AMPLE - seen_before(plenty, len(plenty)) + REPORT_GAS // 63
    report(limit)
    assert len(evm.events("Unmetered")) == 1
    with reverts("InsufficientGas", REPORT_GAS):
        report(limit - 1)
    passed = steps_of(evm, report, limit)
    assert given(evm, report, 1, limit) == REPORT_GAS
    assert len(opened(passed)) == 1
    assert seen_before(passed, len(passed)) == REPORT_GAS // 63


# ------------------------------------------------------------------ the gate's calls


@pytest.fixture
def gates() -> GateWorld:
    return GateWorld.create(Evm())


def test_gate__order__given_from_the_exact_gas_on(gates: GateWorld) -> None:
    """Property: S4."""
    target = gates.honest()[0]

    def order(gas: int) -> object:
        with gates.evm.rollback():
            gates.gate.raiseState(
                target, State.FROZEN, 1, bytes(32), sender=gates.guardian, gas=gas
            )
            return target.emergencyState()

    limit = edge(gates.evm, order, 1, 105_000, AMPLE)
    assert order(limit) == State.FROZEN
    with reverts("Error", TOO_LITTLE):
        order(limit - 1)
    assert given(gates.evm, order, 1, limit) == 100_000


def test_gate__view_after_a_burnt_order__asked_from_the_exact_gas_on(gates: GateWorld) -> None:
    target = gates.hostile()[0]
    target.arm(TargetMode.BURN)

    def order(gas: int) -> object:
        with gates.evm.rollback():
            return gates.gate.raiseMany(
                [target], State.FROZEN, 1, bytes(32), sender=gates.guardian, gas=gas
            )

    limit = edge(gates.evm, order, 2, 35_000, AMPLE)
    assert order(limit) == (0,)
    with reverts("Error", TOO_LITTLE):
        order(limit - 1)
    assert given(gates.evm, order, 2, limit) == 30_000


def test_gate__registering__asks_the_target_from_the_exact_gas_on(gates: GateWorld) -> None:
    target = gates.honest(register=False)[0]

    def register(gas: int) -> object:
        with gates.evm.rollback():
            gates.gate.register(target, sender=gates.governance, gas=gas)
            return gates.gate.isTarget(target)

    limit = edge(gates.evm, register, 1, 35_000, AMPLE)
    with reverts("Error", TOO_LITTLE):
        register(limit - 1)
    assert given(gates.evm, register, 1, limit) == 30_000
