// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice How much of a target still works. The order is the severity: a higher state allows less.
enum EmergencyState {
    /// Everything works.
    NORMAL,
    /// Everything works, but new risk is limited: no rebalancing into strategies, surge fee and size cap in the pool.
    THROTTLED,
    /// Only exits: withdraw, redeem, burn, claim.
    WITHDRAW_ONLY,
    /// Nothing moves.
    FROZEN
}

/// @title A contract that the emergency gate can slow down or stop
/// @notice The gate pushes the state into the target's own storage, so that checking it costs no call.
interface IEmergencyTarget {
    /// @notice The gate moved this target from `previous` to `current`.
    event EmergencyStateSet(address indexed gate, EmergencyState previous, EmergencyState current);

    /// @notice `caller` is not the emergency gate.
    error NotEmergencyGate(address caller);
    /// @notice The target is in state `current`, which does not allow this call.
    error EmergencyStateForbids(EmergencyState current);

    /// @notice The only address that may move the state.
    function emergencyGate() external view returns (address);

    /// @notice The state in force.
    function emergencyState() external view returns (EmergencyState);

    /// @notice Moves the state. Only the gate; any state may follow any other, since the gate keeps the rules.
    /// @dev Must not call out, must not depend on any other contract: a brake that can be made to fail is none.
    /// The gate gives it 100 000 gas, and 30 000 for each of the two views.
    function setEmergencyState(EmergencyState state) external;
}
