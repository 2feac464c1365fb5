"""Executes transactions of local Safes with keys at hand; see `scripts/multisig.py` for others."""

from __future__ import annotations

from collections.abc import Sequence

from web3.contract import Contract
from web3.types import TxReceipt

from offchain.chain.client import ChainClient, KeySigner
from scripts._safe import Call, Operation, SafeError, SafeTx, pack, sign_all
from scripts._safe.transaction import pack_batch
from tests.peers.safe import SafeSuite


def execute(
    client: ChainClient,
    safe: Contract,
    owners: Sequence[KeySigner],
    calls: Sequence[Call],
    suite: SafeSuite,
) -> TxReceipt:
    """Signs with every owner given, and executes as one Safe transaction.

    Raises:
        SafeError: if the chain hashes the transaction differently, or signatures are missing.
        TransactionReverted: if the Safe refuses, or a call fails.
    """
    nonce = client.call(safe.functions.nonce())
    if len(calls) == 1:
        call = calls[0]
        tx = SafeTx(client.chain_id, safe.address, nonce, call.to, call.data, call.value)
    else:
        multi_send = suite.multi_send_call_only.address
        tx = SafeTx(
            client.chain_id,
            safe.address,
            nonce,
            multi_send,
            pack_batch(calls),
            operation=Operation.DELEGATECALL,
        )
    if client.call(safe.functions.getTransactionHash(*tx.arguments())) != tx.hash:
        raise SafeError("the Safe hashes this transaction differently: it is not the Safe we know")
    signatures = pack(
        tx,
        sign_all(tx, owners),
        client.call(safe.functions.getOwners()),
        client.call(safe.functions.getThreshold()),
    )
    fields = tx.arguments()[:-1]
    return client.transact(owners[0], safe.functions.execTransaction(*fields, signatures))
