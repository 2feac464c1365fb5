// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ILiquidityToken} from "interfaces/amm/ILiquidityToken.sol";

/// @title Shares of a pool: ERC-20 and ERC-2612, with one storage slot per holder that also holds what is still immature
/// @dev Written by hand, since balance, immature part and maturity share a slot: a mint touches one slot, not two.
abstract contract LiquidityToken is ILiquidityToken {
    uint8 public constant decimals = 18;

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    uint256 private constant SHARES_MASK = (1 << 112) - 1;

    /// @dev balance 112 | immature part 112 | block from which nothing is immature 32. The last two are stale once that
    /// block is reached.
    mapping(address owner => uint256 account) private _accounts;
    mapping(address owner => mapping(address spender => uint256 amount)) public allowance;
    mapping(address owner => uint256 nonce) public nonces;

    uint256 private immutable _domainChainId;
    bytes32 private immutable _domainSeparator;

    constructor() {
        _domainChainId = block.chainid;
        _domainSeparator = _computeDomainSeparator();
    }

    function name() external pure returns (string memory) {
        return "Breakwater Liquidity";
    }

    function symbol() external pure returns (string memory) {
        return "BWL";
    }

    /// @inheritdoc ILiquidityToken
    function matureBalanceOf(address owner) external view returns (uint256) {
        return _mature(_accounts[owner]);
    }

    /// @inheritdoc ILiquidityToken
    function maturesAt(address owner) external view returns (uint256) {
        return _accounts[owner] >> 224;
    }

    function balanceOf(address owner) external view returns (uint256) {
        return _accounts[owner] & SHARES_MASK;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        _approve(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            if (allowed < amount) revert InsufficientAllowance(amount, allowed);
            allowance[from][msg.sender] = allowed - amount;
        }
        _transfer(from, to, amount);
        return true;
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        if (block.timestamp > deadline) revert PermitExpired(deadline);
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), structHash));
        address signer = ECDSA.recover(digest, v, r, s);
        if (signer != owner) revert InvalidSigner(signer, owner);
        _approve(owner, spender, value);
    }

    /// @dev Made anew after a fork of the chain, so that no permit is valid on both sides.
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return block.chainid == _domainChainId ? _domainSeparator : _computeDomainSeparator();
    }

    /// @dev The number of the block that maturity is counted in.
    function _blockNumber() internal view virtual returns (uint256);

    /// @dev Reverts when shares may not move at all.
    function _requireTransferable() internal view virtual;

    /// @dev Shares that wait for maturity from now on; what was still immature waits along with them.
    function _creditImmature(address owner, uint256 amount, uint256 maturesAt_) internal {
        uint256 account = _accounts[owner];
        uint256 balance = account & SHARES_MASK;
        uint256 immature = balance - _mature(account) + amount;
        _accounts[owner] = (balance + amount) | (immature << 112) | (maturesAt_ << 224);
        emit Transfer(address(0), owner, amount);
    }

    function _credit(address from, address owner, uint256 amount) internal {
        // All balances together are the supply, which is below 2^112: no carry into the upper fields.
        _accounts[owner] += amount;
        emit Transfer(from, owner, amount);
    }

    function _debit(address owner, uint256 amount) internal {
        uint256 account = _accounts[owner];
        uint256 balance = account & SHARES_MASK;
        if (balance < amount) revert InsufficientBalance(amount, balance);
        uint256 mature = _mature(account);
        if (mature < amount) revert SharesImmature(owner, mature, account >> 224);
        _accounts[owner] = account - amount;
    }

    function _mature(uint256 account) private view returns (uint256) {
        uint256 immature = (account >> 112) & SHARES_MASK;
        // Immature shares are the token's own count: zero means that there are none.
        // slither-disable-next-line incorrect-equality
        if (immature == 0 || _blockNumber() >= account >> 224) return account & SHARES_MASK;
        return (account & SHARES_MASK) - immature;
    }

    function _transfer(address from, address to, uint256 amount) private {
        if (to == address(0)) revert InvalidReceiver(to);
        _requireTransferable();
        _debit(from, amount);
        _credit(from, to, amount);
    }

    function _computeDomainSeparator() private view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("Breakwater Liquidity"), keccak256("1"), block.chainid, address(this))
        );
    }

    function _approve(address owner, address spender, uint256 amount) private {
        allowance[owner][spender] = amount;
        emit Approval(owner, spender, amount);
    }
}
