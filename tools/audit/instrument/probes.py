"""Puts probes into Solidity sources: each statement and each way of each condition leaves a mark.

A probe copies no bytes of the code of an address that nobody has; the EVM in process remembers that
it was asked, even if the call reverts or may not write. Behaviour is that of the plain source, but
for gas. As `pure` functions may not ask for that, they are compiled as `view`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.audit.instrument import tree
from tools.audit.instrument.text import Wrap, apply
from tools.audit.instrument.tree import Node

# Address of probe n in test t: BASE + (t << 32) + n. The test's number comes in as the coinbase.
BASE = 0xC0FFEE << 64
YUL_HELPER = (
    "function audit_way(probe, condition) -> same {"
    f" extcodecopy(add(add({BASE:#x}, shl(32, coinbase())), add(probe, iszero(iszero(condition)))),"
    " 0, 0, 0) same := condition } "
)
PURE = re.compile(r"\bpure\b")


@dataclass(frozen=True)
class Probe:
    """One thing that may be covered.

    Attributes:
        path: the source.
        line: where it stands, from 1.
        way: '' for a statement, 'true' or 'false' for a way out of a condition, 'catch' for a
            clause of a `try`.
    """

    path: str
    line: int
    way: str = ""


class Numbers:
    """Hands out the numbers of probes; their order is that of the sources."""

    def __init__(self) -> None:
        self.probes: list[Probe] = []

    def take(self, *probes: Probe) -> int:
        """The number of the first of them; the others follow."""
        first = len(self.probes)
        self.probes += probes
        return first


def _mark(number: int) -> str:
    """A statement of inline assembly's language."""
    # NOTE: a balance that nobody uses would not be asked for: the compiler drops it.
    return f"extcodecopy(add({BASE + number:#x}, shl(32, coinbase())), 0, 0, 0)"


def _statement(number: int) -> str:
    return f'assembly ("memory-safe") {{ {_mark(number)} }} '


def _condition_helper(name: str) -> str:
    return (
        f"\nfunction {name}(uint256 probe, bool condition) view returns (bool) {{"
        ' assembly ("memory-safe") {'
        f" extcodecopy(add(add({BASE:#x}, shl(32, coinbase())), add(probe, condition)), 0, 0, 0)"
        " } return condition; }\n"
    )


def braces(root: Node, source: bytes) -> list[Wrap]:
    """Braces around each body that has none, so that it may grow; to come after its other wraps."""
    return [
        Wrap(tree.span(body)[0], tree.statement_end(body, source), "{ ", " }")
        for node in tree.walk(root)
        for body in tree.bodies(node)
        if body["nodeType"] not in ("Block", "UncheckedBlock")
    ]


def _solidity_wraps(path: str, source: bytes, root: Node, numbers: Numbers) -> list[Wrap]:
    wraps: list[Wrap] = []
    helper = f"_way{hashlib.sha256(path.encode()).hexdigest()[:8]}"
    for statement in tree.statements(root):
        start = tree.span(statement)[0]
        if statement["nodeType"] in ("Block", "UncheckedBlock", "PlaceholderStatement"):
            continue
        number = numbers.take(Probe(path, tree.line_of(source, start)))
        wraps.append(Wrap(start, tree.statement_end(statement, source), _statement(number)))
    wraps += braces(root, source)
    for node in tree.named(
        root, "IfStatement", "ForStatement", "WhileStatement", "Conditional", "FunctionCall"
    ):
        condition = node.get("condition")
        if node["nodeType"] == "FunctionCall":
            required = node["expression"].get("name") == "require"
            condition = node["arguments"][0] if required else None
        if condition is None:
            continue
        start, end = tree.span(condition)
        line = tree.line_of(source, start)
        number = numbers.take(Probe(path, line, "false"), Probe(path, line, "true"))
        wraps.append(Wrap(start, end, f"{helper}({number}, ", ")"))
    for clause in tree.named(root, "TryCatchClause"):
        start = tree.span(clause["block"])[0] + 1
        way = "catch" if source[tree.span(clause)[0] :].startswith(b"catch") else "returns"
        number = numbers.take(Probe(path, tree.line_of(source, start), way))
        wraps.append(Wrap(start, start, " " + _statement(number)))
    wraps.append(Wrap(len(source), len(source), _condition_helper(helper)))
    return wraps


def _assembly_wraps(path: str, source: bytes, root: Node, numbers: Numbers) -> list[Wrap]:
    wraps: list[Wrap] = []
    for block in tree.named(root, "InlineAssembly"):
        conditions = list(tree.named(block["AST"], "YulIf"))
        if conditions:
            start = tree.span(block["AST"])[0] + 1
            wraps.append(Wrap(start, start, f" {YUL_HELPER}"))
        for node in conditions:
            start, end = tree.span(node["condition"])
            line = tree.line_of(source, start)
            number = numbers.take(Probe(path, line, "false"), Probe(path, line, "true"))
            wraps.append(Wrap(start, end, f"audit_way({number}, ", ")"))
        for node in tree.named(block["AST"], "YulCase"):
            start = tree.span(node["body"])[0] + 1
            number = numbers.take(Probe(path, tree.line_of(source, start), "case"))
            wraps.append(Wrap(start, start, f" {_mark(number)} "))
    return wraps


def instrument(sources: Mapping[str, str], numbers: Numbers) -> dict[str, str]:
    """The sources with a probe in every place that can be covered."""
    rewritten = {}
    for path, root in tree.trees(sources).items():
        source = sources[path].encode()
        before = len(numbers.probes)
        wraps = _solidity_wraps(path, source, root, numbers)
        wraps += _assembly_wraps(path, source, root, numbers)
        text = apply(source, wraps).decode() if len(numbers.probes) > before else sources[path]
        rewritten[path] = PURE.sub("view", text)
    return rewritten


def covered(addresses: Sequence[str]) -> set[tuple[int, int]]:
    """(test, probe) of each address that is a probe's."""
    found = set()
    for address in addresses:
        offset = int(address, 16) - BASE
        if 0 <= offset < 1 << 64:
            found.add((offset >> 32, offset & 0xFFFFFFFF))
    return found
