"""Who may call which restricted function; whatever is not listed here belongs to governance.

Tightening acts at once, so it belongs to the guardian. Loosening belongs to governance, which waits out
its execution delay. Plans are approved by the governance Safe through a role without delay, since a plan
is bounded by caps and by its own loss budget.
"""

from __future__ import annotations

from dataclasses import dataclass

GOVERNANCE = 0
GUARDIAN = 1
ALLOCATOR = 2
KEEPER = 3
BATCHER = 4
COMPLIANCE = 5
HARVESTER = 6
PLANNER = 7

ROLE_NAMES = {
    GOVERNANCE: "governance",
    GUARDIAN: "guardian",
    ALLOCATOR: "allocator",
    KEEPER: "keeper",
    BATCHER: "batcher",
    COMPLIANCE: "compliance",
    HARVESTER: "harvester",
    PLANNER: "planner",
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
    Permission("YieldHarvester", KEEPER, ("harvest",)),
    Permission("DepositGateway", BATCHER, ("settle",)),
    Permission("CircuitBreaker", GUARDIAN, ("tightenLimit", "tightenWatch")),
)


def selectors(abi: list[dict[str, object]], function: str) -> list[str]:
    """The 4-byte selectors of every overload of `function`.

    Raises:
        LookupError: if the contract has no such function, so that a renamed one cannot lose its role silently.
    """
    from eth_utils.abi import function_abi_to_4byte_selector

    found = [
        "0x" + function_abi_to_4byte_selector(entry).hex()  # type: ignore[arg-type]
        for entry in abi
        if entry.get("type") == "function" and entry.get("name") == function
    ]
    if not found:
        raise LookupError(f"no function named {function}")
    return found
