"""Gate: planted faults in contracts and money-handling Python are noticed by a test."""

from __future__ import annotations

from offchain.artifacts import ROOT
from tools.audit.coverage import contracts as coverage
from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.instrument.tree import InstrumentError
from tools.audit.mutation import contracts, judge, python

TITLE = "Mutation testing of contracts and of the Python that handles money"
PROVES = (
    "Of the faults that were planted, the tests notice at least 95 %, in the safety plane all; "
    "each other survivor is listed with the reason why it is no gap."
)
DOES_NOT = (
    "That a fault which no operator plants would be noticed. In CI a seeded sample is hunted, at "
    "night all of them; faults run without the optimiser."
)
# In CI: how many faults, and for how many seconds they may be hunted.
SAMPLE, SECONDS = 240, 240.0
PYTHON_SAMPLE, PYTHON_SECONDS = 120, 60.0
NIGHT = 10**6


def run(budget: Budget) -> GateResult:
    """Hunts and judges."""
    night = budget.night
    seconds, few_seconds = (NIGHT, NIGHT) if night else (SECONDS, PYTHON_SECONDS)
    try:
        accepted = judge.read(ROOT / judge.SURVIVORS)
        reached = coverage.measure(budget.workers, budget.seed, budget.say)
        count = NIGHT if night else SAMPLE
        hunt = contracts.hunt(reached, count, seconds, budget.workers, budget.seed, budget.say)
        few = NIGHT if night else PYTHON_SAMPLE
        snakes = python.hunt(
            reached.seconds, few, few_seconds, budget.workers, budget.seed, budget.say
        )
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
