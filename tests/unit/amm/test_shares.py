"""The share token, to the share: maturity, allowances, permits."""

from __future__ import annotations

import pytest

from tests.support.amm import FOREVER, NEVER_ENDING, PoolWorld
from tests.support.evm import Address, Evm, reverts
from tests.unit.amm.test_liquidity import permit_signature

UNIT = 10**18
NOBODY = "0x" + "00" * 20


@pytest.fixture
def own() -> PoolWorld:
    """A world of this test alone, in which the whale's shares are mature."""
    world = PoolWorld(Evm())
    world.mine(2)
    return world


def mint(world: PoolWorld, owner: Address, amount: int) -> int:
    return int(world.pool.mint(amount, 3 * amount, 0, FOREVER, sender=owner)[0])


def test_mint__one_share__waits_like_any_other(own: PoolWorld, trader: Address) -> None:
    """Property: P7."""
    assert mint(own, trader, 1) == 1
    assert (own.pool.balanceOf(trader), own.pool.matureBalanceOf(trader)) == (1, 0)
    with reverts("SharesImmature", trader, 0, own.evm.block_number + 2):
        own.pool.transfer(own.treasury, 1, sender=trader)


def test_mint__maturity__at_its_block_and_not_one_before(own: PoolWorld, trader: Address) -> None:
    """Property: P7."""
    shares, due = mint(own, trader, UNIT), own.evm.block_number + 2
    assert own.pool.maturesAt(trader) == due
    for _ in range(2):
        assert own.pool.matureBalanceOf(trader) == 0
        with reverts("SharesImmature", trader, 0, due):
            own.pool.burn(1, 0, 0, trader, FOREVER, sender=trader)
        own.mine()
    assert own.evm.block_number == due
    assert own.pool.matureBalanceOf(trader) == shares
    own.pool.burn(shares, 0, 0, trader, FOREVER, sender=trader)
    assert own.pool.balanceOf(trader) == 0


def test_mint__with_mature_and_waiting_shares__only_the_mature_are_free(
    own: PoolWorld, trader: Address
) -> None:
    """Property: P7. Three mints: the first has matured, the second waits along with the third."""
    first = mint(own, trader, UNIT)
    own.mine(2)
    second = mint(own, trader, 2 * UNIT)
    own.mine(1)
    third = mint(own, trader, 4 * UNIT)
    due = own.evm.block_number + 2
    assert own.pool.balanceOf(trader) == first + second + third
    assert (own.pool.matureBalanceOf(trader), own.pool.maturesAt(trader)) == (first, due)
    with reverts("SharesImmature", trader, first, due):
        own.pool.transfer(own.treasury, first + 1, sender=trader)
    own.pool.transfer(own.treasury, first, sender=trader)
    assert own.pool.matureBalanceOf(trader) == 0
    assert own.pool.balanceOf(trader) == second + third


def test_transfer__to_whom_shares_wait__comes_mature(
    own: PoolWorld, trader: Address, whale: Address
) -> None:
    waiting = mint(own, trader, UNIT)
    own.pool.transfer(trader, 55, sender=whale)
    assert own.pool.balanceOf(trader) == waiting + 55
    assert own.pool.matureBalanceOf(trader) == 55
    own.pool.transfer(whale, 55, sender=trader)
    with reverts("SharesImmature", trader, 0, own.evm.block_number + 2):
        own.pool.transfer(whale, 1, sender=trader)


def test_transfer__all_accepted_and_one_more_refused(
    own: PoolWorld, whale: Address, trader: Address
) -> None:
    balance = int(own.pool.balanceOf(whale))
    with reverts("InsufficientBalance", balance + 1, balance):
        own.pool.transfer(trader, balance + 1, sender=whale)
    own.pool.transfer(trader, balance, sender=whale)
    assert (own.pool.balanceOf(whale), own.pool.balanceOf(trader)) == (0, balance)
    with reverts("InsufficientBalance", 1, 0):
        own.pool.burn(1, 0, 0, whale, FOREVER, sender=whale)


def test_transfer__to_nobody__refused(own: PoolWorld, whale: Address) -> None:
    with reverts("InvalidReceiver", NOBODY):
        own.pool.transfer(NOBODY, 1, sender=whale)


def test_transfer__of_nothing_or_to_oneself__changes_nothing(
    own: PoolWorld, whale: Address, trader: Address
) -> None:
    balance = own.pool.balanceOf(whale)
    own.pool.transfer(trader, 0, sender=whale)
    own.pool.transfer(whale, 77, sender=whale)
    assert own.pool.balanceOf(whale) == own.pool.matureBalanceOf(whale) == balance
    assert own.pool.balanceOf(trader) == 0


def test_transfer_from__all_that_is_allowed__accepted_and_one_more_refused(
    own: PoolWorld, whale: Address, attacker: Address
) -> None:
    own.pool.approve(attacker, 77, sender=whale)
    with reverts("InsufficientAllowance", 78, 77):
        own.pool.transferFrom(whale, attacker, 78, sender=attacker)
    own.pool.transferFrom(whale, attacker, 77, sender=attacker)
    assert own.pool.allowance(whale, attacker) == 0
    with reverts("InsufficientAllowance", 1, 0):
        own.pool.transferFrom(whale, attacker, 1, sender=attacker)


def test_transfer_from__without_limit__is_not_used_up(
    own: PoolWorld, whale: Address, attacker: Address
) -> None:
    own.pool.approve(attacker, NEVER_ENDING, sender=whale)
    own.pool.transferFrom(whale, attacker, 77, sender=attacker)
    assert own.pool.allowance(whale, attacker) == NEVER_ENDING
    own.pool.approve(attacker, NEVER_ENDING - 1, sender=whale)
    own.pool.transferFrom(whale, attacker, 77, sender=attacker)
    assert own.pool.allowance(whale, attacker) == NEVER_ENDING - 78


def test_permit__this_second__accepted_and_a_past_one_refused(
    own: PoolWorld, whale: Address, attacker: Address
) -> None:
    now = own.evm.timestamp
    late = permit_signature(own, whale, attacker, UNIT, now - 1, 0)
    with reverts("PermitExpired", now - 1):
        own.pool.permit(whale, attacker, UNIT, now - 1, *late)
    signature = permit_signature(own, whale, attacker, UNIT, now, 0)
    own.pool.permit(whale, attacker, UNIT, now, *signature)
    (event,) = own.evm.events("Approval")
    assert tuple(event.args.values()) == (whale, attacker, UNIT)
    assert own.pool.allowance(whale, attacker) == UNIT
    assert own.pool.nonces(whale) == 1


def test_permit__two_in_a_row__each_with_its_nonce(
    own: PoolWorld, whale: Address, attacker: Address
) -> None:
    for nonce, value in enumerate((5, 7)):
        assert own.pool.nonces(whale) == nonce
        signature = permit_signature(own, whale, attacker, value, FOREVER, nonce)
        own.pool.permit(whale, attacker, value, FOREVER, *signature)
        assert own.pool.allowance(whale, attacker) == value
    assert (own.pool.nonces(whale), own.pool.nonces(attacker)) == (2, 0)


def test_permit__of_another__names_both(own: PoolWorld, whale: Address, attacker: Address) -> None:
    forged = permit_signature(own, attacker, attacker, UNIT, FOREVER, 0)
    with reverts("InvalidSigner"):
        own.pool.permit(whale, attacker, UNIT, FOREVER, *forged)
    assert own.pool.allowance(whale, attacker) == own.pool.nonces(whale) == 0


def test_permit__signature_of_nothing__refused_for_the_zero_address(
    own: PoolWorld, attacker: Address
) -> None:
    with reverts("ECDSAInvalidSignature"):
        own.pool.permit(NOBODY, attacker, UNIT, FOREVER, 0, bytes(32), bytes(32))
