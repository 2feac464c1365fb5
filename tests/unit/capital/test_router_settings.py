"""Unit tests of what governance and guardian set, and of the shares as an ERC-20."""

from __future__ import annotations

from eth_account.messages import encode_typed_data

from tests.support.capital import FROZEN, MAX, NORMAL, World, build_world
from tests.support.evm import CHAIN_ID, Address, reverts

ZERO = "0x" + "00" * 20


def test_settings__by_the_attacker__revert(world: World, attacker: Address) -> None:
    strategy = world.add_strategy()
    router = world.router
    for call in (
        lambda: router.addStrategy(attacker, 1, 1, sender=attacker),
        lambda: router.removeStrategy(strategy, True, sender=attacker),
        lambda: router.raiseCap(strategy, 1, 1, sender=attacker),
        lambda: router.lowerCap(strategy, 0, 0, sender=attacker),
        lambda: router.raiseIdleFloor(1, sender=attacker),
        lambda: router.lowerIdleFloor(0, sender=attacker),
        lambda: router.lowerDepositCap(0, sender=attacker),
        lambda: router.raiseDepositCap(MAX >> 128, sender=attacker),
        lambda: router.setHealthLimits(strategy, 1, 1, sender=attacker),
        lambda: router.closeReview(strategy, sender=attacker),
        lambda: router.setExitOrder([], sender=attacker),
        lambda: router.setFees((0, 0, ZERO), sender=attacker),
        lambda: router.setProfitUnlockTime(0, sender=attacker),
        lambda: router.setPlanLimits(0, 0, sender=attacker),
        lambda: router.setAccessPolicy(ZERO, sender=attacker),
        lambda: router.setExitQueue(ZERO, sender=attacker),
        lambda: router.approvePlan(b"\0" * 32, sender=attacker),
        lambda: router.revokePlan(b"\0" * 32, sender=attacker),
    ):
        with reverts("AccessManagedUnauthorized"):
            call()
    with reverts("NotEmergencyGate", attacker):
        router.setEmergencyState(FROZEN, sender=attacker)
    world.set_state(FROZEN)
    assert router.emergencyState() == FROZEN
    world.set_state(NORMAL)


def test_caps__wrong_direction__revert(world: World) -> None:
    strategy = world.add_strategy(cap=100, bps=50)
    router = world.router
    with reverts("NotTightening", 100, 101):
        router.lowerCap(strategy, 101, 50, sender=world.guardian)
    with reverts("NotTightening", 50, 51):
        router.lowerCap(strategy, 100, 51, sender=world.guardian)
    with reverts("NotLoosening", 100, 99):
        router.raiseCap(strategy, 99, 50, sender=world.governance)
    with reverts("NotLoosening", 50, 49):
        router.raiseCap(strategy, 100, 49, sender=world.governance)
    with reverts("OutOfBounds", 10_001, 10_000):
        router.raiseCap(strategy, 100, 10_001, sender=world.governance)
    router.lowerCap(strategy, 60, 40, sender=world.guardian)
    change = next(e.args for e in world.evm.last.logs if e.name == "CapChanged")
    assert (change["previousAssets"], change["assets"]) == (100, 60)
    router.raiseCap(strategy, 70, 45, sender=world.governance)
    assert world.state(strategy)[1:3] == [70, 45]


def test_floor_and_deposit_cap__wrong_direction__revert(world: World) -> None:
    router = world.router
    router.raiseIdleFloor(100, sender=world.guardian)
    with reverts("NotTightening", 100, 99):
        router.raiseIdleFloor(99, sender=world.guardian)
    with reverts("NotLoosening", 100, 101):
        router.lowerIdleFloor(101, sender=world.governance)
    router.lowerIdleFloor(50, sender=world.governance)
    assert router.idleFloorBps() == 50
    router.lowerDepositCap(1_000, sender=world.guardian)
    with reverts("NotTightening", 1_000, 1_001):
        router.lowerDepositCap(1_001, sender=world.guardian)
    with reverts("NotLoosening", 1_000, 999):
        router.raiseDepositCap(999, sender=world.governance)
    router.raiseDepositCap(2_000, sender=world.governance)
    assert router.depositCap() == 2_000


def test_bounds__beyond__revert(world: World) -> None:
    router, governance = world.router, world.governance
    with reverts("FeeTooHigh", 2_501, 2_500):
        router.setFees((2_501, 0, governance), sender=governance)
    with reverts("FeeTooHigh", 201, 200):
        router.setFees((0, 201, governance), sender=governance)
    with reverts("ZeroAddress"):
        router.setFees((1, 0, ZERO), sender=governance)
    with reverts("OutOfBounds"):
        router.setProfitUnlockTime(365 * 86_400 + 1, sender=governance)
    with reverts("OutOfBounds"):
        router.setPlanLimits(10_001, 0, sender=governance)
    router.setFees((2_500, 200, governance), sender=governance)
    assert list(router.fees()) == [2_500, 200, governance]
    router.setProfitUnlockTime(86_400, sender=governance)
    assert router.profitUnlockTime() == 86_400


def test_add_strategy__wrong_or_twice__reverts(world: World) -> None:
    strategy = world.add_strategy()
    other = world.evm.deploy("PlainVault", world.evm.deploy("TestToken", "X", "X", 18))
    with reverts("StrategyExists", strategy.address):
        world.router.addStrategy(strategy, 1, 1, sender=world.governance)
    for wrong in (other.address, world.router.address, ZERO):
        with reverts("InvalidStrategy", wrong):
            world.router.addStrategy(wrong, 1, 1, sender=world.governance)
    for _ in range(15):
        world.add_strategy("PlainVault")
    last = world.evm.deploy("PlainVault", world.asset)
    with reverts("OutOfBounds", 17, 16):
        world.router.addStrategy(last, 1, 1, sender=world.governance)


def test_remove_strategy__with_debt__is_written_off_by_force_only(
    world: World, whale: Address
) -> None:
    first, second, third = (world.add_strategy() for _ in range(3))
    shares = world.deposit(whale, 100)
    world.lend(first, 40)
    with reverts("StrategyNotEmpty", first.address, 40):
        world.router.removeStrategy(first, False, sender=world.governance)
    world.router.removeStrategy(first, True, sender=world.governance)
    assert world.router.totalAssets() == 60
    assert world.router.convertToAssets(shares) == 60
    for order in (world.router.strategies(), world.router.exitOrder()):
        assert list(order) == [second.address, third.address]
    world.router.removeStrategy(second, False, sender=world.governance)
    world.router.addStrategy(first, 100, 10_000, sender=world.governance)
    world.set_health(first)
    assert world.report(first) == (40, 0), "what was written off and still lies there is a gain"


def test_exit_order__twice_or_unknown__reverts(world: World, whale: Address) -> None:
    first, second = world.add_strategy(), world.add_strategy()
    with reverts("StrategyExists"):
        world.router.setExitOrder([first.address, first.address], sender=world.governance)
    with reverts("UnknownStrategy"):
        world.router.setExitOrder([whale], sender=world.governance)
    world.deposit(whale, 100)
    world.lend(first, 50)
    world.lend(second, 50)
    world.router.setExitOrder([second.address], sender=world.governance)
    assert world.router.maxWithdraw(whale) == 50


def test_constructor__wrong_parts__revert(world: World) -> None:
    other = world.evm.deploy("TestToken", "X", "X", 18)
    config = (world.asset.address, "n", "s", world.authority.address, world.gate, ZERO)
    elsewhere = (other.address, "n", "s", world.authority.address, world.gate, ZERO)
    manager = world.evm.deploy("RouterManager", elsewhere)
    with reverts("InvalidManager", manager.address):
        world.evm.deploy("CapitalRouter", config, manager)
    for missing in (0, 3, 4):
        wrong = tuple(ZERO if i == missing else value for i, value in enumerate(config))
        with reverts("ZeroAddress"):
            world.evm.deploy("RouterManager", wrong)
    with reverts("InvalidBreaker", world.guardian):
        world.evm.deploy("RouterManager", (*config[:5], world.guardian))
    with reverts("OutOfBounds", 25, 24):
        build_world(world.evm, decimals=25)


def test_transfer__any__moves_shares_and_refuses_the_router(
    world: World, whale: Address, investor: Address
) -> None:
    shares = world.deposit(whale, 100)
    world.router.transfer(investor, shares // 4, sender=whale)
    assert world.router.balanceOf(investor) == shares // 4
    with reverts("ERC20InsufficientBalance"):
        world.router.transfer(whale, shares, sender=investor)
    for receiver in (ZERO, world.router.address):
        with reverts("ERC20InvalidReceiver"):
            world.router.transfer(receiver, 1, sender=whale)
    with reverts("ERC20InsufficientAllowance"):
        world.router.transferFrom(whale, investor, 1, sender=investor)
    world.router.approve(investor, 10, sender=whale)
    world.router.transferFrom(whale, investor, 4, sender=investor)
    assert world.router.allowance(whale, investor) == 6
    world.router.transfer(whale, 1, sender=whale)
    assert world.router.balanceOf(whale) == shares - shares // 4 - 4
    assert (world.router.name(), world.router.symbol()) == ("Breakwater Dollar", "bwUSD")


def test_permit__signed__works_once(world: World, whale: Address, investor: Address) -> None:
    router = world.router
    deadline = world.evm.timestamp + 10
    domain = {
        "name": "Breakwater Dollar",
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": router.address,
    }
    fields = (
        "owner address",
        "spender address",
        "value uint256",
        "nonce uint256",
        "deadline uint256",
    )
    types = {"Permit": [{"name": n, "type": t} for n, t in (f.split() for f in fields)]}
    message = {"owner": whale, "spender": investor, "value": 7, "nonce": 0, "deadline": deadline}
    signed = whale.signer.sign_message(encode_typed_data(domain, types, message))
    r, s = signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")
    with reverts("InvalidSigner"):
        router.permit(whale, investor, 8, deadline, signed.v, r, s)
    router.permit(whale, investor, 7, deadline, signed.v, r, s)
    assert router.allowance(whale, investor) == 7
    assert router.nonces(whale) == 1
    with reverts("InvalidSigner"):
        router.permit(whale, investor, 7, deadline, signed.v, r, s)
    world.evm.mine(1, 11)
    with reverts("PermitExpired", deadline):
        router.permit(whale, investor, 7, deadline, signed.v, r, s)
