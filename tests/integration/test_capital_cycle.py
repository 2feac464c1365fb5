"""A full cycle on a chain with the real Aave V3, and every balance of it rebuilt from events."""

from __future__ import annotations

import pytest

from offchain.chain.client import ChainClient, KeySigner
from tests.peers import aave_v3
from tests.peers.npm import deploy_own
from tests.peers.tokens import approve, balance, fund
from tests.peers.world import Peers
from tests.support.anvil import Anvil
from tests.support.capital_chain import BPS, DAI, USD, CapitalChain, capital_chain
from tests.support.evm import labelled
from tests.support.flows import Intent
from tests.support.ledger import Ledger

pytestmark = pytest.mark.peers
DAY = 86_400
FOREVER = 2**40 - 1


@pytest.fixture
def suite(chain: Anvil, client: ChainClient, peers: Peers, governance: KeySigner) -> CapitalChain:
    made = capital_chain(client, peers, governance, chain.signer(9))
    dai = peers.tokens.dai
    rewarding = deploy_own(client, governance, "RewardingStrategy", made.usdc.address)
    made.add("rewarding", rewarding)
    made.send(rewarding.functions.setReward(dai.address, 5_000 * DAI))
    made.send(made.router.functions.setFees((1_000, 50, chain.signer(8).address)))
    return made


def assert_rebuilt(suite: CapitalChain) -> Ledger:
    """The events say, to the wei, what the contracts say."""
    call, router, queue = suite.client.call, suite.router, suite.queue
    ledger = Ledger(router.address, queue.address)
    ledger.read(suite.events())
    view = router.functions
    for holder, shares in ledger.shares.items():
        if holder not in {"0x" + "00" * 20, router.address}:
            assert call(view.balanceOf(holder)) == shares, holder
    assert call(view.idle()) == ledger.idle == balance(suite.client, suite.usdc, router.address)
    for strategy in suite.strategies.values():
        state = call(view.strategyState(strategy.address))
        assert state.debt == ledger.debts.get(strategy.address, 0)
        assert state.shares == ledger.lent_shares[strategy.address]
        assert balance(suite.client, strategy, router.address) == state.shares
    assert call(view.totalDebt()) == sum(ledger.debts.values())
    assert call(view.queuedShares()) == ledger.queued_told == sum(ledger.pending.values())
    controllers = set(ledger.claimable_shares)
    for controller in controllers:
        assert call(queue.functions.maxRedeem(controller)) == ledger.claimable_shares[controller]
        assert call(queue.functions.maxWithdraw(controller)) == ledger.claimable_assets[controller]
    held = balance(suite.client, suite.usdc, queue.address)
    assert held == sum(ledger.claimable_assets.values())
    assert call(view.balanceOf(queue.address)) == sum(ledger.pending.values())
    return ledger


class Cycle:
    """The steps of the cycle; after each the books are rebuilt."""

    def __init__(
        self, suite: CapitalChain, chain: Anvil, whale: KeySigner, stranger: KeySigner
    ) -> None:
        self.suite, self.chain, self.client = suite, chain, suite.client
        self.whale, self.saver, self.stranger = whale, chain.signer(6), stranger
        self.signer = labelled("signing investor")
        self.key = KeySigner(self.signer.key)
        self.aave, self.credit, self.rewarding = (
            suite.strategies[name] for name in ("aave", "credit", "rewarding")
        )

    def settle(self, number: int, intent: Intent) -> None:
        signed = intent.signed(self.suite.gateway)  # type: ignore[arg-type]
        sides = ([signed], []) if intent.kind == "DepositIntent" else ([], [signed])
        settle = self.suite.gateway.functions.settle(number.to_bytes(32, "big"), *sides)
        self.suite.send(settle)

    def repay(self, assets: int) -> None:
        peers = self.suite.peers
        aave_v3.repay(self.client, peers.borrower, peers.aave, self.suite.usdc, assets)

    def take_claim(self) -> None:
        queue = self.suite.queue
        claim = self.client.call(queue.functions.maxRedeem(self.whale.address))
        redeem = queue.functions.redeem(claim, self.whale.address, self.whale.address)
        self.suite.send(redeem, self.whale)

    def deposit(self) -> None:
        """Two directly, one by a signed intent."""
        suite = self.suite
        suite.join(self.whale, 600_000 * USD)
        suite.join(self.saver, 300_000 * USD)
        fund(self.client, suite.boss, suite.usdc, self.signer, 100_000 * USD)
        self.chain.set_balance(self.signer, 10**18)
        approve(self.client, self.key, suite.usdc, suite.gateway.address)
        who = (self.signer, self.signer)
        self.settle(1, Intent("DepositIntent", *who, 100_000 * USD, 0, 0, FOREVER))

    def plan(self) -> None:
        """Three protocols; a tenth stays idle."""
        moves = [
            (self.aave, True, 500_000 * USD, 0),
            (self.credit, True, 200_000 * USD, 0),
            (self.rewarding, True, 200_000 * USD, 0),
        ]
        suite = self.suite
        suite.send(suite.router.functions.rebalance(suite.plan(moves, 10)))
        suite.send(self.credit.functions.draw(150_000 * USD), suite.peers.borrower)

    def earn_and_harvest(self) -> None:
        """Interest of Aave and of the desk, rewards sold on Uniswap V3, all of it reported."""
        self.chain.advance(30 * DAY)
        suite, harvester = self.suite, self.suite.harvester
        every = [strategy.address for strategy in suite.strategies.values()]
        receipt = suite.send(harvester.functions.harvest(every))
        found = self.client.events(receipt, harvester, "Harvested")
        gains = {event["strategy"]: event["gain"] for event in found}
        assert gains[self.aave.address] > 500 * USD
        owed = 150_000 * USD * 900 * 30 // (10_000 * 365)
        assert gains[self.credit.address] == pytest.approx(owed, rel=1e-3)
        sold = self.client.events(receipt, harvester, "RewardSold")
        assert [event["strategy"] for event in sold] == [self.rewarding.address]
        assert 4_950 * USD < sold[0]["proceeds"] < 5_000 * USD
        locked = self.client.call(suite.router.functions.lockedShares())
        told = assert_rebuilt(suite).shares[suite.router.address]
        assert told == locked > 0, "locked profit is told in the block of the report"
        self.chain.advance(7 * DAY)

    def run_dry(self) -> None:
        """Aave is lent out to the last unit; an exit takes what is there."""
        suite, peers, client = self.suite, self.suite.peers, self.client
        aave_v3.borrow_to_utilisation(
            *(client, peers.borrower, peers.aave, suite.usdc),
            collateral=peers.tokens.weth,
            target_bps=BPS,
        )
        assert aave_v3.utilisation_bps(client, peers.aave.reserves["USDC"]) == BPS
        assert client.call(self.aave.functions.maxWithdraw(suite.router.address)) == 0
        saver = self.saver.address
        part = client.call(suite.router.functions.balanceOf(saver)) // 10
        redeem = suite.router.get_function_by_signature("redeem(uint256,address,address)")
        before = balance(client, suite.usdc, saver)
        suite.send(redeem(part, saver, saver), self.saver)
        assert balance(client, suite.usdc, saver) - before > 30_000 * USD

    def exit_that_never_fails(self) -> None:
        """A part is paid at once, the rest waits."""
        suite, whale = self.suite, self.whale.address
        shares = self.client.call(suite.router.functions.balanceOf(whale))
        receipt = suite.send(suite.queue.functions.exit(shares, whale, whale, 0), self.whale)
        paid = self.client.events(receipt, suite.queue, "ExitPaid")[0]["shares"]
        waiting = self.client.events(receipt, suite.queue, "RedeemRequest")[0]["shares"]
        assert 0 < paid < shares == paid + waiting

    def exit_in_kind(self) -> None:
        """While nothing is liquid, each protocol's shares change hands."""
        suite = self.suite
        mine = self.client.call(suite.router.functions.balanceOf(self.signer))
        in_kind = suite.router.functions.redeemInKind(mine // 2, self.signer, self.signer)
        suite.send(in_kind, self.key)
        for strategy in (self.aave, self.credit):
            assert balance(self.client, strategy, self.signer) > 0

    def process_a_part(self) -> None:
        """Borrowers pay some back; anybody works the queue."""
        suite = self.suite
        self.repay(150_000 * USD)
        suite.send(suite.queue.functions.process(10), self.stranger)
        ledger = assert_rebuilt(suite)
        assert ledger.claimable_shares[self.whale.address] > 0
        assert sum(ledger.pending.values()) > 0, "not all of it yet"
        self.take_claim()

    def process_the_rest(self) -> None:
        suite = self.suite
        self.repay(600_000 * USD)
        suite.send(suite.queue.functions.process(10), self.stranger)
        self.take_claim()
        got = balance(self.client, suite.usdc, self.whale.address)
        assert 600_000 * USD < got < 610_000 * USD, "all of it, and what it earned"

    def signed_exit(self) -> None:
        suite = self.suite
        rest = self.client.call(suite.router.functions.balanceOf(self.signer))
        approve(self.client, self.key, suite.router, suite.gateway.address)
        self.settle(2, Intent("ExitIntent", self.signer, self.signer, rest // 2, 0, 1, FOREVER))


def test_cycle__deposit_to_every_kind_of_exit__events_rebuild_every_balance(
    suite: CapitalChain, chain: Anvil, whale: KeySigner, attacker: KeySigner
) -> None:
    """Property: R1, R3, R7, R9. Aave is lent out to the last unit in the middle of it."""
    cycle = Cycle(suite, chain, whale, attacker)
    for step in (
        cycle.deposit,
        cycle.plan,
        cycle.earn_and_harvest,
        cycle.run_dry,
        cycle.exit_that_never_fails,
        cycle.exit_in_kind,
        cycle.process_a_part,
        cycle.process_the_rest,
        cycle.signed_exit,
    ):
        step()
        assert_rebuilt(suite)
    ledger = assert_rebuilt(suite)
    assert sum(ledger.pending.values()) == 0
    assert ledger.shares[whale.address] == 0


def test_ledger__one_event_left_out__differs(suite: CapitalChain, whale: KeySigner) -> None:
    """The rebuilding can fail: every kind of event matters."""
    suite.join(whale, 1_000 * USD)
    aave = suite.strategies["aave"]
    suite.send(router_plan(suite, aave))
    suite.join(whale, 10 * USD)
    shares = suite.client.call(suite.router.functions.balanceOf(whale.address))
    suite.send(
        suite.queue.functions.requestRedeem(shares // 2, whale.address, whale.address), whale
    )
    events = suite.events()
    whole = Ledger(suite.router.address, suite.queue.address)
    whole.read(events)
    for name in ("Transfer", "Deposit", "DebtMoved", "RedeemRequest"):
        partial = Ledger(suite.router.address, suite.queue.address)
        partial.read(event for event in events if event.name != name)
        assert partial != whole, name


def router_plan(suite: CapitalChain, strategy: object) -> object:
    """Lends half of a thousand."""
    plan = suite.plan([(strategy, True, 500 * USD, 0)], 2)  # type: ignore[list-item]
    return suite.router.functions.rebalance(plan)
