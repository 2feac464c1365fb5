"""The last act: every balance rebuilt from journalled events alone; no view is believed."""

from __future__ import annotations

from offchain.chain.head import live_events
from offchain.journal.reconcile import Books
from offchain.journal.verify import verify
from offchain.loop import Orchestrator
from scripts._demo.stage import Stage


def close(stage: Stage, orchestrator: Orchestrator) -> None:
    """Follows to the head, reconciles to the wei, verifies the chain of hashes."""
    head = orchestrator.tick()
    journal = orchestrator.journal
    books = Books.build(stage.router.address, live_events(journal))
    assert head is not None
    drifts = books.compare(orchestrator.view(head).read)
    for drift in drifts[:5]:
        stage.say(f"drift: {drift}")
    result = verify(journal)
    balances = len(books.shares)
    stage.say(f"{books.events} events rebuild {balances} balances, {len(drifts)} differ")
    stage.figures |= {
        "nav_drift_wei": sum(abs(drift.wei) for drift in drifts),
        "balances_reconciled": balances,
        "journal_events": journal.head().seq,
        "journal_verified": result.sound,
    }
