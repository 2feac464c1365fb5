# pragma version 0.4.3
# pragma evm-version shanghai
"""
@title How the emergency gate speaks with its targets
@custom:contract-name target_calls
@license MIT
@author Breakwater
@notice Targets may be hostile: calls to them are capped in gas and return size, their word
        is read back and never believed, and nothing that they do reverts the caller. Only
        a caller that could not give them their gas is refused.
@dev A library of `EmergencyGate.vy`, without storage.
"""


# @dev FROZEN in `interfaces/safety/IEmergencyTarget.sol`: no state is graver.
GRAVEST: constant(uint8) = 3


# @dev What `_state_shown_by` returns for a target that reverts, burns its gas, answers
# with the wrong size, or with something that is no state.
UNREADABLE: constant(uint8) = max_value(uint8)


# @dev What a target gets for `setEmergencyState` and for each view, and what the caller
# must at least supply for the target to really get it (a call passes on 63/64 at most).
# Without the second check, whoever relays a signed raise could starve a target and have
# its refusal recorded.
SET_GAS: constant(uint256) = 100_000
READ_GAS: constant(uint256) = 30_000
SET_GAS_SUPPLIED: constant(uint256) = 105_000
READ_GAS_SUPPLIED: constant(uint256) = 35_000


SELECTOR_SET: constant(Bytes[4]) = method_id("setEmergencyState(uint8)")
SELECTOR_STATE: constant(Bytes[4]) = method_id("emergencyState()")
SELECTOR_GATE: constant(Bytes[4]) = method_id("emergencyGate()")


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
    return convert(answer, uint8) if answer <= convert(GRAVEST, uint256) else UNREADABLE


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
