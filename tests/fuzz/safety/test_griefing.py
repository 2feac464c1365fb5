"""What a day against the breaker brings, on the whole suite: no trip, and how long others wait."""

from __future__ import annotations

import pytest

from tests.support.griefing import REQUEST, STEP, Griefer, a_day
from tests.support.plane import DAY, LIMIT

HOURS = 24
# What refills one's own exit.
REFILL = REQUEST * 2 * DAY // LIMIT
pytestmark = pytest.mark.fuzz


def test_a_day__nobody_against_it__nobody_waits() -> None:
    felt = a_day(Griefer())
    assert (felt.exits, felt.longest, felt.trips) == (HOURS, 0, 0)


@pytest.mark.parametrize("times", [1, 10, 1_000])
def test_a_day__flash_loans__nobody_waits(times: int) -> None:
    """Property: S5."""
    felt = a_day(Griefer(loan=times * LIMIT))
    assert (felt.exits, felt.longest, felt.trips) == (HOURS, 0, 0)
    assert felt.lost >= 0


@pytest.mark.parametrize("loan", [0, 10], ids=["no loan", "with loans"])
@pytest.mark.parametrize("times", [1, 10])
def test_a_day__held_capital__waits_are_bounded_by_the_refill_of_ones_own_exit(
    times: int, loan: int
) -> None:
    """Property: S5. And outflow, whoever's, is no fact: nothing trips."""
    felt = a_day(Griefer(capital=times * LIMIT, loan=loan * LIMIT))
    assert felt.exits == HOURS
    assert 0 < felt.longest <= REFILL + STEP
    assert felt.trips == 0
    # He pays: about as much as the bucket lets out lies outside all day, and rounding is his.
    assert felt.outside * times > 5_000
    assert felt.lost > 0 and felt.transactions > DAY // STEP


def test_a_day__held_capital_and_exits_that_do_not_queue__would_starve() -> None:
    """Control: S5. It is the queue's precedence that bounds the wait, not the meter."""
    assert a_day(Griefer(capital=10 * LIMIT), queued=False).longest > DAY // 2
