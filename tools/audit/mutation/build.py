"""Compiles chosen faults into one build; those that the compiler refuses are left out."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from offchain.artifacts import ROOT
from tests.support import build
from tools.audit.coverage.contracts import save
from tools.audit.instrument import compile as compiler
from tools.audit.instrument.tree import InstrumentError
from tools.audit.mutation import solidity, vyper
from tools.audit.mutation.mutant import Mutant

SWITCH = re.compile(r"address\((\d+)\)|coinbase\(\), (\d+)\)|_restrictedBut(\d+)\(")
# In each, the compiler names some of the faults that it refuses.
ROUNDS = 60


def _errors(sources: Mapping[str, str]) -> list[Any]:
    """What the compiler says against the types of the sources; it generates no code."""
    texts = dict(sources)
    for path in (ROOT / "interfaces").rglob("*.sol"):
        name = path.relative_to(ROOT).as_posix()
        texts[name] = re.sub(r"\bpure\b", "view", path.read_text(encoding="utf-8"))
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in texts.items()},
        "settings": {
            "remappings": build._settings()["solidity"]["remappings"],
            "outputSelection": {"*": {"": ["ast"]}},
        },
    }
    command = ["node", "tools/solc.js", "--standard-json", "--base-path", "."]
    done = subprocess.run(
        [*command, "--include-path", "node_modules"],
        cwd=ROOT,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout).get("errors", [])
    return [error for error in found if error["severity"] == "error"]


def _blamed(error: Any, sources: Mapping[str, str]) -> int:
    place = error.get("sourceLocation", {})
    source = sources.get(place.get("file", ""), "").encode()[: place.get("end", 0)]
    numbers = [next(filter(None, found)) for found in SWITCH.findall(source.decode())[-1:]]
    if not numbers:
        raise InstrumentError(f"planted sources do not compile: {error['formattedMessage'][:500]}")
    return int(numbers[0])


def typed(
    chosen: Mapping[int, solidity.Plant], sources: Mapping[str, str]
) -> tuple[dict[int, solidity.Plant], dict[str, str]]:
    """The faults that pass the compiler's type check, and the sources with them in place.

    Raises:
        InstrumentError: the sources still do not pass when many were left out.
    """
    left = dict(chosen)
    for _ in range(ROUNDS):
        planted = solidity.planted(sources, left)
        errors = _errors(planted)
        if not errors:
            return left, planted
        for number in {_blamed(error, planted) for error in errors}:
            left.pop(number, None)
    raise InstrumentError(f"{len(errors)} planted faults are refused after {ROUNDS} rounds")


def compile_faults(
    chosen: Mapping[int, solidity.Plant | vyper.Plant],
    workers: int,
    say: Callable[[str], None],
) -> tuple[Path, dict[int, Mutant]]:
    """One build with all chosen faults in it, and those that are."""
    sources = compiler.production()
    hard = {n: plant for n, plant in chosen.items() if isinstance(plant, solidity.Plant)}
    snake = {n: plant for n, plant in chosen.items() if isinstance(plant, vyper.Plant)}
    built = {}
    kept: dict[int, Mutant] = {}
    if hard:
        good, planted = typed(hard, sources)
        mutated = {plant.mutant.path for plant in good.values()}
        changed = {path: text for path, text in planted.items() if path in mutated}
        names = compiler.targets(changed)
        # Those that are not mutated lose their `pure` too: they may call what is.
        built = compiler.compile_all(names, planted, workers, say)
        kept |= {number: plant.mutant for number, plant in good.items()}
    if snake:
        good_snake, artifacts = vyper.compile_faults(vyper.production(), snake)
        built |= {artifact.name: artifact for artifact in artifacts}
        kept |= {number: plant.mutant for number, plant in good_snake.items()}
    return save(built), kept


def all_plants() -> Sequence[solidity.Plant | vyper.Plant]:
    """Every fault of every production contract, in the order of the sources."""
    found: list[solidity.Plant | vyper.Plant] = [*solidity.plants(compiler.production())]
    for path, source in vyper.production().items():
        found += vyper.plants(path, source)
    return found
