"""The one kind of error that Safe handling raises; it never carries a key."""

from __future__ import annotations

from offchain.errors import OffchainError


class SafeError(OffchainError):
    """A Safe transaction is not what it should be, or must not be signed or sent."""
