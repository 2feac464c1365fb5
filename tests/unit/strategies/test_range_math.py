"""The strategy's price maths against real numbers, the exact model and Uniswap's own libraries."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models import range_order as model
from tests.models.range_order import MAX_TICK, Q96
from tests.support.evm import Contract, Evm, reverts
from tests.support.uniswap import VENDOR, deploy

ticks = st.integers(-MAX_TICK, MAX_TICK)
# Where amounts of any token fit: prices between 2^-80 and 2^80.
usual = st.integers(-550_000, 550_000)
liquidities = st.integers(0, 2**127)


@pytest.fixture(scope="module")
def probe() -> Contract:
    return Evm().deploy("RangeMathProbe")


def ordered(a: int, b: int) -> tuple[int, int]:
    """Two ticks, the lower one first, at least one apart."""
    low, high = min(a, b), max(a, b)
    return low, high + (low == high)


def edges() -> list[int]:
    """Every power of two, its neighbours, the bounds and zero, on both sides."""
    near = {0, MAX_TICK, MAX_TICK - 1} | {2**i + d for i in range(20) for d in (-1, 0, 1)}
    return sorted({s * t for t in near for s in (1, -1) if t <= MAX_TICK})


def test_sqrt_ratio__edges__as_uniswap_itself(probe: Contract) -> None:
    theirs = deploy(Evm(spec="CANCUN"), f"{VENDOR}/v4-core/out/TickMathTest.sol/TickMathTest")
    name = next(n for n in theirs._interface.by_name if n.lower().startswith("getsqrt"))
    for tick in edges():
        mine = probe.sqrtRatioAtTick(tick)
        assert mine == getattr(theirs, name)(tick) == model.sqrt_ratio_at_tick(tick), tick


@given(tick=ticks)
def test_sqrt_ratio__any_tick__within_a_unit_and_2_to_minus_90_of_the_real_root(
    probe: Contract, tick: int
) -> None:
    got = probe.sqrtRatioAtTick(tick)
    assert got == model.sqrt_ratio_at_tick(tick)
    # 1.0001^tick without a root: compare squares.
    real = model.BASE**tick if abs(tick) < 20_000 else None
    if real is not None:
        low, high = (Fraction(got - 1 - (got >> 90)) / Q96, Fraction(got + (got >> 90)) / Q96)
        assert low * low <= real <= high * high


@given(tick=st.integers(-MAX_TICK, MAX_TICK - 1))
def test_sqrt_ratio__next_tick__is_higher(probe: Contract, tick: int) -> None:
    assert probe.sqrtRatioAtTick(tick) < probe.sqrtRatioAtTick(tick + 1)


def test_sqrt_ratio__beyond_the_bounds__refused(probe: Contract) -> None:
    for tick in (MAX_TICK + 1, -MAX_TICK - 1, 2**23 - 1, -(2**23)):
        with reverts("TickOutOfBounds", tick):
            probe.sqrtRatioAtTick(tick)


@given(a=usual, b=usual, at=usual, liquidity=liquidities)
def test_amounts__any_range__below_the_real_ones_by_less_than_a_unit(
    probe: Contract, a: int, b: int, at: int, liquidity: int
) -> None:
    low, high = (model.sqrt_ratio_at_tick(t) for t in ordered(a, b))
    price = model.sqrt_ratio_at_tick(at)
    got = tuple(probe.amountsDown(low, high, price, liquidity))
    assert got == model.amounts(low, high, price, liquidity)
    for mine, real in zip(got, model.exact_amounts(low, high, price, liquidity), strict=True):
        assert real - 1 < mine <= real


@given(a=usual, b=usual, amount=st.integers(0, 2**112), of_token0=st.booleans())
def test_liquidity__any_amount__is_paid_for_in_full(
    probe: Contract, a: int, b: int, amount: int, of_token0: bool
) -> None:
    """The pool asks for no more than the amount, rounding up."""
    low, high = (model.sqrt_ratio_at_tick(t) for t in ordered(a, b))
    liquidity = probe.liquidityDown(low, high, amount, of_token0)
    side = model.exact_amounts(low, high, low if of_token0 else high, liquidity)
    assert side[0 if of_token0 else 1] <= amount
    assert side[1 if of_token0 else 0] == 0


@given(at=usual, amount=st.integers(0, 2**112), of_token0=st.booleans())
def test_quote__any_amount__not_above_the_real_worth(
    probe: Contract, at: int, amount: int, of_token0: bool
) -> None:
    price = model.sqrt_ratio_at_tick(at)
    got = probe.quoteDown(price, amount, of_token0)
    pair = (Fraction(amount), Fraction(0)) if of_token0 else (Fraction(0), Fraction(amount))
    real = model.worth(pair, price, not of_token0)
    factor = Fraction(price, Q96) if of_token0 else Fraction(Q96, price)
    assert real - factor - 1 < got <= real


@given(a=usual, b=usual, spot=usual, mean=usual, liquidity=liquidities, in_token0=st.booleans())
def test_worth__liquidity_burned_at_any_spot__covers_what_was_counted(
    a: int, b: int, spot: int, mean: int, liquidity: int, in_token0: bool
) -> None:
    """What the strategy stands on: at the average no composition is worth less than its own."""
    low, high = (model.sqrt_ratio_at_tick(t) for t in ordered(a, b))
    burned_at, valued_at = (model.sqrt_ratio_at_tick(t) for t in (spot, mean))
    counted = model.exact_amounts(low, high, valued_at, liquidity)
    burned = model.exact_amounts(low, high, burned_at, liquidity)
    assert model.worth(burned, valued_at, in_token0) >= model.worth(counted, valued_at, in_token0)
