"""CircuitBreaker, to the unit: each bound is accepted and one beyond it is not."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.evm import Contract, reverts
from tests.unit.safety.conftest import DAY, USD, Plane, rules

NONE, DRAWDOWN, SHORTFALL, PRICE_DROP = range(4)
WITHDRAW_ONLY = 2
HOUR = 3_600
LIMIT = 10**12
UNLIMITED = 2**256 - 1
MAX_128 = 2**128 - 1
REASON = bytes(32)
# READ_GAS, the 64th that a call keeps back, and the overhead of a bounded read.
NEEDED = 3_000_000 + 3_000_000 // 63 + 20_000


def watch(plane: Plane, drawdown: int, drop: int = 0, asset: Contract | None = None) -> None:
    """Sets a watch without a period or a tolerance."""
    watched = (asset or plane.asset, drawdown, drop, 0, 0)
    plane.breaker.setWatch(plane.target, watched, sender=plane.governance)


def poke(plane: Plane) -> int:
    return int(plane.breaker.poke(plane.target, sender=plane.attacker))


def baseline(plane: Plane) -> tuple[int, ...]:
    """peak, candidate, acknowledgedShortfall, priceReference, candidateSince, referenceAt."""
    return tuple(map(int, plane.breaker.baselineOf(plane.target)))


def tripped(plane: Plane) -> tuple[int, int]:
    """What the last call's only trip compared with what."""
    (event,) = plane.evm.events("Tripped")
    return event["observed"], event["comparedWith"]


# ------------------------------------------------------------ bounds of a watch


def test_set_watch__least_drawdown__accepted_and_one_less_refused(plane: Plane) -> None:
    watch(plane, 10)
    assert plane.breaker.watchOf(plane.target)[1] == 10
    with reverts("WatchOutOfBounds"):
        watch(plane, 9)


def test_set_watch__largest_drawdown__accepted_and_one_more_refused(plane: Plane) -> None:
    watch(plane, 5_000)
    assert plane.breaker.watchOf(plane.target)[1] == 5_000
    with reverts("WatchOutOfBounds"):
        watch(plane, 5_001)


def test_set_watch__least_price_drop__accepted_and_one_less_refused(plane: Plane) -> None:
    watch(plane, 200, 50)
    assert plane.breaker.watchOf(plane.target)[2] == 50
    with reverts("WatchOutOfBounds"):
        watch(plane, 200, 49)


def test_set_watch__largest_price_drop__accepted_and_one_more_refused(plane: Plane) -> None:
    watch(plane, 200, 9_000)
    assert plane.breaker.watchOf(plane.target)[2] == 9_000
    with reverts("WatchOutOfBounds"):
        watch(plane, 200, 9_001)


def test_set_watch__least_price_drop_unwatched__zero_accepted_and_one_refused(plane: Plane) -> None:
    watch(plane, 200, 0)
    with reverts("WatchOutOfBounds"):
        watch(plane, 200, 1)


def test_tighten_watch__one_limit_as_it_was__accepted(watched: Plane) -> None:
    watched.breaker.tightenWatch(watched.target, 200, 400, sender=watched.guardian)
    watched.breaker.tightenWatch(watched.target, 150, 400, sender=watched.guardian)
    assert watched.breaker.watchOf(watched.target)[1:3] == (150, 400)


def test_tighten_watch__price_unwatched__stays_unwatched(plane: Plane) -> None:
    watch(plane, 200, 0)
    plane.breaker.tightenWatch(plane.target, 100, 0, sender=plane.guardian)
    assert plane.breaker.watchOf(plane.target)[1:3] == (100, 0)
    with reverts("NotTightening", 0, 50):
        plane.breaker.tightenWatch(plane.target, 100, 50, sender=plane.guardian)


def test_tighten_watch__least_of_both__accepted_and_one_less_refused(watched: Plane) -> None:
    watched.breaker.tightenWatch(watched.target, 10, 50, sender=watched.guardian)
    with reverts("WatchOutOfBounds"):
        watched.breaker.tightenWatch(watched.target, 9, 50, sender=watched.guardian)
    with reverts("WatchOutOfBounds"):
        watched.breaker.tightenWatch(watched.target, 10, 49, sender=watched.guardian)


def test_watch__target_without_one__nothing_to_tighten_or_reset(plane: Plane) -> None:
    for call in (
        lambda: plane.breaker.tightenWatch(plane.target, 100, 0, sender=plane.guardian),
        lambda: plane.breaker.resetSharePeak(plane.target, sender=plane.governance),
        lambda: plane.breaker.resetPriceReference(plane.target, sender=plane.governance),
    ):
        with reverts("UnknownTarget", plane.target.address):
            call()


def test_set_watch__another_asset__starts_all_baselines_anew(watched: Plane) -> None:
    other = watched.evm.deploy("TestToken", "Euro", "EUR", 6)
    adapters = [
        watched.evm.deploy("AdapterDouble", watched.evm.account(f"euro {i}"), 2 * USD)
        for i in range(3)
    ]
    watched.oracle.setFeeds(other, adapters, rules(), sender=watched.governance)
    watched.asset.burn(watched.target, 6)
    assert poke(watched) == SHORTFALL
    watched.target.setPrice(3 * USD)
    watch(watched, 200, 500, other)
    assert baseline(watched) == (3 * USD, 0, 0, 2 * USD, 0, watched.evm.timestamp)


def test_set_watch__same_asset_again__reference_stays(watched: Plane) -> None:
    before = baseline(watched)
    watched.evm.mine(1, seconds=HOUR)
    for adapter in watched.adapters:
        adapter.setAnswer(99 * USD // 100)
    watch(watched, 300, 600)
    assert baseline(watched) == before


def test_reset_peak__share_price_of_one__accepted_and_nothing_refused(watched: Plane) -> None:
    watched.target.setPrice(1)
    watched.breaker.resetSharePeak(watched.target, sender=watched.governance)
    assert baseline(watched)[0] == 1
    watched.target.setPrice(0)
    with reverts("Unreadable", watched.target.address):
        watched.breaker.resetSharePeak(watched.target, sender=watched.governance)


def test_reset_price_reference__largest_price__accepted_and_one_more_refused(
    watched: Plane,
) -> None:
    double = watched.evm.deploy("OracleDouble")
    watched.breaker.setOracle(double, sender=watched.governance)
    double.set(MAX_128, [], False)
    watched.breaker.resetPriceReference(watched.target, sender=watched.governance)
    assert baseline(watched)[3] == MAX_128
    double.set(MAX_128 + 1, [], False)
    with reverts("Unreadable", double.address):
        watched.breaker.resetPriceReference(watched.target, sender=watched.governance)


# -------------------------------------------------------------------- judgement


def test_poke__second_shortfall__is_compared_with_the_first(watched: Plane) -> None:
    watched.asset.burn(watched.target, 1_000)
    assert poke(watched) == SHORTFALL
    assert tripped(watched) == (1_000, 0)
    watched.gate.resume(watched.target, REASON, sender=watched.governance)
    watched.asset.burn(watched.target, 6)
    assert poke(watched) == SHORTFALL
    assert tripped(watched) == (1_006, 1_000)


def test_poke__books_unreadable__acknowledged_shortfall_stays(watched: Plane) -> None:
    watched.asset.burn(watched.target, 1_000)
    poke(watched)
    acknowledged = baseline(watched)[2]
    watched.target.arm(1)
    assert poke(watched) == NONE
    assert baseline(watched)[2] == acknowledged == 1_000


def test_poke__price_drop__is_compared_with_the_reference(watched: Plane) -> None:
    for adapter in watched.adapters:
        adapter.setAnswer(USD // 2)
    assert poke(watched) == PRICE_DROP
    assert tripped(watched) == (USD // 2, USD)


def test_poke__only_exits_already__price_drop_latches_nothing(watched: Plane) -> None:
    """WITHDRAW_ONLY has no expiry, and so never counts as lapsed."""
    watched.gate.raiseState(watched.target, WITHDRAW_ONLY, 0, REASON, sender=watched.guardian)
    for adapter in watched.adapters:
        adapter.setAnswer(USD // 2)
    before = baseline(watched)
    assert poke(watched) == PRICE_DROP
    assert watched.evm.events("Tripped") == []
    assert baseline(watched) == before


def test_peak__raised_while_higher_still__next_candidate_waits_its_own_hour(
    watched: Plane,
) -> None:
    watched.target.setPrice(105 * USD // 100)
    poke(watched)
    watched.evm.mine(1, seconds=HOUR)
    watched.target.setPrice(110 * USD // 100)
    poke(watched)
    raised = (105 * USD // 100, 110 * USD // 100, 0, USD, watched.evm.timestamp)
    assert baseline(watched)[:5] == raised
    watched.evm.mine(1, seconds=HOUR - 1)
    poke(watched)
    assert baseline(watched)[:5] == raised
    watched.evm.mine(1, seconds=1)
    poke(watched)
    assert baseline(watched)[:2] == (110 * USD // 100, 0)


def test_poke__too_little_gas__names_what_it_needs(watched: Plane) -> None:
    with reverts("InsufficientGas", NEEDED):
        watched.breaker.poke(watched.target, gas=3_000_000)


# ----------------------------------------------------------------- bounds of a limit


def test_tighten_limit__to_the_floor__accepted(metered: Callable[..., Plane]) -> None:
    """Property: S6. The floor itself is the tightest that a guardian may choose."""
    plane = metered(floor=LIMIT // 10)
    with reverts("BelowFloor", LIMIT // 10, LIMIT // 10 - 1):
        plane.breaker.tightenLimit(
            plane.target, plane.asset, LIMIT // 10 - 1, sender=plane.guardian
        )
    plane.breaker.tightenLimit(plane.target, plane.asset, LIMIT // 10, sender=plane.guardian)
    assert plane.breaker.limitOf(plane.target, plane.asset) == (LIMIT // 10, DAY)


def test_set_limit__shortest_and_longest_window__accepted_and_a_second_beyond_refused(
    plane: Plane,
) -> None:
    for window, beyond in ((600, 599), (30 * DAY, 30 * DAY + 1)):
        plane.breaker.setLimit(
            plane.target, plane.asset, LIMIT, window, LIMIT, sender=plane.governance
        )
        assert plane.breaker.limitOf(plane.target, plane.asset) == (LIMIT, window)
        with reverts("LimitOutOfBounds", LIMIT, beyond):
            plane.breaker.setLimit(
                plane.target, plane.asset, LIMIT, beyond, LIMIT, sender=plane.governance
            )


def test_set_limit__largest__accepted_and_one_more_refused(plane: Plane) -> None:
    largest = 2**103 - 1
    plane.breaker.setLimit(plane.target, plane.asset, largest, DAY, LIMIT, sender=plane.governance)
    assert plane.breaker.limitOf(plane.target, plane.asset)[0] == largest >> 39 << 39
    with reverts("LimitOutOfBounds", largest + 1, DAY):
        plane.breaker.setLimit(
            plane.target, plane.asset, largest + 1, DAY, LIMIT, sender=plane.governance
        )


def test_set_limit__slowest_refill__accepted_and_one_unit_less_refused(plane: Plane) -> None:
    """A refill of 1024 · 2^-24 units a second, in the limit and in the floor."""
    window = 2**14
    slowest = 1_024 * window >> 23
    plane.breaker.setLimit(
        plane.target, plane.asset, slowest, window, slowest, sender=plane.governance
    )
    assert plane.breaker.limitFloorOf(plane.target, plane.asset) == slowest == 2
    for limit in (1, 2):
        with reverts("LimitOutOfBounds", 1, window):
            plane.breaker.setLimit(
                plane.target, plane.asset, limit, window, 1, sender=plane.governance
            )


def test_set_limit__drained_bucket__gives_nothing_back(metered: Callable[..., Plane]) -> None:
    plane = metered()
    plane.target.exitMetered(LIMIT // 2)
    plane.breaker.setLimit(
        plane.target, plane.asset, 2 * LIMIT, DAY, LIMIT, sender=plane.governance
    )
    assert plane.breaker.available(plane.target, plane.asset) == 0
    (event,) = plane.evm.events("LimitSet")
    assert (event["previousFloor"], event["floor"]) == (LIMIT // 10, LIMIT)


def test_remove_limit__floor__goes_with_it(metered: Callable[..., Plane]) -> None:
    plane = metered()
    plane.breaker.removeLimit(plane.target, plane.asset, sender=plane.governance)
    (event,) = plane.evm.events("LimitRemoved")
    assert (event["previousLimit"], event["previousWindow"]) == (LIMIT, DAY)
    assert plane.breaker.limitFloorOf(plane.target, plane.asset) == 0


def test_on_inflow__not_metered__stays_unmetered(plane: Plane) -> None:
    plane.target.enter(1)
    assert plane.breaker.available(plane.target, plane.asset) == UNLIMITED


# ------------------------------------------------------------- what is announced, and when


def test_reset_peak__announces_both(watched: Plane) -> None:
    watched.target.setPrice(USD * 3)
    watched.breaker.resetSharePeak(watched.target, sender=watched.governance)
    (event,) = watched.evm.events("PeakReset")
    assert tuple(event.args.values()) == (watched.target.address, USD, 3 * USD)


def test_poke__reference_moves__announced(watched: Plane) -> None:
    watched.evm.mine(1, seconds=DAY)
    for adapter in watched.adapters:
        adapter.setAnswer(99 * USD // 100)
    assert poke(watched) == NONE
    (event,) = watched.evm.events("ReferenceMoved")
    assert tuple(event.args.values()) == (watched.target.address, USD, 99 * USD // 100)


def test_poke__share_price_unreadable__candidate_goes_on_waiting(watched: Plane) -> None:
    watched.target.setPrice(105 * USD // 100)
    poke(watched)
    before = baseline(watched)
    assert before[1] == 105 * USD // 100
    watched.target.arm(1)
    assert poke(watched) == NONE
    assert baseline(watched) == before


def test_on_outflow__partly_drained__refusal_says_what_is_left(
    metered: Callable[..., Plane],
) -> None:
    plane = metered()
    plane.target.exitMetered(LIMIT // 4)
    left = int(plane.breaker.available(plane.target, plane.asset))
    assert left < LIMIT // 2
    with reverts("OutflowLimitExceeded", plane.target.address, plane.asset.address, left + 1, left):
        plane.target.exitMetered(left + 1)
