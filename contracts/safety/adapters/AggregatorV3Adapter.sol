// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BoundedRead} from "contracts/safety/lib/BoundedRead.sol";
import {IAggregatorV3} from "interfaces/external/IAggregatorV3.sol";
import {IPriceAdapter} from "interfaces/safety/IPriceAdapter.sol";

/// @title A push feed, with its own age and its own bounds
/// @notice A feed whose aggregator clamps its answer goes on answering at the clamp while the market is elsewhere: an
/// answer at or beyond a bound is therefore refused, not used.
contract AggregatorV3Adapter is IPriceAdapter {
    uint256 private constant SOURCE_GAS = 100_000;
    uint256 private constant WAD_DECIMALS = 18;

    /// @inheritdoc IPriceAdapter
    address public immutable source;
    /// Seconds after which an answer is stale.
    uint256 public immutable maxAge;
    /// In the feed's own decimals; both are refused.
    uint256 public immutable minAnswer;
    uint256 public immutable maxAnswer;
    uint256 private immutable _multiplier;
    uint256 private immutable _divisor;
    /// @inheritdoc IPriceAdapter
    string public description;

    constructor(address feed, uint256 maxAge_, uint256 minAnswer_, uint256 maxAnswer_, string memory description_) {
        uint256 decimals = IAggregatorV3(feed).decimals();
        bool usable =
            decimals <= 2 * WAD_DECIMALS && maxAge_ > 0 && minAnswer_ < maxAnswer_ && maxAnswer_ <= type(uint128).max;
        if (!usable) revert BadSource(feed);
        source = feed;
        maxAge = maxAge_;
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
        _multiplier = decimals < WAD_DECIMALS ? 10 ** (WAD_DECIMALS - decimals) : 1;
        _divisor = decimals > WAD_DECIMALS ? 10 ** (decimals - WAD_DECIMALS) : 1;
        description = description_;
    }

    /// @inheritdoc IPriceAdapter
    function read() external view returns (uint256) {
        if (!BoundedRead.hasGas(SOURCE_GAS)) return 0;
        (bool ok, uint256[] memory round) =
            BoundedRead.read(source, SOURCE_GAS, abi.encodeCall(IAggregatorV3.latestRoundData, ()), 5);
        if (!ok) return 0;
        // A negative answer is a huge word, and so above the upper bound.
        (uint256 answer, uint256 updatedAt) = (round[1], round[3]);
        if (answer <= minAnswer || answer >= maxAnswer) return 0;
        if (updatedAt > block.timestamp || block.timestamp - updatedAt > maxAge) return 0;
        uint256 usd = answer * _multiplier / _divisor;
        return usd <= type(uint128).max ? usd : 0;
    }
}
