"""`ape run emergency`: the brake, as its Safes' signers use it; it holds no keys."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from ape.cli import ConnectedProviderCommand

from scripts._brake import FROZEN, THROTTLED, WITHDRAW_ONLY
from scripts._deployment.signer import ApeSigner
from scripts._desk import SAFES, Desk, deployments_option, one_line_errors, signing_options
from scripts._safe import Call, Proposal, SafeError
from scripts._safe.calls import text_word
from scripts._safe.describe import STATES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ape.api import ProviderAPI

HOUR = 3_600
REASON = click.option("--reason", required=True, help="At most 32 characters; goes on chain.")
TARGETS = click.option(
    "--target",
    "names",
    multiple=True,
    help="Name in the deployment file; may be given several times. Default: every target.",
)


def _raise_options(function: Callable[..., None]) -> Callable[..., None]:
    for option in (
        deployments_option,
        signing_options,
        click.option(
            "--as", "role", type=click.Choice(SAFES), default="guardian", show_default=True
        ),
        click.option("--hours", type=click.IntRange(min=1), help="Default: the longest allowed."),
        TARGETS,
        REASON,
    ):
        function = option(function)
    return function


@click.group()
def cli() -> None:
    """Stops, slows, resumes and watches everything under the emergency gate."""


@cli.command(cls=ConnectedProviderCommand)
@_raise_options
def freeze(provider: ProviderAPI, **options: Any) -> None:
    """FROZEN: nothing moves. Ends by itself in WITHDRAW_ONLY."""
    _raise(provider, FROZEN, **options)


@cli.command(name="withdraw-only", cls=ConnectedProviderCommand)
@_raise_options
def withdraw_only(provider: ProviderAPI, **options: Any) -> None:
    """WITHDRAW_ONLY: only exits, until governance resumes, however long that is."""
    _raise(provider, WITHDRAW_ONLY, **options)


@cli.command(cls=ConnectedProviderCommand)
@_raise_options
def throttle(provider: ProviderAPI, **options: Any) -> None:
    """THROTTLED: no new risk. Ends by itself in NORMAL."""
    _raise(provider, THROTTLED, **options)


@cli.command(cls=ConnectedProviderCommand)
@REASON
@TARGETS
@signing_options
@deployments_option
def resume(
    provider: ProviderAPI,
    reason: str,
    names: tuple[str, ...],
    accounts: tuple[str, ...],
    executor: str | None,
    out: Path,
    deployments: Path,
) -> None:
    """NORMAL again, by the governance Safe. Default: every target that is not NORMAL."""
    with one_line_errors("emergency"):
        desk = Desk.open(provider, deployments)
        raised = {s.address for s in desk.brake.status() if s.recorded or s.shown}
        chosen = [t for t in desk.brake.targets(names) if names or t in raised]
        if not chosen:
            raise SafeError("every target is NORMAL: there is nothing to resume")
        calls = desk.brake.resume_calls(chosen, reason)
        _carry_out(desk, "governance", calls, accounts, executor, out)


@cli.command(cls=ConnectedProviderCommand)
@signing_options
@deployments_option
def heartbeat(
    provider: ProviderAPI,
    accounts: tuple[str, ...],
    executor: str | None,
    out: Path,
    deployments: Path,
) -> None:
    """Shows that the guardian Safe is alive, so that it keeps its power."""
    with one_line_errors("emergency"):
        desk = Desk.open(provider, deployments)
        _carry_out(desk, "guardian", [desk.brake.heartbeat_call()], accounts, executor, out)


@cli.command(cls=ConnectedProviderCommand)
@TARGETS
@click.option("--account", required=True, help="Any ape account: a lapse needs no right.")
@deployments_option
def lapse(provider: ProviderAPI, names: tuple[str, ...], account: str, deployments: Path) -> None:
    """Ends every state whose time is over. Anyone may."""
    with one_line_errors("emergency"):
        desk = Desk.open(provider, deployments)
        chosen = set(desk.brake.targets(names))
        now = desk.client.timestamp()
        due = [s for s in desk.brake.status() if s.address in chosen and s.due(now)]
        if not due:
            raise SafeError("nothing is due")
        sender = ApeSigner(account, provider)
        for status in due:
            desk.client.transact(sender, desk.brake.gate.functions.lapse(status.address))
        _print_status(desk)


@cli.command(cls=ConnectedProviderCommand)
@deployments_option
def status(provider: ProviderAPI, deployments: Path) -> None:
    """Every target's state, when it ends, and whether the guardian can act."""
    with one_line_errors("emergency"):
        _print_status(Desk.open(provider, deployments))


def _raise(
    provider: ProviderAPI,
    level: int,
    *,
    reason: str,
    names: tuple[str, ...],
    hours: int | None,
    role: str,
    accounts: tuple[str, ...],
    executor: str | None,
    out: Path,
    deployments: Path,
) -> None:
    with one_line_errors("emergency"):
        text_word(reason)
        desk = Desk.open(provider, deployments)
        targets = desk.brake.targets(names)
        seconds = int(desk.brake.read("maxDuration")) if hours is None else hours * HOUR
        if level == WITHDRAW_ONLY:
            seconds = 0
        call = desk.brake.raise_call(targets, level, seconds, reason)
        safe = str(desk.brake.read(role))
        for line in desk.brake.rehearse(call, safe, targets, level):
            click.echo(f"warning      {line}")
        _carry_out(desk, role, [call], accounts, executor, out)


def _carry_out(
    desk: Desk,
    role: str,
    calls: list[Call],
    accounts: tuple[str, ...],
    executor: str | None,
    out: Path,
) -> None:
    safe = desk.safe(role)
    proposal = Proposal(safe.build(calls))
    receipt = desk.handle(safe, proposal, accounts, executor, out / proposal.file_name)
    if receipt is None:
        return
    failures = desk.brake.failures(receipt)
    _print_status(desk)
    if failures:
        raise SafeError("; ".join(failures))


def _print_status(desk: Desk) -> None:
    now = desk.client.timestamp()
    for s in desk.brake.status():
        end = f"until {_time(s.expiry)}" if s.expiry else ""
        if s.due(now):
            end = f"over since {_time(s.expiry)}: anyone may run `ape run emergency lapse`"
        if s.shown != s.recorded:
            seen = "cannot be read" if s.shown is None else f"shows {STATES[s.shown]}"
            end = f"{end} BUT THE TARGET {seen}".strip()
        click.echo(f"  {s.name:<24} {STATES[s.recorded]:<14} {end}".rstrip())
        if s.freeze_ready_at > now:
            click.echo(f"  {'':<24} the guardian may freeze it again {_time(s.freeze_ready_at)}")
    valid_until = int(desk.brake.read("guardianValidUntil"))
    power = "has power until" if now < valid_until else "HAS HAD NO POWER since"
    click.echo(f"  guardian {power} {_time(valid_until)}")


def _time(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
