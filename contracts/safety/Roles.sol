// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Role ids of the access manager
/// @notice Who holds which, and with what delay, is decided at deployment and by governance; docs/roles.md has the
/// table.
library Roles {
    /// Governance Safe: everything, with its execution delay for what loosens.
    uint64 internal constant GOVERNANCE = 0;
    /// Guardian Safe: what tightens, at once.
    uint64 internal constant GUARDIAN = 1;
    /// Moves capital between strategies within caps and budgets.
    uint64 internal constant ALLOCATOR = 2;
    /// Reports, harvests, processes; can move nothing to itself.
    uint64 internal constant KEEPER = 3;
    /// Settles batches of signed intents.
    uint64 internal constant BATCHER = 4;
    /// Issues and revokes investor credentials, releases escrows.
    uint64 internal constant COMPLIANCE = 5;
    /// The harvester contract: hands realised yield to the router, claims rewards from strategies.
    uint64 internal constant HARVESTER = 6;
    /// Approves large plans by their hash. Held by the governance Safe without delay: a plan is bounded by caps and
    /// its budget.
    uint64 internal constant PLANNER = 7;
    /// The orchestrator: fixes roots of its journal on chain.
    uint64 internal constant ANCHOR = 8;
}
