"""The local world with its orchestrator, kept running until somebody stops it."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from scripts._demo.day import open_orchestrator, open_world
from tests.support.anvil import Anvil, AnvilOptions

ROOT = Path(__file__).resolve().parents[2]
JOURNAL = ROOT / "run"
DEPLOYMENTS = ROOT / "deployments"
BLOCK_SECONDS = 2


def stay(act: Callable[[str], None], say: Callable[[str], None], port: int) -> None:
    """Builds the world on a chain that mines every two seconds, and runs the orchestrator on it.

    Raises:
        AnvilError: if the port is in use; nothing was written then.
    """
    stop = threading.Event()
    with Anvil(AnvilOptions(port=port)) as anvil:
        folder = JOURNAL / "up"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        act("A world of real peers, and a suite on top")
        world = open_world(anvil, folder, say)
        DEPLOYMENTS.mkdir(exist_ok=True)
        record = DEPLOYMENTS / f"{world.client.chain_id}.json"
        world.deployment.save(record)
        orchestrator = open_orchestrator(anvil, world, folder, say)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        try:
            anvil.rpc("evm_setIntervalMining", BLOCK_SECONDS)
            act(f"The chain answers at {anvil.url}; Ctrl-C ends it")
            say(f"contracts by name: {record.relative_to(ROOT)}")
            orchestrator.run(stop)
        finally:
            orchestrator.close()
            record.unlink(missing_ok=True)
    act("stopped")
