"""Unit tests of the router's ways out: redeem, withdraw, in kind; previews and limits."""

from __future__ import annotations

import pytest

from tests.support.capital import FROZEN, MAX, WITHDRAW_ONLY, World, build_world
from tests.support.evm import Address, reverts

UNIT = 10**6
REVERT, BURN_GAS, JUNK, LIE, SHORT, LONG_ANSWER = range(1, 7)
WITHDRAW = bytes.fromhex("b460af94")
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
MAX_WITHDRAW = bytes.fromhex("ce96cb77")
TRANSFER = bytes.fromhex("a9059cbb")
BALANCE_OF = bytes.fromhex("70a08231")


def test_redeem__from_idle__pays_book_value(world: World, whale: Address) -> None:
    """Property: R1, R2."""
    shares = world.deposit(whale, 100)
    assert world.router.previewRedeem(shares // 2) == 50
    assert world.router.redeem(shares // 2, whale, whale, sender=whale) == 50
    assert world.asset.balanceOf(whale) == 50
    assert world.router.idle() == 50
    assert world.router.withdraw(50, whale, whale, sender=whale) == shares // 2
    assert world.router.totalSupply() == 0


def test_redeem__by_a_spender__uses_up_his_allowance(
    world: World, whale: Address, investor: Address
) -> None:
    shares = world.deposit(whale, 100)
    with reverts("ERC20InsufficientAllowance", investor, 0, shares):
        world.router.redeem(shares, investor, whale, sender=investor)
    with reverts("ERC20InsufficientAllowance"):
        world.router.withdraw(1, investor, whale, sender=investor)
    world.router.approve(investor, shares, sender=whale)
    assert world.router.redeem(shares // 4, investor, whale, sender=investor) == 25
    assert world.router.withdraw(25, investor, whale, sender=investor) == shares // 4
    assert world.router.allowance(whale, investor) == shares // 2
    assert world.asset.balanceOf(investor) == 50


def test_redeem__with_limits__reverts_beyond_them(
    world: World, whale: Address, investor: Address
) -> None:
    shares = world.deposit(whale, 100)
    world.deposit(investor, 100)
    with reverts("SlippageExceeded", 100, 101):
        world.router.redeem(shares, whale, whale, 101, sender=whale)
    with reverts("SlippageExceeded", shares, shares - 1):
        world.router.withdraw(100, whale, whale, shares - 1, sender=whale)
    with reverts("ERC20InsufficientBalance", whale, shares, shares + 1):
        world.router.redeem(shares + 1, whale, whale, sender=whale)
    with reverts("ERC20InsufficientBalance"):
        world.router.withdraw(101, whale, whale, sender=whale)
    assert world.router.redeem(shares, whale, whale, 100, sender=whale) == 100


def test_redeem__through_strategies__follows_the_exit_order(world: World, whale: Address) -> None:
    first, second = world.add_strategy(), world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.lend(first, 30 * UNIT)
    world.lend(second, 50 * UNIT)
    assert world.router.redeem(shares * 40 // 100, whale, whale, sender=whale) == 40 * UNIT
    assert (world.debt(first), world.debt(second), world.router.idle()) == (10 * UNIT, 50 * UNIT, 0)
    world.router.setExitOrder([second.address, first.address], sender=world.governance)
    world.router.withdraw(20 * UNIT, whale, whale, sender=whale)
    assert (world.debt(first), world.debt(second)) == (10 * UNIT, 30 * UNIT)
    named = [first.address, second.address]
    world.router.redeem(shares * 15 // 100, whale, whale, 0, named, sender=whale)
    assert (world.debt(first), world.debt(second)) == (0, 25 * UNIT)
    moved = [e for e in world.evm.last.logs if e.name == "DebtMoved"]
    assert [(e.args["strategy"], e.args["assets"], e.args["debt"]) for e in moved] == [
        (first.address, 10 * UNIT, 0),
        (second.address, 5 * UNIT, 25 * UNIT),
    ]


def test_redeem__unreported_loss__is_borne_pro_rata(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R5."""
    strategy = world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.deposit(investor, 100 * UNIT)
    world.lend(strategy, 200 * UNIT)
    worth = world.router.totalAssets() - 80 * UNIT
    strategy.lose(80 * UNIT)
    price = world.router.convertToAssets(shares)
    preview = world.router.previewRedeem(shares)
    assert 60 * UNIT - 2 <= preview <= 60 * UNIT
    assert world.router.redeem(shares, whale, whale, sender=whale) == preview
    loss = next(e.args for e in world.evm.last.logs if e.name == "ExitLossTaken")
    assert loss["debtReduced"] - loss["assets"] == 100 * UNIT - preview
    assert world.router.convertToAssets(shares) == price, "those who stay lose nothing by it"
    assert strategy.totalAssets() == worth - preview


def test_withdraw__unreported_loss__burns_more_shares(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.lend(strategy, 100 * UNIT)
    strategy.lose(50 * UNIT)
    preview = world.router.previewWithdraw(10 * UNIT)
    assert world.router.withdraw(10 * UNIT, whale, whale, sender=whale) == preview
    assert shares * 20 // 100 <= preview <= shares * 20 // 100 + 4 * 10**6


def test_redeem__unreported_gain__stays_for_the_report(world: World, whale: Address) -> None:
    """Property: R2, R5."""
    strategy = world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.lend(strategy, 100 * UNIT)
    strategy.gain(50 * UNIT)
    assert world.router.redeem(shares, whale, whale, sender=whale) == 100 * UNIT


HOSTILE = [
    *((WITHDRAW, fault) for fault in (REVERT, BURN_GAS, JUNK, LIE, SHORT, LONG_ANSWER)),
    *((PREVIEW_REDEEM, fault) for fault in (REVERT, BURN_GAS, JUNK, LONG_ANSWER)),
    *((MAX_WITHDRAW, fault) for fault in (REVERT, BURN_GAS, LONG_ANSWER)),
    *((BALANCE_OF, fault) for fault in (REVERT, BURN_GAS, LONG_ANSWER)),
]


@pytest.mark.parametrize(("where", "fault"), HOSTILE)
def test_redeem__hostile_strategy__is_skipped(
    world: World, whale: Address, fault: int, where: bytes
) -> None:
    """Property: R9."""
    hostile, honest = world.add_strategy(), world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.lend(hostile, 50 * UNIT)
    world.lend(honest, 50 * UNIT)
    hostile.setFault(where, fault)
    assert world.router.redeem(shares // 2, whale, whale, sender=whale) == 50 * UNIT
    assert (world.debt(hostile), world.debt(honest)) == (50 * UNIT, 0)
    with reverts("InsufficientLiquidity"):
        world.router.redeem(shares // 2, whale, whale, sender=whale)
    with reverts("InvalidStrategy", hostile.address):
        world.router.redeem(shares // 2, whale, whale, 0, [hostile.address], sender=whale)
    assets, _, parts = world.router.redeemInKind(shares // 2, whale, whale, sender=whale)
    assert assets == 0
    assert parts[0] >= 50 * UNIT - 1, "in kind, all of it leaves"


def test_redeem__strategy_run_dry__pays_what_is_there(world: World, whale: Address) -> None:
    """Property: R3."""
    dry = world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.lend(dry, 60 * UNIT)
    dry.setLimit(True, 10 * UNIT)
    assert world.router.maxWithdraw(whale) == world.router.availableLiquidity() == 50 * UNIT
    most = world.router.maxRedeem(whale)
    assert most < shares
    with reverts("InsufficientLiquidity"):
        world.router.redeem(most + 1, whale, whale, sender=whale)
    with reverts("InsufficientLiquidity"):
        world.router.withdraw(50 * UNIT + 1, whale, whale, sender=whale)
    assert world.router.redeem(most, whale, whale, sender=whale) == 50 * UNIT


def test_redeem__frozen__nothing_moves_and_max_is_zero(world: World, whale: Address) -> None:
    """Property: R3."""
    shares = world.deposit(whale, 100)
    world.set_state(FROZEN)
    assert world.router.maxRedeem(whale) == world.router.maxWithdraw(whale) == 0
    assert world.router.availableLiquidity() == 0
    for call in (
        lambda: world.router.redeem(shares, whale, whale, sender=whale),
        lambda: world.router.withdraw(1, whale, whale, sender=whale),
        lambda: world.router.redeemInKind(shares, whale, whale, sender=whale),
        lambda: world.router.transfer(world.guardian, 1, sender=whale),
    ):
        with reverts("EmergencyStateForbids", FROZEN):
            call()
    world.set_state(WITHDRAW_ONLY)
    world.router.transfer(world.guardian, 10**6, sender=whale)
    assert world.router.redeem(shares - 10**6, whale, whale, sender=whale) == 99


def test_queue__shares_wait__instant_exits_see_the_rest(world: World, whale: Address) -> None:
    """Property: R3."""
    strategy = world.add_strategy()
    queue = world.evm.account("queue")
    with reverts("NotExitQueue"):
        world.router.setQueuedShares(1, sender=queue)
    world.router.setExitQueue(queue, sender=world.governance)
    world.deposit(whale, 100 * UNIT)
    queued = world.deposit(queue, 30 * UNIT)
    world.lend(strategy, 110 * UNIT)
    strategy.setLimit(True, 60 * UNIT)
    world.router.setQueuedShares(queued, sender=queue)
    assert world.router.maxWithdraw(whale) == 50 * UNIT
    assert world.router.availableLiquidity() == 50 * UNIT
    assert world.router.maxRedeem(queue) == queued
    with reverts("InsufficientLiquidity"):
        world.router.withdraw(50 * UNIT + 1, whale, whale, sender=whale)
    world.router.withdraw(50 * UNIT, whale, whale, sender=whale)
    assert world.router.maxWithdraw(whale) == 0
    with reverts("InsufficientLiquidity"):
        world.router.redeem(10**6, whale, whale, sender=whale)
    assert world.router.redeem(queued, queue, queue, sender=queue) == 30 * UNIT
    world.router.setQueuedShares(0, sender=queue)


def test_queue__meter_is_short__who_waits_goes_first(whale: Address) -> None:
    """Property: R3, S5. All of it lies idle; what is short is what the breaker lets out."""
    world = build_world(decimals=6, metered=True)
    queue, unit = world.evm.account("queue"), 10**6
    limit = (100 * unit, 86_400, unit)
    world.breaker.setLimit(world.router, world.asset, *limit, sender=world.governance)
    world.router.setExitQueue(queue, sender=world.governance)
    world.deposit(whale, 1_000 * unit)
    queued = world.deposit(queue, 30 * unit)
    world.evm.mine()
    assert world.router.maxWithdraw(whale) == 50 * unit
    world.router.setQueuedShares(queued, sender=queue)
    assert world.router.maxWithdraw(whale) == world.router.availableLiquidity() == 20 * unit
    with reverts("InsufficientLiquidity"):
        world.router.withdraw(20 * unit + 1, whale, whale, sender=whale)
    with reverts("InsufficientLiquidity"):
        world.router.redeem(21 * unit * 10**12, whale, whale, sender=whale)
    world.router.withdraw(20 * unit, whale, whale, sender=whale)
    assert world.router.maxWithdraw(whale) == 0
    assert world.router.redeem(queued, queue, queue, sender=queue) == 30 * unit


def test_queue__replaced__starts_with_nothing_queued(world: World, whale: Address) -> None:
    queue = world.evm.account("queue")
    world.router.setExitQueue(queue, sender=world.governance)
    world.deposit(whale, 100)
    world.router.setQueuedShares(50 * 10**6, sender=queue)
    assert world.router.maxWithdraw(whale) == 50
    world.router.setExitQueue(world.evm.account("next queue"), sender=world.governance)
    assert world.router.queuedShares() == 0
    assert world.router.maxWithdraw(whale) == 100


def test_redeem_in_kind__any__is_pro_rata(world: World, whale: Address, investor: Address) -> None:
    """Property: R9."""
    strategy, other = world.add_strategy(), world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.deposit(investor, 300 * UNIT)
    world.lend(strategy, 200 * UNIT)
    world.lend(other, 40 * UNIT)
    price = world.router.sharePriceWad()
    world.set_state(WITHDRAW_ONLY)
    assets, strategies, parts = world.router.redeemInKind(shares, whale, whale, sender=whale)
    assert list(strategies) == [strategy.address, other.address]
    assert 40 * UNIT - 1 <= assets <= 40 * UNIT
    assert parts[0] == strategy.balanceOf(whale) <= 50 * UNIT
    assert parts[0] >= 50 * UNIT - 1 and parts[1] >= 10 * UNIT - 1
    assert world.router.sharePriceWad() >= price
    assert world.router.balanceOf(whale) == 0
    taken = strategy.redeem(parts[0], whale, whale, sender=whale)
    assert taken <= 50 * UNIT


def test_redeem_in_kind__unreported_gain__leaves_it_behind(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R2, R5."""
    strategy = world.add_strategy()
    world.deposit(whale, 100 * UNIT)
    world.lend(strategy, 100 * UNIT)
    strategy.gain(10 * UNIT)
    shares = world.deposit(attacker, 100 * UNIT)
    assets, _, parts = world.router.redeemInKind(shares, attacker, attacker, sender=attacker)
    got = strategy.redeem(parts[0], attacker, attacker, sender=attacker)
    assert assets + got <= 100 * UNIT, "nobody gains by passing through"


def test_redeem_in_kind__transfer_refused__is_owed_and_claimed(
    world: World, whale: Address
) -> None:
    """Property: R9."""
    strategy = world.add_strategy()
    shares = world.deposit(whale, 100 * UNIT)
    world.lend(strategy, 100 * UNIT)
    strategy.setFault(TRANSFER, REVERT)
    _, _, parts = world.router.redeemInKind(shares // 2, whale, whale, sender=whale)
    assert world.router.owedInKind(strategy, whale) == parts[0] > 0
    assert world.state(strategy)[8] == strategy.balanceOf(world.router) - parts[0]
    strategy.setFault(TRANSFER, 0)
    assert world.router.claimInKind(strategy, whale) == parts[0]
    assert strategy.balanceOf(whale) == parts[0]
    with reverts("ZeroAmount"):
        world.router.claimInKind(strategy, whale)


def test_exit__policy_redirects__goes_where_it_says(
    world: World, whale: Address, investor: Address
) -> None:
    policy = world.evm.deploy("PolicyDouble")
    escrow = world.evm.account("escrow")
    shares = world.deposit(whale, 100)
    world.router.setAccessPolicy(policy, sender=world.governance)
    policy.setEscrow(escrow)
    policy.setDenied(whale, True)
    with reverts("TransferRefused", whale, investor):
        world.router.transfer(investor, 1, sender=whale)
    world.router.redeem(shares // 2, investor, whale, sender=whale)
    assert world.asset.balanceOf(escrow) == 50
    policy.setBroken(True)
    world.router.redeem(shares // 2, investor, whale, sender=whale)
    assert world.asset.balanceOf(whale) == 50, "a policy that fails cannot hold anyone"


def test_pull__called_by_anyone_else__reverts(world: World, attacker: Address) -> None:
    strategy = world.add_strategy()
    with reverts("OnlySelf"):
        world.router.pull(strategy, 1, MAX, sender=attacker)
