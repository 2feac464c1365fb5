"""The registry alone: each bound, each refusal with what it names, each event with all it says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.evm import Address, Contract, reverts
from tests.unit.compliance.office import (
    DENIED,
    FRANCE,
    FROZEN,
    GERMANY,
    NO_REASON,
    NOBODY,
    NONE,
    OTHER,
    REASON,
    UNIT,
    Office,
)

# ----------------------------------------------------------------------- credentials


def test_submit__all_fields__are_kept_and_announced(office: Office, stranger: Address) -> None:
    fields = office.submit(stranger, 7, FRANCE, 55, 9)
    courier = office.evm.account("courier")
    investor, tier, jurisdiction, expiry, serial = fields
    said = (investor, office.provider, courier, tier, jurisdiction, expiry, serial)
    assert office.said("CredentialAccepted") == said
    record = office.registry.investorOf(stranger)
    assert (record.provider, record.expiry, record.jurisdiction) == (
        office.provider,
        expiry,
        FRANCE,
    )
    assert (record.tier, record.serial, record.restriction) == (7, 9, NONE)


def test_submit__second_one__replaces_every_field(office: Office, alice: Address) -> None:
    other = office.evm.account("other provider")
    office.act("addProvider", other)
    office.provider = other
    expiry = office.submit(alice, 5, FRANCE, 77, 2)[3]
    record = office.registry.investorOf(alice)
    assert (record.provider, record.expiry, record.jurisdiction) == (other, expiry, FRANCE)
    assert (record.tier, record.serial) == (5, 2)


def test_submit__expiry_of_this_second__accepted_and_a_past_one_refused(
    office: Office, stranger: Address
) -> None:
    now = office.evm.timestamp
    with reverts("CredentialExpired", now - 1):
        office.submit(stranger, seconds=-1)
    office.submit(stranger, seconds=0)
    assert office.registry.isEligible(stranger)
    office.evm.mine(seconds=1)
    assert not office.registry.isEligible(stranger)


def test_submit__next_serial__accepted_and_the_same_or_an_older_refused(
    office: Office, stranger: Address
) -> None:
    with reverts("StaleSerial", 0, 0):
        office.submit(stranger, serial=0)
    office.submit(stranger, serial=1)
    with reverts("StaleSerial", 1, 1):
        office.submit(stranger, serial=1)
    office.submit(stranger, serial=3)
    with reverts("StaleSerial", 2, 3):
        office.submit(stranger, serial=2)
    office.submit(stranger, serial=2**64 - 1)


def test_submit__unknown_provider__named(office: Office, stranger: Address) -> None:
    office.provider = stranger
    with reverts("UnknownProvider", stranger):
        office.submit(stranger)


def test_revoke__announces_the_serial_and_forgets_the_provider(
    office: Office, alice: Address
) -> None:
    office.submit(alice, serial=6)
    office.act("revokeCredential", alice, REASON)
    assert office.said("CredentialRevoked") == (office.boss, alice, 6, REASON)
    record = office.registry.investorOf(alice)
    assert (record.provider, record.serial) == (NOBODY, 6)
    assert not office.registry.isEligible(alice)


def test_revoke__without_a_reason__refused(office: Office, alice: Address) -> None:
    with reverts("NoReason"):
        office.act("revokeCredential", alice, NO_REASON)
    assert office.registry.isEligible(alice)


def test_eligible__tier_of_the_minimum__yes_and_one_below_no(
    office: Office, alice: Address
) -> None:
    office.act("raiseMinimumTier", 2)
    assert office.registry.isEligible(alice)
    office.act("raiseMinimumTier", 3)
    assert not office.registry.isEligible(alice)


def test_eligible__nobody_without_a_credential(office: Office, stranger: Address) -> None:
    """Not even where a provider is nobody: the expiry was never."""
    assert not office.registry.isEligible(stranger)
    assert not office.registry.isEligible(NOBODY)


# ---------------------------------------------------------------------- restrictions


def test_deny__announces_and_is_kept(office: Office, alice: Address) -> None:
    office.act("deny", alice, REASON)
    assert office.said("RestrictionSet") == (office.boss, alice, NONE, DENIED, REASON)
    assert office.registry.investorOf(alice).restriction == DENIED
    assert not office.registry.isEligible(alice)


def test_freeze__announces_and_is_kept(office: Office, alice: Address) -> None:
    office.act("freeze", alice, REASON)
    assert office.said("RestrictionSet") == (office.boss, alice, NONE, FROZEN, REASON)
    assert office.registry.investorOf(alice).restriction == FROZEN
    assert not office.registry.isEligible(alice)


def test_freeze__who_was_denied__announces_both(office: Office, alice: Address) -> None:
    office.act("deny", alice, REASON)
    office.act("freeze", alice, OTHER)
    assert office.said("RestrictionSet") == (office.boss, alice, DENIED, FROZEN, OTHER)


def test_clear__announces_both_and_is_kept(office: Office, alice: Address) -> None:
    for name, restriction in (("deny", DENIED), ("freeze", FROZEN)):
        office.act(name, alice, REASON)
        office.act("clearRestriction", alice, OTHER)
        assert office.said("RestrictionSet") == (office.boss, alice, restriction, NONE, OTHER)
        assert office.registry.isEligible(alice)


def test_deny__who_is_restricted__refused_with_what_he_is(office: Office, alice: Address) -> None:
    office.act("deny", alice, REASON)
    with reverts("NotTightening", DENIED, DENIED):
        office.act("deny", alice, REASON)
    office.act("freeze", alice, REASON)
    with reverts("NotTightening", FROZEN, DENIED):
        office.act("deny", alice, REASON)


def test_freeze__who_is_frozen__refused(office: Office, alice: Address) -> None:
    office.act("freeze", alice, REASON)
    with reverts("NotTightening", FROZEN, FROZEN):
        office.act("freeze", alice, REASON)


def test_clear__who_is_not_restricted__refused(office: Office, alice: Address) -> None:
    with reverts("NotLoosening", NONE, NONE):
        office.act("clearRestriction", alice, REASON)


def test_restrict__nobody__refused(office: Office) -> None:
    for name in ("deny", "freeze"):
        with reverts("ZeroAddress"):
            office.act(name, NOBODY, REASON)


def test_restrict__without_a_reason__refused(office: Office, alice: Address) -> None:
    for name in ("deny", "freeze"):
        with reverts("NoReason"):
            office.act(name, alice, NO_REASON)
    office.act("freeze", alice, REASON)
    with reverts("NoReason"):
        office.act("clearRestriction", alice, NO_REASON)
    assert office.registry.investorOf(alice).restriction == FROZEN


# -------------------------------------------------------------------------- settings


def test_raise_tier__one_up_accepted_and_the_same_refused(office: Office) -> None:
    office.act("raiseMinimumTier", 3)
    assert office.said("MinimumTierSet") == (office.boss, 0, 3)
    for tier in (3, 2):
        with reverts("NotTightening", 3, tier):
            office.act("raiseMinimumTier", tier)
    office.act("raiseMinimumTier", 4)
    assert office.said("MinimumTierSet") == (office.boss, 3, 4)
    assert office.registry.minimumTier() == 4


def test_lower_tier__one_down_accepted_and_the_same_refused(office: Office) -> None:
    office.act("raiseMinimumTier", 3)
    for tier in (3, 4):
        with reverts("NotLoosening", 3, tier):
            office.act("lowerMinimumTier", tier)
    office.act("lowerMinimumTier", 2)
    assert office.said("MinimumTierSet") == (office.boss, 3, 2)
    assert office.registry.minimumTier() == 2


def test_jurisdiction__closed_and_opened__announced_and_kept(office: Office) -> None:
    office.act("closeJurisdiction", FRANCE)
    assert office.said("JurisdictionSet") == (office.boss, FRANCE, True)
    assert office.registry.isJurisdictionClosed(FRANCE)
    assert not office.registry.isJurisdictionClosed(GERMANY)
    office.act("openJurisdiction", FRANCE)
    assert office.said("JurisdictionSet") == (office.boss, FRANCE, False)
    assert not office.registry.isJurisdictionClosed(FRANCE)


def test_provider__added_and_removed__announced_and_kept(office: Office, stranger: Address) -> None:
    office.act("addProvider", stranger)
    assert office.said("ProviderSet") == (office.boss, stranger, True)
    assert office.registry.isProvider(stranger)
    office.act("removeProvider", stranger)
    assert office.said("ProviderSet") == (office.boss, stranger, False)
    assert not office.registry.isProvider(stranger)


def test_add_provider__nobody__refused(office: Office) -> None:
    with reverts("ZeroAddress"):
        office.act("addProvider", NOBODY)
    assert not office.registry.isProvider(NOBODY)


def test_conduit__set_and_unset__announced_and_kept(office: Office, stranger: Address) -> None:
    for trusted in (True, False):
        office.act("setConduit", stranger, trusted)
        assert office.said("ConduitSet") == (office.boss, stranger, trusted)
        assert office.registry.isConduit(stranger) == trusted


def test_payout__nominated_and_withdrawn__announced_and_kept(
    office: Office, alice: Address
) -> None:
    heir = office.evm.account("heir")
    for payout in (heir, NOBODY):
        office.registry.nominatePayout(payout, sender=alice)
        assert office.said("PayoutNominated") == (alice, payout)
        assert office.registry.payoutOf(alice) == payout
    assert office.registry.payoutOf(heir) == NOBODY


# ---------------------------------------------------------------------------- escrow


@pytest.fixture
def token(office: Office, alice: Address) -> Contract:
    """A token of which ten units wait in alice's escrow; she is frozen."""
    found = office.evm.deploy("TestToken", "Dollar", "USD", 18)
    found.mint(office.registry.escrowOf(alice), 10 * UNIT)
    office.act("freeze", alice, REASON)
    return found


def test_release__announced_by_registry_and_escrow(
    office: Office, alice: Address, token: Contract
) -> None:
    escrow = office.registry.escrowOf(alice)
    for part in (3 * UNIT, UNIT):
        office.act("releaseEscrow", alice, token, part, alice, OTHER)
        said = (office.boss, alice, token.address, alice, part, OTHER)
        assert office.said("EscrowReleased") == said
        assert office.said("Released") == (token.address, alice, part, OTHER)
        assert office.said("Transfer") == (escrow, alice, part)
    assert token.balanceOf(escrow) == 6 * UNIT


def test_release__to_the_nominee_and_to_himself__paid(
    office: Office, alice: Address, token: Contract
) -> None:
    heir = office.evm.account("heir")
    office.registry.nominatePayout(heir, sender=alice)
    office.act("releaseEscrow", alice, token, UNIT, heir, REASON)
    office.act("releaseEscrow", alice, token, UNIT, alice, REASON)
    assert token.balanceOf(heir) == token.balanceOf(alice) == UNIT


def test_release__to_anybody_else__refused(
    office: Office, alice: Address, bob: Address, token: Contract
) -> None:
    """Property: R9. Whether somebody is nominated or not; nobody never is."""
    for nominee in (NOBODY, office.evm.account("heir")):
        office.registry.nominatePayout(nominee, sender=alice)
        for to in (bob, office.boss, NOBODY):
            with reverts("PayoutNotNominated", alice, to):
                office.act("releaseEscrow", alice, token, UNIT, to, REASON)


def test_release__without_a_reason__refused(
    office: Office, alice: Address, token: Contract
) -> None:
    with reverts("NoReason"):
        office.act("releaseEscrow", alice, token, UNIT, alice, NO_REASON)


def test_release__more_than_there_is__refused(
    office: Office, alice: Address, token: Contract
) -> None:
    with reverts("ERC20InsufficientBalance"):
        office.act("releaseEscrow", alice, token, 10 * UNIT + 1, alice, REASON)
    office.act("releaseEscrow", alice, token, 10 * UNIT, alice, REASON)


def test_claim__announces_and_pays_all(office: Office, alice: Address, token: Contract) -> None:
    with reverts("StillFrozen", alice):
        office.registry.claimEscrow(token, sender=alice)
    office.act("clearRestriction", alice, REASON)
    assert office.registry.claimEscrow(token, sender=alice) == 10 * UNIT
    why = b"claimed by investor".ljust(32, b"\0")
    said = (alice, alice, token.address, alice, 10 * UNIT, why)
    assert office.said("EscrowReleased") == said
    assert token.balanceOf(alice) == 10 * UNIT


def test_claim__who_is_denied__is_paid(office: Office, alice: Address, token: Contract) -> None:
    """Property: R9. Only a freeze keeps it where it is."""
    office.act("clearRestriction", alice, REASON)
    office.act("deny", alice, REASON)
    assert office.registry.claimEscrow(token, sender=alice) == 10 * UNIT


def test_escrow__by_another_than_the_registry__refused(
    office: Office, alice: Address, token: Contract
) -> None:
    office.act("releaseEscrow", alice, token, UNIT, alice, REASON)
    escrow = office.evm.at("ExitEscrow", office.registry.escrowOf(alice))
    for caller in (alice, office.boss):
        with reverts("NotRegistry", caller):
            escrow.release(token, UNIT, caller, REASON, sender=caller)
    escrow.release(token, UNIT, alice, REASON, sender=office.registry)
    assert token.balanceOf(alice) == 2 * UNIT
    assert (escrow.registry(), escrow.investor()) == (office.registry.address, alice)


# ------------------------------------------------------------------------ who may act


def test_restricted__by_a_stranger__each_function_refused(
    office: Office, stranger: Address
) -> None:
    calls: tuple[tuple[Any, ...], ...] = (
        ("deny", stranger, REASON),
        ("freeze", stranger, REASON),
        ("revokeCredential", stranger, REASON),
        ("closeJurisdiction", GERMANY),
        ("raiseMinimumTier", 1),
        ("removeProvider", office.provider),
        ("clearRestriction", stranger, REASON),
        ("openJurisdiction", GERMANY),
        ("lowerMinimumTier", 0),
        ("releaseEscrow", stranger, office.provider, 0, stranger, REASON),
        ("addProvider", stranger),
        ("setConduit", stranger, True),
    )
    for name, *args in calls:
        with reverts("AccessManagedUnauthorized", stranger):
            getattr(office.registry, name)(*args, sender=stranger)
