// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Decides who may hold shares
/// @notice Consulted on deposits and share transfers when set. It can refuse entry, never exit.
interface IAccessPolicy {
    /// @notice Whether `receiver` may receive newly minted shares for money brought by `payer`.
    function canDeposit(address payer, address receiver) external view returns (bool);

    /// @notice Whether shares may pass from `from` to `to`.
    function canTransfer(address from, address to) external view returns (bool);

    /// @notice Where the proceeds of an exit of `owner` may go when he asked for `receiver`: `receiver` itself, or an
    /// address that only he or the compliance role can empty.
    function exitReceiver(address owner, address receiver) external view returns (address);
}
