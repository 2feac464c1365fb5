"""Proofs of the bucket's and the median's libraries (halmos), and mutants that they refute."""

from __future__ import annotations

import pytest

from tests.support.halmos import prove
from tests.support.verdict import Verdict

BUCKET = "contracts/safety/lib/TokenBucket.sol"
MEDIAN = "contracts/safety/lib/Median.sol"
BUCKET_PROOFS = "tests/formal/TokenBucketProofs.sol"
MEDIAN_PROOFS = "tests/formal/MedianProofs.sol"
# Encoding a limit takes at most 40 rounds, sorting five values at most 5.
OPTIONS = (
    "--loop",
    "45",
    "--solver-timeout-branching",
    "50ms",
    "--solver-timeout-assertion",
    "120s",
)
PROVEN = {
    "check_first_step": BUCKET_PROOFS,
    "check_time_adds_the_refill": BUCKET_PROOFS,
    "check_level_fits": BUCKET_PROOFS,
    "check_level_is_read_back": BUCKET_PROOFS,
    "check_take_is_from_the_level": BUCKET_PROOFS,
    "check_give_is_to_the_level": BUCKET_PROOFS,
    "check_take_is_exact": BUCKET_PROOFS,
    "check_give_is_exact": BUCKET_PROOFS,
    "check_refill_fits": BUCKET_PROOFS,
    "check_capacity_is_half_the_limit": BUCKET_PROOFS,
    "check_available_is_exact": BUCKET_PROOFS,
    "check_create_is_full": BUCKET_PROOFS,
    "check_one_liar_of_three": MEDIAN_PROOFS,
    "check_two_liars_of_five": MEDIAN_PROOFS,
    "check_two": MEDIAN_PROOFS,
    "check_sort_of_four": MEDIAN_PROOFS,
}
MUTANTS = {
    "check_first_step": (BUCKET, "if gt(held, cap) { held := cap }", ""),
    "check_take_is_from_the_level": (
        BUCKET,
        "held - (assets << FRACTION_BITS)",
        "held - (assets << (FRACTION_BITS - 1))",
    ),
    "check_one_liar_of_three": (MEDIAN, "values[count / 2];", "values[count - 1];"),
}


def verdict(statement: str, **changes: list[tuple[str, str]]) -> Verdict:
    found = prove(PROVEN[statement], changes, ("--function", rf"{statement}\(", *OPTIONS))
    return found[statement]


@pytest.mark.parametrize("statement", PROVEN)
def test_library__all_words_times_and_amounts__proven(statement: str) -> None:
    """Properties: S1, S5, O2."""
    assert verdict(statement).proven


@pytest.mark.parametrize("statement", MUTANTS)
def test_library__rule_broken__refuted(statement: str) -> None:
    """Control: S1, O2."""
    path, old, new = MUTANTS[statement]
    assert verdict(statement, **{path: [(old, new)]}).refuted
