"""The oracle's adapters: whatever their source does, a price they can stand for, or 0."""

from __future__ import annotations

from itertools import product

import pytest

from tests.support.evm import Contract, Evm, reverts
from tests.unit.safety.conftest import USD

HOUR = 3_600
YEAR = 365 * 86_400
MINIMUM, MAXIMUM = 10_000_000, 10**13
# What the oracle gives an adapter; no adapter may need more or, at its end, revert for it.
ADAPTER_GAS = 400_000


def read(adapter: Contract) -> int:
    return int(adapter.read(gas=21_000 + 500 + ADAPTER_GAS))


# --------------------------------------------------------------- AggregatorV3


@pytest.fixture
def feed(evm: Evm) -> Contract:
    return evm.deploy("FeedDouble", "ETH / USD", 8, 3_000 * 10**8)


@pytest.fixture
def aggregator(evm: Evm, feed: Contract) -> Contract:
    return evm.deploy(
        "AggregatorV3Adapter", feed, HOUR, MINIMUM, MAXIMUM, "ETH / USD, AggregatorV3, 3600 s"
    )


def test_aggregator__fresh_answer__is_scaled(aggregator: Contract, feed: Contract) -> None:
    assert read(aggregator) == 3_000 * USD
    assert aggregator.source() == feed.address
    assert aggregator.description() == "ETH / USD, AggregatorV3, 3600 s"


@pytest.mark.parametrize("decimals", [0, 6, 8, 18, 20, 36])
def test_aggregator__any_decimals__scales_to_wad(evm: Evm, decimals: int) -> None:
    feed = evm.deploy("FeedDouble", "X", decimals, 7 * 10**decimals)
    adapter = evm.deploy("AggregatorV3Adapter", feed, HOUR, 0, 2**128 - 1, "X")
    assert read(adapter) == 7 * USD


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        (-1, False),
        (-(2**255), False),
        (2**255 - 1, False),
        (0, False),
        (MINIMUM, False),
        (MINIMUM + 1, True),
        (MAXIMUM - 1, True),
        (MAXIMUM, False),
    ],
)
def test_aggregator__at_or_beyond_a_bound__is_refused(
    evm: Evm, aggregator: Contract, feed: Contract, answer: int, accepted: bool
) -> None:
    """Property: O1."""
    feed.setRound(answer, evm.timestamp)
    assert read(aggregator) == (answer * 10**10 if accepted else 0)


@pytest.mark.parametrize(
    ("age", "accepted"), [(0, True), (HOUR, True), (HOUR + 1, False), (-1, False), (None, False)]
)
def test_aggregator__old_or_future_answer__is_refused(
    evm: Evm, aggregator: Contract, feed: Contract, age: int | None, accepted: bool
) -> None:
    """Property: O1."""
    feed.setRound(3_000 * 10**8, 0 if age is None else evm.timestamp - age)
    assert read(aggregator) == (3_000 * USD if accepted else 0)


@pytest.mark.parametrize("mode", [3, 4, 5, 6])
def test_aggregator__source_fails__is_refused_within_the_allowance(
    aggregator: Contract, feed: Contract, mode: int
) -> None:
    feed.setMode(mode)
    assert read(aggregator) == 0


def test_aggregator__source_lost_its_code__is_refused(
    evm: Evm, aggregator: Contract, feed: Contract
) -> None:
    evm.etch(feed, b"")
    assert read(aggregator) == 0


def test_aggregator__too_little_gas__answers_zero(aggregator: Contract) -> None:
    assert aggregator.read(gas=60_000) == 0


@pytest.mark.parametrize(
    ("decimals", "age", "low", "high"),
    [(37, HOUR, 0, 1), (8, 0, 0, 1), (8, HOUR, 1, 1), (8, HOUR, 0, 2**128)],
)
def test_aggregator__senseless_parameters__cannot_be_deployed(
    evm: Evm, decimals: int, age: int, low: int, high: int
) -> None:
    feed = evm.deploy("FeedDouble", "X", decimals, 1)
    with reverts("BadSource"):
        evm.deploy("AggregatorV3Adapter", feed, age, low, high, "X")


# -------------------------------------------------------------------- ERC-4626


@pytest.fixture
def vault(evm: Evm) -> Contract:
    asset = evm.deploy("TestToken", "Dollar", "USD", 6)
    return evm.deploy("RateVaultDouble", asset, 18, 1_200_000)


@pytest.fixture
def base(evm: Evm) -> Contract:
    return evm.deploy("AdapterDouble", evm.account("publisher"), 2 * USD)


@pytest.fixture
def rate(evm: Evm, vault: Contract, base: Contract) -> Contract:
    """Corridor: 20 % growth a year, 5 % fall."""
    return evm.deploy("Erc4626RateAdapter", vault, base, 2_000, 500, "vault share")


def test_rate__inside_the_corridor__is_rate_times_price(rate: Contract, base: Contract) -> None:
    assert read(rate) == 12 * USD // 10 * 2
    assert rate.source() == base.source()


def test_rate__donation_inside_a_block__is_refused(vault: Contract, rate: Contract) -> None:
    vault.setRate(1_200_001)
    assert read(rate) == 0


def test_rate__growth__is_followed_up_to_its_bound(
    evm: Evm, vault: Contract, rate: Contract
) -> None:
    evm.mine(1, seconds=YEAR)
    vault.setRate(1_440_000)
    assert read(rate) == 144 * USD // 100 * 2
    vault.setRate(1_440_001)
    assert read(rate) == 0


def test_rate__fall__is_followed_down_to_its_bound(vault: Contract, rate: Contract) -> None:
    vault.setRate(1_140_000)
    assert read(rate) == 114 * USD // 100 * 2
    vault.setRate(1_139_999)
    assert read(rate) == 0


@pytest.mark.parametrize("mode", [1, 2, 3, 5])
def test_rate__base_fails__is_refused_within_the_allowance(
    rate: Contract, base: Contract, mode: int
) -> None:
    base.arm(mode)
    assert read(rate) == 0


def test_rate__vault_and_base_burn_gas__is_refused_within_the_allowance(
    rate: Contract, vault: Contract, base: Contract
) -> None:
    base.arm(2)
    assert read(rate) == 0
    vault.arm(2)
    assert read(rate) == 0


def test_rate__two_adapters_of_one_vault__may_serve_together(
    evm: Evm, vault: Contract, rate: Contract
) -> None:
    other = evm.deploy("AdapterDouble", evm.account("another publisher"), 2 * USD)
    twin = evm.deploy("Erc4626RateAdapter", vault, other, 2_000, 500, "vault share, other")
    assert twin.source() != rate.source()


def test_rate__grown_beyond_128_bits__is_refused(evm: Evm, vault: Contract, base: Contract) -> None:
    """Two years in which a rate near its largest anchor grew tenfold a year."""
    base.setAnswer(USD // 4)
    vault.setRate((2**64 - 1) * 10**6)
    adapter = evm.deploy("Erc4626RateAdapter", vault, base, 100_000, 500, "vault share")
    evm.mine(1, seconds=2 * YEAR)
    most = (2**128 - 1) * 10**6 // USD
    vault.setRate(most)
    assert read(adapter) == most * USD // 10**6 // 4
    vault.setRate(most + 1)
    assert (most + 1) * USD // 10**6 < adapter.corridor()[1]
    assert read(adapter) == 0


@pytest.mark.parametrize("parameters", [(100_001, 0, 10**6), (0, 10_000, 10**6), (0, 0, 0)])
def test_rate__senseless_parameters__cannot_be_deployed(
    evm: Evm, vault: Contract, base: Contract, parameters: tuple[int, int, int]
) -> None:
    growth, fall, value = parameters
    vault.setRate(value)
    with reverts("BadSource"):
        evm.deploy("Erc4626RateAdapter", vault, base, growth, fall, "X")


# ------------------------------------------------------------------- pool TWAP


@pytest.mark.parametrize("decimals", [(6, 18), (18, 6), (0, 24), (8, 8)])
@pytest.mark.parametrize("token_is_0", [True, False])
def test_twap__either_token__is_priced_by_the_truncated_mean(
    evm: Evm, decimals: tuple[int, int], token_is_0: bool
) -> None:
    token0 = evm.deploy("TestToken", "Zero", "T0", decimals[0])
    token1 = evm.deploy("TestToken", "One", "T1", decimals[1])
    # One whole token0 costs four whole token1.
    price = (4 * 10 ** decimals[1] << 128) // 10 ** decimals[0]
    pool = evm.deploy("TwapPoolDouble", token0, token1, price)
    quote = evm.deploy("AdapterDouble", evm.account("publisher"), 3 * USD)
    token = token0 if token_is_0 else token1
    adapter = evm.deploy("PoolTwapAdapter", pool, token, quote, HOUR, "pool")
    expected = 12 * USD if token_is_0 else 3 * USD // 4
    assert read(adapter) == pytest.approx(expected, rel=1e-15)


@pytest.fixture
def pool(evm: Evm) -> Contract:
    token0 = evm.deploy("TestToken", "Zero", "T0", 18)
    token1 = evm.deploy("TestToken", "One", "T1", 18)
    return evm.deploy("TwapPoolDouble", token0, token1, 1 << 128)


@pytest.fixture
def quote(evm: Evm) -> Contract:
    return evm.deploy("AdapterDouble", evm.account("publisher"), USD)


@pytest.mark.parametrize(("price", "quoted"), list(product((0, 1, 2**256 - 1), (1, 2**128 - 1))))
@pytest.mark.parametrize("token_is_0", [True, False])
def test_twap__extreme_price__never_reverts(
    pool: Contract, quote: Contract, price: int, quoted: int, token_is_0: bool
) -> None:
    evm = pool._evm
    pool.setPrice(price)
    quote.setAnswer(quoted)
    token = pool.token0() if token_is_0 else pool.token1()
    adapter = evm.deploy("PoolTwapAdapter", pool, token, quote, HOUR, "pool")
    assert 0 <= read(adapter) < 2**128


def test_twap__young_pool_or_dead_quote__is_refused(
    evm: Evm, pool: Contract, quote: Contract
) -> None:
    adapter = evm.deploy("PoolTwapAdapter", pool, pool.token0(), quote, HOUR, "pool")
    assert read(adapter) == USD
    pool.setYoung(True)
    assert read(adapter) == 0
    pool.setYoung(False)
    for mode in (1, 2, 3, 5):
        quote.arm(mode)
        assert read(adapter) == 0


def test_twap__foreign_token_or_short_period__cannot_be_deployed(
    evm: Evm, pool: Contract, quote: Contract
) -> None:
    with reverts("BadSource"):
        evm.deploy("PoolTwapAdapter", pool, quote, quote, HOUR, "pool")
    with reverts("BadSource"):
        evm.deploy("PoolTwapAdapter", pool, pool.token0(), quote, 299, "pool")
