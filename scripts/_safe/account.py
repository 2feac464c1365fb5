"""One Safe on one chain: what it is, what it would sign, and the execution; it holds no keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import TxParams, TxReceipt, Wei

from offchain.chain.client import ChainClient, Signer, TransactionReverted
from scripts._safe.abi import (
    GUARD_SLOT,
    MULTI_SEND_CALL_ONLY,
    MULTI_SEND_CODE_HASH,
    SAFE_ABI,
    SENTINEL,
    SINGLETON_CODE_HASHES,
    SINGLETON_SLOT,
    VERSION,
)
from scripts._safe.errors import SafeError
from scripts._safe.signatures import pack
from scripts._safe.transaction import (
    ZERO_ADDRESS,
    Call,
    Operation,
    SafeTx,
    checked_address,
    pack_batch,
)

MOST_MODULES = 20


@dataclass(frozen=True)
class SafeState:
    """What the chain says about a Safe.

    Attributes:
        owners: who may sign.
        threshold: how many must.
        nonce: of the next transaction.
        modules: contracts that move the Safe without any signature; ours have none.
        guard: contract that may veto executions; the zero address if there is none.
    """

    owners: tuple[str, ...]
    threshold: int
    nonce: int
    modules: tuple[str, ...]
    guard: str


class SafeAccount:
    """A Safe 1.4.1 that was proven to be one by its code.

    Args:
        client: the chain.
        address: the Safe.
        multi_send: where MultiSendCallOnly stands on this chain.

    Raises:
        SafeError: if the address is no proxy of the canonical Safe 1.4.1.
    """

    def __init__(
        self, client: ChainClient, address: str, multi_send: str = MULTI_SEND_CALL_ONLY
    ) -> None:
        self.client = client
        self.address = checked_address(address, "the Safe")
        self.multi_send = checked_address(multi_send, "MultiSendCallOnly")
        if not client.code(self.address):
            raise SafeError(f"there is no contract at {self.address} on chain {client.chain_id}")
        singleton = self._stored_address(SINGLETON_SLOT)
        if keccak(client.code(singleton)) not in SINGLETON_CODE_HASHES:
            raise SafeError(f"{self.address} is not a Safe {VERSION}: its code is another one")
        self.contract = client.contract(self.address, SAFE_ABI)

    def state(self) -> SafeState:
        """Reads owners, threshold, nonce, modules and guard."""
        functions = self.contract.functions
        call = self.client.call
        modules, _next = call(functions.getModulesPaginated(SENTINEL, MOST_MODULES))
        return SafeState(
            owners=tuple(call(functions.getOwners())),
            threshold=int(call(functions.getThreshold())),
            nonce=int(call(functions.nonce())),
            modules=tuple(modules),
            guard=self._stored_address(GUARD_SLOT),
        )

    def build(self, calls: Sequence[Call], nonce: int | None = None) -> SafeTx:
        """One Safe transaction for one call, or for a batch through MultiSendCallOnly.

        Args:
            calls: in the order of execution; either all succeed or none happened.
            nonce: None takes the Safe's next one.

        Raises:
            SafeError: if there is no call, or MultiSendCallOnly is not where it should be.
        """
        at = self.state().nonce if nonce is None else nonce
        chain_id = self.client.chain_id
        if len(calls) == 1:
            call = calls[0]
            return SafeTx(chain_id, self.address, at, call.to, call.data, call.value)
        data = pack_batch(calls)
        self._check_multi_send(self.multi_send)
        return SafeTx(
            chain_id, self.address, at, self.multi_send, data, operation=Operation.DELEGATECALL
        )

    def check(self, tx: SafeTx) -> None:
        """Everything that must hold before anybody signs or sends.

        Raises:
            SafeError: if the transaction is another Safe's or chain's, delegates to anything but
                MultiSendCallOnly, or the Safe computes another hash for it.
        """
        if tx.chain_id != self.client.chain_id:
            raise SafeError(
                f"the transaction is for chain {tx.chain_id}, the node is on {self.client.chain_id}"
            )
        if tx.safe != self.address:
            raise SafeError(f"the transaction is for the Safe {tx.safe}, not {self.address}")
        if tx.operation is Operation.DELEGATECALL:
            self._check_multi_send(tx.to)
        tx.calls()
        on_chain = bytes(
            self.client.call(self.contract.functions.getTransactionHash(*tx.arguments()))
        )
        if on_chain != tx.hash:
            raise SafeError(
                f"the Safe computes hash 0x{on_chain.hex()}, "
                f"here it is 0x{tx.hash.hex()}: do not sign"
            )

    def execute(
        self, tx: SafeTx, signatures: Mapping[str, bytes], executor: Signer, gas: int | None = None
    ) -> TxReceipt:
        """Checks, packs the signatures and executes.

        Args:
            tx: what was signed.
            signatures: by owner.
            executor: who pays for gas; needs no right.
            gas: gas limit; None estimates it.

        Raises:
            SafeError: if a check fails, signatures are wrong or too few, the nonce is not next, or
                a call would revert.
        """
        self.check(tx)
        state = self.state()
        if tx.nonce < state.nonce:
            raise SafeError(f"nonce {tx.nonce} was already used: the Safe's next is {state.nonce}")
        if tx.nonce > state.nonce:
            raise SafeError(f"nonce {tx.nonce} must wait: the Safe's next is {state.nonce}")
        packed = pack(tx, signatures, state.owners, state.threshold)
        function = self.contract.functions.execTransaction(*tx.arguments()[:-1], packed)
        try:
            receipt = self.client.transact(executor, function, gas=gas)
        except TransactionReverted as error:
            raise SafeError(f"the Safe refuses: {self._why(tx, error)}") from error
        done = self.client.events(receipt, self.contract, "ExecutionSuccess")
        if [bytes(event["txHash"]) for event in done] != [tx.hash]:
            raise SafeError("the Safe was called but did not execute the transaction")
        return receipt

    def failing_call(self, tx: SafeTx) -> str | None:
        """Why the first call that fails by itself does; None if each succeeds by itself."""
        calls = tx.calls()
        for number, call in enumerate(calls, 1):
            request: TxParams = {
                "from": to_checksum_address(self.address),
                "to": to_checksum_address(call.to),
                "data": call.data,
                "value": Wei(call.value),
            }
            try:
                self.client.web3.eth.call(request)
            except ContractLogicError as error:
                return f"call {number} of {len(calls)} reverts: {self._reason(error)}"
            except Web3RPCError as error:
                return f"call {number} of {len(calls)} is refused: {error.message}"
        return None

    def _why(self, tx: SafeTx, error: TransactionReverted) -> str:
        # NOTE: Safe hides a failed call behind GS013, so it is asked for by itself.
        if error.error_args == ("GS013",):
            return self.failing_call(tx) or "a call reverts after those before it"
        return error.revert.text

    def _reason(self, error: ContractLogicError) -> str:
        data = error.data
        if isinstance(data, str) and data.startswith("0x"):
            return self.client.abis.describe_error(bytes.fromhex(data[2:]))
        return str(error.message or error)

    def _check_multi_send(self, address: str) -> None:
        if keccak(self.client.code(address)) != MULTI_SEND_CODE_HASH:
            raise SafeError(f"{address} is not MultiSendCallOnly {VERSION}: no delegate call to it")

    def _stored_address(self, slot: int) -> str:
        word = self.client.web3.eth.get_storage_at(to_checksum_address(self.address), slot)
        return str(to_checksum_address(bytes(word)[-20:])) if any(word) else ZERO_ADDRESS
