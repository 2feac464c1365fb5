"""The Uniswap V3 strategy on the real V3 in the in-process EVM, with a trader who moves prices."""

from __future__ import annotations

from math import isqrt
from typing import Any

from offchain.chain.client import KeySigner
from tests.kit.adapter import StrategyAdapter
from tests.peers import uniswap_v3
from tests.peers.npm import deploy, load
from tests.peers.tokens import WETH9, approve, deploy_token
from tests.support.build import artifact
from tests.support.capital import KEEPER
from tests.support.evm import Contract
from tests.support.evm_client import EvmClient
from tests.support.uniswap import at

FEE, SPACING, WIDTH = 500, 10, 60
PERIOD = 1_800
DEVIATION = 50
SLIPPAGE_BPS = 100
DEPTH = 10**9
WAD = 10**18


class UniswapV3(StrategyAdapter):
    """A pool of the asset and a token worth as much, full range and deep.

    The asset is token0 where it has six decimals, else token1.
    """

    # The pool rounds what it pays for a position down, per token.
    dust = 2

    def deploy(self) -> Contract:
        client = self.client = EvmClient(self.evm)
        boss = self.boss = KeySigner(self.account("market").key)
        self.token = client.contract(self.asset.address, artifact("TestToken").abi)
        asset_first = self.unit == 10**6
        while True:
            self.other_token = deploy_token(client, boss, "Other", "OTH", 18)
            if uniswap_v3.in_order(self.token, self.other_token) == asset_first:
                break
        self.other = self.evm.at("TestToken", self.other_token.address)
        self.asset_first = asset_first
        self.v3 = uniswap_v3.deploy_uniswap_v3(client, boss, deploy(client, boss, load(WETH9)))
        terms: dict[str, Any] = {"token_a": self.token, "token_b": self.other_token, "fee": FEE}
        pool = uniswap_v3.create_pool(
            client, boss, self.v3, **terms, amount_a=self.unit, amount_b=WAD, observations=200
        )
        self.pool = at(self.evm, uniswap_v3.POOL, pool.address)
        for money, unit in ((self.asset, self.unit), (self.other, WAD)):
            money.mint(boss.address, 100 * DEPTH * unit)
        depth = {"amount_a": DEPTH * self.unit, "amount_b": DEPTH * WAD}
        uniswap_v3.add_liquidity(client, boss, self.v3, **terms, **depth)
        for token in (self.token, self.other_token):
            approve(client, boss, token, self.v3.router.address)
        self.oracle = self.evm.deploy("RateOracle")
        self.oracle.setRate(self.other, self.unit)
        self.venue = self.evm.deploy("UniswapV3Venue", self.v3.router.address, self.world.authority)
        path = bytes.fromhex(self.other.address[2:] + f"{FEE:06x}" + self.asset.address[2:])
        self.venue.setPath(self.other, self.asset, path, sender=self.world.governance)
        self.wait()
        return self.deploy_strategy()

    def settings(self, **changes: Any) -> tuple[Any, ...]:
        """The strategy's configuration."""
        config = {
            "pool": self.pool,
            "oracle": self.oracle,
            "venue": self.venue,
            "twapPeriod": PERIOD,
            "maxDeviation": DEVIATION,
            "width": WIDTH,
            "maxSlippageBps": SLIPPAGE_BPS,
        }
        return tuple((config | changes).values())

    def deploy_strategy(self, **changes: Any) -> Contract:
        """The strategy, with the keeper in his role."""
        world = self.world
        vault = self.evm.deploy(
            "UniswapV3Strategy", world.router, self.settings(**changes), world.authority, world.gate
        )
        selectors = [vault.calldata(name)[:4] for name in ("reposition", "unwind")]
        governance = world.governance
        world.authority.setTargetFunctionRole(vault, selectors, KEEPER, sender=governance)
        world.authority.grantRole(KEEPER, world.keeper, 0, sender=governance)
        return vault

    # ---- the market

    def spot(self) -> tuple[int, int]:
        """Square root of the price, and the tick."""
        price, tick, *_ = self.pool.slot0()
        return int(price), int(tick)

    def wait(self) -> None:
        """Until the average has caught up with the price."""
        self.evm.mine(1, 2 * PERIOD)

    def trade_to(self, price: int) -> None:
        """Trades until the pool's square root of the price is this one."""
        spot = self.spot()[0]
        if price == spot:
            return
        down = price < spot
        pair = (self.asset, self.other) if down == self.asset_first else (self.other, self.asset)
        request = (*(str(t) for t in pair), FEE, self.boss.address, 2**64, 2**100, 0, price)
        for token in pair:
            token.mint(self.boss.address, 2**100)
        self.client.transact(self.boss, self.v3.router.functions.exactInputSingle(request))

    def move(self, bps: int) -> None:
        """Changes the worth of the other token by so many basis points, in this block."""
        price = self.spot()[0]
        factor = 10_000 + bps
        if self.asset_first:
            # token1 is the other: it is worth more where the price is lower.
            self.trade_to(price * isqrt(WAD * 10_000 // factor * WAD) // WAD)
        else:
            self.trade_to(price * isqrt(WAD * factor // 10_000 * WAD) // WAD)

    def rate(self) -> int:
        """Assets per whole other token at spot."""
        price = self.spot()[0]
        squared = price * price
        return WAD * 2**192 // squared if self.asset_first else WAD * squared // 2**192

    def reposition(self) -> None:
        self.oracle.setRate(self.other, self.rate())
        self.vault.reposition(sender=self.world.keeper)

    # ---- what the kit asks

    def gain(self, assets: int) -> None:
        self.asset.mint(self.vault, assets)

    def lose(self, assets: int) -> None:
        """The other token falls for good while the position is made of it."""
        self.move(-10_000 * assets // int(self.vault.totalAssets()))
        self.wait()
        self.reposition()

    def run_dry(self, left: int) -> None:  # noqa: ARG002
        """Another trader turns the position into the other token."""
        self.move(-200)
        self.wait()

    def refill(self) -> None:
        self.reposition()

    def push_spot(self, up: bool) -> None:
        self.move(3_000 if up else -3_000)
