"""The strategy base, to the unit: limits at their edges, rounding, and who speaks first."""

from __future__ import annotations

import pytest

from tests.support.capital import FROZEN, MAX, THROTTLED, ZERO, World, build_world
from tests.support.evm import Address, Contract, reverts

UNIT = 10**6
SHARE = 10**6
MAX_128 = 2**128 - 1


def bounded(world: World) -> Contract:
    return world.evm.deploy("BoundedStrategy", world.router, world.authority, world.gate)


def enter(world: World, strategy: Contract, holder: str, assets: int) -> int:
    world.asset.mint(world.router, assets)
    world.asset.approve(strategy, assets, sender=world.router)
    shares = int(strategy.deposit(assets, world.router, sender=world.router))
    strategy.transfer(holder, shares, sender=world.router)
    return shares


@pytest.fixture
def world() -> World:
    return build_world(decimals=6)


@pytest.fixture
def strategy(world: World) -> Contract:
    return bounded(world)


# ------------------------------------------------------------- limits of what comes in


def test_max_mint__room_of_one__is_the_shares_of_one(world: World, strategy: Contract) -> None:
    strategy.setRoom(1)
    assert strategy.maxMint(world.router) == SHARE
    world.asset.mint(world.router, 1)
    world.asset.approve(strategy, 1, sender=world.router)
    assert strategy.mint(SHARE, world.router, sender=world.router) == 1


def test_max_mint__no_room__is_nothing(world: World, strategy: Contract) -> None:
    strategy.setRoom(0)
    assert strategy.maxMint(world.router) == strategy.maxDeposit(world.router) == 0


def test_max_mint__room_of_a_unit__is_what_a_deposit_gives(
    world: World, strategy: Contract, whale: Address
) -> None:
    enter(world, strategy, whale, 100 * UNIT)
    world.asset.mint(strategy, 50 * UNIT)
    strategy.setRoom(UNIT)
    assert strategy.maxMint(world.router) == strategy.previewDeposit(UNIT) < UNIT * SHARE


def test_max_mint__room_of_just_128_bits__has_no_limit(world: World, strategy: Contract) -> None:
    strategy.setRoom(MAX_128)
    assert strategy.maxMint(world.router) == MAX
    strategy.setRoom(MAX_128 - 1)
    assert strategy.maxMint(world.router) == (MAX_128 - 1) * SHARE


def test_max_deposit__for_anyone_but_the_router__is_nothing(
    world: World, strategy: Contract, whale: Address
) -> None:
    assert strategy.maxDeposit(whale) == strategy.maxMint(whale) == 0
    assert strategy.maxDeposit(world.router) == MAX


def test_deposit__of_nothing_while_throttled__refused(world: World, strategy: Contract) -> None:
    """Nothing is within a limit of nothing: the state itself refuses it."""
    strategy.setEmergencyState(THROTTLED, sender=world.gate)
    with reverts("EmergencyStateForbids", THROTTLED):
        strategy.deposit(0, world.router, sender=world.router)


def test_deposit__for_another_of_nothing__refused(
    world: World, strategy: Contract, whale: Address
) -> None:
    with reverts("NotRouter", world.router.address):
        strategy.deposit(0, whale, sender=world.router)


def test_deposit__token_takes_a_fee__refused_with_what_arrived() -> None:
    world = build_world(token="FeeToken", token_args=(100,))
    strategy = bounded(world)
    world.asset.mint(world.router, 2_000)
    world.asset.approve(strategy, MAX, sender=world.router)
    with reverts("AssetsArrivedDiffer", 1_000, 990):
        strategy.deposit(1_000, world.router, sender=world.router)
    world.asset.setFee(0)
    assert strategy.deposit(1_000, world.router, sender=world.router) == 1_000 * SHARE
    # What lies here already does not make up for what a fee takes.
    world.asset.setFee(100)
    with reverts("AssetsArrivedDiffer", 1_000, 990):
        strategy.deposit(1_000, world.router, sender=world.router)


# ------------------------------------------------------------- limits of what goes out


def test_max_redeem__liquidity_just_enough__is_all(
    world: World, strategy: Contract, whale: Address
) -> None:
    shares = enter(world, strategy, whale, 100 * UNIT)
    worth = strategy.previewRedeem(shares)
    strategy.setLiquidity(worth)
    assert strategy.maxRedeem(whale) == shares
    assert strategy.maxWithdraw(whale) == worth
    strategy.setLiquidity(worth - 1)
    assert strategy.maxRedeem(whale) == strategy.convertToShares(worth - 1) < shares
    assert strategy.maxWithdraw(whale) == worth - 1


def test_max_redeem__shares_between_two_units__rounded_down(
    world: World, strategy: Contract, whale: Address
) -> None:
    """Property: R3. A share more might ask for a unit that is not there."""
    enter(world, strategy, whale, 100 * UNIT)
    world.asset.mint(strategy, 50 * UNIT)
    supply, held = strategy.totalSupply() + SHARE, strategy.totalAssets() + 1
    rests = []
    for liquid in range(UNIT, UNIT + 5):
        strategy.setLiquidity(liquid)
        assert strategy.maxRedeem(whale) == liquid * supply // held
        rests.append(liquid * supply % held)
    assert all(rests), "each was rounded"


def test_exit__frozen__the_state_speaks_before_the_owner(
    world: World, strategy: Contract, attacker: Address
) -> None:
    """Nobody's shares: whoever asks learns the state, not whom to ask."""
    strategy.setEmergencyState(FROZEN, sender=world.gate)
    with reverts("EmergencyStateForbids", FROZEN):
        strategy.redeem(0, attacker, ZERO, sender=attacker)


def test_exit__announced__with_all_that_it_was(
    world: World, strategy: Contract, whale: Address, investor: Address
) -> None:
    shares = enter(world, strategy, whale, 100 * UNIT)
    strategy.redeem(shares // 2, investor, whale, sender=whale)
    (event,) = world.evm.events("Withdraw")
    assert tuple(event.args.values()) == (whale, investor, whale, 50 * UNIT, shares // 2)


def test_exit__worth_one_unit__pays_it(world: World, strategy: Contract, whale: Address) -> None:
    enter(world, strategy, whale, 100 * UNIT)
    assert strategy.redeem(SHARE, whale, whale, sender=whale) == 1
    assert world.asset.balanceOf(whale) == 1


# ------------------------------------------------------------- inside of a call


@pytest.fixture
def hooked() -> tuple[World, Contract]:
    """A token that calls whom it is told, and a strategy over it with one unit inside."""
    world = build_world(token="ReentrantToken")
    strategy = bounded(world)
    enter(world, strategy, world.evm.account("whale"), UNIT)
    world.asset.mint(world.router, UNIT)
    world.asset.approve(strategy, UNIT, sender=world.router)
    return world, strategy


def test_total_assets__inside_of_a_call__refuses(hooked: tuple[World, Contract]) -> None:
    world, strategy = hooked
    world.asset.arm(strategy, strategy.calldata("totalAssets"), True)
    with reverts("ReentrancyGuardReentrantCall"):
        strategy.deposit(UNIT, world.router, sender=world.router)


def test_limits__inside_of_a_call__are_nothing(hooked: tuple[World, Contract]) -> None:
    """Property: R3. Each answers, and says that nothing can move."""
    world, strategy = hooked
    whale = world.evm.account("whale")
    for name, of in (
        ("maxDeposit", world.router.address),
        ("maxMint", world.router.address),
        ("maxWithdraw", whale),
        ("maxRedeem", whale),
    ):
        with world.evm.rollback():
            assert getattr(strategy, name)(of) > 0
            world.asset.arm(strategy, strategy.calldata(name, of), False)
            strategy.deposit(UNIT, world.router, sender=world.router)
            assert world.asset.lastSuccess(), name
            assert int.from_bytes(bytes(world.asset.lastResult()), "big") == 0, name


def test_call__inside_of_a_call__refused(hooked: tuple[World, Contract]) -> None:
    world, strategy = hooked
    strategy.transfer(world.asset, SHARE, sender=world.evm.account("whale"))
    mine = world.asset.address
    for data in (
        strategy.calldata("redeem", 1, mine, mine),
        strategy.calldata("redeem", 0, mine, mine),
    ):
        with world.evm.rollback():
            world.asset.arm(strategy, data, False)
            strategy.deposit(UNIT, world.router, sender=world.router)
            assert not world.asset.lastSuccess()
