"""One chain with the real peers per session; every test starts from the same state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from offchain.chain.client import ChainClient, KeySigner
from tests.peers.world import Peers, deploy_peers
from tests.support.anvil import Anvil

PEERS_DEPLOYER, GOVERNANCE, GUARDIAN, KEEPER, WHALE, ATTACKER = range(6)


@pytest.fixture(scope="session")
def shared_chain() -> Iterator[Anvil]:
    """The session's chain; what a session-scoped fixture deploys on it stays."""
    with Anvil() as chain:
        yield chain


@pytest.fixture(scope="session")
def shared_client(shared_chain: Anvil) -> ChainClient:
    """Client of the session's chain."""
    return ChainClient(shared_chain.web3)


@pytest.fixture(scope="session")
def peers(shared_chain: Anvil, shared_client: ChainClient) -> Peers:
    """The peers as they were deployed; tests change them only through `client` or `chain`."""
    return deploy_peers(shared_client, shared_chain.signer(PEERS_DEPLOYER))


@pytest.fixture
def chain(shared_chain: Anvil, shared_client: ChainClient) -> Iterator[Anvil]:
    """The chain for one test, set back afterwards."""
    snapshot = shared_chain.snapshot()
    yield shared_chain
    shared_chain.revert(snapshot)
    shared_chain.set_automine(True)
    shared_client.forget()


@pytest.fixture
def client(chain: Anvil, shared_client: ChainClient) -> ChainClient:
    """The client for one test, on the chain that is set back afterwards."""
    assert chain.running
    return shared_client


@pytest.fixture(scope="session")
def peers_deployer(shared_chain: Anvil) -> KeySigner:
    """Who deployed the peers and administers them."""
    return shared_chain.signer(PEERS_DEPLOYER)


@pytest.fixture(scope="session")
def governance(shared_chain: Anvil) -> KeySigner:
    """An owner of the governance Safe."""
    return shared_chain.signer(GOVERNANCE)


@pytest.fixture(scope="session")
def guardian(shared_chain: Anvil) -> KeySigner:
    """An owner of the guardian Safe."""
    return shared_chain.signer(GUARDIAN)


@pytest.fixture(scope="session")
def keeper(shared_chain: Anvil) -> KeySigner:
    """Who runs the jobs."""
    return shared_chain.signer(KEEPER)


@pytest.fixture(scope="session")
def whale(shared_chain: Anvil) -> KeySigner:
    """Who has and moves much."""
    return shared_chain.signer(WHALE)


@pytest.fixture(scope="session")
def attacker(shared_chain: Anvil) -> KeySigner:
    """Who wants what is not his."""
    return shared_chain.signer(ATTACKER)
