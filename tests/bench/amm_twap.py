"""What it costs to move a 30-minute average price by 5 %, here and on Uniswap v2; judges nothing.

The attacker controls one, two or ten blocks in a row: he pushes the price at the end of the first,
holds it (nobody trades against him), and sells everything back at the start of the block after the
last. The cost is what he has lost at the price before, in parts of the pool's token1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, sqrt

from tests.support import uniswap
from tests.support.amm import PoolWorld
from tests.support.evm import Evm

UNIT = 10**18
RESERVES = (10**6 * UNIT, 2 * 10**6 * UNIT)
SPAN, BLOCK = 1_800, 12
TARGET = 0.05
CONTROLLED = (1, 2, 10)


@dataclass(frozen=True)
class Attempt:
    """Cost and what became of the averages."""

    cost: float
    moved: float
    truncated_moved: float


def _world() -> PoolWorld:
    world = PoolWorld(Evm(), reserves=RESERVES)
    world.pool.increaseObservationCardinality(64)
    for _ in range(SPAN // BLOCK + 5):
        world.mine(seconds=BLOCK)
        world.pool.checkpoint()
    return world


def guarded_pool(world: PoolWorld, blocks: int) -> Attempt:
    """The geometric average moves by TARGET if the price is held at that power of 1 + TARGET."""
    ratio = (1 + TARGET) ** (SPAN / (BLOCK * blocks))
    evm, pool, token1 = world.evm, world.pool, world.token1
    attacker = evm.account("attacker")
    with evm.rollback():
        before = pool.twap(SPAN)
        held = token1.balanceOf(attacker)
        amount = int(RESERVES[1] * (sqrt(ratio) - 1) * 1.04)
        bought = world.sell(attacker, amount, zero_for_one=False)
        for _ in range(blocks):
            world.mine(seconds=BLOCK)
            pool.checkpoint()
        after = pool.twap(SPAN)
        world.sell(attacker, bought)
        cost = (held - token1.balanceOf(attacker)) / RESERVES[1]
        return Attempt(cost, after[0] / before[0] - 1, after[1] / before[1] - 1)


def uniswap_v2(world: PoolWorld, blocks: int) -> Attempt:
    """The arithmetic average of v2's accumulator, pushed as far as it takes."""
    evm, token1 = world.evm, world.token1
    attacker = evm.account("attacker")
    ratio = 1 + TARGET * SPAN / (BLOCK * blocks)
    with evm.rollback():
        peer = uniswap.v2(evm, world.tokens, RESERVES, world.whale)
        evm.mine(seconds=SPAN - BLOCK * blocks)
        price = RESERVES[1] / RESERVES[0]
        held = token1.balanceOf(attacker)
        before = peer.pair.price0CumulativeLast()
        start = peer.pair.getReserves()[2]
        amount = RESERVES[1] * (isqrt(int(ratio * 10**12)) - 10**6) * 1_002 // 10**9
        bought = uniswap.v2_sell(peer, world.tokens, attacker, amount, side=False)
        evm.mine(blocks, seconds=BLOCK * blocks)
        uniswap.v2_sell(peer, world.tokens, attacker, bought, side=True)
        elapsed = peer.pair.getReserves()[2] - start
        average = (peer.pair.price0CumulativeLast() - before) / 2**112 / elapsed
        cost = (held - token1.balanceOf(attacker)) / RESERVES[1]
        return Attempt(cost, average / price - 1, 0.0)


def measure() -> dict[str, float]:
    """Costs in parts of the pool's token1, and how far each average moved, in bps."""
    world = _world()
    figures: dict[str, float] = {}
    for blocks in CONTROLLED:
        ours, theirs = guarded_pool(world, blocks), uniswap_v2(world, blocks)
        figures[f"pool_twap_cost_{blocks}_blocks"] = round(ours.cost, 4)
        figures[f"pool_twap_moved_bps_{blocks}_blocks"] = round(ours.moved * 10_000, 1)
        figures[f"pool_truncated_twap_moved_bps_{blocks}_blocks"] = round(
            ours.truncated_moved * 10_000, 1
        )
        figures[f"univ2_twap_cost_{blocks}_blocks"] = round(theirs.cost, 4)
        figures[f"univ2_twap_moved_bps_{blocks}_blocks"] = round(theirs.moved * 10_000, 1)
    return figures
