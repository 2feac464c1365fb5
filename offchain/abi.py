"""Encodes calls and decodes returns, reverts and events by ABI; never talks to a chain."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast

from eth_abi.decoding import ContextFramesBytesIO
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

AbiEntry = Mapping[str, Any]
Convert = Callable[[Any], Any]

# What Solidity's `Panic(uint256)` codes mean, from the language's documentation.
PANICS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "invalid enum value",
    0x22: "corrupt storage byte array",
    0x31: "pop on an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}
ERROR_SELECTOR = bytes.fromhex("08c379a0")
PANIC_SELECTOR = bytes.fromhex("4e487b71")
INTEGER = re.compile(r"(u?)int(\d+)")


class AbiError(Exception):
    """An argument does not fit the ABI, or data does not decode by it."""


checksum = lru_cache(maxsize=65_536)(to_checksum_address)


def canonical_type(parameter: AbiEntry) -> str:
    """The type as it stands in a signature: tuples are spelled out."""
    kind = str(parameter["type"])
    if not kind.startswith("tuple"):
        return kind
    inner = ",".join(canonical_type(c) for c in parameter["components"])
    return f"({inner}){kind.removeprefix('tuple')}"


def signature(entry: AbiEntry) -> str:
    """`name(type,type)` of a function, error or event."""
    return f"{entry['name']}({','.join(canonical_type(p) for p in entry['inputs'])})"


def selector(entry: AbiEntry) -> bytes:
    """First four bytes of a call to the function, or of a revert with the error."""
    return bytes(keccak(text=signature(entry))[:4])


def topic(entry: AbiEntry) -> bytes:
    """First topic of the event."""
    return bytes(keccak(text=signature(entry)))


def _stream(data: bytes) -> ContextFramesBytesIO:
    return ContextFramesBytesIO(data)  # type: ignore[no-untyped-call]


def _identity(value: Any) -> Any:
    return value


def _decode_converter(parameter: AbiEntry) -> Convert:
    kind = str(parameter["type"])
    if kind.endswith("]"):
        element = _decode_converter({**parameter, "type": kind[: kind.rindex("[")]})
        return _identity if element is _identity else lambda v: tuple(element(x) for x in v)
    if kind == "address":
        return cast(Convert, checksum)
    if kind == "tuple":
        return _tuple_converter(parameter["components"])
    return _identity


def _tuple_converter(parameters: Sequence[AbiEntry]) -> Convert:
    converters = [_decode_converter(p) for p in parameters]
    names = [str(p.get("name", "")) for p in parameters]
    if all(names) and len(set(names)) == len(names):
        shape = namedtuple("Struct", names, rename=True)  # type: ignore[misc]
        return lambda v: shape(*(c(x) for c, x in zip(converters, v, strict=True)))
    if all(c is _identity for c in converters):
        return _identity
    return lambda v: tuple(c(x) for c, x in zip(converters, v, strict=True))


def _encode_converter(parameter: AbiEntry) -> Convert:
    kind = str(parameter["type"])
    if kind.endswith("]"):
        element = _encode_converter({**parameter, "type": kind[: kind.rindex("[")]})
        return lambda v: [element(x) for x in v]
    if kind == "address":
        return lambda v: getattr(v, "address", v)
    if kind == "tuple":
        fields = [(str(c["name"]), _encode_converter(c)) for c in parameter["components"]]

        def encode_struct(value: Any) -> tuple[Any, ...]:
            items = [value[name] for name, _ in fields] if isinstance(value, Mapping) else value
            return tuple(c(x) for (_, c), x in zip(fields, items, strict=True))

        return encode_struct
    return _identity


def _encode_bool(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value.to_bytes(32, "big")


def _decode_bool(word: bytes) -> bool:
    return (False, True)[_decode_integer(word, 0, 2)]


@lru_cache(maxsize=65_536)
def _encode_address(value: Any) -> bytes:
    return bytes(registry.get_encoder("address")(value))


def _decode_address(word: bytes) -> str:
    if any(word[:12]):
        raise ValueError(word)
    return f"0x{word[12:].hex()}"


def _encode_integer(value: Any, low: int, high: int) -> bytes:
    if type(value) is not int or not low <= value < high:
        raise ValueError(value)
    return value.to_bytes(32, "big", signed=low < 0)


def _decode_integer(word: bytes, low: int, high: int) -> int:
    value = int.from_bytes(word, "big", signed=low < 0)
    if not low <= value < high:
        raise ValueError(value)
    return value


def _word_codec(kind: str) -> tuple[Callable[[Any], bytes], Convert] | None:
    """How a value of one word is written and read; none for every other type."""
    if kind == "bool":
        return _encode_bool, _decode_bool
    if kind == "address":
        return _encode_address, _decode_address
    if (found := INTEGER.fullmatch(kind)) is None:
        return None
    bits = int(found[2])
    low, high = 0, 1 << bits
    if not found[1]:
        low, high = -1 << (bits - 1), 1 << (bits - 1)
    return (
        partial(_encode_integer, low=low, high=high),
        partial(_decode_integer, low=low, high=high),
    )


class TupleCodec:
    """Encoder and decoder of one parameter list, built once.

    NOTE: most lists hold nothing but words. These do not need the general codec, which takes
    several times as long; it still has the last word on what does not fit.

    Addresses decode to checksummed strings, structs to named tuples, arrays to tuples. Wherever an
    address is expected an object with an `address` attribute is accepted; a struct may be given as
    a mapping.
    """

    def __init__(self, parameters: Sequence[AbiEntry]) -> None:
        self.types = [canonical_type(p) for p in parameters]
        self.parameters = parameters
        shape = f"({','.join(self.types)})"
        self._encoder = registry.get_encoder(shape) if self.types else None
        self._decoder = registry.get_decoder(shape) if self.types else None
        words = [word for kind in self.types if (word := _word_codec(kind)) is not None]
        self._words = words if len(words) == len(self.types) else []
        self._to_abi = [_encode_converter(p) for p in parameters]
        self._from_abi = _tuple_converter(parameters)

    def encode(self, args: Sequence[Any]) -> bytes:
        if len(args) != len(self.types):
            raise AbiError(
                f"expected {len(self.types)} arguments ({', '.join(self.types)}), got {len(args)}"
            )
        if self._encoder is None:
            return b""
        try:
            values = [c(a) for c, a in zip(self._to_abi, args, strict=True)]
            return self._encode_words(values) or bytes(self._encoder(values))
        except (EncodingError, TypeError, ValueError, KeyError) as error:
            raise AbiError(f"({', '.join(self.types)}): {error}") from error

    def decode(self, data: bytes) -> tuple[Any, ...]:
        if self._decoder is None:
            return ()
        try:
            values = self._decode_words(data) or self._decoder(_stream(data))
        except (DecodingError, ValueError, OverflowError) as error:
            raise AbiError(f"({', '.join(self.types)}): {error}") from error
        return cast("tuple[Any, ...]", self._from_abi(values))

    def _encode_words(self, values: Sequence[Any]) -> bytes:
        """Empty if the general codec has to do it."""
        if not self._words:
            return b""
        try:
            return b"".join(encode(v) for (encode, _), v in zip(self._words, values, strict=True))
        except (TypeError, ValueError, EncodingError):
            return b""

    def _decode_words(self, data: bytes) -> tuple[Any, ...]:
        """Empty if the general codec has to do it."""
        if not self._words or len(data) < 32 * len(self._words):
            return ()
        try:
            return tuple(
                decode(data[32 * n : 32 * n + 32]) for n, (_, decode) in enumerate(self._words)
            )
        except ValueError:
            return ()


class FunctionCodec:
    """Calldata and return values of one function."""

    def __init__(self, entry: AbiEntry) -> None:
        self.name = str(entry["name"])
        self.signature = signature(entry)
        self.selector = selector(entry)
        self.is_view = entry.get("stateMutability") in ("view", "pure")
        self.is_payable = entry.get("stateMutability") == "payable"
        self._inputs = TupleCodec(entry["inputs"])
        self.input_types = self._inputs.types
        self._outputs = TupleCodec(entry.get("outputs", ()))

    def encode(self, args: Sequence[Any]) -> bytes:
        """Calldata: selector and arguments."""
        try:
            return self.selector + self._inputs.encode(args)
        except AbiError as error:
            raise AbiError(f"{self.name}: {error}") from error

    def decode(self, data: bytes) -> Any:
        """The returned value; a tuple if there are several, None if there is none."""
        try:
            values = self._outputs.decode(data)
        except AbiError as error:
            raise AbiError(
                f"{self.name} returned {len(data)} bytes that do not decode: {error}"
            ) from error
        if not self._outputs.types:
            return None
        return values[0] if len(self._outputs.types) == 1 else values


@dataclass(frozen=True)
class Event:
    """A decoded log; an indexed value of dynamic type is its hash."""

    name: str
    address: str
    args: Mapping[str, Any]

    def __getitem__(self, key: str) -> Any:
        return self.args[key]


class EventCodec:
    """Decodes the logs of one event."""

    def __init__(self, entry: AbiEntry) -> None:
        self.name = str(entry["name"])
        self.signature = signature(entry)
        self.topic = topic(entry)
        self._order = [str(p["name"]) or f"arg{i}" for i, p in enumerate(entry["inputs"])]
        indexed = [
            (n, p) for n, p in zip(self._order, entry["inputs"], strict=True) if p["indexed"]
        ]
        plain = [
            (n, p) for n, p in zip(self._order, entry["inputs"], strict=True) if not p["indexed"]
        ]
        self._indexed = [(n, TupleCodec([{**p, **_topic_type(p)}])) for n, p in indexed]
        self._names = [n for n, _ in plain]
        self._data = TupleCodec([p for _, p in plain])
        self.topic_count = 1 + len(indexed)

    def decode(self, address: str, topics: Sequence[bytes], data: bytes) -> Event:
        values: dict[str, Any] = dict(zip(self._names, self._data.decode(data), strict=True))
        for (name, codec), word in zip(self._indexed, topics[1:], strict=True):
            values[name] = codec.decode(word)[0]
        return Event(self.name, checksum(address), {n: values[n] for n in self._order})


def _topic_type(parameter: AbiEntry) -> dict[str, str]:
    """A dynamic or composite value is indexed by its hash."""
    kind = str(parameter["type"])
    hashed = kind in ("string", "bytes") or kind.endswith("]") or kind == "tuple"
    return {"type": "bytes32"} if hashed else {}


class AbiIndex:
    """Custom errors by selector and events by topic, over any number of ABIs."""

    def __init__(self, abis: Iterable[Sequence[AbiEntry]] = ()) -> None:
        self._errors: dict[bytes, tuple[str, AbiEntry]] = {}
        self._events: dict[tuple[bytes, int], AbiEntry] = {}
        self._error_codecs: dict[bytes, TupleCodec] = {}
        self._event_codecs: dict[tuple[bytes, int], EventCodec] = {}
        for abi in abis:
            self.add(abi)

    def add(self, abi: Sequence[AbiEntry]) -> None:
        """Takes in the errors and events of an ABI; what is known already stays."""
        for entry in abi:
            if entry["type"] == "error":
                self._errors.setdefault(selector(entry), (str(entry["name"]), entry))
            elif entry["type"] == "event" and not entry.get("anonymous"):
                count = 1 + sum(bool(p["indexed"]) for p in entry["inputs"])
                self._events.setdefault((topic(entry), count), entry)

    def decode_error(self, data: bytes) -> tuple[str, tuple[Any, ...]]:
        """Name and arguments: a custom error, 'Error', 'Panic', or ('', ()) if it is unknown."""
        head, body = data[:4], data[4:]
        try:
            if head == ERROR_SELECTOR:
                return "Error", TupleCodec([{"type": "string"}]).decode(body)
            if head == PANIC_SELECTOR:
                return "Panic", TupleCodec([{"type": "uint256"}]).decode(body)
            if head in self._errors:
                name, entry = self._errors[head]
                codec = self._error_codecs.get(head)
                if codec is None:
                    codec = self._error_codecs[head] = TupleCodec(entry["inputs"])
                return name, codec.decode(body)
        except AbiError:
            return "", ()
        return "", ()

    def describe_error(self, data: bytes) -> str:
        """One line for people: `ExceedsCap(cap=5)`, `Panic: division by zero`, or the bytes."""
        name, args = self.decode_error(data)
        if name == "Error":
            return f"Error: {args[0]}"
        if name == "Panic":
            return f"Panic: {PANICS.get(args[0], hex(args[0]))}"
        if name:
            inputs = self._errors[data[:4]][1]["inputs"]
            shown = [
                f"{p['name']}={a}" if p["name"] else str(a)
                for p, a in zip(inputs, args, strict=True)
            ]
            return f"{name}({', '.join(shown)})"
        return f"0x{data.hex()}" if data else "no reason given"

    def decode_event(self, address: str, topics: Sequence[bytes], data: bytes) -> Event | None:
        """The event, or None if no known ABI has it."""
        if not topics:
            return None
        key = (topics[0], len(topics))
        codec = self._event_codecs.get(key)
        if codec is None:
            entry = self._events.get(key)
            if entry is None:
                return None
            codec = self._event_codecs[key] = EventCodec(entry)
        return codec.decode(address, topics, data)
