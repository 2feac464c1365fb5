"""Gate: Mythril on the creation bytecode of every production contract, Solidity and Vyper."""

from __future__ import annotations

from collections.abc import Sequence

from tools.audit.gate import Budget, Finding, GateResult
from tools.audit.mythril import analysis, targets, triage
from tools.audit.mythril.analysis import NIGHT, Analysis, Settings

TITLE = "Symbolic execution of the creation bytecode that ships (Mythril)"
PROVES = (
    "Within so many executed instructions per contract, Mythril's detectors report nothing that"
    " nobody judged, on the bytecode as it is deployed: the constructor, then any call from any"
    " storage. Planted defects, in Solidity and in Vyper, are found in the same run."
)
DOES_NOT = (
    "It is bounded search, not proof: the notes give the share of instructions that was executed."
    " One call in a row in CI, two at night. Foreign contracts answer anything, but as many bytes"
    " as the caller reserved. Where a constructor does not end within its steps, its deployed code"
    " is analysed without its immutables, and a figure counts these. Overflow is not looked for:"
    " both compilers check arithmetic, and what is unchecked is proven by halmos and fuzzed."
)


def run(budget: Budget) -> GateResult:
    """Analyses production and the canaries."""
    settings = NIGHT if budget.night else Settings()
    production, canaries = targets.production(), targets.canaries()
    found = analysis.analyse([*canaries, *production], settings, budget.workers, budget.say)
    rules, entries = triage.read()
    return judge(found[: len(canaries)], found[len(canaries) :], rules, entries)


def judge(
    canaries: Sequence[Analysis],
    production: Sequence[Analysis],
    rules: Sequence[triage.Rule],
    entries: Sequence[triage.Entry],
) -> GateResult:
    """The gate's verdict over finished analyses."""
    verdict = triage.judge(production, rules, entries)
    planted = {a.target.name: {issue.swc for issue in a.issues} for a in canaries}
    missed = [
        f"{name}: SWC-{swc} was planted and not found"
        for name, swc in targets.CANARIES.items()
        if swc not in planted.get(name, set())
    ]
    skipped = [a for a in production if not a.complete]
    failures = [*missed]
    failures += [f"{a.target.name}: not analysed ({_why(a)})" for a in skipped]
    failures += [
        f"{i.contract}.{i.function}: SWC-{i.swc} {i.title} ({i.severity.lower()}): {i.head}"
        for i in verdict.untriaged
    ]
    failures += [
        f"{e.contract}.{e.function}, SWC-{e.swc}: stale, judged for code {e.code}"
        for e in verdict.stale
    ]
    failures += verdict.objections
    executed = sum(a.executed for a in production)
    instructions = sum(a.instructions for a in production)
    figures = {
        "mythril_contracts": len(production) - len(skipped),
        "mythril_not_analysed": len(skipped),
        "mythril_constructor_unfinished": sum(not a.constructed for a in production),
        "mythril_canary_found": not missed,
        "mythril_untriaged": len(verdict.untriaged),
        "mythril_triaged": len(verdict.triaged),
        "mythril_stale": len(verdict.stale),
        "mythril_filtered": len(verdict.filtered),
        "mythril_unseen": len(verdict.unseen),
        "mythril_searched_to_the_end": sum(a.complete and not a.exhausted for a in production),
        "mythril_executed_pct": round(100 * executed / max(instructions, 1), 1),
    }
    promises = {
        "mythril_not_analysed": not skipped and bool(production),
        "mythril_canary_found": not missed,
        "mythril_untriaged": not verdict.untriaged and not verdict.objections,
        "mythril_stale": not verdict.stale,
    }
    findings = [
        Finding(f"{i.contract}.{i.function}", f"SWC-{i.swc} {i.title}") for i in verdict.untriaged
    ]
    findings += [
        Finding(f"{i.contract}.{i.function}", f"SWC-{i.swc} {i.title}", e.reason)
        for i, e in verdict.triaged
    ]
    findings += [
        Finding(f"{i.contract}.{i.function}", f"SWC-{i.swc} {i.title}", f"rule: {r.reason}")
        for i, r in verdict.filtered
    ]
    notes = [
        f"{a.target.name}: {a.executed} of {a.instructions} instructions, code {a.target.digest}"
        + f", {a.seconds} s of processor time"
        + (", out of steps" if a.exhausted else ", searched to the end")
        + ("" if a.constructed else ", deployed code only")
        for a in production
    ]
    return GateResult(figures, promises, tuple(failures), tuple(findings), tuple(notes))


def _why(one: Analysis) -> str:
    if one.failure:
        return one.failure.strip().splitlines()[-1]
    if not one.instructions:
        return "nothing was executed: are its arguments in audits/mythril/constructors.toml right?"
    return f"{one.executed} instructions were executed"
