"""Runs a part of the test suite for a gate and reads what it reported; prints each verdict."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tools.audit.gate import GateError
from tools.audit.sources import ROOT


@dataclass(frozen=True)
class Case:
    """One test as it ended.

    Attributes:
        test: its id below the root, as pytest takes it.
        outcome: 'passed', 'failed' or 'skipped'.
        seconds: that it took.
        message: why it failed, in one line.
    """

    test: str
    outcome: str
    seconds: float
    message: str

    @property
    def name(self) -> str:
        return self.test.rpartition("::")[2]


def run(
    options: Sequence[str],
    say: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    limit_seconds: int = 3_600,
) -> list[Case]:
    """The cases of one run of pytest.

    Raises:
        GateError: pytest ran no test, or did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="cases-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
        command += ["-o", "junit_family=xunit1", f"--junitxml={report}", *options]
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                capture_output=True,
                text=True,
                check=False,
                timeout=limit_seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise GateError(f"the tests did not end within {limit_seconds} s") from error
        if not report.exists():
            raise GateError(f"the tests did not run: {(done.stdout + done.stderr)[-1500:]}")
        cases = read(report)
    if not cases:
        raise GateError(f"no test was selected by {' '.join(options)}")
    say(f"    {len(cases)} tests, {sum(c.outcome == 'failed' for c in cases)} failed")
    return cases


def read(report: Path) -> list[Case]:
    """The cases of a JUnit file."""
    return [_case(one) for one in ElementTree.parse(report).getroot().iter("testcase")]


def _case(one: ElementTree.Element) -> Case:
    outcome, message = "passed", ""
    for kind in ("failure", "error", "skipped"):
        found = one.find(kind)
        if found is not None:
            outcome = "skipped" if kind == "skipped" else "failed"
            message = " ".join(str(found.get("message", "")).split())[:300]
    source = one.get("file") or str(one.get("classname", "")).replace(".", "/") + ".py"
    return Case(f"{source}::{one.get('name')}", outcome, float(one.get("time", 0)), message)


def remember(gate: str, cases: Sequence[Case], root: Path = ROOT) -> None:
    """Leaves how each test function ended for the catalogue of properties, as the suite does."""
    ended: dict[str, str] = {}
    for case in cases:
        function = case.test.partition("[")[0]
        if case.outcome != "skipped" and ended.get(function) != "failed":
            ended[function] = case.outcome
    path = root / "reports" / f"audit-{gate}-outcomes.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(ended, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def collect(options: Sequence[str]) -> list[str]:
    """Ids of the tests that pytest would run."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = [line for line in done.stdout.splitlines() if "::" in line]
    if not found:
        raise GateError(f"nothing was collected: {(done.stdout + done.stderr)[-800:]}")
    return found
