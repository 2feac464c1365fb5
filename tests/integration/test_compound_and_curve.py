"""The Compound III and Curve strategies behind one router, on a chain with their doubles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from tests.peers import compound, curve
from tests.peers.compound import Collateral, CompoundV3
from tests.peers.curve import CurvePool
from tests.peers.npm import deploy_own
from tests.peers.tokens import approve, balance, deploy_token, fund
from tests.peers.world import Peers
from tests.support.anvil import Anvil
from tests.support.build import artifact

pytestmark = pytest.mark.peers
USD = 10**6
BPS = 10_000
DAY = 86_400
NO_LIMIT = 2**16 - 1
ZERO = "0x" + "00" * 20
GATE = 9
ENTRY, EXIT = 10, 20


@dataclass(frozen=True)
class Suite:
    """A router over USDC that lends on Comet and puts USDC into a pool with DAI."""

    client: ChainClient
    chain: Anvil
    peers: Peers
    boss: KeySigner
    whale: KeySigner
    router: Contract
    comet: CompoundV3
    pool: CurvePool
    lending: Contract
    pooling: Contract
    comp: Contract
    plans: Iterator[int]

    def rebalance(self, *moves: tuple[Contract, bool, int], max_loss: int = 10**12) -> None:
        plan_id = next(self.plans).to_bytes(32, "big")
        expiry = self.client.timestamp() + DAY
        steps = [(strategy.address, lend, assets, 0) for strategy, lend, assets in moves]
        plan = (plan_id, expiry, max_loss, steps)
        self.client.transact(self.boss, self.router.functions.rebalance(plan))

    def report(self, strategy: Contract) -> int:
        """Books; what the debt changed by."""
        before = self.debt(strategy)
        report = self.router.functions.processReport(strategy.address)
        self.client.transact(self.boss, report)
        return self.debt(strategy) - before

    def debt(self, strategy: Contract) -> int:
        return int(self.client.call(self.router.functions.strategyState(strategy.address))[0])

    def liquid(self, strategy: Contract) -> int:
        return int(self.client.call(strategy.functions.maxWithdraw(self.router.address)))

    def most(self) -> int:
        return int(self.client.call(self.router.functions.maxWithdraw(self.whale.address)))

    def shares(self) -> int:
        return balance(self.client, self.router, self.whale.address)

    def leave_in_kind(self, part: int) -> None:
        leave = self.router.functions.redeemInKind(
            self.shares() // part, self.whale.address, self.whale.address
        )
        self.client.transact(self.whale, leave)


@pytest.fixture
def suite(
    chain: Anvil,
    client: ChainClient,
    peers: Peers,
    peers_deployer: KeySigner,
    governance: KeySigner,
    whale: KeySigner,
) -> Suite:
    boss, gate, tokens = governance, chain.signer(GATE), peers.tokens
    weth = Collateral(tokens.weth.address, peers.feeds.first("WETH").address, 18)
    comet = compound.deploy_compound_v3(
        client, peers_deployer, tokens.usdc, peers.feeds.first("USDC"), [weth]
    )
    comp = deploy_token(client, peers_deployer, "Compound", "COMP", 18)
    compound.set_reward(client, peers_deployer, comet, comp, 10**24)
    fund(client, peers_deployer, tokens.usdc, peers_deployer.address, 1_000_000 * USD)
    compound.supply(client, peers_deployer, comet, tokens.usdc, 1_000_000 * USD)
    compound.borrow(client, peers.borrower, comet, 700_000 * USD, collateral=tokens.weth)
    pool = curve.deploy_curve_pool(
        client, peers_deployer, [tokens.dai, tokens.usdc], seed=2_000_000
    )
    authority = deploy_own(client, boss, "AccessAuthority", boss.address)
    asset, at = tokens.usdc.address, authority.address
    config = (asset, "Breakwater Dollar", "bwUSD", at, gate.address, ZERO)
    manager = deploy_own(client, boss, "RouterManager", config)
    deployed = deploy_own(client, boss, "CapitalRouter", config, manager.address)
    router = client.contract(deployed.address, artifact("ICapitalRouter").abi)
    roles = (at, gate.address)
    lending = deploy_own(
        client,
        boss,
        "CompoundV3Strategy",
        router.address,
        comet.comet.address,
        comet.rewards.address,
        *roles,
    )
    pooling = deploy_own(
        client,
        boss,
        "CurveStrategy",
        router.address,
        pool.pool.address,
        pool.lp.address,
        2,
        (ENTRY, EXIT, 3_000),
        *roles,
    )
    set_up = router.functions
    for strategy in (lending, pooling):
        client.transact(boss, set_up.addStrategy(strategy.address, 2**112 - 1, BPS))
        client.transact(boss, set_up.setHealthLimits(strategy.address, NO_LIMIT, NO_LIMIT))
    client.transact(boss, set_up.setPlanLimits(BPS, BPS))
    client.transact(boss, set_up.setProfitUnlockTime(0))
    fund(client, whale, tokens.usdc, whale.address, 1_000_000 * USD)
    approve(client, whale, tokens.usdc, router.address)
    client.transact(whale, set_up.deposit(1_000_000 * USD, whale.address))
    plans = iter(range(1, 100))
    return Suite(
        client, chain, peers, boss, whale, router, comet, pool, lending, pooling, comp, plans
    )


def test_cycle__deposit_plan_earn_report_exit__pays_what_both_protocols_earned(
    suite: Suite, peers_deployer: KeySigner
) -> None:
    """Property: R1, R9."""
    client, dai, usdc = suite.client, suite.peers.tokens.dai, suite.peers.tokens.usdc
    suite.rebalance(
        (suite.lending, True, 400_000 * USD),
        (suite.pooling, True, 400_000 * USD),
        max_loss=400_000 * USD * (ENTRY + EXIT) // BPS + 10,
    )
    entered = suite.debt(suite.lending) + suite.debt(suite.pooling)
    for _ in range(4):
        for sold, bought, unit in ((dai, usdc, 10**18), (usdc, dai, USD)):
            amount = 500_000 * unit
            curve.trade(client, peers_deployer, suite.pool, sold=sold, bought=bought, amount=amount)
    suite.chain.advance(60 * DAY)
    assert suite.report(suite.lending) > 1_000 * USD
    assert suite.report(suite.pooling) > 50 * USD
    assert suite.debt(suite.lending) + suite.debt(suite.pooling) > entered
    most = suite.most()
    assert most > 1_000_000 * USD
    before = balance(client, usdc, suite.whale.address)
    take = suite.router.functions.withdraw(most, suite.whale.address, suite.whale.address)
    receipt = client.transact(suite.whale, take)
    assert balance(client, usdc, suite.whale.address) - before == most
    moved = client.events(receipt, suite.router, "DebtMoved")
    assert {event["strategy"] for event in moved} == {suite.lending.address, suite.pooling.address}


def test_rewards__claimed_for_the_harvester__are_comp_and_curve_has_none(suite: Suite) -> None:
    client = suite.client
    suite.rebalance((suite.lending, True, 400_000 * USD))
    suite.chain.advance(30 * DAY)
    assert list(client.call(suite.lending.functions.rewardTokens())) == [suite.comp.address]
    assert list(client.call(suite.pooling.functions.rewardTokens())) == []
    receipt = client.transact(suite.boss, suite.lending.functions.claimRewards(suite.boss.address))
    claimed = client.events(receipt, suite.lending, "RewardsClaimed")[0]
    assert list(claimed["amounts"]) == [balance(client, suite.comp, suite.boss.address)]
    assert claimed["amounts"][0] > 0


def test_comet__run_dry_and_paused__only_what_is_there_leaves_and_the_rest_in_kind(
    suite: Suite, peers_deployer: KeySigner
) -> None:
    """Property: R3, R9."""
    client, whale, usdc = suite.client, suite.whale, suite.peers.tokens.usdc
    suite.rebalance((suite.lending, True, 900_000 * USD))
    compound.drain(
        client,
        suite.peers.borrower,
        suite.comet,
        collateral=suite.peers.tokens.weth,
        left=50_000 * USD,
    )
    assert suite.liquid(suite.lending) == compound.available(client, suite.comet) == 50_000 * USD
    assert suite.most() == 150_000 * USD
    take = suite.router.functions.withdraw
    with pytest.raises(TransactionReverted, match="InsufficientLiquidity"):
        client.transact(whale, take(150_000 * USD + 1, whale.address, whale.address))
    client.transact(whale, take(150_000 * USD, whale.address, whale.address))
    assert suite.most() == 0
    compound.set_paused(client, peers_deployer, suite.comet, supplying=True, withdrawing=True)
    assert suite.liquid(suite.lending) == 0
    assert client.call(suite.lending.functions.maxDeposit(suite.router.address)) == 0
    suite.leave_in_kind(2)
    held = balance(client, suite.lending, whale.address)
    out = suite.lending.functions.redeemInKind(held, whale.address, whale.address)
    client.transact(whale, out)
    lent = balance(client, suite.comet.comet, whale.address)
    assert 424_000 * USD < lent < 426_000 * USD, "he is now a supplier of Comet himself"
    compound.set_paused(client, peers_deployer, suite.comet)
    fund(client, suite.peers.borrower, usdc, suite.peers.borrower.address, 500_000 * USD)
    compound.supply(client, suite.peers.borrower, suite.comet, usdc, 500_000 * USD)
    before = balance(client, usdc, whale.address)
    compound.withdraw(client, whale, suite.comet, usdc)
    assert balance(client, usdc, whale.address) - before >= lent
    assert suite.most() == compound.available(client, suite.comet) > 70_000 * USD


def test_curve__depeg_then_kill__exits_go_elsewhere_and_lp_tokens_in_kind(
    suite: Suite, peers_deployer: KeySigner
) -> None:
    """Property: R3, R9."""
    client, whale, tokens = suite.client, suite.whale, suite.peers.tokens
    suite.rebalance((suite.lending, True, 300_000 * USD), (suite.pooling, True, 300_000 * USD))
    value = client.call(suite.pooling.functions.totalAssets())
    curve.trade(
        client,
        peers_deployer,
        suite.pool,
        sold=tokens.dai,
        bought=tokens.usdc,
        amount=2_000_000 * 10**18,
    )
    assert curve.share_bps(client, suite.pool, tokens.usdc) < 1_500
    assert suite.liquid(suite.pooling) == 0
    assert client.call(suite.pooling.functions.maxDeposit(suite.router.address)) == 0
    with pytest.raises(TransactionReverted, match="ERC4626ExceededMaxDeposit"):
        suite.rebalance((suite.pooling, True, 10_000 * USD))
    assert client.call(suite.pooling.functions.totalAssets()) == pytest.approx(value, rel=1e-6)
    most = suite.most()
    assert 690_000 * USD < most < 701_000 * USD, "idle and Comet"
    leave = suite.router.functions.withdraw(most, whale.address, whale.address)
    client.transact(whale, leave)
    curve.kill(client, peers_deployer, suite.pool)
    client.transact(whale, suite.pooling.functions.probe())
    assert client.call(suite.pooling.functions.poolClosed())
    suite.leave_in_kind(1)
    held = balance(client, suite.pooling, whale.address)
    out = suite.pooling.functions.redeemInKind(held, whale.address, whale.address)
    client.transact(whale, out)
    lp = balance(client, suite.pool.lp, whale.address)
    before = [balance(client, coin, whale.address) for coin in (tokens.usdc, tokens.dai)]
    client.transact(whale, suite.pool.pool.functions.remove_liquidity(lp, [0, 0]))
    usdc = balance(client, tokens.usdc, whale.address) - before[0]
    dai = balance(client, tokens.dai, whale.address) - before[1]
    assert usdc + dai // 10**12 > 290_000 * USD
    assert dai // 10**12 > 5 * usdc


def test_queued_exit__liquidity_returns__is_paid_out_of_both(suite: Suite) -> None:
    """Property: R9."""
    client, whale, boss = suite.client, suite.whale, suite.boss
    suite.rebalance((suite.lending, True, 500_000 * USD), (suite.pooling, True, 400_000 * USD))
    compound.drain(client, suite.peers.borrower, suite.comet, collateral=suite.peers.tokens.weth)
    gate = suite.chain.signer(GATE)
    queue = deploy_own(client, boss, "ExitQueue", suite.router.address, gate.address)
    client.transact(boss, suite.router.functions.setExitQueue(queue.address))
    approve(client, whale, suite.router, queue.address)
    shares = suite.shares()
    ask = queue.functions.requestRedeem(shares, whale.address, whale.address)
    client.transact(whale, ask)
    client.transact(boss, queue.functions.process(10))
    early = int(client.call(queue.functions.maxWithdraw(whale.address)))
    assert early < 501_000 * USD, "idle and the pool, while Comet is dry"
    fund(client, boss, suite.peers.tokens.usdc, suite.comet.comet.address, 600_000 * USD)
    client.transact(boss, queue.functions.process(10))
    all_ = int(client.call(queue.functions.maxWithdraw(whale.address)))
    assert all_ > 998_000 * USD
    before = balance(client, suite.peers.tokens.usdc, whale.address)
    take = queue.functions.withdraw(all_, whale.address, whale.address)
    client.transact(whale, take)
    assert balance(client, suite.peers.tokens.usdc, whale.address) - before == all_
