"""A day in which somebody tries to trip the breaker and to delay others' exits, on the whole suite.

Real router, queue, breaker and gate. The griefer is first in every block; it asserts nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.evm import Evm, Revert
from tests.support.plane import DAY, LIMIT, Suite, build_suite

STEP = 60
REQUEST = LIMIT // 100
REQUEST_EVERY = 3_600
# Shares per unit of the asset, as long as nothing was earned or lost.
SHARES = 10**12


@dataclass(frozen=True)
class Griefer:
    """What he has and does.

    Attributes:
        capital: his own, deposited when the day begins.
        loan: what he borrows and pays back inside every block.
    """

    capital: int = 0
    loan: int = 0


@dataclass(frozen=True)
class Felt:
    """A day's result.

    Attributes:
        longest: seconds that the slowest honest exit waited; one still waiting counts to the end.
        mean: of all honest exits.
        exits: honest exits that were asked for.
        transactions: that the griefer sent.
        outside: mean part of his capital, in bps, that lay outside and earned nothing.
        lost: units of the asset that he lost by rounding.
        trips: times that the breaker tripped.
    """

    longest: int
    mean: float
    exits: int
    transactions: int
    outside: int
    lost: int
    trips: int


class _Attack:
    """The griefer's side of the day."""

    def __init__(self, suite: Suite, griefer: Griefer) -> None:
        self._suite, self._griefer = suite, griefer
        self.me = suite.attacker
        self.transactions = self._outside = 0
        suite.fund(self.me, griefer.capital)
        if griefer.capital:
            self._enter(griefer.capital)

    def _enter(self, assets: int) -> None:
        router = self._suite.router
        router["deposit(uint256,address)"](assets, self.me, sender=self.me)
        self.transactions += 1

    def _leave(self, shares: int) -> None:
        router = self._suite.router
        router["redeem(uint256,address,address)"](shares, self.me, self.me, sender=self.me)
        self.transactions += 1

    def _round_trip(self) -> None:
        asset, router, loan = self._suite.asset, self._suite.router, self._griefer.loan
        asset.mint(self.me, loan)
        held = router.balanceOf(self.me)
        self._enter(loan)
        self._leave(router.balanceOf(self.me) - held)
        asset.burn(self.me, min(loan, asset.balanceOf(self.me)))

    def _can_pay_back(self) -> bool:
        """Whether a loan can be closed in this block: who waits goes first, also before a loan."""
        before = self.transactions
        try:
            with self._suite.evm.rollback():
                self._round_trip()
        except Revert:
            self.transactions = before + 1
            return False
        self.transactions = before
        return True

    def act(self) -> None:
        """One block: the loan's round trip, then out with all that can leave, and a poke."""
        suite, asset, router = self._suite, self._suite.asset, self._suite.router
        if self._griefer.loan and self._can_pay_back():
            self._round_trip()
        if self._griefer.capital:
            if free := router.maxRedeem(self.me):
                self._leave(free)
            if not router.balanceOf(self.me):
                # All out: to go on he must come back, which refunds the bucket.
                self._enter(asset.balanceOf(self.me))
        suite.breaker.poke(router, sender=self.me)
        self.transactions += 1
        self._outside += asset.balanceOf(self.me)

    def outside(self, blocks: int) -> int:
        """Bps."""
        capital = self._griefer.capital
        return 10_000 * self._outside // (capital * blocks) if capital else 0

    def lost(self) -> int:
        """Units of the asset."""
        router = self._suite.router
        worth = router.convertToAssets(router.balanceOf(self.me))
        return int(self._griefer.capital - worth - self._suite.asset.balanceOf(self.me))


def a_day(griefer: Griefer, queued: bool = True) -> Felt:
    """A day with an honest exit of 1 % of L every hour.

    Args:
        griefer: who is against it.
        queued: exits are asked for in the queue; otherwise they try an instant one every block.
    """
    suite = build_suite(Evm())
    evm, router, queue, investor = suite.evm, suite.router, suite.queue, suite.investor
    suite.breaker.poke(router, sender=suite.keeper)
    attack = _Attack(suite, griefer)
    asked: list[int] = []
    waits: list[int] = []
    for now in range(0, DAY, STEP):
        if now % REQUEST_EVERY == 0:
            asked.append(now)
            if queued:
                queue.requestRedeem(REQUEST * SHARES, investor, investor, sender=investor)
        attack.act()
        if queued and queue.queuedShares():
            queue.process(10, sender=suite.keeper)
        while asked and _served(suite, len(asked), queued):
            waits.append(now - asked.pop(0))
        evm.mine(1, seconds=STEP)
    exits = len(waits) + len(asked)
    waits += [DAY - then for then in asked]
    return Felt(
        longest=max(waits),
        mean=sum(waits) / len(waits),
        exits=exits,
        transactions=attack.transactions,
        outside=attack.outside(DAY // STEP),
        lost=attack.lost(),
        trips=suite.gate.stateOf(router)[0],
    )


def _served(suite: Suite, waiting: int, queued: bool) -> bool:
    """Whether the one who waits longest has got his money."""
    if queued:
        left = -(-suite.queue.queuedShares() // (REQUEST * SHARES))
        return bool(left < waiting)
    if suite.router.maxWithdraw(suite.investor) < REQUEST:
        return False
    investor = suite.investor
    suite.router["withdraw(uint256,address,address)"](REQUEST, investor, investor, sender=investor)
    return True
