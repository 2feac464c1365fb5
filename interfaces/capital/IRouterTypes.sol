// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What the router's two halves have in common: records, events, errors
/// @notice All amounts in the asset's own decimals; bps out of 10 000; WAD = 1e18.
interface IRouterTypes {
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
        /// Strategy shares that the books count; more may lie here (donated), never fewer.
        uint128 shares;
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
    /// @notice Capital went to (`lend`) or came from a strategy; `debt` and `idle` are what remains. `assets`
    /// is 0 if shares left in kind.
    event DebtMoved(
        bytes32 indexed planId,
        address indexed strategy,
        bool lend,
        uint256 assets,
        uint256 shares,
        uint256 debt,
        uint256 idle
    );
    event PlanApproved(address indexed by, bytes32 indexed planHash);
    event PlanRevoked(address indexed by, bytes32 indexed planHash);
    event PlanExecuted(
        address indexed by,
        bytes32 indexed planId,
        bytes32 planHash,
        uint256 totalAssetsBefore,
        uint256 totalAssetsAfter
    );
    /// @notice An exit took `assets` from `strategy` whose cached debt fell by `debtReduced`; the difference
    /// is the exiter's loss.
    event ExitLossTaken(address indexed owner, address indexed strategy, uint256 debtReduced, uint256 assets);
    event InKindRedeemed(
        address indexed owner,
        address indexed receiver,
        uint256 shares,
        uint256 assets,
        address[] strategies,
        uint256[] strategyShares
    );
    /// @notice `strategy` refused to hand over shares in an exit in kind; `account` fetches them with `claimInKind`.
    event InKindOwed(address indexed account, address indexed strategy, uint256 strategyShares);
    event InKindClaimed(address indexed account, address indexed strategy, uint256 strategyShares);
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
    error Reentered();
    error OnlySelf();
    error InvalidManager(address manager);
    error InvalidBreaker(address breaker);
    /// @notice A guarded call failed with so little gas left that the shortage may have caused it.
    error InsufficientGas();
    error PermitExpired(uint256 deadline);
    error InvalidSigner(address signer, address owner);
}
