"""Turns what was reached into percentages and names each gap that nobody explained; runs nothing.

Exceptions lie in audits/coverage-exceptions.toml. Each names a source, the text of the line and, if
it is about a condition, the way that is never taken, and a reason. One that fits no gap is stale.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.audit.instrument.probes import Probe

EXCEPTIONS = "audits/coverage-exceptions.toml"


class ExceptionsError(ValueError):
    """The file of exceptions cannot be read; one line."""


@dataclass(frozen=True)
class Exemption:
    """A gap that stays, and why."""

    path: str
    text: str
    way: str
    reason: str

    def fits(self, path: str, text: str, way: str) -> bool:
        return (self.path, self.text, self.way) == (path, text, way)


@dataclass(frozen=True)
class Gap:
    """A line or a way of a condition that no test takes."""

    path: str
    line: int
    way: str
    text: str
    reason: str = ""

    def __str__(self) -> str:
        what = f"{self.way} way of " if self.way else ""
        return f"{self.path}:{self.line}: {what}{self.text}"


@dataclass(frozen=True)
class Verdict:
    """Percentages and gaps; `failures` has a line for each reason to be red."""

    lines_pct: float
    branches_pct: float
    by_path: Mapping[str, tuple[int, int, int, int]]
    gaps: tuple[Gap, ...]
    failures: tuple[str, ...]


def read(path: Path) -> tuple[Exemption, ...]:
    """The exceptions of a file; none if there is no file.

    Raises:
        ExceptionsError: it is no TOML, or an entry lacks a field or its reason.
    """
    if not path.exists():
        return ()
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("exception", [])
    except tomllib.TOMLDecodeError as error:
        raise ExceptionsError(f"{path.name}: {error}") from error
    found = []
    for number, entry in enumerate(entries, 1):
        fields = [str(entry.get(key, "")).strip() for key in ("path", "text", "way", "reason")]
        if not fields[0] or not fields[1] or len(fields[3]) < 10:
            raise ExceptionsError(f"{path.name}: entry {number} needs path, text and a reason")
        found.append(Exemption(*fields))
    return tuple(found)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 100.0


def judge(
    probes: Sequence[Probe],
    reached: Collection[int],
    sources: Mapping[str, str],
    exemptions: Sequence[Exemption],
) -> Verdict:
    """Percentages, gaps and every reason to be red.

    Args:
        probes: all that can be reached.
        reached: indexes of those that were.
        sources: text of each source that has probes.
        exemptions: gaps that may stay.
    """
    lines: dict[tuple[str, int], bool] = {}
    gaps: list[tuple[str, int, str]] = []
    counts: dict[str, list[int]] = {}
    for index, probe in enumerate(probes):
        hit = index in reached
        tally = counts.setdefault(probe.path, [0, 0, 0, 0])
        if probe.way:
            tally[2] += hit
            tally[3] += 1
            if not hit:
                gaps.append((probe.path, probe.line, probe.way))
        else:
            # A line counts as reached only if all its statements are.
            key = (probe.path, probe.line)
            lines[key] = lines.get(key, True) and hit
    for (path, line), hit in lines.items():
        counts[path][0] += hit
        counts[path][1] += 1
        if not hit:
            gaps.append((path, line, ""))
    texts = {path: source.split("\n") for path, source in sources.items()}
    found, failures = [], []
    used: set[Exemption] = set()
    for path, line, way in sorted(set(gaps)):
        text = texts[path][line - 1].strip()
        fitting = [one for one in exemptions if one.fits(path, text, way)]
        used.update(fitting)
        gap = Gap(path, line, way, text, fitting[0].reason if fitting else "")
        found.append(gap)
        if not fitting:
            failures.append(f"not covered and not explained: {gap}")
    failures += [
        f"stale exception: {one.path}: {one.way or 'line'} of {one.text}"
        for one in exemptions
        if one not in used
    ]
    total = [sum(tally[place] for tally in counts.values()) for place in range(4)]
    by_path = {path: (a, b, c, d) for path, (a, b, c, d) in sorted(counts.items())}
    return Verdict(
        _percent(total[0], total[1]),
        _percent(total[2], total[3]),
        by_path,
        tuple(found),
        tuple(failures),
    )
