"""An institution's day, one by one and batched: what the same requests cost in gas, by receipts.

100 deposits, 100 exits, 40 rebalance moves and 12 harvests on a local chain with the real Aave V3
and the real Uniswap V3; docs/capital.md says what each side does. It judges only by `promises`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from tests.bench.day_world import (
    DAY,
    FOREVER,
    MAX,
    PEOPLE,
    STAKE,
    USD,
    DayWorld,
    build_day_world,
)
from tests.support.flows import Intent

GOAL_PCT = 75
MOVES, HARVESTS, RUNS = 40, 12, 2
MOVE = 5_000 * USD
SEED = 5
NOBODY = range(0)


class Day:
    """The requests of one day, and the ways to serve them; gas adds up by kind."""

    def __init__(self, world: DayWorld) -> None:
        rng = random.Random(SEED)
        self.world = world
        self.amounts = [rng.randrange(STAKE // 20, STAKE // 10) for _ in range(2 * PEOPLE)]
        self.moves: list[tuple[str, bool, int]] = [
            (
                str(rng.choice(world.strategies).address),
                place % 2 == 1,
                rng.randrange(MOVE // 2, MOVE),
            )
            for place in range(MOVES)
        ]
        self.gas: dict[str, int] = {}
        self.ids = 0

    def spend(self, kind: str, sender: str, function: Any) -> None:
        self.gas[kind] = self.gas.get(kind, 0) + self.world.send(sender, function)

    def fresh_id(self) -> bytes:
        self.ids += 1
        return b"day" + self.ids.to_bytes(29, "big")

    # ---- one by one ----

    def deposit_alone(self, place: int, approve: bool) -> None:
        world, owner, assets = self.world, self.world.depositors[place], self.amounts[place]
        if approve:
            grant = world.usdc.functions.approve(world.router.address, assets)
            self.spend("approve", owner, grant)
        deposit = world.router.get_function_by_signature("deposit(uint256,address)")
        self.spend("deposit", owner, deposit(assets, owner))

    def exit_alone(self, place: int) -> None:
        owner, shares = self.world.leavers[place], self.shares(place)
        redeem = self.world.router.get_function_by_signature("redeem(uint256,address,address)")
        self.spend("exit", owner, redeem(shares, owner, owner))

    # ---- together ----

    def settle(self, deposits: range, exits: range) -> None:
        world, gateway = self.world, self.world.gateway
        sides: list[list[Any]] = [[], []]
        for place in deposits:
            owner = world.depositors[place]
            intent = Intent("DepositIntent", owner, owner, self.amounts[place], 0, 1, FOREVER)
            sides[0].append(intent.signed(gateway))  # type: ignore[arg-type]
        for place in exits:
            owner = world.leavers[place]
            intent = Intent("ExitIntent", owner, owner, self.shares(place), 0, 1, FOREVER)
            sides[1].append(intent.signed(gateway))  # type: ignore[arg-type]
        kind = "deposit" if deposits else "exit"
        self.spend(kind, world.boss.address, gateway.functions.settle(self.fresh_id(), *sides))

    def run_plan(self, moves: list[tuple[str, bool, int]]) -> None:
        steps = [(strategy, lend, assets, 0) for strategy, lend, assets in moves]
        plan = (self.fresh_id(), FOREVER, 2 * len(steps), steps)
        self.spend("move", self.world.boss.address, self.world.router.functions.rebalance(plan))

    def harvest(self, strategies: Sequence[str]) -> None:
        call = self.world.harvester.functions.harvest(strategies)
        self.spend("harvest", self.world.boss.address, call)

    def shares(self, place: int) -> int:
        return self.amounts[PEOPLE + place] * 10**12

    # ---- the day ----

    def one_by_one(self, approve: bool, signed: bool) -> None:
        """Every request at a time of its own, as a transaction of its own."""
        calls: list[Callable[[], None]] = []
        for place in range(PEOPLE):
            alone = range(place, place + 1)
            if signed:
                calls += [partial(self.settle, alone, NOBODY), partial(self.settle, NOBODY, alone)]
            else:
                calls += [
                    partial(self.deposit_alone, place, approve),
                    partial(self.exit_alone, place),
                ]
        random.Random(SEED).shuffle(calls)
        every = len(calls) // MOVES
        for place in range(MOVES):
            calls.insert((place + 1) * every + place, partial(self.run_plan, [self.moves[place]]))
        half = len(calls) // RUNS
        for run in range(RUNS):
            for call in calls[run * half : (run + 1) * half]:
                self.world.chain.set_next_timestamp(
                    self.world.chain.timestamp() + DAY // len(calls)
                )
                call()
            for strategy in self.world.strategies:
                self.harvest([strategy.address])
            self.world.accrue_rewards()

    def batched(self, net: bool) -> None:
        """The same requests, settled together when the day is over; strategies pay twice a day."""
        strategies = [strategy.address for strategy in self.world.strategies]
        for _ in range(RUNS):
            self.world.chain.advance(DAY // RUNS)
            self.harvest(strategies)
            self.world.accrue_rewards()
        everybody = range(PEOPLE)
        self.settle(everybody, NOBODY)
        self.settle(NOBODY, everybody)
        self.run_plan(netted(self.moves) if net else self.moves)


def netted(moves: list[tuple[str, bool, int]]) -> list[tuple[str, bool, int]]:
    """One move for each strategy, what comes back first."""
    sums: dict[str, int] = {}
    for strategy, lend, assets in moves:
        sums[strategy] = sums.get(strategy, 0) + (assets if lend else -assets)
    found = [(strategy, total > 0, abs(total)) for strategy, total in sums.items() if total]
    return sorted(found, key=lambda move: move[1])


def measure() -> dict[str, float]:
    """Every figure by its name in reports/bench.json."""
    ways: dict[str, Callable[[Day], None]] = {
        "single": lambda day: day.one_by_one(approve=True, signed=False),
        "standing": lambda day: day.one_by_one(approve=False, signed=False),
        "intent": lambda day: day.one_by_one(approve=False, signed=True),
        "batched": lambda day: day.batched(net=True),
        "unmerged": lambda day: day.batched(net=False),
    }
    spent: dict[str, dict[str, int]] = {}
    world = build_day_world()
    try:
        for name, way in ways.items():
            before = world.chain.snapshot()
            if name == "standing":
                grant = world.usdc.functions.approve(world.router.address, MAX)
                for owner in world.depositors:
                    world.send(owner, grant)
            day = Day(world)
            way(day)
            assert world.unsold() == 0, f"{name}: rewards were left unsold"
            spent[name] = day.gas
            world.chain.revert(before)
    finally:
        world.chain.stop()
    return figures(spent)


def figures(spent: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """The figures out of the gas by way and kind."""
    total = {way: sum(kinds.values()) for way, kinds in spent.items()}
    batched = total["batched"]

    def saving(way: str) -> float:
        return round(100 - 100 * batched / total[way], 1)

    found: dict[str, float] = {
        "day_single_gas": total["single"],
        "day_batched_gas": batched,
        "day_saving_pct": saving("single"),
        "day_saving_pct_goal": GOAL_PCT,
        "day_single_standing_allowances_gas": total["standing"],
        "day_saving_standing_allowances_pct": saving("standing"),
        "day_single_by_intent_gas": total["intent"],
        "day_saving_by_intent_pct": saving("intent"),
        "day_saving_by_intent_pct_goal": GOAL_PCT,
        "day_batched_moves_unmerged_gas": total["unmerged"],
    }
    counts = {"deposit": PEOPLE, "exit": PEOPLE, "move": MOVES, "harvest": HARVESTS}
    for way in ("single", "intent", "batched"):
        for kind, count in counts.items():
            found[f"day_{way}_{kind}_gas"] = round(spent[way][kind] / count)
    found["day_single_approve_gas"] = round(spent["single"]["approve"] / PEOPLE)
    return found


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
