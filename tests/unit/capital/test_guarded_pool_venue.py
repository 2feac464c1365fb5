"""The venue over guarded pools: pays the pool's price, measures what it gave, keeps nothing."""

from __future__ import annotations

from functools import cache

import pytest

from tests.models.guarded_pool import Config
from tests.support.amm import NEVER_ENDING, PoolWorld
from tests.support.evm import Address, Contract, Evm, reverts

UNIT = 10**18


@cache
def _world() -> tuple[PoolWorld, Contract, int]:
    world = PoolWorld(Evm())
    venue = world.evm.deploy("GuardedPoolVenue", world.authority)
    venue.setPool(world.pool, sender=world.governance)
    for token in world.tokens:
        token.approve(venue, NEVER_ENDING, sender=world.evm.account("trader"))
    return world, venue, world.evm.snapshot()


@pytest.fixture
def world() -> PoolWorld:
    world, _, mark = _world()
    world.evm.restore(mark)
    return world


@pytest.fixture
def venue(world: PoolWorld) -> Contract:
    _, venue, _ = _world()
    assert venue.poolOf(*world.tokens) == world.pool.address
    return venue


@pytest.fixture
def seller(world: PoolWorld) -> Address:
    return world.evm.account("trader")


@pytest.fixture
def receiver(world: PoolWorld) -> Address:
    return world.evm.account("receiver")


def charging_pool(world: PoolWorld, venue: Contract, seller: Address) -> Contract:
    """A token that charges from now on; the venue sells it, and for it, in a pool with token0."""
    odd, plain = world.evm.deploy("FeeToken", "Fee", "FEE", 18, 0), world.token0
    odd.mint(seller, 2**105)
    for token in (odd, plain):
        token.approve(world.factory, NEVER_ENDING, sender=seller)
        token.approve(venue, NEVER_ENDING, sender=seller)
    depths = (10**24, 10**24)
    pool, _ = world.factory.createPool(odd, plain, *depths, Config().as_tuple(), sender=seller)
    venue.setPool(pool, sender=world.governance)
    odd.setFee(10)
    return odd


@pytest.mark.parametrize("side", [True, False])
def test_sell__either_direction__pays_the_pools_price_and_keeps_nothing(
    world: PoolWorld, venue: Contract, seller: Address, receiver: Address, side: bool
) -> None:
    sold, bought = world.tokens if side else world.tokens[::-1]
    quoted, _ = world.pool.quoteExactIn(side, 100 * UNIT)
    held = sold.balanceOf(seller)
    assert venue.sell(sold, bought, 100 * UNIT, quoted, receiver, sender=seller) == quoted
    event = next(e for e in world.evm.events("Sold") if e.address == venue.address)
    assert event.args == {
        "seller": seller,
        "tokenIn": sold.address,
        "tokenOut": bought.address,
        "amountIn": 100 * UNIT,
        "amountOut": quoted,
        "receiver": receiver,
    }
    assert (held - sold.balanceOf(seller), bought.balanceOf(receiver)) == (100 * UNIT, quoted)
    for token in world.tokens:
        assert token.balanceOf(venue) == token.allowance(venue, world.pool) == 0


def test_sell__by_a_contract__its_own_tokens_go_and_it_is_named_as_the_seller(
    world: PoolWorld, venue: Contract, seller: Address, receiver: Address
) -> None:
    """Who signed the transaction has no part in it: he allowed the venue as much."""
    relay = world.evm.deploy("Relay")
    sold, bought = world.tokens
    sold.transfer(relay, UNIT, sender=seller)
    held = sold.balanceOf(seller)
    relay.forward(sold, sold.calldata("approve", venue, UNIT), sender=seller)
    quoted, _ = world.pool.quoteExactIn(True, UNIT)
    data = venue.calldata("sell", sold, bought, UNIT, quoted, receiver)
    relay.forward(venue, data, sender=seller)
    event = next(e for e in world.evm.events("Sold") if e.address == venue.address)
    assert event["seller"] == relay.address
    assert (sold.balanceOf(relay), sold.balanceOf(seller)) == (0, held)
    assert bought.balanceOf(receiver) == quoted


def test_sell__below_the_minimum__reverts(
    world: PoolWorld, venue: Contract, seller: Address
) -> None:
    quoted, _ = world.pool.quoteExactIn(True, UNIT)
    with reverts("InsufficientOutput", quoted, quoted + 1):
        venue.sell(*world.tokens, UNIT, quoted + 1, seller, sender=seller)


def test_sell__tokens_of_somebody_else_lie_there__are_not_sold(
    world: PoolWorld, venue: Contract, seller: Address, receiver: Address
) -> None:
    world.token0.transfer(venue, 7 * UNIT, sender=world.whale)
    quoted, _ = world.pool.quoteExactIn(True, UNIT)
    assert venue.sell(*world.tokens, UNIT, 0, receiver, sender=seller) == quoted
    assert world.token0.balanceOf(venue) == 7 * UNIT
    with reverts("ERC20InsufficientAllowance"):
        venue.sell(*world.tokens, UNIT, 0, receiver, sender=world.evm.account("attacker"))


def test_sell__output_charges_on_its_way__what_arrived_is_measured(
    world: PoolWorld, venue: Contract, seller: Address, receiver: Address
) -> None:
    odd = charging_pool(world, venue, seller)
    pool = world.evm.at("GuardedPool", venue.poolOf(odd, world.token0))
    side = int(world.token0.address, 16) < int(odd.address, 16)
    quoted, _ = pool.quoteExactIn(side, UNIT)
    arrives = quoted - quoted * 10 // 10_000
    with reverts("Underpaid", arrives, quoted):
        venue.sell(world.token0, odd, UNIT, quoted, receiver, sender=seller)
    assert venue.sell(world.token0, odd, UNIT, arrives, receiver, sender=seller) == arrives
    assert odd.balanceOf(receiver) == arrives


def test_sell__input_charges_on_its_way__refused(
    world: PoolWorld, venue: Contract, seller: Address
) -> None:
    odd = charging_pool(world, venue, seller)
    with reverts("InsufficientPayment"):
        venue.sell(odd, world.token0, UNIT, 0, seller, sender=seller)


def test_pair__set_and_closed__by_governance_only(
    world: PoolWorld, venue: Contract, seller: Address
) -> None:
    governance, pair = world.governance, [token.address for token in world.tokens]
    assert venue.poolOf(*pair) == venue.poolOf(*pair[::-1]) == world.pool.address
    with reverts("AccessManagedUnauthorized", seller):
        venue.setPool(world.pool, sender=seller)
    with reverts("AccessManagedUnauthorized", seller):
        venue.closePair(*pair, sender=seller)
    venue.closePair(*pair[::-1], sender=governance)
    (event,) = world.evm.events("PoolSet")
    assert tuple(event.args.values()) == (governance, *pair, "0x" + "00" * 20)
    with reverts("NoPool", *pair):
        venue.sell(*pair, UNIT, 0, seller, sender=seller)
    venue.setPool(world.pool, sender=governance)
    (event,) = world.evm.events("PoolSet")
    assert tuple(event.args.values()) == (governance, *pair, world.pool.address)
    assert venue.sell(*pair, UNIT, 0, seller, sender=seller) > 0


def test_sell__pool_is_withdraw_only__reverts(
    world: PoolWorld, venue: Contract, seller: Address
) -> None:
    world.pool.setEmergencyState(2, sender=world.gate)
    with reverts("EmergencyStateForbids"):
        venue.sell(*world.tokens, UNIT, 0, seller, sender=seller)


def test_sell__the_receiver_holds_some_already__only_what_came_counts(
    world: PoolWorld, venue: Contract, seller: Address, receiver: Address
) -> None:
    quoted, _ = world.pool.quoteExactIn(True, UNIT)
    world.token1.transfer(receiver, 7 * UNIT, sender=world.whale)
    assert venue.sell(*world.tokens, UNIT, quoted, receiver, sender=seller) == quoted
    assert world.token1.balanceOf(receiver) == 7 * UNIT + quoted
