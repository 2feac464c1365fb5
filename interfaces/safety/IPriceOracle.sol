// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Prices that resist one liar
/// @notice Median of at least two healthy answers of at least three feeds. Prices are USD per whole token, 1e18.
/// A dispute, an unhealthy L2 sequencer or a pool that disagrees limits new risk only: nothing that an exit needs
/// reverts for it.
interface IPriceOracle {
    enum PriceStatus {
        /// Below quorum: no price.
        UNAVAILABLE,
        /// A quorum answers, but: its spread exceeds the limit, or it has not agreed for long enough since, or the
        /// pool's TWAP is too far off, or the L2 sequencer is down or just back. No new risk.
        DISPUTED,
        /// A quorum agrees.
        OK
    }

    /// @notice How the answers for one asset are judged.
    struct Rules {
        /// Beyond this distance between the highest and the lowest answer, in bps of the median, there is a dispute.
        uint16 maxSpreadBps;
        /// A recorded dispute ends only after the spread has stayed within this for `settleTime`.
        uint16 recoverSpreadBps;
        /// Seconds.
        uint32 settleTime;
        /// Sanity bound, for instance a pool's TWAP; never counted in the median. 0: none.
        address sanityAdapter;
        /// Largest distance of the median from the sanity adapter's answer, in bps of that answer.
        uint16 maxSanityDeviationBps;
    }

    event FeedsSet(
        address indexed asset, address[] previousAdapters, address[] adapters, Rules previousRules, Rules rules
    );
    event SequencerFeedSet(address indexed previous, address indexed current, uint256 previousGrace, uint256 grace);
    /// @notice `sync` saw a dispute or a missing quorum where there was none.
    event PriceDisputed(address indexed asset, uint256 spreadBps, uint256 healthyFeeds);
    /// @notice `sync` saw that the feeds have agreed for long enough.
    event PriceSettled(address indexed asset, uint256 price);

    error PriceUnavailable(address asset, uint256 healthyFeeds);
    error PriceInDispute(address asset, uint256 spreadBps);
    error SequencerNotReady();
    error UnknownAsset(address asset);
    error TooFewFeeds(uint256 feeds);
    error TooManyFeeds(uint256 feeds);
    /// @notice Two adapters share a source, so one liar would have two voices.
    error DuplicateSource(address source);
    error RulesOutOfBounds();
    /// @notice Too little gas to give every adapter its full allowance: starving some would choose who is heard.
    error InsufficientGas(uint256 needed);

    /// @notice The median; reverts unless the status is OK. For everything that takes new risk.
    function price(address asset) external view returns (uint256 usdPerTokenWad);

    /// @notice The median even while DISPUTED; reverts below quorum. For judging and for exits, never for taking risk.
    function indicativePrice(address asset) external view returns (uint256 usdPerTokenWad);

    /// @notice Never reverts for a known asset (but for too little gas).
    function status(address asset)
        external
        view
        returns (PriceStatus status_, uint256 median, uint256 spreadBps, uint256 healthyFeeds);

    /// @notice Each feed's own answer: 0 where the adapter refused it. In the order of `feedsOf`.
    function answers(address asset) external view returns (uint256[] memory);
    function feedsOf(address asset) external view returns (address[] memory);
    function rulesOf(address asset) external view returns (Rules memory);
    /// @notice Whether a recorded dispute is still open, and since when (Unix time) the feeds have agreed again (0:
    /// they do not).
    function disputeOf(address asset) external view returns (bool disputed, uint256 calmSince);
    /// @notice Whether the L2 sequencer allows new risk; always true where no uptime feed is set.
    function sequencerReady() external view returns (bool);

    /// @notice Value of `amount` of `base` in units of `quote`, rounded down; reverts unless both prices are OK.
    function convertDown(address base, address quote, uint256 amount) external view returns (uint256);

    /// @notice Anyone: records a dispute, or that the feeds agree again, or that they have agreed for long enough.
    /// @dev Prices are views and refuse by the live spread anyway; this gives the dispute its memory.
    function sync(address asset) external returns (PriceStatus status_);

    /// @notice Governance, after its delay: the feeds of `asset`, at least three with different sources.
    function setFeeds(address asset, address[] calldata adapters, Rules calldata rules) external;
    /// @notice Governance, after its delay: the L2 uptime feed and the seconds to wait after the sequencer is back.
    /// 0: not an L2.
    function setSequencerFeed(address feed, uint256 grace) external;
}
