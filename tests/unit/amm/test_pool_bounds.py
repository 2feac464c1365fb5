"""A pool to the unit: each bound is accepted and one beyond it is not."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt
from typing import Any

from tests.models.guarded_pool import RESERVE_MAX, Config, State, ceil_div
from tests.support.amm import ANY_FEE, FOREVER, NEVER_ENDING, PoolWorld, sorted_tokens
from tests.support.evm import Address, Contract, Evm, reverts

UNIT = 10**18
NOBODY = "0x" + "00" * 20
FREE = Config(min_fee=0, max_fee=0)


def seeded(world: PoolWorld, amounts: tuple[int, int], config: Config = FREE) -> Contract:
    """A pool of two fresh tokens with these reserves."""
    tokens = sorted_tokens(world.evm, (18, 18))
    for token in tokens:
        token.mint(world.whale, 2**116)
        token.approve(world.factory, NEVER_ENDING, sender=world.whale)
    address, _ = world.factory.createPool(*tokens, *amounts, config.as_tuple(), sender=world.whale)
    return world.evm.at("GuardedPool", address)


# -------------------------------------------------------------------- configuration


def test_config__shortest_window__accepted_and_none_refused(world: PoolWorld) -> None:
    assert seeded(world, (UNIT, UNIT), Config(guard_window=1)).config()[0] == 1
    with reverts("InvalidConfig"):
        seeded(world, (UNIT, UNIT), Config(guard_window=0))


def test_config__longest_window__accepted_and_a_second_more_refused(world: PoolWorld) -> None:
    assert seeded(world, (UNIT, UNIT), Config(guard_window=3_600)).config()[0] == 3_600
    with reverts("InvalidConfig"):
        seeded(world, (UNIT, UNIT), Config(guard_window=3_601))


def test_config__shortest_maturity__accepted_and_a_block_less_refused(world: PoolWorld) -> None:
    """Property: P7."""
    assert seeded(world, (UNIT, UNIT), Config(maturity_blocks=2)).config()[1] == 2
    with reverts("InvalidConfig"):
        seeded(world, (UNIT, UNIT), Config(maturity_blocks=1))


def test_config__longest_maturity__accepted_and_a_block_more_refused(world: PoolWorld) -> None:
    pool = seeded(world, (UNIT, UNIT), Config(maturity_blocks=1_000_000))
    assert pool.config()[1] == 1_000_000
    assert pool.maturesAt(world.whale) == world.evm.block_number + 1_000_000
    with reverts("InvalidConfig"):
        seeded(world, (UNIT, UNIT), Config(maturity_blocks=1_000_001))


def test_config__least_fee_equals_the_highest__accepted_and_one_more_refused(
    world: PoolWorld,
) -> None:
    assert seeded(world, (UNIT, UNIT), Config(min_fee=7, max_fee=7)).feePips() == 7
    with reverts("InvalidConfig"):
        seeded(world, (UNIT, UNIT), Config(min_fee=8, max_fee=7))


def test_config__largest_of_each__comes_out_as_it_went_in(world: PoolWorld) -> None:
    for config in (
        Config(3_600, 1_000_000, 65_535, 65_535, 2**32 - 1, 2**32 - 1, 65_535),
        Config(1, 2, 0, 65_535, 0, 2**32 - 1, 0),
        Config(1, 2, 0, 0, 2**32 - 1, 0, 65_535),
    ):
        assert tuple(seeded(world, (UNIT, UNIT), config).config()) == config.as_tuple()


# ---------------------------------------------------------------------------- seed


def test_seed__least_of_token0__accepted_and_none_refused(world: PoolWorld) -> None:
    assert tuple(seeded(world, (1, RESERVE_MAX)).getReserves()) == (1, RESERVE_MAX)
    with reverts("ZeroAmount"):
        seeded(world, (0, RESERVE_MAX))


def test_seed__least_of_token1__accepted_and_none_refused(world: PoolWorld) -> None:
    assert tuple(seeded(world, (RESERVE_MAX, 1)).getReserves()) == (RESERVE_MAX, 1)
    with reverts("ZeroAmount"):
        seeded(world, (RESERVE_MAX, 0))


def test_seed__most_of_both__accepted(world: PoolWorld) -> None:
    pool = seeded(world, (RESERVE_MAX, RESERVE_MAX))
    assert tuple(pool.getReserves()) == (RESERVE_MAX, RESERVE_MAX)
    assert pool.totalSupply() == RESERVE_MAX
    assert pool.balanceOf(world.whale) == RESERVE_MAX - 1_000


def test_seed__one_more_of_token0__refused(world: PoolWorld) -> None:
    with reverts("ReserveOverflow"):
        seeded(world, (RESERVE_MAX + 1, UNIT))


def test_seed__one_more_of_token1__refused(world: PoolWorld) -> None:
    with reverts("ReserveOverflow"):
        seeded(world, (UNIT, RESERVE_MAX + 1))


def test_seed__one_share_beyond_the_locked__accepted_and_none_refused(world: PoolWorld) -> None:
    pool = seeded(world, (1_001, 1_001))
    assert (pool.balanceOf(world.whale), pool.totalSupply()) == (1, 1_001)
    with reverts("InsufficientLiquidity"):
        seeded(world, (1_000, 1_001))


def test_seed__of_a_pool_with_one_unit__refused_the_second_time(world: PoolWorld) -> None:
    pool = seeded(world, (1, RESERVE_MAX))
    with reverts("AlreadySeeded"):
        pool.seed(world.whale, UNIT, UNIT, sender=world.factory)


def unseeded(world: PoolWorld, factory: Address) -> Contract:
    """A pool whose factory is a plain account, with tokens that this account has."""
    tokens = sorted_tokens(world.evm, (18, 18))
    for token in tokens:
        token.mint(factory, UNIT)
    address = world.deployer.deploy(*tokens, world.gate, 0, FREE.as_tuple(), sender=factory)
    world.tokens = tokens
    return world.evm.at("GuardedPool", address)


def test_seed__one_unit_short_of_token0__refused(trader: Address) -> None:
    world = PoolWorld(Evm())
    pool = unseeded(world, trader)
    world.tokens[0].transfer(pool, 4_999, sender=trader)
    world.tokens[1].transfer(pool, 6_000, sender=trader)
    with reverts("InsufficientPayment", world.tokens[0].address, 4_999, 5_000):
        pool.seed(trader, 5_000, 6_000, sender=trader)
    world.tokens[0].transfer(pool, 1, sender=trader)
    assert pool.seed(trader, 5_000, 6_000, sender=trader) == isqrt(5_000 * 6_000) - 1_000


def test_seed__one_unit_short_of_token1__refused(trader: Address) -> None:
    world = PoolWorld(Evm())
    pool = unseeded(world, trader)
    world.tokens[0].transfer(pool, 5_000, sender=trader)
    world.tokens[1].transfer(pool, 5_999, sender=trader)
    with reverts("InsufficientPayment", world.tokens[1].address, 5_999, 6_000):
        pool.seed(trader, 5_000, 6_000, sender=trader)
    world.tokens[1].transfer(pool, 1, sender=trader)
    pool.seed(trader, 5_000, 6_000, sender=trader)
    # The lock is free again.
    assert tuple(pool.getReserves()) == (5_000, 6_000)


# -------------------------------------------------------------------------- trades


def test_swap_exact_in__output_of_one__accepted_and_of_none_refused() -> None:
    """Four of token0 are worth one of token1."""
    world = PoolWorld(Evm(), FREE, (4 * 10**6, 10**6), (0, 0))
    trader = world.evm.account("trader")
    assert world.sell(trader, 5) == 1
    with reverts("ZeroAmount"):
        world.sell(trader, 3)
    assert tuple(world.pool.getReserves()) == (4 * 10**6 + 5, 10**6 - 1)


def test_swap_exact_in__input_of_one__accepted() -> None:
    world = PoolWorld(Evm(), FREE, (10**6, 4 * 10**6), (0, 0))
    assert world.sell(world.evm.account("trader"), 1) == 3


def test_quotes__of_nothing__refused(world: PoolWorld) -> None:
    later = world.evm.timestamp + 12
    for side in (True, False):
        for name in ("quoteExactIn", "quoteExactOut"):
            with reverts("ZeroAmount"):
                getattr(world.pool, name)(side, 0)
            with reverts("ZeroAmount"):
                getattr(world.pool, f"{name}Next")(side, 0, later)


def test_swap_exact_in__all_that_fits__accepted_and_one_more_refused(world: PoolWorld) -> None:
    pool = seeded(world, (10**24, 10**24))
    pool.quoteExactIn(True, RESERVE_MAX - 10**24)
    pool.quoteExactIn(False, RESERVE_MAX - 10**24)
    for side in (True, False):
        with reverts("ReserveOverflow"):
            pool.quoteExactIn(side, RESERVE_MAX - 10**24 + 1)


def test_swap_exact_out__output_of_one__accepted() -> None:
    world = PoolWorld(Evm(), FREE, (4 * 10**6, 10**6), (0, 0))
    assert tuple(world.pool.quoteExactOut(True, 1)) == (5, 0)


def test_swap_exact_out__all_but_one__accepted_and_all_refused(world: PoolWorld) -> None:
    pool = seeded(world, (10**6, 10**6))
    assert pool.quoteExactOut(True, 10**6 - 1)[0] == 10**6 * (10**6 - 1)
    with reverts("InsufficientLiquidity"):
        pool.quoteExactOut(True, 10**6)


def test_swap_exact_out__cost_that_just_fits__accepted_and_one_more_refused(
    world: PoolWorld,
) -> None:
    """Two of three units of token1 cost twice token0's reserve, a third of what can be."""
    third = RESERVE_MAX // 3
    assert 3 * third == RESERVE_MAX
    assert seeded(world, (third, 3)).quoteExactOut(True, 2)[0] == 2 * third
    with reverts("ReserveOverflow"):
        seeded(world, (third + 1, 3)).quoteExactOut(True, 2)


def test_swap__throttled__size_cap_is_a_hundredth_rounded_down() -> None:
    world = PoolWorld(Evm(), FREE, (20_199, 20_199), (0, 0))
    world.pool.setEmergencyState(State.THROTTLED, sender=world.gate)
    assert world.pool.THROTTLED_CAP_BPS() == 100
    for side in (True, False):
        world.pool.quoteExactOut(side, 201)
        with reverts("SizeCapExceeded", 202, 201):
            world.pool.quoteExactOut(side, 202)
        out, _ = world.pool.quoteExactIn(side, 204)
        assert out == 201
        with reverts("SizeCapExceeded", 202, 201):
            world.pool.quoteExactIn(side, 205)


def test_swap__not_throttled__takes_more_than_the_cap() -> None:
    world = PoolWorld(Evm(), FREE, (20_199, 20_199), (0, 0))
    assert world.pool.quoteExactOut(True, 202)[0] > 0
    assert world.pool.quoteExactIn(True, 10_000)[0] > 202


def test_swap__deadline__this_second_accepted_and_a_past_one_refused(
    world: PoolWorld, trader: Address
) -> None:
    now = world.evm.timestamp
    world.pool.mint(UNIT, 2 * UNIT, 0, now, sender=trader)
    with reverts("Expired", now - 1):
        world.pool.mint(UNIT, 2 * UNIT, 0, now - 1, sender=trader)


# ----------------------------------------------------------------------- liquidity


def test_mint__one_share__accepted_and_none_refused(world: PoolWorld, trader: Address) -> None:
    assert tuple(world.pool.mint(1, 2, 1, FOREVER, sender=trader)) == (1, 1, 2)
    with reverts("ZeroAmount"):
        world.pool.mint(1, 1, 0, FOREVER, sender=trader)


def test_mint__amounts__are_rounded_up_against_the_provider() -> None:
    world = PoolWorld(Evm(), FREE, (10_000, 30_000), (0, 0), protocol_share_bps=0)
    supply = isqrt(10_000 * 30_000)
    assert world.pool.totalSupply() == supply == 17_320
    for most0, most1 in ((1_000, 10**9), (10**9, 1_000), (1_001, 3_001), (10_000, 30_000)):
        shares = min(most0 * supply // 10_000, most1 * supply // 30_000)
        expected = (shares, ceil_div(shares * 10_000, supply), ceil_div(shares * 30_000, supply))
        assert tuple(world.pool.quoteMint(most0, most1)) == expected
    # All of it once more: nothing to round.
    assert tuple(world.pool.quoteMint(10_000, 30_000)) == (supply, 10_000, 30_000)


def test_mint__more_offered_than_fits__takes_what_fits() -> None:
    """Two thirds of the room that token0 has left; and the same for token1."""
    for reserves in ((2**111, 2**110), (2**110, 2**111)):
        world = PoolWorld(Evm(), FREE, reserves, (0, 0), protocol_share_bps=0)
        supply = isqrt(reserves[0] * reserves[1])
        room = [RESERVE_MAX - reserve for reserve in reserves]
        shares = min(r * supply // reserve for r, reserve in zip(room, reserves, strict=True))
        quoted = tuple(world.pool.quoteMint(NEVER_ENDING, NEVER_ENDING))
        assert quoted == (shares, *(ceil_div(shares * r, supply) for r in reserves))


def test_mint__reserves_and_supply__grow_by_what_it_took_and_gave(
    world: PoolWorld, trader: Address
) -> None:
    before, supply = tuple(world.pool.getReserves()), world.pool.totalSupply()
    shares, amount0, amount1 = world.pool.mint(UNIT, 3 * UNIT, 0, FOREVER, sender=trader)
    after = (before[0] + amount0, before[1] + amount1)
    assert tuple(world.pool.getReserves()) == after
    assert world.pool.totalSupply() == supply + shares
    assert tuple(token.balanceOf(world.pool) for token in world.tokens) == after


def test_burn__one_share__accepted_and_none_refused(world: PoolWorld, whale: Address) -> None:
    world.mine(2)
    assert tuple(world.pool.burn(1, 0, 1, whale, FOREVER, sender=whale)) == (0, 1)
    with reverts("ZeroAmount"):
        world.pool.burn(0, 0, 0, whale, FOREVER, sender=whale)


def test_burn__amounts__are_rounded_down_against_the_owner() -> None:
    world = PoolWorld(Evm(), FREE, (10_000, 30_000), (0, 0), protocol_share_bps=0)
    for shares in (1, 2, 999, 17_319):
        expected = (10_000 * shares // 17_320, 30_000 * shares // 17_320)
        assert tuple(world.pool.quoteBurn(shares)) == expected


def test_burn__exactly_at_its_terms__accepted_and_one_more_refused(
    world: PoolWorld, whale: Address
) -> None:
    world.mine(2)
    amount0, amount1 = world.pool.quoteBurn(UNIT)
    for least, got in (((amount0 + 1, 0), amount0), ((0, amount1 + 1), amount1)):
        with reverts("InsufficientOutput", got, got + 1):
            world.pool.burn(UNIT, *least, whale, FOREVER, sender=whale)
    world.pool.burn(UNIT, amount0, amount1, whale, world.evm.timestamp, sender=whale)


def test_burn__all_that_there_is__leaves_the_locked_shares() -> None:
    world = PoolWorld(Evm(), FREE, (10_000, 30_000), (0, 0), protocol_share_bps=0)
    world.mine(2)
    world.pool.burn(16_320, 0, 0, world.whale, FOREVER, sender=world.whale)
    assert world.pool.totalSupply() == 1_000
    left = (ceil_div(10_000 * 1_000, 17_320), ceil_div(30_000 * 1_000, 17_320))
    assert tuple(world.pool.getReserves()) == left


# ---------------------------------------------------------------- who and when


def test_seed__by_another_than_the_factory__refused(world: PoolWorld, trader: Address) -> None:
    with reverts("NotFactory", trader):
        world.pool.seed(trader, UNIT, UNIT, sender=trader)


def test_pool__after_any_call__is_unlocked(world: PoolWorld, whale: Address) -> None:
    world.mine(2)
    pool = world.pool
    calls: list[Callable[[], Any]] = [
        lambda: world.sell(whale, UNIT),
        lambda: pool.mint(UNIT, 2 * UNIT, 0, FOREVER, sender=whale),
        lambda: pool.burn(1, 0, 0, whale, FOREVER, sender=whale),
        lambda: pool.skim(sender=whale),
        lambda: pool.checkpoint(sender=whale),
    ]
    for call in calls:
        with world.evm.rollback():
            call()
            pool.getReserves()
            assert world.sell(whale, UNIT) > 0


def test_prepaid__after_each__is_unlocked(world: PoolWorld, trader: Address) -> None:
    pool, (token0, token1) = world.pool, world.tokens

    def assert_open() -> None:
        """A locked pool would refuse to tell."""
        held = [token.balanceOf(pool) for token in (token0, token1)]
        assert list(pool.getReserves()) == held

    token0.transfer(pool, UNIT, sender=trader)
    pool.swapExactInPrepaid(True, 0, trader, ANY_FEE, FOREVER, sender=trader)
    assert_open()
    token0.transfer(pool, UNIT, sender=trader)
    pool.swapExactOutPrepaid(True, UNIT, UNIT, trader, ANY_FEE, FOREVER, sender=trader)
    assert_open()
    token0.transfer(pool, UNIT, sender=trader)
    token1.transfer(pool, 3 * UNIT, sender=trader)
    pool.mintPrepaid(0, FOREVER, sender=trader)
    assert_open()
    pool.swapExactOut(True, UNIT, UNIT, trader, ANY_FEE, FOREVER, sender=trader)
    assert_open()
