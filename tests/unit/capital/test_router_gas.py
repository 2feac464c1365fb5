"""What the router costs, as whole transactions, against the committed snapshot and the goals.

`GAS_SNAPSHOT=write pytest tests/unit/capital/test_router_gas.py` writes the snapshot anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from tests.support.capital import DAY, MAX, World, build_world
from tests.support.evm import Evm

SNAPSHOT = Path(__file__).parents[2] / "gas" / "capital.json"
UNIT = 10**6
GOALS = {
    "router_deposit_gas": 68_000,
    "router_withdraw_idle_gas": 66_000,
    "router_withdraw_strategy_gas": 120_000,
}


def metered_world() -> World:
    """USDC-like token, metered exits, a plain vault as strategy, a holder who was here before."""
    world = build_world(Evm(), decimals=6, metered=True)
    assert world.breaker is not None
    limit = (10**15, DAY, 10**12)
    world.breaker.setLimit(world.router, world.asset, *limit, sender=world.governance)
    world.add_strategy("PlainVault")
    for name in ("whale", "investor"):
        world.deposit(world.evm.account(name), 10_000 * UNIT)
    world.fund(world.evm.account("whale"), 10_000 * UNIT)
    world.evm.mine(100)
    return world


def cost(world: World, call: Callable[[], object]) -> int:
    with world.evm.metered():
        call()
    assert world.evm.last is not None
    return int(world.evm.last.gas_total)


def figures() -> dict[str, int]:
    world = metered_world()
    router, whale = world.router, world.evm.account("whale")
    strategy = world.strategies[0]
    found = {
        "router_deposit_gas": cost(
            world, lambda: router.deposit(1_000 * UNIT, whale, sender=whale)
        ),
        "router_withdraw_idle_gas": cost(
            world, lambda: router.withdraw(900 * UNIT, whale, whale, sender=whale)
        ),
        "router_redeem_idle_gas": cost(
            world, lambda: router.redeem(100 * UNIT * 10**12, whale, whale, sender=whale)
        ),
    }
    rebalance = world.plan((strategy, True, 19_000 * UNIT, 0))
    found["router_rebalance_one_move_gas"] = cost(
        world, lambda: router.rebalance(rebalance, sender=world.allocator)
    )
    idle = router.idle()
    found["router_withdraw_strategy_gas"] = cost(
        world, lambda: router.withdraw(idle + 1_000 * UNIT, whale, whale, sender=whale)
    )
    world.asset.mint(strategy, 5 * UNIT)
    found["router_report_gain_gas"] = cost(
        world, lambda: router.processReport(strategy, sender=world.keeper)
    )
    world.evm.mine(1)
    found["router_deposit_while_locked_gas"] = cost(
        world, lambda: router.deposit(1_000 * UNIT, whale, sender=whale)
    )
    found["router_transfer_gas"] = cost(
        world, lambda: router.transfer(world.evm.account("investor"), UNIT, sender=whale)
    )
    found["router_redeem_in_kind_gas"] = cost(
        world, lambda: router.redeemInKind(UNIT * 10**12, whale, whale, sender=whale)
    )
    assert router.allowance(whale, whale) == 0 < MAX
    return found


def test_gas__whole_transactions__meet_goals_and_snapshot() -> None:
    measured = figures()
    if os.environ.get("GAS_SNAPSHOT") == "write":
        SNAPSHOT.write_text(json.dumps(measured, indent=2) + "\n")
    for name, goal in GOALS.items():
        assert measured[name] <= goal, f"{name}: {measured[name]} > {goal}"
    assert measured == json.loads(SNAPSHOT.read_text()), "rerun with GAS_SNAPSHOT=write and explain"
