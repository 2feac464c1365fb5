"""Starts and stops local anvil chains for tests, demo and benches; never used against a real one.

Every chain is a child process on a port of its own and dies with the process that started it.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from web3.types import RPCEndpoint

from offchain.chain.client import KeySigner
from offchain.chain.transport import ChainUnreachable, connect

ROOT = Path(__file__).resolve().parents[2]
BINARY = ROOT / ".tools" / "bin" / "anvil"
MNEMONIC = "test test test test test test test test test test test junk"
LISTENING = "Listening on "
START_TIMEOUT = 30.0


class AnvilError(RuntimeError):
    """The local chain could not be started or did not obey; one line."""


@dataclass(frozen=True)
class AnvilOptions:
    """How to run the chain.

    Attributes:
        hardfork: EVM rules; `cancun` for peers that need transient storage.
        chain_id: chain id.
        port: 0 lets the system choose.
        block_time: seconds per block; None mines every transaction at once.
        automine: False (with no block time) mines only on demand.
        accounts: how many funded accounts the mnemonic gives.
        balance_ether: their balance.
        gas_limit: of a block.
        timestamp: of the genesis block; None is now.
    """

    hardfork: str = "shanghai"
    chain_id: int = 31337
    port: int = 0
    block_time: float | None = None
    automine: bool = True
    accounts: int = 20
    balance_ether: int = 1_000_000
    gas_limit: int = 30_000_000
    timestamp: int | None = None

    def arguments(self) -> list[str]:
        """The command line of the chain."""
        words = ["--host", "127.0.0.1", "--port", str(self.port), "--hardfork", self.hardfork]
        words += ["--chain-id", str(self.chain_id), "--mnemonic", MNEMONIC, "--color", "never"]
        words += ["--accounts", str(self.accounts), "--balance", str(self.balance_ether)]
        words += ["--gas-limit", str(self.gas_limit), "--order", "fifo", "--no-cors"]
        if self.block_time is not None:
            words += ["--block-time", f"{self.block_time:g}"]
        elif not self.automine:
            words += ["--no-mining"]
        if self.timestamp is not None:
            words += ["--timestamp", str(self.timestamp)]
        return words


class Anvil:
    """One running chain; use it as a context manager.

    Args:
        options: how to run it.
        binary: the anvil executable.

    Raises:
        AnvilError: if the executable is missing, the port is taken, or it does not come up.
    """

    def __init__(self, options: AnvilOptions | None = None, binary: Path = BINARY) -> None:
        self.options = options or AnvilOptions()
        if not binary.exists():
            raise AnvilError(f"no anvil at {binary}: run the set-up first (make does)")
        with tempfile.TemporaryFile() as log:
            self._process = self._spawn(binary, log)
            self._watch = self._spawn_watch()
            atexit.register(self.stop)
            try:
                self.url = self._wait_until_listening(log)
                self.web3 = connect(self.url)
                self.rpc("anvil_setLoggingEnabled", False)
            except (AnvilError, ChainUnreachable):
                self.stop()
                raise

    def __enter__(self) -> Anvil:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the child still lives."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Ends the child; safe to call again."""
        atexit.unregister(self.stop)
        # NOTE: first the watch, which knows the chain by a number that is given away once it ended.
        self._watch.kill()
        self._watch.communicate()
        if self.running:
            self._process.kill()
        self._process.wait()

    def signer(self, index: int) -> KeySigner:
        """The funded account at an index of the test mnemonic."""
        return KeySigner.from_mnemonic(MNEMONIC, index)

    def rpc(self, method: str, *params: Any) -> Any:
        """Calls a method that only this node knows.

        Raises:
            AnvilError: if the node refuses it.
        """
        response = self.web3.provider.make_request(RPCEndpoint(method), list(params))
        if "error" in response:
            raise AnvilError(f"{method}: {response['error']}")
        return response.get("result")

    def snapshot(self) -> str:
        """Remembers the whole state; the id serves one `revert`."""
        return str(self.rpc("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Goes back to a snapshot.

        Raises:
            AnvilError: if it is unknown or already used.
        """
        # NOTE: a receipt can be read before its transaction leaves the pool. Set back meanwhile,
        # the pool would count its nonce as used, and what is sent next would wait for ever.
        self.settle()
        if not self.rpc("evm_revert", snapshot):
            raise AnvilError(f"no snapshot {snapshot}")

    def settle(self) -> None:
        """Waits until every mined transaction has left the pool.

        Raises:
            AnvilError: if one stays.
        """
        deadline = time.monotonic() + START_TIMEOUT
        while any(self.rpc("eth_getTransactionReceipt", one) for one in self._pooled()):
            if time.monotonic() > deadline:
                raise AnvilError(f"mined transactions stay in the pool for {START_TIMEOUT:g} s")
            time.sleep(0.001)

    def mine(self, blocks: int = 1, seconds_apart: int = 1) -> None:
        """Mines blocks whose timestamps lie `seconds_apart` apart."""
        self.rpc("anvil_mine", hex(blocks), hex(seconds_apart))

    def advance(self, seconds: int) -> None:
        """Mines one block `seconds` after the latest one."""
        self.set_next_timestamp(self.timestamp() + seconds)
        self.rpc("evm_mine")

    def timestamp(self) -> int:
        """Timestamp of the latest block."""
        return int(self.web3.eth.get_block("latest")["timestamp"])

    def set_next_timestamp(self, timestamp: int) -> None:
        """Fixes the timestamp of the next block."""
        self.rpc("evm_setNextBlockTimestamp", timestamp)

    def set_automine(self, on: bool) -> None:
        """Mines at once, or only on `mine`."""
        self.rpc("evm_setAutomine", on)

    def set_balance(self, address: str, wei: int) -> None:
        """Sets an account's ether."""
        self.rpc("anvil_setBalance", address, hex(wei))

    def send(
        self, sender: str, to: str | None, data: bytes, value: int = 0, gas: int = 30_000_000
    ) -> dict[str, Any]:
        """Sends from any account without its key and returns the raw receipt, whatever its status.

        Raises:
            AnvilError: if the node refuses it or does not mine it.
        """
        self.rpc("anvil_impersonateAccount", sender)
        transaction = {"from": sender, "data": "0x" + data.hex(), "value": hex(value)}
        transaction |= {"gas": hex(gas)} | ({"to": to} if to else {})
        tx_hash = self.rpc("eth_sendTransaction", transaction)
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", tx_hash)
            if receipt:
                return receipt
            time.sleep(0.002)
        raise AnvilError(f"{tx_hash} was not mined in {START_TIMEOUT:g} s")

    def _pooled(self) -> list[str]:
        content = self.rpc("txpool_content")
        return [
            transaction["hash"]
            for part in content.values()
            for sent in part.values()
            for transaction in sent.values()
        ]

    def _spawn(self, binary: Path, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(binary), *self.options.arguments()],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C is for the owner, who still needs the chain to end well.
            start_new_session=True,
        )

    def _spawn_watch(self) -> subprocess.Popen[bytes]:
        # NOTE: whatever ends the owner closes the pipe; no signal handler would see a SIGKILL.
        return subprocess.Popen(
            ["sh", "-c", 'read -r _; kill -9 "$1"', "watch", str(self._process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def _wait_until_listening(self, log: IO[bytes]) -> str:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            # NOTE: read by position; the child shares the file's offset and writes at it.
            text = os.pread(log.fileno(), 1 << 16, 0).decode(errors="replace")
            for line in text.splitlines():
                if line.startswith(LISTENING):
                    return "http://" + line.removeprefix(LISTENING).strip()
            if not self.running:
                raise AnvilError(self._why_it_died(text))
            time.sleep(0.01)
        raise AnvilError(f"anvil did not come up in {START_TIMEOUT:g} s")

    def _why_it_died(self, text: str) -> str:
        if "in use" in text.lower():
            return f"port {self.options.port} is in use"
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines[-1:]
        return f"anvil ended with status {self._process.returncode}: {' '.join(errors[:1])}"
