// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";

/// @title Who passed KYC, and what that allows
/// @notice A KYC provider signs EIP-712 credentials off chain; anybody may bring them on chain. An investor is eligible
/// while his credential is valid, its provider trusted, its tier high enough, its jurisdiction open, and he is neither
/// denied nor frozen. Who is not eligible neither deposits nor transfers, but always leaves: to himself, or, while
/// frozen, to an escrow out of which nobody but he himself, or whom he named, is ever paid. Tightening and loosening
/// are separate functions, so that only the latter wait out a delay.
interface IInvestorRegistry is IAccessPolicy {
    enum Restriction {
        NONE,
        /// The relationship ended: exits go to the investor himself.
        DENIED,
        /// The assets are restrained: exits go to his escrow.
        FROZEN
    }

    /// @notice What a provider signs.
    struct Credential {
        address investor;
        uint8 tier;
        /// ISO 3166-1 numeric.
        uint16 jurisdiction;
        /// Unix time after which it no longer counts.
        uint40 expiry;
        /// Grows with each credential of the investor; an older one cannot replace a newer one.
        uint64 serial;
    }

    struct Investor {
        address provider;
        uint40 expiry;
        uint16 jurisdiction;
        uint8 tier;
        Restriction restriction;
        uint64 serial;
    }

    event CredentialAccepted(
        address indexed investor,
        address indexed provider,
        address indexed by,
        uint8 tier,
        uint16 jurisdiction,
        uint40 expiry,
        uint64 serial
    );
    event CredentialRevoked(address indexed by, address indexed investor, uint64 serial, bytes32 reason);
    event RestrictionSet(
        address indexed by, address indexed investor, Restriction previous, Restriction current, bytes32 reason
    );
    event ProviderSet(address indexed by, address indexed provider, bool trusted);
    event JurisdictionSet(address indexed by, uint16 indexed jurisdiction, bool closed);
    event MinimumTierSet(address indexed by, uint8 previous, uint8 current);
    event ConduitSet(address indexed by, address indexed conduit, bool trusted);
    event PayoutNominated(address indexed investor, address indexed payout);
    event EscrowReleased(
        address indexed by, address indexed investor, address indexed token, address to, uint256 amount, bytes32 reason
    );

    error ZeroAddress();
    error NoReason();
    error UnknownProvider(address provider);
    error BadCredentialSignature(address provider);
    error CredentialExpired(uint40 expiry);
    error StaleSerial(uint64 serial, uint64 current);
    error NotTightening(uint256 current, uint256 proposed);
    error NotLoosening(uint256 current, uint256 proposed);
    error StillFrozen(address investor);
    error PayoutNotNominated(address investor, address to);

    // ---- anyone ----

    /// @notice Brings a credential of `provider` (EOA or EIP-1271) on chain.
    function submitCredential(Credential calldata credential, address provider, bytes calldata signature) external;

    // ---- investors ----

    /// @notice Investor: names a second address to which compliance may release his escrow (lost keys, a token that
    /// bars him).
    function nominatePayout(address payout) external;
    /// @notice Investor who is not frozen: takes everything of `token` out of his escrow to himself.
    function claimEscrow(address token) external returns (uint256 amount);

    // ---- compliance: tightening, at once ----

    function deny(address investor, bytes32 reason) external;
    function freeze(address investor, bytes32 reason) external;
    /// @notice Ends the credential in force and every one with a serial up to it.
    function revokeCredential(address investor, bytes32 reason) external;
    function closeJurisdiction(uint16 jurisdiction) external;
    function raiseMinimumTier(uint8 tier) external;
    /// @notice Every credential of the provider stops counting.
    function removeProvider(address provider) external;

    // ---- compliance: loosening ----

    /// @notice Lifts a denial or a freeze.
    function clearRestriction(address investor, bytes32 reason) external;
    function openJurisdiction(uint16 jurisdiction) external;
    function lowerMinimumTier(uint8 tier) external;
    /// @notice Pays out of a frozen investor's escrow, to him or to the address he named.
    function releaseEscrow(address investor, address token, uint256 amount, address to, bytes32 reason) external;

    // ---- governance ----

    function addProvider(address provider) external;
    /// @notice A contract of the protocol (queue, gateway) through which shares pass and which itself asks this policy
    /// about the people behind them.
    function setConduit(address conduit, bool trusted) external;

    // ---- views ----

    function isEligible(address investor) external view returns (bool);
    function investorOf(address investor) external view returns (Investor memory);
    function credentialDigest(Credential calldata credential) external view returns (bytes32);
    function isProvider(address provider) external view returns (bool);
    function isConduit(address conduit) external view returns (bool);
    function isJurisdictionClosed(uint16 jurisdiction) external view returns (bool);
    function minimumTier() external view returns (uint8);
    function payoutOf(address investor) external view returns (address);
    /// @notice Where `investor`'s proceeds wait while he is frozen; known before anything is there.
    function escrowOf(address investor) external view returns (address);
}
