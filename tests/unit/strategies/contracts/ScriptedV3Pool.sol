// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {RangeMath} from "contracts/strategies/lib/RangeMath.sol";

interface IMinter {
    function uniswapV3MintCallback(uint256 amount0Owed, uint256 amount1Owed, bytes calldata data) external;
}

/// @notice A V3 pool whose price, memory and fees are what a test says. It keeps positions, and asks and pays for them what
/// they hold at its price, rounded down both ways.
contract ScriptedV3Pool {
    event Collected(address recipient, int24 lower, int24 upper, uint128 most0, uint128 most1);
    event Burned(int24 lower, int24 upper, uint128 liquidity);

    error Forgotten();
    error NothingHeld();

    address public immutable token0;
    address public immutable token1;
    int24 public immutable tickSpacing;
    uint128 public maxLiquidityPerTick = type(uint128).max / 1000;

    uint160 private _price;
    int24 private _tick;
    uint16 private _cardinality = 100;
    bool private _unlocked = true;
    bool private _remembers = true;
    int56[2] private _sums;
    /// Owed beside what was burned, to whoever collects next.
    uint128[2] private _owed;
    /// What a mint asks for beside what its liquidity costs.
    uint256[2] private _extra;

    mapping(bytes32 key => uint128) public positions;
    mapping(int24 tick => uint128) public gross;

    constructor(address token0_, address token1_, int24 spacing) {
        (token0, token1, tickSpacing) = (token0_, token1_, spacing);
        setTick(0);
    }

    // ---- what a test says

    function setTick(int24 tick) public {
        (_tick, _price) = (tick, RangeMath.sqrtRatioAtTick(tick));
    }

    function setSums(int56 past, int56 present) external {
        _sums = [past, present];
    }

    function setCardinality(uint16 cardinality) external {
        _cardinality = cardinality;
    }

    function setUnlocked(bool unlocked) external {
        _unlocked = unlocked;
    }

    function setRemembers(bool remembers) external {
        _remembers = remembers;
    }

    function setGross(int24 tick, uint128 liquidity) external {
        gross[tick] = liquidity;
    }

    function setMost(uint128 liquidity) external {
        maxLiquidityPerTick = liquidity;
    }

    function setOwed(uint128 amount0, uint128 amount1) external {
        _owed = [amount0, amount1];
    }

    function setExtra(uint256 amount0, uint256 amount1) external {
        _extra = [amount0, amount1];
    }

    // ---- what a strategy asks

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool) {
        return (_price, _tick, 0, 1, _cardinality, 0, _unlocked);
    }

    function observe(uint32[] calldata ago) external view returns (int56[] memory sums, uint160[] memory lengths) {
        require(_remembers && ago.length == 2 && ago[1] == 0, Forgotten());
        (sums, lengths) = (new int56[](2), new uint160[](2));
        (sums[0], sums[1]) = (_sums[0], _sums[1]);
    }

    function ticks(int24 tick) external view returns (uint128, int128) {
        return (gross[tick], 0);
    }

    function mint(address recipient, int24 lower, int24 upper, uint128 liquidity, bytes calldata)
        external
        returns (uint256 amount0, uint256 amount1)
    {
        (amount0, amount1) = _amounts(lower, upper, liquidity);
        (amount0, amount1) = (amount0 + _extra[0], amount1 + _extra[1]);
        positions[keccak256(abi.encodePacked(recipient, lower, upper))] += liquidity;
        IMinter(msg.sender).uniswapV3MintCallback(amount0, amount1, "");
    }

    function burn(int24 lower, int24 upper, uint128 liquidity) external returns (uint256 amount0, uint256 amount1) {
        bytes32 key = keccak256(abi.encodePacked(msg.sender, lower, upper));
        require(positions[key] != 0, NothingHeld());
        positions[key] -= liquidity;
        (amount0, amount1) = _amounts(lower, upper, liquidity);
        _owed[0] += uint128(amount0);
        _owed[1] += uint128(amount1);
        emit Burned(lower, upper, liquidity);
    }

    function collect(address recipient, int24 lower, int24 upper, uint128 most0, uint128 most1)
        external
        returns (uint128 amount0, uint128 amount1)
    {
        amount0 = most0 < _owed[0] ? most0 : _owed[0];
        amount1 = most1 < _owed[1] ? most1 : _owed[1];
        (_owed[0], _owed[1]) = (_owed[0] - amount0, _owed[1] - amount1);
        IERC20(token0).transfer(recipient, amount0);
        IERC20(token1).transfer(recipient, amount1);
        emit Collected(recipient, lower, upper, most0, most1);
    }

    function _amounts(int24 lower, int24 upper, uint128 liquidity) private view returns (uint256, uint256) {
        return
            RangeMath.amountsDown(RangeMath.sqrtRatioAtTick(lower), RangeMath.sqrtRatioAtTick(upper), _price, liquidity);
    }
}
