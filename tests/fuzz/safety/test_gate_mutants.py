"""Negative controls: each rule of the gate, broken by itself, must be found by the machine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from vyper.compiler import compile_code
from vyper.compiler.settings import Settings

from offchain.artifacts import ROOT
from tests.fuzz.safety.gate_machine import GateMachine
from tests.support.evm import Evm, Revert
from tests.support.gate import GateWorld

pytestmark = pytest.mark.fuzz
SOURCE = ROOT / "contracts" / "safety" / "EmergencyGate.vy"
BUDGET = settings(
    max_examples=400,
    stateful_step_count=60,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

MUTANTS = {
    "tickets never wear out": (
        "[level] = block.timestamp + cooldown",
        "[level] = block.timestamp",
    ),
    "one second too long": ("block.timestamp + duration", "block.timestamp + duration + 1"),
    "frozen lapses to normal": ("        return WITHDRAW_ONLY\n", "        return NORMAL\n"),
    "withdraw-only lapses": (
        "    if state == THROTTLED:\n        return NORMAL",
        "    if state != FROZEN:\n        return NORMAL",
    ),
    "the guardian resumes": (
        "    self._check_governance()\n    assert self._places[target] != 0",
        "    assert msg.sender in [self.governance, self.guardian]\n"
        "    assert self._places[target] != 0",
    ),
    "the breaker refreezes for ever": (
        "        applied = WITHDRAW_ONLY\n",
        "        self._ready_at[ROLE_BREAKER][target][FROZEN] = 0\n",
    ),
    "a late heartbeat counts": (
        "    assert block.timestamp < self.guardianValidUntil,",
        "    assert block.timestamp <= self.guardianValidUntil,",
    ),
    "a raise lowers": (
        "    if level <= self._state_in_force(record):",
        "    if level == self._state_in_force(record):",
    ),
    "a refusal is recorded": ("    if accepted:\n", "    if True:\n"),
    "the target is believed": (
        "NO_FAILURE if accepted and shown == level",
        "NO_FAILURE if accepted",
    ),
    "the sentinel freezes": (
        "self._raise_or_revert(ROLE_SENTINEL, target, THROTTLED,",
        "self._raise_or_revert(ROLE_SENTINEL, target, FROZEN,",
    ),
    "the guardian undoes each resume": (
        "level != WITHDRAW_ONLY or role == ROLE_GUARDIAN",
        "level != WITHDRAW_ONLY",
    ),
    "sync reaches normal": (
        '    assert state != NORMAL, "emergency_gate: nothing to sync"\n',
        "",
    ),
    "one address, two roles": (
        "        assert holder not in [",
        "        assert holder != empty(address) or holder in [",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_gate_machine__rule_broken__found(mutant):
    """Control: S3, S4, S6."""
    before, after = MUTANTS[mutant]
    source = SOURCE.read_text()
    assert source.count(before) == 1, "the mutation has lost its place"
    compiled = compile_code(
        source.replace(before, after),
        output_formats=["bytecode"],
        settings=Settings(evm_version="shanghai"),
    )
    code = bytes.fromhex(compiled["bytecode"].removeprefix("0x"))

    class Mutated(GateMachine):
        deploy = staticmethod(lambda: GateWorld.create(Evm(), code))

    # A mutant may also revert where the teardown of S6 needs a success.
    with pytest.raises((AssertionError, Revert)):
        run_state_machine_as_test(Mutated, settings=BUDGET)
