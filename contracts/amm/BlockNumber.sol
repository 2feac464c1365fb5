// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IArbSys} from "interfaces/external/IArbSys.sol";

/// @title The number of the block as the chain itself counts it
/// @notice On Arbitrum `block.number` is the parent chain's and stands still over many blocks; its own count comes from
/// ArbSys. Which of the two is decided once, at construction, by the chain id.
abstract contract BlockNumber {
    IArbSys private constant ARB_SYS = IArbSys(address(0x64));

    bool private immutable _isArbitrum;

    constructor() {
        // One, Nova, Sepolia.
        _isArbitrum = block.chainid == 42_161 || block.chainid == 42_170 || block.chainid == 421_614;
    }

    function _blockNumber() internal view virtual returns (uint256) {
        return _isArbitrum ? ARB_SYS.arbBlockNumber() : block.number;
    }
}
