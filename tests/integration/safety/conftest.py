"""The gate under its two real Safes on the session's local chain."""

from __future__ import annotations

import pytest

from offchain.chain.client import ChainClient
from tests.support.anvil import Anvil
from tests.support.brake import BrakeWorld, build_brake


@pytest.fixture(scope="session")
def brake_world(shared_chain: Anvil, shared_client: ChainClient) -> BrakeWorld:
    return build_brake(shared_chain, shared_client)


@pytest.fixture
def world(brake_world: BrakeWorld, client: ChainClient) -> BrakeWorld:
    """The world for one test, set back afterwards."""
    assert client is brake_world.client
    return brake_world
