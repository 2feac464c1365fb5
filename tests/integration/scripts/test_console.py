"""`ape console`: a world of its own, one attached to, every command of docs/console.md."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain import artifacts
from offchain.artifacts import ROOT
from offchain.chain.client import ChainClient
from scripts._console.abis import peer_abi
from scripts._console.names import Names
from scripts._console.opening import find_or_build
from scripts._deployment.errors import DeployError
from scripts._local.world import build_world
from tests.support import build
from tests.support.anvil import Anvil, AnvilOptions

PAGE = ROOT / "docs" / "console.md"
APE = str(ROOT / ".venv" / "bin" / "ape")


def page_commands() -> list[str]:
    """What the page's ten items tell a reader to type, in order."""
    text = PAGE.read_text()
    blocks = re.findall(r"```python\n(.*?)```", text[text.index("\n1. ") :], re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def console(url: str, commands: list[str]) -> str:
    done = subprocess.run(
        [APE, "console", "--network", "ethereum:local:foundry"],
        cwd=ROOT,
        env={**build.environment(), "APE_FOUNDRY_HOST": url, "COLUMNS": "200"},
        input="\n".join(commands) + "\n",
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def own_chain() -> Iterator[Anvil]:
    with Anvil() as anvil:
        yield anvil


def test_console__every_command_of_the_page__works_and_the_next_session_attaches(
    own_chain: Anvil,
) -> None:
    commands = page_commands()
    assert len(commands) >= 15
    said = console(own_chain.url, [*commands, "'the end of', 'the page'"])
    assert "('the end of', 'the page')" in said
    assert "ERROR" not in said, said
    assert "Traceback" not in said, said
    assert "an empty local chain" in said
    assert "StrategyReported" in said

    blocks = own_chain.web3.eth.block_number
    again = console(own_chain.url, ["len(suite), len(peers), len(safes), len(by_role)"])
    assert "attached to the suite of run/console/31337.json" in again
    assert re.search(r"\(26, \d\d, 2, 19\)", again), again
    assert own_chain.web3.eth.block_number == blocks


def test_find_or_build__deployment_of_this_chain__is_attached_to(
    own_chain: Anvil, tmp_path: Path
) -> None:
    client = ChainClient(own_chain.web3, artifacts.index())
    world = build_world(client, tmp_path / "31337.json", lambda _: None)
    assert find_or_build(client, tmp_path, tmp_path / "own") == world.deployment
    assert not (tmp_path / "own").exists()


def test_find_or_build__chain_that_is_not_local__is_never_built_on(tmp_path: Path) -> None:
    with Anvil(AnvilOptions(chain_id=5_000)) as anvil:
        client = ChainClient(anvil.web3, artifacts.index())
        with pytest.raises(Exception, match=r"5000\.json does not exist"):
            find_or_build(client, tmp_path, tmp_path / "own")
        assert client.web3.eth.block_number == 0
        assert list(tmp_path.iterdir()) == []


def test_find_or_build__file_of_another_chain_with_the_same_id__is_refused(
    own_chain: Anvil, tmp_path: Path
) -> None:
    client = ChainClient(own_chain.web3, artifacts.index())
    world = build_world(client, tmp_path / "31337.json", lambda _: None)
    with Anvil(AnvilOptions(chain_id=5_000)) as anvil:
        other = world.deployment.model_copy(update={"chain_id": 5_000})
        other.save(tmp_path / "5000.json")
        client = ChainClient(anvil.web3, artifacts.index())
        with pytest.raises(DeployError, match="does not describe this chain"):
            find_or_build(client, tmp_path, tmp_path / "own")


def test_peer_abi__every_peer_of_a_local_world__has_what_it_is_used_for(
    own_chain: Anvil, tmp_path: Path
) -> None:
    client = ChainClient(own_chain.web3, artifacts.index())
    world = build_world(client, tmp_path / "31337.json", lambda _: None)
    used_for = {
        "USDC": "mint",
        "WETH": "deposit",
        "AavePool": "supply",
        "AaveTokenUSDC": "scaledBalanceOf",
        "AavePoolAddressesProvider": "getPool",
        "UniswapV2PairUsdcWeth": "getReserves",
        "UniswapV3PoolUsdcWeth": "slot0",
        "UniswapV3Quoter": "quoteExactInputSingle",
        "FeedUSDC1": "latestRoundData",
        "CreditVault": "convertToAssets",
        "SafeMultiSendCallOnly": "multiSend",
    }
    assert used_for.keys() <= world.deployment.external.keys()
    for name, function in used_for.items():
        named = {e["name"] for e in peer_abi(name, local=True) if e["type"] == "function"}
        assert function in named, name
    elsewhere = {e["name"] for e in peer_abi("USDC", local=False) if e["type"] == "function"}
    assert "mint" in elsewhere
    assert "transfer" in elsewhere


def test_names__unknown_name__says_what_has_none() -> None:
    names = Names("suite", {"Router": 1})
    assert (names.Router, names["Router"], list(names)) == (1, 1, ["Router"])
    with pytest.raises(AttributeError, match="suite has no Vault"):
        _ = names.Vault
