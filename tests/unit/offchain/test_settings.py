"""Settings that make no sense are refused with one line that names the variable, never the key."""

from __future__ import annotations

import socket
import urllib.request
from pathlib import Path

import pytest

from offchain.chain.sender import GWEI
from offchain.keeper.jobs import Position, Trigger
from offchain.metrics import Metrics, MetricsError
from offchain.settings import Settings, SettingsError

KEY = "0x" + "00" * 31 + "01"
ADDRESS = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"


def test_read__from_the_environment__typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BREAKWATER_RPC_URLS", "http://a:1, http://b:2,")
    monkeypatch.setenv("BREAKWATER_MAX_FEE_GWEI", "30")
    settings = Settings.read(tip_gwei=None, batch_size=7)
    assert settings.urls == ["http://a:1", "http://b:2"]
    assert settings.send_policy().max_fee == 30 * GWEI
    assert settings.send_policy().brake_max_fee == 150 * GWEI
    assert settings.batch_limits().size == 7
    assert settings.deployment_file(5) == Path("deployments/5.json")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RPC_URLS", " , ", "names no node"),
        ("RPC_URLS", "http://a,http://a", "twice"),
        ("QUORUM", "2", "impossible"),
        ("QUORUM", "0", "BREAKWATER_QUORUM"),
        ("METRICS_PORT", "70000", "BREAKWATER_METRICS_PORT"),
        ("MAX_FEE_GWEI", "much", "BREAKWATER_MAX_FEE_GWEI"),
        ("FINALITY", "1", "finality"),
        ("BATCH_SIZE", "1000", "BREAKWATER_BATCH_SIZE"),
        ("BRAKE_MAX_FEE_GWEI", "199", "brake_max_fee_gwei must not be below"),
        ("MAX_GAS", "7999999", "batch_gas must not be above"),
    ],
)
def test_read__makes_no_sense__one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"BREAKWATER_{name}", value)
    with pytest.raises(SettingsError, match=says) as caught:
        Settings.read()
    assert "\n" not in str(caught.value)


def test_signer__key_or_file__and_never_printed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(KEY + "\n")
    by_key, by_file = Settings.read(keeper_key=KEY), Settings.read(keeper_key_file=path)
    for settings in (by_key, by_file):
        signer = settings.signer("keeper")
        assert signer is not None
        assert signer.address == ADDRESS
        assert KEY not in repr(settings)
    assert by_key.signer("sentinel") is None
    with pytest.raises(SettingsError, match="not both"):
        Settings.read(keeper_key=KEY, keeper_key_file=path)
    path.write_text("0x1234secret")
    with pytest.raises(SettingsError, match="is not a private key") as caught:
        by_file.signer("keeper")
    assert "1234" not in str(caught.value)
    path.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        by_file.signer("keeper")


def test_metrics__port__served_on_localhost_and_refused_when_taken() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    metrics = Metrics(port)
    try:
        metrics.set(head_block=12)
        metrics.count(blocks=3)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        assert "breakwater_head_block 12.0" in text
        assert "breakwater_blocks_total 3.0" in text
        with pytest.raises(MetricsError, match=f"metrics port {port} cannot be used"):
            Metrics(port)
    finally:
        metrics.close()
    assert Metrics(0).read()["breakwater_head_block"] == 0


@pytest.mark.parametrize(
    ("debt", "worth", "age", "review", "fires"),
    [
        (0, 0, 10**6, False, False),
        (10_000, 10_009, 0, False, False),
        (10_000, 10_010, 0, False, True),
        (100_000, 99_991, 0, False, False),
        (100_000, 99_990, 0, False, True),
        (10_000, 10_000, 99, False, False),
        (10_000, 10_000, 100, False, True),
        (10_000, 5_000, 100, True, False),
        (0, 5, 0, False, False),
    ],
)
def test_trigger__gain_loss_or_age__fires(
    debt: int, worth: int, age: int, review: bool, fires: bool
) -> None:
    trigger = Trigger(max_age=100, min_gain_bps=10, min_loss_bps=1)
    position = Position("0x", debt, worth, 1_000, review)
    assert trigger.fires(position, 1_000 + age) is fires
