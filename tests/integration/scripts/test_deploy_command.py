"""The commands as a person runs them, in processes of their own, against a local chain."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from offchain.artifacts import ROOT
from tests.support import build
from tests.support.anvil import Anvil

LOCAL = ("--network", "ethereum:local:foundry")
APE = str(ROOT / ".venv" / "bin" / "ape")


def _environment(url: str) -> dict[str, str]:
    return {**build.environment(), "APE_FOUNDRY_HOST": url, "COLUMNS": "200"}


def run(url: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [APE, "run", *words],
        cwd=ROOT,
        env=_environment(url),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.strip()]


@pytest.fixture
def own_chain() -> Iterator[Anvil]:
    with Anvil() as anvil:
        yield anvil


def test_deploy__local_chain__works_once_and_verifies(own_chain: Anvil, tmp_path: Path) -> None:
    url, folder = own_chain.url, str(tmp_path)
    first = run(url, "deploy", *LOCAL, "--deployments", folder)
    assert first.returncode == 0, first.stderr
    assert "deployed: " in first.stdout
    blocks = own_chain.web3.eth.block_number
    second = run(url, "deploy", *LOCAL, "--deployments", folder)
    assert second.returncode == 0, second.stderr
    assert "already deployed: " in second.stdout
    assert own_chain.web3.eth.block_number == blocks

    verified = run(url, "verify", *LOCAL, "--deployments", folder)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    own_chain.rpc("anvil_setCode", own_chain.signer(0).address, "0x")
    (tmp_path / "31337.json").write_text("{}")
    broken = run(url, "verify", *LOCAL, "--deployments", folder)
    assert broken.returncode == 1
    assert "is damaged at" in errors(broken)[-1]


def test_deploy__chain_dies_in_the_middle__one_line_and_only_a_draft(
    own_chain: Anvil, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [APE, "run", "deploy", *LOCAL, "--deployments", str(tmp_path)],
        cwd=ROOT,
        env=_environment(own_chain.url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "CircuitBreaker at" in line:
                own_chain.stop()
                break
        _out, said = process.communicate(timeout=120)
    lines = [line for line in said.splitlines() if line.strip()]
    assert process.returncode == 1
    assert len(lines) == 1, said
    assert lines[0].startswith("deploy: ")
    assert not (tmp_path / "31337.json").exists()
    assert (tmp_path / "31337.draft.json").exists()


def test_deploy__unknown_network__is_refused(own_chain: Anvil, tmp_path: Path) -> None:
    done = run(
        own_chain.url, "deploy", "--network", "ethereum:atlantis", "--deployments", str(tmp_path)
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "atlantis" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--parameters", "nowhere.toml"), "pass --account ALIAS"),
        (("--parameters", "nowhere.toml", "--account", "nobody"), "no account named nobody"),
        (("--parameters", "nowhere.toml", "--account", "TEST::0"), "nowhere.toml does not exist"),
    ],
)
def test_deploy__wrong_options__one_line(
    own_chain: Anvil, tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    done = run(own_chain.url, "deploy", *LOCAL, "--deployments", str(tmp_path), *words)
    assert done.returncode == 1
    (line,) = errors(done)
    assert reason in line
    assert list(tmp_path.iterdir()) == []
