"""Proofs of the pool's arithmetic for all inputs (halmos), and of the step from there to P2 (z3).

What bit-vector solvers do not take apart is the product of two 112-bit numbers. So halmos shows
that the contract's own code pays at most what the curve's quotient and the window's bound say, and z3
shows over unbounded integers that a payment below the quotient never lowers k.
"""

from __future__ import annotations

from functools import cache

import pytest
import z3

from tests.support.halmos import prove

PROOFS = "tests/formal/amm/PoolProofs.sol"
# What a solver answers in seconds; the statements about products are left to longer runs.
CHEAP = ("--match-test", "check_(core|window|oracle|fold)")
PROVEN = {
    "check_core__new_reserves__keep_block_and_state",
    "check_core__new_block__keeps_the_rest",
    "check_core__new_state__keeps_the_rest",
    "check_window__packs_without_loss",
    "check_oracle__packs_without_loss",
    "check_oracle__new_ring__keeps_the_rest",
    "check_fold__same_epoch__bounds_old_and_new_openings",
    "check_fold__next_epoch__keeps_the_openings_of_the_last",
    "check_fold__skipped_epoch__holds_the_spot",
}


@cache
def verdicts() -> dict[str, bool]:
    return {name.partition("(")[0]: proven for name, proven in prove(PROOFS, options=CHEAP).items()}


@pytest.mark.parametrize("function", sorted(PROVEN))
def test_pool_arithmetic__all_inputs__proven(function: str) -> None:
    """Property: P1, P2, P3 (checkpoint), packing."""
    assert verdicts()[function]


def test_swap__payment_below_the_quotient__k_never_falls() -> None:
    """Property: P2."""
    x, y, amount_in, effective, out = z3.Ints("x y amount_in effective out")
    solver = z3.Solver()
    solver.add(x > 0, y > 0, effective >= 0, amount_in >= effective, out >= 0, out <= y)
    # out ≤ ⌊y·e / (x + e)⌋ means just this:
    solver.add(out * (x + effective) <= y * effective)
    solver.add((x + amount_in) * (y - out) < x * y)
    assert solver.check() == z3.unsat


def test_round_trip__every_leg_within_its_bound__worth_nothing() -> None:
    """Property: P3 (one leg: its value at the opening price is never positive)."""
    amount_in, out, low, high, opening = z3.Reals("amount_in out low high opening")
    solver = z3.Solver()
    solver.add(low > 0, low <= opening, opening <= high, amount_in >= 0, out >= 0)
    solver.push()
    solver.add(out <= amount_in * low, out - amount_in * opening > 0)
    assert solver.check() == z3.unsat, "a sell gains"
    solver.pop()
    solver.add(amount_in >= out * high, out * opening - amount_in > 0)
    assert solver.check() == z3.unsat, "a buy gains"
