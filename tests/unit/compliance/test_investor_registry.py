"""Who may hold shares, and that nobody who may not is ever kept from his money."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.support.evm import Address, Contract, Evm, reverts
from tests.support.flows import (
    COMPLIANCE,
    CREDENTIAL,
    Flows,
    flows,
    packed,
    sign_typed,
)

UNIT, SHARE = 10**18, 10**24
YEAR = 365 * 86_400
GERMANY, NOWHERE = 276, 999
REASON = b"court order 12".ljust(32, b"\0")
NONE, DENIED, IS_FROZEN = range(3)
ZERO = "0x" + "00" * 20
TIGHTENING = (
    "deny",
    "freeze",
    "revokeCredential",
    "closeJurisdiction",
    "raiseMinimumTier",
    "removeProvider",
)
LOOSENING = ("clearRestriction", "openJurisdiction", "lowerMinimumTier", "releaseEscrow")


@dataclass(frozen=True)
class Credential:
    investor: str
    tier: int = 2
    jurisdiction: int = GERMANY
    expiry: int = 1_700_000_000 + YEAR
    serial: int = 1

    def fields(self) -> tuple[Any, ...]:
        return (self.investor, self.tier, self.jurisdiction, self.expiry, self.serial)


@dataclass
class Desk:
    """A router whose holders need credentials."""

    flows: Flows
    registry: Contract
    provider: Address
    compliance: Address

    def sign(self, credential: Credential, signer: Address | None = None) -> bytes:
        names = [f["name"] for f in CREDENTIAL]
        message = dict(zip(names, credential.fields(), strict=True))
        return packed(
            sign_typed(
                signer or self.provider,
                "Breakwater InvestorRegistry",
                self.registry,
                "Credential",
                CREDENTIAL,
                message,
            )
        )

    def submit(self, credential: Credential, signer: Address | None = None) -> None:
        signature = self.sign(credential, signer)
        self.registry.submitCredential(credential.fields(), self.provider, signature)

    def investor(self, label: str) -> Address:
        """A funded investor with a valid credential and ten units of shares."""
        account = self.flows.evm.account(label)
        self.submit(Credential(account))
        return self.flows.invest(label, 10 * UNIT)

    def act(self, name: str, *args: Any) -> None:
        getattr(self.registry, name)(*args, sender=self.compliance)


@pytest.fixture
def desk() -> Desk:
    world = flows(Evm())
    governance = world.governance
    registry = world.evm.deploy("InvestorRegistry", world.authority)
    world.permit_role(registry, "InvestorRegistry", [*TIGHTENING, *LOOSENING], COMPLIANCE)
    provider = world.evm.account("kyc provider")
    registry.addProvider(provider, sender=governance)
    for conduit in (world.gateway, world.queue):
        registry.setConduit(conduit, True, sender=governance)
    world.router.setAccessPolicy(registry, sender=governance)
    return Desk(world, registry, provider, world.compliance)


# ---- credentials


def test_submit_credential__signed_by_the_provider__investor_is_eligible(desk: Desk) -> None:
    investor = desk.flows.evm.account("investor")
    assert not desk.registry.isEligible(investor)
    desk.submit(Credential(investor))
    assert desk.registry.isEligible(investor)
    accepted = desk.flows.evm.events("CredentialAccepted")[0]
    assert (accepted["investor"], accepted["provider"]) == (investor, desk.provider)
    record = desk.registry.investorOf(investor)
    assert (record.tier, record.jurisdiction, record.serial) == (2, GERMANY, 1)


@pytest.mark.parametrize("field", ["investor", "tier", "jurisdiction", "expiry", "serial"])
def test_submit_credential__any_field_altered__refused(desk: Desk, field: str) -> None:
    genuine = Credential(desk.flows.evm.account("investor"))
    attacker = desk.flows.evm.account("attacker")
    value = attacker if field == "investor" else getattr(genuine, field) + 1
    altered = replace(genuine, **{field: value})
    with reverts("BadCredentialSignature"):
        desk.registry.submitCredential(altered.fields(), desk.provider, desk.sign(genuine))


def test_submit_credential__wrong_signer_unknown_provider_or_expired__refused(desk: Desk) -> None:
    investor, attacker = desk.flows.evm.account("investor"), desk.flows.evm.account("attacker")
    credential = Credential(investor)
    with reverts("BadCredentialSignature", desk.provider):
        desk.submit(credential, attacker)
    with reverts("UnknownProvider", attacker):
        forged = desk.sign(credential, attacker)
        desk.registry.submitCredential(credential.fields(), attacker, forged)
    with reverts("CredentialExpired"):
        desk.submit(replace(credential, expiry=1_699_999_999))


def test_submit_credential__for_nobody__refused(desk: Desk) -> None:
    """However well it is signed: the zero address would be an investor."""
    with reverts("ZeroAddress"):
        desk.submit(Credential(ZERO))
    assert not desk.registry.isEligible(ZERO)


def test_submit_credential__older_serial__cannot_replace_a_newer_one(desk: Desk) -> None:
    investor = desk.flows.evm.account("investor")
    desk.submit(Credential(investor, tier=1, serial=5))
    for serial in (5, 4):
        with reverts("StaleSerial", serial, 5):
            desk.submit(Credential(investor, tier=9, serial=serial))
    desk.submit(Credential(investor, tier=3, serial=6))
    assert desk.registry.investorOf(investor).tier == 3


def test_submit_credential__signed_for_another_registry__refused(desk: Desk) -> None:
    other = desk.flows.evm.deploy("InvestorRegistry", desk.flows.authority)
    other.addProvider(desk.provider, sender=desk.flows.governance)
    credential = Credential(desk.flows.evm.account("investor"))
    with reverts("BadCredentialSignature"):
        other.submitCredential(credential.fields(), desk.provider, desk.sign(credential))


def test_submit_credential__provider_is_a_contract__asked(desk: Desk) -> None:
    key = desk.flows.evm.account("signer")
    wallet = desk.flows.evm.deploy("ContractWallet", key)
    desk.registry.addProvider(wallet, sender=desk.flows.governance)
    credential = Credential(desk.flows.evm.account("investor"))
    desk.registry.submitCredential(credential.fields(), wallet, desk.sign(credential, key))
    assert desk.registry.isEligible(credential.investor)


def test_revoke_credential__same_one_again__refused(desk: Desk) -> None:
    investor = desk.investor("investor")
    desk.act("revokeCredential", investor, REASON)
    assert not desk.registry.isEligible(investor)
    with reverts("StaleSerial", 1, 1):
        desk.submit(Credential(investor))
    desk.submit(Credential(investor, serial=2))
    assert desk.registry.isEligible(investor)


# ---- what eligibility needs


def test_eligibility__each_condition_alone_ends_it(desk: Desk) -> None:
    investor = desk.investor("investor")
    evm, registry = desk.flows.evm, desk.registry
    with evm.rollback():
        evm.warp(1_700_000_000 + YEAR)
        assert registry.isEligible(investor)
        evm.mine()
        assert not registry.isEligible(investor)
    for name, *args in (
        ("removeProvider", desk.provider),
        ("closeJurisdiction", GERMANY),
        ("raiseMinimumTier", 3),
        ("deny", investor, REASON),
        ("freeze", investor, REASON),
    ):
        with evm.rollback():
            desk.act(name, *args)
            assert not registry.isEligible(investor), name
    for name, *args in (("closeJurisdiction", NOWHERE), ("raiseMinimumTier", 2)):
        with evm.rollback():
            desk.act(name, *args)
            assert registry.isEligible(investor), name


def test_loosening__restores_eligibility(desk: Desk) -> None:
    investor = desk.investor("investor")
    desk.act("closeJurisdiction", GERMANY)
    desk.act("raiseMinimumTier", 3)
    desk.act("deny", investor, REASON)
    desk.act("openJurisdiction", GERMANY)
    desk.act("lowerMinimumTier", 2)
    assert not desk.registry.isEligible(investor)
    desk.act("clearRestriction", investor, REASON)
    assert desk.registry.isEligible(investor)
    assert desk.flows.evm.events("RestrictionSet")[0]["previous"] == DENIED


def test_tightening_and_loosening__wrong_direction__refused(desk: Desk) -> None:
    investor = desk.investor("investor")
    for name, *args in (
        ("raiseMinimumTier", 0),
        ("lowerMinimumTier", 0),
        ("clearRestriction", investor, REASON),
    ):
        with reverts("NotTightening" if name.startswith("raise") else "NotLoosening"):
            desk.act(name, *args)
    desk.act("freeze", investor, REASON)
    # A denial would be the lesser restriction.
    for name in ("deny", "freeze"):
        with reverts("NotTightening"):
            desk.act(name, investor, REASON)


@pytest.mark.parametrize("name", ["deny", "freeze", "revokeCredential"])
def test_restrictions__without_a_reason__refused(desk: Desk, name: str) -> None:
    with reverts("NoReason"):
        desk.act(name, desk.flows.evm.account("investor"), bytes(32))


def test_restricted_functions__stranger__refused(desk: Desk) -> None:
    attacker = desk.flows.evm.account("attacker")
    calls: dict[str, tuple[Any, ...]] = {
        "deny": (attacker, REASON),
        "freeze": (attacker, REASON),
        "revokeCredential": (attacker, REASON),
        "closeJurisdiction": (1,),
        "raiseMinimumTier": (1,),
        "removeProvider": (attacker,),
        "clearRestriction": (attacker, REASON),
        "openJurisdiction": (1,),
        "lowerMinimumTier": (0,),
        "releaseEscrow": (attacker, desk.flows.asset, 1, attacker, REASON),
        "addProvider": (attacker,),
        "setConduit": (attacker, True),
    }
    for name, args in calls.items():
        with reverts("AccessManagedUnauthorized"):
            getattr(desk.registry, name)(*args, sender=attacker)
    for name in ("addProvider", "setConduit"):
        with reverts("AccessManagedUnauthorized"):
            getattr(desk.registry, name)(*calls[name], sender=desk.compliance)


# ---- entry and transfer


def test_router__eligible_or_not__deposits_and_transfers_follow(desk: Desk) -> None:
    first, second = desk.investor("investor"), desk.investor("whale")
    stranger = desk.flows.fund("attacker", UNIT, desk.flows.router)
    router = desk.flows.router
    router.transfer(second, SHARE, sender=first)
    with reverts("TransferRefused", first, stranger):
        router.transfer(stranger, SHARE, sender=first)
    for receiver in (stranger, first):
        with reverts("DepositRefused", stranger, receiver):
            router["deposit(uint256,address)"](UNIT, receiver, sender=stranger)
    assert router.maxDeposit(stranger) == 0
    desk.act("deny", first, REASON)
    with reverts("TransferRefused", first, second):
        router.transfer(second, SHARE, sender=first)
    with reverts("TransferRefused", second, first):
        router.transfer(first, SHARE, sender=second)


def test_gateway__stranger_is_refused_and_others_settle(desk: Desk) -> None:
    world = desk.flows
    investor = desk.investor("investor")
    world.fund("investor", 3 * UNIT)
    stranger = world.fund("attacker", UNIT)
    done = world.settle(
        world.deposit_intent(stranger, UNIT),
        world.deposit_intent(stranger, UNIT, receiver=investor),
        world.deposit_intent(investor, UNIT, receiver=stranger),
        world.deposit_intent(investor, UNIT),
    )
    assert done == (1, 0)
    refused = [(stranger, "REFUSED")] * 2 + [(investor, "REFUSED")]
    assert world.rejections() == refused
    assert world.router.balanceOf(investor) == 11 * SHARE


# ---- exit: never kept, never redirected to a third party


def leave(desk: Desk, way: str, owner: Address, receiver: Any) -> None:
    """All ten units out of the router towards `receiver`, by one of the ways there are."""
    world = desk.flows
    if way == "router":
        world.router.redeem(10 * SHARE, receiver, owner, sender=owner)
    elif way == "exit":
        world.queue.exit(10 * SHARE, receiver, owner, 0, sender=owner)
    elif way == "queue":
        world.queue.requestRedeem(10 * SHARE, owner, owner, sender=owner)
        world.queue.process(1)
        world.queue.redeem(10 * SHARE, receiver, owner, sender=owner)
    else:
        receiver = getattr(receiver, "address", receiver)
        intent = world.exit_intent(owner, 10 * SHARE, receiver=receiver)
        assert world.settle(intent) == (0, 1)


WAYS = ["router", "exit", "queue", "gateway"]


@pytest.mark.parametrize("way", WAYS)
def test_exit__eligible__goes_where_he_said_among_the_eligible(desk: Desk, way: str) -> None:
    owner, other = desk.investor("investor"), desk.investor("whale")
    leave(desk, way, owner, other)
    assert desk.flows.asset.balanceOf(other) == 10 * UNIT


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("why", ["denied", "expired", "revoked", "third party unknown"])
def test_exit__not_eligible__goes_to_himself(desk: Desk, way: str, why: str) -> None:
    """Property: R9."""
    owner, other = desk.investor("investor"), desk.investor("whale")
    if why == "denied":
        desk.act("deny", owner, REASON)
    elif why == "expired":
        desk.flows.evm.mine(seconds=2 * YEAR)
    elif why == "revoked":
        desk.act("revokeCredential", owner, REASON)
    else:
        other = desk.flows.evm.account("attacker")
    leave(desk, way, owner, other)
    assert desk.flows.asset.balanceOf(owner) == 10 * UNIT
    assert desk.flows.asset.balanceOf(other) == 0


@pytest.mark.parametrize("way", WAYS)
def test_exit__frozen__waits_in_his_own_escrow(desk: Desk, way: str) -> None:
    """Property: R9."""
    owner, other = desk.investor("investor"), desk.investor("whale")
    desk.act("freeze", owner, REASON)
    leave(desk, way, owner, other)
    asset, escrow = desk.flows.asset, desk.registry.escrowOf(owner)
    assert asset.balanceOf(escrow) == 10 * UNIT
    assert asset.balanceOf(owner) == asset.balanceOf(other) == 0
    assert escrow != desk.registry.escrowOf(other)


def test_queue__frozen_after_he_asked__others_behind_are_paid(desk: Desk) -> None:
    owner, other = desk.investor("investor"), desk.investor("whale")
    queue = desk.flows.queue
    for holder in (owner, other):
        queue.requestRedeem(10 * SHARE, holder, holder, sender=holder)
    desk.act("freeze", owner, REASON)
    assert queue.process(2)[0] == 20 * SHARE
    queue.redeem(10 * SHARE, other, other, sender=other)
    queue.redeem(10 * SHARE, other, owner, sender=owner)
    asset = desk.flows.asset
    assert asset.balanceOf(other) == asset.balanceOf(desk.registry.escrowOf(owner)) == 10 * UNIT


def test_queue__claim_passed_to_somebody_not_eligible__refused(desk: Desk) -> None:
    owner, stranger = desk.investor("investor"), desk.flows.evm.account("attacker")
    queue = desk.flows.queue
    with reverts("TransferRefused", owner, stranger):
        queue.requestRedeem(SHARE, stranger, owner, sender=owner)
    queue.requestRedeem(SHARE, owner, owner, sender=owner)
    with reverts("TransferRefused", owner, stranger):
        queue.cancelRedeem(1, stranger, sender=owner)
    desk.act("deny", owner, REASON)
    queue.cancelRedeem(1, owner, sender=owner)
    assert desk.flows.router.balanceOf(owner) == 10 * SHARE


def test_exit__policy_broken__pays_the_owner(desk: Desk) -> None:
    owner, other = desk.investor("investor"), desk.investor("whale")
    desk.flows.queue.requestRedeem(5 * SHARE, owner, owner, sender=owner)
    desk.flows.queue.process(1)
    desk.flows.evm.etch(desk.registry, "Reverter")
    desk.flows.queue.redeem(5 * SHARE, other, owner, sender=owner)
    assert desk.flows.asset.balanceOf(owner) == 5 * UNIT


# ---- escrow


def escrowed(desk: Desk) -> Address:
    owner = desk.investor("investor")
    desk.act("freeze", owner, REASON)
    leave(desk, "router", owner, owner)
    return owner


def test_release_escrow__to_the_investor_in_parts__with_reason_on_chain(desk: Desk) -> None:
    owner, asset = escrowed(desk), desk.flows.asset
    for part in (3 * UNIT, 7 * UNIT):
        desk.act("releaseEscrow", owner, asset, part, owner, REASON)
        released = desk.flows.evm.events("EscrowReleased")[0]
        assert (released["by"], released["to"]) == (desk.compliance, owner)
        assert released["amount"] == part
        assert bytes(released["reason"]) == REASON
    assert asset.balanceOf(owner) == 10 * UNIT
    escrow = desk.flows.evm.at("ExitEscrow", desk.registry.escrowOf(owner))
    assert (escrow.investor(), escrow.registry()) == (owner, desk.registry.address)


def test_release_escrow__to_anyone_else__refused_even_for_compliance(desk: Desk) -> None:
    owner, asset = escrowed(desk), desk.flows.asset
    for to in (desk.compliance, desk.flows.governance, ZERO):
        with reverts("PayoutNotNominated", owner, to):
            desk.act("releaseEscrow", owner, asset, UNIT, to, REASON)
    with reverts("NoReason"):
        desk.act("releaseEscrow", owner, asset, UNIT, owner, bytes(32))
    desk.act("releaseEscrow", owner, asset, UNIT, owner, REASON)
    escrow = desk.flows.evm.at("ExitEscrow", desk.registry.escrowOf(owner))
    with reverts("NotRegistry", desk.compliance):
        escrow.release(asset, UNIT, desk.compliance, REASON, sender=desk.compliance)


def test_release_escrow__to_whom_the_investor_named__paid(desk: Desk) -> None:
    owner, heir = escrowed(desk), desk.flows.evm.account("heir")
    desk.registry.nominatePayout(heir, sender=owner)
    desk.act("releaseEscrow", owner, desk.flows.asset, 10 * UNIT, heir, REASON)
    assert desk.flows.asset.balanceOf(heir) == 10 * UNIT


def test_claim_escrow__only_after_the_freeze_is_lifted(desk: Desk) -> None:
    owner, asset = escrowed(desk), desk.flows.asset
    with reverts("StillFrozen", owner):
        desk.registry.claimEscrow(asset, sender=owner)
    desk.act("clearRestriction", owner, REASON)
    assert desk.registry.claimEscrow(asset, sender=owner) == 10 * UNIT
    assert asset.balanceOf(owner) == 10 * UNIT
    assert desk.registry.claimEscrow(asset, sender=owner) == 0


def test_claim_escrow__stranger__gets_only_his_own_nothing(desk: Desk) -> None:
    owner, attacker = escrowed(desk), desk.flows.evm.account("attacker")
    assert desk.registry.claimEscrow(desk.flows.asset, sender=attacker) == 0
    assert desk.flows.asset.balanceOf(desk.registry.escrowOf(owner)) == 10 * UNIT


def test_redeem_in_kind__frozen__everything_goes_to_the_escrow(desk: Desk) -> None:
    owner = desk.investor("investor")
    desk.flows.lend_all_but(5 * UNIT)
    desk.act("freeze", owner, REASON)
    desk.flows.router.redeemInKind(10 * SHARE, owner, owner, sender=owner)
    escrow, strategy = desk.registry.escrowOf(owner), desk.flows.strategy
    parts = strategy.balanceOf(escrow)
    assert parts > 0
    desk.act("releaseEscrow", owner, strategy, parts, owner, REASON)
    assert strategy.balanceOf(owner) == parts
