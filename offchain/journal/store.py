"""The journal: append, read, follow. Appends are serial and whole; nothing is ever changed here.

Several processes may append (the loop, an operator's `halt`): each append reads the head inside
its own write transaction, and the database itself refuses gaps, forks, updates and deletes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from offchain.errors import OffchainError
from offchain.journal.events import GENESIS, Draft, Event, Kind, seal

Clock = Callable[[], int]
SCHEMA_VERSION = 1


class JournalError(OffchainError):
    """The journal is missing, unreadable, damaged, locked, or refused an append."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the journal: sequence number and hash of the last event (0 and zeros if empty)."""

    seq: int = 0
    hash: bytes = GENESIS


class Backend(Protocol):
    """A database that holds events. Every method raises JournalError for its own failures."""

    def append(self, build: Callable[[Head], Sequence[Event]]) -> Sequence[Event]:
        """Runs `build` on the head inside a write transaction and stores what it returns."""

    def head(self) -> Head:
        """The last event's place."""

    def read(self, after: int, kinds: Sequence[str], limit: int) -> list[Event]:
        """Up to `limit` events with seq > `after`, in order; `kinds` empty means every kind."""

    def lead(self) -> None:
        """Takes the lock that only one orchestrator at a time may hold, until `close`."""

    def close(self) -> None:
        """Releases everything."""


class Journal:
    """An append-only, hash-chained sequence of events over a database."""

    def __init__(self, backend: Backend, clock: Clock = lambda: int(time.time())) -> None:
        self._backend = backend
        self._clock = clock

    @classmethod
    def open(
        cls,
        url: str,
        *,
        create: bool = True,
        clock: Clock = lambda: int(time.time()),
    ) -> Journal:
        """Opens a journal by URL.

        Args:
            url: `sqlite:///absolute.db`, `sqlite://relative.db`, a bare path, or `postgresql://…`.
            create: make it if it does not exist; otherwise a missing journal is an error.
            clock: Unix seconds; tests pass their own.

        Raises:
            JournalError: if it cannot be opened, or is no journal of ours.
        """
        if url.startswith(("postgresql://", "postgres://")):
            from offchain.journal.postgres import PostgresBackend  # noqa: PLC0415

            return cls(PostgresBackend(url, create=create), clock)
        from offchain.journal.sqlite import SqliteBackend  # noqa: PLC0415

        path = url.removeprefix("sqlite://")
        if "://" in path or not path:
            raise JournalError("the journal address is neither SQLite nor PostgreSQL")
        return cls(SqliteBackend(Path(path), create=create), clock)

    def append(self, drafts: Sequence[Draft]) -> list[Event]:
        """Appends all of `drafts`, in order and in one transaction, or none of them."""
        if not drafts:
            return []
        return list(self._backend.append(lambda head: _chain(head, drafts, self._clock())))

    def append_if(self, head: Head, drafts: Sequence[Draft]) -> list[Event] | None:
        """Appends only if nobody appended since `head`; None says that somebody did."""

        def build(actual: Head) -> list[Event]:
            return _chain(head, drafts, self._clock()) if actual == head else []

        return list(self._backend.append(build)) or None

    def head(self) -> Head:
        """The place of the last event."""
        return self._backend.head()

    def events(
        self, after: int = 0, kinds: Sequence[Kind] = (), page: int = 5_000
    ) -> Iterator[Event]:
        """Events with seq > `after` in order, as stored, a page at a time."""
        names = [kind.value for kind in kinds]
        while True:
            batch = self._backend.read(after, names, page)
            yield from batch
            if len(batch) < page:
                return
            after = batch[-1].seq

    def lead(self) -> None:
        """Becomes the only orchestrator on this journal, until `close`.

        Raises:
            JournalError: if another one runs.
        """
        self._backend.lead()

    def close(self) -> None:
        """Closes the database and gives up the lead."""
        self._backend.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _chain(head: Head, drafts: Sequence[Draft], now: int) -> list[Event]:
    seq, previous = head.seq, head.hash
    events: list[Event] = []
    for draft in drafts:
        seq += 1
        events.append(seal(draft, seq, now, previous))
        previous = events[-1].hash
    return events
