"""Python that no test reaches is counted and named, and too much of it makes the run red."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import python_coverage
from tools.report import ROOT

SETTINGS = """[run]
source = {folder}/money
data_file = {folder}/kept/data
parallel = true
"""
MODULE = """def fee(amount):
    if amount > 9:
        return amount // 9
    return 1
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that measure a package of one file."""
    (tmp_path / "money").mkdir()
    (tmp_path / "money" / "__init__.py").write_text("")
    (tmp_path / "money" / "fees.py").write_text(MODULE)
    path = tmp_path / "settings.ini"
    path.write_text(SETTINGS.format(folder=tmp_path))
    monkeypatch.setenv("COVERAGE_PROCESS_START", str(path))
    return path


def run(folder: Path, *calls: str) -> None:
    """Each call in a process of its own."""
    for call in calls:
        code = f"from money.fees import fee; {call}"
        subprocess.run([sys.executable, "-c", code], cwd=folder, env=os.environ, check=True)


def test_finish__line_that_no_process_ran__counted_and_named(
    tmp_path: Path, settings: Path
) -> None:
    assert settings.exists()
    report = tmp_path / "report.txt"
    run(tmp_path, "fee(1)")
    assert python_coverage.finish(report) == 75.0
    assert report.read_text().splitlines()[3].split()[-2:] == ["75%", "3"]


def test_finish__lines_of_several_processes__joined(tmp_path: Path, settings: Path) -> None:
    assert settings.exists()
    run(tmp_path, "fee(1)", "fee(10)")
    assert python_coverage.finish(tmp_path / "report.txt") == 100.0


def test_begin__earlier_run__is_forgotten(tmp_path: Path, settings: Path) -> None:
    assert settings.exists()
    run(tmp_path, "fee(10)")
    python_coverage.begin()
    run(tmp_path, "fee(1)")
    assert python_coverage.finish(tmp_path / "report.txt") == 75.0


def test_finish__chosen_tests_only__not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    assert python_coverage.finish() is None


def test_run__too_few_lines_reached__red_although_every_test_passed(
    tmp_path: Path, settings: Path
) -> None:
    run(tmp_path, "fee(1)")
    passing = "tests/unit/tools/test_report.py::test_write__promise_without_figure__refused"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", passing]
    environment = {**os.environ, "COVERAGE_PROCESS_START": str(settings)}
    done = subprocess.run(
        [*command, "--figures", "coverage-bites"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    for path in (ROOT / "reports").glob("coverage-bites*"):
        path.unlink()
    assert "1 passed" in done.stdout
    assert "BROKEN" in done.stdout
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
