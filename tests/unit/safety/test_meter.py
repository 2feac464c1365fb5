"""Meter: which of the breaker's answers refuses an exit; no gas limit chooses the answer."""

from __future__ import annotations

from enum import IntEnum

import pytest

from tests.support.capital import DAY, build_world
from tests.support.evm import Address, Contract, Evm, Revert, reverts
from tests.unit.safety.conftest import Plane

AMOUNT = 1_000
REPORT_GAS = 300_000


class Mode(IntEnum):
    """As in the double `BrokenBreaker`."""

    WORKS = 0
    LIMIT = 1
    SILENT = 2
    OTHER_ERROR = 3
    NAME_ONLY = 4
    LONGER = 5
    PANICS = 6
    BURNS = 7
    HUNGRY = 8


BROKEN = (Mode.SILENT, Mode.OTHER_ERROR, Mode.NAME_ONLY, Mode.LONGER, Mode.PANICS, Mode.BURNS)


@pytest.fixture
def breaker(evm: Evm) -> Contract:
    return evm.deploy("BrokenBreaker")


@pytest.fixture
def reporter(evm: Evm, breaker: Contract) -> Contract:
    return evm.deploy("Reporter", breaker)


@pytest.fixture
def asset(evm: Evm) -> Address:
    return evm.account("asset")


@pytest.mark.parametrize("way", ["leave", "come"])
def test_report__breaker_works__says_nothing(
    evm: Evm, reporter: Contract, asset: Address, way: str
) -> None:
    getattr(reporter, way)(asset, AMOUNT)
    assert evm.events() == []


def test_outflow__limit_reached__refuses_in_the_breakers_words(
    breaker: Contract, reporter: Contract, asset: Address
) -> None:
    """Property: S1."""
    breaker.arm(Mode.LIMIT)
    with reverts("OutflowLimitExceeded", reporter.address, asset, AMOUNT, 1):
        reporter.leave(asset, AMOUNT)


@pytest.mark.parametrize("way", ["leave", "come"])
@pytest.mark.parametrize("mode", BROKEN, ids=lambda mode: mode.name)
def test_report__breaker_broken__goes_on_and_says_so(
    evm: Evm, breaker: Contract, reporter: Contract, asset: Address, mode: Mode, way: str
) -> None:
    """Property: R9. Nothing but the limit's own error holds anybody."""
    breaker.arm(mode)
    getattr(reporter, way)(asset, AMOUNT)
    (event,) = evm.events("Unmetered")
    assert event.args == {"breaker": breaker.address, "asset": asset, "assets": AMOUNT}


def test_outflow__any_gas_limit__hungry_breaker_is_never_passed_over(
    breaker: Contract, reporter: Contract, asset: Address
) -> None:
    """Property: S1. It works for 250 000 gas, then says that the limit is reached."""
    breaker.arm(Mode.HUNGRY)
    answers = set()
    for gas in range(22_000, 500_000, 250):
        with pytest.raises(Revert) as caught:
            reporter.leave(asset, AMOUNT, gas=gas)
        answers.add(caught.value.name or caught.value.halt)
    assert {"InsufficientGas", "OutflowLimitExceeded"} <= answers
    with reverts("InsufficientGas", REPORT_GAS):
        reporter.leave(asset, AMOUNT, gas=260_000)


def test_outflow__any_gas_limit__burning_breaker_is_passed_over_from_one_limit_on(
    evm: Evm, breaker: Contract, reporter: Contract, asset: Address
) -> None:
    """Property: S1, R9. It burns all it gets: broken only if that was the full amount."""
    breaker.arm(Mode.BURNS)
    passed: list[int] = []
    for gas in range(200_000, 500_000, 500):
        with evm.rollback():
            try:
                reporter.leave(asset, AMOUNT, gas=gas)
            except Revert as error:
                assert error.name == "InsufficientGas" or error.halt.startswith("OutOfGas")
                assert not passed, "whoever has more gas is not worse off"
                continue
            assert [event["assets"] for event in evm.events("Unmetered")] == [AMOUNT]
            passed.append(gas)
    assert passed
    assert passed[0] > 21_000 + REPORT_GAS


def test_exit__any_gas_limit__no_more_than_the_limit_and_always_metered(evm: Evm) -> None:
    """Property: S1. On the real router and breaker: too little gas never opens the door."""
    world = build_world(evm, decimals=6, metered=True)
    limit = 10**9
    world.breaker.setLimit(world.router, world.asset, limit, DAY, limit, sender=world.governance)
    holder = evm.account("investor")
    world.deposit(holder, 10 * limit)
    evm.mine(100)
    refused = paid = 0
    for gas in range(25_000, 425_000, 1_000):
        free = world.breaker.available(world.router, world.asset)
        with evm.rollback(), reverts():
            world.router.withdraw(free + 1, holder, holder, sender=holder, gas=gas)
        with evm.rollback():
            try:
                world.router.withdraw(free, holder, holder, sender=holder, gas=gas)
            except Revert:
                refused += 1
                continue
            paid += 1
            assert world.breaker.available(world.router, world.asset) == 0
            assert evm.events("Unmetered") == []
    assert refused and paid


def test_exits__breaker_broken__everyone_leaves_and_max_is_honest(evm: Evm) -> None:
    """Property: R9, R3."""
    world = build_world(evm, decimals=6, metered=True)
    limit = 10**9
    world.breaker.setLimit(world.router, world.asset, limit, DAY, limit, sender=world.governance)
    holder = evm.account("investor")
    world.deposit(holder, 10 * limit)
    evm.mine(100)
    assert world.router.maxWithdraw(holder) < 10 * limit
    evm.etch(world.breaker, bytes.fromhex("5f5ffd"))
    assert world.router.maxWithdraw(holder) == 10 * limit
    world.router.withdraw(10 * limit, holder, holder, sender=holder)
    (event,) = evm.events("Unmetered")
    assert event.args["assets"] == 10 * limit


def test_target__breaker_of_the_plane__is_asked_through_the_meter(plane: Plane) -> None:
    plane.breaker.setLimit(plane.target, plane.asset, 10**6, DAY, 10**6, sender=plane.governance)
    plane.target.setAccounted(10**9)
    with reverts("OutflowLimitExceeded"):
        plane.target.exitMetered(10**6)
