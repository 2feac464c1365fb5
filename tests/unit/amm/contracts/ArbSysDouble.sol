// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Stands at 0x64 in tests and says which block it is.
contract ArbSysDouble {
    uint256 public arbBlockNumber;

    function setBlockNumber(uint256 number) external {
        arbBlockNumber = number;
    }
}
