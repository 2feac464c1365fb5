"""Deploys all peers with liquidity and a borrower, as one value; it knows nothing of Breakwater."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from eth_utils.crypto import keccak
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, Signer
from tests.peers import aave_v3, uniswap_v2, uniswap_v3
from tests.peers.aave_v3 import AaveV3, Listing
from tests.peers.feeds import Feeds, deploy_feeds
from tests.peers.npm import PeerError
from tests.peers.safe import SafeSuite, deploy_safe_suite
from tests.peers.tokens import Tokens, deploy_tokens, fund
from tests.peers.uniswap_v2 import UniswapV2
from tests.peers.uniswap_v3 import UniswapV3

ETHER = 10**18
USD = 10**8
PRICES = {"USDC": USD, "DAI": USD, "USDT": USD, "WETH": 2_000 * USD, "WBTC": 30_000 * USD}
DEPTH = 5_000 * ETHER
BORROWED_BPS = 6_000
WETH_FEE = 3_000
STABLE_FEE = 500
OBSERVATIONS = 200
BORROWER_PER_DEPTH = 4
ETHER_PER_DEPTH = 8
DAI_PER_USDC = 10**12
STABLE_HALF_WIDTH = 100

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Peers:
    """The protocols that others wrote, deployed and alive.

    Attributes:
        tokens: the assets.
        safe: the multisig's contracts.
        uniswap_v2: with a USDC/WETH pair.
        v2_pair: that pair.
        uniswap_v3: with USDC/WETH at 30 bps and USDC/DAI at 5 bps.
        v3_pool: USDC/WETH, full range.
        v3_stable_pool: USDC/DAI, within about one per cent.
        aave: USDC, DAI and WETH; USDC and DAI are lent out at 60 per cent.
        feeds: doubles of price feeds, three per asset.
        borrower: who owes Aave; its key follows from the deployer's address, so it is no secret.
        seconds: how long all of it took.
    """

    tokens: Tokens
    safe: SafeSuite
    uniswap_v2: UniswapV2
    v2_pair: Contract
    uniswap_v3: UniswapV3
    v3_pool: Contract
    v3_stable_pool: Contract
    aave: AaveV3
    feeds: Feeds
    borrower: KeySigner
    seconds: float

    def addresses(self) -> dict[str, str]:
        """Addresses by name, for deployment files and consoles."""
        named = {name.upper(): token for name, token in vars(self.tokens).items()}
        named |= {
            "SafeSingleton": self.safe.singleton,
            "SafeSingletonL2": self.safe.singleton_l2,
            "SafeProxyFactory": self.safe.proxy_factory,
            "SafeMultiSendCallOnly": self.safe.multi_send_call_only,
            "SafeFallbackHandler": self.safe.fallback_handler,
            "UniswapV2Factory": self.uniswap_v2.factory,
            "UniswapV2Router02": self.uniswap_v2.router,
            "UniswapV2PairUsdcWeth": self.v2_pair,
            "UniswapV3Factory": self.uniswap_v3.factory,
            "UniswapV3Router": self.uniswap_v3.router,
            "UniswapV3PositionManager": self.uniswap_v3.position_manager,
            "UniswapV3Quoter": self.uniswap_v3.quoter,
            "UniswapV3PoolUsdcWeth": self.v3_pool,
            "UniswapV3PoolUsdcDai": self.v3_stable_pool,
            "AavePoolAddressesProvider": self.aave.provider,
            "AavePool": self.aave.pool,
            "AaveOracle": self.aave.oracle,
        }
        for symbol, reserve in self.aave.reserves.items():
            named[f"AaveToken{symbol}"] = reserve.a_token
        for symbol, feeds in self.feeds.by_symbol.items():
            named |= {f"Feed{symbol}{place + 1}": feed for place, feed in enumerate(feeds)}
        return {name: contract.address for name, contract in named.items()}


def borrower_of(deployer: Signer) -> KeySigner:
    """The borrower that belongs to a deployer."""
    return KeySigner(keccak(text=f"peers' borrower of {deployer.address}"))


def deploy_peers(
    client: ChainClient,
    deployer: Signer,
    *,
    depth: int = DEPTH,
    progress: Progress | None = None,
) -> Peers:
    """Deploys everything.

    Args:
        client: the chain.
        deployer: who pays, supplies the liquidity and stays the peers' admin.
        depth: wei of WETH in each venue, with its worth of the other side; eight times as much
            ether must be there (three for the venues, four for the borrower, gas).
        progress: told each step before it begins.

    Raises:
        PeerError: if the deployer has too little ether, or a peer is not what it should be.
    """
    say = progress or (lambda _: None)
    started = time.monotonic()
    if client.balance(deployer.address) < ETHER_PER_DEPTH * depth:
        needed = f"{ETHER_PER_DEPTH * depth / ETHER:g} ether"
        raise PeerError(f"{deployer.address} needs {needed} to deploy peers of this depth")
    borrower = borrower_of(deployer)
    say("tokens and feeds")
    tokens = deploy_tokens(client, deployer)
    feeds = deploy_feeds(client, deployer, PRICES)
    say("Safe 1.4.1")
    safe = deploy_safe_suite(client, deployer)
    say("Uniswap V2 and V3")
    worth = _worth(depth)
    fund(client, deployer, tokens.weth, deployer.address, 3 * depth)
    fund(client, deployer, tokens.usdc, deployer.address, 4 * worth)
    fund(client, deployer, tokens.dai, deployer.address, 2 * worth * DAI_PER_USDC)
    v2 = uniswap_v2.deploy_uniswap_v2(client, deployer, tokens.weth)
    pair = uniswap_v2.add_liquidity(
        client,
        deployer,
        v2,
        token_a=tokens.usdc,
        token_b=tokens.weth,
        amount_a=worth,
        amount_b=depth,
    )
    v3 = uniswap_v3.deploy_uniswap_v3(client, deployer, tokens.weth)
    pool, stable_pool = _seed_v3(client, deployer, v3, tokens, depth)
    say("Aave V3")
    aave = _lend(client, deployer, tokens, feeds, depth)
    say("a borrower")
    client.transact(deployer, {"to": borrower.address, "value": BORROWER_PER_DEPTH * depth})
    for token in (tokens.usdc, tokens.dai):
        aave_v3.borrow_to_utilisation(
            client, borrower, aave, token, collateral=tokens.weth, target_bps=BORROWED_BPS
        )
    seconds = time.monotonic() - started
    return Peers(tokens, safe, v2, pair, v3, pool, stable_pool, aave, feeds, borrower, seconds)


def _worth(depth: int) -> int:
    """USDC for an amount of WETH, at the opening price."""
    return depth * PRICES["WETH"] // PRICES["USDC"] // 10**12


def _seed_v3(
    client: ChainClient, deployer: Signer, v3: UniswapV3, tokens: Tokens, depth: int
) -> tuple[Contract, Contract]:
    """Creates and fills the V3 pools."""
    worth = _worth(depth)
    pool = uniswap_v3.create_pool(
        client,
        deployer,
        v3,
        token_a=tokens.weth,
        token_b=tokens.usdc,
        fee=WETH_FEE,
        amount_a=depth,
        amount_b=worth,
        observations=OBSERVATIONS,
    )
    uniswap_v3.add_liquidity(
        client,
        deployer,
        v3,
        token_a=tokens.weth,
        token_b=tokens.usdc,
        fee=WETH_FEE,
        amount_a=depth,
        amount_b=worth,
    )
    stable_pool = uniswap_v3.create_pool(
        client,
        deployer,
        v3,
        token_a=tokens.dai,
        token_b=tokens.usdc,
        fee=STABLE_FEE,
        amount_a=DAI_PER_USDC,
        amount_b=1,
        observations=OBSERVATIONS,
    )
    uniswap_v3.add_liquidity(
        client,
        deployer,
        v3,
        token_a=tokens.dai,
        token_b=tokens.usdc,
        fee=STABLE_FEE,
        amount_a=worth * DAI_PER_USDC,
        amount_b=worth,
        half_width=STABLE_HALF_WIDTH,
    )
    return pool, stable_pool


def _lend(
    client: ChainClient, deployer: Signer, tokens: Tokens, feeds: Feeds, depth: int
) -> AaveV3:
    """Deploys the market and supplies it."""
    listings = {
        "USDC": Listing(tokens.usdc, feeds.first("USDC"), aave_v3.STABLE_TERMS),
        "DAI": Listing(tokens.dai, feeds.first("DAI"), aave_v3.STABLE_TERMS),
        "WETH": Listing(tokens.weth, feeds.first("WETH"), aave_v3.ETHER_TERMS),
    }
    aave = aave_v3.deploy_aave_v3(client, deployer, listings)
    aave_v3.supply(client, deployer, aave, tokens.usdc, _worth(depth))
    aave_v3.supply(client, deployer, aave, tokens.dai, _worth(depth) * DAI_PER_USDC // 5)
    aave_v3.supply(client, deployer, aave, tokens.weth, depth)
    return aave
