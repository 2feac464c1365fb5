"""What the exit queue promises: order, one price, exact sums, and nobody who stands in the way."""

from __future__ import annotations

import pytest

from tests.support.evm import Address, Evm, reverts
from tests.support.flows import FROZEN, WITHDRAW_ONLY, Flows, flows

UNIT = 10**18
# Shares of an asset unit while the price is one; so many of the smallest are one asset wei.
SHARE, SCALE = 10**24, 10**6
ZERO = "0x" + "00" * 20


@pytest.fixture
def world() -> Flows:
    return flows(Evm())


@pytest.fixture
def holders(world: Flows) -> list[Address]:
    return [world.invest(name, 10 * UNIT) for name in ("investor", "whale", "pensioner")]


def request(world: Flows, owner: Address, shares: int) -> int:
    return int(world.queue.requestRedeem(shares, owner, owner, sender=owner))


def assert_books(world: Flows) -> None:
    """The queue holds exactly what it owes and the router knows what waits."""
    queue = world.queue
    assert world.router.balanceOf(queue) == queue.queuedShares() == world.router.queuedShares()
    assert world.asset.balanceOf(queue) == queue.claimableAssets()


# ---- request


def test_request_redeem__owner__waits_in_the_queue(world: Flows, holders: list[Address]) -> None:
    assert world.queue.nextRequestId() == world.queue.head() == 1
    assert request(world, holders[0], 4 * SHARE) == 1
    event = world.evm.events("RedeemRequest")[0]
    assert (event["controller"], event["owner"], event["shares"]) == (*[holders[0]] * 2, 4 * SHARE)
    assert world.queue.pendingRedeemRequest(1, holders[0]) == 4 * SHARE
    assert world.queue.pendingRedeemRequest(1, holders[1]) == 0
    assert world.queue.claimableRedeemRequest(1, holders[0]) == 0
    assert_books(world)


def test_request_redeem__stranger_with_standing_allowance__refused(
    world: Flows, holders: list[Address]
) -> None:
    attacker = world.evm.account("attacker")
    with reverts("NotController", attacker, holders[0]):
        world.queue.requestRedeem(SHARE, attacker, holders[0], sender=attacker)
    with reverts("NotController", attacker, holders[0]):
        world.queue.exit(SHARE, attacker, holders[0], 0, sender=attacker)


def test_request_redeem__operator__allowed_until_revoked(
    world: Flows, holders: list[Address]
) -> None:
    operator = world.evm.account("operator")
    world.queue.setOperator(operator, True, sender=holders[0])
    assert world.queue.isOperator(holders[0], operator)
    world.queue.requestRedeem(SHARE, holders[0], holders[0], sender=operator)
    world.queue.setOperator(operator, False, sender=holders[0])
    with reverts("NotController"):
        world.queue.requestRedeem(SHARE, holders[0], holders[0], sender=operator)


def test_request_redeem__nothing_or_nobody__refused(world: Flows, holders: list[Address]) -> None:
    with reverts("ZeroAmount"):
        request(world, holders[0], 0)
    with reverts("ZeroAddress"):
        world.queue.requestRedeem(SHARE, ZERO, holders[0], sender=holders[0])
    with reverts("ERC20InsufficientBalance"):
        request(world, holders[0], 10 * SHARE + 1)


# ---- process


def test_process__enough_liquidity__all_paid_in_order(world: Flows, holders: list[Address]) -> None:
    ids = [request(world, h, (i + 1) * SHARE) for i, h in enumerate(holders)]
    done = world.queue.process(10, sender=world.evm.account("anyone"))
    assert done == (6 * SHARE, 6 * UNIT)
    assert [e["requestId"] for e in world.evm.events("RedeemProcessed")] == ids
    for i, holder in enumerate(holders):
        assert world.queue.maxRedeem(holder) == (i + 1) * SHARE
        assert world.queue.maxWithdraw(holder) == (i + 1) * UNIT
        assert world.queue.claimableRedeemRequest(ids[i], holder) == (i + 1) * SHARE
    assert world.queue.head() == world.queue.nextRequestId() == 4
    assert_books(world)


def test_process__liquidity_ends_inside_a_request__pays_it_in_part(
    world: Flows, holders: list[Address]
) -> None:
    """Property: R7."""
    world.set_liquidity(15 * UNIT)
    for holder in holders:
        request(world, holder, 10 * SHARE)
    paid, assets = world.queue.process(10)
    assert (paid, assets) == (15 * SHARE, 15 * UNIT)
    assert world.queue.head() == 2
    assert world.queue.pendingRedeemRequest(2, holders[1]) == 20 * SHARE - paid
    assert world.queue.claimableRedeemRequest(2, holders[1]) == paid - 10 * SHARE
    assert world.queue.process(10) == (0, 0)
    world.set_liquidity(7 * UNIT)
    assert world.queue.process(1)[0] == 20 * SHARE - paid
    more, _ = world.queue.process(1)
    assert world.queue.pendingRedeemRequest(3, holders[2]) == 10 * SHARE - more
    assert abs(more - 2 * SHARE) <= SCALE
    assert_books(world)


def test_process__limited_number__stops_there(world: Flows, holders: list[Address]) -> None:
    for holder in holders:
        request(world, holder, SHARE)
    assert world.queue.process(0) == (0, 0)
    assert world.queue.process(2) == (2 * SHARE, 2 * UNIT)
    assert world.queue.head() == 3
    assert world.queue.process(2**256 - 1) == (SHARE, UNIT)


def test_process__cancelled_requests_at_the_head__skipped(
    world: Flows, holders: list[Address]
) -> None:
    world.set_liquidity(0)
    for holder in holders:
        request(world, holder, SHARE)
    for i in (0, 1):
        world.queue.cancelRedeem(i + 1, holders[i], sender=holders[i])
    assert world.queue.process(2) == (0, 0)
    assert world.queue.head() == 3
    world.set_liquidity(UNIT)
    assert world.queue.process(1) == (SHARE, UNIT)


@pytest.mark.parametrize("reported", [True, False])
def test_process__loss_between_request_and_turn__first_gains_nothing(
    world: Flows, holders: list[Address], reported: bool
) -> None:
    """Property: S5. Whoever rushes into the queue ahead of a loss shares it all the same."""
    world.lend_all_but(0)
    request(world, holders[0], 10 * SHARE)
    world.lose(15 * UNIT, report=reported)
    request(world, holders[1], 10 * SHARE)
    world.queue.process(2)
    first, second = (world.queue.maxWithdraw(h) for h in holders[:2])
    assert first in (second, second - 1)
    assert 5 * UNIT - 1 <= first <= 5 * UNIT
    world.capital.report(world.strategy)
    assert world.router.convertToAssets(10 * SHARE) >= first


def test_process__unrealised_loss__one_price_for_the_chunk(
    world: Flows, holders: list[Address]
) -> None:
    world.lend_all_but(10 * UNIT)
    for holder in holders:
        request(world, holder, 10 * SHARE)
    world.lose(6 * UNIT, report=False)
    shares, assets = world.queue.process(3)
    assert (shares, assets) == (30 * SHARE, 24 * UNIT)
    assert [world.queue.maxWithdraw(h) for h in holders] == [8 * UNIT] * 3


def test_process__payer_carries_more_than_the_queues_loss__waits_for_the_report(
    world: Flows, holders: list[Address]
) -> None:
    """Property: R5. Two strategies of 15; the first loses 10: each 10 in shares is worth 20 / 3."""
    owner, capital = holders[0], world.capital
    healthy = capital.add_strategy()
    capital.lend(world.strategy, 15 * UNIT)
    capital.lend(healthy, 15 * UNIT)
    request(world, owner, 10 * SHARE)
    world.lose(10 * UNIT, report=False)
    with reverts("UnfairPrice", 10 * UNIT // 3, 10 * (2 * UNIT // 3)):
        world.queue.process(1, sender=world.evm.account("attacker"))
    capital.report(world.strategy)
    assert world.queue.process(1) == (10 * SHARE, 20 * UNIT // 3)
    assert_books(world)


def test_process__all_strategies_lost_alike__pays_at_once(
    world: Flows, holders: list[Address]
) -> None:
    owner, capital = holders[0], world.capital
    other = capital.add_strategy()
    capital.lend(world.strategy, 13 * UNIT)
    capital.lend(other, 13 * UNIT)
    request(world, owner, 10 * SHARE)
    for strategy in (world.strategy, other):
        strategy.lose(UNIT + 1)
    shares, paid = world.queue.process(1)
    # Four idle at book value, six from a strategy that kept 12 of 13.
    assert (shares, paid) == (10 * SHARE, 4 * UNIT + 6 * UNIT * (12 * UNIT - 1) // (13 * UNIT))


def test_process__awkward_price__parts_sum_to_what_was_paid(world: Flows) -> None:
    """Property: R7."""
    world.make_price_awkward(UNIT)
    owners = [world.invest(f"investor {i}", UNIT + i) for i in range(7)]
    for owner in owners:
        request(world, owner, world.router.balanceOf(owner))
    _, paid = world.queue.process(7)
    assert sum(world.queue.maxWithdraw(o) for o in owners) == paid
    assert_books(world)
    for owner in owners:
        world.queue.redeem(world.queue.maxRedeem(owner), owner, owner, sender=owner)
    assert world.asset.balanceOf(world.queue) == world.queue.claimableAssets() == 0


def test_process__ten_thousand_requests__bounded_gas_each(world: Flows) -> None:
    spammer = world.invest("attacker", 10_000)
    assert world.router.balanceOf(spammer) == 10_000 * SCALE
    victim = world.invest("investor", 10 * UNIT)
    data = world.queue.calldata("requestRedeem", SCALE, spammer, spammer)
    for _ in range(10_000):
        success, _ = world.evm.raw(spammer, world.queue.address, data)
        assert success
    request(world, victim, 10 * SHARE)
    # 34 000 each on a chain; pyrevm's warm slots are dearer to write.
    for chunk in range(40):
        assert world.queue.process(250, gas=250 * 70_000) == (250 * SCALE, 250), chunk
    assert world.queue.process(250) == (10 * SHARE, 10 * UNIT)
    assert world.queue.maxRedeem(spammer) == 10_000 * SCALE
    world.queue.redeem(10_000 * SCALE, spammer, spammer, sender=spammer, gas=200_000)
    assert_books(world)


def test_process__receiver_barred_by_the_token__others_are_paid() -> None:
    world = flows(Evm(), 18, "BarringToken")
    attacker, whale = world.invest("attacker", UNIT), world.invest("whale", UNIT)
    request(world, attacker, SHARE)
    request(world, whale, SHARE)
    world.asset.bar(attacker, True)
    assert world.queue.process(2) == (2 * SHARE, 2 * UNIT)
    world.queue.redeem(SHARE, whale, whale, sender=whale)
    with reverts("Barred"):
        world.queue.redeem(SHARE, attacker, attacker, sender=attacker)
    other = world.evm.account("custodian")
    world.queue.redeem(SHARE, other, attacker, sender=attacker)
    assert world.asset.balanceOf(other) == UNIT


# ---- claim


def test_redeem__in_parts_over_two_prices__average_and_exact_sum(
    world: Flows, holders: list[Address]
) -> None:
    owner = holders[0]
    world.lend_all_but(3 * UNIT)
    first = request(world, owner, 3 * SHARE)
    second = request(world, owner, 3 * SHARE)
    world.queue.process(1)
    world.lose(9 * UNIT, report=True)
    world.queue.process(1)
    held = world.queue.maxWithdraw(owner)
    assert held == 5 * UNIT
    part = world.queue.redeem(4 * SHARE + 1, owner, owner, sender=owner)
    assert part == held * (4 * SHARE + 1) // (6 * SHARE)
    assert world.queue.claimableRedeemRequest(first, owner) == 0
    assert world.queue.claimableRedeemRequest(second, owner) == 2 * SHARE - 1
    rest = world.queue.redeem(2 * SHARE - 1, owner, owner, sender=owner)
    assert part + rest == held == world.asset.balanceOf(owner)
    event = world.evm.events("Withdraw")[0]
    assert (event["owner"], event["receiver"], event["assets"]) == (owner, owner, rest)
    assert_books(world)


def test_process__same_shares_come_back_for_ever__never_stuck(world: Flows) -> None:
    """Property: R7. All that was ever processed for one controller exceeds 128 bits."""
    owner = world.evm.account("attacker")
    assets = 2**106
    world.capital.fund(owner, assets)
    for spender in (world.router, world.queue):
        world.router.approve(spender, 2**256 - 1, sender=owner)
    for turn in range(1, 6):
        shares = world.router["deposit(uint256,address)"](assets, owner, sender=owner)
        assert request(world, owner, shares) == turn
        assert world.queue.process(1) == (shares, assets)
        assert world.queue.claimableRedeemRequest(turn, owner) == shares
        assert world.queue.redeem(shares, owner, owner, sender=owner) == assets
        assert world.queue.claimableRedeemRequest(turn, owner) == 0
    assert_books(world)


def test_withdraw__in_parts__never_strands_a_wei(world: Flows, holders: list[Address]) -> None:
    owner = holders[0]
    request(world, owner, 3 * SHARE)
    world.queue.process(1)
    total = 3 * UNIT
    for assets in (1, 7, UNIT, total - UNIT - 8):
        world.queue.withdraw(assets, owner, owner, sender=owner)
    assert world.queue.maxWithdraw(owner) == world.queue.maxRedeem(owner) == 0
    assert world.asset.balanceOf(owner) == total


def test_claim__more_than_there_is_or_by_a_stranger__refused(
    world: Flows, holders: list[Address]
) -> None:
    owner, attacker = holders[0], world.evm.account("attacker")
    request(world, owner, SHARE)
    for method in ("redeem", "withdraw"):
        with reverts("ClaimExceedsMaximum", 1, 0):
            getattr(world.queue, method)(1, owner, owner, sender=owner)
    world.queue.process(1)
    for method, most in (("redeem", SHARE), ("withdraw", UNIT)):
        with reverts("ClaimExceedsMaximum", most + 1, most):
            getattr(world.queue, method)(most + 1, owner, owner, sender=owner)
        with reverts("NotController", attacker, owner):
            getattr(world.queue, method)(most, attacker, owner, sender=attacker)
        with reverts("ZeroAmount"):
            getattr(world.queue, method)(0, owner, owner, sender=owner)
        with reverts("ZeroAddress"):
            getattr(world.queue, method)(most, ZERO, owner, sender=owner)


def test_request_for_another_controller__he_claims(world: Flows, holders: list[Address]) -> None:
    owner, controller = holders[0], world.evm.account("custodian")
    world.queue.requestRedeem(SHARE, controller, owner, sender=owner)
    world.queue.process(1)
    with reverts("NotController"):
        world.queue.redeem(SHARE, owner, controller, sender=owner)
    world.queue.redeem(SHARE, owner, controller, sender=controller)
    assert world.asset.balanceOf(owner) == UNIT


# ---- cancel


def test_cancel_redeem__partly_processed__returns_the_rest(
    world: Flows, holders: list[Address]
) -> None:
    """Property: R7."""
    owner = holders[0]
    world.set_liquidity(4 * UNIT)
    request(world, owner, 10 * SHARE)
    paid, _ = world.queue.process(1)
    assert paid == 4 * SHARE
    assert world.queue.cancelRedeem(1, owner, sender=owner) == 10 * SHARE - paid
    assert world.router.balanceOf(owner) == 10 * SHARE - paid
    assert world.queue.maxRedeem(owner) == paid
    with reverts("NothingPending", 1):
        world.queue.cancelRedeem(1, owner, sender=owner)
    assert_books(world)


def test_cancel_redeem__strangers_request__refused(world: Flows, holders: list[Address]) -> None:
    request(world, holders[0], SHARE)
    attacker = world.evm.account("attacker")
    with reverts("NotController", attacker, holders[0]):
        world.queue.cancelRedeem(1, attacker, sender=attacker)
    with reverts("NotController", attacker, ZERO):
        world.queue.cancelRedeem(99, attacker, sender=attacker)


# ---- exit


def test_exit__liquid__pays_all_at_once(world: Flows, holders: list[Address]) -> None:
    """Property: R9."""
    owner = holders[0]
    assert world.queue.exit(10 * SHARE, owner, owner, UNIT, sender=owner) == (10 * UNIT, 0)
    assert world.asset.balanceOf(owner) == 10 * UNIT
    event = world.evm.events("ExitPaid")[0]
    assert (event["shares"], event["assets"]) == (10 * SHARE, 10 * UNIT)
    assert_books(world)


def test_exit__partly_liquid__pays_what_it_can_and_queues_the_rest(
    world: Flows, holders: list[Address]
) -> None:
    """Property: R9."""
    owner, receiver = holders[0], world.evm.account("custodian")
    world.set_liquidity(4 * UNIT)
    assert world.queue.exit(10 * SHARE, receiver, owner, 0, sender=owner) == (4 * UNIT, 1)
    assert world.asset.balanceOf(receiver) == 4 * UNIT
    assert world.queue.pendingRedeemRequest(1, owner) == 6 * SHARE
    assert_books(world)


def test_exit__somebody_waits__does_not_jump_the_queue(
    world: Flows, holders: list[Address]
) -> None:
    world.set_liquidity(0)
    request(world, holders[0], 10 * SHARE)
    world.set_liquidity(15 * UNIT)
    assert world.queue.exit(10 * SHARE, holders[1], holders[1], 0, sender=holders[1]) == (0, 2)
    world.queue.process(2)
    assert world.queue.maxWithdraw(holders[0]) == 10 * UNIT
    assert world.queue.maxWithdraw(holders[1]) == 5 * UNIT


@pytest.mark.parametrize("decimals", [0, 6, 18])
def test_process__nothing_liquid__burns_no_fractions(decimals: int) -> None:
    """Anyone may process: burning a fraction of a unit each time would grind a request down."""
    world = flows(Evm(), decimals)
    owner = world.invest("investor", 10)
    shares = world.router.balanceOf(owner)
    world.set_liquidity(0)
    assert world.queue.exit(shares, owner, owner, 0, sender=owner) == (0, 1)
    assert world.router.maxRedeem(world.queue) > 0
    for _ in range(20):
        assert world.queue.process(1, sender=world.evm.account("attacker")) == (0, 0)
    world.set_liquidity(3)
    assert world.queue.process(1)[1] == 3
    world.set_liquidity(7)
    assert world.queue.process(1)[1] == 7
    assert world.queue.queuedShares() == 0


def test_exit__nothing_liquid__queues_all(world: Flows, holders: list[Address]) -> None:
    """Property: R9."""
    world.set_liquidity(0)
    assert world.queue.exit(SHARE, holders[0], holders[0], 2**100, sender=holders[0]) == (0, 1)


def test_exit__policy_fails_on_exits__owner_is_paid(world: Flows, holders: list[Address]) -> None:
    """Property: R9. The shares are the queue's by then, so the router pays the queue."""
    policy, owner = world.evm.deploy("PolicyDouble"), holders[0]
    world.router.setAccessPolicy(policy, sender=world.governance)
    policy.setExitsBroken(True)
    assert world.queue.exit(4 * SHARE, holders[1], owner, 0, sender=owner) == (4 * UNIT, 0)
    assert world.asset.balanceOf(owner) == 4 * UNIT
    assert_books(world)


def test_exit__price_below_the_minimum__refused(world: Flows, holders: list[Address]) -> None:
    world.lend_all_but(0)
    world.lose(1, report=True)
    with reverts("SlippageExceeded"):
        world.queue.exit(10 * SHARE, holders[0], holders[0], UNIT, sender=holders[0])


@pytest.mark.parametrize("decimals", [0, 6, 18, 24])
def test_exit__minimum_is_whole_assets_per_whole_share(decimals: int) -> None:
    world = flows(Evm(), decimals)
    owner = world.invest("investor", 8 * 10**decimals)
    shares = world.router.balanceOf(owner)
    with reverts("SlippageExceeded"):
        world.queue.exit(shares, owner, owner, UNIT + 1, sender=owner)
    world.queue.exit(shares, owner, owner, UNIT, sender=owner)
    assert world.asset.balanceOf(owner) == 8 * 10**decimals


# ---- replaced by another queue


def test_replaced_queue__who_waits_in_it__is_paid_or_leaves(
    world: Flows, holders: list[Address]
) -> None:
    """Property: R7, R9."""
    old, first, second = world.queue, *holders[:2]
    request(world, first, 4 * SHARE)
    request(world, second, 3 * SHARE)
    world.queue = world.evm.deploy("ExitQueue", world.router, world.gate)
    world.router.setExitQueue(world.queue, sender=world.governance)
    world.router.approve(world.queue, 2**256 - 1, sender=holders[2])
    request(world, holders[2], 2 * SHARE)

    assert old.process(1) == (4 * SHARE, 4 * UNIT)
    old.redeem(4 * SHARE, first, first, sender=first)
    assert old.cancelRedeem(2, second, sender=second) == 3 * SHARE
    assert world.router.balanceOf(old) == world.asset.balanceOf(old) == 0
    assert world.router.balanceOf(second) == 10 * SHARE
    assert_books(world)


# ---- states and standards


def test_states__frozen_stops_all__withdraw_only_nothing(
    world: Flows, holders: list[Address]
) -> None:
    """Property: S2."""
    owner = holders[0]
    request(world, owner, 3 * SHARE)
    world.queue.process(1)
    request(world, owner, SHARE)
    world.queue.setEmergencyState(FROZEN, sender=world.gate)
    calls = (
        ("requestRedeem", SHARE, owner, owner),
        ("exit", SHARE, owner, owner, 0),
        ("cancelRedeem", 2, owner),
        ("process", 1),
        ("redeem", SHARE, owner, owner),
        ("withdraw", UNIT, owner, owner),
    )
    for name, *args in calls:
        with reverts("EmergencyStateForbids", FROZEN):
            getattr(world.queue, name)(*args, sender=owner)
    assert world.queue.maxRedeem(owner) == world.queue.maxWithdraw(owner) == 0
    world.queue.setEmergencyState(WITHDRAW_ONLY, sender=world.gate)
    for name, *args in calls:
        getattr(world.queue, name)(*args, sender=owner)


def test_supports_interface__erc_165_and_7540_redemption(world: Flows) -> None:
    for known in ("01ffc9a7", "e3bc4e65", "620ee8e4"):
        assert world.queue.supportsInterface(bytes.fromhex(known))
    assert not world.queue.supportsInterface(bytes.fromhex("ffffffff"))
    assert world.queue.share() == world.queue.router() == world.router.address
    assert world.queue.asset() == world.asset.address


def test_claim__token_reenters__refused_by_the_guard() -> None:
    world = flows(Evm(), 18, "ReentrantToken")
    owner = world.invest("attacker", 2 * UNIT)
    request(world, owner, 2 * SHARE)
    world.queue.process(1)
    world.queue.setOperator(world.asset, True, sender=owner)
    again = world.queue.calldata("redeem", SHARE, owner, owner)
    world.asset.arm(world.queue, again, False)
    world.queue.redeem(SHARE, owner, owner, sender=owner)
    assert not world.asset.lastSuccess()
    assert world.asset.balanceOf(owner) == UNIT
