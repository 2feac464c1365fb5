// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ERC4626 as SolmateERC4626} from "node_modules/@uniswap/v4-core/lib/solmate/src/mixins/ERC4626.sol";
import {ERC20 as SolmateERC20} from "node_modules/@uniswap/v4-core/lib/solmate/src/tokens/ERC20.sol";

/// @notice A foreign vault: solmate's ERC-4626 as it is, without virtual shares, over assets that it holds itself.
contract SolmateVault is SolmateERC4626 {
    constructor(SolmateERC20 asset_) SolmateERC4626(asset_, "Solmate vault", "SOLMATE") {}

    function totalAssets() public view override returns (uint256) {
        return asset.balanceOf(address(this));
    }
}

/// @notice A foreign vault: OpenZeppelin's ERC-4626 with a fee on either way, a limit on what may leave and a pause,
/// books of its own (a donation is not counted) and a price in eighteen decimals.
contract FeeVault is ERC4626 {
    using Math for uint256;
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 1e4;

    error FeeOnTransfer();

    address public immutable FEES;
    uint256 public immutable ENTRY_BPS;
    uint256 public immutable EXIT_BPS;
    uint256 private _booked;
    uint256 public limit = type(uint256).max;
    bool public paused;

    constructor(address asset_, address fees, uint256 entryBps, uint256 exitBps)
        ERC20("Fee vault", "FEE")
        ERC4626(IERC20(asset_))
    {
        FEES = fees;
        ENTRY_BPS = entryBps;
        EXIT_BPS = exitBps;
    }

    function setLimit(uint256 limit_) external {
        limit = limit_;
    }

    function setPaused(bool paused_) external {
        paused = paused_;
    }

    /// @notice Books what its manager earned (positive, to be sent first) or lost.
    function book(int256 change) external {
        _booked = uint256(int256(_booked) + change);
        if (change < 0) IERC20(asset()).safeTransfer(FEES, uint256(-change));
    }

    function totalAssets() public view override returns (uint256) {
        return _booked;
    }

    function maxDeposit(address) public view override returns (uint256) {
        return paused ? 0 : type(uint256).max;
    }

    function maxMint(address) public view override returns (uint256) {
        return paused ? 0 : type(uint256).max;
    }

    function maxWithdraw(address owner) public view override returns (uint256) {
        return paused ? 0 : Math.min(limit, previewRedeem(balanceOf(owner)));
    }

    function maxRedeem(address owner) public view override returns (uint256) {
        uint256 shares = balanceOf(owner);
        if (paused) return 0;
        if (previewRedeem(shares) <= limit) return shares;
        return Math.min(shares, _convertToShares(limit, Math.Rounding.Floor));
    }

    function previewDeposit(uint256 assets) public view override returns (uint256) {
        return super.previewDeposit(assets - assets.mulDiv(ENTRY_BPS, BPS, Math.Rounding.Ceil));
    }

    function previewMint(uint256 shares) public view override returns (uint256) {
        return super.previewMint(shares).mulDiv(BPS, BPS - ENTRY_BPS, Math.Rounding.Ceil);
    }

    function previewRedeem(uint256 shares) public view override returns (uint256) {
        uint256 assets = super.previewRedeem(shares);
        return assets - assets.mulDiv(EXIT_BPS, BPS, Math.Rounding.Ceil);
    }

    function previewWithdraw(uint256 assets) public view override returns (uint256) {
        return super.previewWithdraw(assets.mulDiv(BPS, BPS - EXIT_BPS, Math.Rounding.Ceil));
    }

    function _deposit(address caller, address receiver, uint256 assets, uint256 shares) internal override {
        uint256 fee = assets.mulDiv(ENTRY_BPS, BPS, Math.Rounding.Ceil);
        uint256 before = IERC20(asset()).balanceOf(address(this));
        super._deposit(caller, receiver, assets, shares);
        require(IERC20(asset()).balanceOf(address(this)) - before == assets, FeeOnTransfer());
        _booked += assets - fee;
        IERC20(asset()).safeTransfer(FEES, fee);
    }

    function _withdraw(address caller, address receiver, address owner, uint256 assets, uint256 shares)
        internal
        override
    {
        uint256 gross = super.previewRedeem(shares);
        require(assets <= limit);
        if (limit != type(uint256).max) limit -= assets;
        super._withdraw(caller, receiver, owner, assets, shares);
        _booked -= gross;
        IERC20(asset()).safeTransfer(FEES, gross - assets);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return 6;
    }
}
