// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Who may call what, and after which delay
/// @notice OpenZeppelin's AccessManager as it is; administered by the governance Safe once deployment has handed over.
contract AccessAuthority is AccessManager {
    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
