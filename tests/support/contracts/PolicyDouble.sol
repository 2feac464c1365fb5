// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice Double of an access policy: what it refuses, redirects and how it fails is set by the test.
contract PolicyDouble {
    error Broken();

    mapping(address account => bool) public denied;
    address public escrow;
    bool public broken;
    bool public exitsBroken;
    bool public transfersBroken;
    bool public refusesSelf;

    function setDenied(address account, bool denied_) external {
        denied[account] = denied_;
    }

    function setEscrow(address escrow_) external {
        escrow = escrow_;
    }

    function setBroken(bool broken_) external {
        broken = broken_;
    }

    function setExitsBroken(bool broken_) external {
        exitsBroken = broken_;
    }

    function setTransfersBroken(bool broken_) external {
        transfersBroken = broken_;
    }

    /// @notice Whether nobody may pass anything to himself.
    function setRefusesSelf(bool refuses) external {
        refusesSelf = refuses;
    }

    function canDeposit(address payer, address receiver) external view returns (bool) {
        require(!broken, Broken());
        return !denied[payer] && !denied[receiver];
    }

    function canTransfer(address from, address to) external view returns (bool) {
        require(!broken && !transfersBroken, Broken());
        return !denied[from] && !denied[to] && !(refusesSelf && from == to);
    }

    function exitReceiver(address owner, address receiver) external view returns (address) {
        require(!broken && !exitsBroken, Broken());
        return denied[owner] ? escrow : receiver;
    }
}
