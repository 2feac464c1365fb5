"""Each sum of the Curve strategy against integers, where rounding up and down differ."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.capital import WAD
from tests.support.evm import reverts
from tests.unit.strategies.curve_exact import LP_NOISE, Exact, build, build_odd, up

# Prices at which a unit of the asset is several LP tokens' worth, and the other way round.
PRICES = (3 * WAD, 3 * WAD // 10)


def odd_cases() -> Iterator[Exact]:
    """Both prices, in a coin of eighteen decimals and in one of six."""
    for price in PRICES:
        yield build_odd(18, price)
        yield build_odd(6, price)


def amounts(case: Exact) -> list[int]:
    """Few units, where each is seen, and many, where factors are."""
    return [*range(1, 40), *range(500, 520), *(10**6 * case.unit + i for i in range(20))]


def share_amounts(case: Exact) -> list[int]:
    some = int(case.strategy.totalSupply())
    return [1, 2, *range(10**9, 10**9 + 20), *(some * 10**6 + i for i in range(20))]


# ------------------------------------------------------------- previews


def test_preview_deposit__any_amount__shares_of_the_least_minted() -> None:
    for case in odd_cases():
        books = case.books()
        for assets in amounts(case):
            expected = books.shares(books.least_minted(assets))
            assert case.strategy.previewDeposit(assets) == expected, assets


def test_preview_mint__any_amount__the_least_assets_that_mint_it() -> None:
    for case in odd_cases():
        books = case.books()
        for shares in share_amounts(case):
            lp = up(books.lp(shares, up) + LP_NOISE, 10_000, 9_990)
            assert case.strategy.previewMint(shares) == books.worth(lp, up), shares


def test_preview_mint__of_nothing__is_nothing() -> None:
    assert build_odd().strategy.previewMint(0) == 0


def test_preview_mint__of_one_share__is_not_nothing() -> None:
    case = build_odd()
    assert case.strategy.previewMint(1) == case.books().worth(up(101, 10_000, 9_990), up) > 0


def test_mint__so_many_shares__takes_what_was_said_and_one_less_would_not_do() -> None:
    case = build_odd(6)
    router, strategy = case.world.router, case.strategy
    for shares in (10**12, 10**12 + 1, 10**14 + 7):
        assets = strategy.previewMint(shares)
        assert strategy.previewDeposit(assets) >= shares > strategy.previewDeposit(assets - 1)
        case.fund(assets)
        assert strategy.mint(shares, router, sender=router) == assets


def test_preview_withdraw__any_amount__shares_of_the_most_burned() -> None:
    for case in odd_cases():
        books = case.books()
        assert case.strategy.previewWithdraw(0) == 0
        for assets in amounts(case):
            expected = books.shares(books.most_burned(assets), up)
            assert case.strategy.previewWithdraw(assets) == expected, assets


def test_preview_redeem__any_amount__the_least_paid() -> None:
    for case in odd_cases():
        books = case.books()
        for shares in share_amounts(case):
            expected = books.least_paid(books.lp(shares))
            assert case.strategy.previewRedeem(shares) == expected, shares


def test_preview_redeem__one_lp_token_unit__is_not_nothing() -> None:
    case = build(price=1_000 * WAD)
    case.enter(10 * case.unit)
    shares = case.books().shares(1, up)
    assert case.books().lp(shares) == 1
    # 1 000 less two in a thousand and the rounding inside the pool.
    assert case.strategy.previewRedeem(shares) == 998 - 102


def test_preview_redeem__noise__is_counted_in_the_coins_own_units() -> None:
    for decimals, noise in ((18, 102), (17, 12), (16, 3), (6, 2)):
        case = build((decimals, 18))
        case.enter(10 * case.unit)
        shares = case.books().shares(5 * WAD, up)
        assert case.strategy.previewRedeem(shares) == 5 * case.unit * 9_980 // 10_000 - noise


def test_convert__any_amount__at_par() -> None:
    for case in odd_cases():
        books = case.books()
        for assets in amounts(case):
            expected = books.shares(books.at_par(assets))
            assert case.strategy.convertToShares(assets) == expected, assets
        for shares in share_amounts(case):
            assert case.strategy.convertToAssets(shares) == books.worth(books.lp(shares)), shares


def test_quote_exit__any_amount__the_pools_word_and_the_worth() -> None:
    for case in odd_cases():
        books = case.books()
        for shares in share_amounts(case):
            lp = books.lp(shares)
            expected = (case.quote(lp), books.worth(lp))
            assert tuple(case.strategy.quoteExit(shares)) == expected, shares


def test_quote_exit__of_one_lp_token_unit__asks_the_pool() -> None:
    case = build_odd()
    case.pool.setQuote(1, 77)
    shares = case.books().shares(1, up)
    assert tuple(case.strategy.quoteExit(shares)) == (77, 3)


def test_quote_exit__of_nothing__does_not_ask_the_pool() -> None:
    case = build_odd()
    case.pool.setQuote(0, 77)
    assert tuple(case.strategy.quoteExit(0)) == (0, 0)


def test_total_assets__one_lp_token_unit__counts() -> None:
    case = build(price=3 * WAD)
    assert case.strategy.totalAssets() == 0
    case.lp.mint(case.strategy, 1)
    assert case.strategy.totalAssets() == 3


def test_total_assets__much__is_exact() -> None:
    for case in odd_cases():
        case.lp.mint(case.strategy, 10**28)
        books = case.books()
        assert case.strategy.totalAssets() == books.worth(books.held)


# ------------------------------------------------------------- withdraw


def test_withdraw__a_sound_pool__burns_what_it_takes_and_the_rounding() -> None:
    for case in odd_cases():
        router, strategy = case.world.router, case.strategy
        case.pool.setRate(case.pool.rate() - case.pool.rate() // 3_000)
        for assets in (2 * case.unit + 1, case.unit + 3):
            books = case.books()
            most = books.most_burned(assets)
            lp = books.burned_for(assets, case.quote(most))
            assert lp < most
            shares = books.shares(lp, up)
            assert strategy.withdraw(assets, router, router, sender=router) == shares
            assert case.removed() == (books.lp(shares), 0, assets)
            assert case.books().held == books.held - books.lp(shares)


def test_withdraw__of_one__burns_the_most_that_it_may() -> None:
    case = build_odd(6)
    router, strategy, books = case.world.router, case.strategy, case.books()
    most = books.most_burned(1)
    shares = books.shares(books.burned_for(1, case.quote(most)), up)
    assert strategy.withdraw(1, router, router, sender=router) == shares > 0
    assert case.world.asset.balanceOf(router) == 1


def test_withdraw__of_nothing__burns_nothing() -> None:
    case = build_odd()
    router, before = case.world.router, case.books()
    assert case.strategy.withdraw(0, router, router, sender=router) == 0
    assert case.books() == before


def test_withdraw__pool_pays_just_enough_for_the_most__leaves_and_one_less_does_not() -> None:
    case = build_odd()
    router, strategy, books = case.world.router, case.strategy, case.books()
    assets = 2 * case.unit
    most = books.most_burned(assets)
    case.pool.setQuote(most, assets - 1)
    with reverts("ExitTooCostly", assets, assets - 1):
        strategy.withdraw(assets, router, router, sender=router)
    case.pool.setQuote(most, assets)
    shares = strategy.withdraw(assets, router, router, sender=router)
    assert shares == books.shares(most, up) == books.shares(books.burned_for(assets, assets), up)
    assert case.removed()[0] == most


# ------------------------------------------------------------- redeem


def test_redeem__a_part__pays_the_pools_word_for_its_lp_tokens() -> None:
    for case in odd_cases():
        router, strategy = case.world.router, case.strategy
        for part in (3, 7):
            books = case.books()
            shares = books.supply // part + 1
            lp = books.lp(shares)
            paid = strategy.redeem(shares, router, router, sender=router)
            assert paid == case.quote(lp)
            assert case.removed() == (lp, 0, paid)
            assert case.books().held == books.held - lp


def test_redeem__few_shares_with_much_given__burns_to_the_unit() -> None:
    """Where a virtual share more or less is seen."""
    case = build(price=3 * WAD)
    case.enter(1_000)
    case.lp.mint(case.strategy, 10**27)
    books = case.books()
    shares = books.supply // 2
    case.strategy.redeem(shares, case.world.router, case.world.router, sender=case.world.router)
    assert case.removed()[0] == books.lp(shares)
    rest = case.books()
    assert case.strategy.previewRedeem(10**7) == rest.least_paid(rest.lp(10**7))
    assert case.strategy.convertToShares(WAD) == rest.shares(rest.at_par(WAD))


def test_redeem__pool_pays_just_the_least__leaves_and_one_less_does_not() -> None:
    case = build_odd()
    router, strategy, books = case.world.router, case.strategy, case.books()
    shares = books.supply // 2
    least = books.least_paid(books.lp(shares))
    case.pool.setQuote(books.lp(shares), least - 1)
    with reverts("ExitTooCostly", least, least - 1):
        strategy.redeem(shares, router, router, sender=router)
    case.pool.setQuote(books.lp(shares), least)
    assert strategy.redeem(shares, router, router, sender=router) == least


def test_redeem__least_of_one__pays_what_the_pool_pays() -> None:
    case = build()
    case.enter(10 * case.unit)
    router, books = case.world.router, case.books()
    # 104 less 0.2 %, less the 102 that rounding may take.
    shares = books.shares(104, up)
    assert case.strategy.previewRedeem(shares) == 1
    assert case.strategy.redeem(shares, router, router, sender=router) == 104


def test_redeem__least_of_nothing__pays_nothing_whatever_the_pool_would() -> None:
    case = build()
    case.enter(10 * case.unit)
    router, books = case.world.router, case.books()
    shares = books.shares(103, up)
    assert case.strategy.previewRedeem(shares) == 0 < case.quote(103)
    assert case.strategy.redeem(shares, router, router, sender=router) == 0
    assert case.books().held == books.held
    assert case.books().supply == books.supply - shares


# ------------------------------------------------------------- in kind


def test_redeem_in_kind__any_amount__rounded_down() -> None:
    for case in odd_cases():
        router, heir = case.world.router, case.evm.account("heir")
        for part in (3, 7, 11):
            books, before = case.books(), case.lp.balanceOf(heir)
            shares = books.supply // part + 1
            answer = case.strategy.redeemInKind(shares, heir, router, sender=router)
            assert tuple(answer) == (case.lp.address, books.lp(shares))
            assert case.lp.balanceOf(heir) - before == books.lp(shares)
            (event,) = case.evm.events("RedeemedInKind")
            assert tuple(event.args.values()) == (
                router.address,
                heir,
                router.address,
                case.lp.address,
                books.lp(shares),
                shares,
            )


def test_redeem_in_kind__one_lp_token_unit__is_sent() -> None:
    case = build_odd()
    router, heir = case.world.router, case.evm.account("heir")
    shares = case.books().shares(1, up)
    assert case.strategy.redeemInKind(shares, heir, router, sender=router)[1] == 1
    assert case.lp.balanceOf(heir) == 1


def test_redeem_in_kind__worth_no_unit__burns_and_sends_nothing() -> None:
    """A token may refuse a transfer of nothing."""
    case = build()
    case.enter(10 * case.unit)
    router, supply = case.world.router, case.books().supply
    assert case.strategy.redeemInKind(1, router, router, sender=router)[1] == 0
    assert case.books().supply == supply - 1
    assert [event.address for event in case.evm.events("Transfer")] == [case.strategy.address]
