"""Signatures of Safe owners: made, checked by recovery, put in a Safe's order; keeps no keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError

from scripts._safe.errors import SafeError
from scripts._safe.transaction import SafeTx

SIGNATURE_SIZE = 65
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class HashSigner(Protocol):
    """An account that signs a digest: a key in memory, an ape account."""

    @property
    def address(self) -> str:
        """Checksummed address."""

    def sign_hash(self, digest: bytes) -> bytes:
        """Signs a 32-byte digest as it stands: r, s, v with v 27 or 28."""


@runtime_checkable
class TypedDataSigner(Protocol):
    """An account that shows what it signs, such as a hardware wallet."""

    @property
    def address(self) -> str:
        """Checksummed address."""

    def sign_typed_data(self, typed: dict[str, Any]) -> bytes:
        """Signs EIP-712 typed data: r, s, v with v 27 or 28."""


def recover(digest: bytes, signature: bytes) -> str:
    """Who signed.

    Raises:
        SafeError: if the signature has a wrong length or form, or no signer.
    """
    if len(signature) != SIGNATURE_SIZE:
        raise SafeError(f"a signature has {SIGNATURE_SIZE} bytes, not {len(signature)}")
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    if v not in (27, 28):
        raise SafeError(f"a signature over the hash ends in 27 or 28, not {v}")
    if s > HALF_ORDER:
        raise SafeError("a signature has its malleable form")
    try:
        parts = (v - 27, int.from_bytes(r, "big"), s)
        key = Signature(vrs=parts).recover_public_key_from_msg_hash(digest)
    except (BadSignature, ValidationError) as error:
        raise SafeError(f"a signature has no signer: {error}") from None
    return str(key.to_checksum_address())


def sign(tx: SafeTx, signer: HashSigner | TypedDataSigner) -> bytes:
    """One owner's signature, checked by recovery.

    Raises:
        SafeError: if what the signer returned is not its signature over this transaction.
    """
    if isinstance(signer, TypedDataSigner):
        signature = signer.sign_typed_data(tx.typed_data())
    else:
        signature = signer.sign_hash(tx.hash)
    if recover(tx.hash, signature) != signer.address:
        raise SafeError(f"the signature is not {signer.address}'s over this transaction")
    return signature


def sign_all(tx: SafeTx, signers: Iterable[HashSigner | TypedDataSigner]) -> dict[str, bytes]:
    """Signatures by owner."""
    return {signer.address: sign(tx, signer) for signer in signers}


def pack(
    tx: SafeTx, signatures: Mapping[str, bytes], owners: Sequence[str], threshold: int
) -> bytes:
    """What `execTransaction` takes: as many signatures as the threshold asks, by rising address.

    Args:
        tx: what was signed.
        signatures: by owner.
        owners: who counts, as the chain says.
        threshold: how many are needed, as the chain says.

    Raises:
        SafeError: if a signature is wrong, its signer is no owner, or too few are there.
    """
    for owner, signature in signatures.items():
        if recover(tx.hash, signature) != owner:
            raise SafeError(f"the signature given for {owner} is not its own over this transaction")
        if owner not in owners:
            raise SafeError(f"{owner} signed but is not an owner of {tx.safe}")
    if len(signatures) < threshold:
        raise SafeError(f"{len(signatures)} of {threshold} signatures: not enough to execute")
    ordered = sorted(signatures, key=lambda owner: int(owner, 16))
    return b"".join(signatures[owner] for owner in ordered[:threshold])
