// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A place where the harvester sells a token
interface ISwapVenue {
    error Underpaid(uint256 received, uint256 minimum);

    /// @notice Pulls `amountIn` of `tokenIn` from the caller, sells it, pays at least `minAmountOut` of `tokenOut` to
    /// `receiver` or reverts.
    function sell(address tokenIn, address tokenOut, uint256 amountIn, uint256 minAmountOut, address receiver)
        external
        returns (uint256 amountOut);
}
