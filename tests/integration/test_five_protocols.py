"""One plan over five protocols, approved by a real Safe with real signatures; losses to the wei."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from scripts._safe import Call, SafeAccount, sign_all
from tests.integration.test_capital_cycle import assert_rebuilt
from tests.peers.safe import create_safe
from tests.peers.tokens import balance
from tests.peers.world import Peers
from tests.support.anvil import Anvil
from tests.support.capital_chain import BPS, USD, CapitalChain, capital_chain, five_protocols
from tests.support.evm import interface

pytestmark = pytest.mark.peers
PLANNER = 7
DAY = 86_400
Moves = list[tuple[Contract, bool, int, int]]


@dataclass
class Desk:
    """The suite with five protocols, and the Safe without whose word no plan runs."""

    suite: CapitalChain
    chain: Anvil
    protocols: tuple[Contract, ...]
    safe: Contract
    owners: tuple[KeySigner, ...]

    def approve(self, plan: Any, owners: int = 2) -> None:
        """So many owners of the Safe sign the plan's hash."""
        suite = self.suite
        plan_hash = suite.client.call(suite.router.functions.planHash(plan))
        data = suite.router.encode_abi("approvePlan", [plan_hash])
        call = Call(to=suite.router.address, data=bytes.fromhex(data[2:]))
        batches = suite.peers.safe.multi_send_call_only.address
        account = SafeAccount(suite.client, self.safe.address, batches)
        tx = account.build([call])
        account.execute(tx, sign_all(tx, self.owners[:owners]), self.owners[0])

    def run(self, plan: Any, at: int) -> Any:
        """Executes in a block of a given time, since interest rounds by the second."""
        rebalance = self.suite.router.functions.rebalance(plan)
        self.chain.set_next_timestamp(at)
        return self.suite.client.transact(self.suite.boss, rebalance, gas=10_000_000)

    def debts(self) -> list[int]:
        view = self.suite.router.functions.strategyState
        return [self.suite.client.call(view(p.address)).debt for p in self.protocols]

    def books(self) -> tuple[Any, ...]:
        """Everything that a plan may change."""
        suite, call = self.suite, self.suite.client.call
        held = [balance(suite.client, p, suite.router.address) for p in self.protocols]
        view = suite.router.functions
        return self.debts(), held, call(view.idle()), call(view.epochBudgetLeft())


@pytest.fixture
def desk(
    chain: Anvil, client: ChainClient, peers: Peers, governance: KeySigner, whale: KeySigner
) -> Desk:
    suite = capital_chain(client, peers, governance, chain.signer(9))
    owners = tuple(chain.signer(index) for index in (10, 11, 12))
    safe = create_safe(client, governance, peers.safe, [o.address for o in owners], 2)
    authority, place = suite.authority.functions, suite.router.address
    selectors = [interface("ICapitalRouter").by_name["approvePlan"][0].selector]
    suite.send(authority.setTargetFunctionRole(place, selectors, PLANNER))
    suite.send(authority.grantRole(PLANNER, safe.address, 0))
    protocols = five_protocols(suite)
    # No plan is small: each needs the Safe.
    suite.send(suite.router.functions.setPlanLimits(0, BPS))
    suite.join(whale, 1_000_000 * USD)
    chain.advance(DAY)
    return Desk(suite, chain, protocols, safe, owners)


def spread(desk: Desk) -> Moves:
    return [(protocol, True, 150_000 * USD, 0) for protocol in desk.protocols]


def shuffle(desk: Desk) -> Moves:
    """Two give back, three get more."""
    aave, credit, comet, curve, uniswap = desk.protocols
    backs = [(aave, False, 60_000 * USD, 0), (curve, False, 40_000 * USD, 0)]
    lends = [(p, True, 50_000 * USD, 0) for p in (credit, comet, uniswap)]
    return [*backs, *lends]


def test_rebalance__five_protocols_by_a_safe__one_transaction(desk: Desk) -> None:
    """Property: R1, R6."""
    suite = desk.suite
    plan = suite.plan(spread(desk), 1_000 * USD)
    with pytest.raises(TransactionReverted, match="PlanNotApproved"):
        suite.send(suite.router.functions.rebalance(plan))
    desk.approve(plan)
    receipt = desk.run(plan, desk.chain.timestamp() + 60)
    moved = suite.client.events(receipt, suite.router, "DebtMoved")
    assert [e["strategy"] for e in moved] == [p.address for p in desk.protocols]
    done = suite.client.events(receipt, suite.router, "PlanExecuted")[0]
    lost = done["totalAssetsBefore"] - done["totalAssetsAfter"]
    assert lost == 750_000 * USD - sum(desk.debts()) <= 1_000 * USD
    assert min(desk.debts()) > 149_000 * USD
    assert_rebuilt(suite)

    desk.chain.advance(DAY)
    plan = suite.plan(shuffle(desk), 1_000 * USD)
    desk.approve(plan)
    receipt = desk.run(plan, desk.chain.timestamp() + 60)
    ways = [e["lend"] for e in suite.client.events(receipt, suite.router, "DebtMoved")]
    assert ways == [False, False, True, True, True]
    assert_rebuilt(suite)
    print(f"five moves over five protocols: {receipt['gasUsed']} gas")
    with pytest.raises(TransactionReverted, match="PlanAlreadyExecuted"):
        suite.send(suite.router.functions.rebalance(plan))


def test_rebalance__loses_one_wei_more_than_its_budget__reverts_whole(desk: Desk) -> None:
    """Property: R6. The same plan in the same second, with a budget to the wei and one less."""
    suite = desk.suite
    first = suite.plan(spread(desk), 1_000 * USD)
    desk.approve(first)
    desk.run(first, desk.chain.timestamp() + 60)
    desk.chain.advance(DAY)
    at = desk.chain.timestamp() + 600

    def attempt(budget: int) -> Any:
        plan = (b"\x2a" * 32, 2**40 - 1, budget, suite.plan(shuffle(desk), 0)[3])
        desk.approve(plan)
        return desk.run(plan, at)

    before = desk.chain.snapshot()
    receipt = attempt(1_000 * USD)
    done = suite.client.events(receipt, suite.router, "PlanExecuted")[0]
    lost = done["totalAssetsBefore"] - done["totalAssetsAfter"]
    assert lost > 0, "Curve's and Uniswap's way costs something"
    desk.chain.revert(before)
    suite.client.forget()

    books = desk.books()
    before = desk.chain.snapshot()
    with pytest.raises(TransactionReverted, match=f"PlanLossExceeded.*{lost}.*{lost - 1}"):
        attempt(lost - 1)
    assert desk.books() == books
    desk.chain.revert(before)
    suite.client.forget()
    attempt(lost)
    assert desk.books() != books


def test_rebalance__too_few_owners_sign__is_not_approved(desk: Desk) -> None:
    suite = desk.suite
    plan = suite.plan(spread(desk), 1_000 * USD)
    with pytest.raises(Exception, match=r"sign|GS020"):
        desk.approve(plan, owners=1)
    approved = suite.router.functions.isPlanApproved
    plan_hash = suite.client.call(suite.router.functions.planHash(plan))
    assert not suite.client.call(approved(plan_hash))
