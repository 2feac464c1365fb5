"""Has Mythril analyse targets, two at a time, and keeps each answer by what it came from."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.audit.gate import GateError
from tools.audit.mythril.targets import Target
from tools.audit.sources import ROOT

PYTHON = ROOT / ".venv-mythril" / "bin" / "python"
CACHE = ROOT / ".tools" / "cache"
HERE = Path(__file__).parent
WORKER = "tools.audit.mythril.worker"
# An analysis counts only if the constructor came to its end and calls were executed.
LEAST_EXECUTED = 40


@dataclass(frozen=True)
class Settings:
    """How far Mythril may go, per contract.

    Attributes:
        create_seconds: processor time for the constructor.
        seconds: processor time for calls to the contract.
        transactions: calls in a row.
        solver_ms: time for one query.
        any_storage: start from any storage, not from what the constructor left.
    """

    create_seconds: int = 15
    seconds: int = 20
    transactions: int = 1
    solver_ms: int = 2_000
    any_storage: bool = True


NIGHT = Settings(create_seconds=300, seconds=900, transactions=2, solver_ms=10_000)


@dataclass(frozen=True)
class Issue:
    """One thing that Mythril reports, by the function whose call shows it."""

    contract: str
    function: str
    swc: str
    title: str
    head: str
    severity: str
    places: int = 1


@dataclass(frozen=True)
class Analysis:
    """Mythril's answer for one contract."""

    target: Target
    failure: str
    executed: int
    instructions: int
    seconds: float
    constructed: bool
    issues: tuple[Issue, ...]

    @property
    def complete(self) -> bool:
        return not self.failure and self.executed >= LEAST_EXECUTED


def analyse(
    targets: Sequence[Target],
    settings: Settings,
    workers: int,
    say: Callable[[str], None],
    cache: Path = CACHE,
) -> list[Analysis]:
    """Answers in the order of the targets; those that were analysed before cost nothing.

    Raises:
        GateError: Mythril's environment is not there, or its process failed.
    """
    if not PYTHON.exists():
        raise GateError("Mythril's environment is missing: run tools/setup.sh mythril")
    kept = {t.name: cache / f"mythril-{_key(t, settings)}.json" for t in targets}
    open_targets = [t for t in targets if not kept[t.name].exists()]
    done = len(targets) - len(open_targets)
    if done:
        say(f"  mythril: {done} of {len(targets)} contracts are as they were when last analysed")
    if open_targets:
        _run(open_targets, settings, workers, say, kept)
    return [_read(t, json.loads(kept[t.name].read_text(encoding="utf-8"))) for t in targets]


def _key(target: Target, settings: Settings) -> str:
    total = hashlib.sha256(json.dumps(settings.__dict__, sort_keys=True).encode())
    for part in (HERE / "engine.py", HERE / "worker.py", ROOT / "requirements" / "mythril.lock"):
        total.update(part.read_bytes())
    total.update(target.digest.encode() + target.code[-4_096:])
    return total.hexdigest()


def _run(
    targets: Sequence[Target],
    settings: Settings,
    workers: int,
    say: Callable[[str], None],
    kept: dict[str, Path],
) -> None:
    jobs = [
        {
            "name": t.name,
            "code": t.code.hex(),
            "runtime": t.deployed.hex(),
            **settings.__dict__,
        }
        for t in targets
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    command = [str(PYTHON), "-m", WORKER, str(workers)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        said: list[str] = []
        listener = threading.Thread(target=lambda: said.extend(process.stderr or ()))
        listener.start()
        process.stdin.write(json.dumps(jobs))
        process.stdin.close()
        for number, line in enumerate(process.stdout, 1):
            answer = json.loads(line)
            path = kept[answer["name"]]
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}")
            draft.write_text(line, encoding="utf-8")
            draft.replace(path)
            share = f"{answer['executed']} of {answer['instructions']} instructions"
            say(f"  mythril: {number}/{len(jobs)} {answer['name']}, {share}, {answer['seconds']} s")
        listener.join()
    if process.returncode:
        raise GateError(f"Mythril failed: {''.join(said).strip()[-1500:]}")


def _read(target: Target, answer: dict[str, Any]) -> Analysis:
    issues: dict[tuple[str, str], Issue] = {}
    for found in answer["issues"]:
        function = target.signatures.get(found["selector"], found["selector"])
        key = (function, found["swc"])
        known = issues.get(key)
        if known is not None:
            issues[key] = replace(known, places=known.places + 1)
            continue
        title, head, severity = found["title"], found["head"], found["severity"]
        issues[key] = Issue(target.name, function, found["swc"], title, head, severity)
    return Analysis(
        target,
        answer["failure"],
        answer["executed"],
        answer["instructions"],
        answer["seconds"],
        answer["constructed"],
        tuple(sorted(issues.values(), key=lambda i: (i.function, i.swc))),
    )
