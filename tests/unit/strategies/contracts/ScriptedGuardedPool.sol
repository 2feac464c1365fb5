// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice A pool whose reserves, average and state are what a test says. Its shares are worth their part of the reserves,
/// a mint takes what it is told to and gives shares for it, and a trade pays what it is told to.
contract ScriptedGuardedPool is ERC20 {
    event Swapped(bool zeroForOne, uint256 amount, uint256 least, address to, uint256 fee, uint256 deadline);
    event Minted(uint256 most0, uint256 most1, uint256 least, uint256 deadline);
    event Burned(uint256 shares, uint256 least0, uint256 least1, address to, uint256 deadline);

    error Mute();
    error WrongPeriod(uint32 period);

    IERC20 public immutable token0;
    IERC20 public immutable token1;
    uint32 private immutable PERIOD;

    uint8 public emergencyState;
    uint256[2] private _reserves;
    uint256 private _mean;
    bool private _locked;
    uint256 private _immature;
    /// What a burn gives for all shares, where that differs from the reserves.
    uint256[2] private _quoted;
    uint256 private _bought;
    uint256[2] private _taken;
    uint256 private _minted;

    constructor(IERC20 token0_, IERC20 token1_, uint32 period) ERC20("Scripted pool", "SCRIPT") {
        (token0, token1, PERIOD) = (token0_, token1_, period);
    }

    // ---- what a test says

    function setReserves(uint256 reserve0, uint256 reserve1) external {
        (_reserves, _quoted) = ([reserve0, reserve1], [reserve0, reserve1]);
    }

    function setQuoted(uint256 amount0, uint256 amount1) external {
        _quoted = [amount0, amount1];
    }

    function setMean(uint256 mean) external {
        _mean = mean;
    }

    function setLocked(bool locked) external {
        _locked = locked;
    }

    function setState(uint8 state) external {
        emergencyState = state;
    }

    function setImmature(uint256 shares) external {
        _immature = shares;
    }

    function setTrade(uint256 bought) external {
        _bought = bought;
    }

    function setMint(uint256 taken0, uint256 taken1, uint256 shares) external {
        (_taken, _minted) = ([taken0, taken1], shares);
    }

    function give(address to, uint256 shares) external {
        _mint(to, shares);
    }

    // ---- what a strategy asks

    function getReserves() external view returns (uint256, uint256) {
        require(!_locked, Mute());
        return (_reserves[0], _reserves[1]);
    }

    function twap(uint32 period) external view returns (uint256, uint256) {
        require(period == PERIOD, WrongPeriod(period));
        require(_mean != 0, Mute());
        return (0, _mean);
    }

    function matureBalanceOf(address account) external view returns (uint256) {
        return balanceOf(account) - _immature;
    }

    function quoteBurn(uint256 shares) public view returns (uint256, uint256) {
        return (_quoted[0] * shares / totalSupply(), _quoted[1] * shares / totalSupply());
    }

    function swapExactIn(bool zeroForOne, uint256 amount, uint256 least, address to, uint256 fee, uint256 deadline)
        external
        returns (uint256)
    {
        (IERC20 sold, IERC20 bought) = zeroForOne ? (token0, token1) : (token1, token0);
        sold.transferFrom(msg.sender, address(this), amount);
        bought.transfer(to, _bought);
        emit Swapped(zeroForOne, amount, least, to, fee, deadline);
        return _bought;
    }

    function mint(uint256 most0, uint256 most1, uint256 least, uint256 deadline)
        external
        returns (uint256, uint256, uint256)
    {
        token0.transferFrom(msg.sender, address(this), _taken[0]);
        token1.transferFrom(msg.sender, address(this), _taken[1]);
        _mint(msg.sender, _minted);
        emit Minted(most0, most1, least, deadline);
        return (_minted, _taken[0], _taken[1]);
    }

    function burn(uint256 shares, uint256 least0, uint256 least1, address to, uint256 deadline)
        external
        returns (uint256 amount0, uint256 amount1)
    {
        (amount0, amount1) = quoteBurn(shares);
        _burn(msg.sender, shares);
        token0.transfer(to, amount0);
        token1.transfer(to, amount1);
        emit Burned(shares, least0, least1, to, deadline);
    }
}
