// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IExitEscrow} from "interfaces/compliance/IExitEscrow.sol";

/// @title ExitEscrow
/// @notice A minimal clone per investor, whose address is its whole bookkeeping: everything here is that investor's.
contract ExitEscrow is IExitEscrow {
    using SafeERC20 for IERC20;

    /// @inheritdoc IExitEscrow
    address public immutable registry = msg.sender;

    /// @inheritdoc IExitEscrow
    function release(address token, uint256 amount, address to, bytes32 reason) external {
        require(msg.sender == registry, NotRegistry(msg.sender));
        emit Released(token, to, amount, reason);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @inheritdoc IExitEscrow
    function investor() external view returns (address) {
        return abi.decode(Clones.fetchCloneArgs(address(this)), (address));
    }
}
