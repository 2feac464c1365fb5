// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What the oracle's sanity bound reads of a pool
interface ITwapPool {
    function token0() external view returns (address);
    function token1() external view returns (address);

    /// @notice Geometric mean prices of the last `secondsAgo` seconds, token1 per token0 in raw units, 2^-128: plain
    /// and truncated. Reverts if the pool does not remember so far back.
    function twap(uint32 secondsAgo) external view returns (uint256 priceX128, uint256 truncatedPriceX128);
}
