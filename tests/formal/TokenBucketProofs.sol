// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TokenBucket} from "contracts/safety/lib/TokenBucket.sol";

/// @notice S1 for all parameters within their bounds, by induction over the steps of a bucket's life.
/// Fix any closed time interval of length ≤ W. After each step in it let budget = C + refilled − net, where
/// `refilled` is the sum of rate · elapsed since the interval's first step and `net` what was taken less what was
/// given, in 2^-24 units. Invariant: level ≤ budget.
/// - `check_first_step`: the step at the interval's start makes it true, since an older level is at most C by then.
/// - `check_time_adds_the_refill`: time adds at most to the level what it adds to the budget.
/// - `check_take_is_from_the_level`, `check_give_is_to_the_level`, `check_level_is_read_back`: a step is that, then
/// taking from the level or giving to it.
/// - `check_take_is_exact`, `check_give_is_exact`: taking subtracts the same from both, giving adds to the level at most
/// what it adds to the budget. So each further step keeps the invariant.
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

    /// A level fits its 128 bits at any time: nothing of it spills over into the time and the parameters.
    function check_level_fits(uint256 bucket, uint32 time) external pure {
        _assumeBucket(bucket);
        assert(TokenBucket.levelAt(bucket, time) <= type(uint128).max);
    }

    /// Taking at any time is: let the time pass, then take from the level, which is read back as it was written.
    function check_take_is_from_the_level(uint256 bucket, uint32 time, uint256 assets) external pure {
        (bool enough, uint256 level) = _levelLess(_levelThatFits(bucket, time), assets);
        uint256 taken = TokenBucket.take(bucket, assets, time);
        assert(taken == (enough ? _with(bucket, level, time) : 0));
    }

    /// And giving is: let the time pass, then give to the level.
    function check_give_is_to_the_level(uint256 bucket, uint32 time, uint256 assets) external pure {
        uint256 level = _levelAnd(_levelThatFits(bucket, time), assets);
        assert(TokenBucket.give(bucket, assets, time) == _with(bucket, level, time));
    }

    /// No step touches the parameters, and each leaves its own time and the level that it made.
    function check_level_is_read_back(uint256 bucket, uint32 time, uint128 level) external pure {
        uint256 next = _with(bucket, level, time);
        assert(TokenBucket.levelAt(next, time) == level);
        assert(next >> 160 == bucket >> 160 && _timeOf(next) == time);
    }

    /// Without time in between, taking moves level and budget by the same amount.
    function check_take_is_exact(uint128 held, uint256 assets) external pure {
        (bool enough, uint256 level) = _levelLess(held, assets);
        if (!enough) return;
        assert(assets < 1 << 104 && level <= held);
        assert(level + (assets << FRACTION_BITS) == held);
    }

    /// Giving adds to the level at most what it adds to the budget. Below 2^104 units, where the level saturates, it is
    /// exact. With the exact taking above that is S5: a deposit and an exit at one timestamp, in either order, leave the
    /// level as it was.
    function check_give_is_exact(uint128 held, uint256 assets) external pure {
        _assume(assets < 1 << 200);
        uint256 level = _levelAnd(held, assets);
        uint256 sum = held + (assets << FRACTION_BITS);
        assert(level <= sum && level <= type(uint128).max);
        if (sum <= type(uint128).max) assert(level == sum);
    }

    /// That it fits is shown by `check_level_fits`.
    function _levelThatFits(uint256 bucket, uint32 time) private pure returns (uint256 held) {
        held = TokenBucket.levelAt(bucket, time);
        _assume(held <= type(uint128).max);
    }

    /// What taking does to a level, on paper.
    function _levelLess(uint256 held, uint256 assets) private pure returns (bool enough, uint256 level) {
        unchecked {
            return (assets <= held >> FRACTION_BITS, held - (assets << FRACTION_BITS));
        }
    }

    /// What giving does to a level, on paper.
    function _levelAnd(uint256 held, uint256 assets) private pure returns (uint256 level) {
        unchecked {
            bool room = assets <= (type(uint128).max - held) >> FRACTION_BITS;
            return room ? held + (assets << FRACTION_BITS) : type(uint128).max;
        }
    }

    /// A bucket with its parameters, another level and another time.
    function _with(uint256 bucket, uint256 level, uint32 time) private pure returns (uint256) {
        return ((bucket >> 160) << 160) | (uint256(time) << 128) | level;
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
