"""Signed deposit and exit intents, and the pool of those received, folded from the journal."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from offchain import nested
from offchain.deployment import Address
from offchain.errors import OffchainError
from offchain.journal.events import Draft, Event, Kind, canonical
from offchain.journal.store import Journal

UINT256 = 2**256 - 1


class IntentError(OffchainError):
    """An intent that cannot be taken in."""


def _whole(value: Any) -> Any:
    """NOTE: other languages lose digits of large JSON numbers, so amounts may come as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 78:
        return int(value)
    return value


Uint = Annotated[int, Field(ge=0, le=UINT256, strict=True), BeforeValidator(_whole)]
HexData = Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2})*$", max_length=10_000)]
Word = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$")]


class Permit(BaseModel):
    """ERC-2612 permit that accompanies an intent; a deadline of 0 means there is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Uint = 0
    deadline: Uint = 0
    v: Annotated[int, Field(ge=0, le=255)] = 0
    r: Word = "0x" + "00" * 32
    s: Word = "0x" + "00" * 32


class Intent(BaseModel):
    """One signed intent. `amount` is assets for a deposit, shares for an exit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["deposit", "exit"]
    owner: Address
    receiver: Address
    amount: Uint
    minimum: Uint
    nonce: Uint
    deadline: Uint
    signature: HexData
    permit: Permit = Permit()

    @model_validator(mode="after")
    def _something_to_do(self) -> Intent:
        if self.amount == 0:
            raise ValueError("the amount is zero")
        return self

    @property
    def id(self) -> str:
        """Hash of everything in it."""
        text = canonical(self.model_dump(mode="json"))
        return "0x" + hashlib.sha256(b"breakwater.intent.1" + text.encode()).hexdigest()

    @property
    def slot(self) -> tuple[str, int]:
        """(owner, nonce): works once on chain."""
        return self.owner, self.nonce

    def struct(self) -> dict[str, Any]:
        """What the gateway takes."""
        deposit = self.kind == "deposit"
        return {
            "intent": {
                "owner": self.owner,
                "receiver": self.receiver,
                "assets" if deposit else "shares": self.amount,
                "minShares" if deposit else "minAssets": self.minimum,
                "nonce": self.nonce,
                "deadline": self.deadline,
            },
            "signature": bytes.fromhex(self.signature.removeprefix("0x")),
            "permit": {
                "value": self.permit.value,
                "deadline": self.permit.deadline,
                "v": self.permit.v,
                "r": bytes.fromhex(self.permit.r.removeprefix("0x")),
                "s": bytes.fromhex(self.permit.s.removeprefix("0x")),
            },
        }


_MANY = TypeAdapter(list[Intent])


def load_intents(path: Path) -> list[Intent]:
    """Reads a JSON list of intents.

    Raises:
        IntentError: with one line, if any of them is damaged; then none is taken.
    """
    try:
        raw = nested.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise IntentError(f"intent file {path} does not exist") from None
    except (OSError, ValueError) as error:
        raise IntentError(f"intent file {path} cannot be read: {error}") from None
    try:
        return _MANY.validate_python(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "top level"
        raise IntentError(f"intent file {path} is damaged at {where}: {first['msg']}") from None


@dataclass(frozen=True, slots=True)
class Batch:
    """Intents packed together, all of one kind, in the order in which they settle."""

    id: str
    kind: str
    intents: tuple[Intent, ...]
    seq: int


@dataclass(slots=True)
class Pool:
    """Which intents wait, which are packed, which are over.

    `alone` are those whose batch was refused for what was in it: they share none again.
    `_packed` names all that ever were, so that one that settled is not taken in again.
    """

    seq: int = 0
    waiting: dict[str, Intent] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    settled: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    alone: set[str] = field(default_factory=set)
    _packed: set[str] = field(default_factory=set)
    _tries: dict[str, int] = field(default_factory=dict)

    def refold(self, journal: Journal) -> None:
        """Takes in what was journalled since the last call, by any process."""
        kinds = [Kind.INTENT_RECEIVED, Kind.INTENT_DROPPED]
        kinds += [Kind.BATCH_PACKED, Kind.BATCH_SETTLED, Kind.BATCH_SPLIT]
        for event in journal.events(after=self.seq, kinds=kinds):
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Takes in one event."""
        self.seq = event.seq
        payload = event.payload
        if event.kind == Kind.INTENT_RECEIVED:
            if not self.knows(payload["id"]):
                self.waiting[payload["id"]] = Intent.model_validate(payload["intent"])
        elif event.kind == Kind.INTENT_DROPPED:
            self.waiting.pop(payload["id"], None)
            self.dropped[payload["id"]] = payload["why"]
        elif event.kind == Kind.BATCH_PACKED:
            intents = tuple(self.waiting.pop(name) for name in payload["intents"])
            self._packed.update(payload["intents"])
            batch = Batch(payload["batch"], payload["kind"], intents, event.seq)
            self.batches[batch.id] = batch
        elif event.kind == Kind.BATCH_SPLIT:
            self._split(payload)
        else:
            self._settle(payload)

    def _split(self, payload: dict[str, Any]) -> None:
        for intent in self._unpack(payload["batch"]):
            if intent.id in payload["alone"]:
                self.waiting[intent.id] = intent
                self.alone.add(intent.id)
            else:
                self.dropped[intent.id] = payload["why"]

    def _settle(self, payload: dict[str, Any]) -> None:
        reasons = payload["rejected"]
        for intent in self._unpack(payload["batch"]):
            if intent.id in payload["again"]:
                self.waiting[intent.id] = intent
            elif intent.id in reasons:
                self.dropped[intent.id] = reasons[intent.id]
            else:
                self.settled[intent.id] = payload["batch"]

    def _unpack(self, name: str) -> tuple[Intent, ...]:
        intents = self.batches.pop(name).intents
        for intent in intents:
            self._tries[intent.id] = self.tries(intent.id) + 1
        return intents

    def tries(self, name: str) -> int:
        """How many batches with this intent were settled or split."""
        return self._tries.get(name, 0)

    def knows(self, name: str) -> bool:
        """Whether an intent was ever received."""
        return name in self.waiting or name in self._packed or name in self.dropped


def receive(journal: Journal, intents: Sequence[Intent]) -> list[str]:
    """Journals intents; one that is known already changes nothing. Returns their ids."""
    drafts = [
        Draft(
            Kind.INTENT_RECEIVED,
            intent.owner,
            f"intent:{intent.id}",
            {"id": intent.id, "intent": intent.model_dump(mode="json")},
        )
        for intent in intents
    ]
    journal.append(drafts)
    return [intent.id for intent in intents]
