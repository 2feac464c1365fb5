// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IRouterTypes} from "interfaces/capital/IRouterTypes.sol";

/// @title The word that every deposit and exit writes
/// @notice Shares in holders' hands (128 bits) | idle assets (112) | emergency state (8) | flags (8).
library HotSlot {
    /// The router is inside a call.
    uint256 internal constant LOCK = 1;
    /// An access policy is set; saves reading its slot while there is none.
    uint256 internal constant POLICY = 2;
    /// Shares wait in the exit queue.
    uint256 internal constant QUEUE = 4;
    /// Deposits are capped.
    uint256 internal constant CAP = 8;
    /// A report found a loss beyond its limit that is not in the books yet.
    uint256 internal constant REVIEW = 16;

    uint256 internal constant MAX_SUPPLY = type(uint128).max;
    uint256 internal constant MAX_ASSETS = type(uint112).max;

    function supply(uint256 hot) internal pure returns (uint256) {
        return hot >> 128;
    }

    function idle(uint256 hot) internal pure returns (uint256) {
        return uint112(hot >> 16);
    }

    function state(uint256 hot) internal pure returns (EmergencyState) {
        return EmergencyState(uint8(hot >> 8));
    }

    function has(uint256 hot, uint256 flag) internal pure returns (bool) {
        return hot & flag != 0;
    }

    function withAmounts(uint256 hot, uint256 supply_, uint256 idle_) internal pure returns (uint256) {
        if (supply_ > MAX_SUPPLY) revert IRouterTypes.OutOfBounds(supply_, MAX_SUPPLY);
        if (idle_ > MAX_ASSETS) revert IRouterTypes.OutOfBounds(idle_, MAX_ASSETS);
        return (supply_ << 128) | (idle_ << 16) | (hot & 0xffff);
    }

    function withState(uint256 hot, EmergencyState state_) internal pure returns (uint256) {
        return (hot & ~uint256(0xff00)) | (uint256(uint8(state_)) << 8);
    }

    function withFlag(uint256 hot, uint256 flag, bool on) internal pure returns (uint256) {
        return on ? hot | flag : hot & ~flag;
    }
}
