"""`ape run multisig`: owners propose, read, sign, execute Safe transactions; it holds no keys."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

import click
from ape.cli import ConnectedProviderCommand

from scripts._desk import SAFES, Desk, deployments_option, one_line_errors, signing_options
from scripts._safe import Proposal
from scripts._safe.calls import announced, parse_call
from scripts._safe.transaction import ZERO_ADDRESS

if TYPE_CHECKING:
    from ape.api import ProviderAPI

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def cli() -> None:
    """Proposes, shows, signs and executes transactions of the governance and the guardian Safe."""


@cli.command(cls=ConnectedProviderCommand)
@click.argument("file", type=FILE, required=False)
@deployments_option
def show(provider: ProviderAPI, file: Path | None, deployments: Path) -> None:
    """Shows a proposal and who signed it; without FILE, both Safes."""
    with one_line_errors("multisig"):
        desk = Desk.open(provider, deployments)
        if file is None:
            for role in SAFES:
                _show_safe(desk, role)
            return
        proposal = Proposal.load(file)
        safe = desk.safe_at(proposal.tx.safe)
        safe.check(proposal.tx)
        state = safe.state()
        desk.show(proposal.tx)
        for owner in state.owners:
            mark = "signed" if owner in proposal.signatures else "not yet"
            click.echo(f"owner        {owner} {mark}")
        if proposal.tx.nonce != state.nonce:
            click.echo(
                f"nonce        the Safe's next is {state.nonce}, this is {proposal.tx.nonce}"
            )
        failing = safe.failing_call(proposal.tx)
        click.echo(f"rehearsal    {failing or 'every call succeeds by itself'}")


@cli.command(cls=ConnectedProviderCommand)
@click.option("--safe", "role", type=click.Choice(SAFES), required=True, help="Which Safe.")
@click.option(
    "--call",
    "calls",
    multiple=True,
    required=True,
    help="""'EmergencyGate.resume("CapitalRouter", "loss understood")'; several become a batch.""",
)
@click.option(
    "--announce",
    is_flag=True,
    help="Schedule calls that wait out a delay; propose them again without it when that is over.",
)
@click.option("--nonce", type=click.IntRange(min=0), help="Default: the Safe's next.")
@signing_options
@deployments_option
def propose(
    provider: ProviderAPI,
    role: str,
    calls: tuple[str, ...],
    announce: bool,
    nonce: int | None,
    accounts: tuple[str, ...],
    executor: str | None,
    out: Path,
    deployments: Path,
) -> None:
    """Builds a transaction, shows it, and keeps it as a file for the owners."""
    with one_line_errors("multisig"):
        desk = Desk.open(provider, deployments)
        safe = desk.safe(role)
        parsed = [parse_call(text, desk.book, safe.address) for text in calls]
        if announce:
            parsed = [announced(call, desk.book) for call in parsed]
        proposal = Proposal(safe.build(parsed, nonce))
        desk.handle(safe, proposal, accounts, executor, out / proposal.file_name)


@cli.command(cls=ConnectedProviderCommand)
@click.argument("file", type=FILE)
@click.option(
    "--account", "accounts", multiple=True, required=True, help="Ape account of an owner."
)
@deployments_option
def sign(provider: ProviderAPI, file: Path, accounts: tuple[str, ...], deployments: Path) -> None:
    """Shows a proposal and adds signatures to its file."""
    with one_line_errors("multisig"):
        desk = Desk.open(provider, deployments)
        proposal = Proposal.load(file)
        desk.handle(desk.safe_at(proposal.tx.safe), proposal, accounts, None, file)


@cli.command(cls=ConnectedProviderCommand)
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--executor", required=True, help="Ape account that pays; needs no right.")
@deployments_option
def execute(
    provider: ProviderAPI, files: tuple[Path, ...], executor: str, deployments: Path
) -> None:
    """Executes a proposal; copies that owners signed apart may be given together."""
    with one_line_errors("multisig"):
        desk = Desk.open(provider, deployments)
        proposal = reduce(Proposal.merged, (Proposal.load(file) for file in files))
        safe = desk.safe_at(proposal.tx.safe)
        desk.handle(safe, proposal, (), executor, files[0])
        if len(proposal.signatures) < safe.state().threshold:
            raise click.exceptions.Exit(1)


def _show_safe(desk: Desk, role: str) -> None:
    safe = desk.safe(role)
    state = safe.state()
    click.echo(f"{role} Safe {safe.address}")
    click.echo(f"  threshold  {state.threshold} of {len(state.owners)}, next nonce {state.nonce}")
    for owner in state.owners:
        click.echo(f"  owner      {owner}")
    modules = ", ".join(state.modules) or "none"
    click.echo(f"  modules    {modules}")
    click.echo(f"  guard      {'none' if state.guard == ZERO_ADDRESS else state.guard}")
