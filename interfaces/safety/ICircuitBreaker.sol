// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Meters what leaves a target and trips the gate on facts that honest exits cannot cause
/// @notice Metering: per (target, asset) one token bucket in the asset's own units, one storage slot, no external call,
/// no owner's switch. With capacity C = L/2 and refill r = L/(2W) the net outflow in any time window of length W is ≤
/// L. Inflow refunds the bucket up to C for good; what it gives beyond C lasts for the rest of its own timestamp
/// only, so that a deposit and an exit at one timestamp, flash loan or not, leave the bucket exactly as it was.
/// Judging: `poke` compares a target with its own past. Honest exits move none of what it compares.
/// @dev The contract cannot be paused, upgraded or replaced in place, and the metered path reads nothing but its own
/// slot: the only reason for which `onOutflow` reverts is `OutflowLimitExceeded`. Targets that report through `Meter` let
/// nothing else of it refuse an exit.
interface ICircuitBreaker {
    /// @notice Limits of one (target, asset): `limit` L in asset units per `window` W in seconds.
    struct Limit {
        uint128 limit;
        uint32 window;
    }

    /// @notice What `poke` judges a target by.
    struct Watch {
        /// The target's asset: the one whose balance and price are judged.
        address asset;
        /// Largest fall of the share price below its peak that is still no fact.
        uint16 maxDrawdownBps;
        /// Largest fall of the asset's price below its reference that is still no fact; 0: the price is not watched.
        uint16 maxPriceDropBps;
        /// Seconds after which the price reference moves to the price then seen; 0: it stays (pegged assets).
        uint32 referencePeriod;
        /// Units of the asset that may be missing without being a fact (rounding of rebasing tokens).
        uint128 shortfallTolerance;
    }

    /// @notice What a target is compared with. A trip moves it to what was observed, so one loss trips once.
    struct Baseline {
        /// Share price, WAD, below which drawdown counts.
        uint128 peak;
        /// Lowest share price above `peak` seen since `candidateSince`; becomes the peak after `PEAK_DELAY`. 0: none.
        uint128 candidate;
        /// Units known to be missing.
        uint128 acknowledgedShortfall;
        /// Price of the asset, USD 1e18, below which a drop counts.
        uint128 priceReference;
        uint64 candidateSince;
        uint64 referenceAt;
    }

    /// @notice What `poke` found.
    enum Fact {
        NONE,
        /// The share price fell by more than the allowed bps below its recorded peak. Trips FROZEN.
        DRAWDOWN,
        /// The target holds less of its asset than its books say. Trips FROZEN.
        SHORTFALL,
        /// Two feeds or more, and most of those that answer, say that the asset's price fell by more than the allowed
        /// bps below its reference. Trips WITHDRAW_ONLY.
        PRICE_DROP
    }

    event LimitSet(
        address indexed target,
        address indexed asset,
        uint256 previousLimit,
        uint256 limit,
        uint256 previousWindow,
        uint256 window,
        uint256 previousFloor,
        uint256 floor
    );
    event LimitTightened(
        address indexed target, address indexed asset, address indexed by, uint256 previousLimit, uint256 limit
    );
    event LimitRemoved(address indexed target, address indexed asset, uint256 previousLimit, uint256 previousWindow);
    event WatchSet(address indexed target, address indexed by, Watch previous, Watch current);
    event OracleSet(address indexed previous, address indexed current);
    /// @notice A fact was found and the gate moved the target.
    event Tripped(address indexed target, address indexed by, Fact fact, uint256 observed, uint256 comparedWith);
    event PeakRaised(address indexed target, uint256 previous, uint256 current);
    event PeakReset(address indexed target, uint256 previous, uint256 current);
    event ReferenceMoved(address indexed target, uint256 previous, uint256 current);

    /// @notice More than the bucket holds would leave. Callers size exits by `available`, so that they never meet it.
    error OutflowLimitExceeded(address target, address asset, uint256 assets, uint256 available);
    error NotMetered(address target, address asset);
    error NotTightening(uint256 current, uint256 proposed);
    /// @notice The guardian may not squeeze the exit below what governance guaranteed.
    error BelowFloor(uint256 floor, uint256 proposed);
    error LimitOutOfBounds(uint256 limit, uint256 window);
    error WatchOutOfBounds();
    error UnknownTarget(address target);
    /// @notice The target, or the oracle, gave no usable answer where one is needed.
    error Unreadable(address source);
    /// @notice Too little gas to give every read its full allowance: a starved read could show a loss that is none.
    error InsufficientGas(uint256 needed);

    /// @notice A target reports that `assets` of `asset` are leaving it. `msg.sender` is the target.
    /// Unmetered (no limit set) passes. Reverts when the bucket holds less, and for no other reason.
    function onOutflow(address asset, uint256 assets) external;

    /// @notice A target reports that `assets` of `asset` came in. `msg.sender` is the target. Never reverts.
    function onInflow(address asset, uint256 assets) external;

    /// @notice How much of `asset` may leave `target` now; `type(uint256).max` when it is not metered. Never reverts.
    function available(address target, address asset) external view returns (uint256);

    /// @notice The limit in force; zeros when not metered.
    function limitOf(address target, address asset) external view returns (Limit memory);
    /// @notice The least L to which the guardian may tighten.
    function limitFloorOf(address target, address asset) external view returns (uint256);
    function watchOf(address target) external view returns (Watch memory);
    function baselineOf(address target) external view returns (Baseline memory);

    function gate() external view returns (address);
    function oracle() external view returns (address);

    /// @notice Guardian or governance, at once: lowers L of a metered pair, not below its floor; the window stays.
    /// What may leave now never grows by it.
    function tightenLimit(address target, address asset, uint128 limit) external;

    /// @notice Governance, after its delay: meters a pair, or changes its limit, window and floor in any direction.
    /// A pair that was not metered starts with a full bucket; otherwise what may leave now never grows at once.
    /// @dev `limit` is kept with 64 significant bits, rounded down.
    function setLimit(address target, address asset, uint128 limit, uint32 window, uint128 floor) external;

    /// @notice Governance, after its delay: stops metering a pair.
    function removeLimit(address target, address asset) external;

    /// @notice Governance, after its delay: puts a target under watch, or changes how it is judged. Baselines are kept
    /// for a target whose asset stays the same.
    function setWatch(address target, Watch calldata watch) external;

    /// @notice Guardian or governance, at once: judges a watched target more strictly, within the bounds of the code.
    function tightenWatch(address target, uint16 maxDrawdownBps, uint16 maxPriceDropBps) external;

    /// @notice Governance, after its delay: takes the present share price as the peak.
    function resetSharePeak(address target) external;
    /// @notice Governance, after its delay: takes the present price of the asset as the reference.
    function resetPriceReference(address target) external;
    /// @notice Governance, after its delay.
    function setOracle(address oracle_) external;

    /// @notice Anyone: checks the facts of `target` and, if one holds that the target's state does not answer yet,
    /// trips the gate; otherwise moves the baselines up.
    /// @dev Separate from the metered path, since a call that reverts cannot latch anything. A read that fails is no
    /// fact.
    /// @return fact What was found; also when the target already is in the state that the fact asks for.
    function poke(address target) external returns (Fact fact);
}
