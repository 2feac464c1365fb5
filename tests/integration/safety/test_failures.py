"""Each failure by itself and in pairs, on the whole suite with real Safes: what users can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from offchain.abi import AbiError
from offchain.artifacts import ROOT
from tests.integration.safety.failures import (
    ACTIONS,
    FAILURES,
    Failure,
    coexist,
    happen,
    stopped,
    table,
)
from tests.support import build
from tests.support.evm import Evm, Revert
from tests.support.gate import State
from tests.support.plane import DEPOSIT, Suite, build_suite

PAGE = ROOT / "docs" / "safety.md"


@pytest.fixture(scope="module")
def deployed() -> Suite:
    return build_suite(Evm())


@pytest.fixture
def suite(deployed: Suite) -> Iterator[Suite]:
    with deployed.evm.rollback():
        yield deployed


def impossible(suite: Suite) -> frozenset[str]:
    """What was tried in vain, each from the same state."""
    found = set()
    for name, act in ACTIONS.items():
        with suite.evm.rollback():
            try:
                act(suite)
            except (Revert, AbiError, AssertionError):
                found.add(name)
    return frozenset(found)


def assert_as_foretold(suite: Suite, failures: Sequence[Failure]) -> None:
    with suite.evm.rollback():
        happen(suite, failures)
        names = " and ".join(failure.name for failure in failures)
        assert impossible(suite) == stopped(failures), names


def test_nothing__failed__everything_is_possible(suite):
    """Property: R9"""
    suite.watch()
    assert impossible(suite) == frozenset()
    assert {target.emergencyState() for target in suite.targets} == {State.NORMAL}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name)
def test_failure__alone__stops_what_the_table_says(suite, failure):
    """Properties: R9, O1, O2"""
    assert_as_foretold(suite, [failure])


@pytest.mark.parametrize("place", range(len(FAILURES)), ids=lambda n: FAILURES[n].name)
def test_failure__with_each_other__stops_what_the_table_says(suite, place):
    """Properties: R9, O1, O2"""
    first = FAILURES[place]
    for second in FAILURES[place:]:
        if coexist(first, second):
            assert_as_foretold(suite, [first, second])


def test_table__of_the_page__is_the_one_that_is_tried():
    assert table() in PAGE.read_text(), "python -m tests.integration.safety.failures has it"


def test_exits__access_manager_gate_and_oracle_all_gone__still_metered_and_paid(suite):
    """Properties: R9, S1, S6. The way out asks nobody but the breaker's own slot."""
    for contract in (suite.authority, suite.gate, suite.oracle):
        suite.evm.etch(contract, b"")
    before = suite.breaker.available(suite.router, suite.asset)
    assert impossible(suite) == {"priced risk", "trip", "freeze"}
    ACTIONS["instant exit"](suite)
    assert before - suite.breaker.available(suite.router, suite.asset) == DEPOSIT // 10


SELFDESTRUCT, PUSH1, PUSH32 = 0xFF, 0x60, 0x7F


def opcodes(runtime: bytes) -> set[int]:
    """Every instruction, without pushed data and without the compiler's trailing metadata."""
    code = runtime[: -2 - int.from_bytes(runtime[-2:], "big")]
    found, at = set(), 0
    while at < len(code):
        found.add(code[at])
        at += 1 + (code[at] - PUSH1 + 1 if PUSH1 <= code[at] <= PUSH32 else 0)
    return found


@pytest.mark.parametrize(
    "name",
    [
        *("CapitalRouter", "RouterManager", "ExitQueue", "GuardedPool"),
        *("CircuitBreaker", "PriceOracle", "EmergencyGate", "HostileTarget"),
    ],
)
def test_code__of_what_holds_or_stops_money__cannot_destroy_itself(name):
    """The negative control is a test target that can."""
    destroys = SELFDESTRUCT in opcodes(build.artifact(name).runtime)
    assert destroys == (name == "HostileTarget")


def test_failures__in_the_table__no_price_stops_an_exit():
    """Property: R9. Nor do Safes, keys, the sequencer or the access manager."""
    exits = {"instant exit", "queued exit", "exit in kind", "burn"}
    blocking = {failure.name for failure in FAILURES if failure.stops & exits}
    assert blocking == {"pool self-destroyed", "exit queue self-destroyed"}
