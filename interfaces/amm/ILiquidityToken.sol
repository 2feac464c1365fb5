// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";

/// @title ERC-20 shares of a pool, with ERC-2612, that must mature before they leave their minter
interface ILiquidityToken is IERC20Metadata, IERC20Permit {
    error InsufficientBalance(uint256 amount, uint256 balance);
    /// @notice Of what `owner` holds only `mature` may leave before block `maturesAt`.
    error SharesImmature(address owner, uint256 mature, uint256 maturesAt);
    error InsufficientAllowance(uint256 amount, uint256 allowance);
    error InvalidReceiver(address receiver);
    error PermitExpired(uint256 deadline);
    error InvalidSigner(address signer, address owner);

    /// @notice Shares of `owner` that may leave now.
    function matureBalanceOf(address owner) external view returns (uint256);

    /// @notice Block from which all shares of `owner` may leave (in the pool's own block number).
    function maturesAt(address owner) external view returns (uint256);
}
