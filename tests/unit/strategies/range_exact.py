"""The V3 strategy on a pool whose price and memory are what a test says, one token for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.models.range_order import sqrt_ratio_at_tick
from tests.support.capital import WAD, build_world
from tests.support.evm import Contract
from tests.support.lending import add
from tests.unit.strategies.two_token_stage import Stage, other_token

PERIOD, DEVIATION, WIDTH, SPACING, SLIPPAGE_BPS = 1_200, 50, 60, 10, 100
DEFAULTS = {
    "twapPeriod": PERIOD,
    "maxDeviation": DEVIATION,
    "width": WIDTH,
    "maxSlippageBps": SLIPPAGE_BPS,
}


@dataclass
class Range(Stage):
    """The V3 strategy, and who sells its other token at what a test says."""

    oracle: Contract

    def deploy(self, **changes: Any) -> Contract:
        """A strategy with the keeper in his role."""
        world = self.world
        config = (self.pool, self.oracle, self.venue, *(DEFAULTS | changes).values())
        roles = (world.authority, world.gate)
        strategy = world.evm.deploy("UniswapV3Strategy", world.router, config, *roles)
        return self.employ(strategy, strategy.calldata("reposition"), strategy.calldata("unwind"))

    def market(self, spot: int, mean: int | None = None) -> None:
        """Tick of the price and of its average; by default they agree."""
        self.pool.setTick(spot)
        self.pool.setSums(0, (spot if mean is None else mean) * PERIOD)

    def price(self, other: int, paid: int) -> None:
        """The venue pays just so much for so many of the other token."""
        assert paid * WAD % other == 0
        self.venue.setPrice(paid * WAD // other)


def build(asset_first: bool = True, spacing: int = SPACING, **changes: Any) -> Range:
    """A pool at tick zero that nobody is in yet."""
    world = build_world()
    evm = world.evm
    other, tokens = other_token(world, asset_first)
    pool = evm.deploy("ScriptedV3Pool", *tokens, spacing)
    for token in tokens:
        token.mint(pool, 10**40)
    oracle = evm.deploy("RateOracle")
    oracle.setRate(other, 1)
    venue = evm.deploy("PricedVenue", WAD)
    case = Range(world, pool, other, venue, asset_first, pool, oracle)
    case.strategy = case.deploy(**changes)
    add(world, case.strategy)
    return case


def root(tick: int) -> int:
    return sqrt_ratio_at_tick(tick)
