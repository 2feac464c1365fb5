// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ISwapVenue} from "./ISwapVenue.sol";

/// @title Sells in guarded pools that governance named, one per pair
interface IGuardedPoolVenue is ISwapVenue {
    event Sold(
        address indexed seller,
        address indexed tokenIn,
        address indexed tokenOut,
        uint256 amountIn,
        uint256 amountOut,
        address receiver
    );
    event PoolSet(address indexed by, address indexed token0, address indexed token1, address pool);

    error NoPool(address tokenIn, address tokenOut);

    /// @notice Governance: both directions of the pool's pair go through it.
    function setPool(address pool) external;

    /// @notice Governance: nothing of this pair is sold here any more.
    function closePair(address tokenA, address tokenB) external;

    function poolOf(address tokenA, address tokenB) external view returns (address);
}
