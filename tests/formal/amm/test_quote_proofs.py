"""Proves that a sale executes as it was quoted, to the wei (halmos), and refutes pools that lie.

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
OPEN_BLOCK = ("check_exact_in__open_block",)
ANY_CHECKPOINT = ("check_exact_in__first_of_block", "check_exact_in__next_block")
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
# Per statement, a pool that it must refute.
MUTANTS: dict[str, tuple[Change, ...]] = {
    "check_exact_in__open_block": (
        (
            "GuardedPool",
            "(amountOut, fee) = _amountOut(core, window, zeroForOne, amountIn);",
            "(amountOut, fee) = _amountOut(core, window, zeroForOne, amountIn - 1);",
        ),
    ),
    "check_exact_in__first_of_block": (
        ANY,
        (
            "PoolGuard",
            "        (window,) = _checkpointed(core, block.timestamp);\n",
            "        window = _window;\n",
        ),
    ),
}


def run(code: bytes, names: str) -> Mapping[str, Verdict]:
    changes = {PROOFS: [(PLACE, f'CODE = hex"{code.hex()}"')]}
    return prove(PROOFS, changes, (*OPTIONS, "--match-test", names), GROUP_SECONDS)


@cache
def shipped() -> Mapping[str, Verdict]:
    return run(build.artifact("GuardedPool").bytecode, "__open_block")


@cache
def with_any_checkpoint() -> Mapping[str, Verdict]:
    code = creation_code("GuardedPool", (ANY,))
    return run(code, "__(first_of|next)_block")


@pytest.mark.parametrize("statement", OPEN_BLOCK)
def test_pool_trade__block_is_open__executes_as_quoted(statement: str) -> None:
    """Property: P5."""
    assert shipped()[statement].proven


@pytest.mark.parametrize("statement", ANY_CHECKPOINT)
def test_pool_trade__any_checkpoint__executes_as_quoted(statement: str) -> None:
    """Property: P5."""
    assert with_any_checkpoint()[statement].proven


@pytest.mark.parametrize("statement", MUTANTS)
def test_pool_trade__quote_lies__refuted(statement: str) -> None:
    """Control: P5."""
    code = creation_code("GuardedPool", MUTANTS[statement])
    assert run(code, statement.removeprefix("check_"))[statement].refuted
