"""Safe transactions without a chain: batches, descriptions, signatures, proposal files."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from eth_account.messages import encode_typed_data
from eth_utils import keccak, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from offchain import artifacts
from offchain.chain.signers import KeySigner
from offchain.deployment import DeployedContract, Deployment
from scripts._safe import (
    AddressBook,
    Call,
    Operation,
    Proposal,
    SafeError,
    SafeTx,
    describe,
    pack,
    sign,
    sign_all,
)
from scripts._safe.abi import SAFE_ABI
from scripts._safe.calls import parse_call, text_word
from scripts._safe.describe import show_bytes, show_seconds
from scripts._safe.signatures import HALF_ORDER, recover
from scripts._safe.transaction import checked_address, pack_batch, unpack_batch

SAFE, GATE, ROUTER = (to_checksum_address(keccak(text=n)[12:]) for n in ("safe", "gate", "router"))
ORDER = 2 * HALF_ORDER + 1
OWNERS = [KeySigner(keccak(text=f"owner {n}")) for n in range(5)]
ADDRESSES = [owner.address for owner in OWNERS]

addresses = st.binary(min_size=20, max_size=20).map(lambda b: checked_address("0x" + b.hex(), "x"))
amounts = st.integers(0, 2**256 - 1)
calls = st.builds(Call, addresses, st.binary(max_size=100), amounts)
safe_txs = st.builds(
    SafeTx,
    chain_id=st.integers(1, 2**64),
    safe=addresses,
    nonce=amounts,
    to=addresses,
    data=st.binary(max_size=100),
    value=amounts,
    operation=st.sampled_from(Operation),
    safe_tx_gas=amounts,
    base_gas=amounts,
    gas_price=amounts,
    gas_token=addresses,
    refund_receiver=addresses,
)


@pytest.fixture
def tx() -> SafeTx:
    return SafeTx(31_337, SAFE, 7, GATE, b"\x01\x02", 3)


@pytest.fixture
def book() -> AddressBook:
    return AddressBook(
        {GATE: "EmergencyGate", ROUTER: "CapitalRouter", SAFE: "guardian Safe"},
        {GATE: artifacts.load("EmergencyGate").abi},
    )


# --- the hash


@given(safe_txs)
def test_hash__any_transaction__equals_eip_712_by_an_independent_encoder(tx):
    signable = encode_typed_data(full_message=tx.typed_data())
    assert tx.hash == keccak(b"\x19\x01" + signable.header + signable.body)
    assert tx.domain_hash == signable.header
    assert tx.message_hash == signable.body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("chain_id", 1),
        ("safe", GATE),
        ("nonce", 8),
        ("to", SAFE),
        ("data", b"\x01\x03"),
        ("value", 4),
        ("operation", Operation.DELEGATECALL),
        ("safe_tx_gas", 1),
        ("base_gas", 1),
        ("gas_price", 1),
        ("gas_token", GATE),
        ("refund_receiver", GATE),
    ],
)
def test_hash__one_field_changed__differs(tx, field, value):
    assert SafeTx(**{**vars(tx), field: value}).hash != tx.hash


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0x12",
        SAFE.lower().replace("0x", ""),
        "0x" + "zz" * 20,
        SAFE.swapcase().replace("X", "x"),
    ],
)
def test_safe_tx__address_malformed_or_wrong_checksum__refused(value):
    with pytest.raises(SafeError):
        SafeTx(1, value, 0, GATE, b"")


@pytest.mark.parametrize("value", [-1, 2**256, True, "1"])
def test_safe_tx__amount_out_of_range__refused(value):
    with pytest.raises(SafeError):
        SafeTx(1, SAFE, 0, GATE, b"", value=value)


# --- batches


@given(st.lists(calls, min_size=1, max_size=5))
def test_batch__packed__unpacks_to_the_same_calls(batch):
    assert unpack_batch(pack_batch(batch)) == tuple(batch)


def test_batch__empty__refused():
    with pytest.raises(SafeError, match="at least one"):
        pack_batch([])


@given(st.lists(calls, min_size=1, max_size=3), st.data())
def test_batch__any_byte_changed__other_calls_or_refused(batch, data):
    """Nothing can hide in a batch: two different calldata never read as the same calls."""
    packed = bytearray(pack_batch(batch))
    at = data.draw(st.integers(0, len(packed) - 1))
    packed[at] ^= data.draw(st.integers(1, 255))
    with suppress(SafeError):
        assert unpack_batch(bytes(packed)) != tuple(batch)


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 32, b"\1"])
def test_batch__bytes_behind_the_end__refused(extra):
    with pytest.raises(SafeError):
        unpack_batch(pack_batch([Call(GATE, b"\x01")]) + extra)


def test_batch__inner_delegate_call__refused():
    packed = bytearray(pack_batch([Call(GATE, b"\x01")]))
    packed[68] = Operation.DELEGATECALL
    with pytest.raises(SafeError, match="plain calls"):
        unpack_batch(bytes(packed))


# --- signatures


def test_sign__key__recovers_to_the_owner(tx):
    assert recover(tx.hash, sign(tx, OWNERS[0])) == OWNERS[0].address


def test_sign__signer_signs_something_else__refused(tx):
    class Swapper:
        address = OWNERS[0].address

        def sign_hash(self, digest: bytes) -> bytes:
            return OWNERS[0].sign_hash(keccak(digest))

    with pytest.raises(SafeError, match=r"not .* over this transaction"):
        sign(tx, Swapper())


def test_pack__any_order__rising_addresses_and_only_as_many_as_needed(tx):
    forwards = pack(tx, sign_all(tx, OWNERS), ADDRESSES, 3)
    backwards = pack(tx, sign_all(tx, reversed(OWNERS)), ADDRESSES, 3)
    lowest = sorted(OWNERS, key=lambda owner: int(owner.address, 16))[:3]
    assert forwards == backwards == b"".join(owner.sign_hash(tx.hash) for owner in lowest)


def test_pack__too_few__refused(tx):
    with pytest.raises(SafeError, match="2 of 3 signatures"):
        pack(tx, sign_all(tx, OWNERS[:2]), ADDRESSES, 3)


def test_pack__signer_is_no_owner__refused(tx):
    with pytest.raises(SafeError, match="not an owner"):
        pack(tx, sign_all(tx, OWNERS), ADDRESSES[1:], 2)


def test_pack__signature_under_another_name__refused(tx):
    signatures = {ADDRESSES[1]: OWNERS[0].sign_hash(tx.hash)}
    with pytest.raises(SafeError, match="not its own"):
        pack(tx, signatures, ADDRESSES, 1)


def test_recover__malformed__refused(tx):
    good = OWNERS[0].sign_hash(tx.hash)
    r, s = good[:32], int.from_bytes(good[32:64], "big")
    twin = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - good[64]])
    for bad in (b"", good[:-1], good + b"\0", good[:-1] + b"\x1f", good[:-1] + b"\x01", twin):
        with pytest.raises(SafeError):
            recover(tx.hash, bad)
    with pytest.raises(SafeError):
        recover(tx.hash, b"\0" * 64 + b"\x1b")


# --- descriptions


def test_describe__freeze__names_the_function_the_targets_and_the_units(book):
    text = f'EmergencyGate.raiseMany(["CapitalRouter", "{SAFE}"], "FROZEN", 259200, "drill")'
    call = parse_call(text, book, SAFE)
    tx = SafeTx(31_337, SAFE, 7, call.to, call.data)
    description = describe(tx, book)
    assert description.understood
    assert description.lines == (
        f"Safe         guardian Safe {SAFE}, nonce 7, chain 31337",
        f"safeTxHash   0x{tx.hash.hex()}",
        f"domain hash  0x{tx.domain_hash.hex()}",
        f"message hash 0x{tx.message_hash.hex()}",
        f"1. EmergencyGate {GATE}: raiseMany",
        "     targets_: 2",
        f"       - CapitalRouter {ROUTER}",
        f"       - guardian Safe {SAFE}",
        "     level: 3 (FROZEN)",
        "     duration: 259200 (3 d)",
        '     reason: "drill"',
    )


def test_address_book__router__has_the_functions_of_both_its_halves():
    contract = DeployedContract(
        address=ROUTER, code_hash="0x" + "00" * 32, constructor_args=[], deploy_block=1
    )
    book = AddressBook.of(Deployment(chain_id=1, contracts={"CapitalRouter": contract}))
    for text in (f'approvePlan("0x{"11" * 32}")', f'setExitQueue("{GATE}")', "idle()"):
        assert parse_call(f"CapitalRouter.{text}", book, SAFE).to == ROUTER


def test_describe__batch__every_call_in_order(book):
    parts = [
        parse_call('EmergencyGate.resume("CapitalRouter", "one")', book, SAFE),
        parse_call(f'Safe.swapOwner("{GATE}", "{ROUTER}", "{ADDRESSES[0]}")', book, SAFE),
        Call(ROUTER, b"", 5),
    ]
    tx = SafeTx(1, SAFE, 0, GATE, pack_batch(parts), operation=Operation.DELEGATECALL)
    description = describe(tx, book)
    assert description.understood
    numbered = [line for line in description.lines if line[1] == "."]
    assert numbered == [
        f"1. EmergencyGate {GATE}: resume",
        "2. this Safe itself: swapOwner",
        f"3. CapitalRouter {ROUTER}: plain transfer of ether",
    ]
    assert "     value: 5 wei" in description.lines
    assert f"     newOwner: {ADDRESSES[0]} (unknown address)" in description.lines


@pytest.mark.parametrize("tail", [b"\0", b"\0" * 32, b"\1" * 32])
def test_describe__calldata_with_something_behind__not_understood(book, tail):
    call = parse_call('EmergencyGate.resume("CapitalRouter", "one")', book, SAFE)
    description = describe(SafeTx(1, SAFE, 0, GATE, call.data + tail), book)
    assert not description.understood
    assert "UNREADABLE CALL" in description.lines[-1]


@pytest.mark.parametrize("data", [b"\x01", b"\x01\x02\x03\x04", b""])
def test_describe__unknown_call__not_understood(book, data):
    assert not describe(SafeTx(1, SAFE, 0, ROUTER, data), book).understood


def test_describe__gas_refund__not_understood(book):
    call = parse_call('EmergencyGate.resume("CapitalRouter", "one")', book, SAFE)
    tx = SafeTx(1, SAFE, 0, GATE, call.data, gas_price=1, refund_receiver=ROUTER)
    assert not describe(tx, book).understood


def test_describe__delegate_call_that_is_no_batch__refused(book):
    with pytest.raises(SafeError, match="well-formed batch"):
        describe(SafeTx(1, SAFE, 0, GATE, b"\x01", operation=Operation.DELEGATECALL), book)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (b"drill".ljust(32, b"\0"), '"drill"'),
        (b"\x1b[31mred".ljust(32, b"\0"), "0x" + b"\x1b[31mred".ljust(32, b"\0").hex()),
        (b"", "0x"),
        (b"\0\0", "0x0000"),
        (b"\xff" * 65, "0x" + "ff" * 64 + "… (65 bytes)"),
    ],
)
def test_show_bytes__any__never_an_escape_code(value, shown):
    assert show_bytes(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0 s"), (59, "59 s"), (90_061, "1 d 1 h 1 min 1 s"), (7_200, "2 h")]
)
def test_show_seconds__any__nothing_rounded(seconds, shown):
    assert show_seconds(seconds) == shown


# --- calls as people write them


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("resume", "looks like"),
        ("Nothing.resume()", "nothing is named Nothing"),
        ("EmergencyGate.melt()", "no function melt"),
        ("EmergencyGate.resume()", "no function resume with 0"),
        ('EmergencyGate.resume("CapitalRouter", reason)', "not JSON"),
        ('EmergencyGate.resume("Router", "x")', "nothing is named Router"),
        ('EmergencyGate.resume(5, "x")', "an address or a name"),
        ('EmergencyGate.resume("CapitalRouter", "")', "plain ASCII"),
        ('EmergencyGate.resume("CapitalRouter", "0xzz")', "not hexadecimal"),
        ('EmergencyGate.resume("CapitalRouter", "0x00")', "not a bytes32"),
        ('EmergencyGate.raiseMany("CapitalRouter", 3, 1, "x")', "is a list"),
        ('EmergencyGate.raiseMany([], "MELTED", 1, "x")', "do not fit"),
        ('EmergencyGate.raiseMany([], 256, 1, "x")', "do not fit"),
        ('EmergencyGate.raiseMany([], 3, 1.5, "x")', "do not fit"),
    ],
)
def test_parse_call__malformed__one_clear_line(book, text, reason):
    with pytest.raises(SafeError, match=reason) as caught:
        parse_call(text, book, SAFE)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "x" * 33, "día", "a\nb"])
def test_text_word__not_short_plain_ascii__refused(text):
    with pytest.raises(SafeError):
        text_word(text)


def test_safe_abi__each_entry__equals_the_real_one():
    path = "node_modules/@safe-global/safe-contracts/build/artifacts/contracts/Safe.sol/Safe.json"
    real = json.loads((artifacts.ROOT / path).read_text())["abi"]

    def shape(entry):
        inputs = [(p["type"], p.get("indexed", False)) for p in entry["inputs"]]
        outputs = [p["type"] for p in entry.get("outputs", ())]
        return (entry["type"], entry["name"], inputs, outputs, entry.get("stateMutability"))

    known = [shape(e) for e in real if e["type"] in ("function", "event")]
    for entry in SAFE_ABI:
        assert shape(entry) in known, entry["name"]


# --- proposal files


@pytest.fixture
def proposal(tx) -> Proposal:
    return Proposal(tx, sign_all(tx, OWNERS[:2]))


def test_proposal__saved_and_loaded__the_same(tmp_path, proposal):
    path = tmp_path / "folder" / proposal.file_name
    proposal.save(path)
    assert Proposal.load(path) == proposal
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_proposal__merged__signatures_of_both(tx):
    one, other = Proposal(tx, sign_all(tx, OWNERS[:2])), Proposal(tx, sign_all(tx, OWNERS[1:3]))
    assert one.merged(other).signatures.keys() == set(ADDRESSES[:3])


def test_proposal__merged_with_another_transaction__refused(tx):
    other = SafeTx(**{**vars(tx), "nonce": 8})
    with pytest.raises(SafeError, match="two different"):
        Proposal(tx).merged(Proposal(other))


def test_proposal__foreign_signature__refused(tx):
    with pytest.raises(SafeError, match="not its own"):
        Proposal(tx, {ADDRESSES[0]: OWNERS[1].sign_hash(tx.hash)})


def test_proposal__gas_refund__cannot_be_saved(tmp_path, tx):
    refund = SafeTx(**{**vars(tx), "gas_price": 1})
    with pytest.raises(SafeError):
        Proposal(refund).save(tmp_path / "p.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", 2),
        ("chainId", 1),
        ("chainId", "31337"),
        ("safe", GATE),
        ("safe", "0x12"),
        ("nonce", 8),
        ("nonce", -1),
        ("to", ROUTER),
        ("value", "4"),
        ("value", 3),
        ("value", "03"),
        ("value", "9" * 78),
        ("data", "0x0103"),
        ("data", "0x010"),
        ("data", "0102"),
        ("operation", 1),
        ("operation", 2),
        ("safeTxHash", "0x" + "00" * 32),
        ("signatures", {}.fromkeys([ADDRESSES[0]], "0x" + "00" * 65)),
        ("signatures", {"nobody": "0x"}),
        ("surprise", 1),
        ("nonce", None),
    ],
)
def test_proposal__field_damaged__one_line(tmp_path, proposal, field, value):
    path = tmp_path / "p.json"
    proposal.save(path)
    body = json.loads(path.read_text())
    body[field] = value
    if value is None:
        del body[field]
    path.write_text(json.dumps(body))
    with pytest.raises(SafeError, match=r"proposal .* is damaged") as caught:
        Proposal.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"schema": 1, "schema": 1}'],
)
def test_proposal__no_proposal_at_all__one_line(tmp_path, content):
    path = tmp_path / "p.json"
    path.write_bytes(content)
    with pytest.raises(SafeError, match="proposal") as caught:
        Proposal.load(path)
    assert "\n" not in str(caught.value)


def test_proposal__missing_or_a_folder__one_line(tmp_path):
    for path in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(SafeError, match="proposal"):
            Proposal.load(path)


@given(st.data())
def test_proposal__any_byte_changed__refused_or_the_same(tmp_path_factory, data):
    tx = SafeTx(31_337, SAFE, 7, GATE, b"\x01\x02", 3)
    proposal = Proposal(tx, sign_all(tx, OWNERS[:1]))
    path = tmp_path_factory.mktemp("proposal") / "p.json"
    proposal.save(path)
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(SafeError):
        assert Proposal.load(path) == proposal
