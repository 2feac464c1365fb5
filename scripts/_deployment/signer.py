"""Lets an ape account sign for our client; the key stays with ape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scripts._deployment.errors import DeployError

if TYPE_CHECKING:
    from ape.api import ProviderAPI


class ApeSigner:
    """An ape account as the client's `Signer`.

    Args:
        alias: of an account in ape's own store.
        provider: the connected provider.

    Raises:
        DeployError: if ape knows no such account.
    """

    def __init__(self, alias: str, provider: ProviderAPI) -> None:
        from ape import accounts

        if alias not in list(accounts.aliases):
            raise DeployError(f"ape has no account named {alias} (ape accounts list)")
        self._account = accounts.load(alias)
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
