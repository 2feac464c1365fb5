"""The strategy base with nothing behind it: who may do what in which state, by which error."""

from __future__ import annotations

import pytest

from tests.support.capital import FROZEN, NORMAL, THROTTLED, WITHDRAW_ONLY, World, build_world
from tests.support.evm import Address, Contract, Evm, reverts

UNIT = 10**6
SHARE = 10**6


@pytest.fixture
def world() -> World:
    return build_world(decimals=6)


@pytest.fixture
def strategy(world: World) -> Contract:
    deployed = world.evm.deploy("HoldingStrategy", world.router, world.authority, world.gate)
    world.asset.mint(world.router, 10_000 * UNIT)
    world.asset.approve(deployed, 10_000 * UNIT, sender=world.router)
    return deployed


@pytest.fixture
def evm(world: World) -> Evm:
    return world.evm


def enter(world: World, strategy: Contract, holder: Address, assets: int) -> int:
    shares = int(strategy.deposit(assets, world.router, sender=world.router))
    strategy.transfer(holder, shares, sender=world.router)
    return shares


def test_constructor__router__gives_the_asset_and_six_more_decimals(
    world: World, strategy: Contract
) -> None:
    assert strategy.asset() == world.asset.address
    assert strategy.router() == world.router.address
    assert strategy.decimals() == 12
    assert strategy.emergencyState() == NORMAL
    assert strategy.convertToShares(UNIT) == UNIT * SHARE


def test_deposit__not_by_or_not_for_the_router__reverts(
    world: World, strategy: Contract, whale: Address
) -> None:
    world.asset.mint(whale, UNIT)
    world.asset.approve(strategy, UNIT, sender=whale)
    with reverts("ERC4626ExceededMaxDeposit", whale, UNIT, 0):
        strategy.deposit(UNIT, whale, sender=whale)
    with reverts("NotRouter", whale):
        strategy.deposit(UNIT, world.router, sender=whale)
    with reverts("NotRouter", whale):
        strategy.mint(SHARE, world.router, sender=whale)
    with reverts("ERC4626ExceededMaxDeposit", whale, UNIT, 0):
        strategy.deposit(UNIT, whale, sender=world.router)


def test_deposit__by_the_router__mints_first_and_tells(world: World, strategy: Contract) -> None:
    shares = strategy.deposit(100 * UNIT, world.router, sender=world.router)
    assert shares == 100 * UNIT * SHARE
    event = world.evm.events("Deposit")[0]
    assert (event["sender"], event["owner"]) == (world.router.address, world.router.address)
    assert (event["assets"], event["shares"]) == (100 * UNIT, shares)
    assert strategy.totalAssets() == 100 * UNIT


@pytest.mark.parametrize("state", [THROTTLED, WITHDRAW_ONLY, FROZEN])
def test_deposit__raised_state__limits_are_zero(
    world: World, strategy: Contract, state: int
) -> None:
    strategy.setEmergencyState(state, sender=world.gate)
    assert strategy.maxDeposit(world.router) == strategy.maxMint(world.router) == 0
    with reverts("ERC4626ExceededMaxDeposit", world.router.address, UNIT, 0):
        strategy.deposit(UNIT, world.router, sender=world.router)


@pytest.mark.parametrize("state", [NORMAL, THROTTLED, WITHDRAW_ONLY])
def test_exit__below_frozen__any_holder_leaves_to_anyone(
    world: World, strategy: Contract, whale: Address, investor: Address, state: int
) -> None:
    shares = enter(world, strategy, whale, 100 * UNIT)
    strategy.setEmergencyState(state, sender=world.gate)
    assert strategy.redeem(shares // 2, investor, whale, sender=whale) == 50 * UNIT
    assert strategy.withdraw(50 * UNIT, investor, whale, sender=whale) == shares // 2
    assert world.asset.balanceOf(investor) == 100 * UNIT
    assert strategy.totalSupply() == 0


def test_exit__frozen__nothing_moves_until_the_state_falls(
    world: World, strategy: Contract, whale: Address, investor: Address
) -> None:
    """Property: S2."""
    shares = enter(world, strategy, whale, 100 * UNIT)
    strategy.approve(investor, shares, sender=whale)
    strategy.setEmergencyState(FROZEN, sender=world.gate)
    assert strategy.maxWithdraw(whale) == strategy.maxRedeem(whale) == 0
    with reverts("ERC4626ExceededMaxRedeem", whale, 1, 0):
        strategy.redeem(1, whale, whale, sender=whale)
    with reverts("EmergencyStateForbids", FROZEN):
        strategy.transfer(investor, 1, sender=whale)
    with reverts("EmergencyStateForbids", FROZEN):
        strategy.transferFrom(whale, investor, 1, sender=investor)
    strategy.setEmergencyState(NORMAL, sender=world.gate)
    strategy.redeem(shares, whale, whale, sender=whale)


def test_exit__for_another__spends_his_allowance(
    world: World, strategy: Contract, whale: Address, attacker: Address
) -> None:
    shares = enter(world, strategy, whale, 100 * UNIT)
    with reverts("ERC20InsufficientAllowance", attacker, 0, shares):
        strategy.redeem(shares, attacker, whale, sender=attacker)
    strategy.approve(attacker, shares, sender=whale)
    strategy.redeem(shares, attacker, whale, sender=attacker)
    assert strategy.allowance(whale, attacker) == 0
    event = world.evm.events("Withdraw")[0]
    assert (event["sender"], event["receiver"], event["owner"]) == (attacker, attacker, whale)


def test_exit__shares_worth_nothing__burns_them_and_pays_nothing(
    world: World, strategy: Contract, whale: Address
) -> None:
    enter(world, strategy, whale, 100 * UNIT)
    assert strategy.redeem(SHARE - 1, whale, whale, sender=whale) == 0
    assert world.asset.balanceOf(whale) == 0


def test_donation__with_dust_shares_left__costs_the_next_deposit_next_to_nothing(
    world: World, strategy: Contract, attacker: Address
) -> None:
    """Property: R8."""
    enter(world, strategy, attacker, 1)
    world.asset.mint(attacker, 1_000 * UNIT)
    world.asset.transfer(strategy, 1_000 * UNIT, sender=attacker)
    shares = strategy.deposit(100 * UNIT, world.router, sender=world.router)
    assert strategy.previewRedeem(shares) >= 100 * UNIT - 1_000
    assert strategy.previewRedeem(strategy.balanceOf(attacker)) < 501 * UNIT


def test_set_state__not_by_the_gate__reverts(strategy: Contract, attacker: Address) -> None:
    with reverts("NotEmergencyGate"):
        strategy.setEmergencyState(FROZEN, sender=attacker)


def test_claim_rewards__not_permitted__reverts(strategy: Contract, attacker: Address) -> None:
    with reverts("AccessManagedUnauthorized", attacker):
        strategy.claimRewards(attacker, sender=attacker)
