"""CircuitBreaker against an exact model: many targets, assets, parameters and clocks at once."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fuzz.safety.models import Bucket
from tests.support.evm import Evm, Revert, interface

RUNS = int(os.environ.get("FUZZ_RUNS", "15"))
DAY = 86_400
TARGETS, ASSETS = 3, 2
CUT_GAS = 10
pytestmark = pytest.mark.fuzz

amounts = st.one_of(
    st.integers(0, 10**9), st.integers(0, 2**104), st.sampled_from([1, 2**104, 2**256 - 1])
)
shares = st.integers(0, 1_000)
pairs = st.tuples(st.integers(0, TARGETS - 1), st.integers(0, ASSETS - 1))
limits = st.one_of(
    st.integers(4_000, 10**7), st.integers(10**10, 10**15), st.integers(10**20, 2**103 - 1)
)
windows = st.sampled_from([600, 3_600, DAY, 7 * DAY, 30 * DAY])
waits = st.one_of(st.integers(0, 60), st.integers(0, DAY), st.integers(0, 40 * DAY))


class BreakerMachine(RuleBasedStateMachine):
    """Plain accounts stand for the targets, since a target is whoever calls.

    `code` is the breaker's creation code, if it is not the real one.
    """

    code = b""

    @initialize()
    def deploy(self) -> None:
        self.evm = Evm()
        self.governance = self.evm.account("governance")
        authority = self.evm.deploy("AccessAuthority", self.governance)
        some_contract = self.evm.deploy("TestToken", "Dollar", "USD", 6)
        arguments = (authority, some_contract, some_contract)
        codec = interface("CircuitBreaker")
        code = (self.code or codec.artifact.bytecode) + codec.constructor.encode(arguments)
        self.breaker = self.evm.at("CircuitBreaker", self.evm.create(code))
        self.targets = [self.evm.account(f"target {i}") for i in range(TARGETS)]
        self.assets = [self.evm.account(f"asset {i}") for i in range(ASSETS)]
        self.model: dict[tuple[int, int], Bucket] = {}
        self.floors: dict[tuple[int, int], int] = {}
        self.hook_gas: dict[tuple[int, int], int] = {}

    @property
    def now(self) -> int:
        return self.evm.timestamp

    def key(self, pair: tuple[int, int]) -> tuple[Any, Any]:
        return self.targets[pair[0]], self.assets[pair[1]]

    @rule(pair=pairs, limit=limits, window=windows, floor=st.integers(1, 1_000))
    def set_limit(self, pair: tuple[int, int], limit: int, window: int, floor: int) -> None:
        least = max(limit * floor // 1_000, window // 8_192 + 1)
        if limit < least:
            return
        self.breaker.setLimit(*self.key(pair), limit, window, least, sender=self.governance)
        self.floors[pair] = least
        if pair in self.model:
            self.model[pair].resize(limit, window, self.now)
        else:
            self.model[pair] = Bucket(limit, window, self.now)

    @rule(pair=pairs, share=shares)
    def tighten(self, pair: tuple[int, int], share: int) -> None:
        bucket = self.model.get(pair)
        limit = (bucket.limit if bucket else 10**9) * share // 1_000
        allowed = bucket is not None and self.floors[pair] <= limit < bucket.limit
        try:
            self.breaker.tightenLimit(*self.key(pair), limit, sender=self.governance)
            assert allowed
        except Revert as error:
            assert not allowed
            assert error.name in {"NotMetered", "NotTightening", "BelowFloor"}
        if allowed and bucket:
            bucket.resize(limit, bucket.window, self.now)

    @rule(pair=pairs)
    def remove(self, pair: tuple[int, int]) -> None:
        if self.model.pop(pair, None):
            self.breaker.removeLimit(*self.key(pair), sender=self.governance)

    @rule(pair=pairs, assets=amounts)
    def outflow_of_any_amount(self, pair: tuple[int, int], assets: int) -> None:
        self._outflow(pair, assets)

    @rule(pair=pairs, share=st.sampled_from([1, 500, 999, 1_000, 1_001]))
    def outflow_of_a_share(self, pair: tuple[int, int], share: int) -> None:
        if pair in self.model:
            self._outflow(pair, self.model[pair].available(self.now) * share // 1_000)

    def _outflow(self, pair: tuple[int, int], assets: int) -> None:
        target, asset = self.key(pair)
        bucket = self.model.get(pair)
        allowed = bucket is None or bucket.take(assets, self.now)
        try:
            self.breaker.onOutflow(asset, assets, sender=target)
            assert allowed
        except Revert as error:
            assert not allowed
            assert error.name == "OutflowLimitExceeded"

    @rule(pair=pairs, assets=amounts)
    def inflow(self, pair: tuple[int, int], assets: int) -> None:
        target, asset = self.key(pair)
        self.breaker.onInflow(asset, assets, sender=target)
        if pair in self.model:
            self.model[pair].give(assets, self.now)

    @rule(pair=pairs, assets=st.integers(0, 2**100), first_in=st.booleans())
    def zero_hold_round_trip(self, pair: tuple[int, int], assets: int, first_in: bool) -> None:
        """Property: S5."""
        target, asset = self.key(pair)
        before = self.breaker.available(target, asset)
        if not first_in and before < assets:
            return
        if pair in self.model and self.model[pair].available(self.now) > 2**103:
            return  # beyond this the level saturates
        for step in ("in", "out") if first_in else ("out", "in"):
            hook = self.breaker.onInflow if step == "in" else self.breaker.onOutflow
            hook(asset, assets, sender=target)
        assert self.breaker.available(target, asset) == before

    @rule(asset=st.integers(0, ASSETS - 1), assets=amounts)
    def stranger(self, asset: int, assets: int) -> None:
        """Whoever is no target moves nobody's bucket: the invariant sees it."""
        attacker = self.evm.account("attacker")
        self.breaker.onOutflow(self.assets[asset], assets, sender=attacker)
        self.breaker.onInflow(self.assets[asset], assets, sender=attacker)

    @rule(pair=pairs)
    def hook_costs_what_it_did(self, pair: tuple[int, int]) -> None:
        """Property: S7. Only the cut at the capacity may differ, by a jump."""
        if pair not in self.model:
            return
        target, asset = self.key(pair)
        self.evm.mine()
        with self.evm.metered():
            self.breaker.onInflow(asset, 0, sender=target)
        self.model[pair].give(0, self.now)
        assert self.evm.last is not None
        spent = self.evm.last.gas_total
        assert abs(self.hook_gas.setdefault(pair, spent) - spent) <= CUT_GAS

    @rule(seconds=waits)
    def wait(self, seconds: int) -> None:
        self.evm.mine(1, seconds=seconds)

    @invariant()
    def equals_the_model(self) -> None:
        for target in range(TARGETS):
            for asset in range(ASSETS):
                bucket = self.model.get((target, asset))
                expected = bucket.available(self.now) if bucket else 2**256 - 1
                assert self.breaker.available(*self.key((target, asset))) == expected

    @invariant()
    def no_window_passes_more_than_its_limit(self) -> None:
        """Property: S1."""
        for bucket in self.model.values():
            assert bucket.worst_window() <= bucket.limit


TestBreaker = BreakerMachine.TestCase
TestBreaker.settings = settings(
    max_examples=RUNS,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_model__credit_that_outlives_its_timestamp__breaks_the_window() -> None:
    """The negative control of S1: with a lasting credit the same check fails."""

    class Lasting(Bucket):
        def level_at(self, now: int) -> int:
            return max(self.level, super().level_at(now))

    bucket = Lasting(1_000, DAY, 0)
    bucket.give(2_000, 0)
    assert bucket.take(2_400, 1)
    assert bucket.worst_window() > bucket.limit
