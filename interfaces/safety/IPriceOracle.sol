// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Prices that resist one liar
/// @notice Median of at least two of at least three feeds. Prices are USD per whole token, 1e18.
interface IPriceOracle {
    enum PriceStatus {
        /// Below quorum: no price.
        UNAVAILABLE,
        /// A quorum answers but its spread exceeds the limit, or it has not agreed for long enough: no new risk.
        DISPUTED,
        /// A quorum agrees.
        OK
    }

    event FeedsSet(address indexed asset, address[] adapters, uint256 maxSpreadBps);
    event PriceDisputed(address indexed asset, uint256 spreadBps);
    event PriceSettled(address indexed asset, uint256 price);

    error PriceUnavailable(address asset, uint256 healthyFeeds);
    error PriceInDispute(address asset, uint256 spreadBps);
    error UnknownAsset(address asset);
    error TooFewFeeds(uint256 feeds);

    /// @notice The median; reverts unless the status is OK. For everything that takes new risk.
    function price(address asset) external view returns (uint256 usdPerTokenWad);

    /// @notice The median even while DISPUTED; reverts below quorum. For judging, never for taking risk.
    function indicativePrice(address asset) external view returns (uint256 usdPerTokenWad);

    /// @notice Never reverts for a known asset.
    function status(address asset)
        external
        view
        returns (PriceStatus status_, uint256 median, uint256 spreadBps, uint256 healthyFeeds);

    /// @notice Each feed's own answer: 0 where the adapter refused it. In the order of `feedsOf`.
    function answers(address asset) external view returns (uint256[] memory);
    function feedsOf(address asset) external view returns (address[] memory);

    /// @notice Value of `amount` of `base` in units of `quote`, rounded down; reverts unless both prices are OK.
    function convertDown(address base, address quote, uint256 amount) external view returns (uint256);
}
