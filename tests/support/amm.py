"""Stands up guarded pools for tests; never part of production."""

from __future__ import annotations

from typing import Any

from tests.models.guarded_pool import Config, Pool
from tests.support.evm import Contract, Evm

FOREVER = 2**64
ANY_FEE = 10**6
NEVER_ENDING = 2**256 - 1


class PoolWorld:
    """A factory with its roles, two tokens in their order, and one seeded pool beside its model.

    Args:
        evm: where to stand it up.
        config: of the pool.
        reserves: raw units of token0 and token1 that the whale seeds the pool with.
        decimals: of both tokens.
        protocol_share_bps: of the factory.
        users: labels of accounts that get tokens and approve the pool.
        deployer_code: creation code of another PoolDeployer, for mutants.
    """

    def __init__(
        self,
        evm: Evm,
        config: Config | None = None,
        reserves: tuple[int, int] = (10**24, 2 * 10**24),
        decimals: tuple[int, int] = (18, 18),
        protocol_share_bps: int = 1_000,
        users: tuple[str, ...] = ("trader", "attacker"),
        deployer_code: bytes | None = None,
    ) -> None:
        self.evm = evm
        self.config = config or Config()
        self.governance, self.gate = evm.account("governance"), evm.account("gate")
        self.treasury, self.whale = evm.account("treasury"), evm.account("whale")
        self.authority = evm.deploy("AccessAuthority", self.governance)
        self.deployer = (
            evm.at("PoolDeployer", evm.create(deployer_code))
            if deployer_code
            else evm.deploy("PoolDeployer")
        )
        self.factory = evm.deploy(
            "PoolFactory",
            self.authority,
            self.deployer,
            self.gate,
            self.treasury,
            protocol_share_bps,
        )
        self.tokens = sorted_tokens(evm, decimals)
        self.token0, self.token1 = self.tokens
        for token, amount in zip(self.tokens, reserves, strict=True):
            self.fund(token, self.whale)
            token.approve(self.factory, NEVER_ENDING, sender=self.whale)
            assert amount <= 2**112 - 1
        address, _ = self.factory.createPool(
            self.token0, self.token1, *reserves, self.config.as_tuple(), sender=self.whale
        )
        self.pool = evm.at("GuardedPool", address)
        self.model = Pool(
            self.config,
            protocol_share_bps,
            self.factory.address,
            evm.block_number,
            evm.timestamp,
        )
        self.model.seed(self.whale, *reserves)
        for user in (self.whale, *(evm.account(label) for label in users)):
            self.enrol(user)

    def fund(self, token: Contract, user: Any) -> None:
        """More of a token than any pool can hold."""
        token.mint(user, 2**116)

    def enrol(self, user: Any) -> None:
        for token in self.tokens:
            self.fund(token, user)
            token.approve(self.pool, NEVER_ENDING, sender=user)

    def mine(self, blocks: int = 1, seconds: int | None = None) -> None:
        self.evm.mine(blocks, seconds)
        self.model.block = self.evm.block_number
        self.model.timestamp = self.evm.timestamp

    def sell(self, user: Any, amount: int, zero_for_one: bool = True) -> int:
        """Exact in, pull payment, no bounds."""
        out = self.pool.swapExactIn(zero_for_one, amount, 0, user, ANY_FEE, FOREVER, sender=user)
        return int(out)

    def assert_equals_model(self) -> None:
        """Everything that the pool stores, next to the model."""
        pool, model = self.pool, self.model
        assert tuple(pool.getReserves()) == (model.reserve0, model.reserve1), "reserves"
        assert pool.totalSupply() == model.supply, "supply"
        assert pool.emergencyState() == model.state, "state"
        timestamp, tick, truncated, volatility, index, cardinality = pool.oracleState()
        oracle = model.oracle
        assert timestamp == oracle.last.timestamp, "oracle time"
        assert (tick, truncated) == (oracle.tick, oracle.truncated_tick), "ticks"
        assert volatility == oracle.volatility, "volatility"
        assert (index, cardinality) == (model.index, model.cardinality), "ring"
        opened = model._opened()
        assert pool.feePips() == opened.fee_in_force(), "fee"
        bounds = opened.window.low.x128(), opened.window.high.x128()
        assert tuple(pool.guardPrices()) == bounds, "guard"
        for owner, account in model.accounts.items():
            assert pool.balanceOf(owner) == account.balance, f"balance of {owner}"
            assert pool.matureBalanceOf(owner) == account.mature(model.block), f"mature of {owner}"


def sorted_tokens(
    evm: Evm, decimals: tuple[int, int], kind: str = "TestToken"
) -> tuple[Contract, Contract]:
    """Two tokens, the lower address first and with the first number of decimals."""
    while True:
        first = evm.deploy(kind, "Zero", "ZERO", decimals[0])
        second = evm.deploy(kind, "One", "ONE", decimals[1])
        if int(first.address, 16) < int(second.address, 16):
            return first, second
