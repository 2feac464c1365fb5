"""Starts a private anvil on a free port and speaks JSON-RPC to it; never one that others use."""

from __future__ import annotations

import itertools
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any, cast

import httpx

from offchain.artifacts import ROOT

LISTENING = re.compile(r"Listening on (127\.0\.0\.1:\d+)")
START_SECONDS = 60
MINE_SECONDS = 60


class AnvilError(Exception):
    """anvil did not start, or answered a request with an error."""


class Anvil:
    """A running local chain.

    Attributes:
        url: its JSON-RPC endpoint.
        process: to end it early, for tests of a chain that dies.
    """

    def __init__(self, url: str, process: subprocess.Popen[str]) -> None:
        self.url = url
        self.process = process
        self._client = httpx.Client(timeout=60)
        self._ids = itertools.count(1)

    def rpc(self, method: str, *params: Any) -> Any:
        """One request.

        Raises:
            AnvilError: the node answered with an error.
        """
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = self._client.post(self.url, json=request).json()
        if "error" in answer:
            raise AnvilError(f"{method}: {answer['error'].get('message', answer['error'])}")
        return answer["result"]

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int = 30_000_000
    ) -> dict[str, Any]:
        """Sends from any account, mines, and returns the receipt, whatever its status."""
        self.rpc("anvil_impersonateAccount", sender)
        transaction = {"from": sender, "data": "0x" + data.hex(), "value": hex(value)}
        transaction |= {"gas": hex(gas)} | ({"to": to} if to else {})
        transaction_hash = self.rpc("eth_sendTransaction", transaction)
        deadline = time.monotonic() + MINE_SECONDS
        while (receipt := self.rpc("eth_getTransactionReceipt", transaction_hash)) is None:
            if time.monotonic() > deadline:
                raise AnvilError(f"{transaction_hash} was not mined within {MINE_SECONDS} s")
            time.sleep(0.005)
        return cast("dict[str, Any]", receipt)

    def close(self) -> None:
        self._client.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(arguments: Sequence[str] = ()) -> Anvil:
    """Starts anvil on a free port and waits until it listens.

    Raises:
        AnvilError: it ended or stayed silent.
    """
    command = [str(ROOT / ".tools" / "bin" / "anvil"), "--port", "0", "--hardfork", "shanghai"]
    process = subprocess.Popen(
        [*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines: Queue[str] = Queue()

    def read() -> None:
        # Read on for ever: a full pipe would stop the chain.
        for line in process.stdout or ():
            lines.put(line)
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    seen = []
    try:
        while line := lines.get(timeout=START_SECONDS):
            seen.append(line)
            if found := LISTENING.search(line):
                return Anvil(f"http://{found[1]}", process)
    except Empty:
        pass
    process.kill()
    process.wait()
    raise AnvilError(f"anvil did not start: {''.join(seen[-3:]).strip() or 'no output'}")


@contextmanager
def anvil(arguments: Sequence[str] = ()) -> Iterator[Anvil]:
    """A chain for the length of the block."""
    chain = start(arguments)
    try:
        yield chain
    finally:
        chain.close()
