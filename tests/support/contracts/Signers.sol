// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice A contract wallet with one key.
contract ContractWallet {
    address private immutable KEY;

    constructor(address key) {
        KEY = key;
    }

    function approve(address token, address spender, uint256 amount) external {
        IERC20(token).approve(spender, amount);
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.recoverCalldata(digest, signature) == KEY ? this.isValidSignature.selector : bytes4(0);
    }
}

/// @notice A contract wallet that says yes to anything, with junk after the answer's first four bytes or without end.
contract EagerWallet {
    uint256 public mode;

    function arm(uint256 mode_) external {
        mode = mode_;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        if (mode == 0) return abi.encode(bytes4(0x1626ba7e));
        if (mode == 1) return abi.encodePacked(bytes4(0x1626ba7e));
        if (mode == 2) return abi.encode(uint256(uint32(0x1626ba7e)) << 224 | 1);
        if (mode == 3) return new bytes(100_000);
        while (true) {}
        return "";
    }
}

/// @notice A contract wallet that says yes after it burnt what a gateway grants a signer.
contract BurningWallet {
    uint256 private constant LEFT = 2_000;

    function approve(address token, address spender, uint256 amount) external {
        IERC20(token).approve(spender, amount);
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        while (gasleft() > LEFT) {}
        return this.isValidSignature.selector;
    }
}
