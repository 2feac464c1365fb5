"""PriceOracle, to the unit: each bound of its rules is accepted and one beyond it is not."""

from __future__ import annotations

from tests.support.evm import reverts
from tests.unit.safety.conftest import USD, Plane, rules

OK, WEEK = 2, 7 * 86_400
MAX_128 = 2**128 - 1


def set_rules(plane: Plane, **named: object) -> None:
    """The plane's three feeds under other rules."""
    chosen = rules(**named)  # type: ignore[arg-type]
    plane.oracle.setFeeds(plane.asset, plane.adapters, chosen, sender=plane.governance)


def refused(plane: Plane, **named: object) -> None:
    with reverts("RulesOutOfBounds"):
        set_rules(plane, **named)


def test_set_feeds__widest_and_narrowest_spread__accepted_and_one_beyond_refused(
    plane: Plane,
) -> None:
    set_rules(plane, max_spread=2_000, recover=2_000)
    assert plane.oracle.rulesOf(plane.asset)[:2] == (2_000, 2_000)
    refused(plane, max_spread=2_001)
    set_rules(plane, max_spread=1, recover=1)
    refused(plane, max_spread=1, recover=2)
    refused(plane, max_spread=0, recover=0)


def test_set_feeds__longest_settling__accepted_and_a_second_more_refused(plane: Plane) -> None:
    set_rules(plane, settle=WEEK)
    refused(plane, settle=WEEK + 1)


def test_set_feeds__sanity_deviation__bounded_on_both_sides(plane: Plane) -> None:
    sanity = plane.evm.deploy("AdapterDouble", plane.keeper, USD)
    set_rules(plane, sanity=sanity, deviation=5_000)
    refused(plane, sanity=sanity, deviation=5_001)
    set_rules(plane, sanity=sanity, deviation=1)
    refused(plane, sanity=sanity, deviation=0)


def test_set_feeds__most_feeds__accepted_and_one_more_refused(plane: Plane) -> None:
    more = [
        plane.evm.deploy("AdapterDouble", plane.evm.account(f"more {i}"), USD) for i in range(7)
    ]
    nine = [*plane.adapters, *more[:6]]
    plane.oracle.setFeeds(plane.asset, nine, rules(), sender=plane.governance)
    assert len(plane.oracle.feedsOf(plane.asset)) == 9
    with reverts("TooManyFeeds", 10):
        plane.oracle.setFeeds(plane.asset, [*nine, more[6]], rules(), sender=plane.governance)
    with reverts("TooFewFeeds", 2):
        plane.oracle.setFeeds(plane.asset, nine[:2], rules(), sender=plane.governance)


def test_price__at_the_sanity_bound__agrees_and_a_unit_beyond_is_disputed(plane: Plane) -> None:
    sanity = plane.evm.deploy("AdapterDouble", plane.keeper, USD)
    set_rules(plane, sanity=sanity, deviation=1_000)
    for price, beyond in ((11, 0), (11, 1), (9, 0), (9, -1)):
        for adapter in plane.adapters:
            adapter.setAnswer(price * USD // 10 + beyond)
        assert (plane.oracle.status(plane.asset)[0] == OK) is (beyond == 0)


def test_price__least_and_largest_answer__count(plane: Plane) -> None:
    for answer in (1, MAX_128):
        for adapter in plane.adapters:
            adapter.setAnswer(answer)
        assert plane.oracle.price(plane.asset) == answer
    plane.adapters[0].setAnswer(MAX_128 + 1)
    assert plane.oracle.status(plane.asset)[3] == 2


# ------------------------------------------------------------------------- disputes


def quarrel(plane: Plane) -> None:
    """Two feeds of three are twice as high as the third; the dispute is recorded."""
    plane.adapters[0].setAnswer(USD // 2)
    plane.oracle.sync(plane.asset)


def test_sync__dispute_goes_on__announced_only_once(plane: Plane) -> None:
    quarrel(plane)
    assert len(plane.evm.events("PriceDisputed")) == 1
    plane.oracle.sync(plane.asset)
    assert plane.oracle.disputeOf(plane.asset)[0]
    assert plane.evm.events("PriceDisputed") == []


def test_sync__spread_at_the_recovery_limit__is_calm_and_one_more_is_not(plane: Plane) -> None:
    set_rules(plane, max_spread=100, recover=50)
    quarrel(plane)
    plane.adapters[0].setAnswer(USD - USD * 51 // 10_000)
    plane.oracle.sync(plane.asset)
    assert plane.oracle.disputeOf(plane.asset) == (True, 0)
    plane.adapters[0].setAnswer(USD - USD * 50 // 10_000)
    plane.oracle.sync(plane.asset)
    assert plane.oracle.disputeOf(plane.asset) == (True, plane.evm.timestamp)
