// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {IBreakerTarget} from "interfaces/safety/IBreakerTarget.sol";
import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title One asset in, many ERC-4626 strategies behind it
/// @notice Shares price what is idle plus the debt cached per strategy. `processReport` reconciles a strategy's debt with what it is
/// really worth: profit unlocks linearly, loss acts at once after burning locked profit. An exiter bears his part of a loss
/// that is not reported yet. All amounts in the asset's own decimals; bps out of 10 000; WAD = 1e18.
interface ICapitalRouter is IERC4626, IERC20Permit, IEmergencyTarget, IBreakerTarget {
    struct StrategyState {
        /// Assets lent, as last reconciled.
        uint128 debt;
        /// Most assets that may be lent.
        uint128 capAssets;
        /// Most of total assets that may be lent, bps.
        uint16 capBps;
        /// Largest gain and loss, bps of debt, that a report accepts.
        uint16 maxGainBps;
        uint16 maxLossBps;
        uint40 lastReport;
        bool active;
        /// A report was outside the limits: no new capital until governance clears it.
        bool underReview;
    }

    /// @notice One step of a plan: withdrawals (`lend` false) free capital, deposits (`lend` true) put it to work.
    struct Move {
        address strategy;
        bool lend;
        uint128 assets;
        /// lend: least value of the strategy shares received, in assets; withdraw: least assets received.
        uint128 minAssets;
    }

    struct Plan {
        /// Unique: a plan runs once.
        bytes32 id;
        /// Unix time after which it no longer runs.
        uint40 expiry;
        /// Most by which total assets may fall over the whole plan, asset units.
        uint128 maxLoss;
        Move[] moves;
    }

    struct FeeConfig {
        /// Of gains above the high-water mark.
        uint16 performanceBps;
        /// Of total assets, per year.
        uint16 managementBps;
        address recipient;
    }

    event StrategyAdded(address indexed by, address indexed strategy, uint256 capAssets, uint256 capBps);
    event StrategyRemoved(address indexed by, address indexed strategy);
    event CapChanged(
        address indexed by,
        address indexed strategy,
        uint256 previousAssets,
        uint256 assets,
        uint256 previousBps,
        uint256 bps
    );
    event HealthLimitsSet(address indexed by, address indexed strategy, uint256 maxGainBps, uint256 maxLossBps);
    event ReviewOpened(address indexed strategy, uint256 debt, uint256 worth);
    event ReviewClosed(address indexed by, address indexed strategy);
    /// @notice `debt` is the strategy's debt after the report.
    event StrategyReported(
        address indexed by,
        address indexed strategy,
        uint256 gain,
        uint256 loss,
        uint256 debt,
        uint256 feeShares,
        uint256 lockedShares
    );
    /// @notice Capital went to (`lend`) or came from a strategy; `debt` and `idle` are what remains.
    event DebtMoved(
        bytes32 indexed planId, address indexed strategy, bool lend, uint256 assets, uint256 shares, uint256 debt, uint256 idle
    );
    event PlanApproved(address indexed by, bytes32 indexed planHash);
    event PlanRevoked(address indexed by, bytes32 indexed planHash);
    event PlanExecuted(address indexed by, bytes32 indexed planId, bytes32 planHash, uint256 totalAssetsBefore, uint256 totalAssetsAfter);
    /// @notice An exit took `assets` from `strategy` whose cached debt fell by `debtReduced`; the difference is the exiter's loss.
    event ExitLossTaken(address indexed owner, address indexed strategy, uint256 debtReduced, uint256 assets);
    event InKindRedeemed(
        address indexed owner, address indexed receiver, uint256 shares, uint256 assets, address[] strategies, uint256[] strategyShares
    );
    /// @notice Realised yield came in from outside a strategy's own accounting (sold rewards) and was locked as profit.
    event YieldReceived(address indexed by, address indexed strategy, uint256 assets);
    event FeesSet(address indexed by, uint256 performanceBps, uint256 managementBps, address recipient);
    event ProfitUnlockTimeSet(address indexed by, uint256 previous, uint256 current);
    event IdleFloorSet(address indexed by, uint256 previousBps, uint256 bps);
    event DepositCapSet(address indexed by, uint256 previous, uint256 current);
    event ExitOrderSet(address indexed by, address[] strategies);
    event AccessPolicySet(address indexed by, address previous, address current);
    event ExitQueueSet(address indexed by, address previous, address current);
    event QueuedSharesSet(uint256 previous, uint256 current);
    event PlanLimitsSet(address indexed by, uint256 smallPlanBps, uint256 epochBudgetBps);

    error ZeroAmount();
    error ZeroAddress();
    error SlippageExceeded(uint256 received, uint256 minimum);
    error AssetsArrivedDiffer(uint256 expected, uint256 arrived);
    error UnknownStrategy(address strategy);
    error StrategyExists(address strategy);
    error StrategyNotEmpty(address strategy, uint256 debt);
    error StrategyUnderReview(address strategy);
    error InvalidStrategy(address strategy);
    error CapExceeded(address strategy, uint256 debt, uint256 cap);
    error IdleFloorBreached(uint256 idle, uint256 floor);
    error NotTightening(uint256 current, uint256 proposed);
    error NotLoosening(uint256 current, uint256 proposed);
    error PlanExpired(uint256 expiry);
    error PlanAlreadyExecuted(bytes32 planId);
    error PlanNotApproved(bytes32 planHash);
    error PlanLossExceeded(uint256 loss, uint256 maxLoss);
    error EpochBudgetExceeded(uint256 loss, uint256 remaining);
    error FeeTooHigh(uint256 proposed, uint256 maximum);
    error DepositRefused(address payer, address receiver);
    error TransferRefused(address from, address to);
    error InsufficientLiquidity(uint256 requested, uint256 available);
    error NotExitQueue(address caller);
    error OutOfBounds(uint256 value, uint256 maximum);

    // ---- users ----

    /// @notice ERC-4626 deposit with a least number of shares.
    function deposit(uint256 assets, address receiver, uint256 minShares) external returns (uint256 shares);
    /// @notice ERC-4626 redeem with a least amount of assets.
    function redeem(uint256 shares, address receiver, address owner, uint256 minAssets) external returns (uint256 assets);
    /// @notice The same, taking what idle does not cover from `strategies` in that order instead of the exit order.
    function redeem(uint256 shares, address receiver, address owner, uint256 minAssets, address[] calldata strategies)
        external
        returns (uint256 assets);
    /// @notice ERC-4626 withdraw with a greatest number of shares.
    function withdraw(uint256 assets, address receiver, address owner, uint256 maxShares) external returns (uint256 shares);
    /// @notice Pays idle and strategy shares pro rata, rounded down. Needs no oracle and no liquidity; works in WITHDRAW_ONLY.
    function redeemInKind(uint256 shares, address receiver, address owner)
        external
        returns (uint256 assets, address[] memory strategies_, uint256[] memory strategyShares);

    // ---- keeper ----

    /// @notice Reconciles one strategy's debt with its worth. Outside the health limits the debt stays as it was, the
    /// strategy goes under review, and (0, 0) returns.
    function processReport(address strategy) external returns (uint256 gain, uint256 loss);

    /// @notice Harvester: pulls `assets` from the caller and locks them as profit of `strategy`.
    function receiveYield(address strategy, uint256 assets) external;

    // ---- allocator ----

    /// @notice Runs a plan. Plans above `smallPlanBps` of total assets need `approvePlan` by governance first.
    function rebalance(Plan calldata plan) external;
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

    function addStrategy(address strategy, uint128 capAssets, uint16 capBps) external;
    /// @notice A strategy with debt is refused, unless `force`: then its debt is written off as a loss.
    function removeStrategy(address strategy, bool force) external;
    function raiseCap(address strategy, uint128 capAssets, uint16 capBps) external;
    function lowerIdleFloor(uint16 bps) external;
    function raiseDepositCap(uint128 assets) external;
    function setHealthLimits(address strategy, uint16 maxGainBps, uint16 maxLossBps) external;
    function closeReview(address strategy) external;
    function setExitOrder(address[] calldata strategies_) external;
    function setFees(FeeConfig calldata fees) external;
    function setProfitUnlockTime(uint40 seconds_) external;
    function setPlanLimits(uint16 smallPlanBps, uint16 epochBudgetBps) external;
    function setAccessPolicy(address policy) external;
    function setExitQueue(address queue) external;

    /// @notice Exit queue only: how many shares wait; instant exits do not see the liquidity these are owed.
    function setQueuedShares(uint256 shares) external;

    // ---- views ----

    function idle() external view returns (uint256);
    function totalDebt() external view returns (uint256);
    function strategies() external view returns (address[] memory);
    function exitOrder() external view returns (address[] memory);
    function strategyState(address strategy) external view returns (StrategyState memory);
    /// @notice Least of both caps, minus what is lent.
    function capacity(address strategy) external view returns (uint256 assets);
    function fees() external view returns (FeeConfig memory);
    function lockedShares() external view returns (uint256);
    function profitUnlockTime() external view returns (uint40);
    function idleFloorBps() external view returns (uint16);
    function depositCap() external view returns (uint128);
    function queuedShares() external view returns (uint256);
    function highWaterMarkWad() external view returns (uint256);
    function accessPolicy() external view returns (address);
    function exitQueue() external view returns (address);
    function breaker() external view returns (address);
    /// @notice What instant exits can take now: idle plus what strategies can pay, less what the queue is owed, within the breaker's allowance.
    function availableLiquidity() external view returns (uint256 assets);
}
