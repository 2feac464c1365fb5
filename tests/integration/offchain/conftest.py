"""Chains for the orchestrator: one with a ledger contract, one with the whole suite; journals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from web3.contract import Contract

from offchain.abi import AbiIndex
from offchain.chain.client import ChainClient, KeySigner
from offchain.chain.rpc import Quorum
from offchain.journal.store import Journal
from offchain.keeper.view import Interface
from scripts._local.world import LocalWorld, build_world
from tests.support.anvil import Anvil, AnvilOptions
from tests.support.build import artifact

from .suite import SuiteChain

GENESIS_TIME = 1_700_000_000


@dataclass
class LedgerChain:
    """A chain with the ledger on it. Blocks come only when a test mines them."""

    anvil: Anvil
    client: ChainClient
    ledger: Contract
    keeper: KeySigner
    stranger: KeySigner

    def __post_init__(self) -> None:
        self.abi = artifact("Ledger").abi
        self.functions = Interface(self.abi)

    def index(self) -> AbiIndex:
        return AbiIndex([self.abi])

    def quorum(self) -> Quorum:
        return Quorum.connect([self.anvil.url])

    def act(self, name: str) -> bytes:
        return self.functions.encode("act", thing(name))

    def times(self, name: str) -> int:
        return int(self.client.call(self.ledger.functions.times(thing(name))))

    def mine_with(self, name: str) -> None:
        """A block in which a stranger acts."""
        pending = self.client.send(
            self.stranger, self.ledger.functions.act(thing(name)), gas=90_000
        )
        self.anvil.mine()
        self.client.wait(pending)


def thing(name: str) -> bytes:
    return name.encode().ljust(32, b"\0")


@pytest.fixture
def chain() -> Iterator[LedgerChain]:
    with Anvil(AnvilOptions(timestamp=GENESIS_TIME)) as anvil:
        client = ChainClient(anvil.web3)
        compiled = artifact("Ledger")
        ledger = client.deploy(anvil.signer(9), compiled.abi, compiled.bytecode, name="Ledger")
        anvil.set_automine(False)
        yield LedgerChain(anvil, client, ledger, anvil.signer(1), anvil.signer(2))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(str(tmp_path / "journal.db"), clock=lambda: GENESIS_TIME) as opened:
        yield opened


@pytest.fixture(scope="module")
def world_anvil() -> Iterator[Anvil]:
    with Anvil(AnvilOptions()) as anvil:
        yield anvil


@pytest.fixture(scope="module")
def world(world_anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> LocalWorld:
    path = tmp_path_factory.mktemp("world") / "31337.json"
    return build_world(ChainClient(world_anvil.web3), path, lambda _: None)


@pytest.fixture
def suite(world_anvil: Anvil, world: LocalWorld, tmp_path: Path) -> Iterator[SuiteChain]:
    snapshot = world_anvil.snapshot()
    world.deployment.save(tmp_path / "31337.json")
    yield SuiteChain(world_anvil, world, tmp_path)
    world_anvil.revert(snapshot)
    world.client.forget()
