"""Puts the same probes into Vyper sources; reads the syntax tree of Vyper's own compiler.

Each probe is a local variable that nobody reads. Conditions with calls inside are not asked twice:
of those only the statements that follow them are probed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from vyper import ast as vy
from vyper.compiler import compile_code
from vyper.compiler.input_bundle import JSONInputBundle
from vyper.compiler.settings import Settings

from offchain.artifacts import ROOT, Artifact
from tests.support import build
from tools.audit.instrument.probes import BASE, Numbers, Probe

EFFECT = re.compile(r"\b(?:extcall|staticcall|raw_call|send)\b")
PURE = re.compile(r"^@pure$", re.MULTILINE)
SKIPPED = (vy.Pass, vy.VariableDecl, vy.ImplementsDecl)


def production() -> dict[str, str]:
    """Vyper sources below contracts/, by path."""
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "contracts").rglob("*.vy"))
    }


def functions(source: str) -> Iterator[Any]:
    """Every function of a source, as a node of Vyper's tree."""
    yield from vy.parse_to_ast(source).get_children(vy.FunctionDef)


def _statements(body: list[Any]) -> Iterator[Any]:
    for statement in body:
        if isinstance(statement, vy.Expr) and isinstance(statement.value, vy.DocStr | vy.Str):
            continue
        yield statement
        yield from _statements(getattr(statement, "body", []))
        yield from _statements(getattr(statement, "orelse", []))


def text_of(lines: list[str], node: Any) -> str:
    """A node's source, on one line."""
    first, last = node.lineno - 1, node.end_lineno - 1
    if first == last:
        return str(lines[first][node.col_offset : node.end_col_offset])
    inner = [lines[first][node.col_offset :], *lines[first + 1 : last]]
    inner.append(lines[last][: node.end_col_offset])
    return " ".join(line.partition("#")[0].strip() for line in inner)


def _last_line(statement: Any) -> int:
    below = [*getattr(statement, "body", []), *getattr(statement, "orelse", [])]
    return int(max([statement.end_lineno, *map(_last_line, below)]))


def instrument(path: str, source: str, numbers: Numbers) -> str:
    """The source with a probe before each statement and on each way of each condition."""
    lines = source.split("\n")
    before: dict[int, list[str]] = {}
    after: dict[int, list[str]] = {}

    def mark(line: int, indent: int, way: str = "") -> str:
        number = numbers.take(Probe(path, line, way))
        where = f"{BASE + number} + (convert(block.coinbase, uint256) << 32)"
        address = f"convert(convert({where}, uint160), address)"
        return f"{' ' * indent}probe_{number}: uint256 = {address}.balance"

    for function in functions(source):
        for one in _statements(function.body):
            line, indent = one.lineno, one.col_offset
            is_elif = isinstance(one, vy.If) and lines[line - 1].lstrip().startswith("elif")
            if isinstance(one, SKIPPED) or is_elif:
                continue
            before.setdefault(line, []).append(mark(line, indent))
            if not isinstance(one, vy.If | vy.Assert):
                continue
            condition = text_of(lines, one.test)
            if EFFECT.search(condition):
                continue
            if isinstance(one, vy.Assert):
                before[line] += [
                    f"{' ' * indent}if not ({condition}):",
                    mark(line, indent + 4, "false"),
                ]
                continue
            first = one.body[0]
            before.setdefault(first.lineno, []).insert(0, mark(line, first.col_offset, "true"))
            if one.orelse:
                first = one.orelse[0]
                before.setdefault(first.lineno, []).insert(0, mark(line, first.col_offset, "false"))
            else:
                end = _last_line(one)
                after.setdefault(end, []).insert(0, f"{' ' * indent}else:")
                after[end].insert(1, mark(line, indent + 4, "false"))
    text: list[str] = []
    for number, line in enumerate(lines, 1):
        text += [*before.get(number, []), line, *after.get(number, [])]
    return PURE.sub("@view", "\n".join(text))


def _modules(source: str) -> set[str]:
    """Names of the modules that a source imports."""
    imports = vy.parse_to_ast(source).get_children(vy.Import)
    return {str(one.name) for one in imports}


def compile_sources(sources: Mapping[str, str]) -> list[Artifact]:
    """The artifacts of rewritten sources: of those that no other one imports."""
    settings = Settings(evm_version=build._settings()["vyper"]["evm_version"])
    formats = ["abi", "bytecode", "bytecode_runtime"]
    files = {PurePosixPath(path): {"content": text} for path, text in sources.items()}
    modules = {name for text in sources.values() for name in _modules(text)}
    artifacts = []
    for path in files:
        if path.stem in modules:
            continue
        found = compile_code(
            sources[str(path)],
            contract_path=path,
            resolved_path=path,
            input_bundle=JSONInputBundle(files, search_paths=[PurePosixPath(".")]),
            output_formats=formats,
            settings=settings,
        )
        code, runtime = (bytes.fromhex(found[name].removeprefix("0x")) for name in formats[1:])
        artifacts.append(Artifact(path.stem, found["abi"], code, runtime, str(path)))
    return artifacts
