"""An exact model of a Uniswap V3 position's holdings and worth; it never asks the chain."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

MAX_TICK = 887_272
Q32, Q96, Q128 = 2**32, 2**96, 2**128
BASE = Fraction(10_001, 10_000)
# Binary places beyond those of the roots, so that rounding them to the nearest is exact.
GUARD = 200


def _root(power: int) -> int:
    """2^128 / √(1.0001^power), to the nearest integer.

    Args:
        power: a power of two.
    """
    inverse = Fraction(1) / BASE**power if power <= 1_024 else None
    if inverse is not None:
        wide = isqrt((inverse.numerator << 2 * (128 + GUARD)) // inverse.denominator)
    else:
        # Squared in fixed point from the exact smaller one; the error stays far below a unit.
        wide = _wide_root(power)
    return (wide + (1 << (GUARD - 1))) >> GUARD


def _wide_root(power: int) -> int:
    if power <= 1_024:
        inverse = Fraction(1) / BASE**power
        return isqrt((inverse.numerator << 2 * (128 + GUARD)) // inverse.denominator)
    half = _wide_root(power // 2)
    return half * half >> (128 + GUARD)


ROOTS = tuple(_root(2**i) for i in range(20))


def sqrt_ratio_at_tick(tick: int) -> int:
    """√(1.0001^tick) in 96 binary places, rounded as Uniswap's own library rounds it."""
    if abs(tick) > MAX_TICK:
        raise ValueError(f"tick {tick} is out of bounds")
    ratio = Q128
    for place, root in enumerate(ROOTS):
        if abs(tick) >> place & 1:
            ratio = ratio * root // Q128
    if tick > 0:
        ratio = (2**256 - 1) // ratio
    return -(-ratio // Q32)


def exact_amounts(lower: int, upper: int, price: int, liquidity: int) -> tuple[Fraction, Fraction]:
    """What liquidity holds, in real numbers: L·(1/p − 1/u) and L·(p − l), p within the range."""
    at = min(max(price, lower), upper)
    amount0 = Fraction(liquidity * Q96, at) - Fraction(liquidity * Q96, upper)
    return amount0, Fraction(liquidity * (at - lower), Q96)


def amounts(lower: int, upper: int, price: int, liquidity: int) -> tuple[int, int]:
    """What the pool pays for the liquidity, each rounded down once or, for token0, twice."""
    at = min(max(price, lower), upper)
    amount0 = liquidity * Q96 * (upper - at) // upper // at
    return amount0, liquidity * (at - lower) // Q96


def worth(amounts_: tuple[Fraction, Fraction], price: int, in_token0: bool) -> Fraction:
    """Value of both amounts in one of the tokens at a square root of the price."""
    rate = Fraction(price * price, Q96 * Q96)
    amount0, amount1 = amounts_
    return amount0 + amount1 / rate if in_token0 else amount0 * rate + amount1
