// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title One source of one asset's price, judged by its own rules
interface IPriceAdapter {
    /// @notice The source cannot be used: it answers nothing sensible at deployment, or the bounds given make no sense.
    error BadSource(address source);

    /// @notice USD per whole token, 1e18 and below 2^128, or 0 if the source's answer is to be refused (revert, junk,
    /// ≤ 0, future or old timestamp, at its bound). Never reverts, and spends a bounded amount of gas (below 400 000).
    function read() external view returns (uint256 usdPerTokenWad);

    /// @notice Who publishes the price. Two adapters with one source count as one voice and cannot serve the same
    /// asset.
    function source() external view returns (address);
    /// @notice For people: "ETH / USD, AggregatorV3, 3600 s".
    function description() external view returns (string memory);
}
