"""The safety plane's libraries, called directly, against their models."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.safety.models import TOP, ULP, Bucket
from tests.support.evm import Contract, Evm
from tests.unit.safety.exact import GAS, needed, number, steps_of

DAY = 86_400
NOW = 1_800_000_000
LIMIT = 10**12
LARGEST = 2**103 - 1


@cache
def library() -> Contract:
    return Evm().deploy("SafetyLibraries")


def assert_equal(word: int, model: Bucket, now: int) -> None:
    assert tuple(library().bucketView(word, now)) == (
        model.limit,
        model.window,
        model.level_at(now),
        model.available(now),
    )


def full(limit: int = LIMIT, window: int = DAY) -> tuple[int, Bucket]:
    return int(library().create(limit, window, NOW)), Bucket(limit, window, NOW)


@pytest.mark.parametrize("limit", [2**64 - 1, 2**64, 2**64 + 1, 2**65, 2**102, LARGEST])
def test_create__limit_around_a_word_of_the_mantissa__as_the_model(limit: int) -> None:
    word, model = full(limit)
    assert_equal(word, model, NOW)
    assert model.take(limit // 3, NOW)
    word = int(library().take(word, limit // 3, NOW))
    for seconds in (0, 1, 1_000, DAY):
        assert_equal(word, model, NOW + seconds)


def test_create__at_once__is_full() -> None:
    word, model = full()
    assert_equal(word, model, NOW)
    assert library().bucketView(word, NOW)[3] == LIMIT // 2


def test_create__at_time_zero__is_full() -> None:
    """Later no one could tell: whatever it held then has been refilled."""
    assert library().bucketView(library().create(LIMIT, DAY, 0), 0)[3] == LIMIT // 2


def test_give__to_the_brim_of_the_word__saturates_and_no_sooner() -> None:
    """A level that is a multiple of a unit leaves room for one unit less than it looks."""
    room = (TOP - LIMIT // 2 * ULP) // ULP
    for assets in (room - 1, room, room + 1, room + 2, 2**200):
        word, model = full()
        model.give(assets, NOW)
        assert_equal(int(library().give(word, assets, NOW)), model, NOW)


moves = st.lists(
    st.tuples(
        st.sampled_from(("take", "give", "resize")),
        st.integers(0, 2 * LIMIT) | st.integers(0, LARGEST),
        st.integers(0, 3) | st.integers(0, 2 * DAY),
    ),
    min_size=1,
    max_size=12,
)


@given(moves)
def test_bucket__any_moves__as_the_model(chosen: list[tuple[str, int, int]]) -> None:
    """Property: S1. Each step of the library, alone, does what the model does."""
    word, model = full()
    now = NOW
    for move, amount, seconds in chosen:
        now += seconds
        if move == "take":
            after = int(library().take(word, amount, now))
            assert (after != 0) == model.take(amount, now)
            word = after or word
        elif move == "give":
            model.give(amount, now)
            word = int(library().give(word, amount, now))
        elif library().inBounds(amount, DAY):
            model.resize(amount, DAY, now)
            word = int(library().resize(word, amount, DAY, now))
        assert_equal(word, model, now)
        assert_equal(word, model, now + 1)


def test_has_gas__to_the_unit() -> None:
    """The code sees just what a read needs, then one unit less."""
    evm, cap, ample = library()._evm, 100_000, 1_000_000

    def ask(gas: int) -> object:
        return library().hasGas(cap, gas=gas)

    steps = steps_of(evm, ask, ample)
    seen = [number(after["stack"][-1]) for step, after in pairwise(steps) if step["op"] == GAS]
    limit = ample - seen[-1] + needed(cap)
    assert ask(limit) is True
    assert ask(limit - 1) is False
