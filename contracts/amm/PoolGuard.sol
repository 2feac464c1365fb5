// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IGuardedPool, PoolConfig} from "interfaces/amm/IGuardedPool.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

import {BlockNumber} from "./BlockNumber.sol";
import {LiquidityToken} from "./LiquidityToken.sol";
import {PoolOracle} from "./PoolOracle.sol";
import {PoolState} from "./PoolState.sol";
import {PriceFloat} from "./PriceFloat.sol";

/// @title The pool's hot slots: who may come in, and the checkpoint that everybody passes
/// @dev `_enter` folds the opening price of a block into the window before anything else can move the price. The lock
/// covers views too.
abstract contract PoolGuard is LiquidityToken, PoolOracle, BlockNumber {
    using PoolState for uint256;

    address public immutable emergencyGate;
    /// @dev The configuration, packed by PoolState.
    uint256 internal immutable _settings;

    /// @dev See PoolState for the layout of the two (the third is `_oracle`).
    uint256 internal _core;
    uint256 internal _window;

    constructor(address gate, PoolConfig memory config_) {
        if (
            config_.guardWindow == 0 || config_.guardWindow > 1 hours || config_.maturityBlocks < 2
                || config_.maturityBlocks > 1_000_000 || config_.minFeePips > config_.maxFeePips
        ) revert InvalidConfig();
        emergencyGate = gate;
        _settings = PoolState.packSettings(config_);
    }

    /// @inheritdoc IGuardedPool
    function checkpoint() external {
        (uint256 core,) = _enter(type(uint256).max, EmergencyState.WITHDRAW_ONLY);
        _core = core;
    }

    /// @inheritdoc IGuardedPool
    function increaseObservationCardinality(uint16 cardinality) external {
        _readCore(EmergencyState.WITHDRAW_ONLY);
        uint256 previous = _growObservations(cardinality);
        emit ObservationCardinalityIncreased(msg.sender, previous, cardinality);
    }

    /// @inheritdoc IEmergencyTarget
    /// @dev Touches nothing but the state's two bits, in the middle of another call as well: `_unlock` reads them again.
    function setEmergencyState(EmergencyState state) external {
        if (msg.sender != emergencyGate) revert NotEmergencyGate(msg.sender);
        uint256 core = _core;
        _core = core.withState(uint256(state));
        emit EmergencyStateSet(msg.sender, EmergencyState(core.stateOf()), state);
    }

    // views

    /// @inheritdoc IEmergencyTarget
    function emergencyState() external view returns (EmergencyState) {
        return EmergencyState(_core.stateOf());
    }

    /// @inheritdoc IGuardedPool
    function config() external view returns (PoolConfig memory) {
        return PoolState.unpackSettings(_settings);
    }

    /// @inheritdoc IGuardedPool
    function blockNumber() external view returns (uint256) {
        return _blockNumber();
    }

    /// @inheritdoc IGuardedPool
    function getReserves() external view returns (uint256 reserve0, uint256 reserve1) {
        uint256 core = _readCore(EmergencyState.FROZEN);
        return (core.reserve0(), core.reserve1());
    }

    /// @inheritdoc IGuardedPool
    function guardPrices() external view returns (uint256 lowX128, uint256 highX128) {
        uint256 window = _windowNow(_readCore(EmergencyState.FROZEN));
        return (PriceFloat.toX128(window.lowOf()), PriceFloat.toX128(window.highOf()));
    }

    /// @inheritdoc IGuardedPool
    function feePips() external view returns (uint256) {
        uint256 core = _readCore(EmergencyState.FROZEN);
        return _isThrottled(core) ? _settings.maxFeeOf() : _windowNow(core).feeOf();
    }

    // entry and exit

    /// @dev Must come first in whatever moves reserves. The caller stores `core`: its block may be new.
    function _enter(uint256 deadline, EmergencyState worst) internal returns (uint256 core, uint256 window) {
        if (block.timestamp > deadline) revert Expired(deadline);
        core = _core;
        _requireOpen(core, worst);
        window = _window;
        uint256 number = _blockNumber();
        if (core.blockOf() != number & PoolState.BLOCK_MASK) {
            uint256 oracle = _oracle;
            uint256 next;
            (window, next) = PoolState.checkpoint(core, window, oracle, block.timestamp, _settings);
            _window = window;
            _oracle = _storeObservation(oracle, next);
            core = core.withBlock(number);
        }
    }

    /// @dev Reads the slot again, since the gate may have moved the state while a token was called.
    function _unlock() internal {
        _core &= ~PoolState.LOCK;
    }

    function _readCore(EmergencyState worst) internal view returns (uint256 core) {
        core = _core;
        _requireOpen(core, worst);
    }

    function _requireOpen(uint256 core, EmergencyState worst) private pure {
        if (core.isLocked()) revert Locked();
        if (core.stateOf() > uint256(worst)) revert EmergencyStateForbids(EmergencyState(core.stateOf()));
    }

    function _requireTransferable() internal view override {
        _readCore(EmergencyState.WITHDRAW_ONLY);
    }

    // checkpoint

    function _checkpointed(uint256 core, uint256 timestamp) internal view returns (uint256 window, uint256 oracle) {
        return PoolState.checkpoint(core, _window, _oracle, timestamp, _settings);
    }

    /// @dev The window as the next trade of this block will see it.
    function _windowNow(uint256 core) internal view returns (uint256 window) {
        // A block number that the pool stored itself: equal means this very block.
        // slither-disable-next-line incorrect-equality
        if (core.blockOf() == _blockNumber() & PoolState.BLOCK_MASK) return _window;
        (window,) = _checkpointed(core, block.timestamp);
    }

    function _oracleNow() internal view override returns (uint256 oracle) {
        uint256 core = _readCore(EmergencyState.FROZEN);
        // A block number that the pool stored itself: equal means this very block.
        // slither-disable-next-line incorrect-equality
        if (core.blockOf() == _blockNumber() & PoolState.BLOCK_MASK) return _oracle;
        (, oracle) = _checkpointed(core, block.timestamp);
    }

    function _isThrottled(uint256 core) internal pure returns (bool) {
        // An enumeration, not an amount: nobody can push it past a value.
        // slither-disable-next-line incorrect-equality
        return core.stateOf() == uint256(EmergencyState.THROTTLED);
    }

    function _blockNumber() internal view override(BlockNumber, LiquidityToken) returns (uint256) {
        return BlockNumber._blockNumber();
    }
}
