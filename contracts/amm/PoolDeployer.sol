// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PoolConfig} from "interfaces/amm/IGuardedPool.sol";
import {IPoolDeployer} from "interfaces/amm/IPoolDeployer.sol";

import {GuardedPool} from "./GuardedPool.sol";

/// @title Carries the creation code of pools, which does not fit into the factory
/// @dev Open to all: the caller becomes the pool's factory and is part of what the address depends on.
contract PoolDeployer is IPoolDeployer {
    /// @inheritdoc IPoolDeployer
    function deploy(address token0, address token1, address gate, uint256 protocolShareBps, PoolConfig calldata config)
        external
        returns (address pool)
    {
        return address(new GuardedPool{salt: 0}(msg.sender, token0, token1, gate, protocolShareBps, config));
    }

    /// @inheritdoc IPoolDeployer
    function predict(
        address factory,
        address token0,
        address token1,
        address gate,
        uint256 protocolShareBps,
        PoolConfig calldata config
    ) external view returns (address) {
        bytes32 initCodeHash = keccak256(
            abi.encodePacked(
                type(GuardedPool).creationCode, abi.encode(factory, token0, token1, gate, protocolShareBps, config)
            )
        );
        return address(uint160(uint256(keccak256(abi.encodePacked(hex"ff", address(this), bytes32(0), initCodeHash)))));
    }
}
