// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice A constant-product pool with a hook for a guard: what our fuzz must find fault with. Never deployed elsewhere.
abstract contract ControlPool {
    uint256 public constant FEE_PIPS = 500;

    IERC20 public immutable token0;
    IERC20 public immutable token1;
    uint256 internal _reserve0;
    uint256 internal _reserve1;
    uint256 internal _opening0;
    uint256 internal _opening1;
    uint256 internal _lastBlock;

    error GuardHit();

    constructor(IERC20 token0_, IERC20 token1_) {
        token0 = token0_;
        token1 = token1_;
    }

    function seed(uint256 amount0, uint256 amount1) external {
        token0.transferFrom(msg.sender, address(this), amount0);
        token1.transferFrom(msg.sender, address(this), amount1);
        (_reserve0, _reserve1) = (amount0, amount1);
    }

    function swapExactIn(bool zeroForOne, uint256 amountIn, uint256, address to, uint256, uint256)
        external
        returns (uint256 amountOut)
    {
        if (_lastBlock != block.number) {
            (_opening0, _opening1) = (_reserve0, _reserve1);
            _lastBlock = block.number;
        }
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (_reserve0, _reserve1) : (_reserve1, _reserve0);
        uint256 effective = amountIn * (1e6 - FEE_PIPS) / 1e6;
        amountOut = _guarded(zeroForOne, effective, reserveOut * effective / (reserveIn + effective));
        if (zeroForOne) (_reserve0, _reserve1) = (_reserve0 + amountIn, _reserve1 - amountOut);
        else (_reserve0, _reserve1) = (_reserve0 - amountOut, _reserve1 + amountIn);
        (zeroForOne ? token0 : token1).transferFrom(msg.sender, address(this), amountIn);
        (zeroForOne ? token1 : token0).transfer(to, amountOut);
    }

    function getReserves() external view returns (uint256, uint256) {
        return (_reserve0, _reserve1);
    }

    function _guarded(bool zeroForOne, uint256 effective, uint256 amountOut) internal virtual returns (uint256);
}

/// @notice Nobody trades at better than this block's opening price, whichever direction it moved; it forgets at the next block.
contract SameBlockGuardPool is ControlPool {
    constructor(IERC20 token0_, IERC20 token1_) ControlPool(token0_, token1_) {}

    function _guarded(bool zeroForOne, uint256 effective, uint256 amountOut) internal view override returns (uint256) {
        (uint256 openingIn, uint256 openingOut) = zeroForOne ? (_opening0, _opening1) : (_opening1, _opening0);
        uint256 bound = effective * openingOut / openingIn;
        return bound < amountOut ? bound : amountOut;
    }
}

/// @notice One trade per address and guard window; addresses are free.
contract PerSenderGuardPool is ControlPool {
    uint256 public constant GUARD_BLOCKS = 2;
    mapping(address sender => uint256 blockNumber) public lastTradeBlock;

    constructor(IERC20 token0_, IERC20 token1_) ControlPool(token0_, token1_) {}

    function _guarded(bool, uint256, uint256 amountOut) internal override returns (uint256) {
        uint256 last = lastTradeBlock[msg.sender];
        if (last != 0 && block.number < last + GUARD_BLOCKS) revert GuardHit();
        lastTradeBlock[msg.sender] = block.number;
        return amountOut;
    }
}
