// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IUniswapV3Venue} from "interfaces/capital/IUniswapV3Venue.sol";
import {ISwapVenue} from "interfaces/capital/ISwapVenue.sol";
import {ISwapRouter} from "interfaces/external/ISwapRouter.sol";

/// @title UniswapV3Venue
/// @notice Sells along one fixed path per pair; holds nothing between calls, and anybody may use it with his own
/// tokens.
contract UniswapV3Venue is IUniswapV3Venue, AccessManaged {
    using SafeERC20 for IERC20;

    ISwapRouter private immutable SWAP_ROUTER;

    mapping(address tokenIn => mapping(address tokenOut => bytes path)) private _paths;

    constructor(address swapRouter_, address authority_) AccessManaged(authority_) {
        require(swapRouter_ != address(0), ZeroAddress());
        SWAP_ROUTER = ISwapRouter(swapRouter_);
    }

    /// @inheritdoc ISwapVenue
    function sell(address tokenIn, address tokenOut, uint256 amountIn, uint256 minAmountOut, address receiver)
        external
        returns (uint256 amountOut)
    {
        bytes memory path = _paths[tokenIn][tokenOut];
        require(path.length != 0, NoPath(tokenIn, tokenOut));
        uint256 inBefore = IERC20(tokenIn).balanceOf(address(this));
        uint256 outBefore = IERC20(tokenOut).balanceOf(receiver);
        IERC20(tokenIn).safeTransferFrom(msg.sender, address(this), amountIn);
        uint256 arrived = IERC20(tokenIn).balanceOf(address(this)) - inBefore;

        IERC20(tokenIn).forceApprove(address(SWAP_ROUTER), arrived);
        // What the receiver gained is measured, not believed, and no balance is kept between calls.
        // slither-disable-next-line reentrancy-balance,unused-return
        SWAP_ROUTER.exactInput(
            ISwapRouter.ExactInputParams({
                path: path,
                recipient: receiver,
                deadline: block.timestamp,
                amountIn: arrived,
                amountOutMinimum: minAmountOut
            })
        );
        amountOut = IERC20(tokenOut).balanceOf(receiver) - outBefore;
        require(amountOut >= minAmountOut, Underpaid(amountOut, minAmountOut));

        // A pool that runs dry takes only part: the rest goes back.
        uint256 rest = IERC20(tokenIn).balanceOf(address(this)) - inBefore;
        if (rest != 0) {
            IERC20(tokenIn).forceApprove(address(SWAP_ROUTER), 0);
            IERC20(tokenIn).safeTransfer(msg.sender, rest);
        }
        emit Sold(msg.sender, tokenIn, tokenOut, arrived - rest, amountOut, receiver);
    }

    /// @inheritdoc IUniswapV3Venue
    function setPath(address tokenIn, address tokenOut, bytes calldata path) external restricted {
        require(path.length == 0 || _joins(path, tokenIn, tokenOut), PathMismatch(tokenIn, tokenOut));
        _paths[tokenIn][tokenOut] = path;
        emit PathSet(msg.sender, tokenIn, tokenOut, path);
    }

    /// @inheritdoc IUniswapV3Venue
    function pathOf(address tokenIn, address tokenOut) external view returns (bytes memory) {
        return _paths[tokenIn][tokenOut];
    }

    /// @inheritdoc IUniswapV3Venue
    function swapRouter() external view returns (address) {
        return address(SWAP_ROUTER);
    }

    /// @dev Token (20 bytes), then fee (3) and token for each hop.
    function _joins(bytes calldata path, address tokenIn, address tokenOut) private pure returns (bool) {
        return path.length >= 43 && path.length % 23 == 20 && address(bytes20(path[:20])) == tokenIn
            && address(bytes20(path[path.length - 20:])) == tokenOut;
    }
}
