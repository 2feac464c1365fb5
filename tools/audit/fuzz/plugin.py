"""Pytest plugin (`-p tools.audit.fuzz.plugin`): counts what is executed on the in-process EVM.

Each process adds its count to the folder that FUZZ_COUNTS names. It changes no result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.evm import Evm

COUNTED = ("transact", "static", "raw", "create")
COUNTS = {"calls": 0}


def _counting(method: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*args: Any, **kwargs: Any) -> Any:
        COUNTS["calls"] += 1
        return method(*args, **kwargs)

    return counted


def pytest_configure() -> None:
    """Puts the counter before the EVM's entry points."""
    for name in COUNTED:
        setattr(Evm, name, _counting(getattr(Evm, name)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands in this process's count."""
    folder = Path(os.environ["FUZZ_COUNTS"])
    worker = getattr(session.config, "workerinput", {}).get("workerid", "main")
    (folder / worker).write_text(str(COUNTS["calls"]), encoding="utf-8")
