// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISwapVenue} from "interfaces/capital/ISwapVenue.sol";

/// @title Sells through Uniswap V3's SwapRouter along paths that governance fixed
interface IUniswapV3Venue is ISwapVenue {
    event Sold(
        address indexed seller,
        address indexed tokenIn,
        address indexed tokenOut,
        uint256 amountIn,
        uint256 amountOut,
        address receiver
    );
    event PathSet(address indexed by, address indexed tokenIn, address indexed tokenOut, bytes path);

    error NoPath(address tokenIn, address tokenOut);
    error PathMismatch(address tokenIn, address tokenOut);
    error ZeroAddress();

    /// @notice Governance: `path` in Uniswap's packed form (token, fee, token, …); empty closes the pair.
    function setPath(address tokenIn, address tokenOut, bytes calldata path) external;
    function pathOf(address tokenIn, address tokenOut) external view returns (bytes memory);
    function swapRouter() external view returns (address);
}
