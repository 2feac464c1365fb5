"""Searches the most profitable trip of an attacker around a victim; seeded hill climbing.

The same search runs on our pool, on Uniswap v2 and on v3. A trip is up to six legs, before or after
the victim's trade or in the next block, over three addresses. It changes no code under test.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tests.support import uniswap
from tests.support.amm import NEVER_ENDING, PoolWorld
from tests.support.evm import Address, Evm, Revert

UNIT = 10**18
RESERVES = (10**6 * UNIT, 2 * 10**6 * UNIT)
VICTIM_PART = 20  # the victim buys token0 for 1/20 of the pool's token1
ATTACKERS = ("attacker", "accomplice", "third")
BEFORE, AFTER, NEXT_BLOCK, LAST_BLOCK = range(4)


@dataclass(frozen=True)
class Leg:
    """Sells part/1024 of the reserve, or, if `part` is 0, all that the trip gained of the token."""

    when: int
    who: int
    side: bool
    part: int


Trip = tuple[Leg, ...]


class Venue(Protocol):
    """A pool to trade on; a refused trade raises Revert."""

    def sell(self, user: Address, amount: int, side: bool) -> None: ...
    def reserves(self) -> tuple[int, int]: ...


@dataclass
class GuardedVenue:
    world: PoolWorld

    def sell(self, user: Address, amount: int, side: bool) -> None:
        self.world.sell(user, amount, side)

    def reserves(self) -> tuple[int, int]:
        r0, r1 = self.world.pool.getReserves()
        return r0, r1


@dataclass
class V2Venue:
    world: PoolWorld
    peer: uniswap.V2

    def sell(self, user: Address, amount: int, side: bool) -> None:
        uniswap.v2_sell(self.peer, self.world.tokens, user, amount, side)

    def reserves(self) -> tuple[int, int]:
        r0, r1, _ = self.peer.pair.getReserves()
        return r0, r1


@dataclass
class V3Venue:
    """Full-range liquidity: the reserves are the balances, but for fees."""

    world: PoolWorld
    peer: uniswap.V3

    def sell(self, user: Address, amount: int, side: bool) -> None:
        uniswap.v3_sell(self.peer, self.world.tokens, user, amount, side)

    def reserves(self) -> tuple[int, int]:
        zero, one = self.world.tokens
        return zero.balanceOf(self.peer.pool), one.balanceOf(self.peer.pool)


class Search:
    """Looks for the trip with the greatest profit on one venue."""

    def __init__(self, world: PoolWorld, venue: Venue, extra: Callable[[], int] = lambda: 0):
        self.world, self.venue, self.extra = world, venue, extra
        self.users = [world.evm.account(label) for label in ATTACKERS]
        self.victim = world.evm.account("trader")
        self.evaluations = 0

    def profit_bps(self, trip: Trip) -> float:
        """Value of the gain at the opening price, in bps of the pool's token1."""
        evm = self.world.evm
        self.evaluations += 1
        with evm.rollback():
            evm.mine(seconds=12)
            r0, r1 = self.venue.reserves()
            self._before = self._holdings()
            base = self.extra()
            for when in (BEFORE, AFTER, NEXT_BLOCK, LAST_BLOCK):
                if when == AFTER:
                    self.venue.sell(self.victim, r1 // VICTIM_PART, False)
                for leg in (leg for leg in trip if leg.when == when):
                    self._sell(leg)
                if when in (AFTER, NEXT_BLOCK):
                    evm.mine(seconds=6)
            gain0, gain1 = (a - b for a, b in zip(self._holdings(), self._before, strict=True))
            # Shares are valued at the opening price as well.
            return (gain1 * r0 + gain0 * r1 + self.extra() - base) * 10_000 / (r0 * r1)

    def _holdings(self) -> tuple[int, int]:
        zero, one = self.world.tokens
        return (
            sum(zero.balanceOf(u) for u in self.users),
            sum(one.balanceOf(u) for u in self.users),
        )

    def _sell(self, leg: Leg) -> None:
        index = 0 if leg.side else 1
        if leg.part:
            amount = self.venue.reserves()[index] * leg.part // 1_024
        else:
            amount = self._holdings()[index] - self._before[index]
        if amount <= 0:
            return
        try:
            self.venue.sell(self.users[leg.who], amount, leg.side)
        except Revert:
            return

    def best(self, seed: int, restarts: int, climbs: int) -> tuple[float, Trip]:
        """Random restarts, each followed by a hill climb."""
        rng = random.Random(seed)
        champion: tuple[float, Trip] = (float("-inf"), ())
        for _ in range(restarts):
            trip = _random_trip(rng)
            value = self.profit_bps(trip)
            for _ in range(climbs):
                candidate = _changed(trip, rng)
                found = self.profit_bps(candidate)
                if found > value:
                    trip, value = candidate, found
            champion = max(champion, (value, trip), key=lambda pair: pair[0])
        return champion


def _random_leg(rng: random.Random) -> Leg:
    part = 0 if rng.random() < 0.4 else max(1, int(2 ** rng.uniform(0, 10)))
    return Leg(rng.randrange(4), rng.randrange(3), rng.random() < 0.5, part)


def _random_trip(rng: random.Random) -> Trip:
    return tuple(_random_leg(rng) for _ in range(rng.randint(2, 6)))


def _changed(trip: Sequence[Leg], rng: random.Random) -> Trip:
    legs = list(trip)
    place = rng.randrange(len(legs))
    move = rng.randrange(6)
    if move == 0 and len(legs) < 6:
        legs.insert(place, _random_leg(rng))
    elif move == 1 and len(legs) > 2:
        del legs[place]
    elif move == 2:
        legs[place] = _random_leg(rng)
    elif move == 3:
        other = rng.randrange(len(legs))
        legs[place], legs[other] = legs[other], legs[place]
    elif legs[place].part:
        part = int(legs[place].part * 2 ** rng.gauss(0, 0.5))
        legs[place] = replace(legs[place], part=max(1, min(1_024, part)))
    else:
        legs[place] = replace(legs[place], when=rng.randrange(4))
    return tuple(legs)


def _world() -> PoolWorld:
    world = PoolWorld(Evm(), reserves=RESERVES, users=("trader", *ATTACKERS))
    world.mine(3)
    return world


def _share_value(world: PoolWorld, owner: Any, opening: tuple[int, int]) -> int:
    """The owner's part of both reserves at the opening price, in token1 times reserve0."""
    held, supply = world.pool.balanceOf(owner), world.pool.totalSupply()
    r0, r1 = world.pool.getReserves()
    return (r1 * opening[0] + r0 * opening[1]) * held // supply


def search_with_shares(share_bps: int, seed: int, restarts: int, climbs: int) -> float:
    """Best profit in bps of an attacker who holds that part of the pool, above doing nothing."""
    world = _world()
    shares = world.pool.balanceOf(world.whale) * share_bps // 10_000
    attacker = world.evm.account("attacker")
    world.pool.transfer(attacker, shares, sender=world.whale)
    opening = tuple(world.pool.getReserves())
    search = Search(world, GuardedVenue(world), lambda: _share_value(world, attacker, opening))
    passive = search.profit_bps(())
    return search.best(seed, restarts, climbs)[0] - passive


def measure(seed: int = 1, restarts: int = 12, climbs: int = 40) -> dict[str, float]:
    """Best profits found, in bps of the pool's token1."""
    figures: dict[str, float] = {}
    world = _world()
    search = Search(world, GuardedVenue(world))
    best, _ = search.best(seed, restarts, climbs)
    # Staying away is a trip as well.
    figures["pool_attack_profit"] = max(best, 0.0)
    figures["pool_attack_best_trip"] = best
    peer = uniswap.v2(world.evm, world.tokens, RESERVES, world.whale)
    figures["univ2_attack_profit"] = Search(world, V2Venue(world, peer)).best(
        seed, restarts, climbs
    )[0]
    third = uniswap.v3(world.evm, world.tokens, RESERVES, world.whale)
    for user in (*ATTACKERS, "trader"):
        for token in world.tokens:
            token.approve(third.router, NEVER_ENDING, sender=world.evm.account(user))
    figures["univ3_attack_profit"] = Search(world, V3Venue(world, third)).best(
        seed, restarts, climbs
    )[0]
    for share in (1_000, 5_000, 9_000):
        name = f"pool_attack_profit_with_{share // 100}_pct_of_shares"
        figures[name] = search_with_shares(share, seed, restarts // 2, climbs)
    figures["pool_attack_evaluations"] = search.evaluations
    return figures
