"""The pool's gas against the committed snapshot: a figure that grew fails until somebody says why.

`python -m tests.bench.amm_gas > tests/gas/amm.json` writes it anew; commit that with the reason.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from tests.bench import amm_gas

SNAPSHOT = Path(__file__).with_name("amm.json")
# Hashes in calldata, balances and mapping keys differ in their zero bytes with every address.
TOLERANCE = 50


@cache
def measured() -> dict[str, int]:
    return amm_gas.measure()


@pytest.mark.parametrize("name", sorted(json.loads(SNAPSHOT.read_text())))
def test_gas__snapshot__has_not_grown(name: str) -> None:
    committed = json.loads(SNAPSHOT.read_text())[name]
    assert measured()[name] <= committed + TOLERANCE, f"{name} grew from {committed}"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("pool_swap_first_gas", "univ2_swap_gas"),
        ("pool_swap_next_gas", "univ2_swap_next_gas"),
        ("pool_swap_observation_gas", "univ2_swap_gas"),
        ("pool_swap_pull_gas", "univ2_router_swap_gas"),
        ("pool_swap_pull_gas", "univ3_router_swap_gas"),
        ("pool_swap_pull_gas", "univ4_router_swap_gas"),
        ("pool_mint_gas", "univ2_mint_gas"),
        ("pool_burn_gas", "univ2_burn_gas"),
    ],
)
def test_gas__beside_the_peer__is_less(ours: str, theirs: str) -> None:
    assert measured()[ours] < measured()[theirs]
