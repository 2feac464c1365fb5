"""The real Uniswap V3 pays what its quoter says and what its curve says, to the last unit."""

from __future__ import annotations

import pytest

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from tests.peers import uniswap_v3
from tests.peers.npm import PeerError
from tests.peers.tokens import balance, fund
from tests.peers.world import DEPTH, OBSERVATIONS, STABLE_FEE, WETH_FEE, Peers
from tests.support.anvil import Anvil

pytestmark = pytest.mark.peers
Q96 = 1 << 96
MILLION = 1_000_000
ONE_WORD_PPM = 20_000


def ceil_div(left: int, right: int) -> int:
    return -(-left // right)


def paid_by_curve(sold: int, fee: int, price: int, liquidity: int, sells_token0: bool) -> int:
    """One range of the curve: from the square root of the price (96 places) and the liquidity.

    Every step rounds for the pool, as the protocol's paper says it must.
    """
    net = sold * (MILLION - fee) // MILLION
    if sells_token0:
        after = ceil_div(liquidity * Q96 * price, liquidity * Q96 + net * price)
        return liquidity * (price - after) // Q96
    after = price + net * Q96 // liquidity
    return liquidity * Q96 * (after - price) // after // price


@pytest.mark.parametrize("sells_ether", [False, True])
@pytest.mark.parametrize("size_ppm", [1, 997, 5_003, 20_000, 1_000_000, 5_000_000])
def test_swap__full_range_pool__pays_quote_and_curve(
    client: ChainClient, peers: Peers, whale: KeySigner, sells_ether: bool, size_ppm: int
) -> None:
    sides = (peers.tokens.weth, peers.tokens.usdc)
    token_in, token_out = sides if sells_ether else sides[::-1]
    sold = balance(client, token_in, peers.v3_pool.address) * size_ppm // MILLION + 1
    price = client.call(peers.v3_pool.functions.slot0())[0]
    liquidity = client.call(peers.v3_pool.functions.liquidity())
    trade = {"token_in": token_in, "token_out": token_out, "fee": WETH_FEE, "amount_in": sold}
    quoted = uniswap_v3.quote_exact_in(client, peers.uniswap_v3, **trade)
    fund(client, whale, token_in, whale.address, sold)
    paid = uniswap_v3.swap_exact_in(client, whale, peers.uniswap_v3, **trade)
    sells_token0 = uniswap_v3.in_order(token_in, token_out)
    assert paid == quoted
    whole = paid_by_curve(sold, WETH_FEE, price, liquidity, sells_token0)
    # A large trade is executed in pieces, one per word of the tick bitmap; each piece rounds its
    # fee and its price for the pool, so it may pay a little less than the curve in one go.
    assert paid == whole if size_ppm <= ONE_WORD_PPM else whole - whole // 10**10 - 2 <= paid
    assert paid <= whole


def test_swap__narrow_stable_pool__loses_little_more_than_its_fee(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    sold = 100_000 * 10**6
    fund(client, whale, peers.tokens.usdc, whale.address, sold)
    paid = uniswap_v3.swap_exact_in(
        client,
        whale,
        peers.uniswap_v3,
        token_in=peers.tokens.usdc,
        token_out=peers.tokens.dai,
        fee=STABLE_FEE,
        amount_in=sold,
    )
    after_fee = sold * (MILLION - STABLE_FEE) // MILLION * 10**12
    assert after_fee * 9_998 // 10_000 < paid < after_fee


def test_swap__below_the_minimum__reverts(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    trade = {
        "token_in": peers.tokens.usdc,
        "token_out": peers.tokens.weth,
        "fee": WETH_FEE,
        "amount_in": 10**9,
    }
    fund(client, whale, peers.tokens.usdc, whale.address, 10**9)
    quoted = uniswap_v3.quote_exact_in(client, peers.uniswap_v3, **trade)
    with pytest.raises(TransactionReverted, match="Too little received"):
        uniswap_v3.swap_exact_in(client, whale, peers.uniswap_v3, **trade, min_out=quoted + 1)
    assert balance(client, peers.tokens.usdc, whale.address) == 10**9


def test_create_pool__price_from_two_amounts__is_that_price(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    wbtc, weth = peers.tokens.wbtc, peers.tokens.weth
    with pytest.raises(PeerError):
        uniswap_v3.pool_of(client, peers.uniswap_v3, wbtc, weth, WETH_FEE)
    pool = uniswap_v3.create_pool(
        client,
        whale,
        peers.uniswap_v3,
        token_a=wbtc,
        token_b=weth,
        fee=WETH_FEE,
        amount_a=10**8,
        amount_b=15 * 10**18,
    )
    root = client.call(pool.functions.slot0())[0]
    amounts = (10**8, 15 * 10**18)
    first, second = amounts if uniswap_v3.in_order(wbtc, weth) else amounts[::-1]
    assert root * root * first <= second << 192 < (root + 1) * (root + 1) * first


@pytest.mark.parametrize("half_width", [None, 600, 6_000])
def test_add_liquidity__any_width__spends_at_most_what_is_given_and_can_leave(
    client: ChainClient, peers: Peers, whale: KeySigner, half_width: int | None
) -> None:
    weth, usdc = peers.tokens.weth, peers.tokens.usdc
    amounts = {weth.address: 10**19, usdc.address: 20_000 * 10**6}
    for token in (weth, usdc):
        fund(client, whale, token, whale.address, amounts[token.address])
    before = client.call(peers.v3_pool.functions.liquidity())
    position = uniswap_v3.add_liquidity(
        client,
        whale,
        peers.uniswap_v3,
        token_a=weth,
        token_b=usdc,
        fee=WETH_FEE,
        amount_a=amounts[weth.address],
        amount_b=amounts[usdc.address],
        half_width=half_width,
    )
    assert client.call(peers.v3_pool.functions.liquidity()) == before + position.liquidity
    token0, token1 = (weth, usdc) if uniswap_v3.in_order(weth, usdc) else (usdc, weth)
    assert balance(client, token0, whale.address) == amounts[token0.address] - position.amount0
    assert balance(client, token1, whale.address) == amounts[token1.address] - position.amount1
    manager = peers.uniswap_v3.position_manager
    leave = (position.token_id, position.liquidity, 0, 0, uniswap_v3.NO_DEADLINE)
    client.transact(whale, manager.functions.decreaseLiquidity(leave))
    most = 2**128 - 1
    claim = (position.token_id, whale.address, most, most)
    client.transact(whale, manager.functions.collect(claim))
    for token in (weth, usdc):
        assert 0 <= amounts[token.address] - balance(client, token, whale.address) <= 1


def test_pool__after_an_hour_without_trades__observes_its_opening_tick(
    chain: Anvil, client: ChainClient, peers: Peers
) -> None:
    tick, next_slots = client.call(peers.v3_pool.functions.slot0())[1::3][:2]
    assert next_slots == OBSERVATIONS
    chain.advance(3_600)
    cumulative, _ = client.call(peers.v3_pool.functions.observe([1_800, 0]))
    assert cumulative[1] - cumulative[0] == 1_800 * tick
    assert balance(client, peers.tokens.weth, peers.v3_pool.address) <= DEPTH
