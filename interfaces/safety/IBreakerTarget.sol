// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What the circuit breaker reads of a target to judge it
interface IBreakerTarget {
    /// @notice Value of one whole share in the asset, WAD, with profit that is not yet unlocked left out and unrealised losses left in.
    function sharePriceWad() external view returns (uint256);

    /// @notice What the books say is held directly of the asset, and what the token says.
    function holdings() external view returns (address asset, uint256 accounted, uint256 actual);
}
