// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Strategy} from "contracts/strategies/Strategy.sol";

/// @notice The real strategy base over what it holds itself; a test says what it takes and gives now.
contract BoundedStrategy is Strategy {
    uint256 public room = type(uint256).max;
    uint256 public liquidity = type(uint256).max;

    constructor(address router_, address authority_, address gate)
        Strategy(router_, authority_, gate, "Bounded strategy", "BOUND")
    {}

    function setRoom(uint256 room_) external {
        room = room_;
    }

    function setLiquidity(uint256 liquidity_) external {
        liquidity = liquidity_;
    }

    function rewardTokens() external pure returns (address[] memory) {
        return new address[](0);
    }

    function claimRewards(address) external restricted returns (address[] memory tokens, uint256[] memory amounts) {}

    function _holdings() internal view override returns (uint256) {
        return IERC20(asset()).balanceOf(address(this));
    }

    function _room() internal view override returns (uint256) {
        return room;
    }

    function _liquidity() internal view override returns (uint256) {
        return liquidity;
    }

    function _put(uint256 assets) internal override {}

    function _take(uint256 assets, uint256) internal override {}
}
