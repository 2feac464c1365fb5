"""Fixtures and options that every test shares: compiled contracts, roles, budgets and seeds."""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from offchain.artifacts import ArtifactError
from tests.support import build
from tests.support.evm import Address, Evm
from tools import python_coverage, report

FUZZ_RUNS = int(os.environ.get("FUZZ_RUNS", "30"))
FUZZ_STEPS = int(os.environ.get("FUZZ_STEPS", "30"))
STARTED = pytest.StashKey[float]()
BROKEN = pytest.StashKey[bool]()
# NOTE: ape's plugin connects a node for every session, which `pytest` does not need; so it is off
# in pyproject.toml and comes back here for `ape test`, which has registered its options already.
BY_APE = Path(sys.argv[0]).name == "ape"
collect_ignore = [] if BY_APE else ["ape"]

settings.register_profile(
    "breakwater",
    max_examples=FUZZ_RUNS,
    stateful_step_count=FUZZ_STEPS,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("breakwater")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--figures", metavar="TARGET", help="write the counts to reports/TARGET.json")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    os.environ.update(build.environment())
    if BY_APE:
        from ape.pytest import plugin  # noqa: PLC0415

        plugin.pytest_configure(config)  # type: ignore[no-untyped-call]
    config.stash[STARTED] = time.monotonic()
    # Workers of xdist are handed the options of the main process, and with them its seed.
    if config.getoption("--hypothesis-seed") is None:
        seed = os.environ.get("FUZZ_SEED") or str(random.SystemRandom().randrange(2**32))
        config.option.hypothesis_seed = seed


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Compiles before any worker starts; what does not compile fails the tests that need it."""
    if hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    if session.config.getoption("--figures"):
        python_coverage.begin()
    try:
        build.ensure_compiled()
    except ArtifactError as error:
        print(error)


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.getoption("--hypothesis-seed")
    return f"fuzz: FUZZ_RUNS={FUZZ_RUNS} FUZZ_STEPS={FUZZ_STEPS} FUZZ_SEED={seed}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Iterator[None]:
    """A broken promise makes the run red, even if every test passed."""
    python_coverage.save()
    yield
    if session.config.stash.get(BROKEN, False) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    target = config.getoption("--figures")
    if target is None or hasattr(config, "workerinput"):
        return
    stats = terminalreporter.stats

    def count(*outcomes: str) -> int:
        return sum(len(stats.get(outcome, ())) for outcome in outcomes)

    figures: dict[str, report.Figure] = {
        "passed": count("passed"),
        "failed": count("failed", "error"),
        "skipped": count("skipped"),
        "seconds": round(time.monotonic() - config.stash[STARTED], 1),
        "fuzz_runs": FUZZ_RUNS,
        "fuzz_seed": str(config.getoption("--hypothesis-seed")),
    }
    promises = {"failed": figures["failed"] == 0}
    reached = python_coverage.finish()
    if reached is not None:
        figures["python_line_coverage_pct"] = reached
        promises["python_line_coverage_pct"] = reached >= python_coverage.LEAST_PCT
    config.stash[BROKEN] = bool(report.write(target, figures, promises))
    # For the catalogue of properties: how each function ended, whatever its parameters.
    ended: dict[str, str] = {}
    for outcome in ("passed", "failed", "error"):
        for one in stats.get(outcome, ()):
            ended[one.nodeid.partition("[")[0]] = "failed" if outcome == "error" else outcome
    path = report.ROOT / "reports" / f"{target}-outcomes.json"
    path.write_text(json.dumps(ended, indent=1, sort_keys=True) + "\n")


@pytest.fixture
def evm() -> Evm:
    """A fresh in-process world."""
    return Evm()


@pytest.fixture
def governance(evm: Evm) -> Address:
    return evm.account("governance")


@pytest.fixture
def guardian(evm: Evm) -> Address:
    return evm.account("guardian")


@pytest.fixture
def keeper(evm: Evm) -> Address:
    return evm.account("keeper")


@pytest.fixture
def allocator(evm: Evm) -> Address:
    return evm.account("allocator")


@pytest.fixture
def curator(evm: Evm) -> Address:
    return evm.account("curator")


@pytest.fixture
def whale(evm: Evm) -> Address:
    return evm.account("whale")


@pytest.fixture
def attacker(evm: Evm) -> Address:
    return evm.account("attacker")


@pytest.fixture
def investor(evm: Evm) -> Address:
    return evm.account("investor")


@pytest.fixture
def treasury(evm: Evm) -> Address:
    return evm.account("treasury")
