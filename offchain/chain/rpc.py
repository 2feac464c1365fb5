"""Quorum reads over several nodes; it never signs, and it never takes one node's word for many.

With one address the quorum is 1 of 1: that node is trusted, and `describe` says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from web3.types import RPCEndpoint

from offchain.chain.transport import ChainUnreachable, KeepAliveProvider
from offchain.errors import OffchainError


class NodeRefused(OffchainError):
    """A node answered with an error: the request was understood and refused."""

    def __init__(self, message: str, data: bytes = b"", *, reverted: bool = False) -> None:
        super().__init__(message)
        self.data = data
        self.reverted = reverted


class NoQuorum(ChainUnreachable):
    """Nodes answered, but too few of them the same."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block's header, as far as it is used. `base_fee` in wei."""

    number: int
    hash: str
    parent: str
    time: int
    base_fee: int


@dataclass(frozen=True, slots=True)
class RawLog:
    """One log as the chain holds it."""

    block: int
    block_hash: str
    tx: str
    index: int
    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where and how a transaction was mined. `price` is the effective gas price in wei."""

    tx: str
    block: int
    block_hash: str
    success: bool
    gas_used: int
    price: int


T = TypeVar("T")


class Delivery(Enum):
    """What became of a broadcast. UNKNOWN: it may or may not have arrived."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Node:
    """One node. Answers are the decoded `result`; errors are exceptions."""

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        try:
            self._provider = KeepAliveProvider(url, timeout)
        except ValueError as error:
            raise OffchainError(str(error)) from None
        self.name = self._provider.peer

    def ask(self, method: str, params: Sequence[Any]) -> Any:
        """Sends one request.

        Raises:
            ChainUnreachable: no answer, or one that is no JSON-RPC.
            NodeRefused: the node's own error.
        """
        try:
            response: Any = self._provider.make_request(RPCEndpoint(method), list(params))
        except ValueError as error:
            raise ChainUnreachable(f"{self.name} did not answer in JSON") from error
        if isinstance(response, Mapping) and "error" in response:
            raise _refusal(method, response["error"])
        if not isinstance(response, Mapping) or "result" not in response:
            raise ChainUnreachable(f"{self.name} did not answer in JSON-RPC")
        return response["result"]


class Quorum:
    """Several nodes of one chain, read as one.

    Args:
        nodes: at least one.
        need: how many must agree; the default is a majority.
    """

    def __init__(self, nodes: Sequence[Node], need: int | None = None) -> None:
        self._nodes = tuple(nodes)
        self.need = need if need is not None else len(self._nodes) // 2 + 1
        if not self._nodes:
            raise OffchainError("no RPC address is configured")
        if not 1 <= self.need <= len(self._nodes):
            raise OffchainError(f"a quorum of {self.need} of {len(self._nodes)} is impossible")
        self._pool = ThreadPoolExecutor(len(nodes)) if len(nodes) > 1 else None

    @classmethod
    def connect(cls, urls: Sequence[str], need: int | None = None, timeout: float = 30.0) -> Quorum:
        """A quorum over nodes by address; asks nothing yet."""
        return cls([Node(url, timeout) for url in urls], need)

    def describe(self) -> str:
        """How far a reading can be trusted, in plain words."""
        if len(self._nodes) == 1:
            return "quorum 1 of 1: a single node is trusted"
        return f"quorum {self.need} of {len(self._nodes)}"

    def close(self) -> None:
        """Ends the worker threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)

    # ---- readings ----

    def chain_id(self) -> int:
        """The chain that the nodes are on."""
        return self._agree("eth_chainId", [], _number)

    def head_number(self) -> int:
        """The highest block number that a quorum of nodes has reached."""
        return self._reached("eth_blockNumber", [])

    def nonce(self, address: str, block: int | str = "latest") -> int:
        """Transactions of `address` mined, as far as a quorum of nodes has seen."""
        return self._reached("eth_getTransactionCount", [address, _tag(block)])

    def block(self, number: int) -> Block | None:
        """The block at a height, or None if a quorum does not have it yet."""
        return self._agree("eth_getBlockByNumber", [hex(number), False], _block)

    def logs(
        self, addresses: Sequence[str], *, block_hash: str | None = None, span: range | None = None
    ) -> list[RawLog]:
        """Logs of contracts, in chain order, of one block by hash or of a span of heights."""
        where: dict[str, Any] = {"address": list(addresses)}
        if block_hash is not None:
            where["blockHash"] = block_hash
        elif span:
            where |= {"fromBlock": hex(span[0]), "toBlock": hex(span[-1])}
        return list(self._agree("eth_getLogs", [where], _logs))

    def call(
        self, to: str, data: bytes, *, sender: str | None = None, block: int | str = "latest"
    ) -> bytes:
        """Runs a call without a transaction.

        Raises:
            NodeRefused: with `reverted` and the revert data if it reverts.
        """
        request = {"to": to, "data": "0x" + data.hex()} | ({"from": sender} if sender else {})
        return self._agree("eth_call", [request, _tag(block)], _bytes)

    def code(self, address: str) -> bytes:
        """Runtime code at an address."""
        return self._agree("eth_getCode", [address, "latest"], _bytes)

    def estimate(self, sender: str, to: str, data: bytes, value: int) -> int:
        """Gas that a transaction would need now: the highest of a quorum of answers.

        Raises:
            NodeRefused: with `reverted` and the revert data if it would revert.
        """
        request = {"from": sender, "to": to, "data": "0x" + data.hex(), "value": hex(value)}
        return self._reached("eth_estimateGas", [request])

    def receipt(self, tx: str) -> Receipt | None:
        """Where a transaction was mined, or None."""
        return self._agree("eth_getTransactionReceipt", [tx], _receipt)

    def send(self, raw: bytes) -> tuple[Delivery, str]:
        """Offers a signed transaction to every node; one that takes it is enough.

        Returns:
            what became of it, and a word on why if it was not accepted.
        """
        answers = self._ask_all("eth_sendRawTransaction", ["0x" + raw.hex()])
        refused, lost = [], []
        for answer in answers:
            if isinstance(answer, NodeRefused):
                if "already" in str(answer).lower() and "known" in str(answer).lower():
                    return Delivery.ACCEPTED, ""
                if "already imported" in str(answer).lower():
                    return Delivery.ACCEPTED, ""
                refused.append(str(answer))
            elif isinstance(answer, ChainUnreachable):
                lost.append(str(answer))
            else:
                return Delivery.ACCEPTED, ""
        return (Delivery.UNKNOWN, lost[0]) if lost else (Delivery.REFUSED, refused[0])

    # ---- agreement ----

    def _ask_all(self, method: str, params: Sequence[Any]) -> list[Any]:
        def ask(node: Node) -> Any:
            try:
                return node.ask(method, params)
            except (ChainUnreachable, NodeRefused) as error:
                return error

        if self._pool is None:
            return [ask(self._nodes[0])]
        return list(self._pool.map(ask, self._nodes))

    def _agree(self, method: str, params: Sequence[Any], decode: Callable[[Any], T]) -> T:
        """The answer that at least `need` nodes give."""
        groups: dict[str, tuple[int, T | NodeRefused]] = {}
        lost: list[ChainUnreachable] = []
        for answer in self._ask_all(method, params):
            value: T | NodeRefused
            if isinstance(answer, ChainUnreachable):
                lost.append(answer)
                continue
            if isinstance(answer, NodeRefused):
                # NOTE: nodes word an error differently; only a revert's data is the chain's own.
                value, key = answer, f"refused {answer.reverted} {answer.data.hex()}"
            else:
                try:
                    value = decode(answer)
                except (ValueError, TypeError, KeyError, AttributeError):
                    lost.append(ChainUnreachable(f"a node gave no usable answer to {method}"))
                    continue
                key = json.dumps(repr(value))
            count = groups.get(key, (0, value))[0] + 1
            groups[key] = (count, value)
            if count >= self.need:
                if isinstance(value, NodeRefused):
                    raise value
                return value
        if lost and len(self._nodes) - len(lost) < self.need:
            raise lost[0]
        raise NoQuorum(f"fewer than {self.need} of {len(self._nodes)} nodes agree on {method}")

    def _reached(self, method: str, params: Sequence[Any]) -> int:
        """The highest number that at least `need` nodes have reached."""
        numbers: list[int] = []
        errors: list[ChainUnreachable | NodeRefused] = []
        for answer in self._ask_all(method, params):
            if isinstance(answer, ChainUnreachable | NodeRefused):
                errors.append(answer)
                continue
            try:
                numbers.append(_number(answer))
            except (ValueError, TypeError):
                errors.append(ChainUnreachable(f"a node gave no usable answer to {method}"))
        if len(numbers) >= self.need:
            return sorted(numbers, reverse=True)[self.need - 1]
        refused = [error for error in errors if isinstance(error, NodeRefused)]
        if len(refused) >= self.need:
            raise refused[0]
        raise errors[0]


def _refusal(method: str, error: Any) -> NodeRefused:
    message = str(error.get("message", error)) if isinstance(error, Mapping) else str(error)
    data = error.get("data") if isinstance(error, Mapping) else None
    if isinstance(data, Mapping):
        data = data.get("data") or data.get("result")
    raw = b""
    if isinstance(data, str):
        text = data.removeprefix("Reverted ")
        try:
            raw = bytes.fromhex(text.removeprefix("0x")) if text.startswith("0x") else b""
        except ValueError:
            raw = b""
    code = error.get("code") if isinstance(error, Mapping) else None
    reverted = bool(raw) or code == 3 or "revert" in message.lower()
    return NodeRefused(f"{method} refused: {message}", raw, reverted=reverted)


def _tag(block: int | str) -> str:
    return hex(block) if isinstance(block, int) else block


def _number(answer: Any) -> int:
    return int(answer, 16)


def _bytes(answer: Any) -> bytes:
    return bytes.fromhex(answer.removeprefix("0x"))


def _block(answer: Any) -> Block | None:
    if answer is None:
        return None
    return Block(
        number=_number(answer["number"]),
        hash=answer["hash"].lower(),
        parent=answer["parentHash"].lower(),
        time=_number(answer["timestamp"]),
        base_fee=_number(answer.get("baseFeePerGas") or "0x0"),
    )


def _logs(answer: Any) -> tuple[RawLog, ...]:
    found = [
        RawLog(
            block=_number(log["blockNumber"]),
            block_hash=log["blockHash"].lower(),
            tx=log["transactionHash"].lower(),
            index=_number(log["logIndex"]),
            address=log["address"].lower(),
            topics=tuple(_bytes(topic) for topic in log["topics"]),
            data=_bytes(log["data"]),
        )
        for log in answer
        if not log.get("removed")
    ]
    return tuple(sorted(found, key=lambda log: (log.block, log.index)))


def _receipt(answer: Any) -> Receipt | None:
    if answer is None:
        return None
    return Receipt(
        tx=answer["transactionHash"].lower(),
        block=_number(answer["blockNumber"]),
        block_hash=answer["blockHash"].lower(),
        success=_number(answer["status"]) == 1,
        gas_used=_number(answer["gasUsed"]),
        price=_number(answer.get("effectiveGasPrice") or "0x0"),
    )
