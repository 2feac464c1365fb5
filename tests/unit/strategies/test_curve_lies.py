"""The Curve strategy on a pool that lies, or cannot answer: what it checks for itself."""

from __future__ import annotations

from enum import IntEnum

import pytest

from tests.support.capital import build_world
from tests.support.evm import Contract, Revert, reverts
from tests.support.lending import CurveScene, add, build_curve

UNIT = 10**18
BPS = 10_000
ENTRY, EXIT, NOISE = 10, 20, 100
LIMITS = (ENTRY, EXIT, 3_000)


class Estimate(IntEnum):
    """As in the double `LyingCurvePool`."""

    HONEST = 0
    FAILS = 1
    SHORT = 2


@pytest.fixture
def scene() -> CurveScene:
    """A million of each coin in the lying pool; its LP tokens belong to the trader."""
    world = build_world()
    evm, trader = world.evm, world.evm.account("trader")
    coins = [world.asset, evm.deploy("TestToken", "Other", "OTH", 18)]
    lp = evm.deploy("TestToken", "Lying pool", "LIE", 18)
    pool = evm.deploy("LyingCurvePool", coins, lp)
    for coin in coins:
        coin.mint(pool, 10**6 * UNIT)
    lp.mint(trader, 2 * 10**6 * UNIT)
    roles = (world.authority, world.gate)
    strategy = evm.deploy("CurveStrategy", world.router, pool, lp, 2, LIMITS, *roles)
    add(world, strategy)
    return CurveScene(world, pool, lp, coins, strategy, trader, UNIT)


def offer(scene: CurveScene, assets: int) -> int:
    """The router deposits so much; the shares."""
    router, asset = scene.world.router, scene.world.asset
    asset.mint(router, assets)
    asset.approve(scene.strategy, assets, sender=router)
    return int(scene.strategy.deposit(assets, router, sender=router))


# ---- construction


def deploy_over(scene: CurveScene, coin: object) -> Contract:
    """The strategy over a pool of the asset and that coin."""
    world, evm = scene.world, scene.evm
    pool = evm.deploy("LyingCurvePool", [world.asset, coin], scene.lp)
    roles = (world.authority, world.gate)
    return evm.deploy("CurveStrategy", world.router, pool, scene.lp, 2, LIMITS, *roles)


def test_constructor__a_coin_is_no_token__reverts(scene: CurveScene) -> None:
    """Native ether has no code: its pools call back."""
    with reverts("UnsupportedPool"):
        deploy_over(scene, "0x" + "ee" * 20)


def test_constructor__a_coin_of_more_than_18_decimals__reverts(scene: CurveScene) -> None:
    deploy_over(scene, scene.evm.deploy("TestToken", "Other", "OTH", 18))
    finer = scene.evm.deploy("TestToken", "Finer", "FINE", 19)
    with reverts("UnsupportedPool"):
        deploy_over(scene, finer)


# ---- ways in


def test_deposit__the_pool_mints_too_little__reverts(scene: CurveScene) -> None:
    """The pool is not believed: what it minted is counted."""
    least = UNIT * (BPS - ENTRY) // BPS - NOISE
    scene.pool.setMint(BPS - ENTRY)
    with scene.evm.rollback():
        assert offer(scene, UNIT) > 0, "at the bound it may enter"
    scene.pool.setMint(BPS - ENTRY - 1)
    minted = UNIT * (BPS - ENTRY - 1) // BPS
    with reverts("TooLittleArrived", least, minted):
        offer(scene, UNIT)
    assert scene.lp.balanceOf(scene.strategy) == scene.strategy.totalSupply() == 0


@pytest.mark.parametrize("estimate", [Estimate.FAILS, Estimate.SHORT], ids=lambda e: e.name)
def test_max_deposit__the_pool_cannot_estimate__is_zero(
    scene: CurveScene, estimate: Estimate
) -> None:
    """Property: R3."""
    router, strategy = scene.world.router, scene.strategy
    assert strategy.maxDeposit(router) > 0
    scene.pool.setEstimate(estimate)
    assert strategy.maxDeposit(router) == strategy.maxMint(router) == 0
    with reverts("ERC4626ExceededMaxDeposit"):
        offer(scene, UNIT)


def test_max_deposit__own_coin_exactly_as_scarce_as_allowed__enters_and_one_less_does_not(
    scene: CurveScene,
) -> None:
    """At most 30 % below its even share: 35 of 100 of two coins."""
    own, other = scene.coins
    router, strategy = scene.world.router, scene.strategy
    own.mint(scene.pool, 4 * 10**5 * UNIT)
    other.mint(scene.pool, 16 * 10**5 * UNIT)
    balances = [scene.pool.balances(i) for i in (0, 1)]
    assert balances[0] * 100 == sum(balances) * 35
    assert strategy.maxDeposit(router) > 0
    other.mint(scene.pool, 1)
    assert strategy.maxDeposit(router) == strategy.maxMint(router) == 0
    with reverts("ERC4626ExceededMaxDeposit"):
        offer(scene, UNIT)


# ---- ways out


def test_withdraw__the_pool_pays_too_little__reverts(scene: CurveScene) -> None:
    """What arrives is counted, for `withdraw` and for `redeem`."""
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = scene.enter(whale, 100 * UNIT)
    held = scene.lp.balanceOf(strategy)
    scene.pool.setPay(BPS // 2)
    with pytest.raises(Revert) as caught:
        strategy.redeem(shares // 2, whale, whale, sender=whale)
    assert caught.value.name == "TooLittleArrived"
    with reverts("TooLittleArrived"):
        strategy.withdraw(UNIT, whale, whale, sender=whale)
    assert strategy.balanceOf(whale) == shares
    assert scene.lp.balanceOf(strategy) == held


def test_exit__a_part_is_quoted_worse_than_the_whole__reverts(scene: CurveScene) -> None:
    """What can leave is judged on the whole: each exit is held to its own bound."""
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = scene.enter(whale, 100 * UNIT)
    scene.pool.setQuotesFrom(scene.lp.balanceOf(strategy))
    assert strategy.maxRedeem(whale) == shares
    least = strategy.previewRedeem(shares // 2)
    with reverts("ExitTooCostly", least, 0):
        strategy.redeem(shares // 2, whale, whale, sender=whale)
    assert strategy.maxWithdraw(whale) > UNIT
    with reverts("ExitTooCostly", UNIT, 0):
        strategy.withdraw(UNIT, whale, whale, sender=whale)
    assert strategy.balanceOf(whale) == shares


def test_quote_exit__more_than_the_pool_has__pays_nothing() -> None:
    """The pool's own quote fails there."""
    scene = build_curve()
    scene.enter(scene.evm.account("whale"), 100 * scene.unit)
    supply = scene.lp.totalSupply()
    with pytest.raises(Revert):
        scene.pool.calc_withdraw_one_coin(2 * supply, 0)
    shares = scene.strategy.totalSupply() * supply // scene.lp.balanceOf(scene.strategy) * 2
    paid, worth = scene.strategy.quoteExit(shares)
    assert paid == 0 < worth


# ---- nothing held


def test_probe__without_lp_tokens__finds_nothing_new() -> None:
    """Nothing can be tried out: a killed pool does not look closed, an open one not reopened."""
    scene = build_curve()
    assert scene.lp.balanceOf(scene.strategy) == scene.strategy.totalAssets() == 0
    scene.pool.kill_me()
    assert not scene.strategy.probe()
    assert not scene.strategy.poolClosed()
    assert [event["closed"] for event in scene.evm.events("PoolProbed")] == [False]


# ---- reentrancy


def test_preview__inside_its_own_call__reverts() -> None:
    """A price asked for in the midst of a deposit would be wrong: there is none."""
    scene = build_curve(18, "ReentrantToken", others=(18,))
    hooked, strategy = scene.world.asset, scene.strategy
    for name in ("previewDeposit", "previewWithdraw", "previewRedeem", "convertToShares"):
        with scene.evm.rollback():
            hooked.mint(scene.world.router, UNIT)
            hooked.approve(strategy, UNIT, sender=scene.world.router)
            hooked.arm(strategy, strategy.calldata(name, UNIT), False)
            strategy.deposit(UNIT, scene.world.router, sender=scene.world.router)
            assert not hooked.lastSuccess()
            answer = Revert(bytes(hooked.lastResult()))
            assert answer.name == "ReentrancyGuardReentrantCall", name
