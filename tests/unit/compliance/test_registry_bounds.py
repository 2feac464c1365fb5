"""The registry alone: each bound, each refusal with what it names, each event with all it says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.evm import Address, Contract, Evm, reverts
from tests.support.flows import CREDENTIAL, packed, sign_typed

GERMANY, FRANCE = 276, 250
NONE, DENIED, FROZEN = range(3)
REASON, OTHER = b"court order 12".ljust(32, b"\0"), b"letter".ljust(32, b"\0")
NO_REASON = bytes(32)
NOBODY = "0x" + "00" * 20
UNIT = 10**18
DAY = 86_400


@dataclass
class Desk:
    """A registry whose governance holds every role."""

    evm: Evm
    registry: Contract
    boss: Address
    provider: Address

    @classmethod
    def open(cls) -> Desk:
        evm = Evm()
        boss, provider = evm.account("governance"), evm.account("provider")
        registry = evm.deploy("InvestorRegistry", evm.deploy("AccessAuthority", boss))
        registry.addProvider(provider, sender=boss)
        return cls(evm, registry, boss, provider)

    def act(self, name: str, *args: Any) -> None:
        getattr(self.registry, name)(*args, sender=self.boss)

    def submit(
        self,
        investor: str,
        tier: int = 2,
        jurisdiction: int = GERMANY,
        seconds: int = DAY,
        serial: int = 1,
    ) -> tuple[Any, ...]:
        """A credential that its provider signed, valid for so many seconds from now."""
        fields = (investor, tier, jurisdiction, self.evm.timestamp + seconds, serial)
        names = [field["name"] for field in CREDENTIAL]
        message = dict(zip(names, fields, strict=True))
        domain = ("Breakwater InvestorRegistry", self.registry, "Credential")
        signature = packed(sign_typed(self.provider, *domain, CREDENTIAL, message))
        courier = self.evm.account("courier")
        self.registry.submitCredential(fields, self.provider, signature, sender=courier)
        return fields

    def admitted(self, label: str) -> Address:
        account = self.evm.account(label)
        self.submit(account)
        return account

    def said(self, name: str) -> tuple[Any, ...]:
        """Arguments of the only event of that name in the last call."""
        (event,) = self.evm.events(name)
        return tuple(bytes(v) if isinstance(v, bytes) else v for v in event.args.values())


@pytest.fixture
def desk() -> Desk:
    return Desk.open()


@pytest.fixture
def alice(desk: Desk) -> Address:
    return desk.admitted("alice")


@pytest.fixture
def bob(desk: Desk) -> Address:
    return desk.admitted("bob")


@pytest.fixture
def stranger(desk: Desk) -> Address:
    return desk.evm.account("stranger")


@pytest.fixture
def conduit(desk: Desk) -> Address:
    account = desk.evm.account("conduit")
    desk.act("setConduit", account, True)
    return account


# --------------------------------------------------------------------- who may enter


def test_can_deposit__two_who_are_eligible__yes(desk: Desk, alice: Address, bob: Address) -> None:
    assert desk.registry.canDeposit(alice, bob)
    assert desk.registry.canDeposit(alice, alice)


def test_can_deposit__one_who_is_not__no(desk: Desk, alice: Address, stranger: Address) -> None:
    assert not desk.registry.canDeposit(alice, stranger)
    assert not desk.registry.canDeposit(stranger, alice)
    assert not desk.registry.canDeposit(stranger, stranger)


def test_can_deposit__conduit_pays__receiver_decides(
    desk: Desk, alice: Address, stranger: Address, conduit: Address
) -> None:
    other = desk.evm.account("other conduit")
    desk.act("setConduit", other, True)
    assert desk.registry.canDeposit(conduit, alice)
    assert desk.registry.canDeposit(conduit, other)
    assert desk.registry.canDeposit(conduit, conduit)
    assert not desk.registry.canDeposit(conduit, stranger)


def test_can_deposit__conduit_receives_from_an_investor__no(
    desk: Desk, alice: Address, stranger: Address, conduit: Address
) -> None:
    assert not desk.registry.canDeposit(alice, conduit)
    assert not desk.registry.canDeposit(stranger, conduit)


def test_can_transfer__two_who_are_eligible__yes(desk: Desk, alice: Address, bob: Address) -> None:
    assert desk.registry.canTransfer(alice, bob)


def test_can_transfer__one_who_is_not__no(desk: Desk, alice: Address, stranger: Address) -> None:
    assert not desk.registry.canTransfer(alice, stranger)
    assert not desk.registry.canTransfer(stranger, alice)
    assert not desk.registry.canTransfer(stranger, stranger)


def test_can_transfer__conduit_on_either_side__yes(
    desk: Desk, stranger: Address, conduit: Address
) -> None:
    assert desk.registry.canTransfer(conduit, stranger)
    assert desk.registry.canTransfer(stranger, conduit)
    assert desk.registry.canTransfer(conduit, conduit)


def test_exit_receiver__conduit_owns__whom_it_names(
    desk: Desk, stranger: Address, conduit: Address
) -> None:
    assert desk.registry.exitReceiver(conduit, stranger) == stranger
    desk.act("freeze", conduit, REASON)
    assert desk.registry.exitReceiver(conduit, stranger) == stranger


def test_exit_receiver__both_eligible__the_receiver(
    desk: Desk, alice: Address, bob: Address
) -> None:
    assert desk.registry.exitReceiver(alice, bob) == bob


def test_exit_receiver__either_is_not_eligible__the_owner(
    desk: Desk, alice: Address, stranger: Address
) -> None:
    """Property: R9."""
    assert desk.registry.exitReceiver(alice, stranger) == alice
    assert desk.registry.exitReceiver(stranger, alice) == stranger
    desk.act("deny", alice, REASON)
    assert desk.registry.exitReceiver(alice, desk.admitted("bob")) == alice


def test_exit_receiver__frozen__his_escrow(desk: Desk, alice: Address, bob: Address) -> None:
    """Property: R9."""
    desk.act("freeze", alice, REASON)
    escrow = desk.registry.escrowOf(alice)
    assert desk.registry.exitReceiver(alice, bob) == escrow
    assert desk.registry.exitReceiver(alice, alice) == escrow
    assert desk.registry.exitReceiver(bob, alice) == bob
    assert escrow not in (alice, bob, desk.registry.escrowOf(bob))


# ----------------------------------------------------------------------- credentials


def test_submit__all_fields__are_kept_and_announced(desk: Desk, stranger: Address) -> None:
    fields = desk.submit(stranger, 7, FRANCE, 55, 9)
    courier = desk.evm.account("courier")
    investor, tier, jurisdiction, expiry, serial = fields
    said = (investor, desk.provider, courier, tier, jurisdiction, expiry, serial)
    assert desk.said("CredentialAccepted") == said
    record = desk.registry.investorOf(stranger)
    assert (record.provider, record.expiry, record.jurisdiction) == (desk.provider, expiry, FRANCE)
    assert (record.tier, record.serial, record.restriction) == (7, 9, NONE)


def test_submit__second_one__replaces_every_field(desk: Desk, alice: Address) -> None:
    other = desk.evm.account("other provider")
    desk.act("addProvider", other)
    desk.provider = other
    expiry = desk.submit(alice, 5, FRANCE, 77, 2)[3]
    record = desk.registry.investorOf(alice)
    assert (record.provider, record.expiry, record.jurisdiction) == (other, expiry, FRANCE)
    assert (record.tier, record.serial) == (5, 2)


def test_submit__expiry_of_this_second__accepted_and_a_past_one_refused(
    desk: Desk, stranger: Address
) -> None:
    now = desk.evm.timestamp
    with reverts("CredentialExpired", now - 1):
        desk.submit(stranger, seconds=-1)
    desk.submit(stranger, seconds=0)
    assert desk.registry.isEligible(stranger)
    desk.evm.mine(seconds=1)
    assert not desk.registry.isEligible(stranger)


def test_submit__next_serial__accepted_and_the_same_or_an_older_refused(
    desk: Desk, stranger: Address
) -> None:
    with reverts("StaleSerial", 0, 0):
        desk.submit(stranger, serial=0)
    desk.submit(stranger, serial=1)
    with reverts("StaleSerial", 1, 1):
        desk.submit(stranger, serial=1)
    desk.submit(stranger, serial=3)
    with reverts("StaleSerial", 2, 3):
        desk.submit(stranger, serial=2)
    desk.submit(stranger, serial=2**64 - 1)


def test_submit__unknown_provider__named(desk: Desk, stranger: Address) -> None:
    desk.provider = stranger
    with reverts("UnknownProvider", stranger):
        desk.submit(stranger)


def test_revoke__announces_the_serial_and_forgets_the_provider(
    desk: Desk, alice: Address
) -> None:
    desk.submit(alice, serial=6)
    desk.act("revokeCredential", alice, REASON)
    assert desk.said("CredentialRevoked") == (desk.boss, alice, 6, REASON)
    record = desk.registry.investorOf(alice)
    assert (record.provider, record.serial) == (NOBODY, 6)
    assert not desk.registry.isEligible(alice)


def test_revoke__without_a_reason__refused(desk: Desk, alice: Address) -> None:
    with reverts("NoReason"):
        desk.act("revokeCredential", alice, NO_REASON)
    assert desk.registry.isEligible(alice)


def test_eligible__tier_of_the_minimum__yes_and_one_below_no(desk: Desk, alice: Address) -> None:
    desk.act("raiseMinimumTier", 2)
    assert desk.registry.isEligible(alice)
    desk.act("raiseMinimumTier", 3)
    assert not desk.registry.isEligible(alice)


def test_eligible__nobody_without_a_credential(desk: Desk, stranger: Address) -> None:
    """Not even where a provider is nobody: the expiry was never."""
    assert not desk.registry.isEligible(stranger)
    assert not desk.registry.isEligible(NOBODY)


# ---------------------------------------------------------------------- restrictions


def test_deny__announces_and_is_kept(desk: Desk, alice: Address) -> None:
    desk.act("deny", alice, REASON)
    assert desk.said("RestrictionSet") == (desk.boss, alice, NONE, DENIED, REASON)
    assert desk.registry.investorOf(alice).restriction == DENIED
    assert not desk.registry.isEligible(alice)


def test_freeze__announces_and_is_kept(desk: Desk, alice: Address) -> None:
    desk.act("freeze", alice, REASON)
    assert desk.said("RestrictionSet") == (desk.boss, alice, NONE, FROZEN, REASON)
    assert desk.registry.investorOf(alice).restriction == FROZEN
    assert not desk.registry.isEligible(alice)


def test_freeze__who_was_denied__announces_both(desk: Desk, alice: Address) -> None:
    desk.act("deny", alice, REASON)
    desk.act("freeze", alice, OTHER)
    assert desk.said("RestrictionSet") == (desk.boss, alice, DENIED, FROZEN, OTHER)


def test_clear__announces_both_and_is_kept(desk: Desk, alice: Address) -> None:
    for name, restriction in (("deny", DENIED), ("freeze", FROZEN)):
        desk.act(name, alice, REASON)
        desk.act("clearRestriction", alice, OTHER)
        assert desk.said("RestrictionSet") == (desk.boss, alice, restriction, NONE, OTHER)
        assert desk.registry.isEligible(alice)


def test_deny__who_is_restricted__refused_with_what_he_is(desk: Desk, alice: Address) -> None:
    desk.act("deny", alice, REASON)
    with reverts("NotTightening", DENIED, DENIED):
        desk.act("deny", alice, REASON)
    desk.act("freeze", alice, REASON)
    with reverts("NotTightening", FROZEN, DENIED):
        desk.act("deny", alice, REASON)


def test_freeze__who_is_frozen__refused(desk: Desk, alice: Address) -> None:
    desk.act("freeze", alice, REASON)
    with reverts("NotTightening", FROZEN, FROZEN):
        desk.act("freeze", alice, REASON)


def test_clear__who_is_not_restricted__refused(desk: Desk, alice: Address) -> None:
    with reverts("NotLoosening", NONE, NONE):
        desk.act("clearRestriction", alice, REASON)


def test_restrict__nobody__refused(desk: Desk) -> None:
    for name in ("deny", "freeze"):
        with reverts("ZeroAddress"):
            desk.act(name, NOBODY, REASON)


def test_restrict__without_a_reason__refused(desk: Desk, alice: Address) -> None:
    for name in ("deny", "freeze"):
        with reverts("NoReason"):
            desk.act(name, alice, NO_REASON)
    desk.act("freeze", alice, REASON)
    with reverts("NoReason"):
        desk.act("clearRestriction", alice, NO_REASON)
    assert desk.registry.investorOf(alice).restriction == FROZEN


# -------------------------------------------------------------------------- settings


def test_raise_tier__one_up_accepted_and_the_same_refused(desk: Desk) -> None:
    desk.act("raiseMinimumTier", 3)
    assert desk.said("MinimumTierSet") == (desk.boss, 0, 3)
    for tier in (3, 2):
        with reverts("NotTightening", 3, tier):
            desk.act("raiseMinimumTier", tier)
    desk.act("raiseMinimumTier", 4)
    assert desk.said("MinimumTierSet") == (desk.boss, 3, 4)
    assert desk.registry.minimumTier() == 4


def test_lower_tier__one_down_accepted_and_the_same_refused(desk: Desk) -> None:
    desk.act("raiseMinimumTier", 3)
    for tier in (3, 4):
        with reverts("NotLoosening", 3, tier):
            desk.act("lowerMinimumTier", tier)
    desk.act("lowerMinimumTier", 2)
    assert desk.said("MinimumTierSet") == (desk.boss, 3, 2)
    assert desk.registry.minimumTier() == 2


def test_jurisdiction__closed_and_opened__announced_and_kept(desk: Desk) -> None:
    desk.act("closeJurisdiction", FRANCE)
    assert desk.said("JurisdictionSet") == (desk.boss, FRANCE, True)
    assert desk.registry.isJurisdictionClosed(FRANCE)
    assert not desk.registry.isJurisdictionClosed(GERMANY)
    desk.act("openJurisdiction", FRANCE)
    assert desk.said("JurisdictionSet") == (desk.boss, FRANCE, False)
    assert not desk.registry.isJurisdictionClosed(FRANCE)


def test_provider__added_and_removed__announced_and_kept(desk: Desk, stranger: Address) -> None:
    desk.act("addProvider", stranger)
    assert desk.said("ProviderSet") == (desk.boss, stranger, True)
    assert desk.registry.isProvider(stranger)
    desk.act("removeProvider", stranger)
    assert desk.said("ProviderSet") == (desk.boss, stranger, False)
    assert not desk.registry.isProvider(stranger)


def test_add_provider__nobody__refused(desk: Desk) -> None:
    with reverts("ZeroAddress"):
        desk.act("addProvider", NOBODY)
    assert not desk.registry.isProvider(NOBODY)


def test_conduit__set_and_unset__announced_and_kept(desk: Desk, stranger: Address) -> None:
    for trusted in (True, False):
        desk.act("setConduit", stranger, trusted)
        assert desk.said("ConduitSet") == (desk.boss, stranger, trusted)
        assert desk.registry.isConduit(stranger) == trusted


def test_payout__nominated_and_withdrawn__announced_and_kept(desk: Desk, alice: Address) -> None:
    heir = desk.evm.account("heir")
    for payout in (heir, NOBODY):
        desk.registry.nominatePayout(payout, sender=alice)
        assert desk.said("PayoutNominated") == (alice, payout)
        assert desk.registry.payoutOf(alice) == payout
    assert desk.registry.payoutOf(heir) == NOBODY


# ---------------------------------------------------------------------------- escrow


@pytest.fixture
def token(desk: Desk, alice: Address) -> Contract:
    """A token of which ten units wait in alice's escrow; she is frozen."""
    found = desk.evm.deploy("TestToken", "Dollar", "USD", 18)
    found.mint(desk.registry.escrowOf(alice), 10 * UNIT)
    desk.act("freeze", alice, REASON)
    return found


def test_release__announced_by_registry_and_escrow(
    desk: Desk, alice: Address, token: Contract
) -> None:
    escrow = desk.registry.escrowOf(alice)
    for part in (3 * UNIT, UNIT):
        desk.act("releaseEscrow", alice, token, part, alice, OTHER)
        said = (desk.boss, alice, token.address, alice, part, OTHER)
        assert desk.said("EscrowReleased") == said
        assert desk.said("Released") == (token.address, alice, part, OTHER)
        assert desk.said("Transfer") == (escrow, alice, part)
    assert token.balanceOf(escrow) == 6 * UNIT


def test_release__to_the_nominee_and_to_himself__paid(
    desk: Desk, alice: Address, token: Contract
) -> None:
    heir = desk.evm.account("heir")
    desk.registry.nominatePayout(heir, sender=alice)
    desk.act("releaseEscrow", alice, token, UNIT, heir, REASON)
    desk.act("releaseEscrow", alice, token, UNIT, alice, REASON)
    assert token.balanceOf(heir) == token.balanceOf(alice) == UNIT


def test_release__to_anybody_else__refused(
    desk: Desk, alice: Address, bob: Address, token: Contract
) -> None:
    """Property: R9. Whether somebody is nominated or not; nobody never is."""
    for nominee in (NOBODY, desk.evm.account("heir")):
        desk.registry.nominatePayout(nominee, sender=alice)
        for to in (bob, desk.boss, NOBODY):
            with reverts("PayoutNotNominated", alice, to):
                desk.act("releaseEscrow", alice, token, UNIT, to, REASON)


def test_release__without_a_reason__refused(desk: Desk, alice: Address, token: Contract) -> None:
    with reverts("NoReason"):
        desk.act("releaseEscrow", alice, token, UNIT, alice, NO_REASON)


def test_release__more_than_there_is__refused(desk: Desk, alice: Address, token: Contract) -> None:
    with reverts("ERC20InsufficientBalance"):
        desk.act("releaseEscrow", alice, token, 10 * UNIT + 1, alice, REASON)
    desk.act("releaseEscrow", alice, token, 10 * UNIT, alice, REASON)


def test_claim__announces_and_pays_all(desk: Desk, alice: Address, token: Contract) -> None:
    with reverts("StillFrozen", alice):
        desk.registry.claimEscrow(token, sender=alice)
    desk.act("clearRestriction", alice, REASON)
    assert desk.registry.claimEscrow(token, sender=alice) == 10 * UNIT
    why = b"claimed by investor".ljust(32, b"\0")
    said = (alice, alice, token.address, alice, 10 * UNIT, why)
    assert desk.said("EscrowReleased") == said
    assert token.balanceOf(alice) == 10 * UNIT


def test_claim__who_is_denied__is_paid(desk: Desk, alice: Address, token: Contract) -> None:
    """Property: R9. Only a freeze keeps it where it is."""
    desk.act("clearRestriction", alice, REASON)
    desk.act("deny", alice, REASON)
    assert desk.registry.claimEscrow(token, sender=alice) == 10 * UNIT


def test_escrow__by_another_than_the_registry__refused(
    desk: Desk, alice: Address, token: Contract
) -> None:
    desk.act("releaseEscrow", alice, token, UNIT, alice, REASON)
    escrow = desk.evm.at("ExitEscrow", desk.registry.escrowOf(alice))
    for caller in (alice, desk.boss):
        with reverts("NotRegistry", caller):
            escrow.release(token, UNIT, caller, REASON, sender=caller)
    escrow.release(token, UNIT, alice, REASON, sender=desk.registry)
    assert token.balanceOf(alice) == 2 * UNIT
    assert (escrow.registry(), escrow.investor()) == (desk.registry.address, alice)


# ------------------------------------------------------------------------ who may act


def test_restricted__by_a_stranger__each_function_refused(desk: Desk, stranger: Address) -> None:
    calls: tuple[tuple[Any, ...], ...] = (
        ("deny", stranger, REASON),
        ("freeze", stranger, REASON),
        ("revokeCredential", stranger, REASON),
        ("closeJurisdiction", GERMANY),
        ("raiseMinimumTier", 1),
        ("removeProvider", desk.provider),
        ("clearRestriction", stranger, REASON),
        ("openJurisdiction", GERMANY),
        ("lowerMinimumTier", 0),
        ("releaseEscrow", stranger, desk.provider, 0, stranger, REASON),
        ("addProvider", stranger),
        ("setConduit", stranger, True),
    )
    for name, *args in calls:
        with reverts("AccessManagedUnauthorized", stranger):
            getattr(desk.registry, name)(*args, sender=stranger)
