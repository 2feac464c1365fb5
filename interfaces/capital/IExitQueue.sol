// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title Exits that wait their turn
/// @notice ERC-7540 asynchronous redemption over the router's shares, first in, first out. The price is set when a
/// request is processed, so nobody gains by asking first in a loss. Anyone may process. requested = paid + queued +
/// cancelled. The controller of a request owns it: the access policy judges him, and claims are pulled, so nobody
/// blocks those behind him. Works in WITHDRAW_ONLY; FROZEN stops everything but `setOperator`. Request ids start at 1.
interface IExitQueue is IEmergencyTarget, IERC165 {
    event RedeemRequest(
        address indexed controller, address indexed owner, uint256 indexed requestId, address sender, uint256 shares
    );
    /// @notice Part of an `exit` that was paid at once.
    event ExitPaid(address indexed owner, address indexed receiver, address sender, uint256 shares, uint256 assets);
    event RedeemProcessed(uint256 indexed requestId, address indexed controller, uint256 shares, uint256 assets);
    event RedeemCancelled(
        uint256 indexed requestId, address indexed controller, address indexed receiver, uint256 shares
    );
    event OperatorSet(address indexed controller, address indexed operator, bool approved);
    /// @notice ERC-4626's exit event, once per claim; `owner` is the controller.
    event Withdraw(
        address indexed sender, address indexed receiver, address indexed owner, uint256 assets, uint256 shares
    );

    error ZeroAmount();
    error ZeroAddress();
    error NotController(address caller, address controller);
    error NothingPending(uint256 requestId);
    error ClaimExceedsMaximum(uint256 requested, uint256 maximum);
    /// @notice The access policy does not let the claim to the shares pass from `from` to `to`.
    error TransferRefused(address from, address to);
    /// @notice The strategies that would pay carry a loss beyond the part of those who wait: it must be reported first.
    error UnfairPrice(uint256 paid, uint256 least);

    function router() external view returns (address);
    function asset() external view returns (address);
    function share() external view returns (address);

    /// @notice Pulls `shares` of `owner` into the queue, by his allowance to the queue. Only he or his operator.
    function requestRedeem(uint256 shares, address controller, address owner) external returns (uint256 requestId);
    /// @notice Pays at once what the router can pay at once, if nobody waits, and queues the rest with `owner` as
    /// controller. Never fails for lack of liquidity. Only the owner or his operator.
    /// @param minAssetsPerShareWad Least price of the part paid at once, in the unit of the router's `sharePriceWad`
    /// (whole assets per whole share, WAD). The queued part gets the price at its processing.
    /// @return assetsPaid Assets paid now.
    /// @return requestId Request that holds the rest; 0 if nothing was queued.
    function exit(uint256 shares, address receiver, address owner, uint256 minAssetsPerShareWad)
        external
        returns (uint256 assetsPaid, uint256 requestId);
    /// @notice Controller or operator: takes back what was not processed yet.
    function cancelRedeem(uint256 requestId, address receiver) external returns (uint256 shares);
    /// @notice Anyone: processes up to `maxRequests` from the head, as far as liquidity goes; the last may be paid in
    /// part. Refuses to pay less than shares are worth with every loss counted, reported or not: whoever calls cannot
    /// leave to those who wait a loss that all holders bear.
    function process(uint256 maxRequests) external returns (uint256 processedShares, uint256 paidAssets);

    /// @notice Shares of request `requestId` that wait; 0 if `controller` is not its controller.
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    /// @notice Processed, unclaimed shares of the request. A controller's claims consume his requests in their order.
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares);
    function maxRedeem(address controller) external view returns (uint256 shares);
    function maxWithdraw(address controller) external view returns (uint256 assets);
    /// @notice Claims `shares` of what was processed for `controller`, at the average price of his unclaimed part.
    function redeem(uint256 shares, address receiver, address controller) external returns (uint256 assets);
    /// @notice Claims exactly `assets` of what was processed for `controller`.
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
