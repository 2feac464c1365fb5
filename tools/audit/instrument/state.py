"""One hash of the sources that a result depends on, so that no result outlives them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from offchain.artifacts import ROOT

# What coverage and mutation of the contracts depend on, besides the locked packages.
SOURCES = ("contracts", "interfaces", "tests", "offchain", "scripts", "tools/audit")


def digest(folders: Iterable[str] = SOURCES) -> str:
    """One hash of all sources below some folders: results of other sources do not count."""
    total = hashlib.sha256()
    for folder in sorted(folders):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".sol", ".vy", ".toml") and path.is_file():
                total.update(path.relative_to(ROOT).as_posix().encode())
                total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:20]
