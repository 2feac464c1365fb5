"""A StableSwap pool in plain integers, for any number of coins; it asks no chain.

Written from the paper's invariant A·n^n·Σx + D = A·D·n^n + D^(n+1)/(n^n·Πx), with A·n^(n-1) as
the pools' parameter. D and balances are 18-decimal integers; each Newton step rounds down, and
steps end when two differ by at most one. Refused calls raise `Refused` and change nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

WAD = 10**18
FEE = 10**10


class Refused(Exception):
    """The call would revert."""


def invariant(xp: Sequence[int], amp: int) -> int:
    """D of the scaled balances."""
    n, total = len(xp), sum(xp)
    if total == 0:
        return 0
    d = total
    for _ in range(255):
        dp = d
        for x in xp:
            if x == 0:
                raise Refused("a coin is missing")
            dp = dp * d // (n * x)
        last = d
        d = (amp * n * total + n * dp) * d // ((amp * n - 1) * d + (n + 1) * dp)
        if abs(d - last) <= 1:
            break
    return d


def balance_for(coin: int, xp: Sequence[int], d: int, amp: int) -> int:
    """Scaled balance of one coin at which D is `d`, the others being as they are."""
    n, c = len(xp), d
    others = [x for i, x in enumerate(xp) if i != coin]
    for x in others:
        c = c * d // (n * x)
    c = c * d // (amp * n * n)
    b = sum(others) + d // (amp * n)
    y = d
    for _ in range(255):
        last = y
        y = (y * y + c) // (2 * y + b - d)
        if abs(y - last) <= 1:
            break
    return y


@dataclass
class PoolModel:
    """One pool.

    Attributes:
        decimals: of each coin.
        amp: A as the pool is given it.
        fee: of trades, in 1e-10. admin_fee: the owner's part of it, in 1e-10.
        balances: what the pool counts as the LPs'.
        held: tokens that lie in the pool; the difference is the owner's.
        supply: LP tokens.
    """

    decimals: tuple[int, ...]
    amp: int
    fee: int
    admin_fee: int
    balances: list[int] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    supply: int = 0
    killed: bool = False

    def __post_init__(self) -> None:
        if not self.balances:
            self.balances = [0] * self.n
            self.held = [0] * self.n

    @property
    def n(self) -> int:
        return len(self.decimals)

    def scale(self, coin: int) -> int:
        return 10 ** (18 - self.decimals[coin])

    def scaled(self, amounts: Sequence[int]) -> list[int]:
        return [x * self.scale(i) for i, x in enumerate(amounts)]

    def d(self, amounts: Sequence[int]) -> int:
        return invariant(self.scaled(amounts), self.amp)

    def virtual_price(self) -> int:
        return self.d(self.balances) * WAD // self.supply

    def imbalance_fee(self) -> int:
        return self.fee * self.n // (4 * (self.n - 1))

    # ---- trades

    def gross_out(self, i: int, j: int, dx: int) -> int:
        """Coins out before the fee, scaled."""
        xp = self.scaled(self.balances)
        d = invariant(xp, self.amp)
        after = list(xp)
        after[i] += dx * self.scale(i)
        out = xp[j] - balance_for(j, after, d, self.amp) - 1
        if out < 0:
            raise Refused("nothing to buy")
        return out

    def quote(self, i: int, j: int, dx: int) -> int:
        """get_dy."""
        out = self.gross_out(i, j, dx) // self.scale(j)
        return out - out * self.fee // FEE

    def exchange(self, i: int, j: int, dx: int) -> int:
        self._alive()
        gross = self.gross_out(i, j, dx)
        fee = gross * self.fee // FEE
        out = (gross - fee) // self.scale(j)
        self.balances[i] += dx
        self.balances[j] -= out + fee * self.admin_fee // FEE // self.scale(j)
        self.held[i] += dx
        self.held[j] -= out
        return out

    # ---- liquidity

    def quote_lp(self, amounts: Sequence[int], deposit: bool) -> int:
        """calc_token_amount: no fees."""
        sign = 1 if deposit else -1
        after = [b + sign * a for b, a in zip(self.balances, amounts, strict=True)]
        if min(after) < 0:
            raise Refused("more than there is")
        before = self.d(self.balances)
        return sign * (self.d(after) - before) * self.supply // before

    def add(self, amounts: Sequence[int]) -> int:
        self._alive()
        new = [b + a for b, a in zip(self.balances, amounts, strict=True)]
        if self.supply == 0:
            if min(amounts) == 0:
                raise Refused("all coins first")
            minted, kept = self.d(new), new
        else:
            d0, d1 = self.d(self.balances), self.d(new)
            if d1 <= d0:
                raise Refused("nothing added")
            kept, left, _ = self._charged(new, d0, d1)
            if self.d(left) < d0:
                raise Refused("fees eat it up")
            minted = self.supply * (self.d(left) - d0) // d0
        self.balances = kept
        self.held = [h + a for h, a in zip(self.held, amounts, strict=True)]
        self.supply += minted
        return minted

    def remove(self, lp: int) -> list[int]:
        paid = [b * lp // self.supply for b in self.balances]
        self.balances = [b - p for b, p in zip(self.balances, paid, strict=True)]
        self.held = [h - p for h, p in zip(self.held, paid, strict=True)]
        self.supply -= lp
        return paid

    def remove_exactly(self, amounts: Sequence[int]) -> int:
        self._alive()
        new = [b - a for b, a in zip(self.balances, amounts, strict=True)]
        if min(new) < 0:
            raise Refused("more than there is")
        d0 = self.d(self.balances)
        kept, left, _ = self._charged(new, d0, self.d(new))
        burned = (d0 - self.d(left)) * self.supply // d0
        if burned == 0:
            raise Refused("nothing burned")
        self.balances = kept
        self.held = [h - a for h, a in zip(self.held, amounts, strict=True)]
        self.supply -= burned + 1
        return burned + 1

    def quote_one(self, lp: int, coin: int) -> tuple[int, int]:
        """calc_withdraw_one_coin: coins, and the fee in coins."""
        xp = self.scaled(self.balances)
        d0 = invariant(xp, self.amp)
        d1 = d0 - lp * d0 // self.supply
        y = balance_for(coin, xp, d1, self.amp)
        reduced = []
        for k, x in enumerate(xp):
            away = x * d1 // d0 - y if k == coin else x - x * d1 // d0
            if away < 0:
                raise Refused("rounding")
            reduced.append(x - self.imbalance_fee() * away // FEE)
        out = reduced[coin] - balance_for(coin, reduced, d1, self.amp)
        if out < 1:
            raise Refused("nothing out")
        coins = (out - 1) // self.scale(coin)
        return coins, (xp[coin] - y) // self.scale(coin) - coins

    def remove_one(self, lp: int, coin: int) -> int:
        self._alive()
        out, fee = self.quote_one(lp, coin)
        self.balances[coin] -= out + fee * self.admin_fee // FEE
        self.held[coin] -= out
        self.supply -= lp
        return out

    def copy(self) -> PoolModel:
        return deepcopy(self)

    def _alive(self) -> None:
        if self.killed:
            raise Refused("killed")

    def _charged(
        self, new: Sequence[int], d0: int, d1: int
    ) -> tuple[list[int], list[int], list[int]]:
        """Balances less the owner's part of the fees, balances less all fees, fees."""
        fees = [
            self.imbalance_fee() * abs(d1 * old // d0 - now) // FEE
            for old, now in zip(self.balances, new, strict=True)
        ]
        kept = [now - f * self.admin_fee // FEE for now, f in zip(new, fees, strict=True)]
        return kept, [now - f for now, f in zip(new, fees, strict=True)], fees
