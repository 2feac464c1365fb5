// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {PoolConfig} from "interfaces/amm/IGuardedPool.sol";

/// @title Creates guarded pools and seeds them in the same call
/// @notice No pool ever exists without liquidity, so nobody can set its first price for another.
interface IPoolFactory {
    event PoolCreated(
        address indexed token0, address indexed token1, address indexed creator, address pool, PoolConfig config
    );
    event TreasurySet(address indexed by, address previous, address current);
    /// @notice Protocol shares of `pool` went to the treasury.
    event ProtocolSharesCollected(address indexed by, address indexed pool, address indexed treasury, uint256 shares);

    error IdenticalTokens(address token);
    error ZeroAddress();
    error PoolExists(address pool);
    error UnknownPool(address pool);
    /// @notice The token moved less or more than it was told to: it charges on transfer or rebases.
    error UnsupportedToken(address token, uint256 arrived, uint256 sent);
    error InvalidProtocolShare(uint256 protocolShareBps);

    /// @notice Gets skimmed tokens and protocol shares of every pool.
    function treasury() external view returns (address);
    /// @notice The contract that holds the creation code of pools.
    function deployer() external view returns (address);
    function emergencyGate() external view returns (address);
    /// @notice Part of the growth of every pool that goes to the protocol, bps.
    function protocolShareBps() external view returns (uint256);

    function isPool(address pool) external view returns (bool);
    function poolCount() external view returns (uint256);
    function poolAt(uint256 index) external view returns (address);
    /// @notice The pool of two tokens (in either order) with this configuration; zero if there is none.
    function getPool(address tokenA, address tokenB, PoolConfig calldata config) external view returns (address);
    /// @notice Where `createPool` puts the pool of two tokens with this configuration.
    function predictPool(address tokenA, address tokenB, PoolConfig calldata config) external view returns (address);

    /// @notice Creates the pool and seeds it from the caller's tokens; the shares go to the caller and mature as all do.
    /// The amounts set the first price.
    function createPool(address tokenA, address tokenB, uint256 amountA, uint256 amountB, PoolConfig calldata config)
        external
        returns (address pool, uint256 shares);

    /// @notice Anyone: sends the protocol shares of a pool to the treasury.
    function collect(address pool) external returns (uint256 shares);

    /// @notice Governance.
    function setTreasury(address treasury_) external;
}
