"""How far an exit reaches into the strategies, to the unit: limits and previews against exits."""

from __future__ import annotations

from tests.support.capital import DAY, World, build_world
from tests.support.evm import Address, Contract, Evm, reverts

SCALE = 10**6
UNIT = 10**18
BURN_GAS = 2
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
# Less than a strategy burns that is asked and burns all it may.
STINGY = 550_000


def lent(world: World, assets: int) -> Contract:
    strategy = world.add_strategy()
    world.lend(strategy, assets)
    return strategy


def burning(strategy: Contract) -> None:
    """Whoever asks what it is worth pays for it."""
    strategy.setFault(PREVIEW_REDEEM, BURN_GAS)


# ---- fractions


def test_max_redeem__a_fraction_of_a_unit_held__is_all_of_it(world: World, whale: Address) -> None:
    """Property: R3."""
    world.deposit(whale, 10)
    world.router.transfer(world.guardian, 5, sender=whale)
    assert world.router.maxRedeem(whale) == world.router.balanceOf(whale) == 10 * SCALE - 5
    assert world.router.maxWithdraw(whale) == 9
    assert world.router.withdraw(9, whale, whale, sender=whale) == 9 * SCALE


def test_max_redeem__just_what_a_fraction_needs_can_be_had__is_all_of_it(
    world: World, whale: Address
) -> None:
    """Property: R3. Nine and a fraction are held, nine lie idle, the tenth cannot be had."""
    world.deposit(whale, 10)
    lent(world, 1).setLimit(True, 0)
    world.router.transfer(world.guardian, 5, sender=whale)
    assert world.router.maxRedeem(whale) == world.router.balanceOf(whale)
    assert world.router.redeem(10 * SCALE - 5, whale, whale, sender=whale) == 9


def test_max__somebody_waits_and_much_is_free__is_no_more_than_is_held(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R3."""
    world.deposit(whale, 90)
    world.deposit(investor, 10)
    lent(world, 100)
    queue = world.evm.account("queue")
    world.router.setExitQueue(queue, sender=world.governance)
    world.router.setQueuedShares(20 * SCALE, sender=queue)
    assert world.router.maxWithdraw(investor) == 10
    assert world.router.maxRedeem(investor) == 10 * SCALE
    assert world.router.maxRedeem(whale) == 81 * SCALE - 1


def test_preview_redeem__price_does_not_divide__is_rounded_down(
    world: World, whale: Address
) -> None:
    world.deposit(whale, 10)
    assert world.router.previewRedeem(2 * SCALE - 1) == 1
    assert world.router.previewRedeem(2 * SCALE) == 2


def test_preview__beyond_what_strategies_can_pay__the_rest_counts_at_book_value(
    world: World, whale: Address
) -> None:
    """Five of ten are lost, and two can be had: for five of the debt, or four at the least."""
    world.deposit(whale, 10)
    strategy = lent(world, 10)
    strategy.lose(5)
    strategy.setLimit(True, 2)
    assert world.router.previewRedeem(10 * SCALE) == 2 + (10 - 5)
    assert world.router.previewWithdraw(7) == (4 + (7 - 2)) * SCALE


def test_preview__idle_is_just_enough__is_at_book_value(world: World, whale: Address) -> None:
    world.deposit(whale, 20)
    lent(world, 10).lose(5)
    assert world.router.previewRedeem(10 * SCALE) == 10
    assert world.router.previewRedeem(11 * SCALE) == 10
    assert world.router.previewWithdraw(10) == 10 * SCALE
    assert world.router.previewWithdraw(11) == 12 * SCALE


# ---- from one strategy to the next


def test_max_withdraw__first_strategy_lost__next_does_not_pay_for_it(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R3. Two assets take four of five; the fifth buys nothing of the second."""
    world.deposit(whale, 15)
    world.deposit(investor, 5)
    lent(world, 10).lose(5)
    lent(world, 10)
    assert world.router.maxWithdraw(investor) == 2
    with reverts("ERC20InsufficientBalance"):
        world.router.withdraw(3, investor, investor, sender=investor)
    assert world.router.withdraw(2, investor, investor, sender=investor) == 4 * SCALE


def test_max_withdraw__first_pays_all_it_can_for_less__next_pays_the_rest(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R3. Seven take the two that the first can pay, the eighth is the second's."""
    world.deposit(whale, 12)
    world.deposit(investor, 8)
    first = lent(world, 10)
    first.lose(7)
    first.setLimit(True, 2)
    lent(world, 10)
    assert world.router.maxWithdraw(investor) == 3
    assert world.router.withdraw(3, investor, investor, sender=investor) == 8 * SCALE


def test_max_redeem__two_strategies__both_count(world: World, whale: Address) -> None:
    """Property: R3."""
    world.deposit(whale, 30)
    for _ in range(2):
        lent(world, 10)
    last = lent(world, 10)
    last.setLimit(True, 0)
    most = world.router.maxRedeem(whale)
    assert most == 21 * SCALE - 1
    assert world.router.redeem(most, whale, whale, sender=whale) == 20


def test_preview__first_strategy_covers_just_that__the_next_is_not_asked(
    world: World, whale: Address
) -> None:
    world.deposit(whale, 20)
    lent(world, 10)
    burning(lent(world, 10))
    assert world.router.previewWithdraw(10, gas=STINGY) == 10 * SCALE
    assert world.router.previewRedeem(10 * SCALE, gas=STINGY) == 10


def test_preview__first_strategy_covers_more__the_next_is_not_asked(
    world: World, whale: Address
) -> None:
    world.deposit(whale, 20)
    lent(world, 10)
    burning(lent(world, 10))
    assert world.router.previewWithdraw(9, gas=STINGY) == 9 * SCALE
    assert world.router.previewRedeem(9 * SCALE, gas=STINGY) == 9


# ---- as far as the meter lets


def metered(allowed: int, whale: Address) -> tuple[World, int]:
    """A thousand units of one holder, and what the breaker lets out, near `allowed`."""
    world = build_world(Evm(), metered=True)
    assert world.breaker is not None
    world.deposit(whale, 1_000 * UNIT)
    terms = (2 * allowed, DAY, UNIT)
    world.breaker.setLimit(world.router, world.asset, *terms, sender=world.governance)
    return world, int(world.breaker.available(world.router, world.asset))


def redeems_to_the_last_share(world: World, holder: Address, paid: int) -> None:
    most = world.router.maxRedeem(holder)
    with world.evm.rollback(), reverts():
        world.router.redeem(most + 1, holder, holder, sender=holder)
    with world.evm.rollback():
        assert world.router.redeem(most, holder, holder, sender=holder) == paid


def test_max_redeem__idle_is_all_the_meter_lets__worthless_debt_goes_beside(
    whale: Address,
) -> None:
    """Property: R3. A tenth is left of the strategy: nine units of its debt pay nothing."""
    world, allowed = metered(100 * UNIT, whale)
    debt = 1_000 * UNIT - allowed
    lent(world, debt).lose(debt - debt // 10)
    redeems_to_the_last_share(world, whale, allowed)
    assert world.router.previewRedeem(world.router.maxRedeem(whale)) == allowed
    assert world.router.convertToAssets(world.router.maxRedeem(whale)) == allowed + 9


def test_max_redeem__first_strategy_is_worth_what_the_meter_lets__all_its_debt_goes(
    whale: Address,
) -> None:
    """Property: R3."""
    world, allowed = metered(100 * UNIT, whale)
    first = lent(world, 3 * allowed)
    first.lose(2 * allowed)
    lent(world, world.router.idle()).setLimit(True, 0)
    redeems_to_the_last_share(world, whale, allowed)
    assert world.router.convertToAssets(world.router.maxRedeem(whale)) == 3 * allowed


def test_max_redeem__first_strategy_is_worth_more_than_the_meter_lets__next_is_left_alone(
    whale: Address,
) -> None:
    """Property: R3. Not even for the worthless part of what the second one owes."""
    world, allowed = metered(100 * UNIT, whale)
    lent(world, 2 * allowed)
    rest = world.router.idle()
    lent(world, rest).lose(rest - rest // 10)
    redeems_to_the_last_share(world, whale, allowed)
    assert world.router.convertToAssets(world.router.maxRedeem(whale)) == allowed


def test_max__nothing_may_leave_by_the_meter__is_zero(whale: Address) -> None:
    """Property: R3."""
    world, allowed = metered(100 * UNIT, whale)
    world.router.withdraw(allowed, whale, whale, sender=whale)
    assert world.router.maxWithdraw(whale) == world.router.availableLiquidity() == 0
    assert world.router.convertToAssets(world.router.maxRedeem(whale)) == 0


# ---- under review


def under_review(world: World) -> Contract:
    """Ten were lent, five are lost, and the report would not book them."""
    strategy = world.add_strategy(loss_bps=100)
    world.lend(strategy, 10)
    strategy.lose(5)
    assert world.report(strategy) == (0, 0)
    return strategy


def test_exit__under_review__a_loss_of_one_counts_too(world: World, whale: Address) -> None:
    """Property: R5."""
    world.deposit(whale, 100)
    under_review(world)
    lent(world, 1).lose(1)
    assert world.router.previewRedeem(53 * SCALE) == 53 * (101 - 5 - 1) // 101 == 49
    assert world.router.redeem(53 * SCALE, whale, whale, sender=whale) == 49


def test_exit__under_review__who_owes_nothing_is_not_asked(world: World, whale: Address) -> None:
    world.deposit(whale, 100)
    under_review(world)
    burning(world.add_strategy())
    paid = 50 * (101 - 5) // 101
    assert world.router.redeem(50 * SCALE, whale, whale, sender=whale, gas=STINGY) == paid


def test_exit__under_review__strategies_pay_the_net_and_lose_its_cost(
    world: World, whale: Address
) -> None:
    """Property: R5. 96 of 101; ninety lie idle, and six take twelve of the strategy's debt."""
    world.deposit(whale, 100)
    strategy = under_review(world)
    assert world.router.previewRedeem(99 * SCALE) == 99 * 96 // 101 == 94
    assert world.router.maxWithdraw(whale) == 95
    assert world.router.previewWithdraw(94) == -(-94 * 101 * SCALE // 96)
    assert world.router.redeem(99 * SCALE, whale, whale, sender=whale) == 94
    assert (world.router.idle(), world.debt(strategy)) == (0, 2)
