// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Arbitrum's system precompile at 0x64, as far as we read it
interface IArbSys {
    /// @notice The chain's own block number; `block.number` is the parent chain's there.
    function arbBlockNumber() external view returns (uint256);
}
