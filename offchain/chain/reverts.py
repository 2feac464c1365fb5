"""Why a transaction reverted, as a value and as an error; it never asks a node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from offchain.abi import AbiIndex
from offchain.errors import OffchainError


@dataclass(frozen=True)
class Revert:
    """Why a call reverted.

    Attributes:
        name: name of the custom error; `Error` for a reason string, `Panic`, or empty if unknown.
        args: its arguments in order; the reason of `Error`, the code of `Panic`.
        text: one line for people.
        data: the raw revert data.
    """

    name: str
    args: tuple[Any, ...]
    text: str
    data: bytes

    @classmethod
    def decode(cls, data: bytes, abis: AbiIndex) -> Revert:
        """Decodes revert data by the errors that the index knows."""
        name, args = abis.decode_error(data)
        return cls(name, args, abis.describe_error(data), data)


class TransactionReverted(OffchainError):
    """A transaction or call reverted, or would have.

    Attributes:
        revert: the decoded reason.
        tx_hash: hash of the mined transaction; None if it was only simulated.
    """

    def __init__(self, what: str, revert: Revert, tx_hash: str | None = None) -> None:
        where = f" (in {tx_hash})" if tx_hash else ""
        super().__init__(f"{what} reverted: {revert.text}{where}")
        self.revert = revert
        self.tx_hash = tx_hash

    @property
    def error(self) -> str:
        """Name of the custom error; see `Revert.name`."""
        return self.revert.name

    @property
    def error_args(self) -> tuple[Any, ...]:
        """Arguments of the custom error."""
        return self.revert.args
