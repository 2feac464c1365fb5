"""Gate: dependencies are locked, hashed and licensed; no secret lies in the tree or in history."""

from __future__ import annotations

from pathlib import Path

from tools.audit.gate import Budget, Finding, GateResult
from tools.audit.sources import ROOT
from tools.audit.supply import licences, locks, secrets, vulnerabilities

TITLE = "Dependencies and secrets"
PROVES = (
    "Every package is pinned to one version and to hashes, and has a licence that is allowed or"
    " excepted with a reason. No line of the tree, nor any that history ever added, holds a key, a"
    " token or a password that the patterns know."
)
DOES_NOT = (
    "That packages are benign. Python advisories are not asked for (no tool for it is locked);"
    " npm's are where its service can be reached, and otherwise the figure says so."
)
POLICY = Path("audits/licences.toml")
KNOWN_LINES = Path("audits/not-secrets.txt")


def run(budget: Budget) -> GateResult:
    """Examines the repository."""
    return examine(ROOT, budget)


def examine(root: Path, budget: Budget) -> GateResult:
    """Examines a tree that has its environments, lock files and history."""
    python, python_said = locks.python(root)
    node, node_said = locks.node(root)
    unlocked = [*python_said, *node_said]
    rules = licences.policy(root / POLICY)
    packages = [
        *licences.python(root / ".venv"),
        *licences.python(root / ".venv-mythril"),
        *licences.node(root),
    ]
    unlicensed = licences.objections(iter(packages), rules)
    budget.say("  dependencies: secrets, in the tree and in history")
    known = secrets.allowed(root / KNOWN_LINES)
    tree = secrets.in_tree(root, known)
    commits, history = secrets.in_history(root, known)
    advisories = vulnerabilities.node(root)
    figures = {
        "dependencies_python": len(python),
        "dependencies_node": len(node),
        "dependencies_unlocked": len(unlocked),
        "licences_checked": len(packages),
        "licences_disallowed": len(unlicensed),
        "vulnerabilities_node": advisories.figure,
        "vulnerabilities_python": vulnerabilities.NOT_REACHABLE,
        "secrets_commits_scanned": commits,
        "secrets": len(tree) + len(history),
    }
    promises = {
        "dependencies_unlocked": not unlocked,
        "licences_disallowed": not unlicensed and bool(packages),
        "vulnerabilities_node": not advisories.shipped,
        "secrets": not tree and not history,
    }
    failures = [*unlocked, *unlicensed, *map(str, [*tree, *history])]
    failures += [f"{name} ships and has a known vulnerability" for name in advisories.shipped]
    findings = [Finding(n, licence, reason) for n, (licence, reason) in rules.excepted.items()]
    findings += [Finding(name, "a known vulnerability") for name in advisories.packages or ()]
    notes = [f"{p.name}: {p.licence}" for p in sorted(set(packages), key=lambda p: p.name)]
    return GateResult(figures, promises, tuple(failures), tuple(findings), tuple(notes))
