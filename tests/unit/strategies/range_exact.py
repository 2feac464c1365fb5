"""The V3 strategy on a pool whose price and memory are what a test says, one token for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.models.range_order import sqrt_ratio_at_tick
from tests.support.capital import KEEPER, WAD, World, build_world
from tests.support.evm import Contract, Evm
from tests.support.lending import add, permit_harvester

PERIOD, DEVIATION, WIDTH, SPACING, SLIPPAGE_BPS = 1_200, 50, 60, 10, 100
DEFAULTS = {
    "twapPeriod": PERIOD,
    "maxDeviation": DEVIATION,
    "width": WIDTH,
    "maxSlippageBps": SLIPPAGE_BPS,
}


@dataclass
class Range:
    """A router, the strategy, and who sells its other token at what a test says."""

    world: World
    pool: Contract
    other: Contract
    oracle: Contract
    venue: Contract
    asset_first: bool
    strategy: Contract

    @property
    def evm(self) -> Evm:
        return self.world.evm

    @property
    def asset(self) -> Contract:
        return self.world.asset

    def deploy(self, **changes: Any) -> Contract:
        """A strategy with the keeper in his role."""
        world = self.world
        config = (self.pool, self.oracle, self.venue, *(DEFAULTS | changes).values())
        roles = (world.authority, world.gate)
        strategy = world.evm.deploy("UniswapV3Strategy", world.router, config, *roles)
        selectors = [strategy.calldata(name)[:4] for name in ("reposition", "unwind")]
        world.authority.setTargetFunctionRole(strategy, selectors, KEEPER, sender=world.governance)
        world.authority.grantRole(KEEPER, world.keeper, 0, sender=world.governance)
        permit_harvester(world, strategy)
        return strategy

    def enter(self, assets: int) -> int:
        """The router deposits so much; its shares."""
        router = self.world.router
        self.asset.mint(router, assets)
        self.asset.approve(self.strategy, assets, sender=router)
        return int(self.strategy.deposit(assets, router, sender=router))

    def market(self, spot: int, mean: int | None = None) -> None:
        """Tick of the price and of its average; by default they agree."""
        self.pool.setTick(spot)
        self.pool.setSums(0, (spot if mean is None else mean) * PERIOD)

    def pair(self, asset: int, other: int) -> tuple[int, int]:
        """Amounts of token0 and token1."""
        return (asset, other) if self.asset_first else (other, asset)

    def price(self, other: int, paid: int) -> None:
        """The venue pays just so much for so many of the other token."""
        assert paid * WAD % other == 0
        self.venue.setPrice(paid * WAD // other)


def build(asset_first: bool = True, spacing: int = SPACING, **changes: Any) -> Range:
    """A pool at tick zero that nobody is in yet."""
    world = build_world()
    evm, asset = world.evm, world.asset
    while True:
        other = evm.deploy("TestToken", "Other", "OTH", 18)
        if (int(asset.address, 16) < int(other.address, 16)) == asset_first:
            break
    tokens = (asset, other) if asset_first else (other, asset)
    pool = evm.deploy("ScriptedV3Pool", *tokens, spacing)
    for token in tokens:
        token.mint(pool, 10**40)
    oracle = evm.deploy("RateOracle")
    oracle.setRate(other, 1)
    venue = evm.deploy("PricedVenue", WAD)
    case = Range(world, pool, other, oracle, venue, asset_first, pool)
    case.strategy = case.deploy(**changes)
    add(world, case.strategy)
    return case


def root(tick: int) -> int:
    return sqrt_ratio_at_tick(tick)
