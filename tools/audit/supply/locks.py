"""Checks that every dependency is pinned to one version and to hashes; resolves nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

PINNED = re.compile(r"^([A-Za-z0-9][\w.\[\],-]*)==(\S+?)(?:\s*;.*?)?\s*\\?$")
HASHED = re.compile(r"^\s+--hash=sha256:[0-9a-f]{64}\s*\\?$")


def python(root: Path) -> tuple[dict[str, set[str]], list[str]]:
    """Package → versions over all Python lock files, and what is wrong with them."""
    found: dict[str, set[str]] = {}
    said: list[str] = []
    for path in sorted((root / "requirements").glob("*.lock")):
        name, hashes = "", 0
        for line in [*path.read_text(encoding="utf-8").splitlines(), "end==0"]:
            if HASHED.match(line):
                hashes += 1
                continue
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if name and not hashes:
                said.append(f"{path.name}: {name} has no hash")
            pinned = PINNED.match(line)
            if pinned is None:
                said.append(f"{path.name}: not pinned: {line.strip()[:60]}")
                name = ""
                continue
            name, hashes = _normal(pinned[1]), 0
            if line != "end==0":
                found.setdefault(name, set()).add(pinned[2])
    if not found:
        said.append("no Python lock file was found")
    said += [
        f"{source.name}: {wanted} is not in {source.stem}.lock"
        for source in sorted((root / "requirements").glob("*.in"))
        for wanted in _wanted(source)
        if wanted not in source.with_suffix(".lock").read_text(encoding="utf-8").lower()
    ]
    return found, said


def _wanted(source: Path) -> Iterator[str]:
    for line in source.read_text(encoding="utf-8").splitlines():
        name = re.split(r"[\[<>=!~;#\s]", line.strip(), maxsplit=1)[0]
        if name and not name.startswith("-"):
            yield _normal(name)


def node(root: Path) -> tuple[dict[str, str], list[str]]:
    """Path of each node package → version, and what is wrong with the lock file."""
    packages = json.loads((root / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((root / "package.json").read_text(encoding="utf-8"))["dependencies"]
    said = []
    found = {}
    for place, entry in packages.items():
        if not place:
            if entry.get("dependencies") != wanted:
                said.append("package-lock.json: not made from this package.json")
            continue
        found[place] = entry["version"]
        if not str(entry.get("integrity", "")).startswith("sha512-"):
            said.append(f"package-lock.json: {place} has no hash")
    said += [
        f"package.json: {name} is not pinned to one version ({version})"
        for name, version in wanted.items()
        if not re.fullmatch(r"\d+\.\d+\.\d+(-[\w.]+)?", version)
    ]
    return found, said


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower()
