"""The exit queue, to the unit: what each request, turn and claim moves and tells."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.evm import Address, Contract, Evm, reverts
from tests.support.flows import Flows, flows

SCALE = 10**6
BURN_GAS = 2
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
LAST_ADDRESS = "0x" + "ff" * 20


@pytest.fixture
def world() -> Flows:
    return flows(Evm())


@pytest.fixture
def owner(world: Flows) -> Address:
    """Holds ten assets' worth, and another does too."""
    world.invest("whale", 10)
    return world.invest("investor", 10)


def request(world: Flows, owner: Address, shares: int) -> int:
    return int(world.queue.requestRedeem(shares, owner, owner, sender=owner))


def told(world: Flows, name: str) -> list[tuple[Any, ...]]:
    """Arguments of the queue's own events of that name in the last call."""
    return world.evm.told(name, world.queue)


def moved(world: Flows) -> list[int]:
    """What the last call moved of the asset."""
    asset = world.asset.address
    return [e["value"] for e in world.evm.events("Transfer") if e.address == asset]


def policy_answering(world: Flows, word: int) -> None:
    policy = world.evm.deploy("JunkReturner")
    policy.arm(word.to_bytes(32, "big"))
    world.router.setAccessPolicy(policy, sender=world.governance)


def policy(world: Flows) -> Contract:
    made = world.evm.deploy("PolicyDouble")
    world.router.setAccessPolicy(made, sender=world.governance)
    return made


# ---- request


def test_request__a_single_share_for_another__is_told_and_waits(
    world: Flows, owner: Address
) -> None:
    operator, controller = world.evm.account("operator"), world.evm.account("custodian")
    world.queue.setOperator(operator, True, sender=owner)
    assert told(world, "OperatorSet") == [(owner, operator, True)]
    assert world.queue.requestRedeem(1, controller, owner, sender=operator) == 1
    assert told(world, "RedeemRequest") == [(controller, owner, 1, operator, 1)]
    assert world.queue.pendingRedeemRequest(1, controller) == 1
    assert world.queue.queuedShares() == world.router.queuedShares() == 1
    assert world.router.balanceOf(world.queue) == 1
    assert world.queue.nextRequestId() == 2


def test_set_operator__revoked__is_told(world: Flows, owner: Address) -> None:
    operator = world.evm.account("operator")
    world.queue.setOperator(operator, True, sender=owner)
    assert world.queue.setOperator(operator, False, sender=owner)
    assert told(world, "OperatorSet") == [(owner, operator, False)]
    assert not world.queue.isOperator(owner, operator)


def test_request__for_one_whom_the_policy_refuses__refused(world: Flows, owner: Address) -> None:
    controller = world.evm.account("custodian")
    rules = policy(world)
    world.queue.requestRedeem(SCALE, controller, owner, sender=owner)
    rules.setDenied(controller, True)
    with reverts("TransferRefused", owner, controller):
        world.queue.requestRedeem(SCALE, controller, owner, sender=owner)


def test_request__for_himself__policy_is_not_asked_whether_it_passes(
    world: Flows, owner: Address
) -> None:
    policy(world).setRefusesSelf(True)
    assert request(world, owner, SCALE) == 1
    assert world.queue.cancelRedeem(1, owner, sender=owner) == SCALE


# ---- cancel


def test_cancel__a_single_share__returns_and_is_told(world: Flows, owner: Address) -> None:
    request(world, owner, 1)
    assert world.queue.cancelRedeem(1, owner, sender=owner) == 1
    assert told(world, "RedeemCancelled") == [(1, owner, owner, 1)]
    assert world.queue.queuedShares() == world.router.queuedShares() == 0
    assert world.router.balanceOf(owner) == 10 * SCALE
    with reverts("NothingPending", 1):
        world.queue.cancelRedeem(1, owner, sender=owner)


def test_cancel__one_of_two_by_an_operator_to_another__the_other_waits(
    world: Flows, owner: Address
) -> None:
    operator, receiver = world.evm.account("operator"), world.evm.account("heir")
    world.queue.setOperator(operator, True, sender=owner)
    request(world, owner, 2 * SCALE)
    request(world, owner, 3 * SCALE)
    world.queue.cancelRedeem(1, receiver, sender=operator)
    assert told(world, "RedeemCancelled") == [(1, owner, receiver, 2 * SCALE)]
    assert world.router.balanceOf(receiver) == 2 * SCALE
    assert world.queue.queuedShares() == world.router.queuedShares() == 3 * SCALE


def test_cancel__to_one_whom_the_policy_refuses__refused(world: Flows, owner: Address) -> None:
    receiver = world.evm.account("heir")
    request(world, owner, SCALE)
    policy(world).setDenied(receiver, True)
    with reverts("TransferRefused", owner, receiver):
        world.queue.cancelRedeem(1, receiver, sender=owner)


# ---- exit


def test_exit__a_single_share__is_burned_for_nothing_and_told(world: Flows, owner: Address) -> None:
    assert world.queue.exit(1, owner, owner, 0, sender=owner) == (0, 0)
    assert told(world, "ExitPaid") == [(owner, owner, owner, 1, 0)]
    assert told(world, "RedeemRequest") == []
    assert world.router.balanceOf(world.queue) == world.queue.queuedShares() == 0
    assert world.router.balanceOf(owner) == 10 * SCALE - 1


def test_exit__by_an_operator_to_another__is_told(world: Flows, owner: Address) -> None:
    operator, receiver = world.evm.account("operator"), world.evm.account("heir")
    world.queue.setOperator(operator, True, sender=owner)
    assert world.queue.exit(2 * SCALE, receiver, owner, 0, sender=operator) == (2, 0)
    assert told(world, "ExitPaid") == [(owner, receiver, operator, 2 * SCALE, 2)]
    assert world.asset.balanceOf(receiver) == 2
    assert moved(world) == [2]


def test_exit__a_single_share_waits__does_not_jump_the_queue(world: Flows, owner: Address) -> None:
    whale = world.evm.account("whale")
    request(world, whale, 1)
    assert world.queue.exit(SCALE, owner, owner, 0, sender=owner) == (0, 2)
    assert told(world, "ExitPaid") == []


def test_exit__in_part__rest_is_the_owners_and_told(world: Flows, owner: Address) -> None:
    receiver = world.evm.account("heir")
    world.set_liquidity(4)
    assert world.queue.exit(10 * SCALE, receiver, owner, 0, sender=owner) == (4, 1)
    assert told(world, "ExitPaid") == [(owner, receiver, owner, 4 * SCALE, 4)]
    assert told(world, "RedeemRequest") == [(owner, owner, 1, owner, 6 * SCALE)]
    assert world.queue.queuedShares() == world.router.queuedShares() == 6 * SCALE


def test_exit__claims_of_others_lie_here__they_stay(world: Flows, owner: Address) -> None:
    """Property: R7."""
    whale = world.evm.account("whale")
    request(world, whale, 7 * SCALE)
    world.queue.process(1)
    assert world.asset.balanceOf(world.queue) == 7
    assert world.queue.exit(2 * SCALE, owner, owner, 0, sender=owner) == (2, 0)
    assert world.asset.balanceOf(world.queue) == world.queue.claimableAssets() == 7
    assert world.asset.balanceOf(owner) == 2
    policy(world).setExitsBroken(True)
    assert world.queue.exit(2 * SCALE, owner, owner, 0, sender=owner) == (2, 0)
    assert world.asset.balanceOf(world.queue) == world.queue.claimableAssets() == 7
    assert world.asset.balanceOf(owner) == 4


def test_exit__policy_fails_over_a_single_asset__owner_is_paid(
    world: Flows, owner: Address
) -> None:
    """Property: R9."""
    policy(world).setExitsBroken(True)
    assert world.queue.exit(SCALE, owner, owner, 0, sender=owner) == (1, 0)
    assert world.asset.balanceOf(owner) == 1


def test_exit__minimum_is_no_whole_asset__is_rounded_up() -> None:
    """Nine are paid for ten shares: enough at 0.9 a share, while 0.91 would have to be ten."""
    world = flows(Evm(), 0)
    owner = world.invest("investor", 10)
    world.lend_all_but(0)
    world.lose(1, report=True)
    shares, wad = world.router.balanceOf(owner), 10**18
    with reverts("SlippageExceeded", 9, 10):
        world.queue.exit(shares, owner, owner, 91 * wad // 100, sender=owner)
    assert world.queue.exit(shares, owner, owner, 9 * wad // 10, sender=owner) == (9, 0)


def test_exit__strategy_can_pay_a_single_asset__it_is_paid(world: Flows, owner: Address) -> None:
    world.set_liquidity(1)
    assert world.queue.exit(10 * SCALE, owner, owner, 0, sender=owner) == (1, 1)
    assert world.queue.queuedShares() == 9 * SCALE


# ---- turns


def test_process__a_single_share__is_processed_for_nothing(world: Flows, owner: Address) -> None:
    request(world, owner, 1)
    assert world.queue.process(1) == (1, 0)
    assert told(world, "RedeemProcessed") == [(1, owner, 1, 0)]
    assert (world.queue.head(), world.queue.queuedShares()) == (2, 0)
    assert world.router.queuedShares() == 0
    assert world.queue.maxRedeem(owner) == 1


def test_process__a_fraction__is_burned_whole(world: Flows, owner: Address) -> None:
    request(world, owner, 3 * SCALE // 2)
    assert world.queue.process(1) == (3 * SCALE // 2, 1)
    assert world.queue.maxWithdraw(owner) == world.queue.claimableAssets() == 1


def test_process__money_ends_with_a_request__head_is_behind_it(
    world: Flows, owner: Address
) -> None:
    whale = world.evm.account("whale")
    world.set_liquidity(3)
    request(world, owner, 3 * SCALE)
    request(world, whale, 5 * SCALE)
    assert world.queue.process(9) == (3 * SCALE, 3)
    assert world.queue.head() == 2
    assert told(world, "RedeemProcessed") == [(1, owner, 3 * SCALE, 3)]
    assert world.queue.queuedShares() == world.router.queuedShares() == 5 * SCALE


def test_process__money_ends_a_share_into_a_request__it_is_credited(
    world: Flows, owner: Address
) -> None:
    """Property: R7. A part of one share, and later the rest, make the request whole."""
    whale = world.evm.account("whale")
    request(world, whale, SCALE)
    world.queue.process(1)
    world.set_liquidity(3)
    request(world, owner, 3 * SCALE - 1)
    request(world, whale, 5 * SCALE)
    assert world.queue.process(9) == (3 * SCALE, 3)
    assert told(world, "RedeemProcessed") == [(2, owner, 3 * SCALE - 1, 2), (3, whale, 1, 1)]
    assert world.queue.head() == 3
    assert world.queue.pendingRedeemRequest(3, whale) == 5 * SCALE - 1
    assert world.queue.claimableRedeemRequest(3, whale) == 1
    world.set_liquidity(9)
    world.queue.process(9)
    assert world.queue.claimableRedeemRequest(3, whale) == 5 * SCALE
    world.queue.redeem(SCALE, whale, whale, sender=whale)
    assert world.queue.claimableRedeemRequest(1, whale) == 0
    assert world.queue.claimableRedeemRequest(3, whale) == 5 * SCALE
    world.queue.redeem(SCALE, whale, whale, sender=whale)
    assert world.queue.claimableRedeemRequest(3, whale) == 4 * SCALE


def test_process__three_and_a_part__each_gets_the_difference_of_two_floors(
    world: Flows, owner: Address
) -> None:
    """Property: R7."""
    whale = world.evm.account("whale")
    world.set_liquidity(9)
    for holder, shares in ((owner, 3), (whale, 4), (owner, 2), (whale, 5)):
        request(world, holder, shares * SCALE - SCALE // 2)
    assert world.queue.process(9) == (9 * SCALE, 9)
    parts = [(e[0], e[2], e[3]) for e in told(world, "RedeemProcessed")]
    half = SCALE // 2
    assert parts == [
        (1, 3 * SCALE - half, 2),
        (2, 4 * SCALE - half, 4),
        (3, 2 * SCALE - half, 1),
        (4, 3 * half, 2),
    ]
    assert world.queue.head() == 4


def test_process__a_single_share_between_others__is_credited(world: Flows, owner: Address) -> None:
    whale = world.evm.account("whale")
    for holder, shares in ((owner, 2 * SCALE), (whale, 1), (owner, SCALE)):
        request(world, holder, shares)
    world.queue.process(9)
    assert [e[:3] for e in told(world, "RedeemProcessed")] == [
        (1, owner, 2 * SCALE),
        (2, whale, 1),
        (3, owner, SCALE),
    ]


def test_process__cancelled_between_others__is_not_told(world: Flows, owner: Address) -> None:
    for _ in range(3):
        request(world, owner, SCALE)
    world.queue.cancelRedeem(2, owner, sender=owner)
    assert world.queue.process(9) == (2 * SCALE, 2)
    assert [e[0] for e in told(world, "RedeemProcessed")] == [1, 3]


def test_process__claims_lie_here_already__only_what_comes_is_shared(
    world: Flows, owner: Address
) -> None:
    """Property: R7."""
    request(world, owner, 7 * SCALE)
    world.queue.process(1)
    request(world, owner, 2 * SCALE)
    assert world.queue.process(1) == (2 * SCALE, 2)
    assert world.queue.claimableAssets() == world.queue.maxWithdraw(owner) == 9


def test_process__part_at_an_awkward_price__is_what_whole_assets_cost(world: Flows) -> None:
    """Eleven shares cost seven assets: one asset costs a fraction more than a whole share."""
    owner = world.invest("investor", 10)
    world.lend_all_but(0)
    world.lose(4, report=True)
    world.set_liquidity(2)
    request(world, owner, 10 * SCALE)
    cost = 2 * 11 * SCALE // 7
    assert world.router.convertToAssets(cost) == 1
    assert world.queue.process(1) == (cost + 1, 2)


def unfair(world: Flows, loss: int) -> Address:
    """Of two strategies the first, which pays half of all, lost so much."""
    owner = world.invest("investor", 500)
    world.invest("whale", 500)
    world.lend_all_but(500)
    second = world.capital.add_strategy()
    world.capital.lend(second, 500)
    request(world, owner, 500 * SCALE)
    world.lose(loss, report=False)
    return owner


def test_process__unfair_by_what_rounding_may_cost__pays(world: Flows) -> None:
    """Property: S5. A fair half of 965 in 1 001 parts is 482; the first strategy pays 464."""
    unfair(world, 36)
    assert 500 * (1_001 - 36) // 1_001 == 464 + 18
    assert world.queue.process(1) == (500 * SCALE, 464)


def test_process__unfair_by_one_more__waits_for_the_report(world: Flows) -> None:
    """Property: S5."""
    unfair(world, 38)
    assert 500 * (1_001 - 38) // 1_001 == 462 + 19
    with reverts("UnfairPrice", 462, 481):
        world.queue.process(1)


def test_process__idle_is_just_enough__no_strategy_is_asked(world: Flows, owner: Address) -> None:
    request(world, owner, 10 * SCALE)
    world.lend_all_but(10)
    world.strategy.setFault(PREVIEW_REDEEM, BURN_GAS)
    assert world.queue.process(1, gas=600_000) == (10 * SCALE, 10)


def test_process__many_are_behind_the_head__cost_nothing_any_more(
    world: Flows, owner: Address
) -> None:
    """Property: R7. What was paid long ago is not walked again."""
    data = world.queue.calldata("requestRedeem", 1, owner, owner)
    for _ in range(3_000):
        assert world.evm.raw(owner, world.queue.address, data)[0]
    for _ in range(10):
        world.queue.process(300)
    assert world.queue.head() == 3_001
    request(world, owner, SCALE)
    assert world.queue.process(1, gas=800_000) == (SCALE, 1)


# ---- claims


def processed(world: Flows, owner: Address, shares: int) -> None:
    request(world, owner, shares)
    world.queue.process(9)


def test_redeem__a_single_share__is_claimed_for_nothing(world: Flows, owner: Address) -> None:
    processed(world, owner, 2 * SCALE)
    assert world.queue.redeem(1, owner, owner, sender=owner) == 0
    assert told(world, "Withdraw") == [(owner, owner, owner, 0, 1)]
    assert moved(world) == []
    assert world.queue.maxRedeem(owner) == 2 * SCALE - 1
    assert world.queue.maxWithdraw(owner) == world.queue.claimableAssets() == 2


def test_redeem__all_by_an_operator_to_another__is_told(world: Flows, owner: Address) -> None:
    operator, receiver = world.evm.account("operator"), world.evm.account("heir")
    world.queue.setOperator(operator, True, sender=owner)
    processed(world, owner, 2 * SCALE)
    with reverts("ClaimExceedsMaximum", 2 * SCALE + 1, 2 * SCALE):
        world.queue.redeem(2 * SCALE + 1, receiver, owner, sender=operator)
    assert world.queue.redeem(2 * SCALE, receiver, owner, sender=operator) == 2
    assert told(world, "Withdraw") == [(operator, receiver, owner, 2, 2 * SCALE)]
    assert world.asset.balanceOf(receiver) == 2
    assert world.queue.claimableAssets() == world.queue.maxRedeem(owner) == 0


def test_withdraw__a_single_asset__is_paid(world: Flows, owner: Address) -> None:
    processed(world, owner, 2 * SCALE)
    assert world.queue.withdraw(1, owner, owner, sender=owner) == SCALE
    assert world.asset.balanceOf(owner) == 1
    assert told(world, "Withdraw") == [(owner, owner, owner, 1, SCALE)]
    assert world.queue.claimableAssets() == 1
    with reverts("ClaimExceedsMaximum", 2, 1):
        world.queue.withdraw(2, owner, owner, sender=owner)
    world.queue.withdraw(1, owner, owner, sender=owner)


def test_withdraw__shares_do_not_divide__are_rounded_down(world: Flows, owner: Address) -> None:
    processed(world, owner, 2 * SCALE - 1)
    processed(world, owner, 3 * SCALE)
    assert (world.queue.maxRedeem(owner), world.queue.maxWithdraw(owner)) == (5 * SCALE - 1, 4)
    assert (5 * SCALE - 1) % 4 != 0
    assert world.queue.withdraw(1, owner, owner, sender=owner) == (5 * SCALE - 1) // 4
    assert world.queue.maxWithdraw(owner) == 3


def test_claim__policy_names_nobody__owner_is_paid(world: Flows, owner: Address) -> None:
    """Property: R9."""
    processed(world, owner, 2 * SCALE)
    policy_answering(world, 0)
    world.queue.redeem(2 * SCALE, world.evm.account("heir"), owner, sender=owner)
    assert world.asset.balanceOf(owner) == 2
    assert told(world, "Withdraw") == [(owner, owner, owner, 2, 2 * SCALE)]


def test_claim__policy_names_the_first_address__it_is_paid(world: Flows, owner: Address) -> None:
    processed(world, owner, 2 * SCALE)
    policy_answering(world, 1)
    world.queue.redeem(2 * SCALE, owner, owner, sender=owner)
    assert world.asset.balanceOf("0x" + "00" * 19 + "01") == 2


def test_claim__policy_names_the_last_address__it_is_paid(world: Flows, owner: Address) -> None:
    processed(world, owner, 2 * SCALE)
    policy_answering(world, 2**160 - 1)
    world.queue.redeem(2 * SCALE, owner, owner, sender=owner)
    assert world.asset.balanceOf(LAST_ADDRESS) == 2


def test_claim__policy_answers_more_than_an_address__owner_is_paid(
    world: Flows, owner: Address
) -> None:
    """Property: R9."""
    heir = world.evm.account("heir")
    processed(world, owner, 2 * SCALE)
    policy_answering(world, 2**160 + int(heir, 16))
    world.queue.redeem(2 * SCALE, heir, owner, sender=owner)
    assert world.asset.balanceOf(owner) == 2


# ---- one at a time


def test_claim__token_reenters_by_any_function__is_refused() -> None:
    world = flows(Evm(), 18, "ReentrantToken")
    owner = world.invest("investor", 10)
    processed(world, owner, 4 * SCALE)
    request(world, owner, SCALE)
    operator = world.evm.account("operator")
    for someone in (world.asset, operator):
        world.queue.setOperator(someone, True, sender=owner)
    for name, *args in (
        ("requestRedeem", SCALE, owner, owner),
        ("exit", SCALE, owner, owner, 0),
        ("cancelRedeem", 2, owner),
        ("process", 1),
        ("redeem", SCALE, owner, owner),
        ("withdraw", 1, owner, owner),
    ):
        data = world.queue.calldata(name, *args)
        with world.evm.rollback():
            world.asset.arm(world.queue, data, False)
            world.queue.redeem(SCALE, owner, owner, sender=owner)
            assert not world.asset.lastSuccess(), name
            assert world.queue.maxRedeem(owner) == 3 * SCALE
        with world.evm.rollback():
            world.evm.transact(operator, world.queue, data)
