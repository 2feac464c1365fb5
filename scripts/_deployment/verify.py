"""Compares a deployment with chain, sources and table of roles; it changes nothing.

Code is rebuilt: each contract's creation code with the recorded arguments is run at its own address
on the node, without a transaction, and must return the code that stands there, immutables included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak
from web3.types import RPCEndpoint

from offchain import artifacts
from offchain.artifacts import ArtifactError
from offchain.chain.client import ChainClient, RpcRefused
from offchain.deployment import ZERO_ADDRESS, Deployment
from scripts._deployment.bound import ROUTER, bind, functions, getters
from scripts._deployment.departure import departure
from scripts._deployment.errors import DeployError
from scripts._deployment.handover import (
    code_differences,
    granted,
    privileges_left,
    unruled_contracts,
)
from scripts._deployment.installer import encode_arguments
from scripts._deployment.investors import ESCROW, REGISTRY, escrow_code_of
from scripts._deployment.investors import differences as investors
from scripts._deployment.permissions import (
    REQUIRED,
    ROLE_NAMES,
    decisions,
    role_holders,
    selectors,
)

# What a getter of this name must answer, wherever a contract has it.
NEIGHBOURS = {
    "authority": "AccessAuthority",
    "emergencyGate": "EmergencyGate",
    "gate": "EmergencyGate",
    "breaker": "CircuitBreaker",
    "oracle": "PriceOracle",
    "router": ROUTER,
    "manager": "RouterManager",
    "exitQueue": "ExitQueue",
    "factory": "PoolFactory",
    "deployer": "PoolDeployer",
    "registry": REGISTRY,
}
TWO_TOKENS = ("UniswapV3Strategy", "GuardedPoolStrategy")
VENUE = "UniswapV3Venue"
GATE_HOLDERS = ("governance", "guardian", "sentinel")
# The router's second half runs on the router's storage; its own is never used.
ROUTER_STORAGE = {("RouterManager", "exitQueue"), ("RouterManager", "accessPolicy")}
PERMISSION_SET = keccak(text="TargetFunctionRoleUpdated(address,bytes4,uint64)")


@dataclass(frozen=True)
class Check:
    """One question and what is wrong.

    Attributes:
        name: the question.
        seen: how many things were looked at.
        problems: one line each; empty if all is well.
    """

    name: str
    seen: int
    problems: tuple[str, ...]


def verify(client: ChainClient, deployment: Deployment) -> list[Check]:
    """Every check, in an order in which a reader would ask.

    Raises:
        DeployError: if the deployment lacks a contract or a role that every suite has.
    """
    missing = [n for n in (*NEIGHBOURS.values(), *REQUIRED) if n not in deployment.contracts]
    if missing:
        raise DeployError(f"the deployment has no {missing[0]}")
    checks = [
        _check("code as recorded", len(deployment.contracts), code_differences(client, deployment))
    ]
    if any("has no code" in problem for problem in checks[0].problems):
        return checks
    named: list[tuple[str, Callable[[ChainClient, Deployment], tuple[int, list[str]]]]] = [
        ("code as compiled", _rebuilt),
        ("wiring", _wiring),
        ("strategies of the router", _strategies),
        ("exits metered", _meters),
        ("delay outlasts exits", departure),
        ("targets of the gate", _targets),
        ("roles", _roles),
        ("permissions", _permissions),
        ("investors", investors),
        ("handover", _handover),
    ]
    return checks + [_check(name, *question(client, deployment)) for name, question in named]


def _check(name: str, seen: int, problems: list[str]) -> Check:
    return Check(name, seen, tuple(problems))


def _rebuilt(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    problems = []
    for name, contract in deployment.contracts.items():
        try:
            compiled = artifacts.load(deployment.artifact(name))
            arguments = _revived(compiled.abi, contract.constructor_args)
            creation = compiled.bytecode + encode_arguments(compiled.abi, arguments)
        except (ArtifactError, DeployError, ValueError, TypeError) as error:
            problems.append(f"{name} cannot be rebuilt: {str(error).splitlines()[0]}")
            continue
        request = {"to": contract.address}
        state: dict[str, Any] = {contract.address: {"code": "0x" + creation.hex(), "state": {}}}
        if deployment.artifact(name) == REGISTRY:
            # It creates the escrows' code at the address that is taken by now.
            state[contract.address]["nonce"] = "0x1"
            state[escrow_code_of(contract.address)] = {"code": "0x", "nonce": "0x0"}
        elif deployment.artifact(name) == ESCROW:
            request["from"] = deployment.address(REGISTRY)
        answer = client.web3.provider.make_request(
            RPCEndpoint("eth_call"), [request, "latest", state]
        )
        if "error" in answer:
            problems.append(f"{name} cannot be rebuilt: the node refuses to run its constructor")
        elif bytes.fromhex(str(answer["result"])[2:]) != client.code(contract.address):
            problems.append(f"{name} is not what these sources and its recorded arguments give")
    return len(deployment.contracts), problems


def _wiring(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    seen, problems = 0, []
    for name in deployment.contracts:
        contract = bind(client, deployment, name)
        for getter in sorted(getters(contract) & NEIGHBOURS.keys()):
            if (name, getter) in ROUTER_STORAGE or (name, getter) == ("EmergencyGate", "gate"):
                continue
            seen += 1
            wanted = NEIGHBOURS[getter]
            try:
                found = client.call(contract.functions[getter]())
            except RpcRefused:
                problems.append(f"{name}.{getter} gives no address")
                continue
            if found != deployment.address(wanted):
                problems.append(f"{name}.{getter} is {_named(deployment, found)}, not {wanted}")
    gate = bind(client, deployment, "EmergencyGate")
    for role in GATE_HOLDERS:
        seen += 1
        found = client.call(gate.functions[role]())
        if found != deployment.roles.get(role):
            problems.append(f"EmergencyGate.{role} is {_named(deployment, found)}")
    pending = client.call(gate.functions.pendingGovernance())
    if pending != ZERO_ADDRESS:
        problems.append(f"EmergencyGate.pendingGovernance is {_named(deployment, pending)}")
    more, others = _positions(client, deployment)
    return seen + 1 + more, problems + others


def _strategies(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    listed = client.call(bind(client, deployment, ROUTER).functions.strategies())
    own = [
        contract.address
        for name, contract in deployment.contracts.items()
        if "router" in getters(bind(client, deployment, name))
        and "maxDeposit" in functions(bind(client, deployment, name))
    ]
    known = {*own, *deployment.external.values()}
    problems = [f"{_named(deployment, a)} is not among them" for a in own if a not in listed]
    problems += [f"{a} is nothing that the file knows" for a in listed if a not in known]
    return len(listed), problems


def _meters(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    router = bind(client, deployment, ROUTER)
    limit_of = bind(client, deployment, "CircuitBreaker").functions.limitOf
    asset = client.call(router.functions.asset())
    leaving = [asset, *client.call(router.functions.strategies())]
    problems = [
        f"{_named(deployment, token)} leaves the router without a limit"
        for token in leaving
        if not client.call(limit_of(router.address, token))[0]
    ]
    return len(leaving), problems


def _positions(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    """Strategies in two tokens: priced by our oracle, sold at our venue, and that they can be."""
    seen, problems = 0, []
    asset = client.call(bind(client, deployment, ROUTER).functions.asset())
    for name in deployment.contracts:
        if deployment.artifact(name) not in TWO_TOKENS:
            continue
        seen += 3
        strategy = bind(client, deployment, name)
        config = client.call(strategy.functions.config())
        for part, wanted in (("oracle", "PriceOracle"), ("venue", VENUE)):
            if getattr(config, part) != deployment.address(wanted):
                problems.append(f"{name}'s {part} is {getattr(config, part)}, not {wanted}")
        other = client.call(strategy.functions.otherToken())
        path = bind(client, deployment, VENUE).functions.pathOf(other, asset)
        if not client.call(path):
            problems.append(f"{name} cannot sell {other}: {VENUE} has no path")
    return seen, problems


def _targets(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    listed = client.call(bind(client, deployment, "EmergencyGate").functions.targets())
    wanted = {
        contract.address: name
        for name, contract in deployment.contracts.items()
        if {"setEmergencyState", "emergencyGate"} <= functions(bind(client, deployment, name))
    }
    problems = [f"{name} is not registered" for a, name in wanted.items() if a not in listed]
    problems += [f"{_named(deployment, a)} is registered" for a in listed if a not in wanted]
    return len(listed), problems


def _roles(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    try:
        table = role_holders(deployment.roles, deployment.address("YieldHarvester"))
    except LookupError as error:
        raise DeployError(f"the deployment does not say who is {error}") from None
    access = bind(client, deployment, "AccessAuthority").functions.getAccess
    wanted = set(table)
    problems = []
    for role, account in sorted(wanted | granted(client, deployment)):
        since, delay, _pending, _effect = client.call(access(role, account))
        holder, role_name = _named(deployment, account), ROLE_NAMES.get(role, str(role))
        if since and (role, account) not in wanted:
            problems.append(f"{holder} holds {role_name}")
        elif not since and (role, account) in wanted:
            problems.append(f"{holder} does not hold {role_name}")
        elif since and role != 0 and delay:
            problems.append(f"{holder} holds {role_name} with a delay of {delay} s")
    return len(wanted), problems


def _permissions(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    authority = bind(client, deployment, "AccessAuthority")
    wanted: dict[tuple[str, str], tuple[str, int]] = {}
    for name in deployment.contracts:
        artifact = deployment.artifact(name)
        contract = bind(client, deployment, name)
        for function, role in decisions(artifact).items():
            for selector in selectors(list(contract.abi), function):
                wanted[(contract.address, selector)] = (f"{name}.{function}", role)
    logs = client.web3.eth.get_logs(
        {
            "fromBlock": deployment.first_block,
            "address": client.web3.to_checksum_address(authority.address),
            "topics": ["0x" + PERMISSION_SET.hex()],
        }
    )
    touched = {
        (
            str(client.web3.to_checksum_address(bytes(log["topics"][1])[-20:])),
            "0x" + bytes(log["data"])[:4].hex(),
        )
        for log in logs
    }
    problems = []
    for address, selector in sorted(wanted.keys() | touched):
        function = f"{_named(deployment, address)}.{selector}"
        what, role = wanted.get((address, selector), (function, 0))
        found = client.call(authority.functions.getTargetFunctionRole(address, selector))
        if found != role:
            problems.append(
                f"{what} belongs to {ROLE_NAMES.get(found, found)}, not {ROLE_NAMES[role]}"
            )
    closed = [
        f"{name} is closed"
        for name, contract in deployment.contracts.items()
        if client.call(authority.functions.isTargetClosed(contract.address))
    ]
    return len(wanted), problems + closed


def _handover(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    deployer = deployment.roles.get("deployer")
    if deployer is None:
        raise DeployError("the deployment does not say who deployed it")
    left = privileges_left(client, deployment, deployer)
    problems = [f"the deployer still holds {thing}" for thing in left]
    return 1, problems + unruled_contracts(client, deployment)


def _named(deployment: Deployment, address: str) -> str:
    for name, contract in deployment.contracts.items():
        if contract.address == address:
            return name
    for role, holder in deployment.roles.items():
        if holder == address:
            return f"{role} ({address})"
    return address


def _revived(abi: Any, recorded: list[Any]) -> list[Any]:
    """Constructor arguments as the encoder takes them: the file has every integer as a text."""
    inputs = next((entry["inputs"] for entry in abi if entry["type"] == "constructor"), ())
    if len(inputs) != len(recorded):
        raise ValueError(f"{len(inputs)} constructor arguments are needed")
    return [_revive(p, v) for p, v in zip(inputs, recorded, strict=True)]


def _revive(parameter: dict[str, Any], value: Any) -> Any:
    kind = str(parameter["type"])
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return [_revive(inner, item) for item in value]
    if kind == "tuple":
        pairs = zip(parameter["components"], value, strict=True)
        return tuple(_revive(component, item) for component, item in pairs)
    if kind.startswith(("uint", "int")):
        return int(value)
    if kind.startswith("bytes"):
        return bytes.fromhex(str(value)[2:])
    return value
