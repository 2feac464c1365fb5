// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IStrategy} from "interfaces/strategies/IStrategy.sol";

/// @title A strategy that can also hand over its position itself
/// @notice The way out when the protocol takes no withdrawals but its own token still moves.
interface IInKindStrategy is IStrategy {
    event RedeemedInKind(
        address indexed caller,
        address indexed receiver,
        address indexed owner,
        address token,
        uint256 amount,
        uint256 shares
    );

    /// @notice Burns `shares` of `owner` for his part of the position, rounded down, in the protocol's own token.
    /// @dev Works in every state but FROZEN, needs neither price nor liquidity.
    function redeemInKind(uint256 shares, address receiver, address owner)
        external
        returns (address token, uint256 amount);
}
