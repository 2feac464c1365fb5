// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {IRouterTypes} from "interfaces/capital/IRouterTypes.sol";
import {IBreakerTarget} from "interfaces/safety/IBreakerTarget.sol";
import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title What holders do with a router
/// @notice ERC-4626 in full; previews are exact, also about a strategy's unrealised loss; `max*` succeed and never
/// revert (0 while the router is inside a call). Views that price revert while the router is inside a call.
/// While a loss is under review, exits, their previews and their limits take the price after all losses, whoever pays;
/// `convertTo*` and `totalAssets` stay with the books, and deposits are closed.
interface IRouterVault is IRouterTypes, IERC4626, IERC20Permit, IEmergencyTarget, IBreakerTarget {
    /// @notice ERC-4626 deposit with a least number of shares.
    function deposit(uint256 assets, address receiver, uint256 minShares) external returns (uint256 shares);
    /// @notice ERC-4626 redeem with a least amount of assets.
    function redeem(uint256 shares, address receiver, address owner, uint256 minAssets)
        external
        returns (uint256 assets);
    /// @notice The same, taking what idle does not cover from `strategies` in that order instead of the exit order.
    /// A named strategy that fails makes the call revert; an unnamed one is skipped.
    function redeem(uint256 shares, address receiver, address owner, uint256 minAssets, address[] calldata strategies)
        external
        returns (uint256 assets);
    /// @notice ERC-4626 withdraw with a greatest number of shares.
    function withdraw(uint256 assets, address receiver, address owner, uint256 maxShares)
        external
        returns (uint256 shares);
    /// @notice Pays idle and strategy shares pro rata, rounded down, without gains that are not reported yet. Needs no
    /// oracle and no liquidity; works in WITHDRAW_ONLY. Shares that a strategy refuses to hand over are owed:
    /// `claimInKind`.
    function redeemInKind(uint256 shares, address receiver, address owner)
        external
        returns (uint256 assets, address[] memory strategies_, uint256[] memory strategyShares);
    /// @notice Anyone: sends `account` the strategy shares that an exit in kind left owing to it.
    function claimInKind(address strategy, address account) external returns (uint256 strategyShares);

    /// @notice Exit queue only: how many shares wait; instant exits do not see the liquidity these are owed. The
    /// queue's own shares (owner is the queue) exit with priority.
    function setQueuedShares(uint256 shares) external;

    /// @notice The router itself only: fetches `assets` from `strategy`, undoing all of it if they do not arrive.
    function pull(address strategy, uint256 assets, uint256 sharesHeld) external returns (uint256 burned);

    function idle() external view returns (uint256);
    function totalDebt() external view returns (uint256);
    function lockedShares() external view returns (uint256);
    function queuedShares() external view returns (uint256);
    function owedInKind(address strategy, address account) external view returns (uint256 strategyShares);
    function strategies() external view returns (address[] memory);
    function exitOrder() external view returns (address[] memory);
    function breaker() external view returns (address);
    /// @notice The contract that holds the code of `IRouterManager`.
    function manager() external view returns (address);
    /// @notice What instant exits can take now: idle plus what strategies can pay, less what the queue is owed, within
    /// the breaker's allowance.
    function availableLiquidity() external view returns (uint256 assets);
}
