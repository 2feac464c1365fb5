"""The gate of mutation from end to end: planted, hunted and judged, red for weak tests alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from offchain.artifacts import Artifact
from tests.unit.tools.audit.test_mutation import PATH, SOURCE
from tools.audit.coverage.contracts import save
from tools.audit.gate import GateResult
from tools.audit.gates import mutation
from tools.audit.instrument import tree
from tools.audit.mutation import runner, solidity
from tools.audit.mutation.mutant import Mutant

CASES = "tests/unit/tools/audit/toll_cases.py"
WEAK = f"{CASES}::test_pay__three__is_taken"
STRONG = (
    f"{CASES}::test_pay__owner__pays_a_third_rounded_up[3-1]",
    f"{CASES}::test_pay__owner__pays_a_third_rounded_up[100-34]",
    f"{CASES}::test_pay__stranger__refused",
)
FAULTS = {
    "rounding flip": ("rounding", "feeDown(amount)"),
    "modifier missing": ("modifier removed", "nothing"),
    "state write deleted": ("state write deleted", "nothing"),
    "flipped guard": ("ROR", "amount <= 100"),
}


@pytest.fixture(scope="module")
def planted() -> Mapping[str, tuple[int, Mutant]]:
    """Number and fault of each kind, by its name."""
    found = {
        number: plant.mutant for number, plant in enumerate(solidity.plants({PATH: SOURCE}), 1)
    }
    return {
        name: next((n, one) for n, one in found.items() if (one.operator, one.new) == kind)
        for name, kind in FAULTS.items()
    }


@pytest.fixture(scope="module")
def artifacts() -> Path:
    """The toll contract with every fault in it."""
    plants = dict(enumerate(solidity.plants({PATH: SOURCE}), 1))
    text = solidity.planted({PATH: SOURCE}, plants)[PATH]
    outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    answer = tree.solc(
        {
            "language": "Solidity",
            "sources": {PATH: {"content": text}},
            "settings": {
                "evmVersion": "shanghai",
                "viaIR": True,
                "outputSelection": {PATH: {"Toll": outputs}},
            },
        }
    )
    entry = answer["contracts"][PATH]["Toll"]
    code, runtime = (
        bytes.fromhex(entry["evm"][name]["object"]) for name in ("bytecode", "deployedBytecode")
    )
    return save({"Toll": Artifact("Toll", entry["abi"], code, runtime, PATH)})


def gate(
    planted: Mapping[str, tuple[int, Mutant]], artifacts: Path, tests: tuple[str, ...]
) -> GateResult:
    """What the gate says if these are all the tests there are."""
    faults = [(str(number), tests) for number, _ in planted.values()]
    results = runner.run("contract", faults, artifacts, 1, 20, lambda _line: None)
    named = {one.key: results[str(number)] for number, one in planted.values()}
    return mutation.judge((), [one for _, one in planted.values()], named)


def test_gate__tests_that_notice__green(
    planted: Mapping[str, tuple[int, Mutant]], artifacts: Path
) -> None:
    result = gate(planted, artifacts, STRONG)
    assert result.passed, result.failures
    assert result.figures["safety_mutants_killed_pct"] == 100.0


def test_gate__test_that_checks_nothing__red_for_each_fault(
    planted: Mapping[str, tuple[int, Mutant]], artifacts: Path
) -> None:
    result = gate(planted, artifacts, (WEAK,))
    assert not result.passed
    survived = [one for one in result.failures if one.startswith("survived in the safety plane")]
    # The flipped guard refuses even the three that the weak test pays.
    assert len(survived) == len(FAULTS) - 1
    for name in set(FAULTS) - {"flipped guard"}:
        assert f"survived in the safety plane: {planted[name][1]}" in survived
