"""Who may enter, and what becomes of the exit of an investor who is frozen."""

from __future__ import annotations

from collections.abc import Iterable

from offchain.chain.client import TransactionReverted
from offchain.chain.signers import KeySigner
from scripts._demo.stage import Stage
from scripts._local.credentials import credential_for
from tests.peers.tokens import approve, balance, fund

USDC = 10**6
YEAR = 365 * 86_400
GAS = 200_000
ATTEMPT_GAS = 1_000_000
FROZEN_INVESTOR = 1


def admit(stage: Stage) -> None:
    """Credentials for the investors and the whale; whoever has none is tried at every door."""
    give(stage, (key.address for key in (*stage.investors, stage.cast["whale"])))
    stage.say(f"{len(stage.investors)} investors have credentials of the KYC provider")
    outsider, whale = stage.cast["attacker"], stage.cast["whale"]
    before = stage.anvil.snapshot()
    for key in (outsider, whale):
        fund(stage.client, stage.cast["peers_deployer"], stage.usdc, key.address, 10 * USDC)
        approve(stage.client, key, stage.usdc, stage.router.address)
    deposit = stage.router.functions["deposit(uint256,address)"]
    doors = (
        (outsider, deposit(USDC, outsider.address)),
        (outsider, stage.router.functions["mint(uint256,address)"](USDC, outsider.address)),
        (outsider, deposit(USDC, whale.address)),
        (whale, deposit(USDC, outsider.address)),
    )
    entered = 0
    for key, call in doors:
        try:
            stage.client.transact(key, call, gas=ATTEMPT_GAS)
            entered += 1
        except TransactionReverted:
            pass
    stage.client.transact(whale, deposit(USDC, whale.address))
    stage.anvil.revert(before)
    stage.client.forget()
    stage.say(f"without one: {len(doors)} ways in tried, {entered} went through")
    stage.figures |= {
        "credentials": len(stage.investors) + 1,
        "entries_without_credential": entered,
    }


def give(stage: Stage, people: Iterable[str]) -> None:
    """The provider signs, anybody brings it on chain."""
    registry, provider = stage.contract("InvestorRegistry"), stage.cast["kyc_provider"]
    expiry = stage.client.timestamp() + YEAR
    stage.client.wait_all(
        [
            stage.client.send(
                stage.cast["trader"],
                credential_for(stage.client, registry, provider, person, expiry=expiry),
                gas=GAS,
            )
            for person in people
        ]
    )


def freeze(stage: Stage) -> None:
    """The compliance desk freezes one who is about to leave."""
    who = _frozen(stage)
    registry = stage.contract("InvestorRegistry")
    reason = b"name on a sanctions list".ljust(32, b"\0")
    stage.do("compliance", registry.functions.freeze(who.address, reason))


def release(stage: Stage) -> None:
    """His exit lies in his own escrow; the desk finds another man's name on the list."""
    who, registry = _frozen(stage), stage.contract("InvestorRegistry")
    escrow = stage.view(registry.functions.escrowOf(who.address))
    held = balance(stage.client, stage.usdc, escrow)
    before = balance(stage.client, stage.usdc, who.address)
    reason = b"not the one on the list".ljust(32, b"\0")
    stage.do(
        "compliance",
        registry.functions.releaseEscrow(
            who.address, stage.usdc.address, held, who.address, reason
        ),
    )
    paid = balance(stage.client, stage.usdc, who.address) - before
    stage.say(
        f"the exit of a frozen investor, {held / USDC:,.0f} USDC, waited in his escrow; "
        "released with a reason on chain"
    )
    stage.figures |= {
        "escrow_exit_usdc": round(held / USDC, 2),
        "escrow_released_pct": round(100 * paid / held, 4) if held else 0,
    }


def _frozen(stage: Stage) -> KeySigner:
    return stage.investors[FROZEN_INVESTOR]
