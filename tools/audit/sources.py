"""The production sources of a tree and one compilation of them; caches nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
VERSION = "0.8.30"


class CompileError(ValueError):
    """The sources do not compile; the message is the compiler's."""


def production(root: Path, suffix: str) -> list[str]:
    """Production sources with that suffix, as paths below `root`."""
    return sorted(
        path.relative_to(root).as_posix()
        for folder in ("contracts", "interfaces")
        for path in (root / folder).rglob(f"*{suffix}")
    )


def production_solidity(root: Path) -> list[str]:
    """Production sources in Solidity, as paths below `root`."""
    return production(root, ".sol")


def settings(root: Path) -> dict[str, Any]:
    """The compiler settings that ape-config.yaml names."""
    chosen = yaml.safe_load((root / "ape-config.yaml").read_text(encoding="utf-8"))["solidity"]
    return {
        "evmVersion": chosen["evm_version"],
        "viaIR": chosen["via_ir"],
        "optimizer": {"enabled": chosen["optimize"], "runs": chosen["optimization_runs"]},
        "remappings": list(chosen["import_remapping"]),
    }


def compile_standard(
    root: Path,
    sources: Sequence[str],
    outputs: Sequence[str],
    *,
    trees: bool = False,
    bare: bool = False,
) -> dict[str, Any]:
    """One run of the compiler over the sources, with the settings of production.

    Args:
        root: of the tree; imports are resolved from here and from its node_modules.
        sources: paths below the root.
        outputs: what to ask for of each contract, in the words of solc's standard JSON.
        trees: also ask for the syntax trees.
        bare: without the optimiser's settings: for outputs that hold no code.

    Raises:
        CompileError: a source does not compile.
    """
    chosen = settings(root)
    if bare:
        chosen = {key: chosen[key] for key in ("evmVersion", "remappings")}
    wanted = {"*": list(outputs), **({"": ["ast"]} if trees else {})}
    request = {
        "language": "Solidity",
        "sources": {s: {"content": (root / s).read_text(encoding="utf-8")} for s in sources},
        "settings": {**chosen, "outputSelection": {"*": wanted}},
    }
    command = [str(ROOT / ".tools" / "bin" / "solc"), "--standard-json"]
    command += ["--base-path", ".", "--include-path", "node_modules"]
    done = subprocess.run(
        command, cwd=root, input=json.dumps(request), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CompileError(done.stderr.strip() or "solc failed without a word")
    output: dict[str, Any] = json.loads(done.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise CompileError("\n".join(errors))
    return output
