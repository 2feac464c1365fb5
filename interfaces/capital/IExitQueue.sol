// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title Exits that wait their turn
/// @notice ERC-7540 asynchronous redemption over the router's shares, first in, first out. The price is set when a request is
/// processed, so nobody gains by asking first in a loss. Anyone may process. requested = paid + queued + cancelled.
interface IExitQueue is IEmergencyTarget {
    event RedeemRequest(address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares);
    event RedeemProcessed(uint256 indexed requestId, address indexed controller, uint256 shares, uint256 assets);
    event RedeemCancelled(uint256 indexed requestId, address indexed controller, uint256 shares);
    event RedeemClaimed(uint256 indexed requestId, address indexed controller, address indexed receiver, uint256 shares, uint256 assets);
    event OperatorSet(address indexed controller, address indexed operator, bool approved);
    /// @notice ERC-7575/4626's exit event, once per claim.
    event Withdraw(address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares);

    error ZeroAmount();
    error ZeroAddress();
    error NotController(address caller, address controller);
    error NothingPending(uint256 requestId);
    error NothingClaimable(address controller);
    error ClaimExceedsMaximum(uint256 requested, uint256 maximum);
    error ArraysTooLong(uint256 length, uint256 maximum);

    function router() external view returns (address);
    function asset() external view returns (address);
    function share() external view returns (address);

    /// @notice Pulls `shares` of `owner` (allowance, or operator) into the queue.
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);
    /// @notice Pays at once what the router can pay at once and queues the rest. Never fails for lack of liquidity.
    function exit(uint256 shares, address receiver, address owner, uint256 minAssetsPerShareWad)
        external
        returns (uint256 assetsPaid, uint256 requestId);
    /// @notice Takes back what was not processed yet.
    function cancelRedeem(uint256 requestId, address receiver) external returns (uint256 shares);
    /// @notice Anyone: processes up to `maxRequests` from the head, as far as liquidity goes; the last may be paid in part.
    function process(uint256 maxRequests) external returns (uint256 processedShares, uint256 paidAssets);

    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    function maxRedeem(address controller) external view returns (uint256 shares);
    function maxWithdraw(address controller) external view returns (uint256 assets);
    function redeem(uint256 shares, address receiver, address controller) external returns (uint256 assets);
    function withdraw(uint256 assets, address receiver, address controller) external returns (uint256 shares);
    function setOperator(address operator, bool approved) external returns (bool);
    function isOperator(address controller, address operator) external view returns (bool);

    /// @notice Shares that wait, over all requests.
    function queuedShares() external view returns (uint256);
    /// @notice Assets set aside for processed, unclaimed requests.
    function claimableAssets() external view returns (uint256);
    /// @notice The request at the head and the id that the next one will get.
    function head() external view returns (uint256 requestId);
    function nextRequestId() external view returns (uint256);
}
