// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Guarded} from "contracts/capital/lib/Guarded.sol";
import {BoundedCall} from "contracts/common/BoundedCall.sol";
import {SignerCheck} from "contracts/common/SignerCheck.sol";
import {TypedData} from "contracts/common/TypedData.sol";
import {EmergencyTarget} from "contracts/safety/EmergencyTarget.sol";
import {ICapitalRouter} from "interfaces/capital/ICapitalRouter.sol";
import {IDepositGateway} from "interfaces/capital/IDepositGateway.sol";
import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";
import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

/// @title DepositGateway
/// @notice Settles signed deposits and exits in one batch at one price, and keeps nothing but payouts that a token
/// refused.
contract DepositGateway is IDepositGateway, EmergencyTarget, AccessManaged, TypedData, ReentrancyGuard {
    using SafeERC20 for IERC20;

    /// @dev One side of a batch as it is worked through. `quotes[i]` is 0 where intent i does not settle.
    struct Side {
        uint256[] quotes;
        uint256 count;
        /// Sum of what settled intents bring, of what they were quoted, and of their minimums.
        uint256 brought;
        uint256 quoted;
        uint256 minimum;
        /// Router's price: what `REFERENCE` buys, rounded down.
        uint256 rate;
        /// What the router still takes (deposits) or pays (exits), in assets.
        uint256 room;
        /// Whether `room` is all there is, or only what was cheap to know.
        bool roomKnown;
        /// Assets here after the last pull.
        uint256 held;
        /// What is paid out beyond the quotes, how much of it was given so far, and to intents that brought how much.
        uint256 spread;
        uint256 given;
        uint256 passed;
        address policy;
    }

    bytes32 private constant DEPOSIT_TYPEHASH = keccak256(
        "DepositIntent(address owner,address receiver,uint256 assets,uint256 minShares,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant EXIT_TYPEHASH = keccak256(
        "ExitIntent(address owner,address receiver,uint256 shares,uint256 minAssets,uint256 nonce,uint256 deadline)"
    );
    uint256 private constant PERMIT_GAS = 150_000;
    /// @dev So large that its quote rounds off nothing that an intent could notice.
    uint256 private constant REFERENCE = 2 ** 112;

    ICapitalRouter private immutable ROUTER;
    IERC20 private immutable ASSET;

    mapping(address owner => mapping(uint256 word => uint256 bits)) private _nonces;
    /// @inheritdoc IDepositGateway
    mapping(bytes32 batchId => bool) public isBatchSettled;
    /// @inheritdoc IDepositGateway
    mapping(address owner => uint256 assets) public heldOf;
    /// @inheritdoc IDepositGateway
    uint256 public totalHeld;

    constructor(address router_, address authority_, address gate)
        EmergencyTarget(gate)
        AccessManaged(authority_)
        TypedData("Breakwater DepositGateway", "1")
    {
        require(router_ != address(0) && gate != address(0), ZeroAddress());
        ROUTER = ICapitalRouter(router_);
        ASSET = IERC20(ICapitalRouter(router_).asset());
    }

    // ---- batcher ----

    /// @inheritdoc IDepositGateway
    function settle(bytes32 batchId, SignedDeposit[] calldata deposits, SignedExit[] calldata exits)
        external
        restricted
        nonReentrant
        returns (uint256 settledDeposits, uint256 settledExits)
    {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        require(deposits.length + exits.length != 0, EmptyBatch());
        require(!isBatchSettled[batchId], BatchAlreadySettled(batchId));
        isBatchSettled[batchId] = true;

        address policy = ROUTER.accessPolicy();
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 assetsIn;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 sharesOut;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 sharesIn;
        // Zero is where it starts.
        // slither-disable-next-line uninitialized-local
        uint256 assetsOut;
        // settle is nonReentrant, and the batch is marked as settled before anything is called.
        // slither-disable-next-line reentrancy-no-eth
        if (deposits.length != 0) (settledDeposits, assetsIn, sharesOut) = _settleDeposits(batchId, deposits, policy);
        if (exits.length != 0) (settledExits, sharesIn, assetsOut) = _settleExits(batchId, exits, policy);

        emit BatchSettled(batchId, msg.sender, settledDeposits, settledExits, assetsIn, sharesOut, sharesIn, assetsOut);
    }

    // ---- owners ----

    /// @inheritdoc IDepositGateway
    function cancelNonce(uint256 nonce) external {
        require(!isNonceUsed(msg.sender, nonce), NonceAlreadyUsed(msg.sender, nonce));
        _nonces[msg.sender][nonce >> 8] |= 1 << (nonce & 0xff);
        emit NonceCancelled(msg.sender, nonce);
    }

    /// @inheritdoc IDepositGateway
    function withdrawHeld(address receiver) external nonReentrant returns (uint256 assets) {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        require(receiver != address(0), ZeroAddress());
        assets = heldOf[msg.sender];
        require(assets != 0, NothingHeld(msg.sender));
        address policy = ROUTER.accessPolicy();
        if (policy != address(0)) receiver = _exitReceiver(policy, msg.sender, receiver);

        heldOf[msg.sender] = 0;
        totalHeld -= assets;
        emit HeldWithdrawn(msg.sender, receiver, assets);
        ASSET.safeTransfer(receiver, assets);
    }

    // ---- views ----

    /// @inheritdoc IDepositGateway
    function router() external view returns (address) {
        return address(ROUTER);
    }

    /// @inheritdoc IDepositGateway
    function isNonceUsed(address owner, uint256 nonce) public view returns (bool) {
        return _nonces[owner][nonce >> 8] & (1 << (nonce & 0xff)) != 0;
    }

    /// @inheritdoc IDepositGateway
    function depositDigest(DepositIntent calldata intent) external view returns (bytes32) {
        return _intentDigest(DEPOSIT_TYPEHASH, intent);
    }

    /// @inheritdoc IDepositGateway
    function exitDigest(ExitIntent calldata intent) external view returns (bytes32) {
        return _intentDigest(EXIT_TYPEHASH, _asDeposit(intent));
    }

    // ---- deposits ----

    function _settleDeposits(bytes32 batchId, SignedDeposit[] calldata deposits, address policy)
        private
        returns (uint256, uint256, uint256 shares)
    {
        // Zeros are where it starts; what differs is set below.
        // slither-disable-next-line uninitialized-local
        Side memory side;
        side.quotes = new uint256[](deposits.length);
        side.rate = ROUTER.previewDeposit(REFERENCE);
        side.room = emergencyState < EmergencyState.WITHDRAW_ONLY ? ROUTER.maxDeposit(address(this)) : 0;
        side.held = ASSET.balanceOf(address(this));
        side.policy = policy;

        for (uint256 i; i < deposits.length; ++i) {
            Rejection reason = _takeDeposit(deposits[i], side, i);
            if (reason != Rejection.NONE) {
                emit IntentRejected(batchId, deposits[i].intent.owner, deposits[i].intent.nonce, reason);
            }
        }
        // The batch's own count and quotes in memory, not a balance: nothing was taken.
        // slither-disable-next-line incorrect-equality
        if (side.count == 0) return (0, 0, 0);

        ASSET.forceApprove(address(ROUTER), side.brought);
        // What arrives is measured as a difference on purpose. settle is nonReentrant, as is withdrawHeld.
        // slither-disable-next-line reentrancy-balance
        shares = ROUTER.deposit(side.brought, address(this));
        // Each quote is the floor of the same linear price, so together they never exceed the floor of their sum.
        require(shares >= side.quoted, PriceMoved(side.quoted, shares));

        side.spread = shares - side.quoted;
        for (uint256 i; i < deposits.length; ++i) {
            uint256 part = side.quotes[i];
            // The batch's own count and quotes in memory, not a balance: nothing was taken.
            // slither-disable-next-line incorrect-equality
            if (part == 0) continue;
            DepositIntent calldata intent = deposits[i].intent;
            part += _nextPart(side, intent.assets);
            emit DepositSettled(batchId, intent.owner, intent.receiver, intent.assets, part, intent.nonce);
            IERC20(address(ROUTER)).safeTransfer(intent.receiver, part);
        }
        return (side.count, side.brought, shares);
    }

    /// @dev Judges one deposit and, if nothing speaks against it, pulls its assets.
    function _takeDeposit(SignedDeposit calldata signed, Side memory side, uint256 index)
        private
        returns (Rejection reason)
    {
        DepositIntent calldata intent = signed.intent;
        reason = _judge(intent, DEPOSIT_TYPEHASH, signed.signature);
        if (reason != Rejection.NONE) return reason;
        reason = _pullDeposit(intent, signed.permit, side, index);
        if (reason != Rejection.NONE) _releaseNonce(intent.owner, intent.nonce);
    }

    function _pullDeposit(DepositIntent calldata intent, Permit calldata permit, Side memory side, uint256 index)
        private
        returns (Rejection)
    {
        uint256 assets = intent.assets;
        if (side.policy != address(0) && !_mayDeposit(side.policy, intent.owner, intent.receiver)) {
            return Rejection.REFUSED;
        }
        if (assets > type(uint128).max || side.brought + assets > side.room) return Rejection.NO_ROOM;
        uint256 quote = Math.mulDiv(assets, side.rate, REFERENCE);
        // The reference may have rounded off the last wei: a tight minimum deserves the exact answer.
        // A quote of zero is refused; it is computed, not a balance.
        // slither-disable-next-line incorrect-equality
        if (quote < intent.minShares || quote == 0) quote = ROUTER.previewDeposit(assets);
        // A quote of zero is refused; it is computed, not a balance.
        // slither-disable-next-line incorrect-equality
        if (quote < intent.minShares || quote == 0) return Rejection.BELOW_MINIMUM;

        _tryPermit(address(ASSET), intent.owner, permit);
        bool pulled = ASSET.trySafeTransferFrom(intent.owner, address(this), assets);
        uint256 held = ASSET.balanceOf(address(this));
        uint256 arrived = held - side.held;
        side.held = held;
        // Nothing arrived: the intent is refused. Whatever did arrive is what counts.
        // slither-disable-next-line incorrect-equality
        if (!pulled || arrived == 0) return Rejection.NOT_FUNDED;
        // Giving back what a fee was taken from would take the fee twice: refuse the batch as a whole.
        require(arrived >= assets, AssetsArrivedDiffer(assets, arrived));

        side.quotes[index] = quote;
        side.quoted += quote;
        side.brought += assets;
        ++side.count;
        return Rejection.NONE;
    }

    // ---- exits ----

    function _settleExits(bytes32 batchId, SignedExit[] calldata exits, address policy)
        private
        returns (uint256, uint256, uint256 assets)
    {
        // Zeros are where it starts; what differs is set below.
        // slither-disable-next-line uninitialized-local
        Side memory side;
        side.quotes = new uint256[](exits.length);
        side.rate = ROUTER.convertToAssets(REFERENCE);
        side.room = _idleRoom();
        side.policy = policy;

        for (uint256 i; i < exits.length; ++i) {
            Rejection reason = _takeExit(exits[i], side, i);
            if (reason != Rejection.NONE) {
                emit IntentRejected(batchId, exits[i].intent.owner, exits[i].intent.nonce, reason);
            }
        }
        if (side.count != 0) _dropBelowLoss(batchId, exits, side);
        if (side.count == 0) return (0, 0, 0);

        uint256 before = ASSET.balanceOf(address(this));
        // What arrives is measured, not believed. settle is nonReentrant, as is withdrawHeld.
        // slither-disable-next-line reentrancy-balance,unused-return
        ROUTER.redeem(side.brought, address(this), address(this), side.minimum);
        assets = ASSET.balanceOf(address(this)) - before;

        // At par each gets at least his own quote; in a loss all get the same average price.
        bool par = assets >= side.quoted;
        side.spread = par ? assets - side.quoted : assets;
        for (uint256 i; i < exits.length; ++i) {
            uint256 quote = side.quotes[i];
            // The batch's own quotes in memory, not a balance: this intent does not settle.
            // slither-disable-next-line incorrect-equality
            if (quote == 0) continue;
            ExitIntent calldata intent = exits[i].intent;
            uint256 part = _nextPart(side, intent.shares);
            if (par) part += quote;
            require(part >= intent.minAssets, PriceMoved(intent.minAssets, part));
            _payExit(batchId, intent, part, policy);
        }
        return (side.count, side.brought, assets);
    }

    /// @dev At least this much leaves without a strategy; asking all of them costs more than settling a few exits.
    function _idleRoom() private view returns (uint256 idle) {
        if (ROUTER.queuedShares() != 0 || ROUTER.emergencyState() == EmergencyState.FROZEN) return 0;
        idle = ROUTER.idle();
        address breaker = ROUTER.breaker();
        if (breaker == address(0)) return idle;
        (bool ok, uint256 allowed) =
            Guarded.readWord(breaker, abi.encodeCall(ICircuitBreaker.available, (address(ROUTER), address(ASSET))));
        return ok ? Math.min(idle, allowed) : 0;
    }

    /// @dev Judges one exit and, if nothing speaks against it, pulls its shares.
    function _takeExit(SignedExit calldata signed, Side memory side, uint256 index) private returns (Rejection reason) {
        ExitIntent calldata intent = signed.intent;
        reason = _judge(_asDeposit(intent), EXIT_TYPEHASH, signed.signature);
        if (reason != Rejection.NONE) return reason;
        reason = _pullExit(intent, signed.permit, side, index);
        if (reason != Rejection.NONE) _releaseNonce(intent.owner, intent.nonce);
    }

    function _pullExit(ExitIntent calldata intent, Permit calldata permit, Side memory side, uint256 index)
        private
        returns (Rejection)
    {
        uint256 shares = intent.shares;
        if (shares > type(uint128).max) return Rejection.NOT_FUNDED;
        uint256 quote = Math.mulDiv(shares, side.rate, REFERENCE);
        if (quote < intent.minAssets || quote == 0) quote = ROUTER.convertToAssets(shares);
        if (quote < intent.minAssets || quote == 0) return Rejection.BELOW_MINIMUM;
        // Each quote lost less than a unit by rounding, and its share of what the reference's own rounding lost. When
        // that could matter, ask what all of them take together.
        uint256 brought = side.brought + shares;
        uint256 most = side.quoted + quote + side.count + 1 + brought / REFERENCE + 1;
        if (most > side.room && !side.roomKnown) (side.room, side.roomKnown) = (ROUTER.availableLiquidity(), true);
        if (most > side.room && ROUTER.convertToAssets(brought) > side.room) return Rejection.NO_ROOM;

        _tryPermit(address(ROUTER), intent.owner, permit);
        if (!IERC20(address(ROUTER)).trySafeTransferFrom(intent.owner, address(this), shares)) {
            return Rejection.NOT_FUNDED;
        }

        side.quotes[index] = quote;
        side.quoted += quote;
        side.brought = brought;
        side.minimum += intent.minAssets;
        ++side.count;
        return Rejection.NONE;
    }

    /// @dev An unrealised loss makes the router pay less than its share price. Whoever did not sign for that gets his
    /// shares back, until the price of those who remain suits all of them.
    function _dropBelowLoss(bytes32 batchId, SignedExit[] calldata exits, Side memory side) private {
        bool dropped = true;
        while (dropped && side.count != 0) {
            dropped = false;
            uint256 brought = side.brought;
            uint256 expected = ROUTER.previewRedeem(brought);
            if (expected >= side.quoted) return;
            for (uint256 i; i < exits.length; ++i) {
                if (side.quotes[i] == 0) continue;
                ExitIntent calldata intent = exits[i].intent;
                uint256 part = Math.mulDiv(expected, intent.shares, brought);
                if (part != 0 && part >= intent.minAssets) continue;
                dropped = true;
                side.quoted -= side.quotes[i];
                side.quotes[i] = 0;
                side.brought -= intent.shares;
                side.minimum -= intent.minAssets;
                --side.count;
                _releaseNonce(intent.owner, intent.nonce);
                emit IntentRejected(batchId, intent.owner, intent.nonce, Rejection.BELOW_MINIMUM);
                IERC20(address(ROUTER)).safeTransfer(intent.owner, intent.shares);
            }
        }
    }

    /// @dev A receiver that the token refuses must not stop the batch: his payout waits for its owner.
    function _payExit(bytes32 batchId, ExitIntent calldata intent, uint256 assets, address policy) private {
        address receiver = intent.receiver;
        if (policy != address(0)) receiver = _exitReceiver(policy, intent.owner, receiver);
        emit ExitSettled(batchId, intent.owner, receiver, intent.shares, assets, intent.nonce);
        if (!ASSET.trySafeTransfer(receiver, assets)) {
            heldOf[intent.owner] += assets;
            totalHeld += assets;
            emit PayoutHeld(batchId, intent.owner, receiver, assets);
        }
    }

    // ---- shared ----

    /// @dev What can be said of an intent without looking at prices or money. If nothing speaks against it, its nonce
    /// is used up.
    function _judge(DepositIntent calldata intent, bytes32 typehash, bytes calldata signature)
        private
        returns (Rejection)
    {
        if (block.timestamp > intent.deadline) return Rejection.EXPIRED;
        (address owner, uint256 nonce) = (intent.owner, intent.nonce);
        mapping(uint256 => uint256) storage words = _nonces[owner];
        uint256 word = words[nonce >> 8];
        uint256 bit = 1 << (nonce & 0xff);
        if (word & bit != 0) return Rejection.NONCE_USED;
        if (intent.assets == 0) return Rejection.ZERO_AMOUNT;
        address receiver = intent.receiver;
        if (receiver == address(0) || receiver == address(this) || receiver == address(ROUTER)) {
            return Rejection.REFUSED;
        }
        if (!SignerCheck.isSignedBy(owner, _intentDigest(typehash, intent), signature)) return Rejection.BAD_SIGNATURE;
        words[nonce >> 8] = word | bit;
        return Rejection.NONE;
    }

    /// @dev Both kinds of intent are six words in one order; what is signed differs by its typehash.
    function _asDeposit(ExitIntent calldata intent) private pure returns (DepositIntent calldata same) {
        assembly ("memory-safe") {
            // same = DepositIntent(intent.owner, …, intent.deadline), in place
            same := intent
        }
    }

    function _intentDigest(bytes32 typehash, DepositIntent calldata intent) private view returns (bytes32) {
        bytes32 structHash;
        assembly ("memory-safe") {
            // structHash = keccak256(abi.encode(typehash, intent))
            let data := mload(0x40)
            mstore(data, typehash)
            calldatacopy(add(data, 0x20), intent, 0xc0)
            structHash := keccak256(data, 0xe0)
        }
        return _digest(structHash);
    }

    function _mayDeposit(address policy, address owner, address receiver) private view returns (bool) {
        try IAccessPolicy(policy).canDeposit(owner, receiver) returns (bool may) {
            if (!may) return false;
        } catch {
            return false;
        }
        try IAccessPolicy(policy).canTransfer(address(this), receiver) returns (bool may) {
            return may;
        } catch {
            return false;
        }
    }

    /// @dev The policy may redirect an exit, never refuse it: if it fails, the owner himself is paid.
    function _exitReceiver(address policy, address owner, address receiver) private view returns (address) {
        (bool ok, uint256 to) = Guarded.readWord(policy, abi.encodeCall(IAccessPolicy.exitReceiver, (owner, receiver)));
        return ok && to != 0 && to <= type(uint160).max ? address(uint160(to)) : owner;
    }

    /// @dev A permit may have been used by someone else first, or be wrong: what counts is the allowance that stands.
    function _tryPermit(address token, address owner, Permit calldata permit) private {
        if (permit.deadline == 0) return;
        // A permit may have been used by somebody else already: the allowance decides, at the transfer.
        // slither-disable-next-line unused-return
        BoundedCall.tryCall(
            token,
            PERMIT_GAS,
            abi.encodeCall(
                IERC20Permit.permit, (owner, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s)
            ),
            0
        );
    }

    /// @dev Part of the spread that goes to whoever brought `amount` after those who were asked about before. The parts
    /// add up to the spread exactly, and none is below floor(spread · amount / brought).
    function _nextPart(Side memory side, uint256 amount) private pure returns (uint256 part) {
        side.passed += amount;
        // Assets have 112 bits in the router and shares 128: the product fits, or the batch reverts.
        uint256 upTo = side.spread * side.passed / side.brought;
        part = upTo - side.given;
        side.given = upTo;
    }

    function _releaseNonce(address owner, uint256 nonce) private {
        _nonces[owner][nonce >> 8] &= ~(1 << (nonce & 0xff));
    }
}
