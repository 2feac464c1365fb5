"""Figures are written flat and whole, and a broken promise is an exit status."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tools import report


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=100)


def shown(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_write__promises_held__file_table_and_zero(tmp_path: Path, console: Console) -> None:
    figures = {"deposits": 120_000, "verified": True, "seconds": 1234.5, "by": "fifo", "x": None}
    assert report.write("demo", figures, {"verified": True}, tmp_path, console) == 0
    assert json.loads((tmp_path / "demo.json").read_text()) == figures
    assert list(tmp_path.iterdir()) == [tmp_path / "demo.json"]
    text = shown(console)
    assert "120_000" in text
    assert "1_234.50" in text
    assert "held" in text


def test_write__promise_broken__named_and_one(tmp_path: Path, console: Console) -> None:
    assert report.write("demo", {"drift": 1}, {"drift": False}, tmp_path, console) == 1
    assert "BROKEN" in shown(console)
    assert json.loads((tmp_path / "demo.json").read_text()) == {"drift": 1}


@pytest.mark.parametrize("value", [[1], {"a": 1}, float("nan"), float("inf"), 1j])
def test_write__value_not_plain__refused_and_nothing_written(
    tmp_path: Path, console: Console, value: object
) -> None:
    with pytest.raises(report.ReportError, match="odd"):
        report.write("demo", {"odd": value}, None, tmp_path, console)  # type: ignore[dict-item]
    assert not list(tmp_path.iterdir())


def test_write__promise_without_figure__refused(tmp_path: Path, console: Console) -> None:
    with pytest.raises(report.ReportError, match="missing"):
        report.write("demo", {"a": 1}, {"missing": True}, tmp_path, console)
