"""Both databases append serially and refuse every other way of writing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from offchain.journal.events import GENESIS, Draft, Kind, PayloadError
from offchain.journal.store import Head, Journal, JournalError
from offchain.journal.verify import verify

from .conftest import OpenJournal


def draft(number: int, kind: Kind = Kind.INCIDENT) -> Draft:
    return Draft(kind, "test", f"case:{number}", {"number": number, "amount": str(10**30)})


def test_append__several_drafts__chained_and_read_back(open_journal: OpenJournal) -> None:
    journal = open_journal()
    assert journal.head() == Head(0, GENESIS)
    events = journal.append([draft(1), draft(2, Kind.BLOCK)]) + journal.append([draft(3)])
    assert [event.seq for event in events] == [1, 2, 3]
    assert events[0].previous == GENESIS
    assert events[2].previous == events[1].hash
    assert list(journal.events()) == events
    assert list(journal.events(page=1)) == events
    assert list(journal.events(after=1, kinds=[Kind.INCIDENT])) == [events[2]]
    assert events[1].payload == {"number": 2, "amount": str(10**30)}
    assert journal.append([]) == []
    assert list(open_journal(create=False).events()) == events
    assert verify(journal).sound


def test_append__one_bad_draft__stores_none(open_journal: OpenJournal) -> None:
    journal = open_journal()
    with pytest.raises(PayloadError, match="float"):
        journal.append([draft(1), Draft(Kind.INCIDENT, "test", "case", {"price": 1.5})])
    assert journal.head().seq == 0
    assert journal.append([draft(1)])[0].seq == 1


def test_append_if__somebody_appended__refused(open_journal: OpenJournal) -> None:
    journal, other = open_journal(), open_journal()
    head = journal.head()
    assert journal.append_if(head, [draft(1)]) is not None
    assert other.append_if(head, [draft(2)]) is None
    assert journal.head().seq == 1


def test_append__many_writers__one_unbroken_chain(
    open_journal: OpenJournal, journal_url: str
) -> None:
    open_journal()
    barrier = threading.Barrier(4)
    failures: list[JournalError] = []

    def work(number: int) -> None:
        with Journal.open(journal_url) as journal:
            barrier.wait()
            try:
                for step in range(25):
                    journal.append([draft(number * 100 + step), draft(-1)])
            except JournalError as error:
                failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    result = verify(open_journal())
    assert result.sound
    assert result.size == 200


def test_lead__second_orchestrator__refused_until_the_first_ends(open_journal: OpenJournal) -> None:
    first, second = open_journal(), open_journal()
    first.lead()
    first.lead()
    with pytest.raises(JournalError, match="another orchestrator already runs"):
        second.lead()
    second.append([draft(1)])
    first.close()
    second.lead()


REST = "time, kind, actor, cause, payload, previous, hash FROM {t} WHERE seq = 3"
SQL_ATTACKS = [
    "UPDATE {t} SET actor = 'x' WHERE seq = 2",
    "DELETE FROM {t} WHERE seq = 3",
    "DELETE FROM {t}",
    "INSERT INTO {t} SELECT 9, " + REST,
    "INSERT INTO {t} SELECT 4, " + REST,
]


@pytest.mark.parametrize("attack", SQL_ATTACKS)
def test_sql__any_write_but_the_next_event__refused(
    open_journal: OpenJournal, journal_url: str, attack: str
) -> None:
    journal = open_journal()
    journal.append([draft(1), draft(2), draft(3)])
    if journal_url.startswith("sqlite"):
        database = sqlite3.connect(journal_url.removeprefix("sqlite://"))
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(attack.format(t="events"))
        database.close()
    else:
        with (
            psycopg.connect(journal_url) as connection,
            pytest.raises(psycopg.errors.RaiseException, match="append-only"),
        ):
            connection.execute(attack.format(t="breakwater.events").encode())
    assert verify(journal).size == 3


def test_sql__replace_or_truncate__refused(open_journal: OpenJournal, journal_url: str) -> None:
    journal = open_journal()
    journal.append([draft(1), draft(2)])
    if journal_url.startswith("sqlite"):
        database = sqlite3.connect(journal_url.removeprefix("sqlite://"))
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(
                "INSERT OR REPLACE INTO events "
                "SELECT 2, time, 'x', actor, cause, payload, previous, hash FROM events WHERE seq=2"
            )
        database.close()
    else:
        with (
            psycopg.connect(journal_url) as connection,
            pytest.raises(psycopg.errors.RaiseException, match="append-only"),
        ):
            connection.execute("TRUNCATE breakwater.events")
    assert verify(journal).sound


def test_open__trigger_removed__refused(open_journal: OpenJournal, journal_url: str) -> None:
    open_journal()
    if journal_url.startswith("sqlite"):
        with sqlite3.connect(journal_url.removeprefix("sqlite://")) as database:
            database.execute("DROP TRIGGER events_no_update")
    else:
        with psycopg.connect(journal_url) as connection:
            connection.execute("ALTER TABLE breakwater.events DISABLE TRIGGER events_no_change")
    with pytest.raises(JournalError, match="lost its triggers: events_no_"):
        open_journal()


def test_open__missing_and_not_to_be_created__one_line(open_journal: OpenJournal) -> None:
    with pytest.raises(JournalError, match=r"does not exist|holds no journal"):
        open_journal(create=False)


@pytest.mark.parametrize(
    "content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_open__junk_file__one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"cannot be opened|is not a Breakwater journal"):
        Journal.open(str(path), create=False)
    with pytest.raises(JournalError):
        Journal.open(str(path))
    assert path.read_bytes() == content


def test_open__foreign_database__refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE accounts (id INTEGER)")
    content = path.read_bytes()
    with pytest.raises(JournalError, match="is not a Breakwater journal"):
        Journal.open(str(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize("url", ["mysql://host/db", "", "sqlite://", "postgresql://127.0.0.1:1/x"])
def test_open__impossible_address__one_line(url: str) -> None:
    with pytest.raises(JournalError) as caught:
        Journal.open(url)
    assert "\n" not in str(caught.value)


def test_lead__process_killed__lock_is_free(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    script = (
        "import sys\nfrom offchain.journal.store import Journal\n"
        "Journal.open(sys.argv[1]).lead()\nprint('leads', flush=True)\nsys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "leads\n"
    with Journal.open(str(path)) as journal:
        with pytest.raises(JournalError, match="already runs"):
            journal.lead()
        child.kill()
        child.communicate()
        journal.lead()
