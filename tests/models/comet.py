"""Compound III's interest, principals and rewards in plain integers; it asks no chain.

Written from the protocol's published mechanics: two indices of scale 1e15 grow by simple interest
between accruals, at rates that depend on utilisation before the interest; principals are signed,
supply rounds down, debt rounds up. Refused calls raise `Refused` and change nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

WAD = 10**18
INDEX = 10**15
YEAR = 365 * 24 * 3600
ACCRUAL_SCALE = 10**6


class Refused(Exception):
    """The call would revert with this custom error."""


@dataclass(frozen=True)
class Curve:
    """A two-slope rate, per year and WAD as it is configured."""

    kink: int
    low: int
    high: int
    base: int

    def per_second(self, utilisation: int) -> int:
        """Rate at a utilisation; each part is cut to whole units per second first."""
        low, high, base = self.low // YEAR, self.high // YEAR, self.base // YEAR
        rate = base + low * min(utilisation, self.kink) // WAD
        return rate + high * max(utilisation - self.kink, 0) // WAD


@dataclass
class Account:
    principal: int = 0
    tracking_index: int = 0
    tracked: int = 0


@dataclass
class CometModel:
    """One market.

    Attributes:
        supply_curve: what suppliers earn.
        borrow_curve: what borrowers pay.
        unit: one whole base token.
        min_borrow: least debt, base.
        min_for_rewards: least principal that is tracked.
        speeds: rewards per second of suppliers and of borrowers, in `tracking_scale`.
        time: of the last accrual. now: the clock.
        cash: base that lies in the market.
    """

    supply_curve: Curve
    borrow_curve: Curve
    unit: int
    min_borrow: int
    min_for_rewards: int
    speeds: tuple[int, int]
    tracking_scale: int
    time: int
    now: int
    cash: int = 0
    supply_index: int = INDEX
    borrow_index: int = INDEX
    tracking: tuple[int, int] = (0, 0)
    supplied: int = 0
    borrowed: int = 0
    accounts: dict[str, Account] = field(default_factory=dict)
    credit: dict[str, int] = field(default_factory=dict)

    def account(self, who: str) -> Account:
        return self.accounts.setdefault(who, Account())

    def utilisation(self) -> int:
        supplied = self.supplied * self.supply_index // INDEX
        return self.borrowed * self.borrow_index // INDEX * WAD // supplied if supplied else 0

    def indices(self) -> tuple[int, int]:
        """Supply and borrow index now."""
        elapsed, at = self.now - self.time, self.utilisation()
        grow = (self.supply_curve.per_second(at), self.borrow_curve.per_second(at))
        return (
            self.supply_index + self.supply_index * (grow[0] * elapsed) // WAD,
            self.borrow_index + self.borrow_index * (grow[1] * elapsed) // WAD,
        )

    def accrue(self) -> None:
        elapsed = self.now - self.time
        if elapsed == 0:
            return
        principals = (self.supplied, self.borrowed)
        self.supply_index, self.borrow_index = self.indices()
        self.tracking = (
            self.tracking[0] + self._tracked(self.speeds[0] * elapsed, principals[0]),
            self.tracking[1] + self._tracked(self.speeds[1] * elapsed, principals[1]),
        )
        self.time = self.now

    def _tracked(self, reward: int, principal: int) -> int:
        return reward * self.unit // principal if principal >= self.min_for_rewards else 0

    def balance(self, who: str) -> int:
        """Supplied base now; 0 for borrowers."""
        return max(self.account(who).principal, 0) * self.indices()[0] // INDEX

    def debt(self, who: str) -> int:
        """Owed base now; 0 for suppliers."""
        return max(-self.account(who).principal, 0) * self.indices()[1] // INDEX

    def supply(self, who: str, amount: int) -> None:
        self.accrue()
        self._move(who, amount)
        self.cash += amount

    def withdraw(self, who: str, amount: int) -> None:
        saved = self._signed(who, *self.indices()) - amount
        if saved < 0:
            if -saved < self.min_borrow:
                raise Refused("BorrowTooSmall")
            if self._rounded_debt(-saved) > self.credit.get(who, 0):
                raise Refused("NotCollateralized")
        if amount > self.cash:
            raise Refused("ERC20InsufficientBalance")
        self.accrue()
        self._move(who, -amount)
        self.cash -= amount

    def transfer(self, src: str, dst: str, amount: int) -> None:
        saved = self._signed(src, *self.indices()) - amount
        if saved < 0:
            if -saved < self.min_borrow:
                raise Refused("BorrowTooSmall")
            if self._rounded_debt(-saved) > self.credit.get(src, 0):
                raise Refused("NotCollateralized")
        self.accrue()
        self._move(src, -amount)
        self._move(dst, amount)

    def touch(self, who: str) -> None:
        """accrueAccount: interest and rewards are settled, nothing moves."""
        self.accrue()
        self._settle(self.account(who), self.account(who).principal)

    def _rounded_debt(self, balance: int) -> int:
        """Debt as collateral is measured against it: the present value of the rounded principal."""
        index = self.indices()[1]
        return -(-balance * INDEX // index) * index // INDEX

    def _signed(self, who: str, supply_index: int, borrow_index: int) -> int:
        principal = self.account(who).principal
        if principal >= 0:
            return principal * supply_index // INDEX
        return -(-principal * borrow_index // INDEX)

    def _move(self, who: str, amount: int) -> None:
        account = self.account(who)
        before = account.principal
        balance = self._signed(who, self.supply_index, self.borrow_index) + amount
        if balance >= 0:
            after = balance * INDEX // self.supply_index
        else:
            after = -((-balance * INDEX + self.borrow_index - 1) // self.borrow_index)
        # A sum that rounding turned the wrong way leaves the totals alone.
        if (after >= before) == (amount >= 0) or after == before:
            self.supplied += max(after, 0) - max(before, 0)
            self.borrowed += max(-after, 0) - max(-before, 0)
        self._settle(account, after)

    def _settle(self, account: Account, after: int) -> None:
        before = account.principal
        index = self.tracking[0] if before >= 0 else self.tracking[1]
        earned = abs(before) * (index - account.tracking_index) // self.tracking_scale
        account.tracked += earned // (self.unit // ACCRUAL_SCALE)
        account.principal = after
        account.tracking_index = self.tracking[0] if after >= 0 else self.tracking[1]
