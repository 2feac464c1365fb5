"""Attacks across the capital plane, and that the docs' table of attacks names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from offchain.artifacts import ROOT
from tests.support.capital import BPS, DAY, FROZEN, WITHDRAW_ONLY, World, build_world
from tests.support.evm import CHAIN_ID, Address, Evm, reverts
from tests.support.flows import PERMIT, flows, sign_typed

UNIT = 10**18
DECIMALS = (0, 6, 8, 18, 24)
PLAN = "(bytes32,uint40,uint128,(address,bool,uint128,uint128)[])"
TABLE = ROOT / "docs" / "capital.md"
# The list of issue 5; every row of the table starts with one of these.
ATTACKS = (
    "first-depositor inflation",
    "donation",
    "report sandwiching",
    "same-block in and out",
    "read-only reentrancy from a strategy",
    "read-only reentrancy from a pool",
    "cap bypass by flash loan",
    "slippage on a manipulated venue",
    "queue jumping in a loss",
    "plan replay",
    "expired plan",
    "altered plan",
    "signature replay across chains",
    "signature replay across contracts",
    "malicious receiver",
    "huge queue",
)


# ---- same block ----


@pytest.mark.parametrize("decimals", DECIMALS)
def test_same_block__in_and_out_around_gain_yield_and_fees__gains_nothing(decimals: int) -> None:
    """Property: R2, R5. The whale's capital passes through in the block in which all is booked."""
    world = build_world(decimals=decimals)
    unit = 10**decimals
    honest, attacker = world.evm.account("investor"), world.evm.account("attacker")
    world.router.setFees((2_000, 100, world.evm.account("treasury")), sender=world.governance)
    strategy = world.add_strategy()
    held = world.deposit(honest, 1_000 * unit)
    world.lend(strategy, 500 * unit)
    world.evm.mine(1, DAY)
    worth = world.router.convertToAssets(held)
    world.fund(world.harvester, 50 * unit)
    for turn in range(3):
        shares = world.deposit(attacker, 10_000 * unit)
        strategy.gain(20 * unit)
        world.report(strategy)
        world.router.receiveYield(strategy, 10 * unit, sender=world.harvester)
        got = world.router.redeem(shares, attacker, attacker, sender=attacker)
        assert got <= 10_000 * unit, turn
        assert world.router.convertToAssets(held) >= worth, "nobody pays for it"


def test_same_block__in_and_out_through_the_gateway__gains_nothing() -> None:
    """Property: R2. Both intents in one batch."""
    world = flows(Evm())
    world.make_price_awkward(UNIT)
    attacker = world.invest("attacker", UNIT)
    world.fund("attacker", 5 * UNIT)
    before = world.asset.balanceOf(attacker)
    shares = world.router.convertToShares(5 * UNIT)
    done = world.settle(
        world.deposit_intent(attacker, 5 * UNIT), world.exit_intent(attacker, shares)
    )
    assert done == (1, 1)
    assert world.asset.balanceOf(attacker) <= before


# ---- read-only reentrancy ----

PRICED_VIEWS = (
    ("convertToAssets", 1),
    ("convertToShares", 1),
    ("previewDeposit", 1),
    ("previewMint", 1),
    ("previewRedeem", 1),
    ("previewWithdraw", 1),
    ("totalAssets",),
    ("sharePriceWad",),
    ("holdings",),
)


@pytest.mark.parametrize("view", PRICED_VIEWS, ids=lambda v: v[0])
def test_read_only_reentrancy__inside_an_exit_or_a_plan__no_view_prices(
    world: World, whale: Address, view: tuple[str, int]
) -> None:
    """A lender who asks the router for a price while a strategy is called gets no answer."""
    strategy = world.add_strategy()
    shares = world.deposit(whale, 100)
    world.lend(strategy, 60)
    call = world.router.calldata(*view)

    def ask() -> None:
        assert strategy.calledBack()
        assert not strategy.callSucceeded()
        assert strategy.callResult()[:4] == keccak(text="Reentered()")[:4]

    strategy.arm(world.router, call)
    world.lend(strategy, 40)
    ask()
    strategy.arm(world.router, call)
    world.recall(strategy, 10)
    ask()
    strategy.arm(world.router, call)
    world.router.redeem(shares // 2, whale, whale, sender=whale)
    ask()


# ---- queue ----


def test_queue__leaves_it_in_a_loss_to_exit_at_once__others_stay_covered() -> None:
    """Property: S5, R7. Who cancels and exits through idle takes nothing that others wait for."""
    world = flows(Evm())
    honest, attacker = world.invest("investor", 50 * UNIT), world.invest("attacker", 50 * UNIT)
    world.invest("whale", 100 * UNIT)
    world.lend_all_but(0)
    world.strategy.setLimit(True, 0)
    mine = world.router.balanceOf(attacker)
    for person in (honest, attacker):
        held = world.router.balanceOf(person)
        world.queue.requestRedeem(held, person, person, sender=person)
    world.lose(60 * UNIT, report=False)
    # Half of what the two were owed comes back as fresh idle capital.
    world.invest("saver", 50 * UNIT)
    world.queue.cancelRedeem(2, attacker, sender=attacker)
    assert world.router.maxWithdraw(attacker) == 0
    with reverts("InsufficientLiquidity"):
        world.router.redeem(mine, attacker, attacker, sender=attacker)
    paid, request = world.queue.exit(mine, attacker, attacker, 0, sender=attacker)
    assert (paid, request) == (0, 3), "he stands at the end now"


def test_queue__freeze_and_report__every_waiting_request_bears_the_loss_alike() -> None:
    """Property: S5."""
    world = flows(Evm())
    first, second = world.invest("attacker", 50 * UNIT), world.invest("investor", 50 * UNIT)
    world.lend_all_but(50 * UNIT)
    for person in (first, second):
        held = world.router.balanceOf(person)
        world.queue.requestRedeem(held, person, person, sender=person)
    world.capital.set_state(FROZEN)
    world.lose(25 * UNIT, report=True)
    world.capital.set_state(WITHDRAW_ONLY)
    world.queue.process(1)
    world.queue.process(1)
    got = [world.queue.maxWithdraw(person) for person in (first, second)]
    assert max(got) - min(got) <= 2
    assert sum(got) <= 75 * UNIT


# ---- signatures ----


def test_plan__approved_for_another_chain_or_router__is_not_approved(
    world: World, whale: Address
) -> None:
    strategy = world.add_strategy()
    world.router.setPlanLimits(0, BPS, sender=world.governance)
    world.deposit(whale, 100)
    plan = world.plan((strategy, True, 10, 0))
    body = (*plan[:3], [(strategy.address, *move[1:]) for move in plan[3]])
    for chain, router in ((1, world.router.address), (CHAIN_ID, str(whale))):
        foreign = keccak(encode(["uint256", "address", PLAN], [chain, router, body]))
        world.router.approvePlan(foreign, sender=world.governance)
        with reverts("PlanNotApproved", world.router.planHash(plan)):
            world.router.rebalance(plan, sender=world.allocator)


@pytest.mark.parametrize("field", ["id", "expiry", "max_loss", "strategy", "lend", "least"])
def test_plan__any_field_altered__is_not_approved(world: World, whale: Address, field: str) -> None:
    first, second = world.add_strategy(), world.add_strategy()
    world.deposit(whale, 100)
    for strategy in (first, second):
        world.lend(strategy, 20)
    world.router.setPlanLimits(0, BPS, sender=world.governance)
    plan_id, expiry, max_loss, moves = world.plan((first, True, 10, 1), max_loss=5)
    approved = world.router.planHash((plan_id, expiry, max_loss, moves))
    world.router.approvePlan(approved, sender=world.governance)
    altered = {
        "id": (b"\x07" * 32, expiry, max_loss, moves),
        "expiry": (plan_id, expiry + 1, max_loss, moves),
        "max_loss": (plan_id, expiry, max_loss + 1, moves),
        "strategy": (plan_id, expiry, max_loss, [(second, True, 10, 1)]),
        "lend": (plan_id, expiry, max_loss, [(first, False, 10, 1)]),
        "least": (plan_id, expiry, max_loss, [(first, True, 10, 0)]),
    }[field]
    with reverts("PlanNotApproved", world.router.planHash(altered)):
        world.router.rebalance(altered, sender=world.allocator)
    world.router.rebalance((plan_id, expiry, max_loss, moves), sender=world.allocator)


@pytest.mark.parametrize("field", ["chain", "contract", "name"])
def test_permit__for_another_domain__is_refused(
    world: World, whale: Address, attacker: Address, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    deadline = world.evm.timestamp + 60
    message = {"owner": whale, "spender": attacker, "value": 7, "nonce": 0, "deadline": deadline}
    verifier = world.asset if field == "contract" else world.router
    name = "Breakwater Euro" if field == "name" else "Breakwater Dollar"
    with monkeypatch.context() as patch:
        if field == "chain":
            patch.setattr("tests.support.flows.CHAIN_ID", 1)
        v, r, s = sign_typed(whale, name, verifier, "Permit", PERMIT, message)
    with reverts("InvalidSigner"):
        world.router.permit(whale, attacker, 7, deadline, v, r, s, sender=attacker)
    assert world.router.allowance(whale, attacker) == 0


# ---- receivers ----


def test_receiver__token_bars_him__only_his_own_exit_fails(
    whale: Address, attacker: Address, evm: Evm
) -> None:
    world = build_world(evm, token="BarringToken")
    shares, mine = world.deposit(whale, 100), world.deposit(attacker, 100)
    world.asset.bar(attacker, True)
    books = (world.router.totalAssets(), world.router.totalSupply())
    with reverts():
        world.router.redeem(mine, attacker, attacker, sender=attacker)
    assert (world.router.totalAssets(), world.router.totalSupply()) == books
    assert world.router.redeem(shares, whale, whale, sender=whale) == 100
    assert world.router.redeem(mine, whale, attacker, sender=attacker) == 100


# ---- the table ----


def rows() -> list[tuple[str, str]]:
    """Attack and test of every row of the table in docs/capital.md."""
    text = TABLE.read_text().partition("## Attacks")[2].partition("\n## ")[0]
    found = re.findall(r"^\| ([^|`]+) \| `([^`]+)` \|$", text, re.MULTILINE)
    return [(attack.strip(), test) for attack, test in found]


@pytest.mark.parametrize("attack", ATTACKS)
def test_table__every_attack__has_a_row(attack: str) -> None:
    assert attack in {name for name, _ in rows()}


@pytest.mark.parametrize("test", sorted({test for _, test in rows()}))
def test_table__every_row__names_a_test_that_exists(test: str) -> None:
    path, name = test.split("::")
    tree = ast.parse(Path(ROOT / "tests" / path).read_text())
    assert name in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
