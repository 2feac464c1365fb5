// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IComet, ICometRewards} from "interfaces/external/ICompoundV3.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";

import {InKindStrategy} from "./InKindStrategy.sol";
import {Strategy} from "./Strategy.sol";

/// @title Lends the router's asset on Compound III
/// @notice Worth its balance in Comet: principal × supply index, as Comet itself counts. Never borrows. What it can give
/// back is bounded by the base that lies in Comet, and by Comet's pause flags.
/// @dev Comet rounds principal and balance down on every call. Who deposits or redeems pays for that, not who stays: each
/// way in and out is priced a toll dearer, the most that Comet's rounding can take.
contract CompoundV3Strategy is InKindStrategy {
    using SafeERC20 for IERC20;
    using Math for uint256;

    /// Comet's principals are int104.
    uint256 private constant MAX_PRINCIPAL = uint256(uint104(type(int104).max));

    IComet public immutable COMET;
    /// @notice Zero if there are none.
    ICometRewards public immutable REWARDS;
    uint256 private immutable _INDEX_SCALE;

    /// @notice The market lends another token than the router's.
    error WrongBaseToken(address baseToken);

    constructor(address router_, address comet, address rewards, address authority_, address gate)
        Strategy(router_, authority_, gate, "Breakwater Compound V3", "bwCompoundV3")
    {
        COMET = IComet(comet);
        REWARDS = ICometRewards(rewards);
        _INDEX_SCALE = COMET.baseIndexScale();
        require(COMET.baseToken() == asset(), WrongBaseToken(COMET.baseToken()));
    }

    /// @inheritdoc IStrategy
    function rewardTokens() external view returns (address[] memory tokens) {
        address token = _rewardToken();
        if (token == address(0)) return tokens;
        tokens = new address[](1);
        tokens[0] = token;
    }

    /// @inheritdoc IStrategy
    function claimRewards(address receiver)
        external
        restricted
        nonReentrant
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        address token = _rewardToken();
        if (token != address(0)) {
            tokens = new address[](1);
            amounts = new uint256[](1);
            tokens[0] = token;
            uint256 before = IERC20(token).balanceOf(receiver);
            REWARDS.claimTo(address(COMET), address(this), receiver, true);
            amounts[0] = IERC20(token).balanceOf(receiver) - before;
        }
        emit RewardsClaimed(msg.sender, receiver, tokens, amounts);
    }

    /// @inheritdoc IERC4626
    function previewDeposit(uint256 assets) public view override(ERC4626, IERC4626) returns (uint256) {
        return _convertToShares(assets.saturatingSub(_toll()), Math.Rounding.Floor);
    }

    /// @inheritdoc IERC4626
    function previewMint(uint256 shares) public view override(ERC4626, IERC4626) returns (uint256) {
        return shares == 0 ? 0 : _convertToAssets(shares, Math.Rounding.Ceil) + _toll();
    }

    /// @inheritdoc IERC4626
    function previewWithdraw(uint256 assets) public view override(ERC4626, IERC4626) returns (uint256) {
        return assets == 0 ? 0 : _convertToShares(assets + _toll(), Math.Rounding.Ceil);
    }

    /// @inheritdoc IERC4626
    function previewRedeem(uint256 shares) public view override(ERC4626, IERC4626) returns (uint256) {
        return _convertToAssets(shares, Math.Rounding.Floor).saturatingSub(_toll());
    }

    function _holdings() internal view override returns (uint256) {
        return COMET.balanceOf(address(this));
    }

    function _room() internal view override returns (uint256) {
        if (COMET.isSupplyPaused()) return 0;
        // A principal is never more than its present value.
        return MAX_PRINCIPAL.saturatingSub(COMET.totalSupply());
    }

    function _liquidity() internal view override returns (uint256) {
        return COMET.isWithdrawPaused() ? 0 : IERC20(asset()).balanceOf(address(COMET));
    }

    function _put(uint256 assets) internal override {
        IERC20(asset()).forceApprove(address(COMET), assets);
        COMET.supply(asset(), assets);
    }

    function _take(uint256 assets, uint256) internal override {
        COMET.withdraw(asset(), assets);
    }

    function _partInKind(uint256 shares) internal view override returns (address, uint256) {
        return (address(COMET), previewRedeem(shares));
    }

    function _sendInKind(address receiver, uint256 amount) internal override {
        IERC20(address(COMET)).safeTransfer(receiver, amount);
    }

    /// @dev One call loses less than one unit of principal, worth index / scale, plus one unit of balance. The index is as
    /// of the last accrual: one more covers what it has grown since.
    function _toll() private view returns (uint256) {
        return COMET.totalsBasic().baseSupplyIndex / _INDEX_SCALE + 2;
    }

    function _rewardToken() private view returns (address) {
        return address(REWARDS) == address(0) ? address(0) : REWARDS.rewardConfig(address(COMET));
    }
}
