"""The pool's arithmetic against exact fractions, over all magnitudes."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import log2

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.conftest import FUZZ_RUNS
from tests.models.guarded_pool import RESERVE_MAX, TICK, Price, ceil_div
from tests.support.evm import Contract, Evm

pytestmark = pytest.mark.fuzz

MANY = settings(max_examples=10 * FUZZ_RUNS)
magnitudes = st.integers(0, 112).flatmap(lambda bits: st.integers(1, max(1, 2**bits - 1)))
fees = st.integers(0, 65_535)
codes = st.builds(Price.below, magnitudes, magnitudes)


@cache
def math() -> Contract:
    return Evm().deploy("PoolMath")


@MANY
@given(magnitudes, magnitudes)
def test_encode_down__any_two_reserves__brackets_the_price(y: int, x: int) -> None:
    """Property: P1."""
    code = math().encodeDown(y, x)
    price = Price.below(y, x)
    assert code == price.code
    assert Fraction(*price.ratio) <= Fraction(y, x) < Fraction(*price.next_up().ratio)
    assert price.next_up().code == code + 1


@MANY
@given(codes, st.one_of(st.just(0), magnitudes))
# Where the shift changes sides, one below, and both ends.
@example(Price.below(2**52, 1), 2**112 - 1)
@example(Price.below(2**52 - 1, 1), 2**112 - 1)
@example(Price.below(2**112 - 1, 1), 2**112 - 1)
@example(Price.below(1, 2**112 - 1), 2**112 - 1)
def test_mul_div__any_price__round_as_named(price: Price, amount: int) -> None:
    """Property: P1."""
    numerator, denominator = price.ratio
    assert math().mulDown(price.code, amount) == amount * numerator // denominator
    assert math().mulUp(price.code, amount) == ceil_div(amount * numerator, denominator)
    down, up = amount * denominator // numerator, ceil_div(amount * denominator, numerator)
    for method, exact in (("divDown", down), ("divUp", up)):
        got = getattr(math(), method)(price.code, amount)
        assert got == exact or (got == 2**256 - 1 and exact >= 2**203), method


@MANY
@given(codes)
def test_log2__any_price__within_one_tick_of_its_plain_twin(price: Price) -> None:
    numerator, denominator = price.ratio
    tick = math().log2(price.code)
    assert tick == price.tick
    assert abs(tick - math().log2Plain(price.code)) <= 1
    assert abs(tick - (log2(numerator) - log2(denominator)) * TICK) < 1.1
    assert math().log2(price.next_up().code) >= tick or price.mantissa == 2**53 - 1


@MANY
@given(st.integers(-112 * TICK, 112 * TICK - 1))
def test_exp2__any_tick__inverts_the_logarithm(tick: int) -> None:
    value = math().exp2X128(tick)
    assert abs(log2(value) - 128 - tick / TICK) < 1e-6 if tick > -100 * TICK else value >= 2**15


@MANY
@given(st.integers(0, 255).flatmap(lambda bits: st.integers(2**bits, 2 ** (bits + 1) - 1)))
def test_msb__any_word__equals_its_plain_twin(x: int) -> None:
    assert math().msb(x) == math().msbPlain(x) == x.bit_length() - 1


@MANY
@given(magnitudes, magnitudes, magnitudes, fees, codes, st.booleans())
def test_amount_out__any_reserves__k_and_the_bound_hold(
    reserve_in: int, reserve_out: int, amount_in: int, fee: int, bound: Price, side: bool
) -> None:
    """Property: P1, P2."""
    out = math().amountOutDown(reserve_in, reserve_out, amount_in, fee, bound.code, side)
    assert (reserve_in + amount_in) * (reserve_out - out) >= reserve_in * reserve_out
    price = Fraction(*bound.ratio)
    assert out <= amount_in * (price if side else 1 / price)


@MANY
@given(magnitudes, magnitudes, magnitudes, fees, codes, st.booleans())
def test_amount_in__buys_at_least_what_was_asked__and_one_less_does_not(
    reserve_in: int, reserve_out: int, amount_out: int, fee: int, bound: Price, side: bool
) -> None:
    """Property: P1, P5."""
    assume(amount_out < reserve_out)
    args = (fee, bound.code, side)
    amount_in = math().amountInUp(reserve_in, reserve_out, amount_out, *args)
    assume(amount_in <= RESERVE_MAX)
    assert math().amountOutDown(reserve_in, reserve_out, amount_in, *args) >= amount_out
    if amount_in > 1:
        assert math().amountOutDown(reserve_in, reserve_out, amount_in - 1, *args) < amount_out


@MANY
@given(magnitudes, magnitudes, magnitudes, magnitudes, fees, codes, st.booleans())
def test_amount_out__split_in_two__never_beats_the_whole(
    reserve_in: int,
    reserve_out: int,
    first: int,
    second: int,
    fee: int,
    bound: Price,
    side: bool,
) -> None:
    """Property: P4."""
    assume(reserve_in + first + second <= RESERVE_MAX)

    def sell(r_in: int, r_out: int, amount: int) -> int:
        return int(math().amountOutDown(r_in, r_out, amount, fee, bound.code, side))

    whole = sell(reserve_in, reserve_out, first + second)
    one = sell(reserve_in, reserve_out, first)
    two = sell(reserve_in + first, reserve_out - one, second)
    assert one + two <= whole


def test_amount_out__pool_that_forgets_the_first_half__splitting_beats_the_whole() -> None:
    """Control: P4. The same comparison, on a pool that pays both halves at its first price."""
    bound = Price.below(2 * 10**18, 10**18).code

    def sell(amount: int) -> int:
        return int(math().amountOutDown(10**18, 10**18, amount, 3_000, bound, True))

    assert sell(10**17) + sell(10**17) > sell(2 * 10**17)


@MANY
@given(magnitudes, magnitudes, magnitudes, magnitudes, fees, codes, st.booleans())
def test_amount_in__split_in_two__never_beats_the_whole(
    reserve_in: int,
    reserve_out: int,
    first: int,
    second: int,
    fee: int,
    bound: Price,
    side: bool,
) -> None:
    """Property: P4."""
    assume(first + second < reserve_out)

    def cost(r_in: int, r_out: int, amount: int) -> int:
        return int(math().amountInUp(r_in, r_out, amount, fee, bound.code, side))

    whole = cost(reserve_in, reserve_out, first + second)
    one = cost(reserve_in, reserve_out, first)
    assume(reserve_in + one <= RESERVE_MAX)
    assert one + cost(reserve_in + one, reserve_out - first, second) >= whole
