"""Creating a pool: what is announced and kept, and each thing that stops it."""

from __future__ import annotations

import pytest

from tests.models.guarded_pool import Config
from tests.support.amm import NEVER_ENDING, PoolWorld, sorted_tokens
from tests.support.evm import Address, Contract, Evm, reverts

UNIT = 10**18
NOBODY = "0x" + "00" * 20
CONFIG = Config(guard_window=24, maturity_blocks=3, min_fee=1, max_fee=2).as_tuple()


@pytest.fixture
def own() -> PoolWorld:
    return PoolWorld(Evm())


def funded(world: PoolWorld, who: Address, tokens: tuple[Contract, ...]) -> None:
    for token in tokens:
        token.mint(who, 10 * UNIT)
        token.approve(world.factory, NEVER_ENDING, sender=who)


def test_create_pool__announces_tokens_creator_pool_and_configuration(
    own: PoolWorld, trader: Address
) -> None:
    a, b = sorted_tokens(own.evm, (18, 18))
    funded(own, trader, (a, b))
    pool, shares = own.factory.createPool(b, a, 4 * UNIT, UNIT, CONFIG, sender=trader)
    (event,) = own.evm.events("PoolCreated")
    *names, config = event.args.values()
    assert names == [a.address, b.address, trader, pool]
    assert tuple(config) == CONFIG
    assert shares == 2 * UNIT - 1_000
    assert (a.balanceOf(pool), b.balanceOf(pool)) == (UNIT, 4 * UNIT)
    assert (a.balanceOf(trader), b.balanceOf(trader)) == (9 * UNIT, 6 * UNIT)
    assert own.evm.at("GuardedPool", pool).balanceOf(trader) == shares


def test_create_pool__several__are_counted_in_order(own: PoolWorld, trader: Address) -> None:
    made = [own.pool.address]
    for _ in range(2):
        a, b = sorted_tokens(own.evm, (18, 18))
        funded(own, trader, (a, b))
        made.append(own.factory.createPool(a, b, UNIT, UNIT, CONFIG, sender=trader)[0])
    assert own.factory.poolCount() == 3
    assert [own.factory.poolAt(index) for index in range(3)] == made
    assert all(own.factory.isPool(pool) for pool in made)
    assert not own.factory.isPool(trader)
    with reverts("Panic"):
        own.factory.poolAt(3)


def test_create_pool__same_tokens_other_configuration__another_pool(
    own: PoolWorld, trader: Address
) -> None:
    funded(own, trader, own.tokens)
    pool, _ = own.factory.createPool(*own.tokens, UNIT, UNIT, CONFIG, sender=trader)
    assert pool != own.pool.address
    assert own.factory.getPool(*own.tokens, CONFIG) == pool
    assert own.factory.getPool(*own.tokens, own.config.as_tuple()) == own.pool.address
    with reverts("PoolExists", pool):
        own.factory.createPool(*own.tokens, UNIT, UNIT, CONFIG, sender=trader)


def test_create_pool__same_token_twice__refused(own: PoolWorld) -> None:
    with reverts("IdenticalTokens", own.token0.address):
        own.factory.createPool(own.token0, own.token0, 1, 1, CONFIG)
    with reverts("IdenticalTokens", NOBODY):
        own.factory.predictPool(NOBODY, NOBODY, CONFIG)


def test_create_pool__no_first_token__refused(own: PoolWorld) -> None:
    with reverts("ZeroAddress"):
        own.factory.createPool(NOBODY, own.token0, 1, 1, CONFIG)
    with reverts("ZeroAddress"):
        own.factory.predictPool(NOBODY, own.token0, CONFIG)


def test_create_pool__no_second_token__refused(own: PoolWorld) -> None:
    with reverts("ZeroAddress"):
        own.factory.createPool(own.token0, NOBODY, 1, 1, CONFIG)
    with reverts("ZeroAddress"):
        own.factory.getPool(own.token0, NOBODY, CONFIG)


def test_create_pool__token_that_charges__refused_with_what_arrived(
    own: PoolWorld, trader: Address
) -> None:
    """Also where the pool's address holds some already: only what moved counts."""
    fee = own.evm.deploy("FeeToken", "Fee", "FEE", 18, 10)
    funded(own, trader, (fee, own.token0))
    pool = own.factory.predictPool(fee, own.token0, CONFIG)
    fee.mint(pool, UNIT)
    with reverts("UnsupportedToken", fee.address, UNIT * 999 // 1_000, UNIT):
        own.factory.createPool(fee, own.token0, UNIT, UNIT, CONFIG, sender=trader)


def test_create_pool__other_token_charges__refused_too(own: PoolWorld, trader: Address) -> None:
    """The charging token on either side of the plain one."""
    sides: set[bool] = set()
    while len(sides) < 2:
        fee = own.evm.deploy("FeeToken", "Fee", "FEE", 18, 10)
        sides.add(int(fee.address, 16) < int(own.token0.address, 16))
        funded(own, trader, (fee, own.token0))
        with reverts("UnsupportedToken", fee.address, UNIT * 999 // 1_000, UNIT):
            own.factory.createPool(own.token0, fee, UNIT, UNIT, CONFIG, sender=trader)


def test_collect__not_a_pool__refused_with_its_address(own: PoolWorld) -> None:
    with reverts("UnknownPool", own.token0.address):
        own.factory.collect(own.token0)


def test_deployer__anybody__becomes_the_factory_of_his_own_pool(
    own: PoolWorld, trader: Address
) -> None:
    predicted = own.deployer.predict(trader, *own.tokens, own.gate, 7, CONFIG)
    assert own.deployer.deploy(*own.tokens, own.gate, 7, CONFIG, sender=trader) == predicted
    pool = own.evm.at("GuardedPool", predicted)
    assert (pool.factory(), pool.emergencyGate()) == (trader, own.gate)
    assert (pool.token0(), pool.token1()) == tuple(token.address for token in own.tokens)
    assert pool.protocolShareBps() == 7
    assert tuple(pool.config()) == CONFIG
    assert not own.factory.isPool(predicted)
