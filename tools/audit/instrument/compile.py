"""Compiles rewritten sources, production and the test contracts that contain some of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Any

from offchain.artifacts import ROOT, Artifact
from tests.support import build
from tools.audit.instrument import tree

# So many runs of the compiler per worker: few, and still none waits long for the others.
PER_WORKER = 3
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


def _request(names: Sequence[str], changed: Mapping[str, str]) -> dict[str, Any]:
    sources = {}
    for path in {one for name in names for one in closure(name)}:
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
            "outputSelection": {name: {"*": WANTED} for name in names},
        },
    }


def _groups(names: Sequence[str], count: int) -> list[list[str]]:
    """The names in so many groups of about the same work."""
    loads: list[tuple[int, list[str]]] = [(0, []) for _ in range(count)]
    for name in sorted(names, key=lambda name: (-_work(name), name)):
        least = min(range(count), key=lambda place: loads[place][0])
        work, group = loads[least]
        loads[least] = (work + _work(name), [*group, name])
    return [group for _, group in loads if group]


def _work(name: str) -> int:
    own = [path for path in closure(name) if path.startswith("contracts/")]
    return sum((ROOT / path).stat().st_size for path in own)


def compile_all(
    names: Sequence[str],
    changed: Mapping[str, str],
    workers: int = os.cpu_count() or 1,
    say: Callable[[str], None] = lambda _line: None,
) -> dict[str, Artifact]:
    """Artifacts of the named sources with the changed ones in place, by contract.

    Each run of the compiler takes several sources, as its start costs as much as a small one.
    """
    done = 0

    def some(group: list[str]) -> list[Artifact]:
        nonlocal done
        answer = tree.solc(_request(group, changed))
        done += len(group)
        say(f"compiled {done} of {len(names)} sources")
        return [
            Artifact(
                name=name,
                abi=entry["abi"],
                bytecode=bytes.fromhex(entry["evm"]["bytecode"]["object"]),
                runtime=bytes.fromhex(entry["evm"]["deployedBytecode"]["object"]),
                source_id=source,
            )
            for source in group
            for name, entry in answer["contracts"].get(source, {}).items()
        ]

    with ThreadPoolExecutor(max_workers=workers) as pool:
        built = pool.map(some, _groups(names, workers * PER_WORKER))
        return {a.name: a for found in built for a in found if a.bytecode}
