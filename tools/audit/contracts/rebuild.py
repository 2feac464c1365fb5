"""Builds the production contracts again, elsewhere and from nothing, to compare bytecode."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.audit.gate import GateError

COPIED = ("contracts", "interfaces", "tools")
FILES = ("ape-config.yaml", "package.json", "package-lock.json", "pyproject.toml")
LINKED = (".venv", "node_modules")
LIMIT_SECONDS = 1_500


def build(root: Path, folder: Path) -> Mapping[str, str]:
    """Copies the sources of `root` to `folder` and compiles them there with no cache at all.

    Returns:
        For each contract the hash of its creation bytecode, metadata included.

    Raises:
        GateError: the copy does not compile.
    """
    for name in COPIED:
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(root / name, folder / name)
    for name in LINKED:
        (folder / name).symlink_to((root / name).resolve())
    compiler = folder / ".tools" / "solcx" / "solc-v0.8.30"
    compiler.parent.mkdir(parents=True)
    compiler.write_text((root / ".tools" / "solcx" / compiler.name).read_text(encoding="utf-8"))
    compiler.chmod(0o755)
    data = folder / ".cache" / "ape"
    data.mkdir(parents=True)
    environment = {
        **os.environ,
        "SOLCX_BINARY_PATH": str(compiler.parent),
        "APE_DATA_FOLDER": str(data),
        "BREAKWATER_ROOT": str(folder),
        "PYTHONWARNINGS": "ignore",
    }
    command = [str(folder / ".venv" / "bin" / "ape"), "compile", "--force"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise GateError(f"the second build took more than {LIMIT_SECONDS} s") from error
    manifest = folder / ".build" / "__local__.json"
    if done.returncode or not manifest.exists():
        raise GateError(f"the second build failed: {(done.stdout + done.stderr)[-1500:]}")
    return hashes(manifest)


def hashes(manifest: Path) -> Mapping[str, str]:
    """Per contract the hash of its creation bytecode in a manifest."""
    types = json.loads(manifest.read_text(encoding="utf-8"))["contractTypes"]
    codes = {n: (t.get("deploymentBytecode") or {}).get("bytecode") for n, t in types.items()}
    return {n: hashlib.sha256(code.encode()).hexdigest() for n, code in codes.items() if code}


def differences(first: Mapping[str, str], second: Mapping[str, str]) -> list[str]:
    """Contracts that the two builds do not agree on."""
    return [
        f"{name}: the two builds differ"
        for name in sorted({*first, *second})
        if first.get(name) != second.get(name)
    ]
