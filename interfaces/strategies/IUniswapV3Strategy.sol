// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITwoTokenStrategy} from "./ITwoTokenStrategy.sol";

/// @title A range order in a Uniswap V3 pool, for one of its two tokens
/// @notice Capital enters as the asset alone, in a narrow range beside the price; what trades through it earns fees and
/// turns it into the other token, and back. Worth: the asset and the other token that the liquidity holds at the pool's
/// time-weighted price, plus what lies here, the other token valued at that price. Fees count for nothing until the
/// harvester has sold them.
/// Capital comes in only while spot and time-weighted price agree and both leave the range to the asset; it goes out as
/// the asset that is there at spot while they agree. Whoever does not want to wait takes both tokens pro rata by
/// `redeemInTokens`, which needs no price.
interface IUniswapV3Strategy is ITwoTokenStrategy {
    struct Config {
        address pool;
        address oracle;
        /// Where the other token is sold.
        address venue;
        /// Seconds over which the price is averaged.
        uint32 twapPeriod;
        /// Most ticks between spot and average at which capital moves.
        uint24 maxDeviation;
        /// Ticks that a range is wide; a multiple of the pool's spacing.
        uint24 width;
        /// Most below the better of oracle and average that a sale may pay, and that a day's calls of the keeper may cost
        /// together of holdings, bps.
        uint16 maxSlippageBps;
    }

    event RangeOpened(address indexed by, int24 lower, int24 upper);
    event Repositioned(address indexed by, int24 lower, int24 upper, uint128 liquidity);

    error NotPool(address caller);
    /// @notice Spot and time-weighted price are too far apart for capital to move.
    error NotCalm(int24 spot, int24 mean);
    /// @notice The range wants the other token too.
    error InRange(int24 spot, int24 mean);

    function config() external view returns (Config memory);
    /// @notice The range of the position; both 0 before the first.
    function range() external view returns (int24 lower, int24 upper, uint128 liquidity);
    /// @notice The pool's tick averaged over the period, rounded down.
    function meanTick() external view returns (int24);

    /// @notice Keeper, in NORMAL: takes the position out, sells the other token and opens a new range beside the price.
    function reposition() external;

    /// @notice The pool only, while it mints.
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata data) external;
}
