// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {BoundedCall} from "contracts/common/BoundedCall.sol";
import {SignerCheck} from "contracts/common/SignerCheck.sol";
import {TypedData} from "contracts/common/TypedData.sol";

/// @notice Opens the common libraries to tests.
contract CommonLibraries is TypedData {
    struct Answer {
        bool success;
        bytes result;
        uint256 taken;
    }

    constructor(string memory name, string memory version) TypedData(name, version) {}

    /// @notice Two calls, one after the other; `taken` is by how much each moved the free memory on.
    function tryCalls(address target, uint256 gasCap, bytes memory first, bytes memory second, uint256 maxReturn)
        external
        returns (Answer memory a, Answer memory b)
    {
        uint256 start = _free();
        (a.success, a.result) = BoundedCall.tryCall(target, gasCap, first, maxReturn);
        a.taken = _free() - start;
        start = _free();
        (b.success, b.result) = BoundedCall.tryCall(target, gasCap, second, maxReturn);
        b.taken = _free() - start;
    }

    function tryStaticCalls(address target, uint256 gasCap, bytes memory first, bytes memory second, uint256 maxReturn)
        external
        view
        returns (Answer memory a, Answer memory b)
    {
        uint256 start = _free();
        (a.success, a.result) = BoundedCall.tryStaticCall(target, gasCap, first, maxReturn);
        a.taken = _free() - start;
        start = _free();
        (b.success, b.result) = BoundedCall.tryStaticCall(target, gasCap, second, maxReturn);
        b.taken = _free() - start;
    }

    function isSignedBy(address signer, bytes32 digest, bytes calldata signature) external view returns (bool) {
        return SignerCheck.isSignedBy(signer, digest, signature);
    }

    function digest(bytes32 structHash) external view returns (bytes32) {
        return _digest(structHash);
    }

    function _free() private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := mload(0x40)
        }
    }
}
