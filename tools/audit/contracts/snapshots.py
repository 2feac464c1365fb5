"""The committed interfaces and storage layouts, and why they last changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.audit.contracts.surface import Lines
from tools.audit.gate import GateError

FOLDER = Path("audits/snapshots")
CHANGES = "CHANGES.md"
KINDS = ("interfaces", "storage")
SHORTEST_REASON = 12


def read(root: Path) -> Mapping[str, Lines]:
    """The committed snapshots, by kind.

    Raises:
        GateError: one is missing or is not JSON.
    """
    try:
        return {kind: json.loads(_path(root, kind).read_text(encoding="utf-8")) for kind in KINDS}
    except (OSError, json.JSONDecodeError) as error:
        raise GateError(f"snapshots: {error}; run `python -m tools.audit snapshot`") from error


def write(root: Path, current: Mapping[str, Lines], why: str) -> list[str]:
    """Writes the snapshots and the reason for the change; returns what changed.

    Raises:
        GateError: there is no reason.
    """
    if len(why.strip()) < SHORTEST_REASON:
        raise GateError("say why the snapshots change: --why '…'")
    (root / FOLDER).mkdir(parents=True, exist_ok=True)
    before = {k: json.loads(p.read_text()) if (p := _path(root, k)).exists() else {} for k in KINDS}
    changed = differences(before, current)
    for kind in KINDS:
        text = json.dumps(current[kind], indent=1, sort_keys=True, ensure_ascii=False)
        _path(root, kind).write_text(text + "\n", encoding="utf-8")
    log = root / FOLDER / CHANGES
    head = "# Why the snapshots changed\n\nNewest last; each line names the snapshots' digest.\n\n"
    lines = log.read_text(encoding="utf-8") if log.exists() else head
    log.write_text(f"{lines}- `{digest(current)}` {why.strip()}\n", encoding="utf-8")
    return changed


def unexplained(root: Path, committed: Mapping[str, Lines]) -> list[str]:
    """A complaint if the snapshots were edited without a line that says why."""
    log = root / FOLDER / CHANGES
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    if any(f"`{digest(committed)}`" in line for line in lines):
        return []
    return [f"{FOLDER / CHANGES}: no line explains the snapshots as they are"]


def differences(committed: Mapping[str, Lines], current: Mapping[str, Lines]) -> list[str]:
    """One line per thing that is new, gone or different."""
    said = []
    for kind in KINDS:
        old, new = committed[kind], current[kind]
        for name in sorted({*old, *new}):
            said += [f"{kind}, {name}: {line}" for line in _compare(old.get(name), new.get(name))]
    return said


def _compare(old: Sequence[str] | None, new: Sequence[str] | None) -> list[str]:
    if old is None:
        return ["new contract"]
    if new is None:
        return ["the contract is gone"]
    if list(old) == list(new):
        return []
    gone = [f"- {line}" for line in old if line not in new]
    come = [f"+ {line}" for line in new if line not in old]
    return gone + come or ["the order changed"]


def digest(current: Mapping[str, Lines]) -> str:
    """Names the snapshots' content."""
    text = json.dumps({kind: current[kind] for kind in KINDS}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _path(root: Path, kind: str) -> Path:
    return root / FOLDER / f"{kind}.json"
