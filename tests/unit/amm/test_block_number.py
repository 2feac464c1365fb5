"""The pool counts blocks as its chain does: by ArbSys on Arbitrum, by block.number elsewhere."""

from __future__ import annotations

from tests.support.amm import PoolWorld
from tests.support.evm import Evm

ARB_SYS = "0x0000000000000000000000000000000000000064"
UNIT = 10**18


def assert_counts_by_arb_sys(chain_id: int) -> None:
    """The chain's own number, though block.number stands still."""
    evm = Evm(chain_id=chain_id)
    evm.etch(ARB_SYS, "ArbSysDouble")
    arb_sys = evm.at("ArbSysDouble", ARB_SYS)
    arb_sys.setBlockNumber(400_000_000)
    world = PoolWorld(evm)
    pool, trader = world.pool, evm.account("trader")
    assert pool.blockNumber() == 400_000_000 != evm.block_number
    world.sell(trader, 100_000 * UNIT)
    guard = tuple(pool.guardPrices())
    arb_sys.setBlockNumber(400_000_001)
    assert tuple(pool.guardPrices()) != guard, "the next block has a new opening"
    assert pool.maturesAt(world.whale) == 400_000_002


def test_block_number__arbitrum_one__comes_from_arb_sys() -> None:
    """Property: P6 (blocks of the chain itself)."""
    assert_counts_by_arb_sys(42_161)


def test_block_number__arbitrum_nova__comes_from_arb_sys() -> None:
    """Property: P6 (blocks of the chain itself)."""
    assert_counts_by_arb_sys(42_170)


def test_block_number__arbitrum_sepolia__comes_from_arb_sys() -> None:
    """Property: P6 (blocks of the chain itself)."""
    assert_counts_by_arb_sys(421_614)


def test_block_number__elsewhere__is_the_evms(evm: Evm) -> None:
    assert PoolWorld(evm).pool.blockNumber() == evm.block_number
