"""The gate of properties bites: each kind of gap in the catalogue turns it red."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.audit import properties, pytests
from tools.audit.gate import Budget, GateError
from tools.audit.gates import properties as gate
from tools.audit.pytests import Case

OUTCOMES = ("skipped", "passed", "failed", "passed")
CATALOGUE = """
[R1]
plane = "capital"
sentence = "Books balance."
"""
TEST = '''
def test_books():
    """Property: R1. At every step."""
'''
CONTROL = '''
class TestBooks:
    def test_broken_books(self):
        """Control: R1."""
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "audits").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "reports").mkdir()
    (tmp_path / "audits" / "properties.toml").write_text(CATALOGUE)
    (tmp_path / "tests" / "test_books.py").write_text(TEST + CONTROL)
    return tmp_path


def run(root: Path) -> tuple[str, ...]:
    result = gate.run(Budget(), root)
    assert result.passed is not bool(result.failures)
    return result.failures


def test_gate__test_and_control__green_and_written(root: Path) -> None:
    assert run(root) == ()
    written = (root / "audits" / "properties.md").read_text()
    assert "Books balance." in written
    assert "`test_books`" in written
    assert "`test_broken_books`" in written


def test_gate__state_machine__is_a_test_by_its_class(root: Path) -> None:
    machine = 'class TestBooks(Books.TestCase):\n    """Property: R1."""\n'
    (root / "tests" / "test_books.py").write_text(machine + CONTROL.replace("TestBooks", "TestBad"))
    assert run(root) == ()
    assert "`TestBooks`" in (root / "audits" / "properties.md").read_text()


def test_gate__how_a_gates_own_run_ended__is_known(root: Path) -> None:
    assert gate.run(Budget(), root).figures["properties_not_run"] == 1
    place = "tests/test_books.py::test_books"
    ended = [Case(f"{place}[{n}]", outcome, 1.0, "") for n, outcome in enumerate(OUTCOMES)]
    pytests.remember("fuzz", ended[:2], root)
    assert gate.run(Budget(), root).figures["properties_not_run"] == 0
    assert "| last result | passed |" in (root / "audits" / "properties.md").read_text()
    pytests.remember("fuzz", ended, root)
    assert run(root) == ("a test or proof of R1 failed",)


def test_gate__no_test__red(root: Path) -> None:
    (root / "tests" / "test_books.py").write_text(CONTROL)
    assert run(root) == ("R1 has no test",)


def test_gate__test_that_was_never_seen_to_fail__red(root: Path) -> None:
    (root / "tests" / "test_books.py").write_text(TEST)
    (failure,) = run(root)
    assert failure == "no control and no killed mutant shows that a test of R1 can fail"


def test_gate__killed_mutant_in_place_of_a_control__green(root: Path) -> None:
    (root / "tests" / "test_books.py").write_text(TEST)
    kills = {"tests/test_books.py::test_books": 3, "tests/test_other.py::test_other": 9}
    (root / properties.KILLS).write_text(json.dumps(kills))
    assert run(root) == ()
    assert "| mutants killed | 3 |" in (root / "audits" / "properties.md").read_text()


def test_gate__id_that_nobody_stated__red(root: Path) -> None:
    (root / "tests" / "test_more.py").write_text(TEST.replace("R1", "R1, R77"))
    (failure,) = run(root)
    assert failure.startswith("tests/test_more.py::test_books names R77")


def test_gate__word_without_an_id__red(root: Path) -> None:
    (root / "tests" / "test_more.py").write_text(TEST.replace("R1", "all of them"))
    (failure,) = run(root)
    assert failure == "tests/test_more.py::test_books says Property or Control and names none"


def test_gate__test_failed_last__red(root: Path) -> None:
    outcomes = {"tests/test_books.py::test_books": "failed"}
    (root / "reports" / "test-outcomes.json").write_text(json.dumps(outcomes))
    assert run(root) == ("a test or proof of R1 failed",)


@pytest.mark.parametrize(
    "text", ["", "[R1]\nplane = 'capital'", "[books]\nplane = 'a'\nsentence = 'b'", "[R1\n"]
)
def test_gate__catalogue_that_cannot_be_read__no_answer(root: Path, text: str) -> None:
    path = root / "audits" / "properties.toml"
    path.write_text(text) if text else path.unlink()
    with pytest.raises(GateError):
        run(root)


def test_catalogue__our_own__every_property_has_a_test_and_every_id_a_sentence() -> None:
    catalogue = properties.load()
    gaps = [f for f in catalogue.failures if "control" not in f and "failed" not in f]
    assert gaps == []
