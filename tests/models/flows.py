"""Exact models of the exit queue and of a settled batch, over the router's; never touch an EVM.

Written from the rules in docs/flows.md, not from the contracts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.models.router import FROZEN, NORMAL, WITHDRAW_ONLY, Refused, RouterModel

QUEUE = "queue"
REFERENCE = 2**112


@dataclass
class RequestModel:
    """What became of the shares of one request: requested = pending + processed + cancelled."""

    controller: str
    requested: int
    pending: int
    processed: int = 0
    cancelled: int = 0


@dataclass
class QueueModel:
    """First in, first out; the price is the router's when a request is processed."""

    router: RouterModel
    requests: list[RequestModel] = field(default_factory=list)
    head: int = 0
    claim_shares: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    claim_assets: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    paid: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    state: int = NORMAL

    @property
    def queued(self) -> int:
        return sum(r.pending for r in self.requests)

    def _require_open(self) -> None:
        if self.state == FROZEN:
            raise Refused

    def _tell(self) -> None:
        self.router.queued = self.queued

    def payable(self, shares: int) -> int:
        """As many of `shares` as the liquidity pays for, in whole assets unless all of them fit."""
        router = self.router
        if router.state == FROZEN:
            return 0
        liquid = router.liquidity()
        if router.to_assets_down(router.balances[QUEUE]) <= liquid:
            return shares
        a, s = router.ratio
        if ((liquid + 1) * s - 1) // a >= shares:
            return shares
        # Fewest shares that are worth the whole of the liquidity.
        return -(-liquid * s // a)

    def _move(self, origin: str, to: str, shares: int) -> None:
        if self.router.state == FROZEN or self.router.balances[origin] < shares:
            raise Refused
        self.router.balances[origin] -= shares
        self.router.balances[to] += shares

    def request(self, owner: str, shares: int) -> int:
        self._require_open()
        if shares == 0:
            raise Refused
        self._move(owner, QUEUE, shares)
        self.requests.append(RequestModel(owner, shares, shares))
        self._tell()
        return len(self.requests)

    def exit(self, owner: str, shares: int) -> tuple[int, int]:
        self._require_open()
        if shares == 0:
            raise Refused
        self._move(owner, QUEUE, shares)
        waiting = self.queued
        instant = 0 if waiting else min(shares, self.payable(shares))
        assets = self.router.redeem(QUEUE, instant) if instant else 0
        self.paid[owner] += assets
        if instant == shares:
            return assets, 0
        self.requests.append(RequestModel(owner, shares - instant, shares - instant))
        self._tell()
        return assets, len(self.requests)

    def cancel(self, request_id: int) -> int:
        self._require_open()
        request = self.requests[request_id - 1]
        shares = request.pending
        if shares == 0:
            raise Refused
        self._move(QUEUE, request.controller, shares)
        request.pending = 0
        request.cancelled += shares
        self._tell()
        return shares

    def process(self, most: int) -> tuple[int, int]:
        self._require_open()
        budget = self.payable(self.queued) if self.queued else 0
        parts: list[tuple[RequestModel, int]] = []
        for _ in range(most):
            if self.head == len(self.requests):
                break
            request = self.requests[self.head]
            part = min(budget, request.pending)
            if part:
                parts.append((request, part))
            budget -= part
            if part < request.pending:
                break
            self.head += 1
        total = sum(part for _, part in parts)
        if total == 0:
            return 0, 0
        assets = self.router.redeem(QUEUE, total)
        before = 0
        for request, part in parts:
            share = (before + part) * assets // total - before * assets // total
            before += part
            request.pending -= part
            request.processed += part
            self.claim_shares[request.controller] += part
            self.claim_assets[request.controller] += share
        self._tell()
        return total, assets

    def redeem(self, controller: str, shares: int) -> int:
        self._require_open()
        held, assets = self.claim_shares[controller], self.claim_assets[controller]
        if shares == 0 or shares > held:
            raise Refused
        return self._pay(controller, shares, assets * shares // held)

    def withdraw(self, controller: str, assets: int) -> int:
        self._require_open()
        held, most = self.claim_shares[controller], self.claim_assets[controller]
        if assets == 0 or assets > most:
            raise Refused
        shares = held * assets // most
        self._pay(controller, shares, assets)
        return shares

    def _pay(self, controller: str, shares: int, assets: int) -> int:
        self.claim_shares[controller] -= shares
        self.claim_assets[controller] -= assets
        self.paid[controller] += assets
        return assets


@dataclass(frozen=True)
class IntentModel:
    """A deposit (amount in assets) or an exit (in shares) that is otherwise in order."""

    owner: str
    amount: int
    minimum: int


def spread(total: int, weights: Sequence[int]) -> list[int]:
    """`total` over the weights: differences of the floors of the running sum."""
    whole, before, parts = sum(weights), 0, []
    for weight in weights:
        parts.append((before + weight) * total // whole - before * total // whole)
        before += weight
    return parts


@dataclass
class GatewayModel:
    """Settles deposits, then exits; returns per intent what it got, or why it was left out."""

    router: RouterModel
    wallets: dict[str, int]
    state: int = NORMAL

    def _quote(self, amount: int, minimum: int, rate: int, exact: int) -> int:
        quote = amount * rate // REFERENCE
        return exact if quote < minimum or quote == 0 else quote

    def deposits(self, intents: Sequence[IntentModel]) -> list[int | str]:
        router = self.router
        closed = max(self.state, router.state) >= WITHDRAW_ONLY
        room = 0 if closed else max(0, router.deposit_cap - router.total_assets)
        rate = router.to_shares_down(REFERENCE)
        results: list[int | str] = []
        taken: list[tuple[int, IntentModel, int]] = []
        for index, intent in enumerate(intents):
            exact = router.to_shares_down(intent.amount)
            quote = self._quote(intent.amount, intent.minimum, rate, exact)
            if intent.amount == 0:
                results.append("ZERO_AMOUNT")
            elif sum(i.amount for _, i, _ in taken) + intent.amount > room:
                results.append("NO_ROOM")
            elif quote < intent.minimum or quote == 0:
                results.append("BELOW_MINIMUM")
            elif self.wallets[intent.owner] < intent.amount:
                results.append("NOT_FUNDED")
            else:
                self.wallets[intent.owner] -= intent.amount
                results.append(0)
                taken.append((index, intent, quote))
        if taken:
            total = router.deposit("gateway", sum(i.amount for _, i, _ in taken))
            del router.balances["gateway"]
            extra = spread(total - sum(q for *_, q in taken), [i.amount for _, i, _ in taken])
            for (index, intent, quote), more in zip(taken, extra, strict=True):
                router.balances[intent.owner] += quote + more
                results[index] = quote + more
        return results

    def _room(self) -> int:
        router = self.router
        if router.state == FROZEN:
            return 0
        free = router.liquidity() - (router.owed() if router.queued else 0)
        idle = min(router.idle, max(0, free))
        rest = max(0, free) - idle
        return idle + sum(s.pays(min(s.gross_liquidity(), rest)) for s in router.strategies)

    def exits(self, intents: Sequence[IntentModel]) -> list[int | str]:
        """For a router with one strategy."""
        router = self.router
        room, rate = self._room(), router.to_assets_down(REFERENCE)
        results: list[int | str] = []
        taken: list[tuple[int, IntentModel, int]] = []
        for index, intent in enumerate(intents):
            exact = router.to_assets_down(intent.amount)
            quote = self._quote(intent.amount, intent.minimum, rate, exact)
            together = sum(i.amount for _, i, _ in taken) + intent.amount
            if intent.amount == 0:
                results.append("ZERO_AMOUNT")
            elif quote < intent.minimum or quote == 0:
                results.append("BELOW_MINIMUM")
            elif router.to_assets_down(together) > room:
                results.append("NO_ROOM")
            elif router.balances[intent.owner] < intent.amount:
                results.append("NOT_FUNDED")
            else:
                router.balances[intent.owner] -= intent.amount
                router.balances["gateway"] += intent.amount
                results.append(0)
                taken.append((index, intent, quote))
        taken = self._without_unhappy(taken, results)
        if taken:
            shares = [i.amount for _, i, _ in taken]
            total = router.redeem("gateway", sum(shares))
            par = sum(q for *_, q in taken)
            base = [q for *_, q in taken] if total >= par else [0] * len(taken)
            extra = spread(total - sum(base), shares)
            for (index, intent, _), least, more in zip(taken, base, extra, strict=True):
                results[index] = least + more
                self.wallets[intent.owner] += least + more
        return results

    def _expected(self, shares: int) -> int:
        """What redeeming so many shares would pay."""
        router = self.router
        gross = router.to_assets_down(shares)
        rest = max(0, gross - router.idle)
        return gross - rest + sum(s.pays(min(rest, s.gross_liquidity())) for s in router.strategies)

    def _without_unhappy(
        self, taken: list[tuple[int, IntentModel, int]], results: list[int | str]
    ) -> list[tuple[int, IntentModel, int]]:
        """In a loss, those whose minimum the common price misses get their shares back."""
        while taken:
            whole = sum(i.amount for _, i, _ in taken)
            expected = self._expected(whole)
            if expected >= sum(q for *_, q in taken):
                return taken
            parts = [i.amount * expected // whole for _, i, _ in taken]
            unhappy = [
                t for t, part in zip(taken, parts, strict=True) if part == 0 or part < t[1].minimum
            ]
            if not unhappy:
                return taken
            for index, intent, _ in unhappy:
                self.router.balances[intent.owner] += intent.amount
                self.router.balances["gateway"] -= intent.amount
                results[index] = "BELOW_MINIMUM"
            taken = [t for t in taken if t not in unhappy]
        return taken
