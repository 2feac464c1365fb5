"""The oracle's adapters, to the unit: bounds of their parameters, and of what they pass on."""

from __future__ import annotations

from tests.support.evm import Contract, Evm, reverts
from tests.unit.safety.conftest import USD

HOUR = 3_600
MAX_64, MAX_128 = 2**64 - 1, 2**128 - 1
TOO_LARGE = 5


def aggregator(
    evm: Evm, decimals: int = 8, age: int = HOUR, low: int = 0, high: int = MAX_128
) -> Contract:
    feed = evm.deploy("FeedDouble", "X", decimals, 7 * 10**decimals)
    return evm.deploy("AggregatorV3Adapter", feed, age, low, high, "X")


def test_aggregator__decimals_around_a_wad__scale_both_ways(evm: Evm) -> None:
    for decimals in (17, 18, 19):
        assert aggregator(evm, decimals).read() == 7 * USD


def test_aggregator__most_decimals__accepted_and_one_more_refused(evm: Evm) -> None:
    assert aggregator(evm, 36).read() == 7 * USD
    with reverts("BadSource"):
        aggregator(evm, 37)


def test_aggregator__shortest_age__accepted_and_none_refused(evm: Evm) -> None:
    assert aggregator(evm, age=1).maxAge() == 1
    with reverts("BadSource"):
        aggregator(evm, age=0)


def test_aggregator__narrowest_and_widest_bounds__accepted_and_one_beyond_refused(
    evm: Evm,
) -> None:
    assert aggregator(evm, low=0, high=1).maxAnswer() == 1
    with reverts("BadSource"):
        aggregator(evm, low=1, high=1)
    assert aggregator(evm, high=MAX_128).maxAnswer() == MAX_128
    with reverts("BadSource"):
        aggregator(evm, high=MAX_128 + 1)


def rate(
    evm: Evm,
    assets_per_share: int,
    answer: int = USD,
    asset_decimals: int = 18,
    share_decimals: int = 18,
    growth: int = 0,
    fall: int = 0,
) -> tuple[Contract, Contract, Contract]:
    """The adapter, its vault and its base."""
    asset = evm.deploy("TestToken", "Dollar", "USD", asset_decimals)
    vault = evm.deploy("RateVaultDouble", asset, share_decimals, assets_per_share)
    base = evm.deploy("AdapterDouble", evm.account("publisher"), answer)
    adapter = evm.deploy("Erc4626RateAdapter", vault, base, growth, fall, "X")
    return adapter, vault, base


def test_rate__base_price_one_too_large__refused_though_the_product_fits(evm: Evm) -> None:
    """Property: O1. A share of half an asset would bring it below the bound again."""
    adapter, _, base = rate(evm, USD // 2, MAX_128)
    assert adapter.read() == MAX_128 // 2
    base.arm(TOO_LARGE)
    assert base.read() == MAX_128 + 1
    assert adapter.read() == 0


def test_rate__least_anchor__accepted_and_nothing_refused(evm: Evm) -> None:
    assert rate(evm, 1)[0].anchorRateWad() == 1
    with reverts("BadSource"):
        rate(evm, 0)


def test_rate__largest_anchor__accepted_and_one_more_refused(evm: Evm) -> None:
    assert rate(evm, MAX_64 * USD)[0].anchorRateWad() == MAX_64 * USD
    with reverts("BadSource"):
        rate(evm, MAX_64 * USD + 1)


def test_rate__most_decimals_of_either__accepted_and_one_more_refused(evm: Evm) -> None:
    assert rate(evm, 10**36, asset_decimals=36, share_decimals=36)[0].read() == USD
    with reverts("BadSource"):
        rate(evm, 10**36, asset_decimals=37, share_decimals=36)
    with reverts("BadSource"):
        rate(evm, 10**36, asset_decimals=36, share_decimals=37)


def test_rate__most_growth_and_fall__accepted_and_one_more_refused(evm: Evm) -> None:
    adapter = rate(evm, USD, growth=100_000, fall=9_999)[0]
    assert (adapter.maxYearlyGrowthBps(), adapter.maxFallBps()) == (100_000, 9_999)
    with reverts("BadSource"):
        rate(evm, USD, growth=100_001)
    with reverts("BadSource"):
        rate(evm, USD, fall=10_000)


def test_rate__vault_answers_the_largest_and_one_more__only_the_first_counts(evm: Evm) -> None:
    """With 36 decimals a rate of 2^128 - 1 is a small one, far below the corridor's top."""
    adapter, vault, _ = rate(evm, MAX_128, asset_decimals=36, growth=100_000)
    evm.mine(1, seconds=365 * 86_400)
    assert adapter.read() == MAX_128 // 10**18
    vault.setRate(MAX_128 + 1)
    assert adapter.corridor()[1] > MAX_128 // 10**18
    assert adapter.read() == 0


def test_rate__largest_rate__counts(evm: Evm) -> None:
    """Two years at ten times the anchor a year make room for it."""
    adapter, vault, _ = rate(evm, MAX_64 * USD, growth=100_000)
    evm.mine(1, seconds=2 * 365 * 86_400)
    vault.setRate(MAX_128)
    assert adapter.read() == MAX_128


def twap(
    evm: Evm, price: int, answer: int, token: int = 0, period: int = HOUR
) -> tuple[Contract, Contract]:
    """The adapter of a pool of two tokens with 18 decimals, and its quote."""
    tokens = [evm.deploy("TestToken", f"T{i}", f"T{i}", 18) for i in range(2)]
    pool = evm.deploy("TwapPoolDouble", tokens[0], tokens[1], price)
    quote = evm.deploy("AdapterDouble", evm.account("publisher"), answer)
    return evm.deploy("PoolTwapAdapter", pool, tokens[token], quote, period, "X"), quote


def test_twap__shortest_period__accepted_and_a_second_less_refused(evm: Evm) -> None:
    assert twap(evm, 1 << 128, USD, period=300)[0].period() == 300
    with reverts("BadSource"):
        twap(evm, 1 << 128, USD, period=299)


def test_twap__quote_one_too_large__refused_though_the_product_fits(evm: Evm) -> None:
    """Property: O1. Half a quote token each."""
    adapter, quote = twap(evm, 1 << 127, MAX_128)
    assert adapter.read() == MAX_128 // 2
    quote.arm(TOO_LARGE)
    assert adapter.read() == 0


def test_twap__least_quote_and_least_pool_price__both_count(evm: Evm) -> None:
    """One is a price; only zero is none."""
    assert twap(evm, 1 << 128, 1)[0].read() == 1
    assert twap(evm, 1 << 128, 1, token=1)[0].read() == 1
    assert twap(evm, 1, MAX_128)[0].read() == 0
    adapter, _ = twap(evm, 1, 1, token=1)
    assert adapter.read() == 0, "2^128 does not fit"


def test_twap__largest_price__passed_on_and_twice_as_much_refused(evm: Evm) -> None:
    assert twap(evm, 1 << 128, MAX_128)[0].read() == MAX_128
    assert twap(evm, 1 << 129, MAX_128)[0].read() == 0


def test_twap__least_pool_price__counts_where_decimals_make_something_of_it(evm: Evm) -> None:
    tokens = [evm.deploy("TestToken", "T", "T", decimals) for decimals in (36, 0)]
    pool = evm.deploy("TwapPoolDouble", tokens[0], tokens[1], 1)
    quote = evm.deploy("AdapterDouble", evm.account("publisher"), 1 << 127)
    adapter = evm.deploy("PoolTwapAdapter", pool, tokens[0], quote, HOUR, "X")
    assert adapter.read() == 10**36 // 2


def test_twap__price_of_the_second_token__rounds_down_once(evm: Evm) -> None:
    assert twap(evm, (1 << 128) + 1, USD, token=1)[0].read() == USD - 1


def test_twap__quotient_is_just_two_to_the_256__refused_and_not_reverted(evm: Evm) -> None:
    """Property: O1. The high word of the product equals the divisor."""
    tokens = [evm.deploy("TestToken", "T", "T", decimals) for decimals in (18, 0)]
    answer = 1 << 127
    price = -(-(1 << 384) // (answer * USD))
    assert price * answer * USD >> 256 == 1 << 128
    pool = evm.deploy("TwapPoolDouble", tokens[0], tokens[1], price)
    quote = evm.deploy("AdapterDouble", evm.account("publisher"), answer)
    assert evm.deploy("PoolTwapAdapter", pool, tokens[0], quote, HOUR, "X").read() == 0


def test_adapters__description__is_what_was_given(evm: Evm) -> None:
    assert aggregator(evm).description() == "X"
    assert rate(evm, USD)[0].description() == "X"
    assert twap(evm, 1 << 128, USD)[0].description() == "X"
