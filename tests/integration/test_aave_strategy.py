"""The Aave V3 strategy behind a router, against the real Aave: interest, pressure, flags, caps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from tests.peers import aave_v3
from tests.peers.aave_v3 import Reserve
from tests.peers.npm import deploy_own
from tests.peers.tokens import approve, balance, fund
from tests.peers.world import Peers
from tests.support.anvil import Anvil
from tests.support.build import artifact

pytestmark = pytest.mark.peers
USD = 10**6
BPS = 10_000
NO_LIMIT = 2**16 - 1
ZERO = "0x" + "00" * 20
GATE = 9


@dataclass(frozen=True)
class Suite:
    """A router over USDC whose only strategy lends on Aave; `boss` holds every role."""

    client: ChainClient
    boss: KeySigner
    gate: KeySigner
    router: Contract
    strategy: Contract
    reserve: Reserve
    plans: Iterator[int]

    def rebalance(self, lend: bool, assets: int, max_loss: int = 2) -> None:
        plan_id = next(self.plans).to_bytes(32, "big")
        expiry = self.client.timestamp() + 86_400
        least = assets - max_loss if lend else assets
        moves = [(self.strategy.address, lend, assets, least)]
        plan = (plan_id, expiry, max_loss, moves)
        self.client.transact(self.boss, self.router.functions.rebalance(plan))

    def debt(self) -> int:
        return int(self.client.call(self.router.functions.strategyState(self.strategy.address))[0])

    def strategy_limit(self) -> int:
        return int(self.client.call(self.strategy.functions.maxWithdraw(self.router.address)))


@pytest.fixture
def suite(
    chain: Anvil, client: ChainClient, peers: Peers, governance: KeySigner, whale: KeySigner
) -> Suite:
    boss, gate = governance, chain.signer(GATE)
    reserve = peers.aave.reserves["USDC"]
    authority = deploy_own(client, boss, "AccessAuthority", boss.address)
    config = (
        reserve.token.address,
        "Breakwater Dollar",
        "bwUSD",
        authority.address,
        gate.address,
        ZERO,
    )
    manager = deploy_own(client, boss, "RouterManager", config)
    deployed = deploy_own(client, boss, "CapitalRouter", config, manager.address)
    router = client.contract(deployed.address, artifact("ICapitalRouter").abi)
    strategy = deploy_own(
        client,
        boss,
        "AaveV3Strategy",
        router.address,
        peers.aave.provider.address,
        authority.address,
        gate.address,
    )
    set_up = router.functions
    client.transact(boss, set_up.addStrategy(strategy.address, 2**112 - 1, BPS))
    client.transact(boss, set_up.setHealthLimits(strategy.address, NO_LIMIT, NO_LIMIT))
    client.transact(boss, set_up.setPlanLimits(BPS, BPS))
    client.transact(boss, set_up.setProfitUnlockTime(0))
    fund(client, whale, reserve.token, whale.address, 2_000_000 * USD)
    approve(client, whale, reserve.token, router.address)
    client.transact(whale, set_up.deposit(1_000_000 * USD, whale.address))
    return Suite(client, boss, gate, router, strategy, reserve, iter(range(1, 100)))


def test_lend__a_million__is_worth_its_atokens(suite: Suite) -> None:
    suite.rebalance(True, 1_000_000 * USD)
    held = balance(suite.client, suite.reserve.a_token, suite.strategy.address)
    assert suite.client.call(suite.strategy.functions.totalAssets()) == held
    assert 1_000_000 * USD - 2 <= suite.debt() <= 1_000_000 * USD
    assert balance(suite.client, suite.reserve.token, suite.strategy.address) == 0
    allowed = suite.reserve.token.functions.allowance(
        suite.strategy.address, suite.client.call(suite.strategy.functions.PROVIDER())
    )
    assert suite.client.call(allowed) == 0


def test_report__after_a_month__books_real_interest(
    suite: Suite, chain: Anvil, whale: KeySigner
) -> None:
    client, router = suite.client, suite.router
    suite.rebalance(True, 1_000_000 * USD)
    before = suite.debt()
    chain.advance(30 * 86_400)
    client.transact(suite.boss, router.functions.processReport(suite.strategy.address))
    held = balance(client, suite.reserve.a_token, suite.strategy.address)
    earned = suite.debt() - before
    assert earned > 500 * USD
    assert held - USD <= suite.debt() <= held, "but for interest of the seconds since"
    shares = client.call(router.functions.balanceOf(whale.address))
    client.transact(whale, router.functions.redeem(shares, whale.address, whale.address))
    got = balance(client, suite.reserve.token, whale.address) - 1_000_000 * USD
    assert 1_000_000 * USD + earned - 3 <= got <= 1_000_000 * USD + earned


def test_exit__everything_lent_out__only_what_is_there_can_leave(
    suite: Suite, peers: Peers, whale: KeySigner
) -> None:
    """Property: R3, R9."""
    client, router, strategy = suite.client, suite.router, suite.strategy
    suite.rebalance(True, 900_000 * USD)
    aave_v3.borrow_to_utilisation(
        client,
        peers.borrower,
        peers.aave,
        suite.reserve.token,
        collateral=peers.tokens.weth,
        target_bps=BPS,
    )
    assert aave_v3.utilisation_bps(client, suite.reserve) == BPS
    assert suite.strategy_limit() == 0
    most = client.call(router.functions.maxWithdraw(whale.address))
    assert most == client.call(router.functions.idle()) == 100_000 * USD
    aave_v3.repay(client, peers.borrower, peers.aave, suite.reserve.token, 50_000 * USD)
    assert suite.strategy_limit() == aave_v3.available(client, suite.reserve) == 50_000 * USD
    most = client.call(router.functions.maxWithdraw(whale.address))
    assert most == 150_000 * USD
    take = router.functions.withdraw
    with pytest.raises(TransactionReverted, match="InsufficientLiquidity"):
        client.transact(whale, take(most + 1, whale.address, whale.address))
    client.transact(whale, take(most, whale.address, whale.address))
    assert client.call(router.functions.maxWithdraw(whale.address)) == 0
    shares = client.call(router.functions.balanceOf(whale.address))
    in_kind = router.functions.redeemInKind(shares // 2, whale.address, whale.address)
    client.transact(whale, in_kind)
    held = balance(client, strategy, whale.address)
    assert held > 0
    aave_v3.repay(client, peers.borrower, peers.aave, suite.reserve.token, 500_000 * USD)
    before = balance(client, suite.reserve.token, whale.address)
    client.transact(whale, strategy.functions.redeem(held, whale.address, whale.address))
    got = balance(client, suite.reserve.token, whale.address) - before
    assert 424_000 * USD < got < 426_000 * USD, "a former holder of the router redeems by himself"


def test_flags__paused_or_frozen__limits_say_so(
    suite: Suite, peers: Peers, peers_deployer: KeySigner
) -> None:
    """Property: R3."""
    client, strategy, token = suite.client, suite.strategy, suite.reserve.token.address
    suite.rebalance(True, 500_000 * USD)
    room = strategy.functions.maxDeposit(suite.router.address)
    configure = peers.aave.configurator.functions
    assert client.call(room) == 2**256 - 1
    client.transact(peers_deployer, configure.setReserveFreeze(token, True))
    assert client.call(room) == 0
    assert suite.strategy_limit() >= 500_000 * USD - 1
    client.transact(peers_deployer, configure.setReserveFreeze(token, False))
    client.transact(peers_deployer, configure.setReservePause(token, True))
    assert client.call(room) == suite.strategy_limit() == 0
    assert client.call(suite.router.functions.availableLiquidity()) == 500_000 * USD
    client.transact(peers_deployer, configure.setReservePause(token, False))
    assert client.call(suite.router.functions.availableLiquidity()) >= 1_000_000 * USD - 2


def test_supply_cap__nearly_reached__max_deposit_succeeds_and_more_fails(
    suite: Suite, peers: Peers, peers_deployer: KeySigner
) -> None:
    """Property: R3."""
    client, token = suite.client, suite.reserve.token.address
    supplied = client.call(suite.reserve.a_token.functions.totalSupply())
    cap = supplied // USD + 200_000
    configure = peers.aave.configurator.functions
    client.transact(peers_deployer, configure.setSupplyCap(token, cap))
    room = client.call(suite.strategy.functions.maxDeposit(suite.router.address))
    assert 190_000 * USD < room <= 200_001 * USD
    with pytest.raises(TransactionReverted):
        suite.rebalance(True, room + 1_000 * USD)
    # Interest of the seconds in between counts towards Aave's cap.
    suite.rebalance(True, room - 10 * USD)
    assert client.call(suite.strategy.functions.maxDeposit(suite.router.address)) <= 10 * USD


def test_deposit__by_anyone_but_the_router__reverts(suite: Suite, whale: KeySigner) -> None:
    strategy, client = suite.strategy, suite.client
    approve(client, whale, suite.reserve.token, strategy.address)
    with pytest.raises(TransactionReverted, match=r"NotRouter|ERC4626ExceededMaxDeposit"):
        client.transact(whale, strategy.functions.deposit(1, whale.address))


def test_strategy__frozen_by_the_gate__neither_pays_nor_moves(
    suite: Suite, whale: KeySigner
) -> None:
    client, strategy, router = suite.client, suite.strategy, suite.router
    suite.rebalance(True, 500_000 * USD)
    client.transact(suite.gate, strategy.functions.setEmergencyState(3))
    assert suite.strategy_limit() == 0
    assert client.call(router.functions.maxWithdraw(whale.address)) == 500_000 * USD
    shares = client.call(router.functions.balanceOf(whale.address))
    client.transact(
        whale, router.functions.redeemInKind(shares // 10, whale.address, whale.address)
    )
    owed = client.call(router.functions.owedInKind(strategy.address, whale.address))
    assert owed > 0, "what the frozen strategy keeps stays owed to him"
    client.transact(suite.gate, strategy.functions.setEmergencyState(0))
    client.transact(whale, router.functions.claimInKind(strategy.address, whale.address))
    assert balance(client, strategy, whale.address) == owed


def test_rewards__none_set__answers_with_nothing(suite: Suite) -> None:
    client, strategy = suite.client, suite.strategy
    assert list(client.call(strategy.functions.rewardTokens())) == []
    receipt = client.transact(suite.boss, strategy.functions.claimRewards(suite.boss.address))
    claimed = client.events(receipt, strategy, "RewardsClaimed")[0]
    assert claimed["tokens"] == () or list(claimed["tokens"]) == []
