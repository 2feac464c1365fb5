// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {RangeMath} from "contracts/strategies/lib/RangeMath.sol";

/// @notice Lets tests call the library.
contract RangeMathProbe {
    function sqrtRatioAtTick(int24 tick) external pure returns (uint160) {
        return RangeMath.sqrtRatioAtTick(tick);
    }

    function amountsDown(uint160 lower, uint160 upper, uint160 price, uint128 liquidity)
        external
        pure
        returns (uint256 amount0, uint256 amount1)
    {
        return RangeMath.amountsDown(lower, upper, price, liquidity);
    }

    function liquidityDown(uint160 lower, uint160 upper, uint256 amount, bool ofToken0)
        external
        pure
        returns (uint256)
    {
        return RangeMath.liquidityDown(lower, upper, amount, ofToken0);
    }

    function quoteDown(uint160 price, uint256 amount, bool ofToken0) external pure returns (uint256) {
        return RangeMath.quoteDown(price, amount, ofToken0);
    }
}
