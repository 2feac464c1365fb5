// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PoolConfig} from "interfaces/amm/IGuardedPool.sol";

import {PoolState} from "contracts/amm/PoolState.sol";
import {PriceFloat} from "contracts/amm/PriceFloat.sol";
import {SwapMath} from "contracts/amm/SwapMath.sol";

/// @notice Statements about the pool's arithmetic for all inputs; halmos proves each `check_` function.
contract PoolProofs {
    using PoolState for uint256;

    uint256 private constant CODE = (1 << 60) - 1;
    /// @dev Of the price of two reserves below 2^112.
    uint256 private constant LARGEST_EXPONENT = 223;

    struct Trade {
        uint112 reserveIn;
        uint112 reserveOut;
        uint112 amountIn;
        uint16 fee;
        uint256 bound;
        bool zeroForOne;
    }

    // packing

    function check_core__new_reserves__keep_block_and_state(uint256 core, uint112 r0, uint112 r1) external pure {
        uint256 packed = core.withReservesLocked(r0, r1);
        assert(packed.reserve0() == r0 && packed.reserve1() == r1);
        assert(packed.blockOf() == core.blockOf() && packed.stateOf() == core.stateOf());
        assert(packed.isLocked());
    }

    function check_core__trade__moves_the_reserves_only(
        uint256 core,
        uint112 amountIn,
        uint112 amountOut,
        bool zeroForOne
    ) external pure {
        uint256 reserveIn = core.reserveOf(zeroForOne);
        uint256 reserveOut = core.reserveOf(!zeroForOne);
        require(!core.isLocked() && amountIn <= PoolState.RESERVE_MASK - reserveIn && amountOut <= reserveOut);
        uint256 packed = core.withTradeLocked(zeroForOne, amountIn, amountOut);
        assert(packed.reserveOf(zeroForOne) == reserveIn + amountIn);
        assert(packed.reserveOf(!zeroForOne) == reserveOut - amountOut);
        assert(packed.blockOf() == core.blockOf() && packed.stateOf() == core.stateOf());
        assert(packed.isLocked());
    }

    function check_settings__pack_without_loss(PoolConfig memory config) external pure {
        assert(
            keccak256(abi.encode(PoolState.unpackSettings(PoolState.packSettings(config))))
                == keccak256(abi.encode(config))
        );
    }

    function check_core__new_block__keeps_the_rest(uint256 core, uint256 number) external pure {
        uint256 packed = core.withBlock(number);
        assert(packed.blockOf() == number & PoolState.BLOCK_MASK);
        assert(packed.reserve0() == core.reserve0() && packed.reserve1() == core.reserve1());
        assert(packed.stateOf() == core.stateOf() && packed.isLocked() == core.isLocked());
    }

    function check_core__new_state__keeps_the_rest(uint256 core, uint8 state) external pure {
        if (state > 3) return;
        uint256 packed = core.withState(state);
        assert(packed.stateOf() == state);
        assert(packed.reserve0() == core.reserve0() && packed.reserve1() == core.reserve1());
        assert(packed.blockOf() == core.blockOf() && packed.isLocked() == core.isLocked());
    }

    function check_window__packs_without_loss(uint256 a, uint256 b, uint256 c, uint256 d, uint16 fee) external pure {
        (a, b, c, d) = (a & CODE, b & CODE, c & CODE, d & CODE);
        uint256 packed = PoolState.packWindow(a, b, c, d, fee);
        assert(packed.lowOf() == (a < c ? a : c));
        assert(packed.highOf() == (b > d ? b : d));
        assert(packed.feeOf() == fee);
    }

    function check_oracle__packs_without_loss(
        uint40 timestamp,
        int56 cumulative,
        int56 truncatedCumulative,
        int24 tick,
        int24 truncatedTick,
        uint24 volatility,
        uint32 ring
    ) external pure {
        uint256 packed = PoolState.packOracle(
            timestamp, cumulative, truncatedCumulative, tick, truncatedTick, volatility, ring
        );
        assert(packed.timestampOf() == timestamp);
        assert(packed.cumulativeOf() == cumulative && packed.truncatedCumulativeOf() == truncatedCumulative);
        assert(packed.tickOf() == tick && packed.truncatedTickOf() == truncatedTick);
        assert(packed.volatilityOf() == volatility && packed.ringOf() == ring);
    }

    function check_oracle__new_ring__keeps_the_rest(uint256 oracle, uint16 index, uint16 cardinality) external pure {
        uint256 packed = oracle.withRing(index, cardinality);
        assert(packed.indexOf() == index && packed.cardinalityOf() == cardinality);
        assert(packed << 32 == oracle << 32);
    }

    // checkpoint: lo ≤ every opening of the window ≤ hi

    /// @dev The pair widens, so whatever opening it bounded stays bounded.
    function check_fold__same_epoch__lowers_the_low(uint256 window, uint256 code, uint256 epoch, uint16 fee)
        external
        pure
    {
        uint256 folded = PoolState.foldWindow(window, code & CODE, epoch, epoch, fee);
        assert(folded & CODE <= window & CODE);
    }

    function check_fold__same_epoch__raises_the_high(uint256 window, uint256 code, uint256 epoch, uint16 fee)
        external
        pure
    {
        uint256 folded = PoolState.foldWindow(window, _opening(code), epoch, epoch, fee);
        assert((folded >> 60) & CODE >= (window >> 60) & CODE);
    }

    function check_fold__same_epoch__bounds_the_new_opening(uint256 window, uint256 code, uint256 epoch, uint16 fee)
        external
        pure
    {
        code = _opening(code);
        uint256 folded = PoolState.foldWindow(window, code, epoch, epoch, fee);
        assert(folded & CODE <= code && code < (folded >> 60) & CODE);
    }

    function check_fold__same_epoch__keeps_the_previous_pair(uint256 window, uint256 code, uint256 epoch, uint16 fee)
        external
        pure
    {
        uint256 folded = PoolState.foldWindow(window, _opening(code), epoch, epoch, fee);
        assert((folded >> 120) & ((1 << 120) - 1) == (window >> 120) & ((1 << 120) - 1));
        assert(folded.feeOf() == fee);
    }

    /// @dev Both pairs bound what may be paid.
    function check_window__bounds_are_the_wider_pair(uint256 window) external pure {
        assert(window.lowOf() <= window & CODE && window.lowOf() <= (window >> 120) & CODE);
        assert(window.highOf() >= (window >> 60) & CODE && window.highOf() >= (window >> 180) & CODE);
    }

    /// @dev The epoch's openings stay bounded for the whole of the next epoch.
    function check_fold__next_epoch__keeps_the_openings_of_the_last(
        uint256 window,
        uint256 code,
        uint256 opening,
        uint256 lastEpoch,
        uint16 fee
    ) external pure {
        code = _opening(code);
        require(lastEpoch != type(uint256).max);
        require(window & CODE <= opening && opening < (window >> 60) & CODE);
        uint256 folded = PoolState.foldWindow(window, code, lastEpoch, lastEpoch + 1, fee);
        assert((folded >> 120) & CODE <= opening && opening < (folded >> 180) & CODE);
        assert(folded.lowOf() <= opening && opening < folded.highOf());
        assert(folded.lowOf() <= code && code < folded.highOf());
    }

    function check_fold__skipped_epoch__holds_the_spot(
        uint256 window,
        uint256 code,
        uint256 lastEpoch,
        uint256 epoch,
        uint16 fee
    ) external pure {
        code = _opening(code);
        require(epoch >= lastEpoch && epoch - lastEpoch >= 2);
        uint256 folded = PoolState.foldWindow(window, code, lastEpoch, epoch, fee);
        assert(folded.lowOf() == code && folded.highOf() == code + 1);
    }

    function check_follow__stays_between_and_within_the_limit(int24 from, int24 to, uint40 limit) external pure {
        int256 moved = PoolState.follow(from, to, PoolState.distance(from, to), limit);
        assert(PoolState.distance(moved, from) <= limit);
        assert(PoolState.distance(moved, to) <= PoolState.distance(from, to));
    }

    // prices

    /// @dev The bound of a sell: out ≤ e·lo, to the last bit, for every exponent at once.
    function check_mul_down__is_the_floor(uint256 code, uint112 amount) external pure {
        code &= CODE;
        require(code >> 52 <= LARGEST_EXPONENT);
        uint256 mantissa = (1 << 52) | (code & ((1 << 52) - 1));
        uint256 result = PriceFloat.mulDown(code, amount);
        uint256 exponent = code >> 52;
        unchecked {
            uint256 product = amount * mantissa;
            assert(result == (exponent < 164 ? product >> (164 - exponent) : product << (exponent - 164)));
        }
    }

    /// @dev The bound of a buy, exact out: in ≥ out·hi. What the code computes; that it is a ceiling z3 shows.
    function check_mul_up__adds_before_it_shifts(uint256 code, uint112 amount) external pure {
        code &= CODE;
        if (code >> 52 >= 164) return;
        uint256 shift = 164 - (code >> 52);
        unchecked {
            uint256 product = amount * ((1 << 52) | (code & ((1 << 52) - 1)));
            assert(PriceFloat.mulUp(code, amount) == (product + (1 << shift) - 1) >> shift);
        }
    }

    // trades

    /// @dev P1 for sells: whatever the curve says, the window's bound holds.
    function check_sell__never_above_the_bound(Trade memory trade) external pure {
        trade.zeroForOne = true;
        (uint256 out, uint256 effective) = _sold(trade);
        assert(out <= PriceFloat.mulDown(trade.bound, effective));
    }

    function check_buy__never_above_the_bound(Trade memory trade) external pure {
        trade.zeroForOne = false;
        (uint256 out, uint256 effective) = _sold(trade);
        assert(out <= PriceFloat.divDown(trade.bound, effective));
    }

    /// @dev P2, first half: the curve's bound holds whatever the window says. The second half is z3's.
    function check_swap__never_above_the_curve(Trade memory trade) external pure {
        (uint256 out, uint256 effective) = _sold(trade);
        unchecked {
            assert(out <= uint256(trade.reserveOut) * effective / (uint256(trade.reserveIn) + effective));
        }
    }

    function check_msb__is_the_highest_bit(uint256 x) external pure {
        if (x == 0) return;
        uint256 n = PriceFloat.mostSignificantBit(x);
        assert(n < 256 && x >> n == 1);
    }

    /// @dev Codes below the last one, so that the next larger price exists.
    function _opening(uint256 code) private pure returns (uint256) {
        code &= CODE;
        require(code != CODE);
        return code;
    }

    /// @dev What the trade pays, and what of its input counts.
    function _sold(Trade memory trade) private pure returns (uint256 out, uint256 effective) {
        require(trade.reserveIn != 0 && trade.reserveOut != 0 && trade.bound >> 52 <= LARGEST_EXPONENT);
        out = SwapMath.amountOutDown(
            trade.reserveIn, trade.reserveOut, trade.amountIn, trade.fee, trade.bound, trade.zeroForOne
        );
        unchecked {
            effective = uint256(trade.amountIn) * (SwapMath.PIPS - uint256(trade.fee)) / SwapMath.PIPS;
        }
    }
}
