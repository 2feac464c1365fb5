"""What becomes of a batch that is refused, over a gateway that refuses what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from offchain.batch.intents import Intent, Pool, receive
from offchain.batch.packer import BatchLimits
from offchain.batch.settle import Settler
from offchain.chain.rpc import Block, Delivery, NodeRefused, Receipt
from offchain.chain.sender import Sender, SendPolicy
from offchain.chain.signers import KeySigner
from offchain.chain.txbook import Refusal, TxState
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal
from offchain.keeper.view import ReadError

CHAIN_ID = 31337
GATEWAY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
MAX_GAS = 1_000_000
BATCH_GAS, INTENT_GAS = 50_000, 100_000
SIZE = 4
KINDS = frozenset({"deposit", "exit"})


def intent(number: int) -> Intent:
    """The only intent of its owner, whose address ends with its number."""
    owner = f"0x{'7' * 30}{number:010d}"
    return Intent(
        kind="deposit",
        owner=owner,
        receiver=owner,
        amount=10**6,
        minimum=1,
        nonce=number,
        deadline=1_900_000_000,
        signature="0x" + "11" * 65,
    )


@dataclass
class Gateway:
    """A chain with nothing but a gateway: refuses all while frozen, and batches with a spoiler."""

    frozen: bool = False
    full: bool = False
    spoilers: set[str] = field(default_factory=set)
    heavy: dict[str, int] = field(default_factory=dict)
    mined: dict[str, Receipt] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)

    def refuses(self, owners: list[str]) -> bool:
        return self.frozen or any(owner in self.spoilers for owner in owners)

    # ---- what a sender asks ----

    def nonce(self, _account: str, _block: int | None = None) -> int:
        return len(self.mined)

    def estimate(self, _sender: str, _to: str, data: bytes, _value: int) -> int:
        owners = [
            owner for number in range(1, 100) if (owner := intent(number).owner)[2:] in data.hex()
        ]
        if self.refuses(owners):
            raise NodeRefused("execution reverted", reverted=True)
        return BATCH_GAS + sum(self.heavy.get(owner, INTENT_GAS) for owner in owners)

    def send(self, raw: bytes) -> tuple[Delivery, str]:
        self.sent.append(raw.hex())
        return Delivery.ACCEPTED, ""

    def receipt(self, name: str) -> Receipt | None:
        return self.mined.get(name)


@dataclass
class View:
    """The gateway at a block, as the settler reads it."""

    gateway: Gateway
    block: Block

    def address(self, _name: str) -> str:
        return GATEWAY

    def read(
        self, _target: str, _artifact: str, function: str, *args: Any, sender: str = ""
    ) -> Any:
        if function in ("maxDeposit", "availableLiquidity"):
            return 0 if self.gateway.full else 10**18
        if function != "settle":
            return False
        assert sender, "only the batcher may settle"
        owners = [signed["intent"]["owner"] for signed in args[1]]
        if self.gateway.refuses(owners):
            raise ReadError("reverted")
        return len(owners), 0


@dataclass
class Desk:
    """A settler, its sender, and a chain that mines what is sent."""

    journal: Journal
    gateway: Gateway
    sender: Sender
    settler: Settler
    number: int = 100

    @property
    def pool(self) -> Pool:
        return self.settler.pool

    def turn(self, times: int = 1) -> None:
        for _ in range(times):
            self.number += 1
            block = Block(self.number, "0x", "0x", 1_700_000_000 + 12 * self.number, 10**9)
            live = SimpleNamespace(at=lambda _number: SimpleNamespace(hash="0x"))
            self.sender.advance(block)
            view = View(self.gateway, block)
            self.settler.step(cast(Any, view), cast(Any, live), KINDS)
            self.sender.advance(block)
            self._mine()

    def _mine(self) -> None:
        for tx in self.sender.book.open(self.sender.account):
            if tx.state is not TxState.SENT:
                continue
            name = tx.attempts[-1].hash
            self.gateway.mined[name] = Receipt(name, self.number, "0x", True, 1, 1)
            batch = tx.id.removeprefix("settle:").partition("#")[0]
            log = {
                "contract": "DepositGateway",
                "event": "BatchSettled",
                "args": {"batchId": batch, "assetsIn": 1, "assetsOut": 0},
                "block": self.number,
                "blockHash": "0x",
                "tx": name,
            }
            self.journal.append([Draft(Kind.LOG, "follower", "block", log)])

    def submit(self, *numbers: int) -> None:
        receive(self.journal, [intent(number) for number in numbers])

    def settled(self) -> set[int]:
        return {number for number in range(1, 100) if intent(number).id in self.pool.settled}

    def dropped(self) -> dict[int, str]:
        return {
            number: self.pool.dropped[intent(number).id]
            for number in range(1, 100)
            if intent(number).id in self.pool.dropped
        }

    def splits(self) -> list[dict[str, Any]]:
        return [event.payload for event in self.journal.events(kinds=[Kind.BATCH_SPLIT])]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Journal.open(str(tmp_path / "journal.db")) as journal:
        gateway = Gateway()
        policy = SendPolicy(max_gas=MAX_GAS, retry_after=2, confirmations=1, finality=2)
        key = KeySigner("0x" + "01" * 32)
        sender = Sender(journal, cast(Any, gateway), key, CHAIN_ID, policy=policy)
        limits = BatchLimits(size=SIZE, patience=0)
        settler = Settler(journal, sender, CHAIN_ID, limits, confirmations=1)
        yield Desk(journal, gateway, sender, settler)


def test_step__batch_too_heavy__split_and_each_settles_alone(desk: Desk) -> None:
    desk.gateway.heavy = {intent(n).owner: 400_000 for n in range(1, 5)}
    desk.submit(1, 2, 3, 4)
    desk.turn(2)
    (split,) = desk.splits()
    assert split["alone"] == [intent(n).id for n in range(1, 5)]
    assert split["why"] == "it needs 1650000 gas"
    refused = desk.sender.book.get(split["tx"])
    assert refused is not None
    assert (refused.state, refused.refusal, refused.attempts) == (
        TxState.REFUSED,
        Refusal.GAS,
        (),
    )
    desk.turn(12)
    assert (desk.settled(), desk.dropped()) == ({1, 2, 3, 4}, {})
    assert (
        len({log.payload["batch"] for log in desk.journal.events(kinds=[Kind.BATCH_PACKED])}) == 5
    )


def test_step__alone_and_still_too_heavy__dropped_with_its_reason(desk: Desk) -> None:
    desk.gateway.heavy = {intent(2).owner: 2_000_000}
    desk.submit(1, 2, 3)
    desk.turn(20)
    assert desk.settled() == {1, 3}
    assert desk.dropped() == {2: "it needs 2050000 gas"}
    assert not desk.pool.waiting
    assert not desk.pool.batches


def test_step__reverts_while_others_settle__spoiler_alone_is_dropped(desk: Desk) -> None:
    desk.gateway.spoilers = {intent(2).owner}
    desk.submit(1, 2, 3, 4)
    desk.turn(20)
    assert desk.settled() == {1, 3, 4}
    assert list(desk.dropped()) == [2]
    assert "reverted" in desk.dropped()[2]
    assert [len(split["alone"]) for split in desk.splits()] == [4, 0]


def test_step__frozen__nothing_is_split_and_nothing_dropped(desk: Desk) -> None:
    desk.submit(1, 2, 3, 4, 5)
    desk.gateway.frozen = True
    desk.turn(40)
    assert desk.splits() == []
    assert desk.dropped() == {}
    desk.gateway.frozen = False
    desk.turn(8)
    assert desk.settled() == {1, 2, 3, 4, 5}


def test_step__router_takes_nothing__no_batch_is_made_and_no_try_used(desk: Desk) -> None:
    desk.gateway.full = True
    desk.submit(1, 2)
    desk.turn(20)
    assert len(desk.pool.waiting) == 2
    assert not list(desk.journal.events(kinds=[Kind.BATCH_PACKED]))
    desk.gateway.full = False
    desk.turn(4)
    assert desk.settled() == {1, 2}


def test_step__frozen_with_a_lone_one_in_its_place__waits_and_settles_later(desk: Desk) -> None:
    """A refusal of before the thaw is judged by the chain of after it."""
    desk.gateway.heavy = {intent(n).owner: 400_000 for n in (1, 2, 3)}
    desk.submit(1, 2, 3)
    desk.turn(2)
    assert len(desk.splits()) == 1
    desk.gateway.frozen = True
    desk.turn(20)
    desk.gateway.frozen = False
    desk.turn(12)
    assert (desk.settled(), desk.dropped()) == ({1, 2, 3}, {})


def test_step__nothing_else_to_compare_with__spoiler_waits(desk: Desk) -> None:
    """What drops a spoiler is that others settle, nothing less."""
    desk.gateway.spoilers = {intent(2).owner}
    desk.submit(2)
    desk.turn(12)
    assert desk.dropped() == {}
    desk.submit(3)
    desk.turn(8)
    assert (desk.settled(), list(desk.dropped())) == ({3}, [2])


def test_step__more_spoilers_than_places__the_others_still_settle(desk: Desk) -> None:
    bad, good = range(1, 25), range(50, 56)
    desk.gateway.spoilers = {intent(n).owner for n in bad}
    desk.submit(*bad, *good)
    desk.turn(70)
    assert desk.settled() == set(good)
    assert desk.dropped().keys() <= set(bad), "with nobody to compare with, the rest waits"
    desk.submit(60)
    desk.turn(40)
    assert desk.settled() == {*good, 60}


def test_step__heavy_ones_alone__leave_places_for_the_others(desk: Desk) -> None:
    desk.gateway.heavy = {intent(n).owner: 400_000 for n in range(1, 13)}
    desk.submit(*range(1, 13))
    desk.turn(3)
    desk.submit(20, 21)
    desk.turn(8)
    assert {20, 21} <= desk.settled()
    assert not desk.settled() >= set(range(1, 13)), "those who spoilt batches wait their turn"
    desk.turn(30)
    assert desk.settled() == {*range(1, 13), 20, 21}


def test_split__journal_read_anew__same_pool(desk: Desk) -> None:
    """Property: J2."""
    desk.gateway.heavy = {intent(2).owner: 2_000_000}
    desk.gateway.spoilers = {intent(5).owner}
    desk.submit(1, 2, 3, 4, 5, 6)
    for _ in range(25):
        desk.turn()
        again = Pool()
        again.refold(desk.journal)
        desk.pool.refold(desk.journal)
        assert again == desk.pool
    assert desk.settled() == {1, 3, 4, 6}
