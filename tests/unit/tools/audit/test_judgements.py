"""Each gate's verdict over finished measurements: green as it should be, and red for a defect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.verdict import Undecided
from tools.audit.gate import GateError, GateResult
from tools.audit.gates import fuzz, mythril, proofs
from tools.audit.mythril import desk, triage
from tools.audit.mythril.analysis import Analysis, Issue
from tools.audit.mythril.targets import CANARIES, Target
from tools.audit.mythril.triage import Entry, Rule
from tools.audit.pytests import Case

REASON = "the callee is the Safe, which cannot call back in"
ISSUE = Issue("Vault", "exit(uint256)", "107", "External call", "A call to a user", "Low")
ENTRY = Entry("Vault", "exit(uint256)", "107", "aaaa", REASON)
OVERFLOW = Issue("Vault", "enter()", "101", "Overflow", "The arithmetic can overflow", "High")
RULE = Rule("101", "every sum is checked by the compiler")


def analysed(name: str, *issues: Issue, digest: str = "aaaa", executed: int = 900) -> Analysis:
    target = Target(name, b"", b"", digest, {})
    return Analysis(target, "", executed, 1_000, 1.0, True, False, issues)


def canaries() -> list[Analysis]:
    return [analysed(n, replace(ISSUE, contract=n, swc=swc)) for n, swc in CANARIES.items()]


def verdict(
    *production: Analysis, entries: tuple[Entry, ...] = (ENTRY,), rules: tuple[Rule, ...] = (RULE,)
) -> GateResult:
    return mythril.judge(canaries(), production, rules, entries)


def test_mythril__finding_judged_for_this_code__passes() -> None:
    result = verdict(analysed("Vault", ISSUE, OVERFLOW))
    assert result.passed, result.failures
    assert result.figures["mythril_triaged"] == result.figures["mythril_filtered"] == 1


def test_mythril__code_changed__entry_is_stale_and_finding_open() -> None:
    result = verdict(analysed("Vault", ISSUE, digest="bbbb"))
    assert not result.passed
    assert result.figures["mythril_stale"] == result.figures["mythril_untriaged"] == 1


def test_mythril__finding_that_nobody_judged__fails_and_names_it() -> None:
    result = verdict(analysed("Vault", ISSUE), entries=())
    assert not result.passed
    assert result.figures["mythril_untriaged"] == 1
    assert "Vault.exit(uint256): SWC-107" in result.failures[0]


def test_mythril__finding_in_another_function_than_judged__fails() -> None:
    elsewhere = replace(ISSUE, function="enter()")
    assert not verdict(analysed("Vault", ISSUE, elsewhere)).passed


def test_mythril__search_did_not_come_to_the_judged_finding__entry_is_not_stale() -> None:
    result = verdict(analysed("Vault"))
    assert result.passed, result.failures
    assert (result.figures["mythril_unseen"], result.figures["mythril_stale"]) == (1, 0)


def test_mythril__judged_contract_is_gone__entry_is_stale() -> None:
    result = verdict(analysed("Other"))
    assert result.figures["mythril_stale"] == 1 and not result.passed


@pytest.mark.parametrize("swc", sorted(triage.NEVER_BY_RULE))
def test_mythril__rule_for_what_the_canaries_stand_for__hides_nothing_and_fails(swc: str) -> None:
    sweeping = Rule(swc, "there can be no such thing here at all")
    found = replace(ISSUE, swc=swc)
    result = verdict(analysed("Vault", found), entries=(), rules=(sweeping,))
    assert result.figures["mythril_untriaged"] == 1 and result.figures["mythril_filtered"] == 0
    assert not verdict(analysed("Vault"), rules=(sweeping,)).passed


def test_mythril__entry_or_rule_without_a_reason__fails() -> None:
    assert not verdict(analysed("Vault", ISSUE), entries=(replace(ENTRY, reason="fine"),)).passed
    assert not verdict(analysed("Vault", ISSUE), rules=(Rule("101", "fine"),)).passed


def test_mythril__judged_twice__fails() -> None:
    assert not verdict(analysed("Vault", ISSUE), entries=(ENTRY, ENTRY)).passed


@pytest.mark.parametrize(
    "tampered",
    [
        replace(ENTRY, code="0000"),
        replace(ENTRY, function="enter()"),
        replace(ENTRY, swc="106"),
        replace(ENTRY, contract="Other"),
        replace(ENTRY, reason=" "),
    ],
)
def test_mythril__triage_entry_tampered_with__fails(tampered: Entry) -> None:
    assert not verdict(analysed("Vault", ISSUE), entries=(tampered,)).passed


def test_mythril__canary_not_found__fails() -> None:
    silent = [replace(one, issues=()) for one in canaries()]
    result = mythril.judge(silent, [analysed("Vault", ISSUE)], [RULE], [ENTRY])
    assert result.figures["mythril_canary_found"] is False
    assert len(result.failures) == len(CANARIES)


@pytest.mark.parametrize("absent", CANARIES)
def test_mythril__one_canary_not_even_analysed__fails(absent: str) -> None:
    others = [one for one in canaries() if one.target.name != absent]
    result = mythril.judge(others, [analysed("Vault", ISSUE)], [RULE], [ENTRY])
    assert result.figures["mythril_canary_found"] is False and not result.passed
    assert absent in result.failures[0]


@pytest.mark.parametrize(
    "silent",
    [
        analysed("Vault", executed=0),
        replace(analysed("Vault", executed=0), instructions=0),
        replace(analysed("Vault"), failure="Traceback\nKeyError: 1"),
    ],
)
def test_mythril__contract_not_analysed__fails(silent: Analysis) -> None:
    result = verdict(silent, entries=())
    assert result.figures["mythril_contracts"] == 0
    assert not result.passed


def test_mythril__no_contract_at_all__fails() -> None:
    assert not verdict(entries=()).passed


def test_triage__written_and_read__is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "triage.toml"
    quoted = replace(ENTRY, reason='says "no" \\ and é')
    triage.write([RULE], [quoted], path)
    assert triage.read(path) == ([RULE], [quoted])


def test_triage__unknown_key__says_so(tmp_path: Path) -> None:
    path = tmp_path / "triage.toml"
    path.write_text('[[finding]]\ncontract = "Vault"\nexcuse = "none"\n')
    with pytest.raises(GateError, match=r"triage\.toml"):
        triage.read(path)


def test_desk__changed_contract__shows_the_old_reason_and_confirms() -> None:
    found = [analysed("Vault", ISSUE, digest="bbbb")]
    lines, count = desk.questions(found, [RULE], [ENTRY])
    assert count == 2 and f"# judged for earlier code: {REASON}" in lines
    renewed = desk.confirmed(found, [ENTRY], ["Vault"])
    assert desk.questions(found, [RULE], renewed)[1] == 0
    with pytest.raises(GateError, match="nothing to confirm"):
        desk.confirmed(found, renewed, ["Vault"])


def case(test: str, outcome: str = "passed") -> Case:
    return Case(f"tests/formal/test_x.py::{test}", outcome, 1.0, "")


STATEMENTS = [case(f"test_sum__all_inputs__proven[{i}]") for i in range(proofs.LEAST)]
PLAN = proofs.Plan({}, {})


def test_proofs__all_proven__passes() -> None:
    result = proofs.judge(PLAN, 20, [*STATEMENTS, case("test_sum__rule_broken__refuted")])
    assert result.passed
    assert (result.figures["proofs"], result.figures["proofs_total"]) == (proofs.LEAST, 20)


@pytest.mark.parametrize("outcome", ["failed", "skipped"])
def test_proofs__one_not_proven__fails_even_if_a_bound_is_listed(outcome: str) -> None:
    open_one = case("test_product__all_inputs__proven", outcome)
    assert proofs.judge(PLAN, 20, [*STATEMENTS, open_one]).figures["proofs_failed"] == 1
    listed = proofs.Plan({}, {open_one.test: "products below 2^128"})
    assert not proofs.judge(listed, 20, [*STATEMENTS, open_one]).passed


def test_proofs__no_answer__fails_unless_its_bound_is_listed() -> None:
    message = f"{Undecided.__module__}.{Undecided.__name__}: product: the solver's time ran out"
    silent = replace(case("test_product__all_inputs__proven", "failed"), message=message)
    result = proofs.judge(PLAN, 20, [*STATEMENTS, silent])
    assert not result.passed and result.figures["proofs_undecided"] == 1
    assert result.findings[0].what == "no answer"
    listed = proofs.Plan({}, {silent.test: "products below 2^128"})
    result = proofs.judge(listed, 20, [*STATEMENTS, silent])
    assert result.passed and result.figures["proofs_bounded"] == 1


def test_proofs__too_few__fails() -> None:
    assert not proofs.judge(PLAN, 20, STATEMENTS[1:]).passed


def test_proofs__control_not_refuted__fails() -> None:
    control = case("test_sum__rule_broken__refuted", "failed")
    assert not proofs.judge(PLAN, 20, [*STATEMENTS, control]).passed


def test_fuzz__nothing_found__passes() -> None:
    assert fuzz.judge(1, [case("test_old")], [case("test_new")], fuzz.LEAST_CALLS).passed


@pytest.mark.parametrize(
    "result",
    [
        fuzz.judge(1, [case("test_old", "failed")], [case("test_new")], fuzz.LEAST_CALLS),
        fuzz.judge(1, [case("test_old")], [case("test_new", "failed")], fuzz.LEAST_CALLS),
        fuzz.judge(1, [case("test_old", "skipped")], [case("test_new")], fuzz.LEAST_CALLS),
        fuzz.judge(0, [], [case("test_new")], fuzz.LEAST_CALLS),
        fuzz.judge(1, [case("test_old")], [case("test_new")], fuzz.LEAST_CALLS - 1),
    ],
    ids=["old failure", "new failure", "not replayed", "no corpus", "too few calls"],
)
def test_fuzz__defect__fails(result: GateResult) -> None:
    assert not result.passed and result.failures


def test_corpus__unknown_field__says_which_file(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"test": "x", "sead": 1}')
    with pytest.raises(GateError, match=r"bad\.json"):
        fuzz.read_corpus(tmp_path)
