// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Where an Aave V3 market keeps its parts
interface IAaveV3AddressesProvider {
    function getPool() external view returns (address);
    function getPoolDataProvider() external view returns (address);
}

/// @title What we use of an Aave V3 pool
interface IAaveV3Pool {
    function supply(address asset, uint256 amount, address onBehalfOf, uint16 referralCode) external;
    function withdraw(address asset, uint256 amount, address to) external returns (uint256 withdrawn);
    /// @notice Liquidity index with interest up to now, ray.
    function getReserveNormalizedIncome(address asset) external view returns (uint256 ray);
    /// @notice From V3.1 on: what the pool counts as available, whatever was donated.
    function getVirtualUnderlyingBalance(address asset) external view returns (uint128 assets);
}

/// @title What we use of Aave V3's data provider
interface IAaveV3DataProvider {
    function getReserveTokensAddresses(address asset)
        external
        view
        returns (address aToken, address stableDebtToken, address variableDebtToken);
    function getReserveConfigurationData(address asset)
        external
        view
        returns (
            uint256 decimals,
            uint256 ltv,
            uint256 liquidationThreshold,
            uint256 liquidationBonus,
            uint256 reserveFactor,
            bool usageAsCollateralEnabled,
            bool borrowingEnabled,
            bool stableBorrowRateEnabled,
            bool isActive,
            bool isFrozen
        );
    function getPaused(address asset) external view returns (bool);
    /// @notice Caps in whole tokens; 0 means none.
    function getReserveCaps(address asset) external view returns (uint256 borrowCap, uint256 supplyCap);
    /// @notice Only the second value is used: what the pool still has to mint to its treasury, scaled.
    function getReserveData(address asset)
        external
        view
        returns (
            uint256 unbacked,
            uint256 accruedToTreasuryScaled,
            uint256 totalAToken,
            uint256 totalStableDebt,
            uint256 totalVariableDebt,
            uint256 liquidityRate,
            uint256 variableBorrowRate,
            uint256 stableBorrowRate,
            uint256 averageStableBorrowRate,
            uint256 liquidityIndex,
            uint256 variableBorrowIndex,
            uint40 lastUpdateTimestamp
        );
}

/// @title What we use of an Aave V3 interest-bearing token
interface IAaveV3AToken {
    function balanceOf(address account) external view returns (uint256);
    function scaledBalanceOf(address account) external view returns (uint256);
    function scaledTotalSupply() external view returns (uint256);
    function getIncentivesController() external view returns (address);
}

/// @title What we use of Aave V3's rewards controller
interface IAaveV3Rewards {
    function getRewardsByAsset(address asset) external view returns (address[] memory);
    function claimAllRewards(address[] calldata assets, address to)
        external
        returns (address[] memory tokens, uint256[] memory amounts);
}
