"""What the kit does not ask of the strategy in our own pool: locks, states, attacks."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from math import isqrt

import pytest

from tests.kit.guarded_pool import DEPTH, PERIOD, SLIPPAGE_BPS, WAD, GuardedPool
from tests.kit.vault import fits
from tests.support.capital import FROZEN, NORMAL, THROTTLED, WITHDRAW_ONLY
from tests.support.evm import Revert, reverts

BPS = 10_000
Q128 = 2**128


@pytest.fixture(scope="module", params=(6, 18), ids=("token0", "token1"))
def stage(request: pytest.FixtureRequest) -> GuardedPool:
    """One holder of a hundred thousand, invested and mature; the asset is token0, then token1."""
    stage = GuardedPool(request.param)
    stage.enter(stage.account("whale"), 100_000 * stage.unit)
    stage.invest()
    stage.wait()
    return stage


@pytest.fixture
def case(stage: GuardedPool) -> Iterator[GuardedPool]:
    with stage.evm.rollback():
        yield copy(stage)


def modelled_worth(case: GuardedPool) -> int:
    """2·√(k·p) of the strategy's part in integers, from the pool's public figures."""
    vault, pool = case.vault, case.pool
    shares, _ = vault.position()
    _, price = pool.twap(PERIOD)
    assert vault.meanPriceX128() == price
    both = pool.quoteBurn(shares)
    product = 4 * both[0] * both[1]
    fair = isqrt(product * Q128 // price if case.asset_first else product * price // Q128)
    other = case.other.balanceOf(vault)
    waiting = other * Q128 // price if case.asset_first else other * price // Q128
    return int(fair + waiting + case.asset.balanceOf(vault))


# ---- investing


def test_deposit__waits_as_the_asset__until_the_keeper_invests(case: GuardedPool) -> None:
    vault, keeper = case.vault, case.world.keeper
    before = vault.totalAssets()
    shares, _ = vault.position()
    case.enter(case.account("investor"), 1_000 * case.unit)
    assert vault.totalAssets() == before + 1_000 * case.unit
    waiting = case.asset.balanceOf(vault)
    cost_before = vault.totalAssets()
    vault.invest(waiting, waiting // 2, sender=keeper)
    event = case.evm.events("Invested")[0]
    assert (event["by"], event["sold"]) == (keeper, waiting // 2)
    assert event["cost"] == cost_before - vault.totalAssets() <= waiting * SLIPPAGE_BPS // BPS
    assert vault.position()[0] == shares + event["poolShares"]
    for token in (case.asset, case.other):
        assert token.allowance(vault, case.pool) == 0


@pytest.mark.parametrize("bps", [-80, -20, 20, 80, -3_000, 3_000])
def test_total_assets__price_moved_and_averaged__two_roots_of_k_times_p(
    case: GuardedPool, bps: int
) -> None:
    case.move(bps)
    for seconds in (12, PERIOD // 2, PERIOD, 4 * PERIOD):
        case.evm.mine(1, seconds)
        case.pool.checkpoint()
        assert case.vault.totalAssets() == modelled_worth(case)
        shares, _ = case.vault.position()
        both = case.pool.quoteBurn(shares)
        assets, other = both if case.asset_first else both[::-1]
        price = case.vault.meanPriceX128()
        real = assets + (other * Q128 // price if case.asset_first else other * price // Q128)
        idle = case.asset.balanceOf(case.vault)
        quoted = case.other.balanceOf(case.vault) * case.unit // WAD
        assert case.vault.totalAssets() <= real + idle + 2 * quoted + 2, "never above its parts"


def test_fees__trades_there_and_back__are_a_gain(case: GuardedPool) -> None:
    before = case.vault.totalAssets()
    for _ in range(5):
        bought = case.swap(True, DEPTH * case.unit // 100)
        case.evm.mine(5)
        case.swap(False, bought)
        case.evm.mine(5)
    gained = case.vault.totalAssets() - before
    # Ten trades of a hundredth of the pool at five basis points or more, less the protocol's part.
    assert gained > before * 10 * 5 // 100 // BPS // 2 * 8 // 10


def test_invest__other_token_lies_here__needs_no_trade(case: GuardedPool) -> None:
    vault, keeper = case.vault, case.world.keeper
    case.enter(case.account("investor"), 1_000 * case.unit)
    case.other.mint(vault, 2_000 * WAD)
    before = vault.position()[0]
    vault.invest(1_000 * case.unit, 0, sender=keeper)
    event = case.evm.events("Invested")[0]
    assert (event["sold"], event["bought"]) == (0, 0)
    assert vault.position()[0] == before + event["poolShares"] > before
    assert not case.evm.events("Swap")


def test_unwind__again__finds_nothing_left(case: GuardedPool) -> None:
    case.recall()
    assert case.vault.position() == (0, 0)
    held = case.asset.balanceOf(case.vault)
    case.recall()
    assert case.asset.balanceOf(case.vault) == held == case.vault.totalAssets()


def test_invest__cost_above_the_bound__refused(case: GuardedPool) -> None:
    vault, keeper = case.vault, case.world.keeper
    case.enter(case.account("investor"), 4_000_000 * case.unit)
    with reverts("CostTooHigh"):
        vault.invest(4_000_000 * case.unit, 2_000_000 * case.unit, sender=keeper)
    with reverts("AccessManagedUnauthorized"):
        vault.invest(1, 0, sender=case.account("attacker"))


def test_invest__more_named_than_lies_here__cost_is_bounded_by_what_lies_here(
    case: GuardedPool,
) -> None:
    """Property: R6. Otherwise a keeper could name any sum and so choose his own bound."""
    vault, pool, waiting = case.vault, case.pool, 4_000_000 * case.unit
    case.enter(case.account("investor"), waiting)
    pool.transfer(vault, pool.balanceOf(case.trader) // 2, sender=case.trader)
    assert vault.dayBudgetLeft() > 2 * waiting * SLIPPAGE_BPS // BPS
    limits = set()
    for named in (waiting, 1_000 * waiting, 2**200):
        with pytest.raises(Revert) as refused:
            vault.invest(named, waiting * 2 // 5, sender=case.world.keeper)
        assert refused.value.name == "CostTooHigh"
        limits.add(refused.value.args[1])
    assert limits == {case.asset.balanceOf(vault) * SLIPPAGE_BPS // BPS}


def test_invest__spot_away_from_the_average__refused(case: GuardedPool) -> None:
    case.enter(case.account("investor"), 1_000 * case.unit)
    case.move(-300)
    with reverts("NotCalm"):
        case.vault.invest(case.unit, case.unit // 2, sender=case.world.keeper)
    assert case.vault.maxDeposit(case.world.router) == 0


# ---- the pool's lock


def test_lock__just_invested__only_what_is_mature_can_leave(case: GuardedPool) -> None:
    """Property: P7, R3. Shares of the pool that were minted in this block stay in it."""
    vault, owner = case.vault, case.account("whale")
    shares, mature = vault.position()
    assert shares == mature
    case.enter(case.account("investor"), 5_000 * case.unit)
    case.invest()
    shares, left = vault.position()
    assert left == mature < shares
    for blocks in (0, 1):
        case.evm.mine(blocks)
        both = case.pool.quoteBurn(mature)
        idle = case.asset.balanceOf(vault)
        most = vault.maxWithdraw(owner)
        assert most == idle + both[0 if case.asset_first else 1]
        assert fits(vault, "withdraw", most, owner, owner, sender=owner)
        assert not fits(vault, "withdraw", most + 1, owner, owner, sender=owner)
        with case.evm.rollback():
            other = case.account("investor")
            vault.transfer(owner, vault.balanceOf(other), sender=other)
            with reverts("SharesImmature"):
                vault.redeemInTokens(vault.balanceOf(owner), owner, owner, sender=owner)
    case.evm.mine(1)
    assert vault.position()[1] == shares
    assert vault.maxWithdraw(owner) > most


def test_unwind__part_immature__takes_what_is_mature(case: GuardedPool) -> None:
    vault = case.vault
    case.enter(case.account("investor"), 50_000 * case.unit)
    case.invest()
    shares, mature = vault.position()
    worth = vault.totalAssets()
    case.recall()
    assert tuple(vault.position()) == (shares - mature, 0)
    assert case.other.balanceOf(vault) == 0
    assert vault.totalAssets() >= worth - worth * SLIPPAGE_BPS // BPS


# ---- the pool's states


@pytest.mark.parametrize("state", [THROTTLED, WITHDRAW_ONLY, FROZEN])
def test_states__of_the_pool__limits_follow(case: GuardedPool, state: int) -> None:
    """Property: R3, S2."""
    vault, owner, router = case.vault, case.account("whale"), case.world.router
    case.enter(case.account("investor"), 100 * case.unit)
    idle = case.asset.balanceOf(vault)
    worth = vault.totalAssets()
    case.pool.setEmergencyState(state, sender=case.world.gate)
    assert vault.maxDeposit(router) == vault.maxMint(router) == 0
    assert abs(vault.totalAssets() - worth) <= 1, "a brake is no loss"
    most = vault.maxWithdraw(owner)
    assert (most == idle) == (state == FROZEN)
    assert fits(vault, "withdraw", most, owner, owner, sender=owner)
    assert not fits(vault, "withdraw", most + 1, owner, owner, sender=owner)
    in_tokens = fits(vault, "redeemInTokens", 10**9, owner, owner, sender=owner)
    assert in_tokens == (state != FROZEN)
    case.pool.setEmergencyState(NORMAL, sender=case.world.gate)
    assert vault.maxDeposit(router) > 0


# ---- attacks


@pytest.mark.parametrize("bps", [-5_000, -3_000, -300, -90, -30, 30, 90, 300, 3_000])
def test_attack__reserves_pushed_within_a_block__worth_never_falls_and_rises_by_fees_only(
    case: GuardedPool, bps: int
) -> None:
    vault, owner = case.vault, case.account("whale")
    before, k = vault.totalAssets(), case.pool.getReserves()
    case.move(bps)
    after, grown = vault.totalAssets(), case.pool.getReserves()
    assert after >= before
    # Worth goes with √k, which only the pusher's own fee moves.
    assert after * isqrt(k[0] * k[1]) <= (before + 2) * (isqrt(grown[0] * grown[1]) + 1)
    if abs(bps) > 150:
        assert not vault.isCalm()
        assert vault.maxWithdraw(owner) == case.asset.balanceOf(vault)
        assert vault.maxDeposit(case.world.router) == 0


@pytest.mark.parametrize("push", [-80, -30, 30, 80])
@pytest.mark.parametrize("drift", [0, -200, 200])
def test_attack__exit_at_reserves_pushed_within_the_bound__costs_nobody_else(
    case: GuardedPool, push: int, drift: int
) -> None:
    vault, attacker, whale = case.vault, case.account("attacker"), case.account("whale")
    case.enter(attacker, 10_000 * case.unit)
    case.settle()
    case.move(drift)
    case.wait()
    kept = vault.balanceOf(whale)
    before = vault.convertToAssets(kept)
    case.move(push)
    most = vault.maxWithdraw(attacker)
    assert most > 0
    vault.withdraw(most, attacker, attacker, sender=attacker)
    assert vault.convertToAssets(kept) >= before - 4


def test_attack__from_within_a_trade_of_the_pool__nothing_answers_or_moves() -> None:
    """Read-only reentrancy from the pool: its views are locked, so are the strategy's."""
    hooked = GuardedPool(18, "ReentrantToken")
    hooked.enter(hooked.account("whale"), 10_000 * hooked.unit)
    hooked.invest()
    hooked.evm.mine(2)
    vault, asset, owner = hooked.vault, hooked.asset, hooked.account("whale")
    vault.transfer(asset, vault.balanceOf(owner) // 2, sender=owner)
    mine = str(asset)
    for call, allowed in (
        (vault.calldata("totalAssets"), False),
        (vault.calldata("convertToAssets", WAD), False),
        (vault.calldata("redeem", WAD, mine, mine), False),
        (vault.calldata("redeemInTokens", WAD, mine, mine), False),
        (vault.calldata("maxDeposit", hooked.world.router.address), True),
    ):
        with hooked.evm.rollback():
            asset.arm(vault, call, False)
            hooked.swap(True, 1_000 * hooked.unit)
            assert asset.lastSuccess() == allowed
            if allowed:
                assert int.from_bytes(bytes(asset.lastResult()), "big") == 0


def test_attack__sandwich_around_the_sale__refused_below_the_minimum(case: GuardedPool) -> None:
    case.oracle.setRate(case.other, case.unit)
    case.move(-400)
    with reverts():
        case.vault.unwind(sender=case.world.keeper)


# ---- ways out


def test_redeem_in_tokens__not_calm_and_withdraw_only__pays_both_pro_rata(
    case: GuardedPool,
) -> None:
    """Property: R9."""
    vault, owner, heir = case.vault, case.account("whale"), case.account("heir")
    case.move(-4_000)
    case.pool.setEmergencyState(WITHDRAW_ONLY, sender=case.world.gate)
    vault.setEmergencyState(WITHDRAW_ONLY, sender=case.world.gate)
    shares = vault.balanceOf(owner)
    pool_shares = vault.position()[0]
    assets, other = vault.redeemInTokens(shares // 4, heir, owner, sender=owner)
    assert (case.asset.balanceOf(heir), case.other.balanceOf(heir)) == (assets, other)
    assert assets > 0 < other
    assert 0 <= vault.position()[0] - pool_shares * 3 // 4 <= pool_shares // 10**6
    vault.redeemInTokens(vault.balanceOf(owner), owner, owner, sender=owner)
    assert vault.position()[0] <= pool_shares // 10**6


# ---- what is refused


@pytest.mark.parametrize(
    "change",
    [
        {"twapPeriod": 299},
        {"maxDeviationBps": 0},
        {"maxDeviationBps": 1_001},
        {"maxSlippageBps": 1_001},
        {"oracle": "0x" + "00" * 20},
        {"venue": "0x" + "00" * 20},
    ],
)
def test_constructor__bad_configuration__refused(
    case: GuardedPool, change: dict[str, object]
) -> None:
    with reverts("InvalidConfig"):
        case.deploy_strategy(**change)


def test_memory__shorter_than_the_period__takes_nothing_in(case: GuardedPool) -> None:
    third = case.evm.deploy("TestToken", "Third", "3RD", 18)
    vault = case.deploy_strategy(pool=case.new_pool(third))
    assert vault.maxDeposit(case.world.router) == vault.totalAssets() == 0
    assert not vault.isCalm()
    with reverts("TwapUnavailable"):
        vault.meanPriceX128()
    case.evm.mine(1, PERIOD + 60)
    assert vault.isCalm()
    assert vault.maxDeposit(case.world.router) > 0


def test_config__as_given(case: GuardedPool) -> None:
    vault = case.vault
    expected = tuple(getattr(value, "address", value) for value in case.settings())
    assert tuple(vault.config()) == expected
    assert vault.otherToken() == case.other.address
    assert list(vault.rewardTokens()) == []
