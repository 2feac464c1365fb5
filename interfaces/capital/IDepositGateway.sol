// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

/// @title Signed deposits and exits, settled together
/// @notice Owners sign EIP-712 intents off chain (EOA or EIP-1271); the batcher settles many in one transaction at one share price.
/// Whoever submits can neither worsen a signed limit nor redirect anything. An intent that cannot be honoured is skipped with
/// the reason in an event; it never stops the others.
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
        /// Policy, cap, breaker or liquidity leaves no room for it now.
        NO_ROOM
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
    event DepositSettled(bytes32 indexed batchId, address indexed owner, address indexed receiver, uint256 assets, uint256 shares, uint256 nonce);
    event ExitSettled(bytes32 indexed batchId, address indexed owner, address indexed receiver, uint256 shares, uint256 assets, uint256 nonce);
    event IntentRejected(bytes32 indexed batchId, address indexed owner, uint256 nonce, Rejection reason);
    event NonceCancelled(address indexed owner, uint256 nonce);

    error BatchAlreadySettled(bytes32 batchId);
    error EmptyBatch();
    error NonceAlreadyUsed(address owner, uint256 nonce);

    function router() external view returns (address);
    function isNonceUsed(address owner, uint256 nonce) external view returns (bool);
    function isBatchSettled(bytes32 batchId) external view returns (bool);
    function depositDigest(DepositIntent calldata intent) external view returns (bytes32);
    function exitDigest(ExitIntent calldata intent) external view returns (bytes32);

    /// @notice Batcher: settles what can be settled. `batchId` works once.
    function settle(bytes32 batchId, SignedDeposit[] calldata deposits, SignedExit[] calldata exits)
        external
        returns (uint256 settledDeposits, uint256 settledExits);

    /// @notice Owner: makes one of his own nonces unusable. Works in every emergency state.
    function cancelNonce(uint256 nonce) external;
}
