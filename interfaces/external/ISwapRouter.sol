// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The part of Uniswap V3's SwapRouter that the venue uses
interface ISwapRouter {
    struct ExactInputParams {
        bytes path;
        address recipient;
        uint256 deadline;
        uint256 amountIn;
        uint256 amountOutMinimum;
    }

    /// @notice Sells `amountIn` along `path`; reverts if less than `amountOutMinimum` comes out.
    function exactInput(ExactInputParams calldata params) external payable returns (uint256 amountOut);
}
