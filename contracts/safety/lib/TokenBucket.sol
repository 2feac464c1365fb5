// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title A token bucket in one word
/// @notice Capacity C = L/2, refill r = L/(2W). In any closed time interval of length ≤ W, taken − given ≤ L: at the
/// first event of the interval at most C is in the bucket, and at most r·W ≤ C is refilled inside it.
/// What is given beyond C stays for the rest of its timestamp, which no interval can cut, and is gone a second later.
/// @dev Word, from the low end: level (128 bits, in 2^-24 units, so that slow refills do not round away), time of the
/// level (32, modulo 2^32), window in seconds (24), limit as mantissa (64) and exponent (8). A metered word is never
/// 0, since its window is not. All sums fit: level < 2^128, elapsed · rate < 2^32 · 2^126.
library TokenBucket {
    uint256 internal constant MIN_WINDOW = 10 minutes;
    uint256 internal constant MAX_WINDOW = 30 days;
    uint256 internal constant MAX_LIMIT = (1 << 103) - 1;
    /// Refill per second, in 2^-24 units: below this, rounding could cost more than a thousandth of it.
    uint256 internal constant MIN_RATE = 1024;

    uint256 private constant FRACTION_BITS = 24;
    uint256 private constant LEVEL_MASK = (1 << 128) - 1;
    uint256 private constant TIME_OFFSET = 128;
    uint256 private constant TIME_MASK = (1 << 32) - 1;
    uint256 private constant WINDOW_OFFSET = 160;
    uint256 private constant WINDOW_MASK = (1 << 24) - 1;
    uint256 private constant EXPONENT_OFFSET = 184;
    uint256 private constant EXPONENT_MASK = (1 << 8) - 1;
    uint256 private constant MANTISSA_OFFSET = 192;
    uint256 private constant MANTISSA_BITS = 64;
    uint256 private constant PARAMETERS_OFFSET = WINDOW_OFFSET;

    /// @notice Whether a bucket may have these parameters.
    function inBounds(uint256 limit, uint256 window) internal pure returns (bool) {
        if (window < MIN_WINDOW || window > MAX_WINDOW || limit > MAX_LIMIT) return false;
        return (limit << (FRACTION_BITS - 1)) / window >= MIN_RATE;
    }

    /// @notice A full bucket. The parameters must be in bounds; the limit is rounded down to 64 significant bits.
    function create(uint256 limit, uint256 window, uint256 time) internal pure returns (uint256 bucket) {
        bucket = _parameters(limit, window);
        bucket = _put(bucket, capacity(bucket), time);
    }

    /// @notice The bucket with other parameters; what it holds is kept, as far as the new capacity goes.
    function resize(uint256 bucket, uint256 limit, uint256 window, uint256 time)
        internal
        pure
        returns (uint256 resized)
    {
        uint256 held = levelAt(bucket, time);
        resized = _parameters(limit, window);
        uint256 cap = capacity(resized);
        resized = _put(resized, held < cap ? held : cap, time);
    }

    /// @notice Takes `assets` out; 0, which no bucket is, if it holds less.
    function take(uint256 bucket, uint256 assets, uint256 time) internal pure returns (uint256 next) {
        uint256 held = levelAt(bucket, time);
        unchecked {
            if (assets <= held >> FRACTION_BITS) next = _put(bucket, held - (assets << FRACTION_BITS), time);
        }
    }

    /// @notice Puts `assets` in; saturates at 2^104 units.
    function give(uint256 bucket, uint256 assets, uint256 time) internal pure returns (uint256) {
        unchecked {
            uint256 held = levelAt(bucket, time);
            if (assets > (LEVEL_MASK - held) >> FRACTION_BITS) return _put(bucket, LEVEL_MASK, time);
            return _put(bucket, held + (assets << FRACTION_BITS), time);
        }
    }

    /// @notice Whole units that can be taken at `time`.
    function available(uint256 bucket, uint256 time) internal pure returns (uint256) {
        return levelAt(bucket, time) >> FRACTION_BITS;
    }

    /// @notice What the bucket holds at `time`, in 2^-24 units.
    /// @dev This is the hot path. `held`; and, if time has passed, min(held + elapsed · (capacity / window), capacity),
    /// where capacity = mantissa << (exponent + 23). A window of 0, which only an unmetered word has, refills nothing.
    function levelAt(uint256 bucket, uint256 time) internal pure returns (uint256 held) {
        assembly ("memory-safe") {
            held := and(bucket, 0xffffffffffffffffffffffffffffffff)
            let elapsed := and(sub(time, shr(128, bucket)), 0xffffffff)
            if elapsed {
                let cap := shl(add(23, and(shr(184, bucket), 0xff)), shr(192, bucket))
                // Refill per second is whole units, rounded down: S1 is proven for just this order.
                // slither-disable-next-line divide-before-multiply
                held := add(held, mul(elapsed, div(cap, and(shr(160, bucket), 0xffffff))))
                if gt(held, cap) { held := cap }
            }
        }
    }

    /// @notice C, in 2^-24 units.
    function capacity(uint256 bucket) internal pure returns (uint256) {
        return limitOf(bucket) << (FRACTION_BITS - 1);
    }

    /// @notice L, in units.
    function limitOf(uint256 bucket) internal pure returns (uint256) {
        return (bucket >> MANTISSA_OFFSET) << ((bucket >> EXPONENT_OFFSET) & EXPONENT_MASK);
    }

    /// @notice W, in seconds.
    function windowOf(uint256 bucket) internal pure returns (uint256) {
        return (bucket >> WINDOW_OFFSET) & WINDOW_MASK;
    }

    function _parameters(uint256 limit, uint256 window) private pure returns (uint256) {
        uint256 exponent;
        while (limit >> exponent >= 1 << MANTISSA_BITS) {
            ++exponent;
        }
        return ((limit >> exponent) << MANTISSA_OFFSET) | (exponent << EXPONENT_OFFSET) | (window << WINDOW_OFFSET);
    }

    function _put(uint256 bucket, uint256 held, uint256 time) private pure returns (uint256) {
        return ((bucket >> PARAMETERS_OFFSET) << PARAMETERS_OFFSET) | ((time & TIME_MASK) << TIME_OFFSET) | held;
    }
}
