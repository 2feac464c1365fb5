"""An exact model of the router and of the vault that doubles a strategy; never touches an EVM.

Written from the rules in docs/capital.md, not from the contracts: where the contract walks, packs
and guards, the model computes with whole fractions and plain loops.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

BPS = 10_000
WAD = 10**18
YEAR = 365 * 86_400
DUST = 2
NO_LIMIT = 2**16 - 1
MAX_RATE = 2**104 - 1
MAX_SUPPLY = 2**128 - 1
MAX_MARK = 2**128 - 1

NORMAL, THROTTLED, WITHDRAW_ONLY, FROZEN = range(4)


class Refused(Exception):
    """The router must revert."""


def down(amount: int, numerator: int, denominator: int) -> int:
    return amount * numerator // denominator


def up(amount: int, numerator: int, denominator: int) -> int:
    return -(-amount * numerator // denominator)


@dataclass
class VaultModel:
    """The vault double: assets held, shares issued, shares that the router holds."""

    assets: int = 0
    supply: int = 0
    held: int = 0
    limit: int | None = None
    broken: bool = False
    # Says that it can pay, and does not.
    refuses: bool = False

    def to_shares_down(self, assets: int) -> int:
        return down(assets, self.supply + 1, self.assets + 1)

    def to_shares_up(self, assets: int) -> int:
        return up(assets, self.supply + 1, self.assets + 1)

    def to_assets_down(self, shares: int) -> int:
        return down(shares, self.assets + 1, self.supply + 1)

    def deposit(self, assets: int) -> int:
        shares = self.to_shares_down(assets)
        self.assets += assets
        self.supply += shares
        self.held += shares
        return shares

    def max_withdraw(self) -> int:
        most = self.to_assets_down(self.held)
        return most if self.limit is None else min(most, self.limit)

    def withdraw(self, assets: int) -> int:
        shares = self.to_shares_up(assets)
        self.assets -= assets
        self.supply -= shares
        self.held -= shares
        if self.limit is not None:
            self.limit -= assets
        return shares


@dataclass
class StrategyModel:
    """What the router knows of one strategy."""

    vault: VaultModel
    cap: int
    cap_bps: int = BPS
    debt: int = 0
    shares: int = 0
    max_gain_bps: int = NO_LIMIT
    max_loss_bps: int = NO_LIMIT
    review: bool = False
    # A loss beyond the limit was found and is not booked.
    loss_open: bool = False

    def worth(self) -> int:
        return self.vault.to_assets_down(self.shares)

    def pays(self, gross: int) -> int:
        """What the exiter gets who takes that much debt."""
        worth = self.worth()
        return gross if worth >= self.debt else gross * worth // self.debt

    def gross_liquidity(self) -> int:
        """Most debt that can be taken now."""
        if self.vault.broken or self.debt == 0 or self.worth() == 0:
            return 0
        liquid = self.vault.max_withdraw()
        if liquid == 0:
            return 0
        worth = self.worth()
        if liquid >= worth:
            return self.debt
        if worth >= self.debt:
            return min(self.debt, liquid)
        return min(self.debt, ((liquid + 1) * self.debt - 1) // worth)

    def gross_for(self, net: int) -> int:
        """Least debt that pays `net`."""
        worth = self.worth()
        return net if worth >= self.debt else -(-net * self.debt // worth)

    def gross_within(self, net: int) -> int:
        """Most debt that pays no more than `net`."""
        worth = self.worth()
        return net if worth >= self.debt else ((net + 1) * self.debt - 1) // worth


@dataclass
class RouterModel:
    """Books of one router; amounts in asset units, shares in share units, time in seconds."""

    virtual: int
    now: int
    idle: int = 0
    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    strategies: list[StrategyModel] = field(default_factory=list)
    rate: int = 0
    unlock_end: int = 0
    unlock_time: int = 7 * 86_400
    state: int = NORMAL
    performance_bps: int = 0
    management_bps: int = 0
    recipient: str = ""
    settled_until: int = 0
    high_water_mark: int = 0
    queued: int = 0
    queue: str = ""
    # What the breaker lets out now; None without one.
    allowance: int | None = None
    deposit_cap: int = 2**112 - 1
    # Losses of plans on the day `epoch`; all assets are the day's budget.
    epoch: int = 0
    epoch_loss: int = 0
    # A loss is under review: exits are priced after all losses, deposits are closed.
    review: bool = False
    reported_assets: int = 0

    # ---- price ----

    @property
    def supply(self) -> int:
        return sum(self.balances.values())

    @property
    def debt(self) -> int:
        return sum(s.debt for s in self.strategies)

    @property
    def total_assets(self) -> int:
        return self.idle + self.debt

    @property
    def locked(self) -> int:
        return max(0, self.unlock_end - self.now) * self.rate

    @property
    def ratio(self) -> tuple[int, int]:
        return self.total_assets + 1, self.supply + self.locked + self.virtual

    def to_shares_down(self, assets: int) -> int:
        a, s = self.ratio
        return down(assets, s, a)

    def to_shares_up(self, assets: int) -> int:
        a, s = self.ratio
        return up(assets, s, a)

    def to_assets_down(self, shares: int) -> int:
        a, s = self.ratio
        return down(shares, a, s)

    def to_assets_up(self, shares: int) -> int:
        a, s = self.ratio
        return up(shares, a, s)

    @property
    def exit_ratio(self) -> tuple[int, int]:
        """While a loss is under review, after every loss that can be read."""
        a, s = self.ratio
        if self.review:
            known = (one for one in self.strategies if not one.vault.broken)
            a -= sum(max(0, one.debt - one.worth()) for one in known)
        return a, s

    # ---- in ----

    def deposit(self, who: str, assets: int) -> int:
        shares = self.to_shares_down(assets)
        self._enter(who, assets, shares)
        return shares

    def mint(self, who: str, shares: int) -> int:
        assets = self.to_assets_up(shares)
        self._enter(who, assets, shares)
        return assets

    def _enter(self, who: str, assets: int, shares: int) -> None:
        if self.state > THROTTLED or shares == 0 or self.review:
            raise Refused
        if self.total_assets + assets > self.deposit_cap or self.supply + shares > MAX_SUPPLY:
            raise Refused
        self.balances[who] += shares
        self.idle += assets

    # ---- out ----

    def owed(self) -> int:
        a, s = self.exit_ratio
        return up(self.queued, a, s)

    def liquidity(self) -> int:
        """As exits are priced: what they are paid during a review, debt at book value else."""
        found = ((s, s.gross_liquidity()) for s in self.strategies)
        return self.idle + sum(s.pays(gross) if self.review else gross for s, gross in found)

    def let_out(self) -> int:
        """Of the liquidity, what the breaker lets out now."""
        if self.allowance is None:
            return self.liquidity()
        if self.review or self.allowance < self.idle:
            return min(self.liquidity(), self.allowance)
        gross, room = self.idle, self.allowance - self.idle
        for s in self.strategies:
            found = s.gross_liquidity()
            if s.pays(found) > room:
                return gross + s.gross_within(room)
            gross += found
            room -= s.pays(found)
        return gross

    def _require_free(self, who: str, gross: int) -> None:
        if self.queued and who != self.queue and gross > max(0, self.let_out() - self.owed()):
            raise Refused

    def redeem(self, who: str, shares: int) -> int:
        if self.state > WITHDRAW_ONLY or shares == 0 or shares > self.balances[who]:
            raise Refused
        a, total = self.exit_ratio
        gross = down(shares, a, total)
        if gross > self.liquidity():
            raise Refused
        self._require_free(who, gross)
        if self.review:
            self._take_net(gross)
            self.balances[who] -= shares
            return gross
        paid = rest = min(gross, self.idle)
        self.idle -= paid
        rest = gross - paid
        for s in self.strategies:
            if rest == 0:
                break
            take = min(rest, s.gross_liquidity())
            if take == 0:
                continue
            net = s.pays(take)
            if net and s.vault.refuses:
                continue
            if net:
                s.shares -= s.vault.withdraw(net)
            s.debt -= take
            paid += net
            rest -= take
        if rest:
            raise Refused
        self.balances[who] -= shares
        return paid

    def withdraw(self, who: str, assets: int) -> int:
        if self.state > WITHDRAW_ONLY or assets == 0:
            raise Refused
        a, total = self.exit_ratio
        gross = assets if self.review else self._gross_of(assets)
        self._require_free(who, gross)
        shares = up(gross, total, a)
        if shares > self.balances[who]:
            raise Refused
        self._take_net(assets)
        self.balances[who] -= shares
        return shares

    def _takes(self, assets: int) -> list[tuple[StrategyModel, int, int]]:
        """What pays for `assets` beyond idle: strategies, debt taken, net."""
        takes, rest = [], max(0, assets - self.idle)
        for s in self.strategies:
            net = min(rest, s.pays(s.gross_liquidity()))
            if net == 0 or s.vault.refuses:
                continue
            takes.append((s, s.gross_for(net), net))
            rest -= net
        if rest:
            raise Refused
        return takes

    def _gross_of(self, assets: int) -> int:
        return min(assets, self.idle) + sum(take for _, take, _ in self._takes(assets))

    def _take_net(self, assets: int) -> None:
        takes = self._takes(assets)
        self.idle -= min(assets, self.idle)
        for s, take, net in takes:
            s.shares -= s.vault.withdraw(net)
            s.debt -= take

    def redeem_in_kind(self, who: str, shares: int) -> tuple[int, list[int]]:
        if self.state > WITHDRAW_ONLY or shares == 0 or shares > self.balances[who]:
            raise Refused
        total = self.ratio[1]
        assets = down(self.idle, shares, total)
        parts = []
        for s in self.strategies:
            part = down(s.shares, shares, total)
            if not s.vault.broken and s.worth() > s.debt:
                part = part * s.debt // s.worth()
            s.debt -= down(s.debt, shares, total)
            s.shares -= part
            s.vault.held -= part
            parts.append(part)
        self.idle -= assets
        self.balances[who] -= shares
        return assets, parts

    # ---- keeper ----

    def report(self, strategy: StrategyModel) -> tuple[int, int]:
        if strategy.vault.broken:
            raise Refused
        worth, debt = strategy.worth(), strategy.debt
        gain, loss = max(0, worth - debt), max(0, debt - worth)
        if self.state == FROZEN and not loss:
            raise Refused
        for change, bps in ((gain, strategy.max_gain_bps), (loss, strategy.max_loss_bps)):
            if bps != NO_LIMIT and change > DUST and change * BPS > debt * bps:
                strategy.review = True
                strategy.loss_open = strategy.loss_open or loss > 0
                self.review = self.review or loss > 0
                return 0, 0
        if gain:
            if self.state > THROTTLED:
                raise Refused
            self._book_gain(gain)
        elif loss:
            a, s = self.ratio
            self._relock(max(0, self.locked - down(loss, s, a)), self.unlock_end - self.now)
        strategy.debt, strategy.loss_open = worth, False
        self.review = any(one.loss_open for one in self.strategies)
        self.reported_assets = self.total_assets
        return gain, loss

    def receive_yield(self, assets: int) -> None:
        if self.state > THROTTLED or assets == 0:
            raise Refused
        self._book_gain(assets)
        self.idle += assets

    def _book_gain(self, gain: int) -> None:
        """Everything at the price before the gain; the caller adds the assets."""
        a, s = self.ratio
        holders = self.supply + self.virtual
        fee_shares = down(self._fees(gain, a, holders), s, a)
        new_shares = down(gain, s, a)
        mark = -(-(a + gain) * self.virtual * WAD // (holders + fee_shares))
        self.high_water_mark = max(self.high_water_mark, min(mark, MAX_MARK))
        if fee_shares:
            self.balances[self.recipient] += fee_shares
        before, added = self.locked, new_shares - fee_shares
        total = before + added
        if total == 0:
            return
        left = self.unlock_end - self.now if before else 0
        period = (before * left + added * self.unlock_time) // total
        self._relock(min(total, MAX_SUPPLY - self.supply), period)

    def _relock(self, shares: int, period: int) -> None:
        if self.locked == 0 and shares == 0 and self.unlock_end <= self.now:
            return
        self.rate = min(shares // period, MAX_RATE) if period > 0 else 0
        self.unlock_end = self.now + max(0, period)

    def _fees(self, gain: int, assets1: int, holders: int) -> int:
        if not self.recipient:
            return 0
        management = 0
        if self.management_bps:
            elapsed = min(self.now - self.settled_until, YEAR)
            due = (assets1 - 1) * self.management_bps * elapsed // (BPS * YEAR)
            management = min(due, gain)
            if due:
                self.settled_until = self.now - elapsed + elapsed * management // due
        level = -(-self.high_water_mark * holders // (self.virtual * WAD))
        profit = max(0, gain - management - max(0, level - assets1))
        return management + profit * self.performance_bps // BPS

    def close_review(self, strategy: StrategyModel) -> None:
        strategy.review = False

    # ---- allocator ----

    def cap_of(self, strategy: StrategyModel, total: int) -> int:
        if strategy.cap_bps == BPS:
            return strategy.cap
        base = min(total, self.reported_assets) if self.reported_assets else total
        return min(strategy.cap, base * strategy.cap_bps // BPS)

    def lend(self, strategy: StrategyModel, assets: int) -> None:
        if self.state != NORMAL or strategy.review or strategy.vault.broken:
            raise Refused
        if assets == 0 or assets > self.idle:
            raise Refused
        before = self.total_assets
        shares = strategy.vault.deposit(assets)
        value = min(assets, strategy.vault.to_assets_down(shares))
        strategy.debt += value
        strategy.shares += shares
        self.idle -= assets
        cap = self.cap_of(strategy, self.total_assets)
        owed = self.to_assets_up(self.queued)
        if strategy.debt > cap or (self.queued and self.idle < owed):
            raise Refused
        self._spend_budget(before)

    def recall(self, strategy: StrategyModel, assets: int) -> None:
        if self.state > THROTTLED or assets == 0:
            raise Refused
        if strategy.pays(strategy.gross_liquidity()) < assets:
            raise Refused
        before, gross = self.total_assets, strategy.gross_for(assets)
        strategy.shares -= strategy.vault.withdraw(assets)
        strategy.debt -= gross
        self.idle += assets
        self._spend_budget(before)

    def _spend_budget(self, before: int) -> None:
        loss = before - self.total_assets
        if loss <= 0:
            return
        today = self.now // 86_400
        spent = self.epoch_loss if self.epoch == today else 0
        if loss > max(0, before - spent):
            raise Refused
        self.epoch, self.epoch_loss = today, spent + loss
