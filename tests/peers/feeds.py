"""Deploys and steers price-feed doubles; real feeds have publishers off chain and cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.peers.npm import deploy_own

FEED_DECIMALS = 8
FEEDS_PER_ASSET = 3


class FeedMode(IntEnum):
    """How a feed behaves; the order is the contract's."""

    STEADY = 0
    LIVE = 1
    STALE = 2
    REVERTING = 3
    GAS_BURNING = 4
    JUNK = 5
    SILENT = 6
    BOMB = 7


@dataclass(frozen=True)
class Feeds:
    """Feed doubles in USD with 8 decimals: by asset symbol, several independent ones each."""

    by_symbol: dict[str, tuple[Contract, ...]]

    def __getitem__(self, symbol: str) -> tuple[Contract, ...]:
        return self.by_symbol[symbol]

    def first(self, symbol: str) -> Contract:
        """The asset's first feed: the one that Aave reads."""
        return self.by_symbol[symbol][0]


def deploy_feed(
    client: ChainClient,
    deployer: Signer,
    description: str,
    answer: int,
    *,
    decimals: int = FEED_DECIMALS,
    mode: FeedMode = FeedMode.STEADY,
) -> Contract:
    """Deploys one feed double with an answer that is fresh now."""
    feed = deploy_own(client, deployer, "FeedDouble", description, decimals, answer)
    if mode is not FeedMode.STEADY:
        set_mode(client, deployer, feed, mode)
    return feed


def deploy_feeds(
    client: ChainClient,
    deployer: Signer,
    prices_usd: dict[str, int],
    per_asset: int = FEEDS_PER_ASSET,
) -> Feeds:
    """Deploys feeds for several assets.

    Args:
        client: the chain.
        deployer: who pays.
        prices_usd: USD per whole token with 8 decimals, by symbol.
        per_asset: how many feeds each asset gets.
    """
    return Feeds(
        {
            symbol: tuple(
                deploy_feed(client, deployer, f"{symbol} / USD #{place + 1}", price)
                for place in range(per_asset)
            )
            for symbol, price in prices_usd.items()
        }
    )


def set_price(client: ChainClient, signer: Signer, feed: Contract, answer: int) -> None:
    """Publishes an answer now, within the feed's bounds."""
    client.transact(signer, feed.functions.setAnswer(answer))


def set_round(
    client: ChainClient, signer: Signer, feed: Contract, answer: int, updated_at: int
) -> None:
    """Publishes a round as given, however wrong."""
    client.transact(signer, feed.functions.setRound(answer, updated_at))


def set_mode(client: ChainClient, signer: Signer, feed: Contract, mode: FeedMode) -> None:
    """Makes a feed misbehave, or behave again."""
    client.transact(signer, feed.functions.setMode(int(mode)))


def set_market(client: ChainClient, signer: Signer, feeds: Feeds, symbol: str, answer: int) -> None:
    """Moves every feed of an asset to one price."""
    for feed in feeds[symbol]:
        set_price(client, signer, feed, answer)
