"""The follower against a real node: it takes in everything once and forgets dead branches."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.head import DeepReorg, HeadFollower, live_events
from offchain.chain.rpc import Quorum
from offchain.journal.events import Kind
from offchain.journal.store import Journal
from offchain.journal.verify import verify

from .conftest import LedgerChain


def follower(chain: LedgerChain, journal: Journal, quorum: Quorum | None = None) -> HeadFollower:
    contracts = {chain.ledger.address: "Ledger"}
    return HeadFollower(journal, quorum or chain.quorum(), chain.index(), contracts)


def logs(journal: Journal) -> list[dict[str, Any]]:
    return [event.payload for event in live_events(journal) if event.kind == Kind.LOG]


def blocks(journal: Journal) -> dict[int, str]:
    found = [event.payload for event in live_events(journal) if event.kind == Kind.BLOCK]
    numbers = [payload["number"] for payload in found]
    assert numbers == sorted(set(numbers))
    return {payload["number"]: payload["hash"] for payload in found}


def assert_as_if_never_misled(chain: LedgerChain, journal: Journal, path: Path) -> None:
    """The live view is that of somebody who never knew another branch, and the chain's own."""
    with Journal.open(str(path)) as fresh:
        assert follower(chain, fresh).step() is not None
        assert logs(journal) == logs(fresh)
        mine, others = blocks(journal), blocks(fresh)
        assert others.items() <= mine.items()
        assert max(mine) == max(others)
    for number, hash_ in mine.items():
        block = chain.client.web3.eth.get_block(number)
        assert block["hash"].to_0x_hex() == hash_


def test_step__blocks_with_and_without_logs__all_journalled_once(
    chain: LedgerChain, journal: Journal
) -> None:
    chain.mine_with("first")
    chain.anvil.mine(3)
    chain.mine_with("second")
    follow = follower(chain, journal)
    step = follow.step()
    assert step is not None
    tip = chain.client.web3.eth.block_number
    assert (step.head.number, step.blocks, step.logs, step.retracted) == (tip, tip + 1, 2, 0)
    found = logs(journal)
    assert [log["args"]["times"] for log in found] == [1, 1]
    assert found[0]["event"] == "Done"
    assert found[0]["contract"] == "Ledger"
    assert found[0]["args"]["by"] == chain.stranger.address
    again = follower(chain, journal).step()
    assert again is not None
    assert (again.blocks, again.logs) == (0, 0)
    assert verify(journal).sound


def test_step__far_behind__spans_then_blocks_and_no_log_lost(
    chain: LedgerChain, journal: Journal
) -> None:
    for number in range(6):
        chain.mine_with(f"thing {number}")
        chain.anvil.mine(60)
    step = follower(chain, journal).step()
    assert step is not None
    assert step.logs == 6
    assert step.blocks < 80
    numbers = list(blocks(journal))
    assert numbers[-65:] == list(range(numbers[-1] - 64, numbers[-1] + 1))


@pytest.mark.parametrize("depth", [1, 2, 7, 64])
def test_step__reorg__no_trace_of_the_dead_branch(
    chain: LedgerChain, journal: Journal, tmp_path: Path, depth: int
) -> None:
    """Property: J3."""
    chain.anvil.mine(5)
    chain.mine_with("kept")
    follow = follower(chain, journal)
    follow.step()
    snapshot = chain.anvil.snapshot()
    chain.mine_with("dead")
    chain.anvil.mine(depth - 1)
    first = follow.step()
    assert first is not None
    chain.anvil.revert(snapshot)
    chain.client.forget()
    chain.anvil.mine(1, 7)
    chain.mine_with("alive")
    chain.anvil.mine(max(0, depth - 2))
    step = follow.step()
    assert step is not None
    assert step.retracted == depth
    assert_as_if_never_misled(chain, journal, tmp_path / "fresh.db")
    assert b"dead".hex() not in str(logs(journal))
    assert b"alive".hex() in str(logs(journal))
    retracted = [event.payload for event in journal.events(kinds=[Kind.RETRACTED])]
    assert [(r["depth"], len(r["blocks"])) for r in retracted] == [(depth, depth)]
    assert retracted[0]["blocks"][-1] == first.head.hash
    assert verify(journal).sound


def test_step__random_reorgs_and_restarts__always_as_if_never_misled(
    chain: LedgerChain, journal: Journal, tmp_path: Path
) -> None:
    """Property: J3."""
    rng = random.Random(20_240_711)
    follow = follower(chain, journal)
    chain.anvil.mine(3)
    for turn in range(12):
        follow.step()
        snapshot = chain.anvil.snapshot()
        for number in range(rng.randint(1, 4)):
            chain.mine_with(f"dead {turn} {number}")
            chain.anvil.mine(rng.randint(0, 6))
            if rng.random() < 0.5:
                follow.step()
        fallen = chain.client.web3.eth.block_number
        if rng.random() < 0.7:
            chain.anvil.revert(snapshot)
            chain.client.forget()
            chain.anvil.mine(1, rng.randint(2, 50))
            chain.mine_with(f"alive {turn}")
            missing = fallen - chain.client.web3.eth.block_number
            chain.anvil.mine(max(0, missing) + rng.randint(0, 3))
        if rng.random() < 0.3:
            follow = follower(chain, journal)
        follow.step()
        assert_as_if_never_misled(chain, journal, tmp_path / f"fresh{turn}.db")
    assert verify(journal).sound


def test_step__reorg_below_the_horizon__refused(chain: LedgerChain, journal: Journal) -> None:
    chain.anvil.mine(80)
    follow = follower(chain, journal)
    snapshot = chain.anvil.snapshot()
    chain.anvil.mine(65)
    follow.step()
    chain.anvil.revert(snapshot)
    chain.anvil.mine(66, 9)
    before = journal.head()
    with pytest.raises(DeepReorg, match="more than 64 blocks"):
        follow.step()
    assert journal.head() == before


def test_step__node_lags_on_the_same_branch__waits(chain: LedgerChain, journal: Journal) -> None:
    chain.anvil.mine(10)
    follow = follower(chain, journal)
    follow.step()
    snapshot = chain.anvil.snapshot()
    chain.anvil.mine(3)
    follow.step()
    before = journal.head()
    chain.anvil.revert(snapshot)
    assert follow.step() is None
    assert journal.head() == before


def test_step__follower_that_never_looks_back__dead_branch_stays(
    chain: LedgerChain, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: J3. What the tests above compare does differ when nothing is retracted."""
    follow = follower(chain, journal)
    follow.step()
    snapshot = chain.anvil.snapshot()
    chain.mine_with("dead")
    follow.step()
    chain.anvil.revert(snapshot)
    chain.client.forget()
    chain.anvil.mine(1, 7)
    chain.mine_with("alive")
    monkeypatch.setattr(HeadFollower, "_rewind", lambda _self, _tip: 0)
    follow.step()
    with pytest.raises(AssertionError):
        assert_as_if_never_misled(chain, journal, tmp_path / "fresh.db")
