// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRouterTypes} from "interfaces/capital/IRouterTypes.sol";

/// @title What is lent, and the profit that is still locked
/// @notice Total debt (112 bits) | shares unlocking per second (104) | when the last one unlocks (40).
/// Locked shares are rate × time left: they need no write to unlock.
library DebtSlot {
    uint256 private constant MAX_DEBT = type(uint112).max;
    uint256 private constant MAX_RATE = type(uint104).max;

    function debt(uint256 slot) internal pure returns (uint256) {
        return slot >> 144;
    }

    function locked(uint256 slot) internal view returns (uint256) {
        uint256 end = uint40(slot);
        unchecked {
            return block.timestamp >= end ? 0 : uint256(uint104(slot >> 40)) * (end - block.timestamp);
        }
    }

    function withDebt(uint256 slot, uint256 debt_) internal pure returns (uint256) {
        if (debt_ > MAX_DEBT) revert IRouterTypes.OutOfBounds(debt_, MAX_DEBT);
        return (debt_ << 144) | uint144(slot);
    }

    /// @notice Locks `added` shares for `unlockTime`; what is locked already keeps its weight in the common end.
    /// The division's rest, less than one share unit per second of the period, is not locked.
    function lockMore(uint256 slot, uint256 added, uint256 unlockTime, uint256 most) internal view returns (uint256) {
        uint256 before = locked(slot);
        uint256 total = before + added;
        // The router's own count of locked shares: zero means that nothing is locked.
        // slither-disable-next-line incorrect-equality
        if (total == 0) return slot;
        // The router's own count of locked shares: zero means that nothing is locked.
        // slither-disable-next-line incorrect-equality
        uint256 remaining = before == 0 ? 0 : uint40(slot) - block.timestamp;
        uint256 period = (before * remaining + added * unlockTime) / total;
        if (total > most) total = most;
        return _withLock(slot, total, period);
    }

    /// @notice Burns up to `shares` of what is locked; the rest unlocks by the same end.
    function burnLocked(uint256 slot, uint256 shares) internal view returns (uint256) {
        uint256 before = locked(slot);
        // The router's own count of locked shares: zero means that nothing is locked.
        // slither-disable-next-line incorrect-equality
        if (before == 0) return slot;
        return _withLock(slot, before > shares ? before - shares : 0, uint40(slot) - block.timestamp);
    }

    function _withLock(uint256 slot, uint256 total, uint256 period) private view returns (uint256) {
        // The router's own count of locked shares: zero means that nothing is locked.
        // slither-disable-next-line incorrect-equality
        uint256 rate = period == 0 ? 0 : total / period;
        if (rate > MAX_RATE) rate = MAX_RATE;
        return (slot & ~uint256(type(uint144).max)) | (rate << 40) | (block.timestamp + period);
    }
}
