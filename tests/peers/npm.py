"""Reads compiled contracts from npm packages, links and deploys them; it compiles nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.support import build

NODE_MODULES = Path(__file__).resolve().parents[2] / "node_modules"


class PeerError(RuntimeError):
    """A peer could not be deployed, or is not what it should be; one line."""


@dataclass(frozen=True)
class Compiled:
    """A contract as somebody else's compiler left it.

    Attributes:
        name: contract name.
        abi: its ABI.
        bytecode: creation code in hex without 0x, library addresses still open.
        links: byte positions in the creation code by library name.
    """

    name: str
    abi: Sequence[Any]
    bytecode: str
    links: Mapping[str, tuple[int, ...]]

    def linked(self, libraries: Mapping[str, str]) -> str:
        """Creation code with the libraries' addresses filled in.

        Raises:
            PeerError: if a library is missing.
        """
        code = self.bytecode
        for library, places in self.links.items():
            if library not in libraries:
                raise PeerError(f"{self.name} needs the library {library}")
            address = libraries[library].removeprefix("0x").lower()
            for place in places:
                code = code[: 2 * place] + address + code[2 * place + 40 :]
        return "0x" + code


@cache
def load(path: str) -> Compiled:
    """A compiled contract by its path below node_modules, without `.json`.

    Raises:
        PeerError: if the package is not installed.
    """
    file = NODE_MODULES / f"{path}.json"
    if not file.exists():
        raise PeerError(f"{path}.json is not installed: run the set-up first (make does)")
    raw = json.loads(file.read_text())
    bytecode: str = raw.get("bytecode") or raw["evm"]["bytecode"]["object"]
    links = {
        library: tuple(int(place["start"]) for place in places)
        for libraries in raw.get("linkReferences", {}).values()
        for library, places in libraries.items()
    }
    return Compiled(Path(path).name, raw["abi"], bytecode.removeprefix("0x"), links)


def deploy(
    client: ChainClient,
    deployer: Signer,
    compiled: Compiled,
    *args: Any,
    libraries: Mapping[str, str] | None = None,
) -> Contract:
    """Deploys a contract from a package."""
    code = compiled.linked(libraries or {})
    return client.deploy(deployer, compiled.abi, code, *args, name=compiled.name)


def deploy_own(client: ChainClient, deployer: Signer, name: str, *args: Any) -> Contract:
    """Deploys a contract of this repository's tests by name."""
    artifact = build.artifact(name)
    return client.deploy(deployer, artifact.abi, artifact.bytecode, *args, name=name)
