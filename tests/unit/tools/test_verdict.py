"""What counts as a proof and what as a refutation: no answer is neither."""

from __future__ import annotations

import pytest
import z3

from tests.support.halmos import GAPS, read
from tests.support.verdict import Undecided, Verdict, impossible


def model(valid: bool) -> dict[str, object]:
    value = {"variable_name": "assets", "value": 255}
    return {"model": {"p_assets_uint256": value}, "is_valid": valid}


def report(code: int, *models: dict[str, object], loops: int = 0) -> dict[str, object]:
    """As halmos writes it for one function."""
    return {
        "name": "check_sum(uint256)",
        "exitcode": code,
        "models": list(models),
        "num_bounded_loops": loops,
    }


def test_read__passed__proven_by_its_name() -> None:
    verdict = read(report(0))
    assert verdict.proven and not verdict.refuted
    assert verdict.statement == "check_sum"


def test_read__counterexample__refuted_and_shown() -> None:
    verdict = read(report(1, model(False), model(True)))
    assert verdict.refuted and not verdict.proven
    assert verdict.counterexample == "assets = 0xff"


def test_read__counterexample_without_inputs__still_refuted() -> None:
    assert read(report(1, {"model": {}, "is_valid": True})).refuted


@pytest.mark.parametrize("code", [*GAPS, 99])
def test_read__any_other_end__undecided(code: int) -> None:
    verdict = read(report(code))
    with pytest.raises(Undecided, match="check_sum: "):
        _ = verdict.proven
    with pytest.raises(Undecided, match="check_sum: "):
        _ = verdict.refuted


def test_read__counterexample_of_free_arithmetic__undecided() -> None:
    with pytest.raises(Undecided, match="uninterpreted"):
        _ = read(report(1, model(False))).refuted


def test_read__loop_cut_off__undecided() -> None:
    with pytest.raises(Undecided, match="loop"):
        _ = read(report(0, loops=1)).proven


def test_read__setup_failed_before_it__undecided() -> None:
    with pytest.raises(Undecided):
        _ = read({"name": "check_sum()", "exitcode": 5}).proven


def test_verdict__counterexample_and_gap__refuted() -> None:
    assert Verdict("sum", counterexample="0", gap="one path had no answer").refuted


def test_impossible__each_answer_of_z3() -> None:
    x = z3.Int("x")
    solver = z3.Solver()
    solver.add(x > 0)
    assert not impossible(solver)
    solver.add(x < 0)
    assert impossible(solver)


def test_impossible__z3_gives_up__undecided() -> None:
    x, y, z = z3.Ints("x y z")
    solver = z3.Solver()
    solver.set("timeout", 1)
    solver.add(x > 2, y > 2, z > 2, x**5 + y**5 == z**5)
    with pytest.raises(Undecided, match="z3: "):
        impossible(solver)
