"""Deploys, transacts, calls and decodes on any web3 chain; it keeps no keys and no policy.

Peers, deployment scripts, demo and orchestrator share this layer. Every transaction is simulated
before it is signed, so that a revert is known by its error's name and costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from eth_typing import HexStr
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3
from web3._utils.method_formatters import receipt_formatter
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.datastructures import AttributeDict
from web3.types import RPCEndpoint, TxReceipt

from offchain.abi import AbiError, AbiIndex, Event, FunctionCodec
from offchain.chain.reverts import Revert, TransactionReverted
from offchain.chain.signers import KeySigner, Signer
from offchain.chain.transport import ChainUnreachable, connect
from offchain.errors import OffchainError

__all__ = [
    "ChainClient",
    "ChainUnreachable",
    "Event",
    "KeySigner",
    "Pending",
    "ReceiptTimeout",
    "RpcRefused",
    "Signer",
    "TransactionReverted",
    "connect",
]

GWEI = 10**9
FEE_LIFETIME = 2.0
GAS_MARGIN_PCT = 25
FIRST_POLL = 0.0005
LONGEST_POLL = 0.5
Transaction = ContractFunction | Mapping[str, Any]


class RpcRefused(OffchainError):
    """The node refused a request for another reason than a revert."""


class ReceiptTimeout(OffchainError):
    """A transaction was sent and its fate is unknown: it may still be mined."""


@dataclass(frozen=True)
class Pending:
    """A transaction that was sent and not yet waited for."""

    tx_hash: str
    sender: str
    what: str
    request: Mapping[str, Any]


@dataclass(frozen=True)
class _KnownAbi:
    abi: Sequence[Any]
    index: AbiIndex
    factory: type[Contract]


class ChainClient:
    """A chain and what is needed to work with it.

    Args:
        web3: the chain.
        abis: errors and events that can be named; every ABI that passes through is added.
        tip: priority fee in wei.
        timeout: seconds to wait for a receipt.
    """

    def __init__(
        self,
        web3: Web3,
        abis: AbiIndex | None = None,
        tip: int = GWEI,
        timeout: float = 120.0,
    ) -> None:
        self.web3 = web3
        self.abis = abis or AbiIndex()
        self.chain_id = int(self._result("eth_chainId"), 16)
        self._tip = tip
        self._timeout = timeout
        self._codecs: dict[int, tuple[Any, FunctionCodec]] = {}
        self._known_abis: dict[int, _KnownAbi] = {}
        self._nonces: dict[str, int] = {}
        self._unmined: dict[str, set[str]] = {}
        self._fee = (0, 0.0)

    def contract(self, address: str, abi: Sequence[Any]) -> Contract:
        """A contract at an address; its custom errors become known.

        The class behind it is made once per ABI object, so pass the same object again.
        """
        return self._known(abi).factory(to_checksum_address(address))

    def deploy(
        self,
        signer: Signer,
        abi: Sequence[Any],
        bytecode: str | bytes,
        *args: Any,
        value: int = 0,
        name: str = "contract",
    ) -> Contract:
        """Deploys and waits.

        Raises:
            TransactionReverted: if the constructor reverts.
        """
        pending = self.send_deploy(signer, abi, bytecode, *args, value=value, name=name)
        address = self.wait(pending)["contractAddress"]
        return self.contract(cast(str, address), abi)

    def send_deploy(
        self,
        signer: Signer,
        abi: Sequence[Any],
        bytecode: str | bytes,
        *args: Any,
        value: int = 0,
        name: str = "contract",
    ) -> Pending:
        """Sends a deployment without waiting."""
        self._known(abi)
        factory = self.web3.eth.contract(abi=abi, bytecode=HexBytes(bytecode))
        data = HexBytes(factory.constructor(*args).data_in_transaction)
        return self.send(signer, {"data": data, "value": value, "what": f"deployment of {name}"})

    def transact(
        self,
        signer: Signer,
        transaction: Transaction,
        *,
        value: int = 0,
        gas: int | None = None,
    ) -> TxReceipt:
        """Simulates, signs, sends and waits.

        Args:
            signer: who signs and pays.
            transaction: a bound contract function, or a mapping with `to`, `data`, `value`.
            value: wei to send.
            gas: gas limit; None estimates it, which is the simulation too.

        Raises:
            TransactionReverted: with the decoded custom error.
            ReceiptTimeout: if the fate is unknown after the client's timeout.
            ChainUnreachable: if the node does not answer.
        """
        return self.wait(self.send(signer, transaction, value=value, gas=gas))

    def send(
        self,
        signer: Signer,
        transaction: Transaction,
        *,
        value: int = 0,
        gas: int | None = None,
    ) -> Pending:
        """Simulates, signs and sends, without waiting; pass the result to `wait` or `wait_all`.

        With `gas` given nothing is simulated, so that a transaction may build on one that is
        still waiting for its block.
        """
        what, request = self._request(transaction, value)
        if gas is None:
            gas = self._estimate(signer.address, what, request)
        unsigned = {
            "type": 2,
            "chainId": self.chain_id,
            "gas": gas,
            "value": request["value"],
            "data": bytes(request["data"]),
        }
        if request.get("to"):
            unsigned["to"] = request["to"]
        tx_hash = self._sign_and_send(signer, unsigned, what)
        self._unmined.setdefault(signer.address, set()).add(tx_hash)
        return Pending(tx_hash, signer.address, what, {**request, "gas": gas})

    def wait(self, pending: Pending) -> TxReceipt:
        """Waits for one receipt.

        Raises:
            TransactionReverted: if it was mined and reverted.
            ReceiptTimeout: if it is not mined in time.
        """
        receipt = self._receipt(pending)
        self._unmined.get(pending.sender, set()).discard(pending.tx_hash)
        if receipt["status"] != 1:
            raise TransactionReverted(pending.what, self._reason(pending, receipt), pending.tx_hash)
        return receipt

    def wait_all(self, pending: Iterable[Pending]) -> list[TxReceipt]:
        """Waits for many; the receipts come in the order given."""
        return [self.wait(one) for one in pending]

    def call(
        self,
        function: ContractFunction,
        *,
        sender: str | None = None,
        block: int | str = "latest",
        value: int = 0,
    ) -> Any:
        """Calls a view, or simulates a function, and decodes what it returns.

        Structs come as named tuples, several values as a tuple, nothing as None.

        Raises:
            TransactionReverted: with the decoded custom error.
        """
        what, request = self._request(function, value)
        tag = hex(block) if isinstance(block, int) else block
        result = self._simulate("eth_call", self._rpc_form(request, sender), what, tag)
        try:
            return self._codec(function).decode(bytes(HexBytes(result)))
        except AbiError as error:
            raise RpcRefused(f"{function.address} has no such contract? {error}") from error

    def events(
        self, receipt: TxReceipt, contract: Contract, name: str | None = None
    ) -> list[Event]:
        """The events that a contract emitted in a transaction, decoded.

        Args:
            receipt: of the transaction.
            contract: emitter; logs of other addresses are left out.
            name: only events of this name.
        """
        index = self._known(contract.abi).index
        found = []
        for log in receipt["logs"]:
            if log["address"] != contract.address:
                continue
            topics = [bytes(topic) for topic in log["topics"]]
            event = index.decode_event(log["address"], topics, bytes(log["data"]))
            if event is not None and (name is None or event.name == name):
                found.append(event)
        return found

    def code(self, address: str) -> bytes:
        """Runtime code at an address; empty if there is none."""
        return bytes(HexBytes(self._result("eth_getCode", address, "latest")))

    def balance(self, address: str) -> int:
        """Wei held by an address."""
        return int(self._result("eth_getBalance", address, "latest"), 16)

    def timestamp(self) -> int:
        """Timestamp of the latest block."""
        return int(self._result("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def forget(self) -> None:
        """Drops cached nonces and fees; needed after the chain was set back."""
        self._nonces.clear()
        self._unmined.clear()
        self._fee = (0, 0.0)

    def _codec(self, function: ContractFunction) -> FunctionCodec:
        # NOTE: the entry is kept beside its codec, so that its id stays its own.
        held = self._codecs.get(id(function.abi))
        if held is None:
            held = (function.abi, FunctionCodec(function.abi))
            self._codecs[id(function.abi)] = held
        return held[1]

    def _known(self, abi: Sequence[Any]) -> _KnownAbi:
        # NOTE: the ABI is kept, so that its id is not given to another one later.
        held = self._known_abis.get(id(abi))
        if held is None:
            self.abis.add(abi)
            held = _KnownAbi(abi, AbiIndex([abi]), self.web3.eth.contract(abi=abi))
            self._known_abis[id(abi)] = held
        return held

    def _request(self, transaction: Transaction, value: int) -> tuple[str, dict[str, Any]]:
        if isinstance(transaction, ContractFunction):
            data = HexBytes(transaction._encode_transaction_data())
            what = str(transaction.fn_name)
            return what, {"to": transaction.address, "data": data, "value": value}
        request = {
            "to": transaction.get("to"),
            "data": HexBytes(transaction.get("data", b"")),
            "value": transaction.get("value", 0) or value,
        }
        return str(transaction.get("what", "transaction")), request

    def _rpc_form(self, request: Mapping[str, Any], sender: str | None) -> dict[str, Any]:
        form: dict[str, Any] = {"data": request["data"].to_0x_hex()}
        if request.get("to"):
            form["to"] = request["to"]
        if request.get("value"):
            form["value"] = hex(request["value"])
        if request.get("gas"):
            form["gas"] = hex(request["gas"])
        if sender:
            form["from"] = sender
        return form

    def _rpc(self, method: str, *params: Any) -> Any:
        try:
            return self.web3.provider.make_request(RPCEndpoint(method), list(params))
        except ChainUnreachable:
            raise
        except OSError as error:
            raise ChainUnreachable("the chain does not answer") from error

    def _result(self, method: str, *params: Any) -> Any:
        response = self._rpc(method, *params)
        if "error" in response:
            raise RpcRefused(f"{method} refused: {_message(response['error'])}")
        return response["result"]

    def _simulate(self, method: str, form: dict[str, Any], what: str, tag: str) -> Any:
        response = self._rpc(method, form, tag)
        if "error" not in response:
            return response["result"]
        raw = _revert_data(response["error"])
        if raw is None:
            message = _message(response["error"])
            if "revert" not in message:
                raise RpcRefused(f"{what} refused: {message}")
            raw = b""
        raise TransactionReverted(what, Revert.decode(raw, self.abis))

    def _estimate(self, sender: str, what: str, request: Mapping[str, Any]) -> int:
        tag = "pending" if self._unmined.get(sender) else "latest"
        used = int(
            self._simulate("eth_estimateGas", self._rpc_form(request, sender), what, tag), 16
        )
        return used + used * GAS_MARGIN_PCT // 100

    def _fees(self) -> int:
        fee, read_at = self._fee
        if time.monotonic() - read_at > FEE_LIFETIME:
            block = self._result("eth_getBlockByNumber", "latest", False)
            base = int(block.get("baseFeePerGas", "0x0"), 16)
            fee = 2 * base + self._tip
            self._fee = (fee, time.monotonic())
        return fee

    def _next_nonce(self, address: str) -> int:
        # NOTE: the chain's count sees other processes with the same key and a chain that was set
        # back; our own sees what is in flight and has not reached this node's pool.
        pending = int(self._result("eth_getTransactionCount", address, "pending"), 16)
        if self._unmined.get(address):
            return max(pending, self._nonces[address])
        return pending

    def _sign_and_send(self, signer: Signer, unsigned: dict[str, Any], what: str) -> str:
        for attempt in (0, 1):
            unsigned["maxFeePerGas"] = self._fees()
            unsigned["maxPriorityFeePerGas"] = self._tip
            unsigned["nonce"] = self._next_nonce(signer.address)
            raw = signer.sign_transaction(unsigned)
            response = self._rpc("eth_sendRawTransaction", HexBytes(raw).to_0x_hex())
            if "error" not in response:
                self._nonces[signer.address] = unsigned["nonce"] + 1
                return str(response["result"])
            message = _message(response["error"])
            if attempt or not _is_stale(message):
                raise RpcRefused(f"{what} refused: {message}")
            self.forget()
        raise RpcRefused(f"{what} refused")

    def _receipt(self, pending: Pending) -> TxReceipt:
        deadline = time.monotonic() + self._timeout
        pause = FIRST_POLL
        while True:
            found = self._result("eth_getTransactionReceipt", pending.tx_hash)
            if found:
                return cast(TxReceipt, AttributeDict.recursive(receipt_formatter(found)))
            if time.monotonic() > deadline:
                seconds = f"{self._timeout:g} s"
                raise ReceiptTimeout(f"{pending.what} {pending.tx_hash} not mined in {seconds}")
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_POLL)

    def _reason(self, pending: Pending, receipt: TxReceipt) -> Revert:
        # NOTE: replayed on the state before its block, which is the state it met unless others
        # stood before it in the same block; then on the block's own.
        form = self._rpc_form(pending.request, pending.sender)
        for block in (receipt["blockNumber"] - 1, receipt["blockNumber"]):
            try:
                self._simulate("eth_call", form, pending.what, hex(block))
            except TransactionReverted as found:
                return found.revert
            except RpcRefused:
                continue
        return Revert.decode(b"", self.abis)


def _message(error: Any) -> str:
    return str(error.get("message", error) if isinstance(error, Mapping) else error)


def _is_stale(message: str) -> bool:
    lowered = message.lower()
    return any(part in lowered for part in ("nonce", "base fee", "underpriced", "max fee"))


def _revert_data(error: Any) -> bytes | None:
    """Revert data of a node's error, in the shapes that nodes use; None if it carries none."""
    data = error.get("data") if isinstance(error, Mapping) else None
    if isinstance(data, Mapping):
        data = data.get("data") or data.get("result")
    if not isinstance(data, str):
        return None
    text = data.removeprefix("Reverted ")
    if not text.startswith("0x"):
        return None
    return bytes(HexBytes(cast(HexStr, text)))
