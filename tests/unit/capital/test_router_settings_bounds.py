"""What governance and guardian set, to the unit: bounds, events, and what is read back."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak

from tests.support.capital import (
    BPS,
    MAX_112,
    MAX_128,
    NO_LIMIT,
    ZERO,
    World,
    permit_role,
)
from tests.support.evm import Address, reverts

SCALE = 10**6
YEAR = 365 * 86_400
PLAN = b"\7" * 32


def told(world: World) -> list[tuple[Any, ...]]:
    """Name and arguments of every event of the last call."""
    return [
        (e.name, *(list(v) if isinstance(v, list | tuple) else v for v in e.args.values()))
        for e in world.evm.events()
    ]


# ---- plans


def test_approve_plan__any__is_told_and_kept_until_revoked(world: World) -> None:
    world.router.approvePlan(PLAN, sender=world.governance)
    assert told(world) == [("PlanApproved", world.governance, PLAN)]
    assert world.router.isPlanApproved(PLAN)
    world.router.revokePlan(PLAN, sender=world.guardian)
    assert told(world) == [("PlanRevoked", world.guardian, PLAN)]
    assert not world.router.isPlanApproved(PLAN)


# ---- caps


def test_lower_cap__as_it_is__accepted_and_told(world: World) -> None:
    strategy = world.add_strategy(cap=100, bps=50)
    world.router.lowerCap(strategy, 100, 50, sender=world.guardian)
    row = ("CapChanged", world.guardian, strategy.address, 100, 100, 50, 50)
    assert told(world) == [row]


def test_lower_cap__both_by_one__accepted_and_told(world: World) -> None:
    strategy = world.add_strategy(cap=100, bps=50)
    world.router.lowerCap(strategy, 99, 49, sender=world.guardian)
    assert told(world) == [("CapChanged", world.guardian, strategy.address, 100, 99, 50, 49)]
    assert world.state(strategy)[1:3] == [99, 49]


def test_raise_cap__as_it_is__accepted_and_told(world: World) -> None:
    strategy = world.add_strategy(cap=100, bps=50)
    world.router.raiseCap(strategy, 100, 50, sender=world.governance)
    assert world.state(strategy)[1:3] == [100, 50]


def test_raise_cap__to_the_whole__accepted_and_a_point_more_refused(world: World) -> None:
    strategy = world.add_strategy(cap=100, bps=50)
    world.router.raiseCap(strategy, MAX_112, BPS, sender=world.governance)
    row = ("CapChanged", world.governance, strategy.address, 100, MAX_112, 50, BPS)
    assert told(world) == [row]
    with reverts("OutOfBounds", BPS + 1, BPS):
        world.router.raiseCap(strategy, MAX_112, BPS + 1, sender=world.governance)


def test_cap__one_more_than_the_books_hold__is_kept_as_none(world: World) -> None:
    strategy = world.add_strategy(cap=MAX_112 - 1)
    assert world.state(strategy)[1] == MAX_112 - 1
    world.router.raiseCap(strategy, MAX_112 + 1, BPS, sender=world.governance)
    row = ("CapChanged", world.governance, strategy.address, MAX_112 - 1, MAX_112, BPS, BPS)
    assert told(world) == [row]
    assert world.state(strategy)[1] == MAX_112


def test_cap__of_no_strategy__refused(world: World, whale: Address) -> None:
    with reverts("UnknownStrategy", whale):
        world.router.lowerCap(whale, 0, 0, sender=world.guardian)
    with reverts("UnknownStrategy", whale):
        world.router.raiseCap(whale, 0, 0, sender=world.governance)


# ---- idle floor and deposit cap


def test_idle_floor__as_it_is__accepted_both_ways_and_told(world: World) -> None:
    world.router.raiseIdleFloor(100, sender=world.guardian)
    assert told(world) == [("IdleFloorSet", world.guardian, 0, 100)]
    world.router.raiseIdleFloor(100, sender=world.guardian)
    assert told(world) == [("IdleFloorSet", world.guardian, 100, 100)]
    world.router.lowerIdleFloor(100, sender=world.governance)
    assert told(world) == [("IdleFloorSet", world.governance, 100, 100)]
    assert world.router.idleFloorBps() == 100


def test_idle_floor__all__accepted_and_a_point_more_refused(world: World) -> None:
    world.router.raiseIdleFloor(BPS, sender=world.guardian)
    assert world.router.idleFloorBps() == BPS
    with reverts("OutOfBounds", BPS + 1, BPS):
        world.router.raiseIdleFloor(BPS + 1, sender=world.guardian)


def test_deposit_cap__as_it_is__accepted_both_ways_and_told(world: World) -> None:
    world.router.lowerDepositCap(100, sender=world.guardian)
    assert told(world) == [("DepositCapSet", world.guardian, MAX_128, 100)]
    world.router.lowerDepositCap(100, sender=world.guardian)
    assert told(world) == [("DepositCapSet", world.guardian, 100, 100)]
    world.router.raiseDepositCap(100, sender=world.governance)
    assert told(world) == [("DepositCapSet", world.governance, 100, 100)]
    assert world.router.depositCap() == 100


def test_deposit_cap__raised_above_the_books__is_none(world: World, whale: Address) -> None:
    world.router.lowerDepositCap(100, sender=world.guardian)
    assert world.router.maxDeposit(whale) == 100
    world.router.raiseDepositCap(MAX_128, sender=world.governance)
    assert world.router.maxDeposit(whale) > 2**100
    world.router.lowerDepositCap(99, sender=world.guardian)
    assert world.router.maxDeposit(whale) == 99


# ---- strategies


def test_add_strategy__first__is_told_with_its_first_limits(world: World) -> None:
    strategy = world.evm.deploy("StrategyDouble", world.asset)
    world.router.addStrategy(strategy, 70, 60, sender=world.governance)
    by, there = world.governance, strategy.address
    assert told(world) == [
        ("StrategyAdded", by, there, 70, 60),
        ("HealthLimitsSet", by, there, 500, 100),
        ("CapChanged", by, there, 0, 70, 0, 60),
    ]
    assert world.state(strategy) == [0, 70, 60, 500, 100, 0, True, False, 0]
    assert list(world.router.strategies()) == list(world.router.exitOrder()) == [there]


def test_add_strategy__bps_above_the_whole__refused(world: World) -> None:
    strategy = world.evm.deploy("StrategyDouble", world.asset)
    with reverts("OutOfBounds", BPS + 1, BPS):
        world.router.addStrategy(strategy, 70, BPS + 1, sender=world.governance)
    world.router.addStrategy(strategy, 70, BPS, sender=world.governance)


def test_add_strategy__nobody_or_itself_or_of_another_asset__refused(world: World) -> None:
    other = world.evm.deploy("TestToken", "X", "X", 18)
    foreign = world.evm.deploy("StrategyDouble", other)
    for wrong in (ZERO, world.router.address, foreign.address):
        with reverts("InvalidStrategy", wrong):
            world.router.addStrategy(wrong, 1, 1, sender=world.governance)


def test_add_strategy__twice__refused(world: World) -> None:
    strategy = world.add_strategy()
    with reverts("StrategyExists", strategy.address):
        world.router.addStrategy(strategy, 1, 1, sender=world.governance)


def test_add_strategy__holds_as_many_shares_as_the_books__accepted_and_one_more_refused(
    world: World,
) -> None:
    strategy = world.evm.deploy("StrategyDouble", world.asset)
    world.set_shares(strategy, MAX_128 + 1)
    with reverts("OutOfBounds", MAX_128 + 1, MAX_128):
        world.router.addStrategy(strategy, 1, 1, sender=world.governance)
    world.set_shares(strategy, MAX_128)
    world.router.addStrategy(strategy, 1, 1, sender=world.governance)
    assert world.state(strategy)[8] == MAX_128


def test_remove_strategy__empty__tells_only_that(world: World) -> None:
    strategy = world.add_strategy()
    world.router.removeStrategy(strategy, False, sender=world.governance)
    assert told(world) == [("StrategyRemoved", world.governance, strategy.address)]
    assert world.state(strategy) == [0, 0, 0, 0, 0, 0, False, False, 0]
    with reverts("UnknownStrategy", strategy.address):
        world.router.removeStrategy(strategy, False, sender=world.governance)


def test_remove_strategy__shares_without_debt__by_force_only(world: World) -> None:
    strategy = world.evm.deploy("StrategyDouble", world.asset)
    world.set_shares(strategy, 1)
    world.router.addStrategy(strategy, 1, 1, sender=world.governance)
    with reverts("StrategyNotEmpty", strategy.address, 0):
        world.router.removeStrategy(strategy, False, sender=world.governance)
    world.router.removeStrategy(strategy, True, sender=world.governance)
    assert told(world) == [("StrategyRemoved", world.governance, strategy.address)]


def test_remove_strategy__debt_of_one__is_written_off_and_told(
    world: World, whale: Address
) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.lend(strategy, 1)
    with reverts("StrategyNotEmpty", strategy.address, 1):
        world.router.removeStrategy(strategy, False, sender=world.governance)
    world.router.removeStrategy(strategy, True, sender=world.governance)
    by = world.governance
    assert told(world) == [
        ("StrategyReported", by, strategy.address, 0, 1, 0, 0, 0),
        ("StrategyRemoved", by, strategy.address),
    ]
    assert (world.router.totalAssets(), world.router.totalDebt()) == (9, 0)


def test_remove_strategy__profit_is_locked__pays_first_and_is_told(
    world: World, whale: Address
) -> None:
    first, second = world.add_strategy(), world.add_strategy()
    world.deposit(whale, 20)
    for strategy in (first, second):
        world.lend(strategy, 10)
    world.router.setProfitUnlockTime(1, sender=world.governance)
    first.gain(5)
    gain = world.report(first)[0]
    world.router.removeStrategy(second, True, sender=world.governance)
    locked = world.router.lockedShares()
    assert locked == 0 < gain
    reported = next(row for row in told(world) if row[0] == "StrategyReported")
    assert reported == ("StrategyReported", world.governance, second.address, 0, 10, 0, 0, 0)
    moved = next(row for row in told(world) if row[0] == "Transfer")
    assert moved == ("Transfer", world.router.address, ZERO, gain * SCALE)


def test_remove_strategy__the_last_or_one_between__order_stays(world: World) -> None:
    first, second, third = (world.add_strategy() for _ in range(3))
    router = world.router
    with world.evm.rollback():
        router.removeStrategy(second, False, sender=world.governance)
        kept = [first.address, third.address]
        assert list(router.strategies()) == list(router.exitOrder()) == kept
    router.removeStrategy(third, False, sender=world.governance)
    kept = [first.address, second.address]
    assert list(router.strategies()) == list(router.exitOrder()) == kept


def test_remove_strategy__one_loss_still_open__review_goes_on(world: World, whale: Address) -> None:
    lossy = world.add_strategy(loss_bps=100)
    sound = world.add_strategy()
    world.deposit(whale, 20)
    world.lend(lossy, 10)
    lossy.lose(5)
    world.report(lossy)
    world.router.removeStrategy(sound, False, sender=world.governance)
    assert world.router.maxDeposit(whale) == 0
    world.router.removeStrategy(lossy, True, sender=world.governance)
    assert world.router.maxDeposit(whale) > 0


def test_health_limits__any__are_told_and_read_back(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.router.setHealthLimits(strategy, 7, NO_LIMIT, sender=world.governance)
    row = ("HealthLimitsSet", world.governance, strategy.address, 7, NO_LIMIT)
    assert told(world) == [row]
    assert world.state(strategy)[3:5] == [7, NO_LIMIT]
    with reverts("UnknownStrategy", whale):
        world.router.setHealthLimits(whale, 7, 8, sender=world.governance)


def test_close_review__open__is_told_and_closed(world: World, whale: Address) -> None:
    strategy = world.add_strategy(gain_bps=0)
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    strategy.gain(10)
    world.report(strategy)
    assert world.state(strategy)[7]
    world.router.closeReview(strategy, sender=world.governance)
    assert told(world) == [("ReviewClosed", world.governance, strategy.address)]
    assert not world.state(strategy)[7]
    with reverts("UnknownStrategy", whale):
        world.router.closeReview(whale, sender=world.governance)


# ---- exit order


def test_exit_order__any__is_told_and_read_back(world: World) -> None:
    first, second, third = (world.add_strategy().address for _ in range(3))
    world.router.setExitOrder([third, first], sender=world.governance)
    assert told(world) == [("ExitOrderSet", world.governance, [third, first])]
    assert list(world.router.exitOrder()) == [third, first]
    assert list(world.router.strategies()) == [first, second, third]
    world.router.setExitOrder([], sender=world.governance)
    assert list(world.router.exitOrder()) == []


def test_exit_order__any_two_alike__refused(world: World) -> None:
    first, second = (world.add_strategy().address for _ in range(2))
    for order in ([first, first], [first, second, first], [second, first, first]):
        with reverts("StrategyExists", first):
            world.router.setExitOrder(order, sender=world.governance)


def test_exit_order__last_is_unknown__refused(world: World, whale: Address) -> None:
    first = world.add_strategy().address
    with reverts("UnknownStrategy", whale):
        world.router.setExitOrder([first, whale], sender=world.governance)


# ---- fees, times, limits


def test_fees__highest__accepted_told_and_read_back(world: World) -> None:
    treasury = world.evm.account("treasury")
    world.router.setFees((2_500, 200, treasury), sender=world.governance)
    assert told(world) == [("FeesSet", world.governance, 2_500, 200, treasury)]
    assert tuple(world.router.fees()) == (2_500, 200, treasury)


def test_fees__one_of_the_two_for_nobody__refused(world: World) -> None:
    for wrong in ((1, 0), (0, 1), (1, 1)):
        for nobody in (ZERO, world.router.address):
            with reverts("ZeroAddress"):
                world.router.setFees((*wrong, nobody), sender=world.governance)


def test_fees__none_for_nobody__accepted(world: World) -> None:
    world.router.setFees((1, 1, world.guardian), sender=world.governance)
    world.router.setFees((0, 0, ZERO), sender=world.governance)
    assert tuple(world.router.fees()) == (0, 0, ZERO)


def test_unlock_time__a_year__accepted_told_and_a_second_more_refused(world: World) -> None:
    world.router.setProfitUnlockTime(YEAR, sender=world.governance)
    assert told(world) == [("ProfitUnlockTimeSet", world.governance, 7 * 86_400, YEAR)]
    assert world.router.profitUnlockTime() == YEAR
    with reverts("OutOfBounds", YEAR + 1, YEAR):
        world.router.setProfitUnlockTime(YEAR + 1, sender=world.governance)


def test_plan_limits__any__are_told_and_read_back(world: World) -> None:
    world.router.setPlanLimits(7, 8, sender=world.governance)
    assert told(world) == [("PlanLimitsSet", world.governance, 7, 8)]
    assert world.router.planLimits() == (7, 8)


def test_plan_limits__all__accepted_and_a_point_more_of_either_refused(world: World) -> None:
    world.router.setPlanLimits(BPS, BPS, sender=world.governance)
    assert world.router.planLimits() == (BPS, BPS)
    with reverts("OutOfBounds", BPS + 1, BPS):
        world.router.setPlanLimits(BPS + 1, 0, sender=world.governance)
    with reverts("OutOfBounds", BPS + 1, BPS):
        world.router.setPlanLimits(0, BPS + 1, sender=world.governance)


# ---- policy and queue


def test_access_policy__set_and_taken_away__is_told(world: World) -> None:
    policy = world.evm.deploy("PolicyDouble").address
    world.router.setAccessPolicy(policy, sender=world.governance)
    assert told(world) == [("AccessPolicySet", world.governance, ZERO, policy)]
    assert world.router.accessPolicy() == policy
    world.router.setAccessPolicy(ZERO, sender=world.governance)
    assert told(world) == [("AccessPolicySet", world.governance, policy, ZERO)]
    assert world.router.accessPolicy() == ZERO


def test_exit_queue__replaced__is_told_with_what_waited(world: World) -> None:
    queue, following = world.evm.account("queue"), world.evm.account("next queue")
    world.router.setExitQueue(queue, sender=world.governance)
    world.router.setQueuedShares(7, sender=queue)
    assert told(world) == [("QueuedSharesSet", 0, 7)]
    world.router.setExitQueue(following, sender=world.governance)
    assert told(world) == [
        ("ExitQueueSet", world.governance, queue, following),
        ("QueuedSharesSet", 7, 0),
    ]
    assert (world.router.exitQueue(), world.router.queuedShares()) == (following, 0)
    with reverts("NotExitQueue", queue):
        world.router.setQueuedShares(1, sender=queue)


def test_exit_queue__replaced__a_named_strategy_outside_the_order_pays_again(
    world: World, whale: Address
) -> None:
    """While somebody waits only what the order can pay is free; of a new queue nobody does."""
    queue = world.evm.account("queue")
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    world.router.setExitOrder([], sender=world.governance)
    world.router.setExitQueue(queue, sender=world.governance)
    world.router.setQueuedShares(1, sender=queue)
    named = [strategy.address]
    with reverts("InsufficientLiquidity", 1, 0):
        world.router.redeem(SCALE, whale, whale, 0, named, sender=whale)
    for replaced in (False, True):
        with world.evm.rollback():
            if replaced:
                world.router.setExitQueue(world.guardian, sender=world.governance)
            else:
                world.router.setQueuedShares(0, sender=queue)
            assert world.router.redeem(SCALE, whale, whale, 0, named, sender=whale) == 1


def test_settings__from_inside_an_exit__strategies_and_plans_are_locked(
    world: World, whale: Address
) -> None:
    """Even by who may: a strategy that holds a role moves no books while it pays."""
    strategy = world.add_strategy()
    world.deposit(whale, 100)
    world.lend(strategy, 100)
    for name, args in (
        ("removeStrategy", (strategy.address, True)),
        ("processReport", (strategy.address,)),
        ("rebalance", (world.plan(),)),
    ):
        permit_role(world, 77, (name,), strategy)
        call = world.router.calldata(name, *args)
        strategy.arm(world.router, call)
        world.router.redeem(SCALE, whale, whale, sender=whale)
        assert strategy.calledBack()
        assert not strategy.callSucceeded()
        assert bytes(strategy.callResult()) == keccak(text="Reentered()")[:4]
        assert strategy.address in world.router.strategies()
