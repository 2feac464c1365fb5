"""The page of entry points against ABIs, sources and the table of permissions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import entry_points
from tools.entry_points import PAGE, UNDECIDED, UndecidedError, callers, page, sources


def test_page__abis_and_permissions__are_what_it_says() -> None:
    assert PAGE.read_text() == page(), "stale: python -m tools.entry_points"


def test_callers__function_without_a_decision__is_an_error(monkeypatch) -> None:
    queue = sources()["ExitQueue"]
    monkeypatch.setitem(entry_points.OPEN, "ExitQueue", {})
    with pytest.raises(UndecidedError, match="who may call ExitQueue"):
        callers("ExitQueue", queue)


def test_callers__restricted_function__never_shown_as_open() -> None:
    for name, source in sources().items():
        restricted = set(entry_points.RESTRICTED.findall(source.read_text()))
        shown = {} if name in entry_points.MERGED else callers(name, source)
        open_ = {**entry_points.EVERYWHERE, **entry_points.OPEN.get(name, {})}
        assert not [f for f in restricted & shown.keys() if shown[f] == open_.get(f)]


def test_callers__decision_for_a_function_that_is_gone__is_an_error() -> None:
    """Whatever the open table names exists, so that a renamed function leaves no stale line."""
    for name, functions in entry_points.OPEN.items():
        assert functions.keys() <= callers(name, sources()[name]).keys()


def test_sources__every_contract_with_code__is_listed() -> None:
    listed = {line[3:] for line in PAGE.read_text().splitlines() if line.startswith("## ")}
    silent = PAGE.read_text().splitlines()[-1].rpartition(": ")[2].rstrip(".").split(", ")
    assert listed | set(silent) | entry_points.MERGED == sources().keys()
    assert all(isinstance(path, Path) and path.exists() for path in sources().values())
    assert UNDECIDED in PAGE.read_text()
