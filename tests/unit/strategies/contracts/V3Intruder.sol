// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

interface ISwappingPool {
    function token0() external view returns (address);
    function token1() external view returns (address);
    function swap(address recipient, bool zeroForOne, int256 amount, uint160 sqrtPriceLimitX96, bytes calldata data)
        external
        returns (int256 amount0, int256 amount1);
}

/// @notice Swaps in a V3 pool and, before it pays, asks another contract what it is told to ask.
contract V3Intruder {
    struct Answer {
        bool success;
        bytes data;
    }

    ISwappingPool private immutable POOL;
    Answer[] private _answers;

    constructor(ISwappingPool pool) {
        POOL = pool;
    }

    function run(bool zeroForOne, int256 amount, address target, bytes[] calldata calls) external {
        delete _answers;
        uint160 limit = zeroForOne ? 4_295_128_740 : 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341;
        POOL.swap(address(this), zeroForOne, amount, limit, abi.encode(target, calls));
    }

    function answers() external view returns (Answer[] memory) {
        return _answers;
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external {
        (address target, bytes[] memory calls) = abi.decode(data, (address, bytes[]));
        for (uint256 i; i < calls.length; ++i) {
            (bool success, bytes memory result) = target.call(calls[i]);
            _answers.push(Answer(success, result));
        }
        if (amount0 > 0) IERC20(POOL.token0()).transfer(msg.sender, uint256(amount0));
        if (amount1 > 0) IERC20(POOL.token1()).transfer(msg.sender, uint256(amount1));
    }
}
