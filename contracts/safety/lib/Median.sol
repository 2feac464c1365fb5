// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Median and spread of a handful of prices
library Median {
    uint256 private constant BPS = 10_000;

    /// @notice Sorts the first `count` values in place, ascending.
    function sort(uint256[] memory values, uint256 count) internal pure {
        for (uint256 i = 1; i < count; ++i) {
            uint256 value = values[i];
            uint256 j = i;
            for (; j > 0 && values[j - 1] > value; --j) {
                values[j] = values[j - 1];
            }
            values[j] = value;
        }
    }

    /// @notice Median of the first `count` ≥ 1 values, which must be sorted and below 2^255. Of an even number: the
    /// mean of the middle two, rounded down.
    function ofSorted(uint256[] memory values, uint256 count) internal pure returns (uint256) {
        uint256 upper = values[count / 2];
        return count % 2 == 1 ? upper : (values[count / 2 - 1] + upper) / 2;
    }

    /// @notice Distance between the highest and the lowest of the sorted values in bps of their median, rounded up.
    /// Values must be positive and below 2^240.
    function spreadBpsUp(uint256[] memory values, uint256 count, uint256 median) internal pure returns (uint256) {
        return ((values[count - 1] - values[0]) * BPS + median - 1) / median;
    }
}
