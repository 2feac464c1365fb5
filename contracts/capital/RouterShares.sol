// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IRouterVault} from "interfaces/capital/IRouterVault.sol";
import {IAccessPolicy} from "interfaces/compliance/IAccessPolicy.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

import {RouterStorage} from "./RouterStorage.sol";
import {DebtSlot} from "./lib/DebtSlot.sol";
import {HotSlot} from "./lib/HotSlot.sol";

/// @title The router's shares: ERC-20 with permit
/// @dev Holders' shares are counted in the hot word. Locked profit is the router's own balance; it is computed, not
/// stored, since it shrinks with time. Nobody can send shares to the router, so the two never mix.
abstract contract RouterShares is RouterStorage, IRouterVault, IERC20Errors {
    using HotSlot for uint256;
    using DebtSlot for uint256;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @inheritdoc IERC20
    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value);
        return true;
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _spendAllowance(from, value);
        _transfer(from, to, value);
        return true;
    }

    /// @inheritdoc IERC20
    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    /// @inheritdoc IERC20Permit
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert PermitExpired(deadline);
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, _nonces[owner]++, deadline));
        address signer = ecrecover(keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), structHash)), v, r, s);
        // The nonce makes a malleable second signature worthless.
        if (signer == address(0) || signer != owner) revert InvalidSigner(signer, owner);
        _approve(owner, spender, value);
    }

    /// @inheritdoc IERC20
    function totalSupply() public view returns (uint256) {
        return _hot.supply() + _debtSlot.locked();
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) public view returns (uint256) {
        return account == address(this) ? _debtSlot.locked() : _balances[account];
    }

    /// @inheritdoc IERC20
    function allowance(address owner, address spender) external view returns (uint256) {
        return _allowances[owner][spender];
    }

    /// @inheritdoc IERC20Metadata
    function name() external view returns (string memory) {
        return _name;
    }

    /// @inheritdoc IERC20Metadata
    function symbol() external view returns (string memory) {
        return _symbol;
    }

    /// @inheritdoc IERC20Metadata
    function decimals() external view returns (uint8) {
        return _assetDecimals + _offset;
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) external view returns (uint256) {
        return _nonces[owner];
    }

    /// @inheritdoc IERC20Permit
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return
            keccak256(
                abi.encode(DOMAIN_TYPEHASH, keccak256(bytes(_name)), keccak256("1"), block.chainid, address(this))
            );
    }

    function _transfer(address from, address to, uint256 value) private {
        uint256 hot = _unlocked();
        // Shares may still reach the exit queue in WITHDRAW_ONLY; in FROZEN not even they move.
        _requireState(hot, EmergencyState.WITHDRAW_ONLY);
        if (to == address(0) || to == address(this)) revert ERC20InvalidReceiver(to);
        if (hot.has(HotSlot.POLICY) && !IAccessPolicy(_policy).canTransfer(from, to)) revert TransferRefused(from, to);
        uint256 balance = _balances[from];
        if (balance < value) revert ERC20InsufficientBalance(from, balance, value);
        unchecked {
            // Balances sum to the supply of 128 bits.
            _balances[from] = balance - value;
            _balances[to] += value;
        }
        emit Transfer(from, to, value);
    }

    function _approve(address owner, address spender, uint256 value) private {
        if (spender == address(0)) revert ERC20InvalidSpender(spender);
        _allowances[owner][spender] = value;
        emit Approval(owner, spender, value);
    }

    /// @dev Lets `msg.sender` spend `value` of `owner`'s shares, or reverts.
    function _spendAllowance(address owner, uint256 value) internal {
        if (msg.sender == owner) return;
        uint256 allowed = _allowances[owner][msg.sender];
        if (allowed == type(uint256).max) return;
        if (allowed < value) revert ERC20InsufficientAllowance(msg.sender, allowed, value);
        unchecked {
            _allowances[owner][msg.sender] = allowed - value;
        }
    }

    /// @dev Takes `shares` from `owner`; the caller lowers the supply in the hot word.
    function _burnFrom(address owner, uint256 shares) internal {
        uint256 balance = _balances[owner];
        if (balance < shares) revert ERC20InsufficientBalance(owner, balance, shares);
        unchecked {
            _balances[owner] = balance - shares;
        }
        emit Transfer(owner, address(0), shares);
    }
}
