// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What an exit gets for the debt it takes from one strategy
/// @notice `gross` is debt at its book value, `net` what it is worth: the exiter bears a loss that is not reported yet
/// in proportion, and gets nothing of a gain that is not reported yet.
library ExitMath {
    struct Source {
        uint256 debt;
        /// What all the shares held are worth now.
        uint256 worth;
        /// Most debt that can be taken now, gross.
        uint256 gross;
        /// Strategy shares held.
        uint256 shares;
    }

    function netDown(Source memory s, uint256 gross) internal pure returns (uint256) {
        return s.worth >= s.debt ? gross : gross * s.worth / s.debt;
    }

    /// @notice Least gross whose `netDown` is `net`.
    function grossUp(Source memory s, uint256 net) internal pure returns (uint256) {
        return s.worth >= s.debt ? net : (net * s.debt + s.worth - 1) / s.worth;
    }

    /// @notice Greatest gross whose `netDown` is at most `net`.
    function grossMax(Source memory s, uint256 net) internal pure returns (uint256) {
        return s.worth >= s.debt ? net : ((net + 1) * s.debt - 1) / s.worth;
    }
}
