"""How a journal begins: with its chain, and with a name of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.errors import OffchainError
from offchain.journal.store import Journal
from offchain.keeper.anchors import name_of
from offchain.loop import open_genesis

NOW, CHAIN = 1_700_000_000, 31_337


def begun(path: Path, chain_id: int = CHAIN) -> bytes | None:
    with Journal.open(str(path), clock=lambda: NOW) as journal:
        open_genesis(journal, chain_id)
        return name_of(journal)


def test_open_genesis__two_journals_in_one_second__have_two_names(tmp_path: Path) -> None:
    """Property: J1. An anchor of one is no anchor of the other."""
    assert begun(tmp_path / "one.db") != begun(tmp_path / "two.db")


def test_open_genesis__again__keeps_the_name(tmp_path: Path) -> None:
    first = begun(tmp_path / "one.db")
    assert first is not None and begun(tmp_path / "one.db") == first


def test_open_genesis__other_chain__refused(tmp_path: Path) -> None:
    begun(tmp_path / "one.db")
    with pytest.raises(OffchainError, match="the journal is of chain 31337"):
        begun(tmp_path / "one.db", CHAIN + 1)
