"""What is known of every transaction that was ever intended, folded from the journal alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from offchain.journal.events import Event, Kind
from offchain.journal.store import Journal


class TxState(StrEnum):
    """Where a transaction stands. UNKNOWN is no failure: it may be mined at any moment."""

    INTENDED = "intended"
    SIGNED = "signed"
    SENT = "sent"
    UNKNOWN = "unknown"
    MINED = "mined"
    CONFIRMED = "confirmed"
    FINAL = "final"
    REFUSED = "refused"
    EXPIRED = "expired"
    DISPLACED = "displaced"


class Urgency(StrEnum):
    """What a transaction is for; the halt machine decides by it."""

    BRAKE = "brake"
    REDUCE = "reduce"
    ORDINARY = "ordinary"

    @property
    def rank(self) -> int:
        """Order in which a sender takes them: the brake first."""
        return list(Urgency).index(self)


class Refusal(StrEnum):
    """Why a transaction was refused before it was signed."""

    GAS = "gas"
    SIMULATION = "simulation"


MINED_STATES = frozenset({TxState.MINED, TxState.CONFIRMED, TxState.FINAL})
IN_FLIGHT = frozenset({TxState.SIGNED, TxState.SENT, TxState.UNKNOWN})
ENDED = frozenset({TxState.FINAL, TxState.REFUSED, TxState.EXPIRED, TxState.DISPLACED})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signature over the transaction's nonce. Fees in wei; `block` is when it was signed."""

    hash: str
    raw: str
    max_fee: int
    tip: int
    gas: int
    cancel: bool
    block: int


@dataclass(frozen=True, slots=True)
class Mined:
    """Which attempt was mined, and where."""

    hash: str
    block: int
    block_hash: str
    success: bool
    gas_used: int
    cancel: bool


@dataclass(frozen=True, slots=True)
class Tx:
    """One intended transaction. `deadline` is the last block in which it is wanted."""

    id: str
    account: str
    to: str
    data: str
    value: int
    deadline: int
    urgency: Urgency
    why: str
    state: TxState = TxState.INTENDED
    nonce: int | None = None
    attempts: tuple[Attempt, ...] = ()
    mined: Mined | None = None
    note: str = ""
    ended_at: int | None = None
    refusal: Refusal | None = None

    @property
    def done(self) -> bool:
        """Whether it was mined, did what it was to do, and is at least confirmed."""
        return self.state in (TxState.CONFIRMED, TxState.FINAL) and self._worked

    @property
    def failed(self) -> bool:
        """Whether it certainly did not happen and will not: it may be asked for again.

        NOTE: a cancelled one counts only when final; a reorg could still bring the first attempt.
        A displaced brake counts at once: that it happens twice does no harm, that it waits does.
        """
        return self.state in ENDED and not (self.state is TxState.FINAL and self._worked)

    @property
    def _worked(self) -> bool:
        return self.mined is not None and self.mined.success and not self.mined.cancel


class TxBook:
    """Transactions by id, in the order intended."""

    def __init__(self) -> None:
        self._txs: dict[str, Tx] = {}
        self._open: dict[str, None] = {}
        self.seq = 0

    KINDS = (
        Kind.TX_INTENDED,
        Kind.TX_SIGNED,
        Kind.TX_SENT,
        Kind.TX_UNKNOWN,
        Kind.TX_MINED,
        Kind.TX_UNMINED,
        Kind.TX_CONFIRMED,
        Kind.TX_FINAL,
        Kind.TX_REFUSED,
        Kind.TX_EXPIRED,
        Kind.TX_DISPLACED,
    )

    def refold(self, journal: Journal) -> None:
        """Takes in what was journalled since the last call."""
        for event in journal.events(after=self.seq, kinds=self.KINDS):
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Takes in one `tx.*` event."""
        self.seq = event.seq
        payload = event.payload
        name = payload["id"]
        if event.kind == Kind.TX_INTENDED:
            self._txs[name] = Tx(
                id=name,
                account=payload["account"],
                to=payload["to"],
                data=payload["data"],
                value=int(payload["value"]),
                deadline=payload["deadline"],
                urgency=Urgency(payload["urgency"]),
                why=payload["why"],
            )
            self._open[name] = None
            return
        tx = self._txs[name]
        state = TxState(event.kind.removeprefix("tx.").replace("unmined", "sent"))
        if event.kind == Kind.TX_SIGNED:
            attempt = Attempt(
                hash=payload["hash"],
                raw=payload["raw"],
                max_fee=int(payload["maxFee"]),
                tip=int(payload["tip"]),
                gas=payload["gas"],
                cancel=payload["cancel"],
                block=payload["block"],
            )
            tx = replace(tx, nonce=payload["nonce"], attempts=(*tx.attempts, attempt))
        elif event.kind == Kind.TX_MINED:
            mined = Mined(
                hash=payload["hash"],
                block=payload["block"],
                block_hash=payload["blockHash"],
                success=payload["success"],
                gas_used=payload["gasUsed"],
                cancel=payload["cancel"],
            )
            tx = replace(tx, mined=mined)
        elif event.kind == Kind.TX_UNMINED:
            tx = replace(tx, mined=None)
        note = payload.get("why", tx.note)
        ended_at = payload.get("head", tx.ended_at)
        # NOTE: journals of earlier versions do not say why.
        refusal = Refusal(payload["refusal"]) if "refusal" in payload else tx.refusal
        self._txs[name] = replace(tx, state=state, note=note, ended_at=ended_at, refusal=refusal)
        if state in ENDED:
            self._open.pop(name, None)

    def get(self, name: str) -> Tx | None:
        """One transaction, or None if it was never intended."""
        return self._txs.get(name)

    def open(self, account: str | None = None) -> list[Tx]:
        """Transactions that have not ended, oldest first."""
        found = [self._txs[name] for name in self._open]
        return [tx for tx in found if account is None or tx.account == account]

    def __iter__(self) -> Iterator[Tx]:
        return iter(self._txs.values())

    def latest(self, key: str) -> Tx | None:
        """The newest try of a thing that may be asked for again (`key#1`, `key#2`, …)."""
        found, number = None, 1
        while (tx := self._txs.get(f"{key}#{number}")) is not None:
            found, number = tx, number + 1
        return found

    def taker(self, tx: Tx) -> Tx | None:
        """The other transaction of the account that was mined with this one's nonce, if any."""
        for other in self._txs.values():
            if other.id == tx.id or other.mined is None:
                continue
            if (other.account, other.nonce) == (tx.account, tx.nonce):
                return other
        return None

    def next_nonce(self, account: str) -> int:
        """One above the highest nonce that a live attempt of this account may use."""
        used = [tx.nonce for tx in self.open(account) if tx.nonce is not None]
        return max(used, default=-1) + 1
