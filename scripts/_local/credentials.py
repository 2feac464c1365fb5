"""Signs KYC credentials with a provider's key at hand, as its desk would; it sends nothing."""

from __future__ import annotations

from web3.contract import Contract
from web3.contract.contract import ContractFunction

from offchain.chain.client import ChainClient
from offchain.chain.signers import KeySigner

TIER = 1
# ISO 3166-1 numeric: Switzerland.
JURISDICTION = 756


def credential_for(
    client: ChainClient,
    registry: Contract,
    provider: KeySigner,
    investor: str,
    *,
    expiry: int,
    serial: int = 1,
) -> ContractFunction:
    """The call by which anybody brings a fresh credential of `investor` on chain.

    Args:
        client: the chain.
        registry: which computes the digest.
        provider: who signs.
        investor: who passed KYC.
        expiry: Unix time after which it no longer counts.
        serial: above that of his credential before.
    """
    credential = (investor, TIER, JURISDICTION, expiry, serial)
    digest = client.call(registry.functions.credentialDigest(credential))
    signature = provider.sign_hash(digest)
    return registry.functions.submitCredential(credential, provider.address, signature)
