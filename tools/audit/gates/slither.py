"""Gate: Slither on production Solidity; medium and above fail unless the source says why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.audit.gate import Budget, Finding, GateError, GateResult
from tools.audit.slither import exceptions
from tools.audit.sources import ROOT, production_solidity

TITLE = "Static analysis of all production Solidity (Slither)"
PROVES = (
    "No detector of medium or high impact reports anything that the source does not answer for on"
    " the spot. Every exception has a reason on the line above and still silences a finding."
)
DOES_NOT = (
    "Slither 0.11 cannot parse Vyper 0.4: EmergencyGate is covered by Mythril, proofs and tests."
    " Test contracts are left out. Findings of low impact are counted and in the SARIF file."
)
SARIF = ROOT / "reports" / "slither.sarif"
SERIOUS = ("High", "Medium")
LIMIT_SECONDS = 900


def run(budget: Budget) -> GateResult:
    """Analyses the repository."""
    budget.say("  slither: every detector over one compilation of all sources")
    return examine(ROOT, SARIF)


def examine(root: Path, sarif: Path) -> GateResult:
    """Analyses the tree below `root`; writes the SARIF file.

    Raises:
        GateError: Slither came to no answer.
    """
    sources = production_solidity(root)
    exemptions = exceptions.read(root, sources)
    answer = _analyse(root, sarif)
    serious = [_finding(one) for one in answer["results"] if one["impact"] in SERIOUS]
    stale = [
        f"{one['file']}:{one['line']}: stale exception, {', '.join(one['detectors'])} finds nothing"
        for one in answer["unused"]
    ]
    # Slither reads the comments of a file once for every unit that it belongs to.
    stale = list(dict.fromkeys(stale))
    failures = [f"{one.place}: {one.what}" for one in serious]
    failures += stale
    failures += [f"left out of the analysis: {one}" for one in answer["unread"]]
    objections = exceptions.objections(exemptions)
    failures += objections
    if not answer["contracts"]:
        failures.append("no contract was analysed")
    settled = [
        Finding(f"{e.path}:{e.line + 1}", ", ".join(e.detectors), e.reason) for e in exemptions
    ]
    figures = {
        "slither_contracts": len(answer["contracts"]),
        "slither_detectors": answer["detectors"],
        "slither_untriaged": len(serious),
        "slither_exceptions": len(exemptions),
        "slither_stale_exceptions": len(stale),
        "slither_low_and_info": len(answer["results"]) - len(serious),
    }
    promises = {
        "slither_untriaged": not serious and not answer["unread"],
        "slither_exceptions": not objections,
        "slither_stale_exceptions": not stale,
    }
    return GateResult(figures, promises, tuple(failures), (*serious, *settled))


def _analyse(root: Path, sarif: Path) -> Mapping[str, Any]:
    sarif.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="slither-") as folder:
        answer = Path(folder) / "answer.json"
        command = [sys.executable, "-m", "tools.audit.slither.worker", str(answer), str(sarif)]
        try:
            done = subprocess.run(
                command,
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
                timeout=LIMIT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise GateError(f"Slither gave no answer within {LIMIT_SECONDS} s") from error
        if done.returncode or not answer.exists():
            raise GateError(f"Slither failed: {done.stderr.strip()[-2000:]}")
        content: Mapping[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return content


def _finding(result: Mapping[str, Any]) -> Finding:
    places = [element["source_mapping"] for element in result["elements"]]
    where = ", ".join(dict.fromkeys(f"{p['filename_relative']}:{p['lines'][0]}" for p in places))
    what = " ".join(str(result["description"]).split())
    return Finding(where, f"{result['check']} ({result['impact'].lower()}): {what[:300]}")
