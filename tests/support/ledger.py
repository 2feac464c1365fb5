"""Rebuilds every balance of a router and its exit queue from their events; it reads no state."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from offchain.abi import Event

ZERO = "0x" + "00" * 20
NO_PLAN = bytes(32)


@dataclass
class Ledger:
    """Books as the events tell them; amounts in the units of asset, shares, strategy shares.

    Attributes:
        shares: of every holder; the router's own are locked profit, as told at the last report.
        pending: shares of each request in the queue.
        claimable: (shares, assets) that each controller may take from the queue.
        owed: strategy shares of refused payments in kind, by strategy and account.
    """

    router: str
    queue: str
    idle: int = 0
    shares: Counter[str] = field(default_factory=Counter)
    debts: dict[str, int] = field(default_factory=dict)
    lent_shares: Counter[str] = field(default_factory=Counter)
    pending: Counter[int] = field(default_factory=Counter)
    claimable_shares: Counter[str] = field(default_factory=Counter)
    claimable_assets: Counter[str] = field(default_factory=Counter)
    owed: Counter[tuple[str, str]] = field(default_factory=Counter)
    queued_told: int = 0
    _pulled: int = 0

    def read(self, events: Iterable[Event]) -> None:
        """Takes in events in their order on the chain."""
        for event in events:
            side = "queue" if event.address == self.queue else "router"
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", event.name).lower()
            handler: Any = getattr(self, f"_{side}_{name}", None)
            if handler is not None:
                handler(event)

    # ---- router ----

    def _router_transfer(self, event: Event) -> None:
        self.shares[event["from"]] -= event["value"]
        self.shares[event["to"]] += event["value"]
        self.shares[ZERO] = 0

    def _router_deposit(self, event: Event) -> None:
        self.idle += event["assets"]

    def _router_debt_moved(self, event: Event) -> None:
        self.debts[event["strategy"]] = event["debt"]
        self.lent_shares[event["strategy"]] += event["shares"] * (1 if event["lend"] else -1)
        if event["planId"] == NO_PLAN:
            # An exit: what the strategy pays passes through; idle changes with the payment.
            self._pulled += event["assets"]
        else:
            self.idle = event["idle"]

    def _router_withdraw(self, event: Event) -> None:
        self.idle -= event["assets"] - self._pulled
        self._pulled = 0

    def _router_yield_received(self, event: Event) -> None:
        self.idle += event["assets"]

    def _router_strategy_reported(self, event: Event) -> None:
        self.debts[event["strategy"]] = event["debt"]

    def _router_in_kind_owed(self, event: Event) -> None:
        self.owed[event["strategy"], event["account"]] += event["strategyShares"]

    def _router_in_kind_claimed(self, event: Event) -> None:
        self.owed[event["strategy"], event["account"]] -= event["strategyShares"]

    def _router_queued_shares_set(self, event: Event) -> None:
        self.queued_told = event["current"]

    # ---- queue ----

    def _queue_redeem_request(self, event: Event) -> None:
        self.pending[event["requestId"]] += event["shares"]

    def _queue_redeem_cancelled(self, event: Event) -> None:
        self.pending[event["requestId"]] -= event["shares"]

    def _queue_redeem_processed(self, event: Event) -> None:
        self.pending[event["requestId"]] -= event["shares"]
        self.claimable_shares[event["controller"]] += event["shares"]
        self.claimable_assets[event["controller"]] += event["assets"]

    def _queue_withdraw(self, event: Event) -> None:
        self.claimable_shares[event["owner"]] -= event["shares"]
        self.claimable_assets[event["owner"]] -= event["assets"]
