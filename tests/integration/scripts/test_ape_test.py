"""`ape test` as an ape user expects it: ape's fixtures on a node, beside our own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import build

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # NOTE: a worker of xdist must not hand its own plugins and options down.
    inherited = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return subprocess.run(
        [str(Path(sys.executable).parent / "ape"), "test", *arguments],
        cwd=ROOT,
        env=inherited | build.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_ape_test__with_ape_fixtures__passes() -> None:
    done = run("tests/ape", "-q", "--network", "ethereum:local:foundry")
    assert "3 passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_pytest__without_ape__leaves_them_out() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_authority" not in done.stdout
