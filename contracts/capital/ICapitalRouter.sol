// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRouterManager} from "interfaces/capital/IRouterManager.sol";
import {IRouterVault} from "interfaces/capital/IRouterVault.sol";

/// @title One asset in, many ERC-4626 strategies behind it
/// @notice Shares price what is idle plus the debt cached per strategy. `processReport` reconciles a strategy's debt
/// with what it is really worth: profit unlocks linearly, loss acts at once after burning locked profit. An exiter
/// bears his part of a loss that is not reported yet. All amounts in the asset's own decimals; bps out of 10 000; WAD =
/// 1e18.
/// @dev Lies here, and is re-exported by interfaces/capital/ICapitalRouter.sol, because artifacts are made of this
/// folder only and whoever talks to a router needs the ABI of both its halves.
interface ICapitalRouter is IRouterVault, IRouterManager {}
