"""A plugin of pytest: runs chosen tests once per planted fault, each time in a forked child.

The parent collects and imports once. A child puts its fault in force, runs its tests until one
fails, and names it. The job and the results are files; see runner.py.
"""

from __future__ import annotations

import json
import math
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from _pytest.runner import runtestprotocol

from tests.support import evm

# So many times the limit of computing may pass on the wall.
WALL = 30

_register = hypothesis.settings.register_profile


def _quick_profile(name: str, *args: Any, **named: Any) -> None:
    # A failing example is enough: nobody reads a shrunk one here.
    named["phases"] = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    _register(name, *args, **{**named, "database": None, "print_blob": False})


# The class refuses an assignment; the profile is registered by tests/conftest.py, later than this.
type.__setattr__(hypothesis.settings, "register_profile", staticmethod(_quick_profile))


def allow(seconds: float) -> None:
    """From now on this process may compute for so long; the system ends one that does not stop."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(usage.ru_utime + usage.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def first_failure(items: Sequence[pytest.Item], limit: float) -> str:
    """The first of the tests that fails, or ''; each may compute for `limit` seconds."""
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        allow(limit)
        reports = runtestprotocol(item, nextitem=following, log=False)
        if any(report.failed for report in reports):
            return item.nodeid
    return ""


def forked(items: Sequence[pytest.Item], limit: float, prepare: Callable[[], None]) -> str:
    """The same in a child; 'timeout' if it went on beyond a limit, 'crash' if it fell over."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            allow(limit)
            prepare()
            os.write(writer, b"done " + first_failure(items, limit).encode())
        finally:
            os._exit(0)
    os.close(writer)
    try:
        # Waiting costs nothing, so the clock on the wall is only for what sleeps for ever.
        ready, _, _ = select.select([reader], [], [], WALL * limit)
        said = os.read(reader, 4096).decode() if ready else "timeout"
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return "timeout"
    return said.removeprefix("done ") if said.startswith("done") else said or "crash"


def hunt(
    tests: Sequence[pytest.Item],
    limit: float,
    prepare: Callable[[], None],
    sound: dict[str, bool],
) -> tuple[str, str]:
    """How one fault fared, and the test that noticed it.

    A test that fails without any fault as well has noticed nothing: it is passed over.
    """
    left = list(tests)
    while True:
        noticed = forked(left, limit, prepare)
        if noticed == "timeout":
            return "killed", noticed
        if noticed == "crash":
            # The child itself failed, not a test: that is no notice.
            return "survived", noticed
        if not noticed:
            return "survived", ""
        item = next(one for one in left if one.nodeid == noticed)
        if noticed not in sound:
            sound[noticed] = forked([item], limit, lambda: None) == ""
        if sound[noticed]:
            return "killed", noticed
        left.remove(item)


def run_job(job: Mapping[str, Any], items: Mapping[str, pytest.Item], results: Path) -> None:
    """Hunts every fault of a job and appends one line per fault to the results."""
    sound: dict[str, bool] = {}
    if job["kind"] == "contract":
        # What every child needs is read once, before the first fork.
        evm.known_abis()
    for name, tests in job["faults"]:
        began = time.monotonic()
        found = [items[test] for test in tests if test in items]

        def prepare(fault: str = name) -> None:
            if job["kind"] == "contract":
                from tools.audit.instrument import plugin  # noqa: PLC0415

                plugin.set_coinbase(int(fault))
            else:
                from tools.audit.mutation import python  # noqa: PLC0415

                python.put_in_force(fault)

        status, by = hunt(found, job["limit"], prepare, sound) if found else ("uncovered", "")
        line = {"fault": name, "status": status, "by": by}
        line["seconds"] = round(time.monotonic() - began, 2)
        with results.open("a") as handle:
            handle.write(json.dumps(line) + "\n")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    job = json.loads(Path(os.environ["MUTATION_JOB"]).read_text())
    items = {item.nodeid: item for item in session.items}
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 5_000))
    run_job(job, items, Path(os.environ["MUTATION_RESULTS"]))
    return True
