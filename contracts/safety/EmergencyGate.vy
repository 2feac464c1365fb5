# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title The brake: who may move which target to which emergency state, and for how long
@custom:contract-name EmergencyGate
@license MIT
@author Breakwater
@notice The whole promise:
        - NORMAL < THROTTLED < WITHDRAW_ONLY < FROZEN. A raise never lowers a state.
        - The guardian and governance raise to any level, the circuit breaker to
          WITHDRAW_ONLY or FROZEN, the sentinel to THROTTLED. Only governance brings
          a target back to NORMAL from WITHDRAW_ONLY or FROZEN.
        - FROZEN and THROTTLED end: after at most `maxDuration` anyone may turn FROZEN
          into WITHDRAW_ONLY, and THROTTLED into NORMAL. WITHDRAW_ONLY stays.
        - Each role has one ticket per (target, level). Used, it is ready again only
          `cooldown` seconds later, and `cooldown` > 3 * `maxDuration`. Three roles can
          freeze, so no one, nor all of them together, governance included, keeps a
          target FROZEN for longer than 3 * `maxDuration` in any `cooldown` seconds.
          Replacing a role's address gives no new ticket.
        - All keys lost: exits open after at most 2 * `maxDuration`, even if the
          breaker's fact never goes away.
        - A guardian who sends no heartbeat for `heartbeatPeriod` loses its power, and
          only governance can give it back.
        - No target can stop the gate from reaching the others: calls to targets are
          capped in gas and return size, cannot re-enter, and are never believed: the
          target's own state is read back, and who did not follow is reported.
        The gate holds no money, calls nothing but its targets and cannot be upgraded.
@dev The record is the order in force. A target's call that fails changes nothing in it
     (the EVM undoes it), so the record stays and the ticket is not used. A call that
     succeeds is recorded, even if the target then shows something else or nothing: the
     worse case is on record with its expiry, so `lapse`, `sync` and `resume` stay open.
     For a target that keeps its interface, record and target are always equal.
     Who holds a role is in `gate_roles.vy`, how targets are called in `target_calls.vy`.
"""


import gate_roles
import target_calls


initializes: gate_roles
exports: (
    gate_roles.governance,
    gate_roles.pendingGovernance,
    gate_roles.guardian,
    gate_roles.breaker,
    gate_roles.sentinel,
    gate_roles.heartbeatPeriod,
    gate_roles.guardianValidUntil,
    gate_roles.heartbeat,
    gate_roles.setGuardian,
    gate_roles.setBreaker,
    gate_roles.setSentinel,
    gate_roles.proposeGovernance,
    gate_roles.acceptGovernance,
)


# @dev The states, as in `interfaces/safety/IEmergencyTarget.sol`.
NORMAL: constant(uint8) = 0
THROTTLED: constant(uint8) = 1
WITHDRAW_ONLY: constant(uint8) = 2
FROZEN: constant(uint8) = 3


# @dev Why a target was not raised, as in `IEmergencyGate.FailCause`.
NO_FAILURE: constant(uint8) = 0
NOT_A_TARGET: constant(uint8) = 1
TICKET_NOT_READY: constant(uint8) = 2
NOT_FOLLOWED: constant(uint8) = 3


# @dev One mass raise must be able to name every target, hostile ones included, within
# half a block of 30 million gas.
MAX_TARGETS: constant(uint256) = 64


LONGEST_DURATION: constant(uint256) = 30 * 86_400
LONGEST_COOLDOWN: constant(uint256) = 365 * 86_400


# @dev Bits 0 to 7 of a record are the state, the rest is the expiry: one slot per target.
EXPIRY_SHIFT: constant(uint256) = 8
STATE_MASK: constant(uint256) = 255


# @notice Longest time, in seconds, for which one raise keeps a target FROZEN or THROTTLED.
maxDuration: public(immutable(uint256))


# @notice Seconds after which a used ticket is ready again.
cooldown: public(immutable(uint256))


_targets: DynArray[address, MAX_TARGETS]


# @dev Place in `_targets` plus one; 0 means not registered.
_places: HashMap[address, uint256]


_records: HashMap[address, uint256]


# @dev Role → target → level → Unix time from which the ticket is ready. Never cleared, not
# even when a target is removed: a target that comes back brings its used tickets along.
_ready_at: HashMap[bytes32, HashMap[address, HashMap[uint8, uint256]]]


event StateRaised:
    target: indexed(address)
    by: indexed(address)
    previous: uint8
    current: uint8
    expiry: uint256
    reason: bytes32


event StateResumed:
    target: indexed(address)
    by: indexed(address)
    previous: uint8
    reason: bytes32


event StateLapsed:
    target: indexed(address)
    by: indexed(address)
    previous: uint8
    current: uint8


event StateSynced:
    target: indexed(address)
    by: indexed(address)
    state: uint8


event RaiseFailed:
    target: indexed(address)
    index: uint256
    level: uint8
    cause: uint8


event TargetRegistered:
    target: indexed(address)


event TargetRemoved:
    target: indexed(address)


@deploy
def __init__(
    governance_: address,
    guardian_: address,
    maxDuration_: uint256,
    cooldown_: uint256,
    heartbeatPeriod_: uint256,
):
    """
    @notice The breaker and the sentinel are named later, by governance.
    @param governance_ The governance Safe (k-of-n).
    @param guardian_ The guardian Safe (2-of-m); another one than governance, or empty.
    @param maxDuration_ Longest time of one raise in seconds; at most 30 days.
    @param cooldown_ Seconds between two uses of one ticket; > 3 * `maxDuration_`.
    @param heartbeatPeriod_ Seconds for which one heartbeat lasts.
    """
    assert 0 < maxDuration_ and maxDuration_ <= LONGEST_DURATION, "emergency_gate: duration out of bounds"
    assert 3 * maxDuration_ < cooldown_ and cooldown_ <= LONGEST_COOLDOWN, "emergency_gate: cooldown out of bounds"
    maxDuration = maxDuration_
    cooldown = cooldown_
    gate_roles.__init__(governance_, guardian_, heartbeatPeriod_)


@external
@view
def stateOf(target: address) -> (uint8, uint256):
    """
    @notice What the gate holds of a target. A state whose expiry has passed still stands
            until somebody calls `lapse`.
    @return uint8 The state.
    @return uint256 Unix time from which it may lapse; 0 if it does not.
    """
    record: uint256 = self._records[target]
    return self._state(record), self._expiry(record)


@external
@view
def isTarget(target: address) -> bool:
    return self._places[target] != 0


@external
@view
def targets() -> DynArray[address, MAX_TARGETS]:
    return self._targets


@external
@view
def ticketReadyAt(target: address, level: uint8) -> uint256:
    """
    @notice Unix time from which the guardian may again raise `target` to `level`.
    """
    return self._ready_at[gate_roles.ROLE_GUARDIAN][target][level]


@external
@view
def roleTicketReadyAt(role: bytes32, target: address, level: uint8) -> uint256:
    """
    @notice The same for any role: keccak256 of "governance", "guardian", "breaker" or "sentinel".
    """
    return self._ready_at[role][target][level]


@external
@nonreentrant
def raiseMany(
    targets_: DynArray[address, MAX_TARGETS], level: uint8, duration: uint256, reason: bytes32
) -> DynArray[uint256, MAX_TARGETS]:
    """
    @notice Guardian or governance: raises every target in one transaction. A target that
            fails does not keep the others open, and costs a bounded amount of gas.
    @dev Governance is under the same durations and tickets: it must be able to stop when
         the guardian is lost or stolen, but no key at all shall hold users for ever.
    @param level THROTTLED, WITHDRAW_ONLY or FROZEN.
    @param duration Seconds, 1 to `maxDuration`; WITHDRAW_ONLY does not lapse and ignores it.
    @return DynArray Indexes of the targets that do not show `level` or more.
    """
    role: bytes32 = gate_roles._raising_role()
    self._check_order(level, duration)
    failed: DynArray[uint256, MAX_TARGETS] = []
    for i: uint256 in range(len(targets_), bound=MAX_TARGETS):
        cause: uint8 = self._raise(role, targets_[i], level, duration, reason)
        if cause != NO_FAILURE:
            failed.append(i)
            log RaiseFailed(target=targets_[i], index=i, level=level, cause=cause)
    return failed


@external
@nonreentrant
def raiseState(target: address, level: uint8, duration: uint256, reason: bytes32):
    """
    @notice Guardian or governance: raises one target; reverts if the target does not follow.
    """
    role: bytes32 = gate_roles._raising_role()
    self._check_order(level, duration)
    self._raise_or_revert(role, target, level, duration, reason)


@external
@nonreentrant
def trip(target: address, level: uint8, reason: bytes32):
    """
    @notice Circuit breaker: raises a target on a fact that honest exits cannot cause.
    @dev A fact may never go away. So a trip to FROZEN for which the ticket is not ready
         acts as a trip to WITHDRAW_ONLY, which stops new money but locks nobody in.
    @param level WITHDRAW_ONLY or FROZEN.
    """
    assert msg.sender == gate_roles.breaker, "emergency_gate: caller is not the breaker"
    assert level == WITHDRAW_ONLY or level == FROZEN, "emergency_gate: level not allowed"
    applied: uint8 = level
    if block.timestamp < self._ready_at[gate_roles.ROLE_BREAKER][target][FROZEN]:
        applied = WITHDRAW_ONLY
    self._raise_or_revert(gate_roles.ROLE_BREAKER, target, applied, maxDuration, reason)


@external
@nonreentrant
def throttle(target: address, reason: bytes32):
    """
    @notice Sentinel: raises a target to THROTTLED for `maxDuration`, and to nothing else.
    """
    assert msg.sender == gate_roles.sentinel, "emergency_gate: caller is not the sentinel"
    self._raise_or_revert(gate_roles.ROLE_SENTINEL, target, THROTTLED, maxDuration, reason)


@external
@nonreentrant
def resume(target: address, reason: bytes32):
    """
    @notice Governance: brings a target back to NORMAL; reverts if the target does not show it.
    """
    gate_roles._check_governance()
    assert self._places[target] != 0, "emergency_gate: not a target"
    previous: uint8 = self._state(self._records[target])
    accepted: bool = False
    shown: uint8 = target_calls.UNREADABLE
    accepted, shown = target_calls._push(target, NORMAL)
    assert shown == NORMAL, "emergency_gate: target does not follow"
    self._records[target] = 0
    if previous != NORMAL:
        log StateResumed(target=target, by=msg.sender, previous=previous, reason=reason)


@external
@nonreentrant
def lapse(target: address):
    """
    @notice Anyone: applies a lapse that is due: FROZEN → WITHDRAW_ONLY, THROTTLED → NORMAL.
    @dev What the target shows afterwards is not asked: a broken view must not lock users in.
    """
    assert self._places[target] != 0, "emergency_gate: not a target"
    record: uint256 = self._records[target]
    previous: uint8 = self._state(record)
    current: uint8 = self._state_in_force(record)
    assert current != previous, "emergency_gate: nothing has lapsed"
    accepted: bool = False
    shown: uint8 = target_calls.UNREADABLE
    accepted, shown = target_calls._push(target, current)
    assert accepted, "emergency_gate: target does not follow"
    self._records[target] = self._record(current, 0)
    log StateLapsed(target=target, by=msg.sender, previous=previous, current=current)


@external
@nonreentrant
def sync(target: address):
    """
    @notice Anyone: gives a target that does not show its recorded state that state again.
    @dev Moves no record and uses no ticket: the order is already in force. Not after its
         expiry: then only `lapse` may act. Never to NORMAL: that is for governance.
    """
    assert self._places[target] != 0, "emergency_gate: not a target"
    record: uint256 = self._records[target]
    state: uint8 = self._state(record)
    assert state != NORMAL, "emergency_gate: nothing to sync"
    assert self._state_in_force(record) == state, "emergency_gate: lapse is due"
    assert target_calls._state_shown_by(target) != state, "emergency_gate: nothing to sync"
    accepted: bool = False
    shown: uint8 = target_calls.UNREADABLE
    accepted, shown = target_calls._push(target, state)
    assert shown == state, "emergency_gate: target does not follow"
    log StateSynced(target=target, by=msg.sender, state=state)


@external
@nonreentrant
def register(target: address):
    """
    @notice Governance: puts a contract under the gate. It must name this gate and be NORMAL.
    """
    gate_roles._check_governance()
    assert self._places[target] == 0, "emergency_gate: already a target"
    assert target_calls._gate_named_by(target) == self, "emergency_gate: target names another gate"
    assert target_calls._state_shown_by(target) == NORMAL, "emergency_gate: target is not normal"
    self._targets.append(target)
    self._places[target] = len(self._targets)
    log TargetRegistered(target=target)


@external
@nonreentrant
def remove(target: address):
    """
    @notice Governance: takes a target out of the gate. One that still has code must be
            NORMAL, or its users would be left in a state that nobody can end.
    """
    gate_roles._check_governance()
    place: uint256 = self._places[target]
    assert place != 0, "emergency_gate: not a target"
    if target.is_contract:
        assert self._state(self._records[target]) == NORMAL, "emergency_gate: target is not normal"
        shown: uint8 = target_calls._state_shown_by(target)
        assert shown == NORMAL or shown == target_calls.UNREADABLE, "emergency_gate: target is not normal"
    last: address = self._targets[len(self._targets) - 1]
    self._targets[place - 1] = last
    self._places[last] = place
    self._targets.pop()
    self._places[target] = 0
    self._records[target] = 0
    log TargetRemoved(target=target)


@internal
@view
def _check_order(level: uint8, duration: uint256):
    assert NORMAL < level and level <= FROZEN, "emergency_gate: level not allowed"
    if level != WITHDRAW_ONLY:
        assert 0 < duration and duration <= maxDuration, "emergency_gate: duration out of bounds"


@internal
def _raise_or_revert(role: bytes32, target: address, level: uint8, duration: uint256, reason: bytes32):
    cause: uint8 = self._raise(role, target, level, duration, reason)
    assert cause != NOT_A_TARGET, "emergency_gate: not a target"
    assert cause != TICKET_NOT_READY, "emergency_gate: ticket not ready"
    assert cause == NO_FAILURE, "emergency_gate: target does not follow"


@internal
def _raise(role: bytes32, target: address, level: uint8, duration: uint256, reason: bytes32) -> uint8:
    """
    @dev Does not revert because of a target. A raise to the state that is in force, or to
         a lower one, changes no record, uses no ticket and extends nothing.
    @return uint8 Why the target does not show `level` or more; 0 if it does.
    """
    if self._places[target] == 0:
        return NOT_A_TARGET

    record: uint256 = self._records[target]
    accepted: bool = False
    shown: uint8 = target_calls.UNREADABLE

    if level <= self._state_in_force(record):
        shown = target_calls._state_shown_by(target)
        if shown < level or shown == target_calls.UNREADABLE:
            accepted, shown = target_calls._push(target, self._state_in_force(record))
        return NOT_FOLLOWED if shown < level or shown == target_calls.UNREADABLE else NO_FAILURE

    # In WITHDRAW_ONLY users leave, so only the guardian needs a ticket for it: a stolen
    # one shall not undo each resume of governance.
    ticketed: bool = level != WITHDRAW_ONLY or role == gate_roles.ROLE_GUARDIAN
    if ticketed and block.timestamp < self._ready_at[role][target][level]:
        return TICKET_NOT_READY

    accepted, shown = target_calls._push(target, level)
    if accepted:
        expiry: uint256 = 0 if level == WITHDRAW_ONLY else block.timestamp + duration
        self._records[target] = self._record(level, expiry)
        if ticketed:
            self._ready_at[role][target][level] = block.timestamp + cooldown
        log StateRaised(
            target=target,
            by=msg.sender,
            previous=self._state(record),
            current=level,
            expiry=expiry,
            reason=reason,
        )
    return NO_FAILURE if accepted and shown == level else NOT_FOLLOWED


@internal
@view
def _state_in_force(record: uint256) -> uint8:
    """
    @dev The recorded state, or what it lapses to once its expiry has passed.
    """
    state: uint8 = self._state(record)
    if block.timestamp < self._expiry(record):
        return state
    if state == FROZEN:
        return WITHDRAW_ONLY
    if state == THROTTLED:
        return NORMAL
    return state


@internal
@pure
def _record(state: uint8, expiry: uint256) -> uint256:
    return (expiry << EXPIRY_SHIFT) | convert(state, uint256)


@internal
@pure
def _state(record: uint256) -> uint8:
    return convert(record & STATE_MASK, uint8)


@internal
@pure
def _expiry(record: uint256) -> uint256:
    return record >> EXPIRY_SHIFT
