"""A router with its roles on one in-process EVM, for tests; asserts nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from eth_utils.crypto import keccak

from tests.support.evm import Address, Contract, Evm

GUARDIAN, ALLOCATOR, KEEPER, HARVESTER = 1, 2, 3, 6
NORMAL, THROTTLED, WITHDRAW_ONLY, FROZEN = range(4)
BPS = 10_000
WAD = 10**18
DAY = 86_400
MAX_112 = 2**112 - 1
MAX_128 = 2**128 - 1
MAX = 2**256 - 1
ZERO = "0x" + "00" * 20
NO_LIMIT = 2**16 - 1

PERMISSIONS = {
    GUARDIAN: ("lowerCap", "raiseIdleFloor", "lowerDepositCap", "revokePlan"),
    ALLOCATOR: ("rebalance",),
    KEEPER: ("processReport",),
    HARVESTER: ("receiveYield",),
}


@dataclass
class World:
    """One router, everyone who has a role in it, and strategies as they are added."""

    evm: Evm
    asset: Contract
    authority: Contract
    router: Contract
    breaker: Contract | None
    governance: Address
    guardian: Address
    allocator: Address
    keeper: Address
    harvester: Address
    gate: Address
    strategies: list[Contract] = field(default_factory=list)
    _plans: Any = field(default_factory=lambda: count(1))

    def fund(self, holder: Any, assets: int) -> None:
        """Gives `holder` so many assets and the router an endless allowance over them."""
        self.asset.mint(holder, assets)
        self.asset.approve(self.router, 0, sender=holder)
        self.asset.approve(self.router, MAX, sender=holder)

    def deposit(self, holder: Any, assets: int) -> int:
        """Funds and deposits; the shares received."""
        self.fund(holder, assets)
        return int(self.router.deposit(assets, holder, sender=holder))

    def add_strategy(
        self, kind: str = "StrategyDouble", cap: int = MAX_112, bps: int = BPS, **health: int
    ) -> Contract:
        """Deploys a vault over the asset and adds it with loose health limits."""
        strategy = self.evm.deploy(kind, self.asset)
        self.router.addStrategy(strategy, cap, bps, sender=self.governance)
        self.set_health(strategy, **health)
        self.strategies.append(strategy)
        return strategy

    def set_health(
        self, strategy: Contract, gain_bps: int = NO_LIMIT, loss_bps: int = NO_LIMIT
    ) -> None:
        self.router.setHealthLimits(strategy, gain_bps, loss_bps, sender=self.governance)

    def plan(
        self,
        *moves: tuple[Any, bool, int, int],
        expiry: int | None = None,
        max_loss: int = MAX_112,
        plan_id: bytes | None = None,
    ) -> tuple[Any, ...]:
        """A plan with a fresh id; moves are (strategy, lend, assets, least)."""
        fresh = next(self._plans).to_bytes(32, "big") if plan_id is None else plan_id
        until = self.evm.timestamp + DAY if expiry is None else expiry
        return (fresh, until, max_loss, list(moves))

    def lend(self, strategy: Any, assets: int) -> None:
        self.router.rebalance(self.plan((strategy, True, assets, 0)), sender=self.allocator)

    def recall(self, strategy: Any, assets: int) -> None:
        self.router.rebalance(self.plan((strategy, False, assets, 0)), sender=self.allocator)

    def set_shares(self, strategy: Contract, shares: int) -> None:
        """Writes how many of the strategy's shares the router holds: the token's first mapping."""
        slot = keccak(bytes.fromhex(self.router.address[2:]).rjust(32, b"\0") + bytes(32))
        self.evm.set_storage(strategy, int.from_bytes(slot, "big"), shares)

    def freeze_inside(self, strategy: Contract) -> None:
        """In the middle of its next call the strategy has its gate freeze the router."""
        self.evm.etch(self.gate, "Relay")
        relay = self.evm.at("Relay", self.gate)
        freeze = self.router.calldata("setEmergencyState", FROZEN)
        strategy.arm(relay, relay.calldata("forward", self.router.address, freeze))

    def report(self, strategy: Any) -> tuple[int, int]:
        gain, loss = self.router.processReport(strategy, sender=self.keeper)
        return int(gain), int(loss)

    def set_state(self, state: int) -> None:
        self.router.setEmergencyState(state, sender=self.gate)

    def debt(self, strategy: Any) -> int:
        return int(self.state(strategy)[0])

    def state(self, strategy: Any) -> Sequence[Any]:
        """debt, both caps, both health limits, last report, active, under review, shares."""
        return list(self.router.strategyState(strategy))


def permit_role(world: World, role: int, functions: Sequence[str], holder: Any) -> None:
    """Lets `holder` call these functions of the router, as the holder of a role."""
    selectors = [
        codec.selector for name in functions for codec in world.router._interface.by_name[name]
    ]
    governance = world.governance
    world.authority.setTargetFunctionRole(world.router, selectors, role, sender=governance)
    world.authority.grantRole(role, holder, 0, sender=governance)


def build_world(
    evm: Evm | None = None,
    decimals: int = 18,
    token: str = "TestToken",
    token_args: Sequence[Any] = (),
    metered: bool = False,
) -> World:
    """A router over a fresh token; `metered` puts the real circuit breaker behind it.

    Plans up to all assets are small, and the epoch budget is all assets, until a test
    tightens them.
    """
    evm = evm or Evm()
    people = {
        name: evm.account(name)
        for name in ("governance", "guardian", "allocator", "keeper", "harvester", "gate")
    }
    governance = people["governance"]
    asset = evm.deploy(token, "Dollar", "USD", decimals, *token_args)
    authority = evm.deploy("AccessAuthority", governance)
    breaker = None
    if metered:
        oracle = evm.deploy("PriceOracle", authority)
        # The breaker wants a real gate; the router listens to an account that tests speak for.
        gate = evm.deploy(
            "EmergencyGate", governance, people["guardian"], 7 * DAY, 30 * DAY, 90 * DAY
        )
        breaker = evm.deploy("CircuitBreaker", authority, gate, oracle)
    config = (
        asset.address,
        "Breakwater Dollar",
        "bwUSD",
        authority.address,
        people["gate"],
        breaker.address if breaker else ZERO,
    )
    manager = evm.deploy("RouterManager", config)
    deployed = evm.deploy("CapitalRouter", config, manager)
    router = evm.at("ICapitalRouter", deployed)
    world = World(
        evm,
        asset,
        authority,
        router,
        breaker,
        governance=governance,
        guardian=people["guardian"],
        allocator=people["allocator"],
        keeper=people["keeper"],
        harvester=people["harvester"],
        gate=people["gate"],
    )
    holders = {
        GUARDIAN: world.guardian,
        ALLOCATOR: world.allocator,
        KEEPER: world.keeper,
        HARVESTER: world.harvester,
    }
    for role, functions in PERMISSIONS.items():
        permit_role(world, role, functions, holders[role])
    router.setPlanLimits(BPS, BPS, sender=governance)
    return world
