// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that makes a configured call while it transfers, once per arming.
contract ReentrantToken is ERC20 {
    event CalledBack(bool success, bytes result);

    uint8 private immutable _DECIMALS;
    address public target;
    bytes public data;
    bool public bubbles;
    bool public lastSuccess;
    bytes public lastResult;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) ERC20(name_, symbol_) {
        _DECIMALS = decimals_;
    }

    function decimals() public view override returns (uint8) {
        return _DECIMALS;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @param bubbles_ Whether a failed call fails the transfer with the same data.
    function arm(address target_, bytes calldata data_, bool bubbles_) external {
        target = target_;
        data = data_;
        bubbles = bubbles_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        address armed = target;
        if (armed == address(0)) return;
        target = address(0);
        (bool success, bytes memory result) = armed.call(data);
        lastSuccess = success;
        lastResult = result;
        if (!success && bubbles) {
            assembly ("memory-safe") {
                revert(add(result, 32), mload(result))
            }
        }
        emit CalledBack(success, result);
    }
}
