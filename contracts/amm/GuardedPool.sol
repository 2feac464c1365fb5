// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IGuardedPool, PoolConfig} from "interfaces/amm/IGuardedPool.sol";
import {IPoolFactory} from "interfaces/amm/IPoolFactory.sol";
import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";

import {PoolQuotes} from "./PoolQuotes.sol";
import {PoolState} from "./PoolState.sol";

/// @title A pool in which no round trip within the guard window profits
/// @notice See IGuardedPool for the promise and docs/amm.md for its proof.
/// @dev Here money moves: PoolGuard lets in and keeps the window, PoolQuotes says what is owed. State is final before any
/// token is called.
contract GuardedPool is PoolQuotes {
    using SafeERC20 for IERC20;
    using PoolState for uint256;

    /// Shares that no one owns, so that the reserves never empty.
    uint256 public constant MINIMUM_LIQUIDITY = 1_000;

    address public immutable factory;
    address public immutable token0;
    address public immutable token1;

    constructor(
        address factory_,
        address token0_,
        address token1_,
        address gate,
        uint256 protocolShareBps_,
        PoolConfig memory config_
    ) PoolQuotes(gate, protocolShareBps_, config_) {
        factory = factory_;
        token0 = token0_;
        token1 = token1_;
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
        amountOut = _sell(core, window, zeroForOne, amountIn, minAmountOut, to, maxFeePips);
        _pullIn(core, zeroForOne, amountIn);
        _payOut(zeroForOne ? token1 : token0, to, amountOut);
        _unlock();
    }

    /// @inheritdoc IGuardedPool
    function swapExactInPrepaid(bool zeroForOne, uint256 minAmountOut, address to, uint256 maxFeePips, uint256 deadline)
        external
        returns (uint256 amountOut)
    {
        (uint256 core, uint256 window) = _enter(deadline, EmergencyState.THROTTLED);
        uint256 amountIn = _arrived(zeroForOne ? token0 : token1, core.reserveOf(zeroForOne));
        amountOut = _sell(core, window, zeroForOne, amountIn, minAmountOut, to, maxFeePips);
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
        amountIn = _buy(core, window, zeroForOne, amountOut, maxAmountIn, to, maxFeePips);
        _pullIn(core, zeroForOne, amountIn);
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
        address tokenIn = zeroForOne ? token0 : token1;
        uint256 arrived = _arrived(tokenIn, core.reserveOf(zeroForOne));
        amountIn = _buy(core, window, zeroForOne, amountOut, maxAmountIn, to, maxFeePips);
        if (arrived < amountIn) revert InsufficientPayment(tokenIn, arrived, amountIn);
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
        _pullIn(core, true, amount0);
        _pullIn(core, false, amount1);
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
        (_window, _oracle) = PoolState.initial(core, block.timestamp, _settings.minFeeOf());
        _storeFirstObservation();
        _applyLiquidity(core, amount0, amount1, root);
        uint256 maturesAt_ = _blockNumber() + _settings.maturityBlocksOf();
        _credit(address(0), address(0), MINIMUM_LIQUIDITY);
        _creditImmature(provider, shares, maturesAt_);
        emit Mint(provider, amount0, amount1, shares, maturesAt_);
        _requireArrived(token0, amount0);
        _requireArrived(token1, amount1);
        _unlock();
    }

    // upkeep

    /// @inheritdoc IGuardedPool
    function skim() external returns (uint256 amount0, uint256 amount1) {
        (uint256 core,) = _enter(type(uint256).max, EmergencyState.THROTTLED);
        address treasury = IPoolFactory(factory).treasury();
        amount0 = _arrived(token0, core.reserve0());
        amount1 = _arrived(token1, core.reserve1());
        _core = core | PoolState.LOCK;
        emit Skimmed(msg.sender, treasury, amount0, amount1);
        if (amount0 > 0) _payOut(token0, treasury, amount0);
        if (amount1 > 0) _payOut(token1, treasury, amount1);
        _unlock();
    }

    // state

    function _sell(
        uint256 core,
        uint256 window,
        bool zeroForOne,
        uint256 amountIn,
        uint256 minAmountOut,
        address to,
        uint256 maxFeePips
    ) private returns (uint256 amountOut) {
        uint256 fee;
        (amountOut, fee) = _amountOut(core, window, zeroForOne, amountIn);
        if (fee > maxFeePips) revert FeeTooHigh(fee, maxFeePips);
        if (amountOut < minAmountOut) revert InsufficientOutput(amountOut, minAmountOut);
        // Zero is the one amount that is refused; no balance is compared.
        // slither-disable-next-line incorrect-equality
        if (amountOut == 0) revert ZeroAmount();
        _applySwap(core, zeroForOne, amountIn, amountOut, to, fee);
    }

    function _buy(
        uint256 core,
        uint256 window,
        bool zeroForOne,
        uint256 amountOut,
        uint256 maxAmountIn,
        address to,
        uint256 maxFeePips
    ) private returns (uint256 amountIn) {
        uint256 fee;
        (amountIn, fee) = _amountIn(core, window, zeroForOne, amountOut);
        if (fee > maxFeePips) revert FeeTooHigh(fee, maxFeePips);
        if (amountIn > maxAmountIn) revert ExcessiveInput(amountIn, maxAmountIn);
        _applySwap(core, zeroForOne, amountIn, amountOut, to, fee);
    }

    function _applySwap(uint256 core, bool zeroForOne, uint256 amountIn, uint256 amountOut, address to, uint256 fee)
        private
    {
        _core = core.withTradeLocked(zeroForOne, amountIn, amountOut);
        unchecked {
            (int256 amount0, int256 amount1) =
                zeroForOne ? (int256(amountIn), -int256(amountOut)) : (-int256(amountOut), int256(amountIn));
            emit Swap(msg.sender, to, amount0, amount1, fee);
        }
    }

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
        uint256 maturesAt_ = _blockNumber() + _settings.maturityBlocksOf();
        _creditImmature(msg.sender, shares, maturesAt_);
        _applyLiquidity(core, core.reserve0() + amount0, core.reserve1() + amount1, supply + shares);
        emit Mint(msg.sender, amount0, amount1, shares, maturesAt_);
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

    // tokens

    /// @dev Takes what is owed from the caller; `core` is as before the change.
    function _pullIn(uint256 core, bool isToken0, uint256 amount) private {
        address token = isToken0 ? token0 : token1;
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        unchecked {
            // Both below 2^112.
            _requireArrived(token, core.reserveOf(isToken0) + amount);
        }
    }

    /// @dev What the pool holds beyond `reserve`; zero if it holds less.
    function _arrived(address token, uint256 reserve) private view returns (uint256) {
        return Math.saturatingSub(_balance(token), reserve);
    }

    function _requireArrived(address token, uint256 reserve) private view {
        uint256 balance = _balance(token);
        if (balance < reserve) revert InsufficientPayment(token, balance, reserve);
    }

    function _balance(address token) private view returns (uint256 held) {
        bytes4 selector = IERC20.balanceOf.selector;
        // held = IERC20(token).balanceOf(address(this)), in the scratch space
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, address())
            if iszero(and(gt(returndatasize(), 0x1f), staticcall(gas(), token, 0x00, 0x24, 0x00, 0x20))) {
                returndatacopy(0x00, 0x00, returndatasize())
                revert(0x00, returndatasize())
            }
            held := mload(0x00)
        }
    }

    function _payOut(address token, address to, uint256 amount) private {
        IERC20(token).safeTransfer(to, amount);
    }
}
