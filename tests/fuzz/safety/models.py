"""Exact models of bucket and dispute; they share no code with the contracts."""

from __future__ import annotations

from dataclasses import dataclass, field

ULP = 2**24
TOP = 2**128 - 1


def significant(limit: int) -> int:
    """The limit as the contract keeps it: its 64 highest bits."""
    excess = max(0, limit.bit_length() - 64)
    return limit >> excess << excess


@dataclass
class Bucket:
    """One (target, asset): levels in 2^-24 units, and all moves since its parameters were set."""

    limit: int
    window: int
    time: int
    level: int = 0
    moves: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limit = significant(self.limit)
        self.level = self.capacity

    @property
    def capacity(self) -> int:
        return self.limit * ULP // 2

    def level_at(self, now: int) -> int:
        if now == self.time:
            return self.level
        refill = (now - self.time) * (self.capacity // self.window)
        return min(self.level + refill, self.capacity)

    def available(self, now: int) -> int:
        return self.level_at(now) // ULP

    def take(self, assets: int, now: int) -> bool:
        if assets > self.available(now):
            return False
        self.level, self.time = self.level_at(now) - assets * ULP, now
        self.moves.append((now, assets))
        return True

    def give(self, assets: int, now: int) -> None:
        room = (TOP - self.level_at(now)) // ULP
        self.level = TOP if assets > room else self.level_at(now) + assets * ULP
        self.time = now
        self.moves.append((now, -assets))

    def resize(self, limit: int, window: int, now: int) -> None:
        held = self.level_at(now)
        self.limit, self.window = significant(limit), window
        self.level, self.time = min(held, self.capacity), now
        self.moves.clear()

    def worst_window(self) -> int:
        """The largest net outflow of any closed time interval of length `window` so far."""
        worst = 0
        starts = sorted({time for time, _ in self.moves})
        for start in starts:
            net, last = 0, None
            for time, assets in self.moves:
                if time < start or time > start + self.window:
                    continue
                if last is not None and time != last:
                    worst = max(worst, net)
                net, last = net + assets, time
            worst = max(worst, net)
        return worst


@dataclass
class Dispute:
    """What the oracle remembers of one asset's feeds."""

    max_spread: int
    recover: int
    settle: int
    disputed: bool = False
    calm_since: int = 0

    @staticmethod
    def judged(answers: list[int]) -> tuple[int, int, int]:
        """(healthy, median, spread in bps rounded up)."""
        healthy = sorted(a for a in answers if a)
        if len(healthy) < 2:
            return len(healthy), 0, 0
        count = len(healthy)
        middle = (healthy[(count - 1) // 2] + healthy[count // 2]) // 2
        spread = -(-(healthy[-1] - healthy[0]) * 10_000 // middle)
        return len(healthy), middle, spread

    def status(self, answers: list[int]) -> int:
        healthy, _, spread = self.judged(answers)
        if healthy < 2:
            return 0
        return 1 if spread > self.max_spread or self.disputed else 2

    def sync(self, answers: list[int], now: int) -> int:
        healthy, _, spread = self.judged(answers)
        if healthy < 2 or spread > self.max_spread:
            self.disputed, self.calm_since = True, 0
        elif self.disputed and spread > self.recover:
            self.calm_since = 0
        elif self.disputed and self.calm_since == 0:
            self.calm_since = now
        elif self.disputed and now - self.calm_since >= self.settle:
            self.disputed, self.calm_since = False, 0
        return self.status(answers)
