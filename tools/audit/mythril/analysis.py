"""Has Mythril analyse targets, side by side, and keeps each answer by what it came from."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tools.audit.gate import GateError
from tools.audit.mythril.targets import Target
from tools.audit.sources import ROOT

PYTHON = ROOT / ".venv-mythril" / "bin" / "python"
CACHE = ROOT / ".tools" / "cache"
HERE = Path(__file__).parent
WORKER = "tools.audit.mythril.worker"
# An analysis counts only if calls were executed.
LEAST_EXECUTED = 40


@dataclass(frozen=True)
class Settings:
    """How far Mythril may go, per contract; all but `seconds` is the same on every machine.

    Attributes:
        create_steps: instructions of the constructor that may be executed.
        steps: instructions of the deployed code that may be executed, on all paths together.
        transactions: calls in a row.
        solver_units: z3's own measure of work, for one query.
        seconds: of processor time; a contract that needs more counts as not analysed.
    """

    create_steps: int = 8_000
    steps: int = 2_500
    transactions: int = 1
    solver_units: int = 1_000_000
    seconds: int = 900


NIGHT = Settings(
    create_steps=40_000, steps=40_000, transactions=2, solver_units=5_000_000, seconds=14_400
)


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
    """Mythril's answer for one contract.

    Attributes:
        failure: what it died of, or ''.
        executed: instructions of the deployed code that were executed, of `instructions`.
        seconds: of processor time.
        constructed: whether the constructor came to an end.
        exhausted: whether paths were left because there were no more steps.
    """

    target: Target
    failure: str
    executed: int
    instructions: int
    seconds: float
    constructed: bool
    exhausted: bool
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

    A failure is no answer, so it is not kept: the next run tries again.

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
    failed = _run(open_targets, settings, workers, say, kept) if open_targets else {}
    return [
        _read(t, failed.get(t.name) or json.loads(kept[t.name].read_text(encoding="utf-8")))
        for t in targets
    ]


def _key(target: Target, settings: Settings) -> str:
    total = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    ours = [HERE / f"{name}.py" for name in ("engine", "search", "worker")]
    for part in (*ours, ROOT / "requirements" / "mythril.lock"):
        total.update(part.read_bytes())
    total.update(target.digest.encode() + target.code[-4_096:])
    return total.hexdigest()


def _run(
    targets: Sequence[Target],
    settings: Settings,
    workers: int,
    say: Callable[[str], None],
    kept: dict[str, Path],
) -> dict[str, dict[str, Any]]:
    # The largest first: otherwise one worker ends long after the others.
    jobs = [
        {"name": t.name, "code": t.code.hex(), "runtime": t.deployed.hex(), **asdict(settings)}
        for t in sorted(targets, key=lambda t: -len(t.code))
    ]
    failed = {}
    # Mythril wants a folder for signatures, and the order of a set must not change its search.
    home = ROOT / ".cache" / "mythril"
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    environment |= {"MYTHRIL_DIR": str(home), "PYTHONHASHSEED": "0"}
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
            if answer["failure"]:
                failed[answer["name"]] = answer
            else:
                _keep(kept[answer["name"]], line)
            share = f"{answer['executed']} of {answer['instructions']} instructions"
            say(f"  mythril: {number}/{len(jobs)} {answer['name']}, {share}, {answer['seconds']} s")
        listener.join()
    if process.returncode:
        raise GateError(f"Mythril failed: {''.join(said).strip()[-1500:]}")
    return failed


def _keep(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(line, encoding="utf-8")
    draft.replace(path)


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
        answer["exhausted"],
        tuple(sorted(issues.values(), key=lambda i: (i.function, i.swc))),
    )
