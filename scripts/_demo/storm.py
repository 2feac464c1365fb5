"""A feed breaks, a strategy loses money, all is frozen, nothing moves, governance resumes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from web3.contract.contract import ContractFunction

from offchain.chain.client import Signer, TransactionReverted
from offchain.loop import Orchestrator
from scripts._demo.errors import DemoError
from scripts._demo.stage import Stage
from tests.peers.feeds import FeedMode, set_mode
from tests.peers.tokens import approve, balance, fund

USDC = 10**6
DAY = 86_400
PRICE_OK = 2
FROZEN, NORMAL = 3, 0
DEFAULT_BPS = 5_000
ATTEMPT_GAS = 3_000_000
NO_LIMIT = 2**256 - 1
MOST_TICKS = 10


def break_a_feed(stage: Stage) -> None:
    """One of the three USDC feeds reverts: the median of the other two goes on."""
    oracle = stage.contract("PriceOracle")
    before = stage.view(oracle.functions.price(stage.usdc.address))
    set_mode(
        stage.client,
        stage.cast["peers_deployer"],
        stage.world.peers.feeds["USDC"][0],
        FeedMode.REVERTING,
    )
    status, after, _, healthy = stage.view(oracle.functions.status(stage.usdc.address))
    stage.say(f"a USDC feed reverts: {healthy} of 3 feeds healthy, price unchanged")
    stage.figures["oracle_survives_feed"] = bool(
        status == PRICE_OK and after == before and healthy == 2
    )


def lose_money(stage: Stage, orchestrator: Orchestrator) -> None:
    """The credit desk defaults; the orchestrator sees it, the breaker trips a block later."""
    vault, router = stage.world.credit_vault, stage.router
    before = stage.view(router.functions.sharePriceWad())
    lost = stage.view(vault.functions.drawn()) * DEFAULT_BPS // 10_000
    stage.client.transact(stage.world.peers.borrower, vault.functions.defaultOn(lost))
    fall = 1 - stage.view(router.functions.sharePriceWad()) / before
    stage.say(
        f"the credit vault's desk defaults: {lost / USDC:,.0f} USDC lost, "
        f"a share is worth {fall:.2%} less"
    )
    defaulted = stage.client.web3.eth.block_number
    breaker = stage.contract("CircuitBreaker")
    for _ in range(MOST_TICKS):
        orchestrator.tick()
        trips = breaker.events.Tripped().get_logs(from_block=defaulted)
        if trips:
            stage.figures["breaker_tripped"] = True
            stage.figures["blocks_to_trip"] = trips[0]["blockNumber"] - defaulted
            stage.say("the breaker trips by itself: the router is FROZEN")
            return
        stage.anvil.mine(1, 12)
    raise DemoError("the breaker did not trip")


def freeze(stage: Stage) -> None:
    """The guardian Safe freezes every target in one transaction."""
    gate = stage.contract("EmergencyGate")
    targets = stage.view(gate.functions.targets())
    receipt = stage.guard(
        gate.functions.raiseMany(targets, FROZEN, 2 * DAY, b"credit vault default".ljust(32, b"\0"))
    )
    failed = len(stage.client.events(receipt, gate, "RaiseFailed"))
    frozen = sum(stage.view(gate.functions.stateOf(t))[0] == FROZEN for t in targets)
    stage.say(
        f"guardian Safe (2 of 3): {frozen} of {len(targets)} targets FROZEN in one transaction, "
        f"{receipt['gasUsed']:,} gas"
    )
    stage.figures |= {
        "targets": len(targets),
        "targets_frozen": frozen,
        "freeze_failures": failed,
        "freeze_gas": receipt["gasUsed"],
    }


@dataclass(frozen=True)
class Attempt:
    """Something that somebody would like to do."""

    what: str
    who: Signer
    call: ContractFunction


def try_everything(stage: Stage) -> None:
    """Every way to move money is tried by whoever may usually do it; none may move anything."""
    whale, pool = stage.cast["whale"], stage.contract("GuardedPool")
    payer = stage.cast["peers_deployer"]
    fund(stage.client, payer, stage.usdc, whale.address, 100 * USDC)
    fund(stage.client, payer, stage.world.peers.tokens.weth, whale.address, 10**18)
    approve(stage.client, whale, stage.usdc, stage.router.address)
    for token in (stage.usdc, stage.world.peers.tokens.weth):
        approve(stage.client, whale, token, pool.address)
    investor = stage.investors[0]
    stage.anvil.set_balance(investor.address, 10**18)
    before = _holdings(stage)
    moved = []
    attempts = list(_attempts(stage, whale, investor))
    for attempt in attempts:
        try:
            stage.client.transact(attempt.who, attempt.call, gas=ATTEMPT_GAS)
        except TransactionReverted:
            continue
        moved.append(attempt.what)
    if _holdings(stage) != before:
        moved.append("a balance changed")
    stage.say(
        f"{len(attempts)} ways to move money tried: {len(moved)} moved"
        + "".join(f" ({m})" for m in moved)
    )
    stage.figures |= {"moves_tried": len(attempts), "moves_while_frozen": len(moved)}


def _attempts(stage: Stage, whale: Signer, investor: Signer) -> Iterator[Attempt]:
    router, fn = stage.router, stage.router.functions
    shares = stage.view(fn.balanceOf(investor.address)) // 2
    pool, queue = stage.contract("GuardedPool").functions, stage.contract("ExitQueue").functions
    aave = stage.contract("AaveV3Strategy")
    keeper, allocator = stage.cast["keeper"], stage.cast["allocator"]
    deadline = stage.client.timestamp() + DAY
    plan = ((2).to_bytes(32, "big"), deadline, 0, [(aave.address, False, USDC, 0)])
    yield Attempt("deposit", whale, fn["deposit(uint256,address)"](USDC, whale.address))
    yield Attempt("mint", whale, fn["mint(uint256,address)"](USDC, whale.address))
    yield Attempt(
        "withdraw",
        investor,
        fn["withdraw(uint256,address,address)"](USDC, investor.address, investor.address),
    )
    yield Attempt(
        "redeem",
        investor,
        fn["redeem(uint256,address,address)"](shares, investor.address, investor.address),
    )
    yield Attempt(
        "redeem in kind", investor, fn.redeemInKind(shares, investor.address, investor.address)
    )
    yield Attempt("share transfer", investor, fn.transfer(whale.address, shares))
    yield Attempt("rebalance", allocator, fn.rebalance(plan))
    yield Attempt("report", keeper, fn.processReport(aave.address))
    yield Attempt(
        "queued exit", investor, queue.requestRedeem(shares, investor.address, investor.address)
    )
    yield Attempt("exit", investor, queue.exit(shares, investor.address, investor.address, 0))
    yield Attempt("queue processing", keeper, queue.process(10))
    yield Attempt(
        "strategy redemption",
        allocator,
        aave.functions.redeem(1, allocator.address, router.address),
    )
    for zero_for_one in (True, False):
        yield Attempt(
            "pool swap",
            whale,
            pool.swapExactIn(zero_for_one, USDC, 0, whale.address, NO_LIMIT, NO_LIMIT),
        )
    yield Attempt("pool mint", whale, pool.mint(USDC, 10**15, 0, NO_LIMIT))
    treasury = stage.cast["treasury"]
    liquidity = stage.view(pool.balanceOf(treasury.address))
    yield Attempt(
        "pool burn", treasury, pool.burn(liquidity // 2, 0, 0, treasury.address, NO_LIMIT)
    )
    yield Attempt("pool share transfer", treasury, pool.transfer(whale.address, liquidity // 2))
    gateway = stage.contract("DepositGateway").functions
    yield Attempt("empty batch", keeper, gateway.settle(b"\1" * 32, [], []))


def _holdings(stage: Stage) -> tuple[int, ...]:
    """What every money contract holds, and the shares of two people who would like to leave."""
    tokens, names = (
        stage.world.peers.tokens,
        ("GuardedPool", "AaveV3Strategy", "ExitQueue", "DepositGateway"),
    )
    addresses = [stage.router.address, *(stage.contract(name).address for name in names)]
    shares = [
        stage.view(stage.router.functions.balanceOf(a))
        for a in (stage.investors[0].address, stage.cast["whale"].address)
    ]
    vault = stage.world.credit_vault
    return (
        *(
            balance(stage.client, token, a)
            for token in (tokens.usdc, tokens.weth)
            for a in addresses
        ),
        *shares,
        balance(stage.client, vault, stage.router.address),
        stage.view(stage.router.functions.idle()),
        stage.view(stage.router.functions.totalDebt()),
    )


def book_the_loss(stage: Stage, orchestrator: Orchestrator) -> None:
    """The loss is booked before anybody leaves: until then idle pays exits at the old price."""
    first_block = stage.client.web3.eth.block_number
    for _ in range(MOST_TICKS):
        orchestrator.tick()
        stage.anvil.mine(1, 12)
        reports = stage.router.events.StrategyReported().get_logs(from_block=first_block)
        booked = sum(log["args"]["loss"] for log in reports)
        if booked:
            stage.say(f"{booked / USDC:,.0f} USDC of loss booked")
            stage.figures["loss_booked"] = booked
            return
    raise DemoError("the loss was not booked")


def resume(stage: Stage) -> None:
    """Nobody but governance can end it: the guardian tries, then the governance Safe does it."""
    gate = stage.contract("EmergencyGate")
    targets = stage.view(gate.functions.targets())
    reason = b"loss understood".ljust(32, b"\0")
    refused = False
    try:
        stage.guard(gate.functions.resume(targets[0], reason))
    except TransactionReverted:
        refused = True
    stage.govern(*(gate.functions.resume(target, reason) for target in targets))
    normal = all(stage.view(gate.functions.stateOf(t))[0] == NORMAL for t in targets)
    shown = stage.view(stage.router.functions.emergencyState()) == NORMAL
    stage.figures["resumed_by_governance"] = bool(refused and normal and shown)
    stage.say("the guardian cannot resume; the governance Safe (3 of 5) does")
