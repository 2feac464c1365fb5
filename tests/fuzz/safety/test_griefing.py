"""What it costs to abuse the meter for a day, and what others feel of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.evm import Contract, Evm

DAY, STEP = 86_400, 60
LIMIT = 10**12
REQUEST = LIMIT // 100
REQUEST_EVERY = 3_600
pytestmark = pytest.mark.fuzz


@dataclass(frozen=True)
class Felt:
    """Seconds that honest exits waited; capital times seconds that the attacker had outside."""

    longest: int
    mean: float
    attacker_capital_seconds: int


@pytest.fixture
def world() -> tuple[Evm, Contract, Contract]:
    evm = Evm()
    governance = evm.account("governance")
    authority = evm.deploy("AccessAuthority", governance)
    asset = evm.deploy("TestToken", "Dollar", "USD", 6)
    breaker = evm.deploy("CircuitBreaker", authority, asset, asset)
    target = evm.deploy("WatchedTarget", asset, asset, breaker)
    target.setAccounted(10**18)
    breaker.setLimit(target, asset, LIMIT, DAY, LIMIT // 10, sender=governance)
    return evm, breaker, target


def a_day(
    world: tuple[Evm, Contract, Contract], capital: int, flash: bool, queue_first: bool = True
) -> Felt:
    """Every minute the attacker empties what he can; every hour an investor leaves with 1 % of L.

    The router's rule: while someone is queued, instant exits see what the queue is not owed.
    """
    evm, breaker, target = world
    asset = target.asset()
    inside, out_seconds = capital, 0
    queue: list[int] = []
    waits: list[int] = []
    for now in range(0, DAY, STEP):
        if flash:
            target.roundTrips(capital, 1, False)
        if now % REQUEST_EVERY == 0:
            queue.append(now)
        if not flash and not queue_first:
            drained = min(inside, breaker.available(target, asset))
            target.exitMetered(drained)
            inside -= drained
        while queue and breaker.available(target, asset) >= REQUEST:
            target.exitMetered(REQUEST)
            waits.append(now - queue.pop(0))
        if not flash:
            owed = REQUEST * len(queue)
            drained = min(inside, max(0, breaker.available(target, asset) - owed))
            target.exitMetered(drained)
            inside -= drained
            if inside == 0:
                # All out: to go on he must come back, and that refunds the bucket.
                target.enter(capital)
                inside = capital
        out_seconds += STEP * (capital - inside)
        evm.mine(1, seconds=STEP)
    waits += [DAY - asked for asked in queue]
    return Felt(max(waits), sum(waits) / len(waits), out_seconds)


@pytest.mark.parametrize("times", [1, 10, 1_000])
def test_a_day__flash_loans__nobody_waits(
    world: tuple[Evm, Contract, Contract], times: int
) -> None:
    """Property: S5."""
    assert a_day(world, times * LIMIT, flash=True).longest == 0


@pytest.mark.parametrize("times", [1, 10])
def test_a_day__held_capital__waits_are_bounded_by_the_refill_of_ones_own_exit(
    world: tuple[Evm, Contract, Contract], times: int
) -> None:
    felt = a_day(world, times * LIMIT, flash=False)
    refill = REQUEST * 2 * DAY // LIMIT
    assert felt.longest <= refill + STEP
    # He pays: what he takes out earns nothing, and it is his own exit.
    assert felt.attacker_capital_seconds > LIMIT // 4 * DAY


def test_a_day__held_capital_without_the_queue__would_starve_the_others(
    world: tuple[Evm, Contract, Contract],
) -> None:
    """The negative control: it is the queue's precedence that bounds the wait, not the meter."""
    felt = a_day(world, 10 * LIMIT, flash=False, queue_first=False)
    assert felt.longest > DAY // 2
