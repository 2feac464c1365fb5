// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A token whose balances grow or shrink for all holders at once.
contract RebasingToken {
    error InsufficientBalance();
    error InsufficientAllowance();

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Rebased(uint256 index);

    string public name;
    string public symbol;
    uint8 public immutable decimals;
    uint256 public index = 1e18;
    uint256 public totalShares;
    mapping(address account => uint256) public sharesOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) {
        name = name_;
        symbol = symbol_;
        decimals = decimals_;
    }

    /// @param index_ Balance per share, 1e18; starts at 1e18.
    function rebase(uint256 index_) external {
        index = index_;
        emit Rebased(index_);
    }

    function mint(address to, uint256 amount) external {
        uint256 shares = amount * 1e18 / index;
        totalShares += shares;
        sharesOf[to] += shares;
        emit Transfer(address(0), to, amount);
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        emit Approval(msg.sender, spender, amount);
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        _move(msg.sender, to, amount);
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        require(allowed >= amount, InsufficientAllowance());
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - amount;
        _move(from, to, amount);
        return true;
    }

    function totalSupply() external view returns (uint256) {
        return totalShares * index / 1e18;
    }

    function balanceOf(address account) public view returns (uint256) {
        return sharesOf[account] * index / 1e18;
    }

    function _move(address from, address to, uint256 amount) private {
        require(balanceOf(from) >= amount, InsufficientBalance());
        uint256 shares = amount * 1e18 / index;
        sharesOf[from] -= shares;
        sharesOf[to] += shares;
        emit Transfer(from, to, amount);
    }
}
