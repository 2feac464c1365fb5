// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICircuitBreaker} from "interfaces/safety/ICircuitBreaker.sol";

/// @title How a target reports to the circuit breaker at the lowest price
/// @notice For breakers known to have code (checked once, in the target's constructor): a call to an address without
/// code succeeds and meters nothing. A revert of the breaker is passed on as it came.
library Meter {
    /// @dev breaker.onOutflow(asset, assets)
    function outflow(ICircuitBreaker breaker, address asset, uint256 assets) internal {
        _report(breaker, ICircuitBreaker.onOutflow.selector, asset, assets);
    }

    /// @dev breaker.onInflow(asset, assets)
    function inflow(ICircuitBreaker breaker, address asset, uint256 assets) internal {
        _report(breaker, ICircuitBreaker.onInflow.selector, asset, assets);
    }

    function _report(ICircuitBreaker breaker, bytes4 selector, address asset, uint256 assets) private {
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            mstore(add(data, 0x04), shr(96, shl(96, asset)))
            mstore(add(data, 0x24), assets)
            if iszero(call(gas(), breaker, 0, data, 0x44, 0, 0)) {
                returndatacopy(data, 0, returndatasize())
                revert(data, returndatasize())
            }
        }
    }
}
