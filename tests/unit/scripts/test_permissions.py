"""The table of permissions against the sources: a new restricted function needs a decision."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from scripts._deployment.bound import abi_of
from scripts._deployment.permissions import (
    GOVERNED,
    MANAGED,
    PERMISSIONS,
    ROLE_NAMES,
    decisions,
    role_holders,
    selectors,
)

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
RESTRICTED = re.compile(r"function\s+(\w+)\s*\([^)]*\)[^{;]*\brestricted\b")
ROUTER_PARTS = ("RouterManager", "RouterSettings", "RouterReports", "RouterExits", "RouterShares")
# Whose restricted functions a part's are: it is in no deployment by itself.
PARTS = dict.fromkeys(ROUTER_PARTS, ("CapitalRouter",)) | {
    "TwoTokenStrategy": ("GuardedPoolStrategy", "UniswapV3Strategy")
}
NOT_DEPLOYED = ("GuardedPoolVenue",)


def _restricted() -> dict[str, set[str]]:
    """Restricted functions by the contract that has them, as the sources say."""
    found: dict[str, set[str]] = {}
    for source in sorted(CONTRACTS.rglob("*.sol")):
        names = set(RESTRICTED.findall(source.read_text()))
        if names and source.stem not in NOT_DEPLOYED:
            for contract in PARTS.get(source.stem, (source.stem,)):
                found.setdefault(contract, set()).update(names)
    return found


def test_decisions__every_restricted_function_of_the_sources__is_decided() -> None:
    assert _restricted() == {artifact: set(decisions(artifact)) for artifact in MANAGED}


def test_decisions__no_function_is_decided_twice() -> None:
    named = Counter((p.artifact, f) for p in (*PERMISSIONS, *GOVERNED) for f in p.functions)
    assert set(named.values()) == {1}


def test_selectors__every_decided_function__exists() -> None:
    for artifact in MANAGED:
        for function in decisions(artifact):
            assert selectors(abi_of(artifact), function)


def test_selectors__function_that_does_not_exist__is_an_error() -> None:
    with pytest.raises(LookupError, match="no function named harvestAll"):
        selectors(abi_of("YieldHarvester"), "harvestAll")


def test_role_holders__every_role__has_a_holder_and_the_deployer_none() -> None:
    names = ("governance", "guardian", "allocator", "keeper", "batcher", "compliance", "deployer")
    table = role_holders({name: name for name in names}, "harvester")
    assert {role for role, _ in table} == set(ROLE_NAMES)
    assert "deployer" not in {holder for _, holder in table}
