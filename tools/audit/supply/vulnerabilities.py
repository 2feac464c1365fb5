"""Asks npm which locked packages have known vulnerabilities, where its service can be reached."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

LIMIT_SECONDS = 60
# What compiles or becomes part of the contracts; all else is a tool or a peer of the tests.
SHIPPED = ("@openzeppelin/contracts", "solc")
NOT_REACHABLE = "not reachable"


@dataclass(frozen=True)
class Advisories:
    """Packages with a known vulnerability, or None where nobody could be asked."""

    packages: tuple[str, ...] | None

    @property
    def figure(self) -> int | str:
        return NOT_REACHABLE if self.packages is None else len(self.packages)

    @property
    def shipped(self) -> tuple[str, ...]:
        return tuple(name for name in self.packages or () if name in SHIPPED)


def node(root: Path) -> Advisories:
    """Vulnerable packages of package-lock.json."""
    try:
        done = subprocess.run(
            ["npm", "audit", "--json", "--package-lock-only"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
        return parse(done.stdout)
    except (OSError, subprocess.TimeoutExpired):
        return Advisories(None)


def parse(answer: str) -> Advisories:
    """npm's answer; one that holds no list means that the service was not reached."""
    try:
        content = json.loads(answer)
    except json.JSONDecodeError:
        return Advisories(None)
    found = content.get("vulnerabilities") if isinstance(content, dict) else None
    return Advisories(None if found is None else tuple(sorted(found)))
