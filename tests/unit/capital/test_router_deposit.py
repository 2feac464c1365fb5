"""Unit tests of the router's way in: deposit, mint, their limits and refusals."""

from __future__ import annotations

import pytest

from tests.support.capital import (
    MAX,
    MAX_112,
    MAX_128,
    THROTTLED,
    WITHDRAW_ONLY,
    World,
    build_world,
)
from tests.support.evm import Address, Evm, reverts

UNIT = 10**18


def test_deposit__first__mints_at_one_to_one(world: World, whale: Address) -> None:
    """Property: R1."""
    shares = world.deposit(whale, 100 * UNIT)
    assert shares == 100 * UNIT * 10**6, "the first share unit costs 1e-6 asset units"
    assert world.router.balanceOf(whale) == shares
    assert world.router.totalSupply() == shares
    assert world.router.idle() == world.router.totalAssets() == 100 * UNIT
    assert world.router.convertToAssets(shares) == 100 * UNIT


def test_deposit__any__emits_what_rebuilds_the_balances(world: World, whale: Address) -> None:
    world.fund(whale, 5)
    world.router.deposit(5, world.guardian, sender=whale)
    events = {e.name: e.args for e in world.evm.last.logs if e.address == world.router.address}
    assert events["Deposit"] == {
        "sender": whale,
        "owner": world.guardian,
        "assets": 5,
        "shares": 5 * 10**6,
    }
    assert events["Transfer"]["value"] == 5 * 10**6


def test_deposit__below_the_least_shares__reverts(world: World, whale: Address) -> None:
    world.fund(whale, 5)
    with reverts("SlippageExceeded", 5 * 10**6, 5 * 10**6 + 1):
        world.router.deposit(5, whale, 5 * 10**6 + 1, sender=whale)
    assert world.router.deposit(5, whale, 5 * 10**6, sender=whale) == 5 * 10**6


def test_deposit__nothing__reverts(world: World, whale: Address) -> None:
    with reverts("ZeroAmount"):
        world.router.deposit(0, whale, sender=whale)
    with reverts("ZeroAmount"):
        world.router.mint(0, whale, sender=whale)


def test_deposit__to_nobody_or_to_the_router__reverts(world: World, whale: Address) -> None:
    world.fund(whale, 5)
    for receiver in ("0x" + "00" * 20, world.router.address):
        with reverts("ERC20InvalidReceiver"):
            world.router.deposit(5, receiver, sender=whale)
        assert world.router.maxDeposit(receiver) == 0


def test_mint__any_amount__costs_the_preview(world: World, whale: Address) -> None:
    world.deposit(whale, 7)
    world.fund(whale, 10)
    preview = world.router.previewMint(3_000_001)
    assert preview == 4, "rounded up against the buyer"
    assert world.router.mint(3_000_001, whale, sender=whale) == preview


def test_deposit__fee_on_transfer_token__is_refused(evm: Evm, whale: Address) -> None:
    world = build_world(evm, token="FeeToken", token_args=(100,))
    world.fund(whale, 1_000)
    with reverts("AssetsArrivedDiffer", 1_000, 990):
        world.router.deposit(1_000, whale, sender=whale)


def test_deposit__token_without_return_value__works(evm: Evm, whale: Address) -> None:
    world = build_world(evm, decimals=6, token="UsdtLikeToken")
    strategy = world.add_strategy("PlainVault")
    shares = world.deposit(whale, 1_000)
    world.lend(strategy, 600)
    world.lend(strategy, 100)
    assert world.router.redeem(shares, whale, whale, sender=whale) == 1_000
    assert world.asset.balanceOf(whale) == 1_000


@pytest.mark.parametrize("decimals", [0, 6, 8, 18, 24])
def test_max_deposit__uncapped__is_what_the_books_can_hold(decimals: int) -> None:
    """Property: R3."""
    world = build_world(decimals=decimals)
    whale = world.evm.account("whale")
    most = world.router.maxDeposit(whale)
    per_asset = 10 ** (world.router.decimals() - decimals)
    assert most == min(MAX_112, MAX_128 // per_asset)
    world.fund(whale, most + 1)
    with reverts("OutOfBounds"):
        world.router.deposit(most + 1, whale, sender=whale)
    world.router.deposit(most, whale, sender=whale)
    assert world.router.maxMint(whale) < per_asset


def test_max_deposit__capped__succeeds_and_one_more_fails(world: World, whale: Address) -> None:
    """Property: R3."""
    world.deposit(whale, 40)
    world.router.lowerDepositCap(100, sender=world.guardian)
    assert world.router.maxDeposit(whale) == 60
    assert world.router.maxMint(whale) == 60 * 10**6
    world.fund(whale, 100)
    with reverts("OutOfBounds", 61, 60):
        world.router.deposit(61, whale, sender=whale)
    with reverts("OutOfBounds", 61, 60):
        world.router.mint(60 * 10**6 + 1, whale, sender=whale)
    world.router.deposit(60, whale, sender=whale)
    assert world.router.maxDeposit(whale) == world.router.maxMint(whale) == 0


def test_deposit__throttled__works_and_withdraw_only_does_not(world: World, whale: Address) -> None:
    world.fund(whale, 10)
    world.set_state(THROTTLED)
    world.router.deposit(5, whale, sender=whale)
    world.set_state(WITHDRAW_ONLY)
    assert world.router.maxDeposit(whale) == world.router.maxMint(whale) == 0
    with reverts("EmergencyStateForbids", WITHDRAW_ONLY):
        world.router.deposit(5, whale, sender=whale)


def test_deposit__policy_refuses__reverts_and_max_is_zero(world: World, whale: Address) -> None:
    policy = world.evm.deploy("PolicyDouble")
    world.router.setAccessPolicy(policy, sender=world.governance)
    world.fund(whale, 10)
    world.router.deposit(5, whale, sender=whale)
    policy.setDenied(whale, True)
    assert world.router.maxDeposit(whale) == 0
    with reverts("DepositRefused", whale, whale):
        world.router.deposit(5, whale, sender=whale)
    policy.setBroken(True)
    assert world.router.maxDeposit(world.guardian) == 0, "max never reverts"
    world.router.setAccessPolicy("0x" + "00" * 20, sender=world.governance)
    world.router.deposit(5, whale, sender=whale)


def test_donation__any__changes_no_price(world: World, whale: Address) -> None:
    """Property: R8."""
    world.deposit(whale, 100)
    price = world.router.sharePriceWad()
    world.asset.mint(world.router, 10**30)
    assert world.router.sharePriceWad() == price
    assert list(world.router.holdings()) == [world.asset.address, 100, 100 + 10**30]


def test_convert__huge_amounts__do_not_wrap(world: World, whale: Address) -> None:
    world.deposit(whale, 100)
    with reverts("Panic"):
        world.router.convertToShares(MAX)
