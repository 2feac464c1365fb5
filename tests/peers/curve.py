"""Deploys our double of a Curve stable pool of two or three coins, and trades in it.

No build of the real ones is to be had on npm; the double has their calls and their integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.peers.npm import PeerError, deploy_own
from tests.peers.tokens import approve, balance, fund

WAD = 10**18
FEE_UNIT = 10**10
MAX = 2**256 - 1


@dataclass(frozen=True)
class Terms:
    """How a pool is set up.

    Attributes:
        amp: A, times n^(n-1), as these pools take it.
        fee: of trades, in 1e-10.
        admin_fee: the owner's part of the fee, in 1e-10.
    """

    amp: int = 200
    fee: int = 4 * 10**6
    admin_fee: int = 5 * 10**9


@dataclass(frozen=True)
class CurvePool:
    """A pool, its LP token and its coins in order."""

    pool: Contract
    lp: Contract
    coins: tuple[Contract, ...]
    decimals: tuple[int, ...]

    def index(self, coin: Contract) -> int:
        """A coin's place.

        Raises:
            PeerError: if it is not in the pool.
        """
        for place, known in enumerate(self.coins):
            if known.address == coin.address:
                return place
        raise PeerError(f"{coin.address} is not in the pool")


def deploy_curve_pool(
    client: ChainClient,
    owner: Signer,
    coins: Sequence[Contract],
    *,
    terms: Terms | None = None,
    seed: int = 0,
) -> CurvePool:
    """Deploys a pool and its LP token.

    Args:
        client: the chain.
        owner: the pool's admin, who can kill it and ramp A.
        coins: two or three.
        terms: its parameters.
        seed: whole tokens of each coin that the owner adds.
    """
    t = terms or Terms()
    size = len(coins)
    if size not in (2, 3):
        raise PeerError(f"a pool of {size} coins is not to be had here")
    lp = deploy_own(client, owner, "PoolTokenDouble", "Stable pool", "STABLE")
    pool = deploy_own(
        client,
        owner,
        f"StableSwap{size}Double",
        owner.address,
        [coin.address for coin in coins],
        lp.address,
        t.amp,
        t.fee,
        t.admin_fee,
    )
    client.transact(owner, lp.functions.set_minter(pool.address))
    decimals = tuple(int(client.call(coin.functions.decimals())) for coin in coins)
    deployed = CurvePool(pool, lp, tuple(coins), decimals)
    if seed:
        add(client, owner, deployed, [seed * 10**places for places in decimals])
    return deployed


def add(client: ChainClient, provider: Signer, curve: CurvePool, amounts: Sequence[int]) -> int:
    """Funds and adds these amounts; LP tokens minted."""
    before = balance(client, curve.lp, provider.address)
    for coin, amount in zip(curve.coins, amounts, strict=True):
        if amount:
            fund(client, provider, coin, provider.address, amount)
            approve(client, provider, coin, curve.pool.address)
    client.transact(provider, curve.pool.functions.add_liquidity(list(amounts), 0))
    return balance(client, curve.lp, provider.address) - before


def trade(
    client: ChainClient,
    trader: Signer,
    curve: CurvePool,
    *,
    sold: Contract,
    bought: Contract,
    amount: int,
) -> int:
    """Funds and sells so much; what it bought."""
    fund(client, trader, sold, trader.address, amount)
    approve(client, trader, sold, curve.pool.address)
    before = balance(client, bought, trader.address)
    swap = curve.pool.functions.exchange(curve.index(sold), curve.index(bought), amount, 0)
    client.transact(trader, swap)
    return balance(client, bought, trader.address) - before


def share_bps(client: ChainClient, curve: CurvePool, coin: Contract) -> int:
    """A coin's part of all that the pool holds, at par."""
    held = [
        int(client.call(curve.pool.functions.balances(place))) * int(10 ** (18 - places))
        for place, places in enumerate(curve.decimals)
    ]
    return held[curve.index(coin)] * 10_000 // sum(held)


def kill(client: ChainClient, owner: Signer, curve: CurvePool) -> None:
    """Stops everything but the balanced exit."""
    client.transact(owner, curve.pool.functions.kill_me())


def unkill(client: ChainClient, owner: Signer, curve: CurvePool) -> None:
    """Undoes `kill`."""
    client.transact(owner, curve.pool.functions.unkill_me())
