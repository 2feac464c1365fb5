"""Keeps the journal in PostgreSQL; it never updates, deletes or truncates, and neither may others.

Appends take one advisory lock, so that they are serial over all hosts; the lead is another, held by
a session of its own: a standby that asks for it gets it when the leader's session ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg

from offchain.journal.events import GENESIS, Event
from offchain.journal.store import SCHEMA_VERSION, Head, JournalError

_APPEND_LOCK, _LEAD_LOCK = 0x42524B57_01, 0x42524B57_02
_SCHEMA = f"""
CREATE SCHEMA breakwater;
CREATE TABLE breakwater.meta (version integer NOT NULL);
INSERT INTO breakwater.meta VALUES ({SCHEMA_VERSION});
CREATE TABLE breakwater.events (
    seq bigint PRIMARY KEY,
    time bigint NOT NULL,
    kind text NOT NULL,
    actor text NOT NULL,
    cause text NOT NULL,
    payload text NOT NULL,
    previous bytea NOT NULL CHECK (length(previous) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32)
);
CREATE INDEX events_by_kind ON breakwater.events (kind, seq);
CREATE FUNCTION breakwater.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the journal is append-only: no %', lower(TG_OP); END $$;
CREATE FUNCTION breakwater.follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE last breakwater.events;
BEGIN
    SELECT * INTO last FROM breakwater.events ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(last.seq, 0) + 1
        OR NEW.previous <> coalesce(last.hash, decode(repeat('00', 32), 'hex')) THEN
        RAISE EXCEPTION 'the journal is append-only: an event must follow the last one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER events_append_only BEFORE INSERT ON breakwater.events
    FOR EACH ROW EXECUTE FUNCTION breakwater.follows();
CREATE TRIGGER events_no_change BEFORE UPDATE OR DELETE ON breakwater.events
    FOR EACH ROW EXECUTE FUNCTION breakwater.refuse();
CREATE TRIGGER events_no_truncate BEFORE TRUNCATE ON breakwater.events
    FOR EACH STATEMENT EXECUTE FUNCTION breakwater.refuse();
"""
_COLUMNS = "seq, time, kind, actor, cause, payload, previous, hash"
_TRIGGERS = frozenset({"events_append_only", "events_no_change", "events_no_truncate"})


class PostgresBackend:
    """Events in the schema `breakwater` of one database."""

    def __init__(self, url: str, *, create: bool) -> None:
        self._url = url
        self._leader: psycopg.Connection[Any] | None = None
        with self._errors("opened"):
            self._db = psycopg.connect(url, autocommit=True, connect_timeout=10)
        try:
            self._prepare(create)
        except JournalError:
            self._db.close()
            raise

    def _prepare(self, create: bool) -> None:
        with self._errors("opened"):
            with self._db.transaction():
                self._db.execute("SELECT pg_advisory_xact_lock(%s)", (_APPEND_LOCK,))
                there = self._one("SELECT to_regclass('breakwater.events') IS NOT NULL")[0]
                if not there and create:
                    self._db.execute(_SCHEMA)
            if not there and not create:
                raise JournalError("the PostgreSQL database holds no journal")
            version = self._one("SELECT version FROM breakwater.meta")[0]
            rows = self._db.execute(
                "SELECT tgname FROM pg_trigger WHERE tgrelid = 'breakwater.events'::regclass"
                " AND tgenabled IN ('O', 'A')"
            ).fetchall()
        if version != SCHEMA_VERSION:
            raise JournalError(f"the PostgreSQL journal has schema {version}, not {SCHEMA_VERSION}")
        if missing := ", ".join(sorted(_TRIGGERS - {name for (name,) in rows})):
            raise JournalError(f"the PostgreSQL journal lost its triggers: {missing}")

    def append(self, build: Callable[[Head], Sequence[Event]]) -> Sequence[Event]:
        """See `Backend.append`."""
        with self._errors("appended to"), self._db.transaction(), self._db.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_APPEND_LOCK,))
            events = build(self.head())
            with cursor.copy(f"COPY breakwater.events ({_COLUMNS}) FROM STDIN") as copy:
                for event in events:
                    copy.write_row(event.row)
        return events

    def head(self) -> Head:
        """See `Backend.head`."""
        with self._errors("read"):
            row = self._db.execute(
                "SELECT seq, hash FROM breakwater.events ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        return Head(row[0], bytes(row[1])) if row else Head(0, GENESIS)

    def read(self, after: int, kinds: Sequence[str], limit: int) -> list[Event]:
        """See `Backend.read`."""
        with self._errors("read"):
            rows = self._db.execute(
                f"SELECT {_COLUMNS} FROM breakwater.events WHERE seq > %s"
                " AND (%s OR kind = ANY(%s)) ORDER BY seq LIMIT %s",
                (after, not kinds, list(kinds), limit),
            ).fetchall()
        return [Event(*row) for row in rows]

    def lead(self) -> None:
        """See `Backend.lead`."""
        if self._leader is not None:
            return
        with self._errors("locked"):
            leader = psycopg.connect(self._url, autocommit=True, connect_timeout=10)
            row = leader.execute("SELECT pg_try_advisory_lock(%s)", (_LEAD_LOCK,)).fetchone()
        if row is None or not row[0]:
            leader.close()
            raise JournalError("another orchestrator already runs on this PostgreSQL journal")
        self._leader = leader

    def close(self) -> None:
        """See `Backend.close`."""
        self._db.close()
        if self._leader is not None:
            # NOTE: the server notices a closed session a moment later; the lock must not wait.
            with contextlib.suppress(psycopg.Error):
                self._leader.execute("SELECT pg_advisory_unlock(%s)", (_LEAD_LOCK,))
            self._leader.close()
            self._leader = None

    def _one(self, query: str) -> tuple[Any, ...]:
        row = self._db.execute(query).fetchone()
        if row is None:
            raise JournalError("the PostgreSQL journal is damaged: an empty answer")
        return tuple(row)

    @contextlib.contextmanager
    def _errors(self, action: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            # NOTE: psycopg's text can repeat connection parameters, never the password.
            raise JournalError(f"the PostgreSQL journal cannot be {action}: {error}") from error
