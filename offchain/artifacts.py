"""Loads the contracts that `ape compile` built, by name; never compiles anything itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from offchain.abi import AbiEntry, AbiIndex

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = ROOT / ".build" / "__local__.json"


class ArtifactError(Exception):
    """The contracts are not compiled, or there is none of that name."""


@dataclass(frozen=True)
class Artifact:
    """One compiled contract.

    Attributes:
        name: the contract's name, unique over all sources.
        abi: as the compiler wrote it.
        bytecode: creation code without constructor arguments; empty if nothing can be deployed.
        runtime: deployed code, immutables still zero.
        source_id: path of the source below the repository's root.
        source_map: the compiler's compressed map of the runtime code, if it was kept.
        storage_layout: the compiler's storage layout, if it was kept.
    """

    name: str
    abi: Sequence[AbiEntry]
    bytecode: bytes
    runtime: bytes
    source_id: str
    source_map: str | None = None
    storage_layout: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "abi": list(self.abi),
            "bytecode": self.bytecode.hex(),
            "runtime": self.runtime.hex(),
            "source_id": self.source_id,
            "source_map": self.source_map,
            "storage_layout": self.storage_layout,
        }

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> Artifact:
        return cls(
            name=name,
            abi=value["abi"],
            bytecode=bytes.fromhex(value["bytecode"]),
            runtime=bytes.fromhex(value["runtime"]),
            source_id=value["source_id"],
            source_map=value["source_map"],
            storage_layout=value["storage_layout"],
        )


def _code(value: Mapping[str, Any] | None) -> bytes:
    text = (value or {}).get("bytecode") or "0x"
    return bytes.fromhex(text.removeprefix("0x"))


def _read(manifest: Path) -> dict[str, Artifact]:
    try:
        types = json.loads(manifest.read_text())["contractTypes"]
    except FileNotFoundError as error:
        raise ArtifactError(
            f"the contracts are not compiled: run `ape compile` ({manifest.name} is missing)"
        ) from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ArtifactError(
            f"{manifest.name} is not a manifest of ape: delete it and run `ape compile`"
        ) from error
    found = {}
    for name, entry in types.items():
        source_map = entry.get("sourcemap")
        found[name] = Artifact(
            name=name,
            abi=entry.get("abi", []),
            bytecode=_code(entry.get("deploymentBytecode")),
            runtime=_code(entry.get("runtimeBytecode")),
            source_id=entry.get("sourceId", ""),
            source_map=source_map if isinstance(source_map, str) else None,
        )
    return found


@lru_cache(maxsize=4)
def _cached(manifest: Path, _stamp: tuple[int, int]) -> dict[str, Artifact]:
    return _read(manifest)


def _all() -> dict[str, Artifact]:
    if not MANIFEST.exists():
        return _read(MANIFEST)
    status = MANIFEST.stat()
    return _cached(MANIFEST, (status.st_mtime_ns, status.st_size))


def names() -> list[str]:
    """Names of all compiled contracts and interfaces, sorted.

    Raises:
        ArtifactError: the contracts are not compiled.
    """
    return sorted(_all())


def load(name: str) -> Artifact:
    """One compiled contract.

    Raises:
        ArtifactError: the contracts are not compiled, or none has that name.
    """
    found = _all().get(name)
    if found is None:
        raise ArtifactError(
            f"no compiled contract is named {name}: is it new? then run `ape compile`"
        )
    return found


@lru_cache(maxsize=4)
def _index_of(manifest: Path, stamp: tuple[int, int]) -> AbiIndex:
    return AbiIndex(artifact.abi for artifact in _cached(manifest, stamp).values())


def index() -> AbiIndex:
    """Errors and events of all compiled contracts.

    Raises:
        ArtifactError: the contracts are not compiled.
    """
    if not MANIFEST.exists():
        raise ArtifactError("the contracts are not compiled: run `ape compile`")
    status = MANIFEST.stat()
    return _index_of(MANIFEST, (status.st_mtime_ns, status.st_size))


def decode_error(data: bytes) -> tuple[str, tuple[Any, ...]]:
    """Name and arguments of a revert: a custom error, 'Error', 'Panic', or ('', ()) if unknown."""
    return index().decode_error(data)


def describe_error(data: bytes) -> str:
    """A revert in one line for people."""
    return index().describe_error(data)


def register(abis: Iterable[Sequence[AbiEntry]]) -> None:
    """Makes the errors and events of foreign contracts readable as well."""
    for abi in abis:
        index().add(abi)
