// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title Turns rewards into yield and reports many strategies in one transaction
/// @notice Per strategy: claim rewards, sell each for the router's asset at no less than the oracle's value minus the
/// allowed slippage, hand the proceeds to the router, then have the router process the report. A strategy that fails is
/// logged and does not stop the others; a reward that cannot be sold at the minimum stays here for the next harvest. A
/// foreign ERC-4626 vault without rewards is only reported. Works in NORMAL and THROTTLED.
interface IYieldHarvester is IEmergencyTarget {
    struct Route {
        address venue;
        /// Most below the oracle's value that a sale may pay, bps.
        uint16 maxSlippageBps;
    }

    event Harvested(address indexed by, address indexed strategy, uint256 gain, uint256 loss, uint256 yieldSold);
    event HarvestFailed(address indexed by, address indexed strategy, bytes reason);
    /// @notice The rewards could not be claimed; the report went on without them.
    event ClaimFailed(address indexed strategy, bytes reason);
    event RewardClaimed(address indexed strategy, address indexed token, uint256 amount);
    event RewardSold(
        address indexed strategy, address indexed token, uint256 amount, uint256 proceeds, uint256 minimum
    );
    event RewardKept(address indexed strategy, address indexed token, uint256 amount, bytes reason);
    event RouteSet(
        address indexed by, address indexed token, address previousVenue, address venue, uint256 maxSlippageBps
    );

    error OnlySelf();
    error SlippageTooLoose(uint256 bps, uint256 maximum);
    error NoRoute(address token);
    error WorthNothing(address token, uint256 amount);
    error Underpaid(uint256 received, uint256 minimum);
    /// @notice Too little gas to give each strategy its fair part.
    error GasBelowFloor(uint256 perStrategy, uint256 floor);
    error ZeroAddress();

    function router() external view returns (address);
    function oracle() external view returns (address);
    function routeOf(address token) external view returns (Route memory);
    /// @notice Reward tokens of `strategy` that wait here unsold.
    function pending(address strategy, address token) external view returns (uint256);

    /// @notice Keeper: harvests each strategy in turn.
    /// @return harvested Assets gained per strategy (report and sales); 0 where it failed.
    function harvest(address[] calldata strategies) external returns (uint256[] memory harvested);

    /// @notice Governance: where and how loosely `token` may be sold. The zero venue stops its sale.
    function setRoute(address token, address venue, uint16 maxSlippageBps) external;
}
