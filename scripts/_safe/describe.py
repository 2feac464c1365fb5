"""Says in words what a Safe transaction does, call by call; it believes calldata, never a label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.abi import AbiEntry, AbiError, TupleCodec, selector
from offchain.artifacts import ArtifactError
from offchain.deployment import Deployment
from scripts._deployment.bound import abi_of
from scripts._safe.abi import SAFE_ABI
from scripts._safe.errors import SafeError
from scripts._safe.transaction import Call, Operation, SafeTx

STATES = ("NORMAL", "THROTTLED", "WITHDRAW_ONLY", "FROZEN")
SECONDS_NAMES = ("duration", "delay", "window")
LONGEST_SHOWN_BYTES = 64
PRINTABLE = range(0x20, 0x7F)
# What a token of any kind is asked to do; for addresses whose own ABI is not known.
TOKEN_ABI: list[AbiEntry] = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": n, "type": t} for n, t in inputs],
    }
    for name, inputs in (
        ("transfer", (("to", "address"), ("amount", "uint256"))),
        ("transferFrom", (("from", "address"), ("to", "address"), ("amount", "uint256"))),
        ("approve", (("spender", "address"), ("amount", "uint256"))),
    )
]


@dataclass(frozen=True)
class AddressBook:
    """Names and ABIs of addresses.

    Attributes:
        names: by checksummed address.
        abis: by checksummed address.
    """

    names: Mapping[str, str]
    abis: Mapping[str, Sequence[AbiEntry]]

    @classmethod
    def of(cls, deployment: Deployment) -> AddressBook:
        """Everything that a deployment file names, with the ABIs of what is compiled here.

        Raises:
            SafeError: if the contracts of the deployment are not compiled.
        """
        names = {address: name for name, address in deployment.external.items()}
        names |= {address: f"{name} role" for name, address in deployment.roles.items()}
        names |= {c.address: name for name, c in deployment.contracts.items()}
        try:
            abis = {
                deployment.address(name): abi_of(deployment.artifact(name))
                for name in deployment.contracts
            }
        except ArtifactError as error:
            raise SafeError(f"cannot name the calls: {error}") from None
        return cls(names, abis)

    def name(self, address: str) -> str:
        """`Name 0x…`, or the bare address, marked as unknown."""
        known = self.names.get(address)
        return f"{known} {address}" if known else f"{address} (unknown address)"

    def address(self, text: str) -> str:
        """The address that a name, or an address, stands for.

        Raises:
            SafeError: if nothing here has that name.
        """
        for address, name in self.names.items():
            if name == text:
                return address
        raise SafeError(f"nothing is named {text}: names are in the deployment file")


@dataclass(frozen=True)
class Description:
    """What a transaction does.

    Attributes:
        lines: for people.
        understood: whether every call was decoded; a signer must not sign what nobody can read.
    """

    lines: tuple[str, ...]
    understood: bool


def describe(tx: SafeTx, book: AddressBook) -> Description:
    """Decodes a Safe transaction and everything in it.

    Raises:
        SafeError: for a delegate call that is no batch of plain calls.
    """
    calls = tx.calls()
    lines = [
        f"Safe         {book.name(tx.safe)}, nonce {tx.nonce}, chain {tx.chain_id}",
        f"safeTxHash   0x{tx.hash.hex()}",
        f"domain hash  0x{tx.domain_hash.hex()}",
        f"message hash 0x{tx.message_hash.hex()}",
    ]
    if tx.operation is Operation.DELEGATECALL:
        lines.append(f"batch of {len(calls)} calls through {book.name(tx.to)}")
    if tx.gas_price or tx.safe_tx_gas or tx.base_gas:
        lines.append("the Safe REFUNDS GAS in this transaction: our scripts never ask for that")
    understood = True
    for number, call in enumerate(calls, 1):
        shown, known = _describe_call(call, tx.safe, book)
        lines.append(f"{number}. {shown[0]}")
        lines.extend(f"     {line}" for line in shown[1:])
        understood = understood and known
    refunds = bool(tx.gas_price or tx.safe_tx_gas or tx.base_gas)
    return Description(tuple(lines), understood and not refunds)


def _describe_call(call: Call, safe: str, book: AddressBook) -> tuple[list[str], bool]:
    value = [f"value: {call.value} wei"] if call.value else []
    where = "this Safe itself" if call.to == safe else book.name(call.to)
    if not call.data:
        return [f"{where}: plain transfer of ether", *value], bool(call.value)
    abi = SAFE_ABI if call.to == safe else book.abis.get(call.to, TOKEN_ABI)
    for entry in abi:
        if entry["type"] != "function" or selector(entry) != call.data[:4]:
            continue
        codec = TupleCodec(entry["inputs"])
        try:
            values = codec.decode(call.data[4:])
            exact = codec.encode(values) == call.data[4:]
        except AbiError:
            break
        if not exact:
            break
        named = dict(zip((p.get("name") for p in entry["inputs"]), values, strict=True))
        arguments, known = [], True
        for v, p in zip(values, entry["inputs"], strict=True):
            if p["type"] == "bytes" and p.get("name") == "data" and "target" in named:
                # NOTE: what the access manager is told to call later is signed now.
                inner, known = _describe_call(Call(named["target"], v), safe, book)
                arguments += [f"data: {inner[0]}", *(f"  {line}" for line in inner[1:])]
            else:
                arguments += _show_argument(v, p, book)
        return [f"{where}: {entry['name']}", *arguments, *value], known
    raw = call.data.hex()
    return [f"{where}: UNREADABLE CALL 0x{raw}", *value], False


def _show_argument(value: Any, parameter: AbiEntry, book: AddressBook) -> list[str]:
    name = parameter.get("name") or "argument"
    kind = str(parameter["type"])
    if not kind.endswith("]"):
        return [f"{name}: {_show(value, parameter, book)}"]
    inner = {**parameter, "type": kind[: kind.rindex("[")]}
    return [f"{name}: {len(value)}", *(f"  - {_show(v, inner, book)}" for v in value)]


def _show(value: Any, parameter: AbiEntry, book: AddressBook) -> str:
    kind, name = str(parameter["type"]), str(parameter.get("name", ""))
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return "[" + ", ".join(_show(v, inner, book) for v in value) + "]"
    if kind == "tuple":
        fields = zip(value, parameter["components"], strict=True)
        return "(" + ", ".join(f"{p['name']}: {_show(v, p, book)}" for v, p in fields) + ")"
    if kind == "address" or isinstance(value, bytes):
        return show_bytes(value) if isinstance(value, bytes) else book.name(value)
    if kind == "uint8" and name.rstrip("_") in ("level", "state") and value < len(STATES):
        return f"{value} ({STATES[value]})"
    if kind.startswith("uint") and name.rstrip("_").lower() in SECONDS_NAMES:
        return f"{value} ({show_seconds(value)})"
    return str(value)


def show_bytes(value: bytes) -> str:
    """Text in quotes if it is printable ASCII, else hex; never an escape code."""
    text = value.rstrip(b"\0")
    if text and all(byte in PRINTABLE for byte in text):
        return f'"{text.decode("ascii")}"'
    if len(value) > LONGEST_SHOWN_BYTES:
        return f"0x{value[:LONGEST_SHOWN_BYTES].hex()}… ({len(value)} bytes)"
    return f"0x{value.hex()}"


def show_seconds(seconds: int) -> str:
    """`3 d`, `2 h 30 min`, `45 s`: whole units, nothing rounded away."""
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"
