// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SignedMath} from "@openzeppelin/contracts/utils/math/SignedMath.sol";

import {PoolConfig} from "interfaces/amm/IGuardedPool.sol";

import {PriceFloat} from "./PriceFloat.sol";

/// @title The three storage slots of a pool: how they are packed, and how a checkpoint moves them
/// @notice Lowest bits first:
///   core    reserve0 112 | reserve1 112 | block 29 | lock 1 | state 2
///   window  loCur 60 | hiCur 60 | loPrev 60 | hiPrev 60 | fee 16
///   oracle  timestamp 40 | cumulative 56 | truncated cumulative 56 | tick 24 | truncated tick 24 | volatility 24 |
///           observation index 16 | observation cardinality 16
/// The block is kept modulo 2^29: only "is it still the same block" is asked of it. What never changes is one word as well:
///   settings  guardWindow 32 | minFee 16 | maxFee 16 | volatilityFactor 32 | deviationFactor 32 | truncationRate 16 |
///             maturityBlocks 32
library PoolState {
    uint256 internal constant RESERVE_MASK = (1 << 112) - 1;
    uint256 internal constant BLOCK_MASK = (1 << 29) - 1;
    uint256 internal constant LOCK = 1 << 253;
    uint256 private constant BLOCK_AND_STATE = (BLOCK_MASK << 224) | (3 << 254);

    uint256 private constant CODE_MASK = (1 << 60) - 1;
    uint256 private constant PAIR_MASK = (1 << 120) - 1;
    uint256 private constant TIME_MASK = (1 << 40) - 1;
    uint256 private constant SUM_MASK = (1 << 56) - 1;
    uint256 private constant TICK_MASK = (1 << 24) - 1;

    /// @notice Seconds over which the volatility forgets.
    uint256 internal constant VOLATILITY_PERIOD = 600;
    uint256 internal constant VOLATILITY_MAX = (1 << 24) - 1;

    // settings

    function packSettings(PoolConfig memory config) internal pure returns (uint256) {
        return uint256(config.guardWindow) | (uint256(config.minFeePips) << 32) | (uint256(config.maxFeePips) << 48)
            | (uint256(config.volatilityFactor) << 64) | (uint256(config.deviationFactor) << 96)
            | (uint256(config.truncationRate) << 128) | (uint256(config.maturityBlocks) << 144);
    }

    function unpackSettings(uint256 settings) internal pure returns (PoolConfig memory) {
        return PoolConfig({
            guardWindow: uint32(guardWindowOf(settings)),
            maturityBlocks: uint32(maturityBlocksOf(settings)),
            minFeePips: uint16(minFeeOf(settings)),
            maxFeePips: uint16(maxFeeOf(settings)),
            volatilityFactor: uint32(volatilityFactorOf(settings)),
            deviationFactor: uint32(deviationFactorOf(settings)),
            truncationRate: uint16(truncationRateOf(settings))
        });
    }

    function guardWindowOf(uint256 settings) internal pure returns (uint256) {
        return settings & type(uint32).max;
    }

    function minFeeOf(uint256 settings) internal pure returns (uint256) {
        return (settings >> 32) & type(uint16).max;
    }

    function maxFeeOf(uint256 settings) internal pure returns (uint256) {
        return (settings >> 48) & type(uint16).max;
    }

    function volatilityFactorOf(uint256 settings) internal pure returns (uint256) {
        return (settings >> 64) & type(uint32).max;
    }

    function deviationFactorOf(uint256 settings) internal pure returns (uint256) {
        return (settings >> 96) & type(uint32).max;
    }

    function truncationRateOf(uint256 settings) internal pure returns (uint256) {
        return (settings >> 128) & type(uint16).max;
    }

    function maturityBlocksOf(uint256 settings) internal pure returns (uint256) {
        return settings >> 144;
    }

    // core

    function reserve0(uint256 core) internal pure returns (uint256) {
        return core & RESERVE_MASK;
    }

    function reserve1(uint256 core) internal pure returns (uint256) {
        return (core >> 112) & RESERVE_MASK;
    }

    /// @notice Of token0 or of token1.
    function reserveOf(uint256 core, bool isToken0) internal pure returns (uint256) {
        return (core >> (isToken0 ? 0 : 112)) & RESERVE_MASK;
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

    /// @notice `core` after a trade; the lock, which was free, is taken. The sums neither carry nor borrow: what comes in
    /// fits beside the reserve, what goes out is no more than the other.
    function withTradeLocked(uint256 core, bool zeroForOne, uint256 amountIn, uint256 amountOut)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            return
                zeroForOne ? core + LOCK + amountIn - (amountOut << 112) : core + LOCK + (amountIn << 112) - amountOut;
        }
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
        return Math.min(window & CODE_MASK, (window >> 120) & CODE_MASK);
    }

    /// @notice max(hiCur, hiPrev): what a buy of token0 must cost.
    function highOf(uint256 window) internal pure returns (uint256) {
        return Math.max((window >> 60) & CODE_MASK, (window >> 180) & CODE_MASK);
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
            return (timestamp & TIME_MASK) | ((uint256(cumulative) & SUM_MASK) << 40)
                | ((uint256(truncatedCumulative) & SUM_MASK) << 96) | ((uint256(tick) & TICK_MASK) << 152)
                | ((uint256(truncatedTick) & TICK_MASK) << 176) | (volatility << 200) | (ring << 224);
        }
    }

    function timestampOf(uint256 oracle) internal pure returns (uint256) {
        return oracle & TIME_MASK;
    }

    function cumulativeOf(uint256 oracle) internal pure returns (int256) {
        return int56(int256(oracle >> 40));
    }

    function truncatedCumulativeOf(uint256 oracle) internal pure returns (int256) {
        return int56(int256(oracle >> 96));
    }

    function tickOf(uint256 oracle) internal pure returns (int256) {
        return int24(int256(oracle >> 152));
    }

    function truncatedTickOf(uint256 oracle) internal pure returns (int256) {
        return int24(int256(oracle >> 176));
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
    function checkpoint(uint256 core, uint256 window, uint256 oracle, uint256 timestamp, uint256 settings)
        internal
        pure
        returns (uint256 window_, uint256 oracle_)
    {
        uint256 code = PriceFloat.encodeDown(reserve1(core), reserve0(core));
        uint256 fee;
        (oracle_, fee) = foldOracle(oracle, PriceFloat.log2(code), timestamp, settings);
        uint256 span = guardWindowOf(settings);
        window_ = foldWindow(window, code, timestampOf(oracle) / span, timestamp / span, fee);
    }

    /// @notice Within an epoch the current pair widens to hold the opening. When the epoch turns it becomes the previous
    /// pair; when an epoch was skipped no opening of the previous epoch differs from this one.
    function foldWindow(uint256 window, uint256 code, uint256 lastEpoch, uint256 epoch, uint256 fee)
        internal
        pure
        returns (uint256)
    {
        unchecked {
            uint256 lo = code;
            uint256 hi = code + 1;
            uint256 previous = window & PAIR_MASK;
            if (epoch == lastEpoch) {
                lo = Math.min(window & CODE_MASK, code);
                hi = Math.max((window >> 60) & CODE_MASK, code + 1);
                previous = (window >> 120) & PAIR_MASK;
            } else if (epoch != lastEpoch + 1) {
                previous = lo | (hi << 60);
            }
            return lo | (hi << 60) | (previous << 120) | (fee << 240);
        }
    }

    /// @notice The opening price has been in force since the last opening's block ended: it gets all the seconds between.
    function foldOracle(uint256 oracle, int256 tick, uint256 timestamp, uint256 settings)
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
                volatility = Math.min(volatility, VOLATILITY_MAX);
            }

            fee = minFeeOf(settings) + (volatilityFactorOf(settings) * volatility >> 16);
            if (deviation > distance(lastTick, truncated)) {
                fee += deviationFactorOf(settings) * deviation * deviation >> 32;
            }
            fee = Math.min(fee, maxFeeOf(settings));

            truncated = follow(truncated, tick, deviation, truncationRateOf(settings) * elapsed);
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
            return SignedMath.abs(a - b);
        }
    }
}
