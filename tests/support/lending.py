"""Lending and stable-pool strategies behind a router on one in-process EVM; asserts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.peers.compound import Collateral, Market, configuration
from tests.support.capital import BPS, HARVESTER, MAX, MAX_112, World, build_world
from tests.support.evm import Address, Contract, Evm

DAY = 86_400
ZERO = "0x" + "00" * 20


def permit_harvester(world: World, strategy: Contract) -> None:
    """Lets the harvester claim the strategy's rewards."""
    selector = strategy.calldata("claimRewards", ZERO)[:4]
    governance = world.governance
    world.authority.setTargetFunctionRole(strategy, [selector], HARVESTER, sender=governance)
    world.authority.grantRole(HARVESTER, world.harvester, 0, sender=governance)


def add(world: World, strategy: Contract) -> None:
    """Makes the strategy one of the router's, without limits."""
    world.router.addStrategy(strategy, MAX_112, BPS, sender=world.governance)
    world.set_health(strategy)
    world.strategies.append(strategy)


@dataclass
class CometScene:
    """A router over a token, and a Comet that lends it, with a saver and a borrower of its own."""

    world: World
    comet: Contract
    rewards: Contract
    comp: Contract
    collateral: Contract
    strategy: Contract
    saver: Address
    borrower: Address
    unit: int

    @property
    def evm(self) -> Evm:
        return self.world.evm

    def lend_out(self, left: int = 0) -> None:
        """Borrows all that lies in the Comet but `left`."""
        lying = self.world.asset.balanceOf(self.comet)
        if lying > left:
            self.comet.withdraw(self.world.asset, lying - left, sender=self.borrower)

    def repay(self, assets: int) -> None:
        self.world.asset.mint(self.borrower, assets)
        self.comet.supply(self.world.asset, assets, sender=self.borrower)

    def pause(self, supply: bool = False, transfer: bool = False, withdraw: bool = False) -> None:
        self.comet.pause(supply, transfer, withdraw, False, False)


def build_comet(
    decimals: int = 6, token: str = "TestToken", market: Market | None = None
) -> CometScene:
    """The scene: 10 000 tokens supplied, 6 000 lent out for a year, so that indices are odd."""
    world = build_world(decimals=decimals, token=token)
    evm, unit, asset = world.evm, 10**decimals, world.asset
    collateral = evm.deploy("TestToken", "Collateral", "COL", 18)
    feeds = [evm.deploy("FeedDouble", name, 8, 10**8) for name in ("USD", "COL")]
    put_up = Collateral(collateral.address, feeds[1].address, 18, 8 * 10**17)
    governor = evm.default_sender
    config = configuration(governor, asset.address, feeds[0].address, decimals, [put_up], market)
    comet = evm.deploy("CometDouble", config)
    rewards = evm.deploy("CometRewardsDouble", governor)
    comp = evm.deploy("TestToken", "Compound", "COMP", 18)
    rewards.setRewardConfig(comet, comp)
    comp.mint(rewards, 10**30)
    saver, borrower = evm.account("saver"), evm.account("borrower")
    for who in (saver, borrower):
        asset.mint(who, 10**6 * unit)
        asset.approve(comet, MAX, sender=who)
    collateral.mint(borrower, 10**30)
    collateral.approve(comet, MAX, sender=borrower)
    comet.supply(collateral, 10**30, sender=borrower)
    comet.supply(asset, 10_000 * unit, sender=saver)
    comet.withdraw(asset, 6_000 * unit, sender=borrower)
    evm.mine(1, 365 * DAY)
    comet.accrueAccount(saver)
    strategy = evm.deploy(
        "CompoundV3Strategy", world.router, comet, rewards, world.authority, world.gate
    )
    permit_harvester(world, strategy)
    add(world, strategy)
    return CometScene(world, comet, rewards, comp, collateral, strategy, saver, borrower, unit)


@dataclass
class CurveScene:
    """A router over the first coin of a stable pool, the pool, and a strategy in it.

    `trader` has endless coins of each kind and gave the pool its first liquidity.
    """

    world: World
    pool: Contract
    lp: Contract
    coins: list[Contract]
    strategy: Contract
    trader: Address
    unit: int

    @property
    def evm(self) -> Evm:
        return self.world.evm

    def sell(self, coin: int, whole: int, bought: int | None = None) -> None:
        """Sells so many whole tokens of a coin, by default for the next one."""
        other = (coin + 1) % len(self.coins) if bought is None else bought
        amount = whole * 10 ** int(self.coins[coin].decimals())
        self.pool.exchange(coin, other, amount, 0, sender=self.trader)

    def enter(self, holder: str, assets: int) -> int:
        """Shares of a new holder, as an exit in kind hands them to him."""
        router, asset = self.world.router, self.world.asset
        asset.mint(router, assets)
        asset.approve(self.strategy, 0, sender=router)
        asset.approve(self.strategy, assets, sender=router)
        shares = int(self.strategy.deposit(assets, router, sender=router))
        self.strategy.transfer(holder, shares, sender=router)
        return shares


def pool_of(
    evm: Evm, coins: Sequence[Contract], amp: int, fee: int, whole: int
) -> tuple[Contract, Contract, Address]:
    """A seeded pool, its LP token and its first provider; the default sender is its owner."""
    trader = evm.account("trader")
    lp = evm.deploy("PoolTokenDouble", "Stable pool", "STABLE")
    name = f"StableSwap{len(coins)}Double"
    pool = evm.deploy(name, evm.default_sender, coins, lp, amp, fee, 5 * 10**9)
    lp.set_minter(pool)
    amounts = [whole * 10 ** int(coin.decimals()) for coin in coins]
    for coin, amount in zip(coins, amounts, strict=True):
        coin.mint(trader, 1_000 * amount)
        coin.approve(pool, MAX, sender=trader)
    pool.add_liquidity(amounts, 0, sender=trader)
    return pool, lp, trader


def build_curve(
    decimals: int = 6,
    token: str = "TestToken",
    *,
    others: Sequence[int] = (18,),
    amp: int = 200,
    fee: int = 4 * 10**6,
    whole: int = 1_000_000,
    limits: tuple[int, int, int] = (10, 20, 3_000),
    world: World | None = None,
) -> CurveScene:
    """The scene, with a trade in the pool's past, so that its virtual price is odd."""
    world = world or build_world(decimals=decimals, token=token)
    evm = world.evm
    coins = [world.asset]
    coins += [evm.deploy("TestToken", "Other", f"OTH{i}", d) for i, d in enumerate(others)]
    pool, lp, trader = pool_of(evm, coins, amp, fee, whole)
    for sold, bought in ((0, 1), (1, 0)):
        amount = whole // 10 * 10 ** int(coins[sold].decimals())
        pool.exchange(sold, bought, amount, 0, sender=trader)
    strategy = evm.deploy(
        "CurveStrategy",
        world.router,
        pool,
        lp,
        len(coins),
        limits,
        world.authority,
        world.gate,
    )
    permit_harvester(world, strategy)
    add(world, strategy)
    return CurveScene(world, pool, lp, coins, strategy, trader, 10 ** int(coins[0].decimals()))
