"""Runs gates one after the other and joins what they say; a gate that crashes is red."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offchain.artifacts import ArtifactError
from tools.audit import registry
from tools.audit.gate import Budget, GateError, GateResult
from tools.report import Figure


@dataclass(frozen=True)
class Outcome:
    """One gate's run: what it is, what it said, how long it took."""

    name: str
    title: str
    proves: str
    does_not: str
    result: GateResult
    seconds: float


def run(names: Sequence[str], budget: Budget) -> list[Outcome]:
    """The named gates, each heard to its end: one red gate does not hide the next."""
    outcomes = []
    for number, name in enumerate(names, 1):
        gate = registry.load(name)
        budget.say(f"[{number}/{len(names)}] {name}: {gate.TITLE}")
        started = time.monotonic()
        try:
            result = gate.run(budget)
        except (GateError, ArtifactError) as error:
            result = GateResult({}, failures=(f"no answer: {error}",))
        seconds = round(time.monotonic() - started, 1)
        verdict = "passed" if result.passed else "FAILED"
        budget.say(f"[{number}/{len(names)}] {name}: {verdict} after {seconds} s")
        for failure in result.failures:
            budget.say(f"  - {failure}")
        outcome = Outcome(name, gate.TITLE, gate.PROVES, gate.DOES_NOT, result, seconds)
        outcomes.append(outcome)
    return outcomes


def figures(outcomes: Sequence[Outcome]) -> tuple[dict[str, Figure], Mapping[str, bool]]:
    """All figures and promises; each gate adds `gate_<name>`, promised to be 'passed'."""
    joined: dict[str, Figure] = {}
    promises: dict[str, bool] = {}
    for outcome in outcomes:
        joined.update(outcome.result.figures)
        promises.update(outcome.result.promises)
    for outcome in outcomes:
        joined[f"gate_{outcome.name}"] = "passed" if outcome.result.passed else "failed"
        promises[f"gate_{outcome.name}"] = outcome.result.passed
    for outcome in outcomes:
        joined[f"{outcome.name}_seconds"] = outcome.seconds
    return joined, promises
