// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";

import {IRouterTypes} from "interfaces/capital/IRouterTypes.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

import {DebtSlot} from "./lib/DebtSlot.sol";
import {ExitMath} from "./lib/ExitMath.sol";
import {Guarded} from "./lib/Guarded.sol";
import {HotSlot} from "./lib/HotSlot.sol";

/// @title Storage and arithmetic that the router's two halves share
/// @notice `CapitalRouter` runs `RouterManager`'s code by delegatecall on this one layout.
abstract contract RouterStorage is AccessManaged, IRouterTypes {
    using HotSlot for uint256;
    using DebtSlot for uint256;

    struct Config {
        address asset;
        string name;
        string symbol;
        /// OpenZeppelin AccessManager.
        address authority;
        address emergencyGate;
        /// Zero: flows are not metered.
        address breaker;
    }

    struct StrategyInfo {
        uint112 debt;
        uint128 shares;
        bool active;
        bool underReview;
        uint112 capAssets;
        uint16 capBps;
        uint16 maxGainBps;
        uint16 maxLossBps;
        uint40 lastReport;
        /// A report found a loss beyond the limit, and none has been booked since.
        bool lossOpen;
    }

    struct Limits {
        uint128 depositCap;
        uint128 queuedShares;
    }

    struct Fees {
        uint16 performanceBps;
        uint16 managementBps;
        address recipient;
        /// Up to when the management fee is settled.
        uint40 settledUntil;
    }

    struct PlanLimits {
        uint16 smallPlanBps;
        uint16 epochBudgetBps;
        uint16 idleFloorBps;
        uint40 unlockTime;
        /// Day to which `epochLoss` belongs.
        uint40 epoch;
        uint112 epochLoss;
    }

    uint256 internal constant BPS = 10_000;
    uint256 internal constant WAD = 1e18;
    /// Shares have this many decimals at least, and six more than the asset.
    uint256 private constant SHARE_DECIMALS = 18;
    uint256 private constant LEAST_OFFSET = 6;

    address internal immutable _asset;
    address internal immutable _gate;
    address internal immutable _breaker;
    uint8 internal immutable _assetDecimals;
    uint8 internal immutable _offset;
    /// Shares that nobody holds: the price starts at 1 and a first depositor cannot move it for others.
    uint256 internal immutable _virtualShares;

    /// HotSlot: supply | idle | state | flags.
    uint256 internal _hot;
    /// DebtSlot: debt | unlock rate | unlock end.
    uint256 internal _debtSlot;
    Limits internal _limits;
    mapping(address account => uint256) internal _balances;
    mapping(address owner => mapping(address spender => uint256)) internal _allowances;
    mapping(address owner => uint256) internal _nonces;
    mapping(address strategy => StrategyInfo) internal _info;
    // Written by RouterManager, whose code runs on this storage.
    // slither-disable-next-line uninitialized-state
    address[] internal _strategies;
    // Written by RouterManager, whose code runs on this storage.
    // slither-disable-next-line uninitialized-state
    address[] internal _exitOrder;
    // Written by RouterManager, whose code runs on this storage.
    // slither-disable-next-line uninitialized-state
    address internal _policy;
    // Written by RouterManager, whose code runs on this storage.
    // slither-disable-next-line uninitialized-state
    address internal _queue;
    Fees internal _fees;
    PlanLimits internal _planLimits;
    uint128 internal _highWaterMarkWad;
    /// Locked shares as the Transfer events have told them so far.
    uint128 internal _lockedTold;
    /// Total assets at the last report: what bps caps are taken of, at most.
    uint256 internal _capReference;
    mapping(bytes32 planHash => bool) internal _planApproved;
    mapping(bytes32 planId => bool) internal _planExecuted;
    mapping(address strategy => mapping(address account => uint256)) internal _owed;
    // Written by CapitalRouter, on whose storage RouterManager's code runs.
    // slither-disable-next-line uninitialized-state
    mapping(address strategy => uint256) internal _totalOwed;
    string internal _name;
    string internal _symbol;

    constructor(Config memory config) AccessManaged(config.authority) {
        if (config.asset == address(0) || config.authority == address(0) || config.emergencyGate == address(0)) {
            revert ZeroAddress();
        }
        // Checked once, here: reports to an address without code would succeed and meter nothing.
        if (config.breaker != address(0) && config.breaker.code.length == 0) revert InvalidBreaker(config.breaker);
        _asset = config.asset;
        _gate = config.emergencyGate;
        _breaker = config.breaker;
        uint256 decimals_ = IERC20Metadata(config.asset).decimals();
        uint256 offset = decimals_ + LEAST_OFFSET < SHARE_DECIMALS ? SHARE_DECIMALS - decimals_ : LEAST_OFFSET;
        if (decimals_ > 24) revert OutOfBounds(decimals_, 24);
        _assetDecimals = uint8(decimals_);
        _offset = uint8(offset);
        _virtualShares = 10 ** offset;
    }

    /// @dev Sets the lock. The flag sits in a word that is written anyway.
    modifier locked() {
        uint256 hot = _unlocked();
        _hot = hot | HotSlot.LOCK;
        _;
        _hot &= ~HotSlot.LOCK;
    }

    function _unlocked() internal view returns (uint256 hot) {
        hot = _hot;
        if (hot & HotSlot.LOCK != 0) revert Reentered();
    }

    /// @dev assets1 = total assets + 1; shares1 = all shares, locked ones included, + virtual ones. The price
    /// is their ratio.
    function _ratio(uint256 hot, uint256 slot) internal view returns (uint256 assets1, uint256 shares1) {
        unchecked {
            // At most 2^112 + 2^112 + 1, and 2^128 + 2^144 + 2^60.
            assets1 = hot.idle() + slot.debt() + 1;
            shares1 = hot.supply() + slot.locked() + _virtualShares;
        }
    }

    function _down(uint256 amount, uint256 numerator, uint256 denominator) internal pure returns (uint256) {
        return amount * numerator / denominator;
    }

    function _up(uint256 amount, uint256 numerator, uint256 denominator) internal pure returns (uint256) {
        uint256 product = amount * numerator;
        // The ceiling of zero is zero; spares the decrement an underflow.
        // slither-disable-next-line incorrect-equality
        return product == 0 ? 0 : (product - 1) / denominator + 1;
    }

    /// @dev What an exit could take from `strategy` now; all zero if it has no debt or any of its answers fails.
    function _source(address strategy) internal view returns (ExitMath.Source memory s) {
        StrategyInfo storage info = _info[strategy];
        uint256 debt = info.debt;
        if (debt == 0) return s;
        uint256 shares = info.shares;
        (bool ok, uint256 worth) = _worth(strategy, shares);
        if (!ok || worth == 0) return s;
        (bool ok2, uint256 liquid) = Guarded.readWord(strategy, abi.encodeCall(IERC4626.maxWithdraw, (address(this))));
        if (!ok2 || liquid == 0) return s;
        s.debt = debt;
        s.worth = worth;
        s.shares = shares;
        // More than all is worth is as good as all; without the bound the multiplication could overflow.
        uint256 gross = liquid >= worth ? debt : ExitMath.grossMax(s, liquid);
        s.gross = gross < debt ? gross : debt;
    }

    /// @dev What redeeming all shares held would pay by the strategy's own accounting.
    function _worth(address strategy, uint256 shares) internal view returns (bool ok, uint256 worth) {
        return Guarded.read(strategy, abi.encodeCall(IERC4626.previewRedeem, (shares)));
    }

    /// @dev Everything that both halves carry in their code.
    function _configuration() internal view returns (bytes32) {
        return keccak256(abi.encode(_asset, _gate, _breaker, _assetDecimals, _offset));
    }

    function _requireAtLeast(uint256 received, uint256 minimum) internal pure {
        if (received < minimum) revert SlippageExceeded(received, minimum);
    }

    function _requireState(uint256 hot, EmergencyState worst) internal pure {
        EmergencyState current = hot.state();
        if (current > worst) revert IEmergencyTarget.EmergencyStateForbids(current);
    }
}
