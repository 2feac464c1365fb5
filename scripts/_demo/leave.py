"""Act four: everybody leaves: by signed exits in batches, through the queue, and in kind."""

from __future__ import annotations

from offchain.batch.intents import receive
from offchain.chain.signers import KeySigner
from offchain.loop import Orchestrator
from scripts._demo import kyc
from scripts._demo.errors import DemoError
from scripts._demo.invest import Investments, settle, settlements
from scripts._demo.stage import Stage
from scripts._local.intents import sign_intent
from tests.peers.tokens import approve, balance, fund

USDC = 10**6
DAY = 86_400
IN_KIND = 10
BY_INTENT = 30
MOST_DAYS = 12


def leave(stage: Stage, orchestrator: Orchestrator, brought: Investments) -> None:
    """Thirty by signed exits in batches, ten in kind, the rest and the treasury by the queue."""
    for key in (*stage.investors, stage.cast["treasury"]):
        stage.anvil.set_balance(key.address, 10**18)
    by_intent, in_kind = (
        stage.investors[:BY_INTENT],
        stage.investors[BY_INTENT : BY_INTENT + IN_KIND],
    )
    kyc.freeze(stage)
    _by_intent(stage, orchestrator, by_intent)
    kyc.release(stage)
    paid_in_kind = _in_kind(stage, in_kind)
    days = _by_queue(
        stage, orchestrator, (*stage.investors[BY_INTENT + IN_KIND :], stage.cast["treasury"])
    )
    held = [stage.view(stage.router.functions.balanceOf(key.address)) for key in stage.investors]
    got = (
        sum(balance(stage.client, stage.usdc, key.address) for key in stage.investors)
        + paid_in_kind
    )
    stage.say(
        f"all out after {days} more days: {brought.total / USDC:,.0f} USDC came in, "
        f"{got / USDC:,.0f} went out, after a default"
    )
    stage.figures |= {
        "exits": held.count(0),
        "shares_left": sum(held),
        "days_to_leave": days,
        "investors_got_pct": round(100 * got / brought.total, 4),
    }


def _by_intent(stage: Stage, orchestrator: Orchestrator, keys: tuple[KeySigner, ...]) -> None:
    assert orchestrator.settler is not None
    gateway, router = stage.contract("DepositGateway"), stage.router
    first_block = stage.client.web3.eth.block_number
    deadline = stage.client.timestamp() + DAY
    intents = []
    for key in keys:
        shares = stage.view(router.functions.balanceOf(key.address))
        approve(stage.client, key, router, gateway.address, shares)
        intents.append(
            sign_intent(stage.client, gateway, key, "exit", shares, nonce=1, deadline=deadline)
        )
    pool = orchestrator.settler.pool
    over = len(pool.settled) + len(pool.dropped)
    receive(orchestrator.journal, intents)
    settle(stage, orchestrator, over + len(intents))
    rejected = sum(
        len(stage.client.events(receipt, gateway, "IntentRejected"))
        for receipt in settlements(stage, first_block)
    )
    stage.figures["settlement_failures"] += rejected
    stage.say(f"{len(intents) - rejected} signed exits settled in batches")


def _in_kind(stage: Stage, keys: tuple[KeySigner, ...]) -> int:
    """Idle and strategy shares pro rata. Returns what the strategy shares are worth, in assets."""
    router, vault = stage.router, stage.world.credit_vault
    aave = stage.contract("AaveV3Strategy")
    worth = 0
    for key in keys:
        shares = stage.view(router.functions.balanceOf(key.address))
        stage.client.transact(key, router.functions.redeemInKind(shares, key.address, key.address))
        held = balance(stage.client, aave, key.address)
        stage.client.transact(key, aave.functions.redeem(held, key.address, key.address))
        worth += stage.view(
            vault.functions.convertToAssets(balance(stage.client, vault, key.address))
        )
    stage.say(f"{len(keys)} left in kind and redeemed their Aave shares themselves")
    return worth


def _by_queue(stage: Stage, orchestrator: Orchestrator, keys: tuple[KeySigner, ...]) -> int:
    """Paid at once as far as it goes; the rest waits for the breaker's window and for the desk."""
    router, queue = stage.router, stage.contract("ExitQueue")
    at_once, supply = 0, stage.view(router.functions.totalSupply())
    for key in keys:
        shares = stage.view(router.functions.balanceOf(key.address))
        if shares == 0:
            continue
        approve(stage.client, key, router, queue.address, shares)
        before = balance(stage.client, stage.usdc, key.address)
        stage.client.transact(key, queue.functions.exit(shares, key.address, key.address, 0))
        at_once += balance(stage.client, stage.usdc, key.address) > before
    waiting = stage.view(queue.functions.queuedShares())
    stage.say(f"{at_once} of {len(keys)} exits paid something at once; the rest waits in the queue")
    _desk_repays(stage)
    days = 0
    while stage.view(queue.functions.queuedShares()):
        if days == MOST_DAYS:
            raise DemoError(f"{stage.view(queue.functions.queuedShares())} shares still wait")
        stage.wait(DAY)
        days += 1
        for _ in range(6):
            orchestrator.tick()
            stage.anvil.mine(1, 12)
    for key in keys:
        claimable = stage.view(queue.functions.maxRedeem(key.address))
        if claimable:
            stage.client.transact(key, queue.functions.redeem(claimable, key.address, key.address))
    stage.figures["queued_pct"] = round(100 * waiting / supply, 2)
    return days


def _desk_repays(stage: Stage) -> None:
    """What the desk did not default on comes back, with interest."""
    vault, desk = stage.world.credit_vault, stage.world.peers.borrower
    owed = stage.view(vault.functions.drawn())
    fund(stage.client, stage.cast["peers_deployer"], stage.usdc, desk.address, owed)
    approve(stage.client, desk, stage.usdc, vault.address)
    stage.client.transact(desk, vault.functions.repay(owed))
