"""Roles and a router for the unit tests of the capital plane; asserts nothing by itself."""

from __future__ import annotations

import pytest

from tests.support.capital import World, build_world
from tests.support.evm import Evm


@pytest.fixture
def world(evm: Evm) -> World:
    return build_world(evm)
