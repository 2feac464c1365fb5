"""Runs a deployment from whatever is already there to a checked deployment file; it keeps no keys.

The file is written last, when every check has passed. Until then a draft beside it says how far the
deployment came, and a second run goes on from there.
"""

from __future__ import annotations

from pathlib import Path

from offchain.chain.client import ChainClient, Signer
from offchain.deployment import Deployment
from scripts._deployment.draft import Draft
from scripts._deployment.errors import DeployError
from scripts._deployment.handover import check_handover, code_differences
from scripts._deployment.installer import Installer, Say, genesis_hash
from scripts._deployment.parameters import Parameters
from scripts._deployment.safes import check_safes
from scripts._deployment.suite import Suite
from scripts._local.world import build_or_resume
from scripts._safe import Proposal

LOCAL_CHAINS = (1337, 31337)
PROPOSALS = Path("run/proposals")


def deploy_local(client: ChainClient, path: Path, say: Say) -> str:
    """Peers, Safes with published keys and the suite, on a local chain.

    Args:
        client: the chain.
        path: of the deployment file. One that belongs to a local chain that is gone is moved aside.
        say: told each step in one line.

    Returns:
        What to tell the person.

    Raises:
        DeployError: if the chain is not a local one, a file is damaged, or a check fails.
    """
    if client.chain_id not in LOCAL_CHAINS:
        raise DeployError(f"chain {client.chain_id} is not a local one: pass --parameters FILE")
    _move_dead_aside(client, path, say)
    if path.exists():
        return _already(client, path)
    deployment = build_or_resume(client, path, say)
    return f"deployed: {len(deployment.contracts)} contracts, in {path}"


def deploy_public(
    client: ChainClient,
    signer: Signer,
    parameters_path: Path,
    path: Path,
    say: Say,
    proposals: Path = PROPOSALS,
) -> str:
    """The suite on a chain where the rest exists; its last step is the governance Safe's.

    Args:
        client: the chain.
        signer: the deployer.
        parameters_path: see docs/deployment.md.
        path: of the deployment file.
        say: told each step in one line.
        proposals: folder for the governance Safe's first transaction.

    Returns:
        What to tell the person, next steps included.

    Raises:
        DeployError: if a file is damaged or belongs elsewhere, a Safe is not what the parameters
            say, or a check fails.
        SafeError: if a Safe is none.
        TransactionReverted: if a contract refuses.
    """
    parameters = Parameters.load(parameters_path)
    if parameters.chain_id != client.chain_id:
        raise DeployError(
            f"the parameters are for chain {parameters.chain_id}, the node is on {client.chain_id}"
        )
    if path.exists():
        return _already(client, path)
    governance = check_safes(client, parameters)
    installer = Installer(client, signer, path, say)
    installed = Suite(installer, parameters).install()
    check_handover(client, installed.deployment)
    steps = [f"deployed: {len(installed.deployment.contracts)} contracts, in {path}"]
    if installed.governance_calls:
        proposal = Proposal(governance.build(installed.governance_calls))
        file = proposals / proposal.file_name
        proposal.save(file)
        steps += [
            f"next: {parameters.safes.governance_threshold} owners of the governance Safe register "
            "the targets with the gate",
            f"  read     ape run multisig show {file}",
            f"  sign     ape run multisig sign {file} --account ALIAS",
            f"  execute  ape run multisig execute {file} --executor ALIAS",
            "  check    ape run verify",
        ]
    installer.finish(installed.deployment)
    return "\n".join(steps)


def _already(client: ChainClient, path: Path) -> str:
    """Checks a finished deployment against the chain and leaves everything as it is."""
    deployment = Deployment.load(path, client.chain_id)
    differences = code_differences(client, deployment)
    if differences:
        raise DeployError(f"{path} does not describe this chain: {differences[0]}")
    check_handover(client, deployment)
    return f"already deployed: {len(deployment.contracts)} contracts, in {path}; nothing changed"


def _move_dead_aside(client: ChainClient, path: Path, say: Say) -> None:
    """Local chains die and leave files: none is deleted, none is taken for alive."""
    if path.exists():
        deployment = Deployment.load(path, client.chain_id)
        if not any(client.code(c.address) for c in deployment.contracts.values()):
            aside = path.with_suffix(".dead.json")
            path.replace(aside)
            say(f"{path} belongs to a local chain that is gone; it is now {aside}")
    draft_path = path.with_suffix(".draft.json")
    draft = Draft.load(draft_path)
    if draft is not None and draft.genesis_hash != genesis_hash(client):
        aside = path.with_suffix(".dead.draft.json")
        draft_path.replace(aside)
        say(f"{draft_path} belongs to a local chain that is gone; it is now {aside}")
