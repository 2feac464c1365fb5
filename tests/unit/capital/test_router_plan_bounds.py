"""Plans of the router, to the unit: what they may move, lose and leave idle."""

from __future__ import annotations

from typing import Any

from tests.support.capital import (
    BPS,
    DAY,
    FROZEN,
    MAX_112,
    MAX_128,
    THROTTLED,
    World,
)
from tests.support.evm import Address, Contract, reverts

SCALE = 10**6
SHORT = 5
WITHDRAW = bytes.fromhex("b460af94")


def run(world: World, *moves: tuple[Any, bool, int, int], **terms: Any) -> tuple[Any, ...]:
    plan = world.plan(*moves, **terms)
    world.router.rebalance(plan, sender=world.allocator)
    return plan


def lent(world: World, holder: Address, assets: int, kind: str = "StrategyDouble") -> Contract:
    strategy = world.add_strategy(kind)
    world.deposit(holder, assets)
    world.lend(strategy, assets)
    return strategy


# ---- which plans run


def test_rebalance__in_the_second_of_its_expiry__runs(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    run(world, (strategy, True, 1, 0), expiry=world.evm.timestamp)
    assert world.debt(strategy) == 1


def test_rebalance__no_move__is_told(world: World, whale: Address) -> None:
    world.deposit(whale, 10)
    plan = run(world)
    row = (world.allocator, plan[0], world.router.planHash(plan), 10, 10)
    assert world.evm.told("PlanExecuted") == [row]


def test_rebalance__at_a_loss__is_told_with_both_totals(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    strategy.setFees(1_000, 0)
    world.deposit(whale, 1_000)
    plan = run(world, (strategy, True, 100, 0))
    row = (world.allocator, plan[0], world.router.planHash(plan), 1_000, 990)
    assert world.evm.told("PlanExecuted") == [row]
    assert world.evm.told("DebtMoved") == [(plan[0], strategy.address, True, 100, 90, 90, 900)]


def test_rebalance__moves_together_above_the_small__need_approval(
    world: World, whale: Address
) -> None:
    """A tenth of what is idle and lent may move without."""
    strategy = lent(world, whale, 60)
    world.deposit(whale, 40)
    world.router.setPlanLimits(1_000, BPS, sender=world.governance)
    run(world, (strategy, True, 4, 0), (strategy, False, 6, 0))
    plan = world.plan((strategy, True, 5, 0), (strategy, False, 6, 0))
    with reverts("PlanNotApproved", world.router.planHash(plan)):
        world.router.rebalance(plan, sender=world.allocator)


def test_rebalance__small_and_approved__uses_the_approval_up(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    plan = world.plan((strategy, True, 1, 0))
    world.router.approvePlan(world.router.planHash(plan), sender=world.governance)
    world.router.rebalance(plan, sender=world.allocator)
    assert not world.router.isPlanApproved(world.router.planHash(plan))
    assert world.router.isPlanExecuted(plan[0])


def test_rebalance__throttled__second_move_that_lends_is_refused(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10)
    world.set_state(THROTTLED)
    with reverts("EmergencyStateForbids", THROTTLED):
        run(world, (strategy, False, 5, 0), (strategy, True, 5, 0))


# ---- lending


def test_lend__all_that_is_idle__moves_and_one_more_is_refused(
    world: World, whale: Address
) -> None:
    lent(world, whale, 5)
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    with reverts("InsufficientLiquidity", 11, 10):
        world.lend(strategy, 11)
    world.lend(strategy, 10)
    assert (world.router.idle(), world.router.totalDebt(), world.debt(strategy)) == (0, 15, 10)


def test_lend__worth_its_least__moves(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    strategy.setFees(1_000, 0)
    world.deposit(whale, 100)
    with reverts("SlippageExceeded", 90, 91):
        run(world, (strategy, True, 100, 91))
    run(world, (strategy, True, 100, 90))
    assert world.debt(strategy) == 90


def test_lend__shares_fill_their_bits__moves_and_one_more_is_refused(
    world: World, whale: Address
) -> None:
    world.deposit(whale, 10)
    for held, fits in ((MAX_128 - 1, True), (MAX_128, False)):
        strategy = world.evm.deploy("StrategyDouble", world.asset)
        world.set_shares(strategy, held)
        world.router.addStrategy(strategy, MAX_112, BPS, sender=world.governance)
        if fits:
            world.lend(strategy, 1)
            assert world.state(strategy)[8] == MAX_128
        else:
            with reverts("OutOfBounds", MAX_128 + 1, MAX_128):
                world.lend(strategy, 1)


def test_lend__strategy_has_the_router_frozen__stays_frozen(world: World, whale: Address) -> None:
    """Property: S2."""
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.freeze_inside(strategy)
    world.lend(strategy, 5)
    assert world.router.emergencyState() == FROZEN


def test_recall__strategy_has_the_router_frozen__stays_frozen(world: World, whale: Address) -> None:
    """Property: S2."""
    strategy = lent(world, whale, 10)
    world.freeze_inside(strategy)
    world.recall(strategy, 5)
    assert world.router.emergencyState() == FROZEN


def test_lend__gift_beside_the_books__is_not_counted(world: World, whale: Address) -> None:
    """Property: R8. Neither assets nor shares that somebody sent."""
    strategy = lent(world, whale, 10)
    world.deposit(whale, 10)
    world.asset.mint(world.router, 7)
    world.asset.mint(whale, 5)
    world.asset.approve(strategy, 5, sender=whale)
    strategy.deposit(5, world.router, sender=whale)
    world.lend(strategy, 4)
    assert (world.debt(strategy), world.state(strategy)[8]) == (14, 14)
    assert world.router.idle() == 6


def test_lend__under_review__refused_and_a_recall_is_not(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.deposit(whale, 10)
    world.set_health(strategy, gain_bps=0)
    strategy.gain(10)
    world.report(strategy)
    assert world.router.capacity(strategy) == 0
    with reverts("StrategyUnderReview", strategy.address):
        world.lend(strategy, 1)
    world.recall(strategy, 1)


# ---- recalling


def test_recall__all_there_is__moves_and_one_more_is_refused(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.deposit(whale, 5)
    with reverts("InsufficientLiquidity", 11, 10):
        world.recall(strategy, 11)
    plan = run(world, (strategy, False, 10, 10))
    assert world.evm.told("DebtMoved") == [(plan[0], strategy.address, False, 10, 10, 0, 15)]
    assert (world.debt(strategy), world.state(strategy)[8]) == (0, 0)


def test_recall__from_one_that_owes_nothing__refused(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    with reverts("InsufficientLiquidity", 1, 0):
        world.recall(strategy, 1)


def test_recall__a_single_unit__moves(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.recall(strategy, 1)
    assert (world.router.idle(), world.debt(strategy)) == (1, 9)


def test_recall__half_arrives__that_much_is_booked(world: World, whale: Address) -> None:
    """Property: R1. The debt was asked for whole; what did not come is a loss of the plan."""
    strategy = lent(world, whale, 100)
    world.deposit(whale, 7)
    strategy.setFault(WITHDRAW, SHORT)
    with reverts("SlippageExceeded", 20, 21):
        run(world, (strategy, False, 40, 21))
    with reverts("PlanLossExceeded", 20, 19):
        run(world, (strategy, False, 40, 20), max_loss=19)
    run(world, (strategy, False, 40, 20), max_loss=20)
    assert (world.router.idle(), world.debt(strategy)) == (27, 60)
    assert world.router.totalAssets() == 87


def test_recall__unreported_loss__takes_its_part_of_the_debt(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    strategy.lose(7)
    run(world, (strategy, False, 2, 0), max_loss=5)
    assert (world.router.idle(), world.debt(strategy)) == (2, 3)


# ---- what plans may lose in a day


def costly(world: World, holder: Address, budget_bps: int) -> Contract:
    """A strategy whose way in costs a tenth; 1 000 of 1 500 are idle, 500 are lent elsewhere."""
    sound, strategy = lent(world, holder, 500), world.add_strategy()
    assert world.debt(sound) == 500
    world.deposit(holder, 1_000)
    strategy.setFees(1_000, 0)
    world.router.setPlanLimits(BPS, budget_bps, sender=world.governance)
    return strategy


def test_epoch_budget__is_of_idle_and_lent(world: World, whale: Address) -> None:
    costly(world, whale, 100)
    assert world.router.epochBudgetLeft() == 15


def test_epoch_budget__spent_to_the_last__accepted_and_one_more_refused(
    world: World, whale: Address
) -> None:
    """Property: R6."""
    strategy = costly(world, whale, 100)
    with reverts("EpochBudgetExceeded", 16, 15):
        run(world, (strategy, True, 160, 0))
    run(world, (strategy, True, 150, 0))
    assert world.router.totalAssets() == 1_485
    assert world.router.epochBudgetLeft() == 0
    with reverts("EpochBudgetExceeded", 1, 0):
        run(world, (strategy, True, 10, 0))


def test_epoch_budget__two_plans_in_a_day__add_up(world: World, whale: Address) -> None:
    """Property: R6."""
    strategy = costly(world, whale, 1_000)
    run(world, (strategy, True, 100, 0))
    assert world.router.epochBudgetLeft() == 149 - 10
    run(world, (strategy, True, 200, 0))
    assert world.router.epochBudgetLeft() == 147 - 30


def test_epoch_budget__a_plan_without_loss_on_the_next_day__spends_nothing(
    world: World, whale: Address
) -> None:
    strategy = costly(world, whale, 1_000)
    run(world, (strategy, True, 100, 0))
    world.evm.mine(1, DAY)
    world.recall(strategy, 10)
    assert world.router.epochBudgetLeft() == 149


def test_epoch_budget__at_midnight__starts_anew_and_counts(world: World, whale: Address) -> None:
    """Property: R6. Epochs are whole days."""
    strategy = costly(world, whale, 1_000)
    midnight = (world.evm.timestamp // DAY + 1) * DAY
    world.evm.warp(midnight - 1)
    run(world, (strategy, True, 100, 0))
    assert world.router.epochBudgetLeft() == 139
    world.evm.warp(midnight)
    assert world.router.epochBudgetLeft() == 149
    run(world, (strategy, True, 100, 0))
    assert world.router.epochBudgetLeft() == 148 - 10


# ---- what stays idle


def test_idle_floor__does_not_divide__is_rounded_up(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 101)
    world.router.raiseIdleFloor(1_000, sender=world.guardian)
    with reverts("IdleFloorBreached", 10, 11):
        world.lend(strategy, 91)
    world.lend(strategy, 90)
    assert world.router.idle() == 11


def test_idle_floor__raised_above_what_is_idle__recalls_still_run(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 100)
    world.router.raiseIdleFloor(5_000, sender=world.guardian)
    world.recall(strategy, 1)
    assert world.router.idle() == 1


def test_idle_floor__somebody_waits_for_a_fraction__a_unit_more_stays(
    world: World, whale: Address
) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 101)
    world.router.raiseIdleFloor(1_000, sender=world.guardian)
    queue = world.evm.account("queue")
    world.router.setExitQueue(queue, sender=world.governance)
    world.router.setQueuedShares(20 * SCALE + 1, sender=queue)
    with reverts("IdleFloorBreached", 31, 32):
        world.lend(strategy, 70)
    world.lend(strategy, 69)


# ---- caps


def test_cap__relative__is_of_idle_and_lent(world: World, whale: Address) -> None:
    lent(world, whale, 60)
    world.deposit(whale, 40)
    strategy = world.add_strategy(bps=3_000)
    assert world.router.capacity(strategy) == 30
    world.lend(strategy, 10)
    assert world.router.capacity(strategy) == 20
    with reverts("CapExceeded", strategy.address, 31, 30):
        world.lend(strategy, 21)
    world.lend(strategy, 20)


def test_cap__of_the_whole__no_report_limits_it(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.report(strategy)
    world.deposit(whale, 90)
    assert world.router.capacity(strategy) == MAX_112 - 10
    world.lend(strategy, 90)


def test_cap__relative__of_no_more_than_was_reported(world: World, whale: Address) -> None:
    """Property: R4."""
    strategy = lent(world, whale, 1)
    world.router.lowerCap(strategy, MAX_112, 5_000, sender=world.guardian)
    other = world.add_strategy(bps=5_000)
    world.deposit(whale, 9)
    assert world.router.capacity(other) == 5
    world.report(strategy)
    world.deposit(whale, 90)
    assert world.router.capacity(other) == 5, "half of the ten that the report saw"


def test_cap__a_single_unit_was_reported__is_what_counts(world: World, whale: Address) -> None:
    """Property: R4."""
    strategy = lent(world, whale, 1)
    other = world.add_strategy(bps=5_000)
    world.report(strategy)
    world.deposit(whale, 99)
    assert world.router.capacity(other) == 0


def test_capacity__of_no_strategy__is_nothing(world: World, whale: Address) -> None:
    assert world.router.capacity(whale) == 0


def test_capacity__cap_lowered_below_the_debt__is_nothing(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.router.lowerCap(strategy, 9, BPS, sender=world.guardian)
    assert world.router.capacity(strategy) == 0
    world.router.raiseCap(strategy, 11, BPS, sender=world.governance)
    assert world.router.capacity(strategy) == 1
