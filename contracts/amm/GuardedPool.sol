// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IGuardedPool, PoolConfig} from "interfaces/amm/IGuardedPool.sol";
import {IPoolFactory} from "interfaces/amm/IPoolFactory.sol";
import {EmergencyState, IEmergencyTarget} from "interfaces/safety/IEmergencyTarget.sol";

import {BlockNumber} from "./BlockNumber.sol";
import {LiquidityToken} from "./LiquidityToken.sol";
import {PoolOracle} from "./PoolOracle.sol";
import {PoolState} from "./PoolState.sol";
import {PriceFloat} from "./PriceFloat.sol";
import {SwapMath} from "./SwapMath.sol";

/// @title A pool in which no round trip within the guard window profits
/// @notice See IGuardedPool for the promise and docs/amm.md for its proof.
/// @dev Every trade and every change of liquidity starts with `_enter`, which folds the block's opening price into the
/// window before anything else can move the price. State is final before any token is called; the lock covers views too.
contract GuardedPool is IGuardedPool, LiquidityToken, PoolOracle, BlockNumber {
    using SafeERC20 for IERC20;
    using PoolState for uint256;

    /// Shares that no one owns, so that the reserves never empty.
    uint256 public constant MINIMUM_LIQUIDITY = 1_000;
    /// While THROTTLED a trade may take this much of a reserve.
    uint256 public constant THROTTLED_CAP_BPS = 100;
    uint256 private constant BPS = 10_000;

    uint256 private constant SUPPLY_MASK = (1 << 112) - 1;

    address public immutable factory;
    address public immutable emergencyGate;
    address public immutable token0;
    address public immutable token1;
    uint256 public immutable protocolShareBps;

    uint256 private immutable _guardWindow;
    uint256 private immutable _maturityBlocks;
    uint256 private immutable _minFee;
    uint256 private immutable _maxFee;
    uint256 private immutable _volatilityFactor;
    uint256 private immutable _deviationFactor;
    uint256 private immutable _truncationRate;

    /// @dev See PoolState for the layout of the two (the third is `_oracle`).
    uint256 private _core;
    uint256 private _window;

    /// @dev total supply 112 | √(reserve0·reserve1), rounded up, when the protocol's part was last taken 112
    uint256 private _supply;

    constructor(
        address factory_,
        address token0_,
        address token1_,
        address gate,
        uint256 protocolShareBps_,
        PoolConfig memory config_
    ) {
        if (
            config_.guardWindow == 0 || config_.guardWindow > 1 hours || config_.maturityBlocks < 2
                || config_.maturityBlocks > 1_000_000 || config_.minFeePips > config_.maxFeePips
        ) revert InvalidConfig();
        factory = factory_;
        emergencyGate = gate;
        token0 = token0_;
        token1 = token1_;
        protocolShareBps = protocolShareBps_;
        _guardWindow = config_.guardWindow;
        _maturityBlocks = config_.maturityBlocks;
        _minFee = config_.minFeePips;
        _maxFee = config_.maxFeePips;
        _volatilityFactor = config_.volatilityFactor;
        _deviationFactor = config_.deviationFactor;
        _truncationRate = config_.truncationRate;
    }

    // trades

    /// @inheritdoc IGuardedPool
    function swapExactIn(
        bool zeroForOne,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 maxFeePips,
        uint256 deadline
    ) external returns (uint256 amountOut) {
        (uint256 core, uint256 window) = _enter(deadline, EmergencyState.THROTTLED);
        uint256 fee;
        (amountOut, fee) = _amountOut(core, window, zeroForOne, amountIn);
        _requireTerms(fee, maxFeePips, amountOut, minAmountOut);
        _applySwap(core, zeroForOne, amountIn, amountOut, to, fee);
        IERC20 tokenIn = IERC20(zeroForOne ? token0 : token1);
        tokenIn.safeTransferFrom(msg.sender, address(this), amountIn);
        _requireArrived(tokenIn, (zeroForOne ? core.reserve0() : core.reserve1()) + amountIn);
        _payOut(zeroForOne ? token1 : token0, to, amountOut);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function swapExactInPrepaid(bool zeroForOne, uint256 minAmountOut, address to, uint256 maxFeePips, uint256 deadline)
        external
        returns (uint256 amountOut)
    {
        (uint256 core, uint256 window) = _enter(deadline, EmergencyState.THROTTLED);
        uint256 amountIn = _arrived(zeroForOne ? token0 : token1, zeroForOne ? core.reserve0() : core.reserve1());
        uint256 fee;
        (amountOut, fee) = _amountOut(core, window, zeroForOne, amountIn);
        _requireTerms(fee, maxFeePips, amountOut, minAmountOut);
        _applySwap(core, zeroForOne, amountIn, amountOut, to, fee);
        _payOut(zeroForOne ? token1 : token0, to, amountOut);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function swapExactOut(
        bool zeroForOne,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 maxFeePips,
        uint256 deadline
    ) external returns (uint256 amountIn) {
        (uint256 core, uint256 window) = _enter(deadline, EmergencyState.THROTTLED);
        uint256 fee;
        (amountIn, fee) = _amountIn(core, window, zeroForOne, amountOut);
        if (fee > maxFeePips) revert FeeTooHigh(fee, maxFeePips);
        if (amountIn > maxAmountIn) revert ExcessiveInput(amountIn, maxAmountIn);
        _applySwap(core, zeroForOne, amountIn, amountOut, to, fee);
        IERC20 tokenIn = IERC20(zeroForOne ? token0 : token1);
        tokenIn.safeTransferFrom(msg.sender, address(this), amountIn);
        _requireArrived(tokenIn, (zeroForOne ? core.reserve0() : core.reserve1()) + amountIn);
        _payOut(zeroForOne ? token1 : token0, to, amountOut);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function swapExactOutPrepaid(
        bool zeroForOne,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 maxFeePips,
        uint256 deadline
    ) external returns (uint256 amountIn) {
        (uint256 core, uint256 window) = _enter(deadline, EmergencyState.THROTTLED);
        uint256 fee;
        (amountIn, fee) = _amountIn(core, window, zeroForOne, amountOut);
        if (fee > maxFeePips) revert FeeTooHigh(fee, maxFeePips);
        if (amountIn > maxAmountIn) revert ExcessiveInput(amountIn, maxAmountIn);
        address tokenIn = zeroForOne ? token0 : token1;
        uint256 arrived = _arrived(tokenIn, zeroForOne ? core.reserve0() : core.reserve1());
        if (arrived < amountIn) revert InsufficientPayment(tokenIn, arrived, amountIn);
        _applySwap(core, zeroForOne, amountIn, amountOut, to, fee);
        _payOut(zeroForOne ? token1 : token0, to, amountOut);
        if (arrived > amountIn) _payOut(tokenIn, msg.sender, arrived - amountIn);
        _unlock();
    }

    // liquidity

    /// @inheritdoc IGuardedPool
    function mint(uint256 maxAmount0, uint256 maxAmount1, uint256 minShares, uint256 deadline)
        external
        returns (uint256 shares, uint256 amount0, uint256 amount1)
    {
        (uint256 core,) = _enter(deadline, EmergencyState.THROTTLED);
        (shares, amount0, amount1) = _applyMint(core, maxAmount0, maxAmount1, minShares);
        IERC20(token0).safeTransferFrom(msg.sender, address(this), amount0);
        IERC20(token1).safeTransferFrom(msg.sender, address(this), amount1);
        _requireArrived(IERC20(token0), core.reserve0() + amount0);
        _requireArrived(IERC20(token1), core.reserve1() + amount1);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function mintPrepaid(uint256 minShares, uint256 deadline)
        external
        returns (uint256 shares, uint256 amount0, uint256 amount1)
    {
        (uint256 core,) = _enter(deadline, EmergencyState.THROTTLED);
        uint256 arrived0 = _arrived(token0, core.reserve0());
        uint256 arrived1 = _arrived(token1, core.reserve1());
        (shares, amount0, amount1) = _applyMint(core, arrived0, arrived1, minShares);
        if (arrived0 > amount0) _payOut(token0, msg.sender, arrived0 - amount0);
        if (arrived1 > amount1) _payOut(token1, msg.sender, arrived1 - amount1);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function burn(uint256 shares, uint256 minAmount0, uint256 minAmount1, address to, uint256 deadline)
        external
        returns (uint256 amount0, uint256 amount1)
    {
        (uint256 core,) = _enter(deadline, EmergencyState.WITHDRAW_ONLY);
        if (shares == 0) revert ZeroAmount();
        uint256 supply = _accrueProtocolShares(core);
        _debit(msg.sender, shares);
        (amount0, amount1) = _burnAmountsDown(core, supply, shares);
        if (amount0 < minAmount0) revert InsufficientOutput(amount0, minAmount0);
        if (amount1 < minAmount1) revert InsufficientOutput(amount1, minAmount1);
        _applyLiquidity(core, core.reserve0() - amount0, core.reserve1() - amount1, supply - shares);
        emit Transfer(msg.sender, address(0), shares);
        emit Burn(msg.sender, to, amount0, amount1, shares);
        _payOut(token0, to, amount0);
        _payOut(token1, to, amount1);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function seed(address provider, uint256 amount0, uint256 amount1) external returns (uint256 shares) {
        if (msg.sender != factory) revert NotFactory(msg.sender);
        if (_core.reserve0() != 0) revert AlreadySeeded();
        if (amount0 == 0 || amount1 == 0) revert ZeroAmount();
        if (amount0 > PoolState.RESERVE_MASK || amount1 > PoolState.RESERVE_MASK) revert ReserveOverflow();
        uint256 root = Math.sqrt(amount0 * amount1);
        if (root <= MINIMUM_LIQUIDITY) revert InsufficientLiquidity();
        shares = root - MINIMUM_LIQUIDITY;
        uint256 core = _core.withBlock(_blockNumber()).withReservesLocked(amount0, amount1);
        (_window, _oracle) = PoolState.initial(core, block.timestamp, _minFee);
        _storeFirstObservation();
        _applyLiquidity(core, amount0, amount1, root);
        uint256 maturesAt_ = _blockNumber() + _maturityBlocks;
        _credit(address(0), address(0), MINIMUM_LIQUIDITY);
        _creditImmature(provider, shares, maturesAt_);
        emit Mint(provider, amount0, amount1, shares, maturesAt_);
        _requireArrived(IERC20(token0), amount0);
        _requireArrived(IERC20(token1), amount1);
        _unlock();
    }

    // upkeep

    /// @inheritdoc IGuardedPool
    function checkpoint() external {
        (uint256 core,) = _enter(type(uint256).max, EmergencyState.WITHDRAW_ONLY);
        _core = core;
    }

    /// @inheritdoc IGuardedPool
    function skim() external returns (uint256 amount0, uint256 amount1) {
        (uint256 core,) = _enter(type(uint256).max, EmergencyState.WITHDRAW_ONLY);
        address treasury = IPoolFactory(factory).treasury();
        amount0 = _arrived(token0, core.reserve0());
        amount1 = _arrived(token1, core.reserve1());
        _core = core | PoolState.LOCK;
        emit Skimmed(msg.sender, treasury, amount0, amount1);
        if (amount0 > 0) _payOut(token0, treasury, amount0);
        if (amount1 > 0) _payOut(token1, treasury, amount1);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function increaseObservationCardinality(uint16 cardinality) external {
        _requireUnlocked(_core);
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
        return PoolConfig({
            guardWindow: uint32(_guardWindow),
            maturityBlocks: uint32(_maturityBlocks),
            minFeePips: uint16(_minFee),
            maxFeePips: uint16(_maxFee),
            volatilityFactor: uint32(_volatilityFactor),
            deviationFactor: uint32(_deviationFactor),
            truncationRate: uint16(_truncationRate)
        });
    }

    function totalSupply() external view returns (uint256) {
        return _supply & SUPPLY_MASK;
    }

    /// @inheritdoc IGuardedPool
    function blockNumber() external view returns (uint256) {
        return _blockNumber();
    }

    /// @inheritdoc IGuardedPool
    function getReserves() external view returns (uint256 reserve0, uint256 reserve1) {
        uint256 core = _readCore();
        return (core.reserve0(), core.reserve1());
    }

    /// @inheritdoc IGuardedPool
    function guardPrices() external view returns (uint256 lowX128, uint256 highX128) {
        uint256 window = _windowNow(_readCore());
        return (PriceFloat.toX128(window.lowOf()), PriceFloat.toX128(window.highOf()));
    }

    /// @inheritdoc IGuardedPool
    function feePips() external view returns (uint256) {
        uint256 core = _readCore();
        return _feeInForce(core, _windowNow(core));
    }

    /// @inheritdoc IGuardedPool
    function quoteExactIn(bool zeroForOne, uint256 amountIn) external view returns (uint256, uint256) {
        uint256 core = _readTradable();
        return _amountOut(core, _windowNow(core), zeroForOne, amountIn);
    }

    /// @inheritdoc IGuardedPool
    function quoteExactOut(bool zeroForOne, uint256 amountOut) external view returns (uint256, uint256) {
        uint256 core = _readTradable();
        return _amountIn(core, _windowNow(core), zeroForOne, amountOut);
    }

    /// @inheritdoc IGuardedPool
    function quoteExactInNext(bool zeroForOne, uint256 amountIn, uint256 timestamp)
        external
        view
        returns (uint256, uint256)
    {
        uint256 core = _readTradable();
        (uint256 window,) = _checkpointed(core, timestamp);
        return _amountOut(core, window, zeroForOne, amountIn);
    }

    /// @inheritdoc IGuardedPool
    function quoteExactOutNext(bool zeroForOne, uint256 amountOut, uint256 timestamp)
        external
        view
        returns (uint256, uint256)
    {
        uint256 core = _readTradable();
        (uint256 window,) = _checkpointed(core, timestamp);
        return _amountIn(core, window, zeroForOne, amountOut);
    }

    /// @inheritdoc IGuardedPool
    function quoteMint(uint256 maxAmount0, uint256 maxAmount1)
        external
        view
        returns (uint256 shares, uint256 amount0, uint256 amount1)
    {
        uint256 core = _readTradable();
        (uint256 supply,) = _supplyAfterAccrual(core);
        return _mintAmountsUp(core, supply, maxAmount0, maxAmount1);
    }

    /// @inheritdoc IGuardedPool
    function quoteBurn(uint256 shares) external view returns (uint256 amount0, uint256 amount1) {
        uint256 core = _readCore();
        _requireState(core, EmergencyState.WITHDRAW_ONLY);
        (uint256 supply,) = _supplyAfterAccrual(core);
        if (shares > supply) revert InsufficientLiquidity();
        return _burnAmountsDown(core, supply, shares);
    }

    // entry and exit

    /// @dev Must come first in whatever moves reserves. The caller stores `core`: its block may be new.
    function _enter(uint256 deadline, EmergencyState worst) private returns (uint256 core, uint256 window) {
        if (block.timestamp > deadline) revert Expired(deadline);
        core = _core;
        _requireUnlocked(core);
        _requireState(core, worst);
        window = _window;
        uint256 number = _blockNumber();
        if (core.blockOf() != number & PoolState.BLOCK_MASK) {
            uint256 oracle = _oracle;
            uint256 next;
            (window, next) = PoolState.checkpoint(core, window, oracle, block.timestamp, _checkpointConfig());
            _window = window;
            _oracle = _storeObservation(oracle, next);
            core = core.withBlock(number);
        }
    }

    /// @dev Reads the slot again, since the gate may have moved the state while a token was called.
    function _unlock() private {
        _core &= ~PoolState.LOCK;
    }

    function _readCore() private view returns (uint256 core) {
        core = _core;
        _requireUnlocked(core);
    }

    function _readTradable() private view returns (uint256 core) {
        core = _readCore();
        _requireState(core, EmergencyState.THROTTLED);
    }

    function _requireUnlocked(uint256 core) private pure {
        if (core.isLocked()) revert Locked();
    }

    function _requireState(uint256 core, EmergencyState worst) private pure {
        if (core.stateOf() > uint256(worst)) revert EmergencyStateForbids(EmergencyState(core.stateOf()));
    }

    function _requireTransferable() internal view override {
        _requireState(_readCore(), EmergencyState.WITHDRAW_ONLY);
    }

    // checkpoint

    function _checkpointConfig() private view returns (PoolState.CheckpointConfig memory) {
        return PoolState.CheckpointConfig({
            guardWindow: _guardWindow,
            minFee: _minFee,
            maxFee: _maxFee,
            volatilityFactor: _volatilityFactor,
            deviationFactor: _deviationFactor,
            truncationRate: _truncationRate
        });
    }

    function _checkpointed(uint256 core, uint256 timestamp) private view returns (uint256 window, uint256 oracle) {
        return PoolState.checkpoint(core, _window, _oracle, timestamp, _checkpointConfig());
    }

    /// @dev The window as the next trade of this block will see it.
    function _windowNow(uint256 core) private view returns (uint256 window) {
        // A block number that the pool stored itself: equal means this very block.
        // slither-disable-next-line incorrect-equality
        if (core.blockOf() == _blockNumber() & PoolState.BLOCK_MASK) return _window;
        (window,) = _checkpointed(core, block.timestamp);
    }

    function _blockNumber() internal view override(BlockNumber, LiquidityToken) returns (uint256) {
        return BlockNumber._blockNumber();
    }

    function _oracleNow() internal view override returns (uint256 oracle) {
        uint256 core = _readCore();
        // A block number that the pool stored itself: equal means this very block.
        // slither-disable-next-line incorrect-equality
        if (core.blockOf() == _blockNumber() & PoolState.BLOCK_MASK) return _oracle;
        (, oracle) = _checkpointed(core, block.timestamp);
    }

    // trades

    function _feeInForce(uint256 core, uint256 window) private view returns (uint256) {
        // An enumeration, not an amount: nobody can push it past a value.
        // slither-disable-next-line incorrect-equality
        return core.stateOf() == uint256(EmergencyState.THROTTLED) ? _maxFee : window.feeOf();
    }

    function _amountOut(uint256 core, uint256 window, bool zeroForOne, uint256 amountIn)
        private
        view
        returns (uint256 amountOut, uint256 fee)
    {
        (uint256 reserveIn, uint256 reserveOut, uint256 bound) = _side(core, window, zeroForOne);
        // Zero is the one amount that is refused; no balance is compared.
        // slither-disable-next-line incorrect-equality
        if (amountIn == 0) revert ZeroAmount();
        if (amountIn > PoolState.RESERVE_MASK - reserveIn) revert ReserveOverflow();
        fee = _feeInForce(core, window);
        amountOut = SwapMath.amountOutDown(reserveIn, reserveOut, amountIn, fee, bound, zeroForOne);
        _requireSize(core, reserveOut, amountOut);
    }

    function _amountIn(uint256 core, uint256 window, bool zeroForOne, uint256 amountOut)
        private
        view
        returns (uint256 amountIn, uint256 fee)
    {
        (uint256 reserveIn, uint256 reserveOut, uint256 bound) = _side(core, window, zeroForOne);
        if (amountOut == 0) revert ZeroAmount();
        if (amountOut >= reserveOut) revert InsufficientLiquidity();
        fee = _feeInForce(core, window);
        amountIn = SwapMath.amountInUp(reserveIn, reserveOut, amountOut, fee, bound, zeroForOne);
        if (amountIn > PoolState.RESERVE_MASK - reserveIn) revert ReserveOverflow();
        _requireSize(core, reserveOut, amountOut);
    }

    function _side(uint256 core, uint256 window, bool zeroForOne)
        private
        pure
        returns (uint256 reserveIn, uint256 reserveOut, uint256 bound)
    {
        return zeroForOne
            ? (core.reserve0(), core.reserve1(), window.lowOf())
            : (core.reserve1(), core.reserve0(), window.highOf());
    }

    function _requireSize(uint256 core, uint256 reserveOut, uint256 amountOut) private pure {
        // An enumeration, not an amount: nobody can push it past a value.
        // slither-disable-next-line incorrect-equality
        if (core.stateOf() == uint256(EmergencyState.THROTTLED)) {
            uint256 cap = reserveOut * THROTTLED_CAP_BPS / BPS;
            if (amountOut > cap) revert SizeCapExceeded(amountOut, cap);
        }
    }

    function _requireTerms(uint256 fee, uint256 maxFeePips, uint256 amountOut, uint256 minAmountOut) private pure {
        if (fee > maxFeePips) revert FeeTooHigh(fee, maxFeePips);
        if (amountOut < minAmountOut) revert InsufficientOutput(amountOut, minAmountOut);
        // Zero is the one amount that is refused; no balance is compared.
        // slither-disable-next-line incorrect-equality
        if (amountOut == 0) revert ZeroAmount();
    }

    function _applySwap(uint256 core, bool zeroForOne, uint256 amountIn, uint256 amountOut, address to, uint256 fee)
        private
    {
        unchecked {
            // In: checked against 112 bits. Out: below the reserve.
            if (zeroForOne) {
                _core = core.withReservesLocked(core.reserve0() + amountIn, core.reserve1() - amountOut);
                emit Swap(msg.sender, to, int256(amountIn), -int256(amountOut), fee);
            } else {
                _core = core.withReservesLocked(core.reserve0() - amountOut, core.reserve1() + amountIn);
                emit Swap(msg.sender, to, -int256(amountOut), int256(amountIn), fee);
            }
        }
    }

    // liquidity

    function _applyMint(uint256 core, uint256 maxAmount0, uint256 maxAmount1, uint256 minShares)
        private
        returns (uint256 shares, uint256 amount0, uint256 amount1)
    {
        uint256 supply = _accrueProtocolShares(core);
        (shares, amount0, amount1) = _mintAmountsUp(core, supply, maxAmount0, maxAmount1);
        // Zero shares is the one result that is refused; no balance is compared.
        // slither-disable-next-line incorrect-equality
        if (shares == 0) revert ZeroAmount();
        if (shares < minShares) revert InsufficientOutput(shares, minShares);
        uint256 maturesAt_ = _blockNumber() + _maturityBlocks;
        _creditImmature(msg.sender, shares, maturesAt_);
        _applyLiquidity(core, core.reserve0() + amount0, core.reserve1() + amount1, supply + shares);
        emit Mint(msg.sender, amount0, amount1, shares, maturesAt_);
    }

    function _mintAmountsUp(uint256 core, uint256 supply, uint256 maxAmount0, uint256 maxAmount1)
        private
        pure
        returns (uint256 shares, uint256 amount0, uint256 amount1)
    {
        (uint256 r0, uint256 r1) = (core.reserve0(), core.reserve1());
        maxAmount0 = Math.min(maxAmount0, PoolState.RESERVE_MASK - r0);
        maxAmount1 = Math.min(maxAmount1, PoolState.RESERVE_MASK - r1);
        shares = Math.min(maxAmount0 * supply / r0, maxAmount1 * supply / r1);
        amount0 = Math.ceilDiv(shares * r0, supply);
        amount1 = Math.ceilDiv(shares * r1, supply);
    }

    function _burnAmountsDown(uint256 core, uint256 supply, uint256 shares)
        private
        pure
        returns (uint256 amount0, uint256 amount1)
    {
        amount0 = core.reserve0() * shares / supply;
        amount1 = core.reserve1() * shares / supply;
    }

    function _applyLiquidity(uint256 core, uint256 r0, uint256 r1, uint256 supply) private {
        _core = core.withReservesLocked(r0, r1);
        _supply = supply | (_rootUp(r0, r1) << 112);
    }

    /// @dev The protocol's part of what the pool grew since liquidity last changed, as new shares. Rounded against it twice:
    /// the old root is rounded up and the new one down.
    function _accrueProtocolShares(uint256 core) private returns (uint256 supply) {
        uint256 accrued;
        (supply, accrued) = _supplyAfterAccrual(core);
        if (accrued > 0) {
            _credit(address(0), factory, accrued);
            emit ProtocolSharesAccrued(factory, accrued);
        }
    }

    function _supplyAfterAccrual(uint256 core) private view returns (uint256 supply, uint256 accrued) {
        uint256 packed = _supply;
        supply = packed & SUPPLY_MASK;
        if (protocolShareBps != 0) {
            uint256 root = Math.sqrt(core.reserve0() * core.reserve1());
            uint256 rootBefore = packed >> 112;
            if (root > rootBefore) {
                uint256 part = (root - rootBefore) * protocolShareBps;
                accrued = supply * part / (root * BPS - part);
                supply += accrued;
            }
        }
    }

    function _rootUp(uint256 r0, uint256 r1) private view returns (uint256) {
        if (protocolShareBps == 0) return 0;
        return Math.sqrt(r0 * r1, Math.Rounding.Ceil);
    }

    // tokens

    /// @dev What the pool holds beyond `reserve`; zero if it holds less.
    function _arrived(address token, uint256 reserve) private view returns (uint256) {
        uint256 balance = IERC20(token).balanceOf(address(this));
        return balance > reserve ? balance - reserve : 0;
    }

    function _requireArrived(IERC20 token, uint256 reserve) private view {
        uint256 balance = token.balanceOf(address(this));
        if (balance < reserve) revert InsufficientPayment(address(token), balance, reserve);
    }

    function _payOut(address token, address to, uint256 amount) private {
        IERC20(token).safeTransfer(to, amount);
    }
}
