// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What the circuit breaker reads of a target to judge it
/// @notice Both views must revert while the target is inside one of its own calls (read-only reentrancy): halfway
/// through a transfer, books and balances disagree without any loss, and anyone could have that judged. They must
/// also revert, not estimate, if something they read fails; each gets 3 000 000 gas.
interface IBreakerTarget {
    /// @notice Value of one whole share in the asset, WAD, with profit that is not yet unlocked left out and
    /// unrealised losses left in. Donations must not move it.
    function sharePriceWad() external view returns (uint256);

    /// @notice What the books say is held directly of the asset, and what the token says. The breaker asks the token
    /// itself.
    function holdings() external view returns (address asset, uint256 accounted, uint256 actual);
}
