"""Investors sign, the orchestrator settles in batches, a plan puts the capital to work."""

from __future__ import annotations

import random
from dataclasses import dataclass

from web3.types import TxReceipt

from offchain.batch.intents import receive
from offchain.chain.signers import KeySigner
from offchain.loop import Orchestrator
from scripts._demo import kyc
from scripts._demo.errors import DemoError
from scripts._demo.stage import Stage
from scripts._local.intents import permit_for, sign_intent
from tests.peers.tokens import fund

USDC = 10**6
DAY = 86_400
SEED = 20_261_121
LEAST, MOST = 20_000, 120_000
WALK_INS = 3
MOST_TICKS = 80
AAVE_BPS, CREDIT_BPS = 5_000, 2_000
DRAWN_BPS = 8_000
PLAN_LIFE = 3_600
PLAN_MAX_LOSS = 100  # wei: rounding of shares, nothing else


@dataclass(frozen=True)
class Investments:
    """Who brought how much."""

    assets: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.assets.values())


def settle(stage: Stage, orchestrator: Orchestrator, done: int) -> None:
    """Ticks the orchestrator, a block at a time, until `done` intents are over.

    Raises:
        DemoError: if that takes more blocks than any honest day.
    """
    assert orchestrator.settler is not None
    pool = orchestrator.settler.pool
    for _ in range(MOST_TICKS):
        orchestrator.tick()
        if len(pool.settled) + len(pool.dropped) >= done:
            return
        stage.anvil.mine(1, 12)
    raise DemoError(f"{len(pool.settled)} of {done} intents settled, {len(pool.dropped)} dropped")


def deposit(stage: Stage, orchestrator: Orchestrator) -> Investments:
    """Every investor signs one deposit and one permit and sends no transaction."""
    gateway = stage.contract("DepositGateway")
    amounts = random.Random(SEED)
    assets = {
        key.address: amounts.randrange(LEAST, MOST) * USDC + amounts.randrange(USDC)
        for key in stage.investors
    }
    payer = stage.cast["peers_deployer"]
    pending = [
        stage.client.send(payer, stage.usdc.functions.mint(owner, amount), gas=100_000)
        for owner, amount in assets.items()
    ]
    stage.client.wait_all(pending)
    single = _walk_in_gas(stage, max(assets.values()))
    deadline = stage.client.timestamp() + DAY
    intents = []
    for key in stage.investors:
        amount = assets[key.address]
        permit = permit_for(stage.client, stage.usdc, gateway, key, amount, deadline)
        intents.append(
            sign_intent(
                stage.client,
                gateway,
                key,
                "deposit",
                amount,
                nonce=0,
                deadline=deadline,
                permit=permit,
            )
        )
    first_block = stage.client.web3.eth.block_number
    receive(orchestrator.journal, intents)
    settle(stage, orchestrator, len(intents))
    batches = settlements(stage, first_block)
    settled = sum(
        len(stage.client.events(receipt, gateway, "DepositSettled")) for receipt in batches
    )
    rejected = sum(
        len(stage.client.events(receipt, gateway, "IntentRejected")) for receipt in batches
    )
    gas = sum(receipt["gasUsed"] for receipt in batches)
    stage.say(
        f"{settled} deposits in {len(batches)} batches, {sum(assets.values()) / USDC:,.0f} USDC"
    )
    stage.figures |= {
        "deposits": settled,
        "settlement_failures": rejected,
        "deposit_batches": len(batches),
        "deposit_single_gas": single,
        "deposit_batched_gas": gas // max(settled, 1),
        "batch_gas_saving_pct": round(100 * (1 - gas / max(settled, 1) / single), 2),
    }
    return Investments(assets)


def settlements(stage: Stage, after: int) -> list[TxReceipt]:
    """Receipts of all batches settled after a block."""
    gateway = stage.contract("DepositGateway")
    logs = gateway.events.BatchSettled().get_logs(from_block=after + 1)
    hashes = list(dict.fromkeys(log["transactionHash"] for log in logs))
    return [stage.client.web3.eth.get_transaction_receipt(tx) for tx in hashes]


def _walk_in_gas(stage: Stage, amount: int) -> int:
    """Gas of one deposit that an investor sends himself: an approval and a deposit."""
    before = stage.anvil.snapshot()
    total = 0
    keys = [KeySigner((10**18 + number).to_bytes(32, "big")) for number in range(WALK_INS)]
    kyc.give(stage, (key.address for key in keys))
    for key in keys:
        stage.anvil.set_balance(key.address, 10**18)
        fund(stage.client, stage.cast["peers_deployer"], stage.usdc, key.address, amount)
        for function in (
            stage.usdc.functions.approve(stage.router.address, amount),
            stage.router.functions["deposit(uint256,address)"](amount, key.address),
        ):
            total += stage.client.transact(key, function)["gasUsed"]
    stage.anvil.revert(before)
    stage.client.forget()
    return total // WALK_INS


def put_to_work(stage: Stage) -> None:
    """The governance Safe approves a plan by its hash; the allocator runs exactly that plan."""
    router, total = stage.router, stage.view(stage.router.functions.totalAssets())
    moves = []
    for strategy, bps in (
        (stage.contract("AaveV3Strategy").address, AAVE_BPS),
        (stage.world.credit_vault.address, CREDIT_BPS),
    ):
        assets = total * bps // 10_000
        moves.append((strategy, True, assets, assets - PLAN_MAX_LOSS // 2))
    plan = (
        (1).to_bytes(32, "big"),
        stage.client.timestamp() + PLAN_LIFE,
        PLAN_MAX_LOSS,
        moves,
    )
    digest = stage.view(router.functions.planHash(plan))
    stage.govern(router.functions.approvePlan(digest))
    stage.do("allocator", router.functions.rebalance(plan))
    stage.say(
        f"plan {digest.hex()[:10]}… approved by the governance Safe and run: "
        "50 % to Aave, 20 % to the credit vault"
    )
    vault = stage.world.credit_vault
    drawn = stage.view(vault.functions.totalAssets()) * DRAWN_BPS // 10_000
    stage.client.transact(stage.world.peers.borrower, vault.functions.draw(drawn))
    stage.figures["capital_at_work_pct"] = round(
        100 * stage.view(router.functions.totalDebt()) / total, 2
    )


def earn(stage: Stage, orchestrator: Orchestrator) -> None:
    """A month passes: borrowers pay, the market falls, the orchestrator harvests what is due."""
    first_block = stage.client.web3.eth.block_number
    stage.wait(30 * DAY)
    stage.market("WETH", -4)
    for _ in range(10):
        orchestrator.tick()
        stage.anvil.mine(1, 12)
    reports = stage.router.events.StrategyReported().get_logs(from_block=first_block)
    gained = sum(log["args"]["gain"] for log in reports)
    stage.say(f"{gained / USDC:,.2f} USDC harvested in {len(reports)} reports by the orchestrator")
    stage.figures |= {"yield_harvested": gained, "reports": len(reports)}
