// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IGuardedPool} from "interfaces/amm/IGuardedPool.sol";

import {PriceFloat} from "./PriceFloat.sol";
import {PoolState} from "./PoolState.sol";

/// @title Memory of a pool's opening prices
/// @notice The hot slot `_oracle` holds the sums up to the last opening. About once per OBSERVATION_PERIOD the sums also go
/// into a ring, so that a price of long ago costs a trader almost nothing to keep.
abstract contract PoolOracle is IGuardedPool {
    using PoolState for uint256;

    uint256 public constant OBSERVATION_PERIOD = 60;
    uint256 private constant INITIALISED = 1 << 255;

    uint256 internal _oracle;

    /// @dev How long the ring grows once it comes to its present end.
    uint256 private _cardinalityTarget;
    /// @dev INITIALISED | … | truncated cumulative 56 | cumulative 56 | timestamp 40, as in `_oracle`
    mapping(uint256 index => uint256 observation) private _observations;

    /// @inheritdoc IGuardedPool
    function observe(uint32[] calldata secondsAgos)
        external
        view
        returns (int256[] memory cumulatives, int256[] memory truncatedCumulatives)
    {
        uint256 current = _oracleNow();
        cumulatives = new int256[](secondsAgos.length);
        truncatedCumulatives = new int256[](secondsAgos.length);
        for (uint256 i = 0; i < secondsAgos.length; ++i) {
            (cumulatives[i], truncatedCumulatives[i]) = _at(current, secondsAgos[i]);
        }
    }

    /// @inheritdoc IGuardedPool
    function twap(uint32 secondsAgo) external view returns (uint256 priceX128, uint256 truncatedPriceX128) {
        if (secondsAgo == 0) revert ZeroAmount();
        uint256 current = _oracleNow();
        (int256 cumulative, int256 truncatedCumulative) = _at(current, secondsAgo);
        priceX128 = PriceFloat.exp2X128(_mean(current.cumulativeOf(), cumulative, secondsAgo));
        truncatedPriceX128 =
            PriceFloat.exp2X128(_mean(current.truncatedCumulativeOf(), truncatedCumulative, secondsAgo));
    }

    /// @inheritdoc IGuardedPool
    function oracleState() external view returns (uint256, int256, int256, uint256, uint256, uint256) {
        uint256 oracle = _oracle;
        return (
            oracle.timestampOf(),
            oracle.tickOf(),
            oracle.truncatedTickOf(),
            oracle.volatilityOf(),
            oracle.indexOf(),
            oracle.cardinalityOf()
        );
    }

    /// @dev The oracle as a checkpoint at this moment would leave it.
    function _oracleNow() internal view virtual returns (uint256);

    function _storeFirstObservation() internal {
        _cardinalityTarget = 1;
        _observations[0] = _oracle | INITIALISED;
    }

    /// @dev Stores the sums of `next` when a new period has begun since `last`; returns `next` with the ring moved on.
    function _storeObservation(uint256 last, uint256 next) internal returns (uint256) {
        unchecked {
            // Two time stamps fall into one period or not; missing a period only delays a record.
            // slither-disable-next-line incorrect-equality
            if (next.timestampOf() / OBSERVATION_PERIOD == last.timestampOf() / OBSERVATION_PERIOD) return next;
            uint256 cardinality = next.cardinalityOf();
            uint256 index = next.indexOf() + 1;
            // The index runs up by one and wraps at the end of the ring, so it meets the end exactly.
            // slither-disable-next-line incorrect-equality
            if (index == cardinality) {
                uint256 target = _cardinalityTarget;
                if (target > cardinality) cardinality = target;
                else index = 0;
            }
            _observations[index] = next | INITIALISED;
            return next.withRing(index, cardinality);
        }
    }

    function _growObservations(uint256 target) internal returns (uint256 previous) {
        previous = _cardinalityTarget;
        if (target <= previous) revert InvalidConfig();
        // Pays now for the storage that later checkpoints use; without the mark it does not count as an observation.
        for (uint256 i = previous; i < target; ++i) {
            _observations[i] = 1;
        }
        _cardinalityTarget = target;
    }

    /// @dev Both sums at `secondsAgo`, given the oracle as of now.
    function _at(uint256 current, uint256 secondsAgo) private view returns (int256, int256) {
        uint256 now_ = current.timestampOf();
        if (secondsAgo == 0) return (current.cumulativeOf(), current.truncatedCumulativeOf());
        uint256 target = now_ - secondsAgo;
        uint256 last = _oracle;
        if (target >= last.timestampOf()) return _between(last, current, target);

        uint256 index = last.indexOf();
        uint256 newest = _observations[index];
        if (target >= newest.timestampOf()) return _between(newest, last, target);

        uint256 cardinality = last.cardinalityOf();
        // Positions are counted from the oldest observation.
        // Indices of a ring; nothing is drawn.
        // slither-disable-next-line weak-prng
        uint256 first = (index + 1) % cardinality;
        uint256 held = cardinality;
        // A flag bit of the ring: not written yet.
        // slither-disable-next-line incorrect-equality
        if (_observations[first] & INITIALISED == 0) (first, held) = (0, index + 1);
        uint256 oldest = _observations[first].timestampOf();
        if (target < oldest) revert ObservationTooOld(secondsAgo, now_ - oldest);

        // Invariant: the observation at `low` is not after the target, the one at `high` is.
        uint256 low = 0;
        uint256 high = held - 1;
        while (high - low > 1) {
            uint256 middle = (low + high) / 2;
            // Indices of a ring; nothing is drawn.
            // slither-disable-next-line weak-prng
            if (_observations[(first + middle) % cardinality].timestampOf() <= target) low = middle;
            else high = middle;
        }
        // Indices of a ring; nothing is drawn.
        // slither-disable-next-line weak-prng
        return _between(_observations[(first + low) % cardinality], _observations[(first + high) % cardinality], target);
    }

    /// @dev Linear between two observations with before ≤ target ≤ after.
    function _between(uint256 before, uint256 after_, uint256 target) private pure returns (int256, int256) {
        int256 span = int256(after_.timestampOf() - before.timestampOf());
        int256 part = int256(target - before.timestampOf());
        // Only spares a division where the target is a record itself.
        // slither-disable-next-line incorrect-equality
        if (part == 0) return (before.cumulativeOf(), before.truncatedCumulativeOf());
        return (
            before.cumulativeOf() + (after_.cumulativeOf() - before.cumulativeOf()) * part / span,
            before.truncatedCumulativeOf() + (after_.truncatedCumulativeOf() - before.truncatedCumulativeOf()) * part
                / span
        );
    }

    /// @dev Mean tick of the last `secondsAgo` seconds, rounded down.
    function _mean(int256 current, int256 past, uint256 secondsAgo) private pure returns (int256 tick) {
        int256 sum = current - past;
        tick = sum / int256(secondsAgo);
        // Rounds a mean towards minus infinity; nothing is drawn.
        // slither-disable-next-line weak-prng
        if (sum < 0 && sum % int256(secondsAgo) != 0) --tick;
    }
}
