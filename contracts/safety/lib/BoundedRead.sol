// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Reads of contracts that may be hostile
/// @notice Static, with a gas cap, and with no more of the answer copied than was asked for.
library BoundedRead {
    /// What the caller needs besides the callee's allowance: a cold account, the copy, and what follows a failed read.
    uint256 private constant OVERHEAD = 20_000;

    /// @notice Whether a callee can get all of `gasCap`, the 63/64 rule included.
    function hasGas(uint256 gasCap) internal view returns (bool) {
        return gasleft() >= needed(gasCap);
    }

    /// @notice Gas that must be left for a read of `gasCap`.
    function needed(uint256 gasCap) internal pure returns (uint256) {
        return gasCap + gasCap / 63 + OVERHEAD;
    }

    /// @notice The first `count` words that `to` answers to `data`.
    /// @return ok False if it reverted, burned the allowance, has no code or answered less.
    function read(address to, uint256 gasCap, bytes memory data, uint256 count)
        internal
        view
        returns (bool ok, uint256[] memory words)
    {
        words = new uint256[](count);
        // (ok, answer) = to.staticcall{gas: gasCap}(data), but with a bounded copy of the answer.
        assembly ("memory-safe") {
            ok := staticcall(gasCap, to, add(data, 0x20), mload(data), 0, 0)
            ok := and(ok, iszero(lt(returndatasize(), mul(count, 0x20))))
            if ok { returndatacopy(add(words, 0x20), 0, mul(count, 0x20)) }
        }
    }
}
