"""Whatever is done to a stored journal is found, whoever did it and however well he hid it."""

from __future__ import annotations

import dataclasses
import os
import random
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from offchain.journal.events import GENESIS, Draft, Event, Kind, PayloadError, seal
from offchain.journal.merkle import Frontier
from offchain.journal.store import Journal, JournalError
from offchain.journal.verify import (
    Checkpoint,
    Checkpointer,
    FileAnchor,
    Finding,
    verify,
    verify_events,
)

SIZE = 12


def history(size: int = SIZE) -> list[Event]:
    events: list[Event] = []
    previous = GENESIS
    for seq in range(1, size + 1):
        draft = Draft(Kind.INCIDENT, "test", f"case:{seq % 3}", {"number": seq % 4})
        events.append(seal(draft, seq, 1_700_000_000 + seq // 3, previous))
        previous = events[-1].hash
    return events


def anchor(events: list[Event]) -> Checkpoint:
    return Checkpoint(len(events), Frontier(event.hash for event in events).root())


def rechained(events: list[Event]) -> list[Event]:
    """What a careful forger does: numbers and hashes made right again."""
    done: list[Event] = []
    previous = GENESIS
    for seq, event in enumerate(events, 1):
        draft = Draft(Kind(event.kind), event.actor, event.cause, event.payload)
        done.append(seal(draft, seq, event.time, previous))
        previous = done[-1].hash
    return done


def test_verify__untouched__sound() -> None:
    events = history()
    result = verify_events(events, [anchor(events), anchor(events[:5]), anchor([])])
    assert result.sound
    assert (result.size, result.head) == (SIZE, events[-1].hash)


def test_verify__numbers_skipped__the_gap_alone_found() -> None:
    """Property: J1. Hashes and links are right, so that nothing else shows it."""
    events = history(3)
    for seq in (5, 6):
        draft = Draft(Kind.INCIDENT, "test", "", {})
        events.append(seal(draft, seq, 1_700_000_001, events[-1].hash))
    assert verify_events(events).findings == (Finding(4, "its place is taken by event 5"),)


def test_verify__link_to_another_event__that_alone_found() -> None:
    """Property: J1. The event's hash is right for what it says, so that nothing else shows it."""
    events = history(3)
    draft = Draft(Kind.INCIDENT, "test", "", {})
    events.append(seal(draft, 4, 1_700_000_001, events[1].hash))
    expected = (Finding(4, "it does not follow the event before it"),)
    assert verify_events(events).findings == expected


@pytest.mark.parametrize(
    "payload", ['{"number": 1}', '{"b":1,"a":2}', '{"a":1,"a":1}', '{"a":"\\u0061"}']
)
def test_verify__payload_not_canonical__that_alone_found(payload: str) -> None:
    """Property: J1. The event's hash is right for the text that is stored."""
    event = dataclasses.replace(history(1)[0], payload_json=payload)
    event = dataclasses.replace(event, hash=event.expected_hash())
    assert verify_events([event]).findings == (Finding(1, "its payload is not canonical"),)


positions = st.integers(0, SIZE - 1)


@st.composite
def tampered(draw: st.DrawFn) -> list[Event]:
    events = history()
    at = draw(positions)
    how = draw(st.sampled_from(["change", "drop", "swap", "insert", "repeat"]))
    if how == "change":
        field = draw(
            st.sampled_from([f.name for f in dataclasses.fields(Event)]),
        )
        old = getattr(events[at], field)
        new: object
        if isinstance(old, int):
            new = draw(st.integers(-(2**64), 2**64).filter(lambda v: v != old))
        elif isinstance(old, bytes):
            bit = draw(st.integers(0, 255))
            new = (int.from_bytes(old, "big") ^ (1 << bit)).to_bytes(32, "big")
        else:
            new = draw(st.text(max_size=30).filter(lambda v: v != old))
        events[at] = dataclasses.replace(events[at], **{field: new})
    elif how == "drop":
        del events[at if at < SIZE - 1 else 0]
    elif how == "swap":
        other = draw(positions.filter(lambda v: v != at))
        events[at], events[other] = events[other], events[at]
    elif how == "insert":
        extra = seal(Draft(Kind.INCIDENT, "forger", "", {}), at + 1, 0, events[at].previous)
        events.insert(at, extra)
    else:
        events.insert(at, events[draw(positions)])
    return events


@given(tampered())
def test_verify__any_clumsy_change__found(events: list[Event]) -> None:
    """Property: J1."""
    assert not verify_events(events).sound


@given(tampered(), st.integers(1, SIZE))
def test_verify__rechained_by_a_forger__found_by_anchor(events: list[Event], size: int) -> None:
    """Property: J1. With the head anchored, even a journal that was rebuilt whole is found."""
    try:
        forged = rechained(events)
    except (ValueError, AssertionError, PayloadError):
        reject()  # what was changed cannot be written as an event at all
    honest = history()
    changed = forged[:SIZE] != honest
    assert verify_events(forged, [anchor(honest)]).sound is not changed
    prefix_changed = forged[:size] != honest[:size]
    assert verify_events(forged, [anchor(honest[:size])]).sound is not prefix_changed


@given(st.integers(0, SIZE - 1))
def test_verify__truncated__found_by_anchor_only(size: int) -> None:
    """Property: J1."""
    events = history()
    assert verify_events(events[:size]).sound
    result = verify_events(events[:size], [anchor(events)])
    assert [finding.what for finding in result.findings] == [
        "the journal ends before an anchor of 12"
    ]


def test_verify__stored_rows_rewritten_behind_the_triggers__found(tmp_path: Path) -> None:
    """Property: J1."""
    path = tmp_path / "journal.db"
    rng = random.Random(7)
    with Journal.open(str(path), clock=lambda: 5) as journal:
        journal.append([Draft(Kind.INCIDENT, "test", "", {"n": n}) for n in range(50)])
    for statement in (
        "UPDATE events SET payload = replace(payload, 'n', 'm') WHERE seq = :at",
        "UPDATE events SET time = time + 1 WHERE seq = :at",
        "DELETE FROM events WHERE seq = :at",
        "UPDATE events SET seq = seq + 100 WHERE seq = :at",
        "UPDATE events SET hash = randomblob(32) WHERE seq = :at",
        "UPDATE events SET payload = 'junk' WHERE seq = :at",
    ):
        copy = tmp_path / "copy.db"
        copy.write_bytes(path.read_bytes())
        with sqlite3.connect(copy) as database:
            triggers = database.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall()
            for name, _ in triggers:
                database.execute(f"DROP TRIGGER {name}")
            assert database.execute(statement, {"at": rng.randint(1, 49)}).rowcount == 1
            for _, sql in triggers:
                database.execute(sql)
        database.close()
        with Journal.open(str(copy), create=False) as journal:
            assert not verify(journal).sound, statement
        copy.unlink()


def test_checkpointer__enough_events__checkpoint_in_journal_and_anchor(tmp_path: Path) -> None:
    anchors = FileAnchor(tmp_path / "elsewhere" / "anchors.jsonl")
    with Journal.open(str(tmp_path / "journal.db")) as journal:
        checkpointer = Checkpointer(journal, every=10, anchor=anchors)
        assert checkpointer.run(force=True) is None
        journal.append([Draft(Kind.INCIDENT, "test", "", {})] * 9)
        assert checkpointer.run() is None
        journal.append([Draft(Kind.INCIDENT, "test", "", {})])
        first = checkpointer.run()
        assert first is not None
        assert first.size == 10
        assert checkpointer.run(force=True) is None
        journal.append([Draft(Kind.INCIDENT, "test", "", {})])
        second = Checkpointer(journal, every=10, anchor=anchors).run(force=True)
        assert second is not None
        assert second.size == 12
        assert anchors.read() == [first, second]
        assert verify(journal, anchors.read()).sound
        assert Checkpoint.parse(str(second)) == second


def test_checkpointer__no_anchor__checkpoint_in_journal_alone(tmp_path: Path) -> None:
    with Journal.open(str(tmp_path / "journal.db")) as journal:
        journal.append([Draft(Kind.INCIDENT, "test", "", {})])
        first = Checkpointer(journal, every=10).run(force=True)
        assert first is not None
        assert first.size == 1
        (event,) = journal.events(kinds=[Kind.CHECKPOINT])
        assert event.payload == {"size": 1, "root": first.root.hex()}
        assert verify(journal, [first]).sound


def test_verify__checkpoint_event_with_a_false_root__found() -> None:
    events = history(3)
    payload = {"size": 3, "root": "00" * 32}
    events.append(seal(Draft(Kind.CHECKPOINT, "journal", "", payload), 4, 0, events[-1].hash))
    result = verify_events(events)
    assert [finding.seq for finding in result.findings] == [4]


def test_file_anchor__torn_or_damaged__torn_line_dropped_damage_refused(tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    anchors = FileAnchor(path)
    one, two = anchor(history(1)), anchor(history(2))
    anchors.add(one)
    with path.open("a") as handle:
        handle.write('{"size": 9, "ro')
    assert anchors.read() == [one]
    anchors.add(two)
    assert anchors.read() == [one, two]
    path.write_text(path.read_text().replace('"size": 1', '"size": "x"'))
    with pytest.raises(JournalError, match="damaged at line 1"):
        anchors.read()
    path.write_bytes(b"\xff\n")
    with pytest.raises(JournalError, match="cannot be read"):
        anchors.read()


def test_file_anchor_add__any__whole_line_asked_to_be_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "anchors.jsonl"
    synced: list[bytes] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        assert os.path.samestat(os.fstat(descriptor), path.stat())
        synced.append(path.read_bytes())
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    anchors = FileAnchor(path)
    for size in (1, 2):
        anchors.add(anchor(history(size)))
        assert len(synced) == size
        assert synced[-1] == path.read_bytes()


def test_file_anchor_add__file_cannot_be_written__one_line(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be written"):
        FileAnchor(tmp_path).add(anchor(history(1)))


def test_checkpoint_parse__nothing_yet__accepted() -> None:
    checkpoint = anchor([])
    assert checkpoint.size == 0
    assert Checkpoint.parse(str(checkpoint)) == checkpoint


@pytest.mark.parametrize("text", ["", "5", "5:zz", "x:" + "00" * 32, "-1:" + "00" * 32, "5:0011"])
def test_checkpoint_parse__not_a_checkpoint__one_line(text: str) -> None:
    with pytest.raises(JournalError, match="is not SIZE:ROOT"):
        Checkpoint.parse(text)


def test_verify__hashes_that_are_never_recomputed__change_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: J1. A verifier that believes the hash in each event passes over a changed one."""
    events = history()
    events[3] = dataclasses.replace(events[3], actor="forger")
    assert not verify_events(events).sound
    monkeypatch.setattr(Event, "expected_hash", lambda event: event.hash)
    assert verify_events(events).sound
