"""Negative controls: each rule of meter and oracle, broken, must be found by its machine."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from offchain.artifacts import ROOT
from tests.fuzz.safety.test_breaker_stateful import BreakerMachine
from tests.fuzz.safety.test_oracle_stateful import OracleMachine
from tests.support import build

pytestmark = pytest.mark.fuzz
BUCKET = "contracts/safety/lib/TokenBucket.sol"
BREAKER = "contracts/safety/CircuitBreaker.sol"
MEDIAN = "contracts/safety/lib/Median.sol"
ORACLE = "contracts/safety/PriceOracle.sol"
BUDGET = settings(
    max_examples=2_000,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

BREAKER_MUTANTS = {
    "S1: a credit outlives its timestamp": (
        BUCKET,
        "if gt(held, cap) { held := cap }",
        "if gt(held, cap) { held := and(bucket, 0xffffffffffffffffffffffffffffffff) }",
    ),
    "S1: the refill is twice too fast": (BUCKET, "mul(elapsed, div(", "mul(mul(2, elapsed), div("),
    "S1: loosening fills the bucket": (
        BUCKET,
        "held < cap ? held : cap",
        "cap",
    ),
    "S5: a credit stops at the capacity": (
        BUCKET,
        "return _put(bucket, held + (assets << FRACTION_BITS), time);",
        "held += assets << FRACTION_BITS;"
        "return _put(bucket, held < capacity(bucket) ? held : capacity(bucket), time);",
    ),
    "S6: the guardian goes below the floor": (BREAKER, "limit < floor", "limit < floor / 2"),
}
ORACLE_MUTANTS = {
    "O1: one feed is enough": (ORACLE, "QUORUM = 2", "QUORUM = 1"),
    "O1: an absurd answer counts": (
        ORACLE,
        "words[0] <= type(uint128).max ? words[0] : 0",
        "words[0] <= type(uint136).max ? words[0] : 0",
    ),
    "O2: the highest answer wins": (
        MEDIAN,
        "uint256 upper = values[count / 2];",
        "uint256 upper = values[count - 1];",
    ),
    "a dispute ends at once": (ORACLE, ">= feeds.rules.settleTime", ">= 0"),
    "a dispute ends without calm": (
        ORACLE,
        "if (live.spreadBps > feeds.rules.recoverSpreadBps)",
        "if (live.spreadBps > feeds.rules.maxSpreadBps)",
    ),
}


def mutated(contract: str, changed: str, old: str, new: str) -> bytes:
    """Creation code of `contract` with one replacement in one of its sources."""
    sources = {}
    for path in build._closure(build.PurePosixPath(contract)):
        name = path.relative_to(ROOT).as_posix().removeprefix("node_modules/")
        text = path.read_text()
        if name == changed:
            assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
            text = text.replace(old, new)
        sources[name] = {"content": text}
    request = {
        "language": "Solidity",
        "sources": sources,
        "settings": {
            **build._settings()["solidity"],
            "remappings": [],
            "outputSelection": {contract: {"*": ["evm.bytecode.object"]}},
        },
    }
    done = subprocess.run(
        [str(ROOT / ".tools" / "bin" / "solc"), "--standard-json"],
        cwd=ROOT,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    output = json.loads(done.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    assert not errors, "\n".join(errors)
    (compiled,) = output["contracts"][contract].values()
    return bytes.fromhex(compiled["evm"]["bytecode"]["object"])


def found(machine: type[Any], attribute: str, code: bytes) -> bool:
    mutant = type("Mutant", (machine,), {attribute: code})
    try:
        run_state_machine_as_test(mutant, settings=BUDGET)
    except Exception:  # noqa: BLE001  (any failure of the machine is a find)
        return True
    return False


@pytest.mark.parametrize("name", BREAKER_MUTANTS)
def test_breaker_mutant__its_rule_broken__is_found(name: str) -> None:
    """Control: S1, S5, S6."""
    assert found(BreakerMachine, "code", mutated(BREAKER, *BREAKER_MUTANTS[name]))


@pytest.mark.parametrize("name", ORACLE_MUTANTS)
def test_oracle_mutant__its_rule_broken__is_found(name: str) -> None:
    """Control: O1, O2."""
    assert found(OracleMachine, "code", mutated(ORACLE, *ORACLE_MUTANTS[name]))


def test_no_mutant__nothing_broken__is_not_found() -> None:
    """Without this, a machine that always fails would kill every mutant."""
    plain = mutated(ORACLE, ORACLE, "QUORUM = 2", "QUORUM = 2")
    quick = settings(BUDGET, max_examples=5)
    run_state_machine_as_test(type("Plain", (OracleMachine,), {"code": plain}), settings=quick)
    plain = mutated(BREAKER, BUCKET, "MIN_RATE = 1024", "MIN_RATE = 1024")
    run_state_machine_as_test(type("Plain", (BreakerMachine,), {"code": plain}), settings=quick)
