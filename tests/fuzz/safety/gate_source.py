"""Compiles the gate with one change in its sources, for negative controls; writes no file of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle
from vyper.compiler.settings import Settings

from offchain.artifacts import ROOT

SOURCES = ("EmergencyGate.vy", "gate_roles.vy", "target_calls.vy")


def mutated_gate(before: str, after: str) -> bytes:
    """Creation code of the gate with one replacement in one of its sources."""
    texts = {name: (ROOT / "contracts" / "safety" / name).read_text() for name in SOURCES}
    found = sum(text.count(before) for text in texts.values())
    assert found == 1, f"the mutation has lost its place: {before!r} is there {found} times"
    with TemporaryDirectory(prefix="gate-") as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_text(text.replace(before, after))
        bundle = FilesystemInputBundle([Path(folder)])
        compiled = compile_from_file_input(
            bundle.load_file(SOURCES[0]),
            output_formats=["bytecode"],
            settings=Settings(evm_version="shanghai"),
            input_bundle=bundle,
        )
    return bytes.fromhex(compiled["bytecode"].removeprefix("0x"))
