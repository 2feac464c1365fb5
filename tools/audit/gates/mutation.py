"""Gate: planted faults in contracts and money-handling Python are noticed by a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from offchain.artifacts import ROOT
from tools.audit.coverage import contracts as coverage
from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.instrument.tree import InstrumentError
from tools.audit.mutation import contracts, python
from tools.audit.mutation import judge as judgement
from tools.audit.mutation.judge import Accepted
from tools.audit.mutation.mutant import Mutant
from tools.audit.mutation.runner import Result
from tools.report import Figure

TITLE = "Mutation testing of contracts and of the Python that handles money"
PROVES = (
    "Of the faults that were planted, the tests notice at least 95 %, in the safety plane all; "
    "each other survivor is listed with the reason why it is no gap."
)
DOES_NOT = (
    "That a fault which no operator plants would be noticed. In CI a seeded sample is hunted, at "
    "night all of them; faults run without the optimiser."
)
# In CI so many are drawn: a number, not a time, so that a slow machine gives no other verdict.
SAMPLE, PYTHON_SAMPLE = 240, 120
NIGHT = 10**6
CONTRACTS = "contracts/"


def judge(
    accepted: Sequence[Accepted],
    everything: Sequence[Mutant],
    results: Mapping[str, Result],
    note: str = "",
) -> GateResult:
    """The verdict over what became of the faults of contracts and of Python."""
    sides = []
    for ours in (True, False):
        sides.append(
            judgement.judge(
                [one for one in everything if one.path.startswith(CONTRACTS) == ours],
                results,
                [one for one in accepted if one.path.startswith(CONTRACTS) == ours],
            )
        )
    hard, snake = sides
    figures: dict[str, Figure] = {
        "mutants": hard.hunted,
        "mutants_total": hard.planned,
        "mutants_killed_pct": hard.killed_pct,
        "safety_mutants": hard.safety_hunted,
        "safety_mutants_killed_pct": hard.safety_pct,
        "mutants_explained": hard.accepted + snake.accepted,
        "python_mutants": snake.hunted,
        "python_mutants_total": snake.planned,
        "python_mutants_killed_pct": snake.killed_pct,
    }
    return GateResult(
        figures=figures,
        promises={
            "mutants_killed_pct": hard.killed_pct >= judgement.LEAST_PCT,
            "safety_mutants_killed_pct": hard.safety_pct == 100.0,
            "python_mutants_killed_pct": snake.killed_pct >= judgement.LEAST_PCT,
        },
        failures=(*hard.failures, *snake.failures),
        findings=tuple(
            Finding(f"{one.path}:{one.line}", f"{one.operator}: {one.old} → {one.new}", reason)
            for one, reason in (*hard.survivors, *snake.survivors)
        ),
        notes=(note,) if note else (),
    )


def run(budget: Budget) -> GateResult:
    """Hunts and judges."""
    night = budget.night
    count, few = (NIGHT, NIGHT) if night else (SAMPLE, PYTHON_SAMPLE)
    workers, seed, say = budget.workers, budget.seed, budget.say
    try:
        accepted = judgement.read(ROOT / judgement.SURVIVORS)

        def wanted(mutant: Mutant) -> bool:
            # A fault that is known to survive costs all of its tests, so only the night asks again.
            return night or not any(one.fits(mutant) for one in accepted)

        reached = coverage.measure(workers, seed, say)
        hunt = contracts.hunt(reached, count, workers, seed, say, wanted)
        snakes = python.hunt(reached.seconds, few, workers, seed, say, wanted)
    except (InstrumentError, judgement.SurvivorsError) as error:
        raise GateError(str(error)) from error
    results = {**hunt.results, **snakes.results}
    contracts.write_kills(results)
    note = "every fault was hunted" if night else f"a sample, drawn with seed {seed}"
    return judge(accepted, [*hunt.everything, *snakes.everything], results, note)
