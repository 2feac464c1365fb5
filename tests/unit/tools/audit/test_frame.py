"""The runner hears every gate, joins their figures, and never takes a crash for a pass."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.audit import dossier, registry, runner
from tools.audit.gate import Budget, Finding, GateError, GateResult

SILENT = Budget(say=lambda _line: None)


def gate(result: GateResult | Exception) -> SimpleNamespace:
    def run(_budget: Budget) -> GateResult:
        if isinstance(result, Exception):
            raise result
        return result

    return SimpleNamespace(TITLE="A <gate>", PROVES="one", DOES_NOT="two", run=run)


@pytest.fixture
def gates(monkeypatch: pytest.MonkeyPatch) -> dict[str, SimpleNamespace]:
    found: dict[str, SimpleNamespace] = {}
    monkeypatch.setattr(registry, "load", found.__getitem__)
    return found


def test_run__one_gate_crashes__the_next_is_still_heard(gates: dict[str, SimpleNamespace]) -> None:
    gates["a"] = gate(GateError("the tool is missing"))
    gates["b"] = gate(GateResult({"b_open": 0}, {"b_open": True}))
    outcomes = runner.run(["a", "b"], SILENT)
    figures, promises = runner.figures(outcomes)
    assert (figures["gate_a"], figures["gate_b"], figures["b_open"]) == ("failed", "passed", 0)
    assert promises == {"b_open": True, "gate_a": False, "gate_b": True}
    assert outcomes[0].result.failures == ("no answer: the tool is missing",)


@pytest.mark.parametrize(
    "result",
    [GateResult({"x": 1}, {"x": False}), GateResult({"x": 1}, {"x": True}, ("a reason",))],
)
def test_result__broken_promise_or_failure__is_red(result: GateResult) -> None:
    assert not result.passed


def test_result__promise_without_a_figure__refused() -> None:
    with pytest.raises(ValueError, match="without a figure: y"):
        GateResult({"x": 1}, {"y": True})


def test_registry__unknown_gate__says_which_are_known() -> None:
    with pytest.raises(KeyError, match="slither"):
        registry.load("nothing")


def test_registry__every_gate__has_the_shape_of_one() -> None:
    for name in registry.NAMES:
        module = registry.load(name)
        assert module.TITLE and module.PROVES and module.DOES_NOT and callable(module.run)


def test_dossier__markup_in_a_finding__is_escaped(
    gates: dict[str, SimpleNamespace], tmp_path: Path
) -> None:
    findings = (Finding("Vault.sol:1", "<b>bold</b>"), Finding("Vault.sol:2", "x", "a & b"))
    gates["a"] = gate(GateResult({"open": 1}, {"open": False}, ("<i>why</i>",), findings))
    outcomes = runner.run(["a"], SILENT)
    figures, promises = runner.figures(outcomes)
    page = dossier.write(outcomes, {**figures, "budget": "ci"}, promises, tmp_path)
    html = page.read_text()
    assert "&lt;b&gt;bold&lt;/b&gt;" in html and "<i>" not in html and "a &amp; b" in html
    assert "src=" not in html and "http" not in html
    text = (tmp_path / "README.md").read_text()
    assert "A <gate>: FAILED" in text and "`Vault.sol:2` x: a & b" in text
