"""Exact-integer model of GuardedPool: the oracle of its fuzz tests; never talks to an EVM.

Written from docs/amm.md, not from the contract: plain integers and named fields where the contract
packs bits. Amounts are raw units, prices token1 per token0, fees pips (1e-6), ticks 2^-16 of log2.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from enum import IntEnum
from math import isqrt

PIPS = 1_000_000
BPS = 10_000
RESERVE_MAX = 2**112 - 1
MINIMUM_LIQUIDITY = 1_000
THROTTLED_CAP_BPS = 100
VOLATILITY_PERIOD = 600
VOLATILITY_MAX = 2**24 - 1
OBSERVATION_PERIOD = 60
TICK = 2**16
H = (1_901_294_734, -1_194_256_074, 842_241_296, -561_262_726, 274_014_953, -65_276_028)
LOCKED_OWNER = "0x0000000000000000000000000000000000000000"


class State(IntEnum):
    NORMAL = 0
    THROTTLED = 1
    WITHDRAW_ONLY = 2
    FROZEN = 3


class Rejected(Exception):
    """The call would revert with this custom error."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Config:
    """The fields of PoolConfig, in its order."""

    guard_window: int = 12
    maturity_blocks: int = 2
    min_fee: int = 500
    max_fee: int = 30_000
    volatility_factor: int = 5_000
    deviation_factor: int = 1_000_000
    truncation_rate: int = 20

    def as_tuple(self) -> tuple[int, ...]:
        return (
            self.guard_window,
            self.maturity_blocks,
            self.min_fee,
            self.max_fee,
            self.volatility_factor,
            self.deviation_factor,
            self.truncation_rate,
        )


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


def isqrt_up(x: int) -> int:
    root = isqrt(x)
    return root if root * root == x else root + 1


@dataclass(frozen=True, order=True)
class Price:
    """A price mantissa · 2^exponent with 2^52 ≤ mantissa < 2^53; ordered by value."""

    exponent: int
    mantissa: int

    @classmethod
    def below(cls, numerator: int, denominator: int) -> Price:
        """The largest one ≤ numerator / denominator."""
        exponent = numerator.bit_length() - denominator.bit_length() - 53
        mantissa = _shift(numerator, -exponent, denominator)
        while mantissa >= 2**53:
            exponent += 1
            mantissa = _shift(numerator, -exponent, denominator)
        while mantissa < 2**52:
            exponent -= 1
            mantissa = _shift(numerator, -exponent, denominator)
        return cls(exponent, mantissa)

    def next_up(self) -> Price:
        if self.mantissa == 2**53 - 1:
            return Price(self.exponent + 1, 2**52)
        return Price(self.exponent, self.mantissa + 1)

    @property
    def ratio(self) -> tuple[int, int]:
        """Numerator and denominator."""
        if self.exponent >= 0:
            return self.mantissa << self.exponent, 1
        return self.mantissa, 1 << -self.exponent

    @property
    def code(self) -> int:
        return ((self.exponent + 164) << 52) + self.mantissa - 2**52

    @property
    def tick(self) -> int:
        """log2 in 2^-16, by the polynomial that the contract also evaluates."""
        f = (self.mantissa - 2**52) >> 20
        h = H[5]
        for coefficient in H[4::-1]:
            h = coefficient + (h * f >> 32)
        correction = (f * (2**32 - f) >> 32) * h >> 32
        return (self.exponent + 52) * TICK + ((f + correction) >> 16)

    def x128(self) -> int:
        numerator, denominator = self.ratio
        return (numerator << 128) // denominator


def _shift(numerator: int, bits: int, denominator: int) -> int:
    if bits >= 0:
        return (numerator << bits) // denominator
    return numerator // (denominator << -bits)


@dataclass(frozen=True)
class Window:
    """Lowest and highest openings of the current and of the previous epoch."""

    lo_cur: Price
    hi_cur: Price
    lo_prev: Price
    hi_prev: Price

    @property
    def low(self) -> Price:
        return min(self.lo_cur, self.lo_prev)

    @property
    def high(self) -> Price:
        return max(self.hi_cur, self.hi_prev)


@dataclass(frozen=True)
class Observation:
    timestamp: int
    cumulative: int
    truncated_cumulative: int


@dataclass(frozen=True)
class Oracle:
    last: Observation
    tick: int
    truncated_tick: int
    volatility: int


@dataclass(frozen=True)
class Account:
    balance: int = 0
    immature: int = 0
    matures_at: int = 0

    def mature(self, block: int) -> int:
        return self.balance - (self.immature if block < self.matures_at else 0)


@dataclass
class Pool:
    """One pool. The caller sets `block` and `timestamp`, then calls; a failure changes nothing."""

    config: Config
    protocol_share_bps: int
    factory: str
    block: int
    timestamp: int
    reserve0: int = 0
    reserve1: int = 0
    last_block: int = -1
    state: State = State.NORMAL
    supply: int = 0
    root_last: int = 0
    fee: int = 0
    cardinality_target: int = 1
    cardinality: int = 1
    index: int = 0
    window: Window = field(init=False)
    oracle: Oracle = field(init=False)
    ring: dict[int, Observation] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)

    def copy(self) -> Pool:
        """Another pool in the same state."""
        other = copy(self)
        other.ring, other.accounts = dict(self.ring), dict(self.accounts)
        return other

    # liquidity

    def seed(self, provider: str, amount0: int, amount1: int) -> int:
        if amount0 == 0 or amount1 == 0:
            raise Rejected("ZeroAmount")
        if max(amount0, amount1) > RESERVE_MAX:
            raise Rejected("ReserveOverflow")
        root = isqrt(amount0 * amount1)
        if root <= MINIMUM_LIQUIDITY:
            raise Rejected("InsufficientLiquidity")
        price = Price.below(amount1, amount0)
        up = price.next_up()
        self.window = Window(price, up, price, up)
        first = Observation(self.timestamp, 0, 0)
        self.oracle = Oracle(first, price.tick, price.tick, 0)
        self.ring[0] = first
        self.fee = self.config.min_fee
        self.last_block = self.block
        self._set_liquidity(amount0, amount1, root)
        self.accounts[LOCKED_OWNER] = Account(MINIMUM_LIQUIDITY)
        self._credit_immature(provider, root - MINIMUM_LIQUIDITY)
        return root - MINIMUM_LIQUIDITY

    def quote_mint(self, max0: int, max1: int) -> tuple[int, int, int]:
        self._require(State.THROTTLED)
        supply = self.supply + self.pending_protocol_shares()
        max0 = min(max0, RESERVE_MAX - self.reserve0)
        max1 = min(max1, RESERVE_MAX - self.reserve1)
        shares = min(max0 * supply // self.reserve0, max1 * supply // self.reserve1)
        return (
            shares,
            ceil_div(shares * self.reserve0, supply),
            ceil_div(shares * self.reserve1, supply),
        )

    def mint(self, owner: str, max0: int, max1: int, min_shares: int = 0) -> tuple[int, int, int]:
        shares, amount0, amount1 = self.quote_mint(max0, max1)
        if shares == 0:
            raise Rejected("ZeroAmount")
        if shares < min_shares:
            raise Rejected("InsufficientOutput")
        self.checkpoint()
        self._accrue()
        self._credit_immature(owner, shares)
        self._set_liquidity(self.reserve0 + amount0, self.reserve1 + amount1, self.supply + shares)
        return shares, amount0, amount1

    def quote_burn(self, shares: int) -> tuple[int, int]:
        self._require(State.WITHDRAW_ONLY)
        supply = self.supply + self.pending_protocol_shares()
        if shares > supply:
            raise Rejected("InsufficientLiquidity")
        return self.reserve0 * shares // supply, self.reserve1 * shares // supply

    def burn(self, owner: str, shares: int, min0: int = 0, min1: int = 0) -> tuple[int, int]:
        self._require(State.WITHDRAW_ONLY)
        if shares == 0:
            raise Rejected("ZeroAmount")
        account = self.account(owner)
        if owner == self.factory:
            account = replace(account, balance=account.balance + self.pending_protocol_shares())
        if shares > account.balance:
            raise Rejected("InsufficientBalance")
        if shares > account.mature(self.block):
            raise Rejected("SharesImmature")
        amount0, amount1 = self.quote_burn(shares)
        if amount0 < min0 or amount1 < min1:
            raise Rejected("InsufficientOutput")
        self.checkpoint()
        self._accrue()
        self._move(owner, -shares)
        self._set_liquidity(self.reserve0 - amount0, self.reserve1 - amount1, self.supply - shares)
        return amount0, amount1

    def transfer(self, owner: str, to: str, shares: int) -> None:
        self._require(State.WITHDRAW_ONLY)
        account = self.account(owner)
        if shares > account.balance:
            raise Rejected("InsufficientBalance")
        if shares > account.mature(self.block):
            raise Rejected("SharesImmature")
        self._move(owner, -shares)
        self._move(to, shares)

    def pending_protocol_shares(self) -> int:
        root = isqrt(self.reserve0 * self.reserve1)
        if self.protocol_share_bps == 0 or root <= self.root_last:
            return 0
        part = (root - self.root_last) * self.protocol_share_bps
        return self.supply * part // (root * BPS - part)

    # trades

    def quote_exact_in(self, zero_for_one: bool, amount_in: int) -> tuple[int, int]:
        """(amount out, fee) as the trade would get in the present block."""
        self._require(State.THROTTLED)
        now = self._opened()
        reserve_in, reserve_out = now._side(zero_for_one)
        if amount_in == 0:
            raise Rejected("ZeroAmount")
        if reserve_in + amount_in > RESERVE_MAX:
            raise Rejected("ReserveOverflow")
        fee = now.fee_in_force()
        effective = amount_in * (PIPS - fee) // PIPS
        out = min(
            reserve_out * effective // (reserve_in + effective),
            now.guarded_out(zero_for_one, effective),
        )
        self._require_size(reserve_out, out)
        return out, fee

    def guarded_out(self, zero_for_one: bool, effective: int) -> int:
        """What the window alone would allow."""
        if zero_for_one:
            numerator, denominator = self.window.low.ratio
            return effective * numerator // denominator
        numerator, denominator = self.window.high.ratio
        return effective * denominator // numerator

    def quote_exact_out(self, zero_for_one: bool, amount_out: int) -> tuple[int, int]:
        """(amount in, fee) as the trade would cost in the present block."""
        self._require(State.THROTTLED)
        now = self._opened()
        reserve_in, reserve_out = now._side(zero_for_one)
        if amount_out == 0:
            raise Rejected("ZeroAmount")
        if amount_out >= reserve_out:
            raise Rejected("InsufficientLiquidity")
        fee = now.fee_in_force()
        effective = ceil_div(reserve_in * amount_out, reserve_out - amount_out)
        if zero_for_one:
            numerator, denominator = now.window.low.ratio
            effective = max(effective, ceil_div(amount_out * denominator, numerator))
        else:
            numerator, denominator = now.window.high.ratio
            effective = max(effective, ceil_div(amount_out * numerator, denominator))
        amount_in = ceil_div(effective * PIPS, PIPS - fee)
        if reserve_in + amount_in > RESERVE_MAX:
            raise Rejected("ReserveOverflow")
        self._require_size(reserve_out, amount_out)
        return amount_in, fee

    def swap_exact_in(
        self, zero_for_one: bool, amount_in: int, min_out: int = 0, max_fee: int = PIPS
    ) -> int:
        out, fee = self.quote_exact_in(zero_for_one, amount_in)
        if fee > max_fee:
            raise Rejected("FeeTooHigh")
        if out < min_out:
            raise Rejected("InsufficientOutput")
        if out == 0:
            raise Rejected("ZeroAmount")
        self._trade(zero_for_one, amount_in, out)
        return out

    def swap_exact_out(
        self,
        zero_for_one: bool,
        amount_out: int,
        max_in: int = RESERVE_MAX,
        max_fee: int = PIPS,
    ) -> int:
        amount_in, fee = self.quote_exact_out(zero_for_one, amount_out)
        if fee > max_fee:
            raise Rejected("FeeTooHigh")
        if amount_in > max_in:
            raise Rejected("ExcessiveInput")
        self._trade(zero_for_one, amount_in, amount_out)
        return amount_in

    def fee_in_force(self) -> int:
        return self.config.max_fee if self.state == State.THROTTLED else self._opened().fee

    # checkpoint

    def checkpoint(self) -> None:
        """Folds the opening of the present block, if that has not been done."""
        self._require(State.WITHDRAW_ONLY)
        if self.block == self.last_block:
            return
        price = Price.below(self.reserve1, self.reserve0)
        self._fold_window(price)
        self._fold_oracle(price.tick)
        self.last_block = self.block

    def _fold_window(self, price: Price) -> None:
        epoch = self.timestamp // self.config.guard_window
        last = self.oracle.last.timestamp // self.config.guard_window
        up, old = price.next_up(), self.window
        if epoch == last:
            lo, hi = min(old.lo_cur, price), max(old.hi_cur, up)
            self.window = Window(lo, hi, old.lo_prev, old.hi_prev)
        elif epoch == last + 1:
            self.window = Window(price, up, old.lo_cur, old.hi_cur)
        else:
            self.window = Window(price, up, price, up)

    def _fold_oracle(self, tick: int) -> None:
        config, old = self.config, self.oracle
        elapsed = self.timestamp - old.last.timestamp
        volatility = abs(tick - old.tick)
        if elapsed < VOLATILITY_PERIOD:
            kept = old.volatility * (VOLATILITY_PERIOD - elapsed) // VOLATILITY_PERIOD
            volatility = min(volatility + kept, VOLATILITY_MAX)
        deviation = abs(tick - old.truncated_tick)
        fee = config.min_fee + config.volatility_factor * volatility // TICK
        if deviation > abs(old.tick - old.truncated_tick):
            fee += config.deviation_factor * deviation**2 // TICK**2
        self.fee = min(fee, config.max_fee)
        step = config.truncation_rate * elapsed
        truncated = max(old.truncated_tick - step, min(old.truncated_tick + step, tick))
        now = Observation(
            self.timestamp,
            old.last.cumulative + tick * elapsed,
            old.last.truncated_cumulative + truncated * elapsed,
        )
        self.oracle = Oracle(now, tick, truncated, volatility)
        if self.timestamp // OBSERVATION_PERIOD != old.last.timestamp // OBSERVATION_PERIOD:
            self._store(now)

    def _store(self, observation: Observation) -> None:
        self.index += 1
        if self.index == self.cardinality:
            if self.cardinality_target > self.cardinality:
                self.cardinality = self.cardinality_target
            else:
                self.index = 0
        self.ring[self.index] = observation

    def grow(self, cardinality: int) -> None:
        """Makes room for so many observations; they come into use when the ring next ends."""
        self._require(State.WITHDRAW_ONLY)
        if cardinality <= self.cardinality_target:
            raise Rejected("InvalidConfig")
        self.cardinality_target = cardinality

    def observe(self, seconds_ago: int) -> tuple[int, int]:
        """Both cumulatives at that time, interpolated between stored observations."""
        now = self._opened()
        target = now.timestamp - seconds_ago
        known = sorted({*self.ring.values(), self.oracle.last, now.oracle.last}, key=_time)
        if target < known[0].timestamp:
            raise Rejected("ObservationTooOld")
        before = [o for o in known if o.timestamp <= target][-1]
        if before.timestamp == target:
            return before.cumulative, before.truncated_cumulative
        after = next(o for o in known if o.timestamp > target)
        part, span = target - before.timestamp, after.timestamp - before.timestamp
        return (
            before.cumulative + _toward_zero((after.cumulative - before.cumulative) * part, span),
            before.truncated_cumulative
            + _toward_zero((after.truncated_cumulative - before.truncated_cumulative) * part, span),
        )

    # inside

    def account(self, owner: str) -> Account:
        return self.accounts.get(owner, Account())

    def _opened(self) -> Pool:
        """This pool as a checkpoint in the present block would leave it."""
        if self.block == self.last_block:
            return self
        opened = self.copy()
        opened.state = State.NORMAL
        opened.checkpoint()
        opened.state = self.state
        return opened

    def _require(self, worst: State) -> None:
        if self.state > worst:
            raise Rejected("EmergencyStateForbids")

    def _require_size(self, reserve_out: int, out: int) -> None:
        if self.state == State.THROTTLED and out > reserve_out * THROTTLED_CAP_BPS // BPS:
            raise Rejected("SizeCapExceeded")

    def _side(self, zero_for_one: bool) -> tuple[int, int]:
        pair = self.reserve0, self.reserve1
        return pair if zero_for_one else pair[::-1]

    def _trade(self, zero_for_one: bool, amount_in: int, amount_out: int) -> None:
        self.checkpoint()
        if zero_for_one:
            self.reserve0 += amount_in
            self.reserve1 -= amount_out
        else:
            self.reserve0 -= amount_out
            self.reserve1 += amount_in

    def _accrue(self) -> None:
        pending = self.pending_protocol_shares()
        if pending:
            self._move(self.factory, pending)
            self.supply += pending

    def _set_liquidity(self, reserve0: int, reserve1: int, supply: int) -> None:
        self.reserve0, self.reserve1, self.supply = reserve0, reserve1, supply
        self.root_last = isqrt_up(reserve0 * reserve1) if self.protocol_share_bps else 0

    def _move(self, owner: str, delta: int) -> None:
        account = self.account(owner)
        self.accounts[owner] = replace(account, balance=account.balance + delta)

    def _credit_immature(self, owner: str, shares: int) -> None:
        account = self.account(owner)
        waiting = account.balance - account.mature(self.block)
        self.accounts[owner] = Account(
            account.balance + shares, waiting + shares, self.block + self.config.maturity_blocks
        )


def _time(observation: Observation) -> int:
    return observation.timestamp


def _toward_zero(numerator: int, denominator: int) -> int:
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient
