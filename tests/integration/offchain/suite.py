"""The whole suite on a chain of its own, investors who sign, and an orchestrator over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from offchain.batch.intents import Intent
from offchain.chain.client import ChainClient, KeySigner
from offchain.chain.head import live_events
from offchain.journal.reconcile import Books, Drift
from offchain.keeper.view import interface
from offchain.loop import Orchestrator, assemble
from offchain.settings import Settings
from scripts._deployment.bound import bind
from scripts._local.cast import investor
from scripts._local.intents import permit_for, sign_intent
from scripts._local.world import LocalWorld
from tests.peers.tokens import fund
from tests.support.anvil import Anvil
from tests.support.build import artifact

USDC = 10**6
DAY = 86_400


@dataclass
class SuiteChain:
    """The world and what a test needs of it."""

    anvil: Anvil
    world: LocalWorld
    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def client(self) -> ChainClient:
        return self.world.client

    def settings(self, **changes: Any) -> Settings:
        fields: dict[str, Any] = {
            "rpc_urls": self.anvil.url,
            "deployment": self.folder / "31337.json",
            "journal": str(self.folder / "journal.db"),
            "batch_size": 4,
            "batch_patience_blocks": 1,
            "confirmations": 1,
            "finality": 2,
            "retry_after_blocks": 1,
            "poll_seconds": 0.01,
            "backoff_seconds": 0.05,
            "rpc_timeout": 5.0,
        }
        return Settings.read(**fields | changes)

    @contextmanager
    def orchestrator(self, *, dry_run: bool = False, **changes: Any) -> Iterator[Orchestrator]:
        built = assemble(
            self.settings(**changes),
            dry_run=dry_run,
            say=self.said.append,
            keeper=self.world.cast["keeper"],
            sentinel=self.world.cast["sentinel"],
        )
        try:
            yield built
        finally:
            built.close()

    def read(self, name: str, function: str, *arguments: Any) -> Any:
        """A view of a contract of the suite at the latest block."""
        codec = interface(name).codec(function, len(arguments))
        data = "0x" + codec.encode(arguments).hex()
        request = {"to": self.world.deployment.address(name), "data": data}
        return codec.decode(bytes.fromhex(self.anvil.rpc("eth_call", request, "latest")[2:]))

    def do(self, who: KeySigner, name: str, function: str, *arguments: Any) -> None:
        """A transaction of somebody; automine is on in these tests."""
        data = interface(name).encode(function, *arguments)
        to = self.world.deployment.address(name)
        self.client.transact(who, {"to": to, "data": data, "what": function})

    def deposit_intent(self, number: int, assets: int, nonce: int = 0) -> Intent:
        """A funded investor signs a deposit and the permit for it."""
        who, usdc = investor(number), self.world.peers.tokens.usdc
        payer = self.world.cast["peers_deployer"]
        fund(self.client, payer, usdc, who.address, assets)
        deadline = self.client.timestamp() + 40 * DAY
        gateway = bind(self.client, self.world.deployment, "DepositGateway")
        permit = permit_for(self.client, usdc, gateway, who, assets, deadline)
        return sign_intent(
            self.client,
            gateway,
            who,
            "deposit",
            assets,
            nonce=nonce,
            deadline=deadline,
            permit=permit,
        )

    def burning_intent(self, assets: int, nonce: int = 0) -> Intent:
        """A contract that burns the gas its signature check gets, and then says yes."""
        compiled, deployer = artifact("BurningWallet"), self.world.cast["peers_deployer"]
        wallet = self.client.deploy(deployer, compiled.abi, compiled.bytecode, name="BurningWallet")
        usdc = self.world.peers.tokens.usdc
        fund(self.client, deployer, usdc, wallet.address, assets)
        approve = wallet.functions.approve(usdc.address, self.gateway, assets)
        self.client.transact(deployer, approve)
        return Intent(
            kind="deposit",
            owner=wallet.address,
            receiver=wallet.address,
            amount=assets,
            minimum=1,
            nonce=nonce,
            deadline=self.client.timestamp() + 40 * DAY,
            signature="0x",
        )

    def exit_intent(self, number: int, shares: int, nonce: int = 1) -> Intent:
        """An investor approves the gateway and signs an exit."""
        who = investor(number)
        self.anvil.set_balance(who.address, 10**18)
        self.do(who, "CapitalRouter", "approve", self.gateway, shares)
        deadline = self.client.timestamp() + 40 * DAY
        gateway = bind(self.client, self.world.deployment, "DepositGateway")
        return sign_intent(
            self.client, gateway, who, "exit", shares, nonce=nonce, deadline=deadline
        )

    @property
    def gateway(self) -> str:
        return self.world.deployment.address("DepositGateway")

    def shares(self, number: int) -> int:
        return int(self.read("CapitalRouter", "balanceOf", investor(number).address))

    def turn(self, orchestrator: Orchestrator, times: int) -> None:
        """Ticks with a block after each."""
        for _ in range(times):
            orchestrator.tick()
            self.anvil.mine(1, 12)
        orchestrator.tick()

    def to_aave(self, assets: int) -> None:
        """A small plan of the allocator moves capital to Aave."""
        strategy = self.world.deployment.address("AaveV3Strategy")
        timestamp = self.client.timestamp()
        plan = (
            timestamp.to_bytes(32, "big"),
            timestamp + DAY,
            10,
            [(strategy, True, assets, assets - 5)],
        )
        self.do(self.world.cast["allocator"], "CapitalRouter", "rebalance", plan)

    def drifts(self, orchestrator: Orchestrator) -> list[Drift]:
        """What the books and the chain do not agree on at the head."""
        head = orchestrator.tick()
        assert head is not None
        router = self.world.deployment.address("CapitalRouter")
        books = Books.build(router, live_events(orchestrator.journal))
        assert books.block == head.number
        return books.compare(orchestrator.view(head).read)
