"""Gate: what halmos and z3 prove for all inputs; a proof that does not end is no proof."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.audit import pytests
from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.pytests import Case
from tools.audit.sources import ROOT

TITLE = "Proofs for all inputs (halmos and z3)"
PROVES = (
    "Each statement that was run holds for every input within the bounds that its file states:"
    " arithmetic of the pool, bucket and median, and the gate's own bytecode as Vyper wrote it."
)
DOES_NOT = (
    "Loops are unrolled to the depth that each file names. In CI the statements whose time is in"
    " audits/proofs.toml beyond the bounded part are left for the night, and the figures say so."
)
FILE = ROOT / "audits" / "proofs.toml"
FOLDER = "tests/formal"
# Negative controls: a broken rule must be refuted. They are no statements.
CONTROL = "__refuted"
# What tests/support/verdict.py raises when a solver neither proved nor refuted.
UNDECIDED = "Undecided"
LEAST = 15


@dataclass(frozen=True)
class Plan:
    """What is left for the night, and which statements may time out.

    Attributes:
        night: prefixes of test ids, with the seconds that each takes.
        bounded: test ids whose solver may run out of time, with the bound up to which they hold.
    """

    night: Mapping[str, float]
    bounded: Mapping[str, str]


def run(budget: Budget) -> GateResult:
    """Proves what the budget allows."""
    plan = read(FILE)
    every = pytests.collect([FOLDER])
    if lost := [key for key in [*plan.night, *plan.bounded] if not _any(every, key)]:
        raise GateError(f"{FILE.name} names no such test: {', '.join(lost)}")
    left = () if budget.night else tuple(plan.night)
    statements = [test for test in every if CONTROL not in test]
    chosen = [test for test in (every if budget.night else statements) if not test.startswith(left)]
    budget.say(f"  proofs: {sum(CONTROL not in t for t in chosen)} of {len(statements)} statements")
    side = ["-n", str(budget.workers), "--dist", "loadfile"] if budget.workers > 1 else []
    cases = pytests.run([*side, *chosen], budget.say, limit_seconds=20_000)
    pytests.remember("proofs", cases)
    return judge(plan, len(statements), cases)


def judge(plan: Plan, total: int, cases: Sequence[Case]) -> GateResult:
    """The gate's verdict over a finished run."""
    statements = [c for c in cases if CONTROL not in c.test]
    controls = [c for c in cases if CONTROL in c.test]
    proven = [c for c in statements if c.outcome == "passed"]
    # A bound excuses a solver that gives no answer, never a counterexample.
    excused = [c for c in statements if _undecided(c) and plan.bounded.get(c.test)]
    failed = [c for c in statements if c not in proven and c not in excused]
    toothless = [c for c in controls if c.outcome != "passed"]
    figures = {
        "proofs": len(proven),
        "proofs_failed": len(failed),
        "proofs_undecided": sum(_undecided(c) for c in statements),
        "proofs_bounded": len(excused),
        "proofs_run": len(statements),
        "proofs_total": total,
        "proof_controls": len(controls),
        "proof_controls_failed": len(toothless),
    }
    promises = {
        "proofs": len(proven) >= LEAST,
        "proofs_failed": not failed,
        "proof_controls_failed": not toothless,
    }
    failures = [f"{_gap(c)}: {c.test}: {c.message}" for c in failed]
    failures += [f"a broken rule was not refuted: {c.test}: {c.message}" for c in toothless]
    if len(proven) < LEAST:
        failures.append(f"{len(proven)} statements were proven, {LEAST} are promised")
    findings = tuple(Finding(c.test, _gap(c)) for c in failed)
    findings += tuple(Finding(c.test, _gap(c), plan.bounded[c.test]) for c in excused)
    notes = tuple(f"{c.test}: {c.outcome}, {c.seconds:.0f} s" for c in cases)
    return GateResult(figures, promises, tuple(failures), findings, notes)


def read(path: Path) -> Plan:
    """What is left for the night, and what may time out.

    Raises:
        GateError: the file is not of the form that it must have.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        night = {one["tests"]: float(one["seconds"]) for one in content.get("night", [])}
        bounded = {one["test"]: str(one["bound"]) for one in content.get("bounded", [])}
    except (OSError, tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise GateError(f"{path.name}: {error}") from error
    return Plan(night, bounded)


def _undecided(case: Case) -> bool:
    return case.outcome == "failed" and UNDECIDED in case.message


def _gap(case: Case) -> str:
    return "no answer" if _undecided(case) else "not proven"


def _any(tests: Sequence[str], prefix: str) -> bool:
    return any(test.startswith(prefix) for test in tests)
