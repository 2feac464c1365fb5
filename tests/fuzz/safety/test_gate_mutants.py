"""Negative controls: each rule of the gate, broken by itself, must be found by the machine."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.safety.gate_machine import GateMachine
from tests.fuzz.safety.gate_source import mutated_gate
from tests.support import build
from tests.support.evm import Evm, Revert
from tests.support.gate import GateWorld

pytestmark = pytest.mark.fuzz
BUDGET = settings(
    max_examples=2_000,
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
        "    gate_roles._check_governance()\n    assert self._places[target] != 0",
        "    assert msg.sender in [gate_roles.governance, gate_roles.guardian]\n"
        "    assert self._places[target] != 0",
    ),
    "the breaker refreezes for ever": (
        "        applied = WITHDRAW_ONLY\n",
        "        self._ready_at[gate_roles.ROLE_BREAKER][target][FROZEN] = 0\n",
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
        "self._raise_or_revert(gate_roles.ROLE_SENTINEL, target, THROTTLED,",
        "self._raise_or_revert(gate_roles.ROLE_SENTINEL, target, FROZEN,",
    ),
    "the guardian undoes each resume": (
        "level != WITHDRAW_ONLY or role == gate_roles.ROLE_GUARDIAN",
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


def test_mutated_gate__nothing_changed__is_what_ships():
    same = "MAX_TARGETS: constant(uint256) = 64"
    assert mutated_gate(same, same) == build.artifact("EmergencyGate").bytecode


@pytest.mark.parametrize("mutant", MUTANTS)
def test_gate_machine__rule_broken__found(mutant):
    """Control: S3, S4, S6."""
    code = mutated_gate(*MUTANTS[mutant])

    class Mutated(GateMachine):
        deploy = staticmethod(lambda: GateWorld.create(Evm(), code))

    # A mutant may also revert where the teardown of S6 needs a success.
    with pytest.raises((AssertionError, Revert)):
        run_state_machine_as_test(Mutated, settings=BUDGET)
