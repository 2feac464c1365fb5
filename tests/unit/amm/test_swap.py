"""Trades: payment, terms, guard, emergency states."""

from __future__ import annotations

from typing import Any

import pytest

from tests.models.guarded_pool import Config, Rejected, State
from tests.support.amm import ANY_FEE, FOREVER, PoolWorld
from tests.support.evm import Address, Evm, reverts

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


def test_swap__price_at_the_far_end_of_the_floats__as_the_model() -> None:
    """A price of 2^-98 token1 per token0, then as much token1 as the pool can hold."""
    world = PoolWorld(Evm(), Config(min_fee=0, max_fee=0), (2**111, 10_000), (18, 0))
    pool, model = world.pool, world.model
    trader = world.evm.account("trader")
    world.mine()
    world.assert_equals_model()
    # What the guard allows for so much is more than a word holds: the curve decides.
    amount = 2**111
    out = model.swap_exact_in(False, amount)
    assert world.sell(trader, amount, zero_for_one=False) == out
    world.mine()
    pool.checkpoint()
    model.checkpoint()
    world.assert_equals_model()
    # The price of before is a bound of this block too: so much would cost more than any reserve.
    for part in (1, 2**80, 2**100, 2**107, 2**110):
        try:
            expected: Any = model.quote_exact_out(True, part)
        except Rejected as error:
            with reverts(error.name):
                pool.quoteExactOut(True, part)
            continue
        assert tuple(pool.quoteExactOut(True, part)) == expected
    with reverts("ReserveOverflow"):
        pool.quoteExactOut(True, 2**110)


SWAPS = ["swapExactIn", "swapExactInPrepaid", "swapExactOut", "swapExactOutPrepaid"]


def order(
    world: PoolWorld, method: str, trader: Address, **changed: int
) -> tuple[tuple[Any, ...], int, int]:
    """Arguments of a swap of one unit at exactly its terms, what it is quoted, and the fee.

    A prepaid one is paid for. `changed` moves the limit, the highest fee or the deadline.
    """
    exact_in = method.startswith("swapExactIn")
    quoted, fee = getattr(world.pool, "quoteExactIn" if exact_in else "quoteExactOut")(True, UNIT)
    if method.endswith("Prepaid"):
        world.token0.transfer(world.pool, UNIT if exact_in else quoted, sender=trader)
    sizes = () if method == "swapExactInPrepaid" else (UNIT,)
    limit, max_fee = quoted + changed.get("limit", 0), fee + changed.get("max_fee", 0)
    deadline = world.evm.timestamp + changed.get("deadline", 0)
    return (True, *sizes, limit, trader, max_fee, deadline), int(quoted), int(fee)


@pytest.mark.parametrize("method", SWAPS)
def test_swap__exactly_at_its_terms__executes(
    world: PoolWorld, trader: Address, method: str
) -> None:
    """Property: P5."""
    args, quoted, _ = order(world, method, trader)
    assert getattr(world.pool, method)(*args, sender=trader) == quoted


@pytest.mark.parametrize("method", SWAPS)
def test_swap__a_term_not_met__reverts(world: PoolWorld, trader: Address, method: str) -> None:
    swap, exact_in = getattr(world.pool, method), method.startswith("swapExactIn")
    step = 1 if exact_in else -1
    args, quoted, fee = order(world, method, trader, limit=step)
    error = "InsufficientOutput" if exact_in else "ExcessiveInput"
    with reverts(error, quoted, quoted + step):
        swap(*args, sender=trader)
    world.pool.skim()
    args, _, fee = order(world, method, trader, max_fee=-1)
    with reverts("FeeTooHigh", fee, fee - 1):
        swap(*args, sender=trader)
    world.pool.skim()
    args, _, _ = order(world, method, trader, deadline=-1)
    with reverts("Expired", world.evm.timestamp - 1):
        swap(*args, sender=trader)


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


@pytest.mark.parametrize("method", SWAPS)
def test_swap__throttled__every_entry_charges_and_caps(
    world: PoolWorld, trader: Address, method: str
) -> None:
    world.pool.setEmergencyState(State.THROTTLED, sender=world.gate)
    args, _, fee = order(world, method, trader)
    assert fee == world.config.max_fee
    getattr(world.pool, method)(*args, sender=trader)
    assert world.evm.events("Swap")[0].args["feePips"] == fee
    amount = world.pool.getReserves()[1] // 50
    world.token0.transfer(world.pool, amount, sender=trader)
    size = () if method == "swapExactInPrepaid" else (amount,)
    limit = 0 if method.startswith("swapExactIn") else 2**255
    with reverts("SizeCapExceeded"):
        getattr(world.pool, method)(True, *size, limit, trader, ANY_FEE, FOREVER, sender=trader)


@pytest.mark.parametrize("state", [State.WITHDRAW_ONLY, State.FROZEN])
def test_swap__withdraw_only_or_worse__reverts(
    world: PoolWorld, trader: Address, state: State
) -> None:
    """Property: S2."""
    orders = {method: order(world, method, trader)[0] for method in SWAPS}
    later = world.evm.timestamp + 12
    world.pool.setEmergencyState(state, sender=world.gate)
    for method, args in (
        *orders.items(),
        ("mint", (UNIT, UNIT, 0, FOREVER)),
        ("mintPrepaid", (0, FOREVER)),
        ("skim", ()),
    ):
        with reverts("EmergencyStateForbids", state):
            getattr(world.pool, method)(*args, sender=trader)
    for method, args in (
        ("quoteExactIn", (True, UNIT)),
        ("quoteExactOut", (True, UNIT)),
        ("quoteExactInNext", (True, UNIT, later)),
        ("quoteExactOutNext", (True, UNIT, later)),
        ("quoteMint", (UNIT, UNIT)),
    ):
        with reverts("EmergencyStateForbids", state):
            getattr(world.pool, method)(*args)


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
