// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {EmergencyState} from "interfaces/safety/IEmergencyTarget.sol";
import {IInKindStrategy} from "interfaces/strategies/IInKindStrategy.sol";

import {Strategy} from "./Strategy.sol";

/// @title A strategy whose position can leave as it is
abstract contract InKindStrategy is Strategy, IInKindStrategy {
    /// @dev What `shares` get in kind: of which token how much. Called before they are burned.
    function _partInKind(uint256 shares) internal view virtual returns (address token, uint256 amount);

    /// @dev Sends so much of the position to `receiver`.
    function _sendInKind(address receiver, uint256 amount) internal virtual;

    /// @inheritdoc IInKindStrategy
    function redeemInKind(uint256 shares, address receiver, address owner)
        external
        returns (address token, uint256 amount)
    {
        (token, amount) = _partInKind(shares);
        _leaveInKind(shares, receiver, owner, token, amount);
    }

    function _leaveInKind(uint256 shares, address receiver, address owner, address token, uint256 amount)
        private
        nonReentrant
    {
        _requireAtMost(EmergencyState.WITHDRAW_ONLY);
        if (msg.sender != owner) _spendAllowance(owner, msg.sender, shares);
        _burn(owner, shares);
        emit RedeemedInKind(msg.sender, receiver, owner, token, amount, shares);
        if (amount != 0) _sendInKind(receiver, amount);
    }
}
