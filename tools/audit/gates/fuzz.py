"""Gate: past failures are replayed, then every campaign gets its budget; calls are counted."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.audit import pytests
from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.pytests import Case
from tools.audit.sources import ROOT

TITLE = "Fuzz campaigns, after a replay of past failures"
PROVES = (
    "What once failed still passes, and so many random calls against exact models found nothing."
    " The seed is fixed: a red run is red again on the same commit."
)
DOES_NOT = "Fuzzing samples; what it did not draw it did not test."
CORPUS = ROOT / "tests" / "fuzz" / "corpus"
# Mutants are the negative controls of the mutation gate.
CAMPAIGNS = ("tests/fuzz", "--ignore-glob=*mutants.py")
RUNS, NIGHT_RUNS = 40, 2_000
LEAST_CALLS = 50_000


@dataclass(frozen=True)
class Failure:
    """A failure of the past: the test that shows it, and what it was.

    Attributes:
        test: pytest's id.
        why: what failed, in a sentence.
        seed: that shows it, where the test is a campaign; else None.
        runs: that show it, likewise.
    """

    test: str
    why: str
    seed: int | None = None
    runs: int | None = None


def run(budget: Budget) -> GateResult:
    """Replays the corpus, then runs the campaigns."""
    corpus = read_corpus(CORPUS)
    budget.say(f"  fuzz: {len(corpus)} past failures")
    replayed, replay_calls = [], 0
    for failure in corpus:
        cases, calls = _counted(budget, [failure.test], failure.seed or 0, failure.runs or 1, 1)
        replayed += cases
        replay_calls += calls
    runs = NIGHT_RUNS if budget.night else RUNS
    budget.say(f"  fuzz: campaigns with FUZZ_RUNS={runs} FUZZ_SEED={budget.seed}")
    cases, calls = _counted(budget, [*CAMPAIGNS], budget.seed, runs, budget.workers)
    budget.say(f"  fuzz: {calls + replay_calls} calls")
    pytests.remember("fuzz", [*replayed, *cases])
    return judge(len(corpus), replayed, cases, calls + replay_calls)


def judge(corpus: int, replayed: list[Case], cases: list[Case], calls: int) -> GateResult:
    """The gate's verdict over finished runs."""
    failed = [c for c in [*replayed, *cases] if c.outcome == "failed"]
    passed = [c for c in replayed if c.outcome == "passed"]
    figures = {
        "fuzz_corpus": corpus,
        "fuzz_campaigns": sum(c.outcome == "passed" for c in cases),
        "fuzz_calls": calls,
        "fuzz_failures": len(failed),
    }
    promises = {
        "fuzz_corpus": corpus > 0 and len(passed) >= corpus,
        "fuzz_calls": calls >= LEAST_CALLS,
        "fuzz_failures": not failed,
    }
    failures = [f"{c.test}: {c.message}" for c in failed]
    if calls < LEAST_CALLS:
        failures.append(f"only {calls} calls were made, {LEAST_CALLS} are promised")
    if not promises["fuzz_corpus"]:
        failures.append("the corpus of past failures was not replayed whole")
    findings = tuple(Finding(c.test, c.message) for c in failed)
    notes = tuple(f"{c.test}: {c.outcome}, {c.seconds:.1f} s" for c in [*replayed, *cases])
    return GateResult(figures, promises, tuple(failures), findings, notes)


def read_corpus(folder: Path) -> list[Failure]:
    """The past failures, one JSON file for each.

    Raises:
        GateError: a file is not of the form that it must have.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append(Failure(**json.loads(path.read_text(encoding="utf-8"))))
        except (json.JSONDecodeError, TypeError) as error:
            raise GateError(f"{path.name}: {error}") from error
    return found


def _counted(
    budget: Budget, options: list[str], seed: int, runs: int, workers: int
) -> tuple[list[Case], int]:
    with tempfile.TemporaryDirectory(prefix="counts-") as folder:
        environment = {
            "FUZZ_COUNTS": folder,
            "FUZZ_RUNS": str(runs),
            "FUZZ_SEED": str(seed),
            "PYTHONPATH": str(ROOT),
            "HYPOTHESIS_STORAGE_DIRECTORY": os.fspath(Path(folder) / "examples"),
        }
        side = ["-n", str(workers), "--dist", "loadscope"] if workers > 1 else []
        cases = pytests.run(
            ["-p", "tools.audit.fuzz.plugin", "-m", "not proof", *side, *options],
            budget.say,
            environment,
            36_000 if budget.night else 1_500,
        )
        calls = sum(
            int(p.read_text(encoding="utf-8")) for p in Path(folder).iterdir() if p.is_file()
        )
    return cases, calls
