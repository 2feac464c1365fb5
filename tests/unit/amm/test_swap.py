"""Trades: payment, terms, guard, emergency states."""

from __future__ import annotations

import pytest

from tests.models.guarded_pool import State
from tests.support.amm import ANY_FEE, FOREVER, PoolWorld
from tests.support.evm import Address, reverts

UNIT = 10**18
SIDES = pytest.mark.parametrize("side", [True, False], ids=["sell0", "sell1"])


@SIDES
def test_swap_exact_in__pull__pays_what_was_quoted(
    world: PoolWorld, trader: Address, side: bool
) -> None:
    """Property: P5."""
    token_in, token_out = world.tokens if side else world.tokens[::-1]
    quoted, fee = world.pool.quoteExactIn(side, 50 * UNIT)
    before_in, before_out = token_in.balanceOf(trader), token_out.balanceOf(trader)
    world.pool.swapExactIn(side, 50 * UNIT, quoted, trader, fee, world.evm.timestamp, sender=trader)
    event = world.evm.events("Swap")[0]
    amounts = (50 * UNIT, -quoted) if side else (-quoted, 50 * UNIT)
    assert (event.args["amount0"], event.args["amount1"]) == amounts
    assert (event.args["sender"], event.args["to"]) == (trader, trader)
    assert event.args["feePips"] == fee
    assert token_in.balanceOf(trader) == before_in - 50 * UNIT
    assert token_out.balanceOf(trader) == before_out + quoted


@SIDES
def test_swap_exact_in_prepaid__pays_as_pull_does(
    world: PoolWorld, trader: Address, side: bool
) -> None:
    token = world.tokens[0 if side else 1]
    quoted, _ = world.pool.quoteExactIn(side, 50 * UNIT)
    token.transfer(world.pool, 50 * UNIT, sender=trader)
    paid = world.pool.swapExactInPrepaid(side, quoted, trader, ANY_FEE, FOREVER, sender=trader)
    assert paid == quoted


@SIDES
def test_swap_exact_out__pull__costs_what_was_quoted(
    world: PoolWorld, trader: Address, side: bool
) -> None:
    """Property: P5."""
    token_in, token_out = world.tokens if side else world.tokens[::-1]
    cost, _ = world.pool.quoteExactOut(side, 50 * UNIT)
    before_in, before_out = token_in.balanceOf(trader), token_out.balanceOf(trader)
    world.pool.swapExactOut(side, 50 * UNIT, cost, trader, ANY_FEE, FOREVER, sender=trader)
    assert token_in.balanceOf(trader) == before_in - cost
    assert token_out.balanceOf(trader) == before_out + 50 * UNIT


@SIDES
def test_swap_exact_out_prepaid__too_much_paid__rest_goes_back(
    world: PoolWorld, trader: Address, side: bool
) -> None:
    token_in = world.tokens[0 if side else 1]
    cost, _ = world.pool.quoteExactOut(side, 50 * UNIT)
    before = token_in.balanceOf(trader)
    token_in.transfer(world.pool, cost + 7, sender=trader)
    world.pool.swapExactOutPrepaid(side, 50 * UNIT, cost, trader, ANY_FEE, FOREVER, sender=trader)
    assert token_in.balanceOf(trader) == before - cost
    assert token_in.balanceOf(world.pool) == world.pool.getReserves()[0 if side else 1]


def test_swap_exact_out_prepaid__too_little_paid__reverts(
    world: PoolWorld, trader: Address
) -> None:
    cost, _ = world.pool.quoteExactOut(True, 50 * UNIT)
    world.token0.transfer(world.pool, cost - 1, sender=trader)
    with reverts("InsufficientPayment", world.token0.address, cost - 1, cost):
        world.pool.swapExactOutPrepaid(
            True, 50 * UNIT, cost, trader, ANY_FEE, FOREVER, sender=trader
        )


@SIDES
@pytest.mark.parametrize("exact_in", [True, False])
def test_quote_next__first_trade_of_the_next_block__is_exact(
    world: PoolWorld, trader: Address, side: bool, exact_in: bool
) -> None:
    """Property: P5."""
    world.mine()
    world.sell(trader, 10_000 * UNIT)
    name = "In" if exact_in else "Out"
    quoted = getattr(world.pool, f"quoteExact{name}Next")(side, UNIT, world.evm.timestamp + 12)
    world.mine(seconds=12)
    assert tuple(getattr(world.pool, f"quoteExact{name}")(side, UNIT)) == tuple(quoted)
    limit = 0 if exact_in else 2**255
    swap = getattr(world.pool, f"swapExact{name}")
    assert swap(side, UNIT, limit, trader, ANY_FEE, FOREVER, sender=trader) == quoted[0]


def test_swap__terms_not_met__reverts(world: PoolWorld, trader: Address) -> None:
    pool, now = world.pool, world.evm.timestamp
    out, fee = pool.quoteExactIn(True, UNIT)
    cost, _ = pool.quoteExactOut(True, UNIT)
    with reverts("InsufficientOutput", out, out + 1):
        pool.swapExactIn(True, UNIT, out + 1, trader, ANY_FEE, FOREVER, sender=trader)
    with reverts("ExcessiveInput", cost, cost - 1):
        pool.swapExactOut(True, UNIT, cost - 1, trader, ANY_FEE, FOREVER, sender=trader)
    for method, limit in (("swapExactIn", 0), ("swapExactOut", 2**255)):
        with reverts("FeeTooHigh", fee, fee - 1):
            getattr(pool, method)(True, UNIT, limit, trader, fee - 1, FOREVER, sender=trader)
        with reverts("Expired", now - 1):
            getattr(pool, method)(True, UNIT, limit, trader, ANY_FEE, now - 1, sender=trader)
    world.token0.transfer(pool, cost, sender=trader)
    for method, args in (("swapExactInPrepaid", (0,)), ("swapExactOutPrepaid", (UNIT, 2**255))):
        with reverts("FeeTooHigh", fee, fee - 1):
            getattr(pool, method)(True, *args, trader, fee - 1, FOREVER, sender=trader)
        with reverts("Expired", now - 1):
            getattr(pool, method)(True, *args, trader, ANY_FEE, now - 1, sender=trader)


def test_swap__nothing_or_too_much__reverts(world: PoolWorld, trader: Address) -> None:
    pool = world.pool
    reserve1 = pool.getReserves()[1]
    with reverts("ZeroAmount"):
        world.sell(trader, 0)
    with reverts("ReserveOverflow"):
        world.sell(trader, 2**112)
    with reverts("InsufficientLiquidity"):
        pool.swapExactOut(True, reserve1, 2**255, trader, ANY_FEE, FOREVER, sender=trader)
    with reverts("ZeroAmount"):
        pool.swapExactOut(True, 0, 2**255, trader, ANY_FEE, FOREVER, sender=trader)


def test_swap__opposite_after_a_push_in_the_same_block__gets_the_opening_price(
    world: PoolWorld, trader: Address, attacker: Address
) -> None:
    """Property: P1."""
    world.mine()
    opening = world.pool.getReserves()
    world.sell(attacker, 100_000 * UNIT, zero_for_one=False)
    out = world.sell(trader, UNIT)
    fee = world.pool.feePips()
    at_opening = UNIT * (10**6 - fee) // 10**6 * opening[1] // opening[0]
    spot = world.pool.getReserves()
    assert out <= at_opening < UNIT * spot[1] // spot[0]
    assert out >= at_opening * (10**12 - 1) // 10**12


@pytest.mark.parametrize("blocks_between", [0, 1])
def test_swap__sandwich_in_the_window__loses(
    world: PoolWorld, trader: Address, attacker: Address, blocks_between: int
) -> None:
    """Property: P3."""
    world.mine()
    before = [token.balanceOf(attacker) for token in world.tokens]
    bought = world.sell(attacker, 100_000 * UNIT, zero_for_one=False)
    world.sell(trader, 200_000 * UNIT, zero_for_one=False)
    if blocks_between:
        world.mine(blocks_between, seconds=12)
    world.sell(attacker, bought)
    after = [token.balanceOf(attacker) for token in world.tokens]
    assert after[0] == before[0]
    assert after[1] < before[1], "the sandwich paid"


def test_swap__throttled__surge_fee_and_size_cap(world: PoolWorld, trader: Address) -> None:
    world.pool.setEmergencyState(State.THROTTLED, sender=world.gate)
    assert world.pool.feePips() == world.config.max_fee
    cap = world.pool.getReserves()[1] // 100
    world.pool.swapExactOut(True, cap, 2**255, trader, ANY_FEE, FOREVER, sender=trader)
    assert world.evm.events("Swap")[0].args["feePips"] == world.config.max_fee
    cap = world.pool.getReserves()[1] // 100
    with reverts("SizeCapExceeded", cap + 1, cap):
        world.pool.swapExactOut(True, cap + 1, 2**255, trader, ANY_FEE, FOREVER, sender=trader)
    with reverts("SizeCapExceeded"):
        world.sell(trader, 50_000 * UNIT)


@pytest.mark.parametrize("state", [State.WITHDRAW_ONLY, State.FROZEN])
def test_swap__withdraw_only_or_worse__reverts(
    world: PoolWorld, trader: Address, state: State
) -> None:
    """Property: S2."""
    world.pool.setEmergencyState(state, sender=world.gate)
    with reverts("EmergencyStateForbids", state):
        world.sell(trader, UNIT)
    with reverts("EmergencyStateForbids", state):
        world.pool.mint(UNIT, UNIT, 0, FOREVER, sender=trader)
    with reverts("EmergencyStateForbids", state):
        world.pool.quoteExactIn(True, UNIT)
    with reverts("EmergencyStateForbids", state):
        world.pool.quoteExactOutNext(True, UNIT, world.evm.timestamp + 12)


def test_set_emergency_state__not_the_gate__reverts(world: PoolWorld, attacker: Address) -> None:
    with reverts("NotEmergencyGate", attacker):
        world.pool.setEmergencyState(State.FROZEN, sender=attacker)


def test_set_emergency_state__keeps_reserves_and_says_so(world: PoolWorld) -> None:
    reserves = tuple(world.pool.getReserves())
    world.pool.setEmergencyState(State.FROZEN, sender=world.gate)
    event = world.evm.events("EmergencyStateSet")[0]
    assert (event.args["previous"], event.args["current"]) == (State.NORMAL, State.FROZEN)
    assert world.pool.emergencyState() == State.FROZEN
    assert tuple(world.pool.getReserves()) == reserves
