// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice All parts of an Aave V3 market in one whose figures are what a test says; it is its own aToken.
contract ScriptedAave {
    event Supplied(address asset, uint256 amount, address onBehalfOf, uint16 code);

    uint256 public scaledTotalSupply;
    address private immutable ASSET;
    bool private _active = true;
    bool private _frozen;
    bool private _paused;
    uint256 private _cap;
    uint256 private _treasury;
    uint256 private _income = 1e27;

    constructor(address asset) {
        ASSET = asset;
    }

    function setFlags(bool active, bool frozen, bool paused) external {
        (_active, _frozen, _paused) = (active, frozen, paused);
    }

    function setCap(uint256 cap) external {
        _cap = cap;
    }

    function setSupply(uint256 scaled, uint256 treasury, uint256 income) external {
        (scaledTotalSupply, _treasury, _income) = (scaled, treasury, income);
    }

    function getPool() external view returns (address) {
        return address(this);
    }

    function getPoolDataProvider() external view returns (address) {
        return address(this);
    }

    function getReserveTokensAddresses(address) external view returns (address, address, address) {
        return (address(this), address(0), address(0));
    }

    function getReserveConfigurationData(address)
        external
        view
        returns (uint256, uint256, uint256, uint256, uint256, bool, bool, bool, bool, bool)
    {
        return (0, 0, 0, 0, 0, false, false, false, _active, _frozen);
    }

    function getPaused(address) external view returns (bool) {
        return _paused;
    }

    function getReserveCaps(address) external view returns (uint256, uint256) {
        return (0, _cap);
    }

    function getReserveData(address)
        external
        view
        returns (
            uint256,
            uint256 treasury,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            uint256,
            uint40
        )
    {
        treasury = _treasury;
    }

    function getReserveNormalizedIncome(address) external view returns (uint256) {
        return _income;
    }

    function getVirtualUnderlyingBalance(address) external pure returns (uint128) {
        return type(uint128).max;
    }

    function getIncentivesController() external pure returns (address) {
        return address(0);
    }

    function balanceOf(address) external view returns (uint256) {
        return IERC20(ASSET).balanceOf(address(this));
    }

    function supply(address asset, uint256 amount, address onBehalfOf, uint16 code) external {
        IERC20(asset).transferFrom(msg.sender, address(this), amount);
        emit Supplied(asset, amount, onBehalfOf, code);
    }

    function withdraw(address asset, uint256 amount, address to) external returns (uint256) {
        IERC20(asset).transfer(to, amount);
        return amount;
    }
}
