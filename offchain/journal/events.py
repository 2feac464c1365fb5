"""Immutable events and their one canonical encoding; it never reads a clock, a file or a database.

An event's hash covers every field and the hash of the event before it:

    hash = SHA-256("breakwater.event.1" ‖ u64 seq ‖ u64 time ‖ len kind ‖ len actor ‖ len cause
                   ‖ len payload ‖ previous)

where `len x` is x as UTF-8 behind its own length as u32, so that no two events share an encoding.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from offchain.errors import OffchainError

GENESIS = bytes(32)
MAX_U63 = 2**63 - 1
_DOMAIN = b"breakwater.event.1"

Payload = Mapping[str, Any]


class PayloadError(OffchainError):
    """A payload holds something that has no single canonical form."""


class Kind(StrEnum):
    """What can happen. Values are stored; a name may change, a value never."""

    OPENED = "journal.opened"
    CHECKPOINT = "journal.checkpoint"
    BLOCK = "chain.block"
    LOG = "chain.log"
    RETRACTED = "chain.retracted"
    TX_INTENDED = "tx.intended"
    TX_SIGNED = "tx.signed"
    TX_SENT = "tx.sent"
    TX_UNKNOWN = "tx.unknown"
    TX_MINED = "tx.mined"
    TX_UNMINED = "tx.unmined"
    TX_CONFIRMED = "tx.confirmed"
    TX_FINAL = "tx.final"
    TX_REFUSED = "tx.refused"
    TX_EXPIRED = "tx.expired"
    TX_DISPLACED = "tx.displaced"
    INTENT_RECEIVED = "intent.received"
    INTENT_DROPPED = "intent.dropped"
    BATCH_PACKED = "batch.packed"
    BATCH_SETTLED = "batch.settled"
    BATCH_SPLIT = "batch.split"
    HALT_CHANGED = "halt.changed"
    INCIDENT = "incident"


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has a place in the journal.

    Attributes:
        kind: what happened.
        actor: who did it: "follower", "sender", "operator:<name>", an address.
        cause: what led to it, as a reference: "block:12", "event:7", "intent:<id>".
        payload: the facts; strings, whole numbers, booleans, None, lists and mappings of these.
    """

    kind: Kind
    actor: str
    cause: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal, exactly as stored. `kind` is text so that any stored row loads."""

    seq: int
    time: int
    kind: str
    actor: str
    cause: str
    payload_json: str
    previous: bytes
    hash: bytes

    @property
    def row(self) -> tuple[int, int, str, str, str, str, bytes, bytes]:
        """Its fields, in the order in which every database stores them."""
        return (
            self.seq,
            self.time,
            self.kind,
            self.actor,
            self.cause,
            self.payload_json,
            self.previous,
            self.hash,
        )

    @property
    def payload(self) -> dict[str, Any]:
        """The payload, decoded anew on each call."""
        decoded = json.loads(self.payload_json)
        assert isinstance(decoded, dict)
        return decoded

    def expected_hash(self) -> bytes:
        """What the hash must be if nobody touched the event."""
        return event_hash(
            (self.seq, self.time, self.kind, self.actor, self.cause, self.payload_json),
            self.previous,
        )


def canonical(payload: Payload) -> str:
    """JSON with sorted keys, no spaces and whole numbers only.

    Raises:
        PayloadError: for floats, keys that are not text, bytes, sets, and lone surrogates.
    """
    _check(payload)
    return json.dumps(
        payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _check(value: Any, depth: int = 0) -> None:
    if depth > 32:
        raise PayloadError("a payload is nested more than 32 deep")
    if value is None or type(value) in (bool, int):
        return
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PayloadError("a payload holds text that is not valid Unicode") from None
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise PayloadError(f"a payload key is {type(key).__name__}, not text")
            _check(key, depth)
            _check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    else:
        raise PayloadError(f"a payload holds {type(value).__name__}, which has no canonical form")


def seal(draft: Draft, seq: int, time: int, previous: bytes) -> Event:
    """Gives a draft its place: the event that follows `previous`.

    Raises:
        PayloadError: if the payload has no canonical form, or a field is out of bounds.
    """
    if not 0 < seq <= MAX_U63 or not 0 <= time <= MAX_U63:
        raise PayloadError("sequence number or time is out of bounds")
    _check(draft.actor)
    _check(draft.cause)
    fields = (seq, time, draft.kind.value, draft.actor, draft.cause, canonical(draft.payload))
    return Event(*fields, previous, event_hash(fields, previous))


def event_hash(fields: tuple[int, int, str, str, str, str], previous: bytes) -> bytes:
    """The hash that binds an event to its place; the formula is in the module's docstring.

    Args:
        fields: seq, time, kind, actor, cause, canonical payload.
        previous: hash of the event before, or `GENESIS`.
    """
    seq, time, *texts = fields
    parts = [_DOMAIN, struct.pack(">QQ", seq, time)]
    for text in texts:
        encoded = text.encode()
        parts.append(struct.pack(">I", len(encoded)))
        parts.append(encoded)
    parts.append(previous)
    return hashlib.sha256(b"".join(parts)).digest()
