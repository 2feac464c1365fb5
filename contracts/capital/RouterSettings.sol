// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IRouterManager} from "interfaces/capital/IRouterManager.sol";

import {RouterReports} from "./RouterReports.sol";
import {DebtSlot} from "./lib/DebtSlot.sol";
import {HotSlot} from "./lib/HotSlot.sol";

/// @title What governance and guardian set
/// @dev Tightening and loosening are separate functions, so that the access manager can delay only the latter.
abstract contract RouterSettings is RouterReports {
    using HotSlot for uint256;
    using DebtSlot for uint256;

    uint256 private constant MAX_STRATEGIES = 16;
    uint256 private constant MAX_PERFORMANCE_BPS = 2_500;
    uint256 private constant MAX_MANAGEMENT_BPS = 200;
    uint256 private constant MAX_UNLOCK_TIME = 365 days;
    uint16 private constant FIRST_MAX_GAIN_BPS = 500;
    uint16 private constant FIRST_MAX_LOSS_BPS = 100;

    // ---- plans ----

    /// @inheritdoc IRouterManager
    function approvePlan(bytes32 planHash_) external restricted {
        _planApproved[planHash_] = true;
        emit PlanApproved(msg.sender, planHash_);
    }

    /// @inheritdoc IRouterManager
    function revokePlan(bytes32 planHash_) external restricted {
        delete _planApproved[planHash_];
        emit PlanRevoked(msg.sender, planHash_);
    }

    // ---- tightening ----

    /// @inheritdoc IRouterManager
    function lowerCap(address strategy, uint128 capAssets, uint16 capBps) external restricted {
        StrategyInfo storage info = _known(strategy);
        if (capAssets > info.capAssets) revert NotTightening(info.capAssets, capAssets);
        if (capBps > info.capBps) revert NotTightening(info.capBps, capBps);
        _setCap(strategy, info, capAssets, capBps);
    }

    /// @inheritdoc IRouterManager
    function raiseIdleFloor(uint16 bps) external restricted {
        uint16 current = _planLimits.idleFloorBps;
        if (bps < current) revert NotTightening(current, bps);
        _setIdleFloor(current, bps);
    }

    /// @inheritdoc IRouterManager
    function lowerDepositCap(uint128 assets) external restricted {
        uint128 current = _limits.depositCap;
        if (assets > current) revert NotTightening(current, assets);
        _setDepositCap(current, assets);
    }

    // ---- loosening and set-up ----

    /// @inheritdoc IRouterManager
    function addStrategy(address strategy, uint128 capAssets, uint16 capBps) external restricted {
        StrategyInfo storage info = _info[strategy];
        if (info.active) revert StrategyExists(strategy);
        if (strategy == address(0) || strategy == address(this) || IERC4626(strategy).asset() != _asset) {
            revert InvalidStrategy(strategy);
        }
        if (_strategies.length == MAX_STRATEGIES) revert OutOfBounds(MAX_STRATEGIES + 1, MAX_STRATEGIES);
        uint256 held = IERC20(strategy).balanceOf(address(this)) - _totalOwed[strategy];
        if (held > type(uint128).max) revert OutOfBounds(held, type(uint128).max);
        info.active = true;
        info.shares = uint128(held);
        info.maxGainBps = FIRST_MAX_GAIN_BPS;
        info.maxLossBps = FIRST_MAX_LOSS_BPS;
        _strategies.push(strategy);
        _exitOrder.push(strategy);
        emit StrategyAdded(msg.sender, strategy, capAssets, capBps);
        emit HealthLimitsSet(msg.sender, strategy, FIRST_MAX_GAIN_BPS, FIRST_MAX_LOSS_BPS);
        _setCap(strategy, info, capAssets, capBps);
    }

    /// @inheritdoc IRouterManager
    function removeStrategy(address strategy, bool force) external restricted locked {
        StrategyInfo storage info = _known(strategy);
        uint256 debt = info.debt;
        if (!force && (debt != 0 || info.shares != 0)) revert StrategyNotEmpty(strategy, debt);
        if (debt != 0) {
            _bookLoss(debt, _debtSlot);
            emit StrategyReported(msg.sender, strategy, 0, debt, 0, 0, _debtSlot.locked());
        }
        delete _info[strategy];
        _drop(_strategies, strategy);
        _drop(_exitOrder, strategy);
        _settleReviews();
        emit StrategyRemoved(msg.sender, strategy);
    }

    /// @inheritdoc IRouterManager
    function raiseCap(address strategy, uint128 capAssets, uint16 capBps) external restricted {
        StrategyInfo storage info = _known(strategy);
        if (capAssets < info.capAssets) revert NotLoosening(info.capAssets, capAssets);
        if (capBps < info.capBps) revert NotLoosening(info.capBps, capBps);
        _setCap(strategy, info, capAssets, capBps);
    }

    /// @inheritdoc IRouterManager
    function lowerIdleFloor(uint16 bps) external restricted {
        uint16 current = _planLimits.idleFloorBps;
        if (bps > current) revert NotLoosening(current, bps);
        _setIdleFloor(current, bps);
    }

    /// @inheritdoc IRouterManager
    function raiseDepositCap(uint128 assets) external restricted {
        uint128 current = _limits.depositCap;
        if (assets < current) revert NotLoosening(current, assets);
        _setDepositCap(current, assets);
    }

    /// @inheritdoc IRouterManager
    function setHealthLimits(address strategy, uint16 maxGainBps, uint16 maxLossBps) external restricted {
        StrategyInfo storage info = _known(strategy);
        info.maxGainBps = maxGainBps;
        info.maxLossBps = maxLossBps;
        emit HealthLimitsSet(msg.sender, strategy, maxGainBps, maxLossBps);
    }

    /// @inheritdoc IRouterManager
    function closeReview(address strategy) external restricted {
        _known(strategy).underReview = false;
        emit ReviewClosed(msg.sender, strategy);
    }

    /// @inheritdoc IRouterManager
    function setExitOrder(address[] calldata strategies_) external restricted {
        for (uint256 i = 0; i < strategies_.length; ++i) {
            _known(strategies_[i]);
            for (uint256 j = 0; j < i; ++j) {
                if (strategies_[j] == strategies_[i]) revert StrategyExists(strategies_[i]);
            }
        }
        _exitOrder = strategies_;
        emit ExitOrderSet(msg.sender, strategies_);
    }

    /// @inheritdoc IRouterManager
    function setFees(FeeConfig calldata config) external restricted {
        if (config.performanceBps > MAX_PERFORMANCE_BPS) revert FeeTooHigh(config.performanceBps, MAX_PERFORMANCE_BPS);
        if (config.managementBps > MAX_MANAGEMENT_BPS) revert FeeTooHigh(config.managementBps, MAX_MANAGEMENT_BPS);
        bool any = config.performanceBps != 0 || config.managementBps != 0;
        if (any && (config.recipient == address(0) || config.recipient == address(this))) revert ZeroAddress();
        // Fees never reach back to before they were set.
        _fees = Fees(config.performanceBps, config.managementBps, config.recipient, uint40(block.timestamp));
        emit FeesSet(msg.sender, config.performanceBps, config.managementBps, config.recipient);
    }

    /// @inheritdoc IRouterManager
    function setProfitUnlockTime(uint40 seconds_) external restricted {
        if (seconds_ > MAX_UNLOCK_TIME) revert OutOfBounds(seconds_, MAX_UNLOCK_TIME);
        emit ProfitUnlockTimeSet(msg.sender, _planLimits.unlockTime, seconds_);
        _planLimits.unlockTime = seconds_;
    }

    /// @inheritdoc IRouterManager
    function setPlanLimits(uint16 smallPlanBps, uint16 epochBudgetBps) external restricted {
        _requireBps(smallPlanBps);
        _requireBps(epochBudgetBps);
        _planLimits.smallPlanBps = smallPlanBps;
        _planLimits.epochBudgetBps = epochBudgetBps;
        emit PlanLimitsSet(msg.sender, smallPlanBps, epochBudgetBps);
    }

    /// @inheritdoc IRouterManager
    function setAccessPolicy(address policy) external restricted {
        emit AccessPolicySet(msg.sender, _policy, policy);
        _policy = policy;
        _hot = _hot.withFlag(HotSlot.POLICY, policy != address(0));
    }

    /// @inheritdoc IRouterManager
    function setExitQueue(address queue) external restricted {
        emit ExitQueueSet(msg.sender, _queue, queue);
        emit QueuedSharesSet(_limits.queuedShares, 0);
        _queue = queue;
        _limits.queuedShares = 0;
        _hot = _hot.withFlag(HotSlot.QUEUE, false);
    }

    // ---- views ----

    /// @inheritdoc IRouterManager
    function strategyState(address strategy) external view returns (StrategyState memory) {
        StrategyInfo storage info = _info[strategy];
        return StrategyState({
            debt: info.debt,
            capAssets: info.capAssets,
            capBps: info.capBps,
            maxGainBps: info.maxGainBps,
            maxLossBps: info.maxLossBps,
            lastReport: info.lastReport,
            active: info.active,
            underReview: info.underReview,
            shares: info.shares
        });
    }

    /// @inheritdoc IRouterManager
    function depositCap() external view returns (uint128) {
        return _limits.depositCap;
    }

    /// @inheritdoc IRouterManager
    function fees() external view returns (FeeConfig memory) {
        return FeeConfig(_fees.performanceBps, _fees.managementBps, _fees.recipient);
    }

    /// @inheritdoc IRouterManager
    function profitUnlockTime() external view returns (uint40) {
        return _planLimits.unlockTime;
    }

    /// @inheritdoc IRouterManager
    function idleFloorBps() external view returns (uint16) {
        return _planLimits.idleFloorBps;
    }

    /// @inheritdoc IRouterManager
    function planLimits() external view returns (uint16 smallPlanBps, uint16 epochBudgetBps) {
        return (_planLimits.smallPlanBps, _planLimits.epochBudgetBps);
    }

    /// @inheritdoc IRouterManager
    function highWaterMarkWad() external view returns (uint256) {
        return _highWaterMarkWad;
    }

    /// @inheritdoc IRouterManager
    function accessPolicy() external view returns (address) {
        return _policy;
    }

    /// @inheritdoc IRouterManager
    function exitQueue() external view returns (address) {
        return _queue;
    }

    function _known(address strategy) private view returns (StrategyInfo storage info) {
        info = _info[strategy];
        if (!info.active) revert UnknownStrategy(strategy);
    }

    function _setCap(address strategy, StrategyInfo storage info, uint128 capAssets, uint16 capBps) private {
        _requireBps(capBps);
        // Amounts are kept in 112 bits; more means no absolute cap.
        uint112 kept = capAssets > HotSlot.MAX_ASSETS ? type(uint112).max : uint112(capAssets);
        emit CapChanged(msg.sender, strategy, info.capAssets, kept, info.capBps, capBps);
        info.capAssets = kept;
        info.capBps = capBps;
    }

    function _setIdleFloor(uint16 current, uint16 bps) private {
        _requireBps(bps);
        emit IdleFloorSet(msg.sender, current, bps);
        _planLimits.idleFloorBps = bps;
    }

    function _setDepositCap(uint128 current, uint128 assets) private {
        emit DepositCapSet(msg.sender, current, assets);
        _limits.depositCap = assets;
        // Beyond what the books can hold there is no cap to look up.
        _hot = _hot.withFlag(HotSlot.CAP, assets < HotSlot.MAX_ASSETS);
    }

    function _requireBps(uint256 bps) private pure {
        if (bps > BPS) revert OutOfBounds(bps, BPS);
    }

    function _drop(address[] storage list, address strategy) private {
        uint256 length = list.length;
        // False is where it starts.
        // slither-disable-next-line uninitialized-local
        bool found;
        for (uint256 i = 0; i < length; ++i) {
            // Keeps the order of the others: it is the exit order.
            if (found) list[i - 1] = list[i];
            else found = list[i] == strategy;
        }
        if (found) list.pop();
    }
}
