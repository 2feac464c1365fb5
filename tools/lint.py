"""Runs every static check of the project and counts what each finds; repairs nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools import hygiene, report

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Check:
    """One tool.

    Attributes:
        name: of its figure.
        command: what to run in the repository's root.
        count: how many findings its output holds.
    """

    name: str
    command: Sequence[str]
    count: Callable[[str], int]


def _lines(pattern: str) -> Callable[[str], int]:
    compiled = re.compile(pattern, re.MULTILINE)
    return lambda output: len(compiled.findall(output))


def checks() -> list[Check]:
    """The tools, slowest first."""
    # A file that was removed but is still in the index is not there to be read.
    names = [name for name in hygiene.tracked(ROOT) if (ROOT / name).is_file()]
    prose = [n for n in names if not n.endswith((".lock", "package-lock.json"))]
    solidity = [n for n in names if n.endswith(".sol")]
    python = [n for n in names if n.endswith(".py")]
    found = [
        Check("mypy", ["mypy"], _lines(r": error: ")),
        Check(
            "ruff",
            ["ruff", "check", "--output-format", "concise", *python],
            _lines(r"^\S+:\d+:\d+:"),
        ),
        Check(
            "ruff_format",
            ["ruff", "format", "--check", *python],
            _lines("^(?:Would reformat|unformatted):"),
        ),
        Check("codespell", ["codespell", *prose], _lines("==>")),
        Check("hygiene", [sys.executable, "-m", "tools.hygiene"], _lines(r"^\S+:\d+: ")),
    ]
    if solidity:
        command = ["forge", "fmt", "--check", *solidity]
        found.append(Check("forge_fmt", command, _lines(r"^Diff in ")))
    return found


def run(check: Check) -> tuple[int, str]:
    """Findings of one tool, at least one if it failed, and its output."""
    done = subprocess.run(check.command, cwd=ROOT, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    count = check.count(output)
    return (max(count, 1) if done.returncode else 0), output


def main() -> int:
    """Runs all; returns the exit status."""
    started = time.monotonic()
    todo = checks()
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, todo))
    figures: dict[str, report.Figure] = {}
    for check, (count, output) in zip(todo, results, strict=True):
        figures[check.name] = count
        if count:
            print(f"--- {check.name}\n{output.strip()}", file=sys.stderr)
    promises = {check.name: figures[check.name] == 0 for check in todo}
    figures["seconds"] = round(time.monotonic() - started, 1)
    return report.write("lint", figures, promises)


if __name__ == "__main__":
    sys.exit(main())
