"""What a gate is given and what it must answer; judges nothing itself.

A gate is a module below tools/audit/gates/ that registry.py names. It has

    TITLE = "Static analysis of all Solidity (Slither)"   # a line of the dossier
    PROVES = "..."                                        # one or two sentences each
    DOES_NOT = "..."

    def run(budget: Budget) -> GateResult: ...

`run` may raise `GateError` when it cannot come to an answer; that is red as well, never a pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tools.report import Figure


class GateError(Exception):
    """The gate could not measure: a tool is missing, crashed, or answered nonsense."""


@dataclass(frozen=True)
class Budget:
    """How much a gate may spend.

    Attributes:
        night: False: minutes, for CI on two cores; True: all there is.
        seed: of everything that is sampled.
        workers: processes that a gate may run side by side.
        say: prints one line of progress.
    """

    night: bool = False
    seed: int = 20
    workers: int = 2
    say: Callable[[str], None] = print


@dataclass(frozen=True)
class Finding:
    """One thing that a tool reported, open or settled.

    Attributes:
        place: file and line, or contract and function.
        what: the finding in one line.
        settled: why it is no defect, with the place where that is written; '' while it is open.
    """

    place: str
    what: str
    settled: str = ""


@dataclass(frozen=True)
class GateResult:
    """What a gate found.

    Attributes:
        figures: flat and plain; they go to reports/audit.json as they are.
        promises: for each promised figure, by its name, whether its promise held.
        failures: one line for each reason why the gate is red; empty if it is green.
        findings: for the dossier.
        notes: for the dossier: what was left out and why, times, versions.
    """

    figures: Mapping[str, Figure]
    promises: Mapping[str, bool] = field(default_factory=dict)
    failures: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if unknown := set(self.promises) - set(self.figures):
            raise ValueError(f"promises without a figure: {', '.join(sorted(unknown))}")

    @property
    def passed(self) -> bool:
        return not self.failures and all(self.promises.values())


class Gate(Protocol):
    """The shape of a gate's module."""

    TITLE: str
    PROVES: str
    DOES_NOT: str

    def run(self, budget: Budget) -> GateResult: ...
