"""The one loop: follow, watch what was sent, do what is due, checkpoint; it keeps nothing itself.

Everything it knows is in the journal or on the chain, so it may be killed at any instruction. A
chain that does not answer is waited for; that is said once when it stops and once when it is back.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass

from offchain.artifacts import index
from offchain.batch.settle import GATEWAY, Settler
from offchain.chain.head import DeepReorg, HeadFollower
from offchain.chain.rpc import Block, Quorum
from offchain.chain.sender import Sender
from offchain.chain.signers import Signer
from offchain.chain.transport import ChainUnreachable
from offchain.chain.txbook import IN_FLIGHT, TxState, Urgency
from offchain.deployment import Deployment
from offchain.errors import OffchainError
from offchain.halt.machine import HaltError, HaltMachine, HaltState
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal
from offchain.journal.verify import Checkpointer, FileAnchor, verify
from offchain.keeper.anchors import AnchorJob, on_chain, replaced
from offchain.keeper.jobs import Job, all_jobs
from offchain.keeper.view import ContractView, ReadError, interface
from offchain.metrics import Metrics
from offchain.settings import Settings

ROUTER, GATE = "CapitalRouter", "EmergencyGate"
THROTTLED = 1
Say = Callable[[str], None]


@dataclass
class Orchestrator:
    """Everything that one process needs, wired together; build it with `assemble`."""

    settings: Settings
    journal: Journal
    quorum: Quorum
    deployment: Deployment
    halt: HaltMachine
    follower: HeadFollower
    checkpointer: Checkpointer
    metrics: Metrics
    keeper: Sender | None
    sentinel: Sender | None
    settler: Settler | None
    jobs: list[Job]
    say: Say
    dry_run: bool = False

    def __post_init__(self) -> None:
        self._silent = False
        self._failing: set[str] = set()
        self._previewed: set[str] = set()

    # ---- one turn ----

    def tick(self) -> Block | None:
        """One turn of the loop.

        Returns:
            the head that was followed to, or None if there is no block yet.

        Raises:
            ChainUnreachable: the nodes do not answer; nothing is lost, call again.
        """
        try:
            step = self.follower.step()
        except DeepReorg as error:
            self.halt.tighten(HaltState.HALTED, "orchestrator", str(error))
            self._brake_at_tip()
            raise
        if step is None:
            return None
        self.metrics.count(blocks=step.blocks, logs=step.logs, retracted_blocks=step.retracted)
        if step.retracted:
            self.say(f"reorg: {step.retracted} blocks fell, head is now {step.head.number}")
        view = self.view(step.head)
        if self.dry_run:
            self._preview(view)
        else:
            if self.halt.standing().state is HaltState.HALTED:
                self._guard("throttle", lambda: self._ask_for_throttle(view))
            for sender in (self.sentinel, self.keeper):
                if sender is not None:
                    sender.advance(step.head)
            self._work(view)
        self.checkpointer.run()
        self._measure(step.head)
        return step.head

    def view(self, block: Block) -> ContractView:
        """The suite's contracts at a block."""
        addresses = {name: self.deployment.address(name) for name in self.deployment.contracts}
        return ContractView(self.quorum, block, addresses)

    def _brake_at_tip(self) -> None:
        """The follower is lost, the brake must still work."""
        block = self.quorum.block(self.quorum.head_number())
        if block is not None and self.sentinel is not None and not self.dry_run:
            self._guard("throttle", lambda: self._ask_for_throttle(self.view(block)))
            self.sentinel.advance(block)

    def _preview(self, view: ContractView) -> None:
        """A dry run says once what it would have done."""
        for job in self.jobs:
            self._guard(job.name, lambda job=job: self._preview_job(job, view))  # type: ignore[misc]

    def _preview_job(self, job: Job, view: ContractView) -> None:
        if not job.due(view):
            self._previewed.discard(job.name)
        elif job.name not in self._previewed:
            self._previewed.add(job.name)
            self.say(f"dry run: would call {job.name}: {job.call(view).why}")

    def _work(self, view: ContractView) -> None:
        """Asks the jobs and the settler; in this order the brake comes first."""
        if self.keeper is None:
            return
        standing = self.halt.standing()
        for job in self.jobs:
            self._guard(job.name, lambda job=job: self._run_job(job, view))  # type: ignore[misc]
            if self._under_way("poke"):
                # NOTE: what the breaker is about to stop is not asked for beside it.
                break
        if self.settler is not None and standing.state is not HaltState.HALTED:
            kinds = ("deposit", "exit") if standing.state is HaltState.ACTIVE else ("exit",)
            settler = self.settler
            self._guard("settle", lambda: settler.step(view, self.follower.view, frozenset(kinds)))
        self.keeper.advance(view.block)

    def _under_way(self, name: str) -> bool:
        assert self.keeper is not None
        return any(
            tx.id.startswith(f"{name}:") and (tx.state is TxState.INTENDED or tx.state in IN_FLIGHT)
            for tx in self.keeper.book.open(self.keeper.account)
        )

    def _run_job(self, job: Job, view: ContractView) -> None:
        assert self.keeper is not None
        if self._under_way(job.name) or not job.due(view):
            return
        call = job.call(view)
        if not self.halt.standing().allows(call.urgency):
            return
        before = self.keeper.book.latest(call.key)
        tx = self.keeper.request(
            call.key, call.to, call.data, head=view.block, why=call.why, urgency=call.urgency
        )
        if before is None or before.id != tx.id:
            self.metrics.count(job_calls=1)
            self.say(f"{job.name}: {call.why}")

    def _ask_for_throttle(self, view: ContractView) -> None:
        """While HALTED: the router at least THROTTLED, through the sentinel's key."""
        if self.sentinel is None or not view.has(GATE):
            return
        router = view.address(ROUTER)
        state, _ = view.read(GATE, "EmergencyGate", "stateOf", router)
        standing = self.halt.standing()
        if state >= THROTTLED:
            return
        # NOTE: a throttle lapses with time; while HALTED it is asked for again.
        number = 1
        while True:
            key = f"throttle:{router.lower()}:{standing.seq}:{number}"
            last = self.sentinel.book.latest(key)
            if last is None or not last.done:
                break
            number += 1
        reason = standing.reason.encode()[:32].ljust(32, b"\0")
        self.sentinel.request(
            key,
            view.address(GATE),
            interface("EmergencyGate").encode("throttle", router, reason),
            head=view.block,
            why=standing.reason,
            urgency=Urgency.BRAKE,
        )

    def _guard(self, name: str, work: Callable[[], None]) -> None:
        """A duty whose contract does not answer must not stop the others; said once."""
        try:
            work()
        except ReadError as error:
            if name not in self._failing:
                self._failing.add(name)
                self.say(f"{name}: {error}")
                payload = {"what": name, "why": str(error)}
                self.journal.append([Draft(Kind.INCIDENT, "orchestrator", name, payload)])
        else:
            self._failing.discard(name)

    # ---- running ----

    def run(self, stop: threading.Event, ticks: int | None = None) -> None:
        """Turns until `stop` is set, or so many times; waits while the chain does not answer."""
        pause = self.settings.poll_seconds
        while not stop.is_set() and (ticks is None or ticks > 0):
            try:
                self.tick()
            except ChainUnreachable as error:
                self._lost(error)
                stop.wait(pause)
                pause = min(2 * pause, self.settings.backoff_seconds)
                continue
            self._back()
            pause = self.settings.poll_seconds
            ticks = None if ticks is None else ticks - 1
            if ticks != 0:
                stop.wait(pause)
        self.checkpointer.run(force=True)

    def _lost(self, error: ChainUnreachable) -> None:
        self.metrics.set(chain_reachable=0)
        if not self._silent:
            self._silent = True
            self.metrics.count(outages=1)
            self.say(f"waiting for the chain: {error}")
            payload = {"what": "chain", "why": str(error)}
            self.journal.append([Draft(Kind.INCIDENT, "orchestrator", "chain", payload)])

    def _back(self) -> None:
        if self._silent:
            self._silent = False
            self.say("the chain answers again")
            payload = {"what": "chain", "why": "answers again"}
            self.journal.append([Draft(Kind.INCIDENT, "orchestrator", "chain", payload)])

    def _measure(self, head: Block) -> None:
        book = self.keeper.book.open() if self.keeper else []
        pool = self.settler.pool if self.settler else None
        self.metrics.set(
            head_block=head.number,
            journal_events=self.journal.head().seq,
            halt_state=int(self.halt.standing().state),
            chain_reachable=1,
            transactions_open=len(book),
            transactions_unknown=sum(tx.state is TxState.UNKNOWN for tx in book),
            intents_waiting=len(pool.waiting) if pool else 0,
            batches_open=len(pool.batches) if pool else 0,
        )

    def close(self) -> None:
        """Gives up what is held."""
        self.metrics.close()
        self.quorum.close()
        self.journal.close()


def check_deployment(deployment: Deployment, quorum: Quorum) -> None:
    """The code on chain is the code that the file promises.

    Raises:
        OffchainError: naming the first contract that is missing or differs.
    """
    from eth_utils.crypto import keccak  # noqa: PLC0415

    for name, contract in deployment.contracts.items():
        code = quorum.code(contract.address)
        if not code:
            raise OffchainError(f"{name} is not on the chain at {contract.address}")
        if "0x" + keccak(code).hex() != contract.code_hash:
            raise OffchainError(f"{name} at {contract.address} carries other code than deployed")


def open_genesis(journal: Journal, chain_id: int) -> None:
    """A new journal begins with its chain; an old one must be of the same chain.

    Raises:
        OffchainError: if it belongs to another chain.
    """
    first = next(iter(journal.events(kinds=[Kind.OPENED], page=1)), None)
    if first is None:
        # A journal is named by this event's hash: two that begin in one second need two names.
        payload = {"schema": 1, "chainId": chain_id, "id": secrets.token_hex(16)}
        journal.append([Draft(Kind.OPENED, "orchestrator", "start", payload)])
    elif first.payload["chainId"] != chain_id:
        raise OffchainError(
            f"the journal is of chain {first.payload['chainId']}, the node is on chain {chain_id}"
        )


def assemble(
    settings: Settings,
    *,
    dry_run: bool = False,
    say: Say = print,
    keeper: Signer | None = None,
    sentinel: Signer | None = None,
    journal: Journal | None = None,
) -> Orchestrator:
    """Opens, checks and wires everything; nothing is sent.

    Args:
        settings: see `Settings`.
        dry_run: read everything, send nothing, need no key.
        say: takes the few lines that an operator must see.
        keeper: signer for reports, harvests and batches; by default the key of the settings.
        sentinel: signer that may throttle; by default the key of the settings.
        journal: by default the one of the settings.

    Raises:
        OffchainError: with one line, for everything that is wrong.
        ChainUnreachable: if no chain answers.
    """
    quorum = Quorum.connect(settings.urls, settings.quorum, settings.rpc_timeout)
    chain_id = quorum.chain_id()
    deployment = Deployment.load(settings.deployment_file(chain_id), chain_id)
    check_deployment(deployment, quorum)
    keeper = keeper or settings.signer("keeper")
    sentinel = sentinel or settings.signer("sentinel")
    if keeper is None and not dry_run:
        raise OffchainError(
            "no key for the keeper: set BREAKWATER_KEEPER_KEY_FILE or use --dry-run"
        )
    metrics = Metrics(settings.metrics_port)
    try:
        journal = journal or Journal.open(settings.journal)
        journal.lead()
        anchor = FileAnchor(settings.anchors) if settings.anchors else None
        known = anchor.read() if anchor else []
        addresses = {name: deployment.address(name) for name in deployment.contracts}
        tip = quorum.block(quorum.head_number())
        if tip is not None:
            view = ContractView(quorum, tip, addresses)
            known += on_chain(journal, view)
            if (other := replaced(journal, view)) is not None:
                say(f"the chain's last anchor is of another journal: {other}")
        result = verify(journal, known)
        if result.sound:
            open_genesis(journal, chain_id)
    except OffchainError:
        metrics.close()
        raise
    if not result.sound:
        metrics.close()
        journal.close()
        raise HaltError(f"HALTED: the journal does not verify: {result.findings[0]}")
    halt = HaltMachine(journal)
    contracts = {deployment.address(name): name for name in deployment.contracts}
    abis = index()
    senders = [
        None
        if signer is None or dry_run
        else Sender(
            journal,
            quorum,
            signer,
            chain_id,
            policy=settings.send_policy(),
            explain=abis.describe_error,
            allowed=lambda urgency: halt.standing().allows(urgency),
        )
        for signer in (keeper, sentinel)
    ]
    settler = None
    if senders[0] is not None and GATEWAY in deployment.contracts:
        settler = Settler(
            journal,
            senders[0],
            chain_id,
            settings.batch_limits(),
            confirmations=settings.confirmations,
        )
    has_router = ROUTER in deployment.contracts
    jobs = all_jobs(settings.trigger(), settings.process_bps) if has_router else []
    jobs.append(AnchorJob(journal, settings.anchor_every, settings.anchor_age))
    say(f"chain {chain_id}, {quorum.describe()}, halt state {halt.standing().state.name}")
    return Orchestrator(
        settings=settings,
        journal=journal,
        quorum=quorum,
        deployment=deployment,
        halt=halt,
        follower=HeadFollower(
            journal,
            quorum,
            abis,
            contracts,
            first_block=deployment.first_block,
            router=deployment.address(ROUTER) if has_router else None,
        ),
        checkpointer=Checkpointer(journal, settings.checkpoint_every, anchor),
        metrics=metrics,
        keeper=senders[0],
        sentinel=senders[1],
        settler=settler,
        jobs=jobs,
        say=say,
        dry_run=dry_run,
    )
