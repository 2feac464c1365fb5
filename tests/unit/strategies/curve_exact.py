"""The Curve strategy on a pool that does to the unit what a test says, and its sums in integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.support.capital import BPS, WAD, World, build_world
from tests.support.evm import Contract, Evm
from tests.support.lending import add, permit_harvester

Way = Callable[[int, int, int], int]

VIRTUAL_SHARES = 10**6
LP_NOISE = 100
BISECTIONS = 5
ENTRY, EXIT, IMBALANCE = 10, 20, 3_000
LIMITS = (ENTRY, EXIT, IMBALANCE)


def down(a: int, b: int, c: int) -> int:
    return a * b // c


def up(a: int, b: int, c: int) -> int:
    return -(-a * b // c)


@dataclass(frozen=True)
class Books:
    """What the strategy computes from, and each of its sums."""

    held: int
    supply: int
    price: int
    scale: int
    entry: int = ENTRY
    exit: int = EXIT

    @property
    def noise(self) -> int:
        return LP_NOISE // self.scale + 2

    def shares(self, lp: int, way: Way = down) -> int:
        return way(lp, self.supply + VIRTUAL_SHARES, self.held + self.scale)

    def lp(self, shares: int, way: Way = down) -> int:
        return way(shares, self.held + self.scale, self.supply + VIRTUAL_SHARES)

    def worth(self, lp: int, way: Way = down) -> int:
        return way(lp, self.price, WAD * self.scale)

    def at_par(self, assets: int, way: Way = down) -> int:
        return way(assets, WAD * self.scale, self.price)

    def least_minted(self, assets: int) -> int:
        return max(0, down(self.at_par(assets), BPS - self.entry, BPS) - LP_NOISE)

    def least_paid(self, lp: int) -> int:
        return max(0, down(self.worth(lp), BPS - self.exit, BPS) - self.noise) if lp else 0

    def most_burned(self, assets: int) -> int:
        return self.at_par(up(assets + self.noise, BPS, BPS - self.exit), up)

    def burned_for(self, assets: int, paid: int) -> int:
        """If the pool pays `paid` for the most that may be burned."""
        most = self.most_burned(assets)
        return min(most, up(most, assets, paid) + 2 * self.scale + LP_NOISE)


@dataclass
class Exact:
    """A router over one coin of the scripted pool, and the strategy in it."""

    world: World
    pool: Contract
    lp: Contract
    coins: list[Contract]
    strategy: Contract
    scale: int

    @property
    def evm(self) -> Evm:
        return self.world.evm

    @property
    def unit(self) -> int:
        return WAD // self.scale

    def books(self) -> Books:
        limits = self.strategy.limits()
        return Books(
            int(self.lp.balanceOf(self.strategy)),
            int(self.strategy.totalSupply()),
            int(self.strategy.virtualPrice()),
            self.scale,
            int(limits[0]),
            int(limits[1]),
        )

    def fund(self, assets: int) -> None:
        """The router has so many assets, and lets the strategy take them."""
        router, asset = self.world.router, self.world.asset
        asset.mint(router, assets)
        asset.approve(self.strategy, assets, sender=router)

    def enter(self, assets: int) -> int:
        """The router deposits so much; its shares."""
        router = self.world.router
        self.fund(assets)
        return int(self.strategy.deposit(assets, router, sender=router))

    def quote(self, lp: int) -> int:
        return int(self.pool.calc_withdraw_one_coin(lp, 0))

    def removed(self) -> tuple[int, int, int]:
        """LP tokens, place and least of the last call's only removal."""
        (event,) = self.evm.events("Removed")
        lp, place, least = event.args.values()
        return int(lp), int(place), int(least)


def build(
    decimals: Sequence[int] = (18, 18),
    place: int = 0,
    price: int = WAD,
    limits: tuple[int, int, int] = LIMITS,
) -> Exact:
    """A million of each coin in the pool, which trades at the given virtual price."""
    world = build_world(decimals=decimals[place])
    evm = world.evm
    coins = [evm.deploy("TestToken", "Other", f"OTH{i}", d) for i, d in enumerate(decimals)]
    coins[place] = world.asset
    lp = evm.deploy("TestToken", "Scripted pool", "SCRIPT", 18)
    scale = 10 ** (18 - decimals[place])
    pool = evm.deploy("ScriptedCurvePool", coins, lp, price // scale, price)
    pool.setBalances([10 ** (6 + d) for d in decimals])
    world.asset.mint(pool, 10**40)
    # Some LP tokens belong to others.
    lp.mint(evm.account("trader"), WAD)
    roles = (world.authority, world.gate)
    arguments = (world.router, pool, lp, len(decimals), limits)
    strategy = evm.deploy("CurveStrategy", *arguments, *roles)
    permit_harvester(world, strategy)
    add(world, strategy)
    return Exact(world, pool, lp, coins, strategy, scale)


def build_odd(decimals: int = 18, price: int = 3 * WAD, given: int = 10**21 + 7) -> Exact:
    """With a deposit of ten units and LP tokens given beside: nothing divides evenly."""
    case = build((decimals, 18), price=price)
    case.enter(10 * case.unit + 1)
    case.lp.mint(case.strategy, given)
    return case
