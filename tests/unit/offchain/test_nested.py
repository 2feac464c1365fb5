"""JSON from outside: as the library reads it, and refused where it is too deep."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain import nested

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture
def high_recursion_limit() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield
    sys.setrecursionlimit(before)


@given(VALUES)
def test_loads__any_value__as_the_library_reads_it(value: object) -> None:
    text = json.dumps(value)
    assert nested.loads(text, deepest=len(text)) == json.loads(text)


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
@pytest.mark.usefixtures("high_recursion_limit")
def test_loads__deep_and_a_high_limit__refused_and_no_crash(opening: str) -> None:
    with pytest.raises(ValueError, match="nested more than 32 deep"):
        nested.loads(opening * 200_000)


def test_loads__exactly_as_deep_as_allowed__read() -> None:
    text = "[" * 3 + "]" * 3
    assert nested.loads(text, deepest=3) == [[[]]]
    with pytest.raises(ValueError, match="nested more than 2 deep"):
        nested.loads(text, deepest=2)


def test_loads__brackets_inside_text__do_not_count() -> None:
    value = {"a": "[" * 100, "b": '\\"[[' * 20}
    assert nested.loads(json.dumps(value)) == value
