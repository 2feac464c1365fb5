"""Journals on both databases, with a clock that tests move by hand."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from offchain.journal.store import Journal
from tests.support.postgres import Postgres, binaries

OpenJournal = Callable[..., Journal]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    folder = binaries()
    if folder is None:
        # A person may lack the server; a gate may not leave half of the journal untested.
        assert not os.environ.get("CI"), "CI needs a PostgreSQL server"
        pytest.skip("no PostgreSQL server on this machine: the PostgreSQL journal is NOT tested")
    with Postgres(folder) as server:
        yield server


_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite://{tmp_path / 'journal.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    name = f"journal{next(_numbers)}"
    with psycopg.connect(server.url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    return server.url(name)


@pytest.fixture
def open_journal(journal_url: str) -> Iterator[OpenJournal]:
    opened: list[Journal] = []

    def open_(**options: object) -> Journal:
        journal = Journal.open(journal_url, clock=lambda: 1_700_000_000, **options)
        opened.append(journal)
        return journal

    yield open_
    for journal in opened:
        journal.close()
