"""What the exact tests of strategies in pools of two tokens share; asserts nothing."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.capital import KEEPER, World
from tests.support.evm import Contract, Evm
from tests.support.lending import permit_harvester


@dataclass
class Stage:
    """A router, the strategy, its pool, and who buys its other token."""

    world: World
    pool: Contract
    other: Contract
    venue: Contract
    asset_first: bool
    strategy: Contract

    @property
    def evm(self) -> Evm:
        return self.world.evm

    @property
    def asset(self) -> Contract:
        return self.world.asset

    def employ(self, strategy: Contract, *calls: bytes) -> Contract:
        """The keeper may make these calls, and the harvester its own."""
        world = self.world
        selectors = [call[:4] for call in calls]
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

    def pair(self, asset: int, other: int) -> tuple[int, int]:
        """Amounts of token0 and token1."""
        return (asset, other) if self.asset_first else (other, asset)


def other_token(world: World, asset_first: bool) -> tuple[Contract, tuple[Contract, Contract]]:
    """A token on the wanted side of the asset, and both in the pool's order."""
    asset = world.asset
    while True:
        other = world.evm.deploy("TestToken", "Other", "OTH", 18)
        if (int(asset.address, 16) < int(other.address, 16)) == asset_first:
            return other, (asset, other) if asset_first else (other, asset)
