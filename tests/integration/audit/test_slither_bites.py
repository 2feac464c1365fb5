"""Slither over small trees with one planted defect each: the gate goes red for that reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.audit.gate import GateResult
from tools.audit.gates import slither
from tools.audit.slither import exceptions
from tools.audit.sources import ROOT

BANK = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

contract Bank {{
    mapping(address => uint256) public balanceOf;

    function deposit() external payable {{
        balanceOf[msg.sender] += msg.value;
    }}

    function withdraw() external {{
        uint256 owed = balanceOf[msg.sender];
{before}
        {body}
    }}
}}
"""
SAFE = 'balanceOf[msg.sender] = 0; (bool ok,) = msg.sender.call{value: owed}(""); require(ok);'
REENTRANT = '(bool ok,) = msg.sender.call{value: owed}(""); require(ok); balanceOf[msg.sender] = 0;'
SILENCED = "        // slither-disable-next-line reentrancy-eth"
REASON = "        // The planted defect is silenced here, to see that it is."


def examined(root: Path, body: str, before: str) -> GateResult:
    (root / "contracts").mkdir()
    (root / "interfaces").mkdir()
    (root / "ape-config.yaml").write_text((ROOT / "ape-config.yaml").read_text())
    (root / "contracts" / "Bank.sol").write_text(BANK.format(body=body, before=before))
    return slither.examine(root, root / "reports" / "slither.sarif")


@pytest.mark.parametrize(
    ("body", "before", "broken"),
    [
        (SAFE, "", None),
        (REENTRANT, f"{REASON}\n{SILENCED}", None),
        (REENTRANT, "", "slither_untriaged"),
        (REENTRANT, SILENCED, "slither_exceptions"),
        (SAFE, f"{REASON}\n{SILENCED}", "slither_stale_exceptions"),
    ],
    ids=["sound", "answered", "reentrancy", "no reason", "stale exception"],
)
def test_slither__one_planted_defect__breaks_its_promise(
    tmp_path: Path, body: str, before: str, broken: str | None
) -> None:
    result = examined(tmp_path, body, before)
    assert {name for name, held in result.promises.items() if not held} == (
        {broken} if broken else set()
    )
    assert bool(result.failures) is (broken is not None)
    assert (tmp_path / "reports" / "slither.sarif").exists()


def test_exceptions__of_production__each_has_a_reason() -> None:
    found = exceptions.read(ROOT, slither.production_solidity(ROOT))
    assert found and exceptions.objections(found) == []


@pytest.mark.parametrize("names", ["", " all"])
def test_exception__no_or_every_detector__refused(tmp_path: Path, names: str) -> None:
    (tmp_path / "A.sol").write_text(f"{REASON}\n// slither-disable-next-line{names}\nuint256 a;\n")
    assert exceptions.objections(exceptions.read(tmp_path, ["A.sol"]))
