"""The strategy in our own pool through the kit: the asset as token0, 6 decimals, then token1."""

from __future__ import annotations

from tests.kit import Reasons, StrategyKit
from tests.kit.guarded_pool import GuardedPool


class TestGuardedPool(StrategyKit):
    adapter = GuardedPool
    cannot = Reasons(
        {
            "pause": "what waits as the asset can leave in every state of the pool",
            "run_dry": "likewise; see test_guarded_pool_strategy.py for locks and states",
        }
    )
    waives = Reasons(
        {
            "test_deposit__afterwards__nothing_lies_idle_and_no_allowance_stands": (
                "capital waits as the asset until the keeper invests it"
            )
        }
    )
