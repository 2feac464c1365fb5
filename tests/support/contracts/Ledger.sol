// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Counts how often each thing was done, so that a test sees what was lost and what happened twice.
contract Ledger {
    event Done(bytes32 indexed id, address indexed by, uint256 times);

    error Stopped(bytes32 id);

    mapping(bytes32 id => uint256) public times;
    bool public stopped;

    function act(bytes32 id) external {
        if (stopped) revert Stopped(id);
        emit Done(id, msg.sender, ++times[id]);
    }

    function stop(bool value) external {
        stopped = value;
    }
}
