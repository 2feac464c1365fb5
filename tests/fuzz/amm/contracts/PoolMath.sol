// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PoolState} from "contracts/amm/PoolState.sol";
import {PriceFloat} from "contracts/amm/PriceFloat.sol";
import {SwapMath} from "contracts/amm/SwapMath.sol";

/// @notice Opens the pool's libraries to tests, with plain twins of what they do in assembly or by a polynomial.
contract PoolMath {
    function encodeDown(uint256 numerator, uint256 denominator) external pure returns (uint256) {
        return PriceFloat.encodeDown(numerator, denominator);
    }

    function mulDown(uint256 code, uint256 amount) external pure returns (uint256) {
        return PriceFloat.mulDown(code, amount);
    }

    function mulUp(uint256 code, uint256 amount) external pure returns (uint256) {
        return PriceFloat.mulUp(code, amount);
    }

    function divDown(uint256 code, uint256 amount) external pure returns (uint256) {
        return PriceFloat.divDown(code, amount);
    }

    function divUp(uint256 code, uint256 amount) external pure returns (uint256) {
        return PriceFloat.divUp(code, amount);
    }

    function log2(uint256 code) external pure returns (int256) {
        return PriceFloat.log2(code);
    }

    function toX128(uint256 code) external pure returns (uint256) {
        return PriceFloat.toX128(code);
    }

    function exp2X128(int256 tick) external pure returns (uint256) {
        return PriceFloat.exp2X128(tick);
    }

    function msb(uint256 x) external pure returns (uint256) {
        return PriceFloat.mostSignificantBit(x);
    }

    function msbPlain(uint256 x) external pure returns (uint256 n) {
        while (x > 1) {
            x >>= 1;
            ++n;
        }
    }

    /// @notice log2 by repeated squaring: one bit of the result per step.
    function log2Plain(uint256 code) external pure returns (int256 result) {
        uint256 x = ((1 << 52) | (code & ((1 << 52) - 1))) << 75;
        result = (int256(code >> 52) - 112) << 16;
        for (uint256 i = 0; i < 16; ++i) {
            x = x * x >> 127;
            if (x >> 128 != 0) {
                x >>= 1;
                result += int256(1 << (15 - i));
            }
        }
    }

    function amountOutDown(uint256 rIn, uint256 rOut, uint256 amountIn, uint256 fee, uint256 bound, bool side)
        external
        pure
        returns (uint256)
    {
        return SwapMath.amountOutDown(rIn, rOut, amountIn, fee, bound, side);
    }

    function amountInUp(uint256 rIn, uint256 rOut, uint256 amountOut, uint256 fee, uint256 bound, bool side)
        external
        pure
        returns (uint256)
    {
        return SwapMath.amountInUp(rIn, rOut, amountOut, fee, bound, side);
    }

    function foldWindow(uint256 window, uint256 code, uint256 lastEpoch, uint256 epoch, uint256 fee)
        external
        pure
        returns (uint256)
    {
        return PoolState.foldWindow(window, code, lastEpoch, epoch, fee);
    }

    function foldOracle(uint256 oracle, int256 tick, uint256 timestamp, uint256 settings)
        external
        pure
        returns (uint256, uint256)
    {
        return PoolState.foldOracle(oracle, tick, timestamp, settings);
    }

    function initial(uint256 core, uint256 timestamp, uint256 fee) external pure returns (uint256, uint256) {
        return PoolState.initial(core, timestamp, fee);
    }
}
