"""Lets an ape account sign for our client; the key stays with ape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ape import accounts
from eth_account.messages import encode_typed_data

from scripts._deployment.errors import DeployError

if TYPE_CHECKING:
    from ape.api import ProviderAPI


class ApeSigner:
    """An ape account as the client's `Signer`.

    Args:
        alias: of an account in ape's own store, or `TEST::n` for ape's published test keys.
        provider: the connected provider.

    Raises:
        DeployError: if ape knows no such account.
    """

    def __init__(self, alias: str, provider: ProviderAPI) -> None:
        self._account = _load(alias)
        self._ecosystem = provider.network.ecosystem

    @property
    def address(self) -> str:
        """Checksummed address."""
        return str(self._account.address)

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """Signs an EIP-1559 transaction.

        Raises:
            DeployError: if the owner of the account refused.
        """
        fields = {key: value for key, value in transaction.items() if key != "gas"}
        unsigned = self._ecosystem.create_transaction(
            **fields, gas_limit=transaction["gas"], sender=self.address
        )
        signed = self._account.sign_transaction(unsigned)
        if signed is None:
            raise DeployError("the account did not sign")
        return bytes(signed.serialize_transaction())

    def sign_typed_data(self, typed: dict[str, Any]) -> bytes:
        """Signs EIP-712 typed data, which a hardware wallet shows: r, s, v with v 27 or 28.

        Raises:
            DeployError: if the owner of the account refused.
        """
        signature = self._account.sign_message(encode_typed_data(full_message=typed))
        if signature is None:
            raise DeployError("the account did not sign")
        return bytes(signature.encode_rsv())


def _load(alias: str) -> Any:
    if alias in list(accounts.aliases):
        return accounts.load(alias)
    for account in accounts.test_accounts if alias.startswith("TEST::") else ():
        if account.alias == alias:
            return account
    raise DeployError(f"ape has no account named {alias} (ape accounts list)")
