// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Meters what leaves a target and trips the gate on facts that honest exits cannot cause
/// @notice Per (target, asset) one token bucket in the asset's own units, one storage slot. With capacity C = L/2 and refill
/// r = L/(2W) the net outflow in any window W is ≤ L. Inflow gives a credit that decays, so an honest round trip does not
/// drain the bucket.
interface ICircuitBreaker {
    /// @notice Limits of one (target, asset): `limit` L in asset units per `window` W in seconds.
    struct Limit {
        uint128 limit;
        uint32 window;
    }

    /// @notice What `poke` found.
    enum Fact {
        NONE,
        /// The share price fell by more than the allowed bps below its recorded peak.
        DRAWDOWN,
        /// The target holds less of an asset than its books say.
        SHORTFALL,
        /// At least two feeds agree that the asset's price fell by more than the allowed bps below its reference.
        PRICE_DROP
    }

    event LimitTightened(address indexed target, address indexed asset, uint256 previous, uint256 current, uint256 window);
    event LimitLoosened(address indexed target, address indexed asset, uint256 previous, uint256 current, uint256 window);
    event WatchSet(address indexed target, uint256 previousMaxDrawdownBps, uint256 maxDrawdownBps, uint256 previousMaxPriceDropBps, uint256 maxPriceDropBps);
    event Tripped(address indexed target, address indexed by, Fact fact, uint256 observed, uint256 reference);
    event PeakReset(address indexed target, uint256 previous, uint256 current);

    /// @notice More than the bucket holds would leave. Callers size exits by `available`, so this is never reached by a router's own limits.
    error OutflowLimitExceeded(address target, address asset, uint256 assets, uint256 available);
    error NotTightening(uint256 current, uint256 proposed);
    error LimitOutOfBounds(uint256 limit, uint256 window);
    error NothingToTrip(address target);
    error UnknownTarget(address target);

    /// @notice A target reports that `assets` of `asset` are leaving it. `msg.sender` is the target.
    /// Unmetered (no limit set) passes. Reverts when the bucket holds less.
    function onOutflow(address asset, uint256 assets) external;

    /// @notice A target reports that `assets` came in. Gives decaying credit; never reverts for a metered target.
    function onInflow(address asset, uint256 assets) external;

    /// @notice How much of `asset` may leave `target` now; `type(uint256).max` when it is not metered.
    function available(address target, address asset) external view returns (uint256);

    function limitOf(address target, address asset) external view returns (Limit memory);

    /// @notice Guardian or governance, at once: lowers L (or sets the first one). Never adds to what may leave.
    function tightenLimit(address target, address asset, uint128 limit, uint32 window) external;
    /// @notice Governance, after its delay.
    function loosenLimit(address target, address asset, uint128 limit, uint32 window) external;

    /// @notice Anyone: checks the facts of `target` and, if one holds, trips the gate.
    /// @dev Separate from the metered path, since a call that reverts cannot latch anything.
    /// @return fact What was found; NONE leaves everything as it was.
    function poke(address target) external returns (Fact fact);
}
