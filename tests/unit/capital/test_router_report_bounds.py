"""How a report reaches the books, to the unit: rounding, limits, fees and what is told."""

from __future__ import annotations

from typing import Any

from tests.support.capital import (
    BPS,
    FROZEN,
    MAX_128,
    NO_LIMIT,
    THROTTLED,
    WAD,
    WITHDRAW_ONLY,
    ZERO,
    World,
    build_world,
)
from tests.support.evm import Address, Contract, Evm, reverts

SCALE = 10**6
YEAR = 365 * 86_400


def lent(world: World, holder: Address, assets: int, kind: str = "StrategyDouble") -> Contract:
    """All of it is lent, and what unlocks does so within a second."""
    strategy = world.add_strategy(kind)
    world.deposit(holder, assets)
    world.lend(strategy, assets)
    world.router.setProfitUnlockTime(1, sender=world.governance)
    return strategy


def worth(world: World, strategy: Contract, assets: int) -> None:
    """Lets the strategy gain or lose until its shares are worth that much."""
    shares = world.state(strategy)[8]
    strategy.lose(strategy.totalAssets())
    strategy.gain(-(-assets * (shares + 1) // shares) - 1)
    assert strategy.previewRedeem(shares) == assets


def minted(world: World) -> list[tuple[Any, ...]]:
    """The router's own transfers in the last call: from, to, shares."""
    return world.evm.told("Transfer", world.router)


# ---- gains


def test_report__gain_at_a_price_that_does_not_divide__shares_are_rounded_down(
    world: World, whale: Address
) -> None:
    """Property: R5."""
    strategy = lent(world, whale, 10)
    worth(world, strategy, 6)
    world.report(strategy)
    worth(world, strategy, 7)
    assert world.report(strategy) == (1, 0)
    locked = 11 * SCALE // 7
    assert 11 * SCALE % 7 != 0
    row = (world.keeper, strategy.address, 1, 0, 7, 0, locked)
    assert world.evm.told("StrategyReported") == [row]
    assert minted(world) == [(ZERO, world.router.address, locked)]
    assert world.router.lockedShares() == locked
    assert world.state(strategy)[5] == world.evm.timestamp


def test_report__performance_fee__fee_and_mark_are_rounded(world: World, whale: Address) -> None:
    """Property: R5. The fee's shares down, the mark up: both for the holders."""
    strategy = lent(world, whale, 10)
    treasury = world.evm.account("treasury")
    world.router.setFees((2_500, 0, treasury), sender=world.governance)
    worth(world, strategy, 6)
    world.report(strategy)
    worth(world, strategy, 14)
    world.report(strategy)
    fee, shares = 2 * 11 * SCALE // 7, 8 * 11 * SCALE // 7
    assert 2 * 11 * SCALE % 7 != 0
    row = (world.keeper, strategy.address, 8, 0, 14, fee, shares - fee)
    assert world.evm.told("StrategyReported") == [row]
    assert minted(world) == [(ZERO, treasury, fee), (ZERO, world.router.address, shares - fee)]
    assert world.router.balanceOf(treasury) == fee
    assert world.router.totalSupply() == 10 * SCALE + shares
    mark, rest = divmod(15 * SCALE * WAD, 11 * SCALE + fee)
    assert rest != 0
    assert world.router.highWaterMarkWad() == mark + 1


def test_report__loss_after_a_gain__burns_what_it_costs_rounded_down(
    world: World, whale: Address
) -> None:
    """Property: R5."""
    strategy = lent(world, whale, 10)
    worth(world, strategy, 6)
    world.report(strategy)
    worth(world, strategy, 14)
    world.report(strategy)
    locked = world.router.lockedShares()
    shares1 = 11 * SCALE + locked
    assert shares1 % 15 != 0
    worth(world, strategy, 13)
    assert world.report(strategy) == (0, 1)
    left = locked - shares1 // 15
    row = (world.keeper, strategy.address, 0, 1, 13, 0, left)
    assert world.evm.told("StrategyReported") == [row]
    assert minted(world) == [(world.router.address, ZERO, locked - left)]
    assert world.router.totalDebt() == world.debt(strategy) == 13


def test_report__loss_and_nothing_locked__moves_no_share(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    worth(world, strategy, 6)
    world.report(strategy)
    assert minted(world) == []
    assert world.evm.told("StrategyReported") == [(world.keeper, strategy.address, 0, 4, 6, 0, 0)]


def test_report__neither_gain_nor_loss__tells_only_itself(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    worth(world, strategy, 14)
    world.report(strategy)
    world.evm.mine(1, 5)
    assert world.report(strategy) == (0, 0)
    assert [event.name for event in world.evm.events()] == ["StrategyReported"]
    assert world.state(strategy)[5] == world.evm.timestamp


def test_report__gain_of_one__is_locked_and_loss_of_one_is_booked(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10)
    worth(world, strategy, 11)
    assert world.report(strategy) == (1, 0)
    assert world.router.lockedShares() == SCALE
    world.evm.mine(1, 5)
    worth(world, strategy, 10)
    assert world.report(strategy) == (0, 1)
    assert world.router.totalAssets() == 10


def test_report__frozen__a_loss_of_one_is_booked(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    worth(world, strategy, 9)
    world.set_state(FROZEN)
    assert world.report(strategy) == (0, 1)
    assert world.debt(strategy) == 9


def test_report__withdraw_only__nothing_new_is_accepted(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.set_state(WITHDRAW_ONLY)
    assert world.report(strategy) == (0, 0)


def test_report__throttled__a_gain_is_accepted(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    worth(world, strategy, 12)
    world.set_state(THROTTLED)
    assert world.report(strategy) == (2, 0)


def test_report__strategy_asks_for_a_price_meanwhile__is_refused(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10, "OddAnswers")
    strategy.setQuestion(world.router, world.router.calldata("totalAssets"))
    assert strategy.previewRedeem(10) == 20, "between calls it is answered"
    assert world.report(strategy) == (0, 0)


def test_report__supply_nearly_full__fee_and_locked_shares_fit_together(
    world: World, whale: Address
) -> None:
    """Property: R5. What does not fit is not made."""
    treasury = world.evm.account("treasury")
    assets = world.router.maxDeposit(whale) * 3 // 4
    strategy = lent(world, whale, assets)
    world.router.setProfitUnlockTime(YEAR, sender=world.governance)
    world.router.setFees((2_500, 0, treasury), sender=world.governance)
    strategy.gain(assets // 2)
    world.report(strategy)
    assert world.router.balanceOf(treasury) > 2**120
    locked = world.router.lockedShares()
    most = MAX_128 - world.router.balanceOf(whale) - world.router.balanceOf(treasury)
    assert most - YEAR < locked <= most


# ---- limits of a report


def reviewed(world: World, strategy: Contract, debt: int, assets: int) -> bool:
    """Whether a report of that worth is put under review, and is told."""
    with world.evm.rollback():
        worth(world, strategy, assets)
        done = world.report(strategy)
        opened = world.evm.told("ReviewOpened") == [(strategy.address, debt, assets)]
        assert opened == (done == (0, 0)) == world.state(strategy)[7]
        return opened


def test_report__gain_of_dust__passes_any_limit_and_one_more_is_reviewed(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 100)
    world.set_health(strategy, gain_bps=0, loss_bps=0)
    assert not reviewed(world, strategy, 100, 102)
    assert reviewed(world, strategy, 100, 103)


def test_report__loss_of_dust__passes_any_limit_and_one_more_is_reviewed(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 100)
    world.set_health(strategy, gain_bps=0, loss_bps=0)
    assert not reviewed(world, strategy, 100, 98)
    assert reviewed(world, strategy, 100, 97)


def test_report__gain_at_its_limit__passes_and_one_more_is_reviewed(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 1_000)
    world.set_health(strategy, gain_bps=100, loss_bps=0)
    assert not reviewed(world, strategy, 1_000, 1_010)
    assert reviewed(world, strategy, 1_000, 1_011)


def test_report__loss_at_its_limit__passes_and_one_more_is_reviewed(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 1_000)
    world.set_health(strategy, gain_bps=0, loss_bps=100)
    assert not reviewed(world, strategy, 1_000, 990)
    assert reviewed(world, strategy, 1_000, 989)


def test_report__the_highest_limit__is_one_and_the_word_for_none_is_not(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 1_000)
    world.set_health(strategy, gain_bps=NO_LIMIT - 1)
    assert not reviewed(world, strategy, 1_000, 1_000 + 6_553)
    assert reviewed(world, strategy, 1_000, 1_000 + 6_554)
    world.set_health(strategy, gain_bps=NO_LIMIT)
    assert not reviewed(world, strategy, 1_000, 1_000 + 6_554)


# ---- fees


def fees(world: World, performance: int, management: int) -> Address:
    treasury = world.evm.account("treasury")
    world.router.setFees((performance, management, treasury), sender=world.governance)
    return treasury


def charged(world: World, strategy: Contract, assets: int) -> int:
    """Fee of a report of that worth in assets, by its shares and the price before it."""
    router = world.router
    price = (router.totalAssets() + 1, router.totalSupply() + SCALE)
    worth(world, strategy, assets)
    world.report(strategy)
    ((*_, shares, _),) = world.evm.told("StrategyReported")
    fee = -(-shares * price[0] // price[1])
    assert shares == fee * price[1] // price[0]
    return int(fee)


def test_fees__management_of_one_basis_point__two_of_twenty_thousand_a_year(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 20_000)
    fees(world, 0, 1)
    world.evm.mine(1, YEAR)
    assert charged(world, strategy, 20_100) == 2


def test_fees__management_of_one_asset_less__one_of_its_two(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 19_999)
    fees(world, 0, 1)
    world.evm.mine(1, YEAR)
    assert charged(world, strategy, 20_100) == 1


def test_fees__a_second_longer_than_a_year__a_year_is_due(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10**24)
    fees(world, 0, 200)
    world.evm.mine(1, YEAR + 1)
    assert charged(world, strategy, 2 * 10**24) == 2 * 10**22


def test_fees__set_again_after_a_year__nothing_is_due_for_it(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 20_000)
    world.evm.mine(1, YEAR)
    fees(world, 0, 200)
    assert charged(world, strategy, 20_100) == 0
    world.evm.mine(1, YEAR // 2)
    assert charged(world, strategy, 20_400) == 201


def test_fees__too_small_to_be_due__go_on_adding_up(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10_000)
    fees(world, 0, 1)
    world.evm.mine(1, YEAR // 2)
    assert charged(world, strategy, 10_001) == 0
    world.evm.mine(1, YEAR // 2)
    assert charged(world, strategy, 10_002) == 1
    assert charged(world, strategy, 10_003) == 0, "and is settled by that"


def test_fees__gain_covers_a_quarter__the_rest_stays_due(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 40_000)
    fees(world, 0, 1)
    world.evm.mine(1, YEAR)
    assert charged(world, strategy, 40_001) == 1
    assert charged(world, strategy, 40_100) == 3
    assert charged(world, strategy, 40_200) == 0


def test_fees__both__performance_is_of_what_management_left(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10_000)
    fees(world, 2_500, 100)
    world.evm.mine(1, YEAR)
    assert charged(world, strategy, 10_300) == 100 + (300 - 100) // 4


def test_fees__performance__is_rounded_down(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 100)
    fees(world, 2_500, 0)
    with world.evm.rollback():
        assert charged(world, strategy, 107) == 1
    assert charged(world, strategy, 108) == 2


def test_fees__one_share__goes_to_the_recipient(world: World, whale: Address) -> None:
    """A share costs two thirds of an asset, and the fee is one asset."""
    strategy = lent(world, whale, 10)
    world.router.setProfitUnlockTime(0, sender=world.governance)
    worth(world, strategy, 11 * SCALE * 2 // 3)
    world.report(strategy)
    treasury = fees(world, 1, 0)
    worth(world, strategy, 11 * SCALE * 2 // 3 + BPS + 100)
    world.report(strategy)
    assert world.router.balanceOf(treasury) == 1
    assert minted(world)[0] == (ZERO, treasury, 1)


def test_fees__worth_no_share__nothing_is_minted(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.router.setProfitUnlockTime(0, sender=world.governance)
    worth(world, strategy, 22 * SCALE)
    world.report(strategy)
    treasury = fees(world, 1, 0)
    worth(world, strategy, 22 * SCALE + BPS + 100)
    world.report(strategy)
    assert world.router.balanceOf(treasury) == 0
    assert minted(world) == []


def test_fees__after_a_loss__level_of_the_mark_is_rounded_up(world: World, whale: Address) -> None:
    """Property: R5. What a rounding leaves open counts as not made good yet."""
    strategy = lent(world, whale, 1_000)
    fees(world, 2_500, 0)
    charged(world, strategy, 1_300)
    world.evm.mine(1, 5)
    worth(world, strategy, 1_100)
    world.report(strategy)
    supply1 = world.router.totalSupply() + SCALE
    level, rest = divmod(world.router.highWaterMarkWad() * supply1, SCALE * WAD)
    assert rest != 0
    below = level + 1 - (1_100 + 1)
    assert below > 100
    with world.evm.rollback():
        assert charged(world, strategy, 1_100 + below + 3) == 0
    assert charged(world, strategy, 1_100 + below + 4) == 1


# ---- yield


def test_receive_yield__one__is_booked_and_told(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.deposit(whale, 5)
    world.fund(world.harvester, 1)
    world.router.receiveYield(strategy, 1, sender=world.harvester)
    assert world.evm.told("YieldReceived") == [(world.harvester, strategy.address, 1)]
    row = (world.harvester, strategy.address, 1, 0, 10, 0, SCALE)
    assert world.evm.told("StrategyReported") == [row]
    assert (world.router.idle(), world.router.totalAssets()) == (6, 16)


def test_receive_yield__with_fees__recipient_gets_his_shares(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    treasury = fees(world, 2_500, 0)
    world.fund(world.harvester, 4)
    world.router.receiveYield(strategy, 4, sender=world.harvester)
    row = (world.harvester, strategy.address, 4, 0, 10, SCALE, 3 * SCALE)
    assert world.evm.told("StrategyReported") == [row]
    assert world.router.balanceOf(treasury) == SCALE
    assert world.router.totalSupply() == 14 * SCALE
    assert world.router.idle() == 4


def test_receive_yield__states__up_to_throttled(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.fund(world.harvester, 10)
    world.set_state(THROTTLED)
    world.router.receiveYield(strategy, 1, sender=world.harvester)
    world.set_state(WITHDRAW_ONLY)
    with reverts("EmergencyStateForbids", WITHDRAW_ONLY):
        world.router.receiveYield(strategy, 1, sender=world.harvester)


def test_receive_yield__token_reenters__is_refused(whale: Address) -> None:
    world = build_world(Evm(), token="ReentrantToken")
    strategy = lent(world, whale, 10)
    world.fund(world.harvester, 4)
    world.asset.arm(world.router, world.router.calldata("totalAssets"), False)
    world.router.receiveYield(strategy, 4, sender=world.harvester)
    assert not world.asset.lastSuccess()
    assert world.router.totalAssets() == 14
