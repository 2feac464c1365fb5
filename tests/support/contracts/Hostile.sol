// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Reverts whatever is called, with the configured data.
contract Reverter {
    bytes public data;

    function arm(bytes calldata data_) external {
        data = data_;
    }

    receive() external payable {
        _fail();
    }

    fallback() external payable {
        _fail();
    }

    function _fail() private view {
        bytes memory reason = data;
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}

/// @notice Answers whatever is called with the configured bytes, which need not fit any ABI.
contract JunkReturner {
    bytes public junk = hex"deadbeef";

    function arm(bytes calldata junk_) external {
        junk = junk_;
    }

    receive() external payable {}

    fallback() external payable {
        bytes memory answer = junk;
        assembly ("memory-safe") {
            return(add(answer, 32), mload(answer))
        }
    }
}

/// @notice Answers whatever is called with a given number of zero bytes: a bill for whoever copies them.
contract LongReturner {
    uint256 public size;

    function arm(uint256 size_) external {
        size = size_;
    }

    fallback() external payable {
        uint256 length = size;
        assembly ("memory-safe") {
            return(mload(0x40), length)
        }
    }
}

/// @notice Burns all the gas it is given, whatever is called.
contract GasBurner {
    receive() external payable {
        _burn();
    }

    fallback() external payable {
        _burn();
    }

    function _burn() private pure {
        assembly {
            invalid()
        }
    }
}
