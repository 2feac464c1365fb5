"""BoundedCall, alone: what goes out, what comes back, and how much of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from tests.support.evm import Address, Contract, Evm

# CALLDATASIZE PUSH0 PUSH0 CALLDATACOPY CALLDATASIZE PUSH0 RETURN, and the same with REVERT.
ECHO = bytes.fromhex("365f5f37365ff3")
REFUSAL = ECHO[:-1] + b"\xfd"
# GAS PUSH0 MSTORE PUSH1 32 PUSH0 RETURN: what is left when GAS, which takes 2, is done.
TELLS_GAS = bytes.fromhex("5a5f5260205ff3")
# PUSH1 42 PUSH0 SSTORE
WRITES = bytes.fromhex("602a5f55")
CAP = 100_000
TEXT = bytes(range(1, 101))
OTHER = bytes(range(101, 201))


@cache
def library() -> Contract:
    return Evm().deploy("CommonLibraries", "Name", "1")


@pytest.fixture
def target() -> Address:
    return library()._evm.account("target")


def both() -> tuple[Callable[..., Any], Callable[..., Any]]:
    return library().tryCalls, library().tryStaticCalls


def test_try__target_echoes__each_call_has_its_own_answer(target: Address) -> None:
    library()._evm.etch(target, ECHO)
    for ask in both():
        first, second = ask(target, CAP, TEXT, OTHER, 1_000)
        assert (first.success, bytes(first.result)) == (True, TEXT)
        assert (second.success, bytes(second.result)) == (True, OTHER)


def test_try__answer_as_long_as_allowed__is_kept_and_one_byte_more_is_cut(
    target: Address,
) -> None:
    library()._evm.etch(target, ECHO)
    for ask in both():
        for most in (0, 1, 31, 32, 33, 64, 99, 100, 101):
            first, second = ask(target, CAP, TEXT, OTHER, most)
            assert bytes(first.result) == TEXT[:most]
            assert bytes(second.result) == OTHER[:most]


def test_try__answer__takes_whole_words_and_one_for_its_length(target: Address) -> None:
    library()._evm.etch(target, ECHO)
    for ask in both():
        for size, words in ((0, 1), (1, 2), (31, 2), (32, 2), (33, 3), (64, 3), (65, 4)):
            first, second = ask(target, CAP, TEXT[:size], OTHER[:size], 1_000)
            assert (first.taken, second.taken) == (32 * words, 32 * words)
            assert (bytes(first.result), bytes(second.result)) == (TEXT[:size], OTHER[:size])


def test_try__target_refuses__reason_comes_back_cut_alike(target: Address) -> None:
    library()._evm.etch(target, REFUSAL)
    for ask in both():
        first, second = ask(target, CAP, TEXT, b"", 40)
        assert (first.success, bytes(first.result)) == (False, TEXT[:40])
        assert (second.success, bytes(second.result)) == (False, b"")


def test_try__gas__is_what_was_allowed(target: Address) -> None:
    library()._evm.etch(target, TELLS_GAS)
    for ask in both():
        for cap in (1_000, CAP):
            first, _ = ask(target, cap, b"", b"", 32)
            assert int.from_bytes(bytes(first.result), "big") == cap - 2


def test_try_call__target_writes__it_stands(target: Address) -> None:
    evm = library()._evm
    evm.etch(target, WRITES)
    with evm.rollback():
        first, second = library().tryCalls(target, CAP, b"", b"", 32)
        assert first.success and second.success
        assert evm.storage(target, 0) == 42


def test_try_static_call__target_writes__fails(target: Address) -> None:
    library()._evm.etch(target, WRITES)
    first, second = library().tryStaticCalls(target, CAP, b"", b"", 32)
    assert not first.success and not second.success
