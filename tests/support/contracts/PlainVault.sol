// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice The plainest ERC-4626 there is: it holds the asset. The stub behind the gas figures.
contract PlainVault is ERC4626 {
    constructor(address asset_) ERC20("Plain vault", "PLAIN") ERC4626(IERC20(asset_)) {}
}
