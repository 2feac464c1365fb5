"""Jobs: small objects that say whether a contract view calls for work, and which call does it.

A job never sends; the loop asks the sender. Its key names the occasion, so that the same occasion
is served once however often the job is asked, and by whichever process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from offchain.chain.txbook import Urgency
from offchain.keeper.view import ContractView, ReadError, interface

BPS = 10_000
NO_LIMIT = 2**16 - 1
WITHDRAW_ONLY, FROZEN = 2, 3


@dataclass(frozen=True, slots=True)
class Call:
    """What a job wants done. `key` names the occasion."""

    key: str
    to: str
    data: bytes
    why: str
    urgency: Urgency


class Job(Protocol):
    """One routine duty."""

    name: str

    def due(self, view: ContractView) -> bool:
        """Whether the contracts call for it at this block."""

    def call(self, view: ContractView) -> Call:
        """The call that does it; only asked when due."""


@dataclass(frozen=True, slots=True)
class Position:
    """A strategy as the router and the strategy itself see it. Amounts in asset units.

    Attributes:
        max_gain_bps: of debt; a report beyond it books nothing and opens a review.
        max_loss_bps: likewise.
    """

    strategy: str
    debt: int
    worth: int
    last_report: int
    under_review: bool
    max_gain_bps: int = 0
    max_loss_bps: int = 0

    @property
    def is_bookable(self) -> bool:
        """Whether there is a change and a report would book it."""
        change = self.worth - self.debt
        bps = self.max_gain_bps if change > 0 else self.max_loss_bps
        return change != 0 and (bps == NO_LIMIT or abs(change) * BPS <= self.debt * bps)


def positions(view: ContractView) -> list[Position]:
    """Every active strategy of the router; one that does not answer is left out."""
    found = []
    for strategy in view.read("CapitalRouter", "CapitalRouter", "strategies"):
        state = view.read("CapitalRouter", "CapitalRouter", "strategyState", strategy)
        try:
            # NOTE: as a report would see it. Shares that lie at the router outside its books (sent
            # by a stranger, or owed in kind) would call for a report that never comes to an end.
            worth = view.read(strategy, "Strategy", "previewRedeem", state.shares)
        except ReadError:
            continue
        limits = state.maxGainBps, state.maxLossBps
        known = state.debt, worth, state.lastReport, state.underReview
        found.append(Position(strategy, *known, *limits))
    return found


def _frozen(view: ContractView) -> bool:
    """Nothing moves then; only a loss can be booked."""
    state = view.read("CapitalRouter", "CapitalRouter", "emergencyState")
    return bool(state >= FROZEN)


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a position calls for a report.

    Attributes:
        max_age: seconds of chain time since the last report.
        min_gain_bps: unreported gain, of debt.
        min_loss_bps: unreported loss, of debt.
    """

    max_age: int = 24 * 3600
    min_gain_bps: int = 10
    min_loss_bps: int = 1

    def fires(self, position: Position, now: int) -> bool:
        """Whether it calls for one; a strategy without debt does not.

        Under review only what would be booked does: governance has widened the limits and waits
        for the report before it closes.
        """
        if not position.debt or (position.under_review and not position.is_bookable):
            return False
        change = position.worth - position.debt
        if change * BPS >= self.min_gain_bps * position.debt and change > 0:
            return True
        if -change * BPS >= self.min_loss_bps * position.debt and change < 0:
            return True
        return now - position.last_report >= self.max_age


class HarvestJob:
    """Harvests every strategy whose gain, loss or age calls for it, in one transaction."""

    name = "harvest"

    def __init__(self, trigger: Trigger | None = None) -> None:
        self._trigger = trigger or Trigger()

    def _waiting(self, view: ContractView) -> list[Position]:
        if _frozen(view):
            return []
        return [p for p in positions(view) if self._trigger.fires(p, view.block.time)]

    def due(self, view: ContractView) -> bool:
        """See `Job.due`."""
        return view.has("YieldHarvester") and bool(self._waiting(view))

    def call(self, view: ContractView) -> Call:
        """See `Job.call`."""
        waiting = self._waiting(view)
        names = [position.strategy for position in waiting]
        # NOTE: a strategy that fails inside the harvest stays due; it is tried once per age.
        stamp = max(position.last_report for position in waiting)
        turn = view.block.time // self._trigger.max_age
        return Call(
            key=f"harvest:{turn}:{stamp}:{','.join(name.lower() for name in names)}",
            to=view.address("YieldHarvester"),
            data=interface("YieldHarvester").encode("harvest", names),
            why=f"{len(names)} strategies have something to report",
            urgency=Urgency.REDUCE,
        )


class ReportJob:
    """Has the router process the oldest report that is due: in suites without a harvester, and
    losses while the router is frozen, so that exits open again at the right price.
    """

    name = "report"

    def __init__(self, trigger: Trigger | None = None) -> None:
        self._trigger = trigger or Trigger()

    def _oldest(self, view: ContractView) -> Position | None:
        waiting = [p for p in positions(view) if self._trigger.fires(p, view.block.time)]
        if _frozen(view):
            waiting = [p for p in waiting if p.worth < p.debt]
        return min(waiting, key=lambda p: (p.last_report, p.strategy), default=None)

    def due(self, view: ContractView) -> bool:
        """See `Job.due`."""
        if view.has("YieldHarvester") and not _frozen(view):
            return False
        return self._oldest(view) is not None

    def call(self, view: ContractView) -> Call:
        """See `Job.call`."""
        position = self._oldest(view)
        assert position is not None
        return Call(
            key=f"report:{position.strategy.lower()}:{position.last_report}",
            to=view.address("CapitalRouter"),
            data=interface("CapitalRouter").encode("processReport", position.strategy),
            why=f"debt {position.debt}, worth {position.worth}",
            urgency=Urgency.REDUCE,
        )


class PokeJob:
    """Has the circuit breaker look at the router when a simulated look would trip it."""

    name = "poke"

    def due(self, view: ContractView) -> bool:
        """See `Job.due`."""
        if not (view.has("CircuitBreaker") and view.has("EmergencyGate")):
            return False
        router = view.address("CapitalRouter")
        state, _ = view.read("EmergencyGate", "EmergencyGate", "stateOf", router)
        if state >= WITHDRAW_ONLY:
            return False
        try:
            return bool(view.read("CircuitBreaker", "CircuitBreaker", "poke", router))
        except ReadError:
            return False

    def call(self, view: ContractView) -> Call:
        """See `Job.call`."""
        router = view.address("CapitalRouter")
        return Call(
            key=f"poke:{router.lower()}:{view.block.number}",
            to=view.address("CircuitBreaker"),
            data=interface("CircuitBreaker").encode("poke", router),
            why="the circuit breaker would find a fact",
            urgency=Urgency.BRAKE,
        )


class ProcessJob:
    """Has the exit queue pay those who wait, when a simulated call would pay enough of them.

    Liquidity returns in every block, so it waits until all who wait can be paid, or so much that a
    transaction is worth it; or until more requests can be paid than fit into one call.

    Args:
        min_bps: shares paid, of all shares, from which a call is worth it.
    """

    name = "process"
    # One call pays at most so many; a few million gas.
    REQUESTS = 100

    def __init__(self, min_bps: int = 10) -> None:
        self._min_bps = min_bps

    def due(self, view: ContractView) -> bool:
        """See `Job.due`."""
        if not view.has("ExitQueue"):
            return False
        waiting = view.read("ExitQueue", "ExitQueue", "queuedShares")
        if not waiting:
            return False
        try:
            paid = self._simulate(view, self.REQUESTS)
            if not paid:
                return False
            supply = view.read("CapitalRouter", "CapitalRouter", "totalSupply")
            if paid == waiting or paid * BPS >= self._min_bps * supply:
                return True
            return self._simulate(view, 2 * self.REQUESTS) > paid
        except ReadError:
            # It refuses while frozen, or until a loss is reported.
            return False

    @staticmethod
    def _simulate(view: ContractView, requests: int) -> int:
        """Shares that processing so many requests would pay at this block."""
        shares, _ = view.read("ExitQueue", "ExitQueue", "process", requests)
        return int(shares)

    def call(self, view: ContractView) -> Call:
        """See `Job.call`."""
        return Call(
            key=f"process:{view.block.number}",
            to=view.address("ExitQueue"),
            data=interface("ExitQueue").encode("process", self.REQUESTS),
            why="exits that wait can be paid",
            urgency=Urgency.REDUCE,
        )


def all_jobs(trigger: Trigger | None = None, process_bps: int = 10) -> list[Job]:
    """Every job, the brake first; losses are booked before exits that wait are paid."""
    return [PokeJob(), HarvestJob(trigger), ReportJob(trigger), ProcessJob(process_bps)]
