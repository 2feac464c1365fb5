// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Guarded} from "contracts/capital/lib/Guarded.sol";
import {EmergencyTarget} from "contracts/safety/EmergencyTarget.sol";
import {ICapitalRouter} from "interfaces/capital/ICapitalRouter.sol";
import {IExitQueue} from "interfaces/capital/IExitQueue.sol";
import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

/// @title ExitQueue
/// @notice Whoever cannot leave at once waits here in order and is paid at the price of the moment in which his turn
/// comes.
contract ExitQueue is IExitQueue, EmergencyTarget, ReentrancyGuard {
    using SafeERC20 for IERC20;
    using SafeCast for uint256;

    struct Request {
        address controller;
        uint128 pending;
        uint128 processed;
        /// Shares processed for this controller before this request's first: tells which claims are this request's.
        uint256 start;
    }

    /// @notice Of one controller, over all his requests.
    struct Account {
        uint144 claimable;
        uint112 assets;
        /// Claimable and claimed. The same money may come again for ever, so no supply bounds this.
        uint256 processed;
    }

    /// @dev What an exit may lose by rounding: once per strategy of the router, and once at each end.
    uint256 private constant ROUNDING = 18;

    ICapitalRouter private immutable ROUTER;
    IERC20 private immutable ASSET;
    /// @dev Shares times a price in WAD, divided by this, are assets: 10^(share decimals − asset decimals) · 1e18.
    uint256 private immutable PRICE_DIVISOR;

    mapping(uint256 requestId => Request) private _requests;
    mapping(address controller => Account) private _accounts;
    /// @inheritdoc IExitQueue
    mapping(address controller => mapping(address operator => bool)) public isOperator;
    /// @inheritdoc IExitQueue
    uint256 public head = 1;
    /// @inheritdoc IExitQueue
    uint256 public nextRequestId = 1;
    /// @inheritdoc IExitQueue
    uint256 public queuedShares;
    /// @inheritdoc IExitQueue
    uint256 public claimableAssets;

    constructor(address router_, address gate) EmergencyTarget(gate) {
        require(router_ != address(0) && gate != address(0), ZeroAddress());
        ROUTER = ICapitalRouter(router_);
        ASSET = IERC20(ICapitalRouter(router_).asset());
        PRICE_DIVISOR = 10 ** (ICapitalRouter(router_).decimals() - IERC20Metadata(address(ASSET)).decimals()) * 1e18;
    }

    // ---- owners and controllers ----

    /// @inheritdoc IExitQueue
    function requestRedeem(uint256 shares, address controller, address owner)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        require(shares != 0, ZeroAmount());
        require(controller != address(0), ZeroAddress());
        _requireSelfOrOperator(owner);
        _requireMayPass(owner, controller);

        requestId = _enqueue(shares, controller, owner);
        // The caller is the owner or his operator: _requireSelfOrOperator.
        // slither-disable-next-line arbitrary-send-erc20
        IERC20(address(ROUTER)).safeTransferFrom(owner, address(this), shares);
        _tellRouter();
    }

    /// @inheritdoc IExitQueue
    function exit(uint256 shares, address receiver, address owner, uint256 minAssetsPerShareWad)
        external
        nonReentrant
        returns (uint256 assetsPaid, uint256 requestId)
    {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        require(shares != 0, ZeroAmount());
        require(receiver != address(0), ZeroAddress());
        _requireSelfOrOperator(owner);
        // The caller is the owner or his operator: _requireSelfOrOperator.
        // slither-disable-next-line arbitrary-send-erc20
        IERC20(address(ROUTER)).safeTransferFrom(owner, address(this), shares);

        uint256 instant = queuedShares == 0 ? _payable(shares) : 0;
        if (instant != 0) {
            receiver = _exitReceiver(owner, receiver);
            uint256 minAssets = Math.mulDiv(instant, minAssetsPerShareWad, PRICE_DIVISOR, Math.Rounding.Ceil);
            uint256 before = ASSET.balanceOf(address(this));
            // exit is nonReentrant; the callee is the router, which is trusted at deployment.
            // slither-disable-next-line reentrancy-no-eth
            assetsPaid = ROUTER.redeem(instant, receiver, address(this), minAssets);
            // A policy that fails makes the router pay the owner of the shares, which is this contract by now.
            uint256 landed = ASSET.balanceOf(address(this)) - before;
            if (landed != 0) ASSET.safeTransfer(receiver, landed);
            emit ExitPaid(owner, receiver, msg.sender, instant, assetsPaid);
        }
        if (instant != shares) {
            requestId = _enqueue(shares - instant, owner, owner);
            _tellRouter();
        }
    }

    /// @inheritdoc IExitQueue
    function cancelRedeem(uint256 requestId, address receiver) external nonReentrant returns (uint256 shares) {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        require(receiver != address(0), ZeroAddress());
        Request storage request = _requests[requestId];
        address controller = request.controller;
        _requireSelfOrOperator(controller);
        shares = request.pending;
        require(shares != 0, NothingPending(requestId));
        _requireMayPass(controller, receiver);

        request.pending = 0;
        queuedShares -= shares;
        emit RedeemCancelled(requestId, controller, receiver, shares);
        _tellRouter();
        IERC20(address(ROUTER)).safeTransfer(receiver, shares);
    }

    /// @inheritdoc IExitQueue
    function redeem(uint256 shares, address receiver, address controller)
        external
        nonReentrant
        returns (uint256 assets)
    {
        Account storage account = _claiming(receiver, controller);
        require(shares != 0, ZeroAmount());
        uint256 claimable = account.claimable;
        require(shares <= claimable, ClaimExceedsMaximum(shares, claimable));
        assets = Math.mulDiv(account.assets, shares, claimable);
        _claim(account, shares, assets, receiver, controller);
    }

    /// @inheritdoc IExitQueue
    function withdraw(uint256 assets, address receiver, address controller)
        external
        nonReentrant
        returns (uint256 shares)
    {
        Account storage account = _claiming(receiver, controller);
        require(assets != 0, ZeroAmount());
        uint256 held = account.assets;
        require(assets <= held, ClaimExceedsMaximum(assets, held));
        // Rounded down: what is left must keep its shares, and rounding here concerns no other controller.
        shares = Math.mulDiv(account.claimable, assets, held);
        _claim(account, shares, assets, receiver, controller);
    }

    /// @inheritdoc IExitQueue
    function setOperator(address operator, bool approved) external returns (bool) {
        isOperator[msg.sender][operator] = approved;
        emit OperatorSet(msg.sender, operator, approved);
        return true;
    }

    // ---- anyone ----

    /// @inheritdoc IExitQueue
    function process(uint256 maxRequests) external nonReentrant returns (uint256 processedShares, uint256 paidAssets) {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        uint256 first = head;
        uint256 end = first;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 partialShares;
        {
            uint256 budget = _payable(queuedShares);
            uint256 stop = Math.min(nextRequestId, Math.saturatingAdd(first, maxRequests));
            while (end < stop) {
                uint256 pending = _requests[end].pending;
                if (pending > budget - processedShares) {
                    partialShares = budget - processedShares;
                    processedShares = budget;
                    break;
                }
                processedShares += pending;
                ++end;
            }
        }
        head = end;
        if (processedShares == 0) return (0, 0);

        queuedShares -= processedShares;
        uint256 least = _fairDown(processedShares);
        uint256 before = ASSET.balanceOf(address(this));
        // What arrives is measured, not believed; every entry that moves money is nonReentrant.
        // slither-disable-next-line reentrancy-balance,reentrancy-no-eth,unused-return
        ROUTER.redeem(processedShares, address(this), address(this));
        paidAssets = ASSET.balanceOf(address(this)) - before;
        require(paidAssets + ROUNDING >= least, UnfairPrice(paidAssets, least));
        claimableAssets += paidAssets;

        // Each gets the difference of two floors of the running sum: together exactly what was paid.
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 sharesSoFar;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 assetsSoFar;
        if (partialShares != 0) ++end;
        for (uint256 id = first; id < end; ++id) {
            uint256 shares = id + 1 == end && partialShares != 0 ? partialShares : _requests[id].pending;
            if (shares == 0) continue;
            sharesSoFar += shares;
            uint256 upTo = Math.mulDiv(paidAssets, sharesSoFar, processedShares);
            _credit(id, shares, upTo - assetsSoFar);
            assetsSoFar = upTo;
        }
        _tellRouter();
    }

    // ---- views ----

    /// @inheritdoc IExitQueue
    function router() external view returns (address) {
        return address(ROUTER);
    }

    /// @inheritdoc IExitQueue
    function asset() external view returns (address) {
        return address(ASSET);
    }

    /// @inheritdoc IExitQueue
    function share() external view returns (address) {
        return address(ROUTER);
    }

    /// @inheritdoc IExitQueue
    function pendingRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares) {
        Request storage request = _requests[requestId];
        return request.controller == controller ? request.pending : 0;
    }

    /// @inheritdoc IExitQueue
    function claimableRedeemRequest(uint256 requestId, address controller) external view returns (uint256 shares) {
        Request storage request = _requests[requestId];
        if (request.controller != controller) return 0;
        Account storage account = _accounts[controller];
        uint256 claimed = Math.saturatingSub(account.processed - account.claimable, request.start);
        return Math.saturatingSub(request.processed, claimed);
    }

    /// @inheritdoc IExitQueue
    function maxRedeem(address controller) external view returns (uint256 shares) {
        if (emergencyState == EmergencyState.FROZEN) return 0;
        return _accounts[controller].claimable;
    }

    /// @inheritdoc IExitQueue
    function maxWithdraw(address controller) external view returns (uint256 assets) {
        if (emergencyState == EmergencyState.FROZEN) return 0;
        return _accounts[controller].assets;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        // ERC-165 itself, ERC-7540 operators, ERC-7540 asynchronous redemption.
        return id == type(IERC165).interfaceId || id == 0xe3bc4e65 || id == 0x620ee8e4;
    }

    // ---- shared ----

    /// @dev A queue that governance has replaced has nothing to tell; who waits in it is paid or leaves all the same.
    function _tellRouter() private {
        if (ROUTER.exitQueue() == address(this)) ROUTER.setQueuedShares(queuedShares);
    }

    function _enqueue(uint256 shares, address controller, address owner) private returns (uint256 requestId) {
        requestId = nextRequestId++;
        Request storage request = _requests[requestId];
        request.controller = controller;
        request.pending = shares.toUint128();
        queuedShares += shares;
        emit RedeemRequest(controller, owner, requestId, msg.sender, shares);
    }

    function _credit(uint256 requestId, uint256 shares, uint256 assets) private {
        Request storage request = _requests[requestId];
        address controller = request.controller;
        Account storage account = _accounts[controller];
        if (request.processed == 0) request.start = account.processed;
        request.pending -= uint128(shares);
        request.processed += uint128(shares);
        account.processed += shares;
        account.claimable += uint144(shares);
        account.assets = (assets + account.assets).toUint112();
        emit RedeemProcessed(requestId, controller, shares, assets);
    }

    function _claiming(address receiver, address controller) private view returns (Account storage) {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        require(receiver != address(0), ZeroAddress());
        _requireSelfOrOperator(controller);
        return _accounts[controller];
    }

    function _claim(Account storage account, uint256 shares, uint256 assets, address receiver, address controller)
        private
    {
        account.claimable -= uint144(shares);
        account.assets -= uint112(assets);
        claimableAssets -= assets;
        receiver = _exitReceiver(controller, receiver);
        emit Withdraw(msg.sender, receiver, controller, assets, shares);
        if (assets != 0) ASSET.safeTransfer(receiver, assets);
    }

    /// @dev Of `shares`, as many as the router can pay for now. A part is cut to what whole units of the asset cost:
    /// the fraction beyond would be burned for nothing, call after call.
    function _payable(uint256 shares) private view returns (uint256) {
        uint256 most = ROUTER.maxRedeem(address(this));
        if (most >= shares) return shares;
        uint256 assets = ROUTER.convertToAssets(most);
        if (assets == 0) return 0;
        uint256 cost = ROUTER.convertToShares(assets);
        return ROUTER.convertToAssets(cost) < assets ? cost + 1 : cost;
    }

    /// @dev Worth of `shares` with every loss counted, reported or not. Anyone may process, so nobody shall find a
    /// moment in which those who wait bear more of a loss than those who stay. Idle pays no less than this.
    function _fairDown(uint256 shares) private view returns (uint256) {
        if (ROUTER.convertToAssets(shares) <= ROUTER.idle()) return 0;
        return Math.mulDiv(shares, ROUTER.sharePriceWad(), PRICE_DIVISOR);
    }

    function _requireSelfOrOperator(address account) private view {
        require(msg.sender == account || isOperator[account][msg.sender], NotController(msg.sender, account));
    }

    /// @dev A claim that changes hands is a transfer in all but name, so the policy judges it as one.
    function _requireMayPass(address from, address to) private view {
        if (from == to) return;
        address policy = ROUTER.accessPolicy();
        require(policy == address(0) || IAccessPolicy(policy).canTransfer(from, to), TransferRefused(from, to));
    }

    /// @dev The policy may redirect an exit, never refuse it: if it fails, the owner himself is paid.
    function _exitReceiver(address owner, address receiver) private view returns (address) {
        address policy = ROUTER.accessPolicy();
        if (policy == address(0)) return receiver;
        (bool ok, uint256 to) = Guarded.readWord(policy, abi.encodeCall(IAccessPolicy.exitReceiver, (owner, receiver)));
        return ok && to != 0 && to <= type(uint160).max ? address(uint160(to)) : owner;
    }
}
