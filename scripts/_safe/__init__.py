"""Builds, explains, signs and executes Safe 1.4.1 transactions; it keeps no keys and asks no service."""

from scripts._safe.errors import SafeError
from scripts._safe.signatures import HashSigner, TypedDataSigner, pack, sign, sign_all
from scripts._safe.transaction import Call, Operation, SafeTx

__all__ = ["Call", "HashSigner", "Operation", "SafeError", "SafeTx", "TypedDataSigner", "pack", "sign", "sign_all"]
