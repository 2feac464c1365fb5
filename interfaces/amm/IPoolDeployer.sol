// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PoolConfig} from "interfaces/amm/IGuardedPool.sol";

/// @title Creates pools for any factory, at addresses that depend on the factory and on all of the pool's arguments
interface IPoolDeployer {
    /// @notice Creates a pool whose factory is the caller.
    function deploy(address token0, address token1, address gate, uint256 protocolShareBps, PoolConfig calldata config)
        external
        returns (address pool);

    /// @notice Where `deploy`, called by `factory`, puts the pool.
    function predict(
        address factory,
        address token0,
        address token1,
        address gate,
        uint256 protocolShareBps,
        PoolConfig calldata config
    ) external view returns (address);
}
