"""What the registry answers a vault: who may enter, who may hold, who is paid."""

from __future__ import annotations

from tests.support.evm import Address
from tests.unit.compliance.office import REASON, Office


def test_can_deposit__two_who_are_eligible__yes(
    office: Office, alice: Address, bob: Address
) -> None:
    assert office.registry.canDeposit(alice, bob)
    assert office.registry.canDeposit(alice, alice)


def test_can_deposit__one_who_is_not__no(office: Office, alice: Address, stranger: Address) -> None:
    assert not office.registry.canDeposit(alice, stranger)
    assert not office.registry.canDeposit(stranger, alice)
    assert not office.registry.canDeposit(stranger, stranger)


def test_can_deposit__conduit_pays__receiver_decides(
    office: Office, alice: Address, stranger: Address, conduit: Address
) -> None:
    other = office.evm.account("other conduit")
    office.act("setConduit", other, True)
    assert office.registry.canDeposit(conduit, alice)
    assert office.registry.canDeposit(conduit, other)
    assert office.registry.canDeposit(conduit, conduit)
    assert not office.registry.canDeposit(conduit, stranger)


def test_can_deposit__conduit_receives_from_an_investor__no(
    office: Office, alice: Address, stranger: Address, conduit: Address
) -> None:
    assert not office.registry.canDeposit(alice, conduit)
    assert not office.registry.canDeposit(stranger, conduit)


def test_can_transfer__two_who_are_eligible__yes(
    office: Office, alice: Address, bob: Address
) -> None:
    assert office.registry.canTransfer(alice, bob)


def test_can_transfer__one_who_is_not__no(
    office: Office, alice: Address, stranger: Address
) -> None:
    assert not office.registry.canTransfer(alice, stranger)
    assert not office.registry.canTransfer(stranger, alice)
    assert not office.registry.canTransfer(stranger, stranger)


def test_can_transfer__conduit_on_either_side__yes(
    office: Office, stranger: Address, conduit: Address
) -> None:
    assert office.registry.canTransfer(conduit, stranger)
    assert office.registry.canTransfer(stranger, conduit)
    assert office.registry.canTransfer(conduit, conduit)


def test_exit_receiver__conduit_owns__whom_it_names(
    office: Office, stranger: Address, conduit: Address
) -> None:
    assert office.registry.exitReceiver(conduit, stranger) == stranger
    office.act("freeze", conduit, REASON)
    assert office.registry.exitReceiver(conduit, stranger) == stranger


def test_exit_receiver__both_eligible__the_receiver(
    office: Office, alice: Address, bob: Address
) -> None:
    assert office.registry.exitReceiver(alice, bob) == bob


def test_exit_receiver__either_is_not_eligible__the_owner(
    office: Office, alice: Address, stranger: Address
) -> None:
    """Property: R9."""
    assert office.registry.exitReceiver(alice, stranger) == alice
    assert office.registry.exitReceiver(stranger, alice) == stranger
    office.act("deny", alice, REASON)
    assert office.registry.exitReceiver(alice, office.admitted("bob")) == alice


def test_exit_receiver__frozen__his_escrow(office: Office, alice: Address, bob: Address) -> None:
    """Property: R9."""
    office.act("freeze", alice, REASON)
    escrow = office.registry.escrowOf(alice)
    assert office.registry.exitReceiver(alice, bob) == escrow
    assert office.registry.exitReceiver(alice, alice) == escrow
    assert office.registry.exitReceiver(bob, alice) == bob
    assert escrow not in (alice, bob, office.registry.escrowOf(bob))
