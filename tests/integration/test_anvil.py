"""The local chain: its own port, the rules asked for, and gone when its owner is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from offchain.chain.transport import ChainUnreachable, connect
from tests.support.anvil import ROOT, Anvil, AnvilError, AnvilOptions

TLOAD = "0x5f5c00"  # PUSH0 TLOAD STOP, run as creation code


def is_alive(pid: int) -> bool:
    shown = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return bool(shown.stdout.strip()) and not shown.stdout.startswith("Z")


def wait_until_dead(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(pid)


def test_start__two_at_once__have_ports_of_their_own() -> None:
    with Anvil(AnvilOptions(chain_id=5)) as first, Anvil(AnvilOptions(chain_id=6)) as second:
        assert first.url != second.url
        assert first.web3.eth.chain_id == 5
        assert second.web3.eth.chain_id == 6


def test_start__port_in_use__says_so_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AnvilError) as caught:
            Anvil(AnvilOptions(port=port))
    assert str(caught.value) == f"port {port} is in use"


def test_start__no_binary__says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(AnvilError, match="run the set-up first"):
        Anvil(binary=tmp_path / "anvil")


def test_start__unknown_hardfork__ends_with_its_words() -> None:
    with pytest.raises(AnvilError) as caught:
        Anvil(AnvilOptions(hardfork="atlantis"))
    assert "atlantis" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("hardfork", "knows"), [("shanghai", False), ("cancun", True)])
def test_hardfork__transient_storage__only_from_cancun(hardfork: str, knows: bool) -> None:
    with Anvil(AnvilOptions(hardfork=hardfork)) as chain:
        if knows:
            chain.rpc("eth_call", {"data": TLOAD}, "latest")
            return
        with pytest.raises(AnvilError):
            chain.rpc("eth_call", {"data": TLOAD}, "latest")


def test_stop__after_the_block__nothing_is_left() -> None:
    with Anvil() as chain:
        pid, url = chain.pid, chain.url
        assert is_alive(pid)
    assert not is_alive(pid)
    with pytest.raises(ChainUnreachable):
        connect(url)
    chain.stop()


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_stop__owner_is_killed__the_chain_dies_too(ending: signal.Signals) -> None:
    program = (
        "import time\n"
        "from tests.support.anvil import Anvil\n"
        "chain = Anvil()\n"
        "print(chain.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    assert is_alive(pid)
    owner.send_signal(ending)
    owner.wait(20)
    owner.stdout.close()
    assert wait_until_dead(pid)


def test_snapshot__revert__restores_balances_and_time(chain: Anvil) -> None:
    account = chain.signer(9).address
    before = chain.web3.eth.get_balance(account)
    blocks, clock = chain.web3.eth.block_number, chain.timestamp()
    snapshot = chain.snapshot()
    chain.set_balance(account, 1)
    chain.advance(86_400)
    assert chain.timestamp() == clock + 86_400
    chain.revert(snapshot)
    assert chain.web3.eth.get_balance(account) == before
    assert (chain.web3.eth.block_number, chain.timestamp()) == (blocks, clock)
    with pytest.raises(AnvilError):
        chain.revert(snapshot)


def test_revert__mined_transaction_still_in_the_pool__waits_until_it_left(
    chain: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = chain.signer(9).address
    snapshot = chain.snapshot()
    receipt = chain.send(account, account, b"", value=1)
    mined = {"pending": {account: {"0": {"hash": receipt["transactionHash"]}}}, "queued": {}}
    pool = [{"pending": {}, "queued": {}}, mined, mined, mined]
    asked: list[str] = []
    rpc = chain.rpc

    def slow_to_prune(method: str, *params: Any) -> Any:
        asked.append(method)
        return pool.pop() if method == "txpool_content" else rpc(method, *params)

    monkeypatch.setattr(chain, "rpc", slow_to_prune)
    chain.revert(snapshot)
    assert not pool
    assert asked.index("evm_revert") > max(i for i, m in enumerate(asked) if m == "txpool_content")


def test_revert__transaction_waits_for_a_block__is_not_waited_for(chain: Anvil) -> None:
    account = chain.signer(9).address
    snapshot = chain.snapshot()
    chain.set_automine(False)
    chain.rpc("anvil_impersonateAccount", account)
    chain.rpc("eth_sendTransaction", {"from": account, "to": account, "gas": "0x5208"})
    chain.revert(snapshot)
    chain.rpc("anvil_dropAllTransactions")
    chain.set_automine(True)


def test_mine__several_blocks__lie_as_far_apart_as_asked(chain: Anvil) -> None:
    number, clock = chain.web3.eth.block_number, chain.timestamp()
    chain.mine(5, seconds_apart=12)
    assert chain.web3.eth.block_number == number + 5
    assert chain.timestamp() - clock >= 4 * 12


def test_block_time__set__blocks_come_without_transactions() -> None:
    with Anvil(AnvilOptions(block_time=1)) as chain:
        deadline = time.monotonic() + 20
        while chain.web3.eth.block_number < 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert chain.web3.eth.block_number >= 1
