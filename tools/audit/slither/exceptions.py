"""The exceptions from Slither's findings that the sources hold, each with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

COMMENT = re.compile(r"^\s*//\s*slither-disable-(next-line|start|end)\s*([\w,-]*)")
REASON = re.compile(r"^\s*//+\s*(?:@dev\s+)?(.+?)\s*$")
SHORTEST_REASON = 12


@dataclass(frozen=True)
class Exemption:
    """One `slither-disable` comment.

    Attributes:
        path: of the source, below the root.
        line: of the comment, from 1.
        detectors: that it silences.
        reason: the comment on the line above, or ''.
    """

    path: str
    line: int
    detectors: tuple[str, ...]
    reason: str


def read(root: Path, sources: Sequence[str]) -> list[Exemption]:
    """All exceptions in the named sources."""
    return [one for source in sources for one in _read(root, source)]


def _read(root: Path, source: str) -> Iterator[Exemption]:
    lines = (root / source).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, 1):
        found = COMMENT.match(line)
        if found is None or found[1] == "end":
            continue
        names = tuple(name for name in found[2].split(",") if name)
        above = REASON.match(lines[number - 2]) if number > 1 else None
        said = above[1] if above and not COMMENT.match(lines[number - 2]) else ""
        yield Exemption(source, number, names, said if len(said) >= SHORTEST_REASON else "")


def objections(exemptions: Sequence[Exemption]) -> list[str]:
    """What is wrong with the comments as they are written."""
    said = []
    for one in exemptions:
        place = f"{one.path}:{one.line}"
        if not one.detectors or "all" in one.detectors:
            said.append(f"{place}: an exception must name its detectors")
        if not one.reason:
            said.append(f"{place}: the exception has no reason on the line above")
    return said
