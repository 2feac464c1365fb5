"""Binds the contracts of a deployment to the ABI that reaches all of each; it calls nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from web3.contract import Contract

from offchain import artifacts
from offchain.chain.client import ChainClient
from offchain.deployment import Deployment

# The router's fallback reaches its second half, so its interface says more than its own ABI.
ROUTER, ROUTER_INTERFACE = "CapitalRouter", "ICapitalRouter"
ERC4626 = "Strategy"


@cache
def abi_of(artifact: str) -> tuple[Any, ...]:
    """The ABI of a compiled contract; the router's has both its halves."""
    own = tuple(artifacts.load(artifact).abi)
    if artifact != ROUTER:
        return own
    interface = tuple(artifacts.load(ROUTER_INTERFACE).abi)
    known = {_key(entry) for entry in interface}
    return interface + tuple(entry for entry in own if _key(entry) not in known)


def bind(client: ChainClient, deployment: Deployment, name: str) -> Contract:
    """A contract of the deployment by name."""
    return client.contract(deployment.address(name), abi_of(deployment.artifact(name)))


def vault_at(client: ChainClient, address: str) -> Contract:
    """Somebody else's ERC-20 or ERC-4626: our strategy base has both."""
    return client.contract(address, abi_of(ERC4626))


def functions(contract: Contract) -> set[str]:
    """Names of its functions."""
    return {entry["name"] for entry in contract.abi if entry["type"] == "function"}


def getters(contract: Contract) -> set[str]:
    """Names of its views without arguments that return one address."""
    return {
        entry["name"]
        for entry in contract.abi
        if entry["type"] == "function"
        and not entry["inputs"]
        and entry["stateMutability"] in ("view", "pure")
        and [output["type"] for output in entry["outputs"]] == ["address"]
    }


def _key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    inputs = tuple(str(i["type"]) for i in entry.get("inputs", ()))
    return entry["type"], entry.get("name"), inputs
