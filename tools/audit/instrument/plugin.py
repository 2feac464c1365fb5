"""A plugin of pytest: tests run on rewritten contracts, and what they reach is written down.

    AUDIT_BUILD=build.json AUDIT_HITS=folder pytest -p tools.audit.instrument.plugin …

Loaded only by the audit; an ordinary run never sees it. The rewritten code is larger and dearer
than what ships, so the limits on size and the gas of calls are lifted.
"""

from __future__ import annotations

import gzip
import json
import os
import weakref
from pathlib import Path
from typing import Any

import pyrevm
import pytest

from offchain import artifacts
from offchain.artifacts import Artifact
from tests.support import anvil, build, evm, evm_calls
from tools.audit.instrument import probes

CODE_LIMIT = 1 << 22
GAS = 120_000_000

_overlay: dict[str, Artifact] = {}
_live: weakref.WeakSet[evm.Evm] = weakref.WeakSet()
_chains: weakref.WeakSet[anvil.Anvil] = weakref.WeakSet()
_tests: list[str] = [""]
_hits: dict[int, set[int]] = {}
_reports: dict[str, tuple[str, float]] = {}
# What the next blocks name as their coinbase: the test's number, or the mutant in force.
_force = {"coinbase": 0}


def load_overlay(path: Path) -> None:
    """From now on these artifacts stand in for those of the same name."""
    for name, value in json.loads(path.read_text()).items():
        _overlay[name] = Artifact.from_json(name, value)
    evm.interface.cache_clear()


def _load(name: str) -> Artifact:
    return _overlay.get(name) or _plain_load(name)


def _artifact(name: str) -> Artifact:
    return _overlay.get(name) or _plain(name)


def _block_env(*args: Any, **named: Any) -> Any:
    named["coinbase"] = f"0x{_force['coinbase']:040x}"
    return _plain_block_env(*args, **named)


def _cfg_env(*args: Any, **named: Any) -> Any:
    return _plain_cfg_env(*args, **{**named, "limit_contract_code_size": CODE_LIMIT})


def _initialise(self: evm.Evm, *args: Any, **named: Any) -> None:
    _plain_initialise(self, *args, **named)
    _live.add(self)


def _finalise(self: evm.Evm) -> None:
    if hasattr(self, "_evm"):
        harvest(self)


def harvest(world: evm.Evm) -> None:
    """Takes down what was reached in one world."""
    for test, probe in probes.covered(list(world._evm.db_accounts)):
        _hits.setdefault(test, set()).add(probe)


def harvest_chain(chain: anvil.Anvil) -> None:
    """Takes down what transactions reached on a local chain; its reads leave no mark."""
    state = bytes.fromhex(chain.rpc("anvil_dumpState")[2:])
    accounts = json.loads(gzip.decompress(state))["accounts"]
    for test, probe in probes.covered(list(accounts)):
        _hits.setdefault(test, set()).add(probe)


def _arguments(self: anvil.AnvilOptions) -> list[str]:
    words = _plain_arguments(self)
    words[words.index("--gas-limit") + 1] = str(2 * GAS)
    return [*words, "--code-size-limit", str(CODE_LIMIT)]


def _start(self: anvil.Anvil, *args: Any, **named: Any) -> None:
    _plain_start(self, *args, **named)
    _chains.add(self)
    self.rpc("anvil_setCoinbase", f"0x{_force['coinbase']:040x}")


def _revert(self: anvil.Anvil, snapshot: str) -> None:
    if "AUDIT_HITS" in os.environ:
        harvest_chain(self)
    _plain_revert(self, snapshot)
    self.rpc("anvil_setCoinbase", f"0x{_force['coinbase']:040x}")


def _stop(self: anvil.Anvil) -> None:
    if "AUDIT_HITS" in os.environ and self.running and hasattr(self, "web3"):
        harvest_chain(self)
    _plain_stop(self)


def set_coinbase(number: int) -> None:
    """The coinbase of every world, those that stand and those to come."""
    _force["coinbase"] = number
    for world in list(_live):
        world._evm.set_block_env(world._block())
    for chain in list(_chains):
        if chain.running:
            chain.rpc("anvil_setCoinbase", f"0x{number:040x}")


_plain_load = artifacts.load
_plain_arguments = anvil.AnvilOptions.arguments
_plain_start, _plain_stop = anvil.Anvil.__init__, anvil.Anvil.stop
_plain_revert = anvil.Anvil.revert
_plain = build.artifact
_plain_block_env, _plain_cfg_env = pyrevm.BlockEnv, pyrevm.CfgEnv
_plain_initialise = evm.Evm.__init__


def install() -> None:
    """Puts all of this in place of the plain ones."""
    patched: Any = evm
    build.artifact, artifacts.load = _artifact, _load
    chains: Any = anvil
    chains.AnvilOptions.arguments = _arguments
    chains.Anvil.__init__, chains.Anvil.stop, chains.Anvil.revert = _start, _stop, _revert
    pyrevm.BlockEnv, pyrevm.CfgEnv = _block_env, _cfg_env  # type: ignore[misc,assignment]
    patched.Evm.__init__, patched.Evm.__del__ = _initialise, _finalise
    for owner in (evm.Evm, evm_calls.Method):
        for function in vars(owner).values():
            for defaults in ("__defaults__", "__kwdefaults__"):
                _lift(function, defaults)
    patched.DEFAULT_GAS = GAS


def _lift(function: Any, attribute: str) -> None:
    values = getattr(function, attribute, None)
    if isinstance(values, tuple):
        setattr(function, attribute, tuple(GAS if v == 30_000_000 else v for v in values))
    elif isinstance(values, dict):
        values.update({k: GAS for k, v in values.items() if v == 30_000_000})


install()
if "AUDIT_BUILD" in os.environ:
    load_overlay(Path(os.environ["AUDIT_BUILD"]))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if "AUDIT_HITS" in os.environ:
        _tests.append(item.nodeid)
        set_coinbase(len(_tests) - 1)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    outcome, seconds = _reports.get(report.nodeid, ("passed", 0.0))
    if report.outcome != "passed":
        outcome = report.outcome
    _reports[report.nodeid] = (outcome, seconds + report.duration)


def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = os.environ.get("AUDIT_HITS")
    worker = getattr(session.config, "workerinput", {}).get("workerid", "main")
    if folder is None or len(_tests) == 1:
        return
    for world in list(_live):
        harvest(world)
    for chain in list(_chains):
        if chain.running:
            harvest_chain(chain)
    content = {
        "tests": {name: list(_reports.get(name, ("lost", 0.0))) for name in _tests[1:]},
        "hits": {_tests[test]: sorted(found) for test, found in _hits.items() if _tests[test]},
    }
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / f"{worker}.json").write_text(json.dumps(content))
