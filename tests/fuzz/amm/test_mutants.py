"""Every property test can fail: a pool with one fault is found by what fuzzes ours."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.fuzz.amm.attack import Runner, random_trip
from tests.fuzz.amm.test_pool_model import PoolAgainstModel
from tests.models.guarded_pool import Config
from tests.support.amm import PoolWorld
from tests.support.evm import Evm
from tests.support.pool_code import creation_code

pytestmark = pytest.mark.fuzz

UNIT = 10**18
TRIPS = 5_000
HUNT = settings(
    max_examples=2_000,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    stateful_step_count=40,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True)
class Mutant:
    """One replacement in one source below contracts/amm."""

    name: str
    source: str
    old: str
    new: str


ATTACKED = [
    Mutant(
        "forgets_the_previous_epoch",
        "PoolState",
        "uint256 previous = window & PAIR_MASK;",
        "uint256 previous = lo | (hi << 60);",
    ),
    Mutant(
        "keeps_the_first_low_of_an_epoch",
        "PoolState",
        "lo = Math.min(window & CODE_MASK, code);",
        "lo = window & CODE_MASK;",
    ),
    Mutant(
        "keeps_the_first_high_of_an_epoch",
        "PoolState",
        "hi = Math.max((window >> 60) & CODE_MASK, code + 1);",
        "hi = (window >> 60) & CODE_MASK;",
    ),
    Mutant(
        "guards_no_sell",
        "SwapMath",
        "if (guarded < amountOut) amountOut = guarded;",
        "if (!zeroForOne && guarded < amountOut) amountOut = guarded;",
    ),
    Mutant(
        "guards_no_exact_out",
        "SwapMath",
        "if (guarded > effective) effective = guarded;",
        "",
    ),
    Mutant(
        "opens_no_block_on_exact_in",
        "PoolGuard",
        "if (core.blockOf() != number & PoolState.BLOCK_MASK) {",
        "if (core.blockOf() != number & PoolState.BLOCK_MASK && msg.data.length > 164 "
        "&& msg.sig != this.swapExactIn.selector) {",
    ),
]
MODELLED = [
    Mutant(
        "pays_one_unit_more",
        "SwapMath",
        "amountOut = reserveOut * effective / (reserveIn + effective);",
        "amountOut = (reserveOut * effective + reserveIn) / (reserveIn + effective);",
    ),
    Mutant(
        "takes_one_unit_less_for_shares",
        "PoolQuotes",
        "amount0 = Math.ceilDiv(shares * r0, supply);",
        "amount0 = shares * r0 / supply;",
    ),
    Mutant(
        "lets_young_shares_go",
        "LiquidityToken",
        "if (immature == 0 || _blockNumber() >= account >> 224)",
        "if (immature == 0 || _blockNumber() + 1 >= account >> 224)",
    ),
    Mutant(
        "truncates_nothing",
        "PoolState",
        "if (gap <= limit) return to;",
        "if (gap <= limit * 2) return to;",
    ),
]


def deployer_code(mutant: Mutant) -> bytes:
    """Creation code of a PoolDeployer whose pools carry the fault."""
    return creation_code("PoolDeployer", ((mutant.source, mutant.old, mutant.new),))


@pytest.mark.parametrize("mutant", ATTACKED, ids=lambda m: m.name)
def test_faulty_guard__same_trips__profit_is_found(mutant: Mutant) -> None:
    """Control: P1, P3."""
    config = Config(guard_window=12, min_fee=0, max_fee=0)
    reserves = (10**6 * UNIT, 2 * 10**6 * UNIT)
    world = PoolWorld(Evm(), config, reserves, deployer_code=deployer_code(mutant))
    world.mine(3)
    runner = Runner(world, world.pool, config.guard_window)
    rng = random.Random(20)
    found = any(runner.run(random_trip(rng, (8, 24, 48))).profit > 0 for _ in range(TRIPS))
    assert found, f"{mutant.name} survived {runner.calls} legs"


@pytest.mark.parametrize("mutant", MODELLED, ids=lambda m: m.name)
def test_faulty_pool__same_sequences__differs_from_the_model(mutant: Mutant) -> None:
    """Control: P2, P5, P6, P7."""

    class Faulty(PoolAgainstModel):
        pass

    Faulty.deployer_code = deployer_code(mutant)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(Faulty, settings=HUNT)
