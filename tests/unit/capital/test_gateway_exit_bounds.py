"""Exits at the gateway, to the unit: room, losses, parts of a batch, and payouts that wait."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.capital import FROZEN
from tests.support.evm import Address, Contract, Evm, reverts
from tests.support.flows import REASONS, Flows, flows

SCALE = 10**6
MAX_128 = 2**128 - 1
BURN_GAS = 2
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
LAST_ADDRESS = "0x" + "ff" * 20


@pytest.fixture
def world() -> Flows:
    return flows(Evm())


def told(world: Flows, name: str) -> list[tuple[Any, ...]]:
    """Arguments of the gateway's own events of that name in the last call."""
    return world.evm.told(name, world.gateway)


def paid(world: Flows) -> list[int]:
    return [event[4] for event in told(world, "ExitSettled")]


def batch(world: Flows) -> bytes:
    return world.batches.to_bytes(32, "big")


def rigid(world: Flows, idle: int) -> None:
    """Leaves so much idle; nothing comes from the strategy."""
    world.lend_all_but(idle)
    world.strategy.setLimit(True, 0)


# ---- what an exit is quoted
# A share's price is 10^-6: the batch's own rate rounds off the last unit of every whole amount.


def test_settle__worth_a_single_asset__settles(world: Flows) -> None:
    owner = world.invest("investor", 10)
    assert SCALE * world.router.convertToAssets(2**112) >> 112 == 0
    assert world.settle(world.exit_intent(owner, SCALE, minimum=1)) == (0, 1)
    assert world.asset.balanceOf(owner) == 1


def test_settle__worth_nothing__below_minimum(world: Flows) -> None:
    owner = world.invest("investor", 10)
    assert world.settle(world.exit_intent(owner, 1)) == (0, 0)
    assert world.rejections() == [(owner, "BELOW_MINIMUM")]
    assert world.router.balanceOf(owner) == 10 * SCALE


def test_settle__the_reference_is_enough__what_it_rounds_off_goes_to_the_last(
    world: Flows,
) -> None:
    first, second = world.invest("investor", 10), world.invest("whale", 10)
    world.settle(
        world.exit_intent(first, 5 * SCALE, minimum=4),
        world.exit_intent(second, 5 * SCALE, minimum=5),
    )
    assert paid(world) == [4, 6]


def test_settle__nothing_over_the_quotes__each_gets_his_own(world: Flows) -> None:
    """Five and 5.9: ten in all, of which five in 10.9 parts would be four."""
    first, second = world.invest("investor", 10), world.invest("whale", 10)
    exits = [
        world.exit_intent(first, 5 * SCALE, minimum=5),
        world.exit_intent(second, 59 * SCALE // 10, minimum=5),
    ]
    assert world.settle(*exits) == (0, 2)
    assert paid(world) == [5, 5]


def test_settle__more_shares_than_there_can_be__not_funded_and_the_most_has_no_room(
    world: Flows,
) -> None:
    owner = world.invest("investor", 10)
    assert world.settle(world.exit_intent(owner, MAX_128)) == (0, 0)
    assert world.rejections() == [(owner, "NO_ROOM")]
    assert world.settle(world.exit_intent(owner, MAX_128 + 1)) == (0, 0)
    assert world.rejections() == [(owner, "NOT_FUNDED")]


# ---- room


def test_settle__room_is_just_enough__settles_and_one_more_has_none(world: Flows) -> None:
    owner = world.invest("investor", 20)
    rigid(world, 10)
    assert world.settle(world.exit_intent(owner, 11 * SCALE)) == (0, 0)
    assert world.rejections() == [(owner, "NO_ROOM")]
    assert world.settle(world.exit_intent(owner, 10 * SCALE)) == (0, 1)
    assert paid(world) == [10]


def test_settle__two_quotes_rounded_off__the_sum_is_asked_exactly(world: Flows) -> None:
    """Quoted four and four, they take ten together."""
    first, second = world.invest("investor", 10), world.invest("whale", 10)
    rigid(world, 9)
    done = world.settle(world.exit_intent(first, 5 * SCALE), world.exit_intent(second, 5 * SCALE))
    assert done == (0, 1)
    assert world.rejections() == [(second, "NO_ROOM")]


def test_settle__quote_and_what_it_may_lack_fit_idle__no_strategy_is_asked(world: Flows) -> None:
    """Seven and two of rounding are the nine that lie idle."""
    owner = world.invest("investor", 20)
    world.lend_all_but(9)
    world.strategy.setFault(PREVIEW_REDEEM, BURN_GAS)
    exits = world.exit_intent(owner, 7 * SCALE, minimum=7)
    assert world.settle(exits, gas=600_000) == (0, 1)
    assert paid(world) == [7]


def test_settle__metered_and_idle_is_enough__no_strategy_is_asked() -> None:
    world = flows(Evm(), metered=True)
    owner = world.invest("investor", 20)
    world.lend_all_but(9)
    world.strategy.setFault(PREVIEW_REDEEM, BURN_GAS)
    assert world.settle(world.exit_intent(owner, 7 * SCALE), gas=700_000) == (0, 1)
    assert paid(world) == [7]


def test_settle__second_quote_and_what_both_may_lack_fit_idle__no_strategy_is_asked(
    world: Flows,
) -> None:
    first, second = world.invest("investor", 20), world.invest("whale", 20)
    world.lend_all_but(14)
    world.strategy.setFault(PREVIEW_REDEEM, BURN_GAS)
    exits = [world.exit_intent(holder, 5 * SCALE, minimum=5) for holder in (first, second)]
    assert world.settle(*exits, gas=700_000) == (0, 2)
    assert paid(world) == [5, 5]


def test_settle__room_was_asked_for__is_not_asked_again(world: Flows) -> None:
    """A strategy that answers slowly is asked twice in a batch, not once more by each exit."""
    holders = [world.invest(f"holder {n}", 20) for n in range(3)]
    rigid(world, 4)
    world.strategy.setLimit(True, 5)
    exits = [world.exit_intent(holder, 3 * SCALE, minimum=3) for holder in holders]
    assert world.settle(*exits) == (0, 3)
    assert paid(world) == [3, 3, 3]


def test_settle__a_single_share_waits__room_is_what_is_free(world: Flows) -> None:
    owner, waits = world.invest("investor", 20), world.invest("whale", 1)
    rigid(world, 10)
    world.queue.requestRedeem(1, waits, waits, sender=waits)
    assert world.settle(world.exit_intent(owner, 10 * SCALE)) == (0, 0)
    assert world.rejections() == [(owner, "NO_ROOM")]
    assert world.settle(world.exit_intent(owner, 9 * SCALE)) == (0, 1)


def test_settle__router_frozen__no_room(world: Flows) -> None:
    """Property: S2."""
    owner = world.invest("investor", 20)
    world.capital.set_state(FROZEN)
    assert world.settle(world.exit_intent(owner, SCALE)) == (0, 0)
    assert world.rejections() == [(owner, "NO_ROOM")]


def test_settle__breaker_cannot_say_and_idle_is_short__strategies_pay() -> None:
    world = flows(Evm(), metered=True)
    owner = world.invest("investor", 20)
    world.lend_all_but(3)
    world.evm.etch(world.capital.breaker, "Reverter")
    assert world.settle(world.exit_intent(owner, 10 * SCALE)) == (0, 1)
    assert paid(world) == [10]


# ---- losses that no report has seen


def lossy(world: Flows, lost: int, *names: str) -> list[Address]:
    """Each has ten; all of it is lent, and so much of that is lost."""
    holders = [world.invest(name, 10) for name in names]
    world.lend_all_but(0)
    world.lose(lost, report=False)
    return holders


def test_settle__loss__part_is_just_the_minimum__settles_and_one_more_is_left_out(
    world: Flows,
) -> None:
    (owner,) = lossy(world, 4, "investor")
    assert world.settle(world.exit_intent(owner, 5 * SCALE, minimum=4)) == (0, 0)
    assert world.rejections() == [(owner, "BELOW_MINIMUM")]
    assert world.settle(world.exit_intent(owner, 5 * SCALE, minimum=3)) == (0, 1)
    assert paid(world) == [3]


def test_settle__loss__part_of_a_single_asset_settles_and_of_nothing_does_not(
    world: Flows,
) -> None:
    first, second = lossy(world, 12, "investor", "whale")
    exits = [world.exit_intent(first, 3 * SCALE), world.exit_intent(second, 2 * SCALE)]
    assert world.settle(*exits) == (0, 1)
    assert paid(world) == [1]
    row = (batch(world), second, exits[1].nonce, REASONS.index("BELOW_MINIMUM"))
    assert told(world, "IntentRejected") == [row]
    assert world.router.balanceOf(second) == 10 * SCALE
    assert not world.gateway.isNonceUsed(second, exits[1].nonce)
    assert world.gateway.isNonceUsed(first, exits[0].nonce)


def test_settle__loss__nobody_signed_for_it__nothing_settles(world: Flows) -> None:
    holders = lossy(world, 10, "investor", "whale")
    exits = [world.exit_intent(holder, 5 * SCALE, minimum=5) for holder in holders]
    assert world.settle(*exits) == (0, 0)
    assert world.rejections() == [(holder, "BELOW_MINIMUM") for holder in holders]
    assert world.router.balanceOf(world.gateway) == 0
    assert told(world, "BatchSettled") == [(batch(world), world.batcher, *[0] * 6)]


def test_settle__loss__who_remains_is_judged_again(world: Flows) -> None:
    """Together they reach the sound strategy too; alone the second one meets only the loss."""
    first, second = world.invest("investor", 10), world.invest("whale", 10)
    world.invest("founder", 10)
    sound = world.capital.add_strategy()
    world.lend_all_but(20)
    world.capital.lend(sound, 20)
    world.lose(5, report=False)
    done = world.settle(
        world.exit_intent(first, 10 * SCALE, minimum=8),
        world.exit_intent(second, 10 * SCALE, minimum=7),
    )
    assert done == (0, 0)
    assert world.rejections() == [(first, "BELOW_MINIMUM"), (second, "BELOW_MINIMUM")]
    assert world.router.balanceOf(second) == 10 * SCALE


def test_settle__loss__one_left_out_and_others_leave_at_par__each_by_his_quote(
    world: Flows,
) -> None:
    """Ten lie idle for two of the three; the third wanted what only idle pays."""
    names = ("attacker", "investor", "whale")
    third, first, second = (world.invest(name, 20) for name in names)
    world.lend_all_but(10)
    world.lose(40, report=False)
    done = world.settle(
        world.exit_intent(third, 8 * SCALE, minimum=8),
        world.exit_intent(first, 51 * SCALE // 10, minimum=2),
        world.exit_intent(second, 58 * SCALE // 10, minimum=3),
    )
    assert done == (0, 2)
    assert world.rejections() == [(third, "BELOW_MINIMUM")]
    assert paid(world) == [5, 5], "10 in 10.9 parts would be 4 and 6"
    row = (batch(world), world.batcher, 0, 2, 0, 0, 109 * SCALE // 10, 10)
    assert told(world, "BatchSettled") == [row]


def test_settle__loss_while_strategies_pay__the_sum_of_the_minimums_holds_too(
    world: Flows,
) -> None:
    plane = world.capital
    holders = [world.invest(name, 10) for name in ("investor", "whale")]
    second = plane.add_strategy()
    for strategy in (world.strategy, second):
        plane.lend(strategy, 10)
    exits = [world.exit_intent(holder, 10 * SCALE, minimum=10) for holder in holders]
    world.strategy.arm(second, second.calldata("lose", 4))
    with reverts("SlippageExceeded", 16, 20):
        world.settle(*exits)


# ---- payouts that wait


@pytest.fixture
def barring() -> Flows:
    return flows(Evm(), 18, "BarringToken")


def held(world: Flows, owner: Address, *amounts: int) -> Address:
    """The owner's exits of so many assets, to one whom the token refuses."""
    barred = world.evm.account("barred")
    world.asset.bar(barred, True)
    exits = [world.exit_intent(owner, a * SCALE, minimum=a, receiver=barred) for a in amounts]
    assert world.settle(*exits) == (0, len(amounts))
    return barred


def test_settle__payouts_refused__add_up_and_are_told(barring: Flows) -> None:
    owner = barring.invest("investor", 20)
    barred = held(barring, owner, 3, 4)
    rows = [(batch(barring), owner, barred, amount) for amount in (3, 4)]
    assert told(barring, "PayoutHeld") == rows
    assert barring.gateway.heldOf(owner) == barring.gateway.totalHeld() == 7


def test_settle__payouts_of_others_lie_here__only_what_comes_is_shared(barring: Flows) -> None:
    held(barring, barring.invest("investor", 20), 7)
    other = barring.invest("whale", 20)
    assert barring.settle(barring.exit_intent(other, 5 * SCALE)) == (0, 1)
    assert paid(barring) == [5]
    entry = barring.deposit_intent(barring.fund("late", 5), 5)
    assert barring.settle(entry) == (1, 0)
    assert barring.asset.balanceOf(barring.gateway) == barring.gateway.totalHeld() == 7


def test_settle__payouts_lie_here_and_a_deposit_moves_nothing__not_funded(barring: Flows) -> None:
    """Nobody enters for what waits here for others."""
    held(barring, barring.invest("investor", 20), 7)
    barred = barring.fund("attacker", 5)
    barring.asset.setSilent(True)
    barring.asset.bar(barred, True)
    assert barring.settle(barring.deposit_intent(barred, 5)) == (0, 0)
    assert barring.rejections() == [(barred, "NOT_FUNDED")]
    assert barring.asset.balanceOf(barring.gateway) == 7


def test_withdraw_held__a_single_asset_of_one_of_two__is_paid_and_told(barring: Flows) -> None:
    owner, other = barring.invest("investor", 20), barring.invest("whale", 20)
    held(barring, owner, 1)
    held(barring, other, 4)
    receiver = barring.evm.account("heir")
    assert barring.gateway.withdrawHeld(receiver, sender=owner) == 1
    assert told(barring, "HeldWithdrawn") == [(owner, receiver, 1)]
    assert barring.asset.balanceOf(receiver) == 1
    assert (barring.gateway.heldOf(owner), barring.gateway.heldOf(other)) == (0, 4)
    assert barring.gateway.totalHeld() == 4
    with reverts("NothingHeld", owner):
        barring.gateway.withdrawHeld(receiver, sender=owner)


def policy_answering(world: Flows, word: int) -> Contract:
    policy = world.evm.deploy("JunkReturner")
    policy.arm(word.to_bytes(32, "big"))
    world.router.setAccessPolicy(policy, sender=world.governance)
    return policy


def test_withdraw_held__policy_names_nobody__owner_is_paid(barring: Flows) -> None:
    """Property: R9."""
    owner = barring.invest("investor", 20)
    held(barring, owner, 7)
    policy_answering(barring, 0)
    barring.gateway.withdrawHeld(barring.evm.account("heir"), sender=owner)
    assert told(barring, "HeldWithdrawn") == [(owner, owner, 7)]


def test_withdraw_held__policy_names_the_first_address__it_is_paid(barring: Flows) -> None:
    owner = barring.invest("investor", 20)
    held(barring, owner, 7)
    policy_answering(barring, 1)
    barring.gateway.withdrawHeld(owner, sender=owner)
    assert barring.asset.balanceOf("0x" + "00" * 19 + "01") == 7


def test_withdraw_held__policy_names_the_last_address__it_is_paid(barring: Flows) -> None:
    owner = barring.invest("investor", 20)
    held(barring, owner, 7)
    policy_answering(barring, 2**160 - 1)
    barring.gateway.withdrawHeld(owner, sender=owner)
    assert barring.asset.balanceOf(LAST_ADDRESS) == 7


def test_withdraw_held__policy_answers_more_than_an_address__owner_is_paid(
    barring: Flows,
) -> None:
    """Property: R9."""
    owner, heir = barring.invest("investor", 20), barring.evm.account("heir")
    held(barring, owner, 7)
    policy_answering(barring, 2**160 + int(heir, 16))
    barring.gateway.withdrawHeld(heir, sender=owner)
    assert barring.asset.balanceOf(owner) == 7


def test_settle__policy_fails_on_an_exit__is_told_with_who_was_paid(world: Flows) -> None:
    owner = world.invest("investor", 20)
    policy = world.evm.deploy("PolicyDouble")
    world.router.setAccessPolicy(policy, sender=world.governance)
    policy.setExitsBroken(True)
    heir = world.evm.account("heir")
    world.settle(world.exit_intent(owner, 5 * SCALE, nonce=9, receiver=heir))
    assert told(world, "ExitSettled") == [(batch(world), owner, owner, 5 * SCALE, 5, 9)]


def test_settle__huge_exit_just_above_the_room__others_settle(world: Flows) -> None:
    """Of more than 2^112 shares a quote by the batch's own rate lacks more than a unit or two."""
    huge = world.invest("whale", 2**107)
    small = world.invest("investor", 10)
    shares = world.router.balanceOf(huge)
    exact = world.router.convertToAssets(shares)
    quote = shares * world.router.convertToAssets(2**112) >> 112
    assert exact - quote > 4
    rigid(world, exact - 1)
    done = world.settle(world.exit_intent(small, 5 * SCALE), world.exit_intent(huge, shares))
    assert done == (0, 1)
    assert world.rejections() == [(huge, "NO_ROOM")]
