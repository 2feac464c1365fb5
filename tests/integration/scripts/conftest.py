"""One chain per module with peers and Safes but no suite; every test starts from the same state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offchain import artifacts
from offchain.chain.client import ChainClient
from scripts._local.cast import cast
from scripts._local.world import build_ground
from tests.support.anvil import Anvil
from tests.support.deployment import Site


@pytest.fixture(scope="module")
def ground_site() -> Iterator[Site]:
    with Anvil() as anvil:
        client = ChainClient(anvil.web3, artifacts.index())
        yield Site(anvil, client, cast(), build_ground(client, cast(), lambda _: None))


@pytest.fixture
def site(ground_site: Site) -> Iterator[Site]:
    """The site for one test, set back afterwards."""
    snapshot = ground_site.anvil.snapshot()
    yield ground_site
    ground_site.anvil.revert(snapshot)
    ground_site.client.forget()
