"""Turns results into percentages and names each survivor that nobody explained; hunts none.

Survivors that are no gap lie in audits/mutation-survivors.toml, each with its place and a reason.
An entry is stale when its fault can no longer be planted, or was noticed after all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tools.audit.mutation.mutant import Mutant
from tools.audit.mutation.runner import Result

SURVIVORS = "audits/mutation-survivors.toml"
SAFETY = "contracts/safety/"
# Below this share of noticed faults the gate is red; the safety plane must notice all.
LEAST_PCT = 95.0


class SurvivorsError(ValueError):
    """The file of survivors cannot be read; one line."""


@dataclass(frozen=True)
class Accepted:
    """A survivor that stays, and why. Empty fields fit anything; `path` and `reason` are given.

    `turn` tells equal places on one line apart; the first is 0, and none fits all of them.
    """

    path: str
    operator: str
    text: str
    old: str
    new: str
    reason: str
    turn: int | None = None

    def fits(self, mutant: Mutant) -> bool:
        if self.path != mutant.path and not re.fullmatch(self.path, mutant.path):
            return False
        if self.turn not in (None, mutant.turn):
            return False
        pairs = (
            (self.operator, mutant.operator),
            (self.text, mutant.text),
            (self.old, mutant.old),
            (self.new, mutant.new),
        )
        return all(not mine or mine == its for mine, its in pairs)


@dataclass(frozen=True)
class Verdict:
    """Counts, the survivors with their reasons, and each reason to be red."""

    planned: int
    hunted: int
    killed: int
    accepted: int
    safety_hunted: int
    safety_killed: int
    survivors: tuple[tuple[Mutant, str], ...]
    failures: tuple[str, ...]

    @property
    def killed_pct(self) -> float:
        return _percent(self.killed, self.hunted - self.accepted)

    @property
    def safety_pct(self) -> float:
        return _percent(self.safety_killed, self.safety_hunted)


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 100.0


def read(path: Path) -> tuple[Accepted, ...]:
    """The accepted survivors of a file; none if there is no file.

    Raises:
        SurvivorsError: it is no TOML, or an entry lacks its place or its reason.
    """
    if not path.exists():
        return ()
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", [])
    except tomllib.TOMLDecodeError as error:
        raise SurvivorsError(f"{path.name}: {error}") from error
    found = []
    for number, entry in enumerate(entries, 1):
        names = ("path", "operator", "text", "old", "new", "reason")
        place, *fields, reason = (str(entry.get(name, "")).strip() for name in names)
        if not place or not any(fields) or len(reason) < 10:
            raise SurvivorsError(f"{path.name}: entry {number} needs a path, a place and a reason")
        operator, text, old, new = fields
        found.append(Accepted(place, operator, text, old, new, reason, entry.get("turn")))
    return tuple(found)


def judge(
    everything: Sequence[Mutant], results: Mapping[str, Result], accepted: Sequence[Accepted]
) -> Verdict:
    """Counts and reasons to be red.

    Args:
        everything: all faults that can be planted, hunted or not.
        results: by the fault's key, of those that were hunted.
        accepted: survivors that may stay.
    """
    survivors: list[tuple[Mutant, str]] = []
    failures: list[str] = []
    alive: set[Accepted] = set()
    hunted = killed = safety = safety_killed = 0
    for mutant in everything:
        result = results.get(mutant.key)
        if result is None:
            alive.update(one for one in accepted if one.fits(mutant))
            continue
        fitting = [one for one in accepted if one.fits(mutant)]
        hunted += 1
        explained = bool(fitting) and result.status != "killed"
        in_safety = mutant.path.startswith(SAFETY) and not explained
        safety += in_safety
        if result.status == "killed":
            killed += 1
            safety_killed += in_safety
            continue
        alive.update(fitting)
        survivors.append((mutant, fitting[0].reason if fitting else ""))
        if in_safety:
            failures.append(f"survived in the safety plane: {mutant}")
    explained_count = sum(bool(reason) for _, reason in survivors)
    verdict = Verdict(
        len(everything),
        hunted,
        killed,
        explained_count,
        safety,
        safety_killed,
        tuple(survivors),
        (),
    )
    if verdict.killed_pct < LEAST_PCT:
        failures.append(f"{verdict.killed_pct} % of the faults were noticed, not {LEAST_PCT} %")
        failures += [f"survived: {mutant}" for mutant, reason in survivors if not reason]
    failures += [
        f"stale survivor: {one.path}: {one.operator} {one.text or one.old}"
        for one in accepted
        if one not in alive
    ]
    return replace(verdict, failures=tuple(dict.fromkeys(failures)))
