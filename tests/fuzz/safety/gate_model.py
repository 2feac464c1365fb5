"""An independent model of the emergency gate and its targets; it reads nothing from a contract."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.support.gate import (
    COOLDOWN,
    HEARTBEAT,
    LYING,
    MAX_DURATION,
    REFUSING,
    UNREADABLE,
    Cause,
    Mode,
    State,
)

LAPSES = {State.FROZEN: State.WITHDRAW_ONLY, State.THROTTLED: State.NORMAL}
MAY_TRIP = (State.WITHDRAW_ONLY, State.FROZEN)


class Refused(Exception):
    """The gate reverts, with this reason."""


@dataclass
class TargetModel:
    """A target: honest as long as its mode is HONEST."""

    mode: Mode = Mode.HONEST
    real: State = State.NORMAL
    state: State = State.NORMAL
    expiry: int = 0
    registered: bool = True
    ready: dict[tuple[str, State], int] = field(default_factory=dict)
    freezes: list[tuple[str, int, int]] = field(default_factory=list)

    def order(self, state: State) -> bool:
        """What the target does when the gate orders a state: whether it took the call."""
        if self.mode in REFUSING:
            return False
        if self.mode != Mode.IGNORE:
            self.real = state
        return True

    def shown(self) -> State | None:
        """What it answers; None if that is no answer."""
        if self.mode in UNREADABLE:
            return None
        if self.mode == Mode.SHOW_NORMAL:
            return State.NORMAL
        return State.FROZEN if self.mode == Mode.SHOW_FROZEN else self.real

    def in_force(self, now: int) -> State:
        """The recorded state, or what it has run out to."""
        over = self.expiry != 0 and now >= self.expiry
        return LAPSES[self.state] if over else self.state

    @property
    def keeps_its_word(self) -> bool:
        """Whether what it shows can be compared with the record."""
        return self.mode not in (*REFUSING, *LYING, Mode.SHOW_FROZEN)


@dataclass
class GateModel:
    """The gate. Every method raises `Refused` where the contract must revert."""

    now: int
    roles: dict[str, str]
    targets: list[TargetModel]
    valid_until: int = 0

    def role_of(self, actor: str) -> str | None:
        """The role that an actor holds."""
        return next((role for role, holder in self.roles.items() if holder == actor), None)

    def must_be(self, actor: str, role: str, reason: str) -> None:
        if self.roles[role] != actor:
            raise Refused(reason)

    def must_govern(self, actor: str) -> None:
        self.must_be(actor, "governance", "caller is not governance")

    def raising_role(self, actor: str) -> str:
        """Who may raise to any level."""
        if self.role_of(actor) == "governance":
            return "governance"
        self.must_be(actor, "guardian", "caller is not the guardian")
        if self.now >= self.valid_until:
            raise Refused("heartbeat missed")
        return "guardian"

    def check_order(self, level: State, duration: int) -> None:
        if level not in (State.THROTTLED, State.WITHDRAW_ONLY, State.FROZEN):
            raise Refused("level not allowed")
        if level in LAPSES and not 1 <= duration <= MAX_DURATION:
            raise Refused("duration out of bounds")

    def attempt(self, role: str, target: TargetModel, level: State, duration: int) -> Cause:
        """One raise; changes the model as the contract must change."""
        if not target.registered:
            return Cause.NOT_A_TARGET
        if level <= target.in_force(self.now):
            shown = target.shown()
            if shown is None or shown < level:
                target.order(target.in_force(self.now))
                shown = target.shown()
            return Cause.NONE if shown is not None and shown >= level else Cause.NOT_FOLLOWED
        needs_ticket = not (level == State.WITHDRAW_ONLY and role != "guardian")
        if needs_ticket and self.now < target.ready.get((role, level), 0):
            return Cause.TICKET_NOT_READY
        if not target.order(level):
            return Cause.NOT_FOLLOWED
        target.state = level
        target.expiry = self.now + duration if level in LAPSES else 0
        if needs_ticket:
            target.ready[role, level] = self.now + COOLDOWN
        if level == State.FROZEN:
            target.freezes.append((role, self.now, target.expiry))
        return Cause.NONE if target.shown() == level else Cause.NOT_FOLLOWED

    def attempt_or_refuse(
        self, role: str, target: TargetModel, level: State, duration: int
    ) -> None:
        reasons = {
            Cause.NOT_A_TARGET: "not a target",
            Cause.TICKET_NOT_READY: "ticket not ready",
            Cause.NOT_FOLLOWED: "target does not follow",
        }
        before = vars(target).copy()
        before["ready"], before["freezes"] = dict(target.ready), list(target.freezes)
        cause = self.attempt(role, target, level, duration)
        if cause != Cause.NONE:
            vars(target).update(before)
            raise Refused(reasons[cause])

    def trip(self, actor: str, target: TargetModel, level: State) -> None:
        self.must_be(actor, "breaker", "caller is not the breaker")
        if level not in MAY_TRIP:
            raise Refused("level not allowed")
        ready = self.now >= target.ready.get(("breaker", State.FROZEN), 0)
        applied = level if ready else State.WITHDRAW_ONLY
        self.attempt_or_refuse("breaker", target, applied, MAX_DURATION)

    def throttle(self, actor: str, target: TargetModel) -> None:
        self.must_be(actor, "sentinel", "caller is not the sentinel")
        self.attempt_or_refuse("sentinel", target, State.THROTTLED, MAX_DURATION)

    def resume(self, actor: str, target: TargetModel) -> None:
        self.must_govern(actor)
        if not target.registered:
            raise Refused("not a target")
        before = target.real
        target.order(State.NORMAL)
        if target.shown() != State.NORMAL:
            target.real = before
            raise Refused("target does not follow")
        target.state, target.expiry = State.NORMAL, 0

    def lapse(self, target: TargetModel) -> None:
        if not target.registered:
            raise Refused("not a target")
        after = target.in_force(self.now)
        if after == target.state:
            raise Refused("nothing has lapsed")
        if not target.order(after):
            raise Refused("target does not follow")
        target.state, target.expiry = after, 0

    def sync(self, target: TargetModel) -> None:
        if not target.registered:
            raise Refused("not a target")
        if target.state == State.NORMAL:
            raise Refused("nothing to sync")
        if target.in_force(self.now) != target.state:
            raise Refused("lapse is due")
        if target.shown() == target.state:
            raise Refused("nothing to sync")
        before = target.real
        target.order(target.state)
        if target.shown() != target.state:
            target.real = before
            raise Refused("target does not follow")

    def heartbeat(self, actor: str) -> None:
        self.must_be(actor, "guardian", "caller is not the guardian")
        if self.now >= self.valid_until:
            raise Refused("heartbeat missed")
        self.valid_until = self.now + HEARTBEAT

    def set_role(self, actor: str, role: str, holder: str) -> None:
        self.must_govern(actor)
        if self.role_of(holder) not in (None, role):
            raise Refused("one address, two roles")
        self.roles[role] = holder
        if role == "guardian":
            self.valid_until = self.now + HEARTBEAT

    def remove(self, actor: str, target: TargetModel) -> None:
        self.must_govern(actor)
        if not target.registered:
            raise Refused("not a target")
        if target.state != State.NORMAL or target.shown() not in (State.NORMAL, None):
            raise Refused("target is not normal")
        target.registered = False

    def register(self, actor: str, target: TargetModel) -> None:
        self.must_govern(actor)
        if target.registered:
            raise Refused("already a target")
        if target.shown() != State.NORMAL:
            raise Refused("target is not normal")
        target.registered = True


def longest_frozen(freezes: list[tuple[str, int, int]], window: int) -> int:
    """Most seconds ordered FROZEN within any period of `window` seconds, overlaps counted once."""
    spans = [(start, end) for _, start, end in freezes]
    most = 0
    for first, _ in spans:
        covered, reached = 0, first
        for start, end in spans:
            low, high = max(start, reached), min(end, first + window)
            if high > low:
                covered += high - low
                reached = high
        most = max(most, covered)
    return most
