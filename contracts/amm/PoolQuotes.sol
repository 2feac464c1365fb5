// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IGuardedPool, PoolConfig} from "interfaces/amm/IGuardedPool.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

import {PoolGuard} from "./PoolGuard.sol";
import {PoolState} from "./PoolState.sol";
import {SwapMath} from "./SwapMath.sol";

/// @title What a trade or a change of liquidity is worth: the one place that prices both quotes and executions
abstract contract PoolQuotes is PoolGuard {
    using PoolState for uint256;

    /// While THROTTLED a trade may take this much of a reserve.
    uint256 public constant THROTTLED_CAP_BPS = 100;
    uint256 private constant BPS = 10_000;
    uint256 private constant SUPPLY_MASK = (1 << 112) - 1;

    uint256 public immutable protocolShareBps;

    /// @dev total supply 112 | √(reserve0·reserve1), rounded up, when the protocol's part was last taken 112
    uint256 internal _supply;

    constructor(address gate, uint256 protocolShareBps_, PoolConfig memory config_) PoolGuard(gate, config_) {
        protocolShareBps = protocolShareBps_;
    }

    function totalSupply() external view returns (uint256) {
        return _supply & SUPPLY_MASK;
    }

    /// @inheritdoc IGuardedPool
    function quoteExactIn(bool zeroForOne, uint256 amountIn) external view returns (uint256, uint256) {
        uint256 core = _readCore(EmergencyState.THROTTLED);
        return _amountOut(core, _windowNow(core), zeroForOne, amountIn);
    }

    /// @inheritdoc IGuardedPool
    function quoteExactOut(bool zeroForOne, uint256 amountOut) external view returns (uint256, uint256) {
        uint256 core = _readCore(EmergencyState.THROTTLED);
        return _amountIn(core, _windowNow(core), zeroForOne, amountOut);
    }

    /// @inheritdoc IGuardedPool
    function quoteExactInNext(bool zeroForOne, uint256 amountIn, uint256 timestamp)
        external
        view
        returns (uint256, uint256)
    {
        uint256 core = _readCore(EmergencyState.THROTTLED);
        (uint256 window,) = _checkpointed(core, timestamp);
        return _amountOut(core, window, zeroForOne, amountIn);
    }

    /// @inheritdoc IGuardedPool
    function quoteExactOutNext(bool zeroForOne, uint256 amountOut, uint256 timestamp)
        external
        view
        returns (uint256, uint256)
    {
        uint256 core = _readCore(EmergencyState.THROTTLED);
        (uint256 window,) = _checkpointed(core, timestamp);
        return _amountIn(core, window, zeroForOne, amountOut);
    }

    /// @inheritdoc IGuardedPool
    function quoteMint(uint256 maxAmount0, uint256 maxAmount1)
        external
        view
        returns (uint256 shares, uint256 amount0, uint256 amount1)
    {
        uint256 core = _readCore(EmergencyState.THROTTLED);
        (uint256 supply,) = _supplyAfterAccrual(core);
        return _mintAmountsUp(core, supply, maxAmount0, maxAmount1);
    }

    /// @inheritdoc IGuardedPool
    function quoteBurn(uint256 shares) external view returns (uint256 amount0, uint256 amount1) {
        uint256 core = _readCore(EmergencyState.WITHDRAW_ONLY);
        (uint256 supply,) = _supplyAfterAccrual(core);
        if (shares > supply) revert InsufficientLiquidity();
        return _burnAmountsDown(core, supply, shares);
    }

    // trades

    function _amountOut(uint256 core, uint256 window, bool zeroForOne, uint256 amountIn)
        internal
        view
        returns (uint256 amountOut, uint256 fee)
    {
        (uint256 reserveIn, uint256 reserveOut, uint256 bound) = _side(core, window, zeroForOne);
        // Zero is the one amount that is refused; no balance is compared.
        // slither-disable-next-line incorrect-equality
        if (amountIn == 0) revert ZeroAmount();
        if (amountIn > PoolState.RESERVE_MASK - reserveIn) revert ReserveOverflow();
        bool throttled = _isThrottled(core);
        fee = throttled ? _settings.maxFeeOf() : window.feeOf();
        amountOut = SwapMath.amountOutDown(reserveIn, reserveOut, amountIn, fee, bound, zeroForOne);
        if (throttled) _requireSize(reserveOut, amountOut);
    }

    function _amountIn(uint256 core, uint256 window, bool zeroForOne, uint256 amountOut)
        internal
        view
        returns (uint256 amountIn, uint256 fee)
    {
        (uint256 reserveIn, uint256 reserveOut, uint256 bound) = _side(core, window, zeroForOne);
        if (amountOut == 0) revert ZeroAmount();
        if (amountOut >= reserveOut) revert InsufficientLiquidity();
        bool throttled = _isThrottled(core);
        fee = throttled ? _settings.maxFeeOf() : window.feeOf();
        amountIn = SwapMath.amountInUp(reserveIn, reserveOut, amountOut, fee, bound, zeroForOne);
        if (amountIn > PoolState.RESERVE_MASK - reserveIn) revert ReserveOverflow();
        if (throttled) _requireSize(reserveOut, amountOut);
    }

    function _side(uint256 core, uint256 window, bool zeroForOne)
        internal
        pure
        returns (uint256 reserveIn, uint256 reserveOut, uint256 bound)
    {
        (uint256 r0, uint256 r1) = (core.reserve0(), core.reserve1());
        return zeroForOne ? (r0, r1, window.lowOf()) : (r1, r0, window.highOf());
    }

    /// @dev While THROTTLED.
    function _requireSize(uint256 reserveOut, uint256 amountOut) private pure {
        uint256 cap = reserveOut * THROTTLED_CAP_BPS / BPS;
        if (amountOut > cap) revert SizeCapExceeded(amountOut, cap);
    }

    // liquidity

    function _mintAmountsUp(uint256 core, uint256 supply, uint256 maxAmount0, uint256 maxAmount1)
        internal
        pure
        returns (uint256 shares, uint256 amount0, uint256 amount1)
    {
        (uint256 r0, uint256 r1) = (core.reserve0(), core.reserve1());
        maxAmount0 = Math.min(maxAmount0, PoolState.RESERVE_MASK - r0);
        maxAmount1 = Math.min(maxAmount1, PoolState.RESERVE_MASK - r1);
        shares = Math.min(maxAmount0 * supply / r0, maxAmount1 * supply / r1);
        amount0 = Math.ceilDiv(shares * r0, supply);
        amount1 = Math.ceilDiv(shares * r1, supply);
    }

    function _burnAmountsDown(uint256 core, uint256 supply, uint256 shares)
        internal
        pure
        returns (uint256 amount0, uint256 amount1)
    {
        amount0 = core.reserve0() * shares / supply;
        amount1 = core.reserve1() * shares / supply;
    }

    function _supplyAfterAccrual(uint256 core) internal view returns (uint256 supply, uint256 accrued) {
        uint256 packed = _supply;
        supply = packed & SUPPLY_MASK;
        if (protocolShareBps != 0) {
            uint256 root = Math.sqrt(core.reserve0() * core.reserve1());
            uint256 rootBefore = packed >> 112;
            if (root > rootBefore) {
                uint256 part = (root - rootBefore) * protocolShareBps;
                accrued = supply * part / (root * BPS - part);
                supply += accrued;
            }
        }
    }

    function _rootUp(uint256 r0, uint256 r1) internal view returns (uint256) {
        if (protocolShareBps == 0) return 0;
        return Math.sqrt(r0 * r1, Math.Rounding.Ceil);
    }
}
