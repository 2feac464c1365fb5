"""Unit tests of reports: how gains, losses, fees and sold rewards reach the books."""

from __future__ import annotations

from tests.support.capital import DAY, FROZEN, WAD, WITHDRAW_ONLY, World
from tests.support.evm import Address, reverts

UNIT = 10**18
WEEK = 7 * DAY
YEAR = 365 * DAY


def lent(world: World, whale: Address, assets: int = 1_000 * UNIT) -> tuple[int, object]:
    strategy = world.add_strategy()
    shares = world.deposit(whale, assets)
    world.lend(strategy, assets)
    return shares, strategy


def test_report__gain__unlocks_linearly(world: World, whale: Address) -> None:
    """Property: R5."""
    shares, strategy = lent(world, whale)
    strategy.gain(70 * UNIT)
    before = world.router.sharePriceWad()
    gain, loss = world.report(strategy)
    assert (gain, loss) == (70 * UNIT - 1, 0), "the vault keeps a unit for its virtual share"
    assert 0 <= world.router.sharePriceWad() - before <= 1, "a report does not move the price"
    assert world.router.totalAssets() == 1_070 * UNIT - 1
    locked = world.router.lockedShares()
    assert world.router.balanceOf(world.router) == locked
    for day in range(1, 8):
        world.evm.mine(1, DAY)
        assert world.router.lockedShares() == locked * (7 - day) // 7
    assert world.router.totalSupply() == shares
    assert 1_070 * UNIT - 10**3 <= world.router.convertToAssets(shares) <= 1_070 * UNIT - 1


def test_report__gain__cannot_be_sniped_in_its_block(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R5, R2."""
    _, strategy = lent(world, whale)
    strategy.gain(100 * UNIT)
    shares = world.deposit(attacker, 10_000 * UNIT)
    world.report(strategy)
    got = world.router.redeem(shares, attacker, attacker, sender=attacker)
    assert got <= 10_000 * UNIT


def test_report__loss__burns_locked_profit_first(world: World, whale: Address) -> None:
    """Property: R5."""
    shares, strategy = lent(world, whale)
    strategy.gain(100 * UNIT)
    world.report(strategy)
    price = world.router.convertToAssets(shares)
    strategy.lose(40 * UNIT)
    assert world.report(strategy)[1] in (40 * UNIT, 40 * UNIT + 1)
    assert abs(world.router.convertToAssets(shares) - price) <= 10**6
    strategy.lose(160 * UNIT)
    world.report(strategy)
    assert world.router.lockedShares() == 0
    left = world.router.convertToAssets(shares)
    assert 900 * UNIT - 10**6 <= left <= 900 * UNIT, (
        "what locked profit does not cover acts at once"
    )


def test_report__beyond_the_health_limits__opens_a_review(world: World, whale: Address) -> None:
    _, strategy = lent(world, whale)
    world.set_health(strategy, gain_bps=100, loss_bps=50)
    strategy.gain(11 * UNIT)
    assert world.report(strategy) == (0, 0)
    review = next(e.args for e in world.evm.last.logs if e.name == "ReviewOpened")
    assert review["debt"] == 1_000 * UNIT
    assert world.state(strategy)[7], "under review"
    assert world.router.capacity(strategy) == 0
    world.deposit(whale, 10)
    with reverts("StrategyUnderReview", strategy.address):
        world.lend(strategy, 10)
    world.recall(strategy, 5)
    world.set_health(strategy, gain_bps=200, loss_bps=50)
    world.router.closeReview(strategy, sender=world.governance)
    assert world.report(strategy)[0] >= 11 * UNIT - 2
    world.lend(strategy, 10)
    strategy.lose(6 * UNIT)
    assert world.report(strategy) == (0, 0)
    assert world.state(strategy)[7]


def test_report__withdraw_only__books_losses_and_no_gain(world: World, whale: Address) -> None:
    _, strategy = lent(world, whale)
    strategy.gain(UNIT)
    world.set_state(WITHDRAW_ONLY)
    with reverts("EmergencyStateForbids", WITHDRAW_ONLY):
        world.report(strategy)
    strategy.lose(2 * UNIT)
    assert world.report(strategy)[1] >= UNIT


def test_report__frozen__books_the_loss_before_exits_open_again(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R5, S5. Frozen on a loss, nobody leaves through idle at the old price."""
    shares = world.deposit(attacker, 100 * UNIT)
    _, strategy = lent(world, whale)
    assert world.router.idle() >= 100 * UNIT
    world.set_state(FROZEN)
    with reverts("EmergencyStateForbids", FROZEN):
        world.report(strategy)
    strategy.gain(UNIT)
    with reverts("EmergencyStateForbids", FROZEN):
        world.report(strategy)
    strategy.lose(51 * UNIT)
    before = world.router.convertToAssets(shares)
    balance = world.router.balanceOf(whale)
    assert world.report(strategy)[1] in (50 * UNIT, 50 * UNIT + 1)
    assert world.router.balanceOf(whale) == balance, "S2: no holder's balance falls"
    world.set_state(WITHDRAW_ONLY)
    fair = world.router.convertToAssets(shares)
    assert fair < before - 4 * UNIT
    assert world.router.redeem(shares, attacker, attacker, sender=attacker) == fair


def test_report__by_anyone_else__reverts(world: World, attacker: Address) -> None:
    strategy = world.add_strategy()
    with reverts("AccessManagedUnauthorized"):
        world.router.processReport(strategy, sender=attacker)
    with reverts("UnknownStrategy"):
        world.report(world.asset)


def test_report__strategy_cannot_be_read__reverts(world: World, whale: Address) -> None:
    _, strategy = lent(world, whale)
    strategy.setFault(bytes.fromhex("4cdad506"), 1)
    with reverts("InvalidStrategy", strategy.address):
        world.report(strategy)
    assert world.router.sharePriceWad() > 0, "the breaker's view takes book value"


def test_fees__performance__only_above_the_high_water_mark(world: World, whale: Address) -> None:
    shares, strategy = lent(world, whale)
    treasury = world.evm.account("treasury")
    world.router.setFees((2_000, 0, treasury), sender=world.governance)
    strategy.gain(100 * UNIT)
    world.report(strategy)
    fee = world.router.convertToAssets(world.router.balanceOf(treasury))
    assert 20 * UNIT - 10**3 <= fee <= 20 * UNIT
    mark = world.router.highWaterMarkWad()
    world.evm.mine(1, WEEK)
    strategy.lose(200 * UNIT)
    world.report(strategy)
    held = world.router.balanceOf(treasury)
    strategy.gain(190 * UNIT)
    world.report(strategy)
    assert world.router.balanceOf(treasury) == held, "what only makes up for a loss bears no fee"
    strategy.gain(110 * UNIT)
    world.report(strategy)
    fresh = world.router.balanceOf(treasury) - held
    assert 19 * UNIT <= world.router.convertToAssets(fresh) <= 20 * UNIT
    assert world.router.highWaterMarkWad() > mark
    assert shares == world.router.balanceOf(whale)


def test_fees__management__is_taken_from_gains_only(world: World, whale: Address) -> None:
    """Property: R5."""
    _, strategy = lent(world, whale)
    treasury = world.evm.account("treasury")
    world.router.setFees((0, 200, treasury), sender=world.governance)
    world.evm.mine(1, YEAR // 2)
    before = world.router.sharePriceWad()
    world.report(strategy)
    assert world.router.balanceOf(treasury) == 0, "no gain, no fee"
    strategy.gain(4 * UNIT)
    world.report(strategy)
    taken = world.router.convertToAssets(world.router.balanceOf(treasury))
    assert 4 * UNIT - 10**3 <= taken <= 4 * UNIT, "all of a gain smaller than what is due"
    strategy.gain(50 * UNIT)
    world.report(strategy)
    total = world.router.convertToAssets(world.router.balanceOf(treasury))
    due = 10 * UNIT
    assert due <= total <= due + UNIT // 10, "half a year at two percent, in all"
    assert world.router.sharePriceWad() >= before


def test_receive_yield__from_the_harvester__is_locked_as_profit(
    world: World, whale: Address
) -> None:
    _, strategy = lent(world, whale)
    price = world.router.sharePriceWad()
    world.fund(world.harvester, 10 * UNIT)
    with reverts("AccessManagedUnauthorized"):
        world.router.receiveYield(strategy, 10 * UNIT, sender=whale)
    world.router.receiveYield(strategy, 10 * UNIT, sender=world.harvester)
    assert world.router.idle() == 10 * UNIT
    assert world.router.totalAssets() == 1_010 * UNIT
    assert 0 <= world.router.sharePriceWad() - price <= 1
    with reverts("ZeroAmount"):
        world.router.receiveYield(strategy, 0, sender=world.harvester)
    with reverts("UnknownStrategy"):
        world.router.receiveYield(whale, 1, sender=world.harvester)


def test_receive_yield__less_arrives__reverts(whale: Address) -> None:
    from tests.support.capital import build_world  # noqa: PLC0415

    world = build_world(token="FeeToken", token_args=(0,))
    _, strategy = lent(world, whale)
    world.asset.setFee(100)
    world.fund(world.harvester, 1_000)
    with reverts("AssetsArrivedDiffer", 1_000, 990):
        world.router.receiveYield(strategy, 1_000, sender=world.harvester)


def test_share_price__unreported_loss__is_in_it(world: World, whale: Address) -> None:
    _, strategy = lent(world, whale)
    assert world.router.sharePriceWad() == WAD
    strategy.lose(100 * UNIT)
    assert WAD * 90 // 100 - 10 <= world.router.sharePriceWad() <= WAD * 90 // 100
    strategy.gain(500 * UNIT)
    assert world.router.sharePriceWad() == WAD, "a gain that is not reported is not"


def test_report__told_by_events__equals_locked_balance(world: World, whale: Address) -> None:
    """Mints and burns of the router's own balance, summed, are the locked shares."""
    _, strategy = lent(world, whale)
    told = 0
    for days, gain, loss in ((1, 50, 0), (2, 30, 0), (3, 0, 40), (10, 1, 0), (1, 0, 500)):
        world.evm.mine(1, days * DAY)
        if gain:
            strategy.gain(gain * UNIT)
        if loss:
            strategy.lose(loss * UNIT)
        world.report(strategy)
        for event in world.evm.last.logs:
            if event.name == "Transfer" and event.address == world.router.address:
                told += event.args["value"] * (event.args["to"] == world.router.address)
                told -= event.args["value"] * (event.args["from"] == world.router.address)
        assert told == world.router.lockedShares()
