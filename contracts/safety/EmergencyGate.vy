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
"""


# @dev The states, as in `interfaces/safety/IEmergencyTarget.sol`.
NORMAL: constant(uint8) = 0
THROTTLED: constant(uint8) = 1
WITHDRAW_ONLY: constant(uint8) = 2
FROZEN: constant(uint8) = 3


# @dev What `_state_shown_by` returns for a target that reverts, burns its gas, answers
# with the wrong size, or with something that is no state.
UNREADABLE: constant(uint8) = max_value(uint8)


# @dev Why a target was not raised, as in `IEmergencyGate.FailCause`.
NO_FAILURE: constant(uint8) = 0
NOT_A_TARGET: constant(uint8) = 1
TICKET_NOT_READY: constant(uint8) = 2
NOT_FOLLOWED: constant(uint8) = 3


# @dev Tickets belong to roles, not to addresses.
ROLE_GOVERNANCE: constant(bytes32) = keccak256("governance")
ROLE_GUARDIAN: constant(bytes32) = keccak256("guardian")
ROLE_BREAKER: constant(bytes32) = keccak256("breaker")
ROLE_SENTINEL: constant(bytes32) = keccak256("sentinel")


# @dev One mass raise must be able to name every target, hostile ones included, within
# half a block of 30 million gas.
MAX_TARGETS: constant(uint256) = 64


# @dev What a target gets for `setEmergencyState` and for each view, and what the caller
# must at least supply for the target to really get it (a call passes on 63/64 at most).
# Without the second check, whoever relays a signed raise could starve a target and have
# its refusal recorded.
SET_GAS: constant(uint256) = 100_000
READ_GAS: constant(uint256) = 30_000
SET_GAS_SUPPLIED: constant(uint256) = 105_000
READ_GAS_SUPPLIED: constant(uint256) = 35_000


LONGEST_DURATION: constant(uint256) = 30 * 86_400
LONGEST_COOLDOWN: constant(uint256) = 365 * 86_400
LONGEST_HEARTBEAT: constant(uint256) = 365 * 86_400


# @dev Bits 0 to 7 of a record are the state, the rest is the expiry: one slot per target.
EXPIRY_SHIFT: constant(uint256) = 8
STATE_MASK: constant(uint256) = 255


SELECTOR_SET: constant(Bytes[4]) = method_id("setEmergencyState(uint8)")
SELECTOR_STATE: constant(Bytes[4]) = method_id("emergencyState()")
SELECTOR_GATE: constant(Bytes[4]) = method_id("emergencyGate()")


# @notice Longest time, in seconds, for which one raise keeps a target FROZEN or THROTTLED.
maxDuration: public(immutable(uint256))


# @notice Seconds after which a used ticket is ready again.
cooldown: public(immutable(uint256))


# @notice Seconds for which a heartbeat keeps the guardian's power alive.
heartbeatPeriod: public(immutable(uint256))


governance: public(address)
pendingGovernance: public(address)
guardian: public(address)
breaker: public(address)
sentinel: public(address)


# @notice Unix time from which the guardian has no power, unless it sends a heartbeat before.
guardianValidUntil: public(uint256)


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


event RoleMoved:
    role: indexed(bytes32)
    previous: indexed(address)
    current: indexed(address)


event GovernanceProposed:
    governance: indexed(address)
    proposed: indexed(address)


event GuardianHeartbeat:
    guardian: indexed(address)
    validUntil: uint256


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
    assert governance_ != empty(address), "emergency_gate: no governance"
    assert governance_ != guardian_, "emergency_gate: one address, two roles"
    assert 0 < maxDuration_ and maxDuration_ <= LONGEST_DURATION, "emergency_gate: duration out of bounds"
    assert 3 * maxDuration_ < cooldown_ and cooldown_ <= LONGEST_COOLDOWN, "emergency_gate: cooldown out of bounds"
    assert 0 < heartbeatPeriod_ and heartbeatPeriod_ <= LONGEST_HEARTBEAT, "emergency_gate: heartbeat out of bounds"
    maxDuration = maxDuration_
    cooldown = cooldown_
    heartbeatPeriod = heartbeatPeriod_
    self.governance = governance_
    log RoleMoved(role=ROLE_GOVERNANCE, previous=empty(address), current=governance_)
    self._set_guardian(guardian_)


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
    return self._ready_at[ROLE_GUARDIAN][target][level]


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
    role: bytes32 = self._raising_role()
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
    role: bytes32 = self._raising_role()
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
    assert msg.sender == self.breaker, "emergency_gate: caller is not the breaker"
    assert level == WITHDRAW_ONLY or level == FROZEN, "emergency_gate: level not allowed"
    applied: uint8 = level
    if block.timestamp < self._ready_at[ROLE_BREAKER][target][FROZEN]:
        applied = WITHDRAW_ONLY
    self._raise_or_revert(ROLE_BREAKER, target, applied, maxDuration, reason)


@external
@nonreentrant
def throttle(target: address, reason: bytes32):
    """
    @notice Sentinel: raises a target to THROTTLED for `maxDuration`, and to nothing else.
    """
    assert msg.sender == self.sentinel, "emergency_gate: caller is not the sentinel"
    self._raise_or_revert(ROLE_SENTINEL, target, THROTTLED, maxDuration, reason)


@external
@nonreentrant
def resume(target: address, reason: bytes32):
    """
    @notice Governance: brings a target back to NORMAL; reverts if the target does not show it.
    """
    self._check_governance()
    assert self._places[target] != 0, "emergency_gate: not a target"
    previous: uint8 = self._state(self._records[target])
    accepted: bool = False
    shown: uint8 = UNREADABLE
    accepted, shown = self._push(target, NORMAL)
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
    shown: uint8 = UNREADABLE
    accepted, shown = self._push(target, current)
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
    assert self._state_shown_by(target) != state, "emergency_gate: nothing to sync"
    accepted: bool = False
    shown: uint8 = UNREADABLE
    accepted, shown = self._push(target, state)
    assert shown == state, "emergency_gate: target does not follow"
    log StateSynced(target=target, by=msg.sender, state=state)


@external
def heartbeat():
    """
    @notice Guardian: shows that it is alive. A guardian that is late cannot revive itself:
            whoever finds an abandoned key finds no power with it.
    """
    self._check_guardian()
    self._beat(msg.sender)


@external
@nonreentrant
def register(target: address):
    """
    @notice Governance: puts a contract under the gate. It must name this gate and be NORMAL.
    """
    self._check_governance()
    assert self._places[target] == 0, "emergency_gate: already a target"
    assert self._gate_named_by(target) == self, "emergency_gate: target names another gate"
    assert self._state_shown_by(target) == NORMAL, "emergency_gate: target is not normal"
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
    self._check_governance()
    place: uint256 = self._places[target]
    assert place != 0, "emergency_gate: not a target"
    if target.is_contract:
        assert self._state(self._records[target]) == NORMAL, "emergency_gate: target is not normal"
        shown: uint8 = self._state_shown_by(target)
        assert shown == NORMAL or shown == UNREADABLE, "emergency_gate: target is not normal"
    last: address = self._targets[len(self._targets) - 1]
    self._targets[place - 1] = last
    self._places[last] = place
    self._targets.pop()
    self._places[target] = 0
    self._records[target] = 0
    log TargetRemoved(target=target)


@external
def setGuardian(guardian_: address):
    """
    @notice Governance: names the guardian, or the same one again after a missed heartbeat, and
            starts its first heartbeat period. Empty: nobody.
    """
    self._check_governance()
    self._check_free(guardian_, self.guardian)
    self._set_guardian(guardian_)


@external
def setBreaker(breaker_: address):
    """
    @notice Governance: names the circuit breaker. Empty: nobody.
    """
    self._check_governance()
    self._check_free(breaker_, self.breaker)
    log RoleMoved(role=ROLE_BREAKER, previous=self.breaker, current=breaker_)
    self.breaker = breaker_


@external
def setSentinel(sentinel_: address):
    """
    @notice Governance: names the sentinel. Empty: nobody.
    """
    self._check_governance()
    self._check_free(sentinel_, self.sentinel)
    log RoleMoved(role=ROLE_SENTINEL, previous=self.sentinel, current=sentinel_)
    self.sentinel = sentinel_


@external
def proposeGovernance(governance_: address):
    """
    @notice Governance: names its successor, who must accept. Empty: takes the proposal back.
    """
    self._check_governance()
    self._check_free(governance_, empty(address))
    self.pendingGovernance = governance_
    log GovernanceProposed(governance=msg.sender, proposed=governance_)


@external
def acceptGovernance():
    """
    @notice The proposed governance: takes over.
    """
    assert msg.sender == self.pendingGovernance, "emergency_gate: caller is not proposed"
    self._check_free(msg.sender, empty(address))
    log RoleMoved(role=ROLE_GOVERNANCE, previous=self.governance, current=msg.sender)
    self.governance = msg.sender
    self.pendingGovernance = empty(address)


@internal
@view
def _check_governance():
    assert msg.sender == self.governance, "emergency_gate: caller is not governance"


@internal
@view
def _check_guardian():
    assert msg.sender == self.guardian, "emergency_gate: caller is not the guardian"
    assert block.timestamp < self.guardianValidUntil, "emergency_gate: heartbeat missed"


@internal
@view
def _check_free(holder: address, holder_before: address):
    """
    @dev One address with two roles would have two tickets.
    """
    if holder != empty(address) and holder != holder_before:
        assert holder not in [
            self.governance, self.guardian, self.breaker, self.sentinel
        ], "emergency_gate: one address, two roles"


@internal
@view
def _raising_role() -> bytes32:
    if msg.sender == self.governance:
        return ROLE_GOVERNANCE
    self._check_guardian()
    return ROLE_GUARDIAN


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
    shown: uint8 = UNREADABLE

    if level <= self._state_in_force(record):
        shown = self._state_shown_by(target)
        if shown < level or shown == UNREADABLE:
            accepted, shown = self._push(target, self._state_in_force(record))
        return NOT_FOLLOWED if shown < level or shown == UNREADABLE else NO_FAILURE

    # In WITHDRAW_ONLY users leave, so only the guardian needs a ticket for it: a stolen
    # one shall not undo each resume of governance.
    ticketed: bool = level != WITHDRAW_ONLY or role == ROLE_GUARDIAN
    if ticketed and block.timestamp < self._ready_at[role][target][level]:
        return TICKET_NOT_READY

    accepted, shown = self._push(target, level)
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
def _push(target: address, state: uint8) -> (bool, uint8):
    """
    @return bool Whether the target took the call.
    @return uint8 What it shows afterwards.
    """
    if not target.is_contract:
        return False, UNREADABLE
    assert msg.gas >= SET_GAS_SUPPLIED, "emergency_gate: too little gas"
    accepted: bool = raw_call(
        target,
        concat(SELECTOR_SET, convert(state, bytes32)),
        max_outsize=0,
        gas=SET_GAS,
        revert_on_failure=False,
    )
    return accepted, self._state_shown_by(target)


@internal
@view
def _state_shown_by(target: address) -> uint8:
    answer: uint256 = self._word_from(target, SELECTOR_STATE)
    return convert(answer, uint8) if answer <= convert(FROZEN, uint256) else UNREADABLE


@internal
@view
def _gate_named_by(target: address) -> address:
    answer: uint256 = self._word_from(target, SELECTOR_GATE)
    if answer > convert(max_value(uint160), uint256):
        return empty(address)
    return convert(convert(answer, uint160), address)


@internal
@view
def _word_from(target: address, selector: Bytes[4]) -> uint256:
    """
    @return uint256 The answer if it is exactly one word, else the largest number.
    """
    assert msg.gas >= READ_GAS_SUPPLIED, "emergency_gate: too little gas"
    success: bool = False
    answer: Bytes[64] = b""
    success, answer = raw_call(
        target,
        selector,
        max_outsize=64,
        gas=READ_GAS,
        is_static_call=True,
        revert_on_failure=False,
    )
    if success and len(answer) == 32:
        return convert(convert(slice(answer, 0, 32), bytes32), uint256)
    return max_value(uint256)


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
def _set_guardian(guardian_: address):
    log RoleMoved(role=ROLE_GUARDIAN, previous=self.guardian, current=guardian_)
    self.guardian = guardian_
    self._beat(guardian_)


@internal
def _beat(guardian_: address):
    self.guardianValidUntil = block.timestamp + heartbeatPeriod
    log GuardianHeartbeat(guardian=guardian_, validUntil=self.guardianValidUntil)


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
