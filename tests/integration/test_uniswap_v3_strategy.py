"""The Uniswap V3 strategy behind a router on a chain: lend, trades, harvest, conversion, exits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from tests.peers import uniswap_v3
from tests.peers.npm import deploy_own
from tests.peers.tokens import approve, balance, fund
from tests.peers.world import STABLE_FEE, Peers
from tests.support.anvil import Anvil
from tests.support.build import artifact
from tests.support.evm import interface

pytestmark = pytest.mark.peers
USD, DAI = 10**6, 10**18
BPS, NO_LIMIT, HARVESTER = 10_000, 2**16 - 1, 6
PERIOD = 1_800
ZERO = "0x" + "00" * 20
LENT = 500_000 * USD


@dataclass(frozen=True)
class Suite:
    """A router over USDC whose strategy is a range order against DAI; `boss` holds all roles."""

    client: ChainClient
    chain: Anvil
    peers: Peers
    boss: KeySigner
    router: Contract
    strategy: Contract
    harvester: Contract
    plans: Iterator[int]

    def send(self, function: Any) -> Any:
        return self.client.transact(self.boss, function)

    def ask(self, name: str, *args: Any) -> Any:
        """A view of the strategy."""
        return self.client.call(self.strategy.get_function_by_name(name)(*args))

    def rebalance(self, lend: bool, assets: int) -> None:
        plan_id = next(self.plans).to_bytes(32, "big")
        moves = [(self.strategy.address, lend, assets, assets - 2)]
        plan = (plan_id, self.client.timestamp() + 86_400, 2, moves)
        self.send(self.router.functions.rebalance(plan))

    def debt(self) -> int:
        state = self.router.functions.strategyState(self.strategy.address)
        return int(self.client.call(state)[0])

    def swap(self, trader: KeySigner, usdc_in: bool, amount: int) -> int:
        """A trade in the pool; returns what the trader got."""
        tokens = self.peers.tokens
        pair = (tokens.usdc, tokens.dai) if usdc_in else (tokens.dai, tokens.usdc)
        fund(self.client, trader, pair[0], trader.address, amount)
        return uniswap_v3.swap_exact_in(
            self.client,
            trader,
            self.peers.uniswap_v3,
            token_in=pair[0],
            token_out=pair[1],
            fee=STABLE_FEE,
            amount_in=amount,
        )


@pytest.fixture
def suite(
    chain: Anvil, client: ChainClient, peers: Peers, governance: KeySigner, whale: KeySigner
) -> Suite:
    boss, gate = governance, chain.signer(9).address
    usdc, dai = peers.tokens.usdc, peers.tokens.dai
    authority = deploy_own(client, boss, "AccessAuthority", boss.address)
    config = (usdc.address, "Breakwater Dollar", "bwUSD", authority.address, gate, ZERO)
    manager = deploy_own(client, boss, "RouterManager", config)
    place = deploy_own(client, boss, "CapitalRouter", config, manager.address).address
    router = client.contract(place, artifact("ICapitalRouter").abi)
    sold_at = peers.uniswap_v3.router.address
    venue = deploy_own(client, boss, "UniswapV3Venue", sold_at, authority.address)
    oracle = deploy_own(client, boss, "RateOracle")
    who = (place, oracle.address, authority.address, gate)
    harvester = deploy_own(client, boss, "YieldHarvester", *who)
    terms = (peers.v3_stable_pool.address, oracle.address, venue.address, PERIOD, 30, 20, 100)
    strategy = deploy_own(client, boss, "UniswapV3Strategy", place, terms, authority.address, gate)
    made = Suite(client, chain, peers, boss, router, strategy, harvester, iter(range(1, 100)))
    known = interface("ICapitalRouter").by_name
    of_router = [known[name][0].selector for name in ("receiveYield", "processReport")]
    claim = [interface("UniswapV3Strategy").by_name["claimRewards"][0].selector]
    way = bytes.fromhex(dai.address[2:] + f"{STABLE_FEE:06x}" + usdc.address[2:])
    for call in (
        authority.functions.setTargetFunctionRole(place, of_router, HARVESTER),
        authority.functions.setTargetFunctionRole(strategy.address, claim, HARVESTER),
        authority.functions.grantRole(HARVESTER, harvester.address, 0),
        authority.functions.grantRole(HARVESTER, boss.address, 0),
        router.functions.addStrategy(strategy.address, 2**112 - 1, BPS),
        router.functions.setHealthLimits(strategy.address, NO_LIMIT, NO_LIMIT),
        router.functions.setPlanLimits(BPS, BPS),
        router.functions.setProfitUnlockTime(0),
        venue.functions.setPath(dai.address, usdc.address, way),
        harvester.functions.setRoute(dai.address, venue.address, 100),
        oracle.functions.setRate(dai.address, USD),
    ):
        made.send(call)
    fund(client, whale, usdc, whale.address, 1_000_000 * USD)
    approve(client, whale, usdc, place)
    client.transact(whale, router.functions.deposit(1_000_000 * USD, whale.address))
    chain.advance(2 * PERIOD)
    return made


def test_cycle__lend_trades_harvest_conversion_report_exits(suite: Suite, whale: KeySigner) -> None:
    """Property: R1, R9. A life of the position on the real pool, to the last way out."""
    client, router, tokens = suite.client, suite.router, suite.peers.tokens
    suite.rebalance(True, LENT)
    assert LENT - 2 <= suite.debt() <= LENT
    assert balance(client, tokens.usdc, suite.strategy.address) <= 1

    # Trades there and back pay fees, which are worth nothing before the harvest.
    for _ in range(3):
        bought = suite.swap(whale, False, 3_000_000 * DAI)
        suite.swap(whale, True, bought)
    worth = suite.ask("totalAssets")
    assert LENT - 4 <= worth <= LENT
    suite.chain.advance(2 * PERIOD)
    receipt = suite.send(suite.harvester.functions.harvest([suite.strategy.address]))
    harvested = client.events(receipt, suite.harvester, "Harvested")[0]
    assert harvested["yieldSold"] > 1_000 * USD, "fees of both tokens, the DAI sold on the pool"
    assert balance(client, tokens.dai, suite.harvester.address) == 0

    # The price goes through the range for good: the position is DAI, and cannot leave as USDC.
    suite.swap(whale, False, 4_000_000 * DAI)
    assert not suite.ask("isCalm") or suite.ask("maxWithdraw", router.address) < LENT
    suite.chain.advance(2 * PERIOD)
    assert suite.ask("isCalm")
    assert suite.ask("maxWithdraw", router.address) <= 1
    assert client.call(router.functions.maxWithdraw(whale.address)) >= 500_000 * USD
    suite.send(router.functions.processReport(suite.strategy.address))
    # The price went 40 bps or so beyond the range, and DAI is worth that much less.
    assert LENT - LENT // 100 < suite.debt() < LENT

    # His part in kind, and both tokens out of it, without a price or a keeper.
    shares = client.call(router.functions.balanceOf(whale.address))
    in_kind = router.functions.redeemInKind(shares // 10, whale.address, whale.address)
    client.transact(whale, in_kind)
    held = balance(client, suite.strategy, whale.address)
    before = balance(client, tokens.dai, whale.address)
    out = suite.strategy.functions.redeemInTokens(held, whale.address, whale.address)
    client.transact(whale, out)
    assert balance(client, tokens.dai, whale.address) - before > 49_000 * DAI

    # The keeper turns the rest back, and everybody leaves.
    receipt = suite.send(suite.strategy.functions.reposition())
    sold = client.events(receipt, suite.strategy, "OtherSold")[0]
    assert sold["proceeds"] >= sold["minimum"] > 440_000 * USD
    suite.send(router.functions.processReport(suite.strategy.address))
    assert balance(client, tokens.dai, suite.strategy.address) == 0
    shares = client.call(router.functions.balanceOf(whale.address))
    had = balance(client, tokens.usdc, whale.address)
    client.transact(whale, router.functions.redeem(shares, whale.address, whale.address))
    got = balance(client, tokens.usdc, whale.address) - had
    assert got > 890_000 * USD
    assert suite.debt() <= 2


def test_attack__plan_executed_at_a_pushed_price__refused(
    suite: Suite, attacker: KeySigner
) -> None:
    """Slippage on a manipulated venue: nobody makes the router buy in or sell out at his price."""
    suite.rebalance(True, LENT // 2)
    debt, worth = suite.debt(), suite.ask("totalAssets")
    suite.swap(attacker, True, 6_000_000 * USD)
    assert not suite.ask("isCalm")
    assert suite.ask("totalAssets") == worth
    with pytest.raises(TransactionReverted):
        suite.rebalance(True, LENT // 2)
    with pytest.raises(TransactionReverted):
        suite.rebalance(False, LENT // 4)
    assert suite.debt() == debt
