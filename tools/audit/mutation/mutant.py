"""What one planted fault is; plants none."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One fault.

    Attributes:
        path: the source it is planted in.
        line: where, from 1; of the statement around it, which tells the tests that reach it.
        operator: the kind of fault.
        text: the statement's first line, as it is in the source.
        old: what is replaced.
        new: what stands there instead.
        turn: which of several equal places on that line it is.
    """

    path: str
    line: int
    operator: str
    text: str
    old: str
    new: str
    turn: int = 0

    @property
    def key(self) -> str:
        """The same as long as the line and the fault are the same, wherever the line stands."""
        parts = (self.path, self.operator, self.text, self.old, self.new, str(self.turn))
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.operator}: {self.old} → {self.new}"


def numbered(mutants: list[Mutant]) -> list[Mutant]:
    """The same with `turn` counted up where all else is equal."""
    seen: dict[str, int] = {}
    found = []
    for one in mutants:
        turn = seen.get(one.key, 0)
        seen[one.key] = turn + 1
        found.append(Mutant(one.path, one.line, one.operator, one.text, one.old, one.new, turn))
    return found
