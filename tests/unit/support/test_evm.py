"""The in-process EVM does what a chain does; gas figures are compared with a real node's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

from offchain.abi import AbiError
from tests.support.anvil import Anvil, AnvilOptions
from tests.support.build import artifact
from tests.support.evm import (
    BLOCK_GAS,
    CHAIN_ID,
    DEFAULT_GAS,
    Contract,
    Evm,
    NotMeteredError,
    RejectedError,
    Revert,
    interface,
    labelled,
    reverts,
)


@pytest.fixture
def probe(evm: Evm) -> Contract:
    return evm.deploy("EvmProbe", 1)


def test_call__state_changing__commits_returns_and_logs(evm: Evm, probe: Contract) -> None:
    whale = evm.account("whale")
    assert probe.store(3, 7, sender=whale) == 0
    assert probe.store(3, 8, sender=whale) == 7
    assert probe.values(3) == 8
    (event,) = evm.events("Stored")
    assert event.address == probe.address
    assert event.args == {"caller": whale, "key": 3, "value": 8, "note": "note"}
    assert evm.events("Other") == []


def test_call__view__is_static_and_leaves_last_alone(evm: Evm, probe: Contract) -> None:
    probe.setFirst(5)
    last = evm.last
    assert probe.first() == 5
    assert evm.last is last
    with reverts("StateChangeDuringStaticCall"):
        evm.static(evm.account("whale"), probe, probe.calldata("setFirst", 6))
    assert probe.first() == 5


def test_call__overloads__chosen_by_count_or_signature(evm: Evm, probe: Contract) -> None:
    whale = evm.account("whale")
    assert probe.pick(4) == 4
    assert probe.pick(4, whale) == (4, whale)
    assert probe["pick(uint256)"](5) == 5
    with pytest.raises(TypeError, match=r"pick\(uint256,address\)"):
        probe.pick(1, 2, 3)


def test_call__structs_and_arrays__decode_to_named_tuples(evm: Evm, probe: Contract) -> None:
    whale = evm.account("whale")
    for point in ((9, whale), {"x": 9, "owner": whale}):
        answer = probe.echo(point, [1, 2])
        assert answer == ((9, whale), (1, 2))
        assert answer.same.owner == whale


def test_call__argument_that_does_not_fit__named_error(probe: Contract) -> None:
    with pytest.raises(AbiError, match="setFirst: "):
        probe.setFirst(-1)
    with pytest.raises(AbiError, match="expected 1 arguments"):
        probe.setFirst(1, 2)
    with pytest.raises(AttributeError, match="EvmProbe has no function missing"):
        probe.missing()


def test_revert__custom_error__named_with_arguments(evm: Evm, probe: Contract) -> None:
    attacker = evm.account("attacker")
    with pytest.raises(Revert) as caught:
        probe.storeAndRefuse(12, sender=attacker)
    assert caught.value.name == "Refused"
    assert caught.value.args == (attacker, 12)
    assert caught.value.data[:4] == keccak(text="Refused(address,uint256)")[:4]
    assert str(caught.value) == f"Refused(caller={attacker}, amount=12)"
    assert probe.values(0) == 0, "a reverted write is undone"


def test_revert__words_panic_halt_and_bare__told_apart(evm: Evm, probe: Contract) -> None:
    with reverts("Error", "not today"):
        probe.refuseInWords()
    with reverts("Panic", 0x12):
        probe.divide(1, 0)
    with reverts("InvalidFEOpcode"):
        evm.transact(evm.default_sender, evm.deploy("GasBurner"), b"")
    with reverts("OutOfGas"):
        probe.storeMany(5, 1, gas=60_000)
    with pytest.raises(Revert, match="no reason given"):
        evm.transact(evm.default_sender, probe, b"\x01\x02\x03\x04")
    with reverts("Error", "zero"):
        evm.deploy("VyperProbe").store(0)


def test_reverts__wrong_error_arguments_or_none__fails(probe: Contract) -> None:
    with pytest.raises(AssertionError, match="expected a revert with Refused"), reverts("Refused"):
        probe.divide(1, 0)
    with pytest.raises(AssertionError, match="expected Panic"), reverts("Panic", 0x11):
        probe.divide(1, 0)
    with pytest.raises(AssertionError, match="succeeded"), reverts():
        probe.setFirst(1)


def test_deploy__code_over_the_limit__fails(evm: Evm) -> None:
    with reverts("CreateContractSizeLimit"):
        evm.deploy("OversizedCode")


def test_spec__shanghai__has_push0_and_no_mcopy(evm: Evm) -> None:
    evm.create(bytes.fromhex("5f00"))
    with reverts("NotActivated"):
        evm.create(bytes.fromhex("60055f5f5e00"))
    Evm(spec="CANCUN").create(bytes.fromhex("60055f5f5e00"))
    with pytest.raises(ValueError, match="unknown spec"):
        Evm(spec="FUTURE")


def test_account__same_label__same_funded_address(evm: Evm) -> None:
    whale = evm.account("whale")
    assert whale == labelled("whale") == Evm().account("whale")
    assert whale != evm.account("attacker")
    assert evm.balance(whale) == 10**24
    assert whale.signer.address == whale


def test_transact__value_without_funds__rejected(evm: Evm, probe: Contract) -> None:
    poor = evm.account("poor")
    evm.set_balance(poor, 5)
    with pytest.raises(RejectedError, match="LackOfFund"):
        evm.transact(poor, probe, b"", value=6)
    evm.transact(poor, probe, b"", value=5)
    assert (evm.balance(poor), evm.balance(probe)) == (0, 5)


def test_transact__contract_as_sender__keeps_its_code(evm: Evm, probe: Contract) -> None:
    other = evm.deploy("EvmProbe", 2)
    probe.store(1, 2, sender=other)
    assert evm.events()[0]["caller"] == other
    assert evm.code(other)[-60:] == evm.code(probe)[-60:]
    assert other.first() == 2
    with pytest.raises(ValueError, match="call to itself"):
        probe.setFirst(1, sender=probe)


def test_mine__blocks_and_seconds__seen_by_contracts(evm: Evm, probe: Contract) -> None:
    start = probe.block_()
    evm.mine(3)
    assert probe.block_()[:2] == (start.timestamp + 36, start.number + 3)
    evm.mine(seconds=100)
    assert probe.block_()[:2] == (start.timestamp + 136, start.number + 4)
    evm.warp(start.timestamp + 1_000)
    assert probe.block_().timestamp == evm.timestamp == start.timestamp + 1_000


def test_restore__nested_and_repeated__brings_everything_back(evm: Evm, probe: Contract) -> None:
    whale = evm.account("whale")
    probe.setFirst(1)
    last, time = evm.last, evm.timestamp
    outer = evm.snapshot()
    for round_number in range(2_000):
        probe.setFirst(100 + round_number)
        inner = evm.snapshot()
        evm.mine()
        probe.setFirst(7)
        evm.set_balance(whale, 9)
        evm.etch(whale, b"\x5f\x5f\xf3")
        evm.set_storage(probe, 0, 77)
        evm.account("late")
        assert (probe.first(), evm.balance(whale)) == (77, 9)
        if round_number % 2:
            evm.restore(inner)
            assert probe.first() == 100 + round_number
        evm.restore(outer)
        assert probe.first() == 1
        assert (evm.balance(whale), evm.code(whale)) == (10**24, b"")
        assert (evm.last, evm.timestamp) == (last, time)
        with pytest.raises(ValueError, match="does not exist"):
            evm.restore(inner)
    assert evm.balance(evm.account("late")) == 10**24


def test_rollback__also_after_an_error__undoes(evm: Evm, probe: Contract) -> None:
    with pytest.raises(ZeroDivisionError), evm.rollback():
        probe.setFirst(50)
        raise ZeroDivisionError
    assert probe.first() == 1


def test_set_balance__of_a_contract__down_and_up_without_running_it(evm: Evm) -> None:
    refuser = evm.deploy("Reverter")
    for amount in (10**18, 5, 0):
        evm.set_balance(refuser, amount)
        assert evm.balance(refuser) == amount
    assert evm.code(refuser) == artifact("Reverter").runtime


def test_etch__by_name__runs_that_code(evm: Evm) -> None:
    place = "0x00000000000000000000000000000000000C0de5"
    evm.etch(place, "JunkReturner")
    evm.set_balance(place, 10)
    evm.transact(evm.default_sender, place, b"", value=1)
    assert evm.balance(place) == 11
    assert evm.code(place) == artifact("JunkReturner").runtime


def test_raw__success_and_failure__uncooked(evm: Evm, probe: Contract) -> None:
    whale = evm.account("whale")
    last = evm.last
    success, data = evm.raw(whale, probe.address, probe.calldata("store", 1, 2))
    assert (success, data) == (True, bytes(32))
    success, data = evm.raw(whale, probe.address, probe.calldata("storeAndRefuse", 2))
    assert not success
    assert data[:4] == keccak(text="Refused(address,uint256)")[:4]
    assert probe.values(1) == 2
    assert evm.last is last
    with pytest.raises(RejectedError):
        evm.raw(whale, probe.address, b"", value=10**30)


def test_gas__outside_of_metered_mode__refused(evm: Evm, probe: Contract) -> None:
    probe.setFirst(2)
    assert evm.last is not None
    with pytest.raises(NotMeteredError):
        _ = evm.last.gas_total


def test_traces__steps__carry_program_counters(evm: Evm, probe: Contract) -> None:
    steps: list[int] = []
    with evm.traces(lambda step: steps.append(step["pc"])):
        evm.raw(evm.account("whale"), probe.address, probe.calldata("setFirst", 3))
    assert steps[0] == 0
    assert len(steps) > 20
    code = evm.code(probe)
    assert all(pc < len(code) for pc in steps)


def test_permit__signed_by_a_labelled_account__accepted(evm: Evm) -> None:
    token = evm.deploy("TestToken", "Dollar", "USD", 6)
    owner, spender = evm.account("investor"), evm.account("whale")
    deadline = evm.timestamp + 60
    message = {
        "types": {
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "domain": {
            "name": "Dollar",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": token.address,
        },
        "message": {
            "owner": owner,
            "spender": spender,
            "value": 5,
            "nonce": 0,
            "deadline": deadline,
        },
    }
    signed = owner.signer.sign_message(encode_typed_data(full_message=message))
    proof = (signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big"))
    token.permit(owner, spender, 5, deadline, *proof, sender=spender)
    assert token.allowance(owner, spender) == 5
    with reverts("PermitSignerMismatch"):
        token.permit(owner, spender, 5, deadline, *proof, sender=spender)
    evm.mine(seconds=61)
    with reverts("PermitExpired", deadline):
        token.permit(owner, spender, 5, deadline, *proof, sender=spender)


class Twins:
    """The same transaction, sent to pyrevm and to anvil."""

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self.evm = Evm(metered=True)
        self.sender = self.evm.account("deployer")
        node.set_balance(self.sender, 10**24)
        node.rpc("anvil_impersonateAccount", self.sender)

    def deploy(self, name: str, *args: object) -> Contract:
        code = artifact(name).bytecode + interface(name).constructor.encode(args)
        contract = self.evm.deploy(name, *args)
        receipt = self._send(None, code)
        assert int(receipt["contractAddress"], 16) == int(contract.address, 16)
        self._compare(f"deploy {name}", receipt)
        # pyrevm counts a sender's creations only, a chain all its transactions.
        self.node.rpc("anvil_setNonce", self.sender, hex(self._creations()))
        return contract

    def _creations(self) -> int:
        return int(self.evm._evm.basic(self.sender).nonce)

    def _send(self, to: str | None, data: bytes, value: int = 0) -> Any:
        transaction: dict[str, Any] = {"from": self.sender, "data": "0x" + data.hex()}
        transaction |= {"gas": hex(DEFAULT_GAS), "value": hex(value)} | ({"to": to} if to else {})
        transaction_hash = self.node.rpc("eth_sendTransaction", transaction)
        while (receipt := self.node.rpc("eth_getTransactionReceipt", transaction_hash)) is None:
            time.sleep(0.002)
        return receipt

    def _compare(self, label: str, receipt: Any) -> None:
        assert self.evm.last is not None
        assert self.evm.last.gas_total == int(receipt["gasUsed"], 16), label

    def call(self, contract: Contract, method: str, *args: object, value: int = 0) -> None:
        data = contract.calldata(method, *args)
        receipt = self._send(contract.address, data, value)
        label = f"{method}{args}"
        try:
            self.evm.transact(self.sender, contract, data, value)
        except Revert as error:
            assert receipt["status"] == "0x0", label
            assert error.gas_used == int(receipt["gasUsed"], 16), label
        else:
            assert receipt["status"] == "0x1", label
            self._compare(label, receipt)


@pytest.fixture(scope="module")
def node() -> Iterator[Anvil]:
    with Anvil(AnvilOptions(gas_limit=BLOCK_GAS)) as chain:
        yield chain


def test_gas_total__any_transaction__equals_the_receipt_of_a_node(node: Anvil) -> None:
    twins = Twins(node)
    probe = twins.deploy("EvmProbe", 0)
    peer = twins.deploy("EvmProbe", 3)
    token = twins.deploy("TestToken", "Dollar", "USD", 6)
    vyper = twins.deploy("VyperProbe")
    reverter = twins.deploy("Reverter")
    whale, fresh = labelled("whale"), "0x" + "ab" * 20
    for first in (5, 6, 6, 0, 0, 9):
        twins.call(probe, "setFirst", first)
        twins.call(probe, "guarded", first)
    for count, value in ((5, 1), (3, 2), (7, 2), (5, 0), (9, 4)):
        twins.call(probe, "storeMany", count, value)
        twins.call(probe, "clearMany", count - 1)
    twins.call(probe, "store", 2**200, 2**200)
    twins.call(probe, "create", 0)
    twins.call(probe, "create", 7)
    for inner in ("setFirst", "storeAndRefuse", "guarded", "create"):
        data = peer.calldata(inner, 11)
        twins.call(probe, "forward", peer.address, data)
        nested = peer.calldata("forward", probe.address, data)
        twins.call(probe, "forward", peer.address, nested)
    twins.call(probe, "forward", reverter.address, b"\x01")
    twins.call(probe, "forward", "0x" + "00" * 19 + "02", b"hash me")
    twins.call(probe, "forward", fresh, b"", value=3)
    twins.call(probe, "forward", fresh, b"", value=3)
    twins.call(probe, "balanceOf", fresh)
    twins.call(probe, "storeAndRefuse", 4)
    twins.call(probe, "refuseInWords")
    twins.call(token, "mint", whale, 10**6)
    twins.call(token, "mint", twins.sender, 10**6)
    for amount in (1, 10**6 - 1, 1):
        twins.call(token, "transfer", whale, amount)
    twins.call(token, "approve", whale, 5)
    twins.call(token, "approve", whale, 0)
    twins.call(vyper, "store", 4)
    twins.call(vyper, "store", 0)


def test_metered__inside_another_mark__same_figure(evm: Evm, probe: Contract) -> None:
    figures = []
    for _ in range(2):
        with evm.metered(), evm.rollback(), evm.rollback():
            probe.storeMany(4, 1)
            assert evm.last is not None
            figures.append((evm.last.gas_used, evm.last.gas_total))
    assert figures[0] == figures[1]
    assert figures[0][1] > figures[0][0] + 21_000


def test_trace__standard_output__left_as_it_was(
    evm: Evm, probe: Contract, capsys: pytest.CaptureFixture[str]
) -> None:
    with evm.metered():
        probe.setFirst(4)
    print("still here")
    assert capsys.readouterr().out == "still here\n"
