"""Brings batches to the gateway and takes down what the chain says became of every intent.

Nothing is settled because a call returned; it is settled when the gateway's own event lies deep
enough on the live branch. A batch that anybody settled is never sent again. One that is refused for
what is in it is split, and its intents are packed alone from then on; a lone one is dropped.
"""

from __future__ import annotations

from typing import Any

from offchain.batch.intents import Batch, Intent, Pool
from offchain.batch.packer import BatchLimits, batch_id, expired, pack
from offchain.chain.head import LiveView
from offchain.chain.sender import Sender
from offchain.chain.txbook import Refusal, Tx, TxState, Urgency
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal
from offchain.keeper.view import ContractView, ReadError, interface

# The order of `IDepositGateway.Rejection`; an ABI does not carry the names.
REASONS = (
    "NONE",
    "EXPIRED",
    "NONCE_USED",
    "BAD_SIGNATURE",
    "ZERO_AMOUNT",
    "NOT_FUNDED",
    "BELOW_MINIMUM",
    "NO_ROOM",
    "REFUSED",
)
PASSING = frozenset({"NOT_FUNDED", "BELOW_MINIMUM", "NO_ROOM"})
MAX_TRIES = 3
# Intents that are tried in simulation to learn whether settling works at all.
PROBES = 8
PROBE_ID = 2**32 - 1
GATEWAY, ROUTER = "DepositGateway", "CapitalRouter"


class Settler:
    """Packs, settles and records.

    Args:
        journal: where facts go.
        sender: sends for the batcher role.
        chain_id: part of a batch's id.
        limits: of one batch.
        confirmations: depth at which the gateway's event counts.
        max_open: batches that may be under way at once.
    """

    def __init__(
        self,
        journal: Journal,
        sender: Sender,
        chain_id: int,
        limits: BatchLimits,
        *,
        confirmations: int,
        max_open: int = 4,
    ) -> None:
        self._journal = journal
        self._sender = sender
        self._chain_id = chain_id
        self._limits = limits
        self._confirmations = confirmations
        self._max_open = max_open
        self._seen: dict[str, int] = {}
        self.pool = Pool()

    def step(self, view: ContractView, live: LiveView, allowed: frozenset[str]) -> None:
        """One pass: record what settled, push what is packed, pack what waits.

        Args:
            view: the contracts at the head.
            live: the live branch.
            allowed: kinds of intents that may be packed now.
        """
        self.pool.refold(self._journal)
        for batch in list(self.pool.batches.values()):
            if not self._record(batch, view, live):
                self._push(batch, view)
        self._drop(view)
        for kind in ("exit", "deposit"):
            if kind in allowed and self._has_room(kind, view):
                self._pack_alone(kind, view)
                self._pack(kind, view)

    # ---- packing ----

    @staticmethod
    def _has_room(kind: str, view: ContractView) -> bool:
        """Whether the router takes or pays anything now; while it is frozen no try is wasted."""
        if kind == "deposit":
            most = view.read(ROUTER, ROUTER, "maxDeposit", view.address(GATEWAY))
        else:
            most = view.read(ROUTER, ROUTER, "availableLiquidity")
        return bool(most)

    def _pack_alone(self, kind: str, view: ContractView) -> None:
        """NOTE: those never take all places, or whoever spoils batches would stop the others."""
        under_way = sum(b.intents[0].id in self.pool.alone for b in self.pool.batches.values())
        waiting = [i for i in self.pool.waiting.values() if i.id in self.pool.alone]
        first = next((i for i in waiting if i.kind == kind), None)
        if first is not None and self._has_place() and under_way < max(1, self._max_open // 2):
            self._commit(kind, [first], view)

    def _has_place(self) -> bool:
        return len(self.pool.batches) < self._max_open

    def _pack(self, kind: str, view: ContractView) -> None:
        waiting = [
            i for i in self.pool.waiting.values() if i.kind == kind and i.id not in self.pool.alone
        ]
        chosen = pack(waiting, kind, self._limits)
        now = view.block.number
        for intent in waiting:
            self._seen.setdefault(intent.id, now)
        if not chosen or not self._has_place():
            return
        patient = now - self._seen[chosen[0].id] < self._limits.patience
        if patient and len(chosen) < self._limits.room(kind):
            return
        self._commit(kind, chosen, view)

    def _commit(self, kind: str, chosen: list[Intent], view: ContractView) -> None:
        """Makes a batch of those that the chain has not seen, and pushes it."""
        fresh = [i for i in chosen if not self._used(i, view)]
        for intent in chosen:
            if intent not in fresh:
                self._discard(intent, "NONCE_USED on chain before it was packed", view)
        if not fresh:
            return
        tried = [(i.id, self.pool.tries(i.id)) for i in fresh]
        name = batch_id(self._chain_id, view.address(GATEWAY), tried)
        payload = {"batch": name, "kind": kind, "intents": [i.id for i in fresh]}
        self._append(Kind.BATCH_PACKED, payload, f"block:{view.block.number}")
        for intent in fresh:
            self._seen.pop(intent.id, None)
        self._push(self.pool.batches[name], view)

    def _used(self, intent: Intent, view: ContractView) -> bool:
        answer = view.read(GATEWAY, "DepositGateway", "isNonceUsed", intent.owner, intent.nonce)
        return bool(answer)

    def _drop(self, view: ContractView) -> None:
        for intent in expired(
            list(self.pool.waiting.values()), view.block.time, self._limits.margin
        ):
            self._discard(intent, "EXPIRED before it was packed", view)

    def _discard(self, intent: Intent, why: str, view: ContractView) -> None:
        self._seen.pop(intent.id, None)
        payload = {"id": intent.id, "why": why}
        self._append(Kind.INTENT_DROPPED, payload, f"block:{view.block.number}")

    # ---- settling ----

    def _push(self, batch: Batch, view: ContractView) -> None:
        settled = view.read(
            GATEWAY, "DepositGateway", "isBatchSettled", bytes.fromhex(batch.id[2:])
        )
        if settled:
            return
        key = f"settle:{batch.id}"
        last = self._sender.latest(key)
        if last is not None and self._is_to_blame(batch, last, view):
            self._split(batch, last, view)
            return
        self._sender.request(
            key,
            view.address(GATEWAY),
            interface("DepositGateway").encode("settle", *_arguments(batch.id, batch.intents)),
            head=view.block,
            why=f"{len(batch.intents)} {batch.kind} intents",
            urgency=Urgency.ORDINARY if batch.kind == "deposit" else Urgency.REDUCE,
            cause=f"event:{batch.seq}",
        )

    # ---- refused ----

    def _is_to_blame(self, batch: Batch, tx: Tx, view: ContractView) -> bool:
        """Whether a batch was refused for what is in it, and not because nothing settles now.

        It needs more gas than a transaction may have; or it fails while something else of its kind
        settles, both at this block. While all is frozen everything fails, so nothing is to blame.
        """
        if tx.state is not TxState.REFUSED:
            return False
        if tx.refusal is Refusal.GAS:
            return True
        if not self._sender.due_again(tx, view.block):
            return False
        if self._simulate(batch.intents, view) is not None:
            return False
        others = [i for i in self._known(batch.kind) if i not in batch.intents]
        others += batch.intents if len(batch.intents) > 1 else ()
        # NOTE: in turns, so that many bad ones cannot hide a good one for ever.
        start = view.block.number * PROBES % max(1, len(others))
        turn = (others[start:] + others[:start])[:PROBES]
        return any(self._simulate((other,), view) for other in turn)

    def _known(self, kind: str) -> list[Intent]:
        packed = [i for b in self.pool.batches.values() for i in b.intents]
        return [i for i in (*packed, *self.pool.waiting.values()) if i.kind == kind]

    def _simulate(self, intents: tuple[Intent, ...], view: ContractView) -> int | None:
        """How many of these would settle in a batch of their own; None if all of it fails."""
        tried = [(intent.id, PROBE_ID) for intent in intents]
        name = batch_id(self._chain_id, view.address(GATEWAY), tried)
        try:
            done = view.read(
                GATEWAY,
                "DepositGateway",
                "settle",
                *_arguments(name, intents),
                sender=self._sender.account,
            )
        except ReadError:
            return None
        return sum(int(count) for count in done)

    def _split(self, batch: Batch, tx: Tx, view: ContractView) -> None:
        """NOTE: a refused transaction was never signed, so none of these can still settle by it."""
        names = [intent.id for intent in batch.intents]
        payload = {
            "batch": batch.id,
            "tx": tx.id,
            "why": tx.note,
            "alone": names if len(names) > 1 else [],
        }
        self._append(Kind.BATCH_SPLIT, payload, f"block:{view.block.number}")

    def _record(self, batch: Batch, view: ContractView, live: LiveView) -> bool:
        """Takes down the gateway's events of this batch, once deep enough on the live branch."""
        summary: dict[str, Any] | None = None
        rejected: dict[tuple[str, int], str] = {}
        for event in self._journal.events(after=batch.seq, kinds=[Kind.LOG]):
            if batch.id not in event.payload_json:
                continue
            log = event.payload
            args = log.get("args", {})
            point = live.at(log["block"])
            if (
                log["contract"] != GATEWAY
                or args.get("batchId") != batch.id
                or point is None
                or point.hash != log["blockHash"]
            ):
                continue
            if log["event"] == "BatchSettled":
                summary = log
            elif log["event"] == "IntentRejected":
                rejected[args["owner"], args["nonce"]] = _reason(args["reason"])
        if summary is None:
            return False
        if view.block.number - summary["block"] + 1 < self._confirmations:
            return True
        reasons = {i.id: rejected[i.slot] for i in batch.intents if i.slot in rejected}
        payload = {
            "batch": batch.id,
            "tx": summary["tx"],
            "block": summary["block"],
            "settled": len(batch.intents) - len(rejected),
            "rejected": reasons,
            "again": [
                name
                for name, reason in reasons.items()
                if reason in PASSING and self.pool.tries(name) < MAX_TRIES
            ],
            "assetsIn": str(summary["args"]["assetsIn"]),
            "assetsOut": str(summary["args"]["assetsOut"]),
        }
        self._append(Kind.BATCH_SETTLED, payload, f"tx:{summary['tx']}")
        return True

    def _append(self, kind: Kind, payload: dict[str, Any], cause: str) -> None:
        self._journal.append([Draft(kind, "batcher", cause, payload)])
        self.pool.refold(self._journal)


def _arguments(name: str, intents: tuple[Intent, ...]) -> tuple[bytes, list[Any], list[Any]]:
    """Of `settle`, for intents that are all of one kind."""
    structs = [intent.struct() for intent in intents]
    deposits, exits = (structs, []) if intents[0].kind == "deposit" else ([], structs)
    return bytes.fromhex(name[2:]), deposits, exits


def _reason(number: int) -> str:
    return REASONS[number] if number < len(REASONS) else f"REASON_{number}"
