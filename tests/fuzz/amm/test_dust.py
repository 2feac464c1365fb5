"""Long sequences of dust: hundreds of the smallest mints, burns and trades lift √k per share."""

from __future__ import annotations

import random

import pytest

from tests.conftest import FUZZ_RUNS
from tests.models.guarded_pool import Config
from tests.support.amm import FOREVER, PoolWorld
from tests.support.evm import Evm, Revert

pytestmark = pytest.mark.fuzz

STEPS = 150
MARKETS = [
    ((1_000, 1_003), (0, 0)),
    ((10**6, 10**6), (6, 6)),
    ((10**8, 3 * 10**18), (8, 18)),
    ((10**24, 7 * 10**9), (24, 6)),
    ((2**112 - 2**100, 2**111), (18, 18)),
]
MIXES = ["mints", "burns", "mints_and_burns", "trades", "all"]


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("market", range(len(MARKETS)))
@pytest.mark.parametrize("share_bps", [0, 1_000])
def test_dust__any_mix__value_per_share_never_falls(market: int, mix: str, share_bps: int) -> None:
    """Property: P2."""
    reserves, decimals = MARKETS[market]
    evm = Evm()
    config = Config(min_fee=0, max_fee=0)
    world = PoolWorld(evm, config, reserves, decimals, protocol_share_bps=share_bps)
    user, pool = evm.account("attacker"), world.pool
    pool.mint(*(min(r, 2**98) for r in reserves), 0, FOREVER, sender=user)
    world.mine(3)
    rng = random.Random(market * 31 + len(mix) + share_bps)
    done = 0
    for _ in range(STEPS * max(1, min(FUZZ_RUNS // 30, 4))):
        (r0, r1), supply = pool.getReserves(), pool.totalSupply()
        kind = rng.choice(MIXES[:2]) if mix == "mints_and_burns" else mix
        kind = rng.choice(["mints", "burns", "trades"]) if kind == "all" else kind
        dust = rng.randint(1, 3)
        try:
            if kind == "mints":
                ceiling = [r * dust // supply + 2 for r in (r0, r1)]
                pool.mint(*ceiling, 0, FOREVER, sender=user)
            elif kind == "burns":
                pool.burn(dust, 0, 0, user, FOREVER, sender=user)
            else:
                side = rng.random() < 0.5
                one = r0 // r1 if side else r1 // r0
                world.sell(user, dust * (one + 1), side)
        except Revert:
            world.mine()
            continue
        done += 1
        (n0, n1), now = pool.getReserves(), pool.totalSupply()
        accrued = sum(e.args["shares"] for e in evm.events("ProtocolSharesAccrued"))
        assert n0 * n1 * (supply + accrued) ** 2 >= r0 * r1 * now**2, f"{kind} lowered the value"
        if kind != "trades":
            world.mine(2)
    assert done >= 100, "the mix did too little"
