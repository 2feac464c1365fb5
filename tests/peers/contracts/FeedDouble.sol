// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A double of a price feed with the AggregatorV3 interface: whoever likes sets its answer and its faults.
/// @dev It stands for feeds that nobody can deploy (their publishers are off chain). It is its own `aggregator()`,
///      so that the bounds are read where a reader of the real one reads them.
contract FeedDouble {
    /// @dev Steady: the stored round. Live: the stored answer, always fresh. Stale: updates are swallowed.
    ///      Reverting, GasBurning, Junk (one word where five belong), Silent (no data), Bomb (too much data).
    enum Mode {
        Steady,
        Live,
        Stale,
        Reverting,
        GasBurning,
        Junk,
        Silent,
        Bomb
    }

    struct Round {
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
        uint80 answeredInRound;
    }

    error FeedIsDown();
    error NoSuchRound(uint80 roundId);

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event ModeSet(Mode mode);
    event BoundsSet(int192 minAnswer, int192 maxAnswer);

    uint256 private constant BOMB_BYTES = 200_000;

    uint256 public constant version = 4;

    uint8 public decimals;
    Mode public mode;
    uint80 public latestRound;
    int192 public minAnswer = 1;
    int192 public maxAnswer = type(int192).max;
    string public description;
    mapping(uint80 roundId => Round) private _rounds;

    constructor(string memory description_, uint8 decimals_, int256 answer) {
        description = description_;
        decimals = decimals_;
        _push(answer, block.timestamp);
    }

    /// @notice Publishes an answer now; beyond its bounds the feed stands at the bound, as real ones did.
    function setAnswer(int256 answer) external {
        if (mode == Mode.Stale) return;
        if (answer < minAnswer) answer = minAnswer;
        if (answer > maxAnswer) answer = maxAnswer;
        _push(answer, block.timestamp);
    }

    /// @notice Publishes a round as given, without bounds: old, future, zero or negative.
    function setRound(int256 answer, uint256 updatedAt) external {
        _push(answer, updatedAt);
    }

    /// @notice Makes the latest round claim to carry over an earlier round's answer.
    function setAnsweredInRound(uint80 answeredInRound) external {
        _rounds[latestRound].answeredInRound = answeredInRound;
    }

    function setMode(Mode mode_) external {
        mode = mode_;
        emit ModeSet(mode_);
    }

    function setDecimals(uint8 decimals_) external {
        decimals = decimals_;
    }

    function setBounds(int192 minAnswer_, int192 maxAnswer_) external {
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
        emit BoundsSet(minAnswer_, maxAnswer_);
    }

    function aggregator() external view returns (address) {
        return address(this);
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        _misbehave();
        return _round(latestRound);
    }

    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80) {
        _misbehave();
        return _round(roundId);
    }

    /// @notice The older interface's answer, which Aave reads.
    function latestAnswer() external view returns (int256) {
        _misbehave();
        return _rounds[latestRound].answer;
    }

    function latestTimestamp() external view returns (uint256 updatedAt) {
        _misbehave();
        (,,, updatedAt,) = _round(latestRound);
    }

    function _push(int256 answer, uint256 updatedAt) private {
        uint80 roundId = ++latestRound;
        _rounds[roundId] = Round(answer, updatedAt, updatedAt, roundId);
        emit AnswerUpdated(answer, roundId, updatedAt);
    }

    function _round(uint80 roundId) private view returns (uint80, int256, uint256, uint256, uint80) {
        require(roundId != 0 && roundId <= latestRound, NoSuchRound(roundId));
        Round memory round = _rounds[roundId];
        if (mode == Mode.Live && roundId == latestRound) {
            (round.startedAt, round.updatedAt) = (block.timestamp, block.timestamp);
        }
        return (roundId, round.answer, round.startedAt, round.updatedAt, round.answeredInRound);
    }

    function _misbehave() private view {
        Mode mode_ = mode;
        require(mode_ != Mode.Reverting, FeedIsDown());
        if (mode_ == Mode.GasBurning) {
            assembly ("memory-safe") {
                invalid() // takes all the gas that was given
            }
        }
        if (mode_ == Mode.Junk) {
            assembly ("memory-safe") {
                mstore(0, not(0))
                return(0, 32) // one word instead of the declared return values
            }
        }
        if (mode_ == Mode.Silent) {
            assembly ("memory-safe") {
                return(0, 0) // nothing instead of the declared return values
            }
        }
        if (mode_ == Mode.Bomb) {
            assembly ("memory-safe") {
                return(0, BOMB_BYTES) // far more than the declared return values
            }
        }
    }
}
