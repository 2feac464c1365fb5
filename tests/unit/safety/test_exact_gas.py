"""Bounded calls of the safety plane: from which gas on one is made, what it gets, when it counts.

No figure of a whole transaction is fixed, so these hold for any compiler. Each call is undone: what
it touched would be warm for the next one. The last is not: coverage knows a test by what it leaves.
"""

from __future__ import annotations

import pytest

from tests.support.evm import Contract, Evm, reverts
from tests.support.gate import GateWorld, State
from tests.support.gate import Mode as TargetMode
from tests.unit.safety.conftest import USD, Plane
from tests.unit.safety.exact import (
    TELL,
    edge,
    needed,
    number,
    opened,
    outcomes,
    seen_before,
    steps_of,
    told,
)

SLOW, BURNS = 6, 7
REPORT_GAS = 300_000
HOUR = 3_600
AMPLE = 8_000_000
OUT_OF_GAS = "OutOfGas"
TOO_LITTLE = ("Error", "emergency_gate: too little gas")

# ----------------------------------------------------------------- bounded reads


@pytest.fixture
def base(evm: Evm) -> Contract:
    return evm.deploy("AdapterDouble", evm.account("publisher"), USD)


def assert_from_on(found: dict[int, object], least: int, refusal: object, answer: object) -> None:
    """Less than `least` is never enough; the answer comes sooner or later, and stays."""
    assert {found[gas] for gas in found if gas < least} <= {OUT_OF_GAS, refusal}
    assert set(found.values()) <= {OUT_OF_GAS, refusal, answer}
    said = list(found.values())
    assert refusal in said
    assert set(said[said.index(answer) :]) == {answer}


def test_aggregator__read__asks_its_feed_from_the_exact_gas_on(evm: Evm) -> None:
    feed = evm.deploy("FeedDouble", "X", 8, 10**8)
    adapter = evm.deploy("AggregatorV3Adapter", feed, HOUR, 0, 10**12, "X")

    def read(gas: int) -> object:
        return adapter.read(gas=gas)

    limit, given = edge(evm, read, 1, needed(100_000), AMPLE)
    assert outcomes(evm, read, (limit, limit - 1)) == {limit: USD, limit - 1: 0}
    assert given == 100_000
    assert read(AMPLE) == USD


# Both of its reads get all of their gas, or neither is made.


@pytest.fixture
def vault(evm: Evm) -> Contract:
    asset = evm.deploy("TestToken", "Dollar", "USD", 6)
    return evm.deploy("RateVaultDouble", asset, 6, 10**6)


@pytest.fixture
def rate(evm: Evm, vault: Contract, base: Contract) -> Contract:
    return evm.deploy("Erc4626RateAdapter", vault, base, 2_000, 500, "X")


@pytest.fixture
def pool(evm: Evm) -> Contract:
    tokens = [evm.deploy("TestToken", f"T{i}", f"T{i}", 18) for i in range(2)]
    return evm.deploy("TwapPoolDouble", tokens[0], tokens[1], 1 << 128)


@pytest.fixture
def twap(evm: Evm, pool: Contract, base: Contract) -> Contract:
    return evm.deploy("PoolTwapAdapter", pool, pool.token0(), base, HOUR, "X")


def assert_edge(evm: Evm, adapter: Contract, cap: int) -> None:
    def read(gas: int) -> object:
        return adapter.read(gas=gas)

    both = cap + 150_000
    limit, given = edge(evm, read, 1, needed(both), AMPLE)
    assert outcomes(evm, read, (limit, limit - 1)) == {limit: USD, limit - 1: 0}
    assert given == cap
    assert_from_on(outcomes(evm, read, range(60_000, 2 * both, 20_000)), needed(both), 0, USD)
    assert read(AMPLE) == USD


def test_rate__read__asks_vault_and_base_from_the_exact_gas_on(evm: Evm, rate: Contract) -> None:
    """Property: O1."""
    assert_edge(evm, rate, 150_000)


def test_twap__read__asks_pool_and_quote_from_the_exact_gas_on(evm: Evm, twap: Contract) -> None:
    """Property: O1."""
    assert_edge(evm, twap, 170_000)


def assert_second_gets_all(
    evm: Evm, adapter: Contract, first: Contract, base: Contract, cap: int
) -> None:
    """Even where the first source spends all of its gas, and no more was supplied than must be."""

    def read(gas: int) -> object:
        return adapter.read(gas=gas)

    limit, _ = edge(evm, read, 1, needed(cap + 150_000), AMPLE)
    first.arm(SLOW)
    base.arm(TELL)
    assert outcomes(evm, read, [limit]) == {limit: told(evm, base, "read", 150_000)}


def test_rate__vault_spends_all__base_still_gets_its_own(
    evm: Evm, rate: Contract, vault: Contract, base: Contract
) -> None:
    assert_second_gets_all(evm, rate, vault, base, 150_000)


def test_twap__pool_spends_all__quote_still_gets_its_own(
    evm: Evm, twap: Contract, pool: Contract, base: Contract
) -> None:
    assert_second_gets_all(evm, twap, pool, base, 170_000)


def test_oracle__any_gas__asks_with_all_that_an_adapter_may_need_or_says_so(plane: Plane) -> None:
    """Property: O1."""

    def price(gas: int) -> object:
        return plane.oracle.indicativePrice(plane.asset, gas=gas)

    found = outcomes(plane.evm, price, range(100_000, 2_000_000, 100_000))
    refusal = ("InsufficientGas", needed(400_000))
    assert_from_on(found, needed(400_000), refusal, USD)
    for adapter in plane.adapters:
        adapter.arm(TELL)
    assert price(AMPLE) == told(plane.evm, plane.adapters[0], "read", 400_000)


def test_oracle__any_gas__asks_the_sequencer_with_all_it_may_need_or_says_so(plane: Plane) -> None:
    feed = plane.evm.deploy("FeedDouble", "up", 0, 0)
    plane.oracle.setSequencerFeed(feed, HOUR, sender=plane.governance)
    plane.evm.mine(1, seconds=HOUR + 1)

    def ready(gas: int) -> object:
        return plane.oracle.sequencerReady(gas=gas)

    found = outcomes(plane.evm, ready, range(40_000, 400_000, 10_000))
    assert_from_on(found, needed(100_000), ("InsufficientGas", needed(100_000)), True)
    assert edge(plane.evm, ready, 1, 0, AMPLE)[1] == 100_000
    assert ready(AMPLE) is True


def test_breaker__any_gas__asks_with_all_that_a_target_may_need_or_says_so(watched: Plane) -> None:
    def poke(gas: int) -> object:
        return int(watched.breaker.poke(watched.target, gas=gas))

    found = outcomes(watched.evm, poke, range(500_000, AMPLE, 500_000))
    assert_from_on(found, needed(3_000_000), ("InsufficientGas", needed(3_000_000)), 0)
    assert poke(AMPLE) == 0
    watched.target.arm(TELL)
    watched.breaker.resetSharePeak(watched.target, sender=watched.governance)
    peak = watched.breaker.baselineOf(watched.target)[0]
    assert peak == told(watched.evm, watched.target, "sharePriceWad", 3_000_000)


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
    with evm.rollback():
        report(limit)
        assert len(evm.events("Unmetered")) == 1
    with evm.rollback(), reverts("InsufficientGas", REPORT_GAS):
        report(limit - 1)
    assert number(plenty[opened(plenty)[0]]["gas"]) == REPORT_GAS
    report(AMPLE)
    assert len(evm.events("Unmetered")) == 1


# ------------------------------------------------------------------ the gate's calls


@pytest.fixture
def gates() -> GateWorld:
    return GateWorld.create(Evm())


def test_gate__order__given_from_the_exact_gas_on(gates: GateWorld) -> None:
    """Property: S4."""
    target = gates.honest()[0]

    def order(gas: int) -> object:
        gates.gate.raiseState(target, State.FROZEN, 1, bytes(32), sender=gates.guardian, gas=gas)
        return target.emergencyState()

    limit, given = edge(gates.evm, order, 1, 105_000, AMPLE)
    found = outcomes(gates.evm, order, (limit, limit - 1))
    assert found == {limit: State.FROZEN, limit - 1: TOO_LITTLE}
    assert given == 100_000
    assert order(AMPLE) == State.FROZEN


def test_gate__view_after_a_burnt_order__asked_from_the_exact_gas_on(gates: GateWorld) -> None:
    target = gates.hostile()[0]
    target.arm(TargetMode.BURN)

    def order(gas: int) -> object:
        return gates.gate.raiseMany(
            [target], State.FROZEN, 1, bytes(32), sender=gates.guardian, gas=gas
        )

    limit, given = edge(gates.evm, order, 2, 35_000, AMPLE)
    assert outcomes(gates.evm, order, (limit, limit - 1)) == {limit: (0,), limit - 1: TOO_LITTLE}
    assert given == 30_000
    assert order(AMPLE) == (0,)


def test_gate__registering__asks_the_target_from_the_exact_gas_on(gates: GateWorld) -> None:
    target = gates.honest(register=False)[0]

    def register(gas: int) -> object:
        gates.gate.register(target, sender=gates.governance, gas=gas)
        return gates.gate.isTarget(target)

    limit, given = edge(gates.evm, register, 1, 35_000, AMPLE)
    assert outcomes(gates.evm, register, [limit - 1]) == {limit - 1: TOO_LITTLE}
    assert given == 30_000
    assert register(AMPLE) is True
