"""Every function of every managed contract, tried by a stranger: what the table restricts, is."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from offchain.abi import FunctionCodec
from scripts._deployment.permissions import GOVERNANCE, MANAGED, decisions
from tests.kit.guarded_pool import GuardedPool
from tests.kit.uniswap_v3 import UniswapV3
from tests.support.amm import PoolWorld
from tests.support.capital import build_world
from tests.support.evm import Contract, Evm, Revert, interface
from tests.support.flows import flows
from tests.support.lending import build_comet, build_curve

UNAUTHORIZED = "AccessManagedUnauthorized"
# Governance's own, by its name in the sources: the shipped suite has none, so no table has it.
VENUE = {"setPool": GOVERNANCE, "closePair": GOVERNANCE}
# Every argument zero, every list empty.
NOTHING = bytes(32 * 32)
ROLE = 99


def _plain(artifact: str) -> Contract:
    """A contract that asks only for who governs it."""
    evm = Evm()
    return evm.deploy(artifact, evm.deploy("AccessAuthority", evm.account("governance")))


def _aave() -> Contract:
    world = build_world()
    a_token = world.evm.deploy("ATokenDouble", world.asset)
    market = world.evm.deploy("AaveMarketDouble", world.asset, a_token)
    return world.evm.deploy("AaveV3Strategy", world.router, market, world.authority, world.gate)


def _harvester() -> Contract:
    world = build_world()
    oracle = world.evm.deploy("RateOracle")
    return world.evm.deploy("YieldHarvester", world.router, oracle, world.authority, world.gate)


def _breaker() -> Contract:
    found = build_world(metered=True).breaker
    assert found is not None
    return found


def _v3_venue() -> Contract:
    evm = Evm()
    authority = evm.deploy("AccessAuthority", evm.account("governance"))
    return evm.deploy("UniswapV3Venue", evm.account("router"), authority)


BUILDERS: dict[str, Callable[[], Contract]] = {
    "CapitalRouter": lambda: build_world().router,
    "AaveV3Strategy": _aave,
    "CompoundV3Strategy": lambda: build_comet().strategy,
    "CurveStrategy": lambda: build_curve().strategy,
    "UniswapV3Strategy": lambda: UniswapV3(18).vault,
    "GuardedPoolStrategy": lambda: GuardedPool(18).vault,
    "YieldHarvester": _harvester,
    "AuditAnchor": lambda: _plain("AuditAnchor"),
    "DepositGateway": lambda: flows(Evm()).gateway,
    "CircuitBreaker": _breaker,
    "InvestorRegistry": lambda: _plain("InvestorRegistry"),
    "UniswapV3Venue": _v3_venue,
    "PoolFactory": lambda: PoolWorld(Evm()).factory,
    "PriceOracle": lambda: _plain("PriceOracle"),
    "GuardedPoolVenue": lambda: _plain("GuardedPoolVenue"),
}
DECIDED = {
    artifact: VENUE if artifact == "GuardedPoolVenue" else decisions(artifact)
    for artifact in BUILDERS
}
FUNCTIONS = [(artifact, name) for artifact, names in DECIDED.items() for name in names]


@cache
def _built(artifact: str) -> tuple[Contract, int]:
    contract = BUILDERS[artifact]()
    return contract, contract._evm.snapshot()


def built(artifact: str) -> Contract:
    """The contract as it was deployed, in its own world."""
    contract, mark = _built(artifact)
    contract._evm.restore(mark)
    return contract


def surface(artifact: str) -> list[FunctionCodec]:
    """What can be called there; the router's second half answers for its first."""
    halves = ("CapitalRouter", "RouterManager") if artifact == "CapitalRouter" else (artifact,)
    found = {
        signature: codec
        for half in halves
        for signature, codec in interface(half).by_signature.items()
        if not codec.is_view
    }
    return list(found.values())


def refused(contract: Contract, selector: bytes, sender: str) -> bool:
    """Whether the authority stops this caller; what the function itself says does not matter."""
    evm = contract._evm
    with evm.rollback():
        try:
            evm.transact(sender, contract, selector + NOTHING)
        except Revert as error:
            return error.name == UNAUTHORIZED and error.args == (sender,)
    return False


def test_builders__every_managed_contract__is_tried() -> None:
    assert set(BUILDERS) == {*MANAGED, "GuardedPoolVenue"}


@pytest.mark.parametrize("artifact", BUILDERS)
def test_any_function__by_a_stranger__is_refused_exactly_where_decided(artifact: str) -> None:
    """Derived from the ABI: a function that lost its restriction, or gained one, is noticed."""
    contract = built(artifact)
    stranger = contract._evm.account("attacker")
    stopped = {
        codec.name for codec in surface(artifact) if refused(contract, codec.selector, stranger)
    }
    # The authority alone replaces itself; no role can.
    assert stopped - {"setAuthority"} == set(DECIDED[artifact])


@pytest.mark.parametrize(("artifact", "name"), FUNCTIONS, ids=[".".join(f) for f in FUNCTIONS])
def test_restricted__a_stranger_and_then_a_role__only_the_role_enters(
    artifact: str, name: str
) -> None:
    contract = built(artifact)
    evm = contract._evm
    holder, stranger = evm.account("role holder"), evm.account("attacker")
    governance = evm.account("governance")
    authority = evm.at("AccessAuthority", evm.at("AuditAnchor", contract).authority())
    for codec in (one for one in surface(artifact) if one.name == name):
        assert refused(contract, codec.selector, stranger)
        assert refused(contract, codec.selector, holder)
        authority.setTargetFunctionRole(contract, [codec.selector], ROLE, sender=governance)
        authority.grantRole(ROLE, holder, 0, sender=governance)
        assert refused(contract, codec.selector, stranger)
        assert not refused(contract, codec.selector, holder)
        authority.revokeRole(ROLE, holder, sender=governance)
