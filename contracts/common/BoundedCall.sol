// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Calls that cannot cost the caller more than it allows
/// @notice Both the gas forwarded and the return data copied are capped, so neither a gas burner nor a return-data bomb
/// reaches the caller.
library BoundedCall {
    /// @dev `target.call{gas: gasCap}(data)`, keeping at most `maxReturn` bytes of what came back.
    function tryCall(address target, uint256 gasCap, bytes memory data, uint256 maxReturn)
        internal
        returns (bool success, bytes memory result)
    {
        assembly ("memory-safe") {
            success := call(gasCap, target, 0, add(data, 0x20), mload(data), 0, 0)
        }
        result = _copyReturn(maxReturn);
    }

    /// @dev `target.staticcall{gas: gasCap}(data)`, keeping at most `maxReturn` bytes of what came back.
    function tryStaticCall(address target, uint256 gasCap, bytes memory data, uint256 maxReturn)
        internal
        view
        returns (bool success, bytes memory result)
    {
        assembly ("memory-safe") {
            success := staticcall(gasCap, target, add(data, 0x20), mload(data), 0, 0)
        }
        result = _copyReturn(maxReturn);
    }

    /// @dev The first min(returndatasize, maxReturn) bytes of the return data.
    function _copyReturn(uint256 maxReturn) private pure returns (bytes memory result) {
        assembly ("memory-safe") {
            let size := returndatasize()
            if gt(size, maxReturn) { size := maxReturn }
            result := mload(0x40)
            mstore(result, size)
            returndatacopy(add(result, 0x20), 0, size)
            // Rounded up to a whole word, plus the word that holds the length.
            mstore(0x40, add(result, and(add(size, 0x3f), not(0x1f))))
        }
    }
}
