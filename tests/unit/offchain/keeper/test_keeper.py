"""What the keeper asks for and in which order, over a chain that answers what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from offchain.chain.rpc import Block, Delivery, Receipt
from offchain.chain.sender import Sender
from offchain.chain.signers import KeySigner
from offchain.chain.txbook import Urgency
from offchain.halt.machine import HaltMachine
from offchain.journal.store import Journal
from offchain.keeper.jobs import (
    Call,
    HarvestJob,
    Position,
    ProcessJob,
    ReportJob,
    Trigger,
    positions,
)
from offchain.keeper.view import ContractView, ReadError
from offchain.loop import Orchestrator
from offchain.metrics import Metrics

CHAIN_ID = 31337
TARGET = "0x" + "11" * 20
STRATEGY = "0x" + "22" * 20


@dataclass
class Chain:
    """Takes every transaction and mines the newest when a test says so."""

    sent: list[bytes] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)

    def nonce(self, _account: str, _block: int | None = None) -> int:
        return len(self.receipts)

    def estimate(self, *_: Any) -> int:
        return 50_000

    def send(self, raw: bytes) -> tuple[Delivery, str]:
        self.sent.append(raw)
        return Delivery.ACCEPTED, ""

    def receipt(self, name: str) -> Receipt | None:
        return self.receipts.get(name)


@dataclass
class Duty:
    """A job that is due as long as a test says so."""

    name: str
    urgency: Urgency
    needed: bool = True

    def due(self, _view: ContractView) -> bool:
        return self.needed

    def call(self, view: ContractView) -> Call:
        return Call(f"{self.name}:{view.block.number}", TARGET, b"", "asked", self.urgency)


@dataclass
class Keeper:
    """An orchestrator with two duties and nothing else to do."""

    poke: Duty
    harvest: Duty
    chain: Chain
    orchestrator: Orchestrator
    number: int = 100

    def work(self) -> list[str]:
        """One turn in a new block; the keeper's open transactions, oldest first."""
        self.number += 1
        block = Block(self.number, "0x", "0x", 1_700_000_000 + 12 * self.number, 10**9)
        self.orchestrator._work(ContractView(cast(Any, self.chain), block, {}))
        assert self.orchestrator.keeper is not None
        return [tx.id.partition(":")[0] for tx in self.orchestrator.keeper.book.open()]

    def mine(self) -> None:
        """The transaction in flight is mined."""
        assert self.orchestrator.keeper is not None
        name = self.orchestrator.keeper.book.open()[-1].attempts[-1].hash
        self.chain.receipts[name] = Receipt(name, self.number, "0x", True, 50_000, 10**9)


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    with Journal.open(str(tmp_path / "journal.db")) as journal:
        chain = Chain()
        sender = Sender(journal, cast(Any, chain), KeySigner("0x" + "01" * 32), CHAIN_ID)
        poke, harvest = Duty("poke", Urgency.BRAKE), Duty("harvest", Urgency.REDUCE)
        nothing = cast(Any, None)
        orchestrator = Orchestrator(
            settings=nothing,
            journal=journal,
            quorum=nothing,
            deployment=nothing,
            halt=HaltMachine(journal),
            follower=nothing,
            checkpointer=nothing,
            metrics=Metrics(),
            keeper=sender,
            sentinel=None,
            settler=None,
            jobs=[poke, harvest],
            say=lambda _: None,
        )
        yield Keeper(poke, harvest, chain, orchestrator)


def test_work__poke_under_way__harvest_waits_for_it(keeper: Keeper) -> None:
    assert keeper.work() == ["poke"]
    # The poke is sent and not mined: even when nothing calls for it any more, it goes first.
    keeper.poke.needed = False
    assert keeper.work() == ["poke"]
    keeper.mine()
    assert keeper.work() == ["poke"]
    assert keeper.work() == ["poke", "harvest"]
    assert len(keeper.chain.sent) == 3


def test_work__nothing_to_poke__harvest_is_asked_for(keeper: Keeper) -> None:
    keeper.poke.needed = False
    assert keeper.work() == ["harvest"]


class Books:
    """A router whose strategy holds more than the books count."""

    def read(self, _target: str, _artifact: str, function: str, *arguments: Any) -> Any:
        state = SimpleNamespace(
            debt=1_000,
            shares=1_000,
            lastReport=7,
            underReview=False,
            maxGainBps=500,
            maxLossBps=100,
        )
        answers = {"strategies": [STRATEGY], "strategyState": state, "balanceOf": 1_500}
        return arguments[0] if function == "previewRedeem" else answers[function]


def test_positions__shares_outside_the_books__call_for_no_report() -> None:
    """Whoever sends strategy shares to the router must not keep the keeper busy for ever."""
    (position,) = positions(cast(ContractView, Books()))
    assert (position.debt, position.worth) == (1_000, 1_000)
    assert not Trigger().fires(position, now=8)


def test_trigger__worth_without_debt__calls_for_no_report() -> None:
    """A gain on nothing is beyond every limit: its report would only open a review."""
    assert not Trigger().fires(Position(STRATEGY, 0, 3, 7, False), now=10**9)


@pytest.mark.parametrize(
    ("worth", "gain_bps", "loss_bps", "due"),
    [
        (900, 500, 100, False),
        (900, 500, 999, False),
        (900, 500, 1_000, True),
        (900, 0, 2**16 - 1, True),
        (1_100, 999, 2**16 - 1, False),
        (1_100, 1_000, 0, True),
        (1_000, 2**16 - 1, 2**16 - 1, False),
    ],
)
def test_trigger__under_review__reports_what_governance_lets_in(
    worth: int, gain_bps: int, loss_bps: int, due: bool
) -> None:
    """The loss is in the books before the review closes, so that nobody leaves between."""
    position = Position(STRATEGY, 1_000, worth, 7, True, gain_bps, loss_bps)
    assert Trigger().fires(position, now=10**9) == due


@dataclass
class Suite(Books):
    """The same with a harvester, a state, and a strategy that lost or gained."""

    state: int
    worth: int
    block: Block = field(default_factory=lambda: Block(1, "0x", "0x", 8, 10**9))

    def has(self, _name: str) -> bool:
        return True

    def address(self, _name: str) -> str:
        return TARGET

    def read(self, target: str, artifact: str, function: str, *arguments: Any) -> Any:
        if function == "emergencyState":
            return self.state
        if function == "previewRedeem":
            return self.worth
        return super().read(target, artifact, function, *arguments)


@pytest.mark.parametrize(
    ("state", "worth", "harvest", "report"),
    [
        (0, 900, True, False),
        (2, 900, True, False),
        (3, 900, False, True),
        (3, 1_100, False, False),
        (3, 1_000, False, False),
    ],
)
def test_jobs__frozen__only_a_loss_is_reported(
    state: int, worth: int, harvest: bool, report: bool
) -> None:
    view = cast(ContractView, Suite(state, worth))
    assert (HarvestJob().due(view), ReportJob().due(view)) == (harvest, report)
    if report:
        assert ReportJob().call(view).to == TARGET


@dataclass
class Queue:
    """An exit queue whose head is `dust` requests of a share each; `liquid` shares can be paid."""

    waiting: int
    liquid: int
    dust: int = 0
    refuses: bool = False
    block: Block = field(default_factory=lambda: Block(1, "0x", "0x", 8, 10**9))

    def has(self, _name: str) -> bool:
        return True

    def address(self, _name: str) -> str:
        return TARGET

    def read(self, _target: str, _artifact: str, function: str, *arguments: Any) -> Any:
        if function == "process":
            if self.refuses:
                raise ReadError("UnfairPrice")
            (requests,) = arguments
            reach = requests if requests <= self.dust else self.waiting
            return min(reach, self.liquid, self.waiting), 7
        return {"queuedShares": self.waiting, "totalSupply": 1_000_000}[function]


@pytest.mark.parametrize(
    ("queue", "due"),
    [
        (Queue(waiting=0, liquid=5_000), False),
        (Queue(waiting=5_000, liquid=0), False),
        (Queue(waiting=5_000, liquid=999), False),
        (Queue(waiting=5_000, liquid=1_000), True),
        (Queue(waiting=50, liquid=50), True),
        (Queue(waiting=50, liquid=49), False),
        (Queue(waiting=5_000, liquid=5_000, refuses=True), False),
        (Queue(waiting=5_000, liquid=5_000, dust=150), True),
        (Queue(waiting=5_000, liquid=100, dust=150), False),
    ],
    ids=[
        "nobody waits",
        "nothing can be paid",
        "too little for a call",
        "enough for a call",
        "all who wait",
        "all but one of little",
        "refused",
        "dust ahead of the others",
        "dust and nothing for those behind",
    ],
)
def test_process__queue__is_processed_when_it_is_worth_a_call(queue: Queue, due: bool) -> None:
    assert ProcessJob().due(cast(ContractView, queue)) is due


def test_process__call__is_one_per_block_and_takes_risk_off() -> None:
    queue = Queue(waiting=5_000, liquid=5_000)
    call = ProcessJob().call(cast(ContractView, queue))
    assert (call.key, call.to, call.urgency) == ("process:1", TARGET, Urgency.REDUCE)
