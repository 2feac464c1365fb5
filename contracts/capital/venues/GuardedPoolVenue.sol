// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IGuardedPool} from "interfaces/amm/IGuardedPool.sol";
import {IGuardedPoolVenue} from "interfaces/capital/IGuardedPoolVenue.sol";
import {ISwapVenue} from "interfaces/capital/ISwapVenue.sol";

/// @title GuardedPoolVenue
/// @notice Sells in one guarded pool per pair; holds nothing between calls, and anybody may use it with his own tokens.
contract GuardedPoolVenue is IGuardedPoolVenue, AccessManaged {
    using SafeERC20 for IERC20;

    uint256 private constant ANY_FEE = 1_000_000;

    mapping(address token0 => mapping(address token1 => address pool)) private _pools;

    constructor(address authority_) AccessManaged(authority_) {}

    /// @inheritdoc ISwapVenue
    function sell(address tokenIn, address tokenOut, uint256 amountIn, uint256 minAmountOut, address receiver)
        external
        returns (uint256 amountOut)
    {
        address pool = poolOf(tokenIn, tokenOut);
        require(pool != address(0), NoPool(tokenIn, tokenOut));
        uint256 inBefore = IERC20(tokenIn).balanceOf(address(this));
        uint256 outBefore = IERC20(tokenOut).balanceOf(receiver);
        IERC20(tokenIn).safeTransferFrom(msg.sender, address(this), amountIn);
        uint256 arrived = IERC20(tokenIn).balanceOf(address(this)) - inBefore;

        IERC20(tokenIn).forceApprove(pool, arrived);
        // What the receiver gained is measured, not believed, and no balance is kept between calls.
        // slither-disable-next-line reentrancy-balance,unused-return
        IGuardedPool(pool).swapExactIn(tokenIn < tokenOut, arrived, minAmountOut, receiver, ANY_FEE, block.timestamp);
        amountOut = IERC20(tokenOut).balanceOf(receiver) - outBefore;
        require(amountOut >= minAmountOut, Underpaid(amountOut, minAmountOut));
        emit Sold(msg.sender, tokenIn, tokenOut, arrived, amountOut, receiver);
    }

    /// @inheritdoc IGuardedPoolVenue
    function setPool(address pool) external restricted {
        _setPool(IGuardedPool(pool).token0(), IGuardedPool(pool).token1(), pool);
    }

    /// @inheritdoc IGuardedPoolVenue
    function closePair(address tokenA, address tokenB) external restricted {
        (address token0, address token1) = _sort(tokenA, tokenB);
        _setPool(token0, token1, address(0));
    }

    /// @inheritdoc IGuardedPoolVenue
    function poolOf(address tokenA, address tokenB) public view returns (address) {
        (address token0, address token1) = _sort(tokenA, tokenB);
        return _pools[token0][token1];
    }

    function _setPool(address token0, address token1, address pool) private {
        _pools[token0][token1] = pool;
        emit PoolSet(msg.sender, token0, token1, pool);
    }

    function _sort(address tokenA, address tokenB) private pure returns (address, address) {
        return tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
    }
}
