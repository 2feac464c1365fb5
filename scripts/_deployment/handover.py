"""Proves from the chain alone that a deployer kept nothing; it believes no record."""

from __future__ import annotations

from eth_utils.crypto import keccak

from offchain.chain.client import ChainClient
from offchain.deployment import Deployment
from scripts._deployment.bound import bind, functions, vault_at
from scripts._deployment.errors import DeployError
from scripts._deployment.investors import trusts

GATE_POWERS = ("governance", "guardian", "breaker", "sentinel", "pendingGovernance")
ROLE_GRANTED = keccak(text="RoleGranted(uint64,address,uint32,uint48,bool)")
APPROVAL = keccak(text="Approval(address,address,uint256)")


def code_differences(client: ChainClient, deployment: Deployment) -> list[str]:
    """Contracts whose code on chain is not the one in the file, one line each."""
    found = []
    for name, contract in deployment.contracts.items():
        code = client.code(contract.address)
        if not code:
            found.append(f"{name} has no code at {contract.address}")
        elif "0x" + keccak(code).hex() != contract.code_hash:
            found.append(f"{name} has other code at {contract.address}")
    return found


def check_handover(client: ChainClient, deployment: Deployment) -> None:
    """Proves on chain that the deployer kept nothing and one authority rules everything.

    Raises:
        DeployError: naming everything that is left.
    """
    deployer = deployment.roles.get("deployer")
    if deployer is None:
        raise DeployError("the deployment does not say who deployed it")
    left = privileges_left(client, deployment, deployer)
    if left:
        raise DeployError(f"the deployer still holds: {'; '.join(left)}")
    unruled = unruled_contracts(client, deployment)
    if unruled:
        raise DeployError("; ".join(unruled))


def privileges_left(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    """Everything that `deployer` still holds over a suite, one line each; empty is the promise.

    Looks at every role that was ever granted to anybody, at the gate's powers, at owners and
    treasuries, at every allowance that the deployer ever gave since, at its balances of the
    suite's tokens, and at what the registry of investors trusts it with.

    Args:
        client: the chain.
        deployment: the suite.
        deployer: whose powers are looked for.
    """
    return [
        *_roles(client, deployment, deployer),
        *_gate_powers(client, deployment, deployer),
        *_ownership(client, deployment, deployer),
        *_allowances(client, deployment, deployer),
        *_balances(client, deployment, deployer),
        *trusts(client, deployment, deployer),
    ]


def unruled_contracts(client: ChainClient, deployment: Deployment) -> list[str]:
    """Contracts of the suite whose authority is not the suite's own."""
    authority = deployment.address("AccessAuthority")
    wrong = []
    for name in deployment.contracts:
        contract = bind(client, deployment, name)
        if (
            "authority" in functions(contract)
            and client.call(contract.functions.authority()) != authority
        ):
            wrong.append(f"{name} obeys another authority")
    return wrong


def granted(client: ChainClient, deployment: Deployment) -> set[tuple[int, str]]:
    """Every role and account that the authority ever joined, whether it still stands or not."""
    logs = client.web3.eth.get_logs(
        {
            "fromBlock": deployment.first_block,
            "address": client.web3.to_checksum_address(deployment.address("AccessAuthority")),
            "topics": ["0x" + ROLE_GRANTED.hex()],
        }
    )
    return {
        (
            int.from_bytes(log["topics"][1], "big"),
            str(client.web3.to_checksum_address(bytes(log["topics"][2])[-20:])),
        )
        for log in logs
    }


def _roles(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    authority = bind(client, deployment, "AccessAuthority")
    roles = sorted({role for role, _ in granted(client, deployment)})
    return [
        f"role {role} of AccessAuthority"
        for role in roles
        # Since when, rather than whether now: a role that begins later counts as well.
        if client.call(authority.functions.getAccess(role, deployer))[0]
    ]


def _gate_powers(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    gate = bind(client, deployment, "EmergencyGate")
    return [
        f"{power} of EmergencyGate"
        for power in GATE_POWERS
        if client.call(gate.functions[power]()) == deployer
    ]


def _ownership(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    found = []
    for name in deployment.contracts:
        contract = bind(client, deployment, name)
        for getter in ("owner", "pendingOwner", "treasury"):
            if (
                getter in functions(contract)
                and client.call(contract.functions[getter]()) == deployer
            ):
                found.append(f"{getter} of {name}")
    return found


def _allowances(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    logs = client.web3.eth.get_logs(
        {
            "fromBlock": deployment.first_block,
            "topics": ["0x" + APPROVAL.hex(), "0x" + deployer[2:].lower().rjust(64, "0")],
        }
    )
    found = []
    for token, spender in sorted({(log["address"], log["topics"][2].hex()[-40:]) for log in logs}):
        allowance = vault_at(client, token).functions.allowance
        left = client.call(allowance(deployer, client.web3.to_checksum_address("0x" + spender)))
        if left:
            found.append(f"allowance of {left} of {token} to 0x{spender}")
    return found


def _balances(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    found = []
    for name in deployment.contracts:
        contract = bind(client, deployment, name)
        if {"balanceOf", "transfer"} <= functions(contract):
            held = client.call(contract.functions.balanceOf(deployer))
            if held:
                found.append(f"{held} shares of {name}")
    return found
