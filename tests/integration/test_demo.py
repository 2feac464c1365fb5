"""The main job as its user runs it, what it promises, and how it fails."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts._demo.day import promises, run

ROOT = Path(__file__).resolve().parents[2]
PROMISED = {
    "safe_codehash_canonical": True,
    "deployer_privileges_left": 0,
    "settlement_failures": 0,
    "moves_while_frozen": 0,
    "resumed_by_governance": True,
    "nav_drift_wei": 0,
    "journal_verified": True,
}
BREAK: dict[str, Callable[[Any], Any]] = {
    "safe_codehash_canonical": lambda _: False,
    "deployer_privileges_left": lambda _: 1,
    "entries_without_credential": lambda _: 1,
    "deposits": lambda _: 99,
    "settlement_failures": lambda _: 1,
    "yield_harvested": lambda _: 0,
    "univ2_sandwich_profit": lambda _: 0,
    "pool_sandwich_profit": lambda _: 1,
    "oracle_survives_feed": lambda _: False,
    "breaker_tripped": lambda _: False,
    "targets_frozen": lambda frozen: frozen - 1,
    "moves_while_frozen": lambda _: 1,
    "moves_when_open": lambda moves: moves - 1,
    "resumed_by_governance": lambda _: False,
    "exits": lambda _: 99,
    "shares_left": lambda _: 1,
    "escrow_exit_usdc": lambda _: 0,
    "escrow_released_pct": lambda _: 99.99,
    "nav_drift_wei": lambda _: 1,
    "journal_verified": lambda _: False,
    "batch_gas_saving_pct": lambda _: 0,
}


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One whole day."""
    lines: list[str] = []
    return dict(run(tmp_path_factory.mktemp("day"), lines.append, lines.append))


def test_day__whole__every_promise_holds(figures: dict[str, Any]) -> None:
    broken = [name for name, held in promises(figures).items() if not held]
    assert broken == []
    assert {name: figures[name] for name in PROMISED} == PROMISED
    assert figures["deposits"] >= 100
    assert figures["yield_harvested"] > 0
    assert figures["univ2_sandwich_profit"] > 0 >= figures["pool_sandwich_profit"]
    assert figures["journal_events"] > figures["deposits"]


def test_day__figures__are_flat_and_serialisable(figures: dict[str, Any]) -> None:
    assert json.loads(json.dumps(figures)) == figures
    assert all(isinstance(value, bool | int | float) for value in figures.values())


def test_promises__each_figure_broken__is_noticed(figures: dict[str, Any]) -> None:
    assert set(promises(figures)) == set(BREAK)
    for name, damage in BREAK.items():
        spoiled = {**figures, name: damage(figures[name])}
        assert [n for n, held in promises(spoiled).items() if not held] == [name]


@pytest.mark.parametrize("staying", [(), ("--stay",)])
def test_demo__port_in_use__one_line_and_status_1(staying: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "scripts.demo", "--port", str(port), *staying],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == f"demo: port {port} is in use\n"
