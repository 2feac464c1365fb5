"""Figures of the pool for `make bench`: gas beside its peers, attacks, oracle, harness speed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bench import amm_attack, amm_gas, amm_twap
from tests.fuzz.amm.test_pool_model import MARKETS, PoolAgainstModel, market

GOALS = {
    "pool_swap_first_gas": 58_000,
    "pool_swap_next_gas": 48_000,
    "pool_swap_pull_gas": 74_000,
}
HARNESS_GOAL = 10_000
ROUNDS = 5
HARNESS = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def harness_calls_per_second() -> float:
    """EVM calls of the pool's state machine per second of one core: the best of a few rounds.

    The machine is the one of the fuzz tests, and nothing of it is left out: drawing, encoding, the
    model, the comparison after each step. What else runs on the machine can only slow a round.
    """
    worlds = [market(n, None)[0].evm for n in range(len(MARKETS))]
    best = 0.0
    for _ in range(ROUNDS):
        before, started = sum(evm.calls for evm in worlds), time.process_time()
        run_state_machine_as_test(PoolAgainstModel, settings=HARNESS)
        calls = sum(evm.calls for evm in worlds) - before
        best = max(best, calls / (time.process_time() - started))
    return best


def measure() -> dict[str, float]:
    """Every figure by name."""
    figures: dict[str, float] = dict(amm_gas.measure())
    figures |= {f"{name}_goal": goal for name, goal in GOALS.items()}
    figures |= amm_attack.measure()
    figures |= amm_twap.measure()
    figures["harness_calls_per_second"] = round(harness_calls_per_second())
    return figures


def promises(figures: Mapping[str, Any]) -> dict[str, bool]:
    """No trip without shares profits, a swap costs less than v2's, and the fuzz tests are fast."""
    return {
        "pool_attack_profit": figures["pool_attack_profit"] <= 0,
        # A search that finds nothing on v2 or v3 would prove nothing about us.
        "univ2_attack_profit": figures["univ2_attack_profit"] > 0,
        "univ3_attack_profit": figures["univ3_attack_profit"] > 0,
        "pool_swap_first_gas": figures["pool_swap_first_gas"] < figures["univ2_swap_gas"],
        "pool_swap_next_gas": figures["pool_swap_next_gas"] < figures["univ2_swap_next_gas"],
        "harness_calls_per_second": figures["harness_calls_per_second"] >= HARNESS_GOAL,
    }
