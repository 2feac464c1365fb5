"""Writes audits/entry-points.md, who may call what; it fails where nobody has decided.

    python -m tools.entry_points

Functions come from the compiled ABIs, roles from the table that the deployment wires and `verify`
compares with the chain. Who may call a function without a role is said here, once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from offchain.artifacts import MANIFEST, ROOT
from scripts._deployment.bound import abi_of
from scripts._deployment.permissions import (
    GOVERNANCE,
    GUARDIAN,
    PLANNER,
    ROLE_NAMES,
    decisions,
)

PAGE = ROOT / "audits" / "entry-points.md"
RESTRICTED = re.compile(r"function\s+(\w+)\s*\([^)]*\)[^{;]*\brestricted\b")
LIBRARY = re.compile(r"^library\s", re.MULTILINE)
# Its second half runs on its storage and is listed with it.
MERGED = {"RouterManager"}
# Restricted, but not part of a deployed suite: who holds the role is decided with it.
UNDECIDED = "the role that its deployment names"

ROLES = {role: f"{name} role" for role, name in ROLE_NAMES.items()} | {
    GOVERNANCE: "governance, after its delay",
    GUARDIAN: "guardian or governance, at once",
    PLANNER: "governance, at once",
}
ANYONE, HOLDER = "anyone", "holder of the shares"
SPENDER = "holder of the shares, or who has his allowance"
CONTROLLER = "controller or his operator"
ADMIN = "governance, after its delay (administrator of the authority)"
GATE_GOVERNANCE = "governance, at once"
EVERYWHERE = {
    "setAuthority": "AccessAuthority",
    "setEmergencyState": "EmergencyGate",
    "approve": "anyone, for himself",
    "transfer": HOLDER,
    "transferFrom": "who has the holder's allowance",
    "permit": "anyone who has the holder's signature",
}
BY_FOLDER: Mapping[str, Mapping[str, str]] = {
    "strategies": {
        "deposit": "router",
        "mint": "router",
        "redeem": SPENDER,
        "withdraw": SPENDER,
        "redeemInKind": SPENDER,
        "redeemInTokens": SPENDER,
        "probe": ANYONE,
        "uniswapV3MintCallback": "its Uniswap pool",
    },
    "venues": {"sell": "anyone, with his own tokens"},
}
OPEN: Mapping[str, Mapping[str, str]] = {
    "AccessAuthority": {
        "schedule": "who may make the call after a delay",
        "execute": "who may make the call, now or as scheduled",
        "cancel": "who scheduled the call; governance",
        "consumeScheduledOp": "target of the call",
        "renounceRole": "holder of the role",
        "multicall": "anyone; each call inside asks for its own right",
        **dict.fromkeys(
            (
                "grantRole",
                "labelRole",
                "revokeRole",
                "setGrantDelay",
                "setRoleAdmin",
                "setRoleGuardian",
                "setTargetAdminDelay",
                "setTargetClosed",
                "setTargetFunctionRole",
                "updateAuthority",
            ),
            ADMIN,
        ),
    },
    "CapitalRouter": {
        "deposit": "anyone whom the access policy admits",
        "mint": "anyone whom the access policy admits",
        "redeem": SPENDER,
        "withdraw": SPENDER,
        "redeemInKind": SPENDER,
        "claimInKind": "anyone; only the account that is owed gets it",
        "pull": "router itself",
        "setQueuedShares": "ExitQueue",
    },
    "CircuitBreaker": {
        "onInflow": "anyone; the caller's own bucket",
        "onOutflow": "anyone; the caller's own bucket",
        "poke": ANYONE,
    },
    "DepositGateway": {
        "cancelNonce": "owner of the nonce",
        "withdrawHeld": "owner of what is held",
    },
    "EmergencyGate": {
        "raiseMany": "guardian or governance",
        "raiseState": "guardian or governance",
        "heartbeat": "guardian",
        "trip": "CircuitBreaker",
        "throttle": "sentinel",
        "lapse": ANYONE,
        "sync": ANYONE,
        "acceptGovernance": "proposed governance",
        **dict.fromkeys(
            (
                "resume",
                "register",
                "remove",
                "setGuardian",
                "setBreaker",
                "setSentinel",
                "proposeGovernance",
            ),
            GATE_GOVERNANCE,
        ),
    },
    "ExitEscrow": {"release": "InvestorRegistry"},
    "ExitQueue": {
        "requestRedeem": "owner of the shares or his operator",
        "exit": "owner of the shares or his operator",
        "cancelRedeem": CONTROLLER,
        "redeem": CONTROLLER,
        "withdraw": CONTROLLER,
        "setOperator": "anyone, for himself",
        "process": ANYONE,
    },
    "GuardedPool": {
        **dict.fromkeys(
            (
                "swapExactIn",
                "swapExactInPrepaid",
                "swapExactOut",
                "swapExactOutPrepaid",
                "mint",
                "mintPrepaid",
                "checkpoint",
                "increaseObservationCardinality",
            ),
            ANYONE,
        ),
        "burn": "holder of mature shares",
        "skim": "anyone; only the treasury gets it",
        "seed": "PoolFactory",
    },
    "InvestorRegistry": {
        "submitCredential": "anyone who has a provider's signature",
        "nominatePayout": "investor, for himself",
        "claimEscrow": "investor who is not frozen",
    },
    "PoolDeployer": {"deploy": "anyone; the caller becomes the pool's factory"},
    "PoolFactory": {"createPool": ANYONE, "collect": "anyone; only the treasury gets it"},
    "PriceOracle": {"sync": ANYONE},
    "YieldHarvester": {"harvestOne": "harvester itself", "sellOne": "harvester itself"},
}


class UndecidedError(LookupError):
    """A function that changes state, and nobody has said who may call it."""


def sources() -> dict[str, Path]:
    """Every contract of contracts/ that can be deployed and is no library, with its source."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))["contractTypes"]
    found = {}
    for name, contract in manifest.items():
        source = str(contract.get("sourceId", ""))
        code = (contract.get("deploymentBytecode") or {}).get("bytecode") or ""
        # A Vyper module in small letters is a library, like a Solidity library.
        if not source.startswith("contracts/") or len(code) <= 2 or name[0].islower():
            continue
        if not LIBRARY.search((ROOT / source).read_text(encoding="utf-8")):
            found[name] = ROOT / source
    return found


def callers(name: str, source: Path) -> dict[str, str]:
    """Who may call each function of a contract that changes state.

    Raises:
        UndecidedError: naming the function that no table has.
    """
    open_ = {**EVERYWHERE, **BY_FOLDER.get(source.parent.name, {}), **OPEN.get(name, {})}
    # Its bases lie beside it.
    texts = [path.read_text(encoding="utf-8") for path in source.parent.glob("*.sol")]
    undecided = {f for text in texts for f in RESTRICTED.findall(text)} - open_.keys()
    roles = dict.fromkeys(undecided, UNDECIDED)
    roles |= {function: ROLES[role] for function, role in decisions(name).items()}
    found = {}
    for entry in abi_of(name):
        if entry["type"] != "function" or entry["stateMutability"] in ("view", "pure"):
            continue
        function = entry["name"]
        who = roles.get(function) or open_.get(function)
        if who is None:
            raise UndecidedError(f"nobody has said who may call {name}.{function}")
        found[function] = who
    return found


def page() -> str:
    """The whole page."""
    lines = [
        "# Entry points",
        "",
        "Every function of a production contract that changes state, and who may call it. Made by "
        "`python -m tools.entry_points`; a test fails if it is stale.",
        "Roles are those that the deployment wires (`scripts/_deployment/permissions.py`); "
        "`ape run verify` compares them with the chain, both ways.",
    ]
    silent = []
    for name, source in sorted(sources().items()):
        if name in MERGED:
            continue
        who: dict[str, list[str]] = {}
        for function, caller in sorted(callers(name, source).items()):
            who.setdefault(caller, []).append(f"`{function}`")
        if not who:
            silent.append(name)
            continue
        lines += ["", f"## {name}", "", "| who | may call |", "|---|---|"]
        lines += [f"| {caller} | {', '.join(who[caller])} |" for caller in sorted(who)]
    lines += ["", "Nothing changes state in: " + ", ".join(silent) + "."]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Rewrites the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
