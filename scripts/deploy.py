"""`ape run deploy`: from nothing to a working suite; it never runs twice on the same chain.

On a local network everything comes with it: real peers, two Safes with published test keys, and
the suite. On any other network it takes a parameter file (docs/deployment.md) and a funded ape
account, and leaves the last step, registering the targets with the gate, to the owners of the
governance Safe as a proposal that they can read.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from ape.cli import ConnectedProviderCommand

from offchain import artifacts
from offchain.artifacts import ArtifactError
from offchain.chain.client import ChainClient
from offchain.errors import OffchainError
from scripts._deployment.errors import DeployError
from scripts._deployment.run import deploy_local, deploy_public
from scripts._deployment.signer import ApeSigner
from tests.peers.npm import PeerError

if TYPE_CHECKING:
    from ape.api import ProviderAPI


def _say(line: str) -> None:
    click.echo(f"  {line}")


@click.command(cls=ConnectedProviderCommand)
@click.option(
    "--account", help="Alias of the ape account that deploys (not needed on a local network)."
)
@click.option(
    "--parameters",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Parameter file of the chain (not needed on a local network).",
)
@click.option(
    "--deployments",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("deployments"),
    show_default=True,
    help="Folder of the deployment files.",
)
def cli(
    provider: ProviderAPI, account: str | None, parameters: Path | None, deployments: Path
) -> None:
    """Deploys the whole suite and hands it to its Safes."""
    try:
        client = ChainClient(provider.web3, artifacts.index())
        path = deployments / f"{client.chain_id}.json"
        if parameters is None:
            outcome = deploy_local(client, path, _say)
        else:
            if account is None:
                raise DeployError("pass --account ALIAS: the account that deploys")
            outcome = deploy_public(client, ApeSigner(account, provider), parameters, path, _say)
    except (OffchainError, ArtifactError, PeerError) as error:
        click.echo(f"deploy: {str(error).splitlines()[0]}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"deploy: {_why(error)}", err=True)
        sys.exit(1)
    click.echo(outcome)


def _why(error: OSError) -> str:
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    # Ape's own connection speaks of a dead node in its own words and many lines.
    return "the chain does not answer any more; run again to go on where this ended"
