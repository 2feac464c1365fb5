"""Sends transactions so that none is lost and none happens twice; it never decides what to send.

Order of facts in the journal: intended → (simulated) → signed, with its nonce → sent. Only then
may the network know of it. After a crash the same signature is offered again, so that whatever
happened before, at most one transaction of an intent can be mined: all its attempts share a nonce.

A brake does not wait behind a transaction that is stuck: it takes over its nonce, for more, and has
a fee cap of its own. Of the two at most one is mined, and whichever is not is tried again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from offchain.chain.rpc import Block, Delivery, NodeRefused, Quorum, Receipt
from offchain.chain.signers import Signer
from offchain.chain.txbook import (
    IN_FLIGHT,
    MINED_STATES,
    Attempt,
    Refusal,
    Tx,
    TxBook,
    TxState,
    Urgency,
)
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal

GWEI = 10**9
CANCEL_GAS = 21_000
Explain = Callable[[bytes], str]


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """Limits of a sender. Fees in wei, everything in blocks.

    Attributes:
        max_fee: most that a unit of gas may cost, whatever happens.
        brake_max_fee: the same for a brake.
        tip: priority fee of a first attempt.
        max_gas: largest gas limit.
        gas_margin_pct: what is added to the estimate.
        replace_after: blocks without being mined after which fees are raised.
        bump_permille: what a replacement pays at least, of the last attempt (1125 = +12.5 %).
        deadline: blocks after which an intent is no longer wanted.
        retry_after: blocks after a certain failure before the same thing is tried again.
        confirmations: depth at which its effects are used.
        finality: depth at which it is no longer watched.
    """

    max_fee: int = 200 * GWEI
    brake_max_fee: int = 1_000 * GWEI
    tip: int = GWEI
    max_gas: int = 15_000_000
    gas_margin_pct: int = 25
    replace_after: int = 3
    bump_permille: int = 1125
    deadline: int = 50
    retry_after: int = 10
    confirmations: int = 2
    finality: int = 64

    def cap(self, urgency: Urgency) -> int:
        """Most that a unit of gas of such a transaction may cost."""
        return self.brake_max_fee if urgency is Urgency.BRAKE else self.max_fee


class Sender:
    """The only writer of one account's nonces.

    NOTE: at most one transaction of an account waits to be mined. Simulation then sees the state
    that the transaction will meet, and a stuck one can always be replaced.
    """

    def __init__(
        self,
        journal: Journal,
        quorum: Quorum,
        signer: Signer,
        chain_id: int,
        *,
        policy: SendPolicy | None = None,
        explain: Explain = lambda data: "0x" + data.hex(),
        allowed: Callable[[Urgency], bool] = lambda _: True,
    ) -> None:
        self._journal = journal
        self._quorum = quorum
        self._signer = signer
        self._chain_id = chain_id
        self._policy = policy or SendPolicy()
        self._explain = explain
        self._allowed = allowed
        self.account = signer.address
        self.book = TxBook()

    # ---- asking for a transaction ----

    def request(
        self,
        key: str,
        to: str,
        data: bytes,
        *,
        head: Block,
        why: str,
        urgency: Urgency = Urgency.ORDINARY,
        value: int = 0,
        cause: str = "",
    ) -> Tx:
        """Makes sure that a thing is being done, once; returns its newest try.

        A thing whose last try certainly failed is intended anew after `retry_after` blocks.
        """
        self.book.refold(self._journal)
        last = self.book.latest(key)
        number = 1
        if last is not None:
            if not last.failed:
                return last
            if not self.due_again(last, head):
                return last
            number = int(last.id.rpartition("#")[2]) + 1
        name = f"{key}#{number}"
        payload = {
            "id": name,
            "account": self.account,
            "to": to,
            "data": "0x" + data.hex(),
            "value": str(value),
            "deadline": head.number + self._policy.deadline,
            "urgency": urgency.value,
            "why": why,
        }
        self._record(Kind.TX_INTENDED, payload, cause or f"block:{head.number}")
        tx = self.book.get(name)
        assert tx is not None
        return tx

    def latest(self, key: str) -> Tx | None:
        """The newest try of a thing, as journalled by now."""
        self.book.refold(self._journal)
        return self.book.latest(key)

    def due_again(self, tx: Tx, head: Block) -> bool:
        """Whether enough blocks have passed since a certain failure to try again."""
        return head.number >= (tx.ended_at or 0) + self._policy.retry_after

    # ---- one pass ----

    def advance(self, head: Block) -> None:
        """Takes every open transaction one step further.

        Raises:
            ChainUnreachable: the nodes do not answer; everything stays as it is, call again.
        """
        self.book.refold(self._journal)
        mined_nonces = self._quorum.nonce(self.account)
        for tx in self.book.open(self.account):
            if tx.state is not TxState.INTENDED:
                self._watch(tx, head, mined_nonces)
        for tx in sorted(self.book.open(self.account), key=lambda tx: tx.urgency.rank):
            if tx.state is not TxState.INTENDED or not self._allowed(tx.urgency):
                continue
            if head.number > tx.deadline:
                self._end(Kind.TX_EXPIRED, tx, head, "its deadline passed before it was signed")
                continue
            waiting = self._waiting(mined_nonces)
            if waiting is None or self._may_take_over(tx, waiting, head):
                self._launch(tx, head, mined_nonces, waiting)

    def _waiting(self, mined_nonces: int) -> Tx | None:
        """The transaction that waits to be mined: of two with one nonce, the more urgent one."""
        found = [
            tx
            for tx in self.book.open(self.account)
            if tx.state in IN_FLIGHT and tx.nonce is not None and tx.nonce >= mined_nonces
        ]
        return min(found, key=lambda tx: tx.urgency.rank, default=None)

    def _may_take_over(self, tx: Tx, waiting: Tx, head: Block) -> bool:
        """A brake may, once a block has come without what waits."""
        return (
            tx.urgency is Urgency.BRAKE
            and waiting.urgency is not Urgency.BRAKE
            and head.number > waiting.attempts[-1].block
        )

    # ---- first signature ----

    def _launch(self, tx: Tx, head: Block, mined_nonces: int, over: Tx | None) -> None:
        """Simulates, signs, sends; with the nonce of `over`, or with the next one."""
        cap = self._policy.cap(tx.urgency)
        fees = self._first_fees(head, cap) if over is None else self._raised(over, head, cap)
        if fees is None:
            return
        try:
            needed = self._quorum.estimate(self.account, tx.to, _bytes(tx.data), tx.value)
        except NodeRefused as error:
            why = self._explain(error.data) if error.data else str(error)
            self._refuse(tx, head, f"simulation: {why}", Refusal.SIMULATION)
            return
        gas = needed + needed * self._policy.gas_margin_pct // 100
        if gas > self._policy.max_gas:
            if needed > self._policy.max_gas:
                self._refuse(tx, head, f"it needs {needed} gas", Refusal.GAS)
                return
            gas = self._policy.max_gas
        if over is not None and over.nonce is not None:
            nonce, why = over.nonce, f"takes over the nonce of {over.id}"
        else:
            nonce, why = max(mined_nonces, self.book.next_nonce(self.account)), ""
        self._sign(tx, nonce, gas, fees, head, cancel=False, why=why)
        self._offer(self._again(tx), head)

    def _first_fees(self, head: Block, cap: int) -> tuple[int, int] | None:
        """(max fee, tip), or None while the chain asks for more than the cap."""
        if head.base_fee + self._policy.tip > cap:
            return None
        return min(2 * head.base_fee + self._policy.tip, cap), min(self._policy.tip, cap)

    # ---- watching ----

    def _watch(self, tx: Tx, head: Block, mined_nonces: int) -> None:
        found = self._find_receipt(tx)
        if found is not None:
            self._mined(tx, found, head)
            return
        if tx.state in MINED_STATES:
            self._check_still_mined(tx)
            return
        assert tx.nonce is not None
        if mined_nonces > tx.nonce:
            self._check_displaced(tx, head)
        elif self._allowed(tx.urgency) and not self._taken_over(tx):
            self._push(tx, head)

    def _taken_over(self, tx: Tx) -> bool:
        """Whether a more urgent one has its nonce; offering it again would outbid the brake."""
        return any(
            other.nonce == tx.nonce and other.urgency.rank < tx.urgency.rank
            for other in self.book.open(self.account)
        )

    def _find_receipt(self, tx: Tx) -> Receipt | None:
        for attempt in reversed(tx.attempts):
            receipt = self._quorum.receipt(attempt.hash)
            if receipt is not None:
                return receipt
        return None

    def _mined(self, tx: Tx, receipt: Receipt, head: Block) -> None:
        if tx.mined is None or tx.mined.block_hash != receipt.block_hash:
            if tx.mined is not None:
                self._record(Kind.TX_UNMINED, {"id": tx.id, "hash": tx.mined.hash})
            cancel = next(a.cancel for a in tx.attempts if a.hash == receipt.tx)
            payload = {
                "id": tx.id,
                "hash": receipt.tx,
                "block": receipt.block,
                "blockHash": receipt.block_hash,
                "success": receipt.success,
                "gasUsed": receipt.gas_used,
                "price": str(receipt.price),
                "cancel": cancel,
            }
            self._record(Kind.TX_MINED, payload, f"block:{receipt.block}")
        depth = head.number - receipt.block + 1
        state = self._again(tx).state
        for kind, name, needed in (
            (Kind.TX_CONFIRMED, TxState.CONFIRMED, self._policy.confirmations),
            (Kind.TX_FINAL, TxState.FINAL, self._policy.finality),
        ):
            earlier = (TxState.MINED,) if name is TxState.CONFIRMED else (TxState.CONFIRMED,)
            if depth >= needed and state in earlier:
                self._record(kind, {"id": tx.id, "head": head.number}, f"block:{head.number}")
                state = name

    def _check_still_mined(self, tx: Tx) -> None:
        """NOTE: a node that lags has no receipt either; only another block in its place counts."""
        assert tx.mined is not None
        block = self._quorum.block(tx.mined.block)
        if block is not None and block.hash != tx.mined.block_hash:
            self._record(Kind.TX_UNMINED, {"id": tx.id, "hash": tx.mined.hash})

    def _check_displaced(self, tx: Tx, head: Block) -> None:
        """Another transaction took the nonce. Said only when that is final, or of a brake."""
        assert tx.nonce is not None
        taker = self.book.taker(tx)
        buried = head.number - self._policy.finality
        final = buried >= 0 and self._quorum.nonce(self.account, buried) > tx.nonce
        if final or (taker is not None and tx.urgency is Urgency.BRAKE):
            whom = "a transaction that is not ours" if taker is None else taker.id
            self._end(Kind.TX_DISPLACED, tx, head, f"nonce {tx.nonce} was used by {whom}")

    def _push(self, tx: Tx, head: Block) -> None:
        """What can be done for a transaction that is signed and not mined."""
        last = tx.attempts[-1]
        cancel, why = last.cancel, "it waits too long"
        due = head.number - last.block >= self._policy.replace_after
        if not last.cancel:
            if head.number > tx.deadline:
                cancel, due, why = True, True, "its deadline passed"
            elif (reason := self._would_revert(tx)) is not None:
                cancel, due, why = True, True, f"it would now revert: {reason}"
        if not (due and self._replace(tx, head, cancel=cancel, why=why)):
            # NOTE: the same signature again; a node that dropped it takes it back, others know it.
            self._offer(tx, head)

    def _would_revert(self, tx: Tx) -> str | None:
        try:
            self._quorum.estimate(self.account, tx.to, _bytes(tx.data), tx.value)
        except NodeRefused as error:
            if error.reverted:
                return self._explain(error.data) if error.data else str(error)
        return None

    def _replace(self, tx: Tx, head: Block, *, cancel: bool, why: str) -> bool:
        """Signs the nonce again for more; False if the cap leaves no room."""
        fees = self._raised(tx, head, self._policy.cap(tx.urgency))
        if fees is None:
            return False
        assert tx.nonce is not None
        gas = CANCEL_GAS if cancel else _gas_of(tx)
        self._sign(tx, tx.nonce, gas, fees, head, cancel=cancel, why=why)
        self._offer(self._again(tx), head)
        return True

    def _raised(self, tx: Tx, head: Block, cap: int) -> tuple[int, int] | None:
        """(max fee, tip) at which nodes let another one take the nonce; None beyond the cap."""
        last = tx.attempts[-1]
        permille = self._policy.bump_permille
        tip = -(-last.tip * permille // 1000)
        max_fee = max(-(-last.max_fee * permille // 1000), 2 * head.base_fee + tip)
        if max_fee > cap:
            # The least that nodes accept, if that still fits.
            max_fee = -(-last.max_fee * permille // 1000)
        return (max_fee, tip) if max_fee <= cap else None

    # ---- signing and offering ----

    def _sign(
        self,
        tx: Tx,
        nonce: int,
        gas: int,
        fees: tuple[int, int],
        head: Block,
        *,
        cancel: bool,
        why: str = "",
    ) -> None:
        max_fee, tip = fees
        raw = self._signer.sign_transaction(
            {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": nonce,
                "maxFeePerGas": max_fee,
                "maxPriorityFeePerGas": tip,
                "gas": gas,
                "to": self.account if cancel else tx.to,
                "value": 0 if cancel else tx.value,
                "data": b"" if cancel else _bytes(tx.data),
            }
        )
        payload = {
            "id": tx.id,
            "nonce": nonce,
            "hash": "0x" + keccak(raw).hex(),
            "raw": "0x" + raw.hex(),
            "gas": gas,
            "maxFee": str(max_fee),
            "tip": str(tip),
            "cancel": cancel,
            "block": head.number,
            "why": why,
        }
        self._record(Kind.TX_SIGNED, payload, f"intent:{tx.id}")

    def _offer(self, tx: Tx, head: Block) -> None:
        """Broadcasts the newest attempt; journals what that changes."""
        last: Attempt = tx.attempts[-1]
        delivery, why = self._quorum.send(_bytes(last.raw))
        if delivery is Delivery.ACCEPTED:
            if tx.state is not TxState.SENT:
                self._record(Kind.TX_SENT, {"id": tx.id, "hash": last.hash})
        elif tx.state is not TxState.UNKNOWN:
            # NOTE: a refusal is no proof either: "nonce too low" is what a mined one gets.
            self._record(
                Kind.TX_UNKNOWN,
                {"id": tx.id, "hash": last.hash, "why": why},
                f"block:{head.number}",
            )

    def _again(self, tx: Tx) -> Tx:
        found = self.book.get(tx.id)
        assert found is not None
        return found

    def _end(self, kind: Kind, tx: Tx, head: Block, why: str) -> None:
        self._record(kind, {"id": tx.id, "why": why, "head": head.number}, f"block:{head.number}")

    def _refuse(self, tx: Tx, head: Block, why: str, refusal: Refusal) -> None:
        payload = {"id": tx.id, "why": why, "head": head.number, "refusal": refusal.value}
        self._record(Kind.TX_REFUSED, payload, f"block:{head.number}")

    def _record(self, kind: Kind, payload: dict[str, Any], cause: str = "") -> None:
        draft = Draft(kind, "sender", cause or f"intent:{payload['id']}", payload)
        self._journal.append([draft])
        self.book.refold(self._journal)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _gas_of(tx: Tx) -> int:
    return next(attempt.gas for attempt in reversed(tx.attempts) if not attempt.cancel)
