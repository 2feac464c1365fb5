"""The Comet double against its exact model, to the unit, over seeded sequences of calls."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.models.comet import Account, CometModel, Curve, Refused
from tests.peers.compound import Collateral, Market, configuration
from tests.support.evm import Address, Contract, Evm, Revert, reverts

RUNS = int(os.environ.get("FUZZ_RUNS", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))
DAY = 86_400
MAX = 2**256 - 1
PEOPLE = ("saver", "whale", "borrower", "idler")
# Short books and steep curves: rounding and kinks are met within a few calls.
MARKET = Market(min_for_rewards=10, min_borrow=1, borrow_speed=10**12)


@dataclass
class Scene:
    """A market of the double, its model, and people with endless base."""

    evm: Evm
    token: Contract
    collateral: Contract
    comet: Contract
    rewards: Contract
    model: CometModel
    people: dict[str, Address]

    def wait(self, seconds: int) -> None:
        self.evm.mine(1, seconds)
        self.model.now = self.evm.timestamp

    def check(self) -> None:
        comet, model = self.comet, self.model
        totals = list(comet.totalsBasic())
        assert totals[:6] == [
            model.supply_index,
            model.borrow_index,
            *model.tracking,
            model.supplied,
            model.borrowed,
        ]
        assert comet.getUtilization() == model.utilisation()
        for name, address in self.people.items():
            known: Account = model.account(name)
            assert list(comet.userBasic(address))[:3] == [
                known.principal,
                known.tracking_index,
                known.tracked,
            ], name
            assert comet.balanceOf(address) == model.balance(name), name
            assert comet.borrowBalanceOf(address) == model.debt(name), name
        assert self.token.balanceOf(comet) == model.cash


def build(decimals: int) -> Scene:
    evm = Evm()
    token = evm.deploy("TestToken", "Dollar", "USD", decimals)
    collateral = evm.deploy("TestToken", "Collateral", "COL", 18)
    feeds = [evm.deploy("FeedDouble", name, 8, 10**8) for name in ("USD", "COL")]
    put_up = Collateral(collateral.address, feeds[1].address, 18, 8 * 10**17)
    config = configuration(
        evm.default_sender, token.address, feeds[0].address, decimals, [put_up], MARKET
    )
    comet = evm.deploy("CometDouble", config)
    rewards = evm.deploy("CometRewardsDouble", evm.default_sender)
    m, unit = MARKET, 10**decimals
    model = CometModel(
        Curve(m.supply_kink, m.supply_low, m.supply_high, m.supply_base),
        Curve(m.borrow_kink, m.borrow_low, m.borrow_high, m.borrow_base),
        unit,
        m.min_borrow * unit,
        m.min_for_rewards * unit,
        (m.supply_speed, m.borrow_speed),
        m.tracking_scale,
        evm.timestamp,
        evm.timestamp,
    )
    people = {name: evm.account(name) for name in PEOPLE}
    for address in people.values():
        token.mint(address, 10**12 * unit)
        token.approve(comet, MAX, sender=address)
    borrower = people["borrower"]
    collateral.mint(borrower, 1_000 * 10**18)
    collateral.approve(comet, MAX, sender=borrower)
    comet.supply(collateral, 1_000 * 10**18, sender=borrower)
    model.credit["borrower"] = 800 * unit
    return Scene(evm, token, collateral, comet, rewards, model, people)


def step(scene: Scene, rng: random.Random) -> None:
    """One random call on both; both succeed or both refuse for the same reason."""
    name, other = rng.sample(PEOPLE, 2)
    who, unit = scene.people[name], scene.model.unit
    size = rng.choice((rng.randrange(1, 50), rng.randrange(1, unit), rng.randrange(1, 700 * unit)))
    kind = rng.choice(("supply", "supply", "withdraw", "withdraw", "all", "transfer", "touch"))
    expected = ""
    try:
        if kind == "supply":
            scene.model.supply(name, size)
        elif kind == "withdraw":
            scene.model.withdraw(name, size)
        elif kind == "all":
            scene.model.withdraw(name, scene.model.balance(name))
        elif kind == "transfer":
            scene.model.transfer(name, scene.people[other].label, size)
        else:
            scene.model.touch(name)
    except Refused as error:
        expected = str(error)
    got = ""
    try:
        if kind == "supply":
            scene.comet.supply(scene.token, size, sender=who)
        elif kind == "withdraw":
            scene.comet.withdraw(scene.token, size, sender=who)
        elif kind == "all":
            scene.comet.withdraw(scene.token, MAX, sender=who)
        elif kind == "transfer":
            scene.comet.transfer(scene.people[other], size, sender=who)
        else:
            scene.comet.accrueAccount(who)
    except Revert as error:
        got = error.name
    assert got == expected, f"{kind} {size} by {name}"


@pytest.mark.fuzz
@pytest.mark.parametrize("decimals", [6, 18])
def test_any_call__random_sequence__equals_the_model_to_the_unit(decimals: int) -> None:
    for run in range(max(RUNS // 10, 1)):
        rng = random.Random(f"{SEED}/{decimals}/{run}")
        scene = build(decimals)
        scene.comet.supply(scene.token, 500 * scene.model.unit, sender=scene.people["saver"])
        scene.model.supply("saver", 500 * scene.model.unit)
        for _ in range(40):
            if rng.random() < 0.5:
                scene.wait(rng.choice((1, 12, DAY, 200 * DAY)))
            step(scene, rng)
            scene.check()


@pytest.fixture
def scene() -> Scene:
    return build(6)


def test_rate__around_the_kink__is_what_the_configuration_says(scene: Scene) -> None:
    year = 365 * DAY
    low, high = 325 * 10**14, 4 * 10**17
    at_kink = low // year * 8 * 10**17 // 10**18
    assert scene.comet.getSupplyRate(0) == 0
    assert scene.comet.getSupplyRate(8 * 10**17) == at_kink
    assert scene.comet.getSupplyRate(10**18) == at_kink + high // year * 2 * 10**17 // 10**18
    assert scene.comet.getBorrowRate(0) == 15 * 10**15 // year


def test_supply__odd_index__balance_loses_what_rounding_takes_and_never_gains(scene: Scene) -> None:
    unit = scene.model.unit
    scene.comet.supply(scene.token, 1_000 * unit, sender=scene.people["saver"])
    scene.comet.withdraw(scene.token, 700 * unit, sender=scene.people["borrower"])
    scene.evm.mine(1, 100 * DAY)
    lost = set()
    for amount in range(1, 60):
        before = scene.comet.balanceOf(scene.people["idler"])
        scene.comet.supply(scene.token, amount, sender=scene.people["idler"])
        lost.add(before + amount - scene.comet.balanceOf(scene.people["idler"]))
    assert lost <= {0, 1, 2}
    assert 1 in lost, "the index is odd enough to show rounding"


def test_withdraw__everything_lent_out__fails_until_debt_is_repaid(scene: Scene) -> None:
    unit = scene.model.unit
    saver, borrower = scene.people["saver"], scene.people["borrower"]
    scene.comet.supply(scene.token, 600 * unit, sender=saver)
    scene.comet.withdraw(scene.token, 600 * unit, sender=borrower)
    assert scene.comet.getUtilization() == 10**18
    with reverts("ERC20InsufficientBalance"):
        scene.comet.withdraw(scene.token, 1, sender=saver)
    scene.comet.supply(scene.token, MAX, sender=borrower)
    assert scene.comet.borrowBalanceOf(borrower) == 0
    scene.comet.withdraw(scene.token, MAX, sender=saver)
    assert scene.comet.balanceOf(saver) == 0


def test_pause__each_flag__stops_its_action_only(scene: Scene) -> None:
    comet, token, saver = scene.comet, scene.token, scene.people["saver"]
    comet.supply(token, 1_000, sender=saver)
    with reverts("Unauthorized"):
        comet.pause(True, True, True, True, True, sender=saver)
    actions: dict[int, Callable[[], Any]] = {
        0: partial(comet.supply, token, 5, sender=saver),
        1: partial(comet.transfer, scene.people["whale"], 5, sender=saver),
        2: partial(comet.withdraw, token, 5, sender=saver),
    }
    for paused in range(5):
        comet.pause(*(place == paused for place in range(5)))
        flags = (
            comet.isSupplyPaused(),
            comet.isTransferPaused(),
            comet.isWithdrawPaused(),
            comet.isAbsorbPaused(),
            comet.isBuyPaused(),
        )
        assert flags == tuple(place == paused for place in range(5))
        for place, act in actions.items():
            if place == paused:
                with reverts("Paused"):
                    act()
            else:
                act()


def test_from__without_permission__is_refused_until_allowed(scene: Scene) -> None:
    comet, token = scene.comet, scene.token
    saver, idler = scene.people["saver"], scene.people["idler"]
    comet.supply(token, 1_000, sender=saver)
    with reverts("Unauthorized"):
        comet.withdrawFrom(saver, idler, token, 1, sender=idler)
    with reverts("BadAmount"):
        comet.approve(idler, 5, sender=saver)
    comet.approve(idler, MAX, sender=saver)
    comet.withdrawFrom(saver, idler, token, 1, sender=idler)
    assert comet.balanceOf(saver) == 999
    comet.allow(idler, False, sender=saver)
    with reverts("Unauthorized"):
        comet.transferFrom(saver, idler, 1, sender=idler)


def test_reserves__interest_spread__belongs_to_the_governor_only(scene: Scene) -> None:
    unit, comet = scene.model.unit, scene.comet
    comet.supply(scene.token, 1_000 * unit, sender=scene.people["saver"])
    comet.withdraw(scene.token, 700 * unit, sender=scene.people["borrower"])
    scene.evm.mine(1, 365 * DAY)
    reserves = comet.getReserves()
    assert 4 * unit < reserves < 6 * unit, "borrowers pay more than suppliers earn"
    with reverts("Unauthorized"):
        comet.withdrawReserves(scene.people["saver"], 1, sender=scene.people["saver"])
    with reverts("InsufficientReserves"):
        comet.withdrawReserves(scene.people["saver"], reserves + 1)
    comet.withdrawReserves(scene.people["saver"], reserves)
    assert comet.getReserves() == 0


def test_rewards__claimed_to_another__pay_what_was_tracked_once(scene: Scene) -> None:
    unit, comet, rewards = scene.model.unit, scene.comet, scene.rewards
    saver, idler = scene.people["saver"], scene.people["idler"]
    comp = scene.evm.deploy("TestToken", "Compound", "COMP", 18)
    with reverts("NotSupported"):
        rewards.claim(comet, saver, True)
    rewards.setRewardConfig(comet, comp)
    comp.mint(rewards, 10**24)
    comet.supply(scene.token, 1_000 * unit, sender=saver)
    scene.evm.mine(1, 10 * DAY)
    expected = 10**15 // 1_000 * 10 * DAY * unit // (1_000 * unit)
    tracked = 1_000 * unit * expected // 10**15
    assert list(rewards.getRewardOwed(comet, saver)) == [comp.address, tracked * 10**12]
    with reverts("NotPermitted"):
        rewards.claimTo(comet, saver, idler, True, sender=idler)
    rewards.claimTo(comet, saver, idler, True, sender=saver)
    assert comp.balanceOf(idler) == tracked * 10**12
    rewards.claim(comet, saver, True)
    assert comp.balanceOf(saver) == 0
