"""The V3 strategy, to the unit: its range at any tick, its room, its bounds, what it announces."""

from __future__ import annotations

import pytest

from tests.models import range_order as model
from tests.models.range_order import MAX_TICK, Q96
from tests.support.capital import NORMAL, THROTTLED, WAD
from tests.support.evm import reverts
from tests.unit.strategies.range_exact import (
    DEVIATION,
    PERIOD,
    SLIPPAGE_BPS,
    SPACING,
    WIDTH,
    Range,
    build,
    root,
)

TICKS = (-31, -30, -29, -21, -20, -11, -10, -9, -1, 0, 1, 9, 10, 11, 20)


@pytest.fixture(params=(True, False), ids=("token0", "token1"))
def case(request: pytest.FixtureRequest) -> Range:
    return build(request.param)


def beside(case: Range, spot: int, mean: int) -> tuple[int, int]:
    """The range of the asset alone that is nearest to both prices."""
    if case.asset_first:
        lower = (max(spot, mean) // SPACING + 1) * SPACING
        return lower, lower + WIDTH
    upper = min(spot, mean) // SPACING * SPACING
    return upper - WIDTH, upper


# ------------------------------------------------------------- construction


def test_constructor__shortest_period__accepted_and_a_second_less_refused(case: Range) -> None:
    assert case.deploy(twapPeriod=300).config()[3] == 300
    with reverts("InvalidConfig"):
        case.deploy(twapPeriod=299)


def test_constructor__memory_just_long_enough__accepted_and_a_second_more_refused(
    case: Range,
) -> None:
    """One observation per block of twelve seconds."""
    assert case.deploy(twapPeriod=1_200).config()[3] == 1_200
    with reverts("InvalidConfig"):
        case.deploy(twapPeriod=1_201)


def test_constructor__largest_deviation__accepted_and_one_more_refused(case: Range) -> None:
    assert case.deploy(maxDeviation=1_000).config()[4] == 1_000
    with reverts("InvalidConfig"):
        case.deploy(maxDeviation=1_001)


def test_constructor__least_deviation__accepted_and_none_refused(case: Range) -> None:
    assert case.deploy(maxDeviation=1).config()[4] == 1
    with reverts("InvalidConfig"):
        case.deploy(maxDeviation=0)


def test_constructor__least_width__accepted_and_none_or_a_part_refused(case: Range) -> None:
    assert case.deploy(width=SPACING).config()[5] == SPACING
    for width in (0, SPACING - 1, SPACING + 1):
        with reverts("InvalidConfig"):
            case.deploy(width=width)


def test_constructor__largest_width__accepted_and_a_spacing_more_refused() -> None:
    """The last tick is a multiple of eight."""
    case = build(spacing=8, width=8)
    assert case.deploy(width=MAX_TICK).config()[5] == MAX_TICK
    with reverts("InvalidConfig"):
        case.deploy(width=MAX_TICK + 8)


# ------------------------------------------------------------- the range


def test_range__at_any_tick__is_beside_it(case: Range) -> None:
    for tick in TICKS:
        with case.evm.rollback():
            case.market(tick)
            case.enter(WAD)
            lower, upper, liquidity = case.strategy.range()
            assert (lower, upper) == beside(case, tick, tick), tick
            (event,) = case.evm.events("RangeOpened")
            assert tuple(event.args.values()) == (case.world.router.address, lower, upper)
            low, high = root(lower), root(upper)
            per_unit = low * high // Q96 if case.asset_first else Q96
            assert liquidity == WAD * per_unit // (high - low)


def test_range__spot_and_average_apart__is_beside_both(case: Range) -> None:
    for spot, mean in ((-20, 7), (7, -20), (30, 29), (29, 30), (-10, -11), (-11, -10)):
        with case.evm.rollback():
            case.market(spot, mean)
            case.enter(WAD)
            assert tuple(case.strategy.range()[:2]) == beside(case, spot, mean)


def test_deposit__price_at_the_near_edge__refused_and_a_tick_before_it_not(case: Range) -> None:
    """The range of token0 holds the other token from its lower tick on, that of token1 below."""
    case.enter(WAD)
    lower, upper, _ = case.strategy.range()
    router = case.world.router
    outside, inside = (lower - 1, lower) if case.asset_first else (upper, upper - 1)
    for spot, mean in ((inside, outside), (outside, inside), (inside, inside)):
        case.market(spot, mean)
        assert case.strategy.maxDeposit(router) == 0
        with reverts("InRange", spot, mean):
            case.strategy.deposit(0, router, sender=router)
    case.market(outside)
    assert case.strategy.maxDeposit(router) > 0
    case.enter(WAD)


# ------------------------------------------------------------- the average, and calm


def test_mean_tick__sums_that_do_not_divide__rounded_down(case: Range) -> None:
    for past, present, mean in (
        (0, 0, 0),
        (0, PERIOD - 1, 0),
        (0, PERIOD, 1),
        (0, -1, -1),
        (0, -PERIOD, -1),
        (0, -PERIOD - 1, -2),
        (5, 5 - 2 * PERIOD, -2),
        (-5, 2 * PERIOD - 5, 2),
        (2**55 - 1, -(2**55) + 3 * PERIOD - 1, 3),
    ):
        case.pool.setSums(past, present)
        assert case.strategy.meanTick() == mean, (past, present)


def test_calm__just_as_far_apart_as_allowed__calm_and_a_tick_more_not(case: Range) -> None:
    router = case.world.router
    for way in (1, -1):
        case.market(way * DEVIATION, 0)
        assert case.strategy.isCalm()
        assert case.strategy.maxDeposit(router) > 0
        case.market(way * (DEVIATION + 1), 0)
        assert not case.strategy.isCalm()
        assert case.strategy.maxDeposit(router) == 0
        with reverts("NotCalm", way * (DEVIATION + 1), 0):
            case.strategy.deposit(0, router, sender=router)


def test_calm__pool_in_the_midst_of_a_call__not(case: Range) -> None:
    case.pool.setUnlocked(False)
    assert not case.strategy.isCalm()
    case.pool.setUnlocked(True)
    assert case.strategy.isCalm()


def test_mean_tick__pool_has_forgotten__unavailable_and_worth_of_the_asset_alone_stands(
    case: Range,
) -> None:
    case.asset.mint(case.strategy, 7)
    case.pool.setRemembers(False)
    assert not case.strategy.isCalm()
    with reverts("TwapUnavailable"):
        case.strategy.meanTick()
    assert case.strategy.totalAssets() == 7
    case.other.mint(case.strategy, 1)
    with reverts("TwapUnavailable"):
        case.strategy.totalAssets()


# ------------------------------------------------------------- room


def expected_room(case: Range, lower: int, upper: int, free: int) -> int:
    low, high = root(lower), root(upper)
    if case.asset_first:
        return free * Q96 * (high - low) // high // low
    return free * (high - low) // Q96


def test_max_deposit__empty_ticks__what_a_tick_may_hold(case: Range) -> None:
    most = int(case.pool.maxLiquidityPerTick())
    room = expected_room(case, *beside(case, 0, 0), most)
    assert case.strategy.maxDeposit(case.world.router) == room


def test_max_deposit__ticks_in_use__the_fuller_one_binds(case: Range) -> None:
    most = int(case.pool.maxLiquidityPerTick())
    lower, upper = beside(case, 0, 0)
    for at_lower, at_upper in ((most // 2, most // 3), (most // 3, most // 2), (0, most)):
        case.pool.setGross(lower, at_lower)
        case.pool.setGross(upper, at_upper)
        room = expected_room(case, lower, upper, most - max(at_lower, at_upper))
        assert case.strategy.maxDeposit(case.world.router) == room


def test_max_deposit__range_would_end_on_the_last_tick__fits_and_a_tick_beyond_does_not() -> None:
    for asset_first in (True, False):
        case = build(asset_first, spacing=8, width=80)
        edge = MAX_TICK - 80 - 8 if asset_first else -(MAX_TICK - 80)
        step = 8 if asset_first else -8
        router = case.world.router
        case.market(edge)
        assert case.strategy.maxDeposit(router) > 0
        case.market(edge + step)
        assert case.strategy.maxDeposit(router) == 0


# ------------------------------------------------------------- ways out


def test_withdraw__few_units__burns_the_least_that_holds_them(case: Range) -> None:
    """Rounded up: a unit of liquidity less would not hold what is due."""
    router = case.world.router
    case.enter(WAD + 7)
    for assets in (7, 1_000, 3, 12_345):
        idle = int(case.asset.balanceOf(case.strategy))
        lower, upper, liquidity = case.strategy.range()
        low, high, spot = root(lower), root(upper), root(0)
        held = model.amounts(low, high, spot, liquidity)[0 if case.asset_first else 1]
        case.strategy.withdraw(assets, router, router, sender=router)
        burned = liquidity - case.strategy.range()[2]
        assert burned == -(-liquidity * (assets - idle) // held)


def test_withdraw__a_part_lies_here__only_the_rest_is_burned(case: Range) -> None:
    router, strategy = case.world.router, case.strategy
    case.enter(WAD)
    waiting = WAD // 4
    case.asset.mint(strategy, waiting - int(case.asset.balanceOf(strategy)))
    strategy.withdraw(waiting, router, router, sender=router)
    assert case.evm.events("Burned") == []
    assert case.asset.balanceOf(strategy) == 0
    case.asset.mint(strategy, waiting)
    strategy.withdraw(waiting + WAD // 8, router, router, sender=router)
    assert len(case.evm.events("Burned")) == 1
    assert case.asset.balanceOf(strategy) <= 1


def test_max_withdraw__not_calm__what_lies_here(case: Range) -> None:
    case.enter(WAD)
    case.asset.mint(case.strategy, 77)
    idle = int(case.asset.balanceOf(case.strategy))
    assert case.strategy.maxWithdraw(case.world.router) > idle
    case.market(DEVIATION + 1, 0)
    assert case.strategy.maxWithdraw(case.world.router) == idle


# ------------------------------------------------------------- fees and the keeper


def test_unwind__fees_are_owed__takes_them_and_sells_the_others(case: Range) -> None:
    case.enter(WAD)
    lower, upper, liquidity = case.strategy.range()
    case.pool.setOwed(*case.pair(1_000, 500))
    case.strategy.unwind(sender=case.world.keeper)
    (burned,) = case.evm.events("Burned")
    assert tuple(burned.args.values()) == (lower, upper, liquidity)
    (sold,) = case.evm.events("OtherSold")
    assert (sold["amount"], sold["minimum"]) == (500, 495)
    (unwound,) = case.evm.events("Unwound")
    assert unwound["assets"] == case.asset.balanceOf(case.strategy) >= WAD + 1_500 - 2
    case.strategy.claimRewards(case.evm.account("heir"), sender=case.world.harvester)
    (claimed,) = case.evm.events("RewardsClaimed")
    assert list(claimed["amounts"]) == [0, 0]


def test_exit__fees_are_owed__leaves_them_to_the_harvester(case: Range) -> None:
    case.enter(WAD)
    router, heir = case.world.router, case.evm.account("heir")
    case.pool.setOwed(*case.pair(1_000, 500))
    case.strategy.redeem(case.strategy.balanceOf(router), router, router, sender=router)
    case.strategy.claimRewards(heir, sender=case.world.harvester)
    (claimed,) = case.evm.events("RewardsClaimed")
    assert tuple(claimed.args.values()) == (
        case.world.harvester,
        heir,
        (case.asset.address, case.other.address),
        (1_000, 500),
    )
    assert (case.asset.balanceOf(heir), case.other.balanceOf(heir)) == (1_000, 500)


def test_deposit__into_a_new_range__takes_the_fees_of_the_old_one(case: Range) -> None:
    """They are owed to the range that is left: nobody would come back for them."""
    case.enter(WAD)
    old = tuple(case.strategy.range()[:2])
    router = case.world.router
    case.strategy.redeemInTokens(case.strategy.balanceOf(router), router, router, sender=router)
    case.strategy.unwind(sender=case.world.keeper)
    assert case.strategy.range()[2] == 0
    case.pool.setOwed(*case.pair(1_000, 0))
    idle = int(case.asset.balanceOf(case.strategy))
    case.market(200)
    case.enter(WAD)
    collected = case.evm.events("Collected")
    assert (collected[0]["lower"], collected[0]["upper"]) == old
    assert tuple(case.strategy.range()[:2]) == beside(case, 200, 200) != old
    assert case.asset.balanceOf(case.strategy) >= idle + 1_000


def test_claim_rewards__nothing_held__asks_for_no_burn(case: Range) -> None:
    """The pool refuses a burn of what is not there; what is owed is paid all the same."""
    case.pool.setOwed(*case.pair(3, 4))
    heir = case.evm.account("heir")
    case.strategy.claimRewards(heir, sender=case.world.harvester)
    assert case.evm.events("Burned") == []
    assert (case.asset.balanceOf(heir), case.other.balanceOf(heir)) == (3, 4)


def test_claim_rewards__something_held__books_the_fees_first(case: Range) -> None:
    case.enter(WAD)
    lower, upper, _ = case.strategy.range()
    case.strategy.claimRewards(case.evm.account("heir"), sender=case.world.harvester)
    (burned,) = case.evm.events("Burned")
    assert tuple(burned.args.values()) == (lower, upper, 0)


def test_claim_rewards__by_a_stranger__refused(case: Range) -> None:
    stranger = case.evm.account("attacker")
    with reverts("AccessManagedUnauthorized", stranger):
        case.strategy.claimRewards(stranger, sender=stranger)


def test_reposition__cost_of_its_sale__counts_for_the_day(case: Range) -> None:
    """Property: R6."""
    case.asset.mint(case.strategy, 10 * WAD)
    case.other.mint(case.strategy, WAD)
    case.price(WAD, WAD - 1_000)
    budget = int(case.strategy.dayBudgetLeft())
    assert budget == 11 * WAD * SLIPPAGE_BPS // 10_000
    case.strategy.reposition(sender=case.world.keeper)
    held = int(case.strategy.totalAssets())
    # The pool rounds a unit of what went in.
    cost = 11 * WAD - held
    assert cost in (1_000, 1_001)
    assert case.strategy.dayBudgetLeft() == held * SLIPPAGE_BPS // 10_000 - cost


def test_reposition__announced(case: Range) -> None:
    case.asset.mint(case.strategy, WAD)
    case.market(100)
    case.strategy.reposition(sender=case.world.keeper)
    lower, upper, liquidity = case.strategy.range()
    assert (lower, upper) == beside(case, 100, 100)
    assert liquidity > 0
    (event,) = case.evm.events("Repositioned")
    assert tuple(event.args.values()) == (case.world.keeper, lower, upper, liquidity)
    (opened,) = case.evm.events("RangeOpened")
    assert tuple(opened.args.values()) == (case.world.keeper, lower, upper)


def test_reposition__not_calm__refused_with_both_ticks(case: Range) -> None:
    case.market(DEVIATION + 1, 0)
    with reverts("NotCalm", DEVIATION + 1, 0):
        case.strategy.reposition(sender=case.world.keeper)


def test_reposition__throttled__refused_and_normal_again_not(case: Range) -> None:
    case.strategy.setEmergencyState(THROTTLED, sender=case.world.gate)
    with reverts("EmergencyStateForbids", THROTTLED):
        case.strategy.reposition(sender=case.world.keeper)
    case.strategy.setEmergencyState(NORMAL, sender=case.world.gate)
    case.strategy.reposition(sender=case.world.keeper)


def test_mint_callback__pool_asks_for_the_other_token_too__gets_the_asset_alone(
    case: Range,
) -> None:
    case.other.mint(case.strategy, WAD)
    case.pool.setExtra(*case.pair(0, 1_000))
    case.enter(WAD)
    assert case.other.balanceOf(case.strategy) == WAD


def test_mint_callback__by_anyone_but_the_pool__refused(case: Range) -> None:
    stranger = case.evm.account("attacker")
    with reverts("NotPool", stranger):
        case.strategy.uniswapV3MintCallback(0, 0, b"", sender=stranger)
