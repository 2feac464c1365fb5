"""The sender against a real node: fees, replacement, cancelling, refusals, reorgs, displacement."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from offchain.chain.rpc import Block, Delivery, Quorum
from offchain.chain.sender import GWEI, Sender, SendPolicy
from offchain.chain.txbook import Tx, TxState, Urgency
from offchain.journal.events import Kind
from offchain.journal.store import Journal

from .conftest import LedgerChain

POLICY = SendPolicy(
    max_fee=100 * GWEI, deadline=20, replace_after=2, retry_after=2, confirmations=2, finality=5
)


class Desk:
    """A sender and the buttons that a test presses."""

    def __init__(self, chain: LedgerChain, journal: Journal, **policy: Any) -> None:
        self.chain = chain
        self.journal = journal
        self.quorum: Quorum = chain.quorum()
        self.halted = False
        self.sender = Sender(
            journal,
            self.quorum,
            chain.keeper,
            31337,
            policy=dataclasses.replace(POLICY, **policy),
            explain=chain.index().describe_error,
            allowed=lambda urgency: not self.halted or urgency is Urgency.BRAKE,
        )

    def head(self) -> Block:
        block = self.quorum.block(self.quorum.head_number())
        assert block is not None
        return block

    def request(self, name: str, urgency: Urgency = Urgency.ORDINARY) -> Tx:
        return self.sender.request(
            f"act:{name}",
            self.chain.ledger.address,
            self.chain.act(name),
            head=self.head(),
            why="test",
            urgency=urgency,
        )

    def turn(self, blocks: int = 0) -> None:
        self.sender.advance(self.head())
        for _ in range(blocks):
            self.chain.anvil.mine()
            self.sender.advance(self.head())

    def tx(self, name: str, number: int = 1) -> Tx:
        found = self.sender.book.get(f"act:{name}#{number}")
        assert found is not None
        return found

    def kinds(self) -> list[str]:
        return [e.kind for e in self.journal.events() if e.kind.startswith("tx.")]


def test_advance__quiet_chain__every_state_in_order(chain: LedgerChain, journal: Journal) -> None:
    desk = Desk(chain, journal)
    desk.request("a")
    assert desk.request("a").id == "act:a#1"
    desk.turn()
    assert desk.tx("a").state is TxState.SENT
    desk.turn(blocks=6)
    assert desk.kinds() == [
        "tx.intended",
        "tx.signed",
        "tx.sent",
        "tx.mined",
        "tx.confirmed",
        "tx.final",
    ]
    assert desk.tx("a").done
    assert desk.request("a").state is TxState.FINAL
    assert chain.times("a") == 1


def test_advance__several_intents__one_nonce_each_in_order(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal)
    for name in ("a", "b", "c"):
        desk.request(name)
    desk.turn(blocks=5)
    assert [desk.tx(name).nonce for name in "abc"] == [0, 1, 2]
    assert [chain.times(name) for name in "abc"] == [1, 1, 1]


def test_advance__would_revert__refused_unsigned_and_retried_later(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal)
    stop = chain.client.send(chain.stranger, chain.ledger.functions.stop(True), gas=60_000)
    chain.anvil.mine()
    chain.client.wait(stop)
    desk.request("a")
    desk.turn()
    tx = desk.tx("a")
    assert (tx.state, tx.nonce, tx.failed) == (TxState.REFUSED, None, True)
    assert "Stopped(" in tx.note
    assert desk.request("a").id == "act:a#1"
    go = chain.client.send(chain.stranger, chain.ledger.functions.stop(False), gas=60_000)
    chain.anvil.mine()
    chain.client.wait(go)
    chain.anvil.mine()
    assert desk.request("a").id == "act:a#2"
    desk.turn(blocks=2)
    assert desk.tx("a", 2).done
    assert chain.times("a") == 1


def drop(chain: LedgerChain, tx: Tx) -> None:
    """The node forgets what waits, as a full mempool does."""
    chain.anvil.rpc("anvil_dropTransaction", tx.attempts[-1].hash)


def test_advance__not_mined__replaced_by_at_least_an_eighth_up_to_the_cap(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal, max_fee=8 * GWEI)
    desk.request("a")
    desk.turn()
    for _ in range(20):
        drop(chain, desk.tx("a"))
        chain.anvil.mine()
        desk.turn()
        assert desk.tx("a").state is TxState.SENT
    attempts = desk.tx("a").attempts
    assert len(attempts) >= 3
    for before, after in itertools.pairwise(attempts):
        assert after.max_fee * 1000 >= before.max_fee * 1125
        assert after.tip * 1000 >= before.tip * 1125
        assert after.block - before.block >= 2
    assert all(attempt.max_fee <= 8 * GWEI for attempt in attempts)
    assert attempts[-1].max_fee * 1125 > 8 * GWEI * 1000
    assert {attempt.cancel for attempt in attempts} == {False}
    desk.turn(blocks=2)
    assert desk.tx("a").done
    assert chain.times("a") == 1


def test_advance__replaced_in_the_pool__node_takes_it_and_only_one_is_mined(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal)
    desk.request("a")
    desk.turn()
    first = desk.tx("a").attempts[-1]
    ahead = dataclasses.replace(desk.head(), number=desk.head().number + 2)
    desk.sender.advance(ahead)
    second = desk.tx("a").attempts[-1]
    assert second.hash != first.hash
    assert desk.tx("a").state is TxState.SENT
    assert chain.anvil.rpc("eth_getTransactionByHash", first.hash) is None
    desk.turn(blocks=2)
    mined = desk.tx("a").mined
    assert mined is not None
    assert mined.hash == second.hash
    assert chain.times("a") == 1


def test_advance__deadline_passed__cancelled_and_never_done(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal, deadline=3, replace_after=50)
    desk.request("a")
    desk.turn()
    for _ in range(4):
        drop(chain, desk.tx("a"))
        chain.anvil.mine()
        desk.turn()
    tx = desk.tx("a")
    assert tx.attempts[-1].cancel
    assert tx.attempts[-1].max_fee * 1000 >= tx.attempts[0].max_fee * 1125
    desk.turn(blocks=2)
    tx = desk.tx("a")
    assert tx.state is TxState.CONFIRMED
    assert not tx.done
    assert not tx.failed, "a reorg could still bring the first attempt back"
    desk.turn(blocks=4)
    assert desk.tx("a").failed
    assert chain.times("a") == 0


def test_advance__would_revert_while_it_waits__cancelled(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal)
    desk.request("a")
    desk.turn()
    drop(chain, desk.tx("a"))
    stop = chain.client.send(chain.stranger, chain.ledger.functions.stop(True), gas=60_000)
    chain.anvil.mine()
    chain.client.wait(stop)
    desk.turn()
    tx = desk.tx("a")
    assert tx.attempts[-1].cancel
    desk.turn(blocks=1)
    assert desk.tx("a").mined is not None
    assert chain.times("a") == 0


def test_advance__deadline_passed_before_signing__expired_unsigned(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal, deadline=1)
    desk.request("a")
    chain.anvil.mine(2)
    desk.turn()
    assert (desk.tx("a").state, desk.tx("a").nonce) == (TxState.EXPIRED, None)


def test_advance__base_fee_above_the_cap__waits_unsigned(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal)
    desk.request("a")
    dear = dataclasses.replace(desk.head(), base_fee=100 * GWEI)
    desk.sender.advance(dear)
    assert desk.tx("a").state is TxState.INTENDED
    desk.turn(blocks=2)
    assert chain.times("a") == 1


def test_advance__reorg_drops_it__mined_again_once(chain: LedgerChain, journal: Journal) -> None:
    desk = Desk(chain, journal)
    desk.request("a")
    snapshot = chain.anvil.snapshot()
    desk.turn(blocks=2)
    assert desk.tx("a").state is TxState.CONFIRMED
    chain.anvil.revert(snapshot)
    chain.anvil.mine(3, 9)
    assert chain.times("a") == 0
    desk.turn()
    assert "tx.unmined" in desk.kinds()
    desk.turn(blocks=3)
    assert desk.tx("a").done
    assert chain.times("a") == 1
    assert len({desk.tx("a").nonce}) == 1


def test_advance__foreign_transaction_takes_the_nonce__displaced_only_when_final(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal, replace_after=50)
    desk.request("a")
    desk.turn()
    drop(chain, desk.tx("a"))
    foreign = chain.client.send(chain.keeper, chain.ledger.functions.act(b"f" * 32), gas=90_000)
    chain.anvil.mine()
    chain.client.wait(foreign)
    desk.turn(blocks=3)
    assert desk.tx("a").state is not TxState.DISPLACED
    desk.turn(blocks=2)
    tx = desk.tx("a")
    assert tx.state is TxState.DISPLACED
    assert "not ours" in tx.note
    assert desk.request("a").id == "act:a#1"
    chain.anvil.mine(2)
    assert desk.request("a").id == "act:a#2"
    desk.turn(blocks=2)
    assert chain.times("a") == 1


def test_advance__answer_lost__unknown_and_not_sent_twice(
    chain: LedgerChain, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(chain, journal)
    honest = desk.quorum.send

    def arrives_but_answer_lost(raw: bytes) -> tuple[Delivery, str]:
        honest(raw)
        return Delivery.UNKNOWN, "no answer in 30 s"

    desk.request("a")
    monkeypatch.setattr(desk.quorum, "send", arrives_but_answer_lost)
    desk.turn()
    assert desk.tx("a").state is TxState.UNKNOWN
    assert not desk.tx("a").failed
    desk.turn(blocks=3)
    assert desk.tx("a").done
    assert desk.kinds().count("tx.signed") == 1
    assert chain.times("a") == 1


def test_advance__halted__ordinary_waits_and_the_brake_goes(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal)
    desk.request("a")
    desk.request("brake", Urgency.BRAKE)
    desk.halted = True
    desk.turn(blocks=2)
    assert (chain.times("a"), chain.times("brake")) == (0, 1)
    desk.halted = False
    desk.turn(blocks=2)
    assert chain.times("a") == 1


def stick(chain: LedgerChain, desk: Desk, name: str) -> None:
    """What is asked for is sent; then the chain becomes dearer than its cap allows."""
    desk.request(name)
    desk.turn()
    assert desk.tx(name).state is TxState.SENT
    dear(chain)


def dear(chain: LedgerChain, gwei: int = 50) -> None:
    """Everybody else pays more: a block comes, and what bids less waits."""
    chain.anvil.rpc("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))
    chain.anvil.mine()


def test_advance__brake_behind_a_stuck_one__takes_over_its_nonce(
    chain: LedgerChain, journal: Journal
) -> None:
    """Property: J2."""
    desk = Desk(chain, journal, max_fee=8 * GWEI, brake_max_fee=200 * GWEI, deadline=40)
    stick(chain, desk, "a")
    desk.turn()
    assert desk.tx("a").mined is None
    desk.request("brake", Urgency.BRAKE)
    desk.turn()
    stuck, brake = desk.tx("a"), desk.tx("brake")
    assert brake.nonce == stuck.nonce == 0
    assert brake.attempts[0].max_fee >= 100 * GWEI
    assert brake.attempts[0].tip * 1000 >= stuck.attempts[-1].tip * 1125
    dear(chain)
    desk.turn()
    assert (chain.times("brake"), chain.times("a")) == (1, 0)
    assert desk.tx("brake").mined is not None
    assert len(desk.tx("a").attempts) == len(stuck.attempts), "it does not outbid the brake"

    desk.request("b")
    dear(chain, gwei=1)
    desk.turn(blocks=2)
    assert desk.tx("b").nonce == 1, "the account does not wait for the one that lost its nonce"
    assert chain.times("b") == 1
    assert not desk.tx("a").failed, "a reorg could still bring it back"
    desk.turn(blocks=6)
    assert desk.tx("a").state is TxState.DISPLACED
    assert "used by act:brake#1" in desk.tx("a").note
    chain.anvil.mine(2)
    assert desk.request("a").id == "act:a#2"
    desk.turn(blocks=2)
    assert [chain.times(name) for name in ("a", "b", "brake")] == [1, 1, 1]


def test_advance__stuck_one_mined_after_all__brake_is_tried_again_at_once(
    chain: LedgerChain, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(chain, journal, max_fee=8 * GWEI, brake_max_fee=200 * GWEI)
    stick(chain, desk, "a")
    desk.request("brake", Urgency.BRAKE)
    monkeypatch.setattr(desk.quorum, "send", lambda _raw: (Delivery.UNKNOWN, "no answer"))
    desk.turn()
    assert desk.tx("brake").nonce == 0
    monkeypatch.undo()
    dear(chain, gwei=1)
    # Some node still has it.
    chain.anvil.rpc("eth_sendRawTransaction", desk.tx("a").attempts[-1].raw)
    chain.anvil.mine()
    assert chain.times("a") == 1
    desk.turn()
    assert desk.tx("brake").state is TxState.DISPLACED
    assert "used by act:a#1" in desk.tx("brake").note
    chain.anvil.mine(2)
    assert desk.request("brake", Urgency.BRAKE).id == "act:brake#2"
    desk.turn(blocks=1)
    assert (desk.tx("brake", 2).nonce, chain.times("brake")) == (1, 1)


def test_advance__stuck_one_still_fresh__brake_waits_for_its_block(
    chain: LedgerChain, journal: Journal
) -> None:
    desk = Desk(chain, journal)
    desk.request("a")
    desk.turn()
    desk.request("brake", Urgency.BRAKE)
    desk.turn()
    assert desk.tx("brake").state is TxState.INTENDED
    desk.turn(blocks=2)
    assert [desk.tx(name).nonce for name in ("a", "brake")] == [0, 1]
    assert (chain.times("a"), chain.times("brake")) == (1, 1)


@pytest.mark.parametrize("urgency", [Urgency.REDUCE, Urgency.ORDINARY])
def test_advance__no_brake_behind_a_stuck_one__waits_under_the_common_cap(
    chain: LedgerChain, journal: Journal, urgency: Urgency
) -> None:
    """Control: J2. Only a brake may take a nonce or bid more than the cap."""
    desk = Desk(chain, journal, max_fee=8 * GWEI, brake_max_fee=200 * GWEI)
    stick(chain, desk, "a")
    desk.request("b", urgency)
    for _ in range(4):
        desk.turn()
        dear(chain)
    assert desk.tx("b").state is TxState.INTENDED
    assert all(attempt.max_fee <= 8 * GWEI for attempt in desk.tx("a").attempts)


def test_advance__two_brakes__the_second_waits(chain: LedgerChain, journal: Journal) -> None:
    desk = Desk(chain, journal, max_fee=8 * GWEI, brake_max_fee=20 * GWEI)
    desk.request("one", Urgency.BRAKE)
    desk.turn()
    dear(chain)
    desk.request("two", Urgency.BRAKE)
    desk.turn()
    assert desk.tx("two").state is TxState.INTENDED
    assert all(attempt.max_fee <= 20 * GWEI for attempt in desk.tx("one").attempts)
    dear(chain, gwei=1)
    desk.turn(blocks=2)
    assert (chain.times("one"), chain.times("two")) == (1, 1)


def test_request__journalled_before_signing__signature_follows(
    chain: LedgerChain, journal: Journal
) -> None:
    """Property: J2."""
    desk = Desk(chain, journal)
    seen: list[list[str]] = []
    honest = chain.keeper.sign_transaction

    class Watcher:
        address = chain.keeper.address

        def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
            seen.append(desk.kinds())
            return honest(transaction)

    desk.sender._signer = Watcher()
    desk.request("a")
    desk.turn()
    assert seen == [["tx.intended"]]
    assert [e.kind for e in journal.events(kinds=[Kind.TX_SIGNED, Kind.TX_SENT])] == [
        "tx.signed",
        "tx.sent",
    ]
