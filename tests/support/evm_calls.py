"""What a call on the in-process EVM is and gives back; it executes nothing itself (evm.py does)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from offchain.abi import AbiIndex, Event, FunctionCodec, TupleCodec, checksum
from offchain.artifacts import Artifact
from tests.support import build, gas

if TYPE_CHECKING:
    from tests.support.evm import Evm

DEFAULT_GAS = 30_000_000


@lru_cache(maxsize=1)
def known_abis() -> AbiIndex:
    """Errors and events of every compiled contract."""
    return AbiIndex(a.abi for a in build.all_artifacts())


class Revert(Exception):
    """A call failed.

    Attributes:
        name: the custom error's name, 'Error', 'Panic', or '' if the data is none that is known.
        args: the error's decoded arguments.
        data: the revert data as it came.
        halt: why the EVM itself stopped ('OutOfGas(Basic)', 'CreateContractSizeLimit', …), or ''.
        gas_used: gas of the failed transaction; exact in metered mode, None otherwise.
    """

    def __init__(self, data: bytes, halt: str = "", gas_used: int | None = None) -> None:
        self.name, args = known_abis().decode_error(data)
        super().__init__(*args)
        self.data = data
        self.halt = halt
        self.gas_used = gas_used

    def __str__(self) -> str:
        return self.halt or known_abis().describe_error(self.data)


class RejectedError(Exception):
    """The EVM did not even start: no funds, too little gas for the calldata, …"""


class NotMeteredError(Exception):
    """A gas figure was asked for outside of metered mode, where there is none worth reading."""


@contextmanager
def reverts(name: str = "", *expected: Any) -> Iterator[None]:
    """Passes only if the block reverts, with that error and, if given, with those arguments.

    `name` may also be a halt reason such as 'OutOfGas'; '' accepts any failure.
    """
    try:
        yield
    except Revert as error:
        if name and error.name != name and not error.halt.startswith(name):
            raise AssertionError(f"expected a revert with {name}, got: {error}") from error
        if expected and error.args != expected:
            message = f"expected {name}{expected}, got {error.name}{error.args}"
            raise AssertionError(message) from error
        return
    raise AssertionError(f"expected a revert{f' with {name}' if name else ''}, the call succeeded")


@dataclass
class Receipt:
    """What the last committed call did."""

    sender: str
    to: str
    value: int
    returned: Any
    raw_logs: Sequence[Any] = field(repr=False)
    meter: gas.Meter | None = field(default=None, repr=False)

    def _metered(self) -> gas.Meter:
        if self.meter is None:
            raise NotMeteredError("use Evm(metered=True) or `with evm.metered():` around the call")
        return self.meter

    @property
    def gas_used(self) -> int:
        """Gas of the execution alone: without the transaction's base cost, before refunds."""
        return self._metered().execution

    @property
    def gas_total(self) -> int:
        """Gas that a chain's receipt shows: base cost, calldata, execution, less refunds."""
        return self._metered().total

    @cached_property
    def logs(self) -> list[Event]:
        """Events in order; a log that no known ABI has is left out."""
        index = known_abis()
        decoded = (index.decode_event(log.address, *log.data) for log in self.raw_logs)
        return [event for event in decoded if event is not None]


class Interface:
    """The functions of one contract, by name and by signature; built once per artifact."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self.by_name: dict[str, list[FunctionCodec]] = {}
        self.by_signature: dict[str, FunctionCodec] = {}
        constructor: Sequence[Mapping[str, Any]] = ()
        for entry in artifact.abi:
            if entry["type"] == "function":
                codec = FunctionCodec(entry)
                self.by_name.setdefault(codec.name, []).append(codec)
                self.by_signature[codec.signature] = codec
            elif entry["type"] == "constructor":
                constructor = entry["inputs"]
        self.constructor = TupleCodec(constructor)

    def find(self, name: str, count: int) -> FunctionCodec:
        """The function of that name that takes so many arguments."""
        overloads = self.by_name[name]
        if len(overloads) == 1:
            return overloads[0]
        fitting = [f for f in overloads if len(f.input_types) == count]
        if len(fitting) != 1:
            known = ", ".join(f.signature for f in overloads)
            raise TypeError(f"{name} with {count} arguments is ambiguous; pick one of: {known}")
        return fitting[0]


@cache
def interface(name: str) -> Interface:
    return Interface(build.artifact(name))


class Method:
    """One function of one contract, or all overloads of a name."""

    def __init__(self, contract: Contract, pick: Callable[[int], FunctionCodec]) -> None:
        self._contract = contract
        self._pick = pick

    def encode(self, *args: Any) -> bytes:
        """Calldata of the call."""
        return self._pick(len(args)).encode(args)

    def __call__(
        self, *args: Any, sender: Any = None, value: int = 0, gas: int = DEFAULT_GAS
    ) -> Any:
        codec = self._pick(len(args))
        data = codec.encode(args)
        evm = self._contract._evm
        origin = evm.default_sender if sender is None else sender
        if codec.is_view:
            return codec.decode(evm.static(origin, self._contract.address, data, gas=gas))
        return evm.transact(origin, self._contract.address, data, value, gas, codec.decode)


class Contract:
    """A deployed contract: its functions are its attributes."""

    def __init__(self, evm: Evm, interface: Interface, address: str) -> None:
        self._evm = evm
        self._interface = interface
        self.address = checksum(address)

    def __getattr__(self, name: str) -> Method:
        found = self.__dict__["_interface"].by_name if "_interface" in self.__dict__ else {}
        if name not in found:
            kind = self._interface.artifact.name if found else "contract"
            raise AttributeError(f"{kind} has no function {name}")
        method = Method(self, lambda count: self._interface.find(name, count))
        self.__dict__[name] = method
        return method

    def __getitem__(self, signature: str) -> Method:
        codec = self._interface.by_signature[signature]
        return Method(self, lambda _count: codec)

    def calldata(self, method: str, *args: Any) -> bytes:
        """Calldata of a call, by name or by signature."""
        return (self[method] if "(" in method else getattr(self, method)).encode(*args)

    def __str__(self) -> str:
        return self.address

    def __repr__(self) -> str:
        return f"<{self._interface.artifact.name} {self.address}>"

    def __eq__(self, other: object) -> bool:
        return self.address == getattr(other, "address", other)

    def __hash__(self) -> int:
        return hash(self.address)
