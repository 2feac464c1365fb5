// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {BoundedRead} from "contracts/safety/lib/BoundedRead.sol";
import {IPriceAdapter} from "interfaces/safety/IPriceAdapter.sol";

/// @title Price of a vault's share: its exchange rate times the price of its asset
/// @notice A vault's rate can be pushed, by a donation or by its own bug, so it counts only inside a corridor: not
/// above the rate at deployment plus a yearly growth, not below that rate less a fall. Outside, the share has no
/// price here.
contract Erc4626RateAdapter is IPriceAdapter {
    uint256 private constant VAULT_GAS = 150_000;
    uint256 private constant BASE_GAS = 150_000;
    uint256 private constant BPS = 10_000;
    uint256 private constant WAD = 1e18;
    uint256 private constant MAX_DECIMALS = 36;

    address public immutable vault;
    /// Prices the vault's asset.
    IPriceAdapter public immutable base;
    /// Assets per share, WAD, at deployment.
    uint256 public immutable anchorRateWad;
    uint256 public immutable anchoredAt;
    uint256 public immutable maxYearlyGrowthBps;
    uint256 public immutable maxFallBps;
    uint256 private immutable _oneShare;
    uint256 private immutable _oneAsset;
    /// @inheritdoc IPriceAdapter
    string public description;

    constructor(
        address vault_,
        IPriceAdapter base_,
        uint256 maxYearlyGrowthBps_,
        uint256 maxFallBps_,
        string memory description_
    ) {
        uint256 shareDecimals = IERC4626(vault_).decimals();
        uint256 assetDecimals = IERC20Metadata(IERC4626(vault_).asset()).decimals();
        bool usable = shareDecimals <= MAX_DECIMALS && assetDecimals <= MAX_DECIMALS && maxYearlyGrowthBps_ <= 10 * BPS
            && maxFallBps_ < BPS;
        if (!usable) revert BadSource(vault_);
        vault = vault_;
        base = base_;
        maxYearlyGrowthBps = maxYearlyGrowthBps_;
        maxFallBps = maxFallBps_;
        _oneShare = 10 ** shareDecimals;
        _oneAsset = 10 ** assetDecimals;
        description = description_;
        anchoredAt = block.timestamp;
        anchorRateWad = IERC4626(vault_).convertToAssets(10 ** shareDecimals) * WAD / 10 ** assetDecimals;
        if (anchorRateWad == 0 || anchorRateWad > type(uint64).max * WAD) revert BadSource(vault_);
    }

    /// @inheritdoc IPriceAdapter
    /// @dev The publisher of the asset's price: the rate is common to all adapters of one vault, the price need not be.
    function source() external view returns (address) {
        return base.source();
    }

    /// @notice The corridor, WAD, at this time; rates outside are refused.
    function corridor() public view returns (uint256 lowest, uint256 highest) {
        lowest = anchorRateWad * (BPS - maxFallBps) / BPS;
        uint256 elapsed = block.timestamp - anchoredAt;
        highest = anchorRateWad + anchorRateWad * maxYearlyGrowthBps * elapsed / (BPS * 365 days);
    }

    /// @inheritdoc IPriceAdapter
    function read() external view returns (uint256) {
        // Both reads get all of their gas, or neither is made.
        if (!BoundedRead.hasGas(VAULT_GAS + BASE_GAS)) return 0;
        (bool ok, uint256[] memory words) =
            BoundedRead.read(vault, VAULT_GAS, abi.encodeCall(IERC4626.convertToAssets, (_oneShare)), 1);
        if (!ok || words[0] > type(uint128).max) return 0;
        // A WAD rate, rounded down, is what is judged; the price uses that same rate.
        // slither-disable-next-line divide-before-multiply
        uint256 rateWad = words[0] * WAD / _oneAsset;
        (uint256 lowest, uint256 highest) = corridor();
        if (rateWad < lowest || rateWad > highest) return 0;

        (ok, words) = BoundedRead.read(address(base), BASE_GAS, abi.encodeCall(IPriceAdapter.read, ()), 1);
        if (!ok || words[0] > type(uint128).max) return 0;
        // The price is below 2^128, so a rate below 2^128 keeps the product inside a word.
        if (rateWad > type(uint128).max) return 0;
        uint256 usd = rateWad * words[0] / WAD;
        return usd <= type(uint128).max ? usd : 0;
    }
}
