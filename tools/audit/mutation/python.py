"""Faults in the Python that handles money; each is put in force inside one process, on no disk.

Functions that exist already are given the code of their mutated twins: whoever imported them runs
the fault, too. Operators: comparison, arithmetic, logic, conditions fixed, numbers changed, calls
and assignments to attributes removed, `raise` removed.
"""

from __future__ import annotations

import ast
import copy
import gc
import importlib
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

from offchain.artifacts import ROOT
from tools.audit.instrument.state import digest
from tools.audit.instrument.tree import InstrumentError
from tools.audit.mutation import runner
from tools.audit.mutation.mutant import Mutant, numbered
from tools.audit.mutation.runner import Memory, Result

# Seconds for one fault's tests: a loop that never ends is noticed then.
LIMIT = 20.0
# What handles money or the record of it, and where the tests are that must notice.
JOURNAL = "tests/unit/offchain/journal/"
TESTED: dict[str, tuple[str, ...]] = {
    "offchain/journal/events.py": (JOURNAL + "test_events.py",),
    "offchain/journal/merkle.py": (JOURNAL + "test_merkle.py",),
    "offchain/journal/verify.py": (JOURNAL + "test_verify.py",),
    "offchain/journal/sqlite.py": (JOURNAL + "test_sqlite.py", JOURNAL + "test_store.py"),
    "offchain/halt/machine.py": ("tests/unit/offchain/halt",),
    "offchain/batch/packer.py": ("tests/unit/offchain/batch",),
    "offchain/batch/intents.py": ("tests/unit/offchain/batch",),
}
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}


def _alternatives(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Each fault at a node: its operator and what stands there instead."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in COMPARED.get(type(node.ops[0]), ()):
            yield "ROR", ast.Compare(node.left, [other()], node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in CALCULATED:
        if not isinstance(node.left, ast.Constant) or isinstance(node.left.value, int):
            yield "AOR", ast.BinOp(node.left, CALCULATED[type(node.op)](), node.right)
    elif isinstance(node, ast.BoolOp):
        other_logic = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "LOR", ast.BoolOp(other_logic, node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "UOR", node.operand
    elif isinstance(node, ast.If | ast.IfExp):
        for value in (True, False):
            changed = copy.copy(node)
            changed.test = ast.Constant(value)
            yield "MIA", changed
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield "constant", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Raise):
        yield "guard removed", ast.Pass()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "call removed", ast.Pass()
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
        yield "state write deleted", ast.Pass()


def _functions(tree: ast.Module) -> Iterator[ast.AST]:
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from (one for one in inner if isinstance(one, ast.FunctionDef))


def _places(tree: ast.Module) -> Iterator[ast.AST]:
    """Nodes of function bodies; what runs at import is not run again."""
    for function in _functions(tree):
        assert isinstance(function, ast.FunctionDef)
        for statement in function.body:
            yield from ast.walk(statement)


def faults(path: str) -> list[tuple[Mutant, int, int]]:
    """Every fault of a file with the place of its node and of its alternative."""
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.split("\n")
    found = []
    for place, node in enumerate(_places(ast.parse(text))):
        for turn, (operator, other) in enumerate(_alternatives(node)):
            line = int(getattr(node, "lineno", 0))
            old, new = _shown(node), _shown(other)
            one = Mutant(path, line, operator, lines[line - 1].strip(), old, new)
            found.append((one, place, turn))
    turned = numbered([one for one, _, _ in found])
    return [(mutant, place, turn) for mutant, (_, place, turn) in zip(turned, found, strict=True)]


def _shown(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"[:100]
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node)))
    return " ".join(text.split())[:100]


def mutated(path: str, key: str) -> CodeType:
    """The module's code with one fault in it.

    Raises:
        KeyError: the file has no such fault.
    """
    place, turn = next(
        ((place, turn) for one, place, turn in faults(path) if one.key == key), (-1, -1)
    )
    if place < 0:
        raise KeyError(f"{path} has no fault {key}")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    target = list(_places(tree))[place]
    _, other = list(_alternatives(target))[turn]

    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            if node is target:
                return ast.copy_location(other, node)
            return self.generic_visit(node)

    changed = ast.fix_missing_locations(Swap().visit(tree))
    return compile(changed, str(ROOT / path), "exec", dont_inherit=True)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def put_in_force(fault: str) -> None:
    """From now on this process runs the fault, named as path:key.

    Raises:
        InstrumentError: no function of this process has the fault: its tests would notice nothing.
    """
    path, _, key = fault.rpartition(":")
    # A module that a test imports later, itself, would come from the disk and be sound.
    importlib.import_module(path.removesuffix(".py").replace("/", "."))
    fresh = {(one.co_qualname, one.co_firstlineno): one for one in _codes(mutated(path, key))}
    name = str(ROOT / path)
    changed = False
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and function.__code__.co_filename == name:
            code = function.__code__
            twin = fresh.get((code.co_qualname, code.co_firstlineno))
            if twin is not None and twin.co_freevars == code.co_freevars:
                changed = changed or twin != code
                function.__code__ = twin
    if not changed:
        raise InstrumentError(f"the fault {fault} is in no function of this process")


@dataclass(frozen=True)
class Hunt:
    """All faults, and what became of those that were hunted, by key."""

    everything: tuple[Mutant, ...]
    results: Mapping[str, Result]


def hunt(
    costs: Mapping[str, float],
    count: int,
    workers: int,
    seed: int,
    say: Callable[[str], None],
    wanted: Callable[[Mutant], bool] = lambda _mutant: True,
) -> Hunt:
    """Hunts a sample of all faults, or all of them if `count` is as large.

    Args:
        costs: seconds of each test, as they were measured: the cheapest is asked first.
        count: how many faults at most.
        workers: processes side by side.
        seed: of the choice and of the tests' own sampling.
        say: told about progress.
        wanted: narrows what may be chosen.
    """
    ordered = sorted(costs, key=lambda test: (costs[test], test))
    everything = tuple(one for path in TESTED for one, _, _ in faults(path))
    memory = Memory("python", digest(("offchain", "tests/unit/offchain", "tools/audit")))
    chosen = list(everything)
    random.Random(seed).shuffle(chosen)
    chosen = [one for one in chosen[:count] if wanted(one)]
    todo = [one for one in chosen if one.key not in memory.results]
    say(f"Python: {len(chosen)} of {len(everything)} faults chosen, {len(todo)} to hunt")
    jobs = [
        (f"{one.path}:{one.key}", [t for t in ordered if t.startswith(TESTED[one.path])])
        for one in todo
    ]
    results = runner.run("python", jobs, None, workers, seed, say, LIMIT)
    memory.keep({name.rpartition(":")[2]: result for name, result in results.items()})
    keys = {one.key for one in chosen}
    return Hunt(everything, {k: r for k, r in memory.results.items() if k in keys})
