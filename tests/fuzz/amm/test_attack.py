"""No trip in the guard window profits; two guards that others use fail the same search."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from tests.conftest import FUZZ_RUNS
from tests.fuzz.amm.attack import Runner, Trip, random_trip, trips
from tests.models.guarded_pool import Config
from tests.support.amm import NEVER_ENDING, PoolWorld
from tests.support.evm import Evm

pytestmark = pytest.mark.fuzz

UNIT = 10**18
CALM = {"volatility_factor": 0, "deviation_factor": 0}
# (reserves, decimals, config, seconds per block in quarters)
MARKETS = [
    ((10**6 * UNIT, 2 * 10**6 * UNIT), (18, 18), Config(), (48,)),
    ((10**6 * UNIT, 2 * 10**6 * UNIT), (18, 18), Config(guard_window=4), (8, 1)),
    ((1_000, 1_003), (0, 0), Config(guard_window=12, min_fee=0, max_fee=0), (1, 8, 48)),
    ((10**12, 10**21), (6, 18), Config(guard_window=24, min_fee=0, **CALM), (1, 8, 48)),
    ((10**30, 10**11), (24, 8), Config(guard_window=2, maturity_blocks=9), (1,)),
    ((2**111, 2**111), (18, 18), Config(min_fee=0, max_fee=0), (8, 48)),
    ((2**111, 10_000), (18, 0), Config(min_fee=0, max_fee=0), (8, 48)),
]


@cache
def runner(index: int) -> Runner:
    reserves, decimals, config, _ = MARKETS[index]
    world = PoolWorld(Evm(), config, reserves, decimals)
    world.mine(3)
    return Runner(world, world.pool, config.guard_window)


def markets_and_trips() -> st.SearchStrategy[tuple[int, Trip]]:
    return st.integers(0, len(MARKETS) - 1).flatmap(
        lambda i: st.tuples(st.just(i), trips(MARKETS[i][3]))
    )


@given(markets_and_trips())
@settings(max_examples=10 * FUZZ_RUNS)
def test_trip__inside_the_window__never_profits(attack: tuple[int, Trip]) -> None:
    """Property: P3."""
    index, trip = attack
    result = runner(index).run(trip)
    assert result.profit <= 0, f"profit {result.profit_share:.3e} of the pool: {result}"


def test_trip__drawn_evenly__never_profits() -> None:
    """Property: P3."""
    for index, (_, _, _, block_times) in enumerate(MARKETS):
        rng = random.Random(index)
        for _ in range(2 * FUZZ_RUNS):
            trip = random_trip(rng, block_times)
            assert runner(index).run(trip).profit <= 0, f"market {index}: {trip}"


@cache
def control(name: str) -> Runner:
    world = PoolWorld(Evm())
    pool = world.evm.deploy(name, *world.tokens)
    for token in world.tokens:
        token.approve(pool, NEVER_ENDING, sender=world.whale)
    pool.seed(10**6 * UNIT, 2 * 10**6 * UNIT, sender=world.whale)
    world.mine()
    return Runner(world, pool, guard_window=12, guard_blocks=2)


@pytest.mark.parametrize("name", ["SameBlockGuardPool", "PerSenderGuardPool"])
def test_trip__inside_a_weaker_guards_window__profit_is_found(name: str) -> None:
    """Control: P3. The same trips, the same valuation."""
    found = find(
        trips((48,)),
        lambda trip: control(name).run(trip).profit > 0,
        settings=settings(
            max_examples=2_000,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert control(name).run(found).profit > 0
