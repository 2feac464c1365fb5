"""Roles and a router for the unit tests of the capital plane; asserts nothing by itself."""

from __future__ import annotations

import pytest

from tests.support.capital import World, build_world
from tests.support.evm import Address, Evm


@pytest.fixture
def world(evm: Evm) -> World:
    return build_world(evm)


@pytest.fixture
def evm() -> Evm:
    return Evm()


@pytest.fixture
def whale(evm: Evm) -> Address:
    return evm.account("whale")


@pytest.fixture
def investor(evm: Evm) -> Address:
    return evm.account("investor")


@pytest.fixture
def attacker(evm: Evm) -> Address:
    return evm.account("attacker")
