"""A local chain with all but the suite, and chains that break off; for deployment tests only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_types
from web3 import Web3
from web3.contract import Contract
from web3.types import RPCEndpoint, RPCResponse
from web3.utils.address import get_create_address

from offchain import artifacts
from offchain.chain.client import ChainClient, KeySigner
from offchain.chain.transport import ChainUnreachable, KeepAliveProvider
from offchain.deployment import Deployment
from scripts._deployment.bound import bind
from scripts._deployment.parameters import Parameters
from scripts._local.cast import Cast
from scripts._local.world import Ground
from tests.support.anvil import Anvil

UNAUTHORIZED = "AccessManagedUnauthorized"
# Only the authority itself may call it, so it needs no role.
AUTHORITY_S_OWN = {"setAuthority"}
SEND = "eth_sendRawTransaction"


@dataclass(frozen=True)
class Site:
    """Where a suite can be built: peers and Safes stand, the deployer is funded."""

    anvil: Anvil
    client: ChainClient
    cast: Cast
    ground: Ground

    @property
    def parameters(self) -> Parameters:
        """What a deployment here is told."""
        return self.ground.surroundings.parameters

    @property
    def deployer(self) -> KeySigner:
        """Who deploys."""
        return self.cast["deployer"]

    def nonce(self) -> int:
        """Transactions of the deployer so far."""
        address = Web3.to_checksum_address(self.deployer.address)
        return int(self.client.web3.eth.get_transaction_count(address))

    def created(self) -> int:
        """Contracts that the deployer ever created here."""
        places = (
            get_create_address(Web3.to_checksum_address(self.deployer.address), nonce)  # type: ignore[arg-type]
            for nonce in range(self.nonce())
        )
        return sum(bool(self.client.code(place)) for place in places)

    def write_parameters(self, path: Path, **changes: Any) -> Path:
        """The parameter file of this site, with top-level fields replaced."""
        fields = self.parameters.model_dump(mode="json", exclude_none=True) | changes
        path.write_text("".join(f"{key} = {toml(value)}\n" for key, value in fields.items()))
        return path

    def as_account(self, sender: str, contract: Contract, function: str, *args: Any) -> None:
        """Calls as any account, without its key, and insists that it succeeds."""
        data = bytes.fromhex(contract.encode_abi(function, list(args))[2:])
        receipt = self.anvil.send(sender, contract.address, data)
        assert receipt["status"] == "0x1", f"{function} reverted"
        self.client.forget()

    def as_governance(
        self, authority: Contract, target: Contract, function: str, *args: Any
    ) -> None:
        """The same as the governance Safe through its execution delay."""
        data = bytes.fromhex(target.encode_abi(function, list(args))[2:])
        governance = self.parameters.safes.governance
        self.anvil.set_balance(governance, 10**18)
        self.as_account(governance, authority, "schedule", target.address, data, 0)
        self.anvil.advance(self.parameters.limits.governance_delay + 1)
        self.as_account(governance, target, function, *args)


class BreakingProvider(KeepAliveProvider):
    """A connection that dies at its n-th transaction, before or after the node took it.

    Args:
        url: of the node.
        sends: the transaction at which it dies.
        taken: whether the node still takes that one.
    """

    def __init__(self, url: str, sends: int, taken: bool) -> None:
        super().__init__(url)
        self._left = sends
        self._taken = taken

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Posts one request, or finds the chain gone."""
        if self._left == 0:
            raise ChainUnreachable("no chain answers")
        if method == SEND:
            self._left -= 1
            if self._left == 0:
                if self._taken:
                    super().make_request(method, params)
                raise ChainUnreachable("no chain answers")
        return super().make_request(method, params)


def breaking_client(anvil: Anvil, sends: int, taken: bool) -> ChainClient:
    """A client whose chain is gone at its n-th transaction."""
    return ChainClient(Web3(BreakingProvider(anvil.url, sends, taken)), artifacts.index())


def toml(value: Any) -> str:
    """A value as TOML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def refused_functions(
    client: ChainClient, deployment: Deployment, stranger: str
) -> dict[str, set[str]]:
    """Functions that refuse a stranger for want of a role, by artifact, tried one by one."""
    found: dict[str, set[str]] = {}
    for name in deployment.contracts:
        artifact = deployment.artifact(name)
        if artifact in ("AccessAuthority", "RouterManager"):
            continue
        contract = bind(client, deployment, name)
        found[artifact] = {
            entry["name"]
            for entry in contract.abi
            if entry["type"] == "function"
            and entry["stateMutability"] not in ("view", "pure")
            and refusal(client, contract.address, empty_call(entry), stranger) == UNAUTHORIZED
        } - AUTHORITY_S_OWN
    return found


def refusal(client: ChainClient, to: str, data: bytes, sender: str) -> str:
    """The error with which a call is refused; empty if it is not, or for no stated reason."""
    answer = client.web3.provider.make_request(
        RPCEndpoint("eth_call"), [{"to": to, "from": sender, "data": "0x" + data.hex()}, "latest"]
    )
    raw = str(dict(answer.get("error") or {}).get("data") or "0x")
    return client.abis.decode_error(bytes.fromhex(raw[2:]))[0]


def empty_call(entry: Any) -> bytes:
    """Calldata of a function with every argument zero or empty."""
    types = get_abi_input_types(entry)
    zeros = [_zero(parameter) for parameter in entry["inputs"]]
    return bytes(function_abi_to_4byte_selector(entry)) + encode(types, zeros)


def _zero(parameter: dict[str, Any]) -> Any:
    kind = str(parameter["type"])
    if kind.endswith("]"):
        return []
    if kind == "tuple":
        return tuple(_zero(component) for component in parameter["components"])
    if kind == "address":
        return "0x" + "00" * 20
    if kind.startswith("bytes"):
        return b"\0" * int(kind.removeprefix("bytes") or 0)
    return {"bool": False, "string": ""}.get(kind, 0)
