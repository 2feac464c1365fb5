// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";

/// @title How a target reports to the circuit breaker at the lowest price
/// @notice Only the breaker's own `OutflowLimitExceeded` refuses. A breaker that fails in any other way is broken, and
/// must not hold anybody (R9): what it could not count leaves uncounted, and the target says so.
/// @dev For breakers known to have code (checked once, in the target's constructor): a call to an address without code
/// succeeds and meters nothing.
library Meter {
    /// Some thirty times what a report costs. Whoever supplies less is refused, so no gas limit breaks the breaker.
    uint256 private constant REPORT_GAS = 300_000;
    /// The selector and its four arguments.
    uint256 private constant REFUSAL_SIZE = 0x84;

    /// @notice The breaker failed, and not by its limit: this movement was not metered.
    event Unmetered(address indexed breaker, address indexed asset, uint256 assets);

    /// @dev breaker.onOutflow(asset, assets)
    function outflow(ICircuitBreaker breaker, address asset, uint256 assets) internal {
        _report(breaker, ICircuitBreaker.onOutflow.selector, asset, assets);
    }

    /// @dev breaker.onInflow(asset, assets)
    function inflow(ICircuitBreaker breaker, address asset, uint256 assets) internal {
        _report(breaker, ICircuitBreaker.onInflow.selector, asset, assets);
    }

    function _report(ICircuitBreaker breaker, bytes4 selector, address asset, uint256 assets) private {
        uint256 gasCap = REPORT_GAS;
        bool ok;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), shr(96, shl(96, asset)))
            mstore(add(data, 0x24), assets)
            ok := call(gasCap, breaker, 0, data, 0x44, 0, 0)
        }
        if (!ok) _requireNotRefused(breaker, asset, assets);
    }

    /// @dev A call gets 63/64 of the gas: less than REPORT_GAS/63 left means that the breaker may have had too little.
    function _requireNotRefused(ICircuitBreaker breaker, address asset, uint256 assets) private {
        bytes4 refusal = ICircuitBreaker.OutflowLimitExceeded.selector;
        uint256 size = REFUSAL_SIZE;
        assembly ("memory-safe") {
            if eq(returndatasize(), size) {
                let answer := mload(0x40)
                returndatacopy(answer, 0, size)
                if eq(shl(224, shr(224, mload(answer))), refusal) { revert(answer, size) }
            }
        }
        if (gasleft() < REPORT_GAS / 63) revert ICircuitBreaker.InsufficientGas(REPORT_GAS);
        emit Unmetered(address(breaker), asset, assets);
    }
}
