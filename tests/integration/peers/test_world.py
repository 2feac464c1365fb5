"""All peers as one value: deployed by plain Ethereum requests only, and all of them there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from web3 import Web3
from web3.types import RPCEndpoint, RPCResponse

from offchain.chain.client import ChainClient
from offchain.chain.transport import KeepAliveProvider
from tests.peers.npm import PeerError, load
from tests.peers.safe import PACKAGE
from tests.peers.tokens import WETH9
from tests.peers.world import ETHER, Peers, borrower_of, deploy_peers
from tests.support.anvil import Anvil, AnvilOptions

pytestmark = pytest.mark.peers


class Listener(KeepAliveProvider):
    """A provider that remembers which methods were used."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.methods: set[str] = set()

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        self.methods.add(method)
        return super().make_request(method, params)


@pytest.fixture
def foreign_chain() -> Iterator[Anvil]:
    with Anvil(AnvilOptions(chain_id=4_242, balance_ether=1_000)) as chain:
        yield chain


def test_deploy_peers__on_another_chain__asks_for_nothing_that_only_a_test_node_has(
    foreign_chain: Anvil,
) -> None:
    provider = Listener(foreign_chain.url)
    client = ChainClient(Web3(provider))
    steps: list[str] = []
    deployer = foreign_chain.signer(3)
    made = deploy_peers(client, deployer, depth=10 * ETHER, progress=steps.append)
    assert {method.split("_")[0] for method in provider.methods} == {"eth"}
    assert steps[0] == "tokens and feeds"
    assert len(steps) == len(set(steps)) == 5
    assert made.borrower.address == borrower_of(deployer).address


def test_deploy_peers__too_little_ether__refuses_before_it_sends(foreign_chain: Anvil) -> None:
    client = ChainClient(foreign_chain.web3)
    deployer = foreign_chain.signer(0)
    with pytest.raises(PeerError, match="needs 8000 ether"):
        deploy_peers(client, deployer, depth=1_000 * ETHER)
    assert client.web3.eth.get_transaction_count(deployer.address) == 0


def test_addresses__every_one__is_a_contract_of_its_own(client: ChainClient, peers: Peers) -> None:
    named = peers.addresses()
    assert len(set(named.values())) == len(named) > 35
    assert all(client.code(address) for address in named.values())


def test_borrower__as_deployed__is_not_the_deployer_and_can_pay_for_more(
    client: ChainClient, peers: Peers, peers_deployer: Any
) -> None:
    assert peers.borrower.address != peers_deployer.address
    assert client.balance(peers.borrower.address) > 10_000 * ETHER


def test_load__package_missing__says_what_to_do() -> None:
    with pytest.raises(PeerError, match="run the set-up first"):
        load("no-such-package/Thing")


def test_linked__library_missing__is_named() -> None:
    pool = load("@aave/core-v3/artifacts/contracts/protocol/pool/Pool.sol/Pool")
    with pytest.raises(PeerError, match="Pool needs the library"):
        pool.linked({})


def test_linked__all_libraries__leaves_no_placeholder() -> None:
    pool = load("@aave/core-v3/artifacts/contracts/protocol/pool/Pool.sol/Pool")
    address = "0x" + "ab" * 20
    code = pool.linked(dict.fromkeys(pool.links, address))
    assert "__$" in pool.bytecode
    assert "__$" not in code
    assert len(code) == len(pool.bytecode) + 2
    assert code.count("ab" * 20) >= sum(len(places) for places in pool.links.values())


@pytest.mark.parametrize("path", [WETH9, f"{PACKAGE}/Safe.sol/Safe"])
def test_load__without_libraries__is_the_package_s_code(path: str) -> None:
    compiled = load(path)
    assert compiled.linked({}) == "0x" + compiled.bytecode
