"""Prices as floats, and what a trade pays: each rounding and each edge of the pool's arithmetic."""

from __future__ import annotations

from functools import cache

from tests.models.guarded_pool import RESERVE_MAX, TICK, Price, ceil_div
from tests.support.evm import Contract, Evm

SATURATED = 2**256 - 1
# Exponents at which a float is a whole number, and at which a view of it in 2^-128 is.
BIAS, X128_BIAS = 164, 36
AMOUNTS = (1, 2, 3, 10**18 + 1, 2**92 - 1, 2**111 + 1, RESERVE_MAX)


@cache
def math() -> Contract:
    return Evm().deploy("PoolMath")


def price(exponent: int, mantissa: int = 2**52 + 12_345) -> Price:
    """The price whose code has that exponent field."""
    return Price(exponent - BIAS, mantissa)


# ------------------------------------------------------------------------ floats


def test_encode_down__ratio_at_the_edge_of_the_shorter_shift__is_the_largest_not_above() -> None:
    """A quotient just below and at 2^53, which is 2^-91 times 2^144."""
    for numerator, denominator in (
        (1, 2**91),
        (1, 2**91 + 1),
        (1, 2**91 - 1),
        (2**20, 2**111 + 1),
        (2**20 + 1, 2**111),
        (3, 2**92 + 2**91),
        (RESERVE_MAX, 1),
        (RESERVE_MAX, 2**56),
        (2**56, RESERVE_MAX),
        (1, RESERVE_MAX),
        (RESERVE_MAX, RESERVE_MAX),
        (RESERVE_MAX, RESERVE_MAX - 1),
        (RESERVE_MAX - 1, RESERVE_MAX),
    ):
        assert math().encodeDown(numerator, denominator) == Price.below(numerator, denominator).code


def test_mul_down__each_side_of_the_bias__is_the_floor() -> None:
    for exponent in (0, 1, 52, 100, BIAS - 1, BIAS, BIAS + 1, 223):
        numerator, denominator = price(exponent).ratio
        for amount in AMOUNTS:
            got = math().mulDown(price(exponent).code, amount)
            assert got == amount * numerator // denominator


def test_mul_up__each_side_of_the_bias__is_the_ceiling() -> None:
    for exponent in (0, 1, 52, 100, BIAS - 1, BIAS, BIAS + 1, 223):
        numerator, denominator = price(exponent).ratio
        for amount in AMOUNTS:
            got = math().mulUp(price(exponent).code, amount)
            assert got == ceil_div(amount * numerator, denominator)


def test_mul_up__exact_product__is_not_raised() -> None:
    """And a product that is one unit more than exact is."""
    one = price(112, 2**52).code
    assert (math().mulUp(one, 5), math().mulUp(one + 1, 5)) == (5, 6)
    half = price(111, 2**52).code
    assert (math().mulUp(half, 4), math().mulUp(half, 5)) == (2, 3)
    assert (math().mulDown(half, 4), math().mulDown(half, 5)) == (2, 2)


def test_div_down__each_side_of_the_bias__is_the_floor() -> None:
    for exponent in (80, 112, BIAS - 1, BIAS, BIAS + 1, 223):
        numerator, denominator = price(exponent).ratio
        for amount in AMOUNTS:
            got = math().divDown(price(exponent).code, amount)
            assert got == amount * denominator // numerator


def test_div_up__each_side_of_the_bias__is_the_ceiling() -> None:
    for exponent in (80, 112, BIAS - 1, BIAS, BIAS + 1, 223):
        numerator, denominator = price(exponent).ratio
        for amount in AMOUNTS:
            got = math().divUp(price(exponent).code, amount)
            assert got == ceil_div(amount * denominator, numerator)


def test_div_up__exact_quotient__is_not_raised() -> None:
    one, two = price(112, 2**52).code, price(113, 2**52).code
    assert (math().divUp(one, 5), math().divUp(two, 4), math().divUp(two, 5)) == (5, 2, 3)
    assert (math().divDown(one, 5), math().divDown(two, 4), math().divDown(two, 5)) == (5, 2, 2)
    # The same where the mantissa is shifted instead of the amount.
    whole = price(BIAS, 2**52).code
    assert math().divUp(whole, 2**53) == math().divDown(whole, 2**53) == 2
    assert (math().divUp(whole, 2**53 + 1), math().divUp(whole, 2**53 - 1)) == (3, 2)
    assert math().divUp(whole + 1, 2**52 + 1) == math().divDown(whole + 1, 2**52 + 1) == 1
    assert math().divDown(whole + 1, 2**52) == 0


def test_div_up__one_unit_more_than_exact__is_raised() -> None:
    """2^104 is 2^52 - 1 times 2^52 + 1, and one."""
    assert math().divUp(price(112, 2**52 + 1).code, 2**52) == 2**52
    assert math().divDown(price(112, 2**52 + 1).code, 2**52) == 2**52 - 1


def test_div__amount_that_fits_shifted__is_exact_and_one_more_saturates() -> None:
    """At the lowest price an amount is shifted by 164 bits."""
    lowest, mantissa = price(0, 2**52 + 1).code, 2**52 + 1
    fits = 2 ** (256 - BIAS) - 1
    assert math().divDown(lowest, fits) == (fits << BIAS) // mantissa
    for amount in (fits + 1, 2 * fits, 2**94 + 1, RESERVE_MAX):
        assert math().divDown(lowest, amount) == SATURATED
        assert math().divUp(lowest, amount) == SATURATED


def test_div_up__amount_that_just_fits_shifted__is_exact() -> None:
    lowest, mantissa = price(0, 2**52 + 1).code, 2**52 + 1
    for amount in (1, 2**91, 2**92 - 2):
        assert math().divUp(lowest, amount) == ceil_div(amount << BIAS, mantissa)


def test_to_x128__each_side_of_its_bias__is_the_floor() -> None:
    for exponent in (0, 1, X128_BIAS - 1, X128_BIAS, X128_BIAS + 1, 112, 223):
        for mantissa in (2**52, 2**52 + 1, 2**53 - 1):
            assert math().toX128(price(exponent, mantissa).code) == price(exponent, mantissa).x128()


def test_log2__each_sixteenth_of_an_octave__as_the_polynomial() -> None:
    for exponent in (0, 111, 112, 113, 223):
        for part in range(16):
            one = price(exponent, 2**52 + part * 2**48 + 2**20 * (part + 1) - 1)
            assert math().log2(one.code) == one.tick
    for mantissa in (2**52, 2**53 - 1, 2**52 + 2**20 - 1, 2**52 + 2**20):
        assert math().log2(price(112, mantissa).code) == price(112, mantissa).tick


def test_log2__powers_of_two__are_exact() -> None:
    for exponent in (0, 1, 112, 223):
        assert math().log2(price(exponent, 2**52).code) == (exponent - 112) * TICK


def series(tick: int) -> int:
    """2^(tick / 2^16) in 2^-128: the first 28 terms of e^(f ln 2), each rounded down."""
    ln2 = 117_932_881_612_756_647_068_972_071_382_077_242_199
    x = (tick % TICK) * ln2 >> 16
    term = total = 2**127
    for n in range(1, 28):
        term = (term * x >> 127) // n
        total += term
    shift = tick // TICK + 1
    return total >> -shift if shift < 0 else total << shift


def test_exp2__any_part_of_an_octave__is_its_series() -> None:
    for tick in (0, 1, 2, 255, 32_767, 32_768, 65_534, 65_535):
        for octave in (-112, -3, -2, -1, 0, 1, 111):
            assert math().exp2X128(octave * TICK + tick) == series(octave * TICK + tick)


def test_exp2__half_an_octave__is_the_root_of_two_to_112_bits() -> None:
    """What the series leaves out is below 2^-112 of the value; it is never above."""
    squared = math().exp2X128(TICK // 2) ** 2
    assert 0 <= 2 * 2**256 - squared < 2 * 2**256 >> 110


def test_exp2__whole_octaves__are_exact() -> None:
    for octave in (-112, -2, -1, 0, 1, 2, 111):
        assert math().exp2X128(octave * TICK) == 2 ** (128 + octave)


def test_msb__each_power_of_two_and_one_less__is_its_place() -> None:
    for place in range(256):
        assert math().msb(2**place) == place
        assert math().msb(2 ** (place + 1) - 1) == place


# ------------------------------------------------------------------------- trades

FAR_BOUND = Price.below(RESERVE_MAX, 1).code
NEAR_BOUND = Price.below(1, RESERVE_MAX).code


def test_amount_out__curve_decides__each_division_rounds_down() -> None:
    for amount, fee in ((1_000, 0), (1_000, 1), (999, 3_000), (1, 1), (2, 500_000), (10**18, 30)):
        kept = amount * (10**6 - fee) // 10**6
        expected = 777_777 * kept // (1_000_003 + kept)
        args = (1_000_003, 777_777, amount, fee)
        assert math().amountOutDown(*args, FAR_BOUND, True) == expected
        assert math().amountOutDown(*args, NEAR_BOUND, False) == expected


def test_amount_out__bound_decides__pays_its_floor() -> None:
    bound = Price.below(1, 3)
    numerator, denominator = bound.ratio
    kept = 1_000 * 997_000 // 10**6
    for amount in (1_000, 1_001, 1_002, 2_000):
        kept = amount * 997_000 // 10**6
        sold = math().amountOutDown(10**18, 10**18, amount, 3_000, bound.code, True)
        assert sold == kept * numerator // denominator
    inverse = Price.below(3, 1)
    numerator, denominator = inverse.ratio
    for amount in (1_000, 1_001, 1_002, 2_000):
        kept = amount * 997_000 // 10**6
        bought = math().amountOutDown(10**18, 10**18, amount, 3_000, inverse.code, False)
        assert bought == kept * denominator // numerator


def test_amount_in__curve_decides__each_division_rounds_up() -> None:
    for amount in (1, 2, 500, 777_775, 777_776):
        effective = ceil_div(1_000_003 * amount, 777_777 - amount)
        for fee in (0, 1, 3_000, 65_535):
            expected = ceil_div(effective * 10**6, 10**6 - fee)
            args = (1_000_003, 777_777, amount, fee)
            assert math().amountInUp(*args, FAR_BOUND, True) == expected
            assert math().amountInUp(*args, NEAR_BOUND, False) == expected


def test_amount_in__exact_divisions__are_not_raised() -> None:
    """100 · 500 / (1000 − 500) = 100, and 100 / (1 − 0.2) = 125."""
    assert math().amountInUp(100, 1_000, 500, 200_000, FAR_BOUND, True) == 125
    assert math().amountInUp(100, 1_000, 500, 0, FAR_BOUND, True) == 100
    assert math().amountInUp(101, 1_000, 500, 0, FAR_BOUND, True) == 101
    assert math().amountInUp(100, 1_000, 501, 0, FAR_BOUND, True) == 101


def test_amount_in__one_unit_more_than_exact__is_raised() -> None:
    """1 · 501 / 500 is one and a 500th; 1 / (1 - 0.000001) is one and a 999 999th."""
    assert math().amountInUp(1, 1_001, 501, 0, FAR_BOUND, True) == 2
    assert math().amountInUp(1, 1_000, 500, 0, FAR_BOUND, True) == 1
    assert math().amountInUp(1, 1_000, 500, 1, FAR_BOUND, True) == 2


def test_amount_in__bound_decides__costs_its_ceiling() -> None:
    third, three = Price.below(1, 3), Price.below(3, 1)
    low, high = third.ratio, three.ratio
    for amount in (1_000, 1_001, 1_002, 2_000):
        effective = ceil_div(amount * low[1], low[0])
        sold = math().amountInUp(10**18, 10**18, amount, 3_000, third.code, True)
        assert sold == ceil_div(effective * 10**6, 997_000)
        effective = ceil_div(amount * high[0], high[1])
        bought = math().amountInUp(10**18, 10**18, amount, 3_000, three.code, False)
        assert bought == ceil_div(effective * 10**6, 997_000)


def test_amount_in__more_than_any_reserve__saturates() -> None:
    """The bound asks for more than a word holds, whatever the fee."""
    for fee in (0, 30_000):
        got = math().amountInUp(10**18, RESERVE_MAX, 2**111, fee, NEAR_BOUND, True)
        assert got == SATURATED


def test_amount_in__largest_reserves__cost_what_the_curve_says() -> None:
    """The whole of a reserve but one: the dearest trade that there is, just below 2^224."""
    out = RESERVE_MAX - 1
    assert math().amountInUp(RESERVE_MAX, RESERVE_MAX, out, 0, FAR_BOUND, True) == RESERVE_MAX * out
