// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DebtSlot} from "contracts/capital/lib/DebtSlot.sol";
import {ExitMath} from "contracts/capital/lib/ExitMath.sol";
import {HotSlot} from "contracts/capital/lib/HotSlot.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

/// @notice Internal functions of the router's libraries, to be called from outside.
contract SlotProbe {
    using DebtSlot for uint256;
    using ExitMath for ExitMath.Source;
    using HotSlot for uint256;

    // ---- DebtSlot

    function debt(uint256 slot) external pure returns (uint256) {
        return slot.debt();
    }

    function locked(uint256 slot) external view returns (uint256) {
        return slot.locked();
    }

    function withDebt(uint256 slot, uint256 debt_) external pure returns (uint256) {
        return slot.withDebt(debt_);
    }

    function lockMore(uint256 slot, uint256 added, uint256 unlockTime, uint256 most) external view returns (uint256) {
        return slot.lockMore(added, unlockTime, most);
    }

    function burnLocked(uint256 slot, uint256 shares) external view returns (uint256) {
        return slot.burnLocked(shares);
    }

    // ---- ExitMath

    function netDown(uint256 debt_, uint256 worth, uint256 gross) external pure returns (uint256) {
        return ExitMath.Source(debt_, worth, debt_, 0).netDown(gross);
    }

    function grossUp(uint256 debt_, uint256 worth, uint256 net) external pure returns (uint256) {
        return ExitMath.Source(debt_, worth, debt_, 0).grossUp(net);
    }

    function grossMax(uint256 debt_, uint256 worth, uint256 net) external pure returns (uint256) {
        return ExitMath.Source(debt_, worth, debt_, 0).grossMax(net);
    }

    // ---- HotSlot

    function supply(uint256 hot) external pure returns (uint256) {
        return hot.supply();
    }

    function idle(uint256 hot) external pure returns (uint256) {
        return hot.idle();
    }

    function state(uint256 hot) external pure returns (EmergencyState) {
        return hot.state();
    }

    function has(uint256 hot, uint256 flag) external pure returns (bool) {
        return hot.has(flag);
    }

    function withAmounts(uint256 hot, uint256 supply_, uint256 idle_) external pure returns (uint256) {
        return hot.withAmounts(supply_, idle_);
    }

    function withState(uint256 hot, EmergencyState state_) external pure returns (uint256) {
        return hot.withState(state_);
    }

    function withFlag(uint256 hot, uint256 flag, bool on) external pure returns (uint256) {
        return hot.withFlag(flag, on);
    }
}
