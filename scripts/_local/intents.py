"""Signs deposit and exit intents with a key at hand, as a wallet would; it sends nothing."""

from __future__ import annotations

from typing import Literal

from web3.contract import Contract

from offchain.batch.intents import Intent, Permit
from offchain.chain.client import ChainClient
from offchain.chain.signers import KeySigner
from tests.peers.tokens import sign_permit

NO_PERMIT = Permit()


def sign_intent(
    client: ChainClient,
    gateway: Contract,
    key: KeySigner,
    kind: Literal["deposit", "exit"],
    amount: int,
    *,
    nonce: int,
    deadline: int,
    permit: Permit = NO_PERMIT,
) -> Intent:
    """An intent of the key's owner for himself, with a least return of one unit.

    Args:
        client: the chain.
        gateway: which computes the digest.
        key: the owner's.
        kind: what is meant.
        amount: assets of a deposit, shares of an exit.
        nonce: the owner's, used once.
        deadline: Unix time.
        permit: the token's, if the owner has given no allowance.
    """
    fields = (key.address, key.address, amount, 1, nonce, deadline)
    digest = client.call(gateway.functions[f"{kind}Digest"](fields))
    return Intent(
        kind=kind,
        owner=key.address,
        receiver=key.address,
        amount=amount,
        minimum=1,
        nonce=nonce,
        deadline=deadline,
        signature="0x" + key.sign_hash(digest).hex(),
        permit=permit,
    )


def permit_for(
    client: ChainClient, token: Contract, gateway: Contract, key: KeySigner, value: int, until: int
) -> Permit:
    """A permit for the gateway over `value` of a token, good until a Unix time."""
    v, r, s = sign_permit(client, key, token, gateway.address, value=value, deadline=until)
    return Permit(value=value, deadline=until, v=v, r="0x" + r.hex(), s="0x" + s.hex())
