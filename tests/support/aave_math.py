"""Aave V3's interest in plain integers, written from its technical paper; it asks no chain.

Ray numbers have 27 decimals. Products and quotients round half up. The supply index grows linearly
between updates; the debt index by the first four terms of the binomial series of (1 + r/year)^t.
"""

from __future__ import annotations

from dataclasses import dataclass

RAY = 10**27
BPS = 10_000
YEAR = 365 * 24 * 3600


def ray_mul(left: int, right: int) -> int:
    """left · right, rounded half up."""
    return (left * right + RAY // 2) // RAY


def ray_div(left: int, right: int) -> int:
    """left / right, rounded half up."""
    return (left * RAY + right // 2) // right


def linear_growth(rate: int, seconds: int) -> int:
    """Growth factor of the supply index over a time without updates, in ray."""
    return RAY + rate * seconds // YEAR


def compound_growth(rate: int, seconds: int) -> int:
    """Growth factor of the debt index over a time without updates, in ray."""
    if seconds == 0:
        return RAY
    square = ray_mul(rate, rate) // (YEAR * YEAR)
    cube = ray_mul(square, rate) // YEAR
    pairs = seconds * (seconds - 1)
    triples = pairs * max(seconds - 2, 0)
    return RAY + rate * seconds // YEAR + pairs * square // 2 + triples * cube // 6


@dataclass(frozen=True)
class RateCurve:
    """The two-slope curve; all in ray, but the treasury's part in basis points."""

    optimal_usage: int
    slope1: int
    slope2: int
    reserve_factor: int

    def variable_rate(self, liquidity: int, debt: int) -> int:
        """What borrowers pay per year."""
        if debt == 0:
            return 0
        usage = ray_div(debt, liquidity + debt)
        if usage <= self.optimal_usage:
            return ray_div(ray_mul(self.slope1, usage), self.optimal_usage)
        excess = ray_div(usage - self.optimal_usage, RAY - self.optimal_usage)
        return self.slope1 + ray_mul(self.slope2, excess)

    def supply_rate(self, liquidity: int, debt: int) -> int:
        """What suppliers earn per year."""
        if debt == 0:
            return 0
        # NOTE: Aave averages variable and stable debt; with variable debt alone its detour over
        # wads-as-rays still rounds, so it is repeated here.
        wide_debt = debt * 10**9
        overall = ray_div(ray_mul(wide_debt, self.variable_rate(liquidity, debt)), wide_debt)
        gross = ray_mul(overall, ray_div(debt, liquidity + debt))
        return (gross * (BPS - self.reserve_factor) + BPS // 2) // BPS


@dataclass(frozen=True)
class ReserveState:
    """What a reserve stores between updates, as far as interest needs it."""

    liquidity_index: int
    liquidity_rate: int
    variable_index: int
    variable_rate: int
    updated_at: int

    def supply_index_at(self, timestamp: int) -> int:
        """The supply index at a later time, if nothing happens until then."""
        growth = linear_growth(self.liquidity_rate, timestamp - self.updated_at)
        return ray_mul(growth, self.liquidity_index)

    def debt_index_at(self, timestamp: int) -> int:
        """The debt index at a later time, if nothing happens until then."""
        growth = compound_growth(self.variable_rate, timestamp - self.updated_at)
        return ray_mul(growth, self.variable_index)
