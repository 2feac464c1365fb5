"""What the kit does not ask of the V3 strategy: fees, sales, attacks on spot, ways out, bounds."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from fractions import Fraction

import pytest
from web3.contract import Contract as Web3Contract

from tests.kit.uniswap_v3 import DEVIATION, PERIOD, SLIPPAGE_BPS, SPACING, WAD, WIDTH, UniswapV3
from tests.kit.vault import fits
from tests.models import range_order as model
from tests.peers.tokens import deploy_token
from tests.peers.uniswap_v3 import create_pool
from tests.support.capital import FROZEN, THROTTLED, WITHDRAW_ONLY
from tests.support.evm import reverts

BPS = 10_000


@pytest.fixture(scope="module", params=(6, 18), ids=("token0", "token1"))
def stage(request: pytest.FixtureRequest) -> UniswapV3:
    """The strategy with one holder of a million; the asset is token0, then token1."""
    stage = UniswapV3(request.param)
    stage.enter(stage.account("whale"), 1_000_000 * stage.unit)
    return stage


@pytest.fixture
def case(stage: UniswapV3) -> Iterator[UniswapV3]:
    with stage.evm.rollback():
        yield copy(stage)


def modelled_worth(case: UniswapV3) -> Fraction:
    """Worth of the position at the pool's average, in real numbers, beside what lies idle."""
    vault = case.vault
    lower, upper, liquidity = vault.range()
    sums, _ = case.pool.observe([PERIOD, 0])
    mean = (sums[1] - sums[0]) // PERIOD
    assert vault.meanTick() == mean
    price = model.sqrt_ratio_at_tick(mean)
    bounds = (model.sqrt_ratio_at_tick(lower), model.sqrt_ratio_at_tick(upper))
    held = model.exact_amounts(*bounds, price, liquidity)
    idle, other = (Fraction(t.balanceOf(vault)) for t in (case.asset, case.other))
    waiting = (idle, other) if case.asset_first else (other, idle)
    both = (held[0] + waiting[0], held[1] + waiting[1])
    return model.worth(both, price, case.asset_first)


def assert_worth_is_modelled(case: UniswapV3) -> None:
    real, said = modelled_worth(case), case.vault.totalAssets()
    assert real - 3 - real / 10**17 <= said <= real


def trade_through(case: UniswapV3, bps: int) -> None:
    """A trader moves the price there and back, and pays fees to the range."""
    start = case.spot()[0]
    case.move(bps)
    case.trade_to(start)


# ---- the position


def test_deposit__first__opens_the_range_beside_the_price(case: UniswapV3) -> None:
    lower, upper, liquidity = case.vault.range()
    tick = case.spot()[1]
    assert upper - lower == WIDTH
    assert liquidity > 0
    if case.asset_first:
        assert tick < lower <= tick + SPACING
    else:
        assert upper <= tick < upper + SPACING
    assert case.asset.balanceOf(case.vault) <= 1
    assert case.vault.totalAssets() >= 1_000_000 * case.unit - 2


@pytest.mark.parametrize("bps", [-1, -5, -20, -45, -200, 100])
def test_total_assets__price_moved_and_averaged__as_the_model(case: UniswapV3, bps: int) -> None:
    case.move(bps)
    for seconds in (60, PERIOD // 2, PERIOD):
        case.evm.mine(1, seconds)
        assert_worth_is_modelled(case)


def test_deposit__average_or_spot_within_the_range__refused(case: UniswapV3) -> None:
    vault, router = case.vault, case.world.router
    case.move(-15)
    assert vault.isCalm()
    assert vault.maxDeposit(router) == 0, "the range would want the other token too"
    case.mint(router, case.unit)
    case.approve(router)
    assert not fits(vault, "deposit", case.unit, router, sender=router)
    case.wait()
    assert vault.maxDeposit(router) == 0
    case.reposition()
    assert vault.maxDeposit(router) > 0
    assert fits(vault, "deposit", case.unit, router, sender=router)


def test_deposit__of_nothing__asks_what_every_deposit_asks(case: UniswapV3) -> None:
    vault, router = case.vault, case.world.router
    before = vault.range()
    vault.deposit(0, router, sender=router)
    assert vault.range() == before, "no liquidity for nothing"
    case.move(-15)
    with reverts("InRange"):
        vault.deposit(0, router, sender=router)
    case.move(-200)
    with reverts("NotCalm"):
        vault.deposit(0, router, sender=router)


def test_max_deposit__range_would_end_beyond_the_last_tick__nothing(case: UniswapV3) -> None:
    case.move(-20)
    case.wait()
    widest = case.deploy_strategy(width=model.MAX_TICK // SPACING * SPACING)
    narrow = case.deploy_strategy()
    assert widest.isCalm()
    assert widest.maxDeposit(case.world.router) == 0 < narrow.maxDeposit(case.world.router)


def test_unwind__again__finds_nothing_left(case: UniswapV3) -> None:
    vault, keeper = case.vault, case.world.keeper
    vault.unwind(sender=keeper)
    assert vault.range()[2] == 0
    held = case.asset.balanceOf(vault)
    vault.unwind(sender=keeper)
    assert case.asset.balanceOf(vault) == held == vault.totalAssets()


def test_reposition__after_a_conversion__holds_the_asset_again(case: UniswapV3) -> None:
    vault, before = case.vault, case.vault.range()
    case.move(-100)
    case.wait()
    worth = vault.totalAssets()
    assert vault.maxWithdraw(case.account("whale")) == 0
    assert case.asset.balanceOf(vault) <= 1
    case.reposition()
    assert vault.range() != before
    sold = case.evm.events("OtherSold")[0]
    assert sold["proceeds"] >= sold["minimum"] > 0
    assert case.evm.events("Repositioned")[0]["by"] == case.world.keeper
    assert case.other.balanceOf(vault) == 0
    assert case.other.allowance(vault, case.venue) == 0
    assert vault.totalAssets() >= worth - worth * SLIPPAGE_BPS // BPS
    assert vault.maxRedeem(case.account("whale")) == vault.balanceOf(case.account("whale"))


# ---- fees


def test_claim_rewards__fees_of_trades__both_tokens_and_no_capital(case: UniswapV3) -> None:
    vault, harvester = case.vault, case.world.harvester
    case.permit_harvester()
    before = vault.totalAssets()
    for _ in range(3):
        trade_through(case, -80)
    assert vault.totalAssets() == before, "fees count for nothing before they are sold"
    vault.claimRewards(harvester, sender=harvester)
    claimed = case.evm.events("RewardsClaimed")[0]
    assert list(claimed["tokens"]) == [case.asset.address, case.other.address]
    got = [case.asset.balanceOf(harvester), case.other.balanceOf(harvester)]
    assert got == list(claimed["amounts"])
    # Three times the whole position there and back, at five basis points.
    for amount, unit in zip(got, (case.unit, WAD), strict=True):
        assert 1_450 * unit < amount < 1_510 * unit
    assert before - 1 <= vault.totalAssets() <= before
    vault.claimRewards(harvester, sender=harvester)
    assert list(case.evm.events("RewardsClaimed")[0]["amounts"]) == [0, 0]


def test_exit__with_fees_owed__takes_none_of_them(case: UniswapV3) -> None:
    vault, owner, harvester = case.vault, case.account("whale"), case.world.harvester
    case.permit_harvester()
    trade_through(case, -80)
    shares = vault.balanceOf(owner)
    got = vault.redeem(shares, owner, owner, sender=owner)
    assert got <= 1_000_000 * case.unit
    assert vault.range()[2] == 0
    vault.claimRewards(harvester, sender=harvester)
    assert case.asset.balanceOf(harvester) > 400 * case.unit


# ---- attacks on the price


@pytest.mark.parametrize("bps", [-9_000, -3_000, -120, -49, -10, 10, 49, 120, 3_000])
def test_attack__spot_pushed_within_a_block__worth_and_price_stand(
    case: UniswapV3, bps: int
) -> None:
    """Slippage on a manipulated venue: flash capital moves the real pool as far as it can."""
    vault, router = case.vault, case.world.router
    before = (vault.totalAssets(), vault.previewRedeem(WAD), vault.previewDeposit(case.unit))
    case.move(bps)
    assert before == (
        vault.totalAssets(),
        vault.previewRedeem(WAD),
        vault.previewDeposit(case.unit),
    )
    if abs(bps) > DEVIATION + 5:
        assert not vault.isCalm()
        owner = case.account("whale")
        assert vault.maxDeposit(router) == vault.maxWithdraw(owner) == vault.maxRedeem(owner) == 0
        with reverts():
            vault.redeem(1, owner, owner, sender=owner)


@pytest.mark.parametrize("push", [-48, -30, -10, 30, 48])
@pytest.mark.parametrize("drift", [0, -15, -30])
def test_attack__exit_at_a_spot_pushed_within_the_bound__costs_nobody_else(
    case: UniswapV3, push: int, drift: int
) -> None:
    """The attacker leaves at his spot, then pushes it back: others keep what they had."""
    vault, attacker, whale = case.vault, case.account("attacker"), case.account("whale")
    case.enter(attacker, 100_000 * case.unit)
    case.move(drift)
    case.wait()
    kept = vault.balanceOf(whale)
    before, fair = vault.convertToAssets(kept), vault.convertToAssets(vault.balanceOf(attacker))
    start = case.spot()[0]
    case.move(push)
    most = vault.maxWithdraw(attacker)
    if most:
        vault.withdraw(most, attacker, attacker, sender=attacker)
    assert most <= fair
    assert vault.convertToAssets(kept) >= before - 2
    case.trade_to(start)
    assert vault.convertToAssets(kept) >= before - 2


def test_attack__entry_at_a_pushed_spot__refused_or_at_the_average(case: UniswapV3) -> None:
    vault, router, whale = case.vault, case.world.router, case.account("whale")
    kept = vault.balanceOf(whale)
    before = vault.convertToAssets(kept)
    for push in (-40, -10, 10, 40):
        with case.evm.rollback():
            start = case.spot()[0]
            case.move(push)
            case.mint(router, 50_000 * case.unit)
            case.approve(router)
            if vault.maxDeposit(router):
                vault.deposit(50_000 * case.unit, router, sender=router)
            case.trade_to(start)
            assert vault.convertToAssets(kept) >= before - 1
            assert vault.convertToAssets(vault.balanceOf(router)) <= 50_000 * case.unit


def test_attack__from_within_a_swap_of_the_pool__sees_the_same_worth_and_cannot_move(
    case: UniswapV3,
) -> None:
    """Read-only reentrancy from the pool: in its callback the price has moved, nothing is paid."""
    vault, owner = case.vault, case.account("whale")
    intruder = case.evm.deploy("V3Intruder", case.pool)
    for token in (case.asset, case.other):
        token.mint(intruder, 10**6 * WAD)
    worth = vault.totalAssets()
    vault.transfer(intruder, vault.balanceOf(owner) // 2, sender=owner)
    mine = str(intruder)
    asked = (
        vault.calldata("totalAssets"),
        vault.calldata("maxWithdraw", mine),
        vault.calldata("maxDeposit", case.world.router.address),
        vault.calldata("redeem", 10**9, mine, mine),
        vault.calldata("redeemInTokens", 10**9, mine, mine),
    )
    for zero_for_one in (True, False):
        with case.evm.rollback():
            intruder.run(zero_for_one, 1_000 * case.unit, vault, asked)
            answers = [(bool(ok), bytes(data)) for ok, data in intruder.answers()]
            assert [ok for ok, _ in answers] == [True, True, True, False, False]
            words = [int.from_bytes(data, "big") for _, data in answers[:3]]
            assert words == [worth, 0, 0]
    assert vault.maxWithdraw(intruder) > 0


def test_attack__sandwich_around_the_sale__refused_below_the_minimum(case: UniswapV3) -> None:
    vault, keeper = case.vault, case.world.keeper
    case.move(-100)
    case.wait()
    case.oracle.setRate(case.other, case.rate())
    case.move(-200)
    with reverts():
        vault.reposition(sender=keeper)
    with reverts():
        vault.unwind(sender=keeper)
    case.move(205)
    vault.unwind(sender=keeper)
    assert vault.maxRedeem(case.account("whale")) == vault.balanceOf(case.account("whale"))


def test_sale__venue_pays_less_than_it_says__refused(case: UniswapV3) -> None:
    lying = case.evm.deploy("PricedVenue", case.unit)
    lying.setLies(True)
    vault = case.deploy_strategy(venue=lying)
    case.vault = vault
    case.enter(case.account("whale"), 1_000 * case.unit)
    case.move(-100)
    case.wait()
    with reverts("Underpaid"):
        vault.unwind(sender=case.world.keeper)


def test_sale__oracle_and_average__the_better_one_binds(case: UniswapV3) -> None:
    vault, keeper = case.vault, case.world.keeper
    case.move(-100)
    case.wait()
    case.oracle.setRate(case.other, case.rate() * 102 // 100)
    with reverts():
        vault.unwind(sender=keeper)
    case.oracle.setRate(case.other, 1)
    vault.unwind(sender=keeper)
    sold = case.evm.events("OtherSold")[0]
    assert sold["minimum"] >= sold["amount"] * case.unit // WAD * 97 // 100


# ---- ways out


def test_redeem_in_tokens__price_away_and_not_calm__pays_both_pro_rata(case: UniswapV3) -> None:
    """Property: R9. Nobody needs a keeper, a price or a buyer to leave."""
    vault, owner, heir = case.vault, case.account("whale"), case.account("heir")
    case.move(-40)
    assert vault.maxRedeem(owner) < vault.balanceOf(owner)
    case.move(-5_000)
    vault.setEmergencyState(WITHDRAW_ONLY, sender=case.world.gate)
    shares = vault.balanceOf(owner)
    liquidity = vault.range()[2]
    assets, other = vault.redeemInTokens(shares // 4, heir, owner, sender=owner)
    assert (case.asset.balanceOf(heir), case.other.balanceOf(heir)) == (assets, other)
    assert other > 249_000 * WAD
    assert 0 <= vault.range()[2] - liquidity * 3 // 4 <= liquidity // 10**9
    event = case.evm.events("RedeemedInTokens")[0]
    assert (event["caller"], event["receiver"], event["owner"]) == (owner, heir, owner)
    with reverts("ERC20InsufficientAllowance"):
        vault.redeemInTokens(1, heir, owner, sender=heir)
    vault.redeemInTokens(vault.balanceOf(owner), owner, owner, sender=owner)
    assert vault.totalSupply() == 0
    assert vault.range()[2] <= liquidity // 10**9
    vault.setEmergencyState(FROZEN, sender=case.world.gate)
    with reverts("EmergencyStateForbids"):
        vault.redeemInTokens(0, owner, owner, sender=owner)


def test_redeem_in_tokens__others__keep_their_price(case: UniswapV3) -> None:
    vault, owner, other = case.vault, case.account("whale"), case.account("investor")
    case.enter(other, 1_000 * case.unit)
    case.move(-20)
    case.wait()
    shares = vault.balanceOf(other)
    before = vault.convertToAssets(shares)
    vault.redeemInTokens(vault.balanceOf(owner) // 3, owner, owner, sender=owner)
    assert before - 1 <= vault.convertToAssets(shares) <= before + 1


def test_unwind__in_withdraw_only__lets_all_leave_whatever_the_price(case: UniswapV3) -> None:
    vault, owner = case.vault, case.account("whale")
    vault.setEmergencyState(WITHDRAW_ONLY, sender=case.world.gate)
    with reverts("EmergencyStateForbids"):
        vault.reposition(sender=case.world.keeper)
    vault.unwind(sender=case.world.keeper)
    case.move(-4_000)
    shares = vault.balanceOf(owner)
    assert vault.maxRedeem(owner) == shares
    assert vault.redeem(shares, owner, owner, sender=owner) >= 999_999 * case.unit


# ---- who may, and what is refused


def test_keeper_calls__by_anyone_else__refused(case: UniswapV3) -> None:
    for name in ("reposition", "unwind"):
        with reverts("AccessManagedUnauthorized"):
            getattr(case.vault, name)(sender=case.account("attacker"))
    with reverts("NotPool"):
        case.vault.uniswapV3MintCallback(1, 1, b"", sender=case.account("attacker"))


def test_reposition__throttled_or_not_calm__refused(case: UniswapV3) -> None:
    keeper = case.world.keeper
    case.move(150)
    with reverts("NotCalm"):
        case.vault.reposition(sender=keeper)
    case.vault.setEmergencyState(THROTTLED, sender=case.world.gate)
    with reverts("EmergencyStateForbids"):
        case.vault.reposition(sender=keeper)


@pytest.mark.parametrize(
    "change",
    [
        {"twapPeriod": 299},
        {"twapPeriod": 86_400},
        {"maxDeviation": 0},
        {"maxDeviation": 1_001},
        {"width": 0},
        {"width": SPACING + 1},
        {"maxSlippageBps": 1_001},
        {"oracle": "0x" + "00" * 20},
        {"venue": "0x" + "00" * 20},
    ],
)
def test_constructor__bad_configuration__refused(
    case: UniswapV3, change: dict[str, object]
) -> None:
    with reverts("InvalidConfig"):
        case.deploy_strategy(**change)


def fresh_pool(case: UniswapV3, token: Web3Contract) -> str:
    """A pool of the other token and this one that was created in this block."""
    pair = {"token_a": token, "token_b": case.other_token, "amount_a": case.unit, "amount_b": WAD}
    pool = create_pool(case.client, case.boss, case.v3, **pair, fee=3_000, observations=200)
    return str(pool.address)


def test_constructor__pool_of_other_tokens__refused(case: UniswapV3) -> None:
    third = deploy_token(case.client, case.boss, "Third", "3RD", 18)
    with reverts("NotInPool", case.asset.address):
        case.deploy_strategy(pool=fresh_pool(case, third))


def test_memory__shorter_than_the_period__takes_nothing_in(case: UniswapV3) -> None:
    router = case.world.router
    vault = case.deploy_strategy(pool=fresh_pool(case, case.token))
    assert vault.maxDeposit(router) == vault.totalAssets() == 0
    assert not vault.isCalm()
    with reverts("TwapUnavailable"):
        vault.meanTick()
    case.vault = vault
    with reverts():
        case.enter(case.account("whale"), case.unit)
    case.evm.mine(1, PERIOD)
    assert vault.isCalm()
    case.enter(case.account("whale"), case.unit)
    assert vault.totalAssets() >= case.unit - 1


def test_config__as_given(case: UniswapV3) -> None:
    vault = case.vault
    assert tuple(vault.config()) == tuple(
        getattr(value, "address", value) for value in case.settings()
    )
    assert vault.otherToken() == case.other.address
    assert list(vault.rewardTokens()) == [case.asset.address, case.other.address]
