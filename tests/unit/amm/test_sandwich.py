"""The same sandwich in the real Uniswap v2 and in our pool: there it pays, here it costs."""

from __future__ import annotations

import pytest

from tests.support import uniswap
from tests.support.amm import PoolWorld
from tests.support.evm import Address, Evm

UNIT = 10**18
RESERVES = (10**24, 2 * 10**24)
FRONT, VICTIM = 100_000 * UNIT, 200_000 * UNIT


@pytest.fixture
def world(evm: Evm) -> PoolWorld:
    return PoolWorld(evm, reserves=RESERVES)


def test_sandwich__uniswap_v2__pays(world: PoolWorld, attacker: Address) -> None:
    pair = uniswap.v2(world.evm, world.tokens, RESERVES, world.whale)
    victim = world.evm.account("trader")
    before = world.token1.balanceOf(attacker)
    bought = uniswap.v2_sell(pair, world.tokens, attacker, FRONT, side=False)
    uniswap.v2_sell(pair, world.tokens, victim, VICTIM, side=False)
    uniswap.v2_sell(pair, world.tokens, attacker, bought, side=True)
    assert world.token1.balanceOf(attacker) > before + FRONT // 10


@pytest.mark.parametrize("seconds", [0, 12], ids=["same_block", "next_block"])
@pytest.mark.parametrize("addresses", [1, 2])
def test_sandwich__guarded_pool__costs(
    world: PoolWorld, attacker: Address, seconds: int, addresses: int
) -> None:
    """Property: P3."""
    victim = world.evm.account("trader")
    back = attacker if addresses == 1 else world.evm.account("accomplice")
    world.enrol(back)
    world.mine(seconds=12)
    before = sum(world.token1.balanceOf(a) for a in {attacker, back})
    bought = world.sell(attacker, FRONT, zero_for_one=False)
    world.sell(victim, VICTIM, zero_for_one=False)
    if back != attacker:
        world.token0.transfer(back, bought, sender=attacker)
    if seconds:
        world.mine(seconds=seconds)
    world.sell(back, bought)
    after = sum(world.token1.balanceOf(a) for a in {attacker, back})
    assert after < before, "the sandwich paid"
    assert world.token1.balanceOf(world.treasury) == 0
