"""Finds any changed, dropped, reordered or inserted event, and truncation; it never repairs.

The hash chain finds every change except one: events dropped from the end. For that a checkpoint
(size and Merkle root) must be kept where whoever holds the journal cannot write; see `FileAnchor`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from offchain import nested
from offchain.journal.events import GENESIS, Draft, Event, Kind, PayloadError, canonical
from offchain.journal.merkle import Frontier
from offchain.journal.store import Journal, JournalError


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The journal's first `size` events have the Merkle root `root`."""

    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Reads `SIZE:ROOT`, the root as 64 hex digits.

        Raises:
            JournalError: if it is anything else.
        """
        size, _, root = text.strip().partition(":")
        try:
            checkpoint = cls(int(size), bytes.fromhex(root.removeprefix("0x")))
        except ValueError:
            raise JournalError(f"checkpoint {text!r} is not SIZE:ROOT") from None
        if checkpoint.size < 0 or len(checkpoint.root) != 32:
            raise JournalError(f"checkpoint {text!r} is not SIZE:ROOT")
        return checkpoint

    def __str__(self) -> str:
        return f"{self.size}:{self.root.hex()}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written. `seq` is the place where it shows."""

    seq: int
    what: str

    def __str__(self) -> str:
        return f"event {self.seq}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result: sound if there are no findings."""

    size: int
    head: bytes
    root: bytes
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_events(events: Iterable[Event], anchors: Sequence[Checkpoint] = ()) -> Verification:
    """Checks every event, every link, every checkpoint in the journal and every anchor given."""
    findings: list[Finding] = []
    frontier = Frontier()
    previous, place = GENESIS, 0
    wanted: dict[int, set[bytes]] = {}
    for anchor in anchors:
        wanted.setdefault(anchor.size, set()).add(anchor.root)
    for event in events:
        place += 1
        if event.seq != place:
            findings.append(Finding(place, f"its place is taken by event {event.seq}"))
            place = event.seq
        if event.previous != previous:
            findings.append(Finding(event.seq, "it does not follow the event before it"))
        if (fault := _fault(event)) is not None:
            findings.append(Finding(event.seq, fault))
        elif event.kind == Kind.CHECKPOINT:
            findings.extend(_check_checkpoint(event, frontier))
        previous = event.hash
        frontier.append(event.hash)
        for root in wanted.pop(frontier.size, ()):
            if root != frontier.root():
                findings.append(Finding(event.seq, f"the anchor of {frontier.size} events differs"))
    for size in sorted(wanted):
        if size:
            findings.append(Finding(frontier.size, f"the journal ends before an anchor of {size}"))
    return Verification(frontier.size, previous, frontier.root(), tuple(findings))


def _fault(event: Event) -> str | None:
    """What is wrong with the event by itself."""
    try:
        if event.hash != event.expected_hash():
            return "its contents do not match its hash"
        if canonical(event.payload) != event.payload_json:
            return "its payload is not canonical"
    except (ValueError, TypeError, AttributeError, AssertionError, RecursionError, PayloadError):
        return "it cannot be decoded"
    except struct.error:
        return "its place or time is out of bounds"
    return None


def _check_checkpoint(event: Event, frontier: Frontier) -> list[Finding]:
    payload = event.payload
    if payload.get("size") != frontier.size or payload.get("root") != frontier.root().hex():
        return [Finding(event.seq, "its checkpoint does not match the events before it")]
    return []


def verify(journal: Journal, anchors: Sequence[Checkpoint] = ()) -> Verification:
    """Checks a whole journal; see `verify_events`.

    Raises:
        JournalError: if the database itself cannot be read.
    """
    return verify_events(journal.events(), anchors)


class Checkpointer:
    """Appends a checkpoint event per so many events; it keeps the tree's edge between calls."""

    def __init__(self, journal: Journal, every: int, anchor: FileAnchor | None = None) -> None:
        self._journal = journal
        self._every = every
        self._anchor = anchor
        self._frontier = Frontier()
        self._since = 0

    def run(self, *, force: bool = False) -> Checkpoint | None:
        """Takes in what was appended; makes a checkpoint if enough was (or `force` and any was)."""
        while True:
            for event in self._journal.events(after=self._frontier.size):
                self._frontier.append(event.hash)
                self._since = 0 if event.kind == Kind.CHECKPOINT else self._since + 1
            if self._since == 0 or not (force or self._since >= self._every):
                return None
            checkpoint = Checkpoint(self._frontier.size, self._frontier.root())
            head = self._journal.head()
            draft = Draft(
                Kind.CHECKPOINT,
                "journal",
                f"event:{checkpoint.size}",
                {"size": checkpoint.size, "root": checkpoint.root.hex()},
            )
            if head.seq == checkpoint.size and self._journal.append_if(head, [draft]) is not None:
                if self._anchor is not None:
                    self._anchor.add(checkpoint)
                return checkpoint


class FileAnchor:
    """Checkpoints in a file that should lie on another disk or host than the journal."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, checkpoint: Checkpoint) -> None:
        """Appends a checkpoint, durably; a line that a crash cut short is dropped first."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            row = json.dumps({"size": checkpoint.size, "root": checkpoint.root.hex()})
            with self._path.open("ab+") as handle:
                handle.seek(0)
                handle.truncate(handle.read().rfind(b"\n") + 1)
                handle.write(row.encode() + b"\n")
                handle.flush()
                os.fsync(handle.fileno())
        except OSError as error:
            raise JournalError(f"anchor file {self._path} cannot be written: {error}") from None

    def read(self) -> list[Checkpoint]:
        """Every checkpoint anchored so far; none if there is no file yet.

        NOTE: a last line cut short by a crash is no anchor; any other bad line is damage.

        Raises:
            JournalError: if the file is damaged.
        """
        try:
            text = self._path.read_text(encoding="ascii")
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise JournalError(f"anchor file {self._path} cannot be read: {error}") from None
        whole, _, _ = text.rpartition("\n")
        anchors = []
        for number, line in enumerate(filter(None, whole.split("\n")), 1):
            try:
                row = nested.loads(line)
                anchors.append(Checkpoint.parse(f"{row['size']}:{row['root']}"))
            except (ValueError, KeyError, TypeError, JournalError):
                raise JournalError(
                    f"anchor file {self._path} is damaged at line {number}"
                ) from None
        return anchors
