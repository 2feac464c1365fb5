// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PriceFloat} from "./PriceFloat.sol";

/// @title What a trade pays: the worse, for the trader, of the constant product and the guard's bound
/// @notice All amounts and reserves are below 2^112, reserves and prices are above zero, fees are below 1e6 pips.
library SwapMath {
    uint256 internal constant PIPS = 1_000_000;

    /// @param bound Code of the lowest opening of the window for a sell of token0, of the highest for a buy.
    function amountOutDown(
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 amountIn,
        uint256 feePips,
        uint256 bound,
        bool zeroForOne
    ) internal pure returns (uint256 amountOut) {
        unchecked {
            // Rounded down on purpose: what the fee's division loses is lost by the trader, as in the model.
            // slither-disable-next-line divide-before-multiply
            uint256 effective = amountIn * (PIPS - feePips) / PIPS;
            amountOut = reserveOut * effective / (reserveIn + effective);
            uint256 guarded = zeroForOne ? PriceFloat.mulDown(bound, effective) : PriceFloat.divDown(bound, effective);
            if (guarded < amountOut) amountOut = guarded;
        }
    }

    /// @notice Least input for `amountOut` < reserveOut. May exceed 112 bits: the caller checks.
    function amountInUp(
        uint256 reserveIn,
        uint256 reserveOut,
        uint256 amountOut,
        uint256 feePips,
        uint256 bound,
        bool zeroForOne
    ) internal pure returns (uint256 amountIn) {
        unchecked {
            uint256 left = reserveOut - amountOut;
            // Both steps round up, against the trader; a single step would not equal amountOutDown's fee.
            // slither-disable-next-line divide-before-multiply
            uint256 effective = (reserveIn * amountOut + left - 1) / left;
            uint256 guarded = zeroForOne ? PriceFloat.divUp(bound, amountOut) : PriceFloat.mulUp(bound, amountOut);
            if (guarded > effective) effective = guarded;
            // Saturated: no reserve could take it.
            if (effective >> 224 != 0) return type(uint256).max;
            uint256 kept = PIPS - feePips;
            return (effective * PIPS + kept - 1) / kept;
        }
    }
}
