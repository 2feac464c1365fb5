"""When a checkpoint goes on chain, over a contract that remembers what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from offchain.chain.rpc import Block
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal
from offchain.journal.verify import Checkpointer
from offchain.keeper.anchors import AnchorJob, name_of, on_chain, replaced
from offchain.keeper.view import ContractView, interface

TARGET = "0x" + "11" * 20
NOW = 1_700_000_000
DAY = 86_400
ZERO = bytes(32)


@dataclass
class Chain:
    """The anchors of one journal; the newest last."""

    anchors: list[Any] = field(default_factory=list)
    current: bytes = ZERO
    present: bool = True
    block: Block = field(default_factory=lambda: Block(1, "0x", "0x", NOW, 10**9))

    def has(self, _name: str) -> bool:
        return self.present

    def address(self, _name: str) -> str:
        return TARGET

    def read(self, _target: str, _artifact: str, function: str, *arguments: Any) -> Any:
        if function == "currentJournal":
            return self.current
        if function == "countOf":
            return len(self.anchors)
        if function == "anchorAt":
            return self.anchors[arguments[1]]
        return self.anchors[-1] if self.anchors else SimpleNamespace(root=ZERO, lastSeq=0, time=0)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(str(tmp_path / "journal.db"), clock=lambda: NOW) as opened:
        yield opened


def write(journal: Journal, count: int) -> None:
    """So many events, and a checkpoint over all there are."""
    draft = Draft(Kind.INCIDENT, "nobody", "", {"what": "x", "why": "x"})
    journal.append([draft] * count)
    assert Checkpointer(journal, 1).run(force=True) is not None


def due(journal: Journal, chain: Chain) -> bool:
    return AnchorJob(journal, every=10, max_age=DAY).due(cast(ContractView, chain))


def anchored(size: int, age: int) -> Any:
    return SimpleNamespace(root=b"\7" * 32, lastSeq=size, time=NOW - age)


def test_due__by_events_or_by_age__and_never_without_anything_new(journal: Journal) -> None:
    assert not due(journal, Chain())
    write(journal, 15)
    assert due(journal, Chain())
    assert not due(journal, Chain(present=False))
    assert due(journal, Chain([anchored(5, age=0)]))
    assert not due(journal, Chain([anchored(6, age=DAY - 1)]))
    assert due(journal, Chain([anchored(6, age=DAY)]))
    assert not due(journal, Chain([anchored(15, age=9 * DAY)]))


def test_call__builds_on_the_last_anchor_with_the_newest_checkpoint(journal: Journal) -> None:
    write(journal, 15)
    write(journal, 4)
    (_, newest) = [e.payload for e in journal.events(kinds=[Kind.CHECKPOINT])]
    last = anchored(6, age=DAY)
    call = AnchorJob(journal, 10, DAY).call(cast(ContractView, Chain([last])))
    name = name_of(journal)
    wanted = (name, 7, newest["size"], bytes.fromhex(newest["root"]), last.root)
    assert call.data == interface("AuditAnchor").encode("anchor", *wanted)
    assert call.key == f"anchor:7:{newest['size']}"


def test_on_chain__every_anchor__is_a_checkpoint(journal: Journal) -> None:
    chain = cast(ContractView, Chain([anchored(6, age=DAY), anchored(9, age=0)]))
    assert on_chain(journal, chain) == [], "a journal without events has no name"
    write(journal, 15)
    assert [point.size for point in on_chain(journal, chain)] == [6, 9]


def test_replaced__names_the_journal_that_the_chain_knows(journal: Journal) -> None:
    write(journal, 1)
    name = name_of(journal)
    assert name is not None
    for current, found in ((ZERO, None), (name, None), (b"\5" * 32, "05" * 32)):
        assert replaced(journal, cast(ContractView, Chain(current=current))) == found
