"""PriceOracle: quorum, median, disputes with memory, sanity bound, sequencer."""

from __future__ import annotations

from itertools import product
from statistics import median as plain_median

import pytest

from tests.support.evm import Contract, Evm, Revert, reverts
from tests.unit.safety.conftest import USD, Plane, rules

UNAVAILABLE, DISPUTED, OK = range(3)
HOUR = 3_600
NOBODY = "0x" + "00" * 20


def answer(plane: Plane, *prices: int) -> None:
    for adapter, price in zip(plane.adapters, prices, strict=True):
        adapter.setAnswer(price)


def status(plane: Plane) -> tuple[int, int, int, int]:
    return tuple(plane.oracle.status(plane.asset))


# -------------------------------------------------------------------- quorum


def test_price__three_agree__is_their_median(plane: Plane) -> None:
    answer(plane, USD + 2, USD, USD + 1)
    assert plane.oracle.price(plane.asset) == USD + 1
    assert plane.oracle.indicativePrice(plane.asset) == USD + 1
    assert status(plane) == (OK, USD + 1, 1, 3)
    assert plane.oracle.answers(plane.asset) == (USD + 2, USD, USD + 1)


def test_price__two_agree__is_their_mean(plane: Plane) -> None:
    answer(plane, USD, 0, USD + 3)
    assert plane.oracle.price(plane.asset) == USD + 1


def test_price__one_answers__reverts_everywhere(plane: Plane) -> None:
    """Property: O1."""
    answer(plane, USD, 0, 0)
    with reverts("PriceUnavailable", plane.asset.address, 1):
        plane.oracle.price(plane.asset)
    with reverts("PriceUnavailable", plane.asset.address, 1):
        plane.oracle.indicativePrice(plane.asset)
    with reverts("PriceUnavailable"):
        plane.oracle.convertDown(plane.asset, plane.asset, 1)
    assert status(plane) == (UNAVAILABLE, 0, 0, 1)


def test_price__unknown_asset__reverts(plane: Plane) -> None:
    for call in (plane.oracle.price, plane.oracle.indicativePrice, plane.oracle.status):
        with reverts("UnknownAsset"):
            call(plane.attacker)
    with reverts("UnknownAsset"):
        plane.oracle.sync(plane.attacker)


@pytest.mark.parametrize("mode", [1, 2, 3, 5])
def test_price__adapter_breaks_its_promises__does_not_count(plane: Plane, mode: int) -> None:
    """Property: O1. Revert, burnt gas, short answer, absurd answer."""
    plane.adapters[1].arm(mode)
    assert status(plane) == (OK, USD, 0, 2)
    plane.adapters[2].arm(mode)
    with reverts("PriceUnavailable"):
        plane.oracle.price(plane.asset, gas=2_000_000)


def test_price__adapter_answers_a_bomb__costs_no_more_than_its_allowance(plane: Plane) -> None:
    plane.adapters[1].arm(4)
    assert status(plane)[3] == 2
    assert plane.oracle.price(plane.asset, gas=1_300_000) == USD


def test_indicative_price__gas_starved__never_chooses_who_is_heard(plane: Plane) -> None:
    """Without the last feed, starved, the median would be another: the caller's own choice."""
    answer(plane, USD, 3 * USD, 2 * USD)
    refused = 0
    for gas in range(30_000, 700_000, 5_000):
        try:
            assert plane.oracle.indicativePrice(plane.asset, gas=gas) == 2 * USD
        except Revert as error:
            assert error.name == "InsufficientGas" or error.halt
            refused += 1
    assert 0 < refused < 134


# --------------------------------------------------------------------- median


@pytest.mark.parametrize("honest", [(100, 100), (995, 1_000), (1, 2**120)])
@pytest.mark.parametrize("liar", [1, 99, 998, 2**127])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_indicative_price__one_liar_of_three__stays_in_the_honest_range(
    plane: Plane, honest: tuple[int, int], liar: int, place: int
) -> None:
    """Property: O2."""
    said = list(honest)
    said.insert(place, liar)
    answer(plane, *said)
    assert min(honest) <= plane.oracle.indicativePrice(plane.asset) <= max(honest)


def test_median_library__all_small_lists__equals_the_plain_one(evm: Evm) -> None:
    library = evm.deploy("SafetyLibraries")
    for size in (2, 3, 4, 5):
        for values in product((1, 2, 3, 7), repeat=size):
            found, spread = library.median(list(values))
            assert found == int(plain_median(values))
            distance = (max(values) - min(values)) * 10_000
            assert spread == -(-distance // found)


# ------------------------------------------------------------------- disputes


def test_price__spread_at_the_limit__is_ok(plane: Plane) -> None:
    answer(plane, USD, USD, USD + USD // 100)
    assert status(plane)[:3] == (OK, USD, 100)


def test_price__spread_beyond_the_limit__refuses_but_indicates(plane: Plane) -> None:
    """Property: O2"""
    answer(plane, USD, USD, USD + USD // 100 + 1)
    with reverts("PriceInDispute", plane.asset.address, 101):
        plane.oracle.price(plane.asset)
    assert plane.oracle.indicativePrice(plane.asset) == USD
    assert status(plane)[0] == DISPUTED


def test_price__live_dispute_that_nobody_recorded__ends_with_it(plane: Plane) -> None:
    answer(plane, USD, USD, 2 * USD)
    answer(plane, USD, USD, USD)
    assert plane.oracle.price(plane.asset) == USD


def test_sync__dispute__is_remembered_until_calm_for_long_enough(plane: Plane) -> None:
    """Property: O2"""
    answer(plane, USD, USD, 2 * USD)
    assert plane.oracle.sync(plane.asset, sender=plane.attacker) == DISPUTED
    event = plane.evm.last.logs[0]  # type: ignore[union-attr]
    assert event.name == "PriceDisputed"
    answer(plane, USD, USD, USD)
    with reverts("PriceInDispute"):
        plane.oracle.price(plane.asset)
    assert plane.oracle.sync(plane.asset) == DISPUTED
    assert plane.oracle.disputeOf(plane.asset) == (True, plane.evm.timestamp)
    plane.evm.mine(1, seconds=HOUR - 1)
    assert plane.oracle.sync(plane.asset) == DISPUTED
    plane.evm.mine(1, seconds=1)
    assert plane.oracle.sync(plane.asset) == OK
    assert plane.evm.last.logs[0].name == "PriceSettled"  # type: ignore[union-attr]
    assert plane.oracle.price(plane.asset) == USD


def test_sync__spread_between_the_two_limits__is_not_calm(plane: Plane) -> None:
    """Property: O2. The hysteresis: what does not open a dispute does not end one either."""
    answer(plane, USD, USD, 2 * USD)
    plane.oracle.sync(plane.asset)
    answer(plane, USD, USD, USD)
    plane.oracle.sync(plane.asset)
    answer(plane, USD, USD, USD + USD // 150)
    plane.evm.mine(1, seconds=HOUR)
    assert plane.oracle.sync(plane.asset) == DISPUTED
    assert plane.oracle.disputeOf(plane.asset) == (True, 0)
    answer(plane, USD, USD, USD)
    plane.oracle.sync(plane.asset)
    plane.evm.mine(1, seconds=HOUR)
    assert plane.oracle.sync(plane.asset) == OK


def test_sync__quorum_lost__needs_calm_afterwards(plane: Plane) -> None:
    """Property: O1"""
    answer(plane, USD, 0, 0)
    assert plane.oracle.sync(plane.asset) == UNAVAILABLE
    answer(plane, USD, USD, USD)
    with reverts("PriceInDispute"):
        plane.oracle.price(plane.asset)
    assert plane.oracle.indicativePrice(plane.asset) == USD


def test_sync__all_agree__records_nothing(plane: Plane) -> None:
    assert plane.oracle.sync(plane.asset) == OK
    assert plane.oracle.disputeOf(plane.asset) == (False, 0)


# --------------------------------------------------------------- sanity bound


@pytest.fixture
def bounded(plane: Plane) -> Contract:
    """A sanity adapter with 3 %."""
    adapter = plane.evm.deploy("AdapterDouble", plane.evm.account("pool"), USD)
    plane.oracle.setFeeds(
        plane.asset,
        plane.adapters,
        rules(sanity=adapter, deviation=300),
        sender=plane.governance,
    )
    return adapter


def test_sanity_bound__median_far_off__is_a_dispute_only(plane: Plane, bounded: Contract) -> None:
    bounded.setAnswer(USD * 100 // 103 + 1)
    assert status(plane)[0] == OK
    bounded.setAnswer(USD * 100 // 104)
    assert status(plane)[:2] == (DISPUTED, USD)
    with reverts("PriceInDispute"):
        plane.oracle.price(plane.asset)
    assert plane.oracle.indicativePrice(plane.asset) == USD


def test_set_feeds__sanity_adapter_among_the_feeds__reverts(plane: Plane) -> None:
    with reverts("DuplicateSource"):
        plane.oracle.setFeeds(
            plane.asset,
            plane.adapters,
            rules(sanity=plane.adapters[1], deviation=300),
            sender=plane.governance,
        )


def test_sanity_bound__never_counts_towards_the_quorum(plane: Plane, bounded: Contract) -> None:
    answer(plane, USD, 0, 0)
    assert bounded.read() == USD
    assert status(plane) == (UNAVAILABLE, 0, 0, 1)


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_sanity_bound__does_not_answer__bounds_nothing(
    plane: Plane, bounded: Contract, mode: int
) -> None:
    bounded.arm(mode)
    assert status(plane)[0] == OK


# ------------------------------------------------------------------ sequencer


@pytest.fixture
def uptime(plane: Plane) -> Contract:
    feed = plane.evm.deploy("FeedDouble", "L2 uptime", 0, 0)
    plane.oracle.setSequencerFeed(feed, HOUR, sender=plane.governance)
    plane.evm.mine(1, seconds=HOUR + 1)
    return feed


@pytest.mark.usefixtures("uptime")
def test_sequencer__up_for_long__allows_new_risk(plane: Plane) -> None:
    assert plane.oracle.sequencerReady()
    assert plane.oracle.price(plane.asset) == USD


def test_sequencer__down_or_just_back__limits_new_risk_only(plane: Plane, uptime: Contract) -> None:
    """Properties: O1, R9"""
    uptime.setRound(1, plane.evm.timestamp)
    plane.evm.mine(1, seconds=2 * HOUR)
    for _ in range(2):
        with reverts("SequencerNotReady"):
            plane.oracle.price(plane.asset)
        assert plane.oracle.indicativePrice(plane.asset) == USD
        assert status(plane)[:2] == (DISPUTED, USD)
        uptime.setRound(0, plane.evm.timestamp)
        plane.evm.mine(1, seconds=HOUR)
    plane.evm.mine(1, seconds=1)
    assert plane.oracle.price(plane.asset) == USD


@pytest.mark.parametrize("mode", [3, 4, 5, 6])
def test_sequencer__feed_does_not_answer__is_no_proof_of_uptime(
    plane: Plane, uptime: Contract, mode: int
) -> None:
    """Property: O1"""
    uptime.setMode(mode)
    assert not plane.oracle.sequencerReady()
    assert plane.oracle.indicativePrice(plane.asset) == USD


@pytest.mark.parametrize("since", [0, 10**10])
def test_sequencer__start_unwritten_or_in_the_future__is_not_ready(
    plane: Plane, uptime: Contract, since: int
) -> None:
    uptime.setRound(0, since)
    assert not plane.oracle.sequencerReady()


def test_sequencer__down__does_not_open_a_dispute(plane: Plane, uptime: Contract) -> None:
    uptime.setRound(1, plane.evm.timestamp)
    assert plane.oracle.sync(plane.asset) == DISPUTED
    assert plane.oracle.disputeOf(plane.asset) == (False, 0)


# -------------------------------------------------------------------- convert


@pytest.mark.parametrize("decimals", [0, 6, 8, 18, 24])
def test_convert_down__any_decimals__rounds_down(plane: Plane, decimals: int) -> None:
    quote = plane.evm.deploy("TestToken", "Ether", "ETH", decimals)
    more = [
        plane.evm.deploy("AdapterDouble", plane.evm.account(f"ether {i}"), 3_333 * USD)
        for i in range(3)
    ]
    plane.oracle.setFeeds(quote, more, rules(), sender=plane.governance)
    for amount in (0, 1, 10**6, 123_456_789_012, 10**18):
        assert plane.oracle.convertDown(plane.asset, quote, amount) == (
            amount * USD * 10**decimals // (3_333 * USD * 10**6)
        )
        assert plane.oracle.convertDown(quote, plane.asset, amount) == (
            amount * 3_333 * USD * 10**6 // (USD * 10**decimals)
        )


# ----------------------------------------------------------------- governance


def test_set_feeds__fewer_than_three__reverts(plane: Plane) -> None:
    with reverts("TooFewFeeds", 2):
        plane.oracle.setFeeds(plane.asset, plane.adapters[:2], rules(), sender=plane.governance)


def test_set_feeds__more_than_nine__reverts(plane: Plane) -> None:
    with reverts("TooManyFeeds", 10):
        plane.oracle.setFeeds(
            plane.asset, [plane.adapters[0]] * 10, rules(), sender=plane.governance
        )


def test_set_feeds__two_adapters_of_one_source__reverts(plane: Plane) -> None:
    source = plane.adapters[0].source()
    twin = plane.evm.deploy("AdapterDouble", source, USD)
    with reverts("DuplicateSource", source):
        plane.oracle.setFeeds(
            plane.asset, [*plane.adapters[:2], twin], rules(), sender=plane.governance
        )


@pytest.mark.parametrize(
    "bad",
    [
        rules(max_spread=0),
        rules(max_spread=2_001),
        rules(recover=101),
        rules(settle=7 * 86_400 + 1),
        rules(sanity="0x" + "11" * 20, deviation=0),
        rules(sanity="0x" + "11" * 20, deviation=5_001),
    ],
)
def test_set_feeds__rules_out_of_bounds__reverts(plane: Plane, bad: tuple[object, ...]) -> None:
    with reverts("RulesOutOfBounds"):
        plane.oracle.setFeeds(plane.asset, plane.adapters, bad, sender=plane.governance)


def test_set_feeds__again__reports_old_and_new_and_forgets_the_dispute(plane: Plane) -> None:
    answer(plane, USD, USD, 2 * USD)
    plane.oracle.sync(plane.asset)
    answer(plane, USD, USD, USD)
    plane.oracle.setFeeds(
        plane.asset, plane.adapters[::-1], rules(max_spread=200), sender=plane.governance
    )
    event = plane.evm.last.logs[0]  # type: ignore[union-attr]
    assert event.name == "FeedsSet"
    old = [a.address.lower() for a in plane.adapters]
    assert [a.lower() for a in event.args["previousAdapters"]] == old
    assert [a.lower() for a in event.args["adapters"]] == old[::-1]
    assert plane.oracle.rulesOf(plane.asset)[0] == 200
    assert plane.oracle.price(plane.asset) == USD


def test_governed_functions__anyone_else__is_refused(plane: Plane) -> None:
    for role in (plane.attacker, plane.guardian, plane.keeper):
        with reverts("AccessManagedUnauthorized"):
            plane.oracle.setFeeds(plane.asset, plane.adapters, rules(), sender=role)
        with reverts("AccessManagedUnauthorized"):
            plane.oracle.setSequencerFeed(NOBODY, 0, sender=role)
