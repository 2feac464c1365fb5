"""Joins the catalogue of properties with the tests, proofs and controls that name them; runs none.

A test names its properties in its docstring: `Property: R2, S5.` A negative control, which breaks a
rule on purpose and demands that the break is found, says `Control: R2.` instead. Everything below
tests/formal/ counts as a proof.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = "audits/properties.toml"
DOCUMENT = "audits/properties.md"
OUTCOMES = "outcomes.json"
KILLS = "reports/mutation-kills.json"
MENTION = re.compile(r"\b(Property|Properties|Controls?):\s*([^.\n]*)")
IDENTIFIER = re.compile(r"\b[A-Z]\d{1,2}\b")


class CatalogueError(ValueError):
    """The catalogue cannot be read; one line."""


@dataclass(frozen=True)
class Mention:
    """One function below tests/ that names properties.

    Attributes:
        place: file and function, as pytest names it, without parameters.
        ids: the properties it names.
        kind: 'test', 'proof' or 'control'.
    """

    place: str
    ids: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Property:
    """One row of the catalogue.

    Attributes:
        name: its id.
        plane: whose promise it is.
        sentence: the promise.
        tests, proofs, controls: places that name it.
        killed: mutants that fell to one of its tests in the last mutation run.
        result: 'passed', 'failed' or 'not run', over its tests and proofs.
    """

    name: str
    plane: str
    sentence: str
    tests: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    killed: int = 0
    result: str = "not run"

    @property
    def tested(self) -> bool:
        """Whether a test names it that was seen to fail when it has to."""
        return bool(self.tests) and bool(self.controls or self.killed)


@dataclass(frozen=True)
class Catalogue:
    """All rows, and what is wrong with them, one line each."""

    rows: tuple[Property, ...]
    failures: tuple[str, ...] = field(default=())

    @property
    def untested(self) -> tuple[str, ...]:
        return tuple(row.name for row in self.rows if not row.tested)


def sentences(path: Path) -> dict[str, tuple[str, str]]:
    """Plane and sentence of each property, in the file's order.

    Raises:
        CatalogueError: the file is missing, is no TOML, or a row lacks its plane or sentence.
    """
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path.name}: {error}") from error
    found = {}
    for name, row in rows.items():
        if not isinstance(row, dict) or not IDENTIFIER.fullmatch(name):
            raise CatalogueError(f"{path.name}: [{name}] is not a property id")
        if not row.get("plane") or not row.get("sentence"):
            raise CatalogueError(f"{path.name}: [{name}] needs a plane and a sentence")
        found[name] = (str(row["plane"]), str(row["sentence"]))
    return found


def _functions(tree: ast.Module) -> Iterable[tuple[str, str]]:
    """Qualified name and docstring of each function at the top or in a class.

    A state machine of hypothesis is a class without a function of its own: it runs as `runTest`.
    """
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, ast.get_docstring(node) or ""
        elif isinstance(node, ast.ClassDef):
            yield f"{node.name}::runTest", ast.get_docstring(node) or ""
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}::{inner.name}", ast.get_docstring(inner) or ""


def mentions_of(place: str, text: str) -> list[Mention]:
    """The functions of one Python file that name properties."""
    found = []
    for name, docstring in _functions(ast.parse(text)):
        for word, rest in MENTION.findall(docstring):
            kind = "proof" if place.startswith("tests/formal/") else "test"
            kind = "control" if word.startswith("Control") else kind
            found.append(Mention(f"{place}::{name}", tuple(IDENTIFIER.findall(rest)), kind))
    return found


def scan(root: Path) -> list[Mention]:
    """All mentions below tests/."""
    return [
        mention
        for path in sorted((root / "tests").rglob("*.py"))
        for mention in mentions_of(path.relative_to(root).as_posix(), path.read_text("utf-8"))
    ]


def outcomes(folder: Path) -> dict[str, str]:
    """Last outcome of each test function, from what pytest left below reports/."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob(f"*-{OUTCOMES}")):
        for place, outcome in json.loads(path.read_text(encoding="utf-8")).items():
            if found.get(place) != "failed":
                found[place] = outcome
    return found


def kills(root: Path) -> dict[str, int]:
    """By test function, the mutants that fell to it first in the last mutation run, if any."""
    path = root / KILLS
    if not path.exists():
        return {}
    return {str(place): int(count) for place, count in json.loads(path.read_text("utf-8")).items()}


def _result(places: Sequence[str], last: Mapping[str, str]) -> str:
    seen = [last[place] for place in places if place in last]
    if "failed" in seen:
        return "failed"
    return "passed" if "passed" in seen else "not run"


def join(
    known: Mapping[str, tuple[str, str]],
    mentions: Sequence[Mention],
    kills: Mapping[str, int],
    last: Mapping[str, str],
) -> Catalogue:
    """The catalogue and every reason why it does not hold.

    Args:
        known: plane and sentence by id.
        mentions: who names which property.
        kills: by test function, the mutants that fell to it first.
        last: by test function, how it ended last.
    """
    failures = [
        f"{mention.place} names {name}, which the catalogue does not have"
        for mention in mentions
        for name in mention.ids
        if name not in known
    ]
    failures += [
        f"{mention.place} says Property or Control and names none"
        for mention in mentions
        if not mention.ids
    ]
    rows = []
    for name, (plane, sentence) in known.items():
        places = {
            kind: tuple(m.place for m in mentions if m.kind == kind and name in m.ids)
            for kind in ("test", "proof", "control")
        }
        killed = sum(kills.get(place, 0) for place in places["test"])
        row = Property(
            name,
            plane,
            sentence,
            places["test"],
            places["proof"],
            places["control"],
            killed,
            _result([*places["test"], *places["proof"]], last),
        )
        rows.append(row)
        if not row.tests:
            failures.append(f"{name} has no test")
        elif not row.tested:
            failures.append(f"no control and no killed mutant shows that a test of {name} can fail")
        if row.result == "failed":
            failures.append(f"a test or proof of {name} failed")
    return Catalogue(tuple(rows), tuple(failures))


def _cell(places: Sequence[str]) -> str:
    """Test functions by file, short enough for a table."""
    files: dict[str, list[str]] = {}
    for place in places:
        file, _, name = place.partition("::")
        shown = name.removesuffix("::runTest").split("::")[-1]
        files.setdefault(file.removeprefix("tests/"), []).append(shown)
    return "<br>".join(
        f"{file}: {', '.join(f'`{name}`' for name in names)}" for file, names in files.items()
    )


def render(catalogue: Catalogue) -> str:
    """The catalogue as a Markdown document."""
    lines = [
        "# Properties",
        "",
        f"Generated by `make audit` from `{CATALOGUE}` and the tests' docstrings; do not edit.",
        "A control breaks the rule on purpose and demands that the break is found. Mutants are",
        "those of the last mutation run that fell first to a test of the property.",
    ]
    for row in catalogue.rows:
        lines += [
            "",
            f"## {row.name} ({row.plane})",
            "",
            row.sentence,
            "",
            "| | |",
            "|---|---|",
            f"| tests | {_cell(row.tests) or '**none**'} |",
            f"| proofs | {_cell(row.proofs) or 'none'} |",
            f"| controls | {_cell(row.controls) or 'none'} |",
            f"| mutants killed | {row.killed} |",
            f"| last result | {row.result} |",
        ]
    return "\n".join(lines) + "\n"


def load(root: Path = ROOT, kills: Mapping[str, int] | None = None) -> Catalogue:
    """The catalogue of a checkout.

    Raises:
        CatalogueError: the file of sentences cannot be read.
    """
    return join(sentences(root / CATALOGUE), scan(root), kills or {}, outcomes(root / "reports"))
