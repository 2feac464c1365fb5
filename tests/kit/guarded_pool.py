"""The strategy in our own pool, with a keeper who invests and a trader who moves prices."""

from __future__ import annotations

from math import isqrt
from typing import Any

from tests.kit.adapter import StrategyAdapter
from tests.models.guarded_pool import Config
from tests.support.capital import KEEPER
from tests.support.evm import Contract

PERIOD = 1_800
DEVIATION_BPS = 100
SLIPPAGE_BPS = 100
DEPTH = 10**7
WAD = 10**18
ANY_FEE = 10**6
FOREVER = 2**64


class GuardedPool(StrategyAdapter):
    """A pool of the asset and a token worth as much, deep; the asset is token0 with six decimals.

    `settle` invests what waits and lets the pool's shares mature.
    """

    dust = 4
    slippage_bps = SLIPPAGE_BPS
    # Of a trade that moves the price by a third, at the highest fee.
    push_bps = 100

    def deploy(self) -> Contract:
        evm, world = self.evm, self.world
        self.trader = self.account("trader")
        self.asset_first = self.unit == 10**6
        while True:
            self.other = evm.deploy("TestToken", "Other", "OTH", 18)
            if (int(self.asset.address, 16) < int(self.other.address, 16)) == self.asset_first:
                break
        treasury = self.account("treasury")
        maker = evm.deploy("PoolDeployer")
        self.factory = evm.deploy(
            "PoolFactory", world.authority, maker, world.gate, treasury, 1_000
        )
        self.pool = self.new_pool(self.other)
        self.oracle = evm.deploy("RateOracle")
        self.oracle.setRate(self.other, self.unit)
        self.venue = evm.deploy("GuardedPoolVenue", world.authority)
        self.venue.setPool(self.pool, sender=world.governance)
        self.pool.increaseObservationCardinality(100)
        for _ in range(2 * PERIOD // 60):
            evm.mine(1, 60)
            self.pool.checkpoint()
        return self.deploy_strategy()

    def new_pool(self, other: Contract) -> Contract:
        """A pool of the asset and another token of eighteen decimals, one for one."""
        for token in (self.asset, other):
            token.mint(self.trader, 2**105)
            token.approve(self.factory, 2**256 - 1, sender=self.trader)
        amounts = {self.asset.address: DEPTH * self.unit, other.address: DEPTH * WAD}
        pair = sorted(amounts, key=lambda address: int(address, 16))
        config = Config().as_tuple()
        place, _ = self.factory.createPool(
            *pair, *(amounts[token] for token in pair), config, sender=self.trader
        )
        pool = self.evm.at("GuardedPool", place)
        for token in (self.asset, other):
            token.approve(pool, 2**256 - 1, sender=self.trader)
        return pool

    def settings(self, **changes: Any) -> tuple[Any, ...]:
        """The strategy's configuration."""
        config = {
            "pool": self.pool,
            "oracle": self.oracle,
            "venue": self.venue,
            "twapPeriod": PERIOD,
            "maxDeviationBps": DEVIATION_BPS,
            "maxSlippageBps": SLIPPAGE_BPS,
        }
        return tuple((config | changes).values())

    def deploy_strategy(self, **changes: Any) -> Contract:
        """The strategy, with the keeper in his role."""
        world = self.world
        place = (world.router, self.settings(**changes), world.authority, world.gate)
        vault = self.evm.deploy("GuardedPoolStrategy", *place)
        selectors = [vault.calldata("invest", 0, 0)[:4], vault.calldata("unwind")[:4]]
        governance = world.governance
        world.authority.setTargetFunctionRole(vault, selectors, KEEPER, sender=governance)
        world.authority.grantRole(KEEPER, world.keeper, 0, sender=governance)
        return vault

    # ---- the market and the keeper

    def reserves(self) -> tuple[int, int]:
        """Of the asset and of the other token."""
        reserve0, reserve1 = self.pool.getReserves()
        return (reserve0, reserve1) if self.asset_first else (reserve1, reserve0)

    def wait(self) -> None:
        """Until the average has caught up with the price."""
        for _ in range(4):
            self.evm.mine(1, 2 * PERIOD)
            self.pool.checkpoint()

    def swap(self, asset_in: bool, amount: int) -> int:
        """The trader sells an amount of the asset, or of the other token."""
        return int(
            self.pool.swapExactIn(
                asset_in == self.asset_first,
                amount,
                0,
                self.trader,
                ANY_FEE,
                FOREVER,
                sender=self.trader,
            )
        )

    def move(self, bps: int) -> None:
        """Changes the worth of the other token by about so many basis points, in this block."""
        held_asset, held_other = self.reserves()
        if bps > 0:
            grown = isqrt(held_asset * held_asset * (10_000 + bps) // 10_000)
            self.swap(True, grown - held_asset)
        elif bps < 0:
            grown = isqrt(held_other * held_other * 10_000 // (10_000 + bps))
            self.swap(False, grown - held_other)

    def invest(self) -> None:
        """The keeper puts to work all that waits, half of it as the other token."""
        waiting = int(self.asset.balanceOf(self.vault))
        if waiting > self.unit:
            self.vault.invest(waiting, waiting // 2, sender=self.world.keeper)

    def settle(self) -> None:
        if self.vault.isCalm() and not self.vault.emergencyState():
            self.invest()
        self.evm.mine(2)

    def recall(self) -> None:
        held_asset, held_other = self.reserves()
        self.oracle.setRate(self.other, WAD * held_asset // held_other)
        self.vault.unwind(sender=self.world.keeper)

    # ---- what the kit asks

    def gain(self, assets: int) -> None:
        self.asset.mint(self.vault, assets)

    def lose(self, assets: int) -> None:
        """The other token falls for good; the worth goes with the root of its price."""
        whole = int(self.vault.totalAssets())
        left = 10_000 * (whole - assets) // whole
        self.move(left * left // 10_000 - 10_000)
        self.wait()

    def push_spot(self, up: bool) -> None:
        self.move(3_000 if up else -3_000)
