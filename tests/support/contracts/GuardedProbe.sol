// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Guarded} from "contracts/capital/lib/Guarded.sol";

/// @notice The library's internal functions, to be called from outside.
contract GuardedProbe {
    function read(address target, bytes calldata data) external view returns (bool ok, uint256 value) {
        return Guarded.read(target, data);
    }

    function readWord(address target, bytes calldata data) external view returns (bool ok, uint256 value) {
        return Guarded.readWord(target, data);
    }

    function call(address target, bytes calldata data, uint256 gasCap)
        external
        returns (bool ok, bool answered, uint256 value)
    {
        return Guarded.call(target, data, gasCap);
    }
}
