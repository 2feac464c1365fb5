"""Damage of any kind to a deployment file is refused with one line; a whole file round-trips."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from offchain.deployment import Deployment, DeploymentError

ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
OTHER = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"


def sound() -> dict[str, Any]:
    contract = {
        "address": ADDRESS,
        "codeHash": "0x" + "ab" * 32,
        "constructorArgs": [OTHER, 6, "1000000000000000000000"],
        "deployBlock": 12,
    }
    return {
        "schema": 1,
        "chainId": 31337,
        "contracts": {
            "CapitalRouter": contract,
            "AaveUsdc": contract | {"address": OTHER, "artifact": "AaveV3Strategy"},
        },
        "roles": {"governance": OTHER},
    }


def write(folder: Path, body: object) -> Path:
    path = folder / "31337.json"
    path.write_text(body if isinstance(body, str) else json.dumps(body))
    return path


def test_load__sound_file__round_trips(tmp_path: Path) -> None:
    deployment = Deployment.load(write(tmp_path, sound()), chain_id=31337)
    assert deployment.address("CapitalRouter") == ADDRESS
    assert deployment.artifact("AaveUsdc") == "AaveV3Strategy"
    assert deployment.named("AaveV3Strategy") == ("AaveUsdc",)
    assert deployment.first_block == 12
    again = tmp_path / "deep" / "again.json"
    deployment.save(again)
    assert Deployment.load(again) == deployment
    assert [path.name for path in again.parent.iterdir()] == ["again.json"]


def damaged() -> list[tuple[str, object, str]]:
    def change(**changes: object) -> dict[str, Any]:
        return sound() | changes

    def contract(**changes: object) -> dict[str, Any]:
        body = sound()
        body["contracts"]["CapitalRouter"] |= changes
        return body

    lost = sound()
    del lost["contracts"]["CapitalRouter"]["codeHash"]
    twin = sound()
    twin["contracts"]["AaveUsdc"]["address"] = ADDRESS
    whole = json.dumps(sound())
    return [
        ("empty", "", "not valid JSON"),
        ("cut", whole[: len(whole) // 2], "not valid JSON"),
        ("list", [], "damaged at top level"),
        ("twice", '{"schema": 1, "schema": 1}', "appears twice"),
        ("deep", "[" * 100_000, "nested more than 32 deep"),
        ("schema", change(schema=2), "schema"),
        ("text chain", change(chainId="31337"), "chainId"),
        ("no contracts", change(contracts={}), "contracts"),
        ("unknown key", change(extra=1), "extra"),
        ("short address", contract(address="0x12"), "address"),
        ("bad checksum", contract(address=ADDRESS.replace("F", "f", 1)), "checksum"),
        ("zero address", contract(address="0x" + "0" * 40), "zero"),
        ("code hash", contract(codeHash="0x12"), "codeHash"),
        ("negative block", contract(deployBlock=-1), "deployBlock"),
        ("missing code hash", lost, "codeHash"),
        ("shared address", twin, "share an address"),
        ("bad name", change(roles={"no spaces allowed": OTHER}), "roles"),
    ]


@pytest.mark.parametrize(
    ("body", "says"), [case[1:] for case in damaged()], ids=[case[0] for case in damaged()]
)
def test_load__damaged_file__one_clear_line(tmp_path: Path, body: object, says: str) -> None:
    with pytest.raises(DeploymentError) as caught:
        Deployment.load(write(tmp_path, body))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_load__missing_or_binary_or_other_chain__one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="does not exist"):
        Deployment.load(tmp_path / "31337.json")
    with pytest.raises(DeploymentError, match="is for chain 31337, the node is on chain 1"):
        Deployment.load(write(tmp_path, sound()), chain_id=1)
    (tmp_path / "31337.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DeploymentError, match="cannot be read"):
        Deployment.load(tmp_path / "31337.json")


def test_save__target_is_a_directory__leaves_no_draft(tmp_path: Path) -> None:
    deployment = Deployment.load(write(tmp_path, sound()))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(OSError):
        deployment.save(tmp_path / "taken")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["31337.json", "taken"]
