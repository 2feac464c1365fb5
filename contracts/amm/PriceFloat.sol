// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Prices as 60-bit floats: eight bits of exponent, 52 bits of mantissa with a hidden leading one
/// @notice A code c stands for (2^52 + c mod 2^52) · 2^(c / 2^52 − 164). Codes compare as the prices they stand for, and
/// c + 1 is the next larger price. Prices of two reserves below 2^112 fit.
library PriceFloat {
    uint256 private constant HIDDEN_ONE = 1 << 52;
    uint256 private constant MANTISSA_MASK = HIDDEN_ONE - 1;
    uint256 private constant BIAS = 164;

    /// @dev log2(1 + f) − f = f·(1 − f)·h(f); coefficients of h, 2^32, fitted so that the sum errs by < 0.05 of 2^-16.
    int256 private constant H0 = 1_901_294_734;
    int256 private constant H1 = -1_194_256_074;
    int256 private constant H2 = 842_241_296;
    int256 private constant H3 = -561_262_726;
    int256 private constant H4 = 274_014_953;
    int256 private constant H5 = -65_276_028;

    /// @notice Largest code ≤ numerator / denominator; both in [1, 2^112). The price lies in [code, code + 1).
    function encodeDown(uint256 numerator, uint256 denominator) internal pure returns (uint256 code) {
        unchecked {
            uint256 quotient = (numerator << 144) / denominator;
            uint256 exponentOffset = 32;
            if (quotient < 2 * HIDDEN_ONE) {
                // The numerator is below 2^53 · 2^112 / 2^144, so that it has room for 56 more bits.
                quotient = (numerator << 200) / denominator;
                exponentOffset = 88;
            }
            uint256 n = mostSignificantBit(quotient);
            // Adding instead of joining drops the hidden one into the exponent, hence the − 1.
            code = ((n - exponentOffset - 1) << 52) + (quotient >> (n - 52));
        }
    }

    /// @notice ⌊amount · price⌋ for amount < 2^112.
    function mulDown(uint256 code, uint256 amount) internal pure returns (uint256) {
        unchecked {
            uint256 exponent = code >> 52;
            uint256 product = amount * (HIDDEN_ONE | (code & MANTISSA_MASK));
            // One of the two shifts is by more than any word holds and gives zero; at BIAS both give the product.
            return (product >> (BIAS - exponent)) | (product << (exponent - BIAS));
        }
    }

    /// @notice ⌈amount · price⌉ for amount < 2^112.
    function mulUp(uint256 code, uint256 amount) internal pure returns (uint256) {
        unchecked {
            uint256 exponent = code >> 52;
            uint256 product = amount * (HIDDEN_ONE | (code & MANTISSA_MASK));
            if (exponent >= BIAS) return product << (exponent - BIAS);
            uint256 shift = BIAS - exponent;
            return (product + (1 << shift) - 1) >> shift;
        }
    }

    /// @notice ⌊amount / price⌋ for amount < 2^112; 2^256 − 1 stands for anything ≥ 2^203.
    function divDown(uint256 code, uint256 amount) internal pure returns (uint256) {
        unchecked {
            uint256 exponent = code >> 52;
            uint256 mantissa = HIDDEN_ONE | (code & MANTISSA_MASK);
            if (exponent >= BIAS) return amount / (mantissa << (exponent - BIAS));
            uint256 shift = BIAS - exponent;
            if (amount >> (256 - shift) != 0) return type(uint256).max;
            return (amount << shift) / mantissa;
        }
    }

    /// @notice ⌈amount / price⌉ for amount < 2^112; 2^256 − 1 stands for anything ≥ 2^203.
    function divUp(uint256 code, uint256 amount) internal pure returns (uint256) {
        unchecked {
            uint256 exponent = code >> 52;
            uint256 mantissa = HIDDEN_ONE | (code & MANTISSA_MASK);
            if (exponent >= BIAS) {
                mantissa <<= exponent - BIAS;
                return (amount + mantissa - 1) / mantissa;
            }
            uint256 shift = BIAS - exponent;
            if (amount >> (256 - shift) != 0) return type(uint256).max;
            return ((amount << shift) + mantissa - 1) / mantissa;
        }
    }

    /// @notice log2 of the price in 2^-16, within one unit; |result| < 2^23.
    function log2(uint256 code) internal pure returns (int256) {
        unchecked {
            int256 f = int256((code & MANTISSA_MASK) >> 20);
            int256 h = H4 + ((H5 * f) >> 32);
            h = H3 + ((h * f) >> 32);
            h = H2 + ((h * f) >> 32);
            h = H1 + ((h * f) >> 32);
            h = H0 + ((h * f) >> 32);
            h = (f * ((1 << 32) - f) >> 32) * h >> 32;
            // code / 2^52 is the biased exponent plus f.
            return ((int256(code >> 52) - 112) << 16) + ((f + h) >> 16);
        }
    }

    /// @notice The price, 2^-128, rounded down; for people and for views.
    function toX128(uint256 code) internal pure returns (uint256) {
        unchecked {
            uint256 mantissa = HIDDEN_ONE | (code & MANTISSA_MASK);
            uint256 exponent = code >> 52;
            return exponent < 36 ? mantissa >> (36 - exponent) : mantissa << (exponent - 36);
        }
    }

    /// @notice 2^(tick / 2^16), 2^-128, rounded down, for ticks that `log2` returns. Not for hot paths.
    function exp2X128(int256 tick) internal pure returns (uint256) {
        unchecked {
            // Taylor's series of e^(f ln 2) with 127 bits behind the point; 28 terms leave less than 2^-112.
            uint256 x = (uint256(tick) & 0xffff) * 117_932_881_612_756_647_068_972_071_382_077_242_199 >> 16;
            uint256 term = 1 << 127;
            uint256 sum = term;
            for (uint256 n = 1; n < 28; ++n) {
                term = (term * x >> 127) / n;
                sum += term;
            }
            int256 shift = (tick >> 16) + 1;
            return shift < 0 ? sum >> uint256(-shift) : sum << uint256(shift);
        }
    }

    /// @notice Index of the highest bit that is set; x > 0.
    function mostSignificantBit(uint256 x) internal pure returns (uint256 n) {
        // Halving search: n += s where x ≥ 2^s, x >>= s, for s = 128, 64, …, 1.
        assembly ("memory-safe") {
            n := shl(7, lt(0xffffffffffffffffffffffffffffffff, x))
            n := or(n, shl(6, lt(0xffffffffffffffff, shr(n, x))))
            n := or(n, shl(5, lt(0xffffffff, shr(n, x))))
            n := or(n, shl(4, lt(0xffff, shr(n, x))))
            n := or(n, shl(3, lt(0xff, shr(n, x))))
            n := or(n, shl(2, lt(0xf, shr(n, x))))
            n := or(n, shl(1, lt(0x3, shr(n, x))))
            n := or(n, lt(0x1, shr(n, x)))
        }
    }
}
