// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @notice What makes one pool differ from another. Immutable.
struct PoolConfig {
    /// Seconds of one guard epoch: a round trip that takes no longer cannot profit.
    uint32 guardWindow;
    /// Blocks before minted shares may be burned or moved; ≥ 2.
    uint32 maturityBlocks;
    /// Lowest fee in pips (1e-6 of what comes in).
    uint16 minFeePips;
    /// Highest fee in pips; also the fee while THROTTLED.
    uint16 maxFeePips;
    /// Pips of fee per unit of log2 that opening prices wandered in the last VOLATILITY_PERIOD.
    uint32 volatilityFactor;
    /// Pips of fee per squared unit of log2 between the opening and the truncated price, while that distance grows.
    uint32 deviationFactor;
    /// How far the truncated price may follow, in 2^-16 of log2 per second.
    uint16 truncationRate;
}

/// @title Constant-product pool of two tokens that cannot be sandwiched within its guard window
/// @notice Prices are token1 per token0 in raw units. Fees are in pips (1e-6). A tick is 2^-16 of log2 of the price.
/// The guard: no trade is better for its trader than the opening price of any block of the current and the previous epoch,
/// so a closed trip that lasts no longer than `guardWindow` ends at ≤ 0, over any number of addresses and blocks.
/// All amounts that leave are rounded down, all amounts that come in are rounded up.
interface IGuardedPool is IEmergencyTarget {
    /// @notice A trade. Positive amounts came into the pool, negative ones left it.
    event Swap(address indexed sender, address indexed to, int256 amount0, int256 amount1, uint256 feePips);
    /// @notice Liquidity came in for shares that `sender` may use from block `maturesAt`.
    event Mint(address indexed sender, uint256 amount0, uint256 amount1, uint256 shares, uint256 maturesAt);
    /// @notice Shares of `sender` were burned for both tokens.
    event Burn(address indexed sender, address indexed to, uint256 amount0, uint256 amount1, uint256 shares);
    /// @notice Part of the growth of the pool went to the protocol, as shares held by the factory.
    event ProtocolSharesAccrued(address indexed to, uint256 shares);
    /// @notice Tokens that belong to no one's accounting went to the treasury.
    event Skimmed(address indexed by, address indexed treasury, uint256 amount0, uint256 amount1);
    event ObservationCardinalityIncreased(address indexed by, uint256 previous, uint256 current);

    /// @notice The deadline has passed.
    error Expired(uint256 deadline);
    /// @notice A call came in while another one runs; views are locked as well.
    error Locked();
    error ZeroAmount();
    /// @notice The output would be below the caller's minimum.
    error InsufficientOutput(uint256 amount, uint256 minimum);
    /// @notice The input would be above the caller's maximum.
    error ExcessiveInput(uint256 amount, uint256 maximum);
    /// @notice This block's fee is above the caller's maximum.
    error FeeTooHigh(uint256 feePips, uint256 maxFeePips);
    /// @notice Less arrived than was owed: not paid, or a token that charges on transfer.
    error InsufficientPayment(address token, uint256 arrived, uint256 owed);
    /// @notice A reserve would exceed 112 bits.
    error ReserveOverflow();
    /// @notice The pool cannot give so much.
    error InsufficientLiquidity();
    /// @notice While THROTTLED a trade may take at most `cap` of the reserve.
    error SizeCapExceeded(uint256 amountOut, uint256 cap);
    error NotFactory(address caller);
    error AlreadySeeded();
    error InvalidConfig();
    /// @notice No observation is as old as asked.
    error ObservationTooOld(uint256 secondsAgo, uint256 oldestSecondsAgo);

    function factory() external view returns (address);
    function token0() external view returns (address);
    function token1() external view returns (address);
    function config() external view returns (PoolConfig memory);

    /// @notice The protocol's part of the growth of the pool, bps.
    function protocolShareBps() external view returns (uint256);

    /// @notice Reserves as the pool accounts for them; a donation does not change them.
    function getReserves() external view returns (uint256 reserve0, uint256 reserve1);

    /// @notice The guard's two bounds for the current block: sells of token0 pay at most `lowX128`, buys cost at least
    /// `highX128`; token1 per token0, 2^-128.
    function guardPrices() external view returns (uint256 lowX128, uint256 highX128);

    /// @notice The fee in force in this block, pips. Nothing inside a block changes it.
    function feePips() external view returns (uint256);

    /// @notice The number that this chain counts its blocks by.
    function blockNumber() external view returns (uint256);

    /// @notice Sells exactly `amountIn`, pulled from the caller.
    function swapExactIn(
        bool zeroForOne,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 maxFeePips,
        uint256 deadline
    ) external returns (uint256 amountOut);

    /// @notice Sells all that arrived beyond the reserve. Pay and call in one transaction: whoever calls first owns it.
    function swapExactInPrepaid(bool zeroForOne, uint256 minAmountOut, address to, uint256 maxFeePips, uint256 deadline)
        external
        returns (uint256 amountOut);

    /// @notice Buys exactly `amountOut`; the price is pulled from the caller.
    function swapExactOut(
        bool zeroForOne,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 maxFeePips,
        uint256 deadline
    ) external returns (uint256 amountIn);

    /// @notice Buys exactly `amountOut` from what arrived beyond the reserve; the rest of that goes back to the caller.
    function swapExactOutPrepaid(
        bool zeroForOne,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 maxFeePips,
        uint256 deadline
    ) external returns (uint256 amountIn);

    /// @notice Adds liquidity in the pool's ratio, at most the two amounts, pulled from the caller. Shares go to the caller
    /// and mature after `maturityBlocks`; a further mint restarts the wait of shares that are still immature.
    function mint(uint256 maxAmount0, uint256 maxAmount1, uint256 minShares, uint256 deadline)
        external
        returns (uint256 shares, uint256 amount0, uint256 amount1);

    /// @notice Adds liquidity from what arrived beyond the reserves; what does not fit the ratio goes back to the caller.
    function mintPrepaid(uint256 minShares, uint256 deadline)
        external
        returns (uint256 shares, uint256 amount0, uint256 amount1);

    /// @notice Burns mature shares of the caller. Works in every state but FROZEN.
    function burn(uint256 shares, uint256 minAmount0, uint256 minAmount1, address to, uint256 deadline)
        external
        returns (uint256 amount0, uint256 amount1);

    /// @notice First liquidity; only the factory, once. It has already moved the tokens here.
    function seed(address provider, uint256 amount0, uint256 amount1) external returns (uint256 shares);

    /// @notice Records the opening of this block without trading.
    function checkpoint() external;

    /// @notice Sends to the treasury what was given to the pool without a trade. Not from WITHDRAW_ONLY on.
    function skim() external returns (uint256 amount0, uint256 amount1);

    /// @notice Makes room for more observations; the caller pays for the storage. Not while FROZEN.
    function increaseObservationCardinality(uint16 cardinality) external;

    /// @notice What `swapExactIn` would pay if executed now, in this block.
    function quoteExactIn(bool zeroForOne, uint256 amountIn) external view returns (uint256 amountOut, uint256 feePips_);

    /// @notice What `swapExactOut` would cost if executed now, in this block.
    function quoteExactOut(bool zeroForOne, uint256 amountOut)
        external
        view
        returns (uint256 amountIn, uint256 feePips_);

    /// @notice What `swapExactIn` would pay as the first trade of the next block, at `timestamp`, if none comes before it.
    function quoteExactInNext(bool zeroForOne, uint256 amountIn, uint256 timestamp)
        external
        view
        returns (uint256 amountOut, uint256 feePips_);

    /// @notice What `swapExactOut` would cost as the first trade of the next block, at `timestamp`, if none comes before it.
    function quoteExactOutNext(bool zeroForOne, uint256 amountOut, uint256 timestamp)
        external
        view
        returns (uint256 amountIn, uint256 feePips_);

    /// @notice What `mint` would take and give now.
    function quoteMint(uint256 maxAmount0, uint256 maxAmount1)
        external
        view
        returns (uint256 shares, uint256 amount0, uint256 amount1);

    /// @notice What `burn` would pay now.
    function quoteBurn(uint256 shares) external view returns (uint256 amount0, uint256 amount1);

    /// @notice Sums of opening tick × seconds up to each of the moments, plain and truncated. Between two stored
    /// observations (about one per OBSERVATION_PERIOD) the sum is interpolated.
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int256[] memory cumulatives, int256[] memory truncatedCumulatives);

    /// @notice Geometric mean prices of the last `secondsAgo` seconds, token1 per token0, 2^-128: plain and truncated.
    function twap(uint32 secondsAgo) external view returns (uint256 priceX128, uint256 truncatedPriceX128);

    /// @notice The oracle's state: time of the last opening, its tick, the truncated tick, the volatility in ticks, the
    /// index of the newest stored observation and how many the ring holds.
    function oracleState()
        external
        view
        returns (
            uint256 timestamp,
            int256 tick,
            int256 truncatedTick,
            uint256 volatility,
            uint256 index,
            uint256 cardinality
        );
}
