# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title Who holds which role of the emergency gate
@custom:contract-name gate_roles
@license MIT
@author Breakwater
@notice Governance names the guardian, the breaker and the sentinel, and hands itself over in
        two steps. No address holds two roles. A guardian who sends no heartbeat for
        `heartbeatPeriod` loses its power, and only governance can give it back.
@dev A module of `EmergencyGate.vy`, which asks it before it acts.
"""


# @dev Tickets belong to roles, not to addresses.
ROLE_GOVERNANCE: constant(bytes32) = keccak256("governance")
ROLE_GUARDIAN: constant(bytes32) = keccak256("guardian")
ROLE_BREAKER: constant(bytes32) = keccak256("breaker")
ROLE_SENTINEL: constant(bytes32) = keccak256("sentinel")


LONGEST_HEARTBEAT: constant(uint256) = 365 * 86_400


# @notice Seconds for which a heartbeat keeps the guardian's power alive.
heartbeatPeriod: public(immutable(uint256))


governance: public(address)
pendingGovernance: public(address)
guardian: public(address)
breaker: public(address)
sentinel: public(address)


# @notice Unix time from which the guardian has no power, unless it sends a heartbeat before.
guardianValidUntil: public(uint256)


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
def __init__(governance_: address, guardian_: address, heartbeatPeriod_: uint256):
    """
    @notice The breaker and the sentinel are named later, by governance.
    @param governance_ The governance Safe (k-of-n).
    @param guardian_ The guardian Safe (2-of-m); another one than governance, or empty.
    @param heartbeatPeriod_ Seconds for which one heartbeat lasts.
    """
    assert governance_ != empty(address), "emergency_gate: no governance"
    assert governance_ != guardian_, "emergency_gate: one address, two roles"
    assert 0 < heartbeatPeriod_ and heartbeatPeriod_ <= LONGEST_HEARTBEAT, "emergency_gate: heartbeat out of bounds"
    heartbeatPeriod = heartbeatPeriod_
    self.governance = governance_
    log RoleMoved(role=ROLE_GOVERNANCE, previous=empty(address), current=governance_)
    self._set_guardian(guardian_)


@external
def heartbeat():
    """
    @notice Guardian: shows that it is alive. A guardian that is late cannot revive itself:
            whoever finds an abandoned key finds no power with it.
    """
    self._check_guardian()
    self._beat(msg.sender)


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
def _set_guardian(guardian_: address):
    log RoleMoved(role=ROLE_GUARDIAN, previous=self.guardian, current=guardian_)
    self.guardian = guardian_
    self._beat(guardian_)


@internal
def _beat(guardian_: address):
    self.guardianValidUntil = block.timestamp + heartbeatPeriod
    log GuardianHeartbeat(guardian=guardian_, validUntil=self.guardianValidUntil)
