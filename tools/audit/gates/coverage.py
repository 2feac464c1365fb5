"""Gate: lines and conditions of every production contract, reached by the Python tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from offchain.artifacts import ROOT
from tools.audit.coverage import contracts
from tools.audit.coverage import judge as judgement
from tools.audit.coverage.contracts import Reached
from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.instrument.tree import InstrumentError

TITLE = "Coverage of the contracts by the Python tests (lines and ways of conditions)"
PROVES = (
    "Each statement of each production contract, Solidity and Vyper, ran in a test, and each "
    "condition went both ways; what did not is listed with its reason."
)
DOES_NOT = (
    "That a test would notice a fault there (the mutation gate asks that), nor anything about the "
    "optimised bytecode: what runs is the same source with probes, without the optimiser."
)


def judge(
    reached: Reached,
    sources: Mapping[str, str],
    exemptions: Sequence[judgement.Exemption],
) -> GateResult:
    """The verdict over what a run of the tests reached."""
    verdict = judgement.judge(reached.probes, reached.all, sources, exemptions)
    rows = [
        f"{path}: {hit} of {lines} lines, {ways} of {all_ways} ways"
        for path, (hit, lines, ways, all_ways) in verdict.by_path.items()
    ]
    failed = [f"failed on the probed build, does not count: {test}" for test in reached.failed]
    return GateResult(
        figures={
            "line_coverage_pct": verdict.lines_pct,
            "branch_coverage_pct": verdict.branches_pct,
            "coverage_gaps_explained": sum(bool(gap.reason) for gap in verdict.gaps),
            "coverage_tests": len(reached.seconds),
        },
        failures=verdict.failures,
        findings=tuple(
            Finding(f"{gap.path}:{gap.line}", f"{gap.way or 'line'}: {gap.text}", gap.reason)
            for gap in verdict.gaps
        ),
        notes=(*rows, *failed),
    )


def run(budget: Budget) -> GateResult:
    """Measures and judges."""
    try:
        exemptions = judgement.read(ROOT / judgement.EXCEPTIONS)
        reached = contracts.measure(budget.workers, budget.seed, budget.say)
    except (InstrumentError, judgement.ExceptionsError) as error:
        raise GateError(str(error)) from error
    paths = {probe.path for probe in reached.probes}
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in paths}
    return judge(reached, sources, exemptions)
