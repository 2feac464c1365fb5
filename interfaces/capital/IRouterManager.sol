// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRouterTypes} from "interfaces/capital/IRouterTypes.sol";

/// @title What keeper, allocator, guardian and governance do with a router
/// @notice Reached at the router's own address; the code lives beside the vault's, since both do not fit one contract.
interface IRouterManager is IRouterTypes {
    // ---- keeper ----

    /// @notice Reconciles one strategy's debt with its worth. Outside the health limits the debt stays as it was, the
    /// strategy goes under review, and (0, 0) returns. In WITHDRAW_ONLY and FROZEN only a loss is booked, so that exits
    /// which open again find the right price. From a loss beyond the limit until a report books it (or finds it made
    /// good), exits are priced after all losses and deposits are closed.
    function processReport(address strategy) external returns (uint256 gain, uint256 loss);

    /// @notice Harvester: pulls `assets` from the caller and locks them as profit of `strategy`.
    function receiveYield(address strategy, uint256 assets) external;

    // ---- allocator ----

    /// @notice Runs a plan, its moves in the given order. Plans that move more than `smallPlanBps` of total assets need
    /// `approvePlan` by governance first. After a plan that lends, idle covers the floor and what the exit
    /// queue is owed.
    function rebalance(Plan calldata plan) external;
    /// @notice keccak256(abi.encode(chain id, router, plan)).
    function planHash(Plan calldata plan) external view returns (bytes32);
    function approvePlan(bytes32 planHash_) external;
    function revokePlan(bytes32 planHash_) external;
    function isPlanApproved(bytes32 planHash_) external view returns (bool);
    function isPlanExecuted(bytes32 planId) external view returns (bool);

    // ---- tightening, at once ----

    function lowerCap(address strategy, uint128 capAssets, uint16 capBps) external;
    function raiseIdleFloor(uint16 bps) external;
    function lowerDepositCap(uint128 assets) external;

    // ---- loosening and set-up, by governance ----

    /// @notice Appends `strategy` to the exit order. Strategy shares that already lie here are adopted with no debt.
    function addStrategy(address strategy, uint128 capAssets, uint16 capBps) external;
    /// @notice A strategy with debt or shares is refused, unless `force`: then its debt is written off as a loss.
    function removeStrategy(address strategy, bool force) external;
    function raiseCap(address strategy, uint128 capAssets, uint16 capBps) external;
    function lowerIdleFloor(uint16 bps) external;
    function raiseDepositCap(uint128 assets) external;
    /// @notice type(uint16).max: no limit.
    function setHealthLimits(address strategy, uint16 maxGainBps, uint16 maxLossBps) external;
    /// @notice The strategy may get new capital again. A loss that opened the review stays in the price of exits until
    /// a report books it.
    function closeReview(address strategy) external;
    /// @notice Strategies left out are not drawn on by exits that name none.
    function setExitOrder(address[] calldata strategies_) external;
    function setFees(FeeConfig calldata fees) external;
    function setProfitUnlockTime(uint40 seconds_) external;
    function setPlanLimits(uint16 smallPlanBps, uint16 epochBudgetBps) external;
    function setAccessPolicy(address policy) external;
    /// @notice Starts the new queue at zero queued shares.
    function setExitQueue(address queue) external;

    // ---- views ----

    function strategyState(address strategy) external view returns (StrategyState memory);
    function depositCap() external view returns (uint128);
    /// @notice Least of both caps, minus what is lent; 0 under review. The bps cap is taken of the lower of total
    /// assets now and at the last report (once there was one), so that money which only passes through lifts no cap.
    function capacity(address strategy) external view returns (uint256 assets);
    function fees() external view returns (FeeConfig memory);
    function profitUnlockTime() external view returns (uint40);
    function idleFloorBps() external view returns (uint16);
    function planLimits() external view returns (uint16 smallPlanBps, uint16 epochBudgetBps);
    /// @notice What plans may still lose in this epoch (a UTC day), assets.
    function epochBudgetLeft() external view returns (uint256 assets);
    /// @notice Highest value of a share after a gain, all locked profit counted, WAD. Only gains above it
    /// bear a performance fee.
    function highWaterMarkWad() external view returns (uint256);
    function accessPolicy() external view returns (address);
    function exitQueue() external view returns (address);
}
