"""Whole-transaction gas of our pool beside Uniswap v2, v3 and v4: one chain, one token, one trader.

The trader is warmed: every balance and every slot of the pools that a trade writes is already
non-zero, approvals are unlimited. Every figure is what a receipt would show for a transaction that
starts cold. Nothing here judges; tests/gas does.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.support import uniswap
from tests.support.amm import ANY_FEE, FOREVER, NEVER_ENDING, PoolWorld
from tests.support.evm import Evm

UNIT = 10**18
RESERVES = (10**6 * UNIT, 2 * 10**6 * UNIT)
DEADLINE = 300


class Scene:
    """All pools with the same reserves of the same two tokens, traded on for three blocks."""

    def __init__(self) -> None:
        # v4 needs transient storage; the rest costs the same on both specs.
        self.evm = Evm(spec="CANCUN")
        # Block times that end no observation period unless a figure asks for it.
        self.world = PoolWorld(self.evm, reserves=RESERVES)
        self.pool, self.tokens = self.world.pool, self.world.tokens
        self.trader = self.evm.account("trader")
        whale = self.world.whale
        self.v2 = uniswap.v2(self.evm, self.tokens, RESERVES, whale)
        self.v3 = uniswap.v3(self.evm, self.tokens, RESERVES, whale)
        self.v4 = uniswap.v4(self.evm, self.tokens, RESERVES, whale)
        for spender in (self.v2.router, self.v3.router, self.v4.router):
            for token in self.tokens:
                token.approve(spender, NEVER_ENDING, sender=self.trader)
        self.pool.increaseObservationCardinality(8)
        self._warm()

    def _warm(self) -> None:
        path = [t.address for t in self.tokens]
        for _ in range(3):
            self.evm.mine(seconds=60)
            for side in (True, False):
                self.world.sell(self.trader, UNIT, side)
                uniswap.v2_sell(self.v2, self.tokens, self.trader, UNIT, side)
                uniswap.v3_sell(self.v3, self.tokens, self.trader, UNIT, side)
                uniswap.v4_sell(self.v4, self.trader, UNIT, side)
        self.pool.mint(UNIT, 3 * UNIT, 0, FOREVER, sender=self.trader)
        self.v2.router.addLiquidity(
            *path, UNIT, 3 * UNIT, 0, 0, self.trader, FOREVER, sender=self.trader
        )
        self.v2.pair.approve(self.v2.router, NEVER_ENDING, sender=self.trader)
        self.evm.mine(3, seconds=36)
        # Start of an observation period, so that a block later none has passed.
        self.evm.mine(seconds=60 - self.evm.timestamp % 60)
        self.world.sell(self.trader, 100 * UNIT)
        self.v2_pair()

    def gas(self, action: Callable[[], object], seconds: int | None = None) -> int:
        """Gas of the last call of an action, in this block or in the next; then undone."""
        with self.evm.rollback():
            if seconds is not None:
                self.evm.mine(seconds=seconds)
            with self.evm.metered():
                action()
            assert self.evm.last is not None
            return self.evm.last.gas_total

    def prepaid(self) -> None:
        self.tokens[0].transfer(self.pool, UNIT, sender=self.trader)
        self.pool.swapExactInPrepaid(
            True, UNIT, self.trader, ANY_FEE, self.evm.timestamp + DEADLINE, sender=self.trader
        )

    def pull(self) -> None:
        self.pool.swapExactIn(
            *(True, UNIT, UNIT, self.trader, ANY_FEE, self.evm.timestamp + DEADLINE),
            sender=self.trader,
        )

    def mint(self) -> None:
        deadline = self.evm.timestamp + DEADLINE
        self.pool.mint(UNIT, 3 * UNIT, 1, deadline, sender=self.trader)

    def burn(self) -> None:
        deadline = self.evm.timestamp + DEADLINE
        self.pool.burn(UNIT // 2, 1, 1, self.trader, deadline, sender=self.trader)

    def v2_pair(self) -> None:
        uniswap.v2_sell(self.v2, self.tokens, self.trader, UNIT, True)

    def v2_router(self) -> None:
        self.v2.router.swapExactTokensForTokens(
            *(UNIT, UNIT, [t.address for t in self.tokens], self.trader),
            self.evm.timestamp + DEADLINE,
            sender=self.trader,
        )

    def v2_mint(self) -> None:
        path = [t.address for t in self.tokens]
        self.v2.router.addLiquidity(
            *(*path, UNIT, 3 * UNIT, 1, 1, self.trader, self.evm.timestamp + DEADLINE),
            sender=self.trader,
        )

    def v2_burn(self) -> None:
        path = [t.address for t in self.tokens]
        self.v2.router.removeLiquidity(
            *(*path, UNIT // 2, 1, 1, self.trader, self.evm.timestamp + DEADLINE),
            sender=self.trader,
        )

    def v3_router(self) -> None:
        uniswap.v3_sell(self.v3, self.tokens, self.trader, UNIT, True)

    def v4_router(self) -> None:
        uniswap.v4_sell(self.v4, self.trader, UNIT, True)


def measure() -> dict[str, int]:
    """Every figure by its name in reports/bench.json."""
    scene = Scene()
    own, block = scene.gas, 12
    return {
        "pool_swap_first_gas": own(scene.prepaid, block),
        "pool_swap_next_gas": own(scene.prepaid),
        "pool_swap_pull_gas": own(scene.pull, block),
        "pool_swap_pull_next_gas": own(scene.pull),
        "pool_swap_observation_gas": own(scene.prepaid, 60),
        "pool_mint_gas": own(scene.mint, block),
        "pool_burn_gas": own(scene.burn, block),
        "univ2_swap_gas": own(scene.v2_pair, block),
        "univ2_swap_next_gas": own(scene.v2_pair),
        "univ2_router_swap_gas": own(scene.v2_router, block),
        "univ2_mint_gas": own(scene.v2_mint, block),
        "univ2_burn_gas": own(scene.v2_burn, block),
        "univ3_router_swap_gas": own(scene.v3_router, block),
        "univ4_router_swap_gas": own(scene.v4_router, block),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2, sort_keys=True))
