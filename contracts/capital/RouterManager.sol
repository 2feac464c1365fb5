// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IRouterManager} from "interfaces/capital/IRouterManager.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

import {RouterReports} from "./RouterReports.sol";
import {RouterSettings} from "./RouterSettings.sol";
import {RouterStorage} from "./RouterStorage.sol";
import {DebtSlot} from "./lib/DebtSlot.sol";
import {ExitMath} from "./lib/ExitMath.sol";
import {HotSlot} from "./lib/HotSlot.sol";

/// @title What keeper, allocator, guardian and governance do with a router
/// @notice Code only: a `CapitalRouter` runs it on its own storage. Called directly it works on its own, empty storage,
/// where there is nothing to move. Reports are in `RouterReports`, settings in `RouterSettings`, plans here.
contract RouterManager is RouterReports, RouterSettings {
    using SafeERC20 for IERC20;
    using HotSlot for uint256;
    using DebtSlot for uint256;
    using ExitMath for ExitMath.Source;

    uint256 private constant EPOCH = 1 days;

    constructor(Config memory config) RouterStorage(config) {}

    /// @notice What a router that shall run this code must be configured with too.
    function configuration() external view returns (bytes32) {
        return _configuration();
    }

    /// @inheritdoc IRouterManager
    function rebalance(Plan calldata plan) external restricted locked {
        bytes32 hash = _requireRunnable(plan);
        uint256 before = _hot.idle() + _debtSlot.debt();
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        bool lends;
        for (uint256 i = 0; i < plan.moves.length; ++i) {
            Move calldata move = plan.moves[i];
            if (move.assets == 0) revert ZeroAmount();
            if (!_info[move.strategy].active) revert UnknownStrategy(move.strategy);
            if (move.lend) {
                lends = true;
                // The router's lock is held over the whole plan; views are locked with it.
                // slither-disable-next-line reentrancy-no-eth
                _lend(plan.id, move);
            } else {
                _recall(plan.id, move);
            }
        }
        uint256 hot = _hot;
        uint256 slot = _debtSlot;
        uint256 after_ = hot.idle() + slot.debt();
        if (after_ < before) _spendBudget(before, before - after_, plan.maxLoss);
        if (lends) _requireIdle(hot, slot, after_);
        emit PlanExecuted(msg.sender, plan.id, hash, before, after_);
    }

    /// @inheritdoc IRouterManager
    function planHash(Plan calldata plan) public view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, address(this), plan));
    }

    /// @inheritdoc IRouterManager
    function isPlanApproved(bytes32 planHash_) external view returns (bool) {
        return _planApproved[planHash_];
    }

    /// @inheritdoc IRouterManager
    function isPlanExecuted(bytes32 planId) external view returns (bool) {
        return _planExecuted[planId];
    }

    /// @inheritdoc IRouterManager
    function capacity(address strategy) public view returns (uint256 assets) {
        StrategyInfo storage info = _info[strategy];
        if (!info.active || info.underReview) return 0;
        uint256 cap = _cap(info);
        return cap > info.debt ? cap - info.debt : 0;
    }

    /// @inheritdoc IRouterManager
    function epochBudgetLeft() public view returns (uint256 assets) {
        return _budgetLeft(_hot.idle() + _debtSlot.debt());
    }

    // ---- plans ----

    /// @dev Marks the plan executed. Large plans use up their approval.
    function _requireRunnable(Plan calldata plan) private returns (bytes32 hash) {
        uint256 hot = _hot;
        _requireState(hot, EmergencyState.THROTTLED);
        if (block.timestamp > plan.expiry) revert PlanExpired(plan.expiry);
        if (_planExecuted[plan.id]) revert PlanAlreadyExecuted(plan.id);
        hash = planHash(plan);
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 moved;
        for (uint256 i = 0; i < plan.moves.length; ++i) {
            moved += plan.moves[i].assets;
        }
        if (moved * BPS > (hot.idle() + _debtSlot.debt()) * _planLimits.smallPlanBps) {
            if (!_planApproved[hash]) revert PlanNotApproved(hash);
        }
        delete _planApproved[hash];
        _planExecuted[plan.id] = true;
    }

    function _lend(bytes32 planId, Move calldata move) private {
        uint256 hot = _hot;
        if (hot.state() != EmergencyState.NORMAL) revert IEmergencyTarget.EmergencyStateForbids(hot.state());
        StrategyInfo storage info = _info[move.strategy];
        if (info.underReview) revert StrategyUnderReview(move.strategy);
        uint256 assets = move.assets;
        if (assets > hot.idle()) revert InsufficientLiquidity(assets, hot.idle());

        uint256 assetsBefore = IERC20(_asset).balanceOf(address(this));
        uint256 sharesBefore = IERC20(move.strategy).balanceOf(address(this));
        IERC20(_asset).forceApprove(move.strategy, assets);
        // What moved is measured, not believed, and the books take just that;
        // the router's lock is held over the whole plan.
        // slither-disable-next-line reentrancy-balance,reentrancy-no-eth,unused-return
        IERC4626(move.strategy).deposit(assets, address(this));
        IERC20(_asset).forceApprove(move.strategy, 0);
        uint256 spent = assetsBefore - IERC20(_asset).balanceOf(address(this));
        if (spent != assets) revert AssetsArrivedDiffer(assets, spent);
        uint256 received = IERC20(move.strategy).balanceOf(address(this)) - sharesBefore;
        uint256 value = IERC4626(move.strategy).previewRedeem(received);
        _requireAtLeast(value, move.minAssets);

        // What the way in cost is a loss of this plan; a way in that pays is a gain for the next report.
        if (value > assets) value = assets;
        uint256 debt = info.debt + value;
        uint256 heldShares = info.shares + received;
        if (heldShares > type(uint128).max) revert OutOfBounds(heldShares, type(uint128).max);
        hot = _hot;
        uint256 slot = _debtSlot;
        uint256 idle_ = hot.idle() - assets;
        _hot = hot.withAmounts(hot.supply(), idle_);
        _debtSlot = slot.withDebt(slot.debt() + value);
        info.debt = uint112(debt);
        info.shares = uint128(heldShares);
        uint256 cap = _cap(info);
        if (debt > cap) revert CapExceeded(move.strategy, debt, cap);
        emit DebtMoved(planId, move.strategy, true, assets, received, debt, idle_);
    }

    function _recall(bytes32 planId, Move calldata move) private {
        StrategyInfo storage info = _info[move.strategy];
        ExitMath.Source memory s = _source(move.strategy);
        uint256 assets = move.assets;
        if (s.netDown(s.gross) < assets) revert InsufficientLiquidity(assets, s.netDown(s.gross));
        uint256 gross = s.grossUp(assets);

        uint256 assetsBefore = IERC20(_asset).balanceOf(address(this));
        uint256 sharesBefore = IERC20(move.strategy).balanceOf(address(this));
        // What moved is measured, not believed, and the books take just that;
        // the router's lock is held over the whole plan.
        // slither-disable-next-line reentrancy-balance,reentrancy-no-eth,unused-return
        IERC4626(move.strategy).withdraw(assets, address(this), address(this));
        uint256 arrived = IERC20(_asset).balanceOf(address(this)) - assetsBefore;
        uint256 burned = sharesBefore - IERC20(move.strategy).balanceOf(address(this));
        _requireAtLeast(arrived, move.minAssets);
        if (burned > s.shares) revert InvalidStrategy(move.strategy);
        // What is paid beyond the debt taken is no profit of this plan: it stays outside the books.
        if (arrived > gross) arrived = gross;

        uint256 hot = _hot;
        uint256 slot = _debtSlot;
        uint256 idle_ = hot.idle() + arrived;
        _hot = hot.withAmounts(hot.supply(), idle_);
        _debtSlot = slot.withDebt(slot.debt() - gross);
        info.debt = uint112(s.debt - gross);
        info.shares = uint128(s.shares - burned);
        emit DebtMoved(planId, move.strategy, false, arrived, burned, s.debt - gross, idle_);
    }

    function _spendBudget(uint256 assets, uint256 loss, uint256 maxLoss) private {
        if (loss > maxLoss) revert PlanLossExceeded(loss, maxLoss);
        uint256 left = _budgetLeft(assets);
        if (loss > left) revert EpochBudgetExceeded(loss, left);
        uint40 epoch = uint40(block.timestamp / EPOCH);
        // Epochs are whole numbers: the budget is of this epoch or it starts anew.
        // slither-disable-next-line incorrect-equality
        uint256 spent = _planLimits.epoch == epoch ? _planLimits.epochLoss : 0;
        _planLimits.epoch = epoch;
        _planLimits.epochLoss = uint112(spent + loss);
    }

    function _budgetLeft(uint256 assets) private view returns (uint256) {
        uint256 budget = assets * _planLimits.epochBudgetBps / BPS;
        // Epochs are whole numbers: the budget is of this epoch or it starts anew.
        // slither-disable-next-line incorrect-equality
        uint256 spent = _planLimits.epoch == block.timestamp / EPOCH ? _planLimits.epochLoss : 0;
        return budget > spent ? budget - spent : 0;
    }

    /// @dev Neither the floor nor what the queue is owed may be lent.
    function _requireIdle(uint256 hot, uint256 slot, uint256 assets) private view {
        uint256 floor = _up(assets, _planLimits.idleFloorBps, BPS);
        if (hot.has(HotSlot.QUEUE)) {
            (uint256 assets1, uint256 shares1) = _ratio(hot, slot);
            floor += _up(_limits.queuedShares, assets1, shares1);
        }
        if (hot.idle() < floor) revert IdleFloorBreached(hot.idle(), floor);
    }

    function _cap(StrategyInfo storage info) private view returns (uint256 cap) {
        cap = info.capAssets;
        if (info.capBps == BPS) return cap;
        uint256 base = _hot.idle() + _debtSlot.debt();
        uint256 reported = _capReference;
        if (reported != 0 && reported < base) base = reported;
        uint256 relative = base * info.capBps / BPS;
        if (relative < cap) cap = relative;
    }
}
