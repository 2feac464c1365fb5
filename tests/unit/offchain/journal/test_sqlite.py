"""What the SQLite journal promises beyond test_store.py: its file, its settings, its locks."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offchain.journal.events import GENESIS, Draft, Event, Kind, seal
from offchain.journal.sqlite import APPLICATION_ID, TRIGGERS, SqliteBackend
from offchain.journal.store import SCHEMA_VERSION, Head, JournalError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def backend(path: Path) -> Iterator[SqliteBackend]:
    with contextlib.closing(SqliteBackend(path, create=True, busy_seconds=0.0)) as backend:
        yield backend


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[sqlite3.Connection]]:
    """Every connection made from now on, on a SQLite that was built with careless defaults."""
    made: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def careless(*args: Any, **named: Any) -> sqlite3.Connection:
        made.append(connect(*args, **named))
        made[-1].execute("PRAGMA synchronous = OFF")
        made[-1].execute("PRAGMA recursive_triggers = OFF")
        return made[-1]

    monkeypatch.setattr(sqlite3, "connect", careless)
    yield made
    for connection in made:
        connection.close()


def change(path: Path, *statements: str) -> None:
    """Does to the file what somebody else could."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


def following(head: Head, *kinds: Kind) -> list[Event]:
    events: list[Event] = []
    seq, previous = head.seq, head.hash
    for seq, kind in enumerate(kinds or (Kind.INCIDENT,), head.seq + 1):
        events.append(seal(Draft(kind, "test", "case", {"seq": seq}), seq, 7, previous))
        previous = events[-1].hash
    return events


def descriptors(path: Path) -> int:
    """How many open descriptors of this process are of the file."""
    wanted, count = path.stat(), 0
    for entry in Path("/dev/fd").iterdir():
        with contextlib.suppress(OSError):
            count += os.path.samestat(os.fstat(int(entry.name)), wanted)
    return count


def test_open__folders_missing__made(tmp_path: Path) -> None:
    path = tmp_path / "far" / "away" / "journal.db"
    SqliteBackend(path, create=True).close()
    assert path.is_file()


def test_open__folder_cannot_be_made__one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match="cannot be opened"):
        SqliteBackend(tmp_path / "file" / "journal.db", create=True)


def test_open__missing_and_not_to_be_created__nothing_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="does not exist"):
        SqliteBackend(tmp_path / "folder" / "journal.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_open__empty_file_and_not_to_be_created__refused_untouched(path: Path) -> None:
    path.touch()
    with pytest.raises(JournalError, match="is not a Breakwater journal"):
        SqliteBackend(path, create=False)
    assert path.read_bytes() == b""


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("create", [True, False])
def test_open__another_application__refused(path: Path, create: bool) -> None:
    change(path, f"PRAGMA application_id = {APPLICATION_ID + 1}")
    with pytest.raises(JournalError, match="is not a Breakwater journal"):
        SqliteBackend(path, create=create)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("version", [SCHEMA_VERSION - 1, SCHEMA_VERSION + 1])
def test_open__another_schema__refused(path: Path, version: int) -> None:
    change(path, f"PRAGMA user_version = {version}")
    with pytest.raises(JournalError, match=f"has schema {version}, not {SCHEMA_VERSION}"):
        SqliteBackend(path, create=True)


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize("trigger", sorted(TRIGGERS))
def test_open__one_trigger_lost__named(path: Path, trigger: str) -> None:
    change(path, f"DROP TRIGGER {trigger}")
    with pytest.raises(JournalError, match=f"lost its triggers: {trigger}$"):
        SqliteBackend(path, create=True)


@pytest.mark.usefixtures("backend")
def test_open__one_trigger_more__opened(path: Path) -> None:
    change(path, "CREATE TRIGGER more BEFORE DELETE ON events BEGIN SELECT 1; END")
    SqliteBackend(path, create=False).close()


def test_open__careless_defaults__full_sync_wal_and_recursive_triggers_in_force(
    path: Path, connections: list[sqlite3.Connection]
) -> None:
    SqliteBackend(path, create=True)
    (database,) = connections
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA recursive_triggers").fetchone() == (1,)


def test_open__refused__database_closed(path: Path, connections: list[sqlite3.Connection]) -> None:
    change(path, "CREATE TABLE accounts (id INTEGER)")
    with pytest.raises(JournalError):
        SqliteBackend(path, create=True)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connections[-1].execute("SELECT 1")


def test_append__second_event_refused__neither_stored(backend: SqliteBackend) -> None:
    first = backend.append(following)[0]

    def forked(head: Head) -> list[Event]:
        (good,) = following(head)
        return [good, *following(Head(good.seq, b"\x01" * 32))]

    with pytest.raises(JournalError, match="append-only"):
        backend.append(forked)
    assert backend.head() == Head(1, first.hash)
    assert backend.append(following)[0].seq == 2


def test_append__database_rolled_back_by_itself__its_own_reason(
    backend: SqliteBackend, path: Path
) -> None:
    change(
        path,
        "CREATE TRIGGER full BEFORE INSERT ON events "
        "BEGIN SELECT RAISE(ROLLBACK, 'the disk is full'); END",
    )
    with pytest.raises(JournalError, match="cannot be appended to: the disk is full"):
        backend.append(following)
    change(path, "DROP TRIGGER full")
    assert backend.append(following)[0].seq == 1


def test_append__number_beyond_the_database__one_line(backend: SqliteBackend) -> None:
    (event,) = following(Head())
    with pytest.raises(JournalError, match="cannot be appended to"):
        backend.append(lambda _: [Event(2**63, *event.row[1:])])
    assert backend.head() == Head(0, GENESIS)


def test_append__another_writes__refused_until_it_ends(backend: SqliteBackend, path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="locked"):
            backend.append(following)
        other.execute("COMMIT")
        assert backend.append(following)[0].seq == 1


def test_append__while_it_builds__nobody_else_writes(backend: SqliteBackend, path: Path) -> None:
    with contextlib.closing(SqliteBackend(path, create=True, busy_seconds=0.0)) as other:

        def build(head: Head) -> list[Event]:
            with pytest.raises(JournalError, match="locked"):
                other.append(following)
            return following(head)

        backend.append(build)
        assert other.append(following)[0].seq == 2


def test_read__after_kinds_and_limit__the_first_that_fit_in_order(backend: SqliteBackend) -> None:
    kinds = (Kind.INCIDENT, Kind.BLOCK, Kind.INCIDENT, Kind.CHECKPOINT, Kind.BLOCK)
    events = list(backend.append(lambda head: following(head, *kinds)))
    assert backend.read(0, [], 9) == events
    assert backend.read(0, [], 2) == events[:2]
    assert backend.read(2, [], 2) == events[2:4]
    assert backend.read(1, [Kind.BLOCK.value], 9) == [events[1], events[4]]
    assert backend.read(2, [Kind.BLOCK.value, Kind.INCIDENT.value], 1) == [events[2]]
    assert backend.read(5, [], 9) == []
    with pytest.raises(JournalError, match="cannot be read"):
        backend.read(2**63, [], 1)


def test_lead__first__lock_file_is_the_owners_alone(backend: SqliteBackend, path: Path) -> None:
    umask = os.umask(0)
    try:
        backend.lead()
    finally:
        os.umask(umask)
    assert path.with_name("journal.db.lock").stat().st_mode & 0o777 == 0o600


def test_lead__lock_file_cannot_be_opened__one_line(backend: SqliteBackend, path: Path) -> None:
    path.with_name("journal.db.lock").mkdir()
    with pytest.raises(JournalError, match="cannot be locked"):
        backend.lead()


def test_lead__again_or_refused__one_descriptor(backend: SqliteBackend, path: Path) -> None:
    lock = path.with_name("journal.db.lock")
    backend.lead()
    backend.lead()
    with contextlib.closing(SqliteBackend(path, create=False)) as other:
        with pytest.raises(JournalError, match="another orchestrator already runs"):
            other.lead()
        assert descriptors(lock) == 1
        backend.close()
        assert descriptors(lock) == 0
        other.lead()


def test_close__twice__no_longer_usable(backend: SqliteBackend, path: Path) -> None:
    backend.lead()
    backend.close()
    backend.close()
    assert descriptors(path) == 0
    with pytest.raises(JournalError, match="closed"):
        backend.head()
    with pytest.raises(JournalError, match="closed"):
        backend.append(following)
