"""Stateful fuzz of the router against its exact model, to the unit, after every step."""

from __future__ import annotations

import os

import pytest

from tests.fuzz.capital.router_session import DECIMALS, PREVIEW_REDEEM, start
from tests.support.evm import Revert, reverts

pytestmark = pytest.mark.fuzz

RUNS = int(os.environ.get("FUZZ_RUNS", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))
STEPS = int(os.environ.get("FUZZ_STEPS", "40"))


@pytest.mark.parametrize("run", range(RUNS))
def test_router__any_sequence__equals_the_model(run: int) -> None:
    """Property: R1, R3, R4, R5, R6, R9, S2."""
    session = start(SEED * 1_000_003 + run, DECIMALS[run % len(DECIMALS)])
    try:
        for _ in range(STEPS):
            session.step()
            session.compare()
    except (AssertionError, Revert) as error:
        trail = "\n  ".join(session.trail)
        raise AssertionError(f"{error}\nseed {SEED}, run {run}:\n  {trail}") from error


@pytest.mark.parametrize("run", range(RUNS))
def test_round_trip__any_state__never_gains(run: int) -> None:
    """Property: R2. In and out in one block, instantly or in kind, gains nothing."""
    session = start(SEED * 7_000_003 + run, DECIMALS[run % len(DECIMALS)])
    for _ in range(STEPS // 2):
        session.step()
    world, rng = session.world, session.rng
    world.set_state(0)
    passer = world.evm.account("passer")
    others = session.people["whale"]
    value = world.router.convertToAssets(world.router.balanceOf(others))
    assets = rng.randrange(1, 1_000 * session.unit)
    if session.books.review:
        with reverts("OutOfBounds"):
            world.deposit(passer, assets)
        return
    with world.evm.rollback():
        try:
            shares = world.deposit(passer, assets)
            got = world.router.redeem(shares, passer, passer, sender=passer)
        except Revert as error:
            assert error.name in {
                "InsufficientLiquidity",
                "OutflowLimitExceeded",
                "ZeroAmount",
            }, error
            return
        assert got <= assets, f"R2: {assets} became {got}"
        assert world.router.convertToAssets(world.router.balanceOf(others)) >= value
    with world.evm.rollback():
        shares = world.deposit(passer, assets)
        paid, _, parts = world.router.redeemInKind(shares, passer, passer, sender=passer)
        for vault, part in zip(session.vaults, parts, strict=True):
            vault.setFault(PREVIEW_REDEEM, 0)
            vault.setLimit(False, 0)
            if part:
                paid += vault.redeem(part, passer, passer, sender=passer)
        broken = any(s.vault.broken for s in session.books.strategies)
        assert paid <= assets or broken, f"R2: {assets} became {paid} in kind"
