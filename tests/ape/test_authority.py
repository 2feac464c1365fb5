"""Tests as an ape user writes them, with ape's own fixtures; run by `ape test tests/ape`."""

from __future__ import annotations

from typing import Any

import ape
import pytest


@pytest.fixture
def governance(accounts: Any) -> Any:
    return accounts[0]


@pytest.fixture
def authority(governance: Any, project: Any) -> Any:
    return project.AccessAuthority.deploy(governance, sender=governance)


def test_deploy__solidity__admin_is_who_was_named(authority: Any, governance: Any) -> None:
    assert authority.hasRole(0, governance) == (True, 0)


def test_grant_role__stranger__custom_error_by_name(authority: Any, accounts: Any) -> None:
    with ape.reverts(authority.AccessManagerUnauthorizedAccount):
        authority.grantRole(1, accounts[1], 0, sender=accounts[1])


def test_deploy__vyper__roles_and_time(governance: Any, accounts: Any, project: Any) -> None:
    day = 86_400
    gate = project.EmergencyGate.deploy(
        governance, accounts[1], day, 4 * day, 90 * day, sender=governance
    )
    assert gate.governance() == governance
    assert gate.guardian() == accounts[1]
    assert gate.maxDuration() == day
