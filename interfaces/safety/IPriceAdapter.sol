// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title One source of one asset's price, judged by its own rules
interface IPriceAdapter {
    /// @notice USD per whole token, 1e18, or 0 if the source's answer is to be refused (revert, junk, ≤ 0, future or old
    /// timestamp, at its bound, confidence too wide). Never reverts, and spends a bounded amount of gas.
    function read() external view returns (uint256 usdPerTokenWad);

    /// @notice Where the price comes from.
    function source() external view returns (address);
    /// @notice For people: "ETH / USD, AggregatorV3, 3600 s".
    function description() external view returns (string memory);
}
