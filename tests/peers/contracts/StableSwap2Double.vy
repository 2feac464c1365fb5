# pragma version 0.4.3
# @license MIT
"""
@title A StableSwap pool of two coins
@notice The calls whose arguments depend on the number of coins; all else is in stable_swap.vy.
"""

from tests.peers.contracts import stable_swap

initializes: stable_swap

exports: (
    stable_swap.owner,
    stable_swap.fee,
    stable_swap.admin_fee,
    stable_swap.initial_A,
    stable_swap.future_A,
    stable_swap.initial_A_time,
    stable_swap.future_A_time,
    stable_swap.admin_actions_deadline,
    stable_swap.future_fee,
    stable_swap.future_admin_fee,
    stable_swap.coins,
    stable_swap.balances,
    stable_swap.A,
    stable_swap.get_virtual_price,
    stable_swap.get_dy,
    stable_swap.calc_withdraw_one_coin,
    stable_swap.admin_balances,
    stable_swap.exchange,
    stable_swap.remove_liquidity_one_coin,
    stable_swap.ramp_A,
    stable_swap.stop_ramp_A,
    stable_swap.commit_new_fee,
    stable_swap.apply_new_fee,
    stable_swap.withdraw_admin_fees,
    stable_swap.donate_admin_fees,
    stable_swap.kill_me,
    stable_swap.unkill_me,
)

N_COINS: constant(uint256) = 2


event AddLiquidity:
    provider: indexed(address)
    token_amounts: uint256[N_COINS]
    fees: uint256[N_COINS]
    invariant: uint256
    token_supply: uint256


event RemoveLiquidity:
    provider: indexed(address)
    token_amounts: uint256[N_COINS]
    fees: uint256[N_COINS]
    token_supply: uint256


event RemoveLiquidityImbalance:
    provider: indexed(address)
    token_amounts: uint256[N_COINS]
    fees: uint256[N_COINS]
    invariant: uint256
    token_supply: uint256


@deploy
def __init__(
    _owner: address,
    _coins: address[N_COINS],
    _pool_token: address,
    _A: uint256,
    _fee: uint256,
    _admin_fee: uint256,
):
    stable_swap.__init__(_owner, [_coins[0], _coins[1], empty(address)], N_COINS, _pool_token, _A, _fee, _admin_fee)


@external
@nonreentrant
def add_liquidity(amounts: uint256[N_COINS], min_mint_amount: uint256):
    fees: uint256[stable_swap.MAX_COINS] = empty(uint256[stable_swap.MAX_COINS])
    D: uint256 = 0
    supply: uint256 = 0
    fees, D, supply = stable_swap._add(self._wide(amounts), min_mint_amount)
    log AddLiquidity(
        provider=msg.sender, token_amounts=amounts, fees=self._own(fees), invariant=D, token_supply=supply
    )


@external
@nonreentrant
def remove_liquidity(_amount: uint256, min_amounts: uint256[N_COINS]):
    paid: uint256[stable_swap.MAX_COINS] = empty(uint256[stable_swap.MAX_COINS])
    supply: uint256 = 0
    paid, supply = stable_swap._remove(_amount, self._wide(min_amounts))
    log RemoveLiquidity(
        provider=msg.sender,
        token_amounts=self._own(paid),
        fees=empty(uint256[N_COINS]),
        token_supply=supply,
    )


@external
@nonreentrant
def remove_liquidity_imbalance(amounts: uint256[N_COINS], max_burn_amount: uint256):
    fees: uint256[stable_swap.MAX_COINS] = empty(uint256[stable_swap.MAX_COINS])
    D: uint256 = 0
    supply: uint256 = 0
    fees, D, supply = stable_swap._remove_exactly(self._wide(amounts), max_burn_amount)
    log RemoveLiquidityImbalance(
        provider=msg.sender, token_amounts=amounts, fees=self._own(fees), invariant=D, token_supply=supply
    )


@external
@view
def calc_token_amount(amounts: uint256[N_COINS], deposit: bool) -> uint256:
    return stable_swap._token_amount(self._wide(amounts), deposit)


@internal
@pure
def _wide(amounts: uint256[N_COINS]) -> uint256[stable_swap.MAX_COINS]:
    return [amounts[0], amounts[1], 0]


@internal
@pure
def _own(amounts: uint256[stable_swap.MAX_COINS]) -> uint256[N_COINS]:
    return [amounts[0], amounts[1]]
