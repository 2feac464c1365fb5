// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Holds the proceeds of one frozen investor's exits
/// @notice One escrow per investor, at an address that follows from his, so that whoever pays it need not tell for
/// whom.
interface IExitEscrow {
    event Released(address indexed token, address indexed to, uint256 amount, bytes32 reason);

    error NotRegistry(address caller);

    function registry() external view returns (address);
    function investor() external view returns (address);

    /// @notice Registry only: pays `amount` of `token` to `to`. The registry lets `to` be nobody but the investor or
    /// whom he named.
    function release(address token, uint256 amount, address to, bytes32 reason) external;
}
