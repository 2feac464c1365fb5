"""The Curve strategy's limits and guards, to the unit: each at its bound and one beyond it."""

from __future__ import annotations

import pytest

from tests.support.capital import BPS, FROZEN, WAD
from tests.support.evm import reverts
from tests.support.lending import DAY
from tests.unit.strategies.curve_exact import (
    BISECTIONS,
    ENTRY,
    EXIT,
    IMBALANCE,
    Exact,
    build,
    build_odd,
)

FEE_UNIT = 10**10
YEAR = 365 * DAY


@pytest.fixture
def case() -> Exact:
    return build()


# ------------------------------------------------------------- construction


def test_constructor__asset_is_the_last_of_three__is_found_and_scaled() -> None:
    case = build((18, 8, 6), place=2)
    strategy, router = case.strategy, case.world.router
    assert (strategy.PLACE(), strategy.COINS()) == (2, 3)
    assert (strategy.POOL(), strategy.LP_TOKEN()) == (case.pool.address, case.lp.address)
    case.enter(10 * case.unit)
    assert case.lp.balanceOf(strategy) == 10 * WAD
    assert strategy.totalAssets() == 10 * case.unit
    strategy.redeem(strategy.balanceOf(router) // 2, router, router, sender=router)
    assert case.removed()[1] == 2


def test_constructor__asset_is_the_second_of_two__is_found_and_scaled() -> None:
    case = build((18, 6), place=1)
    assert case.strategy.PLACE() == 1
    case.enter(10 * case.unit)
    assert case.strategy.totalAssets() == 10 * case.unit


def test_virtual_price__in_the_block_of_construction__cannot_be_lifted(case: Exact) -> None:
    case.pool.setPrice(2 * WAD)
    assert case.strategy.virtualPrice() == WAD
    case.evm.mine(1, YEAR)
    assert case.strategy.virtualPrice() == WAD * 12 // 10
    case.evm.mine(1, 1)
    assert case.strategy.virtualPrice() == WAD + WAD * 2_000 * (YEAR + 1) // (BPS * YEAR)


def grown_pool(case: Exact) -> int:
    """A year after a deposit the pool is worth a hundredth more; its virtual price."""
    case.enter(10 * case.unit)
    case.evm.mine(1, YEAR)
    price = WAD + WAD // 100
    case.pool.setPrice(price)
    case.pool.setRate(price)
    return price


def assert_noted_now(case: Exact, price: int) -> None:
    """What the pool does from now on counts as time passes, and not for the time before."""
    case.pool.setPrice(3 * WAD)
    assert case.strategy.virtualPrice() == price
    case.evm.mine(1, DAY)
    assert case.strategy.virtualPrice() == price + price * 2_000 * DAY // (BPS * YEAR)


def test_virtual_price__after_a_deposit__grows_from_there(case: Exact) -> None:
    price = grown_pool(case)
    case.enter(case.unit)
    assert_noted_now(case, price)


def test_virtual_price__after_an_exit__grows_from_there(case: Exact) -> None:
    price, router = grown_pool(case), case.world.router
    case.strategy.redeem(10**18, router, router, sender=router)
    assert_noted_now(case, price)


def test_virtual_price__after_a_probe__grows_from_there(case: Exact) -> None:
    price = grown_pool(case)
    case.strategy.probe()
    assert_noted_now(case, price)


# ------------------------------------------------------------- limits


def test_set_limits__largest_entry_loss__accepted_and_one_more_refused(case: Exact) -> None:
    governance = case.world.governance
    case.strategy.setLimits((500, EXIT, IMBALANCE), sender=governance)
    assert list(case.strategy.limits()) == [500, EXIT, IMBALANCE]
    with reverts("InvalidLimits", (501, EXIT, IMBALANCE)):
        case.strategy.setLimits((501, EXIT, IMBALANCE), sender=governance)


def test_set_limits__largest_exit_loss__accepted_and_one_more_refused(case: Exact) -> None:
    governance = case.world.governance
    case.strategy.setLimits((ENTRY, 9_999, IMBALANCE), sender=governance)
    assert list(case.strategy.limits()) == [ENTRY, 9_999, IMBALANCE]
    with reverts("InvalidLimits", (ENTRY, 10_000, IMBALANCE)):
        case.strategy.setLimits((ENTRY, 10_000, IMBALANCE), sender=governance)


def test_set_limits__largest_imbalance__accepted_and_one_more_refused(case: Exact) -> None:
    governance = case.world.governance
    case.strategy.setLimits((ENTRY, EXIT, 9_999), sender=governance)
    assert list(case.strategy.limits()) == [ENTRY, EXIT, 9_999]
    with reverts("InvalidLimits", (ENTRY, EXIT, 10_000)):
        case.strategy.setLimits((ENTRY, EXIT, 10_000), sender=governance)


def test_set_limits__announced(case: Exact) -> None:
    case.strategy.setLimits((7, 8, 9), sender=case.world.governance)
    (event,) = case.evm.events("LimitsSet")
    assert tuple(event.args.values()) == (case.world.governance, (7, 8, 9))


def test_tighten_entry__by_a_stranger__refused(case: Exact) -> None:
    stranger = case.evm.account("attacker")
    with reverts("AccessManagedUnauthorized", stranger):
        case.strategy.tightenEntry(0, 0, sender=stranger)
    with reverts("AccessManagedUnauthorized", stranger):
        case.strategy.setLimits((0, 0, 0), sender=stranger)


def test_tighten_entry__loss_as_it_was__accepted_and_one_more_refused(case: Exact) -> None:
    governance = case.world.governance
    case.strategy.tightenEntry(ENTRY, IMBALANCE - 1, sender=governance)
    assert list(case.strategy.limits()) == [ENTRY, EXIT, IMBALANCE - 1]
    with reverts("InvalidLimits", (ENTRY, EXIT, IMBALANCE - 1)):
        case.strategy.tightenEntry(ENTRY + 1, IMBALANCE - 1, sender=governance)


def test_tighten_entry__imbalance_as_it_was__accepted_and_one_more_refused(case: Exact) -> None:
    governance = case.world.governance
    case.strategy.tightenEntry(ENTRY - 1, IMBALANCE, sender=governance)
    assert list(case.strategy.limits()) == [ENTRY - 1, EXIT, IMBALANCE]
    with reverts("InvalidLimits", (ENTRY - 1, EXIT, IMBALANCE)):
        case.strategy.tightenEntry(ENTRY - 1, IMBALANCE + 1, sender=governance)


# ------------------------------------------------------------- probe


def test_probe__eighteen_decimals__tries_ten_times_the_rounding(case: Exact) -> None:
    case.lp.mint(case.strategy, WAD)
    assert not case.strategy.probe()
    assert case.removed() == (10 * (1 + 100), 0, 0)


def test_probe__six_decimals__tries_ten_units_and_the_rounding() -> None:
    case = build((6, 18))
    case.lp.mint(case.strategy, WAD)
    assert not case.strategy.probe()
    assert case.removed() == (10 * (10**12 + 100), 0, 0)


def test_probe__fewer_than_it_would_try__tries_all(case: Exact) -> None:
    case.lp.mint(case.strategy, 1)
    case.pool.setPays(False)
    assert case.strategy.probe() is True
    assert case.strategy.poolClosed() is True
    case.pool.setPays(True)
    assert case.strategy.probe() is False
    assert case.removed() == (1, 0, 0)


def test_probe__announced(case: Exact) -> None:
    case.lp.mint(case.strategy, WAD)
    case.pool.setPays(False)
    case.pool.setPrice(WAD - 1)
    anyone = case.evm.account("attacker")
    case.strategy.probe(sender=anyone)
    (event,) = case.evm.events("PoolProbed")
    assert tuple(event.args.values()) == (anyone, True, WAD - 1)


def test_probe__pool_pays_again__reopens_it(case: Exact) -> None:
    case.enter(10 * case.unit)
    strategy, router = case.strategy, case.world.router
    case.pool.setPays(False)
    strategy.probe()
    assert strategy.maxRedeem(router) == strategy.maxWithdraw(router) == 0
    strategy.deposit(0, router, sender=router)
    assert strategy.poolClosed(), "a deposit tells nothing about the way out"
    case.pool.setPays(True)
    strategy.probe()
    assert not strategy.poolClosed()
    assert strategy.maxRedeem(router) == strategy.balanceOf(router)


# ------------------------------------------------------------- room


def room(case: Exact, balances: list[int]) -> int:
    case.pool.setBalances(balances)
    return int(case.strategy.maxDeposit(case.world.router))


def test_max_deposit__no_lp_token_yet__is_nothing_and_one_is_enough(case: Exact) -> None:
    assert room(case, [10**24, 10**24]) > 0
    case.lp.burn(case.evm.account("trader"), WAD - 1)
    assert case.lp.totalSupply() == 1
    assert room(case, [10**24, 10**24]) > 0
    case.lp.burn(case.evm.account("trader"), 1)
    assert room(case, [10**24, 10**24]) == 0


def test_max_deposit__three_coins__the_scarcest_binds_wherever_it_is() -> None:
    rich, poor, own = 10**24, 9 * 10**23, 10**24 + 1
    for place in range(3):
        case = build((18, 18, 18), place=place)
        for others in ((rich, poor), (poor, rich)):
            balances = list(others)
            balances.insert(place, own)
            expected = poor * 3 * BPS // (BPS - IMBALANCE) - sum(balances)
            assert room(case, balances) == expected > 0


def test_max_deposit__coins_of_other_decimals__are_scaled() -> None:
    case = build((18, 8, 6), place=2)
    balances = [10**24, 9 * 10**13, 10**12]
    expected = 9 * 10**23 * 3 * BPS // (BPS - IMBALANCE) - 29 * 10**23
    assert room(case, balances) == expected // 10**12 > 0


def test_max_deposit__room_of_just_one__is_one(case: Exact) -> None:
    """What the scarcest allows is 13/7 of it beside itself."""
    scarce = 7 * 10**23
    assert room(case, [13 * 10**23 - 1, scarce]) == 1
    assert room(case, [13 * 10**23, scarce]) == 0


def test_max_deposit__pool_estimates_little__tried_five_times_and_no_more(case: Exact) -> None:
    whole = room(case, [10**24, 10**24])
    tried = [whole >> step for step in range(BISECTIONS)]
    for assets in tried:
        case.pool.setEstimatesTo(assets)
        assert case.strategy.maxDeposit(case.world.router) == assets
    case.pool.setEstimatesTo(tried[-1] - 1)
    assert case.strategy.maxDeposit(case.world.router) == 0


def least_estimate(least: int, fee: int, coins: int) -> int:
    """The least that the pool has to estimate, for `least` to be sure to be minted."""
    kept = FEE_UNIT - (2 * (fee * coins // (4 * (coins - 1))) + 1)
    return -(-least * FEE_UNIT // kept)


def assert_least_estimate(case: Exact, fee: int, coins: int) -> None:
    case.pool.setFee(fee)
    case.pool.setEstimatesTo(0)
    router = case.world.router
    assets = 10**24 * coins * BPS // (BPS - IMBALANCE) - coins * 10**24
    enough = least_estimate(case.books().least_minted(assets), fee, coins)
    case.pool.setEstimate(assets, enough)
    assert case.strategy.maxDeposit(router) == assets
    case.pool.setEstimate(assets, enough - 1)
    assert case.strategy.maxDeposit(router) == 0


def test_max_deposit__two_coins__estimate_less_twice_the_fee_must_suffice(case: Exact) -> None:
    for fee in (0, 1, 4_000_001, 5 * 10**9):
        assert_least_estimate(case, fee, 2)


def test_max_deposit__three_coins__estimate_less_twice_the_fee_must_suffice() -> None:
    case = build((18, 18, 18))
    for fee in (0, 3, 4_000_001, 5 * 10**9):
        assert_least_estimate(case, fee, 3)


def test_max_deposit__fee_eats_everything__is_nothing(case: Exact) -> None:
    case.pool.setFee(10**10)
    assert room(case, [10**24, 10**24]) == 0


# ------------------------------------------------------------- what can leave


def bisected(case: Exact, pays_up_to: int) -> int:
    """What can leave, if the pool quotes its rate up to so many LP tokens and nothing beyond."""
    books = case.books()
    low, high = 0, books.held
    for _ in range(BISECTIONS):
        middle = (low + high) // 2
        low, high = (middle, high) if middle <= pays_up_to else (low, middle)
    return books.least_paid(low)


def test_max_withdraw__pool_pays_for_a_part__found_in_five_steps() -> None:
    case = build_odd()
    held = case.books().held
    for part in (1, 29, 31, 33, 100, 250, 281, 300, 500, 631, 700, 969, 970, 999):
        most = held * part // 1_000
        case.pool.setQuotesTo(most)
        assert case.strategy.maxWithdraw(case.world.router) == bisected(case, most), part


def test_max_withdraw__pool_pays_just_enough_for_all__is_all(case: Exact) -> None:
    case.enter(10 * case.unit)
    books, router = case.books(), case.world.router
    case.pool.setQuotesTo(0)
    enough = books.least_paid(books.held)
    case.pool.setQuote(books.held, enough)
    assert case.strategy.maxWithdraw(router) == case.strategy.previewRedeem(books.supply)
    assert case.strategy.maxRedeem(router) == books.supply
    case.pool.setQuote(books.held, enough - 1)
    assert case.strategy.maxWithdraw(router) == case.strategy.maxRedeem(router) == 0


def test_max_withdraw__pool_pays_just_enough_for_half__is_half(case: Exact) -> None:
    case.enter(10 * case.unit)
    books, router = case.books(), case.world.router
    half = books.held // 2
    case.pool.setQuotesTo(0)
    case.pool.setQuote(half, books.least_paid(half))
    assert case.strategy.maxWithdraw(router) == books.least_paid(half)
    case.pool.setQuote(half, books.least_paid(half) - 1)
    assert case.strategy.maxWithdraw(router) == 0


# ------------------------------------------------------------- what arrives is counted


def test_deposit__just_the_least_is_minted__enters_and_one_less_does_not(case: Exact) -> None:
    case.enter(10 * case.unit)
    router, assets = case.world.router, case.unit
    least = case.books().least_minted(assets)
    case.pool.setMint(least - 1)
    case.fund(assets)
    with reverts("TooLittleArrived", least, least - 1):
        case.strategy.deposit(assets, router, sender=router)
    case.pool.setMint(least)
    before = case.books().held
    case.strategy.deposit(assets, router, sender=router)
    assert case.books().held == before + least


def test_deposit__nothing_minted_where_some_are_held__refused(case: Exact) -> None:
    case.enter(10 * case.unit)
    router, assets = case.world.router, case.unit
    case.pool.setMint(0)
    case.fund(assets)
    with reverts("TooLittleArrived", case.books().least_minted(assets), 0):
        case.strategy.deposit(assets, router, sender=router)


def test_exit__nothing_paid_where_assets_lie__refused(case: Exact) -> None:
    case.enter(10 * case.unit)
    router, strategy = case.world.router, case.strategy
    case.world.asset.mint(strategy, 100 * case.unit)
    case.pool.setPay(0)
    with reverts("TooLittleArrived", case.unit, 0):
        strategy.withdraw(case.unit, router, router, sender=router)


def test_exit__pool_pays_just_what_is_due__leaves_and_one_less_does_not(case: Exact) -> None:
    case.enter(10 * case.unit)
    router, strategy = case.world.router, case.strategy
    case.pool.setPay(case.unit - 1)
    with reverts("TooLittleArrived", case.unit, case.unit - 1):
        strategy.withdraw(case.unit, router, router, sender=router)
    case.pool.setPay(case.unit)
    strategy.withdraw(case.unit, router, router, sender=router)
    assert case.world.asset.balanceOf(router) == case.unit


# ------------------------------------------------------------- rewards and states


def test_claim_rewards__by_a_stranger__refused(case: Exact) -> None:
    stranger = case.evm.account("attacker")
    with reverts("AccessManagedUnauthorized", stranger):
        case.strategy.claimRewards(stranger, sender=stranger)


def test_claim_rewards__announced(case: Exact) -> None:
    harvester, receiver = case.world.harvester, case.evm.account("heir")
    case.strategy.claimRewards(receiver, sender=harvester)
    (event,) = case.evm.events("RewardsClaimed")
    assert tuple(event.args.values()) == (harvester, receiver, (), ())


def test_redeem_in_kind__frozen__the_state_speaks_before_the_owner(case: Exact) -> None:
    shares = case.enter(10 * case.unit)
    stranger, router = case.evm.account("attacker"), case.world.router
    case.strategy.setEmergencyState(FROZEN, sender=case.world.gate)
    with reverts("EmergencyStateForbids", FROZEN):
        case.strategy.redeemInKind(shares, stranger, router, sender=stranger)


def test_redeem_in_kind__for_another__spends_just_his_allowance(case: Exact) -> None:
    shares = case.enter(10 * case.unit)
    stranger, router = case.evm.account("attacker"), case.world.router
    case.strategy.approve(stranger, shares - 1, sender=router)
    with reverts("ERC20InsufficientAllowance", stranger, shares - 1, shares):
        case.strategy.redeemInKind(shares, stranger, router, sender=stranger)
    case.strategy.redeemInKind(shares - 1, stranger, router, sender=stranger)
    assert case.strategy.allowance(router, stranger) == 0
    assert case.strategy.balanceOf(router) == 1
