// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRouterTypes} from "interfaces/capital/IRouterTypes.sol";

/// @title Calls to contracts that may revert, lie, burn gas or return junk
/// @notice Gas is capped, at most one word of the answer is copied, and a failure that a shortage of gas may have
/// caused reverts instead of counting as the callee's fault: otherwise a caller could choose whom to skip by his gas
/// limit.
library Guarded {
    uint256 internal constant READ_GAS = 600_000;

    /// @notice An amount, or (false, 0). Answers of 2^127 and more count as junk, so that callers may multiply them.
    function read(address target, bytes memory data) internal view returns (bool ok, uint256 value) {
        (ok, value) = readWord(target, data);
        if (value >> 127 != 0) return (false, 0);
    }

    /// @notice One word, or (false, 0).
    function readWord(address target, bytes memory data) internal view returns (bool ok, uint256 value) {
        uint256 gasCap = READ_GAS;
        assembly ("memory-safe") {
            // (ok, value) = target.staticcall{gas: gasCap}(data), copying one word only
            ok := staticcall(gasCap, target, add(data, 0x20), mload(data), 0x00, 0x20)
            if ok {
                ok := gt(returndatasize(), 0x1f)
                if ok { value := mload(0x00) }
            }
        }
        if (!ok) requireGas(gasCap);
    }

    /// @notice Whether the call succeeded; its first word, if it returned one.
    function call(address target, bytes memory data, uint256 gasCap)
        internal
        returns (bool ok, bool answered, uint256 value)
    {
        assembly ("memory-safe") {
            // (ok, value) = target.call{gas: gasCap}(data), copying one word only
            ok := call(gasCap, target, 0, add(data, 0x20), mload(data), 0x00, 0x20)
            answered := gt(returndatasize(), 0x1f)
            if answered { value := mload(0x00) }
        }
        if (!ok) requireGas(gasCap);
    }

    /// @dev A call gets 63/64 of the gas: less than gasCap/63 left means it may have had less than gasCap.
    function requireGas(uint256 gasCap) internal view {
        if (gasleft() < gasCap / 63) revert IRouterTypes.InsufficientGas();
    }
}
