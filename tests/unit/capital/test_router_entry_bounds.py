"""The router's way in, its shares and its making, to the unit."""

from __future__ import annotations

from typing import Any

from eth_account.messages import encode_typed_data

from tests.support.capital import (
    FROZEN,
    MAX,
    MAX_112,
    NORMAL,
    THROTTLED,
    WAD,
    WITHDRAW_ONLY,
    ZERO,
    World,
    build_world,
)
from tests.support.evm import CHAIN_ID, Address, Evm, reverts

SCALE = 10**6
BURN_GAS = 2
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
MAX_WITHDRAW = bytes.fromhex("ce96cb77")
JUNK = 3


def awkward(world: World, holder: Address) -> tuple[int, int]:
    """Seven assets for eleven million shares, virtual ones included."""
    strategy = world.add_strategy()
    world.deposit(holder, 10)
    world.lend(strategy, 10)
    strategy.lose(4)
    world.report(strategy)
    return 7, 11 * SCALE


# ---- in


def test_mint__a_single_share__costs_one_asset(world: World, whale: Address) -> None:
    world.fund(whale, 1)
    assert world.router.previewMint(1) == 1
    assert world.router.mint(1, whale, sender=whale) == 1
    assert world.router.balanceOf(whale) == world.router.totalSupply() == 1
    assert world.evm.told("Deposit", world.router) == [(whale, whale, 1, 1)]
    assert world.evm.told("Transfer", world.router) == [(ZERO, whale, 1)]


def test_deposit__price_does_not_divide__shares_are_rounded_down(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R2."""
    assets1, shares1 = awkward(world, whale)
    shares = 3 * shares1 // assets1
    assert 3 * shares1 % assets1 != 0
    world.fund(investor, 3)
    router = world.router
    assert router.previewDeposit(3) == router.convertToShares(3) == shares
    assert router.deposit(3, investor, shares, sender=investor) == shares
    assert router.balanceOf(investor) == shares
    assert router.idle() == 3


def test_mint__price_does_not_divide__assets_are_rounded_up(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R2."""
    assets1, shares1 = awkward(world, whale)
    assert world.router.previewMint(SCALE) == SCALE * assets1 // shares1 + 1 == 1
    assert world.router.previewMint(2 * SCALE) == 2
    assert world.router.convertToAssets(11 * SCALE // 7) == 0
    assert world.router.convertToAssets(11 * SCALE // 7 + 1) == 1
    world.fund(investor, 2)
    assert world.router.mint(2 * SCALE, investor, sender=investor) == 2


def test_share_price__one_in_wad__is_rounded_down(world: World, whale: Address) -> None:
    awkward(world, whale)
    assert world.router.sharePriceWad() == 7 * WAD // 11


def test_max_deposit__almost_full__is_what_fits_to_the_asset(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R3. At seven assets for eleven million shares."""
    assets1, shares1 = awkward(world, whale)
    most = ((2**128 - 10 * SCALE) * assets1 - 1) // shares1
    assert world.router.maxDeposit(investor) == most
    assert world.router.maxMint(investor) == 2**128 - 1 - 10 * SCALE
    world.fund(investor, most + 1)
    with reverts("OutOfBounds"):
        world.router.deposit(most + 1, investor, sender=investor)
    world.router.deposit(most, investor, sender=investor)


def fits_to_the_asset(world: World, holder: Address, shares: int) -> int:
    """Asks how much fits after two assets and such a mint; what is left of a division by price."""
    world.deposit(holder, 2)
    world.fund(holder, 10)
    world.router.mint(shares, holder, sender=holder)
    assets1 = world.router.totalAssets() + 1
    shares1 = world.router.totalSupply() + SCALE
    room = (2**128 - world.router.totalSupply()) * assets1
    most = (room - 1) // shares1
    assert world.router.maxDeposit(holder) == most
    world.fund(holder, most + 1)
    with world.evm.rollback(), reverts("OutOfBounds"):
        world.router.deposit(most + 1, holder, sender=holder)
    with world.evm.rollback():
        world.router.deposit(most, holder, sender=holder)
    return room % shares1


def test_max_deposit__a_whole_asset_would_fill_the_supply__is_one_less(
    world: World, whale: Address
) -> None:
    """Property: R3. Its shares would be one more than the supply holds."""
    assert fits_to_the_asset(world, whale, 136_808) == 0


def test_max_deposit__a_whole_asset_just_fits__is_that(world: World, whale: Address) -> None:
    """Property: R3."""
    assert fits_to_the_asset(world, whale, 1_028_207) == 1


def test_max_deposit__throttled__is_what_it_was(world: World, whale: Address) -> None:
    """Property: R3."""
    most = world.router.maxDeposit(whale), world.router.maxMint(whale)
    world.set_state(THROTTLED)
    assert (world.router.maxDeposit(whale), world.router.maxMint(whale)) == most
    assert min(most) > 0


def test_max_deposit__dear_shares__is_what_the_books_can_hold(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R3. The supply would leave room for more."""
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    world.router.setProfitUnlockTime(0, sender=world.governance)
    strategy.gain(10**12)
    world.report(strategy)
    most = MAX_112 - world.router.totalAssets()
    assert world.router.maxDeposit(investor) == most
    world.fund(investor, most + 1)
    with reverts("OutOfBounds", most + 1, most):
        world.router.deposit(most + 1, investor, sender=investor)
    world.router.deposit(most, investor, sender=investor)
    assert world.router.totalAssets() == MAX_112


def test_deposit__metered__gives_the_meter_back_what_came(whale: Address) -> None:
    """Property: S1."""
    unit = 10**18
    world = build_world(Evm(), metered=True)
    assert world.breaker is not None
    world.deposit(whale, 1_000 * unit)
    terms = (200 * unit, 86_400, unit)
    world.breaker.setLimit(world.router, world.asset, *terms, sender=world.governance)
    world.router.withdraw(50 * unit, whale, whale, sender=whale)
    before = world.breaker.available(world.router, world.asset)
    world.deposit(whale, 20 * unit)
    assert world.breaker.available(world.router, world.asset) > before


def test_deposit__less_arrives_beside_what_lies_there__says_what_arrived(whale: Address) -> None:
    world = build_world(Evm(), token="FeeToken", token_args=(0,))
    world.deposit(whale, 500)
    world.asset.setFee(100)
    world.fund(whale, 1_000)
    with reverts("AssetsArrivedDiffer", 1_000, 990):
        world.router.deposit(1_000, whale, sender=whale)


def test_max_deposit__policy_answers_neither_yes_nor_no__is_nothing(
    world: World, whale: Address
) -> None:
    policy = world.evm.deploy("JunkReturner")
    world.router.setAccessPolicy(policy, sender=world.governance)
    for answer, most in ((0, False), (1, True), (2, False)):
        policy.arm(answer.to_bytes(32, "big"))
        assert (world.router.maxDeposit(whale) > 0) == (world.router.maxMint(whale) > 0) == most


def test_deposit__token_reenters__is_refused(whale: Address) -> None:
    world = build_world(Evm(), token="ReentrantToken")
    world.fund(whale, 10)
    world.asset.arm(world.router, world.router.calldata("totalAssets"), False)
    world.router.deposit(10, whale, sender=whale)
    assert not world.asset.lastSuccess()
    assert world.router.totalAssets() == 10


def test_set_emergency_state__any__is_told_and_kept(world: World) -> None:
    before = NORMAL
    for state in (THROTTLED, WITHDRAW_ONLY, FROZEN, NORMAL):
        world.set_state(state)
        assert world.evm.told("EmergencyStateSet", world.router) == [(world.gate, before, state)]
        assert world.router.emergencyState() == state
        before = state


# ---- shares


def test_transfer__all__moves_and_one_more_is_refused(
    world: World, whale: Address, investor: Address
) -> None:
    world.deposit(whale, 10)
    world.deposit(investor, 1)
    with reverts("ERC20InsufficientBalance", whale, 10 * SCALE, 10 * SCALE + 1):
        world.router.transfer(investor, 10 * SCALE + 1, sender=whale)
    assert world.router.transfer(investor, 10 * SCALE, sender=whale)
    assert world.evm.told("Transfer", world.router) == [(whale, investor, 10 * SCALE)]
    assert world.router.balanceOf(whale) == 0
    assert world.router.balanceOf(investor) == world.router.totalSupply() == 11 * SCALE


def test_transfer__to_nobody_or_to_the_router__refused(world: World, whale: Address) -> None:
    world.deposit(whale, 10)
    for receiver in (ZERO, world.router.address):
        with reverts("ERC20InvalidReceiver", receiver):
            world.router.transfer(receiver, 1, sender=whale)


def test_transfer__withdraw_only__moves_and_frozen_does_not(
    world: World, whale: Address, investor: Address
) -> None:
    world.deposit(whale, 10)
    world.set_state(WITHDRAW_ONLY)
    world.router.transfer(investor, 1, sender=whale)
    world.set_state(FROZEN)
    with reverts("EmergencyStateForbids", FROZEN):
        world.router.transfer(investor, 1, sender=whale)


def test_transfer_from__own_shares__needs_no_allowance(
    world: World, whale: Address, investor: Address
) -> None:
    world.deposit(whale, 10)
    assert world.router.transferFrom(whale, investor, 3, sender=whale)
    assert world.router.balanceOf(investor) == 3


def test_transfer_from__just_what_is_allowed__leaves_none(
    world: World, whale: Address, investor: Address
) -> None:
    world.deposit(whale, 10)
    assert world.router.approve(investor, 3, sender=whale)
    assert world.evm.told("Approval", world.router) == [(whale, investor, 3)]
    with reverts("ERC20InsufficientAllowance", investor, 3, 4):
        world.router.transferFrom(whale, investor, 4, sender=investor)
    world.router.transferFrom(whale, investor, 3, sender=investor)
    assert world.router.allowance(whale, investor) == 0
    with reverts("ERC20InsufficientAllowance", investor, 0, 1):
        world.router.transferFrom(whale, investor, 1, sender=investor)


def test_transfer_from__endless_allowance__stays(
    world: World, whale: Address, investor: Address
) -> None:
    world.deposit(whale, 10)
    world.router.approve(investor, MAX, sender=whale)
    world.router.transferFrom(whale, investor, 3, sender=investor)
    assert world.router.allowance(whale, investor) == MAX
    world.router.approve(investor, MAX - 1, sender=whale)
    world.router.transferFrom(whale, investor, 3, sender=investor)
    assert world.router.allowance(whale, investor) == MAX - 4


def test_balance__of_the_router__is_what_is_locked(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    world.router.setProfitUnlockTime(1, sender=world.governance)
    strategy.gain(5)
    gain, _ = world.report(strategy)
    assert world.router.balanceOf(world.router) == gain * SCALE > 0
    assert world.router.totalSupply() == (10 + gain) * SCALE
    world.evm.mine(1, 1)
    assert world.router.totalSupply() == 10 * SCALE


# ---- permits


def permit(
    world: World, owner: Address, spender: str, value: int, deadline: int
) -> tuple[Any, ...]:
    domain = {
        "name": world.router.name(),
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": world.router.address,
    }
    names = ("owner address", "spender address", "value uint256", "nonce uint256")
    fields = [n.split() for n in (*names, "deadline uint256")]
    types = {"Permit": [{"name": n, "type": t} for n, t in fields]}
    nonce = world.router.nonces(owner)
    message = dict(
        zip([n for n, _ in fields], (owner, spender, value, nonce, deadline), strict=True)
    )
    signed = owner.signer.sign_message(encode_typed_data(domain, types, message))
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def test_permit__in_the_second_of_its_deadline__counts_and_a_second_later_not(
    world: World, whale: Address, investor: Address
) -> None:
    deadline = world.evm.timestamp + 1
    signature = permit(world, whale, investor, 7, deadline)
    world.evm.mine(1, 1)
    with world.evm.rollback():
        world.evm.mine(1, 1)
        with reverts("PermitExpired", deadline):
            world.router.permit(whale, investor, 7, deadline, *signature)
    world.router.permit(whale, investor, 7, deadline, *signature)
    assert world.evm.told("Approval", world.router) == [(whale, investor, 7)]
    assert (world.router.allowance(whale, investor), world.router.nonces(whale)) == (7, 1)


def test_permit__two_after_another__each_has_its_nonce(
    world: World, whale: Address, investor: Address
) -> None:
    deadline = world.evm.timestamp
    for value in (7, 8):
        signature = permit(world, whale, investor, value, deadline)
        world.router.permit(whale, investor, value, deadline, *signature)
        assert world.router.allowance(whale, investor) == value
    assert world.router.nonces(whale) == 2


def test_permit__of_nobody__refused(world: World, investor: Address) -> None:
    """What no key signed recovers to nobody, who would own what was never minted."""
    with reverts("InvalidSigner", ZERO, ZERO):
        world.router.permit(ZERO, investor, 7, MAX, 0, bytes(32), bytes(32))


def test_permit__signed_by_another__names_both(
    world: World, whale: Address, investor: Address
) -> None:
    deadline = world.evm.timestamp
    signature = permit(world, investor, investor, 7, deadline)
    with reverts("InvalidSigner"):
        world.router.permit(whale, investor, 7, deadline, *signature)
    assert world.router.nonces(whale) == 0


# ---- strategies without debt, or without worth


def test_exit__first_strategy_owes_nothing__is_not_asked(world: World, whale: Address) -> None:
    empty, strategy = world.add_strategy(), world.add_strategy()
    empty.setFault(PREVIEW_REDEEM, BURN_GAS)
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    assert world.router.previewWithdraw(10, gas=550_000) == 10 * SCALE


def test_redeem__strategy_worth_one__pays_it(world: World, whale: Address) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    strategy.lose(9)
    assert world.router.maxWithdraw(whale) == 1
    assert world.router.withdraw(1, whale, whale, sender=whale) == 10 * SCALE


def test_redeem__worthless_strategy_says_it_can_pay__takes_no_shares_for_nothing(
    world: World, whale: Address
) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    strategy.lose(10)
    strategy.setFault(MAX_WITHDRAW, JUNK)
    assert world.router.maxRedeem(whale) == SCALE - 1
    with reverts("InsufficientLiquidity", 5, 0):
        world.router.redeem(5 * SCALE, whale, whale, sender=whale)


def test_redeem__lossy_strategy_can_pay_nothing__takes_no_shares_for_nothing(
    world: World, whale: Address
) -> None:
    strategy = world.add_strategy()
    world.deposit(whale, 10)
    world.lend(strategy, 10)
    strategy.lose(8)
    strategy.setLimit(True, 0)
    with reverts("InsufficientLiquidity", 3, 0):
        world.router.redeem(3 * SCALE, whale, whale, sender=whale)
    with reverts("InvalidStrategy", strategy.address):
        world.router.redeem(3 * SCALE, whale, whale, 0, [strategy.address], sender=whale)


# ---- made of its asset


def test_decimals__asset_of_eleven__shares_have_eighteen(whale: Address) -> None:
    world = build_world(Evm(), decimals=11)
    assert world.router.decimals() == 18
    assert world.deposit(whale, 1) == 10**7


def test_decimals__asset_of_twelve__shares_have_eighteen(whale: Address) -> None:
    world = build_world(Evm(), decimals=12)
    assert world.router.decimals() == 18
    assert world.deposit(whale, 1) == SCALE


def test_decimals__asset_of_thirteen__shares_have_six_more(whale: Address) -> None:
    world = build_world(Evm(), decimals=13)
    assert world.router.decimals() == 19
    assert world.deposit(whale, 1) == SCALE


def test_decimals__asset_of_twenty_four__accepted_and_one_more_refused(whale: Address) -> None:
    world = build_world(Evm(), decimals=24)
    assert world.router.decimals() == 30
    assert world.deposit(whale, 1) == SCALE
    with reverts("OutOfBounds", 25, 24):
        build_world(Evm(), decimals=25)


def test_constructor__first_settings__as_documented(world: World) -> None:
    router = world.router
    assert router.depositCap() == 2**128 - 1
    assert router.profitUnlockTime() == 7 * 86_400
    assert (router.breaker(), router.asset()) == (ZERO, world.asset.address)
    assert (router.highWaterMarkWad(), router.idleFloorBps()) == (0, 0)
