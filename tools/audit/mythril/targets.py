"""Which creation bytecode Mythril is given, and the hash that its findings are keyed by."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from offchain import artifacts
from offchain.abi import FunctionCodec, TupleCodec
from offchain.artifacts import Artifact
from tests.support import build
from tools.audit.gate import GateError
from tools.audit.sources import ROOT

CONSTRUCTORS = ROOT / "audits" / "mythril" / "constructors.toml"
SOLC_METADATA = re.compile(rb"(\xa2\x64ipfs\x58\x22\x12\x20).{32}(\x64solc\x43)", re.DOTALL)
# Wide of the precompiles, of Mythril's actors, and of each other.
FIRST_ADDRESS = 0xB0A7_0000_0000_0000_0000_0000_0000_0000_0000_0000
CANARY_SOURCES = PurePosixPath("tests/integration/audit/contracts")
CANARIES = {"ReentrancyCanary": "107", "DestructionCanary": "106", "VyperCanary": "107"}


@dataclass(frozen=True)
class Target:
    """One contract as it is created.

    Attributes:
        name: of the contract.
        code: creation bytecode and constructor arguments, as one deployment sends them.
        deployed: code after deployment, immutables still zero: for a constructor without an end.
        digest: of the creation bytecode without the compilers' metadata and without arguments:
            it changes when the code does, and not when a comment does.
        signatures: by selector, '0x…'.
    """

    name: str
    code: bytes
    deployed: bytes
    digest: str
    signatures: Mapping[str, str]


def production() -> list[Target]:
    """Every production contract that has code of its own to run.

    Left out is what is never deployed by itself and so is analysed as a part of others: abstract
    contracts (they have no bytecode), libraries whose functions are all internal, and Vyper
    modules, which are named in snake_case where a contract is named in CamelCase.
    """
    build.ensure_compiled()
    arguments = tomllib.loads(CONSTRUCTORS.read_text(encoding="utf-8"))
    found = [artifacts.load(name) for name in artifacts.names()]
    deployable = [a for a in found if a.bytecode and _has_functions(a) and not _is_module(a)]
    unknown = set(arguments) - {a.name for a in deployable}
    if unknown:
        raise GateError(f"{CONSTRUCTORS.name} names no such contract: {', '.join(sorted(unknown))}")
    return [_target(a, arguments.get(a.name, {}).get("arguments")) for a in deployable]


def canaries() -> list[Target]:
    """The contracts with planted defects, compiled like production."""
    found = build._compile_solidity([CANARY_SOURCES / "Canaries.sol"])
    found += build._compile_vyper([CANARY_SOURCES / "VyperCanary.vy"])
    return [_target(artifact, None) for artifact in found if artifact.name in CANARIES]


def digest(artifact: Artifact) -> str:
    """Hash of what the creation bytecode does: the metadata of either compiler is left out."""
    code = SOLC_METADATA.sub(rb"\1\2", artifact.bytecode)
    if Path(artifact.source_id).suffix == ".vy":
        # Vyper's metadata is last, and its last two bytes are its length.
        code = code[: -int.from_bytes(code[-2:], "big")]
    return hashlib.sha256(code).hexdigest()[:16]


def _has_functions(artifact: Artifact) -> bool:
    return any(entry["type"] in ("function", "fallback", "receive") for entry in artifact.abi)


def _is_module(artifact: Artifact) -> bool:
    return artifact.source_id.endswith(".vy") and artifact.name.islower()


def _target(artifact: Artifact, arguments: Sequence[Any] | None) -> Target:
    inputs: Sequence[Mapping[str, Any]] = ()
    signatures = {}
    for entry in artifact.abi:
        if entry["type"] == "constructor":
            inputs = entry["inputs"]
        elif entry["type"] == "function":
            codec = FunctionCodec(entry)
            signatures["0x" + codec.selector.hex()] = codec.signature
    given = arguments if arguments is not None else [_default(i, p) for i, p in enumerate(inputs)]
    try:
        encoded = TupleCodec(inputs).encode([_plain(v, p) for v, p in _paired(given, inputs)])
    except (TypeError, ValueError) as error:
        raise GateError(f"{CONSTRUCTORS.name}, {artifact.name}: {error}") from error
    code = artifact.bytecode + encoded
    return Target(artifact.name, code, artifact.runtime, digest(artifact), signatures)


def _paired(
    given: Sequence[Any], inputs: Sequence[Mapping[str, Any]]
) -> list[tuple[Any, Mapping[str, Any]]]:
    return list(zip(given, inputs, strict=True))


def _default(index: int, parameter: Mapping[str, Any]) -> Any:
    """A value that most constructors accept: distinct addresses, small numbers, a short text."""
    kind = parameter["type"]
    if kind == "tuple":
        return [_default(16 * (index + 1) + i, p) for i, p in enumerate(parameter["components"])]
    if kind == "address":
        return f"0x{FIRST_ADDRESS + index:040x}"
    if kind == "string":
        return "x"
    if kind == "bool":
        return True
    if kind.startswith(("uint", "int")):
        return 1
    raise GateError(f"constructor argument of type {kind}: name a value in {CONSTRUCTORS.name}")


def _plain(value: Any, parameter: Mapping[str, Any]) -> Any:
    """TOML's value as the encoder wants it; '#3' is the third of the made-up addresses."""
    if parameter["type"] == "tuple":
        return tuple(_plain(v, p) for v, p in _paired(value, parameter["components"]))
    if isinstance(value, str) and re.fullmatch(r"#\d+", value):
        return f"0x{FIRST_ADDRESS + int(value[1:]):040x}"
    return value
