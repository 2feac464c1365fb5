"""The compiler's syntax trees of the Solidity sources, and walks over them; generates no code."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from offchain.artifacts import ROOT
from tests.support import build

Node = Mapping[str, Any]
SIMPLE = frozenset(
    {
        "ExpressionStatement",
        "Return",
        "RevertStatement",
        "EmitStatement",
        "VariableDeclarationStatement",
        "Continue",
        "Break",
        "PlaceholderStatement",
    }
)
CACHE = ROOT / ".cache" / "audit"


class InstrumentError(Exception):
    """The rewritten sources do not compile, or the compiler failed."""


def solc(request: Mapping[str, Any]) -> dict[str, Any]:
    """The compiler's answer to a standard-JSON request; asked once per request.

    Raises:
        InstrumentError: it reported an error or did not run.
    """
    text = json.dumps(request, sort_keys=True)
    kept = CACHE / "solc" / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
    if kept.exists():
        return dict(json.loads(kept.read_text()))
    command = ["node", "tools/solc.js", "--standard-json", "--base-path", "."]
    command += ["--include-path", "node_modules"]
    done = subprocess.run(
        command, cwd=ROOT, input=text, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise InstrumentError(f"solc failed: {done.stderr.strip()[-500:]}")
    output = json.loads(done.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise InstrumentError("\n".join(errors[:3]))
    kept.parent.mkdir(parents=True, exist_ok=True)
    draft = kept.with_suffix(f".{id(output)}")
    draft.write_text(json.dumps({k: v for k, v in output.items() if k != "errors"}))
    draft.replace(kept)
    return dict(output)


def trees(sources: Mapping[str, str]) -> dict[str, Node]:
    """Syntax tree of each of the sources, by path."""
    remappings = build._settings()["solidity"]["remappings"]
    answer = solc(
        {
            "language": "Solidity",
            "sources": {path: {"content": text} for path, text in sources.items()},
            "settings": {"remappings": remappings, "outputSelection": {"*": {"": ["ast"]}}},
        }
    )
    return {path: answer["sources"][path]["ast"] for path in sources}


def span(node: Node) -> tuple[int, int]:
    """First byte of a node and the one after its last."""
    start, length, _ = node["src"].split(":")
    return int(start), int(start) + int(length)


def children(node: Node) -> Iterator[Node]:
    """Direct children, in no particular order."""
    for value in node.values():
        if isinstance(value, dict) and "nodeType" in value:
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, dict) and "nodeType" in one)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def named(node: Node, *kinds: str) -> Iterator[Node]:
    """All nodes of those kinds at or below a node."""
    return (one for one in walk(node) if one["nodeType"] in kinds)


def statement_end(node: Node, source: bytes) -> int:
    """The byte after a statement, its semicolon included."""
    kind = node["nodeType"]
    if kind == "IfStatement":
        return statement_end(node.get("falseBody") or node["trueBody"], source)
    if kind in ("ForStatement", "WhileStatement"):
        return statement_end(node["body"], source)
    end = span(node)[1]
    if kind not in SIMPLE:
        return end
    rest = source[end:]
    gap = len(rest) - len(rest.lstrip())
    if rest[gap : gap + 1] != b";":
        return end
    return end + gap + 1


def bodies(node: Node) -> Iterator[Node]:
    """Bodies of `if`, `for` and `while` that hang directly below a node."""
    for key in ("trueBody", "falseBody", "body"):
        body = node.get(key)
        if node["nodeType"] in ("IfStatement", "ForStatement", "WhileStatement") and body:
            yield body


def statements(tree: Node) -> Iterator[Node]:
    """Every statement of a source: those of blocks, and single ones that hang below an `if`."""
    for node in walk(tree):
        if node["nodeType"] in ("Block", "UncheckedBlock"):
            yield from node.get("statements", [])
        for body in bodies(node):
            if body["nodeType"] not in ("Block", "UncheckedBlock"):
                yield body


def line_of(source: bytes, position: int) -> int:
    """The line, from 1, that a byte lies on."""
    return source.count(b"\n", 0, position) + 1


def lines(source: bytes) -> Sequence[str]:
    """The source's lines."""
    return source.decode().split("\n")
