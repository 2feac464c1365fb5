"""The journal's anchors on chain: reads them and says when the next is due; it sends nothing.

A journal is named by the hash of its first event, so that no other journal can be put in its place
and begin anew without the chain showing it.
"""

from __future__ import annotations

from offchain.chain.txbook import Urgency
from offchain.journal.events import Kind
from offchain.journal.store import Journal
from offchain.journal.verify import Checkpoint
from offchain.keeper.jobs import Call
from offchain.keeper.view import ContractView, interface

ANCHOR = "AuditAnchor"
NOTHING = bytes(32)


def name_of(journal: Journal) -> bytes | None:
    """Hash of the first event; None while there is none."""
    first = next(iter(journal.events(page=1)), None)
    return None if first is None else first.hash


def on_chain(journal: Journal, view: ContractView) -> list[Checkpoint]:
    """Every anchor of this journal at a block; none if the suite has no contract for them.

    Raises:
        ReadError: if the contract does not answer.
    """
    name = name_of(journal)
    if name is None or not view.has(ANCHOR):
        return []
    count = view.read(ANCHOR, ANCHOR, "countOf", name)
    found = (view.read(ANCHOR, ANCHOR, "anchorAt", name, place) for place in range(count))
    return [Checkpoint(anchor.lastSeq, bytes(anchor.root)) for anchor in found]


def replaced(journal: Journal, view: ContractView) -> str | None:
    """The journal that the chain knows instead of this one; None if there is none.

    NOTE: no proof of anything. A new journal is begun after a deep reorg, or for a dry run.
    """
    if not view.has(ANCHOR):
        return None
    current = bytes(view.read(ANCHOR, ANCHOR, "currentJournal"))
    return None if current in (NOTHING, name_of(journal)) else current.hex()


class AnchorJob:
    """Anchors the newest checkpoint when the contract's newest is old, in events or in time.

    Args:
        journal: whose checkpoints are anchored.
        every: events after which an anchor is due.
        max_age: seconds of chain time after which one is due if there is anything new.
    """

    name = "anchor"

    def __init__(self, journal: Journal, every: int, max_age: int) -> None:
        self._journal = journal
        self._every = every
        self._max_age = max_age
        self._newest: Checkpoint | None = None
        self._seq = 0

    def due(self, view: ContractView) -> bool:
        """See `Job.due`."""
        if not view.has(ANCHOR):
            return False
        newest = self._refold()
        if newest is None:
            return False
        last = view.read(ANCHOR, ANCHOR, "latestOf", name_of(self._journal))
        fresh = newest.size - last.lastSeq
        return bool(
            fresh >= self._every or (fresh > 0 and view.block.time >= last.time + self._max_age)
        )

    def call(self, view: ContractView) -> Call:
        """See `Job.call`."""
        newest, name = self._refold(), name_of(self._journal)
        assert newest is not None
        last = view.read(ANCHOR, ANCHOR, "latestOf", name)
        arguments = (name, last.lastSeq + 1, newest.size, newest.root, last.root)
        return Call(
            key=f"anchor:{last.lastSeq + 1}:{newest.size}",
            to=view.address(ANCHOR),
            data=interface(ANCHOR).encode("anchor", *arguments),
            why=f"events {last.lastSeq + 1} to {newest.size} of the journal",
            urgency=Urgency.REDUCE,
        )

    def _refold(self) -> Checkpoint | None:
        for event in self._journal.events(after=self._seq, kinds=[Kind.CHECKPOINT]):
            self._seq = event.seq
            payload = event.payload
            self._newest = Checkpoint(payload["size"], bytes.fromhex(payload["root"]))
        return self._newest
