"""`python -m tools.audit`: the gates, the triage of what they found, and the snapshots."""

from __future__ import annotations

import os
import sys
import time
from functools import partial

import click

from offchain.artifacts import ArtifactError
from tests.support import build
from tools import report
from tools.audit import dossier, registry, runner
from tools.audit.gate import Budget, GateError


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

    All gates together write reports/audit.json and the dossier below audits/dossier/; some alone
    write reports/audit-part.json.
    """
    chosen = [name for name in registry.NAMES if not names or name in names]
    if unknown := set(names) - set(registry.NAMES):
        known = ", ".join(registry.NAMES)
        raise click.UsageError(f"no gate is named {', '.join(sorted(unknown))} (known: {known})")
    budget = _budget()
    started = time.monotonic()
    outcomes = runner.run(chosen, budget)
    figures, promises = runner.figures(outcomes)
    figures["budget"] = "night" if budget.night else "ci"
    figures["seconds"] = round(time.monotonic() - started, 1)
    if not names:
        page = dossier.write(outcomes, figures, promises)
        budget.say(f"dossier: {page.relative_to(report.ROOT)}")
    sys.exit(report.write("audit-part" if names else "audit", figures, promises))


@audit.command()
@click.option("--why", required=True, help="one sentence for audits/snapshots/CHANGES.md")
def snapshot(why: str) -> None:
    """Writes the snapshots of interfaces and storage anew, with the reason for the change."""
    from tools.audit.contracts import snapshots  # noqa: PLC0415 - loads every artifact
    from tools.audit.gates import contracts  # noqa: PLC0415
    from tools.audit.sources import ROOT  # noqa: PLC0415

    try:
        build.ensure_compiled()
        changed = snapshots.write(ROOT, contracts.current(), why)
    except (GateError, ArtifactError) as error:
        raise click.ClickException(str(error)) from error
    for line in changed:
        print(line)
    print(f"{len(changed)} changes written")


@audit.command()
@click.option("--confirm", multiple=True, metavar="CONTRACT", help="its old reasons still hold")
def triage(confirm: tuple[str, ...]) -> None:
    """Shows which of Mythril's findings are to be decided, and which decisions are stale.

    After looking at a changed contract, --confirm writes its old entries for its new code.
    """
    from tools.audit.mythril import desk  # noqa: PLC0415 - loads every artifact

    try:
        lines, undecided = desk.open_questions(_budget(), confirm)
    except (GateError, ArtifactError) as error:
        raise click.ClickException(str(error)) from error
    for line in lines:
        print(line)
    sys.exit(1 if undecided else 0)


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
