"""A loss too large to be booked waits for governance: meanwhile every exit bears its part of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.capital import DAY, FROZEN, WITHDRAW_ONLY, World, build_world
from tests.support.evm import Address, Contract, Evm, Revert, reverts
from tests.support.flows import flows

UNIT = 10**18
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
JUNK, REVERT = 3, 1
FIRST_LOSS_BPS = 100


def under_review(
    world: World, stays: Address, leaves: Address, unit: int = UNIT, keep: int = 100
) -> Contract:
    """Each brought a hundred; a hundred, less what is kept beyond, is lent and half of it lost."""
    strategy = world.add_strategy(loss_bps=FIRST_LOSS_BPS)
    for holder in (stays, leaves):
        world.deposit(holder, 100 * unit)
    world.lend(strategy, (200 - keep) * unit)
    strategy.lose((200 - keep) * unit // 2)
    assert world.report(strategy) == (0, 0), "nothing is booked"
    assert world.state(strategy)[7], "under review"
    return strategy


def everything(world: World, strategy: Contract) -> int:
    """What there is, by tokens and not by the books."""
    return int(world.asset.balanceOf(world.router) + strategy.totalAssets())


def redeem(world: World, holder: Address, shares: int | None = None) -> int:
    held = world.router.balanceOf(holder) if shares is None else shares
    return int(world.router.redeem(held, holder, holder, sender=holder))


# ---- the attack


@pytest.mark.parametrize("decimals", [0, 6, 8, 18, 24])
@pytest.mark.parametrize("keep", [100, 20])
def test_attack__first_to_leave_in_a_large_loss__takes_no_more_than_his_part(
    decimals: int, keep: int
) -> None:
    """Property: R5, S5."""
    world, unit = build_world(Evm(), decimals=decimals), 10**decimals
    stays, leaves = world.evm.account("whale"), world.evm.account("attacker")
    strategy = under_review(world, stays, leaves, unit, keep)
    whole = everything(world, strategy)
    assert redeem(world, leaves) <= whole // 2
    assert everything(world, strategy) >= whole - whole // 2
    # Then governance lets the loss in, and the other one finds all of his part.
    world.set_health(strategy)
    world.report(strategy)
    world.router.closeReview(strategy, sender=world.governance)
    assert redeem(world, stays) >= whole // 2 - 3, "rounding by unit, not by part"


def test_attack__withdrawn_in_small_pieces__costs_no_less(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R2, R5. Each piece is rounded against the one who leaves."""
    strategy = under_review(world, whale, attacker)
    whole = everything(world, strategy)
    shares = world.router.balanceOf(attacker)
    taken = 0
    for piece in (1, 10**9, 7 * UNIT + 3, 30 * UNIT, 20 * UNIT):
        cost = world.router.previewWithdraw(piece)
        assert world.router.withdraw(piece, attacker, attacker, sender=attacker) == cost
        taken += piece
    spent = shares - world.router.balanceOf(attacker)
    price = (whole + 1, 2 * shares + 10**6)
    assert taken * price[1] <= price[0] * spent, "paid no more than the price after the loss"
    assert redeem(world, attacker) + taken <= whole // 2


def test_attack__exit_and_return_around_the_closing__gains_nothing(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R2."""
    strategy = under_review(world, whale, attacker)
    shares = world.router.balanceOf(attacker)
    paid = redeem(world, attacker)
    with reverts("OutOfBounds"):
        world.deposit(attacker, paid)
    world.set_health(strategy)
    world.report(strategy)
    world.router.closeReview(strategy, sender=world.governance)
    assert world.deposit(attacker, paid) <= shares


# ---- what opens and closes it


def test_report__loss_beyond_the_limit__closes_deposits_and_reprices_exits(
    world: World, whale: Address, investor: Address
) -> None:
    router = world.router
    strategy = under_review(world, whale, investor)
    assert router.maxDeposit(investor) == router.maxMint(investor) == 0
    with reverts("OutOfBounds", 1, 0):
        router.deposit(1, investor, sender=investor)
    with reverts("OutOfBounds"):
        router.mint(10**6, investor, sender=investor)
    assert router.totalAssets() == 200 * UNIT, "the books wait"
    held = router.balanceOf(whale)
    assert router.previewRedeem(held) == held * router.sharePriceWad() // 10**24
    assert 75 * UNIT - 2 <= router.previewRedeem(held) <= 75 * UNIT
    strategy.gain(60 * UNIT)
    assert router.previewRedeem(held) == router.convertToAssets(held), "made good, no more loss"
    assert router.maxDeposit(investor) == 0, "no report has seen it yet"
    world.report(strategy)
    assert router.maxDeposit(investor) > 0
    assert world.state(strategy)[7], "governance has not looked yet: no new capital"


def test_report__gain_beyond_the_limit__leaves_deposits_and_exits_alone(
    world: World, whale: Address, investor: Address
) -> None:
    strategy = world.add_strategy(gain_bps=100)
    shares = world.deposit(whale, 100 * UNIT)
    world.lend(strategy, 50 * UNIT)
    strategy.gain(10 * UNIT)
    assert world.report(strategy) == (0, 0)
    world.deposit(investor, UNIT)
    strategy.lose(30 * UNIT)
    assert world.router.previewRedeem(shares // 4) == 25 * UNIT, "idle pays book value"


def test_close_review__loss_not_booked_yet__nobody_leaves_at_par(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R5. Between the review's end and the next report, too."""
    strategy = under_review(world, whale, attacker)
    whole = everything(world, strategy)
    world.set_health(strategy)
    world.router.closeReview(strategy, sender=world.governance)
    assert world.router.maxDeposit(attacker) == 0
    assert redeem(world, attacker) <= whole // 2
    world.report(strategy)
    assert world.router.maxDeposit(attacker) > 0


def test_report__loss_of_another_is_open__changes_nothing(
    world: World, whale: Address, investor: Address
) -> None:
    router = world.router
    first = under_review(world, whale, investor)
    second = world.add_strategy(loss_bps=FIRST_LOSS_BPS)
    world.lend(second, 40 * UNIT)
    second.lose(4 * UNIT)
    assert world.report(second) == (0, 0)
    world.set_health(first)
    world.report(first)
    assert router.maxDeposit(investor) == 0
    before = router.previewRedeem(10**24)
    assert before < router.convertToAssets(10**24)
    world.set_health(second)
    world.report(second)
    assert router.maxDeposit(investor) > 0
    assert router.previewRedeem(10**24) == router.convertToAssets(10**24)


@pytest.mark.parametrize("way", ["report and close", "write off"])
def test_review__ended__books_hold_the_price_that_exits_had(
    world: World, whale: Address, investor: Address, way: str
) -> None:
    """Property: R5."""
    router, governance = world.router, world.governance
    strategy = under_review(world, whale, investor)
    held = router.balanceOf(whale)
    paid = router.previewRedeem(held)
    if way == "write off":
        router.removeStrategy(strategy, True, sender=governance)
        assert router.previewRedeem(held) == 50 * UNIT, "what was left there is given up"
    else:
        world.set_health(strategy)
        world.report(strategy)
        router.closeReview(strategy, sender=governance)
        assert router.convertToAssets(held) == paid
    world.deposit(investor, UNIT)


def test_report__frozen__exits_open_again_at_the_price_after_the_loss(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R5, S2."""
    strategy = world.add_strategy(loss_bps=FIRST_LOSS_BPS)
    for holder in (whale, attacker):
        world.deposit(holder, 100 * UNIT)
    world.lend(strategy, 100 * UNIT)
    strategy.lose(50 * UNIT)
    world.set_state(FROZEN)
    assert world.report(strategy) == (0, 0)
    assert world.router.maxRedeem(attacker) == 0
    world.set_state(WITHDRAW_ONLY)
    assert redeem(world, attacker) <= 75 * UNIT


# ---- every way out


def test_redeem__through_strategies__pays_the_part_whoever_pays(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R5. A sound strategy that pays first gives no more than the lossy one."""
    router = world.router
    lossy = under_review(world, whale, investor)
    sound = world.add_strategy()
    world.lend(sound, 100 * UNIT)
    held = router.balanceOf(investor)
    paid = router.previewRedeem(held)
    for order in ((lossy, sound), (sound, lossy)):
        with world.evm.rollback():
            router.setExitOrder([s.address for s in order], sender=world.governance)
            assert redeem(world, investor) == paid
            assert router.totalDebt() == sum(world.debt(s) for s in order)
        with world.evm.rollback():
            named = [s.address for s in order]
            assert router.redeem(held, investor, investor, paid, named, sender=investor) == paid
    with reverts("SlippageExceeded"):
        router.redeem(held, investor, investor, paid + 1, sender=investor)


def test_redeem_in_kind__under_review__is_pro_rata_as_ever(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R9."""
    strategy = under_review(world, whale, investor)
    held = world.router.balanceOf(investor)
    assets, _, parts = world.router.redeemInKind(held, investor, investor, sender=investor)
    value = assets + strategy.previewRedeem(parts[0])
    assert 75 * UNIT - 3 <= value <= 75 * UNIT


@pytest.mark.parametrize("fault", [REVERT, JUNK])
def test_exit__strategy_cannot_be_read__counts_at_book_value(
    world: World, whale: Address, investor: Address, fault: int
) -> None:
    """As in the breaker's view, and its assets cannot be taken; a second loss still counts."""
    router = world.router
    strategy = under_review(world, whale, investor)
    other = world.add_strategy()
    world.lend(other, 20 * UNIT)
    other.lose(10 * UNIT)
    strategy.setFault(PREVIEW_REDEEM, fault)
    held = router.balanceOf(investor)
    assert 95 * UNIT - 2 <= router.previewRedeem(held) <= 95 * UNIT
    assert router.maxWithdraw(investor) == 90 * UNIT, "all that can be taken"
    with reverts("InsufficientLiquidity"):
        redeem(world, investor)


def test_exit__strategy_says_it_is_worth_more__pays_no_more_than_book_value(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R2."""
    strategy = under_review(world, whale, investor)
    strategy.gain(500 * UNIT)
    assert redeem(world, investor) == 100 * UNIT


def test_process__under_review__pays_who_waited_as_who_leaves_at_once() -> None:
    """Property: R7, S5."""
    world = flows(Evm())
    plane = world.capital
    waits, leaves = world.invest("investor", 100 * UNIT), world.invest("attacker", 100 * UNIT)
    strategy = plane.add_strategy(loss_bps=FIRST_LOSS_BPS)
    plane.lend(strategy, 100 * UNIT)
    shares = world.router.balanceOf(waits)
    world.queue.requestRedeem(shares, waits, waits, sender=waits)
    strategy.lose(50 * UNIT)
    plane.report(strategy)
    assert world.router.maxRedeem(leaves) > 0
    most = world.router.maxWithdraw(leaves)
    _, paid = world.queue.process(10)
    assert 75 * UNIT - 2 <= paid <= 75 * UNIT
    assert most <= world.router.maxWithdraw(leaves) + 2, "what waits was not for the taking"
    assert plane.router.redeem(shares, leaves, leaves, sender=leaves) <= 75 * UNIT


# ---- limits


def dry(_: World, strategy: Contract) -> None:
    strategy.setLimit(True, 5 * UNIT)


def queued(world: World, _: Contract) -> None:
    queue = world.evm.account("queue")
    world.router.setExitQueue(queue, sender=world.governance)
    holder = world.evm.account("whale")
    world.router.transfer(queue, 60 * 10**24, sender=holder)
    world.router.setQueuedShares(60 * 10**24, sender=queue)


def metered(world: World, _: Contract) -> None:
    assert world.breaker is not None
    terms = (60 * UNIT, DAY, UNIT)
    world.breaker.setLimit(world.router, world.asset, *terms, sender=world.governance)


def lent(world: World, _: Contract) -> None:
    sound = world.add_strategy()
    world.lend(sound, world.router.idle() - 3)
    dry(world, sound)


@pytest.mark.parametrize("trouble", [None, dry, queued, metered, lent])
def test_max__under_review__succeeds_and_one_more_fails(
    trouble: Callable[[World, Contract], None] | None,
) -> None:
    """Property: R3."""
    world = build_world(Evm(), metered=True)
    whale, investor = world.evm.account("whale"), world.evm.account("investor")
    strategy = under_review(world, whale, investor, keep=30)
    if trouble is not None:
        trouble(world, strategy)
    router = world.router
    calls: tuple[tuple[int, Callable[[int], object]], ...] = (
        (
            router.maxRedeem(investor),
            lambda n: router.redeem(n, investor, investor, sender=investor),
        ),
        (
            router.maxWithdraw(investor),
            lambda n: router.withdraw(n, investor, investor, sender=investor),
        ),
    )
    for limit, call in calls:
        assert limit > 0
        with world.evm.rollback():
            call(limit)
        with world.evm.rollback(), pytest.raises(Revert):
            call(limit + 1)
    assert router.availableLiquidity() >= router.maxWithdraw(investor)
