"""The gate of coverage bites: what no test reaches is named, and so is an exception out of date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from offchain.artifacts import Artifact
from tests.support.evm import Contract, Evm, Interface
from tools.audit.coverage import judge
from tools.audit.coverage.contracts import Reached
from tools.audit.gates import coverage
from tools.audit.instrument import probes, tree, vyper
from tools.audit.instrument.probes import Numbers, Probe
from tools.audit.instrument.text import Wrap, apply

PATH = "contracts/Toll.sol"
SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

contract Toll {
    uint256 public paid;

    function pay(uint256 amount) external {
        if (amount == 0) revert("nothing");
        paid += amount > 9 ? amount - 1 : amount;
    }

    function least(uint256 a, uint256 b) external pure returns (uint256 c) {
        assembly {
            c := a
            if lt(b, a) { c := b }
        }
    }
}
"""
SNAKE = """
# pragma version 0.4.3
paid: public(uint256)

@external
def pay(amount: uint256):
    assert amount != 0, "nothing"
    if amount > 9:
        self.paid += amount - 1
    else:
        self.paid += amount
"""
BOOTH = """
# pragma version 0.4.3
import fees

@external
@view
def price(amount: uint256) -> uint256:
    return fees._with_fee(amount)
"""
FEES = """
# pragma version 0.4.3

@internal
@pure
def _with_fee(amount: uint256) -> uint256:
    if amount > 9:
        return amount + 1
    return amount
"""


def compiled(path: str, source: str) -> Contract:
    answer = tree.solc(
        {
            "language": "Solidity",
            "sources": {path: {"content": source}},
            "settings": {
                "evmVersion": "shanghai",
                "viaIR": True,
                "outputSelection": {path: {"*": ["abi", "evm.bytecode.object"]}},
            },
        }
    )
    (entry,) = answer["contracts"][path].values()
    return deployed(entry["abi"], bytes.fromhex(entry["evm"]["bytecode"]["object"]))


def deployed(abi: list[dict[str, object]], code: bytes) -> Contract:
    evm = Evm()
    address = evm.create(code)
    return Contract(evm, Interface(Artifact("Toll", abi, code, b"", PATH)), address)


def reached(contract: Contract) -> set[int]:
    return {probe for _, probe in probes.covered(list(contract._evm._evm.db_accounts))}


def gaps(
    found: list[Probe], hits: set[int], source: str, exemptions: tuple[judge.Exemption, ...] = ()
) -> tuple[str, ...]:
    return judge.judge(found, hits, {found[0].path: source}, exemptions).failures


@pytest.fixture(scope="module")
def toll() -> tuple[Callable[[], Contract], list[Probe]]:
    numbers = Numbers()
    text = probes.instrument({PATH: SOURCE}, numbers)[PATH]
    return lambda: compiled(PATH, text), numbers.probes


def test_probes__every_statement_and_way_taken__nothing_missing(toll) -> None:
    deploy, found = toll
    contract = deploy()
    contract.pay(1)
    contract.pay(10)
    assert contract.paid() == 10
    assert contract.least(1, 2) == contract.least(2, 1) == 1
    with pytest.raises(Exception, match="nothing"):
        contract.pay(0)
    assert gaps(found, reached(contract), SOURCE) == ()


def test_probes__untested_line_and_way__named(toll) -> None:
    deploy, found = toll
    contract = deploy()
    contract.pay(1)
    assert contract.least(1, 2) == 1
    missing = gaps(found, reached(contract), SOURCE)
    assert [one.removeprefix("not covered and not explained: contracts/") for one in missing] == [
        'Toll.sol:8: if (amount == 0) revert("nothing");',
        'Toll.sol:8: true way of if (amount == 0) revert("nothing");',
        "Toll.sol:9: true way of paid += amount > 9 ? amount - 1 : amount;",
        "Toll.sol:15: true way of if lt(b, a) { c := b }",
    ]


def test_probes__vyper__the_same() -> None:
    numbers = Numbers()
    path = "contracts/Toll.vy"
    (artifact,) = vyper.compile_sources({path: vyper.instrument(path, SNAKE, numbers)})
    contract = deployed(list(artifact.abi), artifact.bytecode)
    contract.pay(1)
    missing = gaps(numbers.probes, reached(contract), SNAKE)
    assert [one.removeprefix("not covered and not explained: contracts/") for one in missing] == [
        'Toll.vy:7: false way of assert amount != 0, "nothing"',
        "Toll.vy:8: true way of if amount > 9:",
        "Toll.vy:9: self.paid += amount - 1",
    ]
    contract.pay(10)
    with pytest.raises(Exception, match="nothing"):
        contract.pay(0)
    assert gaps(numbers.probes, reached(contract), SNAKE) == ()


def test_probes__vyper_module__probed_inside_what_imports_it() -> None:
    numbers = Numbers()
    sources = {"contracts/Booth.vy": BOOTH, "contracts/fees.vy": FEES}
    probed = {path: vyper.instrument(path, text, numbers) for path, text in sources.items()}
    (artifact,) = vyper.compile_sources(probed)
    contract = deployed(list(artifact.abi), artifact.bytecode)
    assert contract.price(1) == 1
    verdict = judge.judge(numbers.probes, reached(contract), sources, ())
    assert [str(gap) for gap in verdict.gaps] == [
        "contracts/fees.vy:7: true way of if amount > 9:",
        "contracts/fees.vy:8: return amount + 1",
    ]


def measured(hits: dict[str, set[int]], failed: tuple[str, ...] = ()) -> Reached:
    return Reached(
        [Probe(PATH, 8), Probe(PATH, 9, "true")],
        {test: frozenset(found) for test, found in hits.items()},
        dict.fromkeys(hits, 0.1),
        failed,
    )


def test_gate__all_reached__green() -> None:
    result = coverage.judge(measured({"t": {0}, "u": {1}}), {PATH: SOURCE}, ())
    assert result.passed
    figures = result.figures
    assert (figures["line_coverage_pct"], figures["branch_coverage_pct"]) == (100.0, 100.0)


def test_gate__uncovered_line__red() -> None:
    result = coverage.judge(measured({"t": {1}}), {PATH: SOURCE}, ())
    assert not result.passed
    assert len(result.failures) == 1 and "Toll.sol:8: if (amount == 0)" in result.failures[0]


def test_gate__line_that_only_a_failing_test_reached__red() -> None:
    result = coverage.judge(measured({"t": {0}, "u": {1}}, ("u",)), {PATH: SOURCE}, ())
    assert not result.passed
    assert "true way" in result.failures[0]


def test_gate__stale_reason__red() -> None:
    text = SOURCE.split("\n")[7].strip()
    exemption = judge.Exemption(PATH, text, "", "no chain has such an amount")
    result = coverage.judge(measured({"t": {0, 1}}), {PATH: SOURCE}, (exemption,))
    assert result.failures == (f"stale exception: {PATH}: line of {text}",)


def test_judge__exception_with_a_reason__green_and_counted() -> None:
    found = [Probe(PATH, 9)]
    text = SOURCE.split("\n")[8].strip()
    exemption = judge.Exemption(PATH, text, "", "no chain has such an amount")
    verdict = judge.judge(found, set(), {PATH: SOURCE}, (exemption,))
    assert verdict.failures == ()
    assert verdict.lines_pct == 0
    assert verdict.gaps[0].reason == "no chain has such an amount"


@pytest.mark.parametrize(
    ("hits", "text"), [({0}, "paid += amount > 9 ? amount - 1 : amount;"), (set(), "gone();")]
)
def test_judge__exception_that_fits_no_gap__stale(hits: set[int], text: str) -> None:
    exemption = judge.Exemption(PATH, text, "", "no chain has such an amount")
    failures = gaps([Probe(PATH, 9)], hits, SOURCE, (exemption,))
    assert failures[-1] == f"stale exception: {PATH}: line of {text}"


@pytest.mark.parametrize(
    "text",
    [
        "[[exception]",
        '[[exception]]\npath = "a.sol"\ntext = "b"\n',
        '[[exception]]\npath = "a.sol"\ntext = "b"\nreason = "why"\n',
    ],
)
def test_read__no_reason_or_no_toml__refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "exceptions.toml").write_text(text)
    with pytest.raises(judge.ExceptionsError):
        judge.read(tmp_path / "exceptions.toml")


def test_apply__nested_equal_and_empty_ranges__nest_as_given() -> None:
    wraps = [Wrap(2, 3, "<", ">"), Wrap(2, 3, "(", ")"), Wrap(0, 5, "[", "]"), Wrap(2, 2, "!")]
    assert apply(b"abcde", wraps) == b"[ab!(<c>)de]"
