"""The orchestrator over the real suite: intents, harvest, halt, outages, kills, exact books."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from offchain.artifacts import ROOT
from offchain.batch.intents import Intent, receive
from offchain.cli import main
from offchain.halt.machine import HaltMachine, HaltState
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal
from offchain.journal.verify import verify
from offchain.summary import report
from scripts._local.cast import investor

from .suite import DAY, USDC, SuiteChain

THROTTLED = 1
KEEPER_KEY = "0x" + "00" * 31 + "01"


@pytest.fixture
def cli(suite: SuiteChain, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("BREAKWATER_RPC_URLS", suite.anvil.url)
    monkeypatch.setenv("BREAKWATER_DEPLOYMENT", str(suite.folder / "31337.json"))
    monkeypatch.setenv("BREAKWATER_JOURNAL", str(suite.folder / "journal.db"))
    return lambda *words: CliRunner(mix_stderr=False).invoke(main, [str(word) for word in words])


def refused(result: Result, says: str) -> None:
    assert result.exit_code == 1, result.output
    assert says in result.stderr
    assert result.stderr.startswith("breakwater: ")
    assert result.stderr.count("\n") == 1


def test_day__deposits_plan_harvest_exits__settled_once_and_booked_to_the_wei(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    with suite.orchestrator() as orchestrator:
        assert orchestrator.settler is not None
        deposits = [suite.deposit_intent(n, (1_000 + n) * USDC) for n in range(6)]
        forged = deposits[0].model_copy(update={"owner": deposits[1].owner, "nonce": 77})
        receive(orchestrator.journal, [*deposits, forged, deposits[0]])
        suite.turn(orchestrator, 8)
        pool = orchestrator.settler.pool
        assert len(pool.settled) == 6
        assert pool.dropped == {forged.id: "BAD_SIGNATURE"}
        assert suite.read("CapitalRouter", "totalAssets") == sum(i.amount for i in deposits)
        assert suite.drifts(orchestrator) == []

        suite.to_aave(400 * USDC)
        suite.anvil.advance(2 * DAY)
        suite.turn(orchestrator, 4)
        assert report(orchestrator.journal)["transactions_by_purpose"]["harvest"] == 1
        strategy = suite.world.deployment.address("AaveV3Strategy")
        state = suite.read("CapitalRouter", "strategyState", strategy)
        assert state.debt > 400 * USDC
        assert suite.drifts(orchestrator) == []

        in_kind = suite.shares(5)
        owner = deposits[5].owner
        suite.exit_intent(5, in_kind)
        suite.do(investor(5), "CapitalRouter", "redeemInKind", in_kind, owner, owner)
        assert suite.drifts(orchestrator) == []
        exits = [suite.exit_intent(n, suite.shares(n)) for n in range(5)]
        receive(orchestrator.journal, exits)
        suite.turn(orchestrator, 10)
        assert [suite.shares(n) for n in range(6)] == [0] * 6
        assert suite.drifts(orchestrator) == []
        orchestrator.checkpointer.run(force=True)
    assert "no drift" in cli("reconcile").output
    assert cli("verify-journal").output.startswith("sound: ")
    assert "settled 11" in cli("replay").output
    assert cli("report", "--out", suite.folder / "report.json").exit_code == 0
    figures = json.loads((suite.folder / "report.json").read_text())
    assert figures["intents_settled"] == 11
    assert figures["transactions_reverted"] == 0
    status = cli("status")
    assert status.exit_code == 0
    assert "quorum 1 of 1: a single node is trusted" in status.output


def test_books__event_missing__drift_named_in_wei(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    with suite.orchestrator() as orchestrator:
        receive(orchestrator.journal, [suite.deposit_intent(0, 1_000 * USDC)])
        suite.turn(orchestrator, 5)
    suite.anvil.rpc("evm_mine")
    with suite.orchestrator() as orchestrator:
        follower = orchestrator.follower
        honest = follower._quorum.logs
        follower._quorum.logs = lambda *a, **k: [  # type: ignore[method-assign]
            log for log in honest(*a, **k) if len(log.topics) != 3
        ]
        receive(orchestrator.journal, [suite.deposit_intent(1, 7)])
        suite.turn(orchestrator, 5)
        drifts = {drift.what: drift.wei for drift in suite.drifts(orchestrator)}
    assert drifts["NAV"] == -7
    assert drifts["idle"] == -7
    refused_lines = cli("reconcile")
    assert refused_lines.exit_code == 1
    assert "NAV: books 1000000000, chain 1000000007, drift -7" in refused_lines.output


def test_halt__by_another_process__throttles_through_the_sentinel_and_settles_nothing(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    with suite.orchestrator() as orchestrator:
        suite.turn(orchestrator, 1)
        assert "HALTED by Grace: drill" in cli("halt", "--by", "Grace", "--reason", "drill").output
        receive(orchestrator.journal, [suite.deposit_intent(0, 1_000 * USDC)])
        suite.turn(orchestrator, 6)
        router = suite.world.deployment.address("CapitalRouter")
        assert suite.read("EmergencyGate", "stateOf", router)[0] == THROTTLED
        assert suite.shares(0) == 0
        throttles = report(orchestrator.journal)["transactions_by_purpose"]
        assert throttles == {"throttle": 1}
        refused(cli("resume", "--by", "", "--reason", "x"), "name of a person")
        assert "ACTIVE by Grace" in cli("resume", "--by", "Grace", "--reason", "over").output
        suite.turn(orchestrator, 6)
        assert suite.shares(0) > 0


def test_reducing__exits_settle_and_deposits_wait(suite: SuiteChain) -> None:
    with suite.orchestrator() as orchestrator:
        receive(orchestrator.journal, [suite.deposit_intent(0, 1_000 * USDC)])
        suite.turn(orchestrator, 5)
        orchestrator.halt.tighten(HaltState.REDUCING, "risk", "drill")
        waiting = [suite.exit_intent(0, suite.shares(0)), suite.deposit_intent(1, 500 * USDC)]
        receive(orchestrator.journal, waiting)
        suite.turn(orchestrator, 6)
        assert (suite.shares(0), suite.shares(1)) == (0, 0)
        orchestrator.halt.resume("Grace", "over")
        suite.turn(orchestrator, 6)
        assert suite.shares(1) > 0


def test_queue__exits_wait__keeper_pays_them_once_they_can_be(suite: SuiteChain) -> None:
    """Property: R7."""
    with suite.orchestrator() as orchestrator:
        receive(orchestrator.journal, [suite.deposit_intent(n, 1_000 * USDC) for n in range(3)])
        suite.turn(orchestrator, 5)
        queue = suite.world.deployment.address("ExitQueue")
        for number in range(3):
            who, shares = investor(number), suite.shares(number)
            suite.anvil.set_balance(who.address, 10**18)
            suite.do(who, "CapitalRouter", "approve", queue, shares)
            suite.do(who, "ExitQueue", "requestRedeem", shares, who.address, who.address)
        assert suite.read("ExitQueue", "queuedShares") > 0
        suite.turn(orchestrator, 5)
        assert suite.read("ExitQueue", "queuedShares") == 0
        claimable = [suite.read("ExitQueue", "maxWithdraw", investor(n).address) for n in range(3)]
        assert min(claimable) >= 1_000 * USDC - 1
        assert report(orchestrator.journal)["transactions_by_purpose"]["process"] == 1
        assert suite.drifts(orchestrator) == []


class Patience(threading.Event):
    """Lets the loop try in vain three times, then wakes the node."""

    def __init__(self, pid: int) -> None:
        super().__init__()
        self.pid = pid
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout)
        if len(self.waits) == 3:
            os.kill(self.pid, signal.SIGCONT)
        return False


def test_run__chain_stops_in_the_middle__waits_says_it_once_and_goes_on(suite: SuiteChain) -> None:
    with suite.orchestrator(rpc_timeout=0.5) as orchestrator:
        receive(orchestrator.journal, [suite.deposit_intent(0, 1_000 * USDC)])
        orchestrator.tick()
        patience = Patience(suite.anvil.pid)
        os.kill(suite.anvil.pid, signal.SIGSTOP)
        try:
            orchestrator.run(patience, ticks=1)
        finally:
            os.kill(suite.anvil.pid, signal.SIGCONT)
        assert patience.waits[:3] == [0.01, 0.02, 0.04]
        suite.turn(orchestrator, 6)
        assert suite.shares(0) > 0
        said = [line for line in suite.said if "chain" in line and "quorum" not in line]
        assert len(said) == 2
        assert said[0].startswith("waiting for the chain: no answer from 127.0.0.1")
        assert said[1] == "the chain answers again"
        incidents = [e.payload["why"] for e in orchestrator.journal.events(kinds=[Kind.INCIDENT])]
        assert len(incidents) == 2
        assert orchestrator.metrics.read()["breakwater_outages_total"] == 1
        assert verify(orchestrator.journal).sound


def test_dry_run__work_is_due__said_and_nothing_sent(suite: SuiteChain) -> None:
    keeper = suite.world.cast["keeper"].address
    with suite.orchestrator() as orchestrator:
        receive(orchestrator.journal, [suite.deposit_intent(0, 10_000 * USDC)])
        suite.turn(orchestrator, 5)
    suite.to_aave(400 * USDC)
    suite.anvil.advance(2 * DAY)
    before = suite.client.web3.eth.get_transaction_count(keeper)
    with suite.orchestrator(dry_run=True) as orchestrator:
        receive(orchestrator.journal, [suite.deposit_intent(1, 1_000 * USDC)])
        suite.turn(orchestrator, 3)
        assert suite.drifts(orchestrator) == []
    assert suite.client.web3.eth.get_transaction_count(keeper) == before
    assert [line for line in suite.said if line.startswith("dry run")] == [
        "dry run: would call harvest: 1 strategies have something to report"
    ]


def test_kill__whole_process_again_and_again__every_intent_settled_once(
    suite: SuiteChain,
) -> None:
    """Property: J2."""
    path = suite.folder / "journal.db"
    intents = [suite.deposit_intent(n, (100 + n) * USDC) for n in range(8)]
    with suite.orchestrator() as orchestrator:
        receive(orchestrator.journal, intents)
        size = orchestrator.journal.head().seq
    lives = 0
    for grown in (3, 1, 7, 2):
        size = _live_and_die(suite, path, size + grown)
        lives += 1
    with suite.orchestrator(batch_size=3) as orchestrator:
        suite.turn(orchestrator, 12)
        assert orchestrator.settler is not None
        assert len(orchestrator.settler.pool.settled) == len(intents)
        assert not orchestrator.settler.pool.waiting
        assert not orchestrator.settler.pool.batches
        assert verify(orchestrator.journal).sound
        assert suite.drifts(orchestrator) == []
    assert suite.read("CapitalRouter", "totalAssets") == sum(i.amount for i in intents)
    _each_settled_once(path, intents)
    assert lives == 4


def _live_and_die(suite: SuiteChain, path: Path, until: int) -> int:
    """Runs the real process until the journal has grown so far, then kills it."""
    key = suite.world.cast["keeper"]._key.to_hex()
    sentinel = suite.world.cast["sentinel"]._key.to_hex()
    environment = {
        **os.environ,
        "BREAKWATER_RPC_URLS": suite.anvil.url,
        "BREAKWATER_DEPLOYMENT": str(suite.folder / "31337.json"),
        "BREAKWATER_JOURNAL": str(path),
        "BREAKWATER_KEEPER_KEY": key,
        "BREAKWATER_SENTINEL_KEY": sentinel,
        "BREAKWATER_BATCH_SIZE": "3",
        "BREAKWATER_BATCH_PATIENCE_BLOCKS": "1",
        "BREAKWATER_CONFIRMATIONS": "1",
        "BREAKWATER_FINALITY": "2",
        "BREAKWATER_POLL_SECONDS": "0.02",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "offchain", "run"], env=environment, cwd=ROOT, stderr=subprocess.PIPE
    )
    try:
        with Journal.open(str(path), create=False) as journal:
            while journal.head().seq < until:
                assert process.poll() is None, process.stderr and process.stderr.read()
                suite.anvil.mine(1, 12)
                time.sleep(0.02)
    finally:
        process.kill()
        process.communicate()
    with Journal.open(str(path), create=False) as journal:
        return journal.head().seq


def _each_settled_once(path: Path, intents: list[Intent]) -> None:
    with Journal.open(str(path), create=False) as journal:
        logs = [e.payload for e in journal.events(kinds=[Kind.LOG])]
        settled = [
            (log["args"]["owner"], log["args"]["nonce"])
            for log in logs
            if log["event"] == "DepositSettled"
        ]
        assert sorted(settled) == sorted(intent.slot for intent in intents)


def test_cli__wrong_inputs__one_line_and_status_1(
    suite: SuiteChain, cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = suite.folder / "31337.json"
    whole = file.read_text()
    refused(cli("run"), "no key for the keeper")
    refused(cli("status"), "does not exist")
    refused(cli("--deployment", suite.folder / "none.json", "run", "--dry-run"), "does not exist")
    file.write_text(whole[: len(whole) // 2])
    refused(cli("run", "--dry-run"), "not valid JSON")
    file.write_text(whole.replace('"chainId": 31337', '"chainId": 1'))
    refused(cli("run", "--dry-run"), "is for chain 1, the node is on chain 31337")
    broken = json.loads(whole)
    broken["contracts"]["CapitalRouter"]["codeHash"] = "0x" + "00" * 32
    file.write_text(json.dumps(broken))
    refused(cli("run", "--dry-run"), "carries other code than deployed")
    broken["contracts"]["CapitalRouter"]["address"] = "0x" + "12" * 20
    file.write_text(json.dumps(broken))
    refused(cli("run", "--dry-run"), "CapitalRouter is not on the chain")
    file.write_text(whole)
    refused(
        cli("--rpc", "http://127.0.0.1:1", "run", "--dry-run"), "no chain answers at 127.0.0.1:1"
    )
    refused(cli("--rpc", "nonsense", "run", "--dry-run"), "RPC address must look like")
    refused(cli("--rpc", "", "run", "--dry-run"), "names no node")
    monkeypatch.setenv("BREAKWATER_KEEPER_KEY", "0xnot-a-key")
    wrong_key = cli("run")
    refused(wrong_key, "the keeper's key is not a private key")
    assert "not-a-key" not in wrong_key.output + wrong_key.stderr
    monkeypatch.delenv("BREAKWATER_KEEPER_KEY")
    assert not (suite.folder / "journal.db").exists()


def test_cli__metrics_port_taken__one_line(cli: Callable[..., Result]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(cli("run", "--dry-run", "--metrics-port", port), f"metrics port {port} cannot be")


def test_cli__journal_damaged_or_foreign_or_led__one_line(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    assert cli("run", "--dry-run", "--ticks", "1").exit_code == 0
    path = suite.folder / "journal.db"
    with Journal.open(str(path)) as journal:
        journal.lead()
        refused(cli("run", "--dry-run"), "another orchestrator already runs")
    with sqlite3.connect(path) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
        kept = triggers.fetchall()
        for name, _ in kept:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE events SET actor = 'nobody' WHERE seq = 3")
        for _, sql in kept:
            database.execute(sql)
    database.close()
    refused(cli("run", "--dry-run"), "HALTED: the journal does not verify: event 3")
    refused(cli("resume", "--by", "Grace", "--reason", "fine"), "HALTED: the journal does not")
    refused(cli("reconcile"), "does not verify")
    found = cli("verify-journal")
    assert found.exit_code == 1
    assert "event 3: its contents do not match its hash" in found.output
    path.write_bytes(b"junk" * 2_000)
    refused(cli("run", "--dry-run"), "journal")
    refused(cli("halt", "--reason", "x"), "journal")


def test_cli__truncated_against_an_anchor__found(
    suite: SuiteChain, cli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Property: J1."""
    monkeypatch.setenv("BREAKWATER_ANCHORS", str(suite.folder / "elsewhere" / "anchors.jsonl"))
    assert cli("run", "--dry-run", "--ticks", "1").exit_code == 0
    sound = cli("verify-journal").output.split()[-1]
    path = suite.folder / "journal.db"
    with sqlite3.connect(path) as database:
        kept = database.execute("SELECT sql FROM sqlite_master WHERE name='events_no_delete'")
        sql = kept.fetchone()[0]
        database.execute("DROP TRIGGER events_no_delete")
        database.execute("DELETE FROM events WHERE seq > 4")
        database.execute(sql)
    database.close()
    refused(cli("run", "--dry-run"), "ends before an anchor")
    monkeypatch.delenv("BREAKWATER_ANCHORS")
    assert cli("verify-journal").exit_code == 0
    assert "ends before an anchor" in cli("verify-journal", "--anchor", sound).output


ANCHORING = {"checkpoint_every": 5, "anchor_every": 20}


def _cut(path: Path, statement: str) -> None:
    """Changes a journal behind its back, triggers and all."""
    with sqlite3.connect(path) as database:
        triggers = database.execute("SELECT name, sql FROM sqlite_master WHERE type='trigger'")
        kept = triggers.fetchall()
        for name, _ in kept:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        for _, sql in kept:
            database.execute(sql)
    database.close()


def test_anchor__keeper_fixes_roots_on_chain__truncation_is_found_against_them(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    """Property: J1."""
    with suite.orchestrator(**ANCHORING) as orchestrator:
        receive(orchestrator.journal, [suite.deposit_intent(n, 100 * USDC) for n in range(4)])
        suite.turn(orchestrator, 40)
        anchored = report(orchestrator.journal)["transactions_by_purpose"]["anchor"]
        name = next(iter(orchestrator.journal.events())).hash
    assert suite.read("AuditAnchor", "countOf", name) == anchored >= 2
    last = suite.read("AuditAnchor", "latestOf", name)
    assert cli("verify-journal", "--chain").output.startswith(f"{anchored} anchors on chain")
    path = suite.folder / "journal.db"
    _cut(path, f"DELETE FROM events WHERE seq >= {last.lastSeq}")
    assert cli("verify-journal").exit_code == 0, "the hashes alone do not show it"
    cut = cli("verify-journal", "--chain")
    assert cut.exit_code == 1
    assert f"the journal ends before an anchor of {last.lastSeq}" in cut.output
    refused(cli("run", "--dry-run", "--ticks", "1"), "ends before an anchor")


def test_anchor__history_written_anew__differs_from_the_chain(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    """Property: J1. Every hash of the forged journal fits; only the chain knows better."""
    with suite.orchestrator(**ANCHORING) as orchestrator:
        suite.turn(orchestrator, 40)
        events = list(orchestrator.journal.events())
    path = suite.folder / "journal.db"
    forged = suite.folder / "forged.db"
    with Journal.open(str(forged), clock=lambda: events[0].time) as journal:
        kept = [e for e in events if e.kind != Kind.CHECKPOINT]
        assert len(kept) < len(events)
        for event in kept:
            actor = "nobody" if event.seq == 3 else event.actor
            journal.append([Draft(Kind(event.kind), actor, event.cause, event.payload)])
        assert next(iter(journal.events())).hash == events[0].hash
        while journal.head().seq < len(events):
            journal.append([Draft(Kind.INCIDENT, "nobody", "", {"what": "x", "why": "x"})])
    path.unlink()
    for leftover in suite.folder.glob("journal.db-*"):
        leftover.unlink()
    forged.rename(path)
    assert cli("verify-journal").exit_code == 0
    found = cli("verify-journal", "--chain")
    assert found.exit_code == 1
    assert "events differs" in found.output


def test_anchor__another_journal_in_its_place__is_said(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    """Property: J1."""
    with suite.orchestrator(**ANCHORING) as orchestrator:
        suite.turn(orchestrator, 20)
    with suite.orchestrator(journal=str(suite.folder / "new.db")) as orchestrator:
        suite.turn(orchestrator, 2)
    assert "the chain's last anchor is of another journal" in "".join(suite.said)
    other = cli("--journal", suite.folder / "new.db", "verify-journal", "--chain")
    refused(other, "the chain's anchors are of another journal")


def test_cli__submit_and_replay_events__journalled_once(
    suite: SuiteChain, cli: Callable[..., Result]
) -> None:
    assert cli("run", "--dry-run", "--ticks", "1").exit_code == 0
    intent = suite.deposit_intent(0, 5 * USDC)
    path = suite.folder / "intents.json"
    path.write_text(json.dumps([intent.model_dump(mode="json")]))
    assert cli("submit", path).output.strip() == intent.id
    lines = cli("replay", "--events").output.splitlines()
    assert json.loads(lines[-1])["payload"]["id"] == intent.id
    assert len(cli("replay", "--events", "--until", "3").output.splitlines()) == 3
    refused(cli("submit", suite.folder / "none.json"), "does not exist")
    with Journal.open(str(suite.folder / "journal.db")) as journal:
        assert HaltMachine(journal).standing().state is HaltState.ACTIVE
