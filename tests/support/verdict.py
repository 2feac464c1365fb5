"""What a solver said of one statement: proven, refuted by a counterexample, or neither."""

from __future__ import annotations

from dataclasses import dataclass

import z3


class Undecided(Exception):
    """No answer: neither a proof nor a counterexample. The audit gate knows it by its name."""


@dataclass(frozen=True)
class Verdict:
    """The answer to one statement.

    Attributes:
        statement: its name.
        counterexample: what breaks it, if that was found.
        gap: why there is neither a proof nor a counterexample, if so.
    """

    statement: str
    counterexample: str | None = None
    gap: str | None = None

    @property
    def proven(self) -> bool:
        """Whether it holds for all inputs.

        Raises:
            Undecided: nobody knows.
        """
        self._require_answer()
        return self.counterexample is None

    @property
    def refuted(self) -> bool:
        """Whether there are inputs that break it.

        Raises:
            Undecided: nobody knows.
        """
        return not self.proven

    def _require_answer(self) -> None:
        if self.counterexample is None and self.gap is not None:
            raise Undecided(f"{self.statement}: {self.gap}")


def impossible(solver: z3.Solver) -> bool:
    """Whether nothing satisfies what the solver holds.

    Raises:
        Undecided: z3 gave no answer.
    """
    answer = solver.check()
    if answer == z3.unknown:
        raise Undecided(f"z3: {solver.reason_unknown()}")
    return bool(answer == z3.unsat)
