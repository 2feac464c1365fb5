// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {StrategyDouble} from "./StrategyDouble.sol";

/// @notice A strategy that pays more than it was asked for, or burns more shares than it should, as the test says.
contract OddVault is StrategyDouble {
    using SafeERC20 for IERC20;

    uint256 public tip;
    uint256 public burnedBeside;

    constructor(address asset_) StrategyDouble(asset_) {}

    function setOdd(uint256 tip_, uint256 burnedBeside_) external {
        (tip, burnedBeside) = (tip_, burnedBeside_);
    }

    function withdraw(uint256 assets, address receiver, address owner) public override returns (uint256 shares) {
        shares = super.withdraw(assets, receiver, owner);
        if (tip != 0) IERC20(asset()).safeTransfer(receiver, tip);
        if (burnedBeside != 0) _burn(owner, burnedBeside);
    }
}
