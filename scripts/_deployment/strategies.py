"""Deploys the strategies that the parameters name, and the sales that they need; no roles here."""

from __future__ import annotations

from dataclasses import dataclass

from web3.contract import Contract

from offchain import artifacts
from offchain.chain.client import ChainClient, TransactionReverted
from scripts._deployment.errors import DeployError
from scripts._deployment.installer import Installer
from scripts._deployment.parameters import Cap, Parameters

AAVE, COMPOUND, CURVE = "AaveV3Strategy", "CompoundV3Strategy", "CurveStrategy"
UNISWAP, GUARDED_POOL = "UniswapV3Strategy", "GuardedPoolStrategy"


@dataclass(frozen=True)
class Core:
    """The contracts of the suite that strategies are built from."""

    router: Contract
    authority: Contract
    gate: Contract
    oracle: Contract
    venue: Contract
    pool: Contract


@dataclass(frozen=True)
class Lender:
    """A strategy of the router: its contract, its cap, and whether the suite deployed it."""

    contract: Contract
    cap: Cap
    own: bool


def optional(p: Parameters) -> list[str]:
    """Strategies that the parameters ask for beyond Aave's."""
    asked = (
        (COMPOUND, p.compound),
        (CURVE, p.curve),
        (UNISWAP, p.uniswap_v3),
        (GUARDED_POOL, p.guarded_pool),
    )
    return [name for name, terms in asked if terms is not None]


def peers(p: Parameters) -> dict[str, str]:
    """Contracts of others that the strategies need, by what they are."""
    needed = {"Aave's addresses provider": p.aave.addresses_provider}
    if p.compound is not None:
        needed |= {"Comet": p.compound.comet, "Comet's rewards": p.compound.rewards}
    if p.curve is not None:
        needed |= {"Curve pool": p.curve.pool, "Curve pool's token": p.curve.lp_token}
    if p.uniswap_v3 is not None:
        needed["Uniswap V3 pool"] = p.uniswap_v3.pool
    needed |= {f"{vault.name} vault": vault.address for vault in p.foreign_vaults}
    return needed


def check_sales(client: ChainClient, p: Parameters) -> None:
    """A position in two tokens must be able to sell the other one.

    Raises:
        DeployError: if a pool is not of the asset, or nothing says how the other token is sold.
    """
    pairs: dict[str, tuple[str, str]] = {}
    if p.uniswap_v3 is not None:
        pair = client.contract(p.uniswap_v3.pool, artifacts.load("GuardedPool").abi).functions
        pairs["the Uniswap V3 pool"] = (client.call(pair.token0()), client.call(pair.token1()))
    if p.guarded_pool is not None:
        pairs["the guarded pool"] = (p.pool.token0, p.pool.token1)
    for what, tokens in pairs.items():
        if p.asset not in tokens:
            raise DeployError(f"{what} does not trade the asset")
        other = tokens[1] if tokens[0] == p.asset else tokens[0]
        if other not in {sale.token for sale in p.sales}:
            raise DeployError(f"{what} trades {other}, for which there is no sale")


def deploy_strategies(installer: Installer, p: Parameters, core: Core) -> dict[str, Lender]:
    """Every strategy, by name, in the order in which exits draw on them."""
    place, powers = core.router.address, (core.authority.address, core.gate.address)
    prices = (core.oracle.address, core.venue.address)
    planned: dict[str, tuple[tuple[object, ...], Cap]] = {
        AAVE: ((p.aave.addresses_provider,), p.aave.cap)
    }
    if (c := p.compound) is not None:
        planned[COMPOUND] = ((c.comet, c.rewards), c.cap)
    if (v := p.curve) is not None:
        limits = (v.entry_loss_bps, v.exit_loss_bps, v.imbalance_bps)
        planned[CURVE] = ((v.pool, v.lp_token, v.coins, limits), v.cap)
    if (u := p.uniswap_v3) is not None:
        bounds = (u.twap_period, u.max_deviation, u.width, u.max_slippage_bps)
        planned[UNISWAP] = (((u.pool, *prices, *bounds),), u.cap)
    if (g := p.guarded_pool) is not None:
        _remember(installer, core.pool, g.twap_period // p.pool.guard_window + 2)
        terms = (g.twap_period, g.max_deviation_bps, g.max_slippage_bps)
        planned[GUARDED_POOL] = (((core.pool.address, *prices, *terms),), g.cap)
    lenders = {
        name: Lender(installer.deploy(name, place, *arguments, *powers), cap, own=True)
        for name, (arguments, cap) in planned.items()
    }
    vault_abi = artifacts.load("Strategy").abi
    for vault in p.foreign_vaults:
        contract = installer.client.contract(vault.address, vault_abi)
        lenders[vault.name] = Lender(contract, vault.cap, own=False)
    return lenders


def wire_sales(installer: Installer, p: Parameters, venue: Contract, harvester: Contract) -> None:
    """What the suite earns in other tokens is sold at one venue, along a path of one pool."""
    for sale in p.sales:
        path = bytes.fromhex(sale.token[2:] + f"{sale.fee_pips:06x}" + p.asset[2:])
        held = installer.client.call(venue.functions.pathOf(sale.token, p.asset))
        installer.ensure(
            f"{sale.token} is sold at {sale.fee_pips / 10_000:g} %",
            held == path,
            venue.functions.setPath(sale.token, p.asset, path),
        )
        route = (venue.address, sale.max_slippage_bps)
        installer.ensure(
            f"{sale.token} harvested is sold within {sale.max_slippage_bps / 100:g} %",
            tuple(installer.client.call(harvester.functions.routeOf(sale.token))) == route,
            harvester.functions.setRoute(sale.token, *route),
        )


def _remember(installer: Installer, pool: Contract, observations: int) -> None:
    """The pool must look back as far as the strategy's average goes, one opening per window."""
    action = pool.functions.increaseObservationCardinality(observations)
    try:
        installer.client.call(action)
        done = False
    except TransactionReverted:
        done = True  # It refuses nothing but what it has.
    installer.ensure(f"the pool remembers {observations} openings", done, action)
