// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Median} from "contracts/safety/lib/Median.sol";

/// @notice O2 for all prices below 2^128: liars in the minority cannot move the median out of what the honest ones say.
contract MedianProofs {
    /// One liar, at each place of three.
    function check_one_liar_of_three(uint128 honest, uint128 other, uint128 liar) external pure {
        (uint256 low, uint256 high) = honest < other ? (honest, other) : (other, honest);
        for (uint256 place; place < 3; ++place) {
            uint256[] memory values = new uint256[](3);
            values[place] = liar;
            values[place == 0 ? 1 : 0] = honest;
            values[place == 2 ? 1 : 2] = other;
            Median.sort(values, 3);
            uint256 median = Median.ofSorted(values, 3);
            assert(low <= median && median <= high);
        }
    }

    /// Two liars of five, whatever order they come in: sorting makes places irrelevant, so they stand at the end.
    function check_two_liars_of_five(uint128[3] calldata honest, uint128[2] calldata liars) external pure {
        uint256[] memory values = new uint256[](5);
        uint256 low = type(uint256).max;
        uint256 high;
        for (uint256 i; i < 3; ++i) {
            values[i] = honest[i];
            if (honest[i] < low) low = honest[i];
            if (honest[i] > high) high = honest[i];
        }
        (values[3], values[4]) = (liars[0], liars[1]);
        Median.sort(values, 5);
        uint256 median = Median.ofSorted(values, 5);
        assert(low <= median && median <= high);
    }

    /// The mean of two lies between them, so the spread limit bounds what one liar of two can do.
    function check_two(uint128 one, uint128 two) external pure {
        uint256[] memory values = new uint256[](2);
        (values[0], values[1]) = (one, two);
        Median.sort(values, 2);
        uint256 median = Median.ofSorted(values, 2);
        assert(values[0] <= median && median <= values[1]);
        assert(values[0] <= values[1]);
    }

    /// Sorting keeps every value and puts them in order.
    function check_sort_of_four(uint128[4] calldata given, uint128 probe) external pure {
        uint256[] memory values = new uint256[](4);
        uint256 before;
        uint256 afterwards;
        for (uint256 i; i < 4; ++i) {
            values[i] = given[i];
            if (given[i] == probe) ++before;
        }
        Median.sort(values, 4);
        for (uint256 i; i < 4; ++i) {
            if (values[i] == probe) ++afterwards;
            if (i > 0) assert(values[i - 1] <= values[i]);
        }
        assert(before == afterwards);
    }
}
