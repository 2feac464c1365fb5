"""Intents are read strictly, pooled once, and packed the same way whoever packs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from offchain.batch.intents import Intent, IntentError, Pool, load_intents, receive
from offchain.batch.packer import BatchLimits, batch_id, expired, pack
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal

OWNER = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OTHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
GATEWAY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"


def intent(**changes: Any) -> Intent:
    fields: dict[str, Any] = {
        "kind": "deposit",
        "owner": OWNER,
        "receiver": OWNER,
        "amount": 10**24,
        "minimum": 1,
        "nonce": 0,
        "deadline": 1_800_000_000,
        "signature": "0x" + "11" * 65,
    }
    return Intent.model_validate(fields | changes)


def test_intent__amount_as_number_or_text__same_id(tmp_path: Path) -> None:
    path = tmp_path / "intents.json"
    raw = intent().model_dump(mode="json")
    path.write_text(json.dumps([raw, raw | {"amount": str(10**24), "nonce": "0"}]))
    first, second = load_intents(path)
    assert first.id == second.id == intent().id
    assert intent(nonce=1).id != first.id
    assert intent(signature="0x" + "12" * 65).id != first.id


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"amount": 0}, "zero"),
        ({"amount": -1}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": 2**256}, "amount"),
        ({"amount": "1e18"}, "amount"),
        ({"amount": "0" * 78 + "1"}, "amount"),
        ({"kind": "swap"}, "kind"),
        ({"owner": "0x12"}, "owner"),
        ({"owner": OWNER.replace("d", "D", 1)}, "checksum"),
        ({"signature": "0x123"}, "signature"),
        ({"extra": 1}, "extra"),
        ({"deadline": True}, "deadline"),
    ],
)
def test_load_intents__one_is_damaged__none_taken_one_line(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    path = tmp_path / "intents.json"
    sound = intent().model_dump(mode="json")
    path.write_text(json.dumps([sound, sound | change]))
    with pytest.raises(IntentError, match=says) as caught:
        load_intents(path)
    assert "\n" not in str(caught.value)


def test_load_intents__largest_amount_as_text__taken(tmp_path: Path) -> None:
    path = tmp_path / "intents.json"
    path.write_text(json.dumps([intent().model_dump(mode="json") | {"amount": str(2**256 - 1)}]))
    assert load_intents(path)[0].amount == 2**256 - 1


@pytest.mark.parametrize(
    ("kind", "amount", "minimum"),
    [("deposit", "assets", "minShares"), ("exit", "shares", "minAssets")],
)
def test_struct__each_kind__as_the_gateway_names_it(kind: str, amount: str, minimum: str) -> None:
    assert intent(kind=kind).struct() == {
        "intent": {
            "owner": OWNER,
            "receiver": OWNER,
            amount: 10**24,
            minimum: 1,
            "nonce": 0,
            "deadline": 1_800_000_000,
        },
        "signature": b"\x11" * 65,
        "permit": {"value": 0, "deadline": 0, "v": 0, "r": bytes(32), "s": bytes(32)},
    }


@pytest.mark.parametrize("text", ["", "{}", "[1]", "[[", '"x"'])
def test_load_intents__no_list_of_intents__one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "intents.json"
    path.write_text(text)
    with pytest.raises(IntentError):
        load_intents(path)
    with pytest.raises(IntentError, match="does not exist"):
        load_intents(tmp_path / "none.json")


intents = st.builds(
    lambda kind, owner, nonce, deadline: intent(
        kind=kind, owner=owner, nonce=nonce, deadline=deadline
    ),
    st.sampled_from(["deposit", "exit"]),
    st.sampled_from([OWNER, OTHER]),
    st.integers(0, 12),
    st.integers(1_000, 2_000),
)


@given(
    st.lists(intents, max_size=40),
    st.integers(1, 10),
    st.integers(200_000, 3_000_000),
    st.sampled_from(["deposit", "exit"]),
)
def test_pack__any_pool__within_limits_in_order_and_one_per_nonce(
    pool: list[Intent], size: int, gas: int, kind: str
) -> None:
    limits = BatchLimits(gas=gas, size=size)
    chosen = pack(pool, kind, limits)
    each = limits.deposit_gas if kind == "deposit" else limits.exit_gas
    assert len(chosen) <= size
    assert not chosen or limits.base_gas + each * len(chosen) <= gas
    assert all(one.kind == kind for one in chosen)
    assert len({one.slot for one in chosen}) == len(chosen)
    order = [pool.index(one) for one in chosen]
    assert order == sorted(order)
    assert pack(pool, kind, limits) == chosen
    fits = {one.slot for one in pool if one.kind == kind}
    assert len(chosen) == min(len(fits), limits.room(kind))


@pytest.mark.parametrize(("kind", "fit"), [("deposit", 13), ("exit", 8)])
def test_room__each_kind__by_its_own_gas(kind: str, fit: int) -> None:
    assert BatchLimits(gas=120_000 + 13 * 160_000, size=60).room(kind) == fit
    assert BatchLimits(gas=120_000 + 13 * 160_000, size=7).room(kind) == 7
    assert BatchLimits(gas=1).room(kind) == 0


def test_pack__two_with_one_nonce__the_first() -> None:
    first, second = intent(nonce=1), intent(nonce=1, minimum=2)
    other = intent(nonce=1, owner=OTHER, receiver=OTHER)
    assert pack([first, second, other], "deposit", BatchLimits()) == [first, other]


def test_expired__close_to_the_deadline__named() -> None:
    soon, later = intent(deadline=1_059), intent(deadline=1_060)
    assert expired([soon, later], now=1_000, margin=60) == [soon]


def test_batch_id__anything_differs__another_id() -> None:
    a, b = intent(nonce=1).id, intent(nonce=2).id
    ids = {
        batch_id(1, GATEWAY, [(a, 0), (b, 0)]),
        batch_id(1, GATEWAY, [(b, 0), (a, 0)]),
        batch_id(1, GATEWAY, [(a, 1), (b, 0)]),
        batch_id(1, GATEWAY, [(a, 0)]),
        batch_id(2, GATEWAY, [(a, 0), (b, 0)]),
        batch_id(1, OTHER, [(a, 0), (b, 0)]),
    }
    assert len(ids) == 6
    assert batch_id(1, GATEWAY, [(a, 0)]) == batch_id(1, GATEWAY, [(a, 0)])


def test_batch_id__example__is_the_hash_of_its_parts() -> None:
    parts = [b"breakwater.batch.1", (31337).to_bytes(32, "big"), bytes.fromhex(GATEWAY[2:])]
    parts += [bytes.fromhex("ab" * 32), (258).to_bytes(4, "big")]
    expected = "0x" + keccak(b"".join(parts)).hex()
    assert batch_id(31337, GATEWAY, [("0x" + "ab" * 32, 258)]) == expected


def test_pool__received_twice_packed_settled__each_once(tmp_path: Path) -> None:
    one, two, three = (intent(nonce=n) for n in range(3))
    with Journal.open(str(tmp_path / "journal.db")) as journal:
        receive(journal, [one, two, three])
        receive(journal, [one])
        pool = Pool()
        pool.refold(journal)
        assert list(pool.waiting.values()) == [one, two, three]
        packed = {"batch": "0xb1", "kind": "deposit", "intents": [one.id, two.id, three.id]}
        journal.append([Draft(Kind.BATCH_PACKED, "batcher", "", packed)])
        receive(journal, [two])
        pool.refold(journal)
        assert not pool.waiting
        assert pool.batches["0xb1"].intents == (one, two, three)
        settled = {
            "batch": "0xb1",
            "settled": 1,
            "rejected": {two.id: "NO_ROOM", three.id: "BAD_SIGNATURE"},
            "again": [two.id],
        }
        journal.append([Draft(Kind.BATCH_SETTLED, "batcher", "", settled)])
        receive(journal, [one, three])
        pool.refold(journal)
        assert list(pool.waiting.values()) == [two]
        assert pool.tries(two.id) == 1
        assert pool.settled == {one.id: "0xb1"}
        assert pool.dropped == {three.id: "BAD_SIGNATURE"}
        again = Pool()
        again.refold(journal)
        assert again == pool


def test_pool__dropped__waits_no_more_and_is_not_taken_in_again(tmp_path: Path) -> None:
    one, two = intent(nonce=1), intent(nonce=2)
    with Journal.open(str(tmp_path / "journal.db")) as journal:
        receive(journal, [one, two])
        why = {"id": one.id, "why": "EXPIRED"}
        journal.append([Draft(Kind.INTENT_DROPPED, "batcher", f"intent:{one.id}", why)])
        receive(journal, [one])
        pool = Pool()
        pool.refold(journal)
        assert list(pool.waiting.values()) == [two]
        assert pool.dropped == {one.id: "EXPIRED"}
        assert pool.knows(one.id)
