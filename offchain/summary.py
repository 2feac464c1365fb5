"""Figures folded from the journal for people: status, replay, report; it asks no chain."""

from __future__ import annotations

from collections import Counter
from typing import Any

from offchain.batch.intents import Pool
from offchain.chain.head import LiveView
from offchain.chain.txbook import TxBook
from offchain.halt.machine import HaltMachine
from offchain.journal.events import Event, Kind
from offchain.journal.store import Journal


def line(event: Event) -> dict[str, Any]:
    """One event for a line of JSON."""
    return {
        "seq": event.seq,
        "time": event.time,
        "kind": event.kind,
        "actor": event.actor,
        "cause": event.cause,
        "payload": event.payload,
        "hash": event.hash.hex(),
    }


def status(journal: Journal) -> dict[str, Any]:
    """The state in force, in a few figures."""
    standing = HaltMachine(journal).standing()
    head = journal.head()
    figures = {
        "halt_state": standing.state.name,
        "halt_reason": f"{standing.reason} (by {standing.by})",
        "journal_events": head.seq,
        "journal_head": head.hash.hex(),
    }
    rebuilt = replay(journal, None)
    for name in ("followed_block", "transactions", "intents", "batches_open"):
        figures[name] = rebuilt[name]
    return figures


def replay(journal: Journal, until: int | None) -> dict[str, Any]:
    """Every state, rebuilt event by event up to `until`."""
    kinds: Counter[str] = Counter()
    view, book, pool = LiveView(), TxBook(), Pool()
    halt = {"state": "ACTIVE", "by": "journal", "reason": "nothing was ever halted"}
    last = 0
    for event in journal.events():
        if until is not None and event.seq > until:
            break
        last = event.seq
        kinds[event.kind] += 1
        family = event.kind.partition(".")[0]
        if family == "chain":
            view.apply(event)
        elif family == "tx":
            book.apply(event)
        elif family in ("intent", "batch"):
            pool.apply(event)
        elif event.kind == Kind.HALT_CHANGED:
            halt = event.payload
    head = view.head
    return {
        "events": last,
        "kinds": dict(kinds),
        "followed_block": f"{head.number} {head.hash}" if head else "none",
        "transactions": dict(Counter(tx.state.value for tx in book)),
        "intents": {
            "waiting": len(pool.waiting),
            "packed": sum(len(batch.intents) for batch in pool.batches.values()),
            "settled": len(pool.settled),
            "dropped": len(pool.dropped),
        },
        "batches_open": len(pool.batches),
        "halt_state": f"{halt['state']} by {halt['by']}: {halt['reason']}",
    }


def report(journal: Journal) -> dict[str, Any]:
    """Flat figures of everything so far."""
    kinds: Counter[str] = Counter()
    book = TxBook()
    settled = retracted = deepest = 0
    reasons: Counter[str] = Counter()
    for event in journal.events():
        kinds[event.kind] += 1
        if event.kind.startswith("tx."):
            book.apply(event)
        elif event.kind == Kind.BATCH_SETTLED:
            settled += event.payload["settled"]
            reasons.update(event.payload["rejected"].values())
        elif event.kind == Kind.BATCH_SPLIT:
            reasons.update([] if event.payload["alone"] else [event.payload["why"]])
        elif event.kind == Kind.INTENT_DROPPED:
            reasons[event.payload["why"]] += 1
        elif event.kind == Kind.RETRACTED:
            retracted += event.payload["depth"]
            deepest = max(deepest, event.payload["depth"])
    mined = [tx for tx in book if tx.mined is not None]
    batches = [tx for tx in mined if tx.id.startswith("settle:")]
    gas = sum(tx.mined.gas_used for tx in batches if tx.mined)
    return {
        "events": sum(kinds.values()),
        "blocks_followed": kinds[Kind.BLOCK],
        "logs": kinds[Kind.LOG],
        "blocks_retracted": retracted,
        "deepest_reorg": deepest,
        "checkpoints": kinds[Kind.CHECKPOINT],
        "intents_received": kinds[Kind.INTENT_RECEIVED],
        "intents_settled": settled,
        "intents_not_settled": dict(reasons),
        "batches_packed": kinds[Kind.BATCH_PACKED],
        "batches_settled": kinds[Kind.BATCH_SETTLED],
        "batches_split": kinds[Kind.BATCH_SPLIT],
        "batch_gas": gas,
        "batch_gas_per_intent": gas // settled if settled else 0,
        "transactions": dict(Counter(tx.state.value for tx in book)),
        "transactions_by_purpose": dict(Counter(tx.id.partition(":")[0] for tx in book)),
        "transactions_replaced": sum(max(0, len(tx.attempts) - 1) for tx in book),
        "transactions_reverted": sum(not tx.mined.success for tx in mined if tx.mined),
        "gas_used": sum(tx.mined.gas_used for tx in mined if tx.mined),
        "halts": kinds[Kind.HALT_CHANGED],
        "incidents": kinds[Kind.INCIDENT],
    }
