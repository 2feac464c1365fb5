"""Follows the head and journals what happened; after a reorg nothing of the dead branch is live.

A block's event and its logs' events go into the journal in one transaction. A reorg is journalled
as a retraction down to the common ancestor; events are never removed, they stop being live. Far
behind the head the follower reads spans of blocks; within the horizon it reads block by block,
each by its hash, so that logs cannot be mixed from two branches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offchain.abi import AbiError, AbiIndex, checksum
from offchain.chain.rpc import Block, NodeRefused, Quorum, RawLog
from offchain.errors import OffchainError
from offchain.journal.events import Draft, Event, Kind
from offchain.journal.store import Journal

HORIZON = 64
SPAN = 2_000
ACTOR = "follower"
_MAX_DRAFTS = 2_000


class DeepReorg(OffchainError):
    """The chain changed below the horizon: nothing that was read can be trusted."""


@dataclass(frozen=True, slots=True)
class Point:
    """A block that was followed."""

    number: int
    hash: str
    time: int


class LiveView:
    """The recent live blocks and the strategies that were added, folded from the journal."""

    def __init__(self, horizon: int = HORIZON) -> None:
        self._keep = 4 * horizon
        self._points: dict[int, Point] = {}
        self._strategies: dict[str, int] = {}
        self.seq = 0

    def apply(self, event: Event) -> None:
        """Takes in one event; kinds that say nothing about the chain are passed over."""
        self.seq = event.seq
        if event.kind == Kind.BLOCK:
            payload = event.payload
            number = payload["number"]
            self._points[number] = Point(number, payload["hash"], payload["time"])
            for old in [n for n in self._points if n < number - self._keep]:
                del self._points[old]
        elif event.kind == Kind.LOG:
            payload = event.payload
            if payload["event"] == "StrategyAdded":
                self._strategies[payload["args"]["strategy"].lower()] = payload["block"]
        elif event.kind == Kind.RETRACTED:
            ancestor = event.payload["ancestor"]
            self._points = {n: p for n, p in self._points.items() if n <= ancestor}
            self._strategies = {a: n for a, n in self._strategies.items() if n <= ancestor}

    @property
    def head(self) -> Point | None:
        """The last live block, or None before the first."""
        return self._points[max(self._points)] if self._points else None

    @property
    def strategies(self) -> tuple[str, ...]:
        """Addresses of strategies added on the live branch, lower case."""
        return tuple(self._strategies)

    def at(self, number: int) -> Point | None:
        """The live block at a height, if it was followed and is still remembered."""
        return self._points.get(number)

    def numbers(self) -> list[int]:
        """Heights of the remembered live blocks, highest first."""
        return sorted(self._points, reverse=True)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of the follower did."""

    head: Block
    blocks: int
    logs: int
    retracted: int


class HeadFollower:
    """Brings the journal up to the chain's head.

    Args:
        journal: where events go; this follower is the only writer of `chain.*` events.
        quorum: the chain.
        abis: events that can be named.
        contracts: address → name of what to follow.
        first_block: where to begin in an empty journal.
        router: address whose movements in foreign vaults are followed; None follows none.
        horizon: deepest reorg that is followed.
    """

    def __init__(
        self,
        journal: Journal,
        quorum: Quorum,
        abis: AbiIndex,
        contracts: Mapping[str, str],
        *,
        first_block: int = 0,
        router: str | None = None,
        horizon: int = HORIZON,
    ) -> None:
        self._journal = journal
        self._quorum = quorum
        self._abis = abis
        self._names = {address.lower(): name for address, name in contracts.items()}
        self._first = first_block
        self._router = router.lower() if router else None
        self._horizon = horizon
        self.view = LiveView(horizon)

    def step(self) -> Step | None:
        """Follows to the head that the nodes agree on; None if there is no block to follow yet.

        Raises:
            ChainUnreachable: the nodes do not answer or agree; call again later.
            DeepReorg: the common ancestor lies below the horizon.
        """
        self._refold()
        tip = self._quorum.head_number()
        retracted = self._rewind(tip)
        here = self.view.head
        start = here.number + 1 if here else self._first
        blocks = logs = 0
        while start <= tip - self._horizon:
            end = min(start + SPAN - 1, tip - self._horizon)
            count, found = self._take_span(range(start, end + 1))
            blocks, logs, start = blocks + count, logs + found, end + 1
        drafts: list[Draft] = []
        previous = self.view.head
        for number in range(start, tip + 1):
            block = self._quorum.block(number)
            # NOTE: a branch that changes under the feet is left for the next step's rewind.
            if block is None or (
                previous and previous.number == number - 1 and previous.hash != block.parent
            ):
                break
            one = self._take_block(block)
            blocks, logs = blocks + 1, logs + len(one) - 1
            drafts += one
            previous = Point(block.number, block.hash, block.time)
            if len(drafts) >= _MAX_DRAFTS or self._adds_strategy(one):
                self._append(drafts)
                drafts = []
        self._append(drafts)
        here = self.view.head
        head = self._quorum.block(here.number) if here else None
        return Step(head, blocks, logs, retracted) if head else None

    def _refold(self) -> None:
        kinds = (Kind.BLOCK, Kind.LOG, Kind.RETRACTED)
        for event in self._journal.events(after=self.view.seq, kinds=kinds):
            self.view.apply(event)

    def _append(self, drafts: Sequence[Draft]) -> None:
        for event in self._journal.append(drafts):
            self.view.apply(event)

    # ---- rewinding ----

    def _rewind(self, tip: int) -> int:
        """Retracts what is no longer on the chain; returns how many heights fell."""
        here = self.view.head
        if here is None:
            return 0
        known = [number for number in self.view.numbers() if number <= tip]
        ancestor = next((number for number in known if self._on_chain(number)), None)
        # NOTE: a tip below our head on the same branch is a node that lags, not a reorg.
        if ancestor is not None and ancestor == known[0]:
            return 0
        if ancestor is None and here.number - self._first < self._horizon:
            ancestor = self._first - 1
        if ancestor is None or here.number - ancestor > self._horizon:
            raise DeepReorg(
                f"the chain changed more than {self._horizon} blocks below block {here.number}"
            )
        self._retract(here.number, ancestor)
        return here.number - ancestor

    def _on_chain(self, number: int) -> bool:
        point = self.view.at(number)
        if point is None:
            return False
        block = self._quorum.block(number)
        return block is not None and block.hash == point.hash

    def _retract(self, head: int, ancestor: int) -> None:
        dead = [p.hash for n in range(ancestor + 1, head + 1) if (p := self.view.at(n))]
        payload = {"ancestor": ancestor, "depth": head - ancestor, "blocks": dead}
        self._append([Draft(Kind.RETRACTED, ACTOR, f"block:{head}", payload)])

    # ---- taking in ----

    def _take_block(self, block: Block) -> list[Draft]:
        drafts = [_block_draft(block)]
        found = self._logs(block_hash=block.hash)
        return drafts + [self._log_draft(log) for log in found]

    def _take_span(self, span: range) -> tuple[int, int]:
        """Takes in blocks far below the head: those with logs, and the last one."""
        try:
            found = self._logs(span=span)
        except NodeRefused:
            if len(span) == 1:
                raise
            half = span[: len(span) // 2], span[len(span) // 2 :]
            counts = [self._take_span(part) for part in half]
            return sum(c[0] for c in counts), sum(c[1] for c in counts)
        drafts: list[Draft] = []
        numbers = sorted({log.block for log in found} | {span[-1]})
        for number in numbers:
            block = self._quorum.block(number)
            if block is None:
                raise OffchainError(f"block {number} vanished while it was read")
            drafts.append(_block_draft(block))
            drafts += [self._log_draft(log) for log in found if log.block == number]
        self._append(drafts)
        return len(numbers), len(found)

    def _logs(self, *, block_hash: str | None = None, span: range | None = None) -> list[RawLog]:
        """Logs of what is followed, including strategies that these very logs add."""
        foreign = {a for a in self.view.strategies if a not in self._names}
        while True:
            wanted = [*self._names, *sorted(foreign)]
            found = self._quorum.logs(wanted, block_hash=block_hash, span=span)
            added = set(self._added(found)) - foreign - self._names.keys()
            if not added:
                break
            foreign |= added
        return [log for log in found if log.address in self._names or self._moves_router(log)]

    def _added(self, logs: Sequence[RawLog]) -> Iterator[str]:
        for log in logs:
            if log.address == self._router:
                event = self._decode(log)
                if event is not None and event[0] == "StrategyAdded":
                    yield event[1]["strategy"].lower()

    def _adds_strategy(self, drafts: Sequence[Draft]) -> bool:
        return any(d.payload.get("event") == "StrategyAdded" for d in drafts)

    def _moves_router(self, log: RawLog) -> bool:
        event = self._decode(log)
        if event is None or event[0] != "Transfer" or self._router is None:
            return False
        return self._router in (str(value).lower() for value in event[1].values())

    def _decode(self, log: RawLog) -> tuple[str, dict[str, Any]] | None:
        try:
            event = self._abis.decode_event(checksum(log.address), log.topics, log.data)
        except AbiError:
            return None
        if event is None:
            return None
        return event.name, {name: _plain(value) for name, value in event.args.items()}

    def _log_draft(self, log: RawLog) -> Draft:
        decoded = self._decode(log)
        payload: dict[str, Any] = {
            "block": log.block,
            "blockHash": log.block_hash,
            "tx": log.tx,
            "index": log.index,
            "address": checksum(log.address),
            "contract": self._names.get(log.address, "foreign"),
        }
        if decoded is None:
            payload |= {
                "event": "",
                "topics": ["0x" + topic.hex() for topic in log.topics],
                "data": "0x" + log.data.hex(),
            }
        else:
            payload |= {"event": decoded[0], "args": decoded[1]}
        return Draft(Kind.LOG, checksum(log.address), f"tx:{log.tx}", payload)


def _block_draft(block: Block) -> Draft:
    payload = {
        "number": block.number,
        "hash": block.hash,
        "parent": block.parent,
        "time": block.time,
    }
    return Draft(Kind.BLOCK, ACTOR, f"block:{block.number}", payload)


def _plain(value: Any) -> Any:
    """A decoded ABI value in journal form: bytes as hex, structs as mappings, arrays as lists."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def live_events(journal: Journal) -> Iterator[Event]:
    """Every block and log that is on the live branch, in order, in bounded memory.

    An event is dead if a later retraction went below its block.
    """
    retractions = [
        (event.seq, event.payload["ancestor"]) for event in journal.events(kinds=[Kind.RETRACTED])
    ]
    lowest: list[tuple[int, int]] = []
    floor: int | None = None
    for seq, ancestor in reversed(retractions):
        floor = ancestor if floor is None else min(floor, ancestor)
        lowest.append((seq, floor))
    for event in journal.events(kinds=[Kind.BLOCK, Kind.LOG]):
        while lowest and lowest[-1][0] < event.seq:
            lowest.pop()
        payload = event.payload
        number = payload["number"] if event.kind == Kind.BLOCK else payload["block"]
        if not lowest or number <= lowest[-1][1]:
            yield event
