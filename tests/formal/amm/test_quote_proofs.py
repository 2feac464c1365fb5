"""Proves that trades execute as they were quoted, to the wei (halmos); refutes pools that lie.

In a block that somebody has opened, the statements are about the bytecode that ships. A trade that
opens its block, and a quote for the next one, run the checkpoint twice, in too many ways for a
solver to take both apart: there the pool is compiled with *any* function of the same inputs in the
checkpoint's place (a hash, which halmos leaves uninterpreted). What is proven for every checkpoint
holds for ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import pytest

from tests.support import build
from tests.support.halmos import prove
from tests.support.pool_code import Change, creation_code
from tests.support.verdict import Verdict

# The first test of a group waits for the whole group.
GROUP_SECONDS = 1_800
pytestmark = pytest.mark.timeout(GROUP_SECONDS)

PROOFS = "tests/formal/amm/QuoteProofs.sol"
PLACE = 'CODE = hex"00"'
OPTIONS = ("--solver-timeout-assertion", "120s", "--solver-threads", "1")
TRADES = ("exact_in", "exact_in_prepaid", "exact_out", "exact_out_prepaid")
OPEN_BLOCK = tuple(f"check_{trade}__open_block" for trade in TRADES)
ANY_CHECKPOINT = (
    *(f"check_{trade}__first_of_block" for trade in TRADES),
    "check_exact_in__next_block",
    "check_exact_out__next_block",
)
INPUTS = "abi.encode(core, window, oracle, timestamp, settings, "
ANY: Change = (
    "PoolState",
    "        uint256 code = PriceFloat.encodeDown(reserve1(core), reserve0(core));\n"
    "        uint256 fee;\n",
    f"        if (settings != 0) return (uint256(keccak256({INPUTS}1))),"
    f" uint256(keccak256({INPUTS}2))));\n"
    "        uint256 code = PriceFloat.encodeDown(reserve1(core), reserve0(core));\n"
    "        uint256 fee;\n",
)
# Every statement about an open block must refute the first pool, every other one the second.
FAULTY_TRADES: tuple[Change, ...] = (
    (
        "GuardedPool",
        "(amountOut, fee) = _amountOut(core, window, zeroForOne, amountIn);",
        "(amountOut, fee) = _amountOut(core, window, zeroForOne, amountIn - 1);",
    ),
    (
        "GuardedPool",
        "(amountIn, fee) = _amountIn(core, window, zeroForOne, amountOut);",
        "(amountIn, fee) = _amountIn(core, window, zeroForOne, amountOut - 1);",
    ),
)
STALE_QUOTES: tuple[Change, ...] = (
    ANY,
    (
        "PoolGuard",
        "        (window,) = _checkpointed(core, block.timestamp);\n",
        "        window = _window;\n",
    ),
)


def run(code: bytes, names: str) -> Mapping[str, Verdict]:
    changes = {PROOFS: [(PLACE, f'CODE = hex"{code.hex()}"')]}
    return prove(PROOFS, changes, (*OPTIONS, "--match-test", names), GROUP_SECONDS)


@cache
def open_block(changes: tuple[Change, ...] = ()) -> Mapping[str, Verdict]:
    shipped = build.artifact("GuardedPool").bytecode
    return run(creation_code("GuardedPool", changes) if changes else shipped, "__open_block")


@cache
def any_checkpoint(changes: tuple[Change, ...] = (ANY,)) -> Mapping[str, Verdict]:
    return run(creation_code("GuardedPool", changes), "__(first_of|next)_block")


@pytest.mark.parametrize("statement", OPEN_BLOCK)
def test_pool_trade__block_is_open__executes_as_quoted(statement: str) -> None:
    """Property: P5."""
    assert open_block()[statement].proven


@pytest.mark.parametrize("statement", ANY_CHECKPOINT)
def test_pool_trade__any_checkpoint__executes_as_quoted(statement: str) -> None:
    """Property: P5."""
    assert any_checkpoint()[statement].proven


@pytest.mark.parametrize("statement", OPEN_BLOCK)
def test_pool_trade__trades_for_one_unit_less__refuted(statement: str) -> None:
    """Control: P5."""
    assert open_block(FAULTY_TRADES)[statement].refuted


@pytest.mark.parametrize("statement", ANY_CHECKPOINT)
def test_pool_trade__quotes_from_a_stale_window__refuted(statement: str) -> None:
    """Control: P5."""
    assert any_checkpoint(STALE_QUOTES)[statement].refuted
