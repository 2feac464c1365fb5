"""What a checkpoint folds in, alone: the guard's window, the fee, the oracle's sums."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

from tests.models.guarded_pool import TICK, VOLATILITY_MAX, Price
from tests.support.evm import Contract, Evm

NOW = 1_700_000_000
CODE, PAIR = 2**60 - 1, 2**120 - 1
TIME, SUM = 2**40 - 1, 2**56 - 1


@cache
def math() -> Contract:
    return Evm().deploy("PoolMath")


def pair(lo: int, hi: int) -> int:
    return lo | hi << 60


# ------------------------------------------------------------------------- window

LO, HI = 100 << 52, 120 << 52
PREVIOUS = pair(90 << 52 | 7, 130 << 52 | 9)


def folded(code: int, last: int, epoch: int) -> tuple[int, int, int, int, int]:
    """loCur, hiCur, loPrev, hiPrev, fee after an opening."""
    window = pair(LO, HI) | PREVIOUS << 120 | 77 << 240
    word = int(math().foldWindow(window, code, last, epoch, 65_535))
    lo, hi, lo_before, hi_before = (word >> at & CODE for at in (0, 60, 120, 180))
    return lo, hi, lo_before, hi_before, word >> 240


def test_fold_window__same_epoch_opening_inside__pair_stays() -> None:
    assert folded(LO + 1, 9, 9) == (LO, HI, PREVIOUS & CODE, PREVIOUS >> 60, 65_535)
    assert folded(HI - 1, 9, 9) == (LO, HI, PREVIOUS & CODE, PREVIOUS >> 60, 65_535)


def test_fold_window__same_epoch_opening_below__low_falls() -> None:
    assert folded(LO - 1, 9, 9) == (LO - 1, HI, PREVIOUS & CODE, PREVIOUS >> 60, 65_535)


def test_fold_window__same_epoch_opening_above__high_is_the_next_float() -> None:
    assert folded(HI, 9, 9) == (LO, HI + 1, PREVIOUS & CODE, PREVIOUS >> 60, 65_535)


def test_fold_window__next_epoch__pair_becomes_the_previous() -> None:
    code = 110 << 52
    assert folded(code, 9, 10) == (code, code + 1, LO, HI, 65_535)


def test_fold_window__an_epoch_skipped__both_pairs_start_at_the_opening() -> None:
    code = 110 << 52
    assert folded(code, 9, 11) == (code, code + 1, code, code + 1, 65_535)
    assert folded(code, 0, 2) == (code, code + 1, code, code + 1, 65_535)


def test_initial__two_reserves__both_pairs_hold_the_price() -> None:
    r0, r1 = 3 * 10**18 + 1, 7 * 10**20
    code = Price.below(r1, r0).code
    window, oracle = map(int, math().initial(r1 << 112 | r0, NOW, 321))
    assert window == pair(code, code + 1) | pair(code, code + 1) << 120 | 321 << 240
    tick = Price.below(r1, r0).tick
    assert Oracle.of(oracle) == Oracle(NOW, 0, 0, tick, tick, 0, 0, 1)


# ------------------------------------------------------------------------- oracle


@dataclass(frozen=True)
class Oracle:
    """The third slot, field by field."""

    timestamp: int = NOW
    cumulative: int = -(10**9)
    truncated_cumulative: int = 10**9 + 7
    tick: int = 0
    truncated: int = 0
    volatility: int = 0
    index: int = 5
    cardinality: int = 9

    @property
    def word(self) -> int:
        return (
            self.timestamp
            | (self.cumulative & SUM) << 40
            | (self.truncated_cumulative & SUM) << 96
            | (self.tick & 0xFFFFFF) << 152
            | (self.truncated & 0xFFFFFF) << 176
            | self.volatility << 200
            | self.index << 224
            | self.cardinality << 240
        )

    @classmethod
    def of(cls, word: int) -> Oracle:
        def signed(at: int, bits: int) -> int:
            field = word >> at & (1 << bits) - 1
            return field - (1 << bits) if field >> bits - 1 else field

        return cls(
            word & TIME,
            signed(40, 56),
            signed(96, 56),
            signed(152, 24),
            signed(176, 24),
            word >> 200 & VOLATILITY_MAX,
            word >> 224 & 0xFFFF,
            word >> 240,
        )


@dataclass(frozen=True)
class Rules:
    """The settings that a fold reads."""

    min_fee: int = 0
    max_fee: int = 65_535
    volatility_factor: int = 0
    deviation_factor: int = 0
    truncation_rate: int = 0

    @property
    def word(self) -> int:
        # The window and the maturity, which it does not read, are not zero.
        return (
            12
            | self.min_fee << 32
            | self.max_fee << 48
            | self.volatility_factor << 64
            | self.deviation_factor << 96
            | self.truncation_rate << 128
            | 3 << 144
        )


FREE = Rules()


def fold(before: Oracle, tick: int, seconds: int, rules: Rules = FREE) -> tuple[Oracle, int]:
    """The oracle and the fee after an opening at `tick` so many seconds later."""
    word, fee = math().foldOracle(before.word, tick, before.timestamp + seconds, rules.word)
    return Oracle.of(int(word)), int(fee)


def test_fold_oracle__any_opening__keeps_the_ring_and_takes_the_time() -> None:
    after, _ = fold(Oracle(index=65_534, cardinality=65_535), 3, 17)
    assert (after.timestamp, after.index, after.cardinality) == (NOW + 17, 65_534, 65_535)
    assert after.tick == 3


def test_fold_oracle__time_stamp_runs_over__seconds_are_counted_across() -> None:
    before = Oracle(timestamp=TIME - 9)
    after, _ = fold(before, 4, 15)
    assert after.timestamp == 5
    assert after.cumulative == before.cumulative + 4 * 15


def test_fold_oracle__falling_price__sums_fall_by_tick_times_seconds() -> None:
    before = Oracle(truncated=-100)
    after, _ = fold(before, -(10**6), 7, Rules(truncation_rate=20))
    assert after.tick == -(10**6)
    assert after.truncated == -100 - 7 * 20
    assert after.cumulative == before.cumulative - 7 * 10**6
    assert after.truncated_cumulative == before.truncated_cumulative - 7 * 240


def test_fold_oracle__rising_price__sums_rise_by_tick_times_seconds() -> None:
    before = Oracle(truncated=-100)
    after, _ = fold(before, 10**6, 7, Rules(truncation_rate=20))
    assert after.truncated == -100 + 7 * 20
    assert after.cumulative == before.cumulative + 7 * 10**6
    assert after.truncated_cumulative == before.truncated_cumulative + 7 * 40


def test_fold_oracle__sums_run_over__wrap_in_their_fields() -> None:
    edge = 2**55 - 1
    before = Oracle(cumulative=edge, truncated_cumulative=-edge - 1, tick=1, truncated=-1)
    after, _ = fold(before, 1, 2, Rules(truncation_rate=9))
    assert after.cumulative == edge + 2 - 2**56
    assert after.truncated == 1
    assert after.truncated_cumulative == -edge - 1 + 2
    before = replace(before, truncated_cumulative=edge)
    assert fold(before, 1, 2, Rules(truncation_rate=9))[0].truncated_cumulative == edge + 2 - 2**56


def test_fold_oracle__truncated_twin__reaches_what_is_just_within_its_rate() -> None:
    rules = Rules(truncation_rate=20)
    for gap, reached in ((239, 239), (240, 240), (241, 240)):
        assert fold(Oracle(truncated=50), 50 + gap, 12, rules)[0].truncated == 50 + reached
        assert fold(Oracle(truncated=50), 50 - gap, 12, rules)[0].truncated == 50 - reached


def test_fold_oracle__no_second_passed__truncated_twin_stays() -> None:
    after, _ = fold(Oracle(truncated=50), 90, 0, Rules(truncation_rate=65_535))
    assert (after.tick, after.truncated, after.cumulative) == (90, 50, Oracle().cumulative)


def test_fold_oracle__volatility__fades_by_the_second_and_is_gone_after_the_period() -> None:
    before = Oracle(volatility=60_001)
    for seconds, left in ((0, 60_001), (1, 59_900), (300, 30_000), (599, 100), (600, 0), (601, 0)):
        assert fold(before, 0, seconds)[0].volatility == left


def test_fold_oracle__volatility__grows_by_the_way_from_the_last_opening() -> None:
    before = Oracle(tick=-40, volatility=600)
    assert fold(before, 60, 300)[0].volatility == 100 + 300
    assert fold(before, -140, 300)[0].volatility == 100 + 300
    assert fold(before, 60, 600)[0].volatility == 100


def test_fold_oracle__volatility_at_its_top__stays_there() -> None:
    before = Oracle(volatility=VOLATILITY_MAX - 5)
    assert fold(before, 4, 0)[0].volatility == VOLATILITY_MAX - 1
    for tick in (5, 6, 2_000_000):
        after, _ = fold(before, tick, 0)
        assert (after.volatility, after.index) == (VOLATILITY_MAX, 5)


def test_fold_oracle__fee__is_the_least_and_the_volatility_s_part_rounded_down() -> None:
    rules = Rules(min_fee=30, volatility_factor=5_000)
    for way, part in (
        (0, 0),
        (13, 0),
        (14, 1),
        (TICK - 1, 4_999),
        (TICK, 5_000),
        (TICK + 14, 5_001),
    ):
        assert fold(Oracle(), way, 600, rules)[1] == 30 + part


def test_fold_oracle__fee__counts_a_deviation_that_grows() -> None:
    """By its square; the product is rounded down, once."""
    rules = Rules(min_fee=30, deviation_factor=10**7)
    for deviation in (1_000, 1_500):
        part = 10**7 * deviation**2 >> 32
        assert part not in (0, 10**7 * (deviation + 1) ** 2 >> 32)
        for sign in (1, -1):
            after, fee = fold(Oracle(), sign * deviation, 12, rules)
            assert (fee, after.truncated) == (30 + part, 0)


def test_fold_oracle__fee__counts_a_deviation_only_while_it_grows() -> None:
    """The last opening was 1 000 from the truncated price."""
    rules = Rules(min_fee=30, deviation_factor=10**7)
    before = Oracle(tick=1_200, truncated=200)
    assert fold(before, 1_199, 12, rules)[1] == 30
    assert fold(before, 1_200, 12, rules)[1] == 30
    assert fold(before, 1_201, 12, rules)[1] == 30 + (10**7 * 1_001**2 >> 32)
    assert fold(before, -800, 12, rules)[1] == 30
    assert fold(before, -801, 12, rules)[1] == 30 + (10**7 * 1_001**2 >> 32)


def test_fold_oracle__both_parts__add_up() -> None:
    rules = Rules(min_fee=30, volatility_factor=10_000, deviation_factor=10**7)
    expected = 30 + (10_000 * 1_500 >> 16) + (10**7 * 1_500**2 >> 32)
    assert fold(Oracle(), 1_500, 12, rules)[1] == expected


def test_fold_oracle__fee_at_its_top__stays_there() -> None:
    rules = Rules(min_fee=30, max_fee=1_030, volatility_factor=1_000)
    assert fold(Oracle(), TICK - 1, 600, rules)[1] == 1_029
    assert fold(Oracle(), TICK, 600, rules)[1] == 1_030
    assert fold(Oracle(), 2 * TICK, 600, rules)[1] == 1_030
