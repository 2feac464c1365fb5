"""Batches that the real gateway cannot take in one transaction, frozen ones, and kills between."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from offchain.batch.intents import Intent, receive
from offchain.journal.events import Kind
from offchain.journal.store import Journal
from offchain.journal.verify import verify
from offchain.loop import Orchestrator
from scripts._deployment.bound import abi_of

from .suite import USDC, SuiteChain
from .test_kill import Fuse, fused_append, fused_send

FORK = multiprocessing.get_context("fork")
FROZEN = 3
# A batch of four whose signers burn all they get needs more, one of them less.
MAX_GAS = 1_000_000
# And here even one of them needs more.
LONE_GAS = 400_000
LIMITS: dict[str, Any] = {"max_gas": MAX_GAS, "batch_gas": MAX_GAS}


def test_settle__signers_burn_gas__split_and_everybody_settles(suite: SuiteChain) -> None:
    intents = [suite.burning_intent((10 + n) * USDC) for n in range(4)]
    honest = [suite.deposit_intent(n, 100 * USDC) for n in range(2)]
    with suite.orchestrator(**LIMITS) as orchestrator:
        receive(orchestrator.journal, [*intents, *honest])
        suite.turn(orchestrator, 14)
        pool = _pool(orchestrator)
        assert len(pool.settled) == 6
        assert (pool.dropped, pool.waiting, pool.batches) == ({}, {}, {})
        (split,) = [e.payload for e in orchestrator.journal.events(kinds=[Kind.BATCH_SPLIT])]
        assert split["alone"] == [intent.id for intent in intents]
        needed = int(split["why"].removeprefix("it needs ").removesuffix(" gas"))
        assert needed > MAX_GAS
        assert suite.drifts(orchestrator) == []


def test_settle__lone_one_too_heavy__dropped_with_its_reason(suite: SuiteChain) -> None:
    burning, honest = suite.burning_intent(10 * USDC), suite.deposit_intent(1, 100 * USDC)
    with suite.orchestrator() as orchestrator:
        assert orchestrator.keeper is not None
        policy = dataclasses.replace(orchestrator.keeper._policy, max_gas=LONE_GAS)
        orchestrator.keeper._policy = policy
        receive(orchestrator.journal, [burning, honest])
        suite.turn(orchestrator, 8)
        pool = _pool(orchestrator)
        assert list(pool.settled) == [honest.id]
        assert list(pool.dropped) == [burning.id]
        assert pool.dropped[burning.id].startswith("it needs ")
        assert (pool.waiting, pool.batches) == ({}, {})


@pytest.mark.parametrize("target", ["DepositGateway", "CapitalRouter"])
def test_settle__frozen_for_long__drops_nothing_and_settles_after(
    suite: SuiteChain, target: str
) -> None:
    intents = [suite.deposit_intent(n, 100 * USDC) for n in range(5)]
    unfunded = suite.deposit_intent(9, 100 * USDC).model_copy(update={"owner": intents[0].owner})
    gate = suite.world.deployment.address("EmergencyGate")
    with suite.orchestrator() as orchestrator:
        receive(orchestrator.journal, intents)
        _as_gate(suite, gate, target, FROZEN)
        suite.turn(orchestrator, 12)
        receive(orchestrator.journal, [unfunded])
        suite.turn(orchestrator, 4)
        kinds = [event.kind for event in orchestrator.journal.events()]
        assert Kind.BATCH_SPLIT not in kinds
        assert not {intent.id for intent in intents} & _pool(orchestrator).dropped.keys()
        _as_gate(suite, gate, target, 0)
        suite.turn(orchestrator, 10)
        assert {intent.id for intent in intents} <= _pool(orchestrator).settled.keys()


def _as_gate(suite: SuiteChain, gate: str, target: str, state: int) -> None:
    """The gate pushes a state, without the ceremony around it."""
    suite.anvil.set_balance(gate, 10**18)
    codec = suite.client.contract(
        suite.world.deployment.address(target), abi_of(target)
    ).encode_abi("setEmergencyState", [state])
    receipt = suite.anvil.send(
        gate, suite.world.deployment.address(target), bytes.fromhex(codec[2:])
    )
    assert receipt["status"] == "0x1"


def test_kill__while_a_batch_is_split__every_intent_settled_once(
    suite: SuiteChain, tmp_path: Path
) -> None:
    """Property: J2."""
    intents = [suite.burning_intent((10 + n) * USDC) for n in range(3)]
    intents.append(suite.deposit_intent(1, 100 * USDC))
    told = tmp_path / "moments"
    clean = suite.anvil.snapshot()
    assert _live(suite, tmp_path / "clean.db", intents, None, told) == 0
    moments = int(told.read_text())
    _check(suite, tmp_path / "clean.db", intents)
    assert moments > 30
    for at in range(1, moments + 1, 4):
        suite.anvil.revert(clean)
        suite.client.forget()
        clean = suite.anvil.snapshot()
        path = tmp_path / f"{at}.db"
        assert _live(suite, path, intents, at, told) == -signal.SIGKILL
        assert _live(suite, path, intents, None, told) == 0
        _check(suite, path, intents)


def _live(suite: SuiteChain, path: Path, intents: list[Intent], at: int | None, told: Path) -> int:
    process = FORK.Process(target=_life, args=(suite, path, intents, at, told))
    process.start()
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def _life(suite: SuiteChain, path: Path, intents: list[Intent], at: int | None, told: Path) -> None:
    """One life of the orchestrator: until every intent has settled and all is final."""
    fuse = Fuse(at)
    with suite.orchestrator(journal=str(path), **LIMITS) as orchestrator:
        journal, quorum = orchestrator.journal, orchestrator.quorum
        journal.append = fused_append(journal, fuse)  # type: ignore[method-assign]
        quorum.send = fused_send(quorum, fuse)  # type: ignore[method-assign]
        receive(journal, intents)
        for _ in range(60):
            orchestrator.tick()
            pool = _pool(orchestrator)
            assert orchestrator.keeper is not None
            if len(pool.settled) == len(intents) and not orchestrator.keeper.book.open():
                told.write_text(str(fuse.moments))
                return
            suite.anvil.mine(1, 12)
    os._exit(1)


def _check(suite: SuiteChain, path: Path, intents: list[Intent]) -> None:
    with Journal.open(str(path), create=False) as journal:
        assert verify(journal).sound
        events = list(journal.events(kinds=[Kind.LOG, Kind.BATCH_SPLIT]))
        settled = [
            (event.payload["args"]["owner"], event.payload["args"]["nonce"])
            for event in events
            if event.payload.get("event") == "DepositSettled"
        ]
        assert sorted(settled) == sorted(intent.slot for intent in intents)
        assert sum(event.kind == Kind.BATCH_SPLIT for event in events) == 1
    assets = suite.read("CapitalRouter", "totalAssets")
    assert assets == sum(intent.amount for intent in intents)


def _pool(orchestrator: Orchestrator) -> Any:
    assert orchestrator.settler is not None
    return orchestrator.settler.pool
