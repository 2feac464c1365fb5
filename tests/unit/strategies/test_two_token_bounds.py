"""What strategies of two tokens share, to the unit: the sale, the day's budget, both tokens out.

At tick zero one token is worth the other, so that every figure can be read.
"""

from __future__ import annotations

import pytest

from tests.support.capital import DAY, FROZEN, WAD, WITHDRAW_ONLY
from tests.support.evm import reverts
from tests.unit.strategies.range_exact import Range, build

BPS = 10_000
SHARE = 10**6
# One that a slippage of a hundredth does not divide.
OTHER = WAD - 1
LEAST = -(-OTHER * 99 // 100)


@pytest.fixture(params=(True, False), ids=("token0", "token1"))
def case(request: pytest.FixtureRequest) -> Range:
    return build(request.param)


def pay(case: Range, proceeds: int) -> None:
    """The venue sells OTHER for just so much."""
    case.venue.setPrice(-(-proceeds * WAD // OTHER))
    assert OTHER * int(case.venue.priceWad()) // WAD == proceeds


# ------------------------------------------------------------- construction


def test_constructor__largest_slippage__accepted_and_one_more_refused(case: Range) -> None:
    assert case.deploy(maxSlippageBps=1_000).config()[6] == 1_000
    with reverts("InvalidConfig"):
        case.deploy(maxSlippageBps=1_001)


def test_constructor__no_slippage__accepted(case: Range) -> None:
    assert case.deploy(maxSlippageBps=0).config()[6] == 0


# ------------------------------------------------------------- the sale


def test_sale__just_the_least__is_enough_and_one_less_is_not(case: Range) -> None:
    strategy, keeper = case.strategy, case.world.keeper
    case.asset.mint(strategy, 5 * WAD)
    case.other.mint(strategy, OTHER)
    pay(case, LEAST - 1)
    with reverts("Underpaid", LEAST - 1, LEAST):
        strategy.unwind(sender=keeper)
    pay(case, LEAST)
    strategy.unwind(sender=keeper)
    (sold,) = case.evm.events("OtherSold")
    expected = (keeper, case.other.address, OTHER, LEAST, LEAST)
    assert tuple(sold.args.values()) == expected
    (unwound,) = case.evm.events("Unwound")
    assert tuple(unwound.args.values()) == (keeper, 5 * WAD + LEAST)


def test_sale__without_slippage__must_bring_all(case: Range) -> None:
    case.strategy = case.deploy(maxSlippageBps=0)
    case.other.mint(case.strategy, OTHER)
    pay(case, OTHER - 1)
    with reverts("Underpaid", OTHER - 1, OTHER):
        case.strategy.unwind(sender=case.world.keeper)
    pay(case, OTHER)
    case.strategy.unwind(sender=case.world.keeper)


def test_sale__oracle_says_more_than_the_average__binds(case: Range) -> None:
    case.other.mint(case.strategy, OTHER)
    case.oracle.setRate(case.other, 2 * WAD)
    least = -(-2 * OTHER * 99 // 100)
    pay(case, least - 1)
    with reverts("Underpaid", least - 1, least):
        case.strategy.unwind(sender=case.world.keeper)
    pay(case, least)
    case.strategy.unwind(sender=case.world.keeper)


def test_sale__venue_takes_a_part__may_not_take_the_rest_later(case: Range) -> None:
    case.other.mint(case.strategy, OTHER)
    pay(case, OTHER)
    case.venue.setTaken(5_000)
    case.strategy.unwind(sender=case.world.keeper)
    assert case.other.balanceOf(case.strategy) == OTHER - OTHER // 2
    assert case.other.allowance(case.strategy, case.venue) == 0


def test_sale__nothing_worth_a_unit__is_left_alone(case: Range) -> None:
    """At a quarter of its price a unit is worth nothing, and is not sold for nothing."""
    case.market(13_864 if case.asset_first else -13_864)
    case.other.mint(case.strategy, 1)
    case.strategy.unwind(sender=case.world.keeper)
    assert case.evm.events("OtherSold") == []
    assert case.other.balanceOf(case.strategy) == 1


def test_sale__of_one_unit__is_sold(case: Range) -> None:
    case.other.mint(case.strategy, 1)
    case.venue.setPrice(WAD)
    case.strategy.unwind(sender=case.world.keeper)
    (sold,) = case.evm.events("OtherSold")
    assert (sold["amount"], sold["proceeds"], sold["minimum"]) == (1, 1, 1)


# ------------------------------------------------------------- the day's budget


def test_budget__spent_to_the_last_unit__accepted_and_one_more_refused(case: Range) -> None:
    """Property: R6. All is in the other token: the least of a sale costs just the day's budget."""
    strategy, keeper = case.strategy, case.world.keeper
    case.other.mint(strategy, OTHER)
    budget = OTHER // 100
    assert strategy.dayBudgetLeft() == budget
    pay(case, LEAST)
    with case.evm.rollback():
        strategy.unwind(sender=keeper)
        assert strategy.totalAssets() == LEAST == OTHER - budget
        assert strategy.dayBudgetLeft() == 0
        # What is held has grown by another sale's worth, and the budget with it, not by enough.
        case.other.mint(strategy, OTHER)
        with reverts("DayBudgetExceeded", budget, (LEAST + OTHER) // 100 - budget):
            strategy.unwind(sender=keeper)
        case.evm.mine(1, DAY - case.evm.timestamp % DAY - 1)
        assert strategy.dayBudgetLeft() == (LEAST + OTHER) // 100 - budget
        case.evm.mine(1, 1)
        assert strategy.dayBudgetLeft() == (LEAST + OTHER) // 100
        strategy.unwind(sender=keeper)
        assert strategy.dayBudgetLeft() == (2 * LEAST) // 100 - budget


def test_budget__two_sales_of_a_day__costs_add_up(case: Range) -> None:
    strategy, keeper = case.strategy, case.world.keeper
    case.asset.mint(strategy, 10 * WAD)
    for sale in (1, 2, 3):
        case.other.mint(strategy, OTHER)
        pay(case, OTHER - 1_000)
        strategy.unwind(sender=keeper)
        held = 10 * WAD + sale * (OTHER - 1_000)
        assert strategy.totalAssets() == held
        assert strategy.dayBudgetLeft() == held // 100 - sale * 1_000


def test_budget__sale_that_gains__costs_nothing(case: Range) -> None:
    case.other.mint(case.strategy, OTHER)
    pay(case, OTHER + 1_000)
    case.strategy.unwind(sender=case.world.keeper)
    assert case.strategy.dayBudgetLeft() == (OTHER + 1_000) // 100


# ------------------------------------------------------------- states


def test_unwind__frozen__refused_and_below_it_not(case: Range) -> None:
    strategy, keeper = case.strategy, case.world.keeper
    strategy.setEmergencyState(FROZEN, sender=case.world.gate)
    with reverts("EmergencyStateForbids", FROZEN):
        strategy.unwind(sender=keeper)
    strategy.setEmergencyState(WITHDRAW_ONLY, sender=case.world.gate)
    strategy.unwind(sender=keeper)


def test_redeem_in_tokens__frozen__the_state_speaks_before_the_owner(case: Range) -> None:
    case.enter(WAD)
    strategy, router = case.strategy, case.world.router
    stranger = case.evm.account("attacker")
    strategy.setEmergencyState(FROZEN, sender=case.world.gate)
    with reverts("EmergencyStateForbids", FROZEN):
        strategy.redeemInTokens(1, stranger, router, sender=stranger)


# ------------------------------------------------------------- both tokens out


def test_redeem_in_tokens__what_lies_here__pro_rata_to_the_unit(case: Range) -> None:
    """Property: R9. Few shares, so that a virtual share more or less is seen."""
    strategy, router, heir = case.strategy, case.world.router, case.evm.account("heir")
    case.pool.setMost(2**100)
    shares = case.enter(3)
    assert shares == 3 * SHARE
    case.strategy.unwind(sender=case.world.keeper)
    case.asset.mint(strategy, WAD)
    case.other.mint(strategy, 2 * WAD)
    idle, waiting = (int(token.balanceOf(strategy)) for token in (case.asset, case.other))
    whole = 4 * SHARE
    part = 2 * SHARE + 1
    expected = (idle * part // whole, waiting * part // whole)
    assert tuple(strategy.redeemInTokens(part, heir, router, sender=router)) == expected
    assert (case.asset.balanceOf(heir), case.other.balanceOf(heir)) == expected
    (event,) = case.evm.events("RedeemedInTokens")
    assert tuple(event.args.values()) == (router.address, heir, router.address, part, *expected)


def test_redeem_in_tokens__of_the_position__pro_rata_beside_what_lies_here(case: Range) -> None:
    strategy, router, heir = case.strategy, case.world.router, case.evm.account("heir")
    shares = case.enter(10 * WAD)
    lower, upper, liquidity = strategy.range()
    case.market((lower + upper) // 2)
    case.asset.mint(strategy, WAD)
    case.other.mint(strategy, 2 * WAD)
    idle, waiting = (int(token.balanceOf(strategy)) for token in (case.asset, case.other))
    whole, part = shares + SHARE, shares // 3
    assets, other = strategy.redeemInTokens(part, heir, router, sender=router)
    (burned,) = case.evm.events("Burned")
    assert burned["liquidity"] == liquidity * part // whole
    # What was burned has left the position and none of it stays.
    assert (case.asset.balanceOf(heir), case.other.balanceOf(heir)) == (assets, other)
    assert case.asset.balanceOf(strategy) == idle - idle * part // whole
    assert case.other.balanceOf(strategy) == waiting - waiting * part // whole
    assert assets > idle * part // whole
    assert other > waiting * part // whole


def test_redeem_in_tokens__for_another__spends_just_his_allowance(case: Range) -> None:
    shares = case.enter(WAD)
    stranger, router = case.evm.account("attacker"), case.world.router
    case.strategy.approve(stranger, shares - 1, sender=router)
    with reverts("ERC20InsufficientAllowance", stranger, shares - 1, shares):
        case.strategy.redeemInTokens(shares, stranger, router, sender=stranger)
    case.strategy.redeemInTokens(shares - 1, stranger, router, sender=stranger)
    assert case.strategy.allowance(router, stranger) == 0
    assert case.strategy.balanceOf(router) == 1
