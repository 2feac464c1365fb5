// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PriceFloat} from "./PriceFloat.sol";

/// @title The three storage slots of a pool: how they are packed, and how a checkpoint moves them
/// @notice Lowest bits first:
///   core    reserve0 112 | reserve1 112 | block 29 | lock 1 | state 2
///   window  loCur 60 | hiCur 60 | loPrev 60 | hiPrev 60 | fee 16
///   oracle  timestamp 40 | cumulative 56 | truncated cumulative 56 | tick 24 | truncated tick 24 | volatility 24 |
///           observation index 16 | observation cardinality 16
/// The block is kept modulo 2^29: only "is it still the same block" is asked of it.
library PoolState {
    uint256 internal constant RESERVE_MASK = (1 << 112) - 1;
    uint256 internal constant BLOCK_MASK = (1 << 29) - 1;
    uint256 internal constant LOCK = 1 << 253;
    uint256 private constant BLOCK_AND_STATE = (BLOCK_MASK << 224) | (3 << 254);

    uint256 private constant CODE_MASK = (1 << 60) - 1;
    uint256 private constant TIME_MASK = (1 << 40) - 1;

    /// @notice Seconds over which the volatility forgets.
    uint256 internal constant VOLATILITY_PERIOD = 600;
    uint256 internal constant VOLATILITY_MAX = (1 << 24) - 1;

    /// @notice What a checkpoint needs of a pool's configuration.
    struct CheckpointConfig {
        uint256 guardWindow;
        uint256 minFee;
        uint256 maxFee;
        uint256 volatilityFactor;
        uint256 deviationFactor;
        uint256 truncationRate;
    }

    // core

    function reserve0(uint256 core) internal pure returns (uint256) {
        return core & RESERVE_MASK;
    }

    function reserve1(uint256 core) internal pure returns (uint256) {
        return (core >> 112) & RESERVE_MASK;
    }

    function blockOf(uint256 core) internal pure returns (uint256) {
        return (core >> 224) & BLOCK_MASK;
    }

    function isLocked(uint256 core) internal pure returns (bool) {
        return core & LOCK != 0;
    }

    function stateOf(uint256 core) internal pure returns (uint256) {
        return core >> 254;
    }

    /// @notice `core` with new reserves, each below 2^112; the lock is taken.
    function withReservesLocked(uint256 core, uint256 r0, uint256 r1) internal pure returns (uint256) {
        return (core & BLOCK_AND_STATE) | LOCK | (r1 << 112) | r0;
    }

    function withBlock(uint256 core, uint256 blockNumber) internal pure returns (uint256) {
        return (core & ~(BLOCK_MASK << 224)) | ((blockNumber & BLOCK_MASK) << 224);
    }

    function withState(uint256 core, uint256 state) internal pure returns (uint256) {
        return (core & ((1 << 254) - 1)) | (state << 254);
    }

    // window

    function packWindow(uint256 loCur, uint256 hiCur, uint256 loPrev, uint256 hiPrev, uint256 fee)
        internal
        pure
        returns (uint256)
    {
        return loCur | (hiCur << 60) | (loPrev << 120) | (hiPrev << 180) | (fee << 240);
    }

    /// @notice min(loCur, loPrev): what a sell of token0 may fetch.
    function lowOf(uint256 window) internal pure returns (uint256) {
        return min(window & CODE_MASK, (window >> 120) & CODE_MASK);
    }

    /// @notice max(hiCur, hiPrev): what a buy of token0 must cost.
    function highOf(uint256 window) internal pure returns (uint256) {
        return max((window >> 60) & CODE_MASK, (window >> 180) & CODE_MASK);
    }

    function feeOf(uint256 window) internal pure returns (uint256) {
        return window >> 240;
    }

    // oracle

    function packOracle(
        uint256 timestamp,
        int256 cumulative,
        int256 truncatedCumulative,
        int256 tick,
        int256 truncatedTick,
        uint256 volatility,
        uint256 ring
    ) internal pure returns (uint256) {
        unchecked {
            return (timestamp & TIME_MASK) | (uint256(uint56(int56(cumulative))) << 40)
                | (uint256(uint56(int56(truncatedCumulative))) << 96) | (uint256(uint24(int24(tick))) << 152)
                | (uint256(uint24(int24(truncatedTick))) << 176) | (volatility << 200) | (ring << 224);
        }
    }

    function timestampOf(uint256 oracle) internal pure returns (uint256) {
        return oracle & TIME_MASK;
    }

    function cumulativeOf(uint256 oracle) internal pure returns (int256) {
        return int56(uint56(oracle >> 40));
    }

    function truncatedCumulativeOf(uint256 oracle) internal pure returns (int256) {
        return int56(uint56(oracle >> 96));
    }

    function tickOf(uint256 oracle) internal pure returns (int256) {
        return int24(uint24(oracle >> 152));
    }

    function truncatedTickOf(uint256 oracle) internal pure returns (int256) {
        return int24(uint24(oracle >> 176));
    }

    function volatilityOf(uint256 oracle) internal pure returns (uint256) {
        return (oracle >> 200) & VOLATILITY_MAX;
    }

    /// @notice Index and cardinality of the observations as they are packed, 32 bits.
    function ringOf(uint256 oracle) internal pure returns (uint256) {
        return oracle >> 224;
    }

    function indexOf(uint256 oracle) internal pure returns (uint256) {
        return (oracle >> 224) & 0xffff;
    }

    function cardinalityOf(uint256 oracle) internal pure returns (uint256) {
        return oracle >> 240;
    }

    function withRing(uint256 oracle, uint256 index, uint256 cardinality) internal pure returns (uint256) {
        return (oracle & ((1 << 224) - 1)) | (index << 224) | (cardinality << 240);
    }

    // checkpoint

    /// @notice Both slots of a pool that was just seeded.
    function initial(uint256 core, uint256 timestamp, uint256 fee)
        internal
        pure
        returns (uint256 window, uint256 oracle)
    {
        uint256 code = PriceFloat.encodeDown(reserve1(core), reserve0(core));
        int256 tick = PriceFloat.log2(code);
        window = packWindow(code, code + 1, code, code + 1, fee);
        oracle = packOracle(timestamp, 0, 0, tick, tick, 0, 1 << 16);
    }

    /// @notice Folds the opening price of a block into the guard's window and into the oracle. `core` still holds the
    /// reserves that the previous active block left.
    function checkpoint(uint256 core, uint256 window, uint256 oracle, uint256 timestamp, CheckpointConfig memory config)
        internal
        pure
        returns (uint256 window_, uint256 oracle_)
    {
        uint256 code = PriceFloat.encodeDown(reserve1(core), reserve0(core));
        uint256 fee;
        (oracle_, fee) = foldOracle(oracle, PriceFloat.log2(code), timestamp, config);
        window_ =
            foldWindow(window, code, timestampOf(oracle) / config.guardWindow, timestamp / config.guardWindow, fee);
    }

    /// @notice Within an epoch the current pair widens to hold the opening. When the epoch turns it becomes the previous
    /// pair; when an epoch was skipped no opening of the previous epoch differs from this one.
    function foldWindow(uint256 window, uint256 code, uint256 lastEpoch, uint256 epoch, uint256 fee)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            if (epoch == lastEpoch) {
                return packWindow(
                    min(window & CODE_MASK, code),
                    max((window >> 60) & CODE_MASK, code + 1),
                    (window >> 120) & CODE_MASK,
                    (window >> 180) & CODE_MASK,
                    fee
                );
            }
            if (epoch == lastEpoch + 1) {
                return packWindow(code, code + 1, window & CODE_MASK, (window >> 60) & CODE_MASK, fee);
            }
            return packWindow(code, code + 1, code, code + 1, fee);
        }
    }

    /// @notice The opening price has been in force since the last opening's block ended: it gets all the seconds between.
    function foldOracle(uint256 oracle, int256 tick, uint256 timestamp, CheckpointConfig memory config)
        internal
        pure
        returns (uint256 oracle_, uint256 fee)
    {
        unchecked {
            uint256 elapsed = (timestamp - timestampOf(oracle)) & TIME_MASK;
            int256 lastTick = tickOf(oracle);
            int256 truncated = truncatedTickOf(oracle);
            uint256 deviation = distance(tick, truncated);

            uint256 volatility = distance(tick, lastTick);
            if (elapsed < VOLATILITY_PERIOD) {
                volatility += volatilityOf(oracle) * (VOLATILITY_PERIOD - elapsed) / VOLATILITY_PERIOD;
                volatility = min(volatility, VOLATILITY_MAX);
            }

            fee = config.minFee + (config.volatilityFactor * volatility >> 16);
            if (deviation > distance(lastTick, truncated)) {
                fee += config.deviationFactor * deviation * deviation >> 32;
            }
            fee = min(fee, config.maxFee);

            truncated = follow(truncated, tick, deviation, config.truncationRate * elapsed);
            oracle_ = packOracle(
                timestamp,
                cumulativeOf(oracle) + tick * int256(elapsed),
                truncatedCumulativeOf(oracle) + truncated * int256(elapsed),
                tick,
                truncated,
                volatility,
                ringOf(oracle)
            );
        }
    }

    /// @notice `from` moved towards `to`, which is `gap` away, by no more than `limit`.
    function follow(int256 from, int256 to, uint256 gap, uint256 limit) internal pure returns (int256) {
        unchecked {
            if (gap <= limit) return to;
            return to > from ? from + int256(limit) : from - int256(limit);
        }
    }

    function distance(int256 a, int256 b) internal pure returns (uint256) {
        unchecked {
            return uint256(a > b ? a - b : b - a);
        }
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }
}
