"""Reads contracts by function name at one block, through the quorum; it never writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from offchain.abi import AbiEntry, AbiError, FunctionCodec
from offchain.artifacts import load
from offchain.chain.rpc import Block, NodeRefused, Quorum
from offchain.errors import OffchainError


class ReadError(OffchainError):
    """A contract gave no usable answer."""


class Interface:
    """Functions of one ABI by name, or by name and number of arguments where names repeat."""

    def __init__(self, abi: Sequence[AbiEntry]) -> None:
        self._codecs: dict[tuple[str, int], FunctionCodec] = {}
        for entry in abi:
            if entry["type"] == "function":
                key = (str(entry["name"]), len(entry["inputs"]))
                self._codecs.setdefault(key, FunctionCodec(entry))

    def codec(self, name: str, arguments: int) -> FunctionCodec:
        """The codec of a function.

        Raises:
            ReadError: if the ABI has none.
        """
        try:
            return self._codecs[name, arguments]
        except KeyError:
            raise ReadError(f"no function {name} with {arguments} arguments") from None

    def encode(self, name: str, *arguments: Any) -> bytes:
        """Calldata of a call."""
        return self.codec(name, len(arguments)).encode(arguments)


# The router answers its manager's selectors as well: the manager runs on the router's storage.
EXTENSIONS = {"CapitalRouter": ("RouterManager",)}


@lru_cache(maxsize=64)
def interface(artifact: str) -> Interface:
    """The interface of a compiled contract, with what it passes on to its extensions.

    Raises:
        ArtifactError: if the contracts are not compiled or none has that name.
    """
    names = (artifact, *EXTENSIONS.get(artifact, ()))
    return Interface([entry for name in names for entry in load(name).abi])


class ContractView:
    """The suite as it stands at one block."""

    def __init__(self, quorum: Quorum, block: Block, addresses: Mapping[str, str]) -> None:
        self._quorum = quorum
        self.block = block
        self._addresses = dict(addresses)

    def has(self, name: str) -> bool:
        """Whether the deployment holds a contract of that name."""
        return name in self._addresses

    def address(self, name: str) -> str:
        """Its address."""
        return self._addresses[name]

    def read(
        self, target: str, artifact: str, function: str, *arguments: Any, sender: str | None = None
    ) -> Any:
        """Calls a function at this block and decodes what it returns.

        Args:
            target: a contract's name in the deployment, or an address.
            artifact: whose ABI to use.
            function: its name.
            arguments: its arguments.
            sender: who calls; matters only for simulations.

        Raises:
            ReadError: if it reverts or answers what does not decode.
        """
        codec = interface(artifact).codec(function, len(arguments))
        address = self._addresses.get(target, target)
        try:
            data = self._quorum.call(
                address, codec.encode(arguments), sender=sender, block=self.block.number
            )
            return codec.decode(data)
        except (NodeRefused, AbiError) as error:
            raise ReadError(f"{target}.{function}: {error}") from error
