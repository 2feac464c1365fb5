"""Proves from the chain alone that a deployer kept nothing; it believes no record of the deployment."""

from __future__ import annotations

from eth_utils.crypto import keccak

from offchain import artifacts
from offchain.chain.client import ChainClient
from offchain.deployment import Deployment

GATE_POWERS = ("governance", "guardian", "breaker", "sentinel", "pendingGovernance")
ROLE_GRANTED = keccak(text="RoleGranted(uint64,address,uint32,uint48,bool)")
APPROVAL = keccak(text="Approval(address,address,uint256)")


def privileges_left(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    """Everything that `deployer` still holds over a suite, one line each; empty is the promise.

    Looks at every role that was ever granted to anybody, at the gate's powers, at every allowance that the deployer
    ever gave to a contract of the suite, and at its balances of the suite's tokens.

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
    ]


def unruled_contracts(client: ChainClient, deployment: Deployment) -> list[str]:
    """Contracts of the suite whose authority is not the suite's own."""
    authority = deployment.address("AccessAuthority")
    wrong = []
    for name in deployment.contracts:
        contract = _bind(client, deployment, name)
        if "authority" in _functions(contract.abi) and client.call(contract.functions.authority()) != authority:
            wrong.append(f"{name} obeys another authority")
    return wrong


def _roles(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    authority = _bind(client, deployment, "AccessAuthority")
    logs = client.web3.eth.get_logs(
        {
            "fromBlock": deployment.first_block,
            "address": authority.address,
            "topics": ["0x" + ROLE_GRANTED.hex()],
        }
    )
    roles = sorted({int.from_bytes(log["topics"][1], "big") for log in logs})
    return [
        f"role {role} of AccessAuthority"
        for role in roles
        if client.call(authority.functions.hasRole(role, deployer))[0]
    ]


def _gate_powers(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    gate = _bind(client, deployment, "EmergencyGate")
    return [
        f"{power} of EmergencyGate"
        for power in GATE_POWERS
        if client.call(gate.functions[power]()) == deployer
    ]


def _ownership(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    found = []
    for name in deployment.contracts:
        contract = _bind(client, deployment, name)
        for getter in ("owner", "pendingOwner", "treasury"):
            if getter in _functions(contract.abi) and client.call(contract.functions[getter]()) == deployer:
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
        erc20 = client.contract(token, artifacts.load("Strategy").abi)
        left = client.call(
            erc20.functions.allowance(deployer, client.web3.to_checksum_address("0x" + spender))
        )
        if left:
            found.append(f"allowance of {left} of {token} to 0x{spender}")
    return found


def _balances(client: ChainClient, deployment: Deployment, deployer: str) -> list[str]:
    found = []
    for name in deployment.contracts:
        contract = _bind(client, deployment, name)
        if {"balanceOf", "transfer"} <= _functions(contract.abi):
            held = client.call(contract.functions.balanceOf(deployer))
            if held:
                found.append(f"{held} shares of {name}")
    return found


def _bind(client: ChainClient, deployment: Deployment, name: str):  # type: ignore[no-untyped-def]
    artifact = deployment.artifact(name)
    # The router's fallback reaches its second half, so its interface says more than its own ABI.
    known = "ICapitalRouter" if artifact == "CapitalRouter" else artifact
    return client.contract(deployment.address(name), artifacts.load(known).abi)


def _functions(abi: object) -> set[str]:
    return {entry["name"] for entry in abi if entry["type"] == "function"}  # type: ignore[attr-defined]
