"""The emergency gate: who may move which target where, how long, and what hostile targets do."""

from __future__ import annotations

import pytest

from tests.support import build
from tests.support.evm import Contract, Evm, reverts
from tests.support.gate import (
    COOLDOWN,
    HEARTBEAT,
    LYING,
    MAX_DURATION,
    REASON,
    REFUSING,
    ROLES,
    UNREADABLE,
    Cause,
    GateWorld,
    Mode,
    State,
)

NOBODY = "0x" + "00" * 20
RAISED = (State.THROTTLED, State.WITHDRAW_ONLY, State.FROZEN)


@pytest.fixture
def world() -> GateWorld:
    return GateWorld.create(Evm())


@pytest.fixture
def evm(world) -> Evm:
    return world.evm


@pytest.fixture
def gate(world) -> Contract:
    return world.gate


@pytest.fixture
def target(world) -> Contract:
    return world.honest()[0]


@pytest.fixture
def attacker(world):
    return world.evm.account("attacker")


def refuses(reason: str):
    return reverts("Error", f"emergency_gate: {reason}")


def normalised(abi, kind):
    """Name, types and mutability of every entry, without what the languages spell differently."""
    shape = set()
    for entry in abi:
        if entry["type"] != kind:
            continue
        inputs = tuple((p["type"], p.get("indexed", False)) for p in entry["inputs"])
        outputs = tuple(p["type"] for p in entry.get("outputs", ()))
        shape.add((entry["name"], inputs, outputs, entry.get("stateMutability")))
    return shape


# --- the interface


@pytest.mark.parametrize("kind", ["function", "event"])
def test_interface__vyper_and_solidity__agree_on_every_entry(kind):
    vyper = normalised(build.artifact("EmergencyGate").abi, kind)
    solidity = normalised(build.artifact("SolidityEmergencyGate").abi, kind)
    assert vyper == solidity


# --- construction and roles


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({0: NOBODY}, "no governance"),
        ({1: "governance"}, "one address, two roles"),
        ({2: 0}, "duration out of bounds"),
        ({2: 30 * 86_400 + 1, 3: 365 * 86_400}, "duration out of bounds"),
        ({3: 3 * MAX_DURATION}, "cooldown out of bounds"),
        ({3: 365 * 86_400 + 1}, "cooldown out of bounds"),
        ({4: 0}, "heartbeat out of bounds"),
        ({4: 365 * 86_400 + 1}, "heartbeat out of bounds"),
    ],
)
def test_constructor__argument_out_of_bounds__reverts(evm, world, changed, reason):
    arguments = [world.governance, world.guardian, MAX_DURATION, COOLDOWN, HEARTBEAT]
    for index, value in changed.items():
        arguments[index] = world.governance if value == "governance" else value
    with refuses(reason):
        evm.deploy("EmergencyGate", *arguments)


def test_constructor__least_cooldown__accepted(evm, world):
    arguments = (world.governance, world.guardian, MAX_DURATION, 3 * MAX_DURATION + 1, HEARTBEAT)
    gate = evm.deploy("EmergencyGate", *arguments)
    assert gate.cooldown() == 3 * MAX_DURATION + 1
    assert gate.maxDuration() == MAX_DURATION
    assert gate.heartbeatPeriod() == HEARTBEAT
    assert gate.guardianValidUntil() == evm.timestamp + HEARTBEAT
    moved = [(e["role"], e["previous"], e["current"]) for e in evm.events("RoleMoved")]
    assert moved == [
        (ROLES["governance"], NOBODY, world.governance),
        (ROLES["guardian"], NOBODY, world.guardian),
    ]


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        ("resume", ("target", REASON)),
        ("register", ("target",)),
        ("remove", ("target",)),
        ("setGuardian", ("attacker",)),
        ("setBreaker", ("attacker",)),
        ("setSentinel", ("attacker",)),
        ("proposeGovernance", ("attacker",)),
    ],
)
@pytest.mark.parametrize("role", ["guardian", "breaker", "sentinel", "attacker"])
def test_governance_function__other_caller__reverts(
    world, gate, target, attacker, role, function, arguments
):
    """Property: S3"""
    names = {"target": target, "attacker": attacker}
    sender = attacker if role == "attacker" else getattr(world, role)
    with refuses("caller is not governance"):
        getattr(gate, function)(*(names.get(a, a) for a in arguments), sender=sender)


@pytest.mark.parametrize("role", ["breaker", "sentinel", "attacker"])
@pytest.mark.parametrize("level", RAISED)
def test_raise__caller_without_the_power__reverts(world, gate, target, attacker, role, level):
    sender = attacker if role == "attacker" else getattr(world, role)
    with refuses("caller is not the guardian"):
        gate.raiseMany([target], level, MAX_DURATION, REASON, sender=sender)
    with refuses("caller is not the guardian"):
        gate.raiseState(target, level, MAX_DURATION, REASON, sender=sender)


@pytest.mark.parametrize("role", ["governance", "guardian", "sentinel", "attacker"])
def test_trip__caller_is_not_the_breaker__reverts(world, gate, target, attacker, role):
    sender = attacker if role == "attacker" else getattr(world, role)
    with refuses("caller is not the breaker"):
        gate.trip(target, State.FROZEN, REASON, sender=sender)


@pytest.mark.parametrize("role", ["governance", "guardian", "breaker", "attacker"])
def test_throttle__caller_is_not_the_sentinel__reverts(world, gate, target, attacker, role):
    sender = attacker if role == "attacker" else getattr(world, role)
    with refuses("caller is not the sentinel"):
        gate.throttle(target, REASON, sender=sender)


@pytest.mark.parametrize("role", ["guardian", "breaker", "sentinel"])
def test_set_role__new_holder__old_one_loses_the_power(world, evm, gate, target, role):
    old = getattr(world, role)
    successor = evm.account("successor")
    getattr(gate, f"set{role.capitalize()}")(successor, sender=world.governance)
    event = evm.events("RoleMoved")[0]
    assert (event["role"], event["previous"], event["current"]) == (ROLES[role], old, successor)
    act = {
        "guardian": lambda who: gate.raiseState(target, 3, 1, REASON, sender=who),
        "breaker": lambda who: gate.trip(target, 3, REASON, sender=who),
        "sentinel": lambda who: gate.throttle(target, REASON, sender=who),
    }[role]
    with refuses(f"caller is not the {role}"):
        act(old)
    act(successor)
    assert world.record(target)[0] > State.NORMAL


@pytest.mark.parametrize("function", ["setGuardian", "setBreaker", "setSentinel"])
def test_set_role__holder_of_another_role__reverts(world, gate, function):
    own = {"setGuardian": "guardian", "setBreaker": "breaker", "setSentinel": "sentinel"}[function]
    for role in ROLES:
        if role != own:
            with refuses("one address, two roles"):
                getattr(gate, function)(getattr(world, role), sender=world.governance)
    getattr(gate, function)(NOBODY, sender=world.governance)
    assert getattr(gate, own)() == NOBODY


def test_propose_governance__accepted__moves_only_then(world, evm, gate, attacker):
    successor = evm.account("successor")
    gate.proposeGovernance(successor, sender=world.governance)
    assert gate.governance() == world.governance
    with refuses("caller is not proposed"):
        gate.acceptGovernance(sender=attacker)
    gate.acceptGovernance(sender=successor)
    assert gate.governance() == successor
    assert gate.pendingGovernance() == NOBODY
    with refuses("caller is not governance"):
        gate.setBreaker(attacker, sender=world.governance)
    with refuses("caller is not proposed"):
        gate.acceptGovernance(sender=successor)


def test_propose_governance__taken_back__cannot_be_accepted(world, evm, gate):
    successor = evm.account("successor")
    gate.proposeGovernance(successor, sender=world.governance)
    gate.proposeGovernance(NOBODY, sender=world.governance)
    with refuses("caller is not proposed"):
        gate.acceptGovernance(sender=successor)


def test_accept_governance__proposed_became_guardian_meanwhile__reverts(world, evm, gate):
    successor = evm.account("successor")
    gate.proposeGovernance(successor, sender=world.governance)
    gate.setGuardian(successor, sender=world.governance)
    with refuses("one address, two roles"):
        gate.acceptGovernance(sender=successor)


# --- registering


def test_register__honest_target__listed(world, evm, gate):
    target = world.honest(register=False)[0]
    assert not gate.isTarget(target)
    gate.register(target, sender=world.governance)
    assert evm.events("TargetRegistered")[0]["target"] == target
    assert gate.isTarget(target)
    assert gate.targets() == (target,)


def test_register__twice__reverts(world, gate, target):
    with refuses("already a target"):
        gate.register(target, sender=world.governance)


def test_register__names_another_gate__reverts(world, evm, gate):
    stranger = evm.deploy("HonestTarget", evm.account("attacker"))
    with refuses("target names another gate"):
        gate.register(stranger, sender=world.governance)


def test_register__no_code__reverts(world, evm, gate):
    with refuses("target names another gate"):
        gate.register(evm.account("attacker"), sender=world.governance)


@pytest.mark.parametrize("mode", [*UNREADABLE, Mode.SHOW_FROZEN])
def test_register__does_not_show_normal__reverts(world, gate, mode):
    target = world.hostile(register=False)[0]
    target.arm(mode)
    with refuses("target is not normal"):
        gate.register(target, sender=world.governance)


def test_register__sixty_fifth__reverts(world, gate):
    world.honest(64)
    extra = world.honest(register=False)[0]
    with reverts():
        gate.register(extra, sender=world.governance)
    assert len(gate.targets()) == 64


def test_remove__middle_of_three__others_stay_under_the_gate(world, evm, gate):
    first, second, third = world.honest(3)
    gate.remove(first, sender=world.governance)
    assert evm.events("TargetRemoved")[0]["target"] == first
    assert set(gate.targets()) == {second, third}
    gate.remove(third, sender=world.governance)
    assert gate.targets() == (second,)
    assert world.raise_to([first, second, third], State.FROZEN) == (0, 2)
    gate.register(first, sender=world.governance)
    assert gate.targets() == (second, first)


@pytest.mark.parametrize("level", RAISED)
def test_remove__raised_target__reverts(world, gate, target, level):
    world.raise_to([target], level)
    with refuses("target is not normal"):
        gate.remove(target, sender=world.governance)


def test_remove__shows_frozen_against_the_record__reverts(world, gate):
    target = world.hostile()[0]
    target.overwrite(State.FROZEN)
    with refuses("target is not normal"):
        gate.remove(target, sender=world.governance)


def test_remove__frozen_target_without_code__makes_room(world, evm, gate):
    target = world.hostile()[0]
    world.raise_to([target], State.FROZEN)
    evm.etch(target, b"")
    gate.remove(target, sender=world.governance)
    assert gate.targets() == ()
    assert world.record(target) == (State.NORMAL, 0)


def test_remove__comes_back__brings_its_used_tickets(world, gate, target):
    """Property: S4"""
    world.raise_to([target], State.FROZEN)
    gate.resume(target, REASON, sender=world.governance)
    gate.remove(target, sender=world.governance)
    gate.register(target, sender=world.governance)
    assert world.raise_to([target], State.FROZEN) == (0,)


# --- raising


@pytest.mark.parametrize("role", ["guardian", "governance"])
@pytest.mark.parametrize("level", RAISED)
def test_raise_state__from_normal__target_and_record_follow(world, evm, gate, target, role, level):
    sender = getattr(world, role)
    gate.raiseState(target, level, 1_000, REASON, sender=sender)
    expiry = 0 if level == State.WITHDRAW_ONLY else evm.timestamp + 1_000
    event = evm.events("StateRaised")[0]
    assert dict(event.args) == {
        "target": target.address,
        "by": sender,
        "previous": State.NORMAL,
        "current": level,
        "expiry": expiry,
        "reason": REASON,
    }
    assert world.record(target) == (level, expiry)
    assert target.emergencyState() == level


@pytest.mark.parametrize("before", RAISED)
@pytest.mark.parametrize("level", RAISED)
def test_raise_many__any_pair_of_levels__never_lowers(world, target, before, level):
    world.raise_to([target], before, duration=5_000)
    recorded = world.record(target)
    assert world.raise_to([target], level, sender=world.governance, duration=9_000) == ()
    assert target.emergencyState() == max(before, level)
    if level <= before:
        assert world.record(target) == recorded, "a raise that is none extends nothing"
        assert world.ready_at("governance", target, level) == 0, "and uses no ticket"


@pytest.mark.parametrize("level", [0, 4, 255])
def test_raise__no_such_level__reverts(world, gate, target, level):
    for call in (
        lambda: gate.raiseMany([target], level, 1, REASON, sender=world.guardian),
        lambda: gate.raiseState(target, level, 1, REASON, sender=world.guardian),
    ):
        with refuses("level not allowed"):
            call()


@pytest.mark.parametrize("duration", [0, MAX_DURATION + 1, 2**256 - 1])
@pytest.mark.parametrize("level", [State.THROTTLED, State.FROZEN])
@pytest.mark.parametrize("role", ["guardian", "governance"])
def test_raise__duration_out_of_bounds__reverts(world, gate, target, role, level, duration):
    """Property: S4"""
    sender = getattr(world, role)
    with refuses("duration out of bounds"):
        gate.raiseMany([target], level, duration, REASON, sender=sender)
    with refuses("duration out of bounds"):
        gate.raiseState(target, level, duration, REASON, sender=sender)


@pytest.mark.parametrize("duration", [0, 2**256 - 1])
def test_raise_state__withdraw_only__ignores_the_duration(world, gate, target, duration):
    gate.raiseState(target, State.WITHDRAW_ONLY, duration, REASON, sender=world.guardian)
    assert world.record(target) == (State.WITHDRAW_ONLY, 0)


def test_raise_state__not_a_target__reverts(world, evm, gate):
    with refuses("not a target"):
        gate.raiseState(evm.account("whale"), State.FROZEN, 1, REASON, sender=world.guardian)


def test_raise_many__mixed_list__reports_index_and_cause(world, evm, gate):
    good, used, bad = world.honest()[0], world.honest()[0], world.hostile()[0]
    world.raise_to([used], State.FROZEN)
    gate.resume(used, REASON, sender=world.governance)
    bad.arm(Mode.REVERT)
    stranger = evm.account("whale")
    assert world.raise_to([stranger, used, good, bad, good], State.FROZEN) == (0, 1, 3)
    failed = [(e["target"], e["index"], e["level"], e["cause"]) for e in evm.events("RaiseFailed")]
    assert failed == [
        (stranger, 0, State.FROZEN, Cause.NOT_A_TARGET),
        (used.address, 1, State.FROZEN, Cause.TICKET_NOT_READY),
        (bad.address, 3, State.FROZEN, Cause.NOT_FOLLOWED),
    ]
    assert [e["target"] for e in evm.events("StateRaised")] == [good]
    assert [t.emergencyState() for t in (good, used, bad)] == [3, 0, 0]


def test_raise_many__more_than_the_registry_holds__reverts(world, gate, target):
    with reverts():
        gate.raiseMany([target] * 65, State.FROZEN, 1, REASON, sender=world.guardian)


# --- tickets


@pytest.mark.parametrize("role", ["guardian", "governance"])
@pytest.mark.parametrize("level", RAISED)
def test_ticket__used__ready_again_exactly_after_the_cooldown(
    world, evm, gate, target, role, level
):
    """Property: S4"""
    sender = getattr(world, role)
    used_at = evm.timestamp
    gate.raiseState(target, level, MAX_DURATION, REASON, sender=sender)
    if level == State.WITHDRAW_ONLY and role == "governance":
        assert world.ready_at(role, target, level) == 0
        return
    assert world.ready_at(role, target, level) == used_at + COOLDOWN
    if role == "guardian":
        assert gate.ticketReadyAt(target, level) == used_at + COOLDOWN
    gate.resume(target, REASON, sender=world.governance)
    gate.heartbeat(sender=world.guardian)
    evm.warp(used_at + COOLDOWN - 1)
    with refuses("ticket not ready"):
        gate.raiseState(target, level, MAX_DURATION, REASON, sender=sender)
    evm.warp(used_at + COOLDOWN)
    gate.raiseState(target, level, MAX_DURATION, REASON, sender=sender)
    assert target.emergencyState() == level


def test_ticket__one_level_used__others_and_other_targets_unaffected(world, gate):
    first, second = world.honest(2)
    world.raise_to([first], State.THROTTLED)
    assert world.raise_to([first, second], State.FROZEN) == ()
    gate.resume(first, REASON, sender=world.governance)
    assert world.raise_to([first], State.WITHDRAW_ONLY) == ()


def test_ticket__guardian_replaced__not_renewed(world, evm, gate, target):
    """Property: S4"""
    world.raise_to([target], State.FROZEN)
    gate.resume(target, REASON, sender=world.governance)
    successor = evm.account("successor")
    gate.setGuardian(successor, sender=world.governance)
    assert world.raise_to([target], State.FROZEN, sender=successor) == (0,)


def test_ticket__guardian_used_its_own__governance_still_can(world, gate, target):
    world.raise_to([target], State.FROZEN)
    gate.resume(target, REASON, sender=world.governance)
    gate.raiseState(target, State.FROZEN, MAX_DURATION, REASON, sender=world.governance)
    assert target.emergencyState() == State.FROZEN


def test_raise_state__frozen_ran_out_but_nobody_lapsed__needs_a_ticket(world, evm, target):
    """Property: S4"""
    world.raise_to([target], State.FROZEN, duration=100)
    evm.mine(1, 100)
    assert world.raise_to([target], State.FROZEN) == (0,)
    assert world.raise_to([target], State.FROZEN, sender=world.governance, duration=50) == ()
    assert world.record(target) == (State.FROZEN, evm.timestamp + 50)


def test_all_keys_against_the_users__frozen_time_in_a_cooldown__at_most_three_durations(
    world, evm, gate, target
):
    """Property: S4. Guardian, breaker and governance freeze one after the other, without a gap."""
    start = evm.timestamp
    world.raise_to([target], State.FROZEN)
    evm.warp(start + MAX_DURATION)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    evm.warp(start + 2 * MAX_DURATION)
    gate.raiseState(target, State.FROZEN, MAX_DURATION, REASON, sender=world.governance)
    evm.warp(start + 3 * MAX_DURATION)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    for sender in (world.governance, world.guardian):
        with refuses("ticket not ready"):
            gate.raiseState(target, State.FROZEN, MAX_DURATION, REASON, sender=sender)
    gate.lapse(target, sender=evm.account("investor"))
    assert target.emergencyState() == State.WITHDRAW_ONLY
    evm.warp(start + COOLDOWN - 1)
    for sender in (world.governance, world.guardian):
        with refuses("ticket not ready"):
            gate.raiseState(target, State.FROZEN, MAX_DURATION, REASON, sender=sender)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    assert target.emergencyState() == State.WITHDRAW_ONLY


# --- time


def test_lapse__frozen__withdraw_only_from_the_expiry_on(world, evm, gate, target, attacker):
    """Property: S6"""
    world.raise_to([target], State.FROZEN, duration=1_000)
    evm.mine(1, 999)
    with refuses("nothing has lapsed"):
        gate.lapse(target, sender=attacker)
    evm.mine(1, 1)
    gate.lapse(target, sender=attacker)
    event = evm.events("StateLapsed")[0]
    assert dict(event.args) == {
        "target": target.address,
        "by": attacker,
        "previous": State.FROZEN,
        "current": State.WITHDRAW_ONLY,
    }
    assert world.record(target) == (State.WITHDRAW_ONLY, 0)
    assert target.emergencyState() == State.WITHDRAW_ONLY


def test_lapse__throttled__normal(world, evm, gate, target, attacker):
    gate.throttle(target, REASON, sender=world.sentinel)
    evm.mine(1, MAX_DURATION - 1)
    with refuses("nothing has lapsed"):
        gate.lapse(target, sender=attacker)
    evm.mine(1, 1)
    gate.lapse(target, sender=attacker)
    assert world.record(target) == (State.NORMAL, 0)
    assert target.emergencyState() == State.NORMAL


def test_lapse__throttled_was_raised_to_frozen__withdraw_only_not_normal(world, evm, gate, target):
    """Property: S3"""
    gate.throttle(target, REASON, sender=world.sentinel)
    world.raise_to([target], State.FROZEN)
    evm.mine(1, MAX_DURATION)
    gate.lapse(target)
    assert target.emergencyState() == State.WITHDRAW_ONLY


@pytest.mark.parametrize("state", [State.NORMAL, State.WITHDRAW_ONLY])
def test_lapse__state_without_an_end__reverts_for_ever(world, evm, gate, target, state):
    """Property: S3"""
    if state:
        world.raise_to([target], state)
    evm.mine(1, 100 * 365 * 86_400)
    with refuses("nothing has lapsed"):
        gate.lapse(target, sender=world.governance)


def test_lapse__not_a_target__reverts(evm, gate):
    with refuses("not a target"):
        gate.lapse(evm.account("whale"))


def test_dead_man__all_keys_lost_and_a_stuck_fact__exits_open_after_two_durations(
    world, evm, gate, target
):
    """Property: S6. A freeze in the last moment of the keys, then only `poke` and users."""
    start = evm.timestamp
    world.raise_to([target], State.FROZEN)
    evm.warp(start + MAX_DURATION)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    evm.warp(start + 2 * MAX_DURATION)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    gate.lapse(target)
    assert target.emergencyState() == State.WITHDRAW_ONLY
    while evm.timestamp < start + MAX_DURATION + COOLDOWN - 86_400:
        gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
        assert target.emergencyState() == State.WITHDRAW_ONLY
        evm.mine(1, 86_400)


# --- resume


@pytest.mark.parametrize("level", RAISED)
def test_resume__raised__normal(world, evm, gate, target, level):
    """Property: S3"""
    world.raise_to([target], level)
    gate.resume(target, REASON, sender=world.governance)
    event = evm.events("StateResumed")[0]
    assert (event["target"], event["by"]) == (target, world.governance)
    assert (event["previous"], event["reason"]) == (level, REASON)
    assert world.record(target) == (State.NORMAL, 0)
    assert target.emergencyState() == State.NORMAL


def test_resume__already_normal__no_event_no_revert(world, evm, gate, target):
    gate.resume(target, REASON, sender=world.governance)
    assert evm.events("StateResumed") == []


def test_resume__not_a_target__reverts(world, evm, gate):
    with refuses("not a target"):
        gate.resume(evm.account("whale"), REASON, sender=world.governance)


# --- breaker and sentinel


@pytest.mark.parametrize("level", [State.WITHDRAW_ONLY, State.FROZEN])
def test_trip__from_normal__bounded_state(world, evm, gate, target, level):
    gate.trip(target, level, REASON, sender=world.breaker)
    expiry = evm.timestamp + MAX_DURATION if level == State.FROZEN else 0
    assert world.record(target) == (level, expiry)
    assert target.emergencyState() == level


@pytest.mark.parametrize("level", [0, 1, 4])
def test_trip__level_not_the_breakers__reverts(world, gate, target, level):
    with refuses("level not allowed"):
        gate.trip(target, level, REASON, sender=world.breaker)


def test_trip__frozen_again_within_the_cooldown__only_withdraw_only(world, evm, gate, target):
    """Property: S6"""
    start = evm.timestamp
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    gate.resume(target, REASON, sender=world.governance)
    evm.warp(start + COOLDOWN - 1)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    assert world.record(target) == (State.WITHDRAW_ONLY, 0)
    evm.warp(start + COOLDOWN)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    assert target.emergencyState() == State.FROZEN


def test_trip__withdraw_only_after_each_resume__needs_no_ticket(world, gate, target):
    for _ in range(3):
        gate.trip(target, State.WITHDRAW_ONLY, REASON, sender=world.breaker)
        assert target.emergencyState() == State.WITHDRAW_ONLY
        gate.resume(target, REASON, sender=world.governance)


def test_trip__already_frozen__no_revert_no_ticket(world, evm, gate, target):
    world.raise_to([target], State.FROZEN, duration=10)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    assert evm.events("StateRaised") == []
    assert world.ready_at("breaker", target, State.FROZEN) == 0


@pytest.mark.parametrize("mode", [*REFUSING, *LYING])
def test_trip__target_does_not_follow__reverts_so_that_it_can_be_tried_again(world, gate, mode):
    target = world.hostile()[0]
    target.arm(mode)
    with refuses("target does not follow"):
        gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    target.arm(Mode.HONEST)
    gate.trip(target, State.FROZEN, REASON, sender=world.breaker)
    assert target.real() == State.FROZEN


def test_throttle__again_within_the_cooldown__reverts(world, evm, gate, target):
    """Property: S4. A stolen sentinel key throttles for a bounded part of the time."""
    start = evm.timestamp
    gate.throttle(target, REASON, sender=world.sentinel)
    assert world.record(target) == (State.THROTTLED, start + MAX_DURATION)
    evm.warp(start + MAX_DURATION)
    with refuses("ticket not ready"):
        gate.throttle(target, REASON, sender=world.sentinel)
    gate.lapse(target)
    evm.warp(start + COOLDOWN - 1)
    with refuses("ticket not ready"):
        gate.throttle(target, REASON, sender=world.sentinel)
    evm.warp(start + COOLDOWN)
    gate.throttle(target, REASON, sender=world.sentinel)
    assert target.emergencyState() == State.THROTTLED


# --- heartbeat


def test_heartbeat__in_time__extends(world, evm, gate, target):
    """Property: S4"""
    valid_until = gate.guardianValidUntil()
    evm.warp(valid_until - 1)
    gate.heartbeat(sender=world.guardian)
    assert gate.guardianValidUntil() == valid_until - 1 + HEARTBEAT
    event = evm.events("GuardianHeartbeat")[0]
    assert (event["guardian"], event["validUntil"]) == (world.guardian, valid_until - 1 + HEARTBEAT)
    evm.warp(valid_until)
    assert world.raise_to([target], State.FROZEN) == ()


def test_heartbeat__missed__guardian_has_no_power_and_cannot_revive_itself(
    world, evm, gate, target
):
    """Properties: S4, S6"""
    evm.warp(gate.guardianValidUntil())
    for call in (
        lambda: gate.heartbeat(sender=world.guardian),
        lambda: world.raise_to([target], State.FROZEN),
        lambda: gate.raiseState(target, State.THROTTLED, 1, REASON, sender=world.guardian),
    ):
        with refuses("heartbeat missed"):
            call()
    gate.raiseState(target, State.FROZEN, 1, REASON, sender=world.governance)
    gate.setGuardian(world.guardian, sender=world.governance)
    assert world.raise_to([target], State.FROZEN) == ()


@pytest.mark.parametrize("role", ["governance", "breaker", "sentinel"])
def test_heartbeat__not_the_guardian__reverts(world, gate, role):
    with refuses("caller is not the guardian"):
        gate.heartbeat(sender=getattr(world, role))


# --- hostile targets


@pytest.mark.parametrize("mode", REFUSING)
def test_raise_many__target_refuses__no_record_no_ticket_and_a_retry_works(world, mode):
    good, bad = world.honest()[0], world.hostile()[0]
    bad.arm(mode)
    assert world.raise_to([bad, good], State.FROZEN) == (0,)
    assert good.emergencyState() == State.FROZEN
    assert world.record(bad) == (State.NORMAL, 0)
    assert world.ready_at("guardian", bad, State.FROZEN) == 0
    bad.arm(Mode.HONEST)
    assert world.raise_to([bad, good], State.FROZEN) == ()
    assert bad.real() == State.FROZEN


@pytest.mark.parametrize("mode", LYING)
def test_raise_many__target_took_the_order_and_lies__reported_and_recorded(world, evm, mode):
    good, bad = world.honest()[0], world.hostile()[0]
    bad.arm(mode)
    assert world.raise_to([bad, good], State.FROZEN, duration=100) == (0,)
    assert evm.events("RaiseFailed")[0]["cause"] == Cause.NOT_FOLLOWED
    assert world.record(bad) == (State.FROZEN, evm.timestamp + 100), "the worse case is on record"
    assert world.ready_at("guardian", bad, State.FROZEN) == evm.timestamp + COOLDOWN
    evm.mine(1, 100)
    world.gate.lapse(bad)
    expected = State.NORMAL if mode == Mode.IGNORE else State.WITHDRAW_ONLY
    assert bad.real() == expected, "its users are not locked in"


def test_raise_many__always_shows_frozen__cannot_dodge_the_record(world):
    bad = world.hostile()[0]
    bad.arm(Mode.SHOW_FROZEN)
    assert world.raise_to([bad], State.THROTTLED) == (0,)
    assert world.record(bad)[0] == State.THROTTLED


def test_raise_many__target_gone__reported(world, evm):
    good, bad = world.honest()[0], world.hostile()[0]
    bad.destroy()
    evm.etch(bad, b"")
    assert world.raise_to([bad, good], State.FROZEN) == (0,)
    assert world.record(bad) == (State.NORMAL, 0)
    assert good.emergencyState() == State.FROZEN


@pytest.mark.parametrize("strictly", [False, True])
def test_raise_many__target_reenters_every_function__nothing_moves(world, evm, gate, strictly):
    good, bad = world.honest()[0], world.hostile()[0]
    world.raise_to([good], State.THROTTLED, sender=world.governance, duration=1)
    evm.mine(1, 1)
    attacks = [
        gate.calldata("lapse", good),
        gate.calldata("sync", good),
        gate.calldata("raiseMany", [good], 3, 1, REASON),
        gate.calldata("raiseState", good, 3, 1, REASON),
        gate.calldata("trip", good, 3, REASON),
        gate.calldata("throttle", good, REASON),
        gate.calldata("resume", good, REASON),
        gate.calldata("register", evm.account("whale")),
        gate.calldata("remove", good),
    ]
    for attack in attacks:
        with evm.rollback():
            bad.armReentrance(attack, strictly)
            assert world.raise_to([bad], State.FROZEN) == ((0,) if strictly else ())
            assert not bad.attackSucceeded()
            assert world.record(good)[0] == State.THROTTLED


def test_raise_many__reentering_target_holds_the_role__still_locked_out(world, gate):
    """The lock, not the caller check, is what stops it here."""
    good, bad = world.honest()[0], world.hostile()[0]
    gate.setSentinel(bad, sender=world.governance)
    bad.armReentrance(gate.calldata("throttle", good, REASON), False)
    assert world.raise_to([bad], State.FROZEN) == ()
    assert not bad.attackSucceeded()
    assert good.emergencyState() == State.NORMAL


@pytest.mark.parametrize("mode", [Mode.BURN, Mode.BURN_VIEW])
def test_raise_many__sixty_three_gas_burners__last_target_still_frozen_in_half_a_block(world, mode):
    bad, good = world.hostile(63), world.honest()
    for target in bad:
        target.arm(mode)
    calldata = ([*bad, *good], State.FROZEN, 1, REASON)
    failed = world.gate.raiseMany(*calldata, sender=world.guardian, gas=15_000_000)
    assert tuple(failed) == tuple(range(63))
    assert good[0].emergencyState() == State.FROZEN


def test_raise_many__starved_of_gas_by_the_relayer__reverts_instead_of_reporting(world, evm, gate):
    """Whoever executes a Safe transaction picks its gas: too little must not pass as a refusal."""
    targets = world.honest(5)
    holder = evm.deploy("RoleHolder")
    gate.setGuardian(holder, sender=world.governance)
    data = gate.calldata("raiseMany", targets, State.FROZEN, 1, REASON)
    outcomes = set()
    for supplied in range(60_000, 700_000, 4_000):
        with evm.rollback():
            success = holder.__getattr__("pass")(gate, data, supplied)
            shown = {t.emergencyState() for t in targets}
            assert shown == ({State.FROZEN} if success else {State.NORMAL})
            outcomes.add(success)
    assert outcomes == {False, True}


@pytest.mark.parametrize("mode", REFUSING)
def test_lapse__target_refuses__reverts_and_can_be_tried_again(world, evm, gate, mode):
    target = world.hostile()[0]
    world.raise_to([target], State.FROZEN, duration=10)
    evm.mine(1, 10)
    target.arm(mode)
    with refuses("target does not follow"):
        gate.lapse(target)
    assert world.record(target)[0] == State.FROZEN
    target.arm(Mode.HONEST)
    gate.lapse(target)
    assert target.real() == State.WITHDRAW_ONLY


@pytest.mark.parametrize("mode", [*REFUSING, *(m for m in LYING if m in UNREADABLE)])
def test_resume__target_does_not_show_normal__reverts(world, gate, mode):
    target = world.hostile()[0]
    world.raise_to([target], State.FROZEN)
    target.arm(mode)
    with refuses("target does not follow"):
        gate.resume(target, REASON, sender=world.governance)
    assert world.record(target)[0] == State.FROZEN


# --- sync


@pytest.mark.parametrize("level", RAISED)
def test_sync__target_lost_its_state__anyone_restores_it(world, evm, gate, attacker, level):
    target = world.hostile()[0]
    world.raise_to([target], level)
    recorded, ready = world.record(target), gate.ticketReadyAt(target, level)
    target.overwrite(State.NORMAL)
    gate.sync(target, sender=attacker)
    event = evm.events("StateSynced")[0]
    assert (event["target"], event["by"], event["state"]) == (target, attacker, level)
    assert target.real() == level
    assert (world.record(target), gate.ticketReadyAt(target, level)) == (recorded, ready)


def test_sync__in_step__reverts(world, gate, target):
    world.raise_to([target], State.FROZEN)
    with refuses("nothing to sync"):
        gate.sync(target)


def test_sync__recorded_normal__reverts(world, gate):
    """Property: S3"""
    target = world.hostile()[0]
    target.overwrite(State.WITHDRAW_ONLY)
    with refuses("nothing to sync"):
        gate.sync(target)


def test_sync__expired__reverts(world, evm, gate):
    target = world.hostile()[0]
    world.raise_to([target], State.FROZEN, duration=10)
    target.overwrite(State.NORMAL)
    evm.mine(1, 10)
    with refuses("lapse is due"):
        gate.sync(target)


def test_sync__not_a_target__reverts(evm, gate):
    with refuses("not a target"):
        gate.sync(evm.account("whale"))


def test_sync__target_still_lies__reverts(world, gate):
    target = world.hostile()[0]
    target.arm(Mode.IGNORE)
    world.raise_to([target], State.FROZEN)
    with refuses("target does not follow"):
        gate.sync(target)


def test_raise_many__target_lost_its_state__restored_without_a_ticket(world):
    target = world.hostile()[0]
    world.raise_to([target], State.FROZEN)
    recorded = world.record(target)
    target.overwrite(State.NORMAL)
    assert world.raise_to([target], State.WITHDRAW_ONLY) == ()
    assert target.real() == State.FROZEN
    assert world.record(target) == recorded
    assert world.ready_at("guardian", target, State.WITHDRAW_ONLY) == 0
