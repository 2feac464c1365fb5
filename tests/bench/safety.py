"""Figures of the safety plane for `make bench`: what metering costs, and how fast the brake is.

Exits are whole transactions on the real router, starting cold; the freeze and the trip are real
transactions of real Safes on a local chain.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from offchain.chain.client import ChainClient
from tests.support.anvil import Anvil
from tests.support.brake import (
    MOST_GAS_FOR_TWENTY,
    build_brake,
    build_judged,
    freeze_all,
    lose_and_poke,
    register_all,
)
from tests.support.capital import DAY, build_world
from tests.support.evm import Evm
from tests.support.gate import State
from tests.support.griefing import REQUEST, STEP, Griefer, a_day
from tests.support.plane import LIMIT

UNIT = 10**6
OVERHEAD_GOAL = 8_000
# EIP-2929 and EIP-2200: an account and a slot that this transaction has not touched yet, a write.
EVM_OWN_PRICE = 2_600 + 2_100 + 2_900
WARM_ACCESSES = 200
# What refills the bucket by one honest exit.
REFILL = REQUEST * 2 * DAY // LIMIT


class Exit:
    """One holder's withdrawal from idle, by a router with the breaker or without one."""

    def __init__(self, metered: bool) -> None:
        self.world = world = build_world(Evm(), decimals=6, metered=metered)
        self.holder = holder = world.evm.account("investor")
        if metered:
            assert world.breaker is not None
            limit = (10**15, DAY, 10**12)
            world.breaker.setLimit(world.router, world.asset, *limit, sender=world.governance)
        world.deposit(holder, 10_000 * UNIT)
        # Past the first write of everything, and with a refill to work out.
        for _ in range(2):
            world.evm.mine(100)
            self.leave()
        world.evm.mine(100)

    def leave(self) -> None:
        self.world.router.withdraw(UNIT, self.holder, self.holder, sender=self.holder)

    def gas(self) -> int:
        """Of the whole transaction."""
        with self.world.evm.rollback(), self.world.evm.metered():
            self.leave()
            assert self.world.evm.last is not None
            return self.world.evm.last.gas_total

    def parts(self) -> dict[str, int]:
        """Gas inside the breaker, warm accesses taken out, by what it is spent on."""
        steps: list[Mapping[str, Any]] = []
        with self.world.evm.rollback(), self.world.evm.traces(steps.append):
            self.leave()
        calls = [n for n, step in enumerate(steps) if step["opName"] == "CALL"]
        # The first call of an exit is the report to the breaker; the second is the transfer.
        depth = steps[calls[0]]["depth"] + 1
        inside = [s for s in steps[calls[0] + 1 : calls[1]] if s["depth"] == depth]
        spent = {"dispatch": 0, "slot": 0, "bucket": 0}
        part = "dispatch"
        for step, following in pairwise(inside):
            part = {"CALLER": "slot", "SLOAD": "bucket"}.get(step["opName"], part)
            spent[part] += int(step["gas"], 16) - int(following["gas"], 16)
        spent["bucket"] -= WARM_ACCESSES
        return spent


def overhead() -> dict[str, int]:
    """A metered exit beside an unmetered one, and where the difference goes."""
    metered, plain = Exit(True), Exit(False)
    parts = metered.parts()
    found = {
        "exit_unmetered_gas": plain.gas(),
        "exit_metered_gas": metered.gas(),
    }
    total = found["exit_metered_gas"] - found["exit_unmetered_gas"]
    return found | {
        "breaker_overhead_gas": total,
        "breaker_overhead_gas_goal": OVERHEAD_GOAL,
        "breaker_overhead_evm_gas": EVM_OWN_PRICE,
        "breaker_overhead_dispatch_gas": parts["dispatch"],
        "breaker_overhead_slot_gas": parts["slot"],
        "breaker_overhead_bucket_gas": parts["bucket"],
        "breaker_overhead_caller_gas": total - EVM_OWN_PRICE - sum(parts.values()),
    }


def reaction() -> dict[str, int]:
    """Twenty targets frozen by one Safe transaction; blocks from a loss to the trip."""
    with Anvil() as chain:
        client = ChainClient(chain.web3)
        world = build_brake(chain, client)
        register_all(world)
        frozen = freeze_all(world)
        states = [client.call(t.functions.emergencyState()) for t in world.targets]
        judged = build_judged(world)
        loss, trip = lose_and_poke(chain, world, judged)
        tripped = client.call(judged.router.functions.emergencyState())
    return {
        "freeze_20_targets_gas": frozen["gasUsed"],
        "frozen_targets": states.count(State.FROZEN),
        "poke_gas": trip["gasUsed"],
        "poke_latency_blocks": trip["blockNumber"] - loss["blockNumber"],
        "poke_state": tripped,
    }


def griefing() -> dict[str, int]:
    """A day against the breaker: what others wait, in seconds, and what it costs him."""
    loans = a_day(Griefer(loan=10 * LIMIT))
    found = {"grief_loans_wait_seconds": loans.longest, "grief_trips": loans.trips}
    for times in (1, 10):
        felt = a_day(Griefer(capital=times * LIMIT, loan=10 * LIMIT))
        found |= {
            f"grief_{times}x_wait_seconds": felt.longest,
            f"grief_{times}x_outside_bps": felt.outside,
            f"grief_{times}x_transactions": felt.transactions,
        }
        found["grief_trips"] += felt.trips
    alone = a_day(Griefer(capital=10 * LIMIT), queued=False)
    return found | {"grief_10x_wait_unqueued_seconds": alone.longest}


def measure() -> dict[str, int]:
    """Every figure by name."""
    return overhead() | reaction() | griefing()


def promises(figures: Mapping[str, Any]) -> dict[str, bool]:
    """One transaction stops twenty targets, and a loss is answered in its own block."""
    return {
        "frozen_targets": figures["frozen_targets"] == 20,
        "freeze_20_targets_gas": figures["freeze_20_targets_gas"] < MOST_GAS_FOR_TWENTY,
        "poke_latency_blocks": figures["poke_latency_blocks"] == 0,
        "poke_state": figures["poke_state"] == State.FROZEN,
        "grief_trips": figures["grief_trips"] == 0,
        "grief_loans_wait_seconds": figures["grief_loans_wait_seconds"] == 0,
        "grief_10x_wait_seconds": figures["grief_10x_wait_seconds"] <= REFILL + STEP,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
