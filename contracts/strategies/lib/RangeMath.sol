// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title What a liquidity position of Uniswap V3 holds, to the unit as the pool itself counts
/// @notice A price is token1 per token0; its square root has 96 binary places. Everything rounds down.
library RangeMath {
    using Math for uint256;

    int24 internal constant MAX_TICK = 887_272;
    uint256 private constant Q96 = 1 << 96;

    /// @dev 2^128 / 1.0001^(2^i / 2) for i = 0 … 19, each to the nearest of 16 bytes.
    bytes private constant ROOTS = hex"fffcb933bd6fad37aa2d162d1a594001" hex"fff97272373d413259a46990580e213a"
        hex"fff2e50f5f656932ef12357cf3c7fdcc" hex"ffe5caca7e10e4e61c3624eaa0941cd0"
        hex"ffcb9843d60f6159c9db58835c926644" hex"ff973b41fa98c081472e6896dfb254c0"
        hex"ff2ea16466c96a3843ec78b326b52861" hex"fe5dee046a99a2a811c461f1969c3053"
        hex"fcbe86c7900a88aedcffc83b479aa3a4" hex"f987a7253ac413176f2b074cf7815e54"
        hex"f3392b0822b70005940c7a398e4b70f3" hex"e7159475a2c29b7443b29c7fa6e889d9"
        hex"d097f3bdfd2022b8845ad8f792aa5825" hex"a9f746462d870fdf8a65dc1f90e061e5"
        hex"70d869a156d2a1b890bb3df62baf32f7" hex"31be135f97d08fd981231505542fcfa6"
        hex"09aa508b5b7a84e1c677de54f3e99bc9" hex"005d6af8dedb81196699c329225ee604"
        hex"00002216e584f5fa1ea926041bedfe98" hex"00000000048a170391f7dc42444e8fa2";

    error TickOutOfBounds(int24 tick);

    /// @notice √(1.0001^tick), rounded up, as the pool rounds it.
    function sqrtRatioAtTick(int24 tick) internal pure returns (uint160) {
        require(tick >= -MAX_TICK && tick <= MAX_TICK, TickOutOfBounds(tick));
        uint256 distance = uint24(tick < 0 ? -tick : tick);
        bytes memory roots = ROOTS;
        uint256 ratio = 1 << 128;
        for (uint256 i; distance >> i != 0; ++i) {
            if ((distance >> i) & 1 == 0) continue;
            uint256 root;
            // The i-th group of sixteen bytes.
            assembly ("memory-safe") {
                root := shr(128, mload(add(add(roots, 0x20), mul(i, 0x10))))
            }
            // Fixed point of 128 bits: the shift and the inverse are the pool's own steps, to its rounding.
            // slither-disable-next-line divide-before-multiply
            ratio = (ratio * root) >> 128;
        }
        if (tick > 0) ratio = type(uint256).max / ratio;
        return uint160(ratio.ceilDiv(1 << 32));
    }

    /// @notice What `liquidity` between two prices holds of each token at `price`.
    function amountsDown(uint160 lower, uint160 upper, uint160 price, uint128 liquidity)
        internal
        pure
        returns (uint256 amount0, uint256 amount1)
    {
        uint256 at = Math.min(Math.max(price, lower), upper);
        if (at < upper) amount0 = (uint256(liquidity) << 96).mulDiv(upper - at, upper) / at;
        if (at > lower) amount1 = uint256(liquidity).mulDiv(at - lower, Q96);
    }

    /// @notice The most liquidity that `amount` of one token alone pays for between two prices.
    function liquidityDown(uint160 lower, uint160 upper, uint256 amount, bool ofToken0)
        internal
        pure
        returns (uint256)
    {
        uint256 perUnit = ofToken0 ? uint256(lower).mulDiv(upper, Q96) : Q96;
        return amount.mulDiv(perUnit, upper - lower);
    }

    /// @notice What `amount` of one token is worth in the other.
    function quoteDown(uint160 price, uint256 amount, bool ofToken0) internal pure returns (uint256) {
        return ofToken0 ? amount.mulDiv(price, Q96).mulDiv(price, Q96) : amount.mulDiv(Q96, price).mulDiv(Q96, price);
    }
}
