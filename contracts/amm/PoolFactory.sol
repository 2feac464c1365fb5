// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IGuardedPool, PoolConfig} from "interfaces/amm/IGuardedPool.sol";
import {IPoolDeployer} from "interfaces/amm/IPoolDeployer.sol";
import {IPoolFactory} from "interfaces/amm/IPoolFactory.sol";

/// @title Creates guarded pools, seeds them in the same call, and passes their protocol shares on to the treasury
contract PoolFactory is IPoolFactory, AccessManaged {
    using SafeERC20 for IERC20;

    /// The protocol may take at most a quarter of what a pool grows.
    uint256 public constant MAX_PROTOCOL_SHARE_BPS = 2_500;

    IPoolDeployer private immutable _deployer;
    address public immutable emergencyGate;
    uint256 public immutable protocolShareBps;

    /// @inheritdoc IPoolFactory
    address public treasury;

    address[] private _pools;
    /// @inheritdoc IPoolFactory
    mapping(address pool => bool known) public isPool;

    constructor(address authority, address deployer_, address gate, address treasury_, uint256 protocolShareBps_)
        AccessManaged(authority)
    {
        if (deployer_ == address(0) || gate == address(0)) revert ZeroAddress();
        if (protocolShareBps_ > MAX_PROTOCOL_SHARE_BPS) revert InvalidProtocolShare(protocolShareBps_);
        _deployer = IPoolDeployer(deployer_);
        emergencyGate = gate;
        protocolShareBps = protocolShareBps_;
        _setTreasury(treasury_);
    }

    /// @inheritdoc IPoolFactory
    function createPool(address tokenA, address tokenB, uint256 amountA, uint256 amountB, PoolConfig calldata config)
        external
        returns (address pool, uint256 shares)
    {
        (address token0, address token1) = _sort(tokenA, tokenB);
        (uint256 amount0, uint256 amount1) = token0 == tokenA ? (amountA, amountB) : (amountB, amountA);
        pool = _predict(token0, token1, config);
        if (isPool[pool]) revert PoolExists(pool);
        isPool[pool] = true;
        _pools.push(pool);
        emit PoolCreated(token0, token1, msg.sender, pool, config);
        // The address is known beforehand, and the seed that follows fails on any other.
        // slither-disable-next-line unused-return
        _deployer.deploy(token0, token1, emergencyGate, protocolShareBps, config);
        _pay(token0, pool, amount0);
        _pay(token1, pool, amount1);
        shares = IGuardedPool(pool).seed(msg.sender, amount0, amount1);
    }

    /// @inheritdoc IPoolFactory
    function collect(address pool) external returns (uint256 shares) {
        if (!isPool[pool]) revert UnknownPool(pool);
        shares = IERC20(pool).balanceOf(address(this));
        emit ProtocolSharesCollected(msg.sender, pool, treasury, shares);
        IERC20(pool).safeTransfer(treasury, shares);
    }

    /// @inheritdoc IPoolFactory
    function setTreasury(address treasury_) external restricted {
        _setTreasury(treasury_);
    }

    /// @inheritdoc IPoolFactory
    function poolCount() external view returns (uint256) {
        return _pools.length;
    }

    /// @inheritdoc IPoolFactory
    function poolAt(uint256 index) external view returns (address) {
        return _pools[index];
    }

    /// @inheritdoc IPoolFactory
    function getPool(address tokenA, address tokenB, PoolConfig calldata config) external view returns (address) {
        address pool = predictPool(tokenA, tokenB, config);
        return isPool[pool] ? pool : address(0);
    }

    /// @inheritdoc IPoolFactory
    function deployer() external view returns (address) {
        return address(_deployer);
    }

    /// @inheritdoc IPoolFactory
    function predictPool(address tokenA, address tokenB, PoolConfig calldata config) public view returns (address) {
        (address token0, address token1) = _sort(tokenA, tokenB);
        return _predict(token0, token1, config);
    }

    function _predict(address token0, address token1, PoolConfig calldata config) private view returns (address) {
        return _deployer.predict(address(this), token0, token1, emergencyGate, protocolShareBps, config);
    }

    function _sort(address tokenA, address tokenB) private pure returns (address, address) {
        if (tokenA == tokenB) revert IdenticalTokens(tokenA);
        if (tokenA == address(0) || tokenB == address(0)) revert ZeroAddress();
        return tokenA < tokenB ? (tokenA, tokenB) : (tokenB, tokenA);
    }

    /// @dev Anyone may have sent tokens to the pool's address before: only what this transfer moved counts.
    function _pay(address token, address pool, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(pool);
        IERC20(token).safeTransferFrom(msg.sender, pool, amount);
        uint256 arrived = IERC20(token).balanceOf(pool) - before;
        if (arrived != amount) revert UnsupportedToken(token, arrived, amount);
    }

    function _setTreasury(address treasury_) private {
        if (treasury_ == address(0)) revert ZeroAddress();
        emit TreasurySet(msg.sender, treasury, treasury_);
        treasury = treasury_;
    }
}
