"""Turns `Name.function(arguments)` into calldata by names and ABIs; it never guesses a type."""

from __future__ import annotations

import re
from typing import Any

from offchain import nested
from offchain.abi import AbiEntry, AbiError, FunctionCodec
from scripts._safe.abi import SAFE_ABI
from scripts._safe.describe import STATES, AddressBook
from scripts._safe.errors import SafeError
from scripts._safe.transaction import Call, checked_address

SHAPE = re.compile(r"^(\w+)\.(\w+)\((.*)\)$", re.DOTALL)
WORD = 32
THIS_SAFE = "Safe"
AUTHORITY = "AccessAuthority"


def parse_call(text: str, book: AddressBook, safe: str) -> Call:
    """A call as a person writes it.

    Args:
        text: `EmergencyGate.resume("CapitalRouter", "loss understood")`. The arguments are JSON;
            an address may be a name of the deployment, a bytes32 may be a short text, a state its
            name. `Safe.…` is the Safe itself.
        book: names and ABIs.
        safe: the Safe that will make the call.

    Raises:
        SafeError: if it is malformed, the name or function is unknown, or an argument does not fit.
    """
    found = SHAPE.match(text.strip())
    if found is None:
        raise SafeError(f"a call looks like Name.function(arguments), not {text!r}")
    name, function, inside = found.groups()
    to = safe if name == THIS_SAFE else book.address(name)
    abi = SAFE_ABI if name == THIS_SAFE else book.abis.get(to, ())
    try:
        arguments = nested.loads(f"[{inside}]")
    except ValueError as error:
        raise SafeError(f"the arguments of {name}.{function} are not JSON: {error}") from None
    entries = [
        entry
        for entry in abi
        if entry["type"] == "function"
        and entry["name"] == function
        and len(entry["inputs"]) == len(arguments)
    ]
    if len(entries) != 1:
        count = "several functions" if entries else "no function"
        raise SafeError(f"{name} has {count} {function} with {len(arguments)} arguments")
    values = [_value(a, p, book) for a, p in zip(arguments, entries[0]["inputs"], strict=True)]
    try:
        return Call(to, FunctionCodec(entries[0]).encode(values))
    except AbiError as error:
        raise SafeError(f"the arguments do not fit: {error}") from None


def announced(call: Call, book: AddressBook) -> Call:
    """The call that announces `call` to the access manager, for as early as the delay allows.

    Raises:
        SafeError: if it carries ether, or the deployment has no access manager.
    """
    if call.value:
        raise SafeError("a call that carries ether cannot be announced")
    authority = book.address(AUTHORITY)
    entries = [entry for entry in book.abis[authority] if entry.get("name") == "schedule"]
    # 0 asks for the earliest time.
    return Call(authority, FunctionCodec(entries[0]).encode((call.to, call.data, 0)))


def text_word(text: str) -> bytes:
    """A short text as bytes32.

    Raises:
        SafeError: if it is empty, longer than 32 characters, or not plain ASCII.
    """
    if not text or not text.isascii() or not text.isprintable() or len(text) > WORD:
        raise SafeError(f"a reason is 1 to {WORD} plain ASCII characters, not {text!r}")
    return text.encode("ascii").ljust(WORD, b"\0")


def _value(value: Any, parameter: AbiEntry, book: AddressBook) -> Any:
    kind = str(parameter["type"])
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        if not isinstance(value, list):
            raise SafeError(f"{parameter['name']} is a list")
        return [_value(v, inner, book) for v in value]
    if kind == "tuple":
        parts = parameter["components"]
        if not isinstance(value, list) or len(value) != len(parts):
            raise SafeError(f"{parameter['name']} is a list of {len(parts)} fields")
        return [_value(v, p, book) for v, p in zip(value, parts, strict=True)]
    if kind == "address":
        if not isinstance(value, str):
            raise SafeError(f"{parameter['name']} is an address or a name")
        return checked_address(value, "an argument") if value[:2] == "0x" else book.address(value)
    if kind.startswith("bytes") and isinstance(value, str):
        return _bytes(value, kind)
    if kind == "uint8" and value in STATES:
        return STATES.index(value)
    return value


def _bytes(value: str, kind: str) -> bytes:
    if not value.startswith("0x"):
        if kind != "bytes32":
            raise SafeError(f"{kind} is given as 0x…")
        return text_word(value)
    try:
        found = bytes.fromhex(value[2:])
    except ValueError:
        raise SafeError(f"{value} is not hexadecimal") from None
    # NOTE: the encoder would fill a short one up with zeros.
    if kind != "bytes" and len(found) != int(kind.removeprefix("bytes")):
        raise SafeError(f"{value} is not a {kind}")
    return found
