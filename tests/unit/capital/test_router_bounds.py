"""Where the router's words, budgets and reads end, and strategies that pay or burn oddly."""

from __future__ import annotations

from tests.support.capital import (
    BPS,
    DAY,
    MAX_112,
    MAX_128,
    ZERO,
    World,
    build_world,
)
from tests.support.evm import Address, Contract, Evm, reverts

UNIT = 10**18
REVERT, JUNK = 1, 3
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
WITHDRAW = bytes.fromhex("b460af94")
MAX_RATE = 2**104 - 1


def lent(world: World, holder: Address, assets: int, kind: str = "StrategyDouble") -> Contract:
    strategy = world.add_strategy(kind)
    world.deposit(holder, assets)
    world.lend(strategy, assets)
    return strategy


# ---- the last unit


def test_max_deposit__room_buys_no_share__is_zero(world: World, whale: Address) -> None:
    """Property: R3. Nobody is told that he may pay in what would buy him nothing."""
    router = world.router
    router.setProfitUnlockTime(0, sender=world.governance)
    strategy = lent(world, whale, 10)
    strategy.gain(10**9)
    world.report(strategy)
    least = router.previewMint(1)
    assert least > 2 and router.previewDeposit(least) == 1 > router.previewDeposit(least - 1)
    total = router.totalAssets()
    world.fund(whale, 2 * least)
    router.lowerDepositCap(total + least, sender=world.guardian)
    assert router.maxDeposit(whale) == least
    with world.evm.rollback():
        assert router.deposit(least, whale, sender=whale) == 1
    with reverts("OutOfBounds", least + 1, least):
        router.deposit(least + 1, whale, sender=whale)
    router.lowerDepositCap(total + least - 1, sender=world.guardian)
    assert router.maxDeposit(whale) == router.maxMint(whale) == 0


def test_max_redeem__what_is_found_is_less__is_the_most_to_the_last_share(
    world: World, whale: Address
) -> None:
    """Property: R3. Six assets behind eleven million shares, one of them at hand."""
    strategy = lent(world, whale, 9)
    world.deposit(whale, 1)
    strategy.lose(4)
    world.report(strategy)
    strategy.setLimit(True, 0)
    router = world.router
    total1, supply1 = router.totalAssets() + 1, router.totalSupply() + 10**6
    assert (router.idle(), (2 * supply1 - 1) % total1) == (1, 0), "two assets are one share more"
    most = (2 * supply1 - 1) // total1
    assert router.maxRedeem(whale) == most < router.balanceOf(whale)
    assert [router.convertToAssets(most + n) for n in (0, 1)] == [1, 2]
    with world.evm.rollback(), reverts():
        router.redeem(most + 1, whale, whale, sender=whale)
    assert router.redeem(most, whale, whale, sender=whale) == 1


def test_max_withdraw__a_strategy_pays_a_single_unit__it_counts(
    world: World, whale: Address
) -> None:
    """Property: R3."""
    first = lent(world, whale, 100)
    second = lent(world, whale, 100)
    router = world.router
    for strategy, limit in ((first, 1), (second, 7)):
        strategy.setLimit(True, limit)
    assert router.idle() == 0
    assert router.maxWithdraw(whale) == router.availableLiquidity() == 8
    with reverts("InsufficientLiquidity"):
        router.withdraw(9, whale, whale, sender=whale)
    assert router.withdraw(8, whale, whale, sender=whale) > 0
    assert (world.debt(first), world.debt(second)) == (99, 93)
    first.setLimit(True, 0)
    second.setLimit(True, 0)
    assert router.maxWithdraw(whale) == 0


# ---- words


def test_set_queued_shares__beyond_the_supplys_bits__reverts(world: World) -> None:
    queue = world.evm.account("queue")
    world.router.setExitQueue(queue, sender=world.governance)
    with reverts("OutOfBounds", MAX_128 + 1, MAX_128):
        world.router.setQueuedShares(MAX_128 + 1, sender=queue)
    world.router.setQueuedShares(MAX_128, sender=queue)
    assert world.router.queuedShares() == MAX_128


def test_report__gain_beyond_the_debts_bits__reverts_and_changes_nothing(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10**30)
    strategy.gain(2**112)
    with reverts("OutOfBounds"):
        world.report(strategy)
    assert world.debt(strategy) == 10**30


def test_report__debt_fills_its_bits__is_kept_and_one_more_is_refused(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10**30)
    shares = strategy.balanceOf(world.router)
    # The double has one virtual share and asset.
    whole = -(-MAX_112 * (shares + 1) // shares) - 1
    strategy.gain(whole - 10**30)
    assert strategy.previewRedeem(shares) == MAX_112
    with world.evm.rollback():
        strategy.gain(1)
        assert strategy.previewRedeem(shares) == MAX_112 + 1
        with reverts("OutOfBounds", MAX_112 + 1, MAX_112):
            world.report(strategy)
    assert world.report(strategy) == (MAX_112 - 10**30, 0)
    assert world.debt(strategy) == MAX_112 == world.router.totalAssets()


def test_receive_yield__beyond_idles_bits__reverts(world: World, whale: Address) -> None:
    strategy = lent(world, whale, UNIT)
    world.fund(world.harvester, 2**112)
    with reverts("OutOfBounds"):
        world.router.receiveYield(strategy, 2**112, sender=world.harvester)


def test_report__supply_almost_full__locks_what_still_fits(world: World, whale: Address) -> None:
    """Property: R5. The price never falls for it; the shares that do not fit are not made."""
    most = world.router.maxDeposit(whale)
    strategy = lent(world, whale, most)
    price = world.router.sharePriceWad()
    strategy.gain(most // 2)
    world.report(strategy)
    assert world.router.lockedShares() <= MAX_128 - world.router.balanceOf(whale)
    assert world.router.totalSupply() <= MAX_128
    assert world.router.sharePriceWad() >= price


def test_report__unlocking_in_a_second__rate_is_what_its_bits_hold(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10**27)
    world.router.setProfitUnlockTime(1, sender=world.governance)
    strategy.gain(10**27)
    world.report(strategy)
    assert world.router.lockedShares() == MAX_RATE
    world.evm.mine(1, 1)
    assert world.router.lockedShares() == 0


# ---- reads that fail


def test_share_price__strategy_answers_too_little__counts_at_book_value(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, UNIT)
    price = world.router.sharePriceWad()
    world.add_strategy()
    strategy.lose(UNIT // 2)
    assert world.router.sharePriceWad() < price
    world.evm.etch(strategy, "JunkReturner")
    assert world.router.sharePriceWad() == price, "four bytes are no amount"


def test_max__breaker_cannot_say__all_may_leave_and_the_router_says_unmetered(
    whale: Address,
) -> None:
    """Property: R3, R9."""
    world = build_world(Evm(), metered=True)
    shares = world.deposit(whale, 100)
    world.evm.etch(world.breaker, "Reverter")
    assert world.router.maxRedeem(whale) == shares
    assert world.router.maxWithdraw(whale) == world.router.availableLiquidity() == 100
    assert world.router.redeem(shares, whale, whale, sender=whale) == 100
    assert [event["assets"] for event in world.evm.events("Unmetered")] == [100]


def test_max__breaker_allows_less_than_idle__that_much_leaves(whale: Address) -> None:
    """Property: R3."""
    world = build_world(Evm(), metered=True)
    assert world.breaker is not None
    world.deposit(whale, 1_000 * UNIT)
    terms = (100 * UNIT, DAY, UNIT)
    world.breaker.setLimit(world.router, world.asset, *terms, sender=world.governance)
    most = world.router.maxWithdraw(whale)
    assert 50 * UNIT <= most < 1_000 * UNIT
    with world.evm.rollback(), reverts():
        world.router.withdraw(most + 1, whale, whale, sender=whale)
    world.router.withdraw(most, whale, whale, sender=whale)


def test_redeem_in_kind__metered_shares__no_more_than_their_limit(whale: Address) -> None:
    """Property: S1."""
    world = build_world(Evm(), metered=True)
    assert world.breaker is not None
    strategy = lent(world, whale, 1_000 * UNIT)
    shares = world.router.balanceOf(whale)
    terms = (600 * UNIT, DAY, UNIT)
    world.breaker.setLimit(world.router, strategy, *terms, sender=world.governance)
    allowed = world.breaker.available(world.router, strategy)
    assert allowed == 300 * UNIT
    with reverts("OutflowLimitExceeded"):
        world.router.redeemInKind(shares * 31 // 100, whale, whale, sender=whale)
    world.router.redeemInKind(shares * 29 // 100, whale, whale, sender=whale)
    assert world.breaker.available(world.router, strategy) == allowed - strategy.balanceOf(whale)


# ---- exits


def test_exit__to_nobody__reverts(world: World, whale: Address) -> None:
    shares = world.deposit(whale, 100)
    with reverts("ZeroAddress"):
        world.router.redeem(shares, ZERO, whale, sender=whale)
    with reverts("ZeroAddress"):
        world.router.withdraw(1, ZERO, whale, sender=whale)
    with reverts("ZeroAddress"):
        world.router.redeemInKind(shares, ZERO, whale, sender=whale)


def test_redeem__names_a_strategy_that_is_none__reverts(world: World, whale: Address) -> None:
    lent(world, whale, 100)
    shares = world.router.balanceOf(whale)
    stranger = world.evm.deploy("StrategyDouble", world.asset)
    with reverts("UnknownStrategy", stranger.address):
        world.router.redeem(shares, whale, whale, 0, [stranger.address], sender=whale)


def test_redeem__part_is_worth_less_than_a_unit__nobody_is_asked_to_pay(
    world: World, whale: Address
) -> None:
    """The debt falls, nothing is paid, and a strategy that could not pay does not matter."""
    strategy = lent(world, whale, UNIT)
    strategy.lose(UNIT - 5)
    strategy.setFault(WITHDRAW, REVERT)
    shares = 10 * 10**6
    assert world.router.previewRedeem(shares) == 0
    assert world.router.redeem(shares, whale, whale, sender=whale) == 0
    assert world.debt(strategy) == UNIT - 10
    assert strategy.totalAssets() == 5


def test_max__somebody_waits_and_idle_is_lent__rest_is_free(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R3."""
    strategy = world.add_strategy()
    for holder in (whale, investor):
        world.deposit(holder, 100)
    world.lend(strategy, 150)
    strategy.setLimit(True, 120)
    queue = world.evm.account("queue")
    world.router.setExitQueue(queue, sender=world.governance)
    world.router.transfer(queue, 90 * 10**6, sender=investor)
    world.router.setQueuedShares(90 * 10**6, sender=queue)
    assert world.router.maxWithdraw(whale) == 170 - 90
    most = world.router.maxRedeem(whale)
    with world.evm.rollback():
        assert world.router.redeem(most, whale, whale, sender=whale) == 80
    with reverts("InsufficientLiquidity"):
        world.router.redeem(most + 1, whale, whale, sender=whale)


# ---- plans


def test_lend__way_in_seems_to_pay__debt_is_what_was_paid(world: World, whale: Address) -> None:
    """Property: R1."""
    strategy = world.add_strategy()
    world.deposit(whale, 100)
    strategy.gain(7)
    # Its first share takes the seven with it, and more, if one believes its own word.
    strategy.setFault(PREVIEW_REDEEM, JUNK)
    world.lend(strategy, 60)
    assert world.debt(strategy) == 60
    assert world.router.totalAssets() == 100


def test_lend__more_shares_than_their_bits_hold__reverts(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 100 * UNIT)
    strategy.lose(100 * UNIT)
    world.deposit(whale, 100 * UNIT)
    with reverts("OutOfBounds"):
        world.lend(strategy, 100 * UNIT)


def test_add_strategy__holds_more_shares_than_their_bits__reverts(
    world: World, attacker: Address
) -> None:
    strategy = world.evm.deploy("StrategyDouble", world.asset)
    for _ in range(2):
        world.asset.mint(attacker, 100 * UNIT)
        world.asset.approve(strategy, 100 * UNIT, sender=attacker)
        strategy.deposit(100 * UNIT, attacker, sender=attacker)
        strategy.lose(100 * UNIT)
    strategy.transfer(world.router, strategy.balanceOf(attacker), sender=attacker)
    with reverts("OutOfBounds"):
        world.router.addStrategy(strategy, MAX_112, BPS, sender=world.governance)


def test_recall__more_than_the_strategy_can_pay__reverts(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 100)
    strategy.setLimit(True, 5)
    with reverts("InsufficientLiquidity", 10, 5):
        world.recall(strategy, 10)
    world.recall(strategy, 5)
    assert world.router.idle() == 5


def test_recall__strategy_burns_what_is_not_in_the_books__reverts(
    world: World, whale: Address, investor: Address
) -> None:
    """Shares beside the books (owed in kind, or a gift) are not the plan's to spend."""
    strategy = lent(world, whale, 100, "OddVault")
    world.asset.mint(investor, 50)
    world.asset.approve(strategy, 50, sender=investor)
    strategy.deposit(50, world.router, sender=investor)
    strategy.setOdd(0, 20)
    with reverts("InvalidStrategy", strategy.address):
        world.recall(strategy, 90)
    strategy.setOdd(0, 0)
    world.recall(strategy, 90)
    assert world.state(strategy)[8] == 10


def test_recall__strategy_pays_more_than_asked__stays_outside_the_books(
    world: World, whale: Address
) -> None:
    """Property: R1. A tip is no profit of the plan."""
    strategy = lent(world, whale, 100, "OddVault")
    strategy.setOdd(3, 0)
    world.recall(strategy, 40)
    assert (world.router.idle(), world.debt(strategy)) == (40, 60)
    assert world.asset.balanceOf(world.router) == 43
    assert world.router.totalAssets() == 100


def test_epoch_budget__lowered_below_what_was_spent__nothing_is_left(
    world: World, whale: Address
) -> None:
    """Property: R6."""
    strategy = world.add_strategy()
    strategy.setFees(500, 0)
    world.deposit(whale, 10_000)
    world.lend(strategy, 1_000)
    assert world.router.totalAssets() < 10_000
    world.router.setPlanLimits(BPS, 1, sender=world.governance)
    assert world.router.planLimits() == (BPS, 1)
    assert world.router.epochBudgetLeft() == 0
    with reverts("EpochBudgetExceeded"):
        world.lend(strategy, 1_000)


# ---- fees and settings


def test_fees__not_settled_for_years__one_year_is_due(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 1_000 * UNIT)
    treasury = world.evm.account("treasury")
    world.router.setFees((0, 200, treasury), sender=world.governance)
    world.evm.mine(1, 3 * 365 * DAY)
    strategy.gain(500 * UNIT)
    world.report(strategy)
    fee = world.router.convertToAssets(world.router.balanceOf(treasury))
    assert 20 * UNIT - 10**3 <= fee <= 20 * UNIT


def test_remove_strategy__not_in_the_exit_order__leaves_the_others(world: World) -> None:
    first, second = world.add_strategy(), world.add_strategy()
    world.router.setExitOrder([second.address], sender=world.governance)
    world.router.removeStrategy(first, False, sender=world.governance)
    assert list(world.router.exitOrder()) == [second.address]
    assert list(world.router.strategies()) == [second.address]


def test_approve__nobody__reverts(world: World, whale: Address) -> None:
    with reverts("ERC20InvalidSpender", ZERO):
        world.router.approve(ZERO, 1, sender=whale)


def test_views__as_built(world: World) -> None:
    assert world.router.emergencyGate() == world.gate
    assert world.router.manager() != ZERO
