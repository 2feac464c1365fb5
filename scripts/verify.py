"""`ape run verify`: compares a deployment with chain, sources and roles; it changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from ape.cli import ConnectedProviderCommand
from rich.console import Console
from rich.table import Table

from offchain import artifacts
from offchain.artifacts import ArtifactError
from offchain.chain.client import ChainClient
from offchain.deployment import Deployment
from offchain.errors import OffchainError
from scripts._deployment.verify import Check, verify
from scripts._desk import deployments_option

if TYPE_CHECKING:
    from ape.api import ProviderAPI


@click.command(cls=ConnectedProviderCommand)
@deployments_option
def cli(provider: ProviderAPI, deployments: Path) -> None:
    """Compares the deployment file of the chain with the chain itself."""
    try:
        client = ChainClient(provider.web3, artifacts.index())
        path = deployments / f"{client.chain_id}.json"
        checks = verify(client, Deployment.load(path, client.chain_id))
    except (OffchainError, ArtifactError) as error:
        click.echo(f"verify: {str(error).splitlines()[0]}", err=True)
        sys.exit(1)
    except OSError:
        click.echo("verify: the chain does not answer", err=True)
        sys.exit(1)
    _print(checks)
    wrong = sum(len(check.problems) for check in checks)
    if wrong:
        click.echo(f"verify: {wrong} differences", err=True)
        sys.exit(1)
    click.echo(f"{path} and the chain agree")


def _print(checks: list[Check]) -> None:
    table = Table("check", "looked at", "differences")
    for check in checks:
        table.add_row(check.name, str(check.seen), "\n".join(check.problems) or "none")
    Console(highlight=False).print(table)
