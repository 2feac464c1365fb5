// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TestToken} from "tests/support/contracts/TestToken.sol";

/// @notice A token whose issuer bars accounts, as large stablecoins do; some of them silently.
contract BarringToken is TestToken {
    error Barred(address account);

    mapping(address account => bool) public isBarred;
    bool public silent;

    constructor(string memory name_, string memory symbol_, uint8 decimals_) TestToken(name_, symbol_, decimals_) {}

    function bar(address account, bool barred) external {
        isBarred[account] = barred;
    }

    function setSilent(bool silent_) external {
        silent = silent_;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (isBarred[from] || isBarred[to]) {
            if (silent) return;
            revert Barred(isBarred[from] ? from : to);
        }
        super._update(from, to, amount);
    }
}
