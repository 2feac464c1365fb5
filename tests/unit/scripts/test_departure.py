"""How long it takes until all have left, by the bucket's own rule."""

from __future__ import annotations

import pytest

from scripts._deployment.departure import seconds_to_leave

DAY = 86_400


@pytest.mark.parametrize(
    ("amount", "seconds"),
    [(0, 0), (500, 0), (501, 173), (1_000, DAY), (1_500, 2 * DAY), (10_000, 19 * DAY)],
)
def test_seconds_to_leave__full_bucket__half_at_once_then_half_a_window(
    amount: int, seconds: int
) -> None:
    assert seconds_to_leave(amount, 1_000, DAY) == seconds


def test_seconds_to_leave__not_metered__none() -> None:
    assert seconds_to_leave(10**30, 0, 0) == 0
