"""The Curve strategy on the StableSwap double: worth, bounds, imbalance, kill, reentrancy."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.capital import FROZEN, THROTTLED, WITHDRAW_ONLY, build_world
from tests.support.evm import reverts
from tests.support.lending import DAY, CurveScene, build_curve

RUNS = int(os.environ.get("FUZZ_RUNS", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))
WAD = 10**18
BPS = 10_000
ENTRY, EXIT = 10, 20
HOUR = 3_600
READ_GAS, PULL_GAS = 600_000, 2_000_000


@pytest.fixture
def scene() -> CurveScene:
    return build_curve()


def lp_per_share(scene: CurveScene) -> tuple[int, int]:
    """LP tokens and shares, with the virtual ones."""
    held = int(scene.lp.balanceOf(scene.strategy)) + WAD // scene.unit
    return held, int(scene.strategy.totalSupply()) + 10**6


def never_fewer(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether there are at least as many LP tokens behind a share."""
    return after[0] * before[1] >= before[0] * after[1]


def depeg(scene: CurveScene) -> None:
    """The other coin is dumped on the pool until its coins are one to nine."""
    while scene.pool.balances(0) * 10 > 200_000 * 10 * scene.unit:
        scene.sell(1, 100_000)


# ---- construction


def test_constructor__unfit_pool__reverts(scene: CurveScene) -> None:
    world, evm = scene.world, scene.evm
    roles = (world.authority, world.gate)
    limits = (ENTRY, EXIT, 3_000)
    foreign = build_world(evm)
    with reverts("NotInPool", foreign.asset.address):
        evm.deploy("CurveStrategy", foreign.router, scene.pool, scene.lp, 2, limits, *roles)
    with reverts("UnsupportedPool", scene.pool.address):
        evm.deploy("CurveStrategy", world.router, scene.pool, scene.lp, 4, limits, *roles)
    for wrong in ((501, 0, 0), (0, BPS, 0), (0, 0, BPS)):
        with reverts("InvalidLimits"):
            evm.deploy("CurveStrategy", world.router, scene.pool, scene.lp, 2, wrong, *roles)


# ---- worth


def test_worth__after_entry__is_lp_tokens_times_virtual_price(scene: CurveScene) -> None:
    whale = scene.evm.account("whale")
    shares = scene.enter(whale, 50_000 * scene.unit)
    held, price = scene.lp.balanceOf(scene.strategy), scene.strategy.virtualPrice()
    assert scene.strategy.totalAssets() == held * price // WAD // 10**12
    assert scene.world.asset.balanceOf(scene.strategy) == 0
    worth = scene.strategy.convertToAssets(shares)
    assert 50_000 * scene.unit * (BPS - ENTRY) // BPS <= worth <= 50_000 * scene.unit
    least = scene.strategy.previewRedeem(shares)
    assert worth * (BPS - EXIT) // BPS - 3 <= least < worth


def test_worth__after_others_trade__rises_by_their_fees_but_bounded_in_time(
    scene: CurveScene,
) -> None:
    whale = scene.evm.account("whale")
    scene.enter(whale, 50_000 * scene.unit)
    before = scene.strategy.totalAssets()
    for _ in range(20):
        scene.sell(0, 100_000)
        scene.sell(1, 100_000)
    assert scene.pool.get_virtual_price() > scene.strategy.virtualPrice()
    assert scene.strategy.totalAssets() == before, "nothing in one block lifts the worth"
    scene.evm.mine(1, DAY)
    day = scene.strategy.totalAssets()
    assert before < day <= before + before * 2_000 // BPS // 365 + 1
    scene.evm.mine(1, 365 * DAY)
    assert scene.strategy.virtualPrice() == scene.pool.get_virtual_price()


def test_worth__the_virtual_price_falls__follows_at_once(scene: CurveScene) -> None:
    scene.enter(scene.evm.account("whale"), 50_000 * scene.unit)
    scene.sell(1, 500_000)
    before = scene.strategy.totalAssets()
    scene.evm.mine(1, DAY)
    scene.pool.ramp_A(20, scene.evm.timestamp + 2 * DAY)
    scene.evm.mine(1, 2 * DAY)
    assert scene.strategy.virtualPrice() == scene.pool.get_virtual_price()
    assert scene.strategy.totalAssets() < before, "a real loss is not hidden"


def test_convert_to_assets__eighteen_decimals__is_exact_to_the_last_unit() -> None:
    scene = build_curve(18)
    strategy = scene.strategy
    scene.enter(scene.evm.account("whale"), 50_000 * scene.unit)
    held, supply = lp_per_share(scene)
    for shares in (10**6, strategy.totalSupply() // 3, strategy.totalSupply()):
        lp = shares * held // supply
        assert strategy.convertToAssets(shares) == lp * strategy.virtualPrice() // WAD


def test_worth__somebody_left_meanwhile__growth_counts_from_then_on(scene: CurveScene) -> None:
    """Every exit notes the price that was in force: time before it lifts the worth no more."""
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = scene.enter(whale, 50_000 * scene.unit)
    scene.evm.mine(1, 90 * DAY)
    noted = strategy.virtualPrice()
    strategy.redeem(shares // 100, whale, whale, sender=whale)
    after = scene.pool.get_virtual_price()
    for _ in range(20):
        scene.sell(0, 100_000)
        scene.sell(1, 100_000)
    grown = scene.pool.get_virtual_price()
    assert noted <= strategy.virtualPrice() <= after < grown, "in the exit's own block"
    at_exit = strategy.virtualPrice()
    scene.evm.mine(1, HOUR)
    growth = at_exit * 2_000 * HOUR // (BPS * 365 * DAY)
    assert strategy.virtualPrice() == at_exit + growth < grown


# ---- in and out


@pytest.mark.fuzz
@pytest.mark.parametrize("decimals", [6, 18])
def test_any_move__random_sequence__bounds_hold_and_nobody_else_pays(decimals: int) -> None:
    """Property: R2, R3."""
    for run in range(max(RUNS // 10, 1)):
        rng = random.Random(f"{SEED}/{decimals}/{run}")
        others = rng.choice(((18,), (6,), (6, 18)))
        scene = build_curve(decimals, others=others, amp=rng.choice((50, 200, 2_000)))
        strategy, asset, unit = scene.strategy, scene.world.asset, scene.unit
        holders = [scene.evm.account(name) for name in ("whale", "investor", "attacker")]
        scene.enter(holders[0], 1_000 * unit)
        for _ in range(25):
            if rng.random() < 0.5:
                scene.sell(rng.randrange(len(scene.coins)), rng.randrange(1, 150_000))
            if rng.random() < 0.3:
                scene.evm.mine(1, rng.choice((12, DAY, 90 * DAY)))
            who, before = rng.choice(holders), lp_per_share(scene)
            held, had = strategy.balanceOf(who), asset.balanceOf(who)
            kind = rng.choice(("enter", "enter", "redeem", "withdraw", "kind", "probe"))
            if kind == "enter":
                room = int(strategy.maxDeposit(scene.world.router))
                assets = min(room, rng.choice((7, rng.randrange(1, 100_000 * unit))))
                if not assets or not strategy.previewDeposit(assets):
                    continue
                promised = strategy.previewDeposit(assets)
                assert scene.enter(who, assets) == promised
            elif kind == "redeem":
                most = strategy.maxRedeem(who)
                shares = rng.choice((most, rng.randrange(most + 1), min(most, 10**7)))
                promised = strategy.previewRedeem(shares)
                paid = strategy.redeem(shares, who, who, sender=who)
                assert asset.balanceOf(who) - had == paid >= promised
            elif kind == "withdraw":
                most = strategy.maxWithdraw(who)
                assets = rng.choice((most, rng.randrange(most + 1), min(1, most)))
                promised = strategy.previewWithdraw(assets)
                burned = strategy.withdraw(assets, who, who, sender=who)
                assert asset.balanceOf(who) - had == assets
                assert held - strategy.balanceOf(who) == burned <= promised
            elif kind == "kind":
                strategy.redeemInKind(held // 2, who, who, sender=who)
            elif strategy.totalAssets() > 10**4:
                strategy.probe()
                # What the probe took out comes back with the next way in.
                continue
            assert never_fewer(before, lp_per_share(scene)), kind


def test_withdraw__a_sound_pool__costs_the_market_not_the_bound(scene: CurveScene) -> None:
    whale = scene.evm.account("whale")
    shares = scene.enter(whale, 50_000 * scene.unit)
    most = scene.strategy.maxWithdraw(whale)
    burned = scene.strategy.withdraw(most, whale, whale, sender=whale)
    left = shares - burned
    assert left > shares * 15 // BPS, "of the bound of 20, the pool's fee took some 2"
    scene.strategy.redeem(left, whale, whale, sender=whale)
    got = scene.world.asset.balanceOf(whale)
    assert got >= 50_000 * scene.unit * (BPS - 8) // BPS
    assert scene.world.asset.balanceOf(scene.strategy) <= most // 10**6, "a rest of rounding"


def test_max__read_and_paid__within_what_the_router_allows(scene: CurveScene) -> None:
    """The router reads with 600 000 gas and lets a payment burn 2 000 000."""
    three = build_curve(6, others=(6, 18), amp=2_000)
    for case in (scene, three):
        whale = case.evm.account("whale")
        shares = case.enter(whale, 50_000 * case.unit)
        for whole in (0, 600_000):
            if whole:
                case.sell(1, whole, 0)
            for name, argument in (
                ("maxWithdraw", whale),
                ("maxRedeem", whale),
                ("maxDeposit", case.world.router),
                ("previewRedeem", shares),
            ):
                data = case.strategy.calldata(name, argument)
                case.evm.static(whale, case.strategy.address, data, gas=READ_GAS)
            most = case.strategy.maxWithdraw(whale) // 2
            case.strategy.withdraw(most, whale, whale, sender=whale, gas=PULL_GAS)


# ---- imbalance and depeg


def test_deposit__an_imbalanced_pool__is_refused_and_a_fitting_amount_is_not() -> None:
    """Property: R3."""
    scene = build_curve(limits=(ENTRY, EXIT, 1_000))
    router, strategy = scene.world.router, scene.strategy
    room = int(strategy.maxDeposit(router))
    assert 100_000 * scene.unit < room < 300_000 * scene.unit
    scene.enter(scene.evm.account("whale"), room)
    shares = [scene.pool.balances(0) * 10**12, scene.pool.balances(1)]
    # The owner's part of the fee on the way in leaves the balances.
    assert min(shares) * 2 * 99_999 >= sum(shares) * 9 // 10 * 99_998
    for coin in (0, 1):
        with scene.evm.rollback():
            scene.sell(coin, 350_000)
            assert strategy.maxDeposit(router) == strategy.maxMint(router) == 0
            scene.world.asset.mint(router, scene.unit)
            scene.world.asset.approve(strategy, scene.unit, sender=router)
            with reverts("ERC4626ExceededMaxDeposit"):
                strategy.deposit(scene.unit, router, sender=router)


def test_depeg__the_other_coin_fills_the_pool__what_can_leave_is_honest(scene: CurveScene) -> None:
    """Property: R3, R9."""
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = scene.enter(whale, 100_000 * scene.unit)
    worth = strategy.totalAssets()
    depeg(scene)
    paid, par = strategy.quoteExit(shares)
    assert paid < par * 97 // 100, "the pool pays much less than the worth"
    assert strategy.totalAssets() == worth, "no trade lowers the virtual price"
    assert strategy.maxWithdraw(whale) == strategy.maxRedeem(whale) == 0
    with reverts("ERC4626ExceededMaxRedeem"):
        strategy.redeem(shares, whale, whale, sender=whale)
    scene.world.router.previewRedeem(10**6)
    token, amount = strategy.redeemInKind(shares // 2, whale, whale, sender=whale)
    assert (token, amount) == (scene.lp.address, scene.lp.balanceOf(whale))
    scene.pool.remove_liquidity(amount, [0, 0], sender=whale)
    assert scene.coins[1].balanceOf(whale) > 5 * scene.world.asset.balanceOf(whale) * 10**11
    strategy.setLimits((ENTRY, 5_000, 3_000), sender=scene.world.governance)
    assert strategy.maxRedeem(whale) == strategy.balanceOf(whale), "governance accepted the loss"
    least = strategy.previewRedeem(strategy.balanceOf(whale))
    assert strategy.redeem(strategy.balanceOf(whale), whale, whale, sender=whale) > least


def test_imbalance__a_position_too_large__leaves_in_part() -> None:
    """Property: R3."""
    scene = build_curve(whole=100_000, limits=(100, 20, 6_000))
    whale, strategy = scene.evm.account("whale"), scene.strategy
    for _ in range(3):
        scene.enter(whale, min(60_000 * scene.unit, strategy.maxDeposit(scene.world.router)))
    scene.sell(1, 95_000)
    all_ = strategy.previewRedeem(strategy.balanceOf(whale))
    most = strategy.maxWithdraw(whale)
    assert 0 < most < all_
    with reverts("ERC4626ExceededMaxWithdraw"):
        strategy.withdraw(most + 1, whale, whale, sender=whale)
    strategy.withdraw(most, whale, whale, sender=whale)
    assert strategy.maxWithdraw(whale) < most


def test_sandwich__exit_in_a_pushed_pool__pays_the_bound_or_refuses(scene: CurveScene) -> None:
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = scene.enter(whale, 100_000 * scene.unit)
    least = strategy.previewRedeem(shares)
    for whole in (100_000, 300_000, 600_000):
        with scene.evm.rollback():
            scene.sell(1, whole)
            if strategy.maxRedeem(whale) == shares:
                assert strategy.redeem(shares, whale, whale, sender=whale) >= least
            else:
                with reverts("ERC4626ExceededMaxRedeem"):
                    strategy.redeem(shares, whale, whale, sender=whale)


# ---- a killed pool


def test_kill__once_probed__limits_are_zero_and_lp_tokens_leave(scene: CurveScene) -> None:
    """Property: R3, R9."""
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = scene.enter(whale, 100_000 * scene.unit)
    worth = strategy.totalAssets()
    scene.pool.kill_me()
    assert strategy.probe(sender=scene.trader)
    assert scene.evm.events("PoolProbed")[0].args["closed"]
    assert strategy.poolClosed()
    assert strategy.maxWithdraw(whale) == strategy.maxRedeem(whale) == 0
    assert strategy.maxDeposit(scene.world.router) == 0
    assert strategy.totalAssets() == worth, "its coins are still there"
    _, amount = strategy.redeemInKind(shares, whale, whale, sender=whale)
    scene.pool.remove_liquidity(amount, [0, 0], sender=whale)
    got = scene.world.asset.balanceOf(whale) + scene.coins[1].balanceOf(whale) // 10**12
    assert got > 99_900 * scene.unit, "both coins, at par"


def test_kill__all_lp_tokens_left__a_probe_cannot_reopen_it(scene: CurveScene) -> None:
    """Without LP tokens nothing can be tried out: what was found last stays.

    Rounding leaves a rest behind for whoever holds no shares; here it is gone as well.
    """
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = scene.enter(whale, 100_000 * scene.unit)
    scene.pool.kill_me()
    assert strategy.probe()
    strategy.redeemInKind(shares, whale, whale, sender=whale)
    rest = scene.lp.balanceOf(strategy)
    assert 0 < rest < WAD // scene.unit
    scene.lp.transfer(whale, rest, sender=strategy)
    assert strategy.probe() and strategy.poolClosed()
    assert [event["closed"] for event in scene.evm.events("PoolProbed")] == [True]
    assert strategy.maxDeposit(scene.world.router) == 0


def test_kill__not_probed_yet__the_router_passes_by_and_takes_from_others(
    scene: CurveScene,
) -> None:
    world = scene.world
    other = build_curve(world=world)
    investor = scene.evm.account("investor")
    world.deposit(investor, 100_000 * scene.unit)
    world.lend(scene.strategy, 50_000 * scene.unit)
    world.lend(other.strategy, 50_000 * scene.unit)
    scene.pool.kill_me()
    world.router.setExitOrder([scene.strategy, other.strategy], sender=world.governance)
    world.router.withdraw(40_000 * scene.unit, investor, investor, sender=investor)
    assert world.asset.balanceOf(investor) == 40_000 * scene.unit
    scene.strategy.probe()
    assert world.router.maxWithdraw(investor) < 10_000 * scene.unit
    scene.pool.unkill_me()
    assert not scene.strategy.probe()
    assert world.router.maxWithdraw(investor) > 59_000 * scene.unit


# ---- read-only reentrancy


def test_reentrancy__inside_the_pools_own_call__no_entry_point_moves_money() -> None:
    """The virtual price is wrong there; the pool's lock and the growth bound answer it."""
    scene = build_curve(18, "ReentrantToken", others=(18,), whole=1_000)
    strategy, hooked, trader = scene.strategy, scene.world.asset, scene.trader
    scene.enter(hooked.address, 100 * scene.unit)
    scene.enter(trader, 100 * scene.unit)
    share = int(strategy.balanceOf(hooked)) // 10
    worth = strategy.totalAssets()
    with scene.evm.rollback():
        hooked.arm(strategy, strategy.calldata("totalAssets"), False)
        scene.pool.remove_liquidity(int(scene.lp.balanceOf(trader)), [0, 0], sender=trader)
        assert hooked.lastSuccess()
        assert int.from_bytes(bytes(hooked.lastResult()), "big") < worth, "the attack is real"
    for data in (
        strategy.calldata("redeem", share, hooked.address, hooked.address),
        strategy.calldata("withdraw", scene.unit, hooked.address, hooked.address),
        strategy.calldata("probe"),
    ):
        with scene.evm.rollback():
            before = lp_per_share(scene)
            hooked.arm(strategy, data, False)
            scene.pool.remove_liquidity(int(scene.lp.balanceOf(trader)), [0, 0], sender=trader)
            assert not hooked.lastSuccess()
            assert lp_per_share(scene) == before
            assert not strategy.poolClosed(), "and nobody can make it look closed"


# ---- limits, states, rewards


def test_limits__guardian_tightens_and_only_governance_loosens(scene: CurveScene) -> None:
    world, strategy = scene.world, scene.strategy
    selector = strategy.calldata("tightenEntry", 0, 0)[:4]
    world.authority.setTargetFunctionRole(strategy, [selector], 1, sender=world.governance)
    strategy.tightenEntry(5, 1_000, sender=world.guardian)
    assert list(strategy.limits()) == [5, EXIT, 1_000]
    with reverts("InvalidLimits"):
        strategy.tightenEntry(6, 1_000, sender=world.guardian)
    with reverts("AccessManagedUnauthorized"):
        strategy.setLimits((ENTRY, EXIT, 3_000), sender=world.guardian)
    strategy.setLimits((ENTRY, EXIT, 3_000), sender=world.governance)
    event = scene.evm.events("LimitsSet")[0]
    assert event.args["by"] == world.governance


def test_states__by_the_gate__stop_what_they_say(scene: CurveScene) -> None:
    whale, strategy, gate = scene.evm.account("whale"), scene.strategy, scene.world.gate
    shares = scene.enter(whale, 100 * scene.unit)
    for state in (THROTTLED, WITHDRAW_ONLY):
        strategy.setEmergencyState(state, sender=gate)
        assert strategy.maxDeposit(scene.world.router) == 0
        strategy.redeem(shares // 10, whale, whale, sender=whale)
        strategy.redeemInKind(shares // 10, whale, whale, sender=whale)
    strategy.setEmergencyState(FROZEN, sender=gate)
    assert strategy.maxRedeem(whale) == 0
    with reverts("EmergencyStateForbids"):
        strategy.redeemInKind(shares // 10, whale, whale, sender=whale)


def test_rewards__there_are_none__and_it_says_so(scene: CurveScene) -> None:
    harvester = scene.world.harvester
    assert list(scene.strategy.rewardTokens()) == []
    claimed = scene.strategy.claimRewards(harvester, sender=harvester)
    assert [list(part) for part in claimed] == [[], []]


def test_router__lend_earn_report_recall__books_follow_the_pool(scene: CurveScene) -> None:
    """Property: R1."""
    world, investor = scene.world, scene.evm.account("investor")
    world.router.setProfitUnlockTime(0, sender=world.governance)
    world.deposit(investor, 100_000 * scene.unit)
    world.lend(scene.strategy, 100_000 * scene.unit)
    debt = world.debt(scene.strategy)
    assert 100_000 * scene.unit * (BPS - ENTRY - EXIT) // BPS - 5 <= debt
    for _ in range(10):
        scene.sell(0, 200_000)
        scene.sell(1, 200_000)
    scene.evm.mine(1, 90 * DAY)
    gain, loss = world.report(scene.strategy)
    assert loss == 0 < gain
    world.recall(scene.strategy, int(scene.strategy.maxWithdraw(world.router)))
    rest = scene.strategy.balanceOf(world.router)
    assert rest > 0, "what the way out did not cost is still the router's"
    gain, loss = world.report(scene.strategy)
    assert gain > 0 == loss
