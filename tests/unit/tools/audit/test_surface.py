"""A moved slot, a new function, a contract too large, a build that differs: each turns it red."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from offchain.artifacts import Artifact
from tools.audit.contracts import rebuild, snapshots, surface
from tools.audit.gate import GateError
from tools.audit.sources import ROOT

BEFORE = {
    "interfaces": {"Vault": ["function exit(uint256) nonpayable returns ()"]},
    "storage": {"Vault": ["0+0 owner address", "1+0 total uint256"]},
}
SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

contract Vault {{
    {first};
    {second};
}}
"""


def artifact(size: int) -> Artifact:
    return Artifact("Vault", [], b"\0" * size, b"\0" * size, "contracts/Vault.sol")


def tree(root: Path, first: str, second: str) -> Path:
    (root / "contracts").mkdir(exist_ok=True)
    (root / "contracts" / "Vault.sol").write_text(SOURCE.format(first=first, second=second))
    (root / "ape-config.yaml").write_text((ROOT / "ape-config.yaml").read_text())
    return root


def test_layout__variables_swapped__found(tmp_path: Path) -> None:
    owner, total = "address private owner", "uint256 private total"
    before = surface.layouts(tree(tmp_path, owner, total))
    after = surface.layouts(tree(tmp_path, total, owner))
    assert before["Vault"] == ["0+0 owner address", "1+0 total uint256"]
    changed = snapshots.differences(
        {"interfaces": {}, "storage": before}, {"interfaces": {}, "storage": after}
    )
    assert len(changed) == 4


def test_snapshot__written_with_a_reason__is_explained(tmp_path: Path) -> None:
    changed = snapshots.write(tmp_path, BEFORE, "the first version of the vault")
    assert changed == ["interfaces, Vault: new contract", "storage, Vault: new contract"]
    committed = snapshots.read(tmp_path)
    assert snapshots.differences(committed, BEFORE) == []
    assert snapshots.unexplained(tmp_path, committed) == []


def test_snapshot__edited_by_hand__is_unexplained(tmp_path: Path) -> None:
    snapshots.write(tmp_path, BEFORE, "the first version of the vault")
    path = tmp_path / snapshots.FOLDER / "storage.json"
    path.write_text(json.dumps({"Vault": ["0+0 total uint256", "1+0 owner address"]}))
    assert len(snapshots.unexplained(tmp_path, snapshots.read(tmp_path))) == 1


def test_snapshot__no_reason__refused(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="say why"):
        snapshots.write(tmp_path, BEFORE, "  why  ")


@pytest.mark.parametrize(
    ("interfaces", "said"),
    [
        ({}, "the contract is gone"),
        ({"Vault": []}, "- function exit(uint256) nonpayable returns ()"),
        ({"Vault": [*BEFORE["interfaces"]["Vault"], "event X() indexed "]}, "+ event X() indexed "),
    ],
)
def test_interface__changed__found(interfaces: dict[str, list[str]], said: str) -> None:
    changed = snapshots.differences(BEFORE, {**BEFORE, "interfaces": interfaces})
    assert changed == [f"interfaces, Vault: {said}"]


@pytest.mark.parametrize(("size", "objections"), [(24_576, 0), (24_577, 1), (49_153, 2)])
def test_size__over_the_chains_limit__found(size: int, objections: int) -> None:
    largest, said = surface.sizes([artifact(size)])
    assert (largest, len(said)) == (size, objections)


def test_compilers__floating_pragma_and_foreign_metadata__found(tmp_path: Path) -> None:
    tree(tmp_path, "uint256 private a", "uint256 private b")
    path = tmp_path / "contracts" / "Vault.sol"
    path.write_text(path.read_text().replace("solidity 0.8.30", "solidity ^0.8.0"))
    assert len(surface.compilers(tmp_path, [artifact(10)])) == 2


def test_build__two_that_differ__found() -> None:
    first = {"Vault": "aa", "Gate": "bb"}
    assert rebuild.differences(first, dict(first)) == []
    assert rebuild.differences(first, {"Vault": "aa", "Gate": "cc", "New": "dd"}) == [
        "Gate: the two builds differ",
        "New: the two builds differ",
    ]
