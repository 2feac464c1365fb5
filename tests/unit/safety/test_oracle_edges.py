"""PriceOracle and its adapters at their edges: bounds, starved reads, prices that fit no word."""

from __future__ import annotations

import pytest

from tests.support.evm import Contract, Evm, Revert, reverts
from tests.unit.safety.conftest import USD, Plane, rules

NOBODY = "0x" + "00" * 20
HOUR = 3_600
MAX_SETTLE_TIME = 7 * 86_400
BELOW_2_128 = (1 << 128) - 1
# Enough to start an adapter, far too little for its source.
STARVED = 60_000


def outcomes(adapter: Contract, most: int, step: int = 2_500) -> set[object]:
    """What an adapter answers under any amount of gas; None if the call itself ran out."""
    found: set[object] = set()
    for gas in range(STARVED, most, step):
        try:
            found.add(int(adapter.read(gas=gas)))
        except Revert as error:
            assert error.halt, f"reverted with {gas} gas: {error}"
            found.add(None)
    return found


def test_feeds_of__set_feeds__are_listed_and_announced(plane: Plane) -> None:
    addresses = tuple(adapter.address for adapter in plane.adapters)
    assert plane.oracle.feedsOf(plane.asset) == addresses
    before = plane.oracle.rulesOf(plane.asset)
    plane.oracle.setFeeds(
        plane.asset, plane.adapters, rules(max_spread=200), sender=plane.governance
    )
    (event,) = plane.evm.events("FeedsSet")
    assert tuple(event.args.values())[1:] == (
        addresses,
        addresses,
        before,
        (200, 50, HOUR, NOBODY, 0),
    )


@pytest.mark.parametrize(("decimals", "accepted"), [(36, True), (37, False)])
def test_set_feeds__decimals_of_the_asset__bounded(
    plane: Plane, decimals: int, accepted: bool
) -> None:
    token = plane.evm.deploy("ShyToken")
    token.setDecimals(decimals)
    if accepted:
        plane.oracle.setFeeds(token, plane.adapters, rules(), sender=plane.governance)
        assert plane.oracle.price(token) == USD
        return
    with reverts("RulesOutOfBounds"):
        plane.oracle.setFeeds(token, plane.adapters, rules(), sender=plane.governance)


@pytest.mark.parametrize(
    ("grace", "accepted"), [(MAX_SETTLE_TIME, True), (MAX_SETTLE_TIME + 1, False)]
)
def test_set_sequencer_feed__grace__bounded(plane: Plane, grace: int, accepted: bool) -> None:
    feed = plane.evm.deploy("FeedDouble", "up", 0, 0)
    if not accepted:
        with reverts("RulesOutOfBounds"):
            plane.oracle.setSequencerFeed(feed, grace, sender=plane.governance)
        return
    plane.oracle.setSequencerFeed(feed, grace, sender=plane.governance)
    (event,) = plane.evm.events("SequencerFeedSet")
    assert tuple(event.args.values()) == (NOBODY, feed.address, 0, grace)


@pytest.mark.parametrize(("bound", "agrees"), [(90, False), (95, True), (105, True), (112, False)])
def test_price__median_on_either_side_of_the_sanity_bound__compared(
    plane: Plane, bound: int, agrees: bool
) -> None:
    sanity = plane.evm.deploy("AdapterDouble", plane.keeper, bound * USD // 100)
    checked = rules(sanity=sanity, deviation=1_000)
    plane.oracle.setFeeds(plane.asset, plane.adapters, checked, sender=plane.governance)
    if agrees:
        assert plane.oracle.price(plane.asset) == USD
        return
    with reverts("PriceInDispute"):
        plane.oracle.price(plane.asset)


def test_aggregator__scaled_beyond_a_word__is_refused(evm: Evm) -> None:
    """Property: O1."""
    feed = evm.deploy("FeedDouble", "X", 0, BELOW_2_128 // USD)
    adapter = evm.deploy("AggregatorV3Adapter", feed, HOUR, 0, BELOW_2_128, "X")
    assert adapter.read() == BELOW_2_128 // USD * USD
    feed.setRound(BELOW_2_128 // USD + 1, evm.timestamp)
    assert adapter.read() == 0


def rate_adapter(
    evm: Evm, answer: int, growth: int = 100_000
) -> tuple[Contract, Contract, Contract]:
    """A vault with a rate of one, a base that says `answer`, and the adapter of both."""
    asset = evm.deploy("TestToken", "Dollar", "USD", 6)
    vault = evm.deploy("RateVaultDouble", asset, 6, 10**6)
    base = evm.deploy("AdapterDouble", evm.account("publisher"), answer)
    adapter = evm.deploy("Erc4626RateAdapter", vault, base, growth, 9_999, "X")
    return adapter, vault, base


def test_rate__any_gas__the_price_or_nothing(evm: Evm) -> None:
    """Property: O1. A starved read must not turn into another price."""
    adapter, _, _ = rate_adapter(evm, USD)
    assert outcomes(adapter, 700_000) <= {0, USD, None}
    assert {0, USD} <= outcomes(adapter, 700_000)


def test_rate__product_beyond_a_word__is_refused(evm: Evm) -> None:
    """Property: O1."""
    adapter, vault, base = rate_adapter(evm, BELOW_2_128)
    assert adapter.read() == BELOW_2_128
    evm.mine(1, seconds=365 * 86_400)
    vault.setRate(10**6 + 1)
    assert adapter.read() == 0
    base.setAnswer(BELOW_2_128 // 2)
    assert adapter.read() == (10**6 + 1) * 10**12 * (BELOW_2_128 // 2) // USD


def test_twap__any_gas__the_price_or_nothing(evm: Evm) -> None:
    """Property: O1."""
    tokens = [evm.deploy("TestToken", f"T{i}", f"T{i}", 18) for i in range(2)]
    pool = evm.deploy("TwapPoolDouble", tokens[0], tokens[1], 1 << 128)
    quote = evm.deploy("AdapterDouble", evm.account("publisher"), USD)
    adapter = evm.deploy("PoolTwapAdapter", pool, tokens[0], quote, 1_800, "X")
    assert {0, USD} <= outcomes(adapter, 700_000) <= {0, USD, None}


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(("decimals", "accepted"), [(36, True), (37, False)])
def test_twap__decimals_of_either_token__bounded(
    evm: Evm, side: int, decimals: int, accepted: bool
) -> None:
    tokens = [evm.deploy("ShyToken") for _ in range(2)]
    tokens[side].setDecimals(decimals)
    pool = evm.deploy("TwapPoolDouble", tokens[0], tokens[1], 1 << 128)
    quote = evm.deploy("AdapterDouble", evm.account("publisher"), USD)
    if accepted:
        adapter = evm.deploy("PoolTwapAdapter", pool, tokens[0], quote, 1_800, "X")
        assert adapter.token() == tokens[0].address
        return
    with reverts("BadSource", pool.address):
        evm.deploy("PoolTwapAdapter", pool, tokens[0], quote, 1_800, "X")


def test_price__governance_is_a_contract__may_set_feeds(plane: Plane) -> None:
    relay = plane.evm.deploy("Relay")
    data = plane.oracle.calldata("setFeeds", plane.asset, plane.adapters, rules())
    with reverts("AccessManagedUnauthorized"):
        relay.forward(plane.oracle, data, sender=plane.governance)
    plane.authority.grantRole(0, relay, 0, sender=plane.governance)
    relay.forward(plane.oracle, data, sender=plane.attacker)


@pytest.mark.parametrize(("waited", "ready"), [(HOUR - 1, False), (HOUR, False), (HOUR + 1, True)])
def test_sequencer__back_up__ready_only_after_the_grace(
    plane: Plane, waited: int, ready: bool
) -> None:
    feed = plane.evm.deploy("FeedDouble", "up", 0, 0)
    feed.setRound(0, plane.evm.timestamp)
    plane.oracle.setSequencerFeed(feed, HOUR, sender=plane.governance)
    plane.evm.mine(1, seconds=waited)
    assert plane.oracle.sequencerReady() is ready
