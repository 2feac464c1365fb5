"""Finds what must never be committed: keys, a developer's paths, registry hosts, contracts that
look at who signed; changes nothing.

A line that must stay says `hygiene: allow` and why.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = "hygiene: allow"
LOCK_FILE = re.compile(r"(?:^|/)(?:package-lock\.json|[\w.-]+\.lock)$")
# A contract answers to who calls it. Whoever signed may have been lured into the call.
CONTRACT = re.compile(r"^contracts/.*\.(?:sol|vy)$")
SIGNER = re.compile(r"\btx\.origin\b|\borigin\(\)")
LARGEST = 1_000_000
RULES = {
    "a path of a developer's machine": re.compile(
        r"(?<![\w.])/(?:home/[a-z][\w.-]*|Users/[A-Za-z][\w.-]*|root|work)/[\w.-]"
    ),
    "a package registry's host": re.compile(
        r"https?://[^\s\"'<>]*(?:registry\.npmjs|registry\.yarnpkg|files\.pythonhosted"
        r"|pypi\.org/simple|/artifactory/|/api/(?:npm|pypi)/|/simple/)",
        re.IGNORECASE,
    ),
    "a package index": re.compile(r"^\s*--(?:extra-)?index-url"),
    "a private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY|\bAKIA[0-9A-Z]{16}\b"),
    "a raw key": re.compile(
        r"(?:priv(?:ate)?_?key|secret|api_?key|password)\w*[\"']?\s*[:=]\s*"
        r"(?:bytes\.fromhex\()?[\"']?(?:0x)?[0-9a-f]{64}\b",
        re.IGNORECASE,
    ),
    "a token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|xox[abp]-[\w-]{20,}|npm_\w{36})\b"),
    "an address with a password": re.compile(r"https?://[^\s/:@\"'{}]+:[^\s/@\"'{}]+@[\w.-]+"),
}


@dataclass(frozen=True)
class Finding:
    """One line that must not be committed."""

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def scan(path: str, text: str) -> Iterator[Finding]:
    """All findings in one file."""
    for number, line in enumerate(text.splitlines(), 1):
        if LOCK_FILE.search(path) and "://" in line:
            yield Finding(path, number, "an address in a lock file")
        if CONTRACT.match(path) and SIGNER.search(line):
            yield Finding(path, number, "a contract that looks at who signed")
        if ALLOWED in line:
            continue
        for what, pattern in RULES.items():
            if pattern.search(line):
                yield Finding(path, number, what)


def tracked(root: Path) -> list[str]:
    """Files that are, or are about to be, committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout
    return sorted(name for name in listed.decode().split("\0") if name)


def check(root: Path, names: Iterable[str]) -> list[Finding]:
    """All findings in the named files; binary and very large ones are left out."""
    findings: list[Finding] = []
    for name in names:
        path = root / name
        if not path.is_file() or path.stat().st_size > LARGEST:
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            findings += scan(name, content.decode("utf-8", errors="replace"))
    return findings


def main(arguments: list[str]) -> int:
    """Checks the named files, or all; returns the exit status."""
    findings = check(ROOT, arguments or tracked(ROOT))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
