"""Every property of the capital plane can fail: each faulty contract is found by a test of ours.

All faults are compiled in at once, each behind a switch; so there is one compilation, and a run
with the switch off shows that nothing but the fault is found.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import yaml

from offchain.artifacts import ROOT
from tests.fuzz.capital import router_session
from tests.fuzz.capital import test_exit_queue_stateful as queue_fuzz
from tests.fuzz.capital import test_router_model as router_fuzz
from tests.support.capital import World, build_world
from tests.support.evm import Contract, Evm, Revert, interface
from tests.unit.capital import test_attacks as plane
from tests.unit.capital import test_router_attacks as attacks
from tests.unit.capital import test_router_exit as exits
from tests.unit.capital import test_router_plan as plans
from tests.unit.capital import test_router_review as review

pytestmark = pytest.mark.fuzz
CAPITAL = "contracts/capital"
TARGETS = {
    name: f"{CAPITAL}/{name}.sol" for name in ("CapitalRouter", "RouterManager", "ExitQueue")
}
SWITCH = "0x" + f"{0xBEEF:040x}"
SESSIONS, STEPS = 150, 40
LIBRARY = """// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;
library Fault {
    function on(uint256 number) internal view returns (bool) {
        return address(uint160(0xbeef)).balance == number;
    }
}
"""
PRAGMA = "pragma solidity 0.8.30;\n"


# ---- what finds them ----


def router_machine() -> None:
    for run in range(SESSIONS):
        session = router_session.start(11_000_003 + run, router_session.DECIMALS[run % 5])
        for _ in range(STEPS):
            session.step()
            session.compare()


def round_trips() -> None:
    for run in range(SESSIONS):
        router_fuzz.test_round_trip__any_state__never_gains(run)


def queue_machine() -> None:
    for seed in range(SESSIONS):
        queue_fuzz.test_exit_queue__random_lives__equal_the_model(seed)


def with_whale(test: Callable[..., None], **options: Any) -> Callable[[], None]:
    """A unit test over a fresh router and one holder."""

    def find() -> None:
        world: World = build_world(Evm())
        test(world, world.evm.account("whale"), **options)

    return find


def inflation() -> None:
    for decimals in attacks.DECIMALS:
        attacks.test_inflation__first_depositor_donates__gains_nothing(decimals)


def in_kind_gain() -> None:
    evm = Evm()
    people = evm.account("whale"), evm.account("attacker")
    exits.test_redeem_in_kind__unreported_gain__leaves_it_behind(build_world(evm), *people)


def flash_deposit() -> None:
    evm = Evm()
    people = evm.account("whale"), evm.account("attacker")
    plans.test_rebalance__flash_deposit__lifts_no_cap(build_world(evm), *people)


def first_to_leave() -> None:
    review.test_attack__first_to_leave_in_a_large_loss__takes_no_more_than_his_part(18, 100)


def two_open_losses() -> None:
    evm = Evm()
    people = evm.account("whale"), evm.account("investor")
    review.test_report__loss_of_another_is_open__changes_nothing(build_world(evm), *people)


def bounds() -> None:
    attacks.test_breaker__less_is_left__bounds_max_exactly(Evm().account("whale"))


# ---- the faults ----


@dataclass(frozen=True)
class Mutant:
    """One replacement in one source; in `new`, FAULT stands for its own switch."""

    name: str
    prop: str
    source: str
    old: str
    new: str
    finder: Callable[[], None] = router_machine


MUTANTS = (
    Mutant(
        "a recall at a loss takes too little from the total debt",
        "R1",
        "RouterManager",
        "        _debtSlot = slot.withDebt(slot.debt() - gross);",
        "        _debtSlot = slot.withDebt(slot.debt() - (FAULT ? arrived : gross));",
        with_whale(plans.test_rebalance__recall_at_a_loss__books_it_in_the_plan),
    ),
    Mutant(
        "an exit in kind leaves debt behind",
        "R1",
        "RouterExits",
        "slot.withDebt(slot.debt() - debtTaken)",
        "slot.withDebt(slot.debt() - (FAULT ? debtTaken / 2 : debtTaken))",
    ),
    Mutant(
        "a deposit rounds up",
        "R2",
        "CapitalRouter",
        "shares = _down(assets, shares1, assets1);",
        "shares = FAULT ? _up(assets, shares1, assets1) : _down(assets, shares1, assets1);",
    ),
    Mutant(
        "a withdrawal burns a share less",
        "R2",
        "RouterExits",
        "shares = _up(gross, shares1, assets1);",
        "shares = FAULT ? _down(gross, shares1, assets1) : _up(gross, shares1, assets1);",
    ),
    Mutant(
        "a way in pays a tenth more",
        "R2",
        "CapitalRouter",
        "        _requireAtLeast(shares, minShares);",
        "        if (FAULT) shares += shares / 10;\n        _requireAtLeast(shares, minShares);",
        round_trips,
    ),
    Mutant(
        "max redeem is one unit short",
        "R3",
        "RouterExits",
        "if (found < gross) shares = ((found + 1) * shares1 - 1) / assets1;",
        "if (found < gross) shares = FAULT ? found * shares1 / assets1 "
        ": ((found + 1) * shares1 - 1) / assets1;",
        bounds,
    ),
    Mutant(
        "a debt may pass its cap by one",
        "R4",
        "RouterManager",
        "if (debt > cap) revert CapExceeded",
        "if (debt > cap + (FAULT ? 1 : 0)) revert CapExceeded",
    ),
    Mutant(
        "a flash deposit lifts the cap",
        "R4",
        "RouterManager",
        "uint256 cap = _cap(info);\n        if (debt",
        "uint256 cap = FAULT ? (idle_ + slot.debt() + value) * info.capBps / BPS : _cap(info);\n"
        "        if (debt",
        flash_deposit,
    ),
    Mutant(
        "a gain is not locked",
        "R5",
        "RouterReports",
        "next.lockMore(newShares - feeShares,",
        "next.lockMore(FAULT ? 0 : newShares - feeShares,",
    ),
    Mutant(
        "a loss spares locked profit",
        "R5",
        "RouterReports",
        "burnLocked(_down(loss, shares1, assets1))",
        "burnLocked(FAULT ? 0 : _down(loss, shares1, assets1))",
    ),
    Mutant(
        "an exit in kind takes a gain that is not reported",
        "R5",
        "RouterExits",
        "if (ok && worth > debt) part",
        "if (!FAULT && ok && worth > debt) part",
        in_kind_gain,
    ),
    Mutant(
        "a plan's loss is not counted",
        "R6",
        "RouterManager",
        "if (after_ < before) _spendBudget",
        "if (!FAULT && after_ < before) _spendBudget",
        with_whale(plans.test_rebalance__loss__of_the_budget_passes_and_one_more_reverts),
    ),
    Mutant(
        "a plan may lose one more than its budget",
        "R6",
        "RouterManager",
        "if (loss > maxLoss) revert",
        "if (loss > maxLoss + (FAULT ? 1 : 0)) revert",
        with_whale(plans.test_rebalance__loss__of_the_budget_passes_and_one_more_reverts),
    ),
    Mutant(
        "a cancelled request stays queued",
        "R7",
        "ExitQueue",
        "        request.pending = 0;\n        queuedShares -= shares;",
        "        request.pending = 0;\n        if (!FAULT) queuedShares -= shares;",
        queue_machine,
    ),
    Mutant(
        "dust of a payment goes to nobody",
        "R7",
        "ExitQueue",
        "uint256 upTo = Math.mulDiv(paidAssets, sharesSoFar, processedShares);",
        "uint256 upTo = FAULT ? assetsSoFar + Math.mulDiv(paidAssets, shares, processedShares) "
        ": Math.mulDiv(paidAssets, sharesSoFar, processedShares);",
        queue_machine,
    ),
    Mutant(
        "a donation counts as assets",
        "R8",
        "RouterStorage",
        "assets1 = hot.idle() + slot.debt() + 1;",
        "assets1 = (FAULT ? IERC20Metadata(_asset).balanceOf(address(this)) : hot.idle()) "
        "+ slot.debt() + 1;",
        inflation,
    ),
    Mutant(
        "one strategy that holds on to its shares stops an exit in kind",
        "R9",
        "RouterExits",
        "if (ok && (!answered || answer == 1)) return;",
        "if (FAULT && !ok) revert InvalidStrategy(strategy);\n"
        "        if (ok && (!answered || answer == 1)) return;",
        with_whale(exits.test_redeem_in_kind__transfer_refused__is_owed_and_claimed),
    ),
    Mutant(
        "one strategy that refuses to pay stops an exit",
        "R9",
        "RouterExits",
        "                Guarded.requireGas(PULL_GAS);\n",
        "                Guarded.requireGas(PULL_GAS);\n"
        "                if (FAULT) revert InvalidStrategy(strategy);\n",
        with_whale(
            exits.test_redeem__hostile_strategy__is_skipped,
            where=exits.WITHDRAW,
            fault=exits.REVERT,
        ),
    ),
    Mutant(
        "frozen, an exit is still paid",
        "S2",
        "RouterExits",
        "        _requireState(hot, EmergencyState.WITHDRAW_ONLY);\n        if (receiver",
        "        if (!FAULT) _requireState(hot, EmergencyState.WITHDRAW_ONLY);\n"
        "        if (receiver",
    ),
    Mutant(
        "withdraw-only, a deposit still comes in",
        "S2",
        "CapitalRouter",
        "        _requireState(hot, EmergencyState.THROTTLED);\n        if (shares == 0)",
        "        if (!FAULT) _requireState(hot, EmergencyState.THROTTLED);\n"
        "        if (shares == 0)",
    ),
    Mutant(
        "an exit in kind takes more than its share",
        "S2",
        "RouterExits",
        "            uint256 part = _down(held, shares, shares1);",
        "            uint256 part = _down(held, FAULT ? shares + shares / 8 : shares, shares1);",
    ),
    Mutant(
        "an exit forgets that a loss is under review",
        "R5",
        "RouterExits",
        "if (!hot.has(HotSlot.REVIEW)) return (assets1, shares1);",
        "if (FAULT || !hot.has(HotSlot.REVIEW)) return (assets1, shares1);",
        first_to_leave,
    ),
    Mutant(
        "a withdrawal under review burns shares for the strategies' debt",
        "R5",
        "RouterExits",
        "gross = hot.has(HotSlot.REVIEW) ? assets : fromIdle + need.gross;",
        "gross = !FAULT && hot.has(HotSlot.REVIEW) ? assets : fromIdle + need.gross;",
    ),
    Mutant(
        "deposits stay open at book value while a loss is under review",
        "R2",
        "CapitalRouter",
        "if (hot.has(HotSlot.REVIEW)) return 0;",
        "if (!FAULT && hot.has(HotSlot.REVIEW)) return 0;",
    ),
    Mutant(
        "a loss that is booked hides another one that is not",
        "R5",
        "RouterReports",
        "if (_info[_strategies[i]].lossOpen) return;",
        "if (!FAULT && _info[_strategies[i]].lossOpen) return;",
        two_open_losses,
    ),
    Mutant(
        "instant exits take what the queue is owed",
        "S5",
        "RouterExits",
        "if (!hot.has(HotSlot.QUEUE) || owner == _queue) return wanted;",
        "if (FAULT || !hot.has(HotSlot.QUEUE) || owner == _queue) return wanted;",
        plane.test_queue__leaves_it_in_a_loss_to_exit_at_once__others_stay_covered,
    ),
)


def sources() -> dict[str, dict[str, str]]:
    """The capital plane with every fault in it."""
    found = {
        str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / CAPITAL).rglob("*.sol")
    }
    for number, mutant in enumerate(MUTANTS, start=1):
        place = f"{CAPITAL}/{mutant.source}.sol"
        assert found[place].count(mutant.old) == 1, f"{mutant.name}: the source has changed"
        found[place] = found[place].replace(
            mutant.old, mutant.new.replace("FAULT", f"Fault.on({number})")
        )
    for name in {mutant.source for mutant in MUTANTS}:
        place = f"{CAPITAL}/{name}.sol"
        line = f'{PRAGMA}import {{Fault}} from "{CAPITAL}/Fault.sol";\n'
        found[place] = found[place].replace(PRAGMA, line, 1)
    found[f"{CAPITAL}/Fault.sol"] = LIBRARY
    return {place: {"content": text} for place, text in found.items()}


@cache
def faulty() -> dict[str, bytes]:
    """Creation code of the faulty contracts by name; kept beside the other compilations."""
    config = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    request = json.dumps(
        {
            "language": "Solidity",
            "sources": sources(),
            "settings": {
                "evmVersion": config["evm_version"],
                "viaIR": config["via_ir"],
                "optimizer": {"enabled": True, "runs": 1},
                "remappings": config["import_remapping"],
                "outputSelection": {
                    place: {name: ["evm.bytecode.object"]} for name, place in TARGETS.items()
                },
            },
        },
        sort_keys=True,
    )
    others = b"".join(path.read_bytes() for path in sorted((ROOT / "interfaces").rglob("*.sol")))
    digest = hashlib.sha256(request.encode() + others).hexdigest()
    kept = ROOT / ".build" / f"faulty-capital-{digest[:16]}.json"
    if not kept.exists():
        command = ["node", "tools/solc.js", "--standard-json"]
        command += ["--base-path", ".", "--include-path", "node_modules"]
        done = subprocess.run(
            command, cwd=ROOT, input=request, capture_output=True, text=True, check=True
        )
        output = json.loads(done.stdout)
        errors = [
            e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"
        ]
        assert not errors, errors
        partial = kept.with_suffix(".partial")
        partial.write_text(
            json.dumps(
                {
                    name: output["contracts"][place][name]["evm"]["bytecode"]["object"]
                    for name, place in TARGETS.items()
                }
            )
        )
        partial.replace(kept)
    return {name: bytes.fromhex(code) for name, code in json.loads(kept.read_text()).items()}


@contextmanager
def switched(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """Inside, the faulty contracts are deployed in place of ours, with one fault on; 0 is none."""
    deploy, codes = Evm.deploy, faulty()

    def deploy_faulty(self: Evm, name: str, *args: Any, **options: Any) -> Contract:
        if name not in TARGETS:
            return deploy(self, name, *args, **options)
        self._evm.set_balance(SWITCH, number)
        found = interface(name)
        code = codes[name] + found.constructor.encode(args)
        return Contract(self, found, self.create(code, **options))

    with monkeypatch.context() as patch:
        patch.setattr(Evm, "deploy", deploy_faulty)
        yield


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.prop} {m.name}")
def test_mutant__its_propertys_test__finds_it(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: R1, R2, R3, R4, R5, R6, R7, R8, R9, S2, S5."""
    number = MUTANTS.index(mutant) + 1
    with (
        switched(monkeypatch, number),
        pytest.raises((AssertionError, Revert, pytest.fail.Exception)),
    ):
        mutant.finder()


def test_no_fault__the_same_tests__find_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every switch off the same code passes."""
    monkeypatch.setattr("tests.fuzz.capital.test_capital_mutants.SESSIONS", 2)
    with switched(monkeypatch, 0):
        for finder in {mutant.finder for mutant in MUTANTS}:
            finder()


def test_mutants__every_property__has_one() -> None:
    assert {*(f"R{n}" for n in range(1, 10)), "S2"} <= {mutant.prop for mutant in MUTANTS}
