// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev Planted for Mythril: the balance is written after the call that pays it out.
contract ReentrancyCanary {
    mapping(address => uint256) public balanceOf;

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
    }

    function withdraw() external {
        uint256 owed = balanceOf[msg.sender];
        (bool ok,) = msg.sender.call{value: owed}("");
        require(ok);
        balanceOf[msg.sender] = 0;
    }
}

/// @dev Planted for Mythril: anyone may destroy it and take what it holds.
contract DestructionCanary {
    uint256 public deposits;

    function deposit() external payable {
        ++deposits;
    }

    function close() external {
        selfdestruct(payable(msg.sender));
    }
}
