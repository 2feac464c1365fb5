# pragma version 0.4.3
# @license MIT
"""
@title What both sizes of the StableSwap double share
@notice A double of Curve's first stable pools (plain coins, own LP token, no native coin), of which no build is to
        be had on npm. Written from the StableSwap paper: A·n^n·Σx + D = A·D·n^n + D^(n+1)/(n^n·Πx), solved by
        Newton steps on integers. Same calls, same rounding, same order of effects: `get_virtual_price` has no lock,
        and `remove_liquidity` pays coin by coin before it burns.
@dev `A` is what these pools call A: the paper's times n^(n-1).
"""

from ethereum.ercs import IERC20
from ethereum.ercs import IERC20Detailed

interface PoolToken:
    def totalSupply() -> uint256: view
    def mint(to: address, amount: uint256) -> bool: nonpayable
    def burnFrom(owner: address, amount: uint256) -> bool: nonpayable


MAX_COINS: constant(uint256) = 3
FEE_DENOMINATOR: constant(uint256) = 10**10
WAD: constant(uint256) = 10**18
MAX_FEE: constant(uint256) = 5 * 10**9
MAX_ADMIN_FEE: constant(uint256) = 10**10
MAX_A: constant(uint256) = 10**6
MAX_A_CHANGE: constant(uint256) = 10
MIN_RAMP_TIME: constant(uint256) = 86_400
ACTION_DELAY: constant(uint256) = 3 * 86_400
KILL_PERIOD: constant(uint256) = 60 * 86_400
STEPS: constant(uint256) = 255

N: immutable(uint256)
TOKEN: immutable(PoolToken)
KILL_DEADLINE: immutable(uint256)

owner: public(address)
fee: public(uint256)
admin_fee: public(uint256)
initial_A: public(uint256)
future_A: public(uint256)
initial_A_time: public(uint256)
future_A_time: public(uint256)
admin_actions_deadline: public(uint256)
future_fee: public(uint256)
future_admin_fee: public(uint256)
_coins: address[MAX_COINS]
_balances: uint256[MAX_COINS]
_multipliers: uint256[MAX_COINS]
_killed: bool


event TokenExchange:
    buyer: indexed(address)
    sold_id: int128
    tokens_sold: uint256
    bought_id: int128
    tokens_bought: uint256


event RemoveLiquidityOne:
    provider: indexed(address)
    token_amount: uint256
    coin_amount: uint256


event CommitNewFee:
    deadline: indexed(uint256)
    fee: uint256
    admin_fee: uint256


event NewFee:
    fee: uint256
    admin_fee: uint256


event RampA:
    old_A: uint256
    new_A: uint256
    initial_time: uint256
    future_time: uint256


event StopRampA:
    A: uint256
    t: uint256


@deploy
def __init__(
    owner: address,
    coins: address[MAX_COINS],
    n: uint256,
    token: address,
    A: uint256,
    fee: uint256,
    admin_fee: uint256,
):
    N = n
    TOKEN = PoolToken(token)
    KILL_DEADLINE = block.timestamp + KILL_PERIOD
    for i: uint256 in range(n, bound=MAX_COINS):
        assert coins[i] != empty(address)
        self._multipliers[i] = 10 ** (18 - convert(staticcall IERC20Detailed(coins[i]).decimals(), uint256))
    self._coins = coins
    self.owner = owner
    self.initial_A = A
    self.future_A = A
    self.fee = fee
    self.admin_fee = admin_fee


# ---- views ----


@external
@view
def coins(i: uint256) -> address:
    assert i < N
    return self._coins[i]


@external
@view
def balances(i: uint256) -> uint256:
    assert i < N
    return self._balances[i]


@external
@view
def A() -> uint256:
    return self._A()


@external
@view
def get_virtual_price() -> uint256:
    """
    @notice D per LP token, 1e18; never reverts inside a call of the pool, where it is wrong
    """
    return self._D(self._scaled(self._balances), self._A()) * WAD // staticcall TOKEN.totalSupply()


@external
@view
def get_dy(i: int128, j: int128, dx: uint256) -> uint256:
    """
    @notice Rounds to whole coins before the fee, where `exchange` does so after it
    """
    dy: uint256 = self._bought(convert(i, uint256), convert(j, uint256), dx) // self._multipliers[convert(j, uint256)]
    return dy - self.fee * dy // FEE_DENOMINATOR


@external
@view
def calc_withdraw_one_coin(_token_amount: uint256, i: int128) -> uint256:
    dy: uint256 = 0
    dy_fee: uint256 = 0
    dy, dy_fee = self._one_coin(_token_amount, convert(i, uint256))
    return dy


@external
@view
def admin_balances(i: uint256) -> uint256:
    return staticcall IERC20(self._coins[i]).balanceOf(self) - self._balances[i]


# ---- trades and exits that have one shape for every size ----


@external
@nonreentrant
def exchange(i: int128, j: int128, dx: uint256, min_dy: uint256):
    assert not self._killed
    sold: uint256 = convert(i, uint256)
    bought: uint256 = convert(j, uint256)
    gross: uint256 = self._bought(sold, bought, dx)
    dy_fee: uint256 = gross * self.fee // FEE_DENOMINATOR
    dy: uint256 = (gross - dy_fee) // self._multipliers[bought]
    assert dy >= min_dy, "Too few coins"
    self._pull(sold, dx)
    self._balances[sold] += dx
    self._balances[bought] -= dy + dy_fee * self.admin_fee // FEE_DENOMINATOR // self._multipliers[bought]
    self._send(bought, dy)
    log TokenExchange(buyer=msg.sender, sold_id=i, tokens_sold=dx, bought_id=j, tokens_bought=dy)


@external
@nonreentrant
def remove_liquidity_one_coin(_token_amount: uint256, i: int128, min_amount: uint256):
    assert not self._killed
    coin: uint256 = convert(i, uint256)
    dy: uint256 = 0
    dy_fee: uint256 = 0
    dy, dy_fee = self._one_coin(_token_amount, coin)
    assert dy >= min_amount, "Too few coins"
    self._balances[coin] -= dy + dy_fee * self.admin_fee // FEE_DENOMINATOR
    extcall TOKEN.burnFrom(msg.sender, _token_amount)
    self._send(coin, dy)
    log RemoveLiquidityOne(provider=msg.sender, token_amount=_token_amount, coin_amount=dy)


# ---- the owner ----


@external
def ramp_A(_future_A: uint256, _future_time: uint256):
    assert msg.sender == self.owner
    assert block.timestamp >= self.initial_A_time + MIN_RAMP_TIME
    assert _future_time >= block.timestamp + MIN_RAMP_TIME
    current: uint256 = self._A()
    assert _future_A > 0 and _future_A < MAX_A
    assert _future_A <= current * MAX_A_CHANGE and _future_A * MAX_A_CHANGE >= current
    self.initial_A = current
    self.future_A = _future_A
    self.initial_A_time = block.timestamp
    self.future_A_time = _future_time
    log RampA(old_A=current, new_A=_future_A, initial_time=block.timestamp, future_time=_future_time)


@external
def stop_ramp_A():
    assert msg.sender == self.owner
    current: uint256 = self._A()
    self.initial_A = current
    self.future_A = current
    self.initial_A_time = block.timestamp
    self.future_A_time = block.timestamp
    log StopRampA(A=current, t=block.timestamp)


@external
def commit_new_fee(new_fee: uint256, new_admin_fee: uint256):
    assert msg.sender == self.owner
    assert self.admin_actions_deadline == 0
    assert new_fee <= MAX_FEE and new_admin_fee <= MAX_ADMIN_FEE
    self.admin_actions_deadline = block.timestamp + ACTION_DELAY
    self.future_fee = new_fee
    self.future_admin_fee = new_admin_fee
    log CommitNewFee(deadline=self.admin_actions_deadline, fee=new_fee, admin_fee=new_admin_fee)


@external
def apply_new_fee():
    assert msg.sender == self.owner
    assert self.admin_actions_deadline != 0 and block.timestamp >= self.admin_actions_deadline
    self.admin_actions_deadline = 0
    self.fee = self.future_fee
    self.admin_fee = self.future_admin_fee
    log NewFee(fee=self.fee, admin_fee=self.admin_fee)


@external
def withdraw_admin_fees():
    assert msg.sender == self.owner
    for i: uint256 in range(N, bound=MAX_COINS):
        value: uint256 = staticcall IERC20(self._coins[i]).balanceOf(self) - self._balances[i]
        if value != 0:
            self._send(i, value)


@external
def donate_admin_fees():
    assert msg.sender == self.owner
    for i: uint256 in range(N, bound=MAX_COINS):
        self._balances[i] = staticcall IERC20(self._coins[i]).balanceOf(self)


@external
def kill_me():
    """
    @notice Stops everything but `remove_liquidity`; possible in the pool's first 60 days only
    """
    assert msg.sender == self.owner
    assert KILL_DEADLINE > block.timestamp
    self._killed = True


@external
def unkill_me():
    assert msg.sender == self.owner
    self._killed = False


# ---- what depends on the number of coins by its arguments only ----


@internal
def _add(amounts: uint256[MAX_COINS], least: uint256) -> (uint256[MAX_COINS], uint256, uint256):
    """
    @return Fees, invariant before them, and LP supply afterwards
    """
    assert not self._killed
    amp: uint256 = self._A()
    supply: uint256 = staticcall TOKEN.totalSupply()
    old: uint256[MAX_COINS] = self._balances
    D0: uint256 = 0
    if supply != 0:
        D0 = self._D(self._scaled(old), amp)
    new: uint256[MAX_COINS] = old
    for i: uint256 in range(N, bound=MAX_COINS):
        assert supply != 0 or amounts[i] != 0
        if amounts[i] != 0:
            self._pull(i, amounts[i])
        new[i] += amounts[i]
    D1: uint256 = self._D(self._scaled(new), amp)
    assert D1 > D0
    fees: uint256[MAX_COINS] = empty(uint256[MAX_COINS])
    minted: uint256 = D1
    if supply == 0:
        self._balances = new
    else:
        fees, new = self._charge_imbalance(old, new, D0, D1)
        minted = supply * (self._D(self._scaled(new), amp) - D0) // D0
    assert minted >= least, "Slippage"
    extcall TOKEN.mint(msg.sender, minted)
    return fees, D1, supply + minted


@internal
def _remove(amount: uint256, least: uint256[MAX_COINS]) -> (uint256[MAX_COINS], uint256):
    """
    @return Coins paid, and LP supply afterwards
    """
    supply: uint256 = staticcall TOKEN.totalSupply()
    paid: uint256[MAX_COINS] = empty(uint256[MAX_COINS])
    for i: uint256 in range(N, bound=MAX_COINS):
        paid[i] = self._balances[i] * amount // supply
        assert paid[i] >= least[i], "Too few coins"
        self._balances[i] -= paid[i]
        self._send(i, paid[i])
    extcall TOKEN.burnFrom(msg.sender, amount)
    return paid, supply - amount


@internal
def _remove_exactly(amounts: uint256[MAX_COINS], most: uint256) -> (uint256[MAX_COINS], uint256, uint256):
    """
    @return Fees, invariant before them, and LP supply afterwards
    """
    assert not self._killed
    amp: uint256 = self._A()
    supply: uint256 = staticcall TOKEN.totalSupply()
    assert supply != 0
    old: uint256[MAX_COINS] = self._balances
    D0: uint256 = self._D(self._scaled(old), amp)
    new: uint256[MAX_COINS] = old
    for i: uint256 in range(N, bound=MAX_COINS):
        new[i] -= amounts[i]
    D1: uint256 = self._D(self._scaled(new), amp)
    fees: uint256[MAX_COINS] = empty(uint256[MAX_COINS])
    fees, new = self._charge_imbalance(old, new, D0, D1)
    burned: uint256 = (D0 - self._D(self._scaled(new), amp)) * supply // D0
    assert burned != 0
    burned += 1
    assert burned <= most, "Slippage"
    extcall TOKEN.burnFrom(msg.sender, burned)
    for i: uint256 in range(N, bound=MAX_COINS):
        if amounts[i] != 0:
            self._send(i, amounts[i])
    return fees, D1, supply - burned


@internal
@view
def _token_amount(amounts: uint256[MAX_COINS], deposit: bool) -> uint256:
    """
    @return LP tokens for a change of balances, fees left out
    """
    amp: uint256 = self._A()
    new: uint256[MAX_COINS] = self._balances
    D0: uint256 = self._D(self._scaled(new), amp)
    for i: uint256 in range(N, bound=MAX_COINS):
        if deposit:
            new[i] += amounts[i]
        else:
            new[i] -= amounts[i]
    D1: uint256 = self._D(self._scaled(new), amp)
    supply: uint256 = staticcall TOKEN.totalSupply()
    if deposit:
        return (D1 - D0) * supply // D0
    return (D0 - D1) * supply // D0


# ---- the invariant ----


@internal
@view
def _A() -> uint256:
    until: uint256 = self.future_A_time
    target: uint256 = self.future_A
    if block.timestamp >= until:
        return target
    origin: uint256 = self.initial_A
    since: uint256 = self.initial_A_time
    elapsed: uint256 = block.timestamp - since
    if target > origin:
        return origin + (target - origin) * elapsed // (until - since)
    return origin - (origin - target) * elapsed // (until - since)


@internal
@view
def _scaled(amounts: uint256[MAX_COINS]) -> uint256[MAX_COINS]:
    scaled: uint256[MAX_COINS] = amounts
    for i: uint256 in range(N, bound=MAX_COINS):
        scaled[i] *= self._multipliers[i]
    return scaled


@internal
@pure
def _close(a: uint256, b: uint256) -> bool:
    return (a - b if a > b else b - a) <= 1


@internal
@view
def _D(xp: uint256[MAX_COINS], amp: uint256) -> uint256:
    total: uint256 = 0
    for i: uint256 in range(N, bound=MAX_COINS):
        total += xp[i]
    if total == 0:
        return 0
    ann: uint256 = amp * N
    D: uint256 = total
    for _: uint256 in range(STEPS):
        product: uint256 = D
        for i: uint256 in range(N, bound=MAX_COINS):
            product = product * D // (xp[i] * N)
        before: uint256 = D
        D = (ann * total + product * N) * D // ((ann - 1) * D + (N + 1) * product)
        if self._close(D, before):
            break
    return D


@internal
@view
def _y(amp: uint256, coin: uint256, xp: uint256[MAX_COINS], D: uint256) -> uint256:
    """
    @return Balance of `coin` that keeps the invariant at D, the others being as in `xp`
    """
    ann: uint256 = amp * N
    c: uint256 = D
    total: uint256 = 0
    for k: uint256 in range(N, bound=MAX_COINS):
        if k != coin:
            total += xp[k]
            c = c * D // (xp[k] * N)
    c = c * D // (ann * N)
    b: uint256 = total + D // ann
    y: uint256 = D
    for _: uint256 in range(STEPS):
        before: uint256 = y
        y = (y * y + c) // (2 * y + b - D)
        if self._close(y, before):
            break
    return y


@internal
@view
def _bought(i: uint256, j: uint256, dx: uint256) -> uint256:
    """
    @return Coins out before the fee, scaled to 18 decimals
    """
    assert i != j and i < N and j < N
    amp: uint256 = self._A()
    xp: uint256[MAX_COINS] = self._scaled(self._balances)
    D: uint256 = self._D(xp, amp)
    moved: uint256[MAX_COINS] = xp
    moved[i] += dx * self._multipliers[i]
    return xp[j] - self._y(amp, j, moved, D) - 1


@internal
@view
def _one_coin(lp: uint256, coin: uint256) -> (uint256, uint256):
    """
    @return Coins out after the fee, and the fee
    """
    assert coin < N
    amp: uint256 = self._A()
    xp: uint256[MAX_COINS] = self._scaled(self._balances)
    D0: uint256 = self._D(xp, amp)
    D1: uint256 = D0 - lp * D0 // staticcall TOKEN.totalSupply()
    y: uint256 = self._y(amp, coin, xp, D1)
    part: uint256 = self._imbalance_fee()
    reduced: uint256[MAX_COINS] = xp
    for k: uint256 in range(N, bound=MAX_COINS):
        ideal: uint256 = xp[k] * D1 // D0
        moved: uint256 = xp[k] - ideal
        if k == coin:
            moved = ideal - y
        reduced[k] -= part * moved // FEE_DENOMINATOR
    out: uint256 = (reduced[coin] - self._y(amp, coin, reduced, D1) - 1) // self._multipliers[coin]
    return out, (xp[coin] - y) // self._multipliers[coin] - out


@internal
@view
def _imbalance_fee() -> uint256:
    return self.fee * N // (4 * (N - 1))


@internal
def _charge_imbalance(
    old: uint256[MAX_COINS], new: uint256[MAX_COINS], D0: uint256, D1: uint256
) -> (uint256[MAX_COINS], uint256[MAX_COINS]):
    """
    @notice Charges each coin for what it is away from its part of D1; the owner's part leaves the balances
    @return Fees, and balances less all of them
    """
    part: uint256 = self._imbalance_fee()
    fees: uint256[MAX_COINS] = empty(uint256[MAX_COINS])
    left: uint256[MAX_COINS] = new
    for i: uint256 in range(N, bound=MAX_COINS):
        ideal: uint256 = D1 * old[i] // D0
        fees[i] = part * (ideal - new[i] if ideal > new[i] else new[i] - ideal) // FEE_DENOMINATOR
        self._balances[i] = new[i] - fees[i] * self.admin_fee // FEE_DENOMINATOR
        left[i] -= fees[i]
    return fees, left


# ---- coins ----


@internal
def _pull(i: uint256, amount: uint256):
    assert extcall IERC20(self._coins[i]).transferFrom(msg.sender, self, amount, default_return_value=True)


@internal
def _send(i: uint256, amount: uint256):
    assert extcall IERC20(self._coins[i]).transfer(msg.sender, amount, default_return_value=True)
