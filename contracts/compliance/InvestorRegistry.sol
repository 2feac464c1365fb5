// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {SignerCheck} from "contracts/common/SignerCheck.sol";
import {TypedData} from "contracts/common/TypedData.sol";
import {ExitEscrow} from "contracts/compliance/ExitEscrow.sol";
import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";
import {IExitEscrow} from "interfaces/compliance/IExitEscrow.sol";
import {IInvestorRegistry} from "interfaces/compliance/IInvestorRegistry.sol";

/// @title InvestorRegistry
/// @notice Refuses entry to whom KYC does not cover; cannot keep anybody's money from him.
contract InvestorRegistry is IInvestorRegistry, AccessManaged, TypedData {
    bytes32 private constant CREDENTIAL_TYPEHASH =
        keccak256("Credential(address investor,uint8 tier,uint16 jurisdiction,uint40 expiry,uint64 serial)");

    address private immutable ESCROW_CODE = address(new ExitEscrow());

    mapping(address investor => Investor) private _investors;
    /// @inheritdoc IInvestorRegistry
    mapping(address provider => bool) public isProvider;
    /// @inheritdoc IInvestorRegistry
    mapping(address conduit => bool) public isConduit;
    /// @inheritdoc IInvestorRegistry
    mapping(uint16 jurisdiction => bool) public isJurisdictionClosed;
    /// @inheritdoc IInvestorRegistry
    mapping(address investor => address) public payoutOf;
    /// @inheritdoc IInvestorRegistry
    uint8 public minimumTier;

    constructor(address authority_) AccessManaged(authority_) TypedData("Breakwater InvestorRegistry", "1") {}

    // ---- policy ----

    /// @inheritdoc IAccessPolicy
    function canDeposit(address payer, address receiver) external view returns (bool) {
        if (isConduit[payer]) return isConduit[receiver] || isEligible(receiver);
        return isEligible(payer) && (payer == receiver || isEligible(receiver));
    }

    /// @inheritdoc IAccessPolicy
    function canTransfer(address from, address to) external view returns (bool) {
        if (isConduit[from] || isConduit[to]) return true;
        return isEligible(from) && isEligible(to);
    }

    /// @inheritdoc IAccessPolicy
    function exitReceiver(address owner, address receiver) external view returns (address) {
        if (isConduit[owner]) return receiver;
        if (_investors[owner].restriction == Restriction.FROZEN) return escrowOf(owner);
        return isEligible(owner) && isEligible(receiver) ? receiver : owner;
    }

    // ---- anyone ----

    /// @inheritdoc IInvestorRegistry
    function submitCredential(Credential calldata credential, address provider, bytes calldata signature) external {
        require(isProvider[provider], UnknownProvider(provider));
        require(credential.investor != address(0), ZeroAddress());
        require(block.timestamp <= credential.expiry, CredentialExpired(credential.expiry));
        Investor storage investor = _investors[credential.investor];
        require(credential.serial > investor.serial, StaleSerial(credential.serial, investor.serial));
        require(
            SignerCheck.isSignedBy(provider, credentialDigest(credential), signature), BadCredentialSignature(provider)
        );

        investor.provider = provider;
        investor.expiry = credential.expiry;
        investor.jurisdiction = credential.jurisdiction;
        investor.tier = credential.tier;
        investor.serial = credential.serial;
        emit CredentialAccepted(
            credential.investor,
            provider,
            msg.sender,
            credential.tier,
            credential.jurisdiction,
            credential.expiry,
            credential.serial
        );
    }

    // ---- investors ----

    /// @inheritdoc IInvestorRegistry
    function nominatePayout(address payout) external {
        payoutOf[msg.sender] = payout;
        emit PayoutNominated(msg.sender, payout);
    }

    /// @inheritdoc IInvestorRegistry
    function claimEscrow(address token) external returns (uint256 amount) {
        require(_investors[msg.sender].restriction != Restriction.FROZEN, StillFrozen(msg.sender));
        amount = IERC20(token).balanceOf(escrowOf(msg.sender));
        _release(msg.sender, token, amount, msg.sender, "claimed by investor");
    }

    // ---- compliance: tightening ----

    /// @inheritdoc IInvestorRegistry
    function deny(address investor, bytes32 reason) external restricted {
        require(
            _investors[investor].restriction == Restriction.NONE,
            NotTightening(uint8(_investors[investor].restriction), 1)
        );
        _restrict(investor, Restriction.DENIED, reason);
    }

    /// @inheritdoc IInvestorRegistry
    function freeze(address investor, bytes32 reason) external restricted {
        require(_investors[investor].restriction != Restriction.FROZEN, NotTightening(2, 2));
        _restrict(investor, Restriction.FROZEN, reason);
    }

    /// @inheritdoc IInvestorRegistry
    function revokeCredential(address investor, bytes32 reason) external restricted {
        require(reason != 0, NoReason());
        Investor storage record = _investors[investor];
        // The serial stays, so the same credential cannot come back.
        record.provider = address(0);
        emit CredentialRevoked(msg.sender, investor, record.serial, reason);
    }

    /// @inheritdoc IInvestorRegistry
    function closeJurisdiction(uint16 jurisdiction) external restricted {
        isJurisdictionClosed[jurisdiction] = true;
        emit JurisdictionSet(msg.sender, jurisdiction, true);
    }

    /// @inheritdoc IInvestorRegistry
    function raiseMinimumTier(uint8 tier) external restricted {
        uint8 previous = minimumTier;
        require(tier > previous, NotTightening(previous, tier));
        minimumTier = tier;
        emit MinimumTierSet(msg.sender, previous, tier);
    }

    /// @inheritdoc IInvestorRegistry
    function removeProvider(address provider) external restricted {
        isProvider[provider] = false;
        emit ProviderSet(msg.sender, provider, false);
    }

    // ---- compliance: loosening ----

    /// @inheritdoc IInvestorRegistry
    function clearRestriction(address investor, bytes32 reason) external restricted {
        require(_investors[investor].restriction != Restriction.NONE, NotLoosening(0, 0));
        _restrict(investor, Restriction.NONE, reason);
    }

    /// @inheritdoc IInvestorRegistry
    function openJurisdiction(uint16 jurisdiction) external restricted {
        isJurisdictionClosed[jurisdiction] = false;
        emit JurisdictionSet(msg.sender, jurisdiction, false);
    }

    /// @inheritdoc IInvestorRegistry
    function lowerMinimumTier(uint8 tier) external restricted {
        uint8 previous = minimumTier;
        require(tier < previous, NotLoosening(previous, tier));
        minimumTier = tier;
        emit MinimumTierSet(msg.sender, previous, tier);
    }

    /// @inheritdoc IInvestorRegistry
    function releaseEscrow(address investor, address token, uint256 amount, address to, bytes32 reason)
        external
        restricted
    {
        require(reason != 0, NoReason());
        require(to != address(0) && (to == investor || to == payoutOf[investor]), PayoutNotNominated(investor, to));
        _release(investor, token, amount, to, reason);
    }

    // ---- governance ----

    /// @inheritdoc IInvestorRegistry
    function addProvider(address provider) external restricted {
        require(provider != address(0), ZeroAddress());
        isProvider[provider] = true;
        emit ProviderSet(msg.sender, provider, true);
    }

    /// @inheritdoc IInvestorRegistry
    function setConduit(address conduit, bool trusted) external restricted {
        isConduit[conduit] = trusted;
        emit ConduitSet(msg.sender, conduit, trusted);
    }

    // ---- views ----

    /// @inheritdoc IInvestorRegistry
    function isEligible(address investor) public view returns (bool) {
        Investor storage record = _investors[investor];
        return record.restriction == Restriction.NONE && block.timestamp <= record.expiry && record.tier >= minimumTier
            && isProvider[record.provider] && !isJurisdictionClosed[record.jurisdiction];
    }

    /// @inheritdoc IInvestorRegistry
    function investorOf(address investor) external view returns (Investor memory) {
        return _investors[investor];
    }

    /// @inheritdoc IInvestorRegistry
    function credentialDigest(Credential calldata credential) public view returns (bytes32) {
        return _digest(keccak256(abi.encode(CREDENTIAL_TYPEHASH, credential)));
    }

    /// @inheritdoc IInvestorRegistry
    function escrowOf(address investor) public view returns (address) {
        return Clones.predictDeterministicAddressWithImmutableArgs(ESCROW_CODE, abi.encode(investor), 0);
    }

    // ---- internals ----

    function _restrict(address investor, Restriction current, bytes32 reason) private {
        require(investor != address(0), ZeroAddress());
        require(reason != 0, NoReason());
        Restriction previous = _investors[investor].restriction;
        _investors[investor].restriction = current;
        emit RestrictionSet(msg.sender, investor, previous, current, reason);
    }

    /// @dev The clone is made when it is first needed; money may have waited at its address since long before.
    function _release(address investor, address token, uint256 amount, address to, bytes32 reason) private {
        address escrow = escrowOf(investor);
        emit EscrowReleased(msg.sender, investor, token, to, amount, reason);
        if (escrow.code.length == 0) {
            // The address is the one that escrowOf told, and creation reverts if it fails.
            // slither-disable-next-line unused-return
            Clones.cloneDeterministicWithImmutableArgs(ESCROW_CODE, abi.encode(investor), 0);
        }
        IExitEscrow(escrow).release(token, amount, to, reason);
    }
}
