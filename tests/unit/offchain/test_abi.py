"""The codec of plain words against the general one, which everybody else uses."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given
from hypothesis import strategies as st

from offchain.abi import AbiError, TupleCodec, checksum

WORDS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "address": st.binary(min_size=20, max_size=20).map(lambda b: checksum(f"0x{b.hex()}")),
    "uint8": st.integers(0, 2**8 - 1),
    "uint112": st.integers(0, 2**112 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "int24": st.integers(-(2**23), 2**23 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
}


def codec(*kinds: str) -> TupleCodec:
    return TupleCodec([{"type": kind} for kind in kinds])


@given(st.lists(st.sampled_from(sorted(WORDS)), min_size=1, max_size=5), st.data())
def test_encode__words__as_the_general_codec(kinds: list[str], data: st.DataObject) -> None:
    values = tuple(data.draw(WORDS[kind]) for kind in kinds)
    encoded = codec(*kinds).encode(values)
    assert encoded == encode(kinds, values)
    assert codec(*kinds).decode(encoded) == values
    assert codec(*kinds).decode(encoded + b"rest") == values


@given(st.sampled_from(sorted(WORDS)), st.binary(max_size=40))
def test_decode__any_bytes__as_the_general_codec(kind: str, data: bytes) -> None:
    data = data.rjust(32, b"\x00") if len(data) > 30 else data
    try:
        (expected,) = decode([kind], data)
    except DecodingError:
        with pytest.raises(AbiError):
            codec(kind).decode(data)
        return
    (found,) = codec(kind).decode(data)
    assert found == (checksum(expected) if kind == "address" else expected)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8", 256),
        ("uint256", -1),
        ("uint256", True),
        ("uint256", 1.0),
        ("uint256", "1"),
        ("int24", 2**23),
        ("bool", 1),
        ("address", "0x1234"),
        ("address", None),
    ],
)
def test_encode__value_that_does_not_fit__refused(kind: str, value: object) -> None:
    with pytest.raises(AbiError):
        codec(kind).encode((value,))
