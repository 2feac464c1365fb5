// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BoundedRead} from "contracts/safety/lib/BoundedRead.sol";
import {Median} from "contracts/safety/lib/Median.sol";
import {IAggregatorV3} from "interfaces/external/IAggregatorV3.sol";
import {IPriceAdapter} from "interfaces/safety/IPriceAdapter.sol";
import {IPriceOracle} from "interfaces/safety/IPriceOracle.sol";

/// @title Median of at least two healthy answers of at least three feeds
/// @notice Promise: no stale, non-positive or sub-quorum price is ever returned; one liar of three cannot move the
/// median out of what the honest two say; and nothing that goes wrong here stops an exit.
contract PriceOracle is IPriceOracle, AccessManaged {
    struct Feeds {
        address[] adapters;
        Rules rules;
        uint8 decimals;
        bool disputed;
        uint64 calmSince;
    }

    struct Live {
        uint256 healthy;
        uint256 median;
        uint256 spreadBps;
        /// Quorum, spread within its limit, sanity bound kept.
        bool agreed;
    }

    uint256 public constant MIN_FEEDS = 3;
    uint256 public constant MAX_FEEDS = 9;
    uint256 public constant QUORUM = 2;
    /// Gas that each adapter gets for its answer.
    uint256 public constant ADAPTER_GAS = 400_000;
    uint256 public constant MAX_SPREAD_BPS = 2_000;
    uint256 public constant MAX_SANITY_DEVIATION_BPS = 5_000;
    uint256 public constant MAX_SETTLE_TIME = 7 days;
    uint256 private constant SEQUENCER_GAS = 100_000;
    uint256 private constant MAX_DECIMALS = 36;
    uint256 private constant BPS = 10_000;

    address public sequencerFeed;
    uint256 public sequencerGrace;
    mapping(address asset => Feeds) private _feeds;

    constructor(address authority) AccessManaged(authority) {}

    // ------------------------------------------------------------------ prices

    /// @inheritdoc IPriceOracle
    function price(address asset) public view returns (uint256) {
        Feeds storage feeds = _known(asset);
        Live memory live = _live(feeds);
        if (live.healthy < QUORUM) revert PriceUnavailable(asset, live.healthy);
        if (!sequencerReady()) revert SequencerNotReady();
        if (!live.agreed || feeds.disputed) revert PriceInDispute(asset, live.spreadBps);
        return live.median;
    }

    /// @inheritdoc IPriceOracle
    function indicativePrice(address asset) external view returns (uint256) {
        Live memory live = _live(_known(asset));
        if (live.healthy < QUORUM) revert PriceUnavailable(asset, live.healthy);
        return live.median;
    }

    /// @inheritdoc IPriceOracle
    function status(address asset) external view returns (PriceStatus, uint256, uint256, uint256) {
        Feeds storage feeds = _known(asset);
        Live memory live = _live(feeds);
        return (_status(live, feeds.disputed), live.median, live.spreadBps, live.healthy);
    }

    /// @inheritdoc IPriceOracle
    function convertDown(address base, address quote, uint256 amount) external view returns (uint256) {
        uint256 basePrice = price(base);
        uint256 quotePrice = price(quote);
        // Prices are below 2^128 and 10^36 below 2^120, so both products fit.
        return Math.mulDiv(amount, basePrice * 10 ** _feeds[quote].decimals, quotePrice * 10 ** _feeds[base].decimals);
    }

    /// @inheritdoc IPriceOracle
    function answers(address asset) external view returns (uint256[] memory) {
        return _answers(_known(asset).adapters);
    }

    /// @inheritdoc IPriceOracle
    function feedsOf(address asset) external view returns (address[] memory) {
        return _feeds[asset].adapters;
    }

    /// @inheritdoc IPriceOracle
    function rulesOf(address asset) external view returns (Rules memory) {
        return _feeds[asset].rules;
    }

    /// @inheritdoc IPriceOracle
    function disputeOf(address asset) external view returns (bool, uint256) {
        Feeds storage feeds = _known(asset);
        return (feeds.disputed, feeds.calmSince);
    }

    /// @inheritdoc IPriceOracle
    function sequencerReady() public view returns (bool) {
        address feed = sequencerFeed;
        if (feed == address(0)) return true;
        _requireGas(SEQUENCER_GAS);
        (bool ok, uint256[] memory round) =
            BoundedRead.read(feed, SEQUENCER_GAS, abi.encodeCall(IAggregatorV3.latestRoundData, ()), 5);
        // An uptime feed that does not answer is no proof of uptime; 0 as a start means that it was never written.
        if (!ok || round[1] != 0 || round[2] == 0 || round[2] > block.timestamp) return false;
        return block.timestamp - round[2] > sequencerGrace;
    }

    // ----------------------------------------------------------------- disputes

    /// @inheritdoc IPriceOracle
    function sync(address asset) external returns (PriceStatus) {
        Feeds storage feeds = _known(asset);
        Live memory live = _live(feeds);
        if (!live.agreed) {
            bool known = feeds.disputed;
            (feeds.disputed, feeds.calmSince) = (true, 0);
            if (!known) emit PriceDisputed(asset, live.spreadBps, live.healthy);
        } else if (feeds.disputed) {
            if (live.spreadBps > feeds.rules.recoverSpreadBps) {
                feeds.calmSince = 0;
            } else if (feeds.calmSince == 0) {
                feeds.calmSince = uint64(block.timestamp);
            } else if (block.timestamp - feeds.calmSince >= feeds.rules.settleTime) {
                (feeds.disputed, feeds.calmSince) = (false, 0);
                emit PriceSettled(asset, live.median);
            }
        }
        return _status(live, feeds.disputed);
    }

    // --------------------------------------------------------------- governance

    /// @inheritdoc IPriceOracle
    function setFeeds(address asset, address[] calldata adapters, Rules calldata rules) external restricted {
        if (adapters.length < MIN_FEEDS) revert TooFewFeeds(adapters.length);
        if (adapters.length > MAX_FEEDS) revert TooManyFeeds(adapters.length);
        _requireInBounds(rules);
        for (uint256 i; i < adapters.length; ++i) {
            address source = IPriceAdapter(adapters[i]).source();
            for (uint256 j; j < i; ++j) {
                if (IPriceAdapter(adapters[j]).source() == source) revert DuplicateSource(source);
            }
            // What only bounds the median must not vote in it.
            if (adapters[i] == rules.sanityAdapter) revert DuplicateSource(source);
        }
        uint8 decimals = IERC20Metadata(asset).decimals();
        if (decimals > MAX_DECIMALS) revert RulesOutOfBounds();
        Feeds storage feeds = _feeds[asset];
        emit FeedsSet(asset, feeds.adapters, adapters, feeds.rules, rules);
        feeds.adapters = adapters;
        feeds.rules = rules;
        feeds.decimals = decimals;
        // A dispute among the old feeds says nothing of the new ones.
        (feeds.disputed, feeds.calmSince) = (false, 0);
    }

    /// @inheritdoc IPriceOracle
    function setSequencerFeed(address feed, uint256 grace) external restricted {
        if (grace > MAX_SETTLE_TIME) revert RulesOutOfBounds();
        emit SequencerFeedSet(sequencerFeed, feed, sequencerGrace, grace);
        sequencerFeed = feed;
        sequencerGrace = grace;
    }

    // ----------------------------------------------------------------- internals

    function _status(Live memory live, bool disputed) private view returns (PriceStatus) {
        if (live.healthy < QUORUM) return PriceStatus.UNAVAILABLE;
        return live.agreed && !disputed && sequencerReady() ? PriceStatus.OK : PriceStatus.DISPUTED;
    }

    function _live(Feeds storage feeds) private view returns (Live memory live) {
        uint256[] memory values = _answers(feeds.adapters);
        for (uint256 i; i < values.length; ++i) {
            if (values[i] != 0) values[live.healthy++] = values[i];
        }
        if (live.healthy < QUORUM) return live;
        Median.sort(values, live.healthy);
        live.median = Median.ofSorted(values, live.healthy);
        live.spreadBps = Median.spreadBpsUp(values, live.healthy, live.median);
        live.agreed = live.spreadBps <= feeds.rules.maxSpreadBps && _sane(feeds.rules, live.median);
    }

    /// A sanity adapter that does not answer bounds nothing: a young or empty pool must not stop the market's own
    /// feeds.
    function _sane(Rules storage rules, uint256 median) private view returns (bool) {
        address adapter = rules.sanityAdapter;
        if (adapter == address(0)) return true;
        uint256 bound = _answer(adapter);
        if (bound == 0) return true;
        uint256 distance = median > bound ? median - bound : bound - median;
        return distance * BPS <= bound * rules.maxSanityDeviationBps;
    }

    function _answers(address[] storage adapters) private view returns (uint256[] memory values) {
        values = new uint256[](adapters.length);
        for (uint256 i; i < values.length; ++i) {
            values[i] = _answer(adapters[i]);
        }
    }

    /// What the adapter says; 0 also if it breaks its promises.
    function _answer(address adapter) private view returns (uint256) {
        _requireGas(ADAPTER_GAS);
        (bool ok, uint256[] memory words) =
            BoundedRead.read(adapter, ADAPTER_GAS, abi.encodeCall(IPriceAdapter.read, ()), 1);
        return ok && words[0] <= type(uint128).max ? words[0] : 0;
    }

    function _requireGas(uint256 gasCap) private view {
        if (!BoundedRead.hasGas(gasCap)) revert InsufficientGas(BoundedRead.needed(gasCap));
    }

    function _known(address asset) private view returns (Feeds storage feeds) {
        feeds = _feeds[asset];
        if (feeds.adapters.length == 0) revert UnknownAsset(asset);
    }

    function _requireInBounds(Rules calldata rules) private pure {
        bool ok = rules.maxSpreadBps > 0 && rules.maxSpreadBps <= MAX_SPREAD_BPS
            && rules.recoverSpreadBps <= rules.maxSpreadBps && rules.settleTime <= MAX_SETTLE_TIME;
        if (rules.sanityAdapter != address(0)) {
            ok = ok && rules.maxSanityDeviationBps > 0 && rules.maxSanityDeviationBps <= MAX_SANITY_DEVIATION_BPS;
        }
        if (!ok) revert RulesOutOfBounds();
    }
}
