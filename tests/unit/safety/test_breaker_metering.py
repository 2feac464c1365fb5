"""CircuitBreaker, the meter: what it lets out, who sets it, what it costs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.evm import Evm, reverts
from tests.unit.safety.conftest import DAY, Plane

UNLIMITED = 2**256 - 1
LIMIT = 10**12
CAPACITY = LIMIT // 2
Meter = Callable[..., Plane]


def left(plane: Plane) -> int:
    return int(plane.breaker.available(plane.target, plane.asset))


def test_available__not_metered__is_unlimited(plane: Plane) -> None:
    plane.target.setAccounted(10**30)
    assert left(plane) == UNLIMITED
    plane.target.exitMetered(10**30)
    assert left(plane) == UNLIMITED


def test_on_outflow__within_the_bucket__takes_it_to_the_wei(metered: Meter) -> None:
    plane = metered()
    assert left(plane) == CAPACITY
    plane.target.exitMetered(123_456_789)
    assert left(plane) == CAPACITY - 123_456_789
    plane.target.exitMetered(CAPACITY - 123_456_789)
    assert left(plane) == 0


def test_on_outflow__one_unit_too_much__reverts_and_takes_nothing(metered: Meter) -> None:
    plane = metered()
    with reverts(
        "OutflowLimitExceeded",
        plane.target.address,
        plane.asset.address,
        CAPACITY + 1,
        CAPACITY,
    ):
        plane.target.exitMetered(CAPACITY + 1)
    assert left(plane) == CAPACITY


def test_on_outflow__another_sender__touches_only_its_own_bucket(metered: Meter) -> None:
    plane = metered()
    plane.breaker.onOutflow(plane.asset, CAPACITY, sender=plane.attacker)
    assert left(plane) == CAPACITY


def test_on_outflow__another_asset__is_not_touched(metered: Meter, evm: Evm) -> None:
    plane = metered()
    other = evm.deploy("TestToken", "Euro", "EUR", 18)
    plane.breaker.setLimit(plane.target, other, 10**24, DAY, 10**23, sender=plane.governance)
    plane.target.exitMetered(CAPACITY)
    assert int(plane.breaker.available(plane.target, other)) == 10**24 // 2


def test_refill__whole_window__gives_half_the_limit_and_no_more(metered: Meter) -> None:
    """Property: S1."""
    plane = metered()
    plane.target.exitMetered(CAPACITY)
    plane.evm.mine(1, seconds=DAY // 2)
    # 2^-24 units are lost per second at most.
    assert CAPACITY // 2 - 1 <= left(plane) <= CAPACITY // 2
    plane.evm.mine(1, seconds=DAY)
    assert left(plane) == CAPACITY


def test_window__drained_at_both_ends__passes_no_more_than_the_limit(metered: Meter) -> None:
    """Property: S1. The worst case: all at the start, and all that came back until the end."""
    plane = metered()
    out = 0
    for _ in range(25):
        amount = left(plane)
        plane.target.exitMetered(amount)
        out += amount
        plane.evm.mine(1, seconds=DAY // 24)
    assert LIMIT - 100 <= out <= LIMIT


def test_refill__touched_every_second__loses_nothing_that_matters(metered: Meter) -> None:
    """A griefer who touches a slow bucket of a token without decimals must not round it away."""
    plane = metered(limit=100, floor=20)
    plane.target.exitMetered(50)
    for _ in range(3_600):
        plane.evm.mine(1, seconds=12)
        plane.breaker.onInflow(plane.asset, 0, sender=plane.target)
    # 43 200 s refill 25 units; at most one second's rounding is lost per touch.
    assert left(plane) in (24, 25)


@pytest.mark.parametrize("out_first", [False, True])
@pytest.mark.parametrize("size", [1, CAPACITY, 10 * LIMIT, 10**6 * LIMIT])
def test_round_trips__zero_hold_capital__leave_the_bucket_as_it_was(
    metered: Meter, size: int, out_first: bool
) -> None:
    """Property: S5."""
    plane = metered()
    plane.target.exitMetered(7)
    size = min(size, CAPACITY - 7) if out_first else size
    before = left(plane)
    plane.target.roundTrips(size, 5, out_first)
    assert left(plane) == before
    plane.evm.mine(1, seconds=1)
    assert left(plane) == CAPACITY


def test_on_inflow__drained_bucket__is_refunded_for_good(metered: Meter) -> None:
    plane = metered()
    plane.target.exitMetered(CAPACITY)
    plane.target.enter(CAPACITY // 4)
    plane.evm.mine(1, seconds=1)
    assert CAPACITY // 4 <= left(plane) < CAPACITY // 4 + LIMIT // DAY


def test_on_inflow__beyond_capacity__lasts_for_its_own_timestamp_only(metered: Meter) -> None:
    """Property: S1. A credit that outlived its timestamp would leave a window that starts later."""
    plane = metered()
    plane.target.enter(10 * LIMIT)
    assert left(plane) == CAPACITY + 10 * LIMIT
    plane.evm.mine(1, seconds=1)
    assert left(plane) == CAPACITY


def test_on_inflow__absurd_amounts__never_revert(metered: Meter) -> None:
    plane = metered()
    for _ in range(3):
        plane.breaker.onInflow(plane.asset, UNLIMITED, sender=plane.target)
    assert left(plane) == 2**104 - 1
    with reverts("OutflowLimitExceeded"):
        plane.breaker.onOutflow(plane.asset, UNLIMITED, sender=plane.target)


def test_available__clock_passes_the_32_bits__goes_on(metered: Meter, evm: Evm) -> None:
    evm.warp(2**32 - 100)
    plane = metered()
    plane.target.exitMetered(CAPACITY)
    evm.mine(1, seconds=200)
    assert left(plane) == pytest.approx(CAPACITY * 200 // DAY, abs=1)
    plane.target.exitMetered(1)


# ---------------------------------------------------------------- parameters


def test_set_limit__first__is_full_and_reported(metered: Meter) -> None:
    plane = metered()
    event = plane.evm.last
    assert event is not None
    plane.breaker.setLimit(
        plane.target, plane.asset, 2 * LIMIT, 2 * DAY, LIMIT, sender=plane.governance
    )
    logged = plane.evm.last.logs[0]  # type: ignore[union-attr]
    assert logged.name == "LimitSet"
    assert logged.args["previousLimit"] == LIMIT
    assert logged.args["limit"] == 2 * LIMIT
    assert logged.args["previousWindow"] == DAY
    assert logged.args["window"] == 2 * DAY
    assert plane.breaker.limitOf(plane.target, plane.asset) == (2 * LIMIT, 2 * DAY)
    assert plane.breaker.limitFloorOf(plane.target, plane.asset) == LIMIT
    # Loosening gives room to refill, not tokens at once.
    assert left(plane) == CAPACITY


def test_tighten_limit__guardian__acts_at_once_and_keeps_the_window(metered: Meter) -> None:
    plane = metered()
    plane.breaker.tightenLimit(plane.target, plane.asset, LIMIT // 5, sender=plane.guardian)
    assert plane.breaker.limitOf(plane.target, plane.asset) == (LIMIT // 5, DAY)
    assert left(plane) == LIMIT // 10


def test_tighten_limit__drained_bucket__gives_nothing_back(metered: Meter) -> None:
    plane = metered()
    plane.target.exitMetered(CAPACITY)
    plane.breaker.tightenLimit(plane.target, plane.asset, LIMIT // 2, sender=plane.guardian)
    assert left(plane) == 0


def test_tighten_limit__not_lower__reverts(metered: Meter) -> None:
    plane = metered()
    for proposed in (LIMIT, LIMIT + 1):
        with reverts("NotTightening", LIMIT, proposed):
            plane.breaker.tightenLimit(plane.target, plane.asset, proposed, sender=plane.guardian)


def test_tighten_limit__below_the_floor__reverts(metered: Meter) -> None:
    """Property: S6. A stolen guardian key must not close the exit by a limit of nothing."""
    plane = metered()
    with reverts("BelowFloor", LIMIT // 10, LIMIT // 10 - 1):
        plane.breaker.tightenLimit(
            plane.target, plane.asset, LIMIT // 10 - 1, sender=plane.guardian
        )


def test_tighten_limit__not_metered__reverts(plane: Plane) -> None:
    with reverts("NotMetered"):
        plane.breaker.tightenLimit(plane.target, plane.asset, 1, sender=plane.guardian)


@pytest.mark.parametrize(
    ("limit", "window", "floor"),
    [
        (LIMIT, 599, LIMIT),
        (LIMIT, 30 * DAY + 1, LIMIT),
        (2**103, DAY, LIMIT),
        (10, DAY, 10),
        (LIMIT, DAY, 0),
        (LIMIT, DAY, 10),
        (LIMIT, DAY, LIMIT + 1),
    ],
)
def test_set_limit__out_of_bounds__reverts(
    plane: Plane, limit: int, window: int, floor: int
) -> None:
    with reverts("LimitOutOfBounds"):
        plane.breaker.setLimit(
            plane.target, plane.asset, limit, window, floor, sender=plane.governance
        )


def test_set_limit__more_than_64_significant_bits__is_rounded_down(plane: Plane) -> None:
    limit = 2**90 + 2**26 + 2**25
    plane.breaker.setLimit(plane.target, plane.asset, limit, DAY, limit, sender=plane.governance)
    kept, _ = plane.breaker.limitOf(plane.target, plane.asset)
    assert kept == limit >> 27 << 27


def test_remove_limit__metered__stops_the_meter(metered: Meter) -> None:
    plane = metered()
    plane.breaker.removeLimit(plane.target, plane.asset, sender=plane.governance)
    assert left(plane) == UNLIMITED
    assert plane.breaker.limitOf(plane.target, plane.asset) == (0, 0)
    with reverts("NotMetered"):
        plane.breaker.removeLimit(plane.target, plane.asset, sender=plane.governance)


def test_parameters__anyone_else__is_refused(metered: Meter) -> None:
    plane = metered()
    for role in (plane.attacker, plane.keeper):
        with reverts("AccessManagedUnauthorized"):
            plane.breaker.tightenLimit(plane.target, plane.asset, LIMIT // 2, sender=role)
    for role in (plane.attacker, plane.guardian):
        with reverts("AccessManagedUnauthorized"):
            plane.breaker.setLimit(plane.target, plane.asset, LIMIT, DAY, LIMIT, sender=role)
        with reverts("AccessManagedUnauthorized"):
            plane.breaker.removeLimit(plane.target, plane.asset, sender=role)
        with reverts("AccessManagedUnauthorized"):
            plane.breaker.setOracle(plane.oracle, sender=role)


# ---------------------------------------------------------------------- cost


def overhead(plane: Plane) -> int:
    with plane.evm.metered():
        plane.target.exit(1, True)
        metered_gas = plane.evm.last.gas_used  # type: ignore[union-attr]
        plane.target.exit(1, False)
        return int(metered_gas - plane.evm.last.gas_used)  # type: ignore[union-attr]


def test_overhead__metered_exit__is_the_evm_own_price_and_little_more(metered: Meter) -> None:
    """A cold account (2 600), a cold slot (2 100) and its write (2 900) cannot be had for less."""
    plane = metered()
    plane.target.exitMetered(1)
    plane.evm.mine()
    assert 7_600 < overhead(plane) <= 7_600 + 900


def test_hook_gas__after_a_long_history__is_constant(metered: Meter) -> None:
    """Property: S7."""
    plane = metered()
    plane.target.exitMetered(1)
    plane.evm.mine()
    young = overhead(plane)
    for step in range(300):
        plane.target.enter(10**6 + step)
        plane.target.exitMetered(10**6)
        plane.evm.mine(1, seconds=12 + step % 5)
    assert overhead(plane) == young
