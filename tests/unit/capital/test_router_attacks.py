"""Known attacks on vaults, tried on the router: each must cost its author, and nobody else."""

from __future__ import annotations

import pytest

from tests.support.capital import DAY, MAX_112, World, build_world
from tests.support.evm import Address, Evm, reverts

DECIMALS = (0, 6, 8, 18, 24)
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
TRANSFER = bytes.fromhex("a9059cbb")
WITHDRAW = bytes.fromhex("b460af94")
REVERT, BURN_GAS = 1, 2


@pytest.mark.parametrize("decimals", DECIMALS)
def test_inflation__first_depositor_donates__gains_nothing(decimals: int) -> None:
    """Property: R8."""
    world = build_world(decimals=decimals)
    attacker, victim = world.evm.account("attacker"), world.evm.account("investor")
    shares = world.deposit(attacker, 1)
    world.asset.mint(world.router, 10 ** (decimals + 6))
    held = world.deposit(victim, 10**decimals)
    assert world.router.redeem(held, victim, victim, sender=victim) == 10**decimals
    assert world.router.redeem(shares, attacker, attacker, sender=attacker) == 1


@pytest.mark.parametrize("decimals", DECIMALS)
def test_inflation__through_a_strategy__costs_the_attacker_more(decimals: int) -> None:
    """Property: R8. Worst case: no health limits, no unlocking, the keeper reports at once."""
    world = build_world(decimals=decimals)
    world.router.setProfitUnlockTime(0, sender=world.governance)
    attacker, victim = world.evm.account("attacker"), world.evm.account("investor")
    strategy = world.add_strategy()
    shares = world.deposit(attacker, 1)
    world.lend(strategy, 1)
    donation = 10 ** (decimals + 4)
    strategy.gain(donation)
    world.report(strategy)
    stake = donation // 10 + 1
    held = world.deposit(victim, stake)
    got = world.router.redeem(held, victim, victim, sender=victim)
    lost = stake - got
    assert lost <= stake // 10**5 + 2
    most = world.router.maxWithdraw(attacker)
    back = world.router.withdraw(most, attacker, attacker, sender=attacker) and most
    assert 1 + donation - back > lost, "what it costs him is more than what it costs the victim"
    assert world.router.balanceOf(attacker) <= shares


def test_inflation__through_a_strategy__health_limits_stop_it(
    world: World, attacker: Address
) -> None:
    strategy = world.add_strategy(gain_bps=500, loss_bps=100)
    world.deposit(attacker, 1)
    world.lend(strategy, 1)
    strategy.gain(10**24)
    assert world.report(strategy) == (0, 0)
    assert world.router.totalAssets() == 1


@pytest.mark.parametrize("hold", [0, 1, DAY, 7 * DAY])
def test_sandwich__around_a_report__earns_only_for_time_held(
    world: World, whale: Address, attacker: Address, hold: int
) -> None:
    """Property: R5. The attacker gets at most his part of what unlocked while he held."""
    unit = 10**18
    strategy = world.add_strategy()
    world.deposit(whale, 1_000 * unit)
    world.lend(strategy, 1_000 * unit)
    strategy.gain(70 * unit)
    shares = world.deposit(attacker, 1_000 * unit)
    world.report(strategy)
    if hold:
        world.evm.mine(1, hold)
    got = world.router.redeem(shares, attacker, attacker, sender=attacker)
    fair = 35 * unit * hold // (7 * DAY)
    assert got - 1_000 * unit <= fair + fair // 10**6
    if hold == 0:
        assert got <= 1_000 * unit


def test_loss__attacker_leaves_through_idle__takes_no_more_than_book_value(
    world: World, whale: Address, attacker: Address
) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 100)
    shares = world.deposit(attacker, 100)
    world.lend(strategy, 100)
    strategy.lose(100)
    assert world.router.redeem(shares, attacker, attacker, sender=attacker) == 100
    assert world.router.maxWithdraw(whale) == 0
    assert world.report(strategy)[1] == 100


def test_reentrancy__from_the_asset__is_refused(
    evm: Evm, attacker: Address, whale: Address
) -> None:
    world = build_world(evm, token="ReentrantToken")
    shares = world.deposit(whale, 100)
    world.fund(attacker, 100)
    for call in (
        world.router.deposit.encode(1, str(attacker)),
        world.router.redeem.encode(shares, str(whale), str(whale)),
        world.router.convertToAssets.encode(1),
    ):
        world.asset.arm(world.router, call, False)
        world.router.deposit(10, attacker, sender=attacker)
        assert not world.asset.lastSuccess()
    world.asset.arm(world.router, world.router.totalAssets.encode(), True)
    with reverts("Reentered"):
        world.router.redeem(shares, whale, whale, sender=whale)


def test_gas__every_strategy_burns_it__in_kind_fits_in_a_block(
    world: World, whale: Address
) -> None:
    """Property: R9."""
    for _ in range(16):
        world.add_strategy()
    shares = world.deposit(whale, 1_600)
    for strategy in world.strategies:
        world.lend(strategy, 100)
        strategy.setFault(PREVIEW_REDEEM, BURN_GAS)
        strategy.setFault(TRANSFER, BURN_GAS)
    with world.evm.metered():
        world.router.redeemInKind(shares, whale, whale, sender=whale, gas=30_000_000)
        assert world.evm.last.gas_total < 30_000_000
    owed = [world.router.owedInKind(s, whale) for s in world.strategies]
    assert min(owed) >= 99


def test_gas__too_little_to_blame_a_strategy__reverts(world: World, whale: Address) -> None:
    """Whoever sends little gas must not choose which strategy an exit passes over."""
    first, second = world.add_strategy(), world.add_strategy()
    shares = world.deposit(whale, 100)
    world.lend(first, 50)
    world.lend(second, 50)
    second.lose(25)
    lossy = 0
    for gas in range(60_000, 400_000, 5_000):
        with world.evm.rollback():
            try:
                got = world.router.redeem(shares // 2, whale, whale, sender=whale, gas=gas)
            except Exception:  # noqa: BLE001
                continue
            lossy += got != 50
    assert lossy == 0


def test_breaker__less_is_left__bounds_max_exactly(whale: Address) -> None:
    """Property: R3, S1."""
    world = build_world(decimals=6, metered=True)
    unit = 10**6
    limit = (100 * unit, DAY, unit)
    world.breaker.setLimit(world.router, world.asset, *limit, sender=world.governance)
    strategy = world.add_strategy()
    world.deposit(whale, 1_000 * unit)
    world.lend(strategy, 990 * unit)
    strategy.lose(300 * unit)
    world.evm.mine(1, 3 * DAY)
    free = world.breaker.available(world.router, world.asset)
    most = world.router.maxWithdraw(whale)
    assert most == world.router.availableLiquidity() == free < 600 * unit
    shares = world.router.maxRedeem(whale)
    with reverts("OutflowLimitExceeded"):
        world.router.withdraw(most + 1, whale, whale, sender=whale)
    with reverts("OutflowLimitExceeded"):
        world.router.redeem(shares + 1, whale, whale, sender=whale)
    with world.evm.rollback():
        assert world.router.redeem(shares, whale, whale, sender=whale) == free
    world.router.withdraw(most, whale, whale, sender=whale)


def test_caps__debt_grows_by_reports__lends_nothing_more(world: World, whale: Address) -> None:
    """Property: R4. A gain may lift a debt above its cap; a plan cannot."""
    strategy = world.add_strategy(cap=100)
    world.deposit(whale, 1_000)
    world.lend(strategy, 100)
    strategy.gain(20)
    world.report(strategy)
    assert world.debt(strategy) > 100
    assert world.router.capacity(strategy) == 0
    with reverts("CapExceeded"):
        world.lend(strategy, 1)
    assert world.state(strategy)[1] == 100 < MAX_112


def test_in_kind__while_the_vault_withholds__others_lose_nothing(
    world: World, whale: Address, attacker: Address
) -> None:
    """Property: R9, R5."""
    good, bad = world.add_strategy(), world.add_strategy()
    shares = world.deposit(whale, 10_000)
    mine = world.deposit(attacker, 10_000)
    world.lend(good, 8_000)
    world.lend(bad, 8_000)
    bad.setFault(TRANSFER, REVERT)
    bad.setFault(WITHDRAW, REVERT)
    before = world.router.convertToAssets(shares)
    world.router.redeemInKind(mine, attacker, attacker, sender=attacker)
    assert world.router.convertToAssets(shares) >= before
    assert world.router.owedInKind(bad, attacker) <= 4_000
