"""Writes a target's figures to reports/<target>.json and prints them; measures nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
Figure = str | int | float | bool | None


class ReportError(ValueError):
    """A figure is not a plain value, or a promise names a figure that is not there."""


def write(
    target: str,
    figures: Mapping[str, Figure],
    promises: Mapping[str, bool] | None = None,
    folder: Path | None = None,
    console: Console | None = None,
) -> int:
    """Writes and prints the figures of one run.

    Args:
        target: what ran; names the file.
        figures: named plain values, in the order in which they are shown.
        promises: for each promised figure, by its name, whether the promise held.
        folder: where the file goes; reports/ by default.
        console: where the table goes; standard output by default.

    Returns:
        The exit status: 0 if every promise held, else 1.

    Raises:
        ReportError: a value is not plain, or a promise has no figure.
    """
    held = promises or {}
    for name, value in figures.items():
        plain = value is None or isinstance(value, str | int | float)
        if not plain or (isinstance(value, float) and not math.isfinite(value)):
            raise ReportError(f"figure {name} is not a plain value: {value!r}")
    for name in held:
        if name not in figures:
            raise ReportError(f"promise {name} has no figure")
    reports = folder or ROOT / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    path = reports / f"{target}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(dict(figures), indent=2) + "\n", encoding="utf-8")
    partial.replace(path)
    _show(target, figures, held, console or Console())
    return 0 if all(held.values()) else 1


def _show(
    target: str, figures: Mapping[str, Figure], held: Mapping[str, bool], console: Console
) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=target, title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    if held:
        table.add_column("promise")
    for name, value in figures.items():
        row = [escape(name), escape(_text(value))]
        if held:
            verdict = {True: "[green]held[/]", False: "[bold red]BROKEN[/]", None: ""}
            row.append(verdict[held.get(name)])
        table.add_row(*row)
    console.print(table)


def _text(value: Figure) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.2f}".replace(",", "_")
    return "-" if value is None else value
