// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A double of the LP token of Curve's first pools: its minter mints and burns, without any allowance.
contract PoolTokenDouble is ERC20 {
    address public minter;

    error NotMinter(address account);

    constructor(string memory name_, string memory symbol_) ERC20(name_, symbol_) {
        minter = msg.sender;
    }

    function set_minter(address minter_) external {
        require(msg.sender == minter, NotMinter(msg.sender));
        minter = minter_;
    }

    function mint(address to, uint256 amount) external returns (bool) {
        require(msg.sender == minter, NotMinter(msg.sender));
        _mint(to, amount);
        return true;
    }

    function burnFrom(address owner, uint256 amount) external returns (bool) {
        require(msg.sender == minter, NotMinter(msg.sender));
        _burn(owner, amount);
        return true;
    }
}
