"""Rebuilds NAV, every share balance and every position from journalled events, and flags drift.

The books are folded from live `chain.log` events alone. The chain is asked only afterwards, at the
books' own block, and every difference is named in wei. Nothing is ever adjusted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from offchain.journal.events import Event, Kind

ZERO = "0x0000000000000000000000000000000000000000"
ROUTER = "CapitalRouter"

Reader = Callable[..., Any]
"""read(target, artifact, function, *arguments) at the books' block."""


@dataclass(frozen=True, slots=True)
class Drift:
    """The books and the chain differ. Amounts in the smallest unit of what is compared."""

    what: str
    books: int
    chain: int

    @property
    def wei(self) -> int:
        """How far the books are above the chain."""
        return self.books - self.chain

    def __str__(self) -> str:
        return f"{self.what}: books {self.books}, chain {self.chain}, drift {self.wei:+d}"


@dataclass
class Books:
    """The router's accounts as its events tell them. Amounts in asset units and shares.

    Attributes:
        router: its address.
        block: last live block taken in.
        idle: assets that are not lent.
        debts: assets lent, by strategy.
        shares: share balances by holder, the router's own included.
        positions: strategy shares held by the router, by strategy.
    """

    router: str
    block: int = -1
    events: int = 0
    idle: int = 0
    debts: dict[str, int] = field(default_factory=dict)
    shares: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    positions: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    @classmethod
    def build(cls, router: str, events: Iterable[Event]) -> Books:
        """Folds live events; see `offchain.chain.head.live_events`."""
        books = cls(router)
        for event in events:
            payload = event.payload
            if event.kind == Kind.BLOCK:
                books.block = payload["number"]
            elif payload["event"]:
                books.apply(payload)
        return books

    def apply(self, log: Mapping[str, Any]) -> None:
        """Takes in one decoded log."""
        name, args = log["event"], log["args"]
        self.events += 1
        if log["address"] != self.router:
            if name == "Transfer":
                self._strategy_transfer(log["address"], args)
            return
        handler = getattr(self, f"_on_{name}", None)
        if handler is not None:
            handler(args)

    @property
    def nav(self) -> int:
        """Total assets: idle plus all debts."""
        return self.idle + sum(self.debts.values())

    def _strategy_transfer(self, strategy: str, args: Mapping[str, Any]) -> None:
        source, target, amount = args.values()
        if source == self.router:
            self.positions[strategy] -= amount
        if target == self.router:
            self.positions[strategy] += amount

    # NOTE: named after the router's events, so that a handler is found by the event's name.

    def _on_Transfer(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        source, target, amount = args.values()
        if source != ZERO:
            self.shares[source] -= amount
        if target != ZERO:
            self.shares[target] += amount

    def _on_Deposit(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        self.idle += args["assets"]

    def _on_Withdraw(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        self.idle -= args["assets"]

    def _on_YieldReceived(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        self.idle += args["assets"]

    def _on_StrategyAdded(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        self.debts.setdefault(args["strategy"], 0)

    def _on_StrategyRemoved(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        self.debts.pop(args["strategy"], None)

    def _on_StrategyReported(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        self.debts[args["strategy"]] = args["debt"]

    def _on_DebtMoved(self, args: Mapping[str, Any]) -> None:  # noqa: N802
        # NOTE: what a strategy pays in an exit passes through idle; Withdraw takes it out.
        self.debts[args["strategy"]] = args["debt"]
        self.idle += -args["assets"] if args["lend"] else args["assets"]

    def compare(self, read: Reader) -> list[Drift]:
        """Every difference between the books and the chain at the books' block.

        Args:
            read: reads a contract at `self.block`.
        """

        def router(function: str, *arguments: Any) -> Any:
            return read(self.router, "CapitalRouter", function, *arguments)

        pairs = [
            ("NAV", self.nav, router("totalAssets")),
            ("idle", self.idle, router("idle")),
            ("total debt", sum(self.debts.values()), router("totalDebt")),
        ]
        for strategy in sorted(set(self.debts) | set(router("strategies"))):
            debt = router("strategyState", strategy).debt
            pairs.append((f"debt of {strategy}", self.debts.get(strategy, 0), debt))
        for strategy in sorted(set(self.positions) | set(self.debts)):
            held = read(strategy, "Strategy", "balanceOf", self.router)
            pairs.append((f"position in {strategy}", self.positions[strategy], held))
        # NOTE: the router's own balance is locked profit, which melts with time without an event.
        for holder in sorted(self.shares.keys() - {self.router}):
            pairs.append((f"shares of {holder}", self.shares[holder], router("balanceOf", holder)))
        return [Drift(what, books, chain) for what, books, chain in pairs if books != chain]
