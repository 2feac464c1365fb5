"""Runs tests on the probed build and joins what they reached; judges nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from offchain.artifacts import ROOT, Artifact
from tests.support import build
from tools.audit.instrument import compile as compiler
from tools.audit.instrument import probes, vyper
from tools.audit.instrument.probes import Numbers, Probe
from tools.audit.instrument.state import digest
from tools.audit.instrument.tree import CACHE, InstrumentError

# What plans its own contracts, or measures code size and gas, says nothing on the probed build.
LEFT_OUT = (
    "tests/formal",
    "tests/gas",
    "tests/bench",
    "tests/unit/tools",
    "tests/unit/support",
    "tests/fuzz/amm/test_mutants.py",
    "tests/fuzz/amm/test_attack.py",
    "tests/fuzz/capital/test_capital_mutants.py",
    "tests/fuzz/safety/test_safety_mutants.py",
    "tests/fuzz/safety/test_gate_mutants.py",
    "tests/unit/capital/test_router_gas.py",
    "tests/unit/capital/test_router_attacks.py::test_gas__every",
    "tests/unit/capital/test_deposit_gateway.py::test_settle__hostile",
    "tests/unit/safety/test_breaker_metering.py::test_overhead__",
    "tests/unit/safety/test_breaker_metering.py::test_hook_gas__",
    "tests/unit/safety/test_breaker_edges.py::test_hook_gas__",
    "tests/unit/safety/test_meter.py::test_outflow__any_gas_limit__hungry",
)
FOLDERS = ("tests/unit", "tests/fuzz", "tests/integration/test_aave_strategy.py")
FUZZ_RUNS = "3"


@dataclass(frozen=True)
class Reached:
    """What a run of the tests reached.

    Attributes:
        probes: everything that can be reached.
        by_test: indexes of the probes that each test reached.
        seconds: how long each test took.
        failed: tests that failed on the probed build.
    """

    probes: Sequence[Probe]
    by_test: Mapping[str, frozenset[int]]
    seconds: Mapping[str, float]
    failed: tuple[str, ...]

    @property
    def all(self) -> frozenset[int]:
        """What the tests that passed reached."""
        passed = (hits for test, hits in self.by_test.items() if test not in self.failed)
        return frozenset().union(*passed)


def plan() -> tuple[dict[str, str], dict[str, str], list[Probe]]:
    """Rewritten Solidity, rewritten Vyper, and the probes in both."""
    numbers = Numbers()
    solidity = probes.instrument(compiler.production(), numbers)
    snake = {
        path: vyper.instrument(path, source, numbers) for path, source in vyper.production().items()
    }
    return solidity, snake, numbers.probes


def compile_probed(workers: int, say: Callable[[str], None]) -> tuple[Path, list[Probe]]:
    """The probed build as a file of artifacts, and its probes.

    Raises:
        InstrumentError: a rewritten source does not compile.
    """
    solidity, snake, found = plan()
    plain = compiler.production()
    changed = {path: text for path, text in solidity.items() if text != plain[path]}
    names = compiler.targets(changed)
    built = compiler.compile_all(names, changed, workers, say)
    built |= {artifact.name: artifact for artifact in vyper.compile_sources(snake)}
    return save(built), found


def save(built: Mapping[str, Artifact]) -> Path:
    """Writes artifacts where the plugin finds them."""
    text = json.dumps({name: artifact.to_json() for name, artifact in sorted(built.items())})
    path = CACHE / f"build-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def run_tests(artifacts: Path, paths: Sequence[str], workers: int, seed: int) -> dict[str, Any]:
    """Runs pytest on the probed build: tests and hits as the plugin wrote them."""
    folder = CACHE / "hits"
    shutil.rmtree(folder, ignore_errors=True)
    environment = {
        **build.environment(),
        "AUDIT_BUILD": str(artifacts),
        "AUDIT_HITS": str(folder),
        "FUZZ_RUNS": os.environ.get("COVERAGE_FUZZ_RUNS", FUZZ_RUNS),
        "FUZZ_SEED": str(seed),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-v",
        "--durations=20",
        "-p",
        "tools.audit.instrument.plugin",
    ]
    command += [
        "-n",
        str(workers),
        "--dist",
        "loadscope",
        "-m",
        "not proof",
        "-p",
        "no:cacheprovider",
    ]
    command += [f"--{'deselect' if '::' in one else 'ignore'}={one}" for one in LEFT_OUT]
    with (CACHE / "coverage.log").open("w") as log:
        subprocess.run(
            [*command, *paths],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    words = (CACHE / "coverage.log").read_text()
    parts = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    if not parts:
        raise InstrumentError(f"pytest gave nothing: {words[-800:]}")
    joined: dict[str, Any] = {"tests": {}, "hits": {}}
    for part in parts:
        joined["tests"] |= part["tests"]
        joined["hits"] |= part["hits"]
    return joined


def measure(
    workers: int = 2,
    seed: int = 20,
    say: Callable[[str], None] = print,
    paths: Sequence[str] = FOLDERS,
) -> Reached:
    """What the tests reach on the probed build; measured once for the same sources and seed."""
    kept = CACHE / f"reached-{digest()}-{seed}-{_short(paths)}.json"
    if kept.exists():
        say("coverage of these sources is known")
        return _unpack(json.loads(kept.read_text()))
    artifacts, found = compile_probed(workers, say)
    say("running the tests on the probed build")
    raw = run_tests(artifacts, paths, workers, seed)
    raw["probes"] = [[probe.path, probe.line, probe.way] for probe in found]
    kept.write_text(json.dumps(raw))
    return _unpack(raw)


def _short(paths: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(paths).encode()).hexdigest()[:8]


def _unpack(raw: Mapping[str, Any]) -> Reached:
    tests = raw["tests"]
    return Reached(
        tuple(Probe(*one) for one in raw["probes"]),
        {name: frozenset(hits) for name, hits in raw["hits"].items()},
        {name: seconds for name, (_, seconds) in tests.items()},
        tuple(sorted(name for name, (outcome, _) in tests.items() if outcome == "failed")),
    )
