"""Compiles the pool from changed sources, for mutants and proofs; never for production."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from functools import cache

import yaml

from offchain.artifacts import ROOT

# (source below contracts/amm without its ending, text that stands there once, its replacement)
Change = tuple[str, str, str]


class ChangeError(Exception):
    """A change does not apply, or the changed sources do not compile."""


@cache
def creation_code(contract: str, changes: Sequence[Change] = ()) -> bytes:
    """Creation code of a contract of contracts/amm after the changes (a tuple: it is cached).

    Raises:
        ChangeError: a text to replace does not occur just once, or the compiler refuses.
    """
    config = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    sources = {
        str(path.relative_to(ROOT)): {"content": path.read_text()}
        for path in (ROOT / "contracts" / "amm").glob("*.sol")
    }
    for name, old, new in changes:
        source = sources[f"contracts/amm/{name}.sol"]
        if (count := source["content"].count(old)) != 1:
            raise ChangeError(f"{name}: {old!r} occurs {count} times")
        source["content"] = source["content"].replace(old, new)
    target = f"contracts/amm/{contract}.sol"
    request = {
        "language": "Solidity",
        "sources": sources,
        "settings": {
            "evmVersion": config["evm_version"],
            "viaIR": config["via_ir"],
            "optimizer": {"enabled": True, "runs": 200},
            "remappings": config["import_remapping"],
            "outputSelection": {target: {contract: ["evm.bytecode.object"]}},
        },
    }
    command = ["node", "tools/solc.js", "--standard-json"]
    command += ["--base-path", ".", "--include-path", "node_modules"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(request), capture_output=True, text=True, check=True
    )
    output = json.loads(done.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise ChangeError("\n".join(errors))
    return bytes.fromhex(output["contracts"][target][contract]["evm"]["bytecode"]["object"])
