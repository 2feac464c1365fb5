"""Brings batches to the gateway and takes down what the chain says became of every intent.

Nothing is settled because a call returned; it is settled when the gateway's own event lies deep
enough on the live branch. A batch that anybody settled is never sent again.
"""

from __future__ import annotations

from typing import Any

from offchain.batch.intents import Batch, Intent, Pool
from offchain.batch.packer import BatchLimits, batch_id, expired, pack
from offchain.chain.head import LiveView
from offchain.chain.sender import Sender
from offchain.chain.txbook import Urgency
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal
from offchain.keeper.view import ContractView, interface

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
GATEWAY = "DepositGateway"


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
            if kind in allowed and len(self.pool.batches) < self._max_open:
                self._pack(kind, view)

    # ---- packing ----

    def _pack(self, kind: str, view: ContractView) -> None:
        waiting = [i for i in self.pool.waiting.values() if i.kind == kind]
        chosen = pack(waiting, kind, self._limits)
        now = view.block.number
        for intent in waiting:
            self._seen.setdefault(intent.id, now)
        if not chosen:
            return
        patient = now - self._seen[chosen[0].id] < self._limits.patience
        if patient and len(chosen) < self._limits.room(kind):
            return
        fresh = [i for i in chosen if not self._used(i, view)]
        for intent in chosen:
            if intent not in fresh:
                self._discard(intent, "NONCE_USED on chain before it was packed", view)
        if not fresh:
            return
        tried = [(i.id, self.pool.tries(i.id)) for i in fresh]
        name = batch_id(self._chain_id, view.address(GATEWAY), tried)
        payload = {"batch": name, "kind": kind, "intents": [i.id for i in fresh]}
        self._append(Kind.BATCH_PACKED, payload, f"block:{now}")
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
        structs = [intent.struct() for intent in batch.intents]
        deposits, exits = (structs, []) if batch.kind == "deposit" else ([], structs)
        data = interface("DepositGateway").encode(
            "settle", bytes.fromhex(batch.id[2:]), deposits, exits
        )
        self._sender.request(
            f"settle:{batch.id}",
            view.address(GATEWAY),
            data,
            head=view.block,
            why=f"{len(structs)} {batch.kind} intents",
            urgency=Urgency.ORDINARY if batch.kind == "deposit" else Urgency.REDUCE,
            cause=f"event:{batch.seq}",
        )

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


def _reason(number: int) -> str:
    return REASONS[number] if number < len(REASONS) else f"REASON_{number}"
