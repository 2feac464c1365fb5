// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ITwoTokenStrategy} from "./ITwoTokenStrategy.sol";

/// @title Liquidity in a GuardedPool, for one of its two tokens
/// @notice Capital waits here as the asset until the keeper invests it: part is traded for the other token in the pool,
/// then both go in. Worth of the liquidity: 2·√(its two amounts multiplied, at the pool's truncated average price), which
/// no trade moves but for the fee that it leaves; it never exceeds what both amounts are worth at that price. Fees stay
/// in the pool and are part of the worth, so there are no rewards to claim.
/// Shares of the pool that are still immature cannot leave; neither can any while spot and average disagree, but for
/// `redeemInTokens`.
interface IGuardedPoolStrategy is ITwoTokenStrategy {
    struct Config {
        address pool;
        address oracle;
        /// Where the other token is sold.
        address venue;
        /// Seconds over which the price is averaged.
        uint32 twapPeriod;
        /// Most between spot and average at which capital moves, bps of the average.
        uint16 maxDeviationBps;
        /// Most that investing may cost, bps of what is invested, that a sale may pay below the better of oracle and
        /// average, and that a day's calls of the keeper may cost together, bps of holdings.
        uint16 maxSlippageBps;
    }

    event Invested(address indexed by, uint256 sold, uint256 bought, uint256 poolShares, uint256 cost);

    /// @notice Spot and average are too far apart for capital to move.
    error NotCalm(uint256 spotX128, uint256 meanX128);
    error CostTooHigh(uint256 cost, uint256 limit);

    function config() external view returns (Config memory);

    /// @notice Shares of the pool held, and how many of them may leave.
    function position() external view returns (uint256 poolShares, uint256 mature);

    /// @notice The pool's truncated average price, token1 per token0, 2^-128.
    function meanPriceX128() external view returns (uint256);

    /// @notice Keeper, in NORMAL and while calm: puts up to `assets` to work, `toSell` of them for the other token.
    function invest(uint256 assets, uint256 toSell) external returns (uint256 poolShares);
}
