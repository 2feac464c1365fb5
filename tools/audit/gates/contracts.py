"""Gate: interface, storage, size, gas and compilers are as committed; the build repeats itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from offchain.artifacts import MANIFEST
from tests.support import build
from tools.audit.contracts import rebuild, snapshots, surface
from tools.audit.contracts.surface import Lines
from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.sources import ROOT

TITLE = "Interface, storage layout, size, gas, compilers, reproducible build"
PROVES = (
    "No function, event, error or storage slot changed without a line that says why; no contract"
    " is over the chain's limits; gas is as committed; sources and bytecode name the pinned"
    " compilers; a build in another folder without any cache gives the same bytes."
)
DOES_NOT = (
    "That a change which was explained is safe. Both builds run on one machine, with the compilers"
    " that the lock files pin."
)
GAS_TESTS = ("tests/gas", "tests/unit/capital/test_router_gas.py")
SUMMARY = re.compile(r"(\d+) (passed|failed|errors?|skipped)\b")


def run(budget: Budget) -> GateResult:
    """Examines the repository."""
    build.ensure_compiled()
    found = surface.manifest()
    here = current()
    committed = snapshots.read(ROOT)
    changed = snapshots.differences(committed, here)
    changed += snapshots.unexplained(ROOT, committed)
    largest, oversized = surface.sizes(found)
    foreign = surface.compilers(ROOT, found)
    budget.say("  contracts: gas against its snapshots")
    measured, grown = _gas()
    budget.say("  contracts: a second build, in another folder and without a cache")
    builds = 2 if budget.night else 1
    differing = [line for _ in range(builds) for line in _rebuilt()]
    figures = {
        "contracts": len(found),
        "contract_size_max": largest,
        "contracts_oversized": len(oversized),
        "snapshot_interfaces": len(here["interfaces"]),
        "snapshot_storage_layouts": len(here["storage"]),
        "snapshot_changes": len(changed),
        "gas_tests": measured,
        "gas_changes": len(grown),
        "compilers_unpinned": len(foreign),
        "build_reproducible": not differing,
    }
    promises = {
        "contracts_oversized": not oversized and bool(found),
        "snapshot_changes": not changed,
        "gas_changes": not grown and measured > 0,
        "compilers_unpinned": not foreign,
        "build_reproducible": not differing,
    }
    failures = [*changed, *oversized, *grown, *foreign, *differing]
    findings = tuple(
        Finding(one.name, f"{len(one.runtime)} bytes of code", "within the limit") for one in found
    )
    notes = (f"{builds} further build(s) without a cache",)
    return GateResult(figures, promises, tuple(failures), findings, notes)


def current() -> Mapping[str, Lines]:
    """What the snapshots would hold now."""
    interfaces = surface.interfaces(surface.manifest())
    return {"interfaces": interfaces, "storage": surface.layouts(ROOT)}


def _gas() -> tuple[int, list[str]]:
    """How many gas figures were compared, and those that changed."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *GAS_TESTS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    counts = {word.rstrip("s"): int(n) for n, word in SUMMARY.findall(done.stdout)}
    if not counts:
        raise GateError(f"the gas tests did not run: {(done.stdout + done.stderr)[-800:]}")
    failed = re.findall(r"^(?:FAILED|ERROR) (.+)$", done.stdout, re.MULTILINE)
    return counts.get("passed", 0) + counts.get("failed", 0), failed


def _rebuilt() -> list[str]:
    with tempfile.TemporaryDirectory(prefix="rebuild-") as folder:
        second = rebuild.build(ROOT, Path(folder).resolve() / "another" / "place")
    return rebuild.differences(rebuild.hashes(MANIFEST), second)
