"""A seeded pool for each test, in one world that is rolled back."""

from __future__ import annotations

from functools import cache

import pytest

from tests.support.amm import PoolWorld
from tests.support.evm import Address, Evm


@cache
def _world() -> tuple[PoolWorld, int]:
    world = PoolWorld(Evm())
    return world, world.evm.snapshot()


@pytest.fixture
def world() -> PoolWorld:
    """NOTE: its model is for tests that never change the pool; they seed their own otherwise."""
    world, mark = _world()
    world.evm.restore(mark)
    return world


@pytest.fixture
def trader(world: PoolWorld) -> Address:
    return world.evm.account("trader")


@pytest.fixture
def attacker(world: PoolWorld) -> Address:
    return world.evm.account("attacker")


@pytest.fixture
def whale(world: PoolWorld) -> Address:
    return world.whale
