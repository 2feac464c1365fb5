"""Deploys the real Uniswap V3 and trades on it; positions are NFTs without a picture."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from eth_utils.crypto import keccak
from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.peers.npm import PeerError, deploy, load
from tests.peers.tokens import approve, balance

CORE = "@uniswap/v3-core/artifacts/contracts"
PERIPHERY = "@uniswap/v3-periphery/artifacts/contracts"
POOL = f"{CORE}/UniswapV3Pool.sol/UniswapV3Pool"

# The periphery finds pools by CREATE2 from this hash (v3-periphery,
# contracts/libraries/PoolAddress.sol, POOL_INIT_CODE_HASH).
POOL_INIT_CODE_HASH = "e34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54"
TICK_SPACING = {500: 10, 3_000: 60, 10_000: 200}
MAX_TICK = 887_272
NO_DEADLINE = 2**256 - 1
ZERO = "0x" + "00" * 20


@dataclass(frozen=True)
class UniswapV3:
    """Factory, SwapRouter, NonfungiblePositionManager and QuoterV2."""

    factory: Contract
    router: Contract
    position_manager: Contract
    quoter: Contract


@dataclass(frozen=True)
class Position:
    """A liquidity position as it was minted."""

    token_id: int
    liquidity: int
    amount0: int
    amount1: int


def deploy_uniswap_v3(client: ChainClient, deployer: Signer, weth: Contract) -> UniswapV3:
    """Deploys the four contracts. No NFT descriptor: `tokenURI` reverts, nothing else needs it.

    Raises:
        PeerError: if the pools that the factory makes are not those that the periphery looks for.
    """
    if keccak(hexstr=load(POOL).bytecode).hex() != POOL_INIT_CODE_HASH:
        raise PeerError("the package's pool is not the one that the periphery looks for")
    factory = deploy(client, deployer, load(f"{CORE}/UniswapV3Factory.sol/UniswapV3Factory"))
    places = (factory.address, weth.address)
    manager = load(f"{PERIPHERY}/NonfungiblePositionManager.sol/NonfungiblePositionManager")
    return UniswapV3(
        factory=factory,
        router=deploy(client, deployer, load(f"{PERIPHERY}/SwapRouter.sol/SwapRouter"), *places),
        position_manager=deploy(client, deployer, manager, *places, ZERO),
        quoter=deploy(client, deployer, load(f"{PERIPHERY}/lens/QuoterV2.sol/QuoterV2"), *places),
    )


def sqrt_price_x96(amount0: int, amount1: int) -> int:
    """Square root, in 96 binary places and rounded down, of the price that two amounts express."""
    return isqrt((amount1 << 192) // amount0)


def in_order(token_a: Contract, token_b: Contract) -> bool:
    """Whether `token_a` is token0."""
    return int(token_a.address, 16) < int(token_b.address, 16)


def pool_of(
    client: ChainClient, v3: UniswapV3, token_a: Contract, token_b: Contract, fee: int
) -> Contract:
    """The pool of two tokens at a fee in hundredths of a basis point.

    Raises:
        PeerError: if there is none.
    """
    address = client.call(v3.factory.functions.getPool(token_a.address, token_b.address, fee))
    if address == ZERO:
        raise PeerError("the two tokens have no pool at this fee")
    return client.contract(address, load(POOL).abi)


def create_pool(
    client: ChainClient,
    signer: Signer,
    v3: UniswapV3,
    *,
    token_a: Contract,
    token_b: Contract,
    fee: int,
    amount_a: int,
    amount_b: int,
    observations: int = 1,
) -> Contract:
    """Creates a pool at the price that `amount_a` of one token for `amount_b` of the other is.

    `observations` is how many past prices the pool keeps for its TWAP.
    """
    if not in_order(token_a, token_b):
        token_a, token_b, amount_a, amount_b = token_b, token_a, amount_b, amount_a
    price = sqrt_price_x96(amount_a, amount_b)
    client.transact(
        signer,
        v3.position_manager.functions.createAndInitializePoolIfNecessary(
            token_a.address, token_b.address, fee, price
        ),
    )
    pool = pool_of(client, v3, token_a, token_b, fee)
    if observations > 1:
        client.transact(signer, pool.functions.increaseObservationCardinalityNext(observations))
    return pool


def add_liquidity(
    client: ChainClient,
    signer: Signer,
    v3: UniswapV3,
    *,
    token_a: Contract,
    token_b: Contract,
    fee: int,
    amount_a: int,
    amount_b: int,
    half_width: int | None = None,
) -> Position:
    """Mints a position of at most the two amounts.

    Args:
        client: the chain.
        signer: owner of tokens and position.
        v3: the protocol.
        token_a: one token.
        token_b: the other.
        fee: of the pool.
        amount_a: most of `token_a`.
        amount_b: most of `token_b`.
        half_width: ticks to each side of the current one; None covers the full range.
    """
    if not in_order(token_a, token_b):
        token_a, token_b, amount_a, amount_b = token_b, token_a, amount_b, amount_a
    spacing = TICK_SPACING[fee]
    lower, upper = -(MAX_TICK // spacing) * spacing, MAX_TICK // spacing * spacing
    if half_width is not None:
        pool = pool_of(client, v3, token_a, token_b, fee)
        tick = client.call(pool.functions.slot0())[1]
        lower = max(lower, (tick - half_width) // spacing * spacing)
        upper = min(upper, -((tick + half_width) // -spacing) * spacing)
    for token, amount in ((token_a, amount_a), (token_b, amount_b)):
        approve(client, signer, token, v3.position_manager.address, amount)
    receipt = client.transact(
        signer,
        v3.position_manager.functions.mint(
            (
                token_a.address,
                token_b.address,
                fee,
                lower,
                upper,
                amount_a,
                amount_b,
                0,
                0,
                signer.address,
                NO_DEADLINE,
            )
        ),
    )
    minted = client.events(receipt, v3.position_manager, "IncreaseLiquidity")[0]
    return Position(minted["tokenId"], minted["liquidity"], minted["amount0"], minted["amount1"])


def quote_exact_in(
    client: ChainClient,
    v3: UniswapV3,
    *,
    token_in: Contract,
    token_out: Contract,
    fee: int,
    amount_in: int,
) -> int:
    """What the quoter says an exact input pays."""
    request = (token_in.address, token_out.address, amount_in, fee, 0)
    return int(client.call(v3.quoter.functions.quoteExactInputSingle(request))[0])


def swap_exact_in(
    client: ChainClient,
    trader: Signer,
    v3: UniswapV3,
    *,
    token_in: Contract,
    token_out: Contract,
    fee: int,
    amount_in: int,
    min_out: int = 0,
) -> int:
    """Sells an exact amount through the router and returns what the trader got."""
    if client.call(token_in.functions.allowance(trader.address, v3.router.address)) < amount_in:
        approve(client, trader, token_in, v3.router.address)
    before = balance(client, token_out, trader.address)
    request = (
        token_in.address,
        token_out.address,
        fee,
        trader.address,
        NO_DEADLINE,
        amount_in,
        min_out,
        0,
    )
    client.transact(trader, v3.router.functions.exactInputSingle(request))
    return balance(client, token_out, trader.address) - before
