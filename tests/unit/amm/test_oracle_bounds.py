"""The oracle's memory, second by second beside the model, and its edges."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.models.guarded_pool import TICK, Config, Rejected
from tests.support.amm import FOREVER, PoolWorld
from tests.support.evm import Contract, Evm, RejectedError, Revert, reverts

UNIT = 10**18


@cache
def math() -> Contract:
    return Evm().deploy("PoolMath")


@pytest.fixture
def own() -> PoolWorld:
    """A world of this test alone, so that its model may move along. Starts on a full minute."""
    return PoolWorld(Evm(timestamp=1_700_000_040), Config(truncation_rate=5))


def trade(world: PoolWorld, seconds: int, amount: int, side: bool = True) -> None:
    """The next block, so many seconds later, and a trade in it; the model does the same."""
    world.mine(seconds=seconds)
    trader = world.evm.account("trader")
    assert world.sell(trader, amount, side) == world.model.swap_exact_in(side, amount)


def assert_remembers(world: PoolWorld, longest: int) -> None:
    """Every second up to `longest` ago is answered, or refused, as the model does."""
    world.assert_equals_model()
    known = [ago for ago in range(longest) if expected(world, ago) is not None]
    assert known == list(range(len(known))), "what is too old stays too old"
    plain, truncated = world.pool.observe(known)
    for place, ago in enumerate(known):
        assert (plain[place], truncated[place]) == expected(world, ago), f"{ago} seconds ago"
    oldest = len(known) - 1
    for ago in range(len(known), longest):
        with reverts("ObservationTooOld", ago, oldest):
            world.pool.observe([ago])


def expected(world: PoolWorld, ago: int) -> tuple[int, int] | None:
    try:
        return world.model.observe(ago)
    except Rejected:
        return None


def test_observe__ring_of_one__remembers_since_its_record(own: PoolWorld) -> None:
    assert_remembers(own, 3)
    for amount in (10**22, 3 * 10**22, 10**21):
        trade(own, 13, amount)
        own.mine(seconds=9)
        assert_remembers(own, 100)
    trade(own, 50, 10**22, False)
    assert own.model.index == 0
    assert_remembers(own, 100)


def test_observe__ring_of_two__remembers_two_records(own: PoolWorld) -> None:
    own.pool.increaseObservationCardinality(2)
    own.model.grow(2)
    for step in range(5):
        trade(own, 61, (step + 1) * 10**22, step % 2 == 0)
        assert_remembers(own, 200)
    own.mine(seconds=7)
    assert_remembers(own, 200)


def test_observe__ring_of_five__remembers_each_record_before_and_after_it_is_full(
    own: PoolWorld,
) -> None:
    own.pool.increaseObservationCardinality(5)
    own.model.grow(5)
    for step in range(8):
        trade(own, 60 + 7 * step, (step + 1) * 10**22, step % 3 != 1)
        own.mine(seconds=11)
        assert_remembers(own, 500)


def test_observe__ring_grows_in_the_middle__goes_on_to_its_end_first(own: PoolWorld) -> None:
    own.pool.increaseObservationCardinality(3)
    own.model.grow(3)
    for step in range(4):
        trade(own, 60, (step + 1) * 10**22)
    own.pool.increaseObservationCardinality(6)
    own.model.grow(6)
    for step in range(6):
        trade(own, 75, (step + 1) * 10**22, step % 2 == 0)
        assert_remembers(own, 400)
    assert (own.model.index, own.model.cardinality) == (1, 6)


def test_checkpoint__period__a_record_when_a_minute_has_begun_and_not_before(
    own: PoolWorld,
) -> None:
    own.pool.increaseObservationCardinality(9)
    for seconds, index in ((59, 0), (1, 1), (1, 1), (58, 1), (1, 2), (60, 3), (600, 4)):
        own.mine(seconds=seconds)
        own.pool.checkpoint()
        assert own.pool.oracleState()[4] == index
    assert own.pool.OBSERVATION_PERIOD() == 60


def test_increase_cardinality__one_more__accepted_and_as_many_refused(own: PoolWorld) -> None:
    own.pool.increaseObservationCardinality(2)
    for size in (2, 1, 0):
        with reverts("InvalidConfig"):
            own.pool.increaseObservationCardinality(size)
    own.pool.increaseObservationCardinality(3)


def needed(world: PoolWorld, call: Callable[[int], Any]) -> int:
    """The least gas with which a call goes through."""
    low, high = 0, 2**20
    while high - low > 1:
        middle = (low + high) // 2
        with world.evm.rollback():
            try:
                call(middle)
                high = middle
            except (Revert, RejectedError):
                low = middle
    return high


def test_increase_cardinality__pays_for_each_new_place_and_no_other(own: PoolWorld) -> None:
    """The first value in a place costs 20 000 gas, and 2 100 if nobody looked at it before."""
    pool = own.pool
    two, three, six = (
        needed(own, lambda gas, size=size: pool.increaseObservationCardinality(size, gas=gas))  # type: ignore[misc]
        for size in (2, 3, 6)
    )
    assert 20_000 <= three - two < 40_000
    assert 3 * 20_000 <= six - three < 3 * 40_000
    assert two - (three - two) < 21_000 + 20_000, "more than one place was paid for"


def test_checkpoint__record_in_a_place_paid_for__costs_no_more_than_over_an_old_one(
    own: PoolWorld,
) -> None:
    own.pool.increaseObservationCardinality(3)
    costs = []
    for _ in range(6):
        own.mine(seconds=60)
        costs.append(needed(own, lambda gas: own.pool.checkpoint(gas=gas)))
        own.pool.checkpoint()
    assert max(costs) - min(costs) < 10_000


def test_observe__none_one_or_many__as_many_answers(own: PoolWorld) -> None:
    own.mine(seconds=30)
    assert [list(part) for part in own.pool.observe([])] == [[], []]
    now, before = own.model.observe(0), own.model.observe(7)
    assert [list(part) for part in own.pool.observe([7])] == [[before[0]], [before[1]]]
    plain, truncated = own.pool.observe([0, 7, 0])
    assert list(plain) == [now[0], before[0], now[0]]
    assert list(truncated) == [now[1], before[1], now[1]]


def test_observe__the_future_of_time__reverts(own: PoolWorld) -> None:
    with reverts("ObservationTooOld", 2**30, 0):
        own.pool.observe([2**30])


# ----------------------------------------------------------------------------- twap


def sums(world: PoolWorld, seconds: int) -> tuple[int, int]:
    """What both sums grew by in the last `seconds`, by the model."""
    now, then = world.model.observe(0), world.model.observe(seconds)
    return now[0] - then[0], now[1] - then[1]


def test_twap__mean_between_two_ticks__is_rounded_down() -> None:
    """Above and below a price of one."""
    for reserves in ((10**24, 2 * 10**24), (2 * 10**24, 10**24)):
        world = PoolWorld(Evm(timestamp=1_700_000_040), Config(truncation_rate=5), reserves)
        trade(world, 12, 10**22)
        trade(world, 7, 10**22)
        spans = (11, 13, 17, 19)
        assert any(sums(world, seconds)[0] % seconds for seconds in spans), "no mean to round"
        for seconds in spans:
            want = tuple(math().exp2X128(part // seconds) for part in sums(world, seconds))
            assert tuple(world.pool.twap(seconds)) == want


def test_twap__whole_negative_tick__is_not_lowered() -> None:
    world = PoolWorld(Evm(), Config(), (4 * 10**24, 10**24))
    world.mine(seconds=30)
    assert sums(world, 30) == (-2 * TICK * 30, -2 * TICK * 30)
    assert tuple(world.pool.twap(30)) == (2**126, 2**126)
    assert tuple(world.pool.twap(1)) == (2**126, 2**126)


def test_twap__price_of_one__is_one() -> None:
    world = PoolWorld(Evm(), Config(), (10**24, 10**24))
    world.mine(seconds=30)
    for seconds in (1, 7, 30):
        assert tuple(world.pool.twap(seconds)) == (2**128, 2**128)


def test_twap__whole_positive_tick__is_not_lowered() -> None:
    world = PoolWorld(Evm(), Config(), (10**24, 4 * 10**24))
    world.mine(seconds=30)
    assert tuple(world.pool.twap(7)) == (2**130, 2**130)


def test_twap__truncated_twin__is_asked_with_its_own_sums(own: PoolWorld) -> None:
    trade(own, 12, 5 * 10**23)
    own.mine(seconds=12)
    grown = sums(own, 12)
    assert grown[0] < grown[1]
    assert own.pool.twap(12)[1] == math().exp2X128(grown[1] // 12)
    assert own.pool.twap(12)[0] == math().exp2X128(grown[0] // 12)


def test_oracle__a_block_later_in_the_same_second__is_a_new_opening(own: PoolWorld) -> None:
    """Blocks may share a time stamp: the second opening gets no seconds."""
    trade(own, 12, 10**23)
    trade(own, 0, 10**23)
    own.assert_equals_model()
    assert own.pool.observe([0]) == own.pool.observe([0])
    plain, truncated = own.pool.observe([0])
    assert (plain[0], truncated[0]) == own.model.observe(0)


# ------------------------------------------------------- nothing inside a block moves it


def seen(world: PoolWorld) -> tuple[Any, ...]:
    """What openings decide: sums up to now, fee, guard."""
    return world.pool.observe([0]), world.pool.feePips(), tuple(world.pool.guardPrices())


def assert_is_the_opening(world: PoolWorld, call: Callable[[], Any]) -> None:
    """In a block that opens away from where the last one did, a first call, then a trade."""
    trade(world, 12, 2 * 10**22)
    world.mine(2, seconds=12)
    before = seen(world)
    assert world.config.min_fee < before[1] < world.config.max_fee
    call()
    assert seen(world) == before
    world.sell(world.evm.account("trader"), 10**23)
    assert seen(world) == before


def test_checkpoint__as_first_call_of_a_block__is_its_opening(own: PoolWorld) -> None:
    """Property: P6."""
    assert_is_the_opening(own, own.pool.checkpoint)


def test_skim__as_first_call_of_a_block__is_its_opening(own: PoolWorld) -> None:
    """Property: P6."""
    assert_is_the_opening(own, own.pool.skim)


def test_mint__as_first_call_of_a_block__is_its_opening(own: PoolWorld) -> None:
    """Property: P6."""
    args = (UNIT, 2 * UNIT, 0, FOREVER)
    assert_is_the_opening(own, lambda: own.pool.mint(*args, sender=own.whale))


def test_burn__as_first_call_of_a_block__is_its_opening(own: PoolWorld) -> None:
    """Property: P6."""
    args = (UNIT, 0, 0, own.whale, FOREVER)
    assert_is_the_opening(own, lambda: own.pool.burn(*args, sender=own.whale))
