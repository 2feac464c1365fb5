"""What every act of the demo shares: the chain, the world on it, the figures measured so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import TxReceipt

from offchain import artifacts
from offchain.chain.client import ChainClient
from offchain.chain.signers import KeySigner
from scripts._local.cast import Cast
from scripts._local.world import LocalWorld
from scripts._safe import Call, SafeAccount, sign_all
from tests.peers.feeds import set_market
from tests.peers.world import PRICES
from tests.support.anvil import Anvil

Figure = int | float | bool


@dataclass
class Stage:
    """The demo in progress."""

    anvil: Anvil
    world: LocalWorld
    investors: tuple[KeySigner, ...]
    say: Callable[[str], None]
    figures: dict[str, Figure] = field(default_factory=dict)
    prices: dict[str, int] = field(default_factory=lambda: dict(PRICES))

    @property
    def client(self) -> ChainClient:
        return self.world.client

    @property
    def cast(self) -> Cast:
        return self.world.cast

    @property
    def usdc(self) -> Contract:
        return self.world.peers.tokens.usdc

    @property
    def router(self) -> Contract:
        # The interface says more than the contract's own ABI: the fallback reaches its second half.
        return self.client.contract(
            self.world.deployment.address("CapitalRouter"), artifacts.load("ICapitalRouter").abi
        )

    def contract(self, name: str) -> Contract:
        """A contract of the suite by name."""
        deployment = self.world.deployment
        return self.client.contract(
            deployment.address(name), artifacts.load(deployment.artifact(name)).abi
        )

    def view(self, function: ContractFunction) -> Any:
        """Reads the chain."""
        return self.client.call(function)

    def do(self, role: str, function: ContractFunction) -> TxReceipt:
        """One transaction of a role."""
        return self.client.transact(self.cast[role], function)

    def govern(self, *functions: ContractFunction) -> TxReceipt:
        """One transaction of the governance Safe, signed by its threshold of owners."""
        return self._execute(self.world.governance, self.cast.governance_owners[:3], functions)

    def guard(self, *functions: ContractFunction) -> TxReceipt:
        """One transaction of the guardian Safe."""
        return self._execute(self.world.guardian, self.cast.guardian_owners[:2], functions)

    def _execute(
        self, safe: Contract, owners: Sequence[KeySigner], functions: Sequence[ContractFunction]
    ) -> TxReceipt:
        batches = self.world.peers.safe.multi_send_call_only.address
        account = SafeAccount(self.client, safe.address, batches)
        tx = account.build(_calls(functions))
        return account.execute(tx, sign_all(tx, owners), owners[0])

    def wait(self, seconds: int) -> None:
        """Lets time pass on the chain; the feeds go on publishing, as real ones do."""
        self.anvil.advance(seconds)
        for symbol, price in self.prices.items():
            set_market(
                self.client, self.cast["peers_deployer"], self.world.peers.feeds, symbol, price
            )

    def market(self, symbol: str, change_pct: int) -> None:
        """Moves an asset's price on all its feeds."""
        self.prices[symbol] += self.prices[symbol] * change_pct // 100
        set_market(
            self.client,
            self.cast["peers_deployer"],
            self.world.peers.feeds,
            symbol,
            self.prices[symbol],
        )


def _calls(functions: Sequence[ContractFunction]) -> tuple[Call, ...]:
    return tuple(
        Call(
            to=function.address,
            data=bytes.fromhex(str(function._encode_transaction_data()).removeprefix("0x")),
        )
        for function in functions
    )
