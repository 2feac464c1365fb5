"""The safety plane on one in-process EVM for its unit tests; asserts nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.support.evm import Address, Contract, Evm

GUARDIAN_ROLE = 1
DAY = 86_400
USD = 10**18
MAX_DURATION = 7 * DAY
COOLDOWN = 30 * DAY
HEARTBEAT = 90 * DAY
GOVERNED = (
    "setLimit(address,address,uint128,uint32,uint128)",
    "removeLimit(address,address)",
    "setWatch(address,(address,uint16,uint16,uint32,uint128))",
    "resetSharePeak(address)",
    "resetPriceReference(address)",
    "setOracle(address)",
)
TIGHTENING = ("tightenLimit(address,address,uint128)", "tightenWatch(address,uint16,uint16)")


@dataclass
class Plane:
    """Gate, breaker, oracle and one watched target with three feeds, all real but the target."""

    evm: Evm
    governance: Address
    guardian: Address
    keeper: Address
    attacker: Address
    authority: Contract
    gate: Contract
    oracle: Contract
    breaker: Contract
    asset: Contract
    target: Contract
    adapters: list[Contract] = field(default_factory=list)


def selector(contract: Contract, signature: str) -> bytes:
    """The four bytes that the access manager knows a function by."""
    return contract._interface.by_signature[signature].selector


@pytest.fixture
def evm() -> Evm:
    return Evm()


@pytest.fixture
def plane(evm: Evm) -> Plane:
    governance, guardian = evm.account("governance"), evm.account("guardian")
    authority = evm.deploy("AccessAuthority", governance)
    gate = evm.deploy("EmergencyGate", governance, guardian, MAX_DURATION, COOLDOWN, HEARTBEAT)
    oracle = evm.deploy("PriceOracle", authority)
    breaker = evm.deploy("CircuitBreaker", authority, gate, oracle)
    asset = evm.deploy("TestToken", "Dollar", "USD", 6)
    target = evm.deploy("WatchedTarget", gate, asset, breaker)
    gate.setBreaker(breaker, sender=governance)
    gate.register(target, sender=governance)
    authority.grantRole(GUARDIAN_ROLE, guardian, 0, sender=governance)
    authority.grantRole(GUARDIAN_ROLE, governance, 0, sender=governance)
    tightening = [selector(breaker, signature) for signature in TIGHTENING]
    authority.setTargetFunctionRole(breaker, tightening, GUARDIAN_ROLE, sender=governance)
    adapters = [evm.deploy("AdapterDouble", evm.account(f"publisher {i}"), USD) for i in range(3)]
    oracle.setFeeds(asset, adapters, rules(), sender=governance)
    return Plane(
        evm=evm,
        governance=governance,
        guardian=guardian,
        keeper=evm.account("keeper"),
        attacker=evm.account("attacker"),
        authority=authority,
        gate=gate,
        oracle=oracle,
        breaker=breaker,
        asset=asset,
        target=target,
        adapters=adapters,
    )


def rules(
    max_spread: int = 100,
    recover: int = 50,
    settle: int = 3_600,
    sanity: object = "0x" + "00" * 20,
    deviation: int = 0,
) -> tuple[int, int, int, object, int]:
    """The oracle's rules for one asset."""
    return (max_spread, recover, settle, sanity, deviation)


@pytest.fixture
def metered(plane: Plane) -> Callable[..., Plane]:
    """Meters the target's asset: 1 000 000 units a day, floor a tenth."""

    def meter(limit: int = 10**12, window: int = DAY, floor: int = 10**11) -> Plane:
        plane.breaker.setLimit(
            plane.target, plane.asset, limit, window, floor, sender=plane.governance
        )
        plane.target.setAccounted(10**18)
        return plane

    return meter


@pytest.fixture
def watched(plane: Plane) -> Plane:
    """Watches the target: 2 % drawdown, 5 % price drop against a daily reference."""
    plane.asset.mint(plane.target, 10**12)
    plane.target.setAccounted(10**12)
    watch = (plane.asset, 200, 500, DAY, 5)
    plane.breaker.setWatch(plane.target, watch, sender=plane.governance)
    return plane
