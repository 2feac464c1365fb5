"""Interface, storage layout and size of every production contract, as plain lines to compare."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from offchain import artifacts
from offchain.abi import signature
from offchain.artifacts import Artifact
from tools.audit.gate import GateError
from tools.audit.sources import VERSION, compile_standard, production, production_solidity

# EIP-170 and EIP-3860.
MOST_CODE = 24_576
MOST_CREATION_CODE = 49_152
SOLC_TAG = b"\x64solc\x43" + bytes(int(part) for part in VERSION.split("."))
PRAGMAS = {
    ".sol": re.compile(rf"^pragma solidity {re.escape(VERSION)};$", re.MULTILINE),
    ".vy": re.compile(r"^# ?pragma version 0\.4\.3$", re.MULTILINE),
}
Lines = Mapping[str, Sequence[str]]


def manifest() -> list[Artifact]:
    """Production contracts that can be deployed."""
    found = [artifacts.load(name) for name in artifacts.names()]
    return [artifact for artifact in found if artifact.bytecode]


def interfaces(found: Sequence[Artifact]) -> Lines:
    """Per contract what it can be asked, what it emits and what it reverts with."""
    return {one.name: sorted(_entry(entry) for entry in one.abi) for one in found if one.abi}


def _entry(entry: Mapping[str, Any]) -> str:
    kind = entry["type"]
    if kind in ("fallback", "receive"):
        return f"{kind} {entry.get('stateMutability', '')}".strip()
    if kind == "constructor":
        return "constructor" + signature({**entry, "name": ""})
    said = f"{kind} {signature(entry)}"
    if kind == "function":
        returned = signature({"name": "", "inputs": entry.get("outputs", [])})
        said += f" {entry['stateMutability']} returns {returned}"
    if kind == "event":
        said += " indexed " + "".join("yn"[not i.get("indexed")] for i in entry["inputs"])
    return said


def layouts(root: Path) -> Lines:
    """Per contract its storage variables: slot, offset, name and type."""
    output = compile_standard(root, production_solidity(root), ["storageLayout"], bare=True)
    ours = set(production_solidity(root))
    found: dict[str, Sequence[str]] = {}
    for source, contracts in output.get("contracts", {}).items():
        for name, contract in contracts.items():
            lines = list(_solidity_slots(contract["storageLayout"]))
            if source in ours and lines:
                found[name] = lines
    for source in production(root, ".vy"):
        found[Path(source).stem] = list(_vyper_slots(root, source))
    return dict(sorted(found.items()))


def _solidity_slots(layout: Mapping[str, Any]) -> Iterator[str]:
    types = layout.get("types") or {}
    for one in layout["storage"]:
        yield f"{one['slot']}+{one['offset']} {one['label']} {types[one['type']]['label']}"
    for kind in types.values():
        for member in kind.get("members", ()):
            label = types[member["type"]]["label"]
            yield f"{kind['label']}: {member['slot']}+{member['offset']} {member['label']} {label}"


def _vyper_slots(root: Path, source: str) -> Iterator[str]:
    command = [sys.executable, "-m", "vyper.cli.vyper_compile", "-f", "layout", "-p", ".", source]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GateError(f"{source}: no storage layout: {done.stderr.strip()[-500:]}")
    layout = json.loads(done.stdout).get("storage_layout", {})
    for name, one in layout.items():
        if "slot" in one:
            yield f"{one['slot']} {name} {one['type']}"


def sizes(found: Sequence[Artifact]) -> tuple[int, list[str]]:
    """The largest deployed code, and which contracts are over a limit of the chain."""
    said = []
    for one in found:
        if len(one.runtime) > MOST_CODE:
            said.append(f"{one.name}: {len(one.runtime)} bytes of code, {MOST_CODE} are allowed")
        if len(one.bytecode) > MOST_CREATION_CODE:
            said.append(f"{one.name}: {len(one.bytecode)} bytes of creation code")
    return max((len(one.runtime) for one in found), default=0), said


def compilers(root: Path, found: Sequence[Artifact]) -> list[str]:
    """Sources and bytecode that name another compiler than the one that is pinned."""
    said = []
    for suffix, pragma in PRAGMAS.items():
        for source in production(root, suffix):
            if not pragma.search((root / source).read_text(encoding="utf-8")):
                said.append(f"{source}: does not pin its compiler")
    for one in found:
        solidity = one.source_id.endswith(".sol")
        if solidity and SOLC_TAG not in one.runtime:
            said.append(f"{one.name}: its metadata does not name solc {VERSION}")
        if not solidity and b"\x65vyper\x83\x00\x04\x03" not in one.bytecode:
            said.append(f"{one.name}: its metadata does not name Vyper 0.4.3")
    return said
