"""The oracle: averages, truncation, memory; and that nothing inside a block moves it or the fee."""

from __future__ import annotations

from math import log2

from tests.models.guarded_pool import TICK
from tests.support.amm import PoolWorld
from tests.support.evm import Address, reverts

UNIT = 10**18


def test_observe__trades_inside_a_block__change_nothing(
    world: PoolWorld, attacker: Address
) -> None:
    """Property: P6."""
    world.mine()
    seen = (world.pool.observe([0, 5]), world.pool.feePips(), tuple(world.pool.guardPrices()))
    for amount, side in ((10**5, True), (10**6, False), (3 * 10**4, True)):
        world.sell(attacker, amount * UNIT, side)
        assert world.pool.observe([0, 5]) == seen[0]
        assert world.pool.feePips() == seen[1]
        assert tuple(world.pool.guardPrices()) == seen[2]


def test_fee__volatile_opening__rises_in_the_next_block_and_falls_back(
    world: PoolWorld, attacker: Address
) -> None:
    world.mine()
    calm = world.pool.feePips()
    assert calm == world.config.min_fee
    world.sell(attacker, 100_000 * UNIT)
    world.mine()
    assert calm < world.pool.feePips() <= world.config.max_fee
    world.pool.checkpoint()
    world.mine(seconds=3_600)
    world.pool.checkpoint()
    world.mine(seconds=12)
    assert world.pool.feePips() == calm


def test_twap__two_prices__is_their_geometric_mean(world: PoolWorld, attacker: Address) -> None:
    world.pool.increaseObservationCardinality(9)
    world.mine(seconds=300)
    before = world.pool.getReserves()
    world.sell(attacker, 200_000 * UNIT)
    after = world.pool.getReserves()
    world.mine(seconds=300)
    plain, truncated = world.pool.twap(600)
    mean = (log2(before[1] / before[0]) + log2(after[1] / after[0])) / 2
    assert abs(log2(plain / 2**128) - mean) < 3 / TICK
    assert plain < truncated < 2 * 2**128


def test_truncated_twap__one_block_of_control__moves_by_the_rate_only(
    world: PoolWorld, attacker: Address
) -> None:
    world.pool.increaseObservationCardinality(9)
    world.mine(seconds=1_800)
    world.pool.checkpoint()
    start = world.pool.twap(1_800)[1]
    world.sell(attacker, 900_000 * UNIT)
    world.mine(seconds=12)
    plain, truncated = world.pool.twap(1_800)
    bound = 12 * 12 * world.config.truncation_rate / 1_800 / TICK
    assert abs(log2(truncated / start)) <= bound + 2 / TICK
    assert abs(log2(plain / start)) > 10 * abs(log2(truncated / start))


def test_observe__ring_is_full__forgets_the_oldest(world: PoolWorld) -> None:
    world.pool.increaseObservationCardinality(4)
    for _ in range(12):
        world.mine(seconds=60)
        world.pool.checkpoint()
    world.pool.observe([180])
    with reverts("ObservationTooOld", 181, 180):
        world.pool.observe([181])
    assert world.pool.oracleState()[5] == 4


def test_observe__ring_has_places_not_written_yet__ends_at_the_oldest_record(
    world: PoolWorld,
) -> None:
    """A place that was only paid for is no record: its time is not one that can be asked for."""
    opened = world.evm.timestamp
    world.pool.increaseObservationCardinality(9)
    for _ in range(3):
        world.mine(seconds=60)
        world.pool.checkpoint()
    assert tuple(world.pool.oracleState()[4:]) == (3, 9)
    age = world.evm.timestamp - opened
    assert age == 180
    plain, truncated = world.pool.observe([age])
    tick = world.pool.oracleState()[1]
    now_plain, now_truncated = world.pool.observe([0])
    assert now_plain[0] - plain[0] == now_truncated[0] - truncated[0] == tick * age
    with reverts("ObservationTooOld", age + 1, age):
        world.pool.observe([age + 1])


def test_increase_cardinality__not_more__reverts(world: PoolWorld) -> None:
    with reverts("InvalidConfig"):
        world.pool.increaseObservationCardinality(1)


def test_twap__no_span__reverts(world: PoolWorld) -> None:
    with reverts("ZeroAmount"):
        world.pool.twap(0)
