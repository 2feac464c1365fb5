"""Gate: planted faults in contracts and money-handling Python are noticed by a test."""

from __future__ import annotations

from offchain.artifacts import ROOT
from tools.audit.coverage import contracts as coverage
from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.instrument.tree import InstrumentError
from tools.audit.mutation import contracts, judge, python
from tools.audit.mutation.mutant import Mutant

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


def run(budget: Budget) -> GateResult:
    """Hunts and judges."""
    night = budget.night
    count, few = (NIGHT, NIGHT) if night else (SAMPLE, PYTHON_SAMPLE)
    workers, seed, say = budget.workers, budget.seed, budget.say
    try:
        accepted = judge.read(ROOT / judge.SURVIVORS)

        def wanted(mutant: Mutant) -> bool:
            # A fault that is known to survive costs all of its tests, so only the night asks again.
            return night or not any(one.fits(mutant) for one in accepted)

        reached = coverage.measure(workers, seed, say)
        hunt = contracts.hunt(reached, count, workers, seed, say, wanted)
        snakes = python.hunt(reached.seconds, few, workers, seed, say, wanted)
    except (InstrumentError, judge.SurvivorsError) as error:
        raise GateError(str(error)) from error
    ours = [one for one in accepted if one.path.startswith("contracts/")]
    rest = [one for one in accepted if not one.path.startswith("contracts/")]
    verdict = judge.judge(hunt.everything, hunt.results, ours)
    snake = judge.judge(snakes.everything, snakes.results, rest)
    contracts.write_kills({**hunt.results, **snakes.results})
    survivors = (*verdict.survivors, *snake.survivors)
    figures = {
        "mutants": verdict.hunted,
        "mutants_total": len(hunt.everything),
        "mutants_killed_pct": verdict.killed_pct,
        "safety_mutants": verdict.safety_hunted,
        "safety_mutants_killed_pct": verdict.safety_pct,
        "mutants_explained": verdict.accepted + snake.accepted,
        "python_mutants": snake.hunted,
        "python_mutants_total": len(snakes.everything),
        "python_mutants_killed_pct": snake.killed_pct,
    }
    return GateResult(
        figures=figures,
        promises={
            "mutants_killed_pct": verdict.killed_pct >= judge.LEAST_PCT,
            "safety_mutants_killed_pct": verdict.safety_pct == 100.0,
            "python_mutants_killed_pct": snake.killed_pct >= judge.LEAST_PCT,
        },
        failures=(*verdict.failures, *snake.failures),
        findings=tuple(
            Finding(f"{one.path}:{one.line}", f"{one.operator}: {one.old} → {one.new}", reason)
            for one, reason in survivors
        ),
        notes=(f"sampled with seed {budget.seed}" if not night else "every fault was hunted",),
    )
