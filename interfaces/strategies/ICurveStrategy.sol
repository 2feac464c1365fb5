// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {ICurvePool} from "interfaces/external/ICurve.sol";
import {IInKindStrategy} from "interfaces/strategies/IInKindStrategy.sol";

/// @title Liquidity in a Curve stable pool, entered and left in the router's asset alone
/// @notice Worth LP tokens × virtual price: the pool's own count of its coins at par, which no trade lowers. The virtual
/// price may rise by 20 % a year; what goes beyond is counted only as time passes.
/// @dev A way in or out through the market must bring the worth less a bound, else it is refused. The bounds are of the
/// virtual price, never of the pool's present balances. `previewRedeem` is the least that a redemption pays.
interface ICurveStrategy is IInKindStrategy {
    /// @param entryLossBps Most of a deposit that may be lost on the way in.
    /// @param exitLossBps Most of the worth that may be lost on the way out; the router's debt is valued less this.
    /// @param imbalanceBps How far below its equal part the scarcest coin may be for a deposit.
    struct Limits {
        uint16 entryLossBps;
        uint16 exitLossBps;
        uint16 imbalanceBps;
    }

    event LimitsSet(address indexed by, Limits limits);
    /// @notice The pool was found to pay out, or not to pay out, one coin alone.
    event PoolProbed(address indexed by, bool closed, uint256 virtualPrice);

    error NotInPool(address asset);
    error UnsupportedPool(address pool);
    error InvalidLimits(Limits limits);
    error ExitTooCostly(uint256 assets, uint256 paid);
    error TooLittleArrived(uint256 expected, uint256 arrived);

    function POOL() external view returns (ICurvePool);
    function LP_TOKEN() external view returns (IERC20);

    function limits() external view returns (Limits memory);

    /// @notice Governance: sets all limits.
    function setLimits(Limits calldata limits_) external;

    /// @notice Guardian, at once: deposits get stricter. Reverts if either is above what holds now.
    function tightenEntry(uint16 entryLossBps, uint16 imbalanceBps) external;

    /// @notice Anyone: tries whether the pool still pays out one coin (older pools do not tell that they are killed), and
    /// notes the virtual price. Reverts inside a call of the pool.
    function probe() external returns (bool closed);

    /// @notice Whether the pool was last found not to pay out one coin alone.
    function poolClosed() external view returns (bool);

    /// @notice The virtual price that counts, 1e18.
    function virtualPrice() external view returns (uint256);

    /// @notice What the pool would pay now for the LP tokens behind `shares`, and what they are worth. A spot: for people, not
    /// for contracts.
    function quoteExit(uint256 shares) external view returns (uint256 paid, uint256 worth);
}
