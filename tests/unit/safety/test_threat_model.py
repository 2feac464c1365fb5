"""The threat model's page names every role and only tests that exist."""

from __future__ import annotations

import re

from offchain.artifacts import ROOT

PAGE = (ROOT / "audits" / "safety-threat-model.md").read_text()
ROLE = re.compile(r"uint64 internal constant (\w+) =")
TEST = re.compile(r"`(test_\w+)`")
DEFINED = re.compile(r"^\s*def (test_\w+)", re.MULTILINE)
GATE_ROLES = ("guardian", "governance", "breaker", "sentinel")


def test_page__every_role__has_a_row_with_a_test():
    rows = {
        line.split("|")[1].split("(")[0].strip(): line for line in PAGE.splitlines() if "|" in line
    }
    solidity = (ROOT / "contracts" / "safety" / "Roles.sol").read_text()
    for role in {*GATE_ROLES, *(name.lower() for name in ROLE.findall(solidity)), "deployer"}:
        assert TEST.search(rows[role]), role


def test_page__every_test_it_names__exists():
    defined = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in DEFINED.findall(file.read_text())
    }
    named = set(TEST.findall(PAGE))
    assert len(named) > 40
    assert not named - defined
