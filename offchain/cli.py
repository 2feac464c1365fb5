"""The operator's commands; every failure is one line on stderr and an exit status above 0.

Settings come from `BREAKWATER_*`; the options here override the few that differ between calls.
"""

from __future__ import annotations

import collections
import json
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from offchain import summary
from offchain.artifacts import ArtifactError
from offchain.batch.intents import load_intents, receive
from offchain.chain.head import live_events
from offchain.chain.rpc import Quorum
from offchain.chain.transport import ChainUnreachable
from offchain.deployment import Deployment
from offchain.errors import OffchainError
from offchain.halt.machine import HaltMachine, HaltState
from offchain.journal.reconcile import ROUTER, Books
from offchain.journal.store import Journal, JournalError
from offchain.journal.verify import Checkpoint, FileAnchor, Verification, verify
from offchain.keeper.anchors import ANCHOR, on_chain, replaced
from offchain.keeper.view import ContractView
from offchain.loop import assemble
from offchain.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")


def _one_line(command: Callable[P, R]) -> Callable[P, R]:
    """Turns every expected failure into one line and exit status 1."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (OffchainError, ArtifactError, ChainUnreachable) as error:
            click.echo(f"breakwater: {error}", err=True)
            sys.exit(1)

    return wrapped


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--journal", help="Path or postgresql:// address. [BREAKWATER_JOURNAL]")
@click.option("--rpc", "rpc_urls", help="Comma-separated. [BREAKWATER_RPC_URLS]")
@click.option("--deployment", type=click.Path(path_type=Path), help="File. [BREAKWATER_DEPLOYMENT]")
@click.pass_context
def main(context: click.Context, /, **overrides: Any) -> None:
    """Breakwater's orchestrator: follows the chain, journals, batches, harvests, can halt."""
    context.obj = overrides


def _settings(context: click.Context, **more: Any) -> Settings:
    return Settings.read(**context.obj, **more)


def _open(settings: Settings) -> Journal:
    return Journal.open(settings.journal, create=False)


def _verify(journal: Journal, settings: Settings, anchors: tuple[str, ...] = ()) -> Verification:
    known = FileAnchor(settings.anchors).read() if settings.anchors else []
    return verify(journal, known + [Checkpoint.parse(text) for text in anchors])


def _chain_anchors(journal: Journal, settings: Settings) -> list[Checkpoint]:
    quorum = Quorum.connect(settings.urls, settings.quorum, settings.rpc_timeout)
    try:
        chain_id = quorum.chain_id()
        deployment = Deployment.load(settings.deployment_file(chain_id), chain_id)
        addresses = {name: deployment.address(name) for name in deployment.contracts}
        block = quorum.block(quorum.head_number())
        if block is None or ANCHOR not in addresses:
            raise OffchainError(f"the deployment on chain {chain_id} has no {ANCHOR}")
        view = ContractView(quorum, block, addresses)
        anchors = on_chain(journal, view)
        if not anchors and (other := replaced(journal, view)) is not None:
            raise JournalError(f"the chain's anchors are of another journal: {other}")
        click.echo(f"{len(anchors)} anchors on chain")
        return anchors
    finally:
        quorum.close()


def _require_sound(journal: Journal, settings: Settings) -> None:
    result = _verify(journal, settings)
    if not result.sound:
        raise JournalError(f"HALTED: the journal does not verify: {result.findings[0]}")


def _say(line: str) -> None:
    click.echo(line, err=True)


@main.command()
@click.option("--dry-run", is_flag=True, help="Read and journal everything, send nothing.")
@click.option("--metrics-port", type=int, help="On 127.0.0.1; 0 is off.")
@click.option("--ticks", type=click.IntRange(min=1), help="Stop after so many turns.")
@click.pass_context
@_one_line
def run(context: click.Context, dry_run: bool, metrics_port: int | None, ticks: int | None) -> None:
    """Follow the chain and do what is due, until SIGINT or SIGTERM."""
    settings = _settings(context, metrics_port=metrics_port)
    orchestrator = assemble(settings, dry_run=dry_run, say=_say)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        orchestrator.run(stop, ticks)
    finally:
        orchestrator.close()


@main.command()
@click.pass_context
@_one_line
def status(context: click.Context) -> None:
    """What the orchestrator knows, from the journal; and whether the chain answers."""
    settings = _settings(context)
    with _open(settings) as journal:
        figures = summary.status(journal)
        quorum = Quorum.connect(settings.urls, settings.quorum, settings.rpc_timeout)
        try:
            figures["chain_head"] = quorum.head_number()
        except ChainUnreachable as error:
            figures["chain_head"] = f"unreachable ({error})"
        finally:
            quorum.close()
        figures["trust"] = quorum.describe()
        _require_sound(journal, settings)
    _table(figures)


@main.command()
@click.option("--reason", required=True)
@click.option("--by", default="operator", show_default=True)
@click.option("--reduce", is_flag=True, help="Only REDUCING: exits and reports go on.")
@click.pass_context
@_one_line
def halt(context: click.Context, reason: str, by: str, reduce: bool) -> None:
    """Stop sending at once; the running orchestrator asks the gate for THROTTLED."""
    if not reason.strip():
        raise OffchainError("halt needs a reason")
    with _open(_settings(context)) as journal:
        target = HaltState.REDUCING if reduce else HaltState.HALTED
        standing = HaltMachine(journal).tighten(target, by.strip(), reason.strip())
        click.echo(f"{standing.state.name} by {standing.by}: {standing.reason}")
        try:
            journal.lead()
        except JournalError:
            return
        _say("no orchestrator runs on this journal: the gate is asked when one starts")


@main.command()
@click.option("--by", required=True, help="Name of the person who decides.")
@click.option("--reason", required=True)
@click.pass_context
@_one_line
def resume(context: click.Context, by: str, reason: str) -> None:
    """Back to ACTIVE; only on a journal that verifies."""
    settings = _settings(context)
    with _open(settings) as journal:
        _require_sound(journal, settings)
        standing = HaltMachine(journal).resume(by, reason)
        click.echo(f"{standing.state.name} by {standing.by}: {standing.reason}")


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_context
@_one_line
def submit(context: click.Context, path: Path) -> None:
    """Take signed intents from a JSON file into the journal, all or none."""
    intents = load_intents(path)
    with _open(_settings(context)) as journal:
        for name in receive(journal, intents):
            click.echo(name)


@main.command()
@click.option("--events", is_flag=True, help="Print every event as a line of JSON.")
@click.option("--until", type=click.IntRange(min=1), help="Stop after this event.")
@click.pass_context
@_one_line
def replay(context: click.Context, events: bool, until: int | None) -> None:
    """Rebuild every state from the journal alone and print it."""
    with _open(_settings(context)) as journal:
        if events:
            for event in journal.events():
                if until is not None and event.seq > until:
                    break
                click.echo(json.dumps(summary.line(event), ensure_ascii=False))
        else:
            _table(summary.replay(journal, until))


@main.command("verify-journal")
@click.option("--anchor", "anchors", multiple=True, metavar="SIZE:ROOT", help="A checkpoint.")
@click.option("--chain", is_flag=True, help="Compare with the anchors on chain as well.")
@click.pass_context
@_one_line
def verify_journal(context: click.Context, anchors: tuple[str, ...], chain: bool) -> None:
    """Find any changed, dropped, reordered or inserted event, and truncation against anchors."""
    settings = _settings(context)
    with _open(settings) as journal:
        if chain:
            anchors += tuple(str(anchor) for anchor in _chain_anchors(journal, settings))
        result = _verify(journal, settings, anchors)
    if not result.sound:
        for finding in result.findings[:20]:
            click.echo(str(finding))
        raise JournalError(f"the journal does not verify: {len(result.findings)} findings")
    click.echo(f"sound: {result.size} events, checkpoint {result.size}:{result.root.hex()}")


@main.command()
@click.pass_context
@_one_line
def reconcile(context: click.Context) -> None:
    """Rebuild NAV, balances and positions from the journal and compare with the chain, in wei."""
    settings = _settings(context)
    with _open(settings) as journal:
        _require_sound(journal, settings)
        quorum = Quorum.connect(settings.urls, settings.quorum, settings.rpc_timeout)
        try:
            chain_id = quorum.chain_id()
            deployment = Deployment.load(settings.deployment_file(chain_id), chain_id)
            books = Books.build(deployment.address(ROUTER), live_events(journal))
            block = quorum.block(books.block) if books.block >= 0 else None
            if block is None:
                raise OffchainError("the journal holds no block that is on the chain")
            drifts = books.compare(ContractView(quorum, block, {}).read)
        finally:
            quorum.close()
    click.echo(
        f"block {books.block}: NAV {books.nav}, idle {books.idle}, {len(books.debts)} strategies, "
        f"{sum(1 for v in books.shares.values() if v)} holders, {books.events} events"
    )
    for drift in drifts:
        click.echo(str(drift))
    if drifts:
        raise OffchainError(f"{len(drifts)} figures drift from the chain")
    click.echo("no drift")


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="Write JSON here as well.")
@click.pass_context
@_one_line
def report(context: click.Context, out: Path | None) -> None:
    """Figures of everything so far: intents, batches, gas, transactions, reorgs, incidents."""
    with _open(_settings(context)) as journal:
        figures = summary.report(journal)
    _table(figures)
    if out is not None:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_text(json.dumps(figures, indent=2) + "\n")
        except OSError as error:
            raise OffchainError(f"report {out} cannot be written: {error.strerror}") from None


def _table(figures: dict[str, Any]) -> None:
    width = max(map(len, figures), default=0)
    for name, value in figures.items():
        shown = value
        if isinstance(value, collections.Counter | dict):
            shown = ", ".join(f"{key} {count}" for key, count in value.items()) or "none"
        click.echo(f"{name:<{width}}  {shown}")
