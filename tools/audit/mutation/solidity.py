"""Faults in Solidity: the operators of slither-mutate that need no other signature, and our own.

Relational, logical, arithmetic, bitwise, unary and assignment operators; conditions fixed or
negated; initial values dropped; statements deleted or replaced by a revert; numbers changed; and,
what slither-mutate lacks: rounding swapped, modifiers removed, state writes deleted as a kind of
their own, and the instructions of inline assembly. Left out is what changes nothing by its form
alone, as `<=` for `<` in a minimum, and `tx.origin`, which the linter refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.audit.instrument import tree
from tools.audit.instrument.probes import PURE, braces
from tools.audit.instrument.text import Wrap, apply
from tools.audit.instrument.tree import Node
from tools.audit.mutation.mutant import Mutant, numbered

RELATIONAL = {
    "<": ("<=", ">="),
    "<=": ("<", ">"),
    ">": (">=", "<="),
    ">=": (">", "<"),
    "==": ("!=",),
    "!=": ("==",),
}
LOGICAL = {"&&": ("||",), "||": ("&&",)}
ARITHMETIC = {"+": ("-",), "-": ("+",), "*": ("/",), "/": ("*",), "%": ("*",)}
BITWISE = {"&": ("|",), "|": ("&",), "^": ("&",), "<<": (">>",), ">>": ("<<",)}
ASSIGNED = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*=", "|=": "&=", "&=": "|="}
YUL = {
    "add": "sub",
    "sub": "add",
    "mul": "div",
    "div": "mul",
    "and": "or",
    "or": "and",
    "shl": "shr",
    "shr": "shl",
    "lt": "gt",
    "gt": "lt",
}
# A block that starts with these has its first probe elsewhere, or reverts anyway.
NO_START = frozenset({"RevertStatement", "PlaceholderStatement", "Block", "UncheckedBlock"})
YUL_EFFECTS = frozenset({"call", "staticcall", "delegatecall", "mstore", "sstore", "revert"})
# Of a comparison and its boundary fault: they differ for equal numbers only.
BOUNDARIES = ({"<", "<="}, {">", ">="})
CAST = re.compile(r"uint\d*\((.*)\)", re.DOTALL)
ZEROES = re.compile(r"^(?:uint\d*|int\d*|bool|address|bytes32)$")
# Rounding by name: the other direction, if a function of that name exists.
ROUNDINGS = (("Down", "Up"), ("Up", "Down"), ("_down", "_up"), ("_up", "_down"))


@dataclass(frozen=True)
class Plant:
    """A fault and how it is put behind its switch."""

    mutant: Mutant
    wraps: Callable[[int], Sequence[Wrap]]


def switch(number: int) -> str:
    """True while the mutant is in force."""
    return f"block.coinbase == address({number})"


class _Source:
    """One source while its faults are collected."""

    def __init__(self, path: str, text: str, root: Node, functions: frozenset[str]) -> None:
        self.path, self.source, self.root = path, text.encode(), root
        self.lines = text.split("\n")
        self.functions = functions
        self.found: list[Plant] = []
        self.line = 0
        # Comparisons whose outcome for equal numbers changes nothing.
        self.indifferent: set[int] = set()

    def text(self, node: Node) -> str:
        low, high = tree.span(node)
        return self.source[low:high].decode()

    def add(
        self, operator: str, old: str, new: str, wraps: Callable[[int], Sequence[Wrap]]
    ) -> None:
        shown = " ".join(old.split())[:100], " ".join(new.split())[:100]
        text = self.lines[self.line - 1].strip()
        self.found.append(Plant(Mutant(self.path, self.line, operator, text, *shown), wraps))

    def replace(self, operator: str, node: Node, new: str, shown: str = "") -> None:
        """An expression behind a switch."""
        low, high = tree.span(node)
        before = f"? {new} : "
        self.add(
            operator,
            self.text(node),
            shown or new,
            lambda number: [Wrap(low, high, f"({switch(number)} {before}", ")")],
        )

    def drop(self, operator: str, node: Node, instead: str = "") -> None:
        """A statement behind a switch, with another in its place."""
        low, high = tree.span(node)[0], tree.statement_end(node, self.source)
        self.add(
            operator,
            self.text(node),
            instead or "nothing",
            lambda number: [
                Wrap(low, high, f"if ({switch(number)}) {{ {instead} }} else {{ ", " }")
            ],
        )


def _expressions(own: _Source, node: Node) -> None:
    kind = node["nodeType"]
    if kind == "BinaryOperation":
        _binary(own, node)
    elif kind == "UnaryOperation" and node["operator"] in ("!", "~", "-"):
        own.replace("UOR", node, own.text(node["subExpression"]))
    elif kind == "UnaryOperation" and node["operator"] in ("++", "--"):
        other = "--" if node["operator"] == "++" else "++"
        own.replace("UOR", node, own.text(node).replace(node["operator"], other))
    elif kind == "Conditional":
        own.replace("MIA", node["condition"], f"!({own.text(node['condition'])})")
    elif kind == "FunctionCall":
        _rounding(own, node)
    elif kind == "MemberAccess" and own.text(node) == "block.timestamp":
        own.replace("SBR", node, "0")


def _binary(own: _Source, node: Node) -> None:
    operator = node["operator"]
    left, right = own.text(node["leftExpression"]), own.text(node["rightExpression"])
    if node.get("isConstant") or node["typeDescriptions"]["typeString"].startswith("int_const"):
        return
    for name, table in (
        ("ROR", RELATIONAL),
        ("LOR", LOGICAL),
        ("AOR", ARITHMETIC),
        ("BOR", BITWISE),
    ):
        for other in table.get(operator, ()):
            if id(node) in own.indifferent and {operator, other} in BOUNDARIES:
                continue
            own.replace(name, node, f"({left}) {other} ({right})", f"{left} {other} {right}")
    if node["commonType"]["typeString"] != "uint256" or operator in ("<<", ">>"):
        return
    for side in (node["leftExpression"], node["rightExpression"]):
        text = own.text(side)
        named = side["nodeType"] == "Identifier" and re.fullmatch(r"[A-Z][A-Z0-9_]+", text)
        number = side["nodeType"] == "Literal" and side.get("kind") == "number"
        if (number and not side.get("subdenomination")) or named:
            low, high = tree.span(side)
            own.add(
                "LIR",
                text,
                f"{text} + 1",
                lambda n, a=low, b=high, t=text: [  # type: ignore[misc]
                    Wrap(a, b, f"uint256({switch(n)} ? {t} + 1 : ", ")")
                ],
            )


def _is_indifferent(own: _Source, node: Node) -> bool:
    """Whether a choice comes out the same either way if the two compared numbers are equal.

    So it is in a minimum or maximum, a difference or 0, and `if (a < b) b = a`.
    """
    condition = node.get("condition")
    if not condition or condition.get("operator") not in RELATIONAL:
        return False
    if any(tree.named(condition, "FunctionCall")):
        return False
    left, right = (own.text(condition[side]) for side in ("leftExpression", "rightExpression"))
    if node["nodeType"] == "Conditional":
        ways = {own.text(node["trueExpression"]), own.text(node["falseExpression"])}
        return ways == {left, right} or ways <= {f"{left} - {right}", f"{right} - {left}", "0"}
    return node["nodeType"] == "IfStatement" and _assigned(own, node) == {left, right}


def _assigned(own: _Source, node: Node) -> set[str]:
    """Both sides of the only thing that an `if` does, an assignment; casts of numbers left out."""
    body = node["trueBody"]
    inner = body["statements"] if body["nodeType"] == "Block" else [body]
    found = inner[0].get("expression", {}) if len(inner) == 1 else {}
    if node.get("falseBody") or found.get("nodeType") != "Assignment" or found["operator"] != "=":
        return set()
    value = own.text(found["rightHandSide"])
    cast = CAST.fullmatch(value)
    return {own.text(found["leftHandSide"]), cast[1] if cast else value}


def _rounding(own: _Source, node: Node) -> None:
    called = node["expression"]
    name = called.get("memberName") or called.get("name")
    if not name:
        return
    low, high = tree.span(called)
    arguments = own.source[high : tree.span(node)[1]].decode()
    for suffix, other in ROUNDINGS:
        swapped = name.removesuffix(suffix) + other
        if name.endswith(suffix) and swapped in own.functions:
            callee = own.source[low:high].decode().removesuffix(name) + swapped
            own.replace("rounding", node, callee + arguments)
            return
    if name == "ceilDiv" and len(node["arguments"]) == 2:
        first, second = map(own.text, node["arguments"])
        own.replace("rounding", node, f"(({first}) / ({second}))")
    for argument in node["arguments"]:
        text = own.text(argument)
        for way, back in (("Floor", "Ceil"), ("Ceil", "Floor")):
            if text.endswith(f"Rounding.{way}"):
                own.replace("rounding", argument, text.removesuffix(way) + back)


def _writes_state(node: Node) -> bool:
    """Whether a statement assigns to something that outlives the call."""
    if node["nodeType"] != "ExpressionStatement":
        return False
    expression = node["expression"]
    target = expression.get("leftHandSide") or expression.get("subExpression")
    while target is not None and target["nodeType"] in ("IndexAccess", "MemberAccess"):
        target = target.get("baseExpression") or target.get("expression")
    return target is not None and (target.get("name") or "").startswith("_")


def _statement(own: _Source, node: Node) -> None:
    kind = node["nodeType"]
    if kind in ("IfStatement", "WhileStatement"):
        for fixed in ("true", "false") if kind == "IfStatement" else ("false",):
            own.replace("MIA", node["condition"], fixed)
    elif kind == "ExpressionStatement":
        own.drop("state write deleted" if _writes_state(node) else "CR", node)
        expression = node["expression"]
        operator = expression.get("operator")
        if expression["nodeType"] == "Assignment" and operator in ASSIGNED:
            left, right = expression["leftHandSide"], expression["rightHandSide"]
            own.drop("ASOR", node, f"{own.text(left)} {ASSIGNED[operator]} {own.text(right)};")
    elif kind in ("EmitStatement", "RevertStatement", "Break", "Continue"):
        own.drop("CR", node)
    elif kind == "VariableDeclarationStatement":
        first = node["declarations"][0]
        value = node.get("initialValue")
        if len(node["declarations"]) != 1 or first is None or value is None:
            return
        kind_of = first["typeDescriptions"]["typeString"]
        if ZEROES.match(kind_of):
            own.replace("MVIV", value, "false" if kind_of == "bool" else f"{kind_of}(0)")


def _assembly(own: _Source, block: Node) -> None:
    # The compiler refuses a function that may return such a pointer without setting it.
    pointers = {
        one["name"]
        for one in tree.named(own.root, "VariableDeclaration")
        if one.get("storageLocation") == "calldata"
    }
    for node in tree.walk(block["AST"]):
        kind = node["nodeType"]
        if kind == "YulFunctionCall":
            name = node["functionName"]["name"]
            inner = {one["functionName"]["name"] for one in tree.named(node, "YulFunctionCall")}
            if name in YUL and not inner & YUL_EFFECTS:
                low, high = tree.span(node)
                plain = own.text(node)
                other = YUL[name] + plain.removeprefix(name)
                own.add(
                    "assembly",
                    plain,
                    other,
                    # Plain arithmetic picks one of the two: Yul has no conditional expression.
                    lambda n, a=low, b=high, o=other, p=plain: [  # type: ignore[misc]
                        Wrap(a, b, f"xor(mul(eq(coinbase(), {n}), xor({o}, {p})), ", ")")
                    ],
                )
        elif kind in ("YulExpressionStatement", "YulAssignment"):
            if pointers & {one["name"] for one in node.get("variableNames", ())}:
                continue
            low, high = tree.span(node)
            own.add(
                "assembly",
                own.text(node),
                "nothing",
                lambda n, a=low, b=high: [  # type: ignore[misc]
                    Wrap(a, b, f"if iszero(eq(coinbase(), {n})) {{ ", " }")
                ],
            )


def _own_expressions(statement: Node) -> Iterator[Node]:
    """Expressions of a statement, not those of the statements in it."""
    pending = [statement]
    while pending:
        node = pending.pop()
        if node is not statement:
            yield node
        below = tree.children(node)
        if node["nodeType"] in ("IfStatement", "ForStatement", "WhileStatement"):
            bodies = [id(body) for body in tree.bodies(node)]
            below = (one for one in below if id(one) not in bodies)
        pending += [
            one
            for one in below
            if one["nodeType"]
            not in ("Block", "UncheckedBlock", "InlineAssembly", "TryCatchClause")
        ]


def _modifiers(own: _Source) -> None:
    for contract in own.root["nodes"]:
        if contract["nodeType"] != "ContractDefinition":
            continue
        end = tree.span(contract)[1] - 1
        for function in contract["nodes"]:
            body = function.get("body") if function["nodeType"] == "FunctionDefinition" else None
            if not body or not body.get("statements"):
                continue
            for modifier in function["modifiers"]:
                if own.text(modifier) != "restricted":
                    continue
                low, high = tree.span(modifier)
                own.line = tree.line_of(own.source, tree.span(body["statements"][0])[0])
                own.add(
                    "modifier removed",
                    f"{function['name']}: restricted",
                    "nothing",
                    lambda n, a=low, b=high, e=end: [  # type: ignore[misc]
                        Wrap(a, a, f"_restrictedBut{n} /*"),
                        Wrap(b, b, "*/"),
                        Wrap(
                            e,
                            e,
                            f" modifier _restrictedBut{n}() {{ if (!({switch(n)})) "
                            "_checkCanCall(_msgSender(), _msgData()); _; } ",
                        ),
                    ],
                )


def plants(sources: Mapping[str, str]) -> list[Plant]:
    """Every fault that can be planted in the sources."""
    roots = tree.trees(sources)
    functions = frozenset(
        node["name"] for root in roots.values() for node in tree.named(root, "FunctionDefinition")
    )
    found: list[Plant] = []
    for path, root in roots.items():
        own = _Source(path, sources[path], root, functions)
        for block in tree.named(root, "Block", "UncheckedBlock"):
            inner = block.get("statements", [])
            if inner and inner[0]["nodeType"] not in NO_START:
                own.line = tree.line_of(own.source, tree.span(inner[0])[0])
                low = tree.span(inner[0])[0]
                own.add(
                    "RR",
                    own.text(inner[0]),
                    "revert()",
                    lambda n, a=low: [Wrap(a, a, f"if ({switch(n)}) revert(); ")],  # type: ignore[misc]
                )
        for statement in tree.statements(root):
            own.line = tree.line_of(own.source, tree.span(statement)[0])
            if statement["nodeType"] in ("Block", "UncheckedBlock"):
                continue
            if statement["nodeType"] == "InlineAssembly":
                _assembly(own, statement)
                continue
            inside = list(_own_expressions(statement))
            own.indifferent = {
                id(one["condition"]) for one in (statement, *inside) if _is_indifferent(own, one)
            }
            for node in inside:
                _expressions(own, node)
            _statement(own, statement)
        _modifiers(own)
        found += own.found
    renumbered = numbered([plant.mutant for plant in found])
    return [Plant(mutant, plant.wraps) for mutant, plant in zip(renumbered, found, strict=True)]


def planted(sources: Mapping[str, str], chosen: Mapping[int, Plant]) -> dict[str, str]:
    """The sources with the chosen faults behind their switches, by number."""
    roots = tree.trees(sources)
    changed: dict[str, str] = {}
    for path, plain in sources.items():
        text, source = plain, plain.encode()
        wraps = [
            wrap
            for number, plant in chosen.items()
            if plant.mutant.path == path
            for wrap in plant.wraps(number)
        ]
        if wraps:
            text = apply(source, [*wraps, *braces(roots[path], source)]).decode()
        changed[path] = PURE.sub("view", text)
    return changed
