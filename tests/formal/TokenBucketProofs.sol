// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TokenBucket} from "contracts/safety/lib/TokenBucket.sol";

/// @notice S1 for all parameters within their bounds, by induction over the steps of a bucket's life.
/// Fix any closed time interval of length ≤ W. After each step in it let budget = C + refilled − net, where
/// `refilled` is the sum of rate · elapsed since the interval's first step and `net` what was taken less what was
/// given, in 2^-24 units. Invariant: level ≤ budget.
/// - `check_first_step`: the step at the interval's start makes it true, since an older level is at most C by then.
/// - `check_time_adds_the_refill`: time adds at most to the level what it adds to the budget.
/// - `check_step_without_time`: taking subtracts the same from both, giving adds to the level at most what it adds to
/// the   budget. So each further step keeps the invariant.
/// - `check_capacity_is_half_the_limit`: 2C = L; inside the interval refilled ≤ W · ⌊C/W⌋ ≤ C.
/// As 0 ≤ level ≤ budget, net ≤ C + refilled ≤ L.
contract TokenBucketProofs {
    uint256 private constant FRACTION_BITS = 24;

    function _assume(bool condition) private pure {
        // A branch that stops without an assertion is no counterexample.
        if (!condition) {
            assembly ("memory-safe") {
                stop()
            }
        }
    }

    /// Any word that a bucket can be: any level, any time, parameters within bounds.
    function _assumeBucket(uint256 bucket) private pure {
        uint256 mantissa = bucket >> 192;
        uint256 exponent = (bucket >> 184) & 0xff;
        uint256 window = (bucket >> 160) & 0xffffff;
        _assume(exponent < 40);
        _assume(mantissa <= TokenBucket.MAX_LIMIT >> exponent);
        _assume(window >= TokenBucket.MIN_WINDOW && window <= TokenBucket.MAX_WINDOW);
    }

    function _timeOf(uint256 bucket) private pure returns (uint256) {
        return (bucket >> 128) & 0xffffffff;
    }

    function _rate(uint256 bucket) private pure returns (uint256) {
        return TokenBucket.capacity(bucket) / TokenBucket.windowOf(bucket);
    }

    /// elapsed · rate, spelled as the library does, so that the solver meets the same product on both sides.
    function _refill(uint256 bucket, uint256 time) private pure returns (uint256 more) {
        assembly ("memory-safe") {
            let elapsed := and(sub(time, shr(128, bucket)), 0xffffffff)
            let cap := shl(add(23, and(shr(184, bucket), 0xff)), shr(192, bucket))
            more := mul(elapsed, div(cap, and(shr(160, bucket), 0xffffff)))
        }
    }

    /// The step at which the interval starts comes at a later timestamp than the one before it: by then the level is at
    /// most C, which is the budget before the step.
    function check_first_step(uint256 bucket, uint32 time) external pure {
        _assumeBucket(bucket);
        _assume(time > _timeOf(bucket));
        assert(TokenBucket.levelAt(bucket, time) <= TokenBucket.capacity(bucket));
    }

    /// At that timestamp, and at any other without time in between, a step moves level and budget by the same amount.
    function check_step_without_time(uint256 bucket, uint32 time, uint256 assets) external pure {
        _assumeBucket(bucket);
        uint256 held = TokenBucket.levelAt(bucket, time);
        _assume(held <= type(uint128).max);
        uint256 taken = TokenBucket.take(bucket, assets, time);
        unchecked {
            if (taken != 0) {
                assert(assets < 1 << 104);
                assert(TokenBucket.levelAt(taken, time) + (assets << FRACTION_BITS) == held);
            }
            _assume(assets < 1 << 200);
            uint256 given = TokenBucket.give(bucket, assets, time);
            uint256 sum = held + (assets << FRACTION_BITS);
            assert(TokenBucket.levelAt(given, time) <= sum);
            // Below 2^104 units, where the level saturates, giving is exact. With the exact taking above that is S5: a
            // deposit and an exit at one timestamp, in either order, leave the level as it was.
            if (sum <= type(uint128).max) assert(TokenBucket.levelAt(given, time) == sum);
        }
    }

    /// Time adds at most rate · elapsed to the level, as to the budget.
    function check_time_adds_the_refill(uint256 bucket, uint32 time) external pure {
        _assumeBucket(bucket);
        uint256 more = _refill(bucket, time);
        // Shown by `check_refill_fits`.
        _assume(more < 1 << 160);
        unchecked {
            assert(TokenBucket.levelAt(bucket, time) <= (bucket & type(uint128).max) + more);
        }
    }

    /// A rate is below 2^128, and what it refills in 2^32 seconds below 2^160: the contract's sums do not wrap.
    function check_refill_fits(uint256 bucket, uint32 elapsed, uint128 rate) external pure {
        _assumeBucket(bucket);
        assert(TokenBucket.capacity(bucket) < 1 << 128);
        assert(_rate(bucket) <= TokenBucket.capacity(bucket));
        unchecked {
            assert(uint256(elapsed) * rate < 1 << 160);
        }
    }

    /// No step touches the parameters, and each leaves its own time.
    function check_steps_keep_parameters(uint256 bucket, uint32 time, uint256 assets) external pure {
        _assumeBucket(bucket);
        uint256 taken = TokenBucket.take(bucket, assets, time);
        if (taken != 0) assert(taken >> 160 == bucket >> 160 && _timeOf(taken) == time);
        uint256 given = TokenBucket.give(bucket, assets, time);
        assert(given >> 160 == bucket >> 160 && _timeOf(given) == time);
    }

    /// 2C = L. And over a whole window the refill is W · ⌊C/W⌋ ≤ C, which is what a floor division is.
    function check_capacity_is_half_the_limit(uint64 mantissa, uint8 exponent) external pure {
        uint256 bucket = (uint256(mantissa) << 192) | (uint256(exponent) << 184) | (TokenBucket.MIN_WINDOW << 160);
        _assumeBucket(bucket);
        assert(2 * TokenBucket.capacity(bucket) == TokenBucket.limitOf(bucket) << FRACTION_BITS);
    }

    /// What `available` says can be taken, and not one unit more.
    function check_available_is_exact(uint256 bucket, uint32 time) external pure {
        _assumeBucket(bucket);
        uint256 available = TokenBucket.available(bucket, time);
        assert(TokenBucket.take(bucket, available, time) != 0);
        assert(TokenBucket.take(bucket, available + 1, time) == 0);
    }

    /// A bucket starts with its capacity, and its limit is the one asked for but for what 64 bits cannot hold.
    function check_create_is_full(uint104 limit, uint24 window, uint32 time) external pure {
        _assume(TokenBucket.inBounds(limit, window));
        uint256 bucket = TokenBucket.create(limit, window, time);
        assert(bucket != 0);
        assert(TokenBucket.levelAt(bucket, time) == TokenBucket.capacity(bucket));
        uint256 kept = TokenBucket.limitOf(bucket);
        assert(kept <= limit && limit - kept <= limit >> 63);
        assert(TokenBucket.windowOf(bucket) == window);
    }
}
