"""CircuitBreaker, the judge: which facts trip the gate, and what nobody can make look so."""

from __future__ import annotations

import pytest

from tests.support.evm import reverts
from tests.unit.safety.conftest import DAY, MAX_DURATION, USD, Plane

NORMAL, THROTTLED, WITHDRAW_ONLY, FROZEN = range(4)
NONE, DRAWDOWN, SHORTFALL, PRICE_DROP = range(4)
HOUR = 3_600
HELD = 10**12


def poke(plane: Plane) -> int:
    return int(plane.breaker.poke(plane.target, sender=plane.attacker))


def state(plane: Plane) -> int:
    return int(plane.target.emergencyState())


def peak(plane: Plane) -> int:
    return int(plane.breaker.baselineOf(plane.target)[0])


def drop_prices(plane: Plane, price: int, feeds: int = 3) -> None:
    for adapter in plane.adapters[:feeds]:
        adapter.setAnswer(price)


def test_poke__nothing_happened__changes_nothing(watched: Plane) -> None:
    before = watched.breaker.baselineOf(watched.target)
    assert poke(watched) == NONE
    assert watched.breaker.baselineOf(watched.target) == before
    assert state(watched) == NORMAL


def test_poke__target_without_watch__reverts(plane: Plane) -> None:
    with reverts("UnknownTarget"):
        plane.breaker.poke(plane.target)


# ------------------------------------------------------------------ drawdown


def test_poke__drawdown_at_the_limit__is_no_fact(watched: Plane) -> None:
    watched.target.setPrice(98 * USD // 100)
    assert poke(watched) == NONE


def test_poke__drawdown_beyond_the_limit__freezes_in_the_same_block(watched: Plane) -> None:
    block = watched.evm.block_number
    watched.target.setPrice(98 * USD // 100 - 1)
    assert poke(watched) == DRAWDOWN
    assert state(watched) == FROZEN
    assert watched.evm.block_number == block
    event = next(e for e in watched.evm.last.logs if e.name == "Tripped")  # type: ignore[union-attr]
    assert event.args["by"] == watched.attacker
    assert event.args["observed"] == 98 * USD // 100 - 1
    assert event.args["comparedWith"] == USD


def test_poke__loss_already_answered__does_not_freeze_again(watched: Plane) -> None:
    """Property: S6. The same loss must not lock users in after the freeze has run out."""
    watched.target.setPrice(90 * USD // 100)
    assert poke(watched) == DRAWDOWN
    assert poke(watched) == NONE
    watched.evm.mine(1, seconds=MAX_DURATION)
    watched.gate.lapse(watched.target)
    assert poke(watched) == NONE
    assert state(watched) == WITHDRAW_ONLY


def test_poke__governance_resumed_after_a_loss__stays_open(watched: Plane) -> None:
    watched.target.setPrice(90 * USD // 100)
    poke(watched)
    watched.gate.resume(watched.target, b"loss taken".ljust(32, b"\0"), sender=watched.governance)
    assert poke(watched) == NONE
    assert state(watched) == NORMAL
    watched.target.setPrice(88 * USD // 100)
    assert poke(watched) == DRAWDOWN


def test_poke__guardian_froze_before__keeps_the_fact_for_later(watched: Plane) -> None:
    watched.gate.raiseState(watched.target, FROZEN, HOUR, bytes(32), sender=watched.guardian)
    watched.target.setPrice(90 * USD // 100)
    assert poke(watched) == DRAWDOWN
    assert peak(watched) == USD
    watched.evm.mine(1, seconds=HOUR)
    assert poke(watched) == DRAWDOWN
    assert state(watched) == FROZEN
    assert peak(watched) == 90 * USD // 100


# ---------------------------------------------------------------------- peak


def test_peak__pumped_inside_one_block__is_not_taken(watched: Plane) -> None:
    """Whoever pumps the share price for a moment must not make the way back look like a loss."""
    watched.target.setPrice(2 * USD)
    poke(watched)
    poke(watched)
    watched.target.setPrice(USD)
    assert poke(watched) == NONE
    assert state(watched) == NORMAL
    assert peak(watched) == USD


def test_peak__pumped_twice_with_a_poke_between__is_not_taken(watched: Plane) -> None:
    watched.target.setPrice(2 * USD)
    poke(watched)
    watched.target.setPrice(USD)
    watched.evm.mine(1, seconds=HOUR // 2)
    poke(watched)
    watched.target.setPrice(2 * USD)
    watched.evm.mine(1, seconds=HOUR)
    poke(watched)
    assert peak(watched) == USD


def test_peak__lowest_sight_of_an_hour__is_taken(watched: Plane) -> None:
    for price, wait in ((105, 0), (102, HOUR // 2), (104, HOUR // 2)):
        watched.evm.mine(1, seconds=wait)
        watched.target.setPrice(price * USD // 100)
        assert poke(watched) == NONE
    assert peak(watched) == 102 * USD // 100
    watched.target.setPrice(102 * USD // 100 * 98 // 100 - 1)
    assert poke(watched) == DRAWDOWN


def test_peak__a_second_short_of_the_delay__is_not_taken(watched: Plane) -> None:
    watched.target.setPrice(105 * USD // 100)
    poke(watched)
    watched.evm.mine(1, seconds=HOUR - 1)
    poke(watched)
    assert peak(watched) == USD


def test_reset_peak__governance__takes_the_present_price(watched: Plane) -> None:
    watched.target.setPrice(99 * USD // 100)
    watched.breaker.resetSharePeak(watched.target, sender=watched.governance)
    assert peak(watched) == 99 * USD // 100
    for role in (watched.attacker, watched.guardian, watched.keeper):
        with reverts("AccessManagedUnauthorized"):
            watched.breaker.resetSharePeak(watched.target, sender=role)


def test_reset_peak__unreadable_target__reverts(watched: Plane) -> None:
    for mode in (1, 2, 3):
        watched.target.arm(mode)
        with reverts("Unreadable"):
            watched.breaker.resetSharePeak(watched.target, sender=watched.governance)


# ----------------------------------------------------------------- shortfall


def test_poke__missing_within_tolerance__is_no_fact(watched: Plane) -> None:
    watched.asset.burn(watched.target, 5)
    assert poke(watched) == NONE


def test_poke__missing_beyond_tolerance__freezes(watched: Plane) -> None:
    watched.asset.burn(watched.target, 6)
    assert poke(watched) == SHORTFALL
    assert state(watched) == FROZEN
    assert poke(watched) == NONE


def test_poke__more_goes_missing_after_a_resume__freezes_again(watched: Plane) -> None:
    watched.asset.burn(watched.target, 1_000)
    poke(watched)
    watched.gate.resume(watched.target, bytes(32), sender=watched.governance)
    watched.asset.burn(watched.target, 5)
    assert poke(watched) == NONE
    watched.asset.burn(watched.target, 1)
    assert poke(watched) == SHORTFALL
    # The gate's own ticket is used: users keep their way out.
    assert state(watched) == WITHDRAW_ONLY


def test_poke__shortfall_made_good__counts_from_there(watched: Plane) -> None:
    watched.asset.burn(watched.target, 1_000)
    poke(watched)
    watched.asset.mint(watched.target, 1_000)
    poke(watched)
    watched.gate.resume(watched.target, bytes(32), sender=watched.governance)
    watched.asset.burn(watched.target, 6)
    assert poke(watched) == SHORTFALL


def test_poke__donation__is_no_fact(watched: Plane) -> None:
    watched.asset.mint(watched.target, 10 * HELD)
    assert poke(watched) == NONE


# ---------------------------------------------------------------- price drop


@pytest.mark.parametrize("feeds", [0, 1])
def test_poke__fewer_than_two_feeds_fell__is_no_fact(watched: Plane, feeds: int) -> None:
    """Property: O2."""
    drop_prices(watched, USD // 2, feeds)
    assert poke(watched) == NONE
    assert state(watched) == NORMAL


@pytest.mark.parametrize("feeds", [2, 3])
def test_poke__two_feeds_agree_on_a_drop__leaves_only_exits(watched: Plane, feeds: int) -> None:
    drop_prices(watched, 95 * USD // 100 - 1, feeds)
    assert poke(watched) == PRICE_DROP
    assert state(watched) == WITHDRAW_ONLY
    assert poke(watched) == NONE


def test_poke__drop_at_the_limit__is_no_fact(watched: Plane) -> None:
    drop_prices(watched, 95 * USD // 100)
    assert poke(watched) == NONE


def test_poke__one_liar_among_two_healthy__is_no_fact(watched: Plane) -> None:
    watched.adapters[2].arm(1)
    drop_prices(watched, 1, 1)
    assert poke(watched) == NONE


def test_poke__drop_seen_by_a_minority_of_five__is_no_fact(watched: Plane) -> None:
    more = [
        watched.evm.deploy("AdapterDouble", watched.evm.account(f"more {i}"), USD) for i in (1, 2)
    ]
    watched.oracle.setFeeds(
        watched.asset,
        [*watched.adapters, *more],
        (100, 50, HOUR, "0x" + "00" * 20, 0),
        sender=watched.governance,
    )
    drop_prices(watched, USD // 2, 2)
    assert poke(watched) == NONE
    drop_prices(watched, USD // 2, 3)
    assert poke(watched) == PRICE_DROP


def test_poke__slow_fall__follows_by_the_period_only(watched: Plane) -> None:
    drop_prices(watched, 97 * USD // 100)
    poke(watched)
    assert watched.breaker.baselineOf(watched.target)[3] == USD
    watched.evm.mine(1, seconds=DAY)
    poke(watched)
    assert watched.breaker.baselineOf(watched.target)[3] == 97 * USD // 100


def test_poke__disputed_price__does_not_move_the_reference(watched: Plane) -> None:
    watched.evm.mine(1, seconds=DAY)
    drop_prices(watched, 2 * USD, 1)
    poke(watched)
    assert watched.breaker.baselineOf(watched.target)[3] == USD


def test_poke__dead_oracle__still_judges_the_books(watched: Plane) -> None:
    for adapter in watched.adapters:
        adapter.arm(1)
    assert poke(watched) == NONE
    watched.asset.burn(watched.target, 6)
    assert poke(watched) == SHORTFALL


def test_poke__oracle_without_code__still_judges_the_books(watched: Plane) -> None:
    """Also when the price reference is due: nothing that fails there may stop the judge."""
    watched.evm.etch(watched.oracle, b"")
    watched.evm.mine(1, DAY)
    assert poke(watched) == NONE
    watched.asset.burn(watched.target, 6)
    assert poke(watched) == SHORTFALL


# ----------------------------------------------------------- hostile answers


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_poke__target_answers_badly__is_no_fact_and_bounded(watched: Plane, mode: int) -> None:
    watched.target.setPrice(1)
    watched.asset.burn(watched.target, HELD)
    watched.target.arm(mode)
    assert int(watched.breaker.poke(watched.target, gas=12_000_000)) in (
        (DRAWDOWN, SHORTFALL, NONE) if mode == 4 else (NONE,)
    )


def test_poke__gas_starved__reverts_before_any_judgement(watched: Plane) -> None:
    """A starved read inside the target could show a loss that is none."""
    watched.target.setPrice(USD // 2)
    with reverts("InsufficientGas"):
        watched.breaker.poke(watched.target, gas=3_000_000)
    assert state(watched) == NORMAL


def test_poke__target_lost_its_code__is_no_fact(watched: Plane) -> None:
    watched.evm.etch(watched.target, b"")
    assert poke(watched) == NONE


def test_poke__target_does_not_follow__latches_nothing(watched: Plane) -> None:
    watched.target.setPrice(USD // 2)
    watched.gate.setBreaker(watched.evm.account("another breaker"), sender=watched.governance)
    with reverts("Error"):
        poke(watched)
    assert peak(watched) == USD


# ---------------------------------------------------------------- the watch


def test_tighten_watch__guardian__only_stricter_and_bounded(watched: Plane) -> None:
    watched.breaker.tightenWatch(watched.target, 100, 300, sender=watched.guardian)
    assert watched.breaker.watchOf(watched.target)[1:3] == (100, 300)
    for drawdown, drop, error in (
        (101, 300, "NotTightening"),
        (100, 301, "NotTightening"),
        (100, 0, "NotTightening"),
        (9, 300, "WatchOutOfBounds"),
        (100, 49, "WatchOutOfBounds"),
    ):
        with reverts(error):
            watched.breaker.tightenWatch(watched.target, drawdown, drop, sender=watched.guardian)


def test_set_watch__same_asset__keeps_the_baseline(watched: Plane) -> None:
    watched.target.setPrice(99 * USD // 100)
    watch = (watched.asset, 300, 0, 0, 0)
    watched.breaker.setWatch(watched.target, watch, sender=watched.governance)
    assert peak(watched) == USD


def test_set_watch__unreadable_target__reverts(plane: Plane) -> None:
    plane.target.arm(1)
    with reverts("Unreadable"):
        plane.breaker.setWatch(plane.target, (plane.asset, 200, 0, 0, 0), sender=plane.governance)
