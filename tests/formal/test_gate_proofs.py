"""Proofs over the gate's own bytecode, as Vyper wrote it (halmos), and mutants that they refute."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from tests.fuzz.safety.gate_source import mutated_gate
from tests.support import build
from tests.support.halmos import prove
from tests.support.verdict import Verdict

PROOFS = "tests/formal/GateProofs.sol"
PLACE = 'CODE = hex"00"'
PROVEN = {
    "check_only_governance_resumes": "S3",
    "check_states_end_in_time": "S4",
    "check_ticket_fires_once": "S4",
    "check_breaker_refreezes_after_cooldown": "S4, S6",
    "check_sentinel_throttles_only": "S4",
    "check_anyone_ends_a_freeze": "S6",
}
# Per mutation of the Vyper source, the statement that must fall.
MUTANTS = {
    "check_only_governance_resumes": (
        "        return WITHDRAW_ONLY\n",
        "        return NORMAL\n",
    ),
    "check_states_end_in_time": ("block.timestamp + duration", "block.timestamp + duration + 1"),
    "check_ticket_fires_once": (
        "[level] = block.timestamp + cooldown",
        "[level] = block.timestamp + cooldown - 1",
    ),
    "check_breaker_refreezes_after_cooldown": (
        "        applied = WITHDRAW_ONLY\n",
        "        applied = THROTTLED\n",
    ),
    "check_sentinel_throttles_only": (
        "self._raise_or_revert(gate_roles.ROLE_SENTINEL, target, THROTTLED,",
        "self._raise_or_revert(gate_roles.ROLE_SENTINEL, target, WITHDRAW_ONLY,",
    ),
    "check_anyone_ends_a_freeze": (
        "    if block.timestamp < self._expiry(record):",
        "    if block.timestamp <= self._expiry(record):",
    ),
}


def run(code: bytes, *options: str) -> Mapping[str, Verdict]:
    changes = {PROOFS: [(PLACE, f'CODE = hex"{code.hex()}"')]}
    return prove(PROOFS, changes, ["--loop", "5", "--storage-layout", "generic", *options])


@cache
def verdicts() -> Mapping[str, Verdict]:
    return run(build.artifact("EmergencyGate").bytecode)


@pytest.mark.parametrize("statement", PROVEN)
def test_gate__all_callers_times_and_parameters__proven(statement):
    """Properties: S3, S4, S6"""
    assert verdicts()[statement].proven, PROVEN[statement]


@pytest.mark.parametrize("statement", MUTANTS)
def test_gate__rule_broken__refuted(statement):
    """Control: S3, S4, S6."""
    code = mutated_gate(*MUTANTS[statement])
    assert run(code, "--function", statement)[statement].refuted
