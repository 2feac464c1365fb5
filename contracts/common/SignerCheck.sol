// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {BoundedCall} from "contracts/common/BoundedCall.sol";

/// @title Whether somebody signed a digest: with his key, or by the word of his contract
library SignerCheck {
    /// @dev Enough for a Safe with a dozen owners; a signer that burns it all costs the caller no more.
    uint256 internal constant SIGNER_GAS = 200_000;

    /// @dev An account's own key counts also when code is delegated to it; only then is the contract asked.
    function isSignedBy(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        // The third value only details the problem, which is refused whatever it is.
        // slither-disable-next-line unused-return
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == signer) return true;
        if (signer.code.length == 0) return false;
        (bool success, bytes memory answer) = BoundedCall.tryStaticCall(
            signer, SIGNER_GAS, abi.encodeCall(IERC1271.isValidSignature, (digest, signature)), 32
        );
        return success && answer.length == 32 && bytes32(answer) == bytes32(IERC1271.isValidSignature.selector);
    }
}
