"""The emergency gate, to the unit: its constructor's bounds, and answers that are no state."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.evm import Contract, Evm, reverts
from tests.support.gate import (
    COOLDOWN,
    HEARTBEAT,
    MAX_DURATION,
    REASON,
    Cause,
    GateWorld,
    Mode,
    State,
)

NOBODY = "0x" + "00" * 20
DAY = 86_400
YEAR = 365 * DAY


def deploy(evm: Evm, duration: int = DAY, cooldown: int = YEAR, heartbeat: int = DAY) -> Contract:
    """A gate with these times."""
    governance, guardian = evm.account("governance"), evm.account("guardian")
    return evm.deploy("EmergencyGate", governance, guardian, duration, cooldown, heartbeat)


def refuses(reason: str) -> Any:
    return reverts("Error", f"emergency_gate: {reason}")


def test_constructor__shortest_heartbeat__accepted_and_none_refused(evm: Evm) -> None:
    assert deploy(evm, heartbeat=1).heartbeatPeriod() == 1
    with refuses("heartbeat out of bounds"):
        deploy(evm, heartbeat=0)


def test_constructor__longest_heartbeat__accepted_and_a_second_more_refused(evm: Evm) -> None:
    assert deploy(evm, heartbeat=YEAR).heartbeatPeriod() == YEAR
    with refuses("heartbeat out of bounds"):
        deploy(evm, heartbeat=YEAR + 1)


def test_constructor__shortest_duration__accepted_and_none_refused(evm: Evm) -> None:
    assert deploy(evm, duration=1).maxDuration() == 1
    with refuses("duration out of bounds"):
        deploy(evm, duration=0)


def test_constructor__longest_duration__accepted_and_a_second_more_refused(evm: Evm) -> None:
    assert deploy(evm, duration=30 * DAY).maxDuration() == 30 * DAY
    with refuses("duration out of bounds"):
        deploy(evm, duration=30 * DAY + 1)


def test_constructor__shortest_cooldown__accepted_and_a_second_less_refused(evm: Evm) -> None:
    """Property: S4. The cooldown is longer than three durations."""
    assert deploy(evm, cooldown=3 * DAY + 1).cooldown() == 3 * DAY + 1
    with refuses("cooldown out of bounds"):
        deploy(evm, cooldown=3 * DAY)


def test_constructor__longest_cooldown__accepted_and_a_second_more_refused(evm: Evm) -> None:
    assert deploy(evm, cooldown=YEAR).cooldown() == YEAR
    with refuses("cooldown out of bounds"):
        deploy(evm, cooldown=YEAR + 1)


def test_constructor__no_guardian__accepted(evm: Evm) -> None:
    gate = evm.deploy(
        "EmergencyGate", evm.account("governance"), NOBODY, MAX_DURATION, COOLDOWN, HEARTBEAT
    )
    assert gate.guardian() == NOBODY


def test_constructor__governance_is_guardian_or_nobody__refused(evm: Evm) -> None:
    one = evm.account("governance")
    with refuses("one address, two roles"):
        evm.deploy("EmergencyGate", one, one, MAX_DURATION, COOLDOWN, HEARTBEAT)
    with refuses("no governance"):
        evm.deploy("EmergencyGate", NOBODY, one, MAX_DURATION, COOLDOWN, HEARTBEAT)


# --- answers that are no state


@pytest.fixture
def world() -> GateWorld:
    return GateWorld.create(Evm())


@pytest.fixture
def frozen(world: GateWorld) -> Contract:
    """A target that followed, and may turn on the gate from now on."""
    target = world.hostile()[0]
    assert world.raise_to([target], State.FROZEN) == ()
    return target


def test_raise_many__frozen_target_lost_its_code__reported(
    world: GateWorld, frozen: Contract
) -> None:
    world.evm.etch(frozen, b"")
    assert world.raise_to([frozen], State.FROZEN) == (0,)


def test_raise_many__frozen_target_shows_one_beyond_the_gravest__reported(
    world: GateWorld, frozen: Contract
) -> None:
    frozen.arm(Mode.SHOW_JUNK)
    assert frozen.emergencyState() == State.FROZEN + 1
    assert world.raise_to([frozen], State.FROZEN) == (0,)
    (event,) = world.evm.events("RaiseFailed")
    assert (event["target"], event["cause"]) == (frozen.address, Cause.NOT_FOLLOWED)


def test_raise_many__frozen_target_shows_nothing_readable__reported(
    world: GateWorld, frozen: Contract
) -> None:
    for mode in (Mode.SHOW_LONG, Mode.SHOW_SHORT, Mode.REVERT_VIEW):
        frozen.arm(mode)
        assert world.raise_to([frozen], State.FROZEN) == (0,)


def test_raise_many__frozen_target_shows_the_gravest__follows(
    world: GateWorld, frozen: Contract
) -> None:
    frozen.arm(Mode.SHOW_FROZEN)
    assert world.raise_to([frozen], State.FROZEN) == ()


def test_remove__target_shows_one_beyond_the_gravest__may_go(world: GateWorld) -> None:
    target = world.hostile()[0]
    target.arm(Mode.SHOW_JUNK)
    world.gate.remove(target, sender=world.governance)
    assert not world.gate.isTarget(target)


def test_sync__frozen_target_lost_its_code__refused(world: GateWorld, frozen: Contract) -> None:
    world.evm.etch(frozen, b"")
    with refuses("target does not follow"):
        world.gate.sync(frozen)


def test_resume__target_lost_its_code__refused(world: GateWorld, frozen: Contract) -> None:
    world.evm.etch(frozen, b"")
    with refuses("target does not follow"):
        world.gate.resume(frozen, REASON, sender=world.governance)


# --- what the gate itself remembers, against what a target shows


def test_remove__recorded_frozen_and_shows_normal__refused(
    world: GateWorld, frozen: Contract
) -> None:
    """Property: S3. A target cannot leave by its word alone."""
    frozen.arm(Mode.SHOW_NORMAL)
    assert frozen.emergencyState() == State.NORMAL
    with refuses("target is not normal"):
        world.gate.remove(frozen, sender=world.governance)


def test_raise_state__to_what_the_target_shows_already__no_order_is_given(
    world: GateWorld,
) -> None:
    target = world.honest()[0]
    order = (target, State.FROZEN, 1, REASON)
    world.gate.raiseState(*order, sender=world.guardian)
    assert len(world.evm.events("EmergencyStateSet")) == 1
    world.gate.raiseState(*order, sender=world.guardian)
    assert world.evm.events("EmergencyStateSet") == []


def test_propose_governance__holder_of_another_role__refused(world: GateWorld) -> None:
    for holder in (world.guardian, world.breaker, world.sentinel, world.governance):
        with refuses("one address, two roles"):
            world.gate.proposeGovernance(holder, sender=world.governance)
