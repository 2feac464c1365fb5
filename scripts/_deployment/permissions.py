"""Who holds which role, and which restricted function it may call; every one has a decision here.

Tightening acts at once, so it belongs to the guardian, a role that governance has as well.
Loosening belongs to governance, which waits out its execution delay. Plans are approved by the
governance Safe through a role without delay, since a plan is bounded by caps and by its own budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.abi import function_abi_to_4byte_selector

GOVERNANCE = 0
GUARDIAN = 1
ALLOCATOR = 2
KEEPER = 3
BATCHER = 4
COMPLIANCE = 5
HARVESTER = 6
PLANNER = 7
ANCHOR = 8

ROLE_NAMES = {
    GOVERNANCE: "governance",
    GUARDIAN: "guardian",
    ALLOCATOR: "allocator",
    KEEPER: "keeper",
    BATCHER: "batcher",
    COMPLIANCE: "compliance",
    HARVESTER: "harvester",
    PLANNER: "planner",
    ANCHOR: "anchor",
}


@dataclass(frozen=True)
class Permission:
    """The role that `functions` of every instance of `artifact` need."""

    artifact: str
    role: int
    functions: tuple[str, ...]


PERMISSIONS: tuple[Permission, ...] = (
    Permission(
        "CapitalRouter",
        GUARDIAN,
        ("lowerCap", "raiseIdleFloor", "lowerDepositCap", "revokePlan"),
    ),
    Permission("CapitalRouter", PLANNER, ("approvePlan",)),
    Permission("CapitalRouter", ALLOCATOR, ("rebalance",)),
    Permission("CapitalRouter", KEEPER, ("processReport",)),
    Permission("CapitalRouter", HARVESTER, ("receiveYield",)),
    Permission("AaveV3Strategy", HARVESTER, ("claimRewards",)),
    Permission("CompoundV3Strategy", HARVESTER, ("claimRewards",)),
    Permission("CurveStrategy", HARVESTER, ("claimRewards",)),
    Permission("CurveStrategy", GUARDIAN, ("tightenEntry",)),
    Permission("UniswapV3Strategy", HARVESTER, ("claimRewards",)),
    Permission("UniswapV3Strategy", KEEPER, ("reposition", "unwind")),
    Permission("GuardedPoolStrategy", HARVESTER, ("claimRewards",)),
    Permission("GuardedPoolStrategy", KEEPER, ("invest", "unwind")),
    Permission("YieldHarvester", KEEPER, ("harvest",)),
    Permission("AuditAnchor", ANCHOR, ("anchor",)),
    Permission("DepositGateway", BATCHER, ("settle",)),
    Permission("CircuitBreaker", GUARDIAN, ("tightenLimit", "tightenWatch")),
    # NOTE: a release loosens nothing for others: it pays the investor or whom he named, with a
    # reason. It is the one thing that must not wait for a delay when a freeze was a mistake.
    Permission(
        "InvestorRegistry",
        COMPLIANCE,
        (
            "deny",
            "freeze",
            "revokeCredential",
            "closeJurisdiction",
            "raiseMinimumTier",
            "removeProvider",
            "releaseEscrow",
        ),
    ),
)


# What loosens, or decides where money and trust go: governance's, after its delay.
# Nothing is set for it on chain, since a function without a role belongs to role 0.
GOVERNED: tuple[Permission, ...] = (
    Permission(
        "CapitalRouter",
        GOVERNANCE,
        (
            "addStrategy",
            "removeStrategy",
            "raiseCap",
            "lowerIdleFloor",
            "raiseDepositCap",
            "setHealthLimits",
            "closeReview",
            "setExitOrder",
            "setFees",
            "setProfitUnlockTime",
            "setPlanLimits",
            "setAccessPolicy",
            "setExitQueue",
        ),
    ),
    Permission("YieldHarvester", GOVERNANCE, ("setRoute",)),
    Permission("UniswapV3Venue", GOVERNANCE, ("setPath",)),
    Permission("PoolFactory", GOVERNANCE, ("setTreasury",)),
    Permission(
        "CircuitBreaker",
        GOVERNANCE,
        (
            "setLimit",
            "removeLimit",
            "setWatch",
            "resetSharePeak",
            "resetPriceReference",
            "setOracle",
        ),
    ),
    Permission("PriceOracle", GOVERNANCE, ("setFeeds", "setSequencerFeed")),
    Permission("CurveStrategy", GOVERNANCE, ("setLimits",)),
    Permission(
        "InvestorRegistry",
        GOVERNANCE,
        (
            "addProvider",
            "setConduit",
            "clearRestriction",
            "openJurisdiction",
            "lowerMinimumTier",
        ),
    ),
)
MANAGED = tuple(dict.fromkeys(p.artifact for p in (*PERMISSIONS, *GOVERNED)))
# Strategies that a suite has only if its parameters ask for them.
OPTIONAL = ("CompoundV3Strategy", "CurveStrategy", "UniswapV3Strategy", "GuardedPoolStrategy")
REQUIRED = tuple(artifact for artifact in MANAGED if artifact not in OPTIONAL)


def role_holders(roles: Mapping[str, str], harvester: str) -> tuple[tuple[int, str], ...]:
    """Every role and who holds it, the deployer's nothing included.

    Args:
        roles: addresses by name, as the deployment file has them.
        harvester: the YieldHarvester.

    Raises:
        LookupError: if a name is missing.
    """
    return (
        (GOVERNANCE, roles["governance"]),
        (GUARDIAN, roles["guardian"]),
        (GUARDIAN, roles["governance"]),
        (PLANNER, roles["governance"]),
        (ALLOCATOR, roles["allocator"]),
        (KEEPER, roles["keeper"]),
        (KEEPER, harvester),
        (BATCHER, roles["batcher"]),
        (COMPLIANCE, roles["compliance"]),
        (HARVESTER, harvester),
        # Whoever writes the journal anchors it.
        (ANCHOR, roles["keeper"]),
    )


def decisions(artifact: str) -> dict[str, int]:
    """The role that each restricted function of a contract needs, by the function's name."""
    return {
        name: permission.role
        for permission in (*PERMISSIONS, *GOVERNED)
        if permission.artifact == artifact
        for name in permission.functions
    }


def selectors(abi: Sequence[Any], function: str) -> list[str]:
    """The 4-byte selectors of every overload of `function`.

    Raises:
        LookupError: if the contract has no such function, so that a renamed one cannot lose its
            role silently.
    """
    found = [
        "0x" + function_abi_to_4byte_selector(entry).hex()
        for entry in abi
        if entry.get("type") == "function" and entry.get("name") == function
    ]
    if not found:
        raise LookupError(f"no function named {function}")
    return found
