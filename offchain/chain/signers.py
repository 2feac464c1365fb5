"""Who signs: the protocol that every sender uses, and keys held in memory; it sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import rlp  # type: ignore[import-untyped]
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak
from hexbytes import HexBytes

DYNAMIC_FEE = b"\x02"
DERIVATION_PATH = "m/44'/60'/0'/0/{index}"


class Signer(Protocol):
    """An account that can sign transactions: a local key, an ape account, a remote signer."""

    @property
    def address(self) -> str:
        """Checksummed address."""

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """Signs an EIP-1559 transaction.

        Args:
            transaction: chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gas, to (absent for a
                deployment), value, data (bytes).

        Returns:
            The raw transaction as a node takes it.
        """


class KeySigner:
    """A private key in memory. It never prints or returns the key."""

    def __init__(self, private_key: bytes | str) -> None:
        # NOTE: the key object is kept, because building it costs as much as a signature.
        self._key = PrivateKey(bytes(HexBytes(private_key)))
        self._address = self._key.public_key.to_checksum_address()

    @classmethod
    def from_mnemonic(cls, mnemonic: str, index: int) -> KeySigner:
        """The account at an index of a BIP-39 phrase, on Ethereum's usual path."""
        Account.enable_unaudited_hdwallet_features()
        account = Account.from_mnemonic(mnemonic, account_path=DERIVATION_PATH.format(index=index))
        return cls(bytes(account.key))

    @property
    def address(self) -> str:
        """Checksummed address."""
        return str(self._address)

    def __repr__(self) -> str:
        return f"KeySigner({self.address})"

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        """Signs an EIP-1559 transaction; see `Signer.sign_transaction`."""
        fields: list[Any] = [
            transaction["chainId"],
            transaction["nonce"],
            transaction["maxPriorityFeePerGas"],
            transaction["maxFeePerGas"],
            transaction["gas"],
            bytes(HexBytes(transaction.get("to") or b"")),
            transaction.get("value", 0),
            bytes(HexBytes(transaction.get("data", b""))),
            [],
        ]
        signature = self._key.sign_msg_hash(keccak(DYNAMIC_FEE + rlp.encode(fields)))
        fields += [signature.v, signature.r, signature.s]
        return DYNAMIC_FEE + bytes(rlp.encode(fields))

    def sign_hash(self, digest: bytes) -> bytes:
        """Signs a 32-byte digest as it stands: r, s, v with v 27 or 28."""
        signature = self._key.sign_msg_hash(digest)
        return (
            int(signature.r).to_bytes(32, "big")
            + int(signature.s).to_bytes(32, "big")
            + bytes([int(signature.v) + 27])
        )
