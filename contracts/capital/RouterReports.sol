// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IRouterManager} from "interfaces/capital/IRouterManager.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

import {RouterStorage} from "./RouterStorage.sol";
import {DebtSlot} from "./lib/DebtSlot.sol";
import {HotSlot} from "./lib/HotSlot.sol";

/// @title How gains and losses reach the books
/// @dev A gain becomes shares at the price before it: fee shares for the recipient, the rest locked. So no report moves
/// the price, except by a loss that locked profit does not cover. Fees are taken from gains only.
abstract contract RouterReports is RouterStorage, IRouterManager {
    using SafeERC20 for IERC20;
    using HotSlot for uint256;
    using DebtSlot for uint256;

    uint256 private constant YEAR = 365 days;
    /// Rounding in a strategy's own books is no reason for a review.
    uint256 private constant DUST = 2;

    /// @inheritdoc IRouterManager
    function processReport(address strategy) external restricted locked returns (uint256 gain, uint256 loss) {
        StrategyInfo storage info = _info[strategy];
        if (!info.active) revert UnknownStrategy(strategy);
        uint256 debt = info.debt;
        (bool ok, uint256 worth) = _worth(strategy, info.shares);
        if (!ok) revert InvalidStrategy(strategy);
        if (worth > debt) gain = worth - debt;
        else loss = debt - worth;
        // A loss is booked even while FROZEN: exits that open again must find the right price.
        if (loss == 0) _requireState(_hot, EmergencyState.WITHDRAW_ONLY);
        if (_beyond(gain, debt, info.maxGainBps) || _beyond(loss, debt, info.maxLossBps)) {
            info.underReview = true;
            if (loss != 0) {
                info.lossOpen = true;
                _hot |= HotSlot.REVIEW;
            }
            emit ReviewOpened(strategy, debt, worth);
            return (0, 0);
        }

        uint256 slot = _debtSlot;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 feeShares;
        if (gain != 0) {
            _requireState(_hot, EmergencyState.THROTTLED);
            feeShares = _bookGain(gain, slot, slot.withDebt(slot.debt() + gain));
        } else if (loss != 0) {
            _bookLoss(loss, slot);
        }
        info.debt = uint112(worth);
        info.lastReport = uint40(block.timestamp);
        if (info.lossOpen) {
            info.lossOpen = false;
            _settleReviews();
        }
        slot = _debtSlot;
        _capReference = _hot.idle() + slot.debt();
        emit StrategyReported(msg.sender, strategy, gain, loss, worth, feeShares, slot.locked());
    }

    /// @inheritdoc IRouterManager
    function receiveYield(address strategy, uint256 assets) external restricted locked {
        if (assets == 0) revert ZeroAmount();
        uint256 hot = _hot;
        _requireState(hot, EmergencyState.THROTTLED);
        if (!_info[strategy].active) revert UnknownStrategy(strategy);
        uint256 slot = _debtSlot;
        uint256 feeShares = _bookGain(assets, slot, slot);
        hot = _hot;
        _hot = hot.withAmounts(hot.supply(), hot.idle() + assets);
        emit YieldReceived(msg.sender, strategy, assets);
        emit StrategyReported(msg.sender, strategy, assets, 0, _info[strategy].debt, feeShares, _debtSlot.locked());

        uint256 before = IERC20(_asset).balanceOf(address(this));
        IERC20(_asset).safeTransferFrom(msg.sender, address(this), assets);
        uint256 arrived = IERC20(_asset).balanceOf(address(this)) - before;
        if (arrived != assets) revert AssetsArrivedDiffer(assets, arrived);
    }

    /// @dev Exits are at book value again, and deposits open, once the books hold every loss that a report found. The
    /// review's end alone would let whoever comes before the next report leave at par.
    function _settleReviews() internal {
        uint256 count = _strategies.length;
        for (uint256 i = 0; i < count; ++i) {
            if (_info[_strategies[i]].lossOpen) return;
        }
        _hot &= ~HotSlot.REVIEW;
    }

    /// @dev `slot` is from before the gain, `next` holds the debt after it. Idle is the caller's.
    function _bookGain(uint256 gain, uint256 slot, uint256 next) private returns (uint256 feeShares) {
        uint256 hot = _hot;
        (uint256 assets1, uint256 shares1) = _ratio(hot, slot);
        uint256 newShares = _down(gain, shares1, assets1);
        uint256 holders1 = hot.supply() + _virtualShares;
        feeShares = _down(_settleFees(gain, assets1, holders1), shares1, assets1);
        if (feeShares != 0) {
            address recipient = _fees.recipient;
            _balances[recipient] += feeShares;
            emit IERC20.Transfer(address(0), recipient, feeShares);
            _hot = hot.withAmounts(hot.supply() + feeShares, hot.idle());
        }
        uint256 mark = _up((assets1 + gain) * _virtualShares, WAD, holders1 + feeShares);
        if (mark > _highWaterMarkWad) _highWaterMarkWad = mark > type(uint128).max ? type(uint128).max : uint128(mark);

        uint256 most = HotSlot.MAX_SUPPLY - hot.supply() - feeShares;
        next = next.lockMore(newShares - feeShares, _planLimits.unlockTime, most);
        _debtSlot = next;
        _tellLocked(next.locked());
    }

    /// @dev Locked profit pays first; what it does not cover lowers the price at once.
    function _bookLoss(uint256 loss, uint256 slot) internal {
        (uint256 assets1, uint256 shares1) = _ratio(_hot, slot);
        slot = slot.withDebt(slot.debt() - loss).burnLocked(_down(loss, shares1, assets1));
        _debtSlot = slot;
        _tellLocked(slot.locked());
    }

    /// @dev Assets of `gain` that go to the fee recipient: first the management fee since it was last settled, as far
    /// as the gain covers it, then the performance fee on what lifts holders above the high-water mark.
    function _settleFees(uint256 gain, uint256 assets1, uint256 holders1) private returns (uint256) {
        Fees memory fees_ = _fees;
        if (fees_.recipient == address(0)) return 0;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 management;
        if (fees_.managementBps != 0) {
            uint256 elapsed = block.timestamp - fees_.settledUntil;
            if (elapsed > YEAR) elapsed = YEAR;
            uint256 due = (assets1 - 1) * fees_.managementBps * elapsed / (BPS * YEAR);
            management = due < gain ? due : gain;
            // What the gain does not cover stays due: the clock advances only by what was paid.
            // No fee is due; the amount is computed, not a balance.
            // slither-disable-next-line incorrect-equality
            _fees.settledUntil =
                uint40(due == 0 ? fees_.settledUntil : block.timestamp - elapsed + elapsed * management / due);
        }
        uint256 level = _up(uint256(_highWaterMarkWad) * holders1, 1, _virtualShares * WAD);
        uint256 below = level > assets1 ? level - assets1 : 0;
        uint256 profit = gain - management;
        profit = profit > below ? profit - below : 0;
        return management + profit * fees_.performanceBps / BPS;
    }

    /// @dev Tells by ERC-20 events how the router's own balance, the locked shares, changed since it was last told.
    function _tellLocked(uint256 current) private {
        uint256 told = _lockedTold;
        if (current > told) emit IERC20.Transfer(address(0), address(this), current - told);
        else if (current < told) emit IERC20.Transfer(address(this), address(0), told - current);
        _lockedTold = uint128(current);
    }

    function _beyond(uint256 change, uint256 debt, uint256 maxBps) private pure returns (bool) {
        return change > DUST && maxBps != type(uint16).max && change * BPS > debt * maxBps;
    }
}
