"""The real Aave V3 accrues by its own index maths, and at full utilisation lets nothing out."""

from __future__ import annotations

import pytest

from offchain.chain.client import ChainClient, KeySigner, TransactionReverted
from tests.peers import aave_v3
from tests.peers.aave_v3 import Reserve
from tests.peers.feeds import set_price
from tests.peers.tokens import balance, fund
from tests.peers.world import BORROWED_BPS, USD, Peers
from tests.support.aave_math import RateCurve, ReserveState, ray_div, ray_mul
from tests.support.anvil import Anvil

pytestmark = pytest.mark.peers
YEAR = 365 * 24 * 3600


def state_of(client: ChainClient, peers: Peers, reserve: Reserve) -> ReserveState:
    data = client.call(peers.aave.pool.functions.getReserveData(reserve.token.address))
    return ReserveState(
        liquidity_index=data.liquidityIndex,
        liquidity_rate=data.currentLiquidityRate,
        variable_index=data.variableBorrowIndex,
        variable_rate=data.currentVariableBorrowRate,
        updated_at=data.lastUpdateTimestamp,
    )


def curve_of(reserve: Reserve) -> RateCurve:
    terms = reserve.terms
    return RateCurve(terms.optimal_usage, terms.slope1, terms.slope2, terms.reserve_factor)


@pytest.fixture
def usdc(peers: Peers) -> Reserve:
    return peers.aave.reserves["USDC"]


@pytest.mark.parametrize("symbol", ["USDC", "DAI"])
def test_deploy__as_it_stands__is_lent_out_and_earning(
    client: ChainClient, peers: Peers, symbol: str
) -> None:
    reserve = peers.aave.reserves[symbol]
    state = state_of(client, peers, reserve)
    assert BORROWED_BPS - 1 <= aave_v3.utilisation_bps(client, reserve) <= BORROWED_BPS
    assert state.liquidity_rate > 0
    assert state.variable_rate > state.liquidity_rate


def test_deploy__three_reserves__belong_to_their_tokens(client: ChainClient, peers: Peers) -> None:
    assert set(peers.aave.reserves) == {"USDC", "DAI", "WETH"}
    for reserve in peers.aave.reserves.values():
        underlying = client.call(reserve.a_token.functions.UNDERLYING_ASSET_ADDRESS())
        assert underlying == reserve.token.address
        assert client.call(reserve.a_token.functions.decimals()) == reserve.decimals


@pytest.mark.parametrize("symbol", ["USDC", "DAI"])
@pytest.mark.parametrize("seconds", [1, 2, 3_601, 30 * 86_400, YEAR])
def test_accrue__any_time__indexes_rates_and_balances_equal_the_model_exactly(
    chain: Anvil,
    client: ChainClient,
    peers: Peers,
    peers_deployer: KeySigner,
    whale: KeySigner,
    symbol: str,
    seconds: int,
) -> None:
    reserve = peers.aave.reserves[symbol]
    amount = 1_000 * 10**reserve.decimals + 1
    fund(client, whale, reserve.token, whale.address, amount)
    approve = reserve.token.functions.approve(peers.aave.pool.address, amount)
    client.transact(whale, approve)
    before = state_of(client, peers, reserve)
    cash = aave_v3.available(client, reserve)
    scaled_debt = client.call(reserve.variable_debt.functions.scaledTotalSupply())
    scaled_own = client.call(reserve.a_token.functions.scaledBalanceOf(peers_deployer.address))
    then = client.timestamp() + seconds
    chain.set_next_timestamp(then)
    supply = peers.aave.pool.functions.supply(reserve.token.address, amount, whale.address, 0)
    receipt = client.transact(whale, supply, gas=500_000)
    assert client.timestamp() == then

    update = client.events(receipt, peers.aave.pool, "ReserveDataUpdated")[0]
    supply_index, debt_index = before.supply_index_at(then), before.debt_index_at(then)
    debt = ray_mul(scaled_debt, debt_index)
    curve = curve_of(reserve)
    assert update["liquidityIndex"] == supply_index
    assert update["variableBorrowIndex"] == debt_index
    assert update["variableBorrowRate"] == curve.variable_rate(cash + amount, debt)
    assert update["liquidityRate"] == curve.supply_rate(cash + amount, debt)
    assert update["liquidityIndex"] > before.liquidity_index

    at = receipt["blockNumber"]
    balance_of = reserve.a_token.functions.balanceOf
    own = client.call(balance_of(peers_deployer.address), block=at)
    fresh = client.call(balance_of(whale.address), block=at)
    assert own == ray_mul(scaled_own, supply_index)
    assert fresh == ray_mul(ray_div(amount, supply_index), supply_index)
    assert client.call(reserve.variable_debt.functions.totalSupply(), block=at) == debt


def test_accrue__a_month__suppliers_earn_no_more_than_borrowers_owe(
    chain: Anvil, client: ChainClient, peers_deployer: KeySigner, usdc: Reserve
) -> None:
    owned = balance(client, usdc.a_token, peers_deployer.address)
    owed = aave_v3.total_debt(client, usdc)
    chain.advance(30 * 86_400)
    earned = balance(client, usdc.a_token, peers_deployer.address) - owned
    charged = aave_v3.total_debt(client, usdc) - owed
    assert 0 < earned < charged
    # The treasury takes a tenth; the rest of the gap is linear against compound growth.
    assert charged * 88 // 100 < earned <= charged * 90 // 100


@pytest.mark.parametrize("target_bps", [7_000, 9_000, 9_950])
def test_borrow_to_utilisation__a_target__is_met_within_a_basis_point(
    client: ChainClient, peers: Peers, usdc: Reserve, target_bps: int
) -> None:
    taken = aave_v3.borrow_to_utilisation(
        client,
        peers.borrower,
        peers.aave,
        usdc.token,
        collateral=peers.tokens.weth,
        target_bps=target_bps,
    )
    assert taken > 0
    assert target_bps - 1 <= aave_v3.utilisation_bps(client, usdc) <= target_bps


def test_borrow_to_utilisation__already_above__borrows_nothing(
    client: ChainClient, peers: Peers, usdc: Reserve
) -> None:
    taken = aave_v3.borrow_to_utilisation(
        client,
        peers.borrower,
        peers.aave,
        usdc.token,
        collateral=peers.tokens.weth,
        target_bps=5_000,
    )
    assert taken == 0


def test_withdraw__everything_lent_out__is_blocked_until_somebody_repays(
    client: ChainClient,
    peers: Peers,
    peers_deployer: KeySigner,
    usdc: Reserve,
) -> None:
    there = aave_v3.available(client, usdc)
    taken = aave_v3.borrow_to_utilisation(
        client,
        peers.borrower,
        peers.aave,
        usdc.token,
        collateral=peers.tokens.weth,
        target_bps=10_000,
    )
    assert taken == there
    assert aave_v3.available(client, usdc) == 0
    assert aave_v3.utilisation_bps(client, usdc) == 10_000
    with pytest.raises(TransactionReverted):
        aave_v3.withdraw(client, peers_deployer, peers.aave, usdc.token, 1)
    aave_v3.repay(client, peers.borrower, peers.aave, usdc.token, 5_000_000)
    with pytest.raises(TransactionReverted):
        aave_v3.withdraw(client, peers_deployer, peers.aave, usdc.token, 5_000_001)
    arrived = aave_v3.withdraw(client, peers_deployer, peers.aave, usdc.token, 5_000_000)
    assert arrived == 5_000_000
    assert aave_v3.available(client, usdc) == 0


def test_repay__everything__leaves_no_debt_and_frees_the_collateral(
    chain: Anvil, client: ChainClient, peers: Peers
) -> None:
    chain.advance(86_400)
    for symbol in ("USDC", "DAI"):
        reserve = peers.aave.reserves[symbol]
        spare = 10_000 * 10**reserve.decimals
        fund(client, peers.borrower, reserve.token, peers.borrower.address, spare)
        aave_v3.repay(client, peers.borrower, peers.aave, reserve.token)
        assert aave_v3.total_debt(client, reserve) == 0
        assert balance(client, reserve.token, peers.borrower.address) > 0
    weth = peers.tokens.weth
    arrived = aave_v3.withdraw(client, peers.borrower, peers.aave, weth)
    assert arrived > 0
    assert balance(client, peers.aave.reserves["WETH"].a_token, peers.borrower.address) == 0


def test_oracle__collateral_loses_half__the_borrower_becomes_unsafe(
    client: ChainClient, peers: Peers, keeper: KeySigner
) -> None:
    account = peers.aave.pool.functions.getUserAccountData(peers.borrower.address)
    assert client.call(account)[5] > 10**18
    set_price(client, keeper, peers.feeds.first("WETH"), 1_000 * USD)
    assert client.call(account)[5] < 10**18


def test_borrow__beyond_the_collateral__reverts_with_aave_s_reason(
    client: ChainClient, peers: Peers, attacker: KeySigner, usdc: Reserve
) -> None:
    # 34: COLLATERAL_BALANCE_IS_ZERO in Aave's list of reasons.
    with pytest.raises(TransactionReverted, match="34"):
        aave_v3.borrow(client, attacker, peers.aave, usdc.token, 1_000_000)
