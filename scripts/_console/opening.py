"""Opens a deployment for `ape console`, or builds a local world; it signs nothing else.

What is there already is attached to and left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from ethpm_types import ContractType

from offchain import artifacts
from offchain.artifacts import ArtifactError
from offchain.chain.client import ChainClient
from offchain.deployment import Deployment
from offchain.errors import OffchainError
from scripts._console.abis import peer_abi, safe_abi
from scripts._console.names import Names
from scripts._deployment.bound import abi_of
from scripts._deployment.errors import DeployError
from scripts._deployment.handover import code_differences
from scripts._deployment.run import LOCAL_CHAINS, deploy_local
from scripts._local.cast import INDEXES
from tests.peers.npm import PeerError

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENTS = ROOT / "deployments"
# A world of the console's own is kept apart from the one of `make up`.
OWN = ROOT / "run" / "console"


def open_names(accounts: Any, chain: Any) -> dict[str, Any]:
    """`suite`, `peers`, `safes` and `by_role`; nothing, after one line, if there is no deployment.

    Args:
        accounts: ape's accounts.
        chain: ape's chain, connected.
    """
    try:
        client = ChainClient(chain.provider.web3, artifacts.index())
        deployment = find_or_build(client, DEPLOYMENTS, OWN)
        return _names(accounts, chain, client.chain_id in LOCAL_CHAINS, deployment)
    except (OffchainError, ArtifactError, PeerError) as error:
        _say(f"no suite: {str(error).splitlines()[0]}")
    except OSError:
        _say("no suite: the chain does not answer")
    return {}


def find_or_build(client: ChainClient, deployments: Path, own: Path) -> Deployment:
    """The deployment that the chain carries; on a local chain without one, a new world.

    Args:
        client: the chain.
        deployments: folder of the deployment files.
        own: folder for the file of a world that is built now.

    Raises:
        OffchainError: if there is none and the chain is not a local one.
    """
    name = f"{client.chain_id}.json"
    if client.chain_id not in LOCAL_CHAINS:
        deployment = Deployment.load(deployments / name, client.chain_id)
        differences = code_differences(client, deployment)
        if differences:
            raise DeployError(
                f"{deployments / name} does not describe this chain: {differences[0]}"
            )
        return deployment
    for file in (deployments / name, own / name):
        if file.exists():
            deployment = Deployment.load(file, client.chain_id)
            if not code_differences(client, deployment):
                _say(f"attached to the suite of {_short(file)}")
                return deployment
    (own / name).unlink(missing_ok=True)
    _say("an empty local chain: building the world (real Safe, Aave V3, Uniswap, then the suite)")
    _say(deploy_local(client, own / name, lambda line: _say(f"  {line}")))
    return Deployment.load(own / name, client.chain_id)


def _names(accounts: Any, chain: Any, local: bool, deployment: Deployment) -> dict[str, Any]:
    def at(name: str, address: str, abi: Sequence[Any]) -> Any:
        return chain.contracts.instance_at(
            address,
            contract_type=ContractType.model_validate({"contractName": name, "abi": list(abi)}),
            fetch_from_explorer=False,
            fetch_from_disk=False,
            detect_proxy=False,
            replace=True,
        )

    suite = {
        name: at(name, contract.address, abi_of(deployment.artifact(name)))
        for name, contract in deployment.contracts.items()
    }
    peers = {
        name: at(name, address, peer_abi(name, local))
        for name, address in deployment.external.items()
    }
    safes: dict[str, Any] = {
        role: at(f"{role.capitalize()}Safe", deployment.roles[role], safe_abi())
        for role in ("governance", "guardian")
        if role in deployment.roles
    }
    # Elsewhere the roles' keys are their holders' own: load those with ape's `accounts`.
    keys = {role: accounts.test_accounts[index] for role, index in INDEXES.items() if local}
    _say("suite, peers, safes, by_role: docs/console.md shows ten things to do first")
    return {
        "suite": Names("suite", suite),
        "peers": Names("peers", peers),
        "safes": Names("safes", safes),
        "by_role": Names("accounts by role", keys),
    }


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _say(line: str) -> None:
    click.echo(line)
