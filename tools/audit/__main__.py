"""`python -m tools.audit`: the gates, the triage of what they found, and the snapshots."""

from __future__ import annotations

import os
import sys
import time
from functools import partial

import click

from tools import report
from tools.audit import registry, runner
from tools.audit.gate import Budget


@click.group(invoke_without_command=True)
@click.pass_context
def audit(context: click.Context) -> None:
    """Runs every gate (the same as `run`)."""
    if context.invoked_subcommand is None:
        context.invoke(run, names=())


@audit.command()
@click.argument("names", nargs=-1)
def run(names: tuple[str, ...]) -> None:
    """Runs the gates NAMES, or all; BUDGET=night in the environment gives them all the time.

    All gates together write reports/audit.json; some alone write reports/audit-part.json.
    """
    chosen = [name for name in registry.NAMES if name in names] if names else registry.NAMES
    if unknown := set(names) - set(registry.NAMES):
        known = ", ".join(registry.NAMES)
        raise click.UsageError(f"no gate is named {', '.join(sorted(unknown))} (known: {known})")
    budget = _budget()
    started = time.monotonic()
    outcomes = runner.run(chosen, budget)
    figures, promises = runner.figures(outcomes)
    figures["budget"] = "night" if budget.night else "ci"
    figures["seconds"] = round(time.monotonic() - started, 1)
    sys.exit(report.write("audit-part" if names else "audit", figures, promises))


def _budget() -> Budget:
    name = os.environ.get("BUDGET") or "ci"
    if name not in ("ci", "night"):
        raise click.UsageError(f"BUDGET is {name}; it may be ci or night")
    seed = os.environ.get("FUZZ_SEED") or "20"
    if not seed.isdecimal():
        raise click.UsageError(f"FUZZ_SEED is {seed}; it must be a whole number")
    return Budget(name == "night", int(seed), os.cpu_count() or 1, partial(print, flush=True))


if __name__ == "__main__":
    audit(prog_name="python -m tools.audit")
