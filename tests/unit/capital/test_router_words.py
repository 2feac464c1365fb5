"""The router's packed words and its exit arithmetic, called directly."""

from __future__ import annotations

import pytest

from tests.support.capital import FROZEN, MAX_112, MAX_128, NORMAL, THROTTLED
from tests.support.evm import Contract, Evm, reverts

MAX_RATE = 2**104 - 1
LOCK, POLICY, QUEUE, CAP, REVIEW = 1, 2, 4, 8, 16


@pytest.fixture
def probe(evm: Evm) -> Contract:
    return evm.deploy("SlotProbe")


def slot(debt: int, rate: int, end: int) -> int:
    """Debt, shares that unlock in a second, and when the last one does."""
    return debt << 144 | rate << 40 | end


# ---- debt and what is locked


def test_debt__largest__fits_and_one_more_does_not(probe: Contract) -> None:
    word = slot(5, 7, 9)
    assert probe.withDebt(word, MAX_112) == slot(MAX_112, 7, 9)
    assert probe.debt(slot(MAX_112, MAX_RATE, 2**40 - 1)) == MAX_112
    with reverts("OutOfBounds", MAX_112 + 1, MAX_112):
        probe.withDebt(word, MAX_112 + 1)


def test_locked__until_the_end__is_rate_times_what_is_left(evm: Evm, probe: Contract) -> None:
    now = evm.timestamp
    assert probe.locked(slot(MAX_112, 3, now + 10)) == 30
    assert probe.locked(slot(MAX_112, 3, now + 1)) == 3
    assert probe.locked(slot(MAX_112, 3, now)) == 0
    assert probe.locked(slot(MAX_112, 3, now - 1)) == 0
    assert probe.locked(slot(0, MAX_RATE, now + 2)) == 2 * MAX_RATE


def test_lock_more__nothing_to_nothing__leaves_the_word(evm: Evm, probe: Contract) -> None:
    word = slot(5, 7, evm.timestamp - 1)
    assert probe.lockMore(word, 0, 10, MAX_128) == word


def test_lock_more__first__is_spread_over_the_time(evm: Evm, probe: Contract) -> None:
    word = slot(5, 7, evm.timestamp - 1)
    assert probe.lockMore(word, 39, 10, MAX_128) == slot(5, 3, evm.timestamp + 10)


def test_lock_more__a_single_share__is_locked(evm: Evm, probe: Contract) -> None:
    assert probe.lockMore(slot(5, 0, 0), 1, 1, MAX_128) == slot(5, 1, evm.timestamp + 1)


def test_lock_more__beside_others__end_is_their_weighted_mean(evm: Evm, probe: Contract) -> None:
    """Thirty for ten seconds and seventy for a hundred: a hundred for seventy-three."""
    now = evm.timestamp
    word = probe.lockMore(slot(5, 3, now + 10), 70, 100, MAX_128)
    assert word == slot(5, 100 // 73, now + 73)


def test_lock_more__beside_a_single_share__it_keeps_its_weight(evm: Evm, probe: Contract) -> None:
    now = evm.timestamp
    assert probe.lockMore(slot(5, 1, now + 1), 10, 1, MAX_128) == slot(5, 11, now + 1)


def test_lock_more__beyond_the_most__locks_the_most(evm: Evm, probe: Contract) -> None:
    now = evm.timestamp
    assert probe.lockMore(slot(5, 0, 0), 40, 10, 39) == slot(5, 3, now + 10)
    assert probe.lockMore(slot(5, 0, 0), 40, 10, 40) == slot(5, 4, now + 10)


def test_lock_more__in_no_time__is_free_at_once(evm: Evm, probe: Contract) -> None:
    assert probe.lockMore(slot(5, 0, 0), 40, 0, MAX_128) == slot(5, 0, evm.timestamp)


def test_lock_more__faster_than_its_bits__is_cut_to_them(evm: Evm, probe: Contract) -> None:
    now = evm.timestamp
    assert probe.lockMore(slot(5, 0, 0), MAX_RATE, 1, MAX_128) == slot(5, MAX_RATE, now + 1)
    assert probe.lockMore(slot(5, 0, 0), MAX_RATE + 1, 1, MAX_128) == slot(5, MAX_RATE, now + 1)


def test_burn_locked__nothing_locked__leaves_the_word(evm: Evm, probe: Contract) -> None:
    word = slot(5, 7, evm.timestamp)
    assert probe.burnLocked(word, 3) == word


def test_burn_locked__a_part__rest_unlocks_by_the_same_end(evm: Evm, probe: Contract) -> None:
    end = evm.timestamp + 10
    assert probe.burnLocked(slot(5, 3, end), 9) == slot(5, 2, end)
    assert probe.burnLocked(slot(5, 3, end), 30) == slot(5, 0, end)
    assert probe.burnLocked(slot(5, 3, end), 31) == slot(5, 0, end)


def test_burn_locked__the_single_share__goes(evm: Evm, probe: Contract) -> None:
    end = evm.timestamp + 1
    assert probe.burnLocked(slot(5, 1, end), 1) == slot(5, 0, end)
    assert probe.burnLocked(slot(5, 1, end), 0) == slot(5, 1, end)


# ---- the hot word


def test_hot__largest_amounts__fit_and_one_more_does_not(probe: Contract) -> None:
    full = probe.withAmounts(FROZEN << 8 | REVIEW | LOCK, MAX_128, MAX_112)
    assert full == MAX_128 << 128 | MAX_112 << 16 | FROZEN << 8 | REVIEW | LOCK
    assert (probe.supply(full), probe.idle(full), probe.state(full)) == (MAX_128, MAX_112, FROZEN)
    with reverts("OutOfBounds", MAX_128 + 1, MAX_128):
        probe.withAmounts(0, MAX_128 + 1, 0)
    with reverts("OutOfBounds", MAX_112 + 1, MAX_112):
        probe.withAmounts(0, 0, MAX_112 + 1)


def test_hot__amounts__replace_what_was_there(probe: Contract) -> None:
    before = probe.withAmounts(THROTTLED << 8 | QUEUE, MAX_128, MAX_112)
    assert probe.withAmounts(before, 3, 4) == 3 << 128 | 4 << 16 | THROTTLED << 8 | QUEUE


def test_hot__state__replaces_only_the_state(probe: Contract) -> None:
    full = 3 << 128 | 4 << 16 | FROZEN << 8 | 0xFF
    assert probe.withState(full, NORMAL) == 3 << 128 | 4 << 16 | 0xFF
    assert probe.withState(full, THROTTLED) == 3 << 128 | 4 << 16 | THROTTLED << 8 | 0xFF
    assert probe.state(full) == FROZEN


def test_hot__flags__come_and_go_alone(probe: Contract) -> None:
    word = 3 << 128 | 4 << 16 | THROTTLED << 8 | POLICY
    both = probe.withFlag(word, CAP, True)
    assert both == word | CAP
    assert probe.withFlag(both, CAP, True) == both
    assert probe.withFlag(both, POLICY, False) == word - POLICY | CAP
    assert probe.withFlag(word, CAP, False) == word
    assert [probe.has(both, flag) for flag in (LOCK, POLICY, QUEUE, CAP)] == [False, True] * 2
    assert probe.has(both, CAP | REVIEW)
    assert not probe.has(both, LOCK | REVIEW)


# ---- what an exit gets


def test_exit_math__loss__net_down_and_the_gross_of_each_net(probe: Contract) -> None:
    """Ten owed, three left."""
    assert [probe.netDown(10, 3, gross) for gross in range(11)] == [
        *(0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3),
    ]
    assert [probe.grossUp(10, 3, net) for net in range(4)] == [0, 4, 7, 10]
    assert [probe.grossMax(10, 3, net) for net in range(4)] == [3, 6, 9, 13]


def test_exit_math__gain_or_par__net_is_gross(probe: Contract) -> None:
    for worth in (10, 11):
        for ask in (probe.netDown, probe.grossUp, probe.grossMax):
            assert [ask(10, worth, amount) for amount in (0, 1, 9, 10)] == [0, 1, 9, 10]


def test_exit_math__nothing_owed_and_nothing_there__net_is_gross(probe: Contract) -> None:
    for ask in (probe.netDown, probe.grossUp, probe.grossMax):
        assert ask(0, 0, 0) == 0
