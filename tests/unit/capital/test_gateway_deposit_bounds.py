"""Deposits and nonces at the gateway, to the unit: what settles, what is refused, what is told."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.crypto import keccak

from tests.support.capital import MAX_112
from tests.support.evm import Address, Evm, reverts
from tests.support.flows import BATCHER, REASONS, Flows, flows

SCALE = 10**6
MAX_128 = 2**128 - 1
REENTERED = keccak(text="ReentrancyGuardReentrantCall()")[:4]


@pytest.fixture
def world() -> Flows:
    return flows(Evm())


def told(world: Flows, name: str) -> list[tuple[Any, ...]]:
    """Arguments of the gateway's own events of that name in the last call."""
    return world.evm.told(name, world.gateway)


def batch(world: Flows) -> bytes:
    return world.batches.to_bytes(32, "big")


def priced(world: Flows, assets1: int) -> None:
    """So many assets for eleven million shares, the virtual ones included."""
    world.invest("founder", 10)
    world.lend_all_but(0)
    world.router.setProfitUnlockTime(0, sender=world.governance)
    shares = world.capital.state(world.strategy)[8]
    world.strategy.lose(10)
    world.strategy.gain(-(-(assets1 - 1) * (shares + 1) // shares) - 1)
    world.capital.report(world.strategy)
    assert world.router.totalAssets() + 1 == assets1
    assert world.router.totalSupply() + SCALE == 11 * SCALE


# ---- what is told


def test_settle__both_sides__tells_all_of_each(world: Flows) -> None:
    owner, receiver = world.fund("investor", 10), world.evm.account("custodian")
    leaver = world.invest("whale", 20)
    entry = world.deposit_intent(owner, 7, receiver=receiver, nonce=5)
    leave = world.exit_intent(leaver, 3 * SCALE, receiver=receiver, nonce=6, minimum=3)
    assert world.settle(entry, leave) == (1, 1)
    assert told(world, "DepositSettled") == [(batch(world), owner, receiver, 7, 7 * SCALE, 5)]
    assert told(world, "ExitSettled") == [(batch(world), leaver, receiver, 3 * SCALE, 3, 6)]
    row = (batch(world), world.batcher, 1, 1, 7, 7 * SCALE, 3 * SCALE, 3)
    assert told(world, "BatchSettled") == [row]


def test_settle__all_refused__tells_why_and_that_nothing_settled(world: Flows) -> None:
    owner, leaver = world.fund("investor", 10), world.invest("whale", 20)
    entry = world.deposit_intent(owner, 7, minimum=8 * SCALE, nonce=5)
    leave = world.exit_intent(leaver, 3 * SCALE, minimum=4, nonce=6)
    assert world.settle(entry, leave) == (0, 0)
    below = REASONS.index("BELOW_MINIMUM")
    assert told(world, "IntentRejected") == [
        (batch(world), owner, 5, below),
        (batch(world), leaver, 6, below),
    ]
    assert told(world, "BatchSettled") == [(batch(world), world.batcher, *[0] * 6)]


def test_settle__no_intent__refused_and_the_batch_stays_open(world: Flows) -> None:
    with reverts("EmptyBatch"):
        world.gateway.settle(bytes(32), [], [], sender=world.batcher)
    assert not world.gateway.isBatchSettled(bytes(32))


def test_settle__again__names_the_batch(world: Flows) -> None:
    owner = world.fund("investor", 10)
    world.settle(world.deposit_intent(owner, 1))
    again = world.deposit_intent(owner, 1).signed(world.gateway)
    with reverts("BatchAlreadySettled", batch(world)):
        world.gateway.settle(batch(world), [again], [], sender=world.batcher)


# ---- a single unit, and the last one


def test_settle__a_single_asset__settles(world: Flows) -> None:
    owner = world.fund("investor", 1)
    assert world.settle(world.deposit_intent(owner, 1)) == (1, 0)
    assert world.router.balanceOf(owner) == SCALE


def test_settle__in_the_second_of_its_deadline__settles_and_a_second_later_not(
    world: Flows,
) -> None:
    owner = world.fund("investor", 2)
    now = world.evm.timestamp
    assert world.settle(world.deposit_intent(owner, 1, deadline=now)) == (1, 0)
    assert world.settle(world.deposit_intent(owner, 1, deadline=now - 1)) == (0, 0)
    assert world.rejections() == [(owner, "EXPIRED")]


def test_settle__worth_a_single_share__settles(world: Flows) -> None:
    """Three assets a share. The batch's own rate rounds that off; the router itself does not."""
    priced(world, 33 * SCALE)
    owner = world.fund("investor", 5)
    assert 3 * world.router.previewDeposit(2**112) >> 112 == 0
    assert world.router.previewDeposit(3) == 1
    assert world.settle(world.deposit_intent(owner, 3)) == (1, 0)
    assert world.router.balanceOf(owner) == 1
    assert world.settle(world.deposit_intent(owner, 2)) == (0, 0)
    assert world.rejections() == [(owner, "BELOW_MINIMUM")]


def test_settle__the_reference_is_enough__what_it_rounds_off_goes_to_the_last(
    world: Flows,
) -> None:
    """Nobody is asked again who is content with his quote: 6 for 21 assets is 7 to the router."""
    priced(world, 33 * SCALE)
    first, second = world.fund("investor", 21), world.fund("whale", 30)
    assert 21 * world.router.previewDeposit(2**112) >> 112 == 6
    world.settle(
        world.deposit_intent(first, 21, minimum=6), world.deposit_intent(second, 30, minimum=10)
    )
    assert [e[4] for e in told(world, "DepositSettled")] == [6, 11]


def test_settle__room_is_just_enough__settles(world: Flows) -> None:
    world.router.lowerDepositCap(10, sender=world.capital.guardian)
    first, second = world.fund("investor", 10), world.fund("whale", 10)
    entries = [world.deposit_intent(first, 4), world.deposit_intent(second, 6)]
    with world.evm.rollback():
        assert world.settle(*entries) == (2, 0)
    more = world.deposit_intent(second, 7)
    assert world.settle(entries[0], more) == (1, 0)
    assert world.rejections() == [(second, "NO_ROOM")]


def test_settle__absurd_amount_after_a_good_one__only_that_has_no_room(world: Flows) -> None:
    good, absurd = world.fund("investor", 10), world.evm.account("attacker")
    entries = (world.deposit_intent(good, 10), world.deposit_intent(absurd, 2**256 - 1))
    assert world.settle(*entries) == (1, 0)
    assert world.rejections() == [(absurd, "NO_ROOM")]


def test_settle__more_than_the_books_hold__has_no_room(world: Flows) -> None:
    owner = world.fund("investor", MAX_128)
    for amount in (MAX_112 + 1, MAX_128, MAX_128 + 1):
        assert world.settle(world.deposit_intent(owner, amount)) == (0, 0)
        assert world.rejections() == [(owner, "NO_ROOM")]


def test_settle__token_moves_nothing_after_a_good_one__not_funded() -> None:
    """What arrived before does not pay for him."""
    world = flows(Evm(), 18, "BarringToken")
    good, barred = world.fund("investor", 5), world.fund("attacker", 5)
    world.asset.setSilent(True)
    world.asset.bar(barred, True)
    assert world.settle(world.deposit_intent(good, 5), world.deposit_intent(barred, 5)) == (1, 0)
    assert world.rejections() == [(barred, "NOT_FUNDED")]
    assert world.router.balanceOf(good) == 5 * SCALE


def test_settle__policy_lets_the_gateway_pass_nothing__refused(world: Flows) -> None:
    policy = world.evm.deploy("PolicyDouble")
    world.router.setAccessPolicy(policy, sender=world.governance)
    owner = world.fund("investor", 5)
    assert world.settle(world.deposit_intent(owner, 1)) == (1, 0)
    with world.evm.rollback():
        policy.setDenied(owner, True)
        heir = world.evm.account("heir")
        assert world.settle(world.deposit_intent(owner, 1, receiver=heir)) == (0, 0)
        assert world.rejections() == [(owner, "REFUSED")]
    policy.setDenied(world.gateway, True)
    assert world.settle(world.deposit_intent(owner, 1)) == (0, 0)
    assert world.rejections() == [(owner, "REFUSED")]


# ---- permits


def test_settle__permit_of_any_deadline__is_offered_to_the_token() -> None:
    world = flows(Evm(), 18, "LenientToken")
    owner = world.evm.account("investor")
    world.asset.mint(owner, 5)
    permit = (5, 1, 27, bytes(32), bytes(32))
    assert world.settle(world.deposit_intent(owner, 5, permit=permit)) == (1, 0)


def test_settle__permit_without_a_deadline__is_none() -> None:
    world = flows(Evm(), 18, "LenientToken")
    owner = world.evm.account("investor")
    world.asset.mint(owner, 5)
    permit = (5, 0, 27, bytes(32), bytes(32))
    assert world.settle(world.deposit_intent(owner, 5, permit=permit)) == (0, 0)
    assert world.rejections() == [(owner, "NOT_FUNDED")]


# ---- nonces


def test_cancel_nonce__in_the_second_word__only_that_and_told(world: Flows) -> None:
    owner = world.evm.account("investor")
    world.gateway.cancelNonce(257, sender=owner)
    assert told(world, "NonceCancelled") == [(owner, 257)]
    world.gateway.cancelNonce(259, sender=owner)
    used = [n for n in (0, 1, 256, 257, 258, 259, 513) if world.gateway.isNonceUsed(owner, n)]
    assert used == [257, 259]
    assert not world.gateway.isNonceUsed(world.batcher, 257)


def test_settle__refused_in_a_word_of_used_ones__only_its_own_is_given_back(world: Flows) -> None:
    owner = world.fund("investor", 10)
    world.settle(world.deposit_intent(owner, 1, nonce=299))
    world.settle(world.deposit_intent(owner, 1, nonce=301))
    dear = world.deposit_intent(owner, 1, nonce=300, minimum=10**30)
    assert world.settle(dear) == (0, 0)
    used = [n for n in (43, 44, 45, *range(298, 303)) if world.gateway.isNonceUsed(owner, n)]
    assert used == [299, 301]


# ---- one at a time


def hooked(world: Flows, data: bytes, owner: Address) -> bytes:
    """What the token's call into the gateway, made while a deposit is pulled, came back with."""
    world.asset.arm(world.gateway, data, False)
    assert world.settle(world.deposit_intent(owner, 1)) == (1, 0)
    assert not world.asset.lastSuccess()
    return bytes(world.asset.lastResult())


def test_settle__token_that_is_a_batcher_settles_meanwhile__refused_by_the_guard() -> None:
    world = flows(Evm(), 18, "ReentrantToken")
    owner, other = world.fund("investor", 1), world.fund("whale", 1)
    world.authority.grantRole(BATCHER, world.asset, 0, sender=world.governance)
    inner = world.deposit_intent(other, 1).signed(world.gateway)
    data = world.gateway.calldata("settle", b"\7" * 32, [inner], [])
    assert hooked(world, data, owner) == REENTERED
    assert not world.gateway.isBatchSettled(b"\7" * 32)


def test_withdraw_held__while_a_batch_settles__refused_by_the_guard() -> None:
    world = flows(Evm(), 18, "ReentrantToken")
    owner = world.fund("investor", 1)
    assert hooked(world, world.gateway.calldata("withdrawHeld", owner), owner) == REENTERED
