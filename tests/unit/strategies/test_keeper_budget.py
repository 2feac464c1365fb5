"""A keeper's trades over a day cost no more than one slippage of all holdings, however many."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy

import pytest

from tests.kit.guarded_pool import PERIOD, GuardedPool
from tests.kit.uniswap_v3 import SLIPPAGE_BPS, UniswapV3
from tests.support.capital import DAY
from tests.support.evm import Revert, reverts

BPS = 10_000
Q128 = 2**128
Case = GuardedPool | UniswapV3


@pytest.fixture(scope="module", params=[GuardedPool, UniswapV3])
def stage(request: pytest.FixtureRequest) -> Case:
    """One holder of twenty thousand, at work, early on a day."""
    stage: Case = request.param(6)
    stage.enter(stage.account("whale"), 20_000 * stage.unit)
    if isinstance(stage, GuardedPool):
        stage.invest()
    stage.wait()
    next_day(stage)
    return stage


@pytest.fixture
def case(stage: Case) -> Iterator[Case]:
    with stage.evm.rollback():
        yield copy(stage)


def next_day(case: Case) -> None:
    """A minute into the next day."""
    case.evm.mine(1, DAY - case.evm.timestamp % DAY + 60)
    if isinstance(case, GuardedPool):
        case.pool.checkpoint()


def sell_badly(case: Case) -> None:
    """The keeper pushes the price down, sells the strategy's tokens to himself, and comes back."""
    # Far enough to cross the range of the one, near enough for each sale's own bound.
    bps = 40 if isinstance(case, GuardedPool) else 80
    case.move(-bps)
    case.vault.unwind(sender=case.world.keeper)
    case.move(bps)


def buy_back(case: Case) -> None:
    """Everything into the pool again, so that there is something to sell."""
    if isinstance(case, GuardedPool):
        case.invest()
        case.evm.mine(3)
    else:
        case.reposition()


def churn(case: Case, rounds: int) -> int:
    """Rounds until one is refused for what it would cost; how many went through."""
    for done in range(rounds):
        with case.evm.rollback():
            try:
                sell_badly(case)
            except Revert as error:
                assert error.name == "DayBudgetExceeded", error
                return done
        sell_badly(case)
        try:
            buy_back(case)
        except Revert as error:
            assert error.name == "DayBudgetExceeded", error
            return done
    raise AssertionError(f"{rounds} rounds, and nobody stopped it")


def test_attack__stolen_keeper_key_churns_for_days__each_costs_a_slippage_at_most(
    case: Case,
) -> None:
    """Property: R6. Each call keeps its own bound; only the day's budget ends the series."""
    for _ in range(3):
        held = case.vault.totalAssets()
        budget = case.vault.dayBudgetLeft()
        assert budget == held * SLIPPAGE_BPS // BPS
        assert churn(case, 50) >= 1, "an honest keeper's first trade fits"
        lost = held - case.vault.totalAssets()
        assert 0 < lost <= budget
        assert case.vault.dayBudgetLeft() < budget // 2
        next_day(case)
        case.wait()
        next_day(case)
        if case.asset.balanceOf(case.vault) > case.unit:
            buy_back(case)
        next_day(case)


def test_attack__budget_spent__calls_stay_refused_until_the_day_is_over(case: Case) -> None:
    churn(case, 50)
    with case.evm.rollback():
        with reverts("DayBudgetExceeded"):
            buy_back(case)
            sell_badly(case)
        # Holders leave all the same: their way needs no keeper.
        whale, vault = case.account("whale"), case.vault
        case.evm.mine(3)
        vault.redeemInTokens(vault.balanceOf(whale), whale, whale, sender=whale)
        assert vault.totalAssets() <= case.dust
    next_day(case)
    case.wait()
    next_day(case)
    assert case.vault.dayBudgetLeft() == case.vault.totalAssets() * SLIPPAGE_BPS // BPS
    case.recall() if isinstance(case, GuardedPool) else case.reposition()


def test_budget__of_a_days_calls__falls_by_what_each_cost() -> None:
    """Against the tokens themselves, at the average price, to the unit."""
    case = GuardedPool(6)
    case.enter(case.account("whale"), 100_000 * case.unit)
    case.wait()
    next_day(case)
    vault, keeper = case.vault, case.world.keeper
    spent = 0
    for step in range(6):
        if step % 2 == 0:
            held = vault.totalAssets()
            waiting = case.asset.balanceOf(vault)
            vault.invest(waiting, waiting * (40 + 4 * step) // 100, sender=keeper)
        else:
            held = taken_out(case)
            vault.unwind(sender=keeper)
        left = vault.totalAssets()
        spent += max(0, held - left)
        assert vault.dayBudgetLeft() == max(0, left * SLIPPAGE_BPS // BPS - spent)
        case.evm.mine(3)
        case.pool.checkpoint()
    assert spent > 0
    next_day(case)
    assert vault.dayBudgetLeft() == vault.totalAssets() * SLIPPAGE_BPS // BPS


def taken_out(case: GuardedPool) -> int:
    """Worth of both tokens once all of the position is out of the pool, before the sale."""
    shares, mature = case.vault.position()
    assert shares == mature
    both = case.pool.quoteBurn(shares)
    assets, other = both if case.asset_first else both[::-1]
    _, price = case.pool.twap(PERIOD)
    other += case.other.balanceOf(case.vault)
    quoted = other * Q128 // price if case.asset_first else other * price // Q128
    return int(case.asset.balanceOf(case.vault) + assets + quoted)


def test_budget__call_that_gains__adds_nothing(case: Case) -> None:
    sell_badly(case)
    left, held = case.vault.dayBudgetLeft(), case.vault.totalAssets()
    case.gain(held)
    grown = case.vault.dayBudgetLeft()
    assert grown == case.vault.totalAssets() * SLIPPAGE_BPS // BPS - (
        held * SLIPPAGE_BPS // BPS - left
    ), "more holdings, the same cost"
    case.vault.unwind(sender=case.world.keeper)
    assert case.vault.dayBudgetLeft() <= grown
