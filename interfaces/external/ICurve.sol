// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What we use of a Curve stable pool, whatever its number of coins
/// @notice Newer pools return amounts where older ones return nothing: what arrived is counted instead.
interface ICurvePool {
    function remove_liquidity_one_coin(uint256 tokenAmount, int128 i, uint256 minAmount) external;

    function coins(uint256 i) external view returns (address);
    function balances(uint256 i) external view returns (uint256);
    /// @notice Trading fee, 1e-10.
    function fee() external view returns (uint256);
    /// @notice Worth of a whole LP token at par, 1e18. Wrong inside a call of an older pool.
    function get_virtual_price() external view returns (uint256);
    function calc_withdraw_one_coin(uint256 tokenAmount, int128 i) external view returns (uint256);
}

/// @title Calls that name the number of coins: two
interface ICurvePool2 {
    function add_liquidity(uint256[2] calldata amounts, uint256 minMintAmount) external;
    function remove_liquidity(uint256 amount, uint256[2] calldata minAmounts) external;
    function calc_token_amount(uint256[2] calldata amounts, bool deposit) external view returns (uint256);
}

/// @title Calls that name the number of coins: three
interface ICurvePool3 {
    function add_liquidity(uint256[3] calldata amounts, uint256 minMintAmount) external;
    function remove_liquidity(uint256 amount, uint256[3] calldata minAmounts) external;
    function calc_token_amount(uint256[3] calldata amounts, bool deposit) external view returns (uint256);
}
