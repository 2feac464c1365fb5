"""Killed with SIGKILL at every moment that matters and started again: nothing lost or doubled."""

from __future__ import annotations

import dataclasses
import itertools
import multiprocessing
import os
import random
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from offchain.chain.head import HeadFollower, live_events
from offchain.chain.rpc import Delivery, Quorum
from offchain.chain.sender import GWEI, Sender, SendPolicy
from offchain.chain.txbook import Urgency
from offchain.journal.events import Draft, Event, Kind
from offchain.journal.store import Journal
from offchain.journal.verify import verify

from .conftest import GENESIS_TIME, LedgerChain

THINGS = ("settle", "harvest", "report")
POLICY = SendPolicy(max_fee=100 * GWEI, confirmations=1, finality=3, deadline=500, replace_after=2)
Life = Callable[[LedgerChain, Path, int | None, Path], None]
FORK = multiprocessing.get_context("fork")


class Fuse:
    """Counts the moments at which a process may die, and dies at one of them."""

    def __init__(self, at: int | None) -> None:
        self._left = at
        self.moments = 0

    def moment(self) -> None:
        self.moments += 1
        if self._left is not None and self.moments == self._left:
            os.kill(os.getpid(), signal.SIGKILL)


def fused_append(journal: Journal, fuse: Fuse) -> Callable[[Sequence[Draft]], list[Event]]:
    honest = journal.append

    def append(drafts: Sequence[Draft]) -> list[Event]:
        fuse.moment()
        events = honest(drafts)
        fuse.moment()
        return events

    return append


def fused_send(quorum: Quorum, fuse: Fuse) -> Callable[[bytes], tuple[Delivery, str]]:
    honest = quorum.send

    def send(raw: bytes) -> tuple[Delivery, str]:
        fuse.moment()
        answer = honest(raw)
        fuse.moment()
        return answer

    return send


def work(chain: LedgerChain, path: Path, at: int | None, told: Path) -> None:
    """One life of the orchestrator's core: follow, ask, send, until everything is final."""
    fuse = Fuse(at)
    quorum = chain.quorum()
    with Journal.open(str(path), clock=lambda: GENESIS_TIME) as journal:
        journal.lead()
        journal.append = fused_append(journal, fuse)  # type: ignore[method-assign]
        quorum.send = fused_send(quorum, fuse)  # type: ignore[method-assign]
        follower = HeadFollower(journal, quorum, chain.index(), {chain.ledger.address: "Ledger"})
        sender = Sender(journal, quorum, chain.keeper, 31337, policy=POLICY)
        for _ in range(80):
            step = follower.step()
            assert step is not None
            txs = [
                sender.request(
                    f"act:{name}",
                    chain.ledger.address,
                    chain.act(name),
                    head=step.head,
                    why="test",
                )
                for name in THINGS
            ]
            if all(tx.done and tx.state == "final" for tx in txs):
                told.write_text(str(fuse.moments))
                return
            sender.advance(step.head)
            chain.anvil.mine()


def brake_through(chain: LedgerChain, path: Path, at: int | None, told: Path) -> None:
    """One life in which a harvest is stuck below the base fee and a brake takes its nonce."""
    fuse = Fuse(at)
    quorum = chain.quorum()
    policy = dataclasses.replace(POLICY, max_fee=4 * GWEI, retry_after=1)
    with Journal.open(str(path), clock=lambda: GENESIS_TIME) as journal:
        journal.lead()
        journal.append = fused_append(journal, fuse)  # type: ignore[method-assign]
        quorum.send = fused_send(quorum, fuse)  # type: ignore[method-assign]
        follower = HeadFollower(journal, quorum, chain.index(), {chain.ledger.address: "Ledger"})
        sender = Sender(journal, quorum, chain.keeper, 31337, policy=policy)
        for _ in range(80):
            step = follower.step()
            assert step is not None
            ask = partial(sender.request, to=chain.ledger.address, head=step.head, why="test")
            harvest = ask("act:harvest", data=chain.act("harvest"))
            if sender.book.get("act:harvest#1").nonce is not None:  # type: ignore[union-attr]
                poke = ask("act:poke", data=chain.act("poke"), urgency=Urgency.BRAKE)
                if all(tx.done and tx.state == "final" for tx in (harvest, poke)):
                    told.write_text(str(fuse.moments))
                    return
            sender.advance(step.head)
            stuck = sender.book.get("act:harvest#1").nonce is not None  # type: ignore[union-attr]
            fee = 50 * GWEI if stuck and not chain.times("poke") else GWEI
            chain.anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(fee))
            chain.anvil.mine()


def test_kill__while_a_brake_takes_a_nonce_over__both_done_once(
    chain: LedgerChain, tmp_path: Path
) -> None:
    """Property: J2."""
    told = tmp_path / "moments"
    clean = chain.anvil.snapshot()
    assert live(chain, tmp_path / "clean.db", None, told, brake_through) == 0
    moments = int(told.read_text())
    check_brake(chain, tmp_path / "clean.db")
    for at in range(1, moments + 1):
        chain.anvil.revert(clean)
        chain.client.forget()
        clean = chain.anvil.snapshot()
        path = tmp_path / f"{at}.db"
        assert live(chain, path, at, told, brake_through) == -signal.SIGKILL
        assert live(chain, path, None, told, brake_through) == 0
        check_brake(chain, path)


def check_brake(chain: LedgerChain, path: Path) -> None:
    assert [chain.times(name) for name in ("harvest", "poke")] == [1, 1]
    with Journal.open(str(path)) as journal:
        assert verify(journal).sound
        signed = [e.payload for e in journal.events(kinds=[Kind.TX_SIGNED])]
        assert {(s["id"], s["nonce"]) for s in signed} == {
            ("act:harvest#1", 0),
            ("act:poke#1", 0),
            ("act:harvest#2", 1),
        }
    assert chain.client.web3.eth.get_transaction_count(chain.keeper.address) == 2


def live(chain: LedgerChain, path: Path, at: int | None, told: Path, life: Life = work) -> int:
    process = FORK.Process(target=life, args=(chain, path, at, told))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def check(chain: LedgerChain, path: Path) -> None:
    assert [chain.times(name) for name in THINGS] == [1, 1, 1]
    with Journal.open(str(path)) as journal:
        assert verify(journal).sound
        done = [e.payload for e in live_events(journal) if e.kind == Kind.LOG]
        assert sorted(log["args"]["id"] for log in done) == sorted(
            "0x" + name.encode().ljust(32, b"\0").hex() for name in THINGS
        )
        intended = [e.payload["id"] for e in journal.events(kinds=[Kind.TX_INTENDED])]
        assert sorted(intended) == sorted(f"act:{name}#1" for name in THINGS)
    nonce = chain.client.web3.eth.get_transaction_count(chain.keeper.address)
    assert nonce == len(THINGS)


def test_kill__at_every_moment__nothing_lost_nothing_twice(
    chain: LedgerChain, tmp_path: Path
) -> None:
    """Property: J2."""
    told = tmp_path / "moments"
    clean = chain.anvil.snapshot()
    assert live(chain, tmp_path / "clean.db", None, told) == 0
    moments = int(told.read_text())
    check(chain, tmp_path / "clean.db")
    assert moments > 30
    for at in range(1, moments + 1):
        chain.anvil.revert(clean)
        chain.client.forget()
        clean = chain.anvil.snapshot()
        path = tmp_path / f"{at}.db"
        assert live(chain, path, at, told) == -signal.SIGKILL
        assert live(chain, path, None, told) == 0
        check(chain, path)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill__again_and_again__nothing_lost_nothing_twice(
    chain: LedgerChain, tmp_path: Path, seed: int
) -> None:
    """Property: J2."""
    rng = random.Random(seed)
    path, told = tmp_path / "journal.db", tmp_path / "moments"
    killed = 0
    for life in itertools.count():
        at = rng.randint(1, 9) if life < 60 else None
        code = live(chain, path, at, told)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        killed += 1
    assert killed >= 5
    check(chain, path)


def test_kill__restarted_without_its_journal__sends_twice(
    chain: LedgerChain, tmp_path: Path
) -> None:
    """Control: J2. What is checked above does not hold for a life that forgot the one before."""
    told = tmp_path / "moments"
    clean = chain.anvil.snapshot()
    assert live(chain, tmp_path / "clean.db", None, told) == 0
    moments = int(told.read_text())
    chain.anvil.revert(clean)
    chain.client.forget()
    assert live(chain, tmp_path / "first.db", moments - 1, told) == -signal.SIGKILL
    assert live(chain, tmp_path / "second.db", None, told) == 0
    with pytest.raises(AssertionError):
        check(chain, tmp_path / "second.db")
