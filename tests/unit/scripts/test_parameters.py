"""The parameter file: the example is whole, and a wrong one is named by its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts._deployment.errors import DeployError
from scripts._deployment.parameters import Parameters
from scripts._safe.abi import MULTI_SEND_CALL_ONLY

EXAMPLE = Path(__file__).resolve().parents[3] / "deployments" / "example.toml"
PAGE = EXAMPLE.parents[1] / "docs" / "deployment.md"


def test_load__example__is_complete_and_has_the_usual_multisend() -> None:
    parameters = Parameters.load(EXAMPLE)
    assert parameters.safes.multi_send == MULTI_SEND_CALL_ONLY
    assert len(parameters.assets) == 2
    bounds = [(f.min_answer, f.max_answer) for f in parameters.assets[0].feeds]
    assert bounds == [(10**6, 10**11), (0, 10**24), (0, 10**24)]


SALE = """token = "0x1000000000000000000000000000000000000003"
fee_pips = 500
max_slippage_bps = 100
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("chain_id = 11155111", "chain_id = '11155111'", "wrong at chain_id"),
        ("governance_threshold = 3", "governance_threshold = 6", "threshold exceeds its owners"),
        ("guardian_threshold = 2", "guardian_threshold = 1", "wrong at safes.guardian_threshold"),
        ("max_loss_bps = 100", "max_loss_bps = 10_001", "wrong at limits.max_loss_bps"),
        ("exit_window = 86_400", "", "wrong at limits.exit_window"),
        ("exit_window = 86_400", "exit_window = 0.5", "wrong at limits.exit_window"),
        ("min_answer = 1_000_000", "min_answer = -1", "wrong at assets.0.feeds.0.min_answer"),
        ("min_answer = 1_000_000", "min_answer = 100_000_000_000", "is not below max_answer"),
        ('asset = "0x1', 'asset = "0x', "wrong at asset"),
        ('["0x3000000000000000000000000000000000000006"]', "[]", "there is no KYC provider"),
        ("coins = 3", "coins = 4", "wrong at curve.coins"),
        ("[[sales]]", "[[sales]]\n" + SALE + "[[sales]]", "two ways to be sold"),
    ],
)
def test_load__wrong_field__is_named_in_one_line(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    text = EXAMPLE.read_text()
    assert old in text
    file = tmp_path / "wrong.toml"
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(DeployError, match=words) as refusal:
        Parameters.load(file)
    assert "\n" not in str(refusal.value)


def test_page__every_table_and_field_of_the_strategies__is_explained() -> None:
    text = PAGE.read_text()
    example = Parameters.load(EXAMPLE)
    for name in example.model_dump():
        assert f"`{name}" in text, name
    for table in (example.compound, example.curve, example.uniswap_v3, example.guarded_pool):
        assert table is not None
        for field in table.model_dump():
            assert f"`{field}`" in text, field


def test_page__every_field_of_the_limits__is_explained() -> None:
    text = PAGE.read_text()
    for field in Parameters.load(EXAMPLE).limits.model_dump():
        assert f"`{field}`" in text or f"`limits.{field}`" in text, field
