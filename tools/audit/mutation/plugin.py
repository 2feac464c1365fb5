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
from dataclasses import dataclass
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


def first_failure(items: Sequence[pytest.Item], limit: float, tell: Callable[[int], None]) -> str:
    """The first of the tests that fails, or ''; each may compute for `limit` seconds.

    `tell` is given the place of each before it begins.
    """
    for place, item in enumerate(items):
        following = items[place + 1] if place + 1 < len(items) else None
        allow(limit)
        tell(place)
        reports = runtestprotocol(item, nextitem=following, log=False)
        if any(report.failed for report in reports):
            return item.nodeid
    return ""


@dataclass(frozen=True)
class Outcome:
    """How a child ended: 'failed', 'passed', 'timeout' or 'crash', and the test it was at."""

    word: str
    test: str = ""


def forked(items: Sequence[pytest.Item], limit: float, prepare: Callable[[], None]) -> Outcome:
    """The same in a child, which may go on beyond a limit or fall over."""
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
            failed = first_failure(items, limit, lambda place: _tell(writer, str(place)))
            _tell(writer, "failed" if failed else "passed")
        finally:
            os._exit(0)
    os.close(writer)
    said, over = _heard(reader, WALL * limit)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    places = [int(word) for word in said if word.isdigit()]
    test = items[places[-1]].nodeid if places else ""
    if over or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return Outcome("timeout", test)
    if said[-1:] == ["passed"]:
        return Outcome("passed")
    return Outcome("failed", test) if said[-1:] == ["failed"] else Outcome("crash")


def _tell(writer: int, word: str) -> None:
    os.write(writer, f"{word}\n".encode())


def _heard(reader: int, silence: float) -> tuple[list[str], bool]:
    """Words of a child until it ends, and whether it was silent for too long instead.

    Waiting costs nothing, so the clock on the wall is only for what sleeps for ever.
    """
    said = b""
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], silence)
            if not ready:
                return said.decode().split(), True
            more = pipe.read(4096)
            if not more:
                return said.decode().split(), False
            said += more


def hunt(
    tests: Sequence[pytest.Item],
    limit: float,
    prepare: Callable[[], None],
    sound: dict[str, bool],
) -> tuple[str, str]:
    """How one fault fared, and the test that noticed it.

    A test that fails, or goes on for too long, without any fault as well has noticed nothing: it is
    passed over.
    """
    left = [test for test in tests if sound.get(test.nodeid, True)]
    while True:
        found = forked(left, limit, prepare)
        if found.word == "crash" or not found.test:
            # A child that fell over, itself, has noticed nothing; nor has one that passed.
            return "survived", "" if found.word == "passed" else found.word
        item = next(one for one in left if one.nodeid == found.test)
        if found.test not in sound:
            sound[found.test] = forked([item], limit, lambda: None).word == "passed"
        if sound[found.test]:
            return "killed", found.test if found.word == "failed" else "timeout"
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
