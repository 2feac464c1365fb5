"""Real Safes and the gate: who gets a transaction through, who does not, what the brake costs."""

from __future__ import annotations

from itertools import permutations

import pytest

from offchain.chain.client import TransactionReverted
from scripts._safe import Operation, SafeAccount, SafeError, SafeTx, sign_all
from scripts._safe.abi import MULTI_SEND_CALL_ONLY
from scripts._safe.transaction import ZERO_ADDRESS
from tests.peers.safe import create_safe
from tests.support.brake import (
    MOST_GAS_FOR_TWENTY,
    BrakeWorld,
    call,
    freeze_all,
    freeze_call,
    govern,
    register_all,
)
from tests.support.gate import REASON, State

pytestmark = pytest.mark.peers


def states(world: BrakeWorld) -> set[int]:
    return {world.client.call(t.functions.emergencyState()) for t in world.targets}


def test_state__real_safes__owners_threshold_nonce(world):
    state = world.guardian.state()
    assert state.owners == tuple(o.address for o in world.guardian_owners)
    assert (state.threshold, state.nonce) == (2, 0)
    assert state.modules == ()
    assert state.guard == ZERO_ADDRESS


def test_freeze__two_of_three_guardians__twenty_targets_in_one_transaction(world, record_property):
    register_all(world)
    receipt = freeze_all(world)
    assert states(world) == {State.FROZEN}
    assert len(world.client.events(receipt, world.gate, "StateRaised")) == len(world.targets)
    record_property("freeze_twenty_targets_gas", receipt["gasUsed"])
    print(f"freeze of {len(world.targets)} targets through a Safe: {receipt['gasUsed']} gas")
    assert receipt["gasUsed"] < MOST_GAS_FOR_TWENTY


def test_resume__three_of_five_governors__batch_through_multi_send(world):
    register_all(world)
    tx = world.guardian.build([freeze_call(world)])
    world.guardian.execute(tx, sign_all(tx, world.guardian_owners), world.executor)
    receipt = govern(world, [call(world.gate, "resume", t.address, REASON) for t in world.targets])
    assert states(world) == {State.NORMAL}
    by = {e["by"] for e in world.client.events(receipt, world.gate, "StateResumed")}
    assert by == {world.governance.address}


def test_execute__signatures_collected_in_any_order__accepted(world):
    for owners in permutations(world.guardian_owners, 2):
        tx = world.guardian.build([call(world.gate, "heartbeat")])
        world.guardian.execute(tx, sign_all(tx, owners), world.executor)
    assert world.guardian.state().nonce == 6


def test_execute__below_the_threshold__refused(world):
    tx = world.guardian.build([call(world.gate, "heartbeat")])
    with pytest.raises(SafeError, match="1 of 2 signatures"):
        world.guardian.execute(tx, sign_all(tx, world.guardian_owners[:1]), world.executor)
    assert world.guardian.state().nonce == 0


def test_execute__below_the_threshold_on_chain__the_safe_itself_refuses(world):
    """The contract, not our script, is what keeps one signer from acting alone."""
    tx = world.guardian.build([call(world.gate, "heartbeat")])
    alone = world.guardian_owners[0].sign_hash(tx.hash)
    function = world.guardian.contract.functions.execTransaction(*tx.arguments()[:-1], alone)
    with pytest.raises(TransactionReverted, match="GS020"):
        world.client.transact(world.executor, function)
    twice = world.guardian.contract.functions.execTransaction(*tx.arguments()[:-1], alone * 2)
    with pytest.raises(TransactionReverted, match="GS026"):
        world.client.transact(world.executor, twice)


def test_execute__replayed__refused(world):
    tx = world.guardian.build([call(world.gate, "heartbeat")])
    signatures = sign_all(tx, world.guardian_owners[:2])
    world.guardian.execute(tx, signatures, world.executor)
    with pytest.raises(SafeError, match="already used"):
        world.guardian.execute(tx, signatures, world.executor)
    ordered = sorted(signatures.items(), key=lambda item: int(item[0], 16))
    packed = b"".join(signature for _, signature in ordered)
    function = world.guardian.contract.functions.execTransaction(*tx.arguments()[:-1], packed)
    with pytest.raises(TransactionReverted, match="GS026"):
        world.client.transact(world.executor, function)


def test_execute__nonce_ahead__refused(world):
    tx = world.guardian.build([call(world.gate, "heartbeat")], nonce=1)
    with pytest.raises(SafeError, match="must wait"):
        world.guardian.execute(tx, sign_all(tx, world.guardian_owners[:2]), world.executor)


def test_execute__removed_owner__refused(world):
    owners = world.guardian_owners
    before = owners[1].address
    removal = call(world.guardian.contract, "removeOwner", before, owners[2].address, 2)
    tx = world.guardian.build([removal])
    world.guardian.execute(tx, sign_all(tx, owners[:2]), world.executor)
    tx = world.guardian.build([call(world.gate, "heartbeat")])
    with pytest.raises(SafeError, match="not an owner"):
        world.guardian.execute(tx, sign_all(tx, owners[1:]), world.executor)


def test_execute__signatures_of_another_safes_owners__refused(world):
    tx = world.guardian.build([call(world.gate, "heartbeat")])
    with pytest.raises(SafeError, match="not an owner"):
        world.guardian.execute(tx, sign_all(tx, world.governance_owners), world.executor)


def test_execute__signed_for_another_chain__refused(world):
    here = world.guardian.build([call(world.gate, "heartbeat")])
    there = SafeTx(**{**vars(here), "chain_id": 1})
    with pytest.raises(SafeError, match="for chain 1"):
        world.guardian.execute(there, {}, world.executor)
    with pytest.raises(SafeError, match="not its own"):
        world.guardian.execute(here, sign_all(there, world.guardian_owners), world.executor)


def test_execute__another_safe_with_the_same_owners__the_gate_refuses(world):
    """The gate knows an address, not a set of people."""
    register_all(world)
    addresses = [o.address for o in world.guardian_owners]
    twin = create_safe(world.client, world.executor, world.suite, addresses, 2, salt=7)
    account = SafeAccount(world.client, twin.address, world.suite.multi_send_call_only.address)
    tx = account.build([freeze_call(world)])
    with pytest.raises(SafeError, match="emergency_gate: caller is not the guardian"):
        account.execute(tx, sign_all(tx, world.guardian_owners), world.executor)
    with pytest.raises(SafeError, match=r"is for the Safe .*, not"):
        world.guardian.execute(tx, sign_all(tx, world.guardian_owners), world.executor)
    assert states(world) == {State.NORMAL}


def test_execute__guardian_resumes__refused_with_the_gates_reason(world):
    register_all(world)
    tx = world.guardian.build([call(world.gate, "resume", world.targets[0].address, REASON)])
    with pytest.raises(SafeError, match=r"call 1 of 1 reverts.*caller is not governance"):
        world.guardian.execute(tx, sign_all(tx, world.guardian_owners), world.executor)


def test_execute__one_call_of_a_batch_fails__none_happened(world):
    register_all(world)
    calls = [
        call(world.gate, "setSentinel", world.stranger.address),
        call(world.gate, "register", world.targets[0].address),
    ]
    tx = world.governance.build(calls)
    with pytest.raises(SafeError, match=r"call 2 of 2 reverts.*already a target"):
        world.governance.execute(tx, sign_all(tx, world.governance_owners), world.executor)
    assert world.client.call(world.gate.functions.sentinel()) == ZERO_ADDRESS


def test_freeze__relayer_starves_the_call_of_gas__nothing_executed_and_the_nonce_stays(world):
    """Property: S4. Who relays a signed freeze cannot burn it by paying for too little gas."""
    register_all(world)
    tx = world.guardian.build([freeze_call(world)])
    signatures = sign_all(tx, world.guardian_owners[:2])
    for gas in (200_000, 600_000, 1_000_000):
        with pytest.raises(SafeError):
            world.guardian.execute(tx, signatures, world.executor, gas=gas)
        assert states(world) == {State.NORMAL}
        assert world.guardian.state().nonce == 0
    world.guardian.execute(tx, signatures, world.executor)
    assert states(world) == {State.FROZEN}


def test_check__delegate_call_to_anything_else__refused(world):
    batch = world.governance.build([call(world.gate, "heartbeat")] * 2)
    assert batch.operation is Operation.DELEGATECALL
    swapped = SafeTx(**{**vars(batch), "to": world.gate.address})
    with pytest.raises(SafeError, match="is not MultiSendCallOnly"):
        world.governance.check(swapped)


def test_build__multi_send_not_on_this_chain__refused(world):
    account = SafeAccount(world.client, world.governance.address, MULTI_SEND_CALL_ONLY)
    with pytest.raises(SafeError, match="is not MultiSendCallOnly"):
        account.build([call(world.gate, "heartbeat")] * 2)


@pytest.mark.parametrize("which", ["nobody", "gate", "singleton"])
def test_safe_account__not_a_safe_of_this_version__refused(world, which):
    address = {
        "nobody": world.stranger.address,
        "gate": world.gate.address,
        "singleton": world.suite.singleton.address,
    }[which]
    with pytest.raises(SafeError, match=r"no contract|is not a Safe 1\.4\.1"):
        SafeAccount(world.client, address)
