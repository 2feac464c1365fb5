"""The oracle's sanity bound on the real pool: what whoever moves the pool can do to a price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.integration.safety.failures import ACTIONS
from tests.support.evm import Contract, Evm, reverts
from tests.support.plane import FEED_MAX, FEED_MIN, FEED_UNIT, MAX_AGE, MAX_SPREAD_BPS, UNIT, Suite
from tests.support.plane import build_suite as plain_suite

USD = 10**18
PERIOD = 1_800
DEVIATION_BPS = 500
BLOCK = 12
# What the adapter gives the pool.
POOL_GAS = 170_000
OK, DISPUTED = 2, 1
# Two precisions meet: the mean's whole ticks, and the odd fee of a first trade.
CLOSE = USD // 1_000


@dataclass(frozen=True)
class Bound:
    """The suite, its pool with a memory of an hour, and the adapter as the oracle's bound."""

    suite: Suite
    adapter: Contract

    def hold(self, minutes: int) -> None:
        """Time with the pool as it is, and the checkpoints that keepers or trades leave."""
        for _ in range(minutes):
            self.suite.evm.mine(5, 60)
            self.suite.pool.checkpoint()

    def push(self) -> int:
        """The attacker takes the pool to about a quarter of its price; what he got for it."""
        return self.suite.swap(1_000_000 * UNIT)

    def status(self) -> int:
        return int(self.suite.oracle.status(self.suite.asset)[0])


@pytest.fixture(scope="module")
def deployed() -> Bound:
    suite = plain_suite(Evm())
    evm, oracle = suite.evm, suite.oracle
    feed = evm.deploy("FeedDouble", "the pool's other token", 8, FEED_UNIT)
    feed.setMode(1)
    quote = evm.deploy("AggregatorV3Adapter", feed, MAX_AGE, FEED_MIN, FEED_MAX, "other")
    adapter = evm.deploy("PoolTwapAdapter", suite.pool, suite.asset, quote, PERIOD, "pool")
    suite.pool.increaseObservationCardinality(128)
    rules = (MAX_SPREAD_BPS, MAX_SPREAD_BPS // 2, MAX_AGE, adapter, DEVIATION_BPS)
    suite.govern(oracle, "setFeeds", suite.asset, oracle.feedsOf(suite.asset), rules)
    bound = Bound(suite, adapter)
    bound.hold(60)
    return bound


@pytest.fixture
def bound(deployed: Bound) -> Iterator[Bound]:
    with deployed.suite.evm.rollback():
        yield deployed


def test_read__calm_pool__is_its_truncated_mean_in_usd(bound):
    _, truncated = bound.suite.pool.twap(PERIOD)
    assert bound.adapter.read() == truncated * USD * UNIT // (2**128 * 10**18)
    assert abs(bound.adapter.read() - USD) < CLOSE
    assert bound.status() == OK


def test_read__long_memory__needs_a_third_of_its_allowance(bound):
    """A bound that ran out of gas would silently bound nothing. Slots are warm here; from cold,
    the longest ring there can be takes some twenty of them, 2 000 gas each, more."""
    assert bound.suite.pool.oracleState()[5] > 60
    bound.suite.pool.twap(PERIOD, gas=POOL_GAS // 3)


def test_manipulation__within_a_block__moves_no_answer(bound):
    """Property: P6. With or without the way back, as a flash loan would."""
    bound.suite.evm.mine(1, BLOCK)
    before = bound.adapter.read()
    out = bound.push()
    assert bound.adapter.read() == before
    bound.suite.swap(out, zero_for_one=False)
    assert bound.adapter.read() == before
    assert bound.status() == OK


def test_manipulation__held_for_one_block__moves_the_bound_by_the_clamp_only(bound):
    before = bound.adapter.read()
    bound.push()
    bound.suite.evm.mine(1, BLOCK)
    bound.suite.pool.checkpoint()
    plain, truncated = bound.suite.pool.twap(PERIOD)
    assert plain < truncated
    assert before - bound.adapter.read() < USD // 10_000
    assert bound.status() == OK


def test_manipulation__held_for_minutes__can_only_stop_new_risk(bound):
    """Property: O2. The median never follows; at most there is no price for new risk."""
    suite = bound.suite
    bound.push()
    minutes = 0
    while bound.status() == OK:
        assert suite.oracle.price(suite.asset) == USD, "the feeds' median, or none at all"
        bound.hold(1)
        minutes += 1
    assert minutes > 1, "one block of control is not enough"
    assert bound.status() == DISPUTED
    with reverts("PriceInDispute"):
        suite.oracle.price(suite.asset)
    assert suite.oracle.indicativePrice(suite.asset) == USD
    suite.watch()
    for action in ("deposit", "instant exit", "queued exit", "exit in kind", "burn"):
        with suite.evm.rollback():
            ACTIONS[action](suite)


def test_manipulation__over__price_returns_after_the_settling_time(bound):
    suite = bound.suite
    out = bound.push()
    bound.hold(PERIOD // 60)
    suite.watch()
    assert bound.status() == DISPUTED
    suite.swap(out, zero_for_one=False)
    bound.hold(2 * PERIOD // 60)
    suite.watch()
    assert bound.status() == DISPUTED, "a look alone does not end a dispute"
    bound.hold(MAX_AGE // 60)
    suite.watch()
    assert bound.status() == OK


def test_feeds__far_from_the_pool__are_a_dispute_whatever_their_number(bound):
    """The bound's use: three publishers that are wrong together find the pool against them."""
    suite = bound.suite
    for feed in suite.feeds:
        feed.setRound(FEED_UNIT * 94 // 100, suite.evm.timestamp)
    assert bound.status() == DISPUTED
    with reverts("PriceInDispute"):
        suite.oracle.price(suite.asset)
