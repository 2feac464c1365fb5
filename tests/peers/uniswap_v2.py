"""Deploys the real Uniswap V2 and trades on it; prices come from its own pairs only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak
from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.peers.npm import PeerError, deploy, load
from tests.peers.tokens import approve, balance

FACTORY = "@uniswap/v2-core/build/UniswapV2Factory"
PAIR = "@uniswap/v2-core/build/UniswapV2Pair"
ROUTER = "@uniswap/v2-periphery/build/UniswapV2Router02"

# The router finds pairs by CREATE2 from this hash, which its library has as a literal
# (v2-periphery, contracts/libraries/UniswapV2Library.sol, pairFor).
PAIR_INIT_CODE_HASH = "96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
NO_DEADLINE = 2**256 - 1
ZERO = "0x" + "00" * 20


@dataclass(frozen=True)
class UniswapV2:
    """Factory and Router02."""

    factory: Contract
    router: Contract


def deploy_uniswap_v2(client: ChainClient, deployer: Signer, weth: Contract) -> UniswapV2:
    """Deploys factory and router; the deployer may set the protocol fee, which stays off.

    Raises:
        PeerError: if the pairs that the factory makes are not those that the router looks for.
    """
    if keccak(hexstr=load(PAIR).bytecode).hex() != PAIR_INIT_CODE_HASH:
        raise PeerError("the package's pair is not the one that Router02 computes addresses of")
    factory = deploy(client, deployer, load(FACTORY), deployer.address)
    router = deploy(client, deployer, load(ROUTER), factory.address, weth.address)
    return UniswapV2(factory, router)


def pair_of(client: ChainClient, v2: UniswapV2, token_a: Contract, token_b: Contract) -> Contract:
    """The pair of two tokens.

    Raises:
        PeerError: if there is none.
    """
    address = client.call(v2.factory.functions.getPair(token_a.address, token_b.address))
    if address == ZERO:
        raise PeerError("the two tokens have no pair")
    return client.contract(address, load(PAIR).abi)


def create_pair(
    client: ChainClient, signer: Signer, v2: UniswapV2, token_a: Contract, token_b: Contract
) -> Contract:
    """Creates an empty pair."""
    client.transact(signer, v2.factory.functions.createPair(token_a.address, token_b.address))
    return pair_of(client, v2, token_a, token_b)


def add_liquidity(
    client: ChainClient,
    signer: Signer,
    v2: UniswapV2,
    *,
    token_a: Contract,
    token_b: Contract,
    amount_a: int,
    amount_b: int,
) -> Contract:
    """Adds the signer's tokens to a pair, which is created if there is none; returns the pair."""
    for token, amount in ((token_a, amount_a), (token_b, amount_b)):
        approve(client, signer, token, v2.router.address, amount)
    client.transact(
        signer,
        v2.router.functions.addLiquidity(
            token_a.address,
            token_b.address,
            amount_a,
            amount_b,
            0,
            0,
            signer.address,
            NO_DEADLINE,
        ),
    )
    return pair_of(client, v2, token_a, token_b)


def reserves(client: ChainClient, pair: Contract, token_in: Contract) -> tuple[int, int]:
    """Reserves of a pair seen by a seller: of the token that comes in, and of the other."""
    reserve0, reserve1, _ = client.call(pair.functions.getReserves())
    first = client.call(pair.functions.token0()) == token_in.address
    return (reserve0, reserve1) if first else (reserve1, reserve0)


def amount_out(amount_in: int, reserve_in: int, reserve_out: int) -> int:
    """What a pair pays for an input: constant product after a fee of 30 bps, rounded down."""
    after_fee = amount_in * 997
    return after_fee * reserve_out // (reserve_in * 1000 + after_fee)


def swap_exact_in(
    client: ChainClient,
    trader: Signer,
    v2: UniswapV2,
    path: Sequence[Contract],
    amount_in: int,
    *,
    min_out: int = 0,
) -> int:
    """Sells an exact amount along a path through the router and returns what the trader got."""
    if client.call(path[0].functions.allowance(trader.address, v2.router.address)) < amount_in:
        approve(client, trader, path[0], v2.router.address)
    before = balance(client, path[-1], trader.address)
    client.transact(
        trader,
        v2.router.functions.swapExactTokensForTokens(
            amount_in, min_out, [token.address for token in path], trader.address, NO_DEADLINE
        ),
    )
    return balance(client, path[-1], trader.address) - before
