// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title Keeps the state that the emergency gate pushes
/// @notice For contracts whose state needs no packing with other hot storage.
abstract contract EmergencyTarget is IEmergencyTarget {
    /// @inheritdoc IEmergencyTarget
    address public immutable emergencyGate;
    /// @inheritdoc IEmergencyTarget
    EmergencyState public emergencyState;

    constructor(address gate) {
        emergencyGate = gate;
    }

    /// @inheritdoc IEmergencyTarget
    function setEmergencyState(EmergencyState state) external {
        require(msg.sender == emergencyGate, NotEmergencyGate(msg.sender));
        EmergencyState previous = emergencyState;
        emergencyState = state;
        emit EmergencyStateSet(msg.sender, previous, state);
    }

    /// @dev Refuses the call in any state graver than `gravest`.
    function _requireAtMost(EmergencyState gravest) internal view {
        EmergencyState state = emergencyState;
        require(state <= gravest, EmergencyStateForbids(state));
    }
}
