"""Unit tests of plans: who may run which, what they may lose, what they may lift."""

from __future__ import annotations

from eth_abi import encode
from eth_utils.crypto import keccak

from tests.support.capital import (
    BPS,
    DAY,
    MAX_112,
    THROTTLED,
    WITHDRAW_ONLY,
    World,
    build_world,
)
from tests.support.evm import CHAIN_ID, Address, reverts

UNIT = 10**18
PLAN = "(bytes32,uint40,uint128,(address,bool,uint128,uint128)[])"


def run(world: World, plan: object) -> None:
    world.router.rebalance(plan, sender=world.allocator)


def test_rebalance__moves__run_in_the_given_order(world: World, whale: Address) -> None:
    """Property: R1."""
    first, second = world.add_strategy(), world.add_strategy()
    world.deposit(whale, 100 * UNIT)
    world.lend(first, 100 * UNIT)
    run(
        world,
        world.plan((first, False, 40 * UNIT, 40 * UNIT), (second, True, 40 * UNIT, 40 * UNIT)),
    )
    assert (world.debt(first), world.debt(second)) == (60 * UNIT, 40 * UNIT)
    assert world.router.totalAssets() == 100 * UNIT == world.router.totalDebt()
    with reverts("InsufficientLiquidity"):
        run(world, world.plan((first, True, 1, 0), (second, False, 1, 0)))


def test_rebalance__events__rebuild_debts_and_idle(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 100 * UNIT)
    plan = world.plan((strategy, True, 70 * UNIT, 0), (strategy, False, 20 * UNIT, 0))
    run(world, plan)
    moved = [e.args for e in world.evm.last.logs if e.name == "DebtMoved"]
    assert [(m["lend"], m["assets"], m["debt"], m["idle"]) for m in moved] == [
        (True, 70 * UNIT, 70 * UNIT, 30 * UNIT),
        (False, 20 * UNIT, 50 * UNIT, 50 * UNIT),
    ]
    done = next(e.args for e in world.evm.last.logs if e.name == "PlanExecuted")
    assert done["planHash"] == world.router.planHash(plan)
    assert done["totalAssetsBefore"] == done["totalAssetsAfter"] == 100 * UNIT


def test_rebalance__replayed__reverts(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 100)
    plan = world.plan((strategy, True, 10, 0))
    run(world, plan)
    assert world.router.isPlanExecuted(plan[0])
    with reverts("PlanAlreadyExecuted", plan[0]):
        run(world, plan)


def test_rebalance__expired__reverts(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 100)
    plan = world.plan((strategy, True, 10, 0), expiry=world.evm.timestamp)
    world.evm.mine(1, 1)
    with reverts("PlanExpired", world.evm.timestamp - 1):
        run(world, plan)


def test_rebalance__by_anyone_else__reverts(world: World, attacker: Address) -> None:
    with reverts("AccessManagedUnauthorized"):
        world.router.rebalance(world.plan(), sender=attacker)


def test_rebalance__large__needs_exactly_the_approved_plan(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.router.setPlanLimits(1_000, BPS, sender=world.governance)
    world.deposit(whale, 100 * UNIT)
    run(world, world.plan((strategy, True, 10 * UNIT, 0)))
    plan = world.plan((strategy, True, 10 * UNIT + 1, 0))
    approved = world.router.planHash(plan)
    assert approved == keccak(
        encode(
            ["uint256", "address", PLAN],
            [
                CHAIN_ID,
                world.router.address,
                (*plan[:3], [(strategy.address, *m[1:]) for m in plan[3]]),
            ],
        )
    )
    with reverts("PlanNotApproved", approved):
        run(world, plan)
    with reverts("AccessManagedUnauthorized"):
        world.router.approvePlan(approved, sender=world.allocator)
    world.router.approvePlan(approved, sender=world.governance)
    altered = (*plan[:3], [(strategy, True, 10 * UNIT + 2, 0)])
    with reverts("PlanNotApproved", world.router.planHash(altered)):
        run(world, altered)
    world.router.revokePlan(approved, sender=world.guardian)
    with reverts("PlanNotApproved", approved):
        run(world, plan)
    world.router.approvePlan(approved, sender=world.governance)
    run(world, plan)
    assert not world.router.isPlanApproved(approved)


def test_plan_hash__other_router__differs(world: World) -> None:
    other = build_world(world.evm)
    plan = world.plan()
    assert world.router.planHash(plan) != other.router.planHash(plan)


def test_rebalance__loss__of_the_budget_passes_and_one_more_reverts(
    world: World, whale: Address
) -> None:
    """Property: R6."""
    strategy = world.add_strategy()
    strategy.setFees(100, 0)
    world.deposit(whale, 100 * UNIT)
    loss = UNIT // 10
    with reverts("PlanLossExceeded", loss, loss - 1):
        run(world, world.plan((strategy, True, 10 * UNIT, 0), max_loss=loss - 1))
    run(world, world.plan((strategy, True, 10 * UNIT, 0), max_loss=loss))
    assert world.router.totalAssets() == 100 * UNIT - loss


def test_rebalance__many_plans__share_the_epoch_budget(world: World, whale: Address) -> None:
    """Property: R6."""
    strategy = world.add_strategy()
    strategy.setFees(100, 0)
    world.deposit(whale, 100 * UNIT)
    world.router.setPlanLimits(BPS, 15, sender=world.governance)
    run(world, world.plan((strategy, True, 10 * UNIT, 0)))
    assert 0 < world.router.epochBudgetLeft() < UNIT // 20
    with reverts("EpochBudgetExceeded"):
        run(world, world.plan((strategy, True, 10 * UNIT, 0)))
    world.evm.mine(1, DAY)
    run(world, world.plan((strategy, True, 10 * UNIT, 0)))


def test_rebalance__below_the_least_of_a_move__reverts(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    strategy.setFees(100, 0)
    world.deposit(whale, 100 * UNIT)
    with reverts("SlippageExceeded", 99 * UNIT // 10, 99 * UNIT // 10 + 1):
        run(world, world.plan((strategy, True, 10 * UNIT, 99 * UNIT // 10 + 1)))
    world.lend(strategy, 10 * UNIT)
    strategy.setFault(bytes.fromhex("b460af94"), 5)
    with reverts("SlippageExceeded", UNIT // 2, UNIT):
        run(world, world.plan((strategy, False, UNIT, UNIT)))


def test_rebalance__recall_at_a_loss__books_it_in_the_plan(world: World, whale: Address) -> None:
    """Property: R6."""
    strategy = world.add_strategy()
    world.deposit(whale, 100 * UNIT)
    world.lend(strategy, 100 * UNIT)
    strategy.lose(50 * UNIT)
    with reverts("PlanLossExceeded"):
        run(world, world.plan((strategy, False, 10 * UNIT, 0), max_loss=9 * UNIT))
    run(world, world.plan((strategy, False, 10 * UNIT, 0), max_loss=11 * UNIT))
    assert 90 * UNIT - 10 <= world.router.totalAssets() <= 90 * UNIT


def test_rebalance__above_a_cap__reverts(world: World, whale: Address) -> None:
    """Property: R4."""
    strategy = world.add_strategy(cap=50 * UNIT, bps=4_000)
    world.deposit(whale, 100 * UNIT)
    assert world.router.capacity(strategy) == 40 * UNIT
    with reverts("CapExceeded", strategy.address, 40 * UNIT + 1, 40 * UNIT):
        world.lend(strategy, 40 * UNIT + 1)
    world.lend(strategy, 40 * UNIT)
    assert world.router.capacity(strategy) == 0
    world.deposit(whale, 100 * UNIT)
    assert world.router.capacity(strategy) == 10 * UNIT
    with reverts("CapExceeded", strategy.address, 50 * UNIT + 1, 50 * UNIT):
        world.lend(strategy, 10 * UNIT + 1)


def test_rebalance__flash_deposit__lifts_no_cap(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R4."""
    strategy = world.add_strategy(bps=5_000)
    world.deposit(whale, 100 * UNIT)
    world.lend(strategy, 50 * UNIT)
    world.report(strategy)
    shares = world.deposit(attacker, 900 * UNIT)
    assert world.router.capacity(strategy) == 0
    with reverts("CapExceeded", strategy.address, 50 * UNIT + 1, 50 * UNIT):
        world.lend(strategy, 1)
    world.router.redeem(shares, attacker, attacker, sender=attacker)
    assert world.debt(strategy) * 2 <= world.router.totalAssets()


def test_rebalance__idle_floor_and_queue__are_not_lent(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    queue = world.evm.account("queue")
    world.router.raiseIdleFloor(2_000, sender=world.guardian)
    world.deposit(whale, 80 * UNIT)
    queued = world.deposit(queue, 20 * UNIT)
    with reverts("IdleFloorBreached", 20 * UNIT - 1, 20 * UNIT):
        world.lend(strategy, 80 * UNIT + 1)
    world.router.setExitQueue(queue, sender=world.governance)
    world.router.setQueuedShares(queued, sender=queue)
    with reverts("IdleFloorBreached", 40 * UNIT - 1, 40 * UNIT):
        world.lend(strategy, 60 * UNIT + 1)
    world.lend(strategy, 60 * UNIT)
    world.router.setQueuedShares(0, sender=queue)
    world.lend(strategy, 20 * UNIT)
    world.recall(strategy, UNIT)


def test_rebalance__throttled__only_recalls(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 100)
    world.lend(strategy, 50)
    world.set_state(THROTTLED)
    with reverts("EmergencyStateForbids", THROTTLED):
        world.lend(strategy, 10)
    world.recall(strategy, 10)
    world.set_state(WITHDRAW_ONLY)
    with reverts("EmergencyStateForbids", WITHDRAW_ONLY):
        world.recall(strategy, 10)


def test_rebalance__strategy_takes_less_or_is_unknown__reverts(
    world: World, whale: Address
) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 100)
    with reverts("UnknownStrategy"):
        run(world, world.plan((whale, True, 10, 0)))
    with reverts("ZeroAmount"):
        run(world, world.plan((strategy, True, 0, 0)))
    strategy.setFault(bytes.fromhex("6e553f65"), 3)
    with reverts("AssetsArrivedDiffer", 10, 0):
        world.lend(strategy, 10)
    assert world.asset.allowance(world.router, strategy) == 0


def test_rebalance__reentered_by_a_strategy__is_refused(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    shares = world.deposit(whale, 100)
    for call in (
        world.router.deposit.encode(1, whale.__str__()),
        world.router.redeem.encode(shares, str(whale), str(whale)),
        world.router.totalAssets.encode(),
        world.router.sharePriceWad.encode(),
        world.router.processReport.encode(strategy.address),
    ):
        strategy.arm(world.router, call)
        world.lend(strategy, 10)
        assert strategy.calledBack()
        assert not strategy.callSucceeded()
    strategy.arm(world.router, world.router.maxWithdraw.encode(str(whale)))
    world.lend(strategy, 10)
    assert strategy.callSucceeded()
    assert int.from_bytes(strategy.callResult(), "big") == 0, "max answers 0 inside a call"


def test_pull__reentered_by_a_strategy__is_refused(world: World, whale: Address) -> None:
    """Read-only reentrancy: a strategy that is asked for money sees no price."""
    strategy = world.add_strategy()
    shares = world.deposit(whale, 100)
    world.lend(strategy, 100)
    for call in (
        world.router.convertToAssets.encode(1),
        world.router.previewRedeem.encode(1),
        world.router.transfer.encode(str(whale), 0),
        world.router.rebalance.encode(world.plan()),
    ):
        strategy.arm(world.router, call)
        world.router.redeem(shares // 10, whale, whale, sender=whale)
        assert strategy.calledBack()
        assert not strategy.callSucceeded()


def test_cap__absolute_above_the_books__means_none(world: World) -> None:
    strategy = world.add_strategy(cap=2**128 - 1)
    assert world.state(strategy)[1] == MAX_112
