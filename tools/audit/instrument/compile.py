"""Compiles rewritten sources, production and the test contracts that contain some of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from offchain.artifacts import ROOT, Artifact
from tests.support import build
from tools.audit.instrument import tree

DEPLOYABLE = re.compile(r"^contract\s", re.MULTILINE)
# Without the optimiser: it takes most of the time, and would move what the probes mark.
SETTINGS = {"viaIR": True, "optimizer": {"enabled": False}}
WANTED = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]


def production() -> dict[str, str]:
    """Solidity sources below contracts/, by path."""
    return _below("contracts")


def _below(folder: str) -> dict[str, str]:
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / folder).rglob("*.sol"))
    }


def closure(path: str) -> list[str]:
    """A source and all that it imports, as paths below the root."""
    found = build._closure(PurePosixPath(path))
    return sorted(one.relative_to(ROOT).as_posix() for one in found)


def targets(changed: Mapping[str, str]) -> list[str]:
    """Sources with deployable contracts that contain code of one of the changed ones."""
    candidates = {**_below("contracts"), **_below("tests")}
    return [
        path
        for path, text in candidates.items()
        if DEPLOYABLE.search(text)
        and not path.startswith("tests/formal/")
        and any(one in changed for one in closure(path))
    ]


def _request(target: str, changed: Mapping[str, str]) -> dict[str, Any]:
    sources = {}
    for path in closure(target):
        text = changed.get(path)
        if text is None:
            text = (ROOT / path).read_text(encoding="utf-8")
            if not path.startswith("node_modules/"):
                # A caller of what is no longer pure cannot be so either.
                text = re.sub(r"\bpure\b", "view", text)
        sources[path] = {"content": text}
    return {
        "language": "Solidity",
        "sources": sources,
        "settings": {
            **build._settings()["solidity"],
            **SETTINGS,
            "outputSelection": {target: {"*": WANTED}},
        },
    }


def compile_all(
    names: list[str],
    changed: Mapping[str, str],
    workers: int = os.cpu_count() or 1,
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, Artifact]:
    """Artifacts of the named sources with the changed ones in place, by contract."""
    done = 0

    def one(target: str) -> list[Artifact]:
        nonlocal done
        answer = tree.solc(_request(target, changed))
        done += 1
        say(f"compiled {done} of {len(names)}: {target}")
        return [
            Artifact(
                name=name,
                abi=entry["abi"],
                bytecode=bytes.fromhex(entry["evm"]["bytecode"]["object"]),
                runtime=bytes.fromhex(entry["evm"]["deployedBytecode"]["object"]),
                source_id=target,
            )
            for name, entry in answer["contracts"].get(target, {}).items()
        ]

    # The longest first, so that no worker is left alone with it.
    queue = sorted(names, key=lambda name: -sum(map(_size, closure(name))))
    with ThreadPoolExecutor(max_workers=workers) as pool:
        return {a.name: a for found in pool.map(one, queue) for a in found if a.bytecode}


def _size(path: str) -> int:
    return Path(ROOT / path).stat().st_size if path.startswith("contracts/") else 0
