"""Runs every detector of Slither over the contracts of one tree; compiles syntax trees only.

A process of its own (`python -m tools.audit.slither.worker ANSWER SARIF`, in the tree's root):
Slither resolves paths from the working directory and keeps global state. It judges nothing.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crytic_compile import CryticCompile
from crytic_compile.compilation_unit import CompilationUnit
from crytic_compile.compiler.compiler import CompilerVersion
from crytic_compile.platform.solc_standard_json import (
    SolcStandardJson,
    parse_standard_json_output,
)
from slither import Slither
from slither.detectors import all_detectors
from slither.detectors.abstract_detector import AbstractDetector
from slither.utils.output import output_to_sarif

from tools.audit.sources import VERSION, compile_standard, production_solidity

OURS = ("contracts", "interfaces")
NO_CODE = {"object": "", "sourceMap": ""}


class Trees(SolcStandardJson):
    """Hands Slither the syntax trees of a tree of sources; it needs no bytecode."""

    def __init__(self, root: Path) -> None:
        super().__init__({})
        self._root = root

    def compile(self, crytic_compile: CryticCompile, **_: Any) -> None:
        """Fills the compilation unit that Slither reads."""
        unit = CompilationUnit(crytic_compile, "sources")
        unit.compiler_version = CompilerVersion(compiler="solc", version=VERSION, optimized=True)
        output = compile_standard(
            self._root, production_solidity(self._root), ["abi"], trees=True, bare=True
        )
        for contracts in output["contracts"].values():
            for contract in contracts.values():
                contract["evm"] = {"bytecode": NO_CODE, "deployedBytecode": NO_CODE}
        parse_standard_json_output(output, unit, solc_working_dir=str(self._root))


class Unread(logging.Handler):
    """Keeps what Slither could not read and goes on without."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One thing that is left out of the analysis."""
        self.messages.append(" ".join(record.getMessage().split()))


def _is_ours(result: Mapping[str, Any]) -> bool:
    """Whether any of the finding's places is production code, not a library that we import."""
    maps = (element["source_mapping"] for element in result["elements"])
    return any(str(m["filename_relative"]).startswith(OURS) for m in maps)


def detectors() -> list[type[AbstractDetector]]:
    """Every detector that this Slither has."""
    found = [getattr(all_detectors, name) for name in dir(all_detectors)]
    return [d for d in found if isinstance(d, type) and issubclass(d, AbstractDetector)]


def main(answer: Path, sarif: Path) -> None:
    """Analyses the working directory; writes findings, unused exceptions and the SARIF file."""
    root = Path.cwd()
    unread = Unread()
    logging.getLogger().addHandler(unread)
    slither = Slither(CryticCompile(Trees(root)))
    classes = detectors()
    for detector in classes:
        slither.register_detector(detector)
    found = [one for results in slither.run_detectors() for one in (results or [])]
    results = [result for result in found if _is_ours(result)]
    sarif.unlink(missing_ok=True)
    output_to_sarif(str(sarif), {"detectors": results}, classes)
    unused = [
        {
            "file": Path(comment["file"]).relative_to(root).as_posix(),
            "line": comment["line"],
            "detectors": comment["unused_detectors"],
        }
        for comment in slither.get_unused_ignore_comments()
        if Path(comment["file"]).relative_to(root).parts[0] in OURS
    ]
    places = {c.name: str(c.source_mapping.filename.relative) for c in slither.contracts}
    content = {
        "results": results,
        "unused": unused,
        "contracts": sorted(n for n, path in places.items() if path.startswith(OURS)),
        "unread": unread.messages,
        "detectors": len(classes),
    }
    answer.write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except (subprocess.SubprocessError, ValueError) as error:
        sys.exit(f"slither: {error}")
