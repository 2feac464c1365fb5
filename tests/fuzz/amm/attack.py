"""Trips of an attacker inside one guard window, as data: drawn, run on any pool, valued exactly."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from tests.support.amm import ANY_FEE, FOREVER, NEVER_ENDING, PoolWorld
from tests.support.evm import Address, Contract, Revert

ATTACKERS = ("attacker", "accomplice", "third")
HONEST = ("trader", "investor")
Kind = Literal["attack", "attack_out", "close", "honest", "mint", "burn", "next_block"]


@dataclass(frozen=True)
class Step:
    """One action. The size is part/256 · 2^-shift of the reserve that it takes from."""

    kind: Kind
    who: int = 0
    side: bool = True
    part: int = 128
    shift: int = 0


@dataclass(frozen=True)
class Trip:
    """What happened before, then the trip itself. Block times are in quarter seconds."""

    quarter_seconds: int
    history: tuple[Step, ...]
    steps: tuple[Step, ...]


def steps(*kinds: Kind) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        kind=st.sampled_from(kinds),
        who=st.integers(0, 2),
        side=st.booleans(),
        part=st.integers(1, 256),
        shift=st.sampled_from([0, 0, 1, 2, 3, 6, 12, 30, 60]),
    )


def trips(block_times: tuple[int, ...] = (1, 8, 48)) -> st.SearchStrategy[Trip]:
    """Trips with blocks of 0.25, 2 and 12 seconds."""
    return st.builds(
        Trip,
        quarter_seconds=st.sampled_from(block_times),
        history=st.lists(steps("honest", "mint", "burn", "next_block"), max_size=8).map(tuple),
        steps=st.lists(
            steps(
                *("attack", "attack", "attack_out", "close", "close"),
                *("honest", "honest", "mint", "burn", "next_block", "next_block"),
            ),
            min_size=2,
            max_size=14,
        ).map(tuple),
    )


def random_trip(rng: random.Random, block_times: tuple[int, ...] = (1, 8, 48)) -> Trip:
    """A trip drawn evenly, where hypothesis prefers small and repeated choices."""

    def draw(kinds: Sequence[Kind], most: int) -> tuple[Step, ...]:
        return tuple(
            Step(
                rng.choice(kinds),
                rng.randrange(3),
                rng.random() < 0.5,
                rng.randint(1, 256),
                rng.choice([0, 0, 1, 1, 2, 3, 8, 40]),
            )
            for _ in range(rng.randint(1, most))
        )

    return Trip(
        rng.choice(block_times),
        draw(("honest", "honest", "next_block"), 8),
        draw(("attack", "attack", "attack_out", "close", "honest", "honest", "next_block"), 10),
    )


class Runner:
    """Runs trips on one pool, each from the same start.

    Args:
        world: accounts and tokens.
        pool: the pool under attack; controls have no liquidity functions and no exact-out.
        guard_window: seconds that a trip may take, from its first leg to its last.
        guard_blocks: how many blocks it may touch at most, for guards that count blocks.
    """

    def __init__(
        self,
        world: PoolWorld,
        pool: Contract,
        guard_window: int,
        guard_blocks: int | None = None,
    ) -> None:
        self.world, self.pool = world, pool
        self.guard_window, self.guard_blocks = guard_window, guard_blocks
        self.complete = pool == world.pool
        self.attackers = [world.evm.account(label) for label in ATTACKERS]
        self.honest = [world.evm.account(label) for label in HONEST]
        for user in (*self.attackers, *self.honest):
            world.enrol(user)
            for token in world.tokens:
                token.approve(pool, NEVER_ENDING, sender=user)
        self.calls = 0
        self._mark = world.evm.snapshot()

    def run(self, trip: Trip) -> Result:
        evm = self.world.evm
        evm.restore(self._mark)
        self._quarters = 4 * evm.timestamp
        for step in trip.history:
            self._do(step, trip.quarter_seconds)
        self._next_block(trip.quarter_seconds)
        before = self._holdings()
        self._before = before
        opening = tuple(self.pool.getReserves())
        start: int | None = None
        blocks = 0
        for step in trip.steps:
            if step.kind == "next_block" and start is not None:
                too_late = (self._quarters + trip.quarter_seconds) // 4 - start > self.guard_window
                if too_late or blocks + 1 == self.guard_blocks:
                    continue
                blocks += 1
            if step.kind == "next_block" and start is None:
                self._next_block(trip.quarter_seconds)
                opening = tuple(self.pool.getReserves())
                continue
            if step.kind in ("attack", "attack_out", "close") and start is None:
                start = evm.timestamp
            self._do(step, trip.quarter_seconds)
        after = self._holdings()
        return Result(after[0] - before[0], after[1] - before[1], *opening)

    def _holdings(self) -> tuple[int, int]:
        zero, one = self.world.tokens
        return (
            sum(zero.balanceOf(a) for a in self.attackers),
            sum(one.balanceOf(a) for a in self.attackers),
        )

    def _next_block(self, quarter_seconds: int) -> None:
        before = self._quarters // 4
        self._quarters += quarter_seconds
        self.world.evm.mine(1, self._quarters // 4 - before)

    def _do(self, step: Step, quarter_seconds: int) -> None:
        """A step that the pool refuses is no step."""
        if step.kind == "next_block":
            self._next_block(quarter_seconds)
            return
        try:
            self._act(step)
        except Revert:
            return

    def _act(self, step: Step) -> None:
        self.calls += 1
        reserves = self.pool.getReserves()
        size = max(1, reserves[0 if step.side else 1] * step.part // 256 >> step.shift)
        if step.kind in ("mint", "burn"):
            self._liquidity(step)
        elif step.kind == "honest":
            self._sell(self.honest[step.who % 2], step.side, size)
        elif step.kind == "attack":
            self._sell(self.attackers[step.who], step.side, size)
        elif step.kind == "close":
            # Sells what the trip has gained so far of one token.
            held = self._holdings()[0 if step.side else 1] - self._before[0 if step.side else 1]
            if held > 0:
                self._sell(self.attackers[step.who], step.side, held)
        elif self.complete:
            user = self.attackers[step.who]
            out = max(1, reserves[1 if step.side else 0] * step.part // 257 >> step.shift)
            self.pool.swapExactOut(step.side, out, 2**255, user, ANY_FEE, FOREVER, sender=user)

    def _sell(self, user: Address, side: bool, amount: int) -> None:
        self.pool.swapExactIn(side, amount, 0, user, ANY_FEE, FOREVER, sender=user)

    def _liquidity(self, step: Step) -> None:
        if not self.complete:
            return
        user: Any = self.honest[step.who % 2] if step.who else self.world.whale
        if step.kind == "mint":
            size = [max(1, r * step.part // 256 >> step.shift) for r in self.pool.getReserves()]
            self.pool.mint(*size, 0, FOREVER, sender=user)
        else:
            held = self.pool.matureBalanceOf(user)
            self.pool.burn(
                max(1, held * step.part // 256 >> step.shift), 0, 0, user, FOREVER, sender=user
            )


@dataclass(frozen=True)
class Result:
    """What the attackers gained of both tokens, and the reserves at the opening of the trip."""

    gain0: int
    gain1: int
    opening0: int
    opening1: int

    @property
    def profit(self) -> int:
        """Value of the gain at the opening price, in token1 times opening0: > 0 breaks P3."""
        return self.gain1 * self.opening0 + self.gain0 * self.opening1

    @property
    def profit_share(self) -> float:
        """The profit as a share of the pool's token1."""
        return self.profit / self.opening0 / self.opening1
