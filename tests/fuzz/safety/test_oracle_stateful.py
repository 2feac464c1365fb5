"""PriceOracle against an exact model of quorum, median and dispute, with hostile adapters."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.fuzz.safety.models import Dispute
from tests.support.evm import Evm, Revert, interface

RUNS = int(os.environ.get("FUZZ_RUNS", "15"))
USD = 10**18
NOBODY = "0x" + "00" * 20
MODES = (0, 0, 0, 1, 2, 3, 5)
pytestmark = pytest.mark.fuzz

near = st.integers(-250, 250).map(lambda bps: USD + USD * bps // 20_000)
prices = st.one_of(near, near, st.sampled_from([0, 1, USD // 2, 2 * USD, 2**128 - 1]))


class OracleMachine(RuleBasedStateMachine):
    """Five adapters: anyone publishes, breaks and repairs; the clock runs; anyone syncs.

    `code` is the oracle's creation code, if it is not the real one.
    """

    code = b""

    @initialize(count=st.integers(3, 5))
    def deploy(self, count: int) -> None:
        self.evm = Evm()
        governance = self.evm.account("governance")
        authority = self.evm.deploy("AccessAuthority", governance)
        codec = interface("PriceOracle")
        code = (self.code or codec.artifact.bytecode) + codec.constructor.encode((authority,))
        self.oracle = self.evm.at("PriceOracle", self.evm.create(code))
        self.asset = self.evm.deploy("TestToken", "Dollar", "USD", 6)
        self.adapters = [
            self.evm.deploy("AdapterDouble", self.evm.account(f"publisher {i}"), USD)
            for i in range(count)
        ]
        self.said = [USD] * count
        self.mode = [0] * count
        rules = (100, 50, 3_600, NOBODY, 0)
        self.oracle.setFeeds(self.asset, self.adapters, rules, sender=governance)
        self.model = Dispute(100, 50, 3_600)

    def heard(self) -> list[int]:
        return [s if m == 0 else 0 for s, m in zip(self.said, self.mode, strict=True)]

    @rule(index=st.integers(0, 4), price=prices)
    def publish(self, index: int, price: int) -> None:
        index %= len(self.adapters)
        self.adapters[index].setAnswer(price)
        self.said[index] = price

    @rule(index=st.integers(0, 4), mode=st.sampled_from(MODES))
    def break_or_repair(self, index: int, mode: int) -> None:
        index %= len(self.adapters)
        self.adapters[index].arm(mode)
        self.mode[index] = mode

    @rule()
    def all_agree(self) -> None:
        for index in range(len(self.adapters)):
            self.publish(index, USD)
            self.break_or_repair(index, 0)

    @rule(seconds=st.integers(0, 5_000))
    def wait(self, seconds: int) -> None:
        self.evm.mine(1, seconds=seconds)

    @rule()
    def sync(self) -> None:
        expected = self.model.sync(self.heard(), self.evm.timestamp)
        assert self.oracle.sync(self.asset, sender=self.evm.account("attacker")) == expected

    @invariant()
    def equals_the_model(self) -> None:
        """Property: O1, O2."""
        healthy, middle, spread = self.model.judged(self.heard())
        status = self.model.status(self.heard())
        assert tuple(self.oracle.status(self.asset)) == (status, middle, spread, healthy)
        for call, needed in ((self.oracle.price, 2), (self.oracle.indicativePrice, 1)):
            try:
                assert call(self.asset) == middle
                assert status >= needed
            except Revert as error:
                assert status < needed
                assert error.name == ("PriceUnavailable" if healthy < 2 else "PriceInDispute")


TestOracle = OracleMachine.TestCase
TestOracle.settings = settings(
    max_examples=RUNS,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
