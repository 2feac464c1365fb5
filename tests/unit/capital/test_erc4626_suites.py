"""The router against what the public ERC-4626 property suites ask, with no tolerance at all.

The docs' table maps each property, by its public name, to a test; the last tests check the table.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offchain.artifacts import ROOT
from tests.support.capital import DAY, MAX, World, build_world
from tests.support.evm import Address, Evm, Revert

DECIMALS = (0, 6, 8, 18, 24)
TABLE = ROOT / "docs" / "capital.md"
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
REVERTS = 1
CONVERSIONS = ("convertToShares", "convertToAssets", "previewDeposit", "previewMint")
PREVIEWS = ("previewDeposit", "previewMint", "previewWithdraw", "previewRedeem")
LIMITS = ("maxDeposit", "maxMint", "maxWithdraw", "maxRedeem")
# As the suites call them: a16z's erc4626-tests, then crytic's properties.
A16Z = (
    *("test_asset", "test_totalAssets", "test_convertToShares", "test_convertToAssets"),
    *("test_maxDeposit", "test_previewDeposit", "test_deposit"),
    *("test_maxMint", "test_previewMint", "test_mint"),
    *("test_maxWithdraw", "test_previewWithdraw", "test_withdraw", "testFail_withdraw"),
    *("test_maxRedeem", "test_previewRedeem", "test_redeem", "testFail_redeem"),
    *("test_RT_deposit_redeem", "test_RT_deposit_withdraw"),
    *("test_RT_redeem_deposit", "test_RT_redeem_mint"),
    *("test_RT_mint_withdraw", "test_RT_mint_redeem"),
    *("test_RT_withdraw_mint", "test_RT_withdraw_deposit"),
)
CRYTIC = (
    *("verify_assetMustNotRevert", "verify_totalAssetsMustNotRevert"),
    *("verify_convertToAssetsMustNotRevert", "verify_convertToSharesMustNotRevert"),
    *("verify_maxDepositMustNotRevert", "verify_maxMintMustNotRevert"),
    *("verify_maxRedeemMustNotRevert", "verify_maxWithdrawMustNotRevert"),
    *("verify_depositProperties", "verify_mintProperties"),
    *("verify_redeemProperties", "verify_withdrawProperties"),
    *("verify_redeemViaApprovalProxy", "verify_withdrawViaApprovalProxy"),
    *("verify_redeemRequiresTokenApproval", "verify_withdrawRequiresTokenApproval"),
    *("verify_convertRoundTrip", "verify_convertRoundTrip2"),
    *("verify_convertToSharesRoundingDirection", "verify_convertToAssetsRoundingDirection"),
    *("verify_previewDepositRoundingDirection", "verify_previewMintRoundingDirection"),
    *("verify_previewRedeemRoundingDirection", "verify_previewWithdrawRoundingDirection"),
    *("verify_depositRoundingDirection", "verify_mintRoundingDirection"),
    *("verify_redeemRoundingDirection", "verify_withdrawRoundingDirection"),
    *("verify_assetDecimalsLessThanVault", "verify_sharePriceInflationAttack"),
    *("verify_maxDepositIgnoresSenderAssets", "verify_maxMintIgnoresSenderAssets"),
    *("verify_previewDepositIgnoresSender", "verify_previewMintIgnoresSender"),
    *("verify_previewWithdrawIgnoresSender", "verify_previewRedeemIgnoresSender"),
)


# ---- situations: each property holds in all of them


def empty(_: World, __: int) -> None:
    """Nobody was here."""


def held(world: World, unit: int) -> None:
    """Two holders; most is lent, so that exits reach the strategy."""
    strategy = world.add_strategy()
    world.deposit(world.evm.account("whale"), 1_000 * unit + 3)
    world.deposit(world.evm.account("investor"), 100 * unit + 1)
    world.lend(strategy, 900 * unit)


def gained(world: World, unit: int) -> None:
    """An odd gain is reported and a third of it is unlocked."""
    held(world, unit)
    world.strategies[0].gain(77 * unit + 5)
    world.report(world.strategies[0])
    world.evm.mine(1, 7 * DAY // 3)


def unlocked(world: World, unit: int) -> None:
    """All of it is, and the price is a fraction that never ends."""
    gained(world, unit)
    world.evm.mine(1, 7 * DAY)


def lost(world: World, unit: int) -> None:
    """A loss is in the books."""
    held(world, unit)
    world.strategies[0].lose(333 * unit + 1)
    world.report(world.strategies[0])


def losing(world: World, unit: int) -> None:
    """A loss is not in the books yet."""
    held(world, unit)
    world.strategies[0].lose(333 * unit + 1)


def winning(world: World, unit: int) -> None:
    """A gain is not in the books yet."""
    held(world, unit)
    world.strategies[0].gain(333 * unit + 1)


SITUATIONS = (empty, held, gained, unlocked, lost, losing, winning)
Case = tuple[World, int, random.Random]


@pytest.fixture(params=SITUATIONS, ids=lambda s: s.__name__)
def situation(request: pytest.FixtureRequest) -> Callable[[World, int], None]:
    found: Callable[[World, int], None] = request.param
    return found


@pytest.fixture(params=DECIMALS, ids=lambda d: f"{d}-decimals")
def case(request: pytest.FixtureRequest, situation: Callable[[World, int], None], evm: Evm) -> Case:
    world = build_world(evm, decimals=request.param)
    unit = 10**request.param
    situation(world, unit)
    seed = request.config.getoption("--hypothesis-seed")
    return world, unit, random.Random(f"{seed} {request.node.name}")


def amounts(case: Case, most: int) -> list[int]:
    """The corners up to `most`, and some between."""
    rng = case[2]
    drawn = {1, 2, 3, most} | {rng.randrange(1, 10 ** rng.randrange(1, 30)) for _ in range(4)}
    return sorted(a for a in drawn if 0 < a <= most)


def ready(case: Case, who: Address, assets: int) -> None:
    case[0].fund(who, assets)


def each_exit(case: Case) -> Iterator[tuple[World, Address, list[int], list[int]]]:
    """Whoever can leave, with amounts of shares and of assets that he can take."""
    world = case[0]
    for label in ("whale", "investor"):
        who = world.evm.account(label)
        shares, assets = world.router.maxRedeem(who), world.router.maxWithdraw(who)
        yield world, who, amounts(case, shares), amounts(case, assets)


def holder(case: Case) -> Address:
    """Somebody with shares of before, so that what he brings can leave whole."""
    who = case[0].evm.account("investor")
    case[0].deposit(who, 5 * case[1] + 7)
    return who


# ---- views


@pytest.mark.parametrize("state", range(4))
def test_views__any_state_and_a_broken_strategy__answer(case: Case, state: int) -> None:
    world, unit, _ = case
    router, somebody = world.router, world.evm.account("investor")
    for strategy in world.strategies:
        strategy.setFault(PREVIEW_REDEEM, REVERTS)
    world.set_state(state)
    assert router.asset() == world.asset.address
    assert router.totalAssets() == router.idle() + router.totalDebt()
    for amount in (0, 1, unit, 2**112 - 1):
        for view in CONVERSIONS:
            assert getattr(router, view)(amount) >= 0
    for view in LIMITS:
        for who in (somebody, world.evm.account("nobody"), router.address, "0x" + "00" * 20):
            assert 0 <= getattr(router, view)(who) <= MAX


def test_views__anyone_asks__same_answer(case: Case) -> None:
    world, unit, _ = case
    rich = world.evm.account("trader")
    world.fund(rich, 1_000 * unit)
    askers = (rich, world.evm.account("whale"), world.evm.account("nobody"))
    for view in ("convertToShares", "convertToAssets", *PREVIEWS):
        for amount in (1, 7 * unit + 3):
            ask = getattr(world.router, view)
            assert len({ask(amount, sender=asker) for asker in askers}) == 1, view
    for view in ("maxDeposit", "maxMint"):
        assert len({getattr(world.router, view)(who) for who in askers}) == 1, "his purse is his"


def test_decimals__of_the_shares__no_fewer_than_the_assets(case: Case) -> None:
    assert case[0].router.decimals() >= case[0].asset.decimals() + 6


# ---- rounding


def test_convert__there_and_back__never_gains(case: Case) -> None:
    """Property: R2."""
    router = case[0].router
    for amount in amounts(case, 10**30):
        assert router.convertToAssets(router.convertToShares(amount)) <= amount
        assert router.convertToShares(router.convertToAssets(amount)) <= amount


def test_rounding__each_view__is_against_the_caller(case: Case) -> None:
    """Property: R2. Nothing for nothing, and no share or asset that costs nothing."""
    router = case[0].router
    for view in ("convertToShares", "convertToAssets", *PREVIEWS):
        assert getattr(router, view)(0) == 0, view
    for amount in amounts(case, 10**30):
        assert router.previewMint(amount) > 0
        assert router.previewWithdraw(amount) > 0
        assert router.previewDeposit(amount) <= router.convertToShares(amount)
        assert router.previewRedeem(amount) <= router.convertToAssets(amount)
        assert router.previewMint(amount) >= router.convertToAssets(amount)
        assert router.previewWithdraw(amount) >= router.convertToShares(amount)


def test_nothing__in_or_out__is_refused(case: Case) -> None:
    world = case[0]
    who = world.evm.account("whale")
    for function in ("deposit", "mint", "withdraw", "redeem"):
        with pytest.raises(Revert) as refused:
            go(world, who, function, 0)
        assert refused.value.name == "ZeroAmount"


# ---- what is said is what happens, and the books show it


def moved(world: World, people: tuple[Address, ...]) -> Callable[[], list[tuple[int, int]]]:
    """How assets and shares of each changed since now."""

    def held_now() -> list[tuple[int, int]]:
        return [(world.asset.balanceOf(p), world.router.balanceOf(p)) for p in people]

    before = held_now()
    return lambda: [(a - b, s - t) for (a, s), (b, t) in zip(held_now(), before, strict=True)]


def test_deposit__any_amount__as_previewed_and_accounted(case: Case) -> None:
    world, unit, _ = case
    payer, heir = world.evm.account("trader"), world.evm.account("heir")
    for assets in amounts(case, min(world.router.maxDeposit(heir), 10_000 * unit)):
        with world.evm.rollback():
            ready(case, payer, assets)
            said, total = world.router.previewDeposit(assets), world.router.totalAssets()
            change = moved(world, (payer, heir))
            got = world.router.deposit(assets, heir, sender=payer)
            assert got == said > 0
            assert change() == [(-assets, 0), (0, got)]
            assert world.router.totalAssets() == total + assets


def test_mint__any_amount__as_previewed_and_accounted(case: Case) -> None:
    world, unit, _ = case
    payer, heir = world.evm.account("trader"), world.evm.account("heir")
    most = min(world.router.maxMint(heir), world.router.convertToShares(10_000 * unit))
    for shares in amounts(case, most):
        with world.evm.rollback():
            said, total = world.router.previewMint(shares), world.router.totalAssets()
            ready(case, payer, said)
            change = moved(world, (payer, heir))
            assert world.router.mint(shares, heir, sender=payer) == said
            assert change() == [(-said, 0), (0, shares)]
            assert world.router.totalAssets() == total + said


def test_withdraw__any_amount__as_previewed_and_accounted(case: Case) -> None:
    """By the owner, and by somebody whom he lets; his allowance shrinks by what was burned."""
    for world, owner, _, parts in each_exit(case):
        spender, heir = world.evm.account("trader"), world.evm.account("heir")
        for assets in parts:
            for by in (owner, spender):
                with world.evm.rollback():
                    said = world.router.previewWithdraw(assets)
                    if by == spender:
                        world.router.approve(spender, said + 5, sender=owner)
                    change = moved(world, (owner, heir))
                    assert world.router.withdraw(assets, heir, owner, sender=by) == said
                    assert change() == [(0, -said), (assets, 0)]
                    left = world.router.allowance(owner, spender)
                    assert left == (5 if by == spender else 0)


def test_redeem__any_amount__as_previewed_and_accounted(case: Case) -> None:
    """By the owner, and by somebody whom he lets; his allowance shrinks by what was burned."""
    for world, owner, parts, _ in each_exit(case):
        spender, heir = world.evm.account("trader"), world.evm.account("heir")
        for shares in parts:
            for by in (owner, spender):
                with world.evm.rollback():
                    said = world.router.previewRedeem(shares)
                    if by == spender:
                        world.router.approve(spender, shares + 5, sender=owner)
                    change = moved(world, (owner, heir))
                    assert world.router.redeem(shares, heir, owner, sender=by) == said
                    assert change() == [(0, -shares), (said, 0)]
                    left = world.router.allowance(owner, spender)
                    assert left == (5 if by == spender else 0)


def test_exit__by_somebody_without_enough_allowance__is_refused(case: Case) -> None:
    for world, owner, parts, pieces in each_exit(case):
        spender, router = world.evm.account("trader"), world.router
        asked = [("redeem", shares, shares) for shares in parts]
        asked += [("withdraw", assets, int(router.previewWithdraw(assets))) for assets in pieces]
        for function, amount, needed in asked:
            for allowed in (0, needed - 1):
                with world.evm.rollback():
                    router.approve(spender, allowed, sender=owner)
                    with pytest.raises(Revert) as refused:
                        getattr(router, function)(amount, spender, owner, sender=spender)
                    assert refused.value.name == "ERC20InsufficientAllowance"


def test_max__any_situation__succeeds_and_one_more_fails(case: Case) -> None:
    """Property: R3."""
    world = case[0]
    router, heir = world.router, world.evm.account("heir")
    for label in ("whale", "investor", "nobody"):
        who = world.evm.account(label)
        for function in ("withdraw", "redeem"):
            most = getattr(router, f"max{function.title()}")(who)
            call = getattr(router, function)
            with world.evm.rollback():
                if most:
                    call(most, who, who, sender=who)
            with world.evm.rollback(), pytest.raises(Revert):
                call(most + 1, who, who, sender=who)
    for function in ("deposit", "mint"):
        most = getattr(router, f"max{function.title()}")(heir)
        with world.evm.rollback():
            world.fund(heir, most if function == "deposit" else router.previewMint(most))
            getattr(router, function)(most, heir, sender=heir)
        with world.evm.rollback():
            world.fund(heir, 2**113)
            with pytest.raises(Revert):
                getattr(router, function)(most + 1, heir, sender=heir)


# ---- round trips, by their public names


def trip(case: Case, first: str, second: str) -> None:
    """In by one way and out by another, or out and in: whoever does it gains nothing."""
    world, unit, _ = case
    who, router = holder(case), world.router
    inward = first in ("deposit", "mint")
    by_assets = first in ("deposit", "withdraw")
    if inward:
        most = 10_000 * unit if by_assets else router.convertToShares(10_000 * unit)
    else:
        most = router.maxWithdraw(who) if by_assets else router.maxRedeem(who)
    done = 0
    for amount in amounts(case, most):
        with world.evm.rollback():
            world.fund(who, amount if by_assets else router.previewMint(amount))
            answer = go(world, who, first, amount)
            # The way back moves what came of the first, or what went into it.
            same_measure = by_assets == (second in ("deposit", "withdraw"))
            back = amount if same_measure else answer
            if back == 0:
                continue
            if not inward:
                world.fund(who, back if second == "deposit" else router.previewMint(back))
            elif back > getattr(router, f"max{second.title()}")(who):
                continue
            again = go(world, who, second, back)
            gave, got = (amount, again) if not same_measure else (answer, again)
            done += 1
            if second in ("redeem", "deposit"):
                assert got <= gave, f"{first} {amount}, {second}: {gave} became {got}"
            else:
                assert got >= gave, f"{first} {amount}, {second}: {gave} for {got}"
    assert done, "no amount made the trip"


def go(world: World, who: Address, function: str, amount: int) -> int:
    call = getattr(world.router, function)
    if function in ("deposit", "mint"):
        return int(call(amount, who, sender=who))
    return int(call(amount, who, who, sender=who))


@pytest.mark.parametrize("second", ["redeem", "withdraw"])
@pytest.mark.parametrize("first", ["deposit", "mint"])
def test_round_trip__in_and_out__never_gains(case: Case, first: str, second: str) -> None:
    """Property: R2."""
    trip(case, first, second)


@pytest.mark.parametrize("second", ["deposit", "mint"])
@pytest.mark.parametrize("first", ["redeem", "withdraw"])
def test_round_trip__out_and_in__never_gains(case: Case, first: str, second: str) -> None:
    """Property: R2."""
    trip(case, first, second)


# ---- the table


def rows() -> list[tuple[str, str]]:
    """Public name and test of every row of the table in docs/capital.md."""
    text = TABLE.read_text().partition("## Public property suites")[2].partition("\n## ")[0]
    found = re.findall(r"^\| ([^|]+) \| `([^`]+)` \|$", text, re.MULTILINE)
    return [(name, test) for names, test in found for name in re.findall(r"`([^`]+)`", names)]


@pytest.mark.parametrize("suite", [A16Z, CRYTIC], ids=["a16z", "crytic"])
def test_table__every_public_property__has_a_row(suite: tuple[str, ...]) -> None:
    assert set(suite) <= {name for name, _ in rows()}


def test_table__every_row__names_a_known_property_and_a_test_that_exists() -> None:
    for name, test in rows():
        assert name in {*A16Z, *CRYTIC}, f"{name} is in neither suite"
        path, function = test.split("::")
        tree = ast.parse(Path(ROOT / "tests" / path).read_text())
        assert function in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}, test
