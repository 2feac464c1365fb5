"""The real engine on a planted defect: found, found again, and the gate is red for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tools.audit.gates import mythril
from tools.audit.mythril import analysis, targets
from tools.audit.mythril.analysis import Analysis, Settings
from tools.audit.mythril.triage import Entry

CI = Settings()
REASON = "planted on purpose, in this test alone"


def examined(cache: Path, settings: Settings = CI) -> tuple[Analysis, list[str]]:
    said: list[str] = []
    canary = next(t for t in targets.canaries() if t.name == "DestructionCanary")
    return analysis.analyse([canary], settings, 1, said.append, cache)[0], said


def test_mythril__unprotected_selfdestruct__found_kept_and_red(tmp_path: Path) -> None:
    found, said = examined(tmp_path)
    assert found.complete and found.constructed and not found.exhausted
    assert [(i.function, i.swc) for i in found.issues] == [("close()", "106")]
    assert examined(tmp_path)[0] == found
    assert len(said) == 1, "the second answer comes from the cache"
    result = mythril.judge([], [found], [], [])
    assert any(f.startswith("DestructionCanary.close(): SWC-106") for f in result.failures)
    entry = Entry("DestructionCanary", "close()", "106", found.target.digest, REASON)
    for judged, still_open in [(entry, 0), (replace(entry, code="0" * 16), 1)]:
        figures = mythril.judge([], [found], [], [judged]).figures
        assert figures["mythril_untriaged"] == figures["mythril_stale"] == still_open


def test_mythril__contract_needs_more_time_than_it_may__failure_that_is_not_kept(
    tmp_path: Path,
) -> None:
    found, _ = examined(tmp_path, Settings(seconds=0))
    assert not found.complete and "not done after 0 s" in found.failure
    assert not list(tmp_path.iterdir())
    assert mythril.judge([], [found], [], []).figures["mythril_not_analysed"] == 1
