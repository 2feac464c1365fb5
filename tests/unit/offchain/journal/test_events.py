"""One event, one encoding: equal payloads encode alike, unequal ones never hash alike."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.journal.events import GENESIS, Draft, Event, Kind, PayloadError, canonical, seal

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**256), 2**256) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
payloads = st.dictionaries(texts, values, max_size=5)


@given(payloads)
def test_canonical__any_payload__round_trips_and_ignores_key_order(payload: dict[str, Any]) -> None:
    text = canonical(payload)
    assert json.loads(text) == payload
    assert canonical(dict(reversed(payload.items()))) == text
    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), b"x", {1: 2}, {1, 2}, "\ud800", {"\udfff": 1}, type, complex(1, 1)],
    ids=repr,
)
def test_canonical__no_single_form__refused(value: object) -> None:
    with pytest.raises(PayloadError):
        canonical({"value": value})


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"k": inner}])
def test_canonical__nested__up_to_32_deep(wrap: Callable[[Any], Any]) -> None:
    value: Any = {}
    for _ in range(31):
        value = wrap(value)
    assert json.loads(canonical({"value": value})) == {"value": value}
    with pytest.raises(PayloadError, match="nested"):
        canonical({"value": wrap(value)})


@pytest.mark.parametrize(
    ("seq", "time"), [(0, 0), (-1, 0), (2**63, 0), (1, -1), (1, 2**63)], ids=str
)
def test_seal__number_or_time_out_of_bounds__refused(seq: int, time: int) -> None:
    with pytest.raises(PayloadError, match="out of bounds"):
        seal(Draft(Kind.BLOCK, "follower", "block:7", {}), seq, time, GENESIS)


@pytest.mark.parametrize(("actor", "cause"), [("\ud800", ""), ("", "\udfff")], ids=repr)
def test_seal__actor_or_cause_no_unicode__refused(actor: str, cause: str) -> None:
    with pytest.raises(PayloadError, match="Unicode"):
        seal(Draft(Kind.BLOCK, actor, cause, {}), 1, 0, GENESIS)


def test_hash__written_out_by_hand__same() -> None:
    event = seal(Draft(Kind.BLOCK, "follower", "block:7", {"b": 1, "a": "é"}), 3, 99, GENESIS)
    parts = ["chain.block", "follower", "block:7", '{"a":"é","b":1}']
    framed = b"".join(struct.pack(">I", len(p.encode())) + p.encode() for p in parts)
    expected = b"breakwater.event.1" + struct.pack(">QQ", 3, 99) + framed + bytes(32)
    assert event.hash == hashlib.sha256(expected).digest()


sealed = st.builds(
    seal,
    st.builds(Draft, st.sampled_from(list(Kind)), texts, texts, payloads),
    st.integers(1, 2**63 - 1),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)


@given(sealed, st.data())
def test_hash__any_field_changed__differs(event: Event, data: st.DataObject) -> None:
    """Property: J1."""
    other = data.draw(sealed)
    for field in dataclasses.fields(Event):
        if field.name == "hash" or getattr(event, field.name) == getattr(other, field.name):
            continue
        changed = dataclasses.replace(event, **{field.name: getattr(other, field.name)})
        assert changed.expected_hash() != event.hash


def test_hash__text_moved_between_fields__differs() -> None:
    left = seal(Draft(Kind.BLOCK, "ab", "c", {}), 1, 0, GENESIS)
    right = seal(Draft(Kind.BLOCK, "a", "bc", {}), 1, 0, GENESIS)
    assert left.hash != right.hash
