"""A feed breaks, a strategy loses money, all is frozen, nothing moves, governance resumes."""

from __future__ import annotations

from offchain.loop import Orchestrator
from scripts._demo import attempts
from scripts._demo.attempts import Attempt
from scripts._demo.errors import DemoError
from scripts._demo.stage import Stage
from scripts._safe import SafeError
from tests.peers.feeds import FeedMode, set_mode

USDC = 10**6
DAY = 86_400
PRICE_OK = 2
FROZEN, NORMAL = 3, 0
DEFAULT_BPS = 5_000
ATTEMPT_GAS = 3_000_000
NO_LIMIT = 2**256 - 1
MOST_TICKS = 30


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


def lose_money(stage: Stage, orchestrator: Orchestrator) -> int:
    """The credit desk defaults; the orchestrator sees it, the breaker trips a block later.

    Returns:
        the block of the default.
    """
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
            return defaulted
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


def try_everything(stage: Stage) -> list[Attempt]:
    """Every way to move money is tried by whoever may usually do it; none may move anything."""
    tried = attempts.prepare(stage)
    through = attempts.moved(stage, tried)
    names = f": {', '.join(through)}" if through else ""
    stage.say(f"{len(tried)} ways to move money tried, {len(through)} moved{names}")
    stage.figures |= {"moves_tried": len(tried), "moves_while_frozen": len(through)}
    return tried


def try_again(stage: Stage, tried: list[Attempt]) -> None:
    """The same calls where nothing is frozen: it was the freeze that refused them, nothing else."""
    through = attempts.possible(stage, tried)
    refused = [attempt.what for attempt in tried if attempt.what not in through]
    names = f", but not: {', '.join(refused)}" if refused else ""
    stage.say(f"{len(through)} of the same {len(tried)} go through now{names}")
    stage.figures["moves_when_open"] = len(through)


def book_the_loss(stage: Stage, orchestrator: Orchestrator, defaulted: int) -> None:
    """The loss is booked before anybody leaves: until then idle pays exits at the old price.

    The keeper reports it as soon as it can, so perhaps while all was frozen.

    Args:
        stage: the world.
        orchestrator: whose keeper reports.
        defaulted: the block of the default.
    """
    for _ in range(MOST_TICKS):
        orchestrator.tick()
        stage.anvil.mine(1, 12)
        reports = stage.router.events.StrategyReported().get_logs(from_block=defaulted)
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
    except SafeError:
        refused = True
    stage.govern(*(gate.functions.resume(target, reason) for target in targets))
    normal = all(stage.view(gate.functions.stateOf(t))[0] == NORMAL for t in targets)
    shown = stage.view(stage.router.functions.emergencyState()) == NORMAL
    stage.figures["resumed_by_governance"] = bool(refused and normal and shown)
    stage.say("the guardian cannot resume; the governance Safe (3 of 5) does")
