"""The halt machine only tightens by itself, loosens for a person, and distrusts a bad journal."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from offchain.chain.txbook import Urgency
from offchain.halt.machine import HaltError, HaltMachine, HaltState
from offchain.journal.store import Journal, JournalError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


def test_tighten__several_steps__only_ever_less(path: Path) -> None:
    with Journal.open(str(path)) as journal:
        machine = HaltMachine(journal)
        assert machine.standing().state is HaltState.ACTIVE
        assert machine.tighten(HaltState.REDUCING, "risk", "VaR").state is HaltState.REDUCING
        assert machine.tighten(HaltState.HALTED, "guardian", "exploit").state is HaltState.HALTED
        unchanged = machine.tighten(HaltState.REDUCING, "risk", "VaR again")
        assert (unchanged.state, unchanged.reason) == (HaltState.HALTED, "exploit")
        again = machine.tighten(HaltState.HALTED, "operator", "drill")
        assert (again.by, again.reason) == ("guardian", "exploit")
        assert journal.head().seq == 2


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        (HaltState.ACTIVE, {"brake", "reduce", "ordinary"}),
        (HaltState.REDUCING, {"brake", "reduce"}),
        (HaltState.HALTED, {"brake"}),
    ],
)
def test_allows__each_state__less_and_less(path: Path, state: HaltState, allowed: set[str]) -> None:
    with Journal.open(str(path)) as journal:
        standing = HaltMachine(journal).tighten(state, "x", "y")
        assert {u.value for u in Urgency if standing.allows(u)} == allowed


def test_standing__other_process_or_restart__same_state(path: Path) -> None:
    with Journal.open(str(path)) as journal, Journal.open(str(path)) as other:
        machine = HaltMachine(journal)
        assert machine.standing().state is HaltState.ACTIVE
        HaltMachine(other).tighten(HaltState.HALTED, "operator", "drill")
        assert machine.standing().state is HaltState.HALTED
    with Journal.open(str(path)) as journal:
        machine = HaltMachine(journal)
        assert machine.standing().by == "operator"
        assert machine.resume("Grace", "drill is over").state is HaltState.ACTIVE
    with Journal.open(str(path)) as journal:
        assert HaltMachine(journal).standing().reason == "drill is over"


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("Grace", ""), ("  ", "why"), ("G", " ")])
def test_resume__no_name_or_no_reason__refused(path: Path, by: str, reason: str) -> None:
    with Journal.open(str(path)) as journal:
        machine = HaltMachine(journal)
        machine.tighten(HaltState.HALTED, "operator", "drill")
        with pytest.raises(HaltError, match="name of a person and a reason"):
            machine.resume(by, reason)
        assert machine.standing().state is HaltState.HALTED


def test_resume__nothing_halted__refused(path: Path) -> None:
    with Journal.open(str(path)) as journal, pytest.raises(HaltError, match="nothing to resume"):
        HaltMachine(journal).resume("Grace", "why not")


def test_standing__journal_unreadable__halted_and_no_resume(path: Path) -> None:
    journal = Journal.open(str(path))
    machine = HaltMachine(journal)
    assert machine.standing().state is HaltState.ACTIVE
    journal.close()
    assert machine.standing().state is HaltState.HALTED
    assert not machine.standing().allows(Urgency.REDUCE)
    with pytest.raises(HaltError, match="cannot resume"):
        machine.resume("Grace", "it is fine")


def test_standing__state_that_does_not_exist__halted(path: Path) -> None:
    with Journal.open(str(path)) as journal:
        HaltMachine(journal).tighten(HaltState.REDUCING, "x", "y")
    with sqlite3.connect(path) as database:
        for name in ("events_append_only", "events_no_update", "events_no_delete"):
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE events SET payload = replace(payload, 'REDUCING', 'CALM')")
    with pytest.raises(JournalError, match="lost its triggers"):
        Journal.open(str(path))
    database.close()


def test_tighten__journal_refuses_to_take_it_down__halted_all_the_same(path: Path) -> None:
    with Journal.open(str(path)) as journal:
        machine = HaltMachine(journal)

        def full(_: object) -> list[object]:
            raise JournalError("disk is full")

        journal.append = full  # type: ignore[method-assign, assignment]
        standing = machine.tighten(HaltState.REDUCING, "risk", "VaR")
        assert standing.state is HaltState.HALTED
        assert "disk is full" in standing.reason
