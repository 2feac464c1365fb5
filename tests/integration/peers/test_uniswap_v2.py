"""The real Uniswap V2 pays by its formula to the last unit, whichever way one trades."""

from __future__ import annotations

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from tests.peers import uniswap_v2
from tests.peers.npm import PeerError
from tests.peers.tokens import balance, fund
from tests.peers.world import DEPTH, ETHER, Peers

pytestmark = pytest.mark.peers


def paid_by_formula(sold: int, stock_in: int, stock_out: int) -> int:
    """Constant product: what keeps (x + 0.997·dx)·(y − dy) at least x·y, in whole units."""
    numerator = stock_in * stock_out * 1000
    left = -(-numerator // (stock_in * 1000 + sold * 997))
    return stock_out - left


@pytest.fixture
def v2_pair(peers: Peers) -> Contract:
    return peers.v2_pair


def test_deploy__opening_price__is_the_feeds(
    client: ChainClient, peers: Peers, v2_pair: Contract
) -> None:
    usdc, weth = uniswap_v2.reserves(client, v2_pair, peers.tokens.usdc)
    assert weth == DEPTH
    assert usdc * ETHER == 2_000 * 10**6 * weth


@pytest.mark.parametrize("sells_ether", [False, True])
@pytest.mark.parametrize("size_ppm", [1, 997, 50_000, 1_000_000, 5_000_000])
def test_swap__any_size_and_side__pays_the_formula_exactly(
    client: ChainClient,
    peers: Peers,
    v2_pair: Contract,
    whale: KeySigner,
    sells_ether: bool,
    size_ppm: int,
) -> None:
    path = [peers.tokens.usdc, peers.tokens.weth]
    if sells_ether:
        path.reverse()
    stock_in, stock_out = uniswap_v2.reserves(client, v2_pair, path[0])
    sold = stock_in * size_ppm // 1_000_000 + 1
    fund(client, whale, path[0], whale.address, sold)
    paid = uniswap_v2.swap_exact_in(client, whale, peers.uniswap_v2, path, sold)
    assert paid == paid_by_formula(sold, stock_in, stock_out)
    assert paid == uniswap_v2.amount_out(sold, stock_in, stock_out)
    assert uniswap_v2.reserves(client, v2_pair, path[0]) == (stock_in + sold, stock_out - paid)


def test_swap__below_the_minimum__reverts_and_moves_nothing(
    client: ChainClient, peers: Peers, v2_pair: Contract, whale: KeySigner
) -> None:
    path = [peers.tokens.usdc, peers.tokens.weth]
    stocks = uniswap_v2.reserves(client, v2_pair, path[0])
    fund(client, whale, path[0], whale.address, 10**6)
    fair = paid_by_formula(10**6, *stocks)
    with pytest.raises(TransactionReverted, match="INSUFFICIENT_OUTPUT_AMOUNT"):
        uniswap_v2.swap_exact_in(client, whale, peers.uniswap_v2, path, 10**6, min_out=fair + 1)
    assert balance(client, path[0], whale.address) == 10**6
    paid = uniswap_v2.swap_exact_in(client, whale, peers.uniswap_v2, path, 10**6, min_out=fair)
    assert paid == fair


def test_swap__over_two_pairs_with_a_token_that_returns_nothing__pays_both_formulas(
    client: ChainClient, peers: Peers, v2_pair: Contract, whale: KeySigner
) -> None:
    usdt, usdc, weth = peers.tokens.usdt, peers.tokens.usdc, peers.tokens.weth
    for token in (usdt, usdc):
        fund(client, whale, token, whale.address, 10**12)
    second = uniswap_v2.add_liquidity(
        client,
        whale,
        peers.uniswap_v2,
        token_a=usdt,
        token_b=usdc,
        amount_a=10**12,
        amount_b=10**12,
    )
    sold = 123_456_789
    middle = paid_by_formula(sold, *uniswap_v2.reserves(client, second, usdt))
    last = paid_by_formula(middle, *uniswap_v2.reserves(client, v2_pair, usdc))
    fund(client, whale, usdt, whale.address, sold)
    route = [usdt, usdc, weth]
    assert uniswap_v2.swap_exact_in(client, whale, peers.uniswap_v2, route, sold) == last


def test_create_pair__new_tokens__exists_at_the_router_s_address(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    dai, wbtc = peers.tokens.dai, peers.tokens.wbtc
    with pytest.raises(PeerError):
        uniswap_v2.pair_of(client, peers.uniswap_v2, dai, wbtc)
    made = uniswap_v2.create_pair(client, whale, peers.uniswap_v2, dai, wbtc)
    assert uniswap_v2.pair_of(client, peers.uniswap_v2, wbtc, dai).address == made.address
    assert uniswap_v2.reserves(client, made, dai) == (0, 0)
