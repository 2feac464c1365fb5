"""Faults in Vyper, with our own operators: the field's tools do not plant them behind switches.

Comparisons, arithmetic, logic, conditions fixed, statements and assertions deleted, numbers and
constants changed. A fault that the compiler refuses is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vyper import ast as vy
from vyper.exceptions import VyperException

from offchain.artifacts import Artifact
from tools.audit.instrument import vyper as snake
from tools.audit.instrument.text import Wrap, apply
from tools.audit.instrument.tree import InstrumentError
from tools.audit.instrument.vyper import PURE, compile_sources, functions, production
from tools.audit.mutation.mutant import Mutant, numbered

COMPARED = {
    vy.Lt: ("<=", ">="),
    vy.LtE: ("<", ">"),
    vy.Gt: (">=", "<="),
    vy.GtE: (">", "<"),
    vy.Eq: ("!=",),
    vy.NotEq: ("==",),
    vy.In: ("not in",),
    vy.NotIn: ("in",),
}
CALCULATED = {
    vy.Add: "-",
    vy.Sub: "+",
    vy.Mult: "//",
    vy.FloorDiv: "*",
    vy.BitAnd: "|",
    vy.BitOr: "&",
    vy.LShift: ">>",
    vy.RShift: "<<",
}
CONSTANT = re.compile(r"^[A-Z][A-Z0-9_]+$")
# Constants that are no numbers: one more than these means nothing.
SWITCH = re.compile(r"convert\(block\.coinbase, uint256\) [!=]= (\d+)")
PLACE = re.compile(r'contract "([^"]+):\d+",.* line (\d+):(\d+)')
ROUNDS = 40
NO_NUMBER = re.compile(r"^(?:ROLE_|SELECTOR_)")
STATEMENTS = (vy.Assign, vy.AugAssign, vy.Log, vy.Expr, vy.Assert)

__all__ = ["Plant", "compile_faults", "plants", "production"]


@dataclass(frozen=True)
class Plant:
    """A fault and how it is put behind its switch."""

    mutant: Mutant
    wraps: Callable[[int], Sequence[Wrap]]


def on(number: int) -> str:
    """True while the mutant is in force."""
    return f"convert(block.coinbase, uint256) == {number}"


class _Source:
    def __init__(self, path: str, text: str) -> None:
        self.path, self.lines = path, text.split("\n")
        self.offsets = [0]
        for line in self.lines:
            self.offsets.append(self.offsets[-1] + len(line.encode()) + 1)
        self.found: list[Plant] = []
        self.line = 0

    def span(self, node: Any) -> tuple[int, int]:
        def offset(line: int, column: int) -> int:
            return self.offsets[line - 1] + len(self.lines[line - 1][:column].encode())

        return (
            offset(node.lineno, node.col_offset),
            offset(node.end_lineno, node.end_col_offset),
        )

    def text(self, node: Any) -> str:
        return snake.text_of(self.lines, node)

    def add(
        self, operator: str, old: str, new: str, wraps: Callable[[int], Sequence[Wrap]]
    ) -> None:
        text = self.lines[self.line - 1].strip()
        mutant = Mutant(self.path, self.line, operator, text, old[:100], new[:100])
        self.found.append(Plant(mutant, wraps))

    def replace(self, operator: str, node: Any, new: str) -> None:
        low, high = self.span(node)
        self.add(
            operator,
            self.text(node),
            new,
            lambda n: [Wrap(low, high, f"(({new}) if {on(n)} else (", "))")],
        )

    def drop(self, operator: str, node: Any) -> None:
        """A statement that is skipped while the mutant is in force."""
        first, last, indent = node.lineno, node.end_lineno, " " * node.col_offset

        def wraps(number: int) -> list[Wrap]:
            head = Wrap(
                self.offsets[first - 1] + len(indent),
                self.offsets[first - 1] + len(indent),
                f"if convert(block.coinbase, uint256) != {number}:\n{indent}    ",
            )
            rest = [
                Wrap(self.offsets[line], self.offsets[line], "    ") for line in range(first, last)
            ]
            return [head, *rest]

        self.add(operator, self.text(node), "nothing", wraps)


def _below(node: Any) -> Iterator[Any]:
    """Expressions of a statement, not those of the statements in it."""
    inner = {id(one) for name in ("body", "orelse") for one in _list(node, name)}
    pending = [one for one in node.get_children() if id(one) not in inner]
    while pending:
        one = pending.pop()
        yield one
        pending += one.get_children()


def _list(node: Any, name: str) -> list[Any]:
    value = getattr(node, name, [])
    return value if isinstance(value, list) else []


def _expression(own: _Source, node: Any) -> None:
    if isinstance(node, vy.Compare):
        left, right = own.text(node.left), own.text(node.right)
        for other in COMPARED.get(type(node.op), ()):
            own.replace("ROR", node, f"{left} {other} {right}")
    elif isinstance(node, vy.BinOp) and type(node.op) in CALCULATED:
        other = CALCULATED[type(node.op)]
        own.replace("AOR", node, f"{own.text(node.left)} {other} {own.text(node.right)}")
    elif isinstance(node, vy.BoolOp):
        word = " or " if isinstance(node.op, vy.And) else " and "
        own.replace("LOR", node, word.join(own.text(value) for value in node.values))
    elif isinstance(node, vy.UnaryOp) and isinstance(node.op, vy.Not):
        own.replace("UOR", node, own.text(node.operand))
    elif isinstance(node, vy.Name) and CONSTANT.match(node.id) and not NO_NUMBER.match(node.id):
        own.replace("constant", node, f"{node.id} {'-' if node.id == 'UNREADABLE' else '+'} 1")
    elif isinstance(node, vy.Attribute) and own.text(node) == "block.timestamp":
        own.replace("SBR", node, "0")


def plants(path: str, source: str) -> list[Plant]:
    """Every fault that can be planted in the source."""
    own = _Source(path, source)
    for function in functions(source):
        for statement in snake._statements(function.body):
            own.line = statement.lineno
            if isinstance(statement, STATEMENTS):
                kind = {vy.Assert: "guard removed", vy.Assign: "state write deleted"}
                own.drop(kind.get(type(statement), "CR"), statement)
            if isinstance(statement, vy.If):
                own.replace("MIA", statement.test, "True")
                own.replace("MIA", statement.test, "False")
            for node in _below(statement):
                # The name of an event or of a function's argument is no value.
                if not isinstance(statement, vy.AnnAssign) or node is not statement.annotation:
                    _expression(own, node)
    turned = numbered([plant.mutant for plant in own.found])
    return [Plant(mutant, plant.wraps) for mutant, plant in zip(turned, own.found, strict=True)]


def planted(source: str, chosen: Mapping[int, Plant]) -> str:
    """The source with the chosen faults behind their switches."""
    wraps = [wrap for number, plant in chosen.items() for wrap in plant.wraps(number)]
    return PURE.sub("@view", apply(source.encode(), wraps).decode())


def _blamed(error: VyperException, texts: Mapping[str, str]) -> set[int]:
    """Numbers of the faults right before the places that the compiler names."""
    found = set()
    for path, number, column in PLACE.findall(str(error)):
        line = texts[path].split("\n")[int(number) - 1]
        # The place may be the condition's own start, so that its switch stands after it.
        before = SWITCH.findall(line[: int(column)])
        found |= {int(one) for one in before[-1:] or SWITCH.findall(line)[:1]}
    return found


def compile_faults(
    sources: Mapping[str, str], chosen: Mapping[int, Plant]
) -> tuple[dict[int, Plant], list[Artifact]]:
    """The faults that the compiler takes, and the artifacts with them in it.

    Raises:
        InstrumentError: it refuses the sources whatever is left out.
    """
    good = dict(chosen)
    for _ in range(ROUNDS):
        texts = {
            path: planted(
                source, {n: plant for n, plant in good.items() if plant.mutant.path == path}
            )
            for path, source in sources.items()
        }
        try:
            return good, compile_sources(texts)
        except VyperException as error:
            blamed = _blamed(error, texts) & set(good)
            if not blamed:
                raise InstrumentError(f"{', '.join(texts)}: {str(error)[:500]}") from error
            good = {number: plant for number, plant in good.items() if number not in blamed}
    raise InstrumentError(f"{', '.join(sources)}: faults are refused after {ROUNDS} rounds")
