"""Everything below is a proof: minutes of solver time, run by `make prove`."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
MOST_SECONDS = 3_600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.proof)
            # A machine with other work takes as long as it takes; no verdict hangs on speed.
            item.add_marker(pytest.mark.timeout(MOST_SECONDS))
