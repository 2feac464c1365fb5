"""The Compound III strategy on the Comet double: worth, rounding, limits, pauses, in kind."""

from __future__ import annotations

import os
import random

import pytest

from tests.support.capital import FROZEN, THROTTLED, WITHDRAW_ONLY
from tests.support.evm import reverts
from tests.support.lending import DAY, ZERO, CometScene, build_comet

RUNS = int(os.environ.get("FUZZ_RUNS", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))
# One way in and one way out, at an index between one and two.
TOLL = 3
# Shares of one unit while the price is one.
SHARE = 10**6


@pytest.fixture
def scene() -> CometScene:
    return build_comet()


def enter(scene: CometScene, holder: str, assets: int) -> int:
    """Shares of a new holder, as an exit in kind hands them to him."""
    world, router = scene.world, scene.world.router
    world.asset.mint(router, assets)
    world.asset.approve(scene.strategy, 0, sender=router)
    world.asset.approve(scene.strategy, assets, sender=router)
    shares = int(scene.strategy.deposit(assets, router, sender=router))
    scene.strategy.transfer(holder, shares, sender=router)
    return shares


def test_constructor__comet_of_another_token__reverts(scene: CometScene) -> None:
    world, evm = scene.world, scene.evm
    wrong = evm.deploy("TestToken", "Other", "OTH", 6)
    config = ((wrong.address, "x", "x", world.authority.address, world.gate, ZERO),)
    manager = evm.deploy("RouterManager", *config)
    router = evm.deploy("CapitalRouter", *config, manager)
    with reverts("WrongBaseToken", world.asset.address):
        evm.deploy("CompoundV3Strategy", router, scene.comet, ZERO, world.authority, world.gate)


def test_lend__a_thousand__is_worth_its_comet_balance(scene: CometScene) -> None:
    world, unit = scene.world, scene.unit
    world.deposit(scene.saver, 1_000 * unit)
    world.lend(scene.strategy, 1_000 * unit)
    assert scene.strategy.totalAssets() == scene.comet.balanceOf(scene.strategy)
    assert 1_000 * unit - 2 * TOLL - 1 <= world.debt(scene.strategy) <= 1_000 * unit
    assert world.asset.balanceOf(scene.strategy) == 0
    assert world.asset.allowance(scene.strategy, scene.comet) == 0


def test_report__after_a_year__books_the_interest_comet_credits(scene: CometScene) -> None:
    world, unit = scene.world, scene.unit
    world.deposit(scene.saver, 1_000 * unit)
    world.lend(scene.strategy, 1_000 * unit)
    before = world.debt(scene.strategy)
    scene.evm.mine(1, 365 * DAY)
    gain, loss = world.report(scene.strategy)
    assert loss == 0
    held = scene.comet.balanceOf(scene.strategy)
    assert abs(held - TOLL - before - gain) <= 1, "but for the virtual unit"
    assert gain > 15 * unit


@pytest.mark.fuzz
@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_any_move__random_sequence__no_exit_or_entry_lowers_what_others_hold(decimals: int) -> None:
    """Property: R2."""
    for run in range(max(RUNS // 10, 1)):
        rng = random.Random(f"{SEED}/{decimals}/{run}")
        scene = build_comet(decimals)
        strategy, asset, evm = scene.strategy, scene.world.asset, scene.evm
        holders = [evm.account(name) for name in ("whale", "investor", "attacker")]
        for _ in range(25):
            if rng.random() < 0.4:
                evm.mine(1, rng.choice((12, DAY, 90 * DAY)))
            who = rng.choice(holders)
            held = strategy.balanceOf(who)
            worth, supply = strategy.totalAssets() + 1, strategy.totalSupply() + 10**6
            kind = rng.choice(("enter", "redeem", "withdraw", "kind"))
            if kind == "enter":
                assets = rng.choice((rng.randrange(1, 100), rng.randrange(1, 900 * scene.unit)))
                promised = strategy.previewDeposit(assets)
                assert enter(scene, who, assets) == promised
            elif kind == "redeem" and held:
                shares = rng.choice((held, rng.randrange(1, held + 1), min(held, 10**6)))
                promised, before = strategy.previewRedeem(shares), asset.balanceOf(who)
                strategy.redeem(shares, who, who, sender=who)
                assert asset.balanceOf(who) - before == promised
            elif kind == "withdraw" and strategy.maxWithdraw(who):
                most = strategy.maxWithdraw(who)
                assets = rng.choice((most, rng.randrange(1, most + 1), 1))
                promised = strategy.previewWithdraw(assets)
                assert strategy.withdraw(assets, who, who, sender=who) == promised
            elif kind == "kind" and held:
                before = scene.comet.balanceOf(who)
                shares = rng.randrange(1, held + 1)
                promised = strategy.previewRedeem(shares)
                strategy.redeemInKind(shares, who, who, sender=who)
                assert promised - 2 <= scene.comet.balanceOf(who) - before <= promised
            after = (strategy.totalAssets() + 1) * supply
            assert after >= worth * (strategy.totalSupply() + 10**6), kind


def test_round_trip__same_block__never_gains(scene: CometScene) -> None:
    """Property: R2."""
    whale, asset = scene.evm.account("whale"), scene.world.asset
    enter(scene, scene.saver, 777 * scene.unit)
    for assets in (1, 7, 1_000, 123_456_789):
        shares = enter(scene, whale, assets)
        before = asset.balanceOf(whale)
        scene.strategy.redeem(shares, whale, whale, sender=whale)
        assert assets - 2 * TOLL - 1 <= asset.balanceOf(whale) - before <= assets


def test_preview_withdraw__any_amount__is_rounded_up_to_the_last_share(scene: CometScene) -> None:
    """Against who leaves: a share that is burnt in part is burnt."""
    strategy, unit = scene.strategy, scene.unit
    whale = scene.evm.account("whale")
    enter(scene, whale, 1_000 * unit)
    scene.evm.mine(1, 90 * DAY)
    assets1 = strategy.totalAssets() + 1
    shares1 = strategy.totalSupply() + SHARE
    rests = []
    for assets in range(unit, unit + 20):
        product = (assets + TOLL) * shares1
        rests.append(product % assets1)
        assert strategy.previewWithdraw(assets) == -(-product // assets1)
    assert any(rests), "something was rounded"
    shares = strategy.previewWithdraw(unit)
    before = strategy.balanceOf(whale)
    assert strategy.withdraw(unit, whale, whale, sender=whale) == shares
    assert strategy.balanceOf(whale) == before - shares


def test_max__liquidity_run_dry__is_what_lies_in_comet_and_one_more_fails(
    scene: CometScene,
) -> None:
    """Property: R3."""
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = enter(scene, whale, 1_000 * scene.unit)
    assert strategy.maxRedeem(whale) == shares
    scene.lend_out(left=40 * scene.unit)
    assert strategy.maxWithdraw(whale) == 40 * scene.unit
    with reverts("ERC4626ExceededMaxWithdraw"):
        strategy.withdraw(40 * scene.unit + 1, whale, whale, sender=whale)
    most = strategy.maxRedeem(whale)
    assert 0 < most < shares
    with reverts("ERC4626ExceededMaxRedeem"):
        strategy.redeem(most + 1, whale, whale, sender=whale)
    strategy.redeem(most, whale, whale, sender=whale)
    scene.lend_out()
    assert strategy.maxWithdraw(whale) == strategy.maxRedeem(whale) == 0
    scene.repay(2_000 * scene.unit)
    assert strategy.maxRedeem(whale) == strategy.balanceOf(whale)
    strategy.withdraw(strategy.maxWithdraw(whale), whale, whale, sender=whale)


def test_max__supply_or_withdraw_paused__says_zero_and_the_other_way_stays(
    scene: CometScene,
) -> None:
    """Property: R3."""
    whale, strategy, router = scene.evm.account("whale"), scene.strategy, scene.world.router
    shares = enter(scene, whale, 1_000 * scene.unit)
    assert strategy.maxDeposit(router) > 2**102
    scene.pause(supply=True)
    assert strategy.maxDeposit(router) == strategy.maxMint(router) == 0
    assert strategy.maxRedeem(whale) == shares
    scene.pause(withdraw=True)
    assert strategy.maxDeposit(router) > 0
    assert strategy.maxWithdraw(whale) == strategy.maxRedeem(whale) == 0
    with reverts("ERC4626ExceededMaxRedeem"):
        strategy.redeem(1, whale, whale, sender=whale)


def test_redeem_in_kind__withdrawals_paused__hands_over_the_comet_balance(
    scene: CometScene,
) -> None:
    """Property: R9."""
    whale, strategy = scene.evm.account("whale"), scene.strategy
    shares = enter(scene, whale, 1_000 * scene.unit)
    stays = enter(scene, scene.saver, 500 * scene.unit)
    worth = strategy.previewRedeem(stays)
    scene.lend_out()
    scene.pause(withdraw=True)
    token, amount = strategy.redeemInKind(shares, whale, whale, sender=whale)
    assert token == scene.comet.address
    assert 1_000 * scene.unit - 10 <= amount <= 1_000 * scene.unit
    assert amount - 2 <= scene.comet.balanceOf(whale) <= amount
    assert strategy.previewRedeem(stays) >= worth
    scene.pause(transfer=True)
    with reverts("Paused"):
        strategy.redeemInKind(stays, scene.saver, scene.saver, sender=scene.saver)
    strategy.transfer(whale, stays, sender=scene.saver)


def test_redeem_in_kind__for_another__needs_his_allowance(scene: CometScene) -> None:
    whale, attacker, strategy = (
        scene.evm.account("whale"),
        scene.evm.account("attacker"),
        scene.strategy,
    )
    shares = enter(scene, whale, 100 * scene.unit)
    with reverts("ERC20InsufficientAllowance"):
        strategy.redeemInKind(shares, attacker, whale, sender=attacker)
    strategy.approve(attacker, shares, sender=whale)
    strategy.redeemInKind(shares, attacker, whale, sender=attacker)
    event = scene.evm.events("RedeemedInKind")[0]
    assert event.args["owner"] == whale
    assert event.args["receiver"] == event.args["caller"] == attacker


def test_states__by_the_gate__stop_what_they_say(scene: CometScene) -> None:
    whale, strategy, gate = scene.evm.account("whale"), scene.strategy, scene.world.gate
    shares = enter(scene, whale, 100 * scene.unit)
    for state in (THROTTLED, WITHDRAW_ONLY):
        strategy.setEmergencyState(state, sender=gate)
        assert strategy.maxDeposit(scene.world.router) == 0
        strategy.redeem(shares // 10, whale, whale, sender=whale)
    strategy.setEmergencyState(FROZEN, sender=gate)
    assert strategy.maxRedeem(whale) == strategy.maxWithdraw(whale) == 0
    with reverts("EmergencyStateForbids"):
        strategy.redeemInKind(1, whale, whale, sender=whale)
    with reverts("EmergencyStateForbids"):
        strategy.transfer(scene.saver, 1, sender=whale)


def test_rewards__claimed_by_the_harvester__arrive_with_him(scene: CometScene) -> None:
    strategy, harvester = scene.strategy, scene.world.harvester
    enter(scene, scene.evm.account("whale"), 1_000 * scene.unit)
    assert list(strategy.rewardTokens()) == [scene.comp.address]
    scene.evm.mine(1, 10 * DAY)
    with reverts("AccessManagedUnauthorized"):
        strategy.claimRewards(scene.saver, sender=scene.saver)
    worth = strategy.totalAssets()
    tokens, amounts = strategy.claimRewards(harvester, sender=harvester)
    assert list(tokens) == [scene.comp.address]
    assert scene.comp.balanceOf(harvester) == amounts[0] > 0
    assert strategy.totalAssets() == worth, "rewards are no part of the worth"
    assert list(strategy.claimRewards(harvester, sender=harvester)[1]) == [0]


def test_rewards__no_contract_or_no_token__answer_with_nothing(scene: CometScene) -> None:
    world, evm = scene.world, scene.evm
    unset = evm.deploy("CometRewardsDouble", evm.default_sender)
    for rewards in (ZERO, unset.address):
        strategy = evm.deploy(
            "CompoundV3Strategy", world.router, scene.comet, rewards, world.authority, world.gate
        )
        world.authority.setTargetFunctionRole(
            strategy, [strategy.calldata("claimRewards", ZERO)[:4]], 6, sender=world.governance
        )
        assert list(strategy.rewardTokens()) == []
        claimed = strategy.claimRewards(scene.saver, sender=world.harvester)
        assert [list(part) for part in claimed] == [[], []]


def test_deposit__usdt_like_base__leaves_no_allowance_behind() -> None:
    scene = build_comet(6, "UsdtLikeToken")
    scene.world.deposit(scene.saver, 100 * scene.unit)
    scene.world.lend(scene.strategy, 60 * scene.unit)
    scene.world.lend(scene.strategy, 40 * scene.unit)
    shares = scene.world.router.balanceOf(scene.saver)
    scene.world.router.redeem(shares // 2, scene.saver, scene.saver, sender=scene.saver)
    assert scene.world.asset.allowance(scene.strategy, scene.comet) == 0
