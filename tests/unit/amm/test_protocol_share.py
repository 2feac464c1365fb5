"""The protocol's part of a pool's growth, to the share, and who may set where it goes."""

from __future__ import annotations

from math import isqrt

from tests.models.guarded_pool import Config
from tests.support.amm import FOREVER, PoolWorld
from tests.support.evm import Address, Evm, reverts

UNIT = 10**18
NOBODY = "0x" + "00" * 20
DEAR = Config(min_fee=30_000, max_fee=30_000)


def grown(reserves: tuple[int, int], amount: int, bps: int) -> PoolWorld:
    """A pool that charged 3 % of one sale, two blocks after its seed."""
    world = PoolWorld(Evm(), DEAR, reserves, (0, 0), protocol_share_bps=bps)
    world.mine(2)
    trader = world.evm.account("trader")
    assert world.sell(trader, amount) == world.model.swap_exact_in(True, amount)
    return world


def settle(world: PoolWorld) -> int:
    """Burns one share, and returns what the protocol got by it."""
    before = int(world.pool.balanceOf(world.factory))
    quoted = tuple(world.pool.quoteBurn(1))
    assert tuple(world.pool.burn(1, 0, 0, world.whale, FOREVER, sender=world.whale)) == quoted
    return int(world.pool.balanceOf(world.factory)) - before


def root(world: PoolWorld) -> int:
    reserve0, reserve1 = world.pool.getReserves()
    return isqrt(reserve0 * reserve1)


def test_accrual__after_a_trade__is_the_part_of_the_growth_rounded_down() -> None:
    world = grown((10**12, 10**12), 10**11, 1_000)
    part = (root(world) - 10**12) * 1_000
    expected = 10**12 * part // (root(world) * 10_000 - part)
    assert expected > 0
    assert settle(world) == expected
    assert world.pool.totalSupply() == 10**12 + expected - 1


def test_accrual__settled__is_not_taken_twice() -> None:
    world = grown((10**12, 10**12), 10**11, 1_000)
    assert settle(world) > 0
    assert settle(world) == 0
    world.sell(world.evm.account("trader"), 10**11)
    assert settle(world) > 0


def test_accrual__after_a_mint__growth_is_counted_from_there() -> None:
    world = grown((10**12, 10**12), 10**11, 1_000)
    trader = world.evm.account("trader")
    quoted = tuple(world.pool.quoteMint(10**12, 10**12))
    assert tuple(world.pool.mint(10**12, 10**12, 0, FOREVER, sender=trader)) == quoted
    assert world.pool.balanceOf(world.factory) > 0
    assert settle(world) == 0


def test_accrual__of_exactly_one_share__is_made() -> None:
    world = grown((10_000, 10_000), 751, 1_000)
    assert root(world) == 10_011
    assert settle(world) == 1
    (event,) = world.evm.events("ProtocolSharesAccrued")
    assert tuple(event.args.values()) == (world.factory.address, 1)


def test_accrual__root_of_before__is_rounded_up_against_the_protocol() -> None:
    """From √(10 000 · 10 003), which is no whole number: counted from 10 001 it would be one."""
    world = grown((10_000, 10_003), 702, 1_000)
    assert root(world) == 10_012
    assert 10_001 * 11_000 // (10_012 * 10_000 - 11_000) == 1
    assert settle(world) == 0


def test_accrual__least_share__is_taken() -> None:
    world = grown((10**12, 10**12), 10**11, 1)
    part = root(world) - 10**12
    assert settle(world) == 10**12 * part // (root(world) * 10_000 - part) > 0
    assert settle(world) == 0


def test_accrual__no_share__nothing_is_taken() -> None:
    world = grown((10**12, 10**12), 10**11, 0)
    assert root(world) > 10**12
    assert settle(world) == 0
    assert world.pool.totalSupply() == 10**12 - 1
    assert world.pool.protocolShareBps() == world.factory.protocolShareBps() == 0


def test_accrual__largest_share__is_a_quarter() -> None:
    world = grown((10**12, 10**12), 10**11, 2_500)
    part = (root(world) - 10**12) * 2_500
    assert settle(world) == 10**12 * part // (root(world) * 10_000 - part)
    assert world.pool.protocolShareBps() == world.factory.MAX_PROTOCOL_SHARE_BPS() == 2_500


def test_quote_burn__protocol_s_part_due__is_counted_in() -> None:
    """All shares and those that are due may be quoted, and one more is refused."""
    world = grown((10**12, 10**12), 10**11, 1_000)
    part = (root(world) - 10**12) * 1_000
    supply = 10**12 + 10**12 * part // (root(world) * 10_000 - part)
    reserves = tuple(world.pool.getReserves())
    assert tuple(world.pool.quoteBurn(supply)) == reserves
    with reverts("InsufficientLiquidity"):
        world.pool.quoteBurn(supply + 1)
    assert tuple(world.pool.quoteBurn(7)) == tuple(r * 7 // supply for r in reserves)


def test_quote_burn__pool_not_seeded_yet__has_nothing_to_give(trader: Address) -> None:
    world = PoolWorld(Evm())
    config = DEAR.as_tuple()
    address = world.deployer.deploy(*world.tokens, world.gate, 1_000, config, sender=trader)
    with reverts("InsufficientLiquidity"):
        world.evm.at("GuardedPool", address).quoteBurn(1)


# ------------------------------------------------------------------ factory's side


def test_collect__announces_and_moves_all(attacker: Address) -> None:
    world = grown((10**12, 10**12), 10**11, 1_000)
    shares = settle(world)
    assert world.factory.collect(world.pool, sender=attacker) == shares
    (event,) = world.evm.events("ProtocolSharesCollected")
    collected = (attacker, world.pool.address, world.treasury, shares)
    assert tuple(event.args.values()) == collected
    assert world.pool.balanceOf(world.treasury) == shares
    assert world.pool.balanceOf(world.factory) == 0
    assert world.factory.collect(world.pool, sender=attacker) == 0


def test_set_treasury__announces_both_and_is_kept() -> None:
    world = grown((10**12, 10**12), 10**11, 1_000)
    heir = world.evm.account("heir")
    world.factory.setTreasury(heir, sender=world.governance)
    (event,) = world.evm.events("TreasurySet")
    assert tuple(event.args.values()) == (world.governance, world.treasury, heir)
    shares = settle(world)
    world.factory.collect(world.pool)
    assert world.pool.balanceOf(heir) == shares
    world.token0.transfer(world.pool, 5, sender=world.whale)
    world.pool.skim()
    assert world.token0.balanceOf(heir) == 5


def test_constructor__announces_the_first_treasury() -> None:
    world = PoolWorld(Evm())
    factory = world.evm.deploy(
        "PoolFactory", world.authority, world.deployer, world.gate, world.treasury, 2_500
    )
    (event,) = world.evm.events("TreasurySet")
    assert tuple(event.args.values()) == (world.evm.default_sender, NOBODY, world.treasury)
    assert factory.treasury() == world.treasury
    assert factory.emergencyGate() == world.gate
    with reverts("ZeroAddress"):
        world.evm.deploy("PoolFactory", world.authority, world.deployer, world.gate, NOBODY, 0)


def test_constructor__largest_share__accepted_and_one_more_refused() -> None:
    world = PoolWorld(Evm())

    def deploy(bps: int) -> int:
        made = (world.authority, world.deployer, world.gate, world.treasury, bps)
        return int(world.evm.deploy("PoolFactory", *made).protocolShareBps())

    assert deploy(2_500) == 2_500
    with reverts("InvalidProtocolShare", 2_501):
        deploy(2_501)
