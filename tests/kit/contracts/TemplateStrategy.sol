// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Strategy} from "contracts/strategies/Strategy.sol";
import {IStrategy} from "interfaces/strategies/IStrategy.sol";

/// @title Template: keeps the router's asset in another ERC-4626 vault
/// @notice Say here, in two sentences, what the strategy is worth and what can keep capital from leaving.
contract TemplateStrategy is Strategy {
    using SafeERC20 for IERC20;

    IERC4626 public immutable TARGET;

    /// @notice The target keeps another asset.
    error AssetMismatch(address expected, address found);

    constructor(address router_, address target, address authority_, address gate)
        Strategy(router_, authority_, gate, "Breakwater template", "bwTemplate")
    {
        TARGET = IERC4626(target);
        require(TARGET.asset() == asset(), AssetMismatch(asset(), TARGET.asset()));
    }

    /// @inheritdoc IStrategy
    function rewardTokens() external pure returns (address[] memory) {
        return new address[](0);
    }

    /// @inheritdoc IStrategy
    function claimRewards(address receiver)
        external
        restricted
        nonReentrant
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        emit RewardsClaimed(msg.sender, receiver, tokens, amounts);
    }

    /// @dev The protocol's own accounting, rounded down; never a pool's spot price.
    function _holdings() internal view override returns (uint256) {
        return TARGET.previewRedeem(TARGET.balanceOf(address(this)));
    }

    /// @dev What `_put` would surely accept now.
    function _room() internal view override returns (uint256) {
        return TARGET.maxDeposit(address(this));
    }

    /// @dev What `_take` would surely bring now, for all holders together.
    function _liquidity() internal view override returns (uint256) {
        return TARGET.maxWithdraw(address(this));
    }

    /// @dev The assets lie here already; leave none and no allowance behind.
    function _put(uint256 assets) internal override {
        IERC20(asset()).forceApprove(address(TARGET), assets);
        TARGET.deposit(assets, address(this));
    }

    /// @dev Must bring `assets` or revert.
    function _take(uint256 assets, uint256) internal override {
        TARGET.withdraw(assets, address(this), address(this));
    }
}
