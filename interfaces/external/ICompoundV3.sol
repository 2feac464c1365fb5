// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title What we use of a Compound III market (Comet)
interface IComet {
    struct TotalsBasic {
        uint64 baseSupplyIndex;
        uint64 baseBorrowIndex;
        uint64 trackingSupplyIndex;
        uint64 trackingBorrowIndex;
        uint104 totalSupplyBase;
        uint104 totalBorrowBase;
        uint40 lastAccrualTime;
        uint8 pauseFlags;
    }

    function supply(address asset, uint256 amount) external;
    function withdraw(address asset, uint256 amount) external;
    function transfer(address dst, uint256 amount) external returns (bool);

    function baseToken() external view returns (address);
    function baseIndexScale() external view returns (uint64);
    /// @notice Supplied base with interest up to now; 0 for borrowers.
    function balanceOf(address account) external view returns (uint256);
    /// @notice Supplied base of all accounts with interest up to now.
    function totalSupply() external view returns (uint256);
    /// @notice As of the last accrual.
    function totalsBasic() external view returns (TotalsBasic memory);
    function isSupplyPaused() external view returns (bool);
    function isTransferPaused() external view returns (bool);
    function isWithdrawPaused() external view returns (bool);
}

/// @title What we use of Compound III's rewards
interface ICometRewards {
    /// @notice The contract answers with more words; the first is all that every version has in common.
    function rewardConfig(address comet) external view returns (address token);
    /// @notice Only `src` himself, or whom he allowed, may choose the receiver.
    function claimTo(address comet, address src, address to, bool shouldAccrue) external;
}
