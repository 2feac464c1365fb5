"""The judged findings of Mythril: each holds for one version of one contract's code only."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.audit.gate import GateError
from tools.audit.mythril.analysis import Analysis, Issue
from tools.audit.sources import ROOT

FILE = ROOT / "audits" / "mythril" / "triage.toml"
SHORTEST_REASON = 20
# What the canaries stand for, and foreign code run as one's own: each is judged where it is found.
NEVER_BY_RULE = frozenset({"106", "107", "112"})
HEADER = """\
# Findings of Mythril that were judged, and why each is no defect. An entry holds for the code with
# that hash: when the contract changes it is stale, the gate fails, and somebody looks again:
# `python -m tools.audit triage` shows what is to be decided.
"""


@dataclass(frozen=True)
class Entry:
    """One judged finding."""

    contract: str
    function: str
    swc: str
    code: str
    reason: str


@dataclass(frozen=True)
class Rule:
    """A class of findings that is left out everywhere, and why."""

    swc: str
    reason: str


@dataclass(frozen=True)
class Judgement:
    """What is left after the triage.

    Attributes:
        untriaged: findings that nobody judged.
        triaged: findings with their entry.
        filtered: findings with the rule that leaves them out.
        stale: entries whose contract has changed or is gone.
        unseen: entries that hold, but whose finding this search did not come to.
        objections: entries and rules that lack a reason, or say the same twice.
    """

    untriaged: tuple[Issue, ...]
    triaged: tuple[tuple[Issue, Entry], ...]
    filtered: tuple[tuple[Issue, Rule], ...]
    stale: tuple[Entry, ...]
    unseen: tuple[Entry, ...]
    objections: tuple[str, ...]


def read(path: Path = FILE) -> tuple[list[Rule], list[Entry]]:
    """The triage file.

    Raises:
        GateError: it is missing or not of the form that it must have.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        rules = [Rule(**one) for one in content.pop("rule", [])]
        entries = [Entry(**one) for one in content.pop("finding", [])]
    except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
        raise GateError(f"{path.name}: {error}") from error
    if content:
        raise GateError(f"{path.name}: unknown: {', '.join(content)}")
    return rules, entries


def write(rules: Sequence[Rule], entries: Sequence[Entry], path: Path = FILE) -> None:
    """Writes the triage file, sorted."""
    blocks = [HEADER]
    for rule in sorted(rules, key=lambda r: r.swc):
        blocks.append(f"[[rule]]\nswc = {json.dumps(rule.swc)}\nreason = {_text(rule.reason)}\n")
    for one in sorted(entries, key=lambda e: (e.contract, e.function, e.swc)):
        lines = ["[[finding]]"]
        for name in ("contract", "function", "swc", "code", "reason"):
            lines.append(f"{name} = {_text(getattr(one, name))}")
        blocks.append("\n".join(lines) + "\n")
    path.write_text("\n".join(blocks), encoding="utf-8")


def judge(
    analyses: Sequence[Analysis], rules: Sequence[Rule], entries: Sequence[Entry]
) -> Judgement:
    """Holds findings against the triage."""
    digests = {a.target.name: a.target.digest for a in analyses}
    stale = tuple(e for e in entries if digests.get(e.contract) != e.code)
    valid = {(e.contract, e.function, e.swc): e for e in entries if e not in stale}
    by_rule = {rule.swc: rule for rule in rules if rule.swc not in NEVER_BY_RULE}
    untriaged, triaged, filtered = [], [], []
    for issue in (issue for a in analyses for issue in a.issues):
        entry = valid.get((issue.contract, issue.function, issue.swc))
        if entry is not None:
            triaged.append((issue, entry))
        elif issue.swc in by_rule:
            filtered.append((issue, by_rule[issue.swc]))
        else:
            untriaged.append(issue)
    seen = {entry for _, entry in triaged}
    unseen = tuple(e for e in valid.values() if e not in seen)
    said = _objections(rules, entries)
    return Judgement(tuple(untriaged), tuple(triaged), tuple(filtered), stale, unseen, said)


def _objections(rules: Sequence[Rule], entries: Sequence[Entry]) -> tuple[str, ...]:
    said = [f"SWC-{r.swc}: the rule has no reason" for r in rules if _unreasoned(r.reason)]
    said += [
        f"SWC-{r.swc}: judged for each finding, never by a rule"
        for r in rules
        if r.swc in NEVER_BY_RULE
    ]
    seen = set()
    for one in entries:
        place = f"{one.contract}.{one.function}, SWC-{one.swc}"
        if _unreasoned(one.reason):
            said.append(f"{place}: the entry has no reason")
        if (one.contract, one.function, one.swc) in seen:
            said.append(f"{place}: judged twice")
        seen.add((one.contract, one.function, one.swc))
    return tuple(said)


def _unreasoned(reason: str) -> bool:
    return len(reason.strip()) < SHORTEST_REASON


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
