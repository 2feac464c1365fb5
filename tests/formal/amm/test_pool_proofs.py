"""Proofs of the pool's arithmetic for all inputs (halmos), and of the step from there to P2 (z3).

What bit-vector solvers do not take apart is the product of two 112-bit numbers. So halmos shows
that the code pays at most what the curve's quotient and the window's bound say, and z3
shows over unbounded integers that a payment below the quotient never lowers k.
"""

from __future__ import annotations

from functools import cache

import pytest
import z3

from tests.support.halmos import prove
from tests.support.verdict import Verdict, impossible

# The first test waits for all statements of halmos.
GROUP_SECONDS = 1_800
pytestmark = pytest.mark.timeout(GROUP_SECONDS)

PROOFS = "tests/formal/amm/PoolProofs.sol"
# Seconds that the solver may take for one statement.
OPTIONS = ("--solver-timeout-assertion", "120s", "--solver-threads", "1")
FUNCTIONS = (
    "check_core__new_reserves__keep_block_and_state",
    "check_core__trade__moves_the_reserves_only",
    "check_core__new_block__keeps_the_rest",
    "check_core__new_state__keeps_the_rest",
    "check_window__packs_without_loss",
    "check_settings__pack_without_loss",
    "check_oracle__packs_without_loss",
    "check_oracle__new_ring__keeps_the_rest",
    "check_fold__same_epoch__lowers_the_low",
    "check_fold__same_epoch__raises_the_high",
    "check_fold__same_epoch__bounds_the_new_opening",
    "check_fold__same_epoch__keeps_the_previous_pair",
    "check_window__bounds_are_the_wider_pair",
    "check_fold__next_epoch__keeps_the_openings_of_the_last",
    "check_fold__skipped_epoch__holds_the_spot",
    "check_follow__stays_between_and_within_the_limit",
    "check_mul_down__is_the_floor",
    "check_mul_up__adds_before_it_shifts",
    "check_sell__never_above_the_bound",
    "check_buy__never_above_the_bound",
    "check_swap__never_above_the_curve",
    "check_msb__is_the_highest_bit",
)


@cache
def verdicts() -> dict[str, Verdict]:
    return prove(PROOFS, options=OPTIONS, timeout=GROUP_SECONDS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_pool_arithmetic__all_inputs__proven(function: str) -> None:
    """Property: P1, P2, P3 (checkpoint), packing."""
    assert verdicts()[function].proven


def test_epochs__span_of_one_window__are_adjacent() -> None:
    """Property: P3 (a trip of no more than one window lies in two adjacent epochs)."""
    first, last, window, epoch, later = z3.Ints("first last window epoch later")
    solver = z3.Solver()
    solver.add(window > 0, first >= 0, last >= first, last - first <= window)
    solver.add(epoch * window <= first, first < epoch * window + window)
    solver.add(later * window <= last, last < later * window + window)
    solver.add(later - epoch >= 2)
    assert impossible(solver)


def test_mul_up__add_then_shift__is_a_ceiling() -> None:
    """Property: P1 (one query per shift: a symbolic one takes a solver minutes)."""
    product = z3.BitVec("product", 256)
    for shift in range(165):
        solver = z3.Solver()
        solver.add(z3.ULT(product, 1 << 168))
        up = z3.LShR(product + ((1 << shift) - 1), shift)
        solver.add(z3.ULT(up << shift, product))
        assert impossible(solver), f"shift {shift}"


def test_swap__payment_below_the_quotient__k_never_falls() -> None:
    """Property: P2 (and what is paid is less than the reserve it is packed into)."""
    x, y, amount_in, effective, out = z3.Ints("x y amount_in effective out")
    solver = z3.Solver()
    solver.add(x > 0, y > 0, effective >= 0, amount_in >= effective, out >= 0)
    # out ≤ ⌊y·e / (x + e)⌋ means just this:
    solver.add(out * (x + effective) <= y * effective)
    solver.push()
    solver.add(out >= y)
    assert impossible(solver), "the reserve runs dry"
    solver.pop()
    solver.add(out <= y, (x + amount_in) * (y - out) < x * y)
    assert impossible(solver), "k falls"


def test_round_trip__every_leg_within_its_bound__worth_nothing() -> None:
    """Property: P3 (one leg: its value at the opening price is never positive)."""
    amount_in, out, low, high, opening = z3.Reals("amount_in out low high opening")
    solver = z3.Solver()
    solver.add(low > 0, low <= opening, opening <= high, amount_in >= 0, out >= 0)
    solver.push()
    solver.add(out <= amount_in * low, out - amount_in * opening > 0)
    assert impossible(solver), "a sell gains"
    solver.pop()
    solver.add(amount_in >= out * high, out * opening - amount_in > 0)
    assert impossible(solver), "a buy gains"
