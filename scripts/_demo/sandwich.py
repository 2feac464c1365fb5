"""The same trade sandwiched on Uniswap V2 and on our pool; earnings are read from balances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from web3.contract import Contract
from web3.contract.contract import ContractFunction

from offchain.chain.client import ChainClient, Signer
from scripts._demo.errors import DemoError
from tests.peers.tokens import approve, balance, fund
from tests.support.anvil import Anvil

NO_LIMIT = 2**256 - 1
SWAP_GAS = 600_000
BLOCK_SECONDS = 12
# Parts of the pool's reserve with which the bot runs ahead, bps.
FRONT_SIZES_BPS = (25, 100, 400, 1_000, 2_500)


class Venue(Protocol):
    """Where a trade in the pair happens."""

    @property
    def spender(self) -> str:
        """Who needs an allowance of the trader."""

    def sell(self, token_in: Contract, amount: int, trader: Signer) -> ContractFunction:
        """Sells exactly `amount`; the trader accepts any price."""


@dataclass(frozen=True)
class Attack:
    """One sandwich: what it earned in the victim's input token, and what the victim got."""

    front_bps: int
    profit: int
    victim_received: int


@dataclass(frozen=True)
class UniswapV2Venue:
    """Through Router02, as bots and victims do."""

    router: Contract
    tokens: tuple[Contract, Contract]

    @property
    def spender(self) -> str:
        return str(self.router.address)

    def sell(self, token_in: Contract, amount: int, trader: Signer) -> ContractFunction:
        token_out = self.tokens[1] if token_in.address == self.tokens[0].address else self.tokens[0]
        return self.router.functions.swapExactTokensForTokens(
            amount, 0, [token_in.address, token_out.address], trader.address, NO_LIMIT
        )


@dataclass(frozen=True)
class GuardedPoolVenue:
    """Straight to the pool."""

    pool: Contract
    token0: str

    @property
    def spender(self) -> str:
        return str(self.pool.address)

    def sell(self, token_in: Contract, amount: int, trader: Signer) -> ContractFunction:
        return self.pool.functions.swapExactIn(
            token_in.address == self.token0, amount, 0, trader.address, NO_LIMIT, NO_LIMIT
        )


@dataclass(frozen=True)
class Sandwich:
    """A victim who buys `token_out` with `token_in`, and a bot around him in the same block."""

    anvil: Anvil
    client: ChainClient
    payer: Signer
    bot: Signer
    victim: Signer
    token_in: Contract
    token_out: Contract
    reserve_in: int
    victim_amount: int

    def best(self, venue: Venue, say: Callable[[str], None]) -> Attack:
        """The bot's best attack over the sizes it tries, each on the same state of the chain."""
        attacks = []
        for size in FRONT_SIZES_BPS:
            before = self.anvil.snapshot()
            attack = self._run(venue, size)
            say(f"{size / 100:g} % ahead of the victim: {attack.profit / 10**6:+,.2f} USDC")
            attacks.append(attack)
            self.anvil.revert(before)
            self.client.forget()
        return max(attacks, key=lambda attack: attack.profit)

    def _run(self, venue: Venue, front_bps: int) -> Attack:
        front = self.reserve_in * front_bps // 10_000
        for trader, amount in ((self.bot, front), (self.victim, self.victim_amount)):
            fund(self.client, self.payer, self.token_in, trader.address, amount)
            approve(self.client, trader, self.token_in, venue.spender)
        approve(self.client, self.bot, self.token_out, venue.spender)
        held_in = balance(self.client, self.token_in, self.bot.address)
        held_out = balance(self.client, self.token_out, self.bot.address)
        victim_held = balance(self.client, self.token_out, self.victim.address)
        bought = self._first_leg_output(venue, front)

        # The bot's purchase, the victim's, the bot's sale: one block, in this order.
        self.anvil.set_automine(False)
        try:
            pending = [
                self.client.send(
                    self.bot, venue.sell(self.token_in, front, self.bot), gas=SWAP_GAS
                ),
                self.client.send(
                    self.victim,
                    venue.sell(self.token_in, self.victim_amount, self.victim),
                    gas=SWAP_GAS,
                ),
                self.client.send(
                    self.bot, venue.sell(self.token_out, bought, self.bot), gas=SWAP_GAS
                ),
            ]
            self.anvil.set_next_timestamp(self.anvil.timestamp() + BLOCK_SECONDS)
            self.anvil.rpc("evm_mine")
        finally:
            self.anvil.set_automine(True)
        receipts = self.client.wait_all(pending)
        if len({receipt["blockNumber"] for receipt in receipts}) != 1:
            raise DemoError("the sandwich did not land in one block")
        if balance(self.client, self.token_out, self.bot.address) != held_out:
            raise DemoError("the bot did not close its position")
        return Attack(
            front_bps,
            balance(self.client, self.token_in, self.bot.address) - held_in,
            balance(self.client, self.token_out, self.victim.address) - victim_held,
        )

    def _first_leg_output(self, venue: Venue, front: int) -> int:
        """What the bot's purchase pays: the same trade at the same time, on a copy of the state."""
        before = self.anvil.snapshot()
        self.anvil.set_next_timestamp(self.anvil.timestamp() + BLOCK_SECONDS)
        held = balance(self.client, self.token_out, self.bot.address)
        self.client.transact(self.bot, venue.sell(self.token_in, front, self.bot))
        bought = balance(self.client, self.token_out, self.bot.address) - held
        self.anvil.revert(before)
        self.client.forget()
        return bought
