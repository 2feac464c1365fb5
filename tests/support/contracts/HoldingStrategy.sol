// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Strategy} from "contracts/strategies/Strategy.sol";

/// @notice The real strategy base with nothing behind it: it simply holds the asset.
contract HoldingStrategy is Strategy {
    constructor(address router_, address authority_, address gate)
        Strategy(router_, authority_, gate, "Holding strategy", "HOLD")
    {}

    function rewardTokens() external pure returns (address[] memory) {
        return new address[](0);
    }

    function claimRewards(address receiver)
        external
        restricted
        returns (address[] memory tokens, uint256[] memory amounts)
    {
        emit RewardsClaimed(msg.sender, receiver, tokens, amounts);
    }

    function _holdings() internal view override returns (uint256) {
        return IERC20(asset()).balanceOf(address(this));
    }

    function _room() internal pure override returns (uint256) {
        return type(uint128).max;
    }

    function _liquidity() internal view override returns (uint256) {
        return _holdings();
    }

    function _put(uint256 assets) internal override {}

    function _take(uint256 assets, uint256) internal override {}
}
