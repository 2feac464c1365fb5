"""Compiles what tests need and finds any contract by name; never alters what ape wrote."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from offchain import artifacts
from offchain.artifacts import ROOT, Artifact, ArtifactError

BUILD = ROOT / ".build"
TESTS_MANIFEST = BUILD / "tests.json"
STAMP = BUILD / "sources.sha256"
FAILURE = BUILD / "failure.txt"
IMPORT = re.compile(r"""^\s*import\b[^;]*?["']([^"']+)["']""", re.MULTILINE)


def environment() -> dict[str, str]:
    """What tools/env.sh sets, so that a bare `pytest` works as make does."""
    (ROOT / ".cache" / "ape").mkdir(parents=True, exist_ok=True)
    path = f"{ROOT / '.venv' / 'bin'}:{ROOT / '.tools' / 'bin'}:{os.environ.get('PATH', '')}"
    return {
        **os.environ,
        "SOLCX_BINARY_PATH": str(ROOT / ".tools" / "solcx"),
        "APE_DATA_FOLDER": str(ROOT / ".cache" / "ape"),
        "PYTHONWARNINGS": "ignore",
        "PATH": path,
    }


@contextmanager
def build_lock() -> Iterator[None]:
    """One process at a time below .build/, also under pytest-xdist."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _digest(paths: Iterable[Path], salt: str = "") -> str:
    total = hashlib.sha256(salt.encode())
    for path in sorted(paths):
        total.update(f"{path.relative_to(ROOT)}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _production_sources() -> list[Path]:
    return [
        p
        for folder in ("contracts", "interfaces")
        for p in (ROOT / folder).rglob("*")
        if p.suffix in (".sol", ".vy", ".vyi")
    ]


def ensure_compiled() -> None:
    """Runs `ape compile` if a source below contracts/ or interfaces/ changed since the last time.

    A failure is remembered as well: sources that do not compile are not tried again until one
    of them changes.

    Raises:
        ArtifactError: a contract does not compile; the message ends with the compiler's words.
    """
    sources = _production_sources()
    if not sources:
        return
    with build_lock():
        digest = _digest([*sources, ROOT / "ape-config.yaml", ROOT / "package-lock.json"])
        if artifacts.MANIFEST.exists() and STAMP.exists() and STAMP.read_text() == digest:
            return
        if FAILURE.exists() and FAILURE.read_text().startswith(digest):
            raise ArtifactError(FAILURE.read_text().removeprefix(digest))
        # NOTE: ape recompiles what changed itself, not what imports it from afar. Forced, it asks
        # for everything, and our compiler answers from its own cache.
        done = subprocess.run(
            [str(ROOT / ".venv" / "bin" / "ape"), "compile", "--force"],
            cwd=ROOT,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not artifacts.MANIFEST.exists():
            said = done.stdout + done.stderr
            message = f"`ape compile` failed:\n{said[max(said.find('ERROR'), 0) :][-4000:].strip()}"
            FAILURE.write_text(digest + message)
            raise ArtifactError(message)
        FAILURE.unlink(missing_ok=True)
        STAMP.write_text(digest)


@lru_cache(maxsize=1)
def _settings() -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "ape-config.yaml").read_text())
    solidity, vyper = config["solidity"], config["vyper"]
    return {
        "solidity": {
            "evmVersion": solidity["evm_version"],
            "viaIR": solidity["via_ir"],
            "optimizer": {"enabled": solidity["optimize"], "runs": solidity["optimization_runs"]},
            "remappings": list(solidity["import_remapping"]),
        },
        "vyper": {"evm_version": vyper["evm_version"], "version": vyper["version"]},
    }


def _resolve(importer: PurePosixPath, target: str) -> PurePosixPath:
    if target.startswith("."):
        return PurePosixPath(os.path.normpath(importer.parent / target))
    for remapping in _settings()["solidity"]["remappings"]:
        prefix, replacement = remapping.split("=")
        if target.startswith(prefix):
            return PurePosixPath(replacement + target.removeprefix(prefix))
    return PurePosixPath(target)


def _closure(source: PurePosixPath) -> list[Path]:
    """The source and everything it imports, whether directly or not."""
    seen: dict[PurePosixPath, None] = {}
    pending = [source]
    while pending:
        current = pending.pop()
        if current in seen:
            continue
        seen[current] = None
        try:
            text = (ROOT / current).read_text()
        except FileNotFoundError as error:
            raise ArtifactError(f"{source} imports {current}, which does not exist") from error
        pending.extend(_resolve(current, target) for target in IMPORT.findall(text))
    return [ROOT / p for p in seen]


def _test_sources() -> dict[PurePosixPath, str]:
    """Test-only sources with the hash of all that their artifacts depend on."""
    salt = json.dumps(_settings(), sort_keys=True)
    found = {}
    for path in sorted((ROOT / "tests").rglob("*")):
        relative = PurePosixPath(path.relative_to(ROOT).as_posix())
        if path.suffix == ".sol":
            found[relative] = _digest(_closure(relative), salt)
        elif path.suffix == ".vy":
            # A module may be imported from the same folder.
            found[relative] = _digest(path.parent.glob("*.vy"), salt)
    return found


def _compile_solidity(sources: list[PurePosixPath]) -> list[Artifact]:
    wanted = [
        "abi",
        "evm.bytecode.object",
        "evm.deployedBytecode.object",
        "evm.deployedBytecode.sourceMap",
        "storageLayout",
    ]
    request = {
        "language": "Solidity",
        "sources": {str(s): {"content": (ROOT / s).read_text()} for s in sources},
        "settings": {
            **_settings()["solidity"],
            "outputSelection": {str(s): {"*": wanted} for s in sources},
        },
    }
    command = [
        str(ROOT / ".tools" / "bin" / "solc"),
        "--standard-json",
        "--base-path",
        ".",
        "--include-path",
        "node_modules",
    ]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(request), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ArtifactError(f"solc failed: {done.stderr.strip()}")
    output = json.loads(done.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise ArtifactError("test contracts do not compile:\n" + "\n".join(errors))
    return [
        Artifact(
            name=name,
            abi=entry["abi"],
            bytecode=bytes.fromhex(entry["evm"]["bytecode"]["object"]),
            runtime=bytes.fromhex(entry["evm"]["deployedBytecode"]["object"]),
            source_id=source,
            source_map=entry["evm"]["deployedBytecode"]["sourceMap"],
            storage_layout=entry["storageLayout"],
        )
        for source, contracts in output.get("contracts", {}).items()
        for name, entry in contracts.items()
    ]


def _compile_vyper(sources: list[PurePosixPath]) -> list[Artifact]:
    command = [sys.executable, "-m", "vyper.cli.vyper_compile", "-f", "combined_json", "-p", "."]
    command += ["--evm-version", _settings()["vyper"]["evm_version"], *map(str, sources)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ArtifactError(f"test contracts do not compile:\n{done.stderr.strip()}")
    output = json.loads(done.stdout)
    return [
        Artifact(
            name=PurePosixPath(source).stem,
            abi=entry["abi"],
            bytecode=bytes.fromhex(entry["bytecode"].removeprefix("0x")),
            runtime=bytes.fromhex(entry["bytecode_runtime"].removeprefix("0x")),
            source_id=source,
        )
        for source, entry in output.items()
        if source != "version"
    ]


def _load_manifest() -> dict[str, Any]:
    try:
        manifest = json.loads(TESTS_MANIFEST.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {"sources": {}, "contracts": {}}
    return dict(manifest)


def _unique(contracts: Mapping[str, Artifact], fresh: Iterable[Artifact]) -> dict[str, Artifact]:
    merged = dict(contracts)
    for found in fresh:
        other = merged.get(found.name)
        if other is not None and other.source_id != found.source_id:
            raise ArtifactError(
                f"{found.name} is defined in {other.source_id} and in {found.source_id}: rename one"
            )
        merged[found.name] = found
    return merged


@lru_cache(maxsize=1)
def _test_artifacts() -> dict[str, Artifact]:
    """Artifacts of the test-only contracts; compiles those whose sources changed."""
    with build_lock():
        sources = _test_sources()
        manifest = _load_manifest()
        stale = [s for s, digest in sources.items() if manifest["sources"].get(str(s)) != digest]
        kept = {
            name: Artifact.from_json(name, value)
            for name, value in manifest["contracts"].items()
            if PurePosixPath(value["source_id"]) in sources
            and PurePosixPath(value["source_id"]) not in stale
        }
        if not stale and len(kept) == len(manifest["contracts"]):
            return kept
        solidity = [s for s in stale if s.suffix == ".sol"]
        vyper = [s for s in stale if s.suffix == ".vy"]
        fresh = (_compile_solidity(solidity) if solidity else []) + (
            _compile_vyper(vyper) if vyper else []
        )
        merged = _unique(kept, fresh)
        content = {
            "sources": {str(s): digest for s, digest in sources.items()},
            "contracts": {name: a.to_json() for name, a in merged.items()},
        }
        partial = TESTS_MANIFEST.with_suffix(".partial")
        partial.write_text(json.dumps(content))
        partial.replace(TESTS_MANIFEST)
        return merged


def artifact(name: str) -> Artifact:
    """A compiled contract by name, from production or from the tests.

    Raises:
        ArtifactError: nothing of that name, the name is not unique, or a source does not compile.
    """
    ensure_compiled_once()
    tests = _test_artifacts().get(name)
    production = (
        artifacts.load(name) if artifacts.MANIFEST.exists() and name in artifacts.names() else None
    )
    if tests and production:
        raise ArtifactError(
            f"{name} is defined in {production.source_id} and in {tests.source_id}: rename one"
        )
    found = production or tests
    if found is None:
        raise ArtifactError(
            f"no contract is named {name}, neither below contracts/ nor below tests/"
        )
    return found


def all_artifacts() -> list[Artifact]:
    """Every compiled contract and interface, production first."""
    ensure_compiled_once()
    production = (
        [artifacts.load(n) for n in artifacts.names()] if artifacts.MANIFEST.exists() else []
    )
    return [*production, *_test_artifacts().values()]


@lru_cache(maxsize=1)
def ensure_compiled_once() -> None:
    """`ensure_compiled`, but only the first call of a process looks at the sources."""
    ensure_compiled()


def main() -> int:
    """Compiles whatever changed, in production and in the tests."""
    try:
        print(f"{len(all_artifacts())} contracts and interfaces are compiled")
    except ArtifactError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
