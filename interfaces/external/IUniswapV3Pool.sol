// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The part of a Uniswap V3 pool that the strategy uses
interface IUniswapV3Pool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function tickSpacing() external view returns (int24);
    function maxLiquidityPerTick() external view returns (uint128);

    function slot0()
        external
        view
        returns (
            uint160 sqrtPriceX96,
            int24 tick,
            uint16 observationIndex,
            uint16 observationCardinality,
            uint16 observationCardinalityNext,
            uint8 feeProtocol,
            bool unlocked
        );

    /// @notice Sums of ticks over time, as of so many seconds ago; reverts if the pool does not remember that long.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int56[] memory tickCumulatives, uint160[] memory secondsPerLiquidityCumulativeX128s);

    /// @notice The first two words of a tick's state.
    function ticks(int24 tick) external view returns (uint128 liquidityGross, int128 liquidityNet);

    /// @notice The first word of a position, by the hash of owner and range.
    function positions(bytes32 key) external view returns (uint128 liquidity);

    /// @notice Calls back `uniswapV3MintCallback` for the two amounts, rounded up.
    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);

    /// @notice Owes the amounts, rounded down, to the position; an amount of 0 only books its fees.
    function burn(int24 tickLower, int24 tickUpper, uint128 amount) external returns (uint256 amount0, uint256 amount1);

    /// @notice Pays what is owed to the position, at most these amounts.
    function collect(
        address recipient,
        int24 tickLower,
        int24 tickUpper,
        uint128 amount0Requested,
        uint128 amount1Requested
    ) external returns (uint128 amount0, uint128 amount1);
}
