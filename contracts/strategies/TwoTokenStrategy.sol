// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {ISwapVenue} from "interfaces/capital/ISwapVenue.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IPriceOracle} from "interfaces/safety/IPriceOracle.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";
import {ITwoTokenStrategy} from "interfaces/strategies/ITwoTokenStrategy.sol";

import {Strategy} from "./Strategy.sol";

interface IPair {
    function token0() external view returns (address);
    function token1() external view returns (address);
}

/// @title What strategies in a pool of two tokens have in common
/// @notice The sale of the other token, the way out in both, and what the keeper's trades may cost in a day.
abstract contract TwoTokenStrategy is Strategy, ITwoTokenStrategy {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;
    using Math for uint256;

    uint256 internal constant BPS = 10_000;
    uint256 private constant MAX_SLIPPAGE_BPS = 1_000;

    IERC20 internal immutable OTHER;
    bool internal immutable ASSET_IS_0;
    IPriceOracle internal immutable ORACLE;
    ISwapVenue internal immutable VENUE;
    uint16 internal immutable SLIPPAGE_BPS;

    /// What keepers' calls cost on the day `_costDay`, counted from 1970.
    uint216 private _cost;
    uint40 private _costDay;

    constructor(address pool, address oracle, address venue, uint16 maxSlippageBps) {
        require(oracle != address(0) && venue != address(0) && maxSlippageBps <= MAX_SLIPPAGE_BPS, InvalidConfig());
        (address token0, address token1) = (IPair(pool).token0(), IPair(pool).token1());
        ASSET_IS_0 = token0 == asset();
        require(ASSET_IS_0 || token1 == asset(), NotInPool(asset()));
        OTHER = IERC20(ASSET_IS_0 ? token1 : token0);
        ORACLE = IPriceOracle(oracle);
        VENUE = ISwapVenue(venue);
        SLIPPAGE_BPS = maxSlippageBps;
    }

    // ---- what a concrete strategy says ----

    /// @dev Brings `shares / whole` of the position here, rounded down.
    function _takeOutPart(uint256 shares, uint256 whole) internal virtual returns (uint256 assets, uint256 other);

    /// @dev Brings here what can be of the position.
    function _takeOutAll() internal virtual;

    /// @dev Worth of so much of the other token at the average price, rounded down.
    function _quoteOther(uint256 amount) internal view virtual returns (uint256);

    // ---- keeper and holders ----

    /// @inheritdoc ITwoTokenStrategy
    function unwind() external restricted nonReentrant {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        _takeOutAll();
        uint256 before = _holdings();
        _sellOther();
        _spendBudget(before, before.saturatingSub(_holdings()));
        emit Unwound(msg.sender, _idle());
    }

    /// @inheritdoc ITwoTokenStrategy
    function redeemInTokens(uint256 shares, address receiver, address owner)
        external
        nonReentrant
        returns (uint256 assets, uint256 other)
    {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        if (msg.sender != owner) _spendAllowance(owner, msg.sender, shares);
        uint256 whole = totalSupply() + 10 ** _decimalsOffset();
        assets = _idle().mulDiv(shares, whole);
        other = _idleOther().mulDiv(shares, whole);
        _burn(owner, shares);
        (uint256 outAsset, uint256 outOther) = _takeOutPart(shares, whole);
        (assets, other) = (assets + outAsset, other + outOther);
        emit RedeemedInTokens(msg.sender, receiver, owner, shares, assets, other);
        IERC20(asset()).safeTransfer(receiver, assets);
        OTHER.safeTransfer(receiver, other);
    }

    /// @inheritdoc ITwoTokenStrategy
    function otherToken() external view returns (address) {
        return address(OTHER);
    }

    /// @inheritdoc ITwoTokenStrategy
    function dayBudgetLeft() external view returns (uint256) {
        return _budgetLeft(totalAssets());
    }

    // ---- internals ----

    /// @dev Counts what a keeper's call cost of what was `held`. Each call is bounded by its own slippage; this bounds
    /// how often, so that a stolen key cannot trade the holdings away, a slippage at a time.
    function _spendBudget(uint256 held, uint256 cost) internal {
        uint256 left = _budgetLeft(held);
        require(cost <= left, DayBudgetExceeded(cost, left));
        _cost = (_costToday() + cost).toUint216();
        _costDay = uint40(block.timestamp / 1 days);
    }

    function _budgetLeft(uint256 held) private view returns (uint256) {
        return held.mulDiv(SLIPPAGE_BPS, BPS).saturatingSub(_costToday());
    }

    function _costToday() private view returns (uint256) {
        // Days are whole numbers: the cost is of this day or it starts anew.
        // slither-disable-next-line incorrect-equality
        return _costDay == block.timestamp / 1 days ? _cost : 0;
    }

    /// @dev Sells all of the other token for no less than the better of oracle and average allows.
    function _sellOther() internal {
        uint256 amount = _idleOther();
        uint256 worth = Math.max(ORACLE.convertDown(address(OTHER), asset(), amount), _quoteOther(amount));
        uint256 minimum = worth.mulDiv(BPS - SLIPPAGE_BPS, BPS, Math.Rounding.Ceil);
        // Nothing worth selling is left; a donation only makes it worth selling.
        // slither-disable-next-line incorrect-equality
        if (minimum == 0) return;
        uint256 idle = _idle();
        OTHER.forceApprove(address(VENUE), amount);
        // Proceeds are measured, not believed; all callers hold the strategy's lock.
        // slither-disable-next-line reentrancy-balance,unused-return
        VENUE.sell(address(OTHER), asset(), amount, minimum, address(this));
        OTHER.forceApprove(address(VENUE), 0);
        uint256 proceeds = _idle() - idle;
        require(proceeds >= minimum, Underpaid(proceeds, minimum));
        emit OtherSold(msg.sender, address(OTHER), amount, proceeds, minimum);
    }

    function _idle() internal view returns (uint256) {
        return IERC20(asset()).balanceOf(address(this));
    }

    function _idleOther() internal view returns (uint256) {
        return OTHER.balanceOf(address(this));
    }

    /// @dev Amounts of token0 and token1, as asset and other.
    function _sorted(uint256 amount0, uint256 amount1) internal view returns (uint256 inAsset, uint256 inOther) {
        return ASSET_IS_0 ? (amount0, amount1) : (amount1, amount0);
    }
}
