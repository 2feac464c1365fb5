"""Prepares the decisions that a person takes over Mythril's findings; decides none itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.audit.gate import Budget, GateError
from tools.audit.mythril import analysis, targets, triage
from tools.audit.mythril.analysis import NIGHT, Analysis, Settings
from tools.audit.mythril.triage import Entry, Rule


def open_questions(budget: Budget, confirm: Sequence[str] = ()) -> tuple[list[str], int]:
    """What is to be decided, in lines to print, and how many decisions that is.

    Args:
        budget: as for the gate; what was analysed before is not analysed again.
        confirm: contracts whose entries are written for their present code first.

    Raises:
        GateError: a contract to confirm has no stale entry.
    """
    settings = NIGHT if budget.night else Settings()
    found = analysis.analyse(targets.production(), settings, budget.workers, budget.say)
    rules, entries = triage.read()
    if confirm:
        entries = confirmed(found, entries, confirm)
        triage.write(rules, entries)
    return questions(found, rules, entries)


def confirmed(
    found: Sequence[Analysis], entries: Sequence[Entry], names: Sequence[str]
) -> list[Entry]:
    """The entries, those of the named contracts for the code that they have now."""
    digests = {a.target.name: a.target.digest for a in found}
    stale = {e.contract for e in entries if digests.get(e.contract) != e.code}
    if unknown := set(names) - (stale & set(digests)):
        raise GateError(f"nothing to confirm for {', '.join(sorted(unknown))}")
    return [replace(e, code=digests[e.contract]) if e.contract in names else e for e in entries]


def questions(
    found: Sequence[Analysis], rules: Sequence[Rule], entries: Sequence[Entry]
) -> tuple[list[str], int]:
    """Blocks for the triage file, each with what Mythril says, and the stale entries."""
    verdict = triage.judge(found, rules, entries)
    digests = {a.target.name: a.target.digest for a in found}
    reasons = {(e.contract, e.function, e.swc): e.reason for e in verdict.stale}
    lines = []
    for issue in verdict.untriaged:
        before = reasons.get((issue.contract, issue.function, issue.swc))
        lines.append(f"# {issue.severity}, {issue.places} place(s): {issue.title}. {issue.head}")
        if before:
            lines.append(f"# judged for earlier code: {before}")
        lines += [
            "[[finding]]",
            f'contract = "{issue.contract}"',
            f'function = "{issue.function}"',
            f'swc = "{issue.swc}"',
            f'code = "{digests[issue.contract]}"',
            'reason = ""',
            "",
        ]
    for entry in verdict.stale:
        place = f"{entry.contract}.{entry.function}, SWC-{entry.swc}"
        lines.append(f"# stale: {place}: {entry.reason}")
    count = len(verdict.untriaged) + len(verdict.stale)
    lines.append(f"# {len(verdict.untriaged)} to decide, {len(verdict.stale)} stale")
    return lines, count
