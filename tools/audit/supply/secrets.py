"""Looks for secrets in the tree and in every line that history ever added; prints none of them."""

from __future__ import annotations

import hashlib
import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import hygiene

KINDS = ("a private key", "a raw key", "a token", "an address with a password")
# A name that says secret, and a quoted value that looks drawn at random.
ASSIGNED = re.compile(
    r"(?:secret|passw(?:or)?d|passphrase|token|api_?key|private_?key|mnemonic)\w*[\"']?\s*[:=]\s*"
    r"[\"']([A-Za-z0-9+/=_-]{24,})[\"']",
    re.IGNORECASE,
)
LEAST_BITS = 4.2


@dataclass(frozen=True)
class Leak:
    """Where a secret lies, and of which kind; never the secret itself."""

    place: str
    kind: str

    def __str__(self) -> str:
        return f"{self.place}: {self.kind}"


def allowed(path: Path) -> frozenset[str]:
    """Hashes of lines that look like a secret and are none, each with its reason beside it."""
    if not path.exists():
        return frozenset()
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(line.split()[0] for line in lines if line and not line.startswith("#"))


def in_text(place: str, lines: Iterable[tuple[int, str]], known: frozenset[str]) -> Iterator[Leak]:
    """Leaks in numbered lines."""
    for number, line in lines:
        if hygiene.ALLOWED in line or fingerprint(line) in known:
            continue
        kinds = [kind for kind in KINDS if hygiene.RULES[kind].search(line)]
        found = ASSIGNED.search(line)
        if not kinds and found and entropy(found[1]) >= LEAST_BITS:
            kinds = ["a random value under a secret's name"]
        if kinds:
            yield Leak(f"{place}:{number}", kinds[0])


def in_tree(root: Path, known: frozenset[str]) -> list[Leak]:
    """Leaks in the files that are, or are about to be, committed."""
    leaks: list[Leak] = []
    for name in hygiene.tracked(root):
        path = root / name
        if not path.is_file() or hygiene.LOCK_FILE.search(name):
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            text = content.decode("utf-8", errors="replace")
            leaks += in_text(name, enumerate(text.splitlines(), 1), known)
    return leaks


def in_history(root: Path, known: frozenset[str]) -> tuple[int, list[Leak]]:
    """How many commits are reachable, and leaks in any line that one of them added."""
    command = ["git", "log", "--all", "-p", "--unified=0", "--no-color", "--format=commit %H"]
    command += ["--", ".", ":(exclude)*.lock", ":(exclude)package-lock.json"]
    leaks: list[Leak] = []
    commits, commit, path = 0, "", ""
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for raw in process.stdout:
            line = raw.decode("utf-8", errors="replace").rstrip("\n")
            if line.startswith("commit "):
                commits, commit = commits + 1, line.split()[1][:10]
            elif line.startswith("+++ "):
                path = line[4:].removeprefix("b/")
            elif line.startswith("+"):
                leaks += in_text(f"{commit}:{path}", [(0, line[1:])], known)
    return commits, leaks


def fingerprint(line: str) -> str:
    """Names a line without showing it."""
    return hashlib.sha256(line.strip().encode()).hexdigest()[:16]


def entropy(text: str) -> float:
    """Bits per character, by the text's own frequencies."""
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
