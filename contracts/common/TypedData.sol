// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title EIP-712 domain of one contract
/// @notice Bound to the chain and the address, so that nothing signed here counts anywhere else.
/// @dev OpenZeppelin's EIP712 pulls in code that needs Cancun.
abstract contract TypedData {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    bytes32 private immutable NAME_HASH;
    bytes32 private immutable VERSION_HASH;
    uint256 private immutable FIRST_CHAIN_ID;
    bytes32 private immutable FIRST_SEPARATOR;

    constructor(string memory name, string memory version) {
        NAME_HASH = keccak256(bytes(name));
        VERSION_HASH = keccak256(bytes(version));
        FIRST_CHAIN_ID = block.chainid;
        FIRST_SEPARATOR = _buildSeparator();
    }

    /// @notice Hash of the domain on the chain where this runs now, which a fork may have changed.
    function domainSeparator() public view returns (bytes32) {
        return block.chainid == FIRST_CHAIN_ID ? FIRST_SEPARATOR : _buildSeparator();
    }

    /// @dev What is signed for the struct that hashes to `structHash`.
    function _digest(bytes32 structHash) internal view returns (bytes32 digest) {
        bytes32 separator = domainSeparator();
        assembly ("memory-safe") {
            // digest = keccak256(abi.encodePacked(hex"1901", separator, structHash))
            let data := mload(0x40)
            mstore(data, shl(240, 0x1901))
            mstore(add(data, 0x02), separator)
            mstore(add(data, 0x22), structHash)
            digest := keccak256(data, 0x42)
        }
    }

    function _buildSeparator() private view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH, block.chainid, address(this)));
    }
}
