// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title The price feed interface that most publishers of prices speak
interface IAggregatorV3 {
    function decimals() external view returns (uint8);
    function description() external view returns (string memory);

    /// @return roundId Round of the answer.
    /// @return answer Price with `decimals()` decimals; on an L2 uptime feed 0 means up, 1 means down.
    /// @return startedAt When the round began; on an L2 uptime feed since when the status holds.
    /// @return updatedAt When the answer was written.
    /// @return answeredInRound Obsolete.
    function latestRoundData()
        external
        view
        returns (uint80 roundId, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound);
}
