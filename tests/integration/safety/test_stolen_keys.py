"""Every key of the plane in a thief's hand, on the whole suite: the worst he can do, and its end.

The page that names these limits is audits/safety-threat-model.md.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts._deployment import permissions
from tests.integration.safety.failures import ACTIONS, order_freeze
from tests.integration.safety.test_failures import impossible
from tests.support.deployment import empty_call
from tests.support.evm import Evm, Revert, reverts
from tests.support.gate import COOLDOWN, MAX_DURATION, REASON, State
from tests.support.plane import ALLOCATOR, DAY, DEPOSIT, GUARDIAN, KEEPER, LIMIT, Suite, build_suite

DELAY = 3 * DAY
FLOOR = LIMIT // 10
NOBODY = "0x" + "00" * 20
NEW_RISK = frozenset({"deposit", "swap"})


@pytest.fixture(scope="module")
def deployed() -> Suite:
    return build_suite(Evm())


@pytest.fixture
def suite(deployed: Suite) -> Iterator[Suite]:
    with deployed.evm.rollback():
        yield deployed


def lapse_all(suite: Suite) -> None:
    """Any user, once the time is over."""
    for target in suite.targets:
        suite.gate.lapse(target, sender=suite.investor)


def states(suite: Suite) -> set[int]:
    return {target.emergencyState() for target in suite.targets}


def test_sentinel__stolen__slows_new_risk_once_and_stops_nobody(suite):
    """Properties: S3, S4"""
    for target in suite.targets:
        suite.gate.throttle(target, REASON, sender=suite.sentinel)
    assert states(suite) == {State.THROTTLED}
    assert impossible(suite) == frozenset()
    for level in (State.WITHDRAW_ONLY, State.FROZEN):
        with reverts():
            suite.gate.raiseState(suite.router, level, 1, REASON, sender=suite.sentinel)
    suite.evm.mine(1, MAX_DURATION)
    lapse_all(suite)
    suite.evm.mine(1, COOLDOWN - MAX_DURATION - 1)
    with reverts("Error", "emergency_gate: ticket not ready"):
        suite.gate.throttle(suite.router, REASON, sender=suite.sentinel)
    assert states(suite) == {State.NORMAL}


def test_guardian__stolen__exits_open_after_one_freeze_at_the_floors_pace(suite):
    """Properties: S4, S6, R9. He freezes everything and tightens everything there is to tighten."""
    order_freeze(suite, suite.guardian)
    guardian, router, breaker = suite.guardian, suite.router, suite.breaker
    guardian.call(breaker, "tightenLimit", router, suite.asset, FLOOR)
    guardian.call(breaker, "tightenWatch", router, 10, 50)
    guardian.call(router, "lowerDepositCap", 0)
    guardian.call(router, "raiseIdleFloor", 10_000)
    guardian.call(router, "lowerCap", suite.strategy, 0, 0)
    assert ACTIONS.keys() - impossible(suite) <= {"priced risk", "trip", "freeze"}

    suite.evm.mine(1, MAX_DURATION)
    lapse_all(suite)
    # His next order is executed, and reports that no ticket is ready.
    order_freeze(suite, guardian)
    assert states(suite) == {State.WITHDRAW_ONLY}
    investor = suite.investor
    assert breaker.available(router, suite.asset) == FLOOR // 2
    assert suite.asset.balanceOf(investor) == DEPOSIT
    router["withdraw(uint256,address,address)"](FLOOR // 2, investor, investor, sender=investor)
    suite.evm.mine(1, DAY)
    # What refills in a day, by whole 2^-24 units a second.
    assert router.maxWithdraw(investor) == ((FLOOR // 2 << 24) // DAY * DAY) >> 24
    for loosening in (("resume", router, REASON), ("setSentinel", NOBODY)):
        with reverts("Error", "GS013"):
            guardian.call(suite.gate, *loosening)


def test_breaker__turned_against_the_users__exits_open_after_one_freeze(suite):
    """Properties: S4, S6, R9. A defect that trips all the time: one freeze, then exits for good."""
    for target in suite.targets:
        suite.gate.trip(target, State.FROZEN, REASON, sender=suite.breaker)
    suite.evm.mine(1, MAX_DURATION)
    lapse_all(suite)
    for _ in range(10):
        for target in suite.targets:
            suite.gate.trip(target, State.FROZEN, REASON, sender=suite.breaker)
        assert states(suite) == {State.WITHDRAW_ONLY}
        suite.evm.mine(1, DAY)
    assert impossible(suite) == NEW_RISK | {"trip"}


def test_governance__stolen__what_loosens_waits_and_everyone_has_left_by_then(suite):
    """Properties: S3, R9. Until his delay is over he has what the guardian has, and no more."""
    safe, authority, breaker = suite.governance, suite.authority, suite.breaker
    suite.govern(authority, "grantRole", 0, safe.contract, DELAY)
    orders = (
        (suite.router, "addStrategy", suite.attacker, DEPOSIT, 10_000),
        (suite.router, "setExitQueue", suite.attacker),
        (suite.router, "setAccessPolicy", suite.attacker),
        (breaker, "setOracle", suite.oracle),
        (breaker, "removeLimit", suite.router, suite.asset),
        (suite.oracle, "setSequencerFeed", NOBODY, 0),
        (authority, "grantRole", 0, suite.attacker, 0),
    )
    for contract, *order in orders:
        with reverts():
            suite.govern(contract, *order)
        call = contract.calldata(*order)
        authority.schedule(contract, call, 0, sender=safe.contract)

    investor, router, asset, strategy = suite.investor, suite.router, suite.asset, suite.strategy
    start = suite.evm.timestamp
    while shares := router.balanceOf(investor):
        with reverts("AccessManagerNotReady"):
            suite.govern(breaker, "removeLimit", router, asset)
        # In kind only the idle part is metered.
        room, idle = breaker.available(router, asset), router.idle()
        going = shares if idle <= room else shares * room // idle
        router.redeemInKind(going, investor, investor, sender=investor)
        suite.evm.mine(1, DAY // 4)
    strategy.redeem(strategy.balanceOf(investor), investor, investor, sender=investor)
    assert suite.evm.timestamp - start < DELAY
    assert 2 * DEPOSIT - asset.balanceOf(investor) < 100, "but for roundings, all of it"


def test_governance__stolen__freezes_no_longer_than_one_duration(suite):
    """Properties: S4, S6"""
    order_freeze(suite, suite.governance)
    suite.evm.mine(1, MAX_DURATION)
    lapse_all(suite)
    order_freeze(suite, suite.governance)
    assert states(suite) == {State.WITHDRAW_ONLY}
    assert impossible(suite) == NEW_RISK


def test_price_publishers__two_of_three__stop_deposits_and_no_exit(suite):
    """Properties: O2, R9"""
    for feed in suite.feeds[:2]:
        feed.setRound(1, suite.evm.timestamp)
        feed.setRound(95 * 10**6 - 1, suite.evm.timestamp)
    suite.watch()
    assert suite.router.emergencyState() == State.WITHDRAW_ONLY
    assert impossible(suite) == {"deposit", "priced risk"}


@pytest.mark.parametrize("who", ["allocator", "keeper", "sentinel", "attacker"])
def test_key__stolen__opens_its_own_functions_only(suite, who):
    """Each restricted function of the router, the breaker and the oracle is tried with it."""
    opened = {"allocator": ALLOCATOR, "keeper": KEEPER}.get(who)
    holder, tried = getattr(suite, who), 0
    named = {"CapitalRouter": suite.router, "CircuitBreaker": suite.breaker}
    for kind, contract in (named | {"PriceOracle": suite.oracle}).items():
        for name, role in permissions.decisions(kind).items():
            for codec in contract._interface.by_name[name]:
                (entry,) = [
                    e
                    for e in contract._interface.artifact.abi
                    if e["type"] == "function" and e["name"] == name
                ]
                with suite.evm.rollback():
                    try:
                        suite.evm.transact(holder, contract, empty_call(entry))
                        reason = ""
                    except Revert as error:
                        reason = error.name
                refused = reason == "AccessManagedUnauthorized"
                assert refused == (role != opened), f"{who} and {codec.signature}: {reason}"
                tried += 1
    assert tried > 20


def test_guardian_role__of_the_authority__is_the_two_safes_alone(suite):
    held = {
        who: suite.authority.hasRole(GUARDIAN, who)[0]
        for who in (suite.guardian.address, suite.governance.address, suite.evm.default_sender)
    }
    assert list(held.values()) == [True, True, False]
    assert not suite.authority.hasRole(0, suite.evm.default_sender)[0], "the deployer keeps nothing"
