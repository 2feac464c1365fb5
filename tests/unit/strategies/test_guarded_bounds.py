"""The strategy in our own pool, to the unit, on a pool that does as it is told."""

from __future__ import annotations

from math import isqrt
from typing import Any

import pytest

from tests.support.capital import (
    FROZEN,
    MAX_128,
    NORMAL,
    THROTTLED,
    WAD,
    WITHDRAW_ONLY,
    build_world,
)
from tests.support.evm import Contract, reverts
from tests.support.lending import add
from tests.unit.strategies.two_token_stage import Stage, other_token

PERIOD, DEVIATION_BPS, SLIPPAGE_BPS = 1_800, 100, 100
ONE = 2**128
BPS = 10_000
SHARE = 10**6
ANY_FEE = 10**6


class Pooled(Stage):
    """The strategy in our own pool, in which others have a million of shares too."""

    def deploy(self, **changes: Any) -> Contract:
        world, evm = self.world, self.evm
        oracle = evm.deploy("RateOracle")
        oracle.setRate(self.other, 1)
        terms = {
            "twapPeriod": PERIOD,
            "maxDeviationBps": DEVIATION_BPS,
            "maxSlippageBps": SLIPPAGE_BPS,
        }
        config = (self.pool, oracle, self.venue, *(terms | changes).values())
        strategy = evm.deploy(
            "GuardedPoolStrategy", world.router, config, world.authority, world.gate
        )
        return self.employ(strategy, strategy.calldata("invest", 0, 0), strategy.calldata("unwind"))

    def invest(self, assets: int, to_sell: int) -> int:
        return int(self.strategy.invest(assets, to_sell, sender=self.world.keeper))


@pytest.fixture(params=(True, False), ids=("token0", "token1"))
def case(request: pytest.FixtureRequest) -> Pooled:
    world = build_world()
    evm = world.evm
    other, tokens = other_token(world, request.param)
    pool = evm.deploy("ScriptedGuardedPool", *tokens, PERIOD)
    for token in tokens:
        token.mint(pool, 10**40)
    pool.setReserves(WAD, WAD)
    pool.setMean(ONE)
    pool.give(evm.account("trader"), SHARE)
    venue = evm.deploy("PricedVenue", WAD)
    found = Pooled(world, pool, other, venue, request.param, pool)
    found.strategy = found.deploy()
    add(world, found.strategy)
    return found


# ------------------------------------------------------------- construction


def test_constructor__shortest_period__accepted_and_a_second_less_refused(case: Pooled) -> None:
    assert case.deploy(twapPeriod=300).config()[3] == 300
    with reverts("InvalidConfig"):
        case.deploy(twapPeriod=299)


def test_constructor__least_deviation__accepted_and_none_refused(case: Pooled) -> None:
    assert case.deploy(maxDeviationBps=1).config()[4] == 1
    with reverts("InvalidConfig"):
        case.deploy(maxDeviationBps=0)


def test_constructor__largest_deviation__accepted_and_one_more_refused(case: Pooled) -> None:
    assert case.deploy(maxDeviationBps=1_000).config()[4] == 1_000
    with reverts("InvalidConfig"):
        case.deploy(maxDeviationBps=1_001)


# ------------------------------------------------------------- the market


def test_calm__just_as_far_apart_as_allowed__calm_and_a_step_more_not(case: Pooled) -> None:
    router = case.world.router
    for way in (1, -1):
        # Token1 per token0, in a pool of 2^128 of token0.
        edge = ONE + way * (ONE // 100)
        case.pool.setReserves(ONE, edge)
        assert case.strategy.isCalm()
        assert case.strategy.maxDeposit(router) == MAX_128
        case.pool.setReserves(ONE, edge + way)
        assert not case.strategy.isCalm()
        assert case.strategy.maxDeposit(router) == 0
        with reverts("NotCalm", edge + way, ONE):
            case.invest(0, 0)


def test_calm__pool_is_locked_or_has_forgotten__not(case: Pooled) -> None:
    case.pool.setLocked(True)
    assert not case.strategy.isCalm()
    case.pool.setLocked(False)
    assert case.strategy.isCalm()
    case.pool.setMean(0)
    assert not case.strategy.isCalm()
    with reverts("TwapUnavailable"):
        case.strategy.meanPriceX128()


def test_mean__of_the_least__is_known(case: Pooled) -> None:
    case.pool.setMean(1)
    assert case.strategy.meanPriceX128() == 1
    case.pool.setReserves(ONE, 1)
    assert case.strategy.isCalm()


def test_max_deposit__pool_throttled__nothing(case: Pooled) -> None:
    for state in (THROTTLED, WITHDRAW_ONLY, FROZEN):
        case.pool.setState(state)
        assert case.strategy.maxDeposit(case.world.router) == 0
    case.pool.setState(NORMAL)
    assert case.strategy.maxDeposit(case.world.router) == MAX_128


# ------------------------------------------------------------- worth


def quoted(case: Pooled, other: int, mean: int) -> int:
    return other * ONE // mean if case.asset_first else other * mean // ONE


def test_total_assets__other_token_waits__at_the_average_rounded_down(case: Pooled) -> None:
    mean = 3 * ONE // 7
    case.pool.setMean(mean)
    for other in (1, 2, 5, WAD + 3):
        with case.evm.rollback():
            case.asset.mint(case.strategy, 11)
            case.other.mint(case.strategy, other)
            assert case.strategy.totalAssets() == 11 + quoted(case, other, mean)


def test_total_assets__average_unknown__asset_alone_still_counts(case: Pooled) -> None:
    case.asset.mint(case.strategy, 11)
    case.pool.setMean(0)
    assert case.strategy.totalAssets() == 11
    case.other.mint(case.strategy, 1)
    with reverts("TwapUnavailable"):
        case.strategy.totalAssets()


def test_total_assets__one_share_of_the_pool__counts(case: Pooled) -> None:
    case.pool.give(case.strategy, 1)
    both = WAD // (SHARE + 1)
    assert case.strategy.totalAssets() == 2 * both
    assert case.strategy.position() == (1, 1)


def test_total_assets__shares_of_the_pool__two_roots_of_both_at_the_average(case: Pooled) -> None:
    case.pool.give(case.strategy, 3 * SHARE + 1)
    for mean in (ONE, 3 * ONE // 7, 5 * ONE + 1):
        case.pool.setMean(mean)
        both = [int(n) for n in case.pool.quoteBurn(3 * SHARE + 1)]
        product = 4 * both[0] * both[1]
        fair = isqrt(product * ONE // mean if case.asset_first else product * mean // ONE)
        case.asset.mint(case.strategy, 1)
        assert case.strategy.totalAssets() == fair + case.asset.balanceOf(case.strategy)


def test_total_assets__pool_frozen__part_of_the_reserves(case: Pooled) -> None:
    """A frozen pool quotes no burn: its quote is not asked for."""
    case.pool.give(case.strategy, 3 * SHARE + 1)
    case.pool.setReserves(5 * WAD + 1, 7 * WAD + 1)
    case.pool.setQuoted(0, 0)
    assert case.strategy.totalAssets() == 0
    case.pool.setState(FROZEN)
    shares, supply = 3 * SHARE + 1, 4 * SHARE + 1
    both = ((5 * WAD + 1) * shares // supply, (7 * WAD + 1) * shares // supply)
    assert case.strategy.totalAssets() == isqrt(4 * both[0] * both[1])


# ------------------------------------------------------------- investing


def test_invest__a_part_sold__all_is_asked_for_and_announced(case: Pooled) -> None:
    case.enter(10 * WAD)
    case.pool.setTrade(4 * WAD)
    case.pool.setMint(*case.pair(5 * WAD, 4 * WAD), 5 * SHARE)
    case.other.mint(case.strategy, 7)
    case.pool.setQuoted(6 * WAD, 6 * WAD)
    before = int(case.strategy.totalAssets())
    assert case.invest(9 * WAD, 4 * WAD) == 5 * SHARE
    (swapped,) = case.evm.events("Swapped")
    now = case.evm.timestamp
    assert tuple(swapped.args.values()) == (
        case.asset_first,
        4 * WAD,
        0,
        case.strategy.address,
        ANY_FEE,
        now,
    )
    (minted,) = case.evm.events("Minted")
    assert tuple(minted.args.values()) == (*case.pair(5 * WAD, 4 * WAD + 7), 0, now)
    (event,) = case.evm.events("Invested")
    cost = max(0, before - int(case.strategy.totalAssets()))
    expected = (case.world.keeper, 4 * WAD, 4 * WAD, 5 * SHARE, cost)
    assert tuple(event.args.values()) == expected


def test_invest__pool_takes_less__may_not_take_the_rest_later(case: Pooled) -> None:
    case.enter(10 * WAD)
    case.other.mint(case.strategy, WAD)
    case.pool.setMint(*case.pair(WAD, WAD // 2), 2 * SHARE)
    case.pool.setQuoted(3 * WAD, 3 * WAD)
    case.invest(5 * WAD, 0)
    assert case.evm.events("Swapped") == []
    for token in (case.asset, case.other):
        assert token.allowance(case.strategy, case.pool) == 0


def test_invest__pool_would_take_more_than_was_meant__refused(case: Pooled) -> None:
    """What is not to be invested, or was sold already, it may not touch."""
    case.enter(10 * WAD)
    case.pool.setTrade(2 * WAD)
    case.pool.setQuoted(100 * WAD, 100 * WAD)
    case.pool.setMint(*case.pair(3 * WAD + 1, 2 * WAD), 5 * SHARE)
    with reverts("ERC20InsufficientAllowance", case.pool.address, 3 * WAD, 3 * WAD + 1):
        case.invest(5 * WAD, 2 * WAD)
    case.pool.setMint(*case.pair(3 * WAD, 2 * WAD), 5 * SHARE)
    case.invest(5 * WAD, 2 * WAD)


def test_invest__of_one_unit_sold__is_sold(case: Pooled) -> None:
    case.enter(10 * WAD)
    case.pool.setTrade(1)
    case.invest(WAD, 1)
    (event,) = case.evm.events("Invested")
    assert (event["sold"], event["bought"]) == (1, 1)


def test_invest__cost_of_just_the_limit__accepted_and_one_more_refused(case: Pooled) -> None:
    """Property: R6. A trade that pays nothing costs what was sold."""
    case.enter(100 * WAD)
    limit = WAD // 100
    with reverts("CostTooHigh", limit + 1, limit):
        case.invest(WAD, limit + 1)
    budget = int(case.strategy.dayBudgetLeft())
    assert budget == WAD
    case.invest(WAD, limit)
    (event,) = case.evm.events("Invested")
    assert event["cost"] == limit
    assert case.strategy.dayBudgetLeft() == (100 * WAD - limit) // 100 - limit


def test_invest__more_named_than_lies_here__bounded_by_what_lies_here(case: Pooled) -> None:
    """Property: R6."""
    case.enter(100 * WAD)
    limit = WAD
    with reverts("CostTooHigh", limit + 1, limit):
        case.invest(2**200, limit + 1)
    case.invest(2**200, limit)
    (minted,) = case.evm.events("Minted")
    assert (minted["most0"], minted["most1"]) == case.pair(99 * WAD, 0)


def test_invest__more_to_sell_than_is_invested__refused(case: Pooled) -> None:
    case.enter(100 * WAD)
    with reverts("Panic"):
        case.invest(WAD, WAD + 1)


def test_invest__gain__costs_nothing(case: Pooled) -> None:
    case.enter(100 * WAD)
    case.pool.setTrade(2 * WAD)
    case.invest(WAD, WAD)
    (event,) = case.evm.events("Invested")
    assert event["cost"] == 0
    assert case.strategy.dayBudgetLeft() == 101 * WAD // 100


def test_invest__throttled__refused(case: Pooled) -> None:
    case.strategy.setEmergencyState(THROTTLED, sender=case.world.gate)
    with reverts("EmergencyStateForbids", THROTTLED):
        case.invest(0, 0)


# ------------------------------------------------------------- ways out


def held(case: Pooled, shares: int) -> None:
    """The router holds all shares of a strategy that has so many of the pool and nothing else."""
    case.enter(10 * WAD)
    case.asset.burn(case.strategy, 10 * WAD)
    case.pool.give(case.strategy, shares)


def test_max_withdraw__mature_shares__what_lies_here_and_what_they_burn_for(case: Pooled) -> None:
    held(case, 5 * SHARE)
    router = case.world.router
    case.pool.setReserves(6 * WAD, 6 * WAD)
    case.asset.mint(case.strategy, 77)
    assert case.strategy.maxWithdraw(router) == 5 * WAD + 77
    case.pool.setImmature(2 * SHARE)
    assert case.strategy.position() == (5 * SHARE, 3 * SHARE)
    assert case.strategy.maxWithdraw(router) == 3 * WAD + 77
    case.pool.setImmature(5 * SHARE - 1)
    assert case.strategy.maxWithdraw(router) == 6 * WAD // (6 * SHARE) + 77
    case.pool.setImmature(5 * SHARE)
    assert case.strategy.maxWithdraw(router) == 77
    case.pool.setImmature(0)
    for state in (THROTTLED, WITHDRAW_ONLY):
        case.pool.setState(state)
        assert case.strategy.maxWithdraw(router) == 5 * WAD + 77
    case.pool.setState(FROZEN)
    assert case.strategy.maxWithdraw(router) == 77


def test_max_withdraw__not_calm__what_lies_here(case: Pooled) -> None:
    held(case, 5 * SHARE)
    case.asset.mint(case.strategy, 77)
    case.pool.setReserves(6 * WAD, 7 * WAD)
    assert case.strategy.maxWithdraw(case.world.router) == 77


def test_withdraw__few_units__burns_the_least_that_holds_them(case: Pooled) -> None:
    held(case, 5 * WAD)
    router = case.world.router
    for assets, waiting in ((7, 0), (1_000, 3), (3, 2), (12_345, 12_344)):
        idle = int(case.asset.balanceOf(case.strategy))
        case.asset.mint(case.strategy, waiting)
        case.asset.burn(case.strategy, idle)
        shares, _ = case.strategy.position()
        in_asset = int(case.pool.quoteBurn(shares)[0 if case.asset_first else 1])
        least = -(-shares * (assets - waiting) // in_asset)
        case.strategy.withdraw(assets, router, router, sender=router)
        (burned,) = case.evm.events("Burned")
        expected = (least, 0, 0, case.strategy.address, case.evm.timestamp)
        assert tuple(burned.args.values()) == expected


def test_withdraw__just_what_lies_here__burns_nothing(case: Pooled) -> None:
    held(case, 5 * SHARE)
    router = case.world.router
    case.asset.mint(case.strategy, 77)
    case.strategy.withdraw(77, router, router, sender=router)
    assert case.evm.events("Burned") == []
    assert case.asset.balanceOf(case.strategy) == 0


def test_redeem_in_tokens__of_the_position__pro_rata(case: Pooled) -> None:
    held(case, 5 * SHARE + 1)
    router = case.world.router
    part = int(case.strategy.totalSupply()) // 3
    whole = int(case.strategy.totalSupply()) + SHARE
    shares = (5 * SHARE + 1) * part // whole
    both = [int(n) for n in case.pool.quoteBurn(shares)]
    answer = list(case.strategy.redeemInTokens(part, router, router, sender=router))
    assert answer == (both if case.asset_first else both[::-1])
    (burned,) = case.evm.events("Burned")
    assert burned["shares"] == shares


def test_unwind__one_mature_share__is_burned(case: Pooled) -> None:
    case.pool.give(case.strategy, 1)
    case.strategy.unwind(sender=case.world.keeper)
    (burned,) = case.evm.events("Burned")
    assert burned["shares"] == 1
    case.strategy.unwind(sender=case.world.keeper)
    assert case.evm.events("Burned") == []


# ------------------------------------------------------------- rewards


def test_claim_rewards__announced(case: Pooled) -> None:
    harvester, heir = case.world.harvester, case.evm.account("heir")
    case.strategy.claimRewards(heir, sender=harvester)
    (event,) = case.evm.events("RewardsClaimed")
    assert tuple(event.args.values()) == (harvester, heir, (), ())


def test_claim_rewards__by_a_stranger__refused(case: Pooled) -> None:
    stranger = case.evm.account("attacker")
    with reverts("AccessManagedUnauthorized", stranger):
        case.strategy.claimRewards(stranger, sender=stranger)
