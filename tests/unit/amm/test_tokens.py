"""Hostile and odd tokens: what arrives counts, and nothing gets in while a call runs."""

from __future__ import annotations

import pytest

from tests.models.guarded_pool import Config, State
from tests.support.amm import ANY_FEE, FOREVER, NEVER_ENDING, PoolWorld
from tests.support.evm import Address, Contract, Revert, reverts

UNIT = 10**18


def pool_of(world: PoolWorld, odd: Contract, owner: Address) -> tuple[Contract, bool]:
    """A pool of the odd token with a plain one, and whether selling the odd token is zeroForOne."""
    plain = world.token0
    for token in (odd, plain):
        token.mint(owner, 10**30)
        token.approve(world.factory, NEVER_ENDING, sender=owner)
    address, _ = world.factory.createPool(
        odd, plain, 10**24, 10**24, Config().as_tuple(), sender=owner
    )
    for token in (odd, plain):
        token.approve(address, NEVER_ENDING, sender=owner)
    world.mine(2)
    return world.evm.at("GuardedPool", address), int(odd.address, 16) < int(plain.address, 16)


def test_swap__token_starts_to_charge__pull_reverts(world: PoolWorld, trader: Address) -> None:
    token = world.evm.deploy("FeeToken", "Fee", "FEE", 18, 0)
    pool, side = pool_of(world, token, trader)
    token.setFee(10)
    with reverts("InsufficientPayment"):
        pool.swapExactIn(side, UNIT, 0, trader, ANY_FEE, FOREVER, sender=trader)
    with reverts("InsufficientPayment"):
        pool.mint(UNIT, UNIT, 0, FOREVER, sender=trader)
    quoted, _ = pool.quoteExactIn(side, UNIT * 999 // 1000)
    token.transfer(pool, UNIT, sender=trader)
    paid = pool.swapExactInPrepaid(side, 0, trader, ANY_FEE, FOREVER, sender=trader)
    assert paid == quoted, "prepaid counts what arrived"


def test_swap__token_rebases_down__cannot_be_sold_into_the_hole(
    world: PoolWorld, trader: Address
) -> None:
    token = world.evm.deploy("RebasingToken", "Rebase", "REB", 18)
    pool, side = pool_of(world, token, trader)
    token.rebase(99 * 10**16)
    with reverts("InsufficientPayment"):
        pool.swapExactIn(side, UNIT, 0, trader, ANY_FEE, FOREVER, sender=trader)
    token.transfer(pool, UNIT, sender=trader)
    with reverts("ZeroAmount"):
        pool.swapExactInPrepaid(side, 0, trader, ANY_FEE, FOREVER, sender=trader)


def test_swap__usdt_like_token__works(world: PoolWorld, trader: Address) -> None:
    token = world.evm.deploy("UsdtLikeToken", "Tether", "USDT", 6)
    pool, side = pool_of(world, token, trader)
    pool.swapExactIn(side, UNIT, 0, trader, ANY_FEE, FOREVER, sender=trader)
    pool.swapExactIn(not side, UNIT, 0, trader, ANY_FEE, FOREVER, sender=trader)


def test_swap__token_returns_false__reverts(world: PoolWorld, trader: Address) -> None:
    token = world.evm.deploy("FalseToken", "False", "FALSE", 18)
    pool, side = pool_of(world, token, trader)
    token.setRefuses(True)
    for direction in (side, not side):
        with reverts("SafeERC20FailedOperation", token.address):
            pool.swapExactIn(direction, UNIT, 0, trader, ANY_FEE, FOREVER, sender=trader)


def test_swap__token_gives_no_balance__reverts_with_its_reason(
    world: PoolWorld, trader: Address
) -> None:
    # PUSH1 42 PUSH0 MSTORE PUSH1 32 PUSH0 REVERT: a reason of one word.
    world.evm.etch(world.token0, bytes.fromhex("602a5f5260205ffd"))
    with pytest.raises(Revert) as refused:
        world.pool.swapExactInPrepaid(True, 0, trader, ANY_FEE, FOREVER, sender=trader)
    assert refused.value.data == (42).to_bytes(32, "big")
    # The same with a second word, 43: it does not fit where the balance is read to.
    world.evm.etch(world.token0, bytes.fromhex("602a5f52602b60205260405ffd"))
    with pytest.raises(Revert) as refused:
        world.pool.swapExactInPrepaid(True, 0, trader, ANY_FEE, FOREVER, sender=trader)
    assert refused.value.data == (42).to_bytes(32, "big") + (43).to_bytes(32, "big")
    # PUSH1 42 PUSH0 MSTORE PUSH1 31 PUSH0 RETURN: one byte less than an amount.
    world.evm.etch(world.token0, bytes.fromhex("602a5f52601f5ff3"))
    with pytest.raises(Revert):
        world.pool.swapExactInPrepaid(True, 0, trader, ANY_FEE, FOREVER, sender=trader)


REENTRIES = [
    ("swapExactIn", (True, UNIT, 0, "0x" + "11" * 20, ANY_FEE, FOREVER)),
    ("swapExactInPrepaid", (True, 0, "0x" + "11" * 20, ANY_FEE, FOREVER)),
    ("swapExactOut", (True, UNIT, UNIT * 9, "0x" + "11" * 20, ANY_FEE, FOREVER)),
    ("swapExactOutPrepaid", (True, UNIT, UNIT * 9, "0x" + "11" * 20, ANY_FEE, FOREVER)),
    ("mint", (UNIT, UNIT, 0, FOREVER)),
    ("mintPrepaid", (0, FOREVER)),
    ("burn", (UNIT, 0, 0, "0x" + "11" * 20, FOREVER)),
    ("transfer", ("0x" + "11" * 20, 0)),
    ("checkpoint", ()),
    ("skim", ()),
    ("increaseObservationCardinality", (9,)),
    ("getReserves", ()),
    ("guardPrices", ()),
    ("feePips", ()),
    ("quoteExactIn", (True, UNIT)),
    ("quoteExactOut", (True, UNIT)),
    ("quoteExactInNext", (True, UNIT, 2**33)),
    ("quoteExactOutNext", (True, UNIT, 2**33)),
    ("quoteMint", (UNIT, UNIT)),
    ("quoteBurn", (UNIT,)),
    ("observe", ([0],)),
    ("twap", (60,)),
]


@pytest.mark.parametrize(("method", "args"), REENTRIES, ids=[m for m, _ in REENTRIES])
@pytest.mark.parametrize("inward", [True, False], ids=["on_payment", "on_payout"])
def test_reentry__from_a_token__is_locked_out(
    world: PoolWorld, trader: Address, method: str, args: tuple[object, ...], inward: bool
) -> None:
    token = world.evm.deploy("ReentrantToken", "Re", "RE", 18)
    pool, side = pool_of(world, token, trader)
    token.arm(pool, pool.calldata(method, *args), True)
    with reverts("Locked"):
        pool.swapExactIn(
            side if inward else not side, UNIT, 0, trader, ANY_FEE, FOREVER, sender=trader
        )
    with reverts("Locked"):
        pool.burn(UNIT, 0, 0, trader, FOREVER, sender=trader)


def test_set_emergency_state__in_the_middle_of_a_trade__stays(
    world: PoolWorld, trader: Address
) -> None:
    """Property: S2."""
    token = world.evm.deploy("ReentrantToken", "Re", "RE", 18)
    plain = world.token0
    for t in (token, plain):
        t.mint(trader, 10**30)
    authority = world.authority
    factory = world.evm.deploy("PoolFactory", authority, world.deployer, token, world.treasury, 0)
    for t in (token, plain):
        t.approve(factory, NEVER_ENDING, sender=trader)
    address, _ = factory.createPool(
        token, plain, 10**24, 10**24, Config().as_tuple(), sender=trader
    )
    pool = world.evm.at("GuardedPool", address)
    side = int(token.address, 16) < int(plain.address, 16)
    token.approve(pool, NEVER_ENDING, sender=trader)
    token.arm(pool, pool.calldata("setEmergencyState", State.FROZEN), True)
    out = pool.swapExactIn(side, UNIT, 0, trader, ANY_FEE, FOREVER, sender=trader)
    assert pool.emergencyState() == State.FROZEN
    reserves = (10**24 + UNIT, 10**24 - out)
    assert tuple(pool.getReserves()) == (reserves if side else reserves[::-1])
