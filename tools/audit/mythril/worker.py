"""Runs Mythril on the creation bytecode of contracts and says what it saw; judges nothing.

A process of its own in Mythril's environment (`.venv-mythril/bin/python -m … WORKERS`): jobs
come as a JSON list on standard input, each answer goes to standard output as a line of JSON. Each
contract gets a fresh fork: Mythril keeps global state.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
import traceback
from typing import Any

from mythril.analysis import symbolic
from mythril.analysis.security import fire_lasers
from mythril.analysis.symbolic import SymExecWrapper
from mythril.laser.ethereum.transaction import ContractCreationTransaction
from mythril.laser.plugin.builder import PluginBuilder
from mythril.laser.plugin.interface import LaserPlugin
from mythril.laser.plugin.loader import LaserPluginLoader
from mythril.laser.plugin.signals import PluginSkipWorldState
from mythril.mythril import MythrilDisassembler
from mythril.support.loader import DynLoader
from mythril.support.start_time import StartTime
from mythril.support.support_args import args

from tools.audit.mythril import engine
from tools.audit.mythril.search import Search

# Where deployed code lies that is analysed alone. Mythril would take 0, and with immutables of zero
# a call to one of them would be a call to itself.
ADDRESS = "0x" + "b0a7" * 10
DEPTH = 128
LOOPS = 3
# Seconds: Search ends the work, the clock does not.
NEVER = 1_000_000


class Witness(LaserPlugin):  # type: ignore[misc]
    """Notes which instructions and functions of the deployed code were executed."""

    def __init__(self) -> None:
        self.executed: set[int] = set()
        self.functions: set[str] = set()
        self.instructions = 0

    def initialize(self, symbolic_vm: Any) -> None:
        """Called by Mythril before it starts."""

        @symbolic_vm.laser_hook("execute_state")  # type: ignore[untyped-decorator]
        def note(state: Any) -> None:
            if isinstance(state.current_transaction, ContractCreationTransaction):
                return
            self.executed.add(state.mstate.pc)
            self.functions.add(str(state.environment.active_function_name))
            self.instructions = len(state.environment.code.instruction_list)

        @symbolic_vm.laser_hook("add_world_state")  # type: ignore[untyped-decorator]
        def created(state: Any) -> None:
            if isinstance(state.current_transaction, ContractCreationTransaction):
                if not state.world_state.constraints.is_possible():
                    raise PluginSkipWorldState
                # Storage is arbitrary from here on: a second way through would add nothing.
                Search.created = True


class WitnessBuilder(PluginBuilder):  # type: ignore[misc]
    """Hands Mythril the witness."""

    name = "witness"

    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self._witness = witness

    def __call__(self, *_: Any, **__: Any) -> Witness:
        return self._witness


def _selector(issue: Any) -> str:
    """The first four bytes of the last call that shows the finding, or where it lies instead."""
    if issue.function == "constructor":
        return "constructor"
    steps = (issue.transaction_sequence or {}).get("steps") or [{"input": ""}]
    call = steps[-1]["input"]
    return call[:10] if len(call) >= 10 else "fallback"


def analyse(job: dict[str, Any]) -> dict[str, Any]:
    """What Mythril finds in one contract."""
    args.pruning_factor = 0
    args.disable_iprof = True
    args.use_integer_module = False
    args.unconstrained_storage = True
    engine.install(job["solver_units"])
    Search.create_steps, Search.steps = job["create_steps"], job["steps"]
    Search.seconds = job["seconds"]
    symbolic.BreadthFirstSearchStrategy = Search
    witness = Witness()
    LaserPluginLoader().load(WitnessBuilder(witness))
    started = time.process_time()
    failure, issues, constructed = "", [], False
    try:
        issues = _explore(job, job["code"], False)
        constructed = bool(witness.instructions)
        if not constructed:
            # The constructor waits for foreign answers without end: what it deploys goes on alone.
            issues += _explore(job, job["runtime"], True)
    except Exception:  # noqa: BLE001 - whatever Mythril dies of is its answer
        failure = traceback.format_exc(limit=-3)
    return {
        "name": job["name"],
        "failure": failure,
        "seconds": round(time.process_time() - started, 1),
        "constructed": constructed,
        "exhausted": Search.exhausted,
        "executed": len(witness.executed),
        "instructions": witness.instructions,
        "functions": sorted(witness.functions),
        "issues": [
            {
                "swc": issue.swc_id,
                "severity": issue.severity,
                "selector": _selector(issue),
                "address": issue.address,
                "title": issue.title,
                "head": issue.description_head,
            }
            for issue in issues
        ],
    }


def _explore(job: dict[str, Any], code: str, deployed: bool) -> list[Any]:
    disassembler = MythrilDisassembler(eth=None, enable_online_lookup=False)
    disassembler.load_from_bytecode(code, bin_runtime=deployed)
    StartTime()
    run = SymExecWrapper(
        disassembler.contracts[0],
        ADDRESS,
        "bfs",
        dynloader=DynLoader(None, active=False),
        max_depth=DEPTH,
        execution_timeout=NEVER,
        loop_bound=LOOPS,
        create_timeout=NEVER,
        transaction_count=job["transactions"],
        compulsory_statespace=False,
    )
    return list(fire_lasers(run))


def main() -> None:
    """Answers jobs in the order in which they are done."""
    jobs = json.load(sys.stdin)
    with multiprocessing.get_context("fork").Pool(int(sys.argv[1]), maxtasksperchild=1) as pool:
        for answer in pool.imap_unordered(analyse, jobs):
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
