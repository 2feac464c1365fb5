// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ICapitalRouter} from "../../contracts/capital/ICapitalRouter.sol";
