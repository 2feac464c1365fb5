"""Keeps the journal in one SQLite file (WAL, full sync); it never updates or deletes a row.

NOTE: `INSERT OR REPLACE` deletes without firing a delete trigger, so the insert trigger asks for
the next number and the right previous hash: that refuses replacement, gaps and forks at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from offchain.journal.events import GENESIS, Event
from offchain.journal.store import SCHEMA_VERSION, Head, JournalError

APPLICATION_ID = 0x42524B57  # "BRKW"

_SCHEMA = f"""
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    cause TEXT NOT NULL,
    payload TEXT NOT NULL,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX events_by_kind ON events (kind, seq);
CREATE TRIGGER events_append_only BEFORE INSERT ON events
WHEN NEW.seq <> coalesce((SELECT max(seq) FROM events), 0) + 1
  OR NEW.previous <> coalesce((SELECT hash FROM events ORDER BY seq DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: an event must follow the last one'); END;
CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: no update'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only: no delete'); END;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""
_COLUMNS = "seq, time, kind, actor, cause, payload, previous, hash"
TRIGGERS = frozenset({"events_append_only", "events_no_update", "events_no_delete"})


class SqliteBackend:
    """Events in one file. Writers from several processes queue on SQLite's own write lock."""

    def __init__(self, path: Path, *, create: bool, busy_seconds: float = 30.0) -> None:
        self._path = path
        self._lock: int | None = None
        with self._errors("opened"):
            if create:
                path.parent.mkdir(parents=True, exist_ok=True)
            elif not path.exists():
                raise JournalError(f"journal {path} does not exist")
            self._db = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
        try:
            self._prepare(create)
        except JournalError:
            self._db.close()
            raise

    def _prepare(self, create: bool) -> None:
        with self._errors("opened"):
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA recursive_triggers = ON")
            if create:
                self._db.execute("BEGIN IMMEDIATE")
                if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    for statement in _statements(_SCHEMA):
                        self._db.execute(statement)
                self._db.execute("COMMIT")
            application = self._db.execute("PRAGMA application_id").fetchone()[0]
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            triggers = {
                name
                for (name,) in self._db.execute(
                    "SELECT name FROM sqlite_master WHERE type='trigger'"
                )
            }
        if application != APPLICATION_ID:
            raise JournalError(f"journal {self._path} is not a Breakwater journal")
        if version != SCHEMA_VERSION:
            raise JournalError(f"journal {self._path} has schema {version}, not {SCHEMA_VERSION}")
        if not triggers >= TRIGGERS:
            missing = ", ".join(sorted(TRIGGERS - triggers))
            raise JournalError(f"journal {self._path} lost its triggers: {missing}")
        with self._errors("opened"):
            # It rewrites the file, so not before the file is known to be a journal.
            self._db.execute("PRAGMA journal_mode = WAL")

    def append(self, build: Callable[[Head], Sequence[Event]]) -> Sequence[Event]:
        """See `Backend.append`."""
        with self._errors("appended to"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                events = build(self.head())
                self._db.executemany(
                    f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    [event.row for event in events],
                )
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        return events

    def head(self) -> Head:
        """See `Backend.head`."""
        with self._errors("read"):
            row = self._db.execute(
                "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        return Head(row[0], bytes(row[1])) if row else Head(0, GENESIS)

    def read(self, after: int, kinds: Sequence[str], limit: int) -> list[Event]:
        """See `Backend.read`."""
        query = f"SELECT {_COLUMNS} FROM events WHERE seq > ?"
        if kinds:
            query += f" AND kind IN ({', '.join('?' * len(kinds))})"
        with self._errors("read"):
            rows = self._db.execute(
                query + " ORDER BY seq LIMIT ?", (after, *kinds, limit)
            ).fetchall()
            return [Event(*row) for row in rows]

    def lead(self) -> None:
        """See `Backend.lead`. The lock is the kernel's and ends with the process."""
        if self._lock is not None:
            return
        name = self._path.with_name(self._path.name + ".lock")
        try:
            lock = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalError(f"journal {self._path} cannot be locked: {error}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise JournalError(
                f"another orchestrator already runs on journal {self._path}"
            ) from None
        self._lock = lock

    def close(self) -> None:
        """See `Backend.close`."""
        self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @contextlib.contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError, OverflowError) as error:
            raise JournalError(f"journal {self._path} cannot be {action}: {error}") from error


def _statements(script: str) -> Iterator[str]:
    """Splits a script into whole statements, keeping a trigger's body together."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
