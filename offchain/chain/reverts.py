"""Turns revert data into names and arguments by the ABIs it was shown; it never asks a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import function_abi_to_4byte_selector, get_abi_input_names, get_abi_input_types

from offchain.errors import OffchainError

ERROR_STRING = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")
PANIC_REASONS = {
    0x01: "assertion failed",
    0x11: "arithmetic overflow or underflow",
    0x12: "division by zero",
    0x21: "value outside its enum",
    0x31: "pop from an empty array",
    0x32: "index out of bounds",
    0x41: "memory exhausted",
    0x51: "call of an unset internal function",
}


@dataclass(frozen=True)
class Revert:
    """Why a call reverted.

    Attributes:
        name: name of the custom error; `Error` for a reason string, `Panic`, or `` if unknown.
        args: its arguments by name; a nameless one is called by its position.
        data: the raw revert data.
    """

    name: str
    args: Mapping[str, Any]
    data: bytes

    def __str__(self) -> str:
        if self.name == "Error":
            return str(self.args["reason"])
        if self.name == "Panic":
            code = self.args["code"]
            return f"panic 0x{code:02x}: {PANIC_REASONS.get(code, 'unknown')}"
        if not self.name:
            return f"unknown error 0x{self.data.hex()}" if self.data else "no reason given"
        return f"{self.name}({', '.join(f'{key}={value}' for key, value in self.args.items())})"


class TransactionReverted(OffchainError):
    """A transaction or call reverted, or would have.

    Attributes:
        revert: the decoded reason.
        tx_hash: hash of the mined transaction; None if it was only simulated.
    """

    def __init__(self, what: str, revert: Revert, tx_hash: str | None = None) -> None:
        super().__init__(f"{what} reverted: {revert}" + (f" (in {tx_hash})" if tx_hash else ""))
        self.revert = revert
        self.tx_hash = tx_hash

    @property
    def name(self) -> str:
        """Name of the custom error; see `Revert.name`."""
        return self.revert.name

    @property
    def args_by_name(self) -> Mapping[str, Any]:
        """Arguments of the custom error."""
        return self.revert.args


class ErrorIndex:
    """Custom errors by selector, collected from ABIs.

    Args:
        fallback: asked for selectors that no added ABI knows; may answer None.
    """

    def __init__(self, fallback: Callable[[bytes], Revert | None] | None = None) -> None:
        self._errors: dict[bytes, Any] = {}
        self._fallback = fallback

    def add(self, abi: Iterable[Any]) -> None:
        """Learns the errors that an ABI declares."""
        for entry in abi:
            if entry.get("type") == "error":
                self._errors[function_abi_to_4byte_selector(entry)] = entry

    def decode(self, data: bytes) -> Revert:
        """Decodes revert data; what nobody knows comes back nameless, with its data."""
        selector, payload = data[:4], data[4:]
        try:
            if selector == ERROR_STRING:
                return Revert("Error", {"reason": decode(["string"], payload)[0]}, data)
            if selector == PANIC:
                return Revert("Panic", {"code": decode(["uint256"], payload)[0]}, data)
            entry = self._errors.get(selector)
            if entry is not None:
                values = decode(get_abi_input_types(entry), payload)
                names = get_abi_input_names(entry)
                keys = [name or str(place) for place, name in enumerate(names)]
                return Revert(entry["name"], dict(zip(keys, values, strict=True)), data)
        except DecodingError:
            return Revert("", {}, data)
        found = self._fallback(data) if self._fallback else None
        return found or Revert("", {}, data)
