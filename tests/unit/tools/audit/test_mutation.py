"""The gate of mutation bites: faults act behind their switch only, and survivors are red."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from offchain.artifacts import Artifact
from tests.support.evm import Contract, Evm, Interface, Revert
from tools.audit.instrument import tree
from tools.audit.mutation import judge, plugin, python, solidity, vyper
from tools.audit.mutation.mutant import Mutant
from tools.audit.mutation.runner import Result

PATH = "contracts/safety/Toll.sol"
SOURCE = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

contract Toll {
    uint256 public _paid;
    address private _owner = msg.sender;

    modifier restricted() {
        _checkCanCall(msg.sender, msg.data);
        _;
    }

    function _checkCanCall(address caller, bytes calldata) internal view {
        require(caller == _owner, "not the owner");
    }

    function _msgSender() internal view returns (address) {
        return msg.sender;
    }

    function _msgData() internal pure returns (bytes calldata) {
        return msg.data;
    }

    function feeDown(uint256 amount) internal pure returns (uint256) {
        return amount / 3;
    }

    function feeUp(uint256 amount) internal pure returns (uint256) {
        return (amount + 2) / 3;
    }

    function pay(uint256 amount) external restricted {
        if (amount > 100) revert("too much");
        _paid = _paid + feeUp(amount);
    }
}
"""
SNAKE = """
# pragma version 0.4.3
paid: public(uint256)

@external
def pay(amount: uint256):
    assert amount < 100, "too much"
    self.paid += amount
"""
BOOTH = """
# pragma version 0.4.3
import fees

@external
@view
def price(amount: uint256) -> uint256:
    return fees._with_fee(amount)
"""
FEES = """
# pragma version 0.4.3

@internal
@view
def _with_fee(amount: uint256) -> uint256:
    return amount + 1 if msg.sender != self else amount
"""
LINES = [
    Mutant(PATH, 1, "ROR", "if (a < b)", "a < b", "a <= b"),
    Mutant(PATH, 2, "CR", "b", "c", ""),
]
KILLED, SURVIVED = Result("killed", "tests/t.py::test_t", 0.1), Result("survived", "", 0.1)


class World:
    """The planted contract in as many worlds as there are faults to put in force."""

    def __init__(
        self, abi: list[dict[str, object]], code: bytes, mutants: dict[int, Mutant]
    ) -> None:
        self.abi, self.code, self.mutants = abi, code, mutants

    def number(self, operator: str, new: str = "") -> int:
        (found, *_) = [
            n for n, one in self.mutants.items() if one.operator == operator and new in one.new
        ]
        return found

    def deploy(self, number: int) -> Contract:
        evm = Evm()
        address = evm.create(self.code)
        contract = Contract(
            evm, Interface(Artifact("Toll", self.abi, self.code, b"", PATH)), address
        )
        block = evm._block()
        block_env = type(block)(
            number=evm.block_number,
            timestamp=evm.timestamp,
            gas_limit=10**9,
            coinbase=f"0x{number:040x}",
        )
        evm._evm.set_block_env(block_env)
        return contract


@pytest.fixture(scope="module")
def toll() -> World:
    plants = dict(enumerate(solidity.plants({PATH: SOURCE}), 1))
    text = solidity.planted({PATH: SOURCE}, plants)[PATH]
    answer = tree.solc(
        {
            "language": "Solidity",
            "sources": {PATH: {"content": text}},
            "settings": {
                "evmVersion": "shanghai",
                "viaIR": True,
                "outputSelection": {PATH: {"Toll": ["abi", "evm.bytecode.object"]}},
            },
        }
    )
    entry = answer["contracts"][PATH]["Toll"]
    code = bytes.fromhex(entry["evm"]["bytecode"]["object"])
    return World(entry["abi"], code, {n: plant.mutant for n, plant in plants.items()})


def test_planted__no_fault_in_force__as_written(toll: World) -> None:
    contract = toll.deploy(0)
    contract.pay(100)
    assert contract._paid() == 34
    with pytest.raises(Revert, match="too much"):
        contract.pay(101)
    with pytest.raises(Revert, match="not the owner"):
        contract.pay(1, sender=contract._evm.account("attacker"))


def test_planted__rounding_flip__acts(toll: World) -> None:
    contract = toll.deploy(toll.number("rounding", "feeDown"))
    contract.pay(100)
    assert contract._paid() == 33


def test_planted__modifier_removed__anyone_may(toll: World) -> None:
    contract = toll.deploy(toll.number("modifier removed"))
    contract.pay(3, sender=contract._evm.account("attacker"))
    assert contract._paid() == 1


def test_planted__state_write_deleted__nothing_is_kept(toll: World) -> None:
    contract = toll.deploy(toll.number("state write deleted"))
    contract.pay(100)
    assert contract._paid() == 0


@pytest.mark.parametrize(("new", "refused"), [("amount >= 100", 100), ("amount <= 100", 1)])
def test_planted__flipped_guard__acts(toll: World, new: str, refused: int) -> None:
    contract = toll.deploy(toll.number("ROR", new))
    with pytest.raises(Revert, match="too much"):
        contract.pay(refused)


def test_plants__boundary_that_changes_nothing_by_its_form__left_out() -> None:
    body = """
        uint256 least = a < b ? a : b;
        uint256 more = a > b ? a - b : 0;
        if (a < least) least = uint128(a);
        if (a < more) { more = a; } else { least = a; }
        if (a < 7) b = a;
        return a < b ? a : more;"""
    path = "contracts/amm/Least.sol"
    head = "pragma solidity 0.8.30; contract Least { function some(uint256 a, uint256 b) external "
    source = f"{head} pure returns (uint256) {{ {body} }} }}"
    found = [
        (plant.mutant.old, plant.mutant.new)
        for plant in solidity.plants({path: source})
        if plant.mutant.operator == "ROR"
    ]
    boundaries = [one for one in found if one[1].replace("=", "") == one[0]]
    assert boundaries == [("a < more", "a <= more"), ("a < 7", "a <= 7"), ("a < b", "a <= b")]
    assert len(found) == 6 + len(boundaries), "the other faults of each comparison stay"


def test_planted__vyper__each_fault_behind_its_switch() -> None:
    path = "contracts/safety/Snake.vy"
    plants = dict(enumerate(vyper.plants(path, SNAKE), 1))
    good, (artifact,) = vyper.compile_faults({path: SNAKE}, plants)
    world = World(list(artifact.abi), artifact.bytecode, {n: p.mutant for n, p in good.items()})
    plain = world.deploy(0)
    plain.pay(99)
    with pytest.raises(Revert, match="too much"):
        plain.pay(100)
    unguarded = world.deploy(world.number("guard removed"))
    unguarded.pay(100)
    assert unguarded.paid() == 100
    wider = world.deploy(world.number("ROR", "amount <= 100"))
    wider.pay(100)
    forgetful = world.deploy(world.number("CR"))
    forgetful.pay(99)
    assert forgetful.paid() == 0


def test_planted__vyper_module__fault_acts_in_what_imports_it() -> None:
    sources = {"contracts/Booth.vy": BOOTH, "contracts/fees.vy": FEES}
    found = [plant for path, text in sources.items() for plant in vyper.plants(path, text)]
    good, (artifact,) = vyper.compile_faults(sources, dict(enumerate(found, 1)))
    world = World(list(artifact.abi), artifact.bytecode, {n: p.mutant for n, p in good.items()})
    assert world.deploy(0).price(9) == 10
    assert world.deploy(world.number("AOR", "amount - 1")).price(9) == 8


def test_judge__survivor_in_the_safety_plane__red() -> None:
    results = {LINES[0].key: SURVIVED, LINES[1].key: KILLED}
    verdict = judge.judge(LINES, results, ())
    assert verdict.safety_pct == 50.0
    assert verdict.failures[0] == f"survived in the safety plane: {LINES[0]}"


def test_judge__survivor_with_a_reason__green() -> None:
    accepted = judge.Accepted(PATH, "ROR", "if (a < b)", "", "", "a is never b: see the proof")
    verdict = judge.judge(LINES, {LINES[0].key: SURVIVED, LINES[1].key: KILLED}, (accepted,))
    assert verdict.failures == ()
    assert (verdict.killed_pct, verdict.safety_pct, verdict.accepted) == (100.0, 100.0, 1)


@pytest.mark.parametrize("text", ["if (a < b)", "if (gone)"])
def test_judge__reason_for_a_fault_that_is_noticed_or_gone__stale(text: str) -> None:
    accepted = judge.Accepted(PATH, "ROR", text, "", "", "a is never b: see the proof")
    verdict = judge.judge(LINES, {one.key: KILLED for one in LINES}, (accepted,))
    assert verdict.failures == (f"stale survivor: {PATH}: ROR {text}",)


def test_judge__reason_for_one_of_two_equal_places__does_not_fit_the_other() -> None:
    line = "if (a < b || a < c)"
    first, second = (Mutant(PATH, 1, "LIR", line, "a", "a + 1", turn) for turn in (0, 1))
    accepted = judge.Accepted(PATH, "LIR", line, "a", "a + 1", "a is 0, so ...", turn=0)
    verdict = judge.judge([first, second], {first.key: SURVIVED, second.key: SURVIVED}, (accepted,))
    assert verdict.failures[0] == f"survived in the safety plane: {second}"
    assert verdict.accepted == 1


def test_judge__too_many_survive_elsewhere__red() -> None:
    lines = [Mutant("contracts/amm/A.sol", n, "CR", str(n), "a", "") for n in range(20)]
    results = {one.key: KILLED for one in lines}
    assert judge.judge(lines, {**results, lines[0].key: SURVIVED}, ()).failures == ()
    worse = {**results, lines[0].key: SURVIVED, lines[1].key: Result("uncovered", "", 0.0)}
    failures = judge.judge(lines, worse, ()).failures
    assert failures[0] == "90.0 % of the faults were noticed, not 95.0 %"
    assert len(failures) == 3


@pytest.mark.parametrize(
    "text",
    [
        "[[survivor]",
        '[[survivor]]\npath = "a.sol"\nreason = "long enough a reason"\n',
        '[[survivor]]\npath = "a.sol"\noperator = "ROR"\nreason = "short"\n',
    ],
)
def test_read__no_place_no_reason_or_no_toml__refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "survivors.toml").write_text(text)
    with pytest.raises(judge.SurvivorsError):
        judge.read(tmp_path / "survivors.toml")


def test_put_in_force__python_fault__whoever_imported_it_runs_it() -> None:
    """In a child, so that the fault ends with it."""
    from offchain.journal.merkle import Frontier  # noqa: PLC0415

    path = "offchain/journal/merkle.py"
    before = Frontier([b"x", b"y", b"z"]).root()
    changed = set()
    for mutant in [one for one, _, _ in python.faults(path) if "roots.append" in one.text]:
        child = os.fork()
        if child == 0:
            python.put_in_force(f"{path}:{mutant.key}")
            same = 1
            try:
                same = int(Frontier([b"x", b"y", b"z"]).root() == before)
            finally:
                os._exit(0 if same else 7)
        changed.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    assert Frontier([b"x", b"y", b"z"]).root() == before
    assert 0 in changed


def test_put_in_force__module_imported_later__runs_the_fault(tmp_path: Path) -> None:
    """In a child, where the module that opens a journal's database is not yet imported."""
    path = "offchain/journal/sqlite.py"
    key = next(one.key for one, _, _ in python.faults(path) if "does not exist" in one.old)
    child = os.fork()
    if child == 0:
        verdict = 1
        try:
            sys.modules.pop("offchain.journal.sqlite", None)
            python.put_in_force(f"{path}:{key}")
            from offchain.journal.store import Journal, JournalError  # noqa: PLC0415

            try:
                Journal.open(str(tmp_path / "journal.db"), create=False)
            except JournalError as error:
                verdict = 2 if "does not exist" in str(error) else 0
        finally:
            os._exit(verdict)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_put_in_force__no_function_has_the_fault__refused(monkeypatch: pytest.MonkeyPatch) -> None:
    path = "offchain/journal/merkle.py"
    key = python.faults(path)[0][0].key
    monkeypatch.setattr(python.gc, "get_objects", list)
    with pytest.raises(tree.InstrumentError, match="is in no function of this process"):
        python.put_in_force(f"{path}:{key}")


def test_forked__child_that_never_stops__ends_in_time() -> None:
    def spin() -> None:
        while True:
            pass

    assert plugin.forked([], 0.5, spin).word == "timeout"


def test_forked__child_that_sleeps_for_ever__ends_in_time() -> None:
    began = time.monotonic()
    assert plugin.forked([], 0.02, lambda: time.sleep(60)).word == "timeout"
    assert time.monotonic() - began < 30


def test_forked__no_test_fails__nothing_noticed() -> None:
    assert plugin.forked([], 60, lambda: None).word == "passed"


def test_forked__child_itself_fails__is_no_notice() -> None:
    assert plugin.forked([], 60, lambda: int("no number") and None).word == "crash"
    sound: dict[str, bool] = {}
    assert plugin.hunt([], 60, lambda: int("no number") and None, sound) == ("survived", "crash")


@pytest.mark.parametrize("word", ["failed", "timeout"])
@pytest.mark.parametrize("sound", [True, False])
def test_hunt__test_that_does_so_without_a_fault__has_noticed_nothing(
    monkeypatch: pytest.MonkeyPatch, word: str, sound: bool
) -> None:
    tests: Any = [SimpleNamespace(nodeid="a.py::test"), SimpleNamespace(nodeid="b.py::test")]

    def prepare() -> None:
        """The fault in force."""

    def forked(items: Any, _limit: float, prepared: Any) -> plugin.Outcome:
        if [one.nodeid for one in items] == ["b.py::test"] and prepared is prepare:
            return plugin.Outcome("passed")
        fails = prepared is prepare or not sound
        return plugin.Outcome(word, "a.py::test") if fails else plugin.Outcome("passed")

    monkeypatch.setattr(plugin, "forked", forked)
    by = "a.py::test" if word == "failed" else "timeout"
    expected = ("killed", by) if sound else ("survived", "")
    assert plugin.hunt(tests, 1, prepare, {}) == expected
