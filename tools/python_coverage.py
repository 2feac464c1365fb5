"""Which lines of offchain/ and scripts/ a run of the tests reached, in all its processes.

`make test` starts each process with COVERAGE_PROCESS_START, so that coverage.py measures it too;
what is killed without warning leaves nothing. A run of chosen tests is not measured.
"""

from __future__ import annotations

import os
from pathlib import Path

from coverage import Coverage

from tools.report import ROOT

# A point below what the whole suite reached when this was set; to be raised, never lowered.
LEAST_PCT = 95.0
REPORT = ROOT / "reports" / "python-coverage.txt"


def _settings() -> str | None:
    return os.environ.get("COVERAGE_PROCESS_START")


def begin() -> None:
    """Forgets what earlier runs left."""
    if settings := _settings():
        Coverage(config_file=settings).erase()


def save() -> None:
    """Writes down what this process reached, before it ends and while somebody waits for it."""
    if mine := Coverage.current():
        mine.stop()
        mine.save()


def finish(report: Path = REPORT) -> float | None:
    """The share of the lines reached, once all processes have saved; None if not measured.

    Each file's share and the lines that were not reached go to `report`.
    """
    settings = _settings()
    if settings is None:
        return None
    whole = Coverage(config_file=settings)
    whole.combine()
    whole.save()
    report.parent.mkdir(parents=True, exist_ok=True)
    with report.open("w", encoding="utf-8") as file:
        return round(whole.report(show_missing=True, file=file), 2)
