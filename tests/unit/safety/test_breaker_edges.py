"""CircuitBreaker at its edges: bounds of its parameters, an oracle or a token that misbehaves."""

from __future__ import annotations

import dataclasses

import pytest

from tests.support.evm import Contract, Evm, reverts
from tests.unit.safety.conftest import DAY, USD, Plane
from tests.unit.safety.test_breaker_metering import overhead

NONE, DRAWDOWN, SHORTFALL, PRICE_DROP = range(4)
NOBODY = "0x" + "00" * 20
HOUR = 3_600
TOO_LARGE = 1 << 128


def poke(plane: Plane) -> int:
    return int(plane.breaker.poke(plane.target, sender=plane.attacker))


def reference(plane: Plane) -> tuple[int, int]:
    baseline = plane.breaker.baselineOf(plane.target)
    return int(baseline[3]), int(baseline[5])


@pytest.fixture
def told(watched: Plane) -> Contract:
    """An oracle that says what it is told, in place of the real one."""
    double = watched.evm.deploy("OracleDouble")
    double.set(USD, [USD, USD, USD], False)
    watched.breaker.setOracle(double, sender=watched.governance)
    return double


def test_constructor__gate_or_oracle_without_code__reverts(evm: Evm, plane: Plane) -> None:
    plain = evm.account("keeper")
    for gate, oracle, missing in ((plain, plane.oracle, plain), (plane.gate, plain, plain)):
        with reverts("Unreadable", missing):
            evm.deploy("CircuitBreaker", plane.authority, gate, oracle)


def test_set_oracle__governance__moves_and_says_so(watched: Plane) -> None:
    double = watched.evm.deploy("OracleDouble")
    watched.breaker.setOracle(double, sender=watched.governance)
    (event,) = watched.evm.events("OracleSet")
    assert tuple(event.args.values()) == (watched.oracle.address, double.address)
    assert watched.breaker.oracle() == double.address
    with reverts("Unreadable", watched.keeper):
        watched.breaker.setOracle(watched.keeper, sender=watched.governance)


def test_set_watch__no_asset__reverts(plane: Plane) -> None:
    with reverts("WatchOutOfBounds"):
        plane.breaker.setWatch(plane.target, (NOBODY, 200, 0, 0, 0), sender=plane.governance)


def test_set_watch__second_watch__announces_both(watched: Plane) -> None:
    before = watched.breaker.watchOf(watched.target)
    after = (watched.asset.address, 300, 500, DAY, 5)
    watched.breaker.setWatch(watched.target, after, sender=watched.governance)
    (event,) = watched.evm.events("WatchSet")
    assert tuple(event.args.values()) == (
        watched.target.address,
        watched.governance,
        before,
        after,
    )


def test_reset_price_reference__governance__takes_the_present_price(watched: Plane) -> None:
    watched.evm.mine(1, seconds=HOUR)
    for adapter in watched.adapters:
        adapter.setAnswer(96 * USD // 100)
    watched.breaker.resetPriceReference(watched.target, sender=watched.governance)
    (event,) = watched.evm.events("ReferenceMoved")
    assert tuple(event.args.values()) == (watched.target.address, USD, 96 * USD // 100)
    assert reference(watched) == (96 * USD // 100, watched.evm.timestamp)
    for adapter in watched.adapters:
        adapter.setAnswer(96 * USD // 100 * 95 // 100)
    assert poke(watched) == NONE


def test_reset_price_reference__no_watch_or_absurd_price__reverts(
    plane: Plane, watched: Plane, told: Contract
) -> None:
    with reverts("UnknownTarget"):
        plane.breaker.resetPriceReference(plane.asset, sender=plane.governance)
    told.set(TOO_LARGE, [], False)
    with reverts("Unreadable", told.address):
        watched.breaker.resetPriceReference(watched.target, sender=watched.governance)


def test_poke__price_not_watched__no_drop_is_a_fact(watched: Plane) -> None:
    watch = (watched.asset, 200, 0, DAY, 5)
    watched.breaker.setWatch(watched.target, watch, sender=watched.governance)
    before = reference(watched)
    watched.evm.mine(1, seconds=2 * DAY)
    for adapter in watched.adapters:
        adapter.setAnswer(1)
    assert poke(watched) == NONE
    assert reference(watched) == before


def test_poke__reference_without_a_period__stays(watched: Plane) -> None:
    watch = (watched.asset, 200, 500, 0, 5)
    watched.breaker.setWatch(watched.target, watch, sender=watched.governance)
    before = reference(watched)
    watched.evm.mine(1, seconds=30 * DAY)
    for adapter in watched.adapters:
        adapter.setAnswer(99 * USD // 100)
    assert poke(watched) == NONE
    assert reference(watched) == before


def test_poke__reference_a_second_short_of_its_period__stays(watched: Plane) -> None:
    before = reference(watched)
    for adapter in watched.adapters:
        adapter.setAnswer(99 * USD // 100)
    watched.evm.warp(before[1] + DAY - 1)
    assert poke(watched) == NONE
    assert reference(watched) == before
    watched.evm.warp(before[1] + DAY)
    assert poke(watched) == NONE
    assert reference(watched) == (99 * USD // 100, watched.evm.timestamp)


def test_poke__absurd_price_after_the_period__reference_stays(
    watched: Plane, told: Contract
) -> None:
    before = reference(watched)
    watched.evm.mine(1, seconds=2 * DAY)
    told.set(TOO_LARGE, [USD, USD], False)
    assert poke(watched) == NONE
    assert reference(watched) == before
    told.set(TOO_LARGE - 1, [USD, USD], False)
    assert poke(watched) == NONE
    assert reference(watched)[0] == TOO_LARGE - 1


def test_poke__oracle_down__judges_books_and_keeps_the_reference(
    watched: Plane, told: Contract
) -> None:
    before = reference(watched)
    watched.evm.mine(1, seconds=2 * DAY)
    told.set(USD, [], True)
    assert poke(watched) == NONE
    assert reference(watched) == before
    watched.asset.burn(watched.target, 6)
    assert poke(watched) == SHORTFALL


@pytest.mark.parametrize(
    ("answers", "fact"),
    [
        ([USD // 2, USD // 2, TOO_LARGE], PRICE_DROP),
        ([USD // 2, USD // 2, 0], PRICE_DROP),
        ([USD // 2, USD // 2, USD, USD], NONE),
        ([USD // 2, 0, 0], NONE),
        ([USD // 2, USD // 2, TOO_LARGE - 1], PRICE_DROP),
        ([USD // 2, USD // 2, TOO_LARGE - 1, USD], NONE),
    ],
)
def test_poke__answers__two_and_most_of_the_healthy_must_be_below(
    watched: Plane, told: Contract, answers: list[int], fact: int
) -> None:
    """Property: O2."""
    told.set(USD, answers, False)
    assert poke(watched) == fact


def test_poke__drop__reference_moves_to_the_highest_that_fell(
    watched: Plane, told: Contract
) -> None:
    told.set(USD, [USD // 2, USD // 3, USD // 4], False)
    assert poke(watched) == PRICE_DROP
    assert reference(watched) == (USD // 2, watched.evm.timestamp)


def test_poke__token_hides_the_balance__is_no_fact(plane: Plane) -> None:
    token = plane.evm.deploy("ShyToken")
    target = plane.evm.deploy("WatchedTarget", plane.gate, token, plane.breaker)
    plane.gate.register(target, sender=plane.governance)
    token.mint(target, 5)
    target.setAccounted(10)
    plane.breaker.setWatch(target, (token, 200, 0, 0, 4), sender=plane.governance)
    token.setShy(True)
    assert plane.breaker.poke(target) == NONE
    token.setShy(False)
    assert plane.breaker.poke(target) == SHORTFALL


def test_poke__books_of_another_asset_or_absurd__is_no_fact(watched: Plane) -> None:
    other = watched.evm.deploy("TestToken", "Euro", "EUR", 6)
    watch = (other, 200, 0, 0, 0)
    watched.breaker.setWatch(watched.target, watch, sender=watched.governance)
    watched.target.setAccounted(10**18)
    assert poke(watched) == NONE
    watch = (watched.asset, 200, 0, 0, 0)
    watched.breaker.setWatch(watched.target, watch, sender=watched.governance)
    watched.target.setAccounted(TOO_LARGE)
    assert poke(watched) == NONE
    watched.target.setAccounted(TOO_LARGE - 1)
    assert poke(watched) == SHORTFALL


def test_peak__price_stays_above_for_an_hour__no_candidate_is_left(watched: Plane) -> None:
    watched.target.setPrice(105 * USD // 100)
    poke(watched)
    watched.evm.mine(1, seconds=HOUR)
    poke(watched)
    (event,) = watched.evm.events("PeakRaised")
    assert tuple(event.args.values()) == (watched.target.address, USD, 105 * USD // 100)
    assert watched.breaker.baselineOf(watched.target)[:2] == (105 * USD // 100, 0)


def test_share_price__largest_that_fits__is_known(watched: Plane) -> None:
    watched.target.setPrice(TOO_LARGE - 1)
    watched.breaker.resetSharePeak(watched.target, sender=watched.governance)
    assert watched.breaker.baselineOf(watched.target)[0] == TOO_LARGE - 1
    watched.target.setPrice(TOO_LARGE)
    with reverts("Unreadable"):
        watched.breaker.resetSharePeak(watched.target, sender=watched.governance)


def test_hook_gas__meter_that_sums_its_history__grows(plane: Plane) -> None:
    """Control: S7. The same measure, on a meter that reads all that ever left."""
    meter = plane.evm.deploy("HistoryMeter")
    target = plane.evm.deploy("WatchedTarget", plane.gate, plane.asset, meter)
    target.setAccounted(10**18)
    slow = dataclasses.replace(plane, target=target)
    target.exitMetered(1)
    plane.evm.mine()
    young = overhead(slow)
    for _ in range(20):
        target.exitMetered(1)
    assert overhead(slow) > young + 20 * 2_000
