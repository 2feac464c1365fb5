"""Tokens behave as their models in the wild do, and feed doubles fail in each way they claim."""

from __future__ import annotations

import pytest
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner, RpcRefused, TransactionReverted
from tests.peers.feeds import FeedMode, deploy_feed, set_market, set_mode, set_price, set_round
from tests.peers.tokens import approve, balance, fund, sign_permit
from tests.peers.world import PRICES, USD, Peers
from tests.support.anvil import Anvil

pytestmark = pytest.mark.peers


@pytest.mark.parametrize(
    ("symbol", "decimals"), [("usdc", 6), ("dai", 18), ("wbtc", 8), ("usdt", 6), ("weth", 18)]
)
def test_token__transfer__moves_exactly_the_amount(
    client: ChainClient,
    peers: Peers,
    whale: KeySigner,
    keeper: KeySigner,
    symbol: str,
    decimals: int,
) -> None:
    token: Contract = getattr(peers.tokens, symbol)
    assert client.call(token.functions.decimals()) == decimals
    fund(client, whale, token, whale.address, 1_000)
    client.transact(whale, token.functions.transfer(keeper.address, 400))
    assert balance(client, token, whale.address) == 600
    assert balance(client, token, keeper.address) == 400


def test_usdt__transfer__returns_nothing(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    usdt = peers.tokens.usdt
    fund(client, whale, usdt, whale.address, 1)
    request = {
        "from": whale.address,
        "to": usdt.address,
        "data": usdt.encode_abi("transfer", [peers.borrower.address, 1]),
    }
    assert bytes(client.web3.eth.call(request)) == b""


def test_usdt__allowance_not_zero__must_pass_through_zero(
    client: ChainClient, peers: Peers, whale: KeySigner, keeper: KeySigner
) -> None:
    usdt = peers.tokens.usdt
    approve(client, whale, usdt, keeper.address, 5)
    with pytest.raises(TransactionReverted) as caught:
        client.transact(whale, usdt.functions.approve(keeper.address, 6))
    assert caught.value.error == "AllowanceNotZero"
    approve(client, whale, usdt, keeper.address, 6)
    assert client.call(usdt.functions.allowance(whale.address, keeper.address)) == 6


@pytest.mark.parametrize("symbol", ["usdc", "dai", "wbtc"])
def test_permit__signed_by_the_owner__works_once(
    client: ChainClient, peers: Peers, whale: KeySigner, keeper: KeySigner, symbol: str
) -> None:
    token: Contract = getattr(peers.tokens, symbol)
    deadline = client.timestamp() + 3600
    v, r, s = sign_permit(client, whale, token, keeper.address, value=77, deadline=deadline)
    permit = token.functions.permit(whale.address, keeper.address, 77, deadline, v, r, s)
    client.transact(keeper, permit)
    assert client.call(token.functions.allowance(whale.address, keeper.address)) == 77
    with pytest.raises(TransactionReverted) as caught:
        client.transact(keeper, permit)
    assert caught.value.error == "PermitSignerMismatch"


def test_weth__withdraw__gives_the_ether_back(
    client: ChainClient, peers: Peers, whale: KeySigner
) -> None:
    weth = peers.tokens.weth
    fund(client, whale, weth, whale.address, 10**18)
    held = client.balance(weth.address)
    client.transact(whale, weth.functions.withdraw(10**18))
    assert client.balance(weth.address) == held - 10**18
    assert balance(client, weth, whale.address) == 0


@pytest.mark.parametrize("symbol", sorted(PRICES))
def test_feeds__as_deployed__three_agree_on_the_opening_price(
    client: ChainClient, peers: Peers, symbol: str
) -> None:
    assert len({feed.address for feed in peers.feeds[symbol]}) == 3
    for feed in peers.feeds[symbol]:
        _, answer, _, updated_at, _ = client.call(feed.functions.latestRoundData())
        assert answer == PRICES[symbol]
        assert 0 < updated_at <= client.timestamp()
        assert client.call(feed.functions.aggregator()) == feed.address


def test_set_market__new_price__every_feed_has_a_new_round(
    client: ChainClient, peers: Peers, keeper: KeySigner
) -> None:
    before = [client.call(feed.functions.latestRound()) for feed in peers.feeds["WETH"]]
    set_market(client, keeper, peers.feeds, "WETH", 1_500 * USD)
    for feed, last in zip(peers.feeds["WETH"], before, strict=True):
        number, answer, _, _, answered_in = client.call(feed.functions.latestRoundData())
        assert (number, answer, answered_in) == (last + 1, 1_500 * USD, last + 1)
        assert client.call(feed.functions.getRoundData(last))[1] == PRICES["WETH"]


@pytest.fixture
def feed(client: ChainClient, keeper: KeySigner) -> Contract:
    return deploy_feed(client, keeper, "TEST / USD", 100 * USD)


def test_feed__live__follows_the_clock_and_steady_does_not(
    chain: Anvil, client: ChainClient, keeper: KeySigner, feed: Contract
) -> None:
    pushed_at = client.call(feed.functions.latestRoundData())[3]
    chain.advance(7_200)
    assert client.call(feed.functions.latestRoundData())[3] == pushed_at
    set_mode(client, keeper, feed, FeedMode.LIVE)
    assert client.call(feed.functions.latestRoundData())[3] >= pushed_at + 7_200


def test_feed__stale__swallows_updates(
    client: ChainClient, keeper: KeySigner, feed: Contract
) -> None:
    before = client.call(feed.functions.latestRoundData())
    set_mode(client, keeper, feed, FeedMode.STALE)
    set_price(client, keeper, feed, 50 * USD)
    assert client.call(feed.functions.latestRoundData()) == before
    set_mode(client, keeper, feed, FeedMode.STEADY)
    set_price(client, keeper, feed, 50 * USD)
    assert client.call(feed.functions.latestRoundData())[1] == 50 * USD


def test_feed__beyond_its_bounds__stands_at_the_bound(
    client: ChainClient, keeper: KeySigner, feed: Contract
) -> None:
    client.transact(keeper, feed.functions.setBounds(10 * USD, 1_000 * USD))
    for pushed, shown in ((USD, 10 * USD), (2_000 * USD, 1_000 * USD), (20 * USD, 20 * USD)):
        set_price(client, keeper, feed, pushed)
        assert client.call(feed.functions.latestRoundData())[1] == shown


@pytest.mark.parametrize(("answer", "offset"), [(0, 0), (-1, 0), (5, -86_400), (5, 86_400)])
def test_feed__set_round__reports_nonsense_as_given(
    client: ChainClient, keeper: KeySigner, feed: Contract, answer: int, offset: int
) -> None:
    updated_at = client.timestamp() + offset
    set_round(client, keeper, feed, answer, updated_at)
    round_data = client.call(feed.functions.latestRoundData())
    assert (round_data[1], round_data[3]) == (answer, updated_at)


def test_feed__reverting__reverts_by_name(
    client: ChainClient, keeper: KeySigner, feed: Contract
) -> None:
    set_mode(client, keeper, feed, FeedMode.REVERTING)
    with pytest.raises(TransactionReverted) as caught:
        client.call(feed.functions.latestRoundData())
    assert caught.value.error == "FeedIsDown"


def test_feed__gas_burning__takes_all_the_gas_it_gets(
    client: ChainClient, keeper: KeySigner, feed: Contract
) -> None:
    set_mode(client, keeper, feed, FeedMode.GAS_BURNING)
    receipt_gas = 300_000
    with pytest.raises(TransactionReverted) as caught:
        client.transact(keeper, feed.functions.latestRoundData(), gas=receipt_gas)
    receipt = client.web3.eth.get_transaction_receipt(caught.value.tx_hash)
    assert receipt["gasUsed"] == receipt_gas


@pytest.mark.parametrize(
    ("mode", "size"), [(FeedMode.JUNK, 32), (FeedMode.SILENT, 0), (FeedMode.BOMB, 200_000)]
)
def test_feed__wrong_amount_of_data__is_exactly_that_much(
    client: ChainClient, keeper: KeySigner, feed: Contract, mode: FeedMode, size: int
) -> None:
    set_mode(client, keeper, feed, mode)
    request = {"to": feed.address, "data": feed.encode_abi("latestRoundData")}
    assert len(client.web3.eth.call(request)) == size


@pytest.mark.parametrize("mode", [FeedMode.JUNK, FeedMode.SILENT])
def test_call__answer_that_does_not_decode__is_refused_in_one_line(
    client: ChainClient, keeper: KeySigner, feed: Contract, mode: FeedMode
) -> None:
    set_mode(client, keeper, feed, mode)
    with pytest.raises(RpcRefused) as caught:
        client.call(feed.functions.latestRoundData())
    assert "\n" not in str(caught.value)
