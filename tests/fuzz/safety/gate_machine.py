"""A state machine that drives the gate and its model side by side; it knows no implementation."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fuzz.safety.gate_model import GateModel, Refused, TargetModel, longest_frozen
from tests.support.evm import Contract, Evm, Revert
from tests.support.gate import (
    COOLDOWN,
    HEARTBEAT,
    MAX_DURATION,
    REASON,
    GateWorld,
    Mode,
    State,
)

HONEST, HOSTILE = 2, 2
ACTORS = ("governance", "guardian", "breaker", "sentinel", "successor", "attacker")
ROLES = ("guardian", "breaker", "sentinel")
EDGES = (0, 1, 12, MAX_DURATION - 1, MAX_DURATION, MAX_DURATION + 1, COOLDOWN - 1, COOLDOWN)

# Mostly the one who may: a machine of refusals alone would prove little.
actors = st.sampled_from(ACTORS)
# Mostly the first target: rules are broken by what happens to one target twice.
indexes = st.sampled_from([0, 0, 0, *range(HONEST + HOSTILE)])
levels = st.sampled_from([*State, State.FROZEN, State.FROZEN])
durations = st.one_of(
    st.sampled_from([0, 1, MAX_DURATION, MAX_DURATION, MAX_DURATION + 1]),
    st.integers(1, MAX_DURATION),
)
pauses = st.one_of(st.sampled_from(EDGES), st.integers(0, COOLDOWN), st.just(HEARTBEAT))
modes = st.sampled_from([m for m in Mode if m not in (Mode.REENTER, Mode.REENTER_STRICTLY)])


class GateMachine(RuleBasedStateMachine):
    """Properties: S3, S4, S6, and that the gate is what the model says."""

    deploy: Callable[[], GateWorld] = staticmethod(lambda: GateWorld.create(Evm()))

    @initialize()
    def create(self) -> None:
        self.world = type(self).deploy()
        self.evm, self.gate = self.world.evm, self.world.gate
        self.contracts: list[Contract] = [
            *self.world.honest(HONEST),
            *self.world.hostile(HOSTILE),
        ]
        roles = {role: role for role in ("governance", *ROLES)}
        self.model = GateModel(self.evm.timestamp, roles, [TargetModel() for _ in self.contracts])
        self.model.valid_until = self.gate.guardianValidUntil()
        self.honest = self.model.targets[:HONEST]

    def account(self, actor: str) -> Any:
        return self.evm.account(actor)

    def both(self, expected: Callable[[], Any], actual: Callable[[], Any]) -> Any:
        """Runs model and contract; they must agree on success, reason and result."""
        reason, wanted, got = "", None, None
        states = [t.state for t in self.model.targets]
        try:
            wanted = expected()
        except Refused as refusal:
            reason = f"emergency_gate: {refusal}"
        try:
            got = actual()
        except Revert as error:
            assert reason, f"the gate reverts with {error}, the model does not"
            assert error.args == (reason,), f"{error.args} instead of {reason}"
            return states
        assert not reason, f"the gate accepts, the model refuses: {reason}"
        assert got == wanted, f"the gate returns {got}, the model {wanted}"
        return states

    # --- what people and time do

    @rule(seconds=pauses)
    def wait(self, seconds: int) -> None:
        self.evm.mine(1, seconds)
        self.model.now = self.evm.timestamp

    @rule(
        actor=actors,
        chosen=st.lists(indexes, max_size=6),
        level=levels,
        duration=durations,
    )
    def raise_many(self, actor: str, chosen: list[int], level: State, duration: int) -> None:
        """A duplicate in the list must be harmless."""

        def expected() -> tuple[int, ...]:
            role = self.model.raising_role(actor)
            self.model.check_order(level, duration)
            targets = [self.model.targets[i] for i in chosen]
            causes = [self.model.attempt(role, t, level, duration) for t in targets]
            return tuple(i for i, cause in enumerate(causes) if cause)

        def actual() -> tuple[int, ...]:
            targets = [self.contracts[i] for i in chosen]
            sender = self.account(actor)
            return tuple(self.gate.raiseMany(targets, level, duration, REASON, sender=sender))

        before = self.both(expected, actual)
        for target, state in zip(self.model.targets, before, strict=True):
            assert target.state >= state, "a raise never lowers"

    @rule(actor=actors, i=indexes, level=levels, duration=durations)
    def raise_state(self, actor: str, i: int, level: State, duration: int) -> None:
        def expected() -> None:
            role = self.model.raising_role(actor)
            self.model.check_order(level, duration)
            self.model.attempt_or_refuse(role, self.model.targets[i], level, duration)

        sender = self.account(actor)
        self.both(
            expected,
            lambda: self.gate.raiseState(self.contracts[i], level, duration, REASON, sender=sender),
        )

    @rule(actor=st.sampled_from(["breaker", "breaker", *ACTORS]), i=indexes, level=levels)
    def trip(self, actor: str, i: int, level: State) -> None:
        self.both(
            lambda: self.model.trip(actor, self.model.targets[i], level),
            lambda: self.gate.trip(self.contracts[i], level, REASON, sender=self.account(actor)),
        )

    @rule(actor=st.sampled_from(["sentinel", "sentinel", *ACTORS]), i=indexes)
    def throttle(self, actor: str, i: int) -> None:
        self.both(
            lambda: self.model.throttle(actor, self.model.targets[i]),
            lambda: self.gate.throttle(self.contracts[i], REASON, sender=self.account(actor)),
        )

    @rule(actor=st.sampled_from(["governance", "governance", *ACTORS]), i=indexes)
    def resume(self, actor: str, i: int) -> None:
        before = self.both(
            lambda: self.model.resume(actor, self.model.targets[i]),
            lambda: self.gate.resume(self.contracts[i], REASON, sender=self.account(actor)),
        )
        if actor != "governance":
            assert [t.state for t in self.model.targets] == before

    @rule(actor=actors, i=indexes)
    def lapse(self, actor: str, i: int) -> None:
        before = self.both(
            lambda: self.model.lapse(self.model.targets[i]),
            lambda: self.gate.lapse(self.contracts[i], sender=self.account(actor)),
        )
        stuck = (State.WITHDRAW_ONLY, State.FROZEN)
        if before[i] in stuck:
            assert self.model.targets[i].state in stuck, "time alone never opens for new money"

    @rule(actor=actors, i=indexes)
    def sync(self, actor: str, i: int) -> None:
        before = self.both(
            lambda: self.model.sync(self.model.targets[i]),
            lambda: self.gate.sync(self.contracts[i], sender=self.account(actor)),
        )
        assert [t.state for t in self.model.targets] == before, "sync moves no record"

    @rule(actor=st.sampled_from(["guardian", "guardian", *ACTORS]))
    def heartbeat(self, actor: str) -> None:
        self.both(
            lambda: self.model.heartbeat(actor),
            lambda: self.gate.heartbeat(sender=self.account(actor)),
        )

    @rule(
        actor=st.sampled_from(["governance", "governance", *ACTORS]),
        role=st.sampled_from(ROLES),
        holder=actors,
    )
    def set_role(self, actor: str, role: str, holder: str) -> None:
        setter = getattr(self.gate, f"set{role.capitalize()}")
        self.both(
            lambda: self.model.set_role(actor, role, holder),
            lambda: setter(self.account(holder), sender=self.account(actor)),
        )

    @rule(actor=st.sampled_from(["governance", *ACTORS]), i=indexes)
    def remove(self, actor: str, i: int) -> None:
        self.both(
            lambda: self.model.remove(actor, self.model.targets[i]),
            lambda: self.gate.remove(self.contracts[i], sender=self.account(actor)),
        )

    @rule(actor=st.sampled_from(["governance", *ACTORS]), i=indexes)
    def register(self, actor: str, i: int) -> None:
        self.both(
            lambda: self.model.register(actor, self.model.targets[i]),
            lambda: self.gate.register(self.contracts[i], sender=self.account(actor)),
        )

    # --- what hostile targets do

    @rule(i=st.integers(HONEST, HONEST + HOSTILE - 1), mode=modes)
    def arm(self, i: int, mode: Mode) -> None:
        self.contracts[i].arm(mode)
        self.model.targets[i].mode = mode

    @rule(i=st.integers(HONEST, HONEST + HOSTILE - 1), state=st.sampled_from(State))
    def overwrite(self, i: int, state: State) -> None:
        self.contracts[i].overwrite(state)
        self.model.targets[i].real = state

    # --- what must always hold

    @invariant()
    def records_are_what_the_model_says(self) -> None:
        for contract, target in zip(self.contracts, self.model.targets, strict=True):
            recorded = self.world.record(contract)
            assert recorded == (target.state, target.expiry)
            assert self.gate.isTarget(contract) == target.registered
            for (role, level), ready in target.ready.items():
                assert self.world.ready_at(role, contract, level) == ready
        assert self.gate.guardianValidUntil() == self.model.valid_until

    @invariant()
    def honest_targets_are_in_their_recorded_state(self) -> None:
        for contract, target in zip(self.contracts, self.honest, strict=False):
            assert contract.emergencyState() == target.state

    @invariant()
    def freezes_are_bounded(self) -> None:
        """Property: S4"""
        for target in self.model.targets:
            assert longest_frozen(target.freezes, COOLDOWN) <= 3 * MAX_DURATION
            for role in ("governance", "guardian", "breaker"):
                uses = [start for by, start, _ in target.freezes if by == role]
                gaps = [b - a for a, b in pairwise(uses)]
                assert all(gap >= COOLDOWN for gap in gaps), "a ticket fires once"
            assert target.expiry <= self.model.now + MAX_DURATION

    def teardown(self) -> None:
        """Property: S6. All keys are lost, the breaker's fact stays: who is in gets out."""
        if not hasattr(self, "model"):
            return
        breaker = self.model.roles["breaker"]
        for _ in range(2):
            for contract, target in zip(self.contracts, self.honest, strict=False):
                if target.registered:
                    self.gate.trip(contract, State.FROZEN, REASON, sender=self.account(breaker))
            self.evm.mine(1, MAX_DURATION)
        for contract, target in zip(self.contracts, self.honest, strict=False):
            if target.registered:
                self.gate.trip(contract, State.FROZEN, REASON, sender=self.account(breaker))
                if self.world.record(contract)[0] == State.FROZEN:
                    self.gate.lapse(contract, sender=self.account("attacker"))
                assert contract.emergencyState() == State.WITHDRAW_ONLY
