"""The real Safe 1.4.1 on the in-process EVM, with keys that sign for it; decides nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_typing import Hash32
from eth_utils.crypto import keccak

from scripts._safe.transaction import SafeTx
from tests.peers.safe import CANONICAL_CODE_HASHES, PACKAGE, ZERO
from tests.support.evm import CHAIN_ID, Address, Contract, Evm
from tests.support.uniswap import at, deploy

SINGLETON = f"{PACKAGE}/Safe.sol/Safe"
FACTORY = f"{PACKAGE}/proxies/SafeProxyFactory.sol/SafeProxyFactory"


@dataclass(frozen=True)
class LocalSafe:
    """One Safe: its contract, its owners with their keys, and how many must sign."""

    evm: Evm
    contract: Contract
    owners: tuple[Address, ...]
    threshold: int

    @property
    def address(self) -> str:
        """Where the Safe lies."""
        return self.contract.address

    def order(self, to: Any, data: bytes, nonce: int | None = None) -> SafeTx:
        """The transaction that makes this call at a nonce; at the Safe's next one by default."""
        following = int(self.contract.nonce()) if nonce is None else nonce
        return SafeTx(CHAIN_ID, self.address, following, str(to), data)

    def signed(self, tx: SafeTx, owners: Sequence[Address] | None = None) -> bytes:
        """Signatures of the first owners that suffice, or of those named, as a Safe wants them."""
        signers = self.owners[: self.threshold] if owners is None else owners
        ordered = sorted(signers, key=lambda owner: int(owner, 16))
        signed = (owner.signer.unsafe_sign_hash(Hash32(tx.hash)) for owner in ordered)
        return b"".join(bytes(signature.signature) for signature in signed)

    def send(self, tx: SafeTx, signatures: bytes, gas: int = 30_000_000) -> None:
        """Brings a signed transaction on chain, as anyone may.

        Raises:
            Revert: the Safe or the call refused it.
        """
        relayer = self.evm.account("relayer")
        self.contract.execTransaction(*tx.arguments()[:-1], signatures, sender=relayer, gas=gas)

    def call(self, contract: Contract, method: str, *args: Any) -> None:
        """Signs and sends one call to a contract."""
        tx = self.order(contract, contract.calldata(method, *args))
        self.send(tx, self.signed(tx))


class SafeFactory:
    """The singleton and the proxy factory, proven to be the canonical ones."""

    def __init__(self, evm: Evm) -> None:
        self.evm = evm
        self.singleton = deploy(evm, SINGLETON)
        self.factory = deploy(evm, FACTORY)
        for name, contract in (("Safe", self.singleton), ("SafeProxyFactory", self.factory)):
            assert keccak(evm.code(contract)).hex() == CANONICAL_CODE_HASHES[name], name

    def create(self, owners: Sequence[Address], threshold: int, salt: int = 0) -> LocalSafe:
        """A Safe of these owners."""
        setup = self.singleton.calldata(
            "setup", list(owners), threshold, ZERO, b"", ZERO, ZERO, 0, ZERO
        )
        proxy = self.factory.createProxyWithNonce(self.singleton, setup, salt)
        contract = at(self.evm, SINGLETON, proxy)
        assert contract.getOwners() == tuple(owners)
        assert contract.getThreshold() == threshold
        return LocalSafe(self.evm, contract, tuple(owners), threshold)
