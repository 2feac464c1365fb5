"""Proves the `check_` functions of one Solidity file with halmos, in a folder of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from offchain.artifacts import ROOT
from tests.support import build

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


class ProofError(Exception):
    """halmos did not come to an answer at all."""


def prove(
    source: str,
    changes: Mapping[str, Sequence[tuple[str, str]]] | None = None,
    options: Sequence[str] = (),
    timeout: int = 1_200,
) -> dict[str, bool]:
    """Proves every `check_` function of `source`, a path below the root.

    Args:
        source: the file with the proofs; its contract has the file's name.
        changes: per source path, replacements made in the copy that is proven: for mutants.
        options: further options of halmos.
        timeout: seconds for the whole file.

    Returns:
        For each function's signature whether it is proven.

    Raises:
        ProofError: the sources do not compile, a replacement does not apply, or time ran out.
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


def _run(project: Path, contract: str, options: Sequence[str], timeout: int) -> dict[str, bool]:
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
        raise ProofError(f"{contract}: no answer within {timeout} s") from error
    if not answer.exists():
        raise ProofError(f"{contract}: {(done.stdout + done.stderr)[-3000:]}")
    found = json.loads(answer.read_text())["test_results"]
    return {
        result["name"]: result["exitcode"] == 0 for results in found.values() for result in results
    }
