// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IStrategy} from "./IStrategy.sol";

/// @title A strategy that makes a market between the router's asset and another token
/// @notice Its worth is what its liquidity is worth at the pool's time-weighted price, plus what lies here, the other
/// token at that price. Whoever enters or leaves trades nothing: exits get the asset that liquidity holds; the other
/// token waits for the keeper, who sells it for no less than the better of oracle and average allows.
interface ITwoTokenStrategy is IStrategy {
    event Unwound(address indexed by, uint256 assets);
    event OtherSold(address indexed by, address indexed token, uint256 amount, uint256 proceeds, uint256 minimum);
    event RedeemedInTokens(
        address indexed caller,
        address indexed receiver,
        address indexed owner,
        uint256 shares,
        uint256 assets,
        uint256 other
    );

    error InvalidConfig();
    /// @notice The pool does not trade the router's asset.
    error NotInPool(address asset);
    /// @notice The pool does not remember as long as the average needs.
    error TwapUnavailable();
    error Underpaid(uint256 received, uint256 minimum);
    /// @notice The keeper's trades of this day would cost more than the slippage of all holdings.
    error DayBudgetExceeded(uint256 cost, uint256 left);

    function otherToken() external view returns (address);

    /// @notice Whether spot and average agree, so that capital may move.
    function isCalm() external view returns (bool);

    /// @notice What the keeper's calls may still cost today (UTC), assets at the average price: `maxSlippageBps` of
    /// holdings, less what they cost today. A call that gains adds nothing.
    function dayBudgetLeft() external view returns (uint256 assets);

    /// @notice Keeper, up to WITHDRAW_ONLY: takes out of the pool what can be, and sells the other token; the asset waits
    /// here.
    function unwind() external;

    /// @notice Anyone's way out of his shares without a price or a buyer: his part of the liquidity and of what lies
    /// here, both tokens. Works up to WITHDRAW_ONLY.
    function redeemInTokens(uint256 shares, address receiver, address owner)
        external
        returns (uint256 assets, uint256 other);
}
