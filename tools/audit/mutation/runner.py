"""Runs planted faults side by side and keeps what became of each; judges nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.artifacts import ROOT
from tests.support import build
from tools.audit.instrument.tree import CACHE, InstrumentError

FUZZ_RUNS = "10"


@dataclass(frozen=True)
class Result:
    """What became of one fault.

    Attributes:
        status: 'killed', 'survived' or 'uncovered' (no test reaches its line).
        by: the test that noticed it, 'timeout' or 'crash'.
        seconds: what it cost.
    """

    status: str
    by: str
    seconds: float


class Memory:
    """Results of earlier runs on the same sources, by the fault's key."""

    def __init__(self, name: str, state: str) -> None:
        self._path = CACHE / "mutation" / f"{name}-{state}.json"
        self.results: dict[str, Result] = {}
        if self._path.exists():
            kept = json.loads(self._path.read_text())
            self.results = {key: Result(*value) for key, value in kept.items()}

    def keep(self, fresh: Mapping[str, Result]) -> None:
        """Adds results and writes them down."""
        self.results |= fresh
        self._path.parent.mkdir(parents=True, exist_ok=True)
        rows = {key: [r.status, r.by, r.seconds] for key, r in self.results.items()}
        self._path.write_text(json.dumps(rows))


def _command(files: Sequence[str]) -> list[str]:
    plugins = ["tools.audit.mutation.plugin", "tools.audit.instrument.plugin"]
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    words += [word for plugin in plugins for word in ("-p", plugin)]
    return [*words, "-m", "not proof", *files]


def run(
    kind: str,
    faults: Sequence[tuple[str, Sequence[str]]],
    artifacts: Path | None,
    workers: int,
    seed: int,
    say: Callable[[str], None],
    limit: float = 60.0,
) -> dict[str, Result]:
    """Hunts all of the faults.

    Args:
        kind: 'contract' or 'python'.
        faults: name and tests of each, the cheapest test first.
        artifacts: the build that has them, for contracts.
        workers: processes side by side.
        seed: of the tests' own sampling.
        say: told about progress.
        limit: seconds of computing for one test; one that takes longer has noticed the fault.

    Raises:
        InstrumentError: a fault was not come to, as a process fell over.
    """
    folder = CACHE / "mutation" / f"run-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    environment = {
        **build.environment(),
        "FUZZ_RUNS": os.environ.get("MUTATION_FUZZ_RUNS", FUZZ_RUNS),
        "FUZZ_SEED": str(seed),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if artifacts:
        environment["AUDIT_BUILD"] = str(artifacts)
    running = []
    for number in range(workers):
        share = faults[number::workers]
        if not share:
            continue
        job = {"kind": kind, "faults": share, "limit": limit}
        (folder / f"{number}.job").write_text(json.dumps(job))
        (folder / f"{number}.results").write_text("")
        files = sorted({test.partition("::")[0] for _, tests in share for test in tests})
        own = {
            "MUTATION_JOB": str(folder / f"{number}.job"),
            "MUTATION_RESULTS": str(folder / f"{number}.results"),
        }
        log = (folder / f"{number}.log").open("w")
        running.append(
            subprocess.Popen(
                _command(files or ["tests/unit/tools/test_report.py"]),
                cwd=ROOT,
                env={**environment, **own},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        )
    told = 0
    try:
        while any(process.poll() is None for process in running):
            time.sleep(1)
            done = len(_read(folder))
            if done >= told + 25:
                told = done
                say(f"{done} of {len(faults)} faults hunted")
    finally:
        for process in running:
            process.kill()
            process.wait()
    found = _read(folder)
    if len(found) < len(faults):
        words = "".join(path.read_text()[-500:] for path in folder.glob("*.log"))
        raise InstrumentError(f"only {len(found)} of {len(faults)} faults were hunted: {words}")
    return found


def _read(folder: Path) -> dict[str, Result]:
    found: dict[str, Result] = {}
    for path in folder.glob("*.results"):
        for line in path.read_text().splitlines():
            one: dict[str, Any] = json.loads(line)
            found[one["fault"]] = Result(one["status"], one["by"], one["seconds"])
    return found
