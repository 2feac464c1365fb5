"""The factory: addresses, atomic seeding, what it refuses."""

from __future__ import annotations

import pytest

from tests.models.guarded_pool import Config
from tests.support.amm import NEVER_ENDING, PoolWorld, sorted_tokens
from tests.support.evm import Address, Contract, reverts

UNIT = 10**18


def create(
    world: PoolWorld,
    tokens: tuple[Contract, Contract],
    config: Config,
    who: Address,
    amounts: tuple[int, int] = (UNIT, UNIT),
) -> str:
    for token in tokens:
        token.mint(who, 2**120)
        token.approve(world.factory, NEVER_ENDING, sender=who)
    address, _ = world.factory.createPool(*tokens, *amounts, config.as_tuple(), sender=who)
    return str(address)


def test_create_pool__either_order__is_where_predicted(world: PoolWorld, trader: Address) -> None:
    config = Config(guard_window=24)
    a, b = sorted_tokens(world.evm, (18, 18))
    predicted = world.factory.predictPool(a, b, config.as_tuple())
    assert world.factory.predictPool(b, a, config.as_tuple()) == predicted
    assert int(world.factory.getPool(a, b, config.as_tuple()), 16) == 0
    pool = create(world, (b, a), config, trader, (3 * UNIT, UNIT))
    assert pool == predicted == world.factory.getPool(b, a, config.as_tuple())
    found = world.evm.at("GuardedPool", pool)
    assert (found.token0(), found.token1()) == (a.address, b.address)
    assert tuple(found.getReserves()) == (UNIT, 3 * UNIT)
    assert tuple(found.config()) == config.as_tuple()
    assert found.factory() == world.factory.address
    assert found.emergencyGate() == world.gate
    assert world.factory.isPool(pool)
    assert world.factory.poolAt(world.factory.poolCount() - 1) == pool
    with reverts("PoolExists", pool):
        create(world, (a, b), config, trader)


def test_create_pool__seed__shares_mature_like_all(world: PoolWorld, trader: Address) -> None:
    """Property: P7."""
    a, b = sorted_tokens(world.evm, (18, 18))
    pool = world.evm.at("GuardedPool", create(world, (a, b), Config(), trader, (UNIT, 4 * UNIT)))
    assert pool.balanceOf(trader) == 2 * UNIT - 1_000
    assert pool.matureBalanceOf(trader) == 0
    assert pool.totalSupply() == 2 * UNIT


def test_create_pool__tokens_sent_ahead__do_not_stop_it(world: PoolWorld, trader: Address) -> None:
    a, b = sorted_tokens(world.evm, (18, 18))
    predicted = world.factory.predictPool(a, b, Config().as_tuple())
    a.mint(predicted, 5)
    pool = world.evm.at("GuardedPool", create(world, (a, b), Config(), trader))
    assert tuple(pool.getReserves()) == (UNIT, UNIT)


@pytest.mark.parametrize(
    "config",
    [
        Config(guard_window=0),
        Config(guard_window=3_601),
        Config(maturity_blocks=1),
        Config(maturity_blocks=1_000_001),
        Config(min_fee=2, max_fee=1),
    ],
)
def test_create_pool__config_out_of_bounds__reverts(
    world: PoolWorld, trader: Address, config: Config
) -> None:
    with reverts("InvalidConfig"):
        create(world, sorted_tokens(world.evm, (18, 18)), config, trader)


@pytest.mark.parametrize(
    "config",
    [
        Config(guard_window=1, maturity_blocks=2, min_fee=1, max_fee=1),
        Config(guard_window=3_600, maturity_blocks=1_000_000),
    ],
    ids=["least", "most"],
)
def test_create_pool__config_at_its_bounds__is_kept(
    world: PoolWorld, trader: Address, config: Config
) -> None:
    address = create(world, sorted_tokens(world.evm, (18, 18)), config, trader)
    assert tuple(world.evm.at("GuardedPool", address).config()) == config.as_tuple()


def test_create_pool__amounts_out_of_bounds__reverts(world: PoolWorld, trader: Address) -> None:
    tokens = sorted_tokens(world.evm, (18, 18))
    for amounts, error in (
        ((0, UNIT), "ZeroAmount"),
        ((UNIT, 2**112), "ReserveOverflow"),
        ((1_000, 1_000), "InsufficientLiquidity"),
    ):
        with reverts(error):
            create(world, tokens, Config(), trader, amounts)


def test_create_pool__same_or_no_token__reverts(world: PoolWorld, trader: Address) -> None:
    zero = "0x" + "00" * 20
    with reverts("IdenticalTokens"):
        world.factory.createPool(
            world.token0, world.token0, 1, 1, Config().as_tuple(), sender=trader
        )
    with reverts("ZeroAddress"):
        world.factory.createPool(world.token0, zero, 1, 1, Config().as_tuple(), sender=trader)


def test_create_pool__fee_on_transfer__reverts(world: PoolWorld, trader: Address) -> None:
    fee = world.evm.deploy("FeeToken", "Fee", "FEE", 18, 10)
    other = world.token0
    with reverts("UnsupportedToken"):
        create(world, (fee, other), Config(), trader)


def test_seed__again_or_by_a_stranger__reverts(world: PoolWorld, attacker: Address) -> None:
    with reverts("NotFactory", attacker):
        world.pool.seed(attacker, UNIT, UNIT, sender=attacker)
    with reverts("AlreadySeeded"):
        world.pool.seed(attacker, UNIT, UNIT, sender=world.factory)


def test_set_treasury__only_governance(world: PoolWorld, attacker: Address) -> None:
    with reverts("AccessManagedUnauthorized"):
        world.factory.setTreasury(attacker, sender=attacker)
    world.factory.setTreasury(attacker, sender=world.governance)
    assert world.factory.treasury() == attacker
    with reverts("ZeroAddress"):
        world.factory.setTreasury("0x" + "00" * 20, sender=world.governance)


def test_collect__unknown_pool__reverts(world: PoolWorld, attacker: Address) -> None:
    with reverts("UnknownPool", attacker):
        world.factory.collect(attacker, sender=attacker)


def test_constructor__no_deployer_or_no_gate__reverts(world: PoolWorld) -> None:
    nobody = "0x" + "00" * 20
    assert world.factory.deployer() == world.deployer.address
    for maker, gate in ((nobody, world.gate), (world.deployer, nobody)):
        with reverts("ZeroAddress"):
            world.evm.deploy("PoolFactory", world.authority, maker, gate, world.treasury, 0)


def test_constructor__share_above_the_bound__reverts(world: PoolWorld) -> None:
    with reverts("InvalidProtocolShare", 2_501):
        world.evm.deploy(
            "PoolFactory", world.authority, world.deployer, world.gate, world.treasury, 2_501
        )
