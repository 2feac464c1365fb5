"""Searches the most profitable trip of an attacker around a victim; changes no code under test.

The same search runs on our pool, on Uniswap v2 and on v3. A trip has up to six legs, over three
addresses, in the victim's block (before or after him), in the block before and in the block after:
together no longer than our guard's window. An attacker with shares may also burn and mint. Classic
sandwiches and random trips (seeded) compete; the best few are improved by hill climbing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from tests.models.guarded_pool import Config
from tests.support import uniswap
from tests.support.amm import ANY_FEE, FOREVER, NEVER_ENDING, PoolWorld
from tests.support.evm import Address, Contract, Evm
from tests.support.evm_calls import Method

UNIT = 10**18
RESERVES = (10**6 * UNIT, 2 * 10**6 * UNIT)
VICTIM_PART = 20  # the victim buys token0 for 1/20 of the pool's token1
ATTACKERS = ("attacker", "accomplice", "third")
EARLIER, BEFORE, AFTER, LATER = range(4)
BLOCK_SECONDS = 6
WHOLE = 1_024
NEVER = float("-inf")
Kind = Literal["sell", "burn", "mint"]


@dataclass(frozen=True)
class Leg:
    """Takes part/1024 of the reserve, or of the shares held; a sale with `part` 0 sells what the
    trip has gained of the token so far."""

    when: int
    who: int
    side: bool
    part: int
    kind: Kind = "sell"


Trip = tuple[Leg, ...]
SANDWICHES: tuple[Trip, ...] = tuple(
    (Leg(front, 0, False, part), Leg(back, 1, True, 0))
    for front in (EARLIER, BEFORE)
    for back in (AFTER, LATER)
    for part in (16, 64, 256, WHOLE)
)


class Venue(Protocol):
    """A pool to trade on; `reserves` follows every trade."""

    reserves: list[int]

    def sell(self, user: Address, amount: int, side: bool) -> int:
        """The output; 0 if the pool refuses."""


def _send(evm: Evm, user: Address, method: Method, target: str, *args: object) -> list[int] | None:
    """Words that came back; none if the call failed."""
    done, returned = evm.raw(user, target, method.encode(*args))
    if not done:
        return None
    return [int.from_bytes(returned[i : i + 32], "big") for i in range(0, len(returned), 32)]


class GuardedVenue:
    def __init__(self, world: PoolWorld) -> None:
        self.evm, self.pool = world.evm, world.pool
        self.reserves = list(world.pool.getReserves())

    def _call(self, user: Address, name: str, *args: object) -> list[int] | None:
        return _send(self.evm, user, getattr(self.pool, name), self.pool.address, *args)

    def sell(self, user: Address, amount: int, side: bool) -> int:
        words = self._call(user, "swapExactIn", side, amount, 0, user, ANY_FEE, FOREVER)
        return words[0] if words else 0

    def burn(self, user: Address, part: int) -> tuple[int, int] | None:
        """Burns that part of what the user may burn; what came out."""
        shares = self.pool.matureBalanceOf(user) * part // WHOLE
        words = self._call(user, "burn", shares, 0, 0, user, FOREVER)
        return (words[0], words[1]) if words else None

    def mint(self, user: Address, part: int) -> tuple[int, int] | None:
        """Adds that part of both reserves; what went in, as a negative gain."""
        amounts = [reserve * part // WHOLE for reserve in self.reserves]
        words = self._call(user, "mint", *amounts, 0, FOREVER)
        return (-words[1], -words[2]) if words else None


class V2Venue:
    def __init__(self, world: PoolWorld, peer: uniswap.V2) -> None:
        self.evm, self.pair, self.tokens = world.evm, peer.pair, world.tokens
        self.reserves = list(peer.pair.getReserves()[:2])

    def sell(self, user: Address, amount: int, side: bool) -> int:
        r_in, r_out = self.reserves if side else self.reserves[::-1]
        out = uniswap.v2_amount_out(r_in, r_out, amount)
        token: Contract = self.tokens[0 if side else 1]
        _send(self.evm, user, token.transfer, token.address, self.pair, amount)
        amounts = (0, out) if side else (out, 0)
        done = _send(self.evm, user, self.pair.swap, self.pair.address, *amounts, user, b"")
        assert done is not None, "v2 refused its own quote"
        return out


class V3Venue:
    """Full-range liquidity: the reserves are the balances, but for fees."""

    def __init__(self, world: PoolWorld, peer: uniswap.V3) -> None:
        self.evm, self.router, self.tokens = world.evm, peer.router, world.tokens
        self.reserves = [token.balanceOf(peer.pool) for token in world.tokens]

    def sell(self, user: Address, amount: int, side: bool) -> int:
        pair = self.tokens if side else self.tokens[::-1]
        order = (*pair, uniswap.V3_FEE, user, FOREVER, amount, 0, 0)
        method = self.router.exactInputSingle
        words = _send(self.evm, user, method, self.router.address, order)
        return words[0] if words else 0


class Search:
    """Looks for the trip with the greatest profit on one venue.

    Args:
        world: accounts, tokens and clock.
        venue: where to trade.
        with_shares: the first attacker holds shares of the guarded pool, and uses them.
    """

    def __init__(self, world: PoolWorld, venue: Venue, with_shares: bool = False) -> None:
        self.world, self.venue, self.with_shares = world, venue, with_shares
        self.users = [world.evm.account(label) for label in ATTACKERS]
        self.victim = world.evm.account("trader")
        self.opening = tuple(venue.reserves)
        self.evaluations = 0

    def profit_bps(self, trip: Trip) -> float:
        """Value of the gain at the opening price, in bps of the pool's token1.

        Shares are valued at the opening price as well. A trip whose every leg is refused is none.
        """
        evm, (r0, r1) = self.world.evm, self.opening
        self.evaluations += 1
        self._gains = [0, 0]
        self._acted = not trip
        with evm.rollback():
            evm.mine(seconds=12)
            held = self._share_value()
            for when in (EARLIER, BEFORE, AFTER, LATER):
                if when == AFTER:
                    self._trade(self.victim, r1 // VICTIM_PART, False)
                if when == LATER or (when == BEFORE and any(leg.when == EARLIER for leg in trip)):
                    evm.mine(seconds=BLOCK_SECONDS)
                for leg in trip:
                    if leg.when == when:
                        self._act(leg)
            gain0, gain1 = self._gains
            value = gain1 * r0 + gain0 * r1 + self._share_value() - held
        self.venue.reserves = list(self.opening)
        return value * 10_000 / (r0 * r1) if self._acted else NEVER

    def _share_value(self) -> int:
        """The first attacker's part of both reserves, in token1 times the opening reserve0."""
        if not self.with_shares:
            return 0
        pool = self.world.pool
        held, supply = pool.balanceOf(self.users[0]), pool.totalSupply()
        r0, r1 = self.venue.reserves
        return int((r1 * self.opening[0] + r0 * self.opening[1]) * held // supply)

    def _trade(self, user: Address, amount: int, side: bool) -> int:
        out = self.venue.sell(user, amount, side)
        if out:
            index = 0 if side else 1
            self.venue.reserves[index] += amount
            self.venue.reserves[1 - index] -= out
        return out

    def _act(self, leg: Leg) -> None:
        if leg.kind != "sell":
            self._use_shares(leg)
            return
        index = 0 if leg.side else 1
        amount = self.venue.reserves[index] * leg.part // WHOLE if leg.part else self._gains[index]
        out = self._trade(self.users[leg.who], amount, leg.side) if amount > 0 else 0
        if out:
            self._acted = True
            self._gains[index] -= amount
            self._gains[1 - index] += out

    def _use_shares(self, leg: Leg) -> None:
        venue = self.venue
        assert isinstance(venue, GuardedVenue)
        change = (venue.burn if leg.kind == "burn" else venue.mint)(self.users[0], leg.part)
        if change is None:
            return
        self._acted = True
        for index, amount in enumerate(change):
            self._gains[index] += amount
            venue.reserves[index] -= amount

    def best(self, seed: int, budget: int, climbers: int = 8) -> tuple[float, Trip]:
        """The best of `budget` trips: a quarter drawn, the rest spent on climbing from the best."""
        rng = random.Random(seed)
        starts = [*SANDWICHES]
        starts += [self._random_trip(rng) for _ in range(budget // 4 - len(starts))]
        ranked = sorted(((self.profit_bps(trip), trip) for trip in starts), key=_value)
        champion = ranked[-1]
        steps = (budget - len(starts)) // climbers
        for start in ranked[-climbers:]:
            climber = start
            for _ in range(steps):
                trip = self._changed(climber[1], rng)
                climber = max((self.profit_bps(trip), trip), climber, key=_value)
            champion = max(champion, climber, key=_value)
        return champion

    def _random_leg(self, rng: random.Random) -> Leg:
        when, who, side = rng.randrange(4), rng.randrange(3), rng.random() < 0.5
        size = max(1, int(2 ** rng.uniform(0, 10)))
        if self.with_shares and rng.random() < 0.3:
            return Leg(when, 0, side, size, rng.choice(("burn", "mint")))
        return Leg(when, who, side, 0 if rng.random() < 0.4 else size)

    def _random_trip(self, rng: random.Random) -> Trip:
        return tuple(self._random_leg(rng) for _ in range(rng.randint(2, 6)))

    def _changed(self, trip: Sequence[Leg], rng: random.Random) -> Trip:
        legs = list(trip)
        place = rng.randrange(len(legs))
        move = rng.randrange(7)
        if move == 0 and len(legs) < 6:
            legs.insert(place, self._random_leg(rng))
        elif move == 1 and len(legs) > 2:
            del legs[place]
        elif move == 2:
            legs[place] = self._random_leg(rng)
        elif move == 3:
            other = rng.randrange(len(legs))
            legs[place], legs[other] = legs[other], legs[place]
        elif move == 4 or not legs[place].part:
            legs[place] = replace(legs[place], when=rng.randrange(4))
        else:
            part = round(legs[place].part * 2 ** rng.gauss(0, rng.choice((0.05, 0.5))))
            legs[place] = replace(legs[place], part=max(1, min(WHOLE, part)))
        return tuple(legs)


def _value(found: tuple[float, Trip]) -> float:
    return found[0]


def _world(config: Config | None = None) -> PoolWorld:
    world = PoolWorld(Evm(), config, RESERVES, users=("trader", *ATTACKERS))
    world.mine(3)
    return world


def search_guarded(config: Config, seed: int, budget: int) -> tuple[float, int]:
    """Best profit in bps without shares, and how many trips were tried."""
    world = _world(config)
    search = Search(world, GuardedVenue(world))
    return search.best(seed, budget)[0], search.evaluations


def search_with_shares(share_bps: int, seed: int, budget: int) -> float:
    """Best profit in bps of an attacker who holds that part of the pool, above doing nothing."""
    world = _world()
    shares = world.pool.balanceOf(world.whale) * share_bps // 10_000
    world.pool.transfer(world.evm.account("attacker"), shares, sender=world.whale)
    search = Search(world, GuardedVenue(world), with_shares=True)
    passive = search.profit_bps(())
    return search.best(seed, budget)[0] - passive


def measure(seed: int = 1, budget: int = 20_000) -> dict[str, float]:
    """Best profits found, in bps of the pool's token1."""
    figures: dict[str, float] = {}
    best, tried = search_guarded(Config(), seed, budget)
    # Without fees only the guard stands between the attacker and his profit.
    free, tried_free = search_guarded(Config(min_fee=0, max_fee=0), seed, budget)
    # Staying away is a trip as well.
    figures["pool_attack_profit"] = max(best, free, 0.0)
    figures["pool_attack_best_trip"] = best
    figures["pool_attack_best_trip_without_fee"] = free
    figures["pool_attack_evaluations"] = tried + tried_free
    world = _world()
    second = uniswap.v2(world.evm, world.tokens, RESERVES, world.whale)
    figures["univ2_attack_profit"] = Search(world, V2Venue(world, second)).best(seed, budget)[0]
    third = uniswap.v3(world.evm, world.tokens, RESERVES, world.whale)
    for user in (*ATTACKERS, "trader"):
        for token in world.tokens:
            token.approve(third.router, NEVER_ENDING, sender=world.evm.account(user))
    figures["univ3_attack_profit"] = Search(world, V3Venue(world, third)).best(seed, budget)[0]
    for share in (1_000, 5_000, 9_000):
        name = f"pool_attack_profit_with_{share // 100}_pct_of_shares"
        figures[name] = search_with_shares(share, seed, budget // 2)
    return figures
