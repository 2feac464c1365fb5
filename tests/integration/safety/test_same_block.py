"""How soon the brake acts on a chain: a loss and the trip in one block."""

from __future__ import annotations

import pytest

from tests.support.anvil import Anvil
from tests.support.brake import BrakeWorld, build_judged, lose_and_poke
from tests.support.gate import State

pytestmark = pytest.mark.peers
FACT_DRAWDOWN = 1


def test_poke__in_the_block_of_the_loss__freezes_in_that_block(chain: Anvil, world: BrakeWorld):
    """Property: S3. A stranger's transaction, right behind the one that loses the money."""
    judged = build_judged(world)
    state = judged.router.functions.emergencyState()
    before = chain.web3.eth.block_number
    assert world.client.call(state, block=before) == State.NORMAL
    loss, trip = lose_and_poke(chain, world, judged)
    assert (loss["blockNumber"], trip["blockNumber"]) == (before + 1, before + 1)
    assert (loss["transactionIndex"], trip["transactionIndex"]) == (0, 1)
    assert world.client.call(state, block=before + 1) == State.FROZEN
    (tripped,) = world.client.events(trip, judged.breaker, "Tripped")
    assert (tripped["by"], tripped["fact"]) == (world.stranger.address, FACT_DRAWDOWN)
    # Who ran to the exit behind the trip comes too late.
    assert world.client.call(judged.router.functions.maxRedeem(world.executor.address)) == 0
