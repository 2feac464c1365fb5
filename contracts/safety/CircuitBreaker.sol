// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BoundedRead} from "contracts/safety/lib/BoundedRead.sol";
import {TokenBucket} from "contracts/safety/lib/TokenBucket.sol";
import {IBreakerTarget} from "interfaces/safety/IBreakerTarget.sol";
import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";
import {IEmergencyGate} from "interfaces/safety/IEmergencyGate.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IPriceOracle} from "interfaces/safety/IPriceOracle.sol";

/// @title Meters outflow per target and asset, and trips the gate on facts
/// @notice Promise: in any window W at most L leaves, net of what comes in, at constant gas; and nobody can freeze a
/// target through here unless it lost share price, misses tokens, or most feeds say that its asset fell.
contract CircuitBreaker is ICircuitBreaker, AccessManaged {
    using TokenBucket for uint256;

    uint256 private constant BPS = 10_000;
    /// Gas that a target or a token gets for one answer.
    uint256 private constant READ_GAS = 3_000_000;
    /// A higher share price counts as the peak only after it has been seen over this time, by its lowest sight: a
    /// price pumped for a block is none, as long as somebody pokes in between.
    uint256 private constant PEAK_DELAY = 1 hours;
    uint256 private constant MIN_DRAWDOWN_BPS = 10;
    uint256 private constant MAX_DRAWDOWN_BPS = 5_000;
    uint256 private constant MIN_PRICE_DROP_BPS = 50;
    uint256 private constant MAX_PRICE_DROP_BPS = 9_000;

    /// @inheritdoc ICircuitBreaker
    address public immutable gate;
    /// @inheritdoc ICircuitBreaker
    address public oracle;

    mapping(address target => mapping(address asset => uint256 floor)) private _floors;
    mapping(address target => Watch) private _watches;
    mapping(address target => Baseline) private _baselines;

    constructor(address authority, address gate_, address oracle_) AccessManaged(authority) {
        if (gate_.code.length == 0) revert Unreadable(gate_);
        gate = gate_;
        _setOracle(oracle_);
    }

    // ---------------------------------------------------------------- metering

    /// @inheritdoc ICircuitBreaker
    function onOutflow(address asset, uint256 assets) external {
        uint256 slot = _slotOf(msg.sender, asset);
        uint256 bucket = _load(slot);
        if (bucket == 0) return;
        uint256 next = bucket.take(assets, block.timestamp);
        // Zero is how the bucket says that it holds too little; a bucket in use is never zero.
        // slither-disable-next-line incorrect-equality
        if (next == 0) revert OutflowLimitExceeded(msg.sender, asset, assets, bucket.available(block.timestamp));
        _store(slot, next);
    }

    /// @inheritdoc ICircuitBreaker
    function onInflow(address asset, uint256 assets) external {
        uint256 slot = _slotOf(msg.sender, asset);
        uint256 bucket = _load(slot);
        if (bucket == 0) return;
        _store(slot, bucket.give(assets, block.timestamp));
    }

    /// @inheritdoc ICircuitBreaker
    function available(address target, address asset) external view returns (uint256) {
        uint256 bucket = _bucketOf(target, asset);
        return bucket == 0 ? type(uint256).max : bucket.available(block.timestamp);
    }

    /// @inheritdoc ICircuitBreaker
    function limitOf(address target, address asset) external view returns (Limit memory) {
        uint256 bucket = _bucketOf(target, asset);
        // Both fit: the library keeps limits below 2^103 and windows below 2^24.
        return Limit(uint128(bucket.limitOf()), uint32(bucket.windowOf()));
    }

    /// @inheritdoc ICircuitBreaker
    function limitFloorOf(address target, address asset) external view returns (uint256) {
        return _floors[target][asset];
    }

    function _bucketOf(address target, address asset) private view returns (uint256) {
        return _load(_slotOf(target, asset));
    }

    /// keccak256(abi.encodePacked(target, asset)): one hash where nested mappings take two. No mapping's slot can be
    /// equal, since those are hashes of 64 bytes.
    function _slotOf(address target, address asset) private pure returns (uint256 slot) {
        assembly ("memory-safe") {
            mstore(0x14, asset)
            mstore(0x00, target)
            slot := keccak256(0x0c, 0x28)
        }
    }

    function _load(uint256 slot) private view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(slot)
        }
    }

    function _store(uint256 slot, uint256 word) private {
        assembly ("memory-safe") {
            sstore(slot, word)
        }
    }

    // -------------------------------------------------------------- parameters

    /// @inheritdoc ICircuitBreaker
    function tightenLimit(address target, address asset, uint128 limit) external restricted {
        uint256 bucket = _bucketOf(target, asset);
        if (bucket == 0) revert NotMetered(target, asset);
        uint256 previous = bucket.limitOf();
        if (limit >= previous) revert NotTightening(previous, limit);
        uint256 floor = _floors[target][asset];
        if (limit < floor) revert BelowFloor(floor, limit);
        bucket = bucket.resize(limit, bucket.windowOf(), block.timestamp);
        _store(_slotOf(target, asset), bucket);
        emit LimitTightened(target, asset, msg.sender, previous, bucket.limitOf());
    }

    /// @inheritdoc ICircuitBreaker
    function setLimit(address target, address asset, uint128 limit, uint32 window, uint128 floor) external restricted {
        if (!TokenBucket.inBounds(limit, window)) revert LimitOutOfBounds(limit, window);
        // A floor of nothing would let a stolen guardian key close the exit for good.
        if (floor > limit || !TokenBucket.inBounds(floor, window)) revert LimitOutOfBounds(floor, window);
        uint256 bucket = _bucketOf(target, asset);
        uint256 next = bucket == 0
            ? TokenBucket.create(limit, window, block.timestamp)
            : bucket.resize(limit, window, block.timestamp);
        uint256 previousFloor = _floors[target][asset];
        _store(_slotOf(target, asset), next);
        _floors[target][asset] = floor;
        emit LimitSet(target, asset, bucket.limitOf(), next.limitOf(), bucket.windowOf(), window, previousFloor, floor);
    }

    /// @inheritdoc ICircuitBreaker
    function removeLimit(address target, address asset) external restricted {
        uint256 bucket = _bucketOf(target, asset);
        if (bucket == 0) revert NotMetered(target, asset);
        _store(_slotOf(target, asset), 0);
        delete _floors[target][asset];
        emit LimitRemoved(target, asset, bucket.limitOf(), bucket.windowOf());
    }

    /// @inheritdoc ICircuitBreaker
    function setWatch(address target, Watch calldata watch) external restricted {
        _requireInBounds(watch.maxDrawdownBps, watch.maxPriceDropBps);
        if (watch.asset == address(0)) revert WatchOutOfBounds();
        Watch memory previous = _watches[target];
        _watches[target] = watch;
        emit WatchSet(target, msg.sender, previous, watch);
        if (previous.asset != watch.asset) {
            delete _baselines[target];
            _resetPeak(target);
        }
        if (watch.maxPriceDropBps != 0 && _baselines[target].priceReference == 0) _resetReference(target, watch.asset);
    }

    /// @inheritdoc ICircuitBreaker
    function tightenWatch(address target, uint16 maxDrawdownBps, uint16 maxPriceDropBps) external restricted {
        Watch memory previous = _requireWatched(target);
        if (maxDrawdownBps > previous.maxDrawdownBps) {
            revert NotTightening(previous.maxDrawdownBps, maxDrawdownBps);
        }
        // 0 stands for an unwatched price: neither a way to stop watching, nor a limit that something could be below.
        if (maxPriceDropBps > previous.maxPriceDropBps || (maxPriceDropBps == 0) != (previous.maxPriceDropBps == 0)) {
            revert NotTightening(previous.maxPriceDropBps, maxPriceDropBps);
        }
        _requireInBounds(maxDrawdownBps, maxPriceDropBps);
        _watches[target].maxDrawdownBps = maxDrawdownBps;
        _watches[target].maxPriceDropBps = maxPriceDropBps;
        emit WatchSet(target, msg.sender, previous, _watches[target]);
    }

    /// @inheritdoc ICircuitBreaker
    function resetSharePeak(address target) external restricted {
        _requireWatched(target);
        _resetPeak(target);
    }

    /// @inheritdoc ICircuitBreaker
    function resetPriceReference(address target) external restricted {
        _resetReference(target, _requireWatched(target).asset);
    }

    /// @inheritdoc ICircuitBreaker
    function setOracle(address oracle_) external restricted {
        _setOracle(oracle_);
    }

    /// @inheritdoc ICircuitBreaker
    function watchOf(address target) external view returns (Watch memory) {
        return _watches[target];
    }

    /// @inheritdoc ICircuitBreaker
    function baselineOf(address target) external view returns (Baseline memory) {
        return _baselines[target];
    }

    // ----------------------------------------------------------------- judging

    /// @inheritdoc ICircuitBreaker
    function poke(address target) external returns (Fact fact) {
        Watch memory watch = _requireWatched(target);
        Baseline memory b = _baselines[target];
        // Every read is static and comes before the first write, so no target can reenter its own judgement.
        (bool booksKnown, uint256 shortfall) = _shortfall(target, watch.asset);
        (bool sharesKnown, uint256 sharePrice) = _sharePrice(target);
        (bool dropped, uint256 seen) = _dropped(watch, b.priceReference);

        if (booksKnown && shortfall > uint256(b.acknowledgedShortfall) + watch.shortfallTolerance) {
            uint256 acknowledged = b.acknowledgedShortfall;
            b.acknowledgedShortfall = uint128(shortfall);
            return _trip(target, b, Fact.SHORTFALL, EmergencyState.FROZEN, shortfall, acknowledged);
        }
        if (sharesKnown && sharePrice * BPS < uint256(b.peak) * (BPS - watch.maxDrawdownBps)) {
            uint256 peak = b.peak;
            (b.peak, b.candidate) = (uint128(sharePrice), 0);
            return _trip(target, b, Fact.DRAWDOWN, EmergencyState.FROZEN, sharePrice, peak);
        }
        if (dropped) {
            uint256 comparedWith = b.priceReference;
            (b.priceReference, b.referenceAt) = (uint128(seen), uint64(block.timestamp));
            return _trip(target, b, Fact.PRICE_DROP, EmergencyState.WITHDRAW_ONLY, seen, comparedWith);
        }

        // What is known to be missing only shrinks here: if more goes missing later, that is a new fact.
        if (booksKnown && shortfall < b.acknowledgedShortfall) b.acknowledgedShortfall = uint128(shortfall);
        if (sharesKnown) _followPeak(target, b, sharePrice);
        _followReference(target, b, watch);
        _baselines[target] = b;
    }

    /// Moves the target unless it already is where the fact would put it. In that case the baseline stays too: a fact
    /// that a guardian's short freeze answered must still be there when that freeze runs out.
    function _trip(
        address target,
        Baseline memory moved,
        Fact fact,
        EmergencyState level,
        uint256 observed,
        uint256 comparedWith
    ) private returns (Fact) {
        (EmergencyState state, uint256 expiry) = IEmergencyGate(gate).stateOf(target);
        bool lapsed = expiry != 0 && block.timestamp >= expiry;
        if (state >= level && !lapsed) return fact;
        _baselines[target] = moved;
        emit Tripped(target, msg.sender, fact, observed, comparedWith);
        IEmergencyGate(gate).trip(target, level, bytes32(uint256(fact)));
        return fact;
    }

    function _followPeak(address target, Baseline memory b, uint256 sharePrice) private {
        if (sharePrice <= b.peak) {
            b.candidate = 0;
        } else if (b.candidate == 0) {
            (b.candidate, b.candidateSince) = (uint128(sharePrice), uint64(block.timestamp));
        } else {
            if (sharePrice < b.candidate) b.candidate = uint128(sharePrice);
            if (block.timestamp - b.candidateSince < PEAK_DELAY) return;
            emit PeakRaised(target, b.peak, b.candidate);
            b.peak = b.candidate;
            b.candidate = sharePrice > b.peak ? uint128(sharePrice) : 0;
            b.candidateSince = uint64(block.timestamp);
        }
    }

    /// The reference only ever moves to an undisputed price.
    function _followReference(address target, Baseline memory b, Watch memory watch) private {
        if (watch.maxPriceDropBps == 0 || watch.referencePeriod == 0) return;
        if (block.timestamp < uint256(b.referenceAt) + watch.referencePeriod || oracle.code.length == 0) return;
        try IPriceOracle(oracle).price(watch.asset) returns (uint256 current) {
            if (current > type(uint128).max) return;
            emit ReferenceMoved(target, b.priceReference, current);
            (b.priceReference, b.referenceAt) = (uint128(current), uint64(block.timestamp));
        } catch {
            return;
        }
    }

    /// Whether at least two feeds, and most of those that answer, lie below the reference by more than the allowed bps.
    /// @return seen The highest of those, so that a liar among them does not set the baseline.
    function _dropped(Watch memory watch, uint256 comparedWith) private view returns (bool, uint256 seen) {
        // A `try` does not catch that there is no code to call, and without prices the books must still be judged.
        if (watch.maxPriceDropBps == 0 || oracle.code.length == 0) return (false, 0);
        // The oracle is ours and sees to its adapters' gas; it reverts for an asset that it does not know.
        try IPriceOracle(oracle).answers(watch.asset) returns (uint256[] memory answers) {
            // Zero is where it starts.
            // slither-disable-next-line uninitialized-local
            uint256 healthy;
            // Zero is where it starts.
            // slither-disable-next-line uninitialized-local
            uint256 below;
            for (uint256 i; i < answers.length; ++i) {
                if (answers[i] == 0 || answers[i] > type(uint128).max) continue;
                ++healthy;
                if (answers[i] * BPS >= comparedWith * (BPS - watch.maxPriceDropBps)) continue;
                ++below;
                if (answers[i] > seen) seen = answers[i];
            }
            return (below >= 2 && below * 2 > healthy, seen);
        } catch {
            return (false, 0);
        }
    }

    function _resetPeak(address target) private {
        (bool ok, uint256 sharePrice) = _sharePrice(target);
        if (!ok || sharePrice == 0) revert Unreadable(target);
        Baseline storage b = _baselines[target];
        emit PeakReset(target, b.peak, sharePrice);
        (b.peak, b.candidate) = (uint128(sharePrice), 0);
    }

    function _resetReference(address target, address asset) private {
        uint256 current = IPriceOracle(oracle).price(asset);
        if (current > type(uint128).max) revert Unreadable(oracle);
        Baseline storage b = _baselines[target];
        emit ReferenceMoved(target, b.priceReference, current);
        (b.priceReference, b.referenceAt) = (uint128(current), uint64(block.timestamp));
    }

    function _setOracle(address oracle_) private {
        if (oracle_.code.length == 0) revert Unreadable(oracle_);
        emit OracleSet(oracle, oracle_);
        oracle = oracle_;
    }

    // ------------------------------------------------------------ hostile reads

    function _sharePrice(address target) private view returns (bool, uint256) {
        (bool ok, uint256[] memory words) = _read(target, abi.encodeCall(IBreakerTarget.sharePriceWad, ()), 1);
        return (ok && words[0] <= type(uint128).max, words[0]);
    }

    /// What is missing of the asset: by the target's books, and by the token's own word.
    function _shortfall(address target, address asset) private view returns (bool, uint256) {
        (bool ok, uint256[] memory books) = _read(target, abi.encodeCall(IBreakerTarget.holdings, ()), 3);
        if (!ok || books[0] != uint160(asset) || books[1] > type(uint128).max) return (false, 0);
        (bool held, uint256[] memory balance) = _read(asset, abi.encodeCall(IERC20.balanceOf, (target)), 1);
        if (!held) return (false, 0);
        return (true, books[1] > balance[0] ? books[1] - balance[0] : 0);
    }

    function _read(address to, bytes memory data, uint256 count) private view returns (bool, uint256[] memory) {
        if (!BoundedRead.hasGas(READ_GAS)) revert InsufficientGas(BoundedRead.needed(READ_GAS));
        return BoundedRead.read(to, READ_GAS, data, count);
    }

    function _requireWatched(address target) private view returns (Watch memory watch) {
        watch = _watches[target];
        if (watch.asset == address(0)) revert UnknownTarget(target);
    }

    function _requireInBounds(uint256 maxDrawdownBps, uint256 maxPriceDropBps) private pure {
        if (maxDrawdownBps < MIN_DRAWDOWN_BPS || maxDrawdownBps > MAX_DRAWDOWN_BPS) revert WatchOutOfBounds();
        if (maxPriceDropBps == 0) return;
        if (maxPriceDropBps < MIN_PRICE_DROP_BPS || maxPriceDropBps > MAX_PRICE_DROP_BPS) revert WatchOutOfBounds();
    }
}
