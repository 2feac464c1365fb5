"""Deploys our double of Compound III (Comet and its rewards), lends and borrows on it.

No build of the real one is to be had on npm; the double has its calls and its integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.peers.npm import PeerError, deploy_own
from tests.peers.tokens import approve, balance, fund

WAD = 10**18
BPS = 10_000
INDEX_SCALE = 10**15
MAX_CAP = 2**128 - 1
MAX = 2**256 - 1


@dataclass(frozen=True)
class Market:
    """How a Comet is set up; rates, kinks and factors are WAD, rates per year.

    Attributes:
        supply_kink: utilisation at which suppliers' steep slope begins.
        supply_low: slope of their rate below it.
        supply_high: slope above it.
        supply_base: their rate at no utilisation.
        borrow_kink: the same four for borrowers.
        borrow_low: see above.
        borrow_high: see above.
        borrow_base: see above.
        tracking_scale: of the rewards' indices.
        supply_speed: reward that all suppliers get per second, in that scale.
        borrow_speed: reward that all borrowers get per second.
        min_for_rewards: whole tokens of principal below which nothing is tracked.
        min_borrow: whole tokens, least debt.
    """

    supply_kink: int = 8 * WAD // 10
    supply_low: int = 325 * WAD // 10_000
    supply_high: int = 4 * WAD // 10
    supply_base: int = 0
    borrow_kink: int = 8 * WAD // 10
    borrow_low: int = 35 * WAD // 1_000
    borrow_high: int = 25 * WAD // 100
    borrow_base: int = 15 * WAD // 1_000
    tracking_scale: int = 10**15
    supply_speed: int = 10**15 // 1_000
    borrow_speed: int = 0
    min_for_rewards: int = 1_000
    min_borrow: int = 100


@dataclass(frozen=True)
class Collateral:
    """An asset that borrowers may put up.

    Attributes:
        token: address.
        feed: its price in USD, 8 decimals.
        decimals: of the token.
        factor: part of its value that can be borrowed, WAD.
    """

    token: str
    feed: str
    decimals: int
    factor: int = 825 * WAD // 1_000


@dataclass(frozen=True)
class CompoundV3:
    """A market with its rewards; `collaterals` by token address."""

    comet: Contract
    rewards: Contract
    base: Contract
    decimals: int
    collaterals: dict[str, Collateral] = field(default_factory=dict)


def configuration(
    governor: str,
    base: str,
    base_feed: str,
    decimals: int,
    collaterals: Sequence[Collateral],
    market: Market | None = None,
) -> tuple[Any, ...]:
    """The argument of CometDouble's constructor."""
    m = market or Market()
    return (
        governor,
        governor,
        base,
        base_feed,
        m.supply_kink,
        m.supply_low,
        m.supply_high,
        m.supply_base,
        m.borrow_kink,
        m.borrow_low,
        m.borrow_high,
        m.borrow_base,
        m.tracking_scale,
        m.supply_speed,
        m.borrow_speed,
        m.min_for_rewards * 10**decimals,
        m.min_borrow * 10**decimals,
        [(c.token, c.feed, c.decimals, c.factor, MAX_CAP) for c in collaterals],
    )


def deploy_compound_v3(
    client: ChainClient,
    deployer: Signer,
    base: Contract,
    base_feed: Contract,
    collaterals: Sequence[Collateral],
    market: Market | None = None,
) -> CompoundV3:
    """Deploys a market whose governor is the deployer, and rewards that pay nothing yet."""
    decimals = client.call(base.functions.decimals())
    config = configuration(
        deployer.address, base.address, base_feed.address, decimals, collaterals, market
    )
    comet = deploy_own(client, deployer, "CometDouble", config)
    rewards = deploy_own(client, deployer, "CometRewardsDouble", deployer.address)
    return CompoundV3(comet, rewards, base, decimals, {c.token: c for c in collaterals})


def set_reward(
    client: ChainClient, governor: Signer, market: CompoundV3, token: Contract, budget: int
) -> None:
    """Lets the rewards contract pay in a token, and gives it so much of it."""
    set_up = market.rewards.functions
    client.transact(governor, set_up.setRewardConfig(market.comet.address, token.address))
    fund(client, governor, token, market.rewards.address, budget)


def supply(
    client: ChainClient, signer: Signer, market: CompoundV3, token: Contract, amount: int
) -> None:
    """Lends base that the signer holds, or puts up collateral."""
    approve(client, signer, token, market.comet.address)
    client.transact(signer, market.comet.functions.supply(token.address, amount))


def withdraw(
    client: ChainClient, signer: Signer, market: CompoundV3, token: Contract, amount: int = MAX
) -> None:
    """Takes back base or collateral; base beyond the signer's own is borrowed."""
    client.transact(signer, market.comet.functions.withdraw(token.address, amount))


def available(client: ChainClient, market: CompoundV3) -> int:
    """Base that lies in the market."""
    return balance(client, market.base, market.comet.address)


def utilisation_bps(client: ChainClient, market: CompoundV3) -> int:
    """Debt over supply now; may exceed 10 000."""
    supplied = int(client.call(market.comet.functions.totalSupply()))
    owed = int(client.call(market.comet.functions.totalBorrow()))
    return owed * BPS // supplied if supplied else 0


def borrow(
    client: ChainClient,
    borrower: Signer,
    market: CompoundV3,
    amount: int,
    *,
    collateral: Contract,
) -> None:
    """Puts up enough collateral, a tenth to spare, and borrows.

    Raises:
        PeerError: if the market does not take the collateral.
    """
    held = market.collaterals.get(collateral.address)
    if held is None:
        raise PeerError(f"{collateral.address} is no collateral here")
    price = market.comet.functions.getPrice
    base_price = client.call(price(client.call(market.comet.functions.baseTokenPriceFeed())))
    debt = int(client.call(market.comet.functions.borrowBalanceOf(borrower.address)))
    value = (debt + amount) * base_price * 11 // 10 // 10**market.decimals
    unit_value = client.call(price(held.feed)) * held.factor // WAD
    needed = -(-value * 10**held.decimals // unit_value)
    have = client.call(
        market.comet.functions.collateralBalanceOf(borrower.address, collateral.address)
    )
    if needed > have:
        fund(client, borrower, collateral, borrower.address, needed - have)
        supply(client, borrower, market, collateral, needed - have)
    withdraw(client, borrower, market, market.base, amount)


def drain(
    client: ChainClient,
    borrower: Signer,
    market: CompoundV3,
    *,
    collateral: Contract,
    left: int = 0,
) -> None:
    """Borrows all base that lies in the market, but for so much."""
    borrow(client, borrower, market, available(client, market) - left, collateral=collateral)


def set_paused(
    client: ChainClient,
    governor: Signer,
    market: CompoundV3,
    *,
    supplying: bool = False,
    transferring: bool = False,
    withdrawing: bool = False,
) -> None:
    """Pauses exactly these actions."""
    flags = (supplying, transferring, withdrawing, False, False)
    client.transact(governor, market.comet.functions.pause(*flags))
