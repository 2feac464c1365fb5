// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";

import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title A place where the router's capital works
/// @notice An ERC-4626 vault whose deposits only the router makes and whose redemptions any holder makes (after an exit in
/// kind). Valued from the protocol's own accounting, never from a spot price.
interface IStrategy is IERC4626, IEmergencyTarget {
    event RewardsClaimed(address indexed by, address indexed receiver, address[] tokens, uint256[] amounts);

    error NotRouter(address caller);
    /// @notice The asset charges on transfer.
    error AssetsArrivedDiffer(uint256 expected, uint256 arrived);

    function router() external view returns (address);

    /// @notice Tokens that `claimRewards` may pay out; empty if there are none.
    function rewardTokens() external view returns (address[] memory);

    /// @notice Harvester only: claims what the protocol owes and sends it to `receiver`.
    function claimRewards(address receiver) external returns (address[] memory tokens, uint256[] memory amounts);
}
