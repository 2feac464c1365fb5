// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title Signed deposits and exits, settled together
/// @notice Owners sign EIP-712 intents off chain (EOA or EIP-1271); the batcher settles many in one transaction at one
/// share price. Whoever submits can neither worsen a signed limit nor redirect anything. An intent that cannot be
/// honoured is skipped with the reason in an event; it never stops the others. Deposits settle before exits, each side
/// in one call to the router and at one price; exits are not crossed with deposits, so that both pass the router's
/// meters, fees and loss accounting. Every share and asset of a batch is handed out to the wei. THROTTLED settles
/// everything, WITHDRAW_ONLY exits only, FROZEN nothing.
interface IDepositGateway is IEmergencyTarget {
    struct DepositIntent {
        address owner;
        /// Who gets the shares.
        address receiver;
        uint256 assets;
        uint256 minShares;
        /// Unordered, per owner: each value works once.
        uint256 nonce;
        /// Unix time after which it no longer settles.
        uint256 deadline;
    }

    struct ExitIntent {
        address owner;
        /// Who gets the assets.
        address receiver;
        uint256 shares;
        uint256 minAssets;
        uint256 nonce;
        uint256 deadline;
    }

    /// @notice ERC-2612 permit that accompanies an intent; `deadline` 0 means none, an allowance stands already.
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    struct SignedDeposit {
        DepositIntent intent;
        bytes signature;
        Permit permit;
    }

    struct SignedExit {
        ExitIntent intent;
        bytes signature;
        Permit permit;
    }

    enum Rejection {
        NONE,
        EXPIRED,
        NONCE_USED,
        BAD_SIGNATURE,
        ZERO_AMOUNT,
        /// The owner's allowance or balance does not cover it, or the token refused.
        NOT_FUNDED,
        /// The signed minimum is not met at this batch's price.
        BELOW_MINIMUM,
        /// Cap, breaker, liquidity or emergency state leaves no room for it now.
        NO_ROOM,
        /// The access policy refuses it, or nobody can be paid at its receiver (zero, the router, the gateway).
        REFUSED
    }

    event BatchSettled(
        bytes32 indexed batchId,
        address indexed by,
        uint256 deposits,
        uint256 exits,
        uint256 assetsIn,
        uint256 sharesOut,
        uint256 sharesIn,
        uint256 assetsOut
    );
    event DepositSettled(
        bytes32 indexed batchId,
        address indexed owner,
        address indexed receiver,
        uint256 assets,
        uint256 shares,
        uint256 nonce
    );
    event ExitSettled(
        bytes32 indexed batchId,
        address indexed owner,
        address indexed receiver,
        uint256 shares,
        uint256 assets,
        uint256 nonce
    );
    event IntentRejected(bytes32 indexed batchId, address indexed owner, uint256 nonce, Rejection reason);
    event NonceCancelled(address indexed owner, uint256 nonce);
    /// @notice The asset refused `receiver`; the payout waits here for `owner`.
    event PayoutHeld(bytes32 indexed batchId, address indexed owner, address indexed receiver, uint256 assets);
    event HeldWithdrawn(address indexed owner, address indexed receiver, uint256 assets);

    error BatchAlreadySettled(bytes32 batchId);
    error EmptyBatch();
    error NonceAlreadyUsed(address owner, uint256 nonce);
    /// @notice The asset took a fee or moved less than it said: it cannot be settled in batches.
    error AssetsArrivedDiffer(uint256 expected, uint256 arrived);
    /// @notice The router gave less than it had quoted within the same transaction.
    error PriceMoved(uint256 quoted, uint256 received);
    error NothingHeld(address owner);
    error ZeroAddress();

    function router() external view returns (address);
    function isNonceUsed(address owner, uint256 nonce) external view returns (bool);
    function isBatchSettled(bytes32 batchId) external view returns (bool);
    /// @notice Assets of refused payouts that wait for `owner`; nothing else ever rests in the gateway between batches.
    function heldOf(address owner) external view returns (uint256 assets);
    function totalHeld() external view returns (uint256 assets);
    function depositDigest(DepositIntent calldata intent) external view returns (bytes32);
    function exitDigest(ExitIntent calldata intent) external view returns (bytes32);

    /// @notice Batcher: settles what can be settled. `batchId` works once.
    function settle(bytes32 batchId, SignedDeposit[] calldata deposits, SignedExit[] calldata exits)
        external
        returns (uint256 settledDeposits, uint256 settledExits);

    /// @notice Owner: makes one of his own nonces unusable. Works in every emergency state.
    function cancelNonce(uint256 nonce) external;

    /// @notice Owner: takes a payout that his first receiver could not get. The access policy may redirect it, as on
    /// any exit.
    function withdrawHeld(address receiver) external returns (uint256 assets);
}
