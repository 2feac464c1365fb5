"""Figures of the pool for `make bench`: gas beside its peers, attacks, oracle, harness speed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tests.bench import amm_attack, amm_gas, amm_twap
from tests.support.amm import ANY_FEE, FOREVER, PoolWorld
from tests.support.evm import Evm

GOALS = {
    "pool_swap_first_gas": 58_000,
    "pool_swap_next_gas": 48_000,
    "pool_swap_pull_gas": 74_000,
}
CALLS = 20_000


def calls_per_second() -> float:
    """Encoded swaps, to and fro over many blocks, that the EVM under the fuzz tests executes."""
    world = PoolWorld(Evm())
    trader = world.evm.account("trader")
    data = [
        world.pool.calldata("swapExactIn", side, 10**18 + n, 0, str(trader), ANY_FEE, FOREVER)
        for n, side in enumerate((True, False))
    ]
    target = world.pool.address
    started = time.perf_counter()
    for n in range(CALLS):
        if n % 50 == 0:
            world.evm.mine()
        succeeded, _ = world.evm.raw(str(trader), target, data[n % 2])
        assert succeeded, "a swap of the speed test failed"
    return CALLS / (time.perf_counter() - started)


def measure() -> dict[str, float]:
    """Every figure by name."""
    figures: dict[str, float] = dict(amm_gas.measure())
    figures |= {f"{name}_goal": goal for name, goal in GOALS.items()}
    figures |= amm_attack.measure()
    figures |= amm_twap.measure()
    figures["evm_pool_swaps_per_second"] = round(calls_per_second())
    return figures


def promises(figures: Mapping[str, Any]) -> dict[str, bool]:
    """What the pool promises: no trip without shares profits, and a swap costs less than v2's."""
    return {
        "pool_attack_profit": figures["pool_attack_profit"] <= 0,
        # A search that finds nothing on v2 would prove nothing about us.
        "univ2_attack_profit": figures["univ2_attack_profit"] > 0,
        "pool_swap_first_gas": figures["pool_swap_first_gas"] < figures["univ2_swap_gas"],
        "pool_swap_next_gas": figures["pool_swap_next_gas"] < figures["univ2_swap_next_gas"],
    }
