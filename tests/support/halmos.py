"""Proves the `check_` functions of one Solidity file with halmos, in a folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from offchain.artifacts import ROOT
from tests.support import build
from tests.support.verdict import Undecided, Verdict

PROJECT = """
[profile.default]
src = "tests/formal"
test = "tests/formal"
out = "out"
libs = ["node_modules"]
auto_detect_remappings = false
remappings = [
    "@openzeppelin/=node_modules/@openzeppelin/",
    "interfaces/=interfaces/",
    "contracts/=contracts/",
]
solc = "{solc}"
offline = true
evm_version = "shanghai"
via_ir = true
optimizer = true
optimizer_runs = 1000000
ast = true

[lint]
lint_on_build = false
"""

# halmos 0.3.3 clears a live display that rich, in the version locked here, has never opened.
HALMOS = """
import halmos.ui
halmos.ui.UI.clear_live = lambda self: None
from halmos.__main__ import main
main()
"""

# halmos's exit codes of one function: 0 proves, 1 refutes, the others do neither.
PASS = 0
COUNTEREXAMPLE = 1
GAPS = {
    2: "the solver's time ran out",
    3: "halmos met what it cannot execute",
    4: "every path reverts, so nothing is shown",
    5: "the solver or halmos failed",
}


class ProofError(Exception):
    """halmos could not be asked: the sources do not compile, or are not those that were meant."""


def prove(
    source: str,
    changes: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    options: Sequence[str] = (),
    timeout: int = 1_200,
) -> dict[str, Verdict]:
    """Proves every `check_` function of `source`, a path below the root.

    Args:
        source: the file with the proofs; its contract has the file's name.
        changes: per source path, replacements made in the copy that is proven: for mutants.
        options: further options of halmos.
        timeout: seconds for the whole file.

    Returns:
        The verdict on each function, by its name.

    Raises:
        ProofError: the sources do not compile, or a replacement does not apply.
        Undecided: time ran out for the file as a whole.
    """
    with tempfile.TemporaryDirectory(prefix="halmos-") as folder:
        project = Path(folder)
        for path in build._closure(PurePosixPath(source)):
            relative = path.relative_to(ROOT)
            if relative.parts[0] == "node_modules":
                continue
            text = path.read_text()
            for old, new in (changes or {}).get(relative.as_posix(), ()):
                if text.count(old) != 1:
                    raise ProofError(f"{relative}: {old!r} occurs {text.count(old)} times")
                text = text.replace(old, new)
            copy = project / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text)
        (project / "node_modules").symlink_to(ROOT / "node_modules")
        (project / "foundry.toml").write_text(PROJECT.format(solc=ROOT / ".tools" / "bin" / "solc"))
        return _run(project, PurePosixPath(source).stem, options, timeout)


def _run(project: Path, contract: str, options: Sequence[str], timeout: int) -> dict[str, Verdict]:
    answer = project / "answer.json"
    command = [sys.executable, "-c", HALMOS, "--contract", contract, "--json-output", str(answer)]
    try:
        done = subprocess.run(
            [*command, *options],
            cwd=project,
            env=build.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise Undecided(f"{contract}: no answer within {timeout} s") from error
    if not answer.exists():
        raise ProofError(f"{contract}: {(done.stdout + done.stderr)[-3000:]}")
    found = json.loads(answer.read_text())["test_results"]
    verdicts = [read(result) for results in found.values() for result in results]
    return {verdict.statement: verdict for verdict in verdicts}


def read(result: Mapping[str, Any]) -> Verdict:
    """One function's verdict, from halmos's report on it."""
    name = str(result["name"]).partition("(")[0]
    code = result["exitcode"]
    if code == COUNTEREXAMPLE:
        # A model that speaks of products and quotients which the solver may choose freely is none.
        models = [m["model"] for m in result["models"] if m["is_valid"]]
        if not models:
            return Verdict(name, gap="the counterexample rests on arithmetic left uninterpreted")
        values = models[0].values()
        return Verdict(name, ", ".join(f"{v['variable_name']} = {v['value']:#x}" for v in values))
    if code != PASS:
        return Verdict(name, gap=GAPS.get(code, f"halmos ended with {code}"))
    if result["num_bounded_loops"]:
        return Verdict(name, gap="a loop goes on beyond the bound to which it was unrolled")
    return Verdict(name)
