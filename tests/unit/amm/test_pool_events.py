"""What a pool announces, with all that it says, and that it sends nothing where nothing is due."""

from __future__ import annotations

from typing import Any

from tests.models.guarded_pool import Config, State
from tests.support.amm import ANY_FEE, FOREVER, NEVER_ENDING, PoolWorld, sorted_tokens
from tests.support.evm import Address, Contract, Evm

UNIT = 10**18
NOBODY = "0x" + "00" * 20
CHEAP = Config(min_fee=0, max_fee=0)


def args(world: PoolWorld, name: str) -> tuple[Any, ...]:
    """Arguments of the only event of that name which the pool gave."""
    (event,) = [e for e in world.evm.events(name) if e.address == world.pool.address]
    return tuple(event.args.values())


def moved(world: PoolWorld, token: Contract) -> list[tuple[str, str, int]]:
    """Transfers of a token in the last call: from, to, value."""
    events = [e for e in world.evm.events("Transfer") if e.address == token.address]
    return [(e["from"], e["to"], int(e["value"])) for e in events]


def prepay(world: PoolWorld, who: Address, amount0: int, amount1: int) -> None:
    for token, amount in zip(world.tokens, (amount0, amount1), strict=True):
        token.transfer(world.pool, amount, sender=who)


# ----------------------------------------------------------------------- liquidity


def test_mint__announces_provider_amounts_shares_and_maturity(
    world: PoolWorld, trader: Address
) -> None:
    shares, amount0, amount1 = world.pool.mint(UNIT, 3 * UNIT, 0, FOREVER, sender=trader)
    due = world.evm.block_number + world.config.maturity_blocks
    assert args(world, "Mint") == (trader, amount0, amount1, shares, due)
    assert args(world, "Transfer") == (NOBODY, trader, shares)


def test_mint_prepaid__announces_the_same(world: PoolWorld, trader: Address) -> None:
    prepay(world, trader, UNIT, 2 * UNIT)
    shares, amount0, amount1 = world.pool.mintPrepaid(0, FOREVER, sender=trader)
    due = world.evm.block_number + world.config.maturity_blocks
    assert args(world, "Mint") == (trader, amount0, amount1, shares, due)


def test_mint_prepaid__just_enough__nothing_is_sent_back(world: PoolWorld, trader: Address) -> None:
    shares, amount0, amount1 = world.pool.quoteMint(7 * UNIT, 14 * UNIT)
    prepay(world, trader, amount0, amount1)
    assert tuple(world.pool.mintPrepaid(0, FOREVER, sender=trader)) == (shares, amount0, amount1)
    assert moved(world, world.token0) == moved(world, world.token1) == []


def test_mint_prepaid__one_too_many_of_token0__one_is_sent_back() -> None:
    world = PoolWorld(Evm(), CHEAP, (10**24, 10**24))
    trader = world.evm.account("trader")
    prepay(world, trader, UNIT + 1, UNIT)
    world.pool.mintPrepaid(0, FOREVER, sender=trader)
    assert moved(world, world.token0) == [(world.pool.address, trader, 1)]
    assert moved(world, world.token1) == []


def test_mint_prepaid__one_too_many_of_token1__one_is_sent_back() -> None:
    world = PoolWorld(Evm(), CHEAP, (10**24, 10**24))
    trader = world.evm.account("trader")
    prepay(world, trader, UNIT, UNIT + 1)
    world.pool.mintPrepaid(0, FOREVER, sender=trader)
    assert moved(world, world.token0) == []
    assert moved(world, world.token1) == [(world.pool.address, trader, 1)]


def test_burn__announces_owner_receiver_amounts_and_shares(
    world: PoolWorld, whale: Address, trader: Address
) -> None:
    world.mine(2)
    amount0, amount1 = world.pool.burn(UNIT, 0, 0, trader, FOREVER, sender=whale)
    assert args(world, "Burn") == (whale, trader, amount0, amount1, UNIT)
    assert args(world, "Transfer") == (whale, NOBODY, UNIT)
    assert moved(world, world.token0) == [(world.pool.address, trader, amount0)]
    assert moved(world, world.token1) == [(world.pool.address, trader, amount1)]


def test_seed__announces_shares_and_those_that_nobody_owns(evm: Evm) -> None:
    world = PoolWorld(evm)
    tokens = sorted_tokens(evm, (18, 18))
    for token in tokens:
        token.mint(world.whale, 9 * UNIT)
        token.approve(world.factory, NEVER_ENDING, sender=world.whale)
    world.pool = evm.at(
        "GuardedPool",
        world.factory.createPool(
            *tokens, 4 * UNIT, 9 * UNIT, Config().as_tuple(), sender=world.whale
        )[0],
    )
    shares, due = 6 * UNIT - 1_000, evm.block_number + 2
    assert args(world, "Mint") == (world.whale, 4 * UNIT, 9 * UNIT, shares, due)
    minted = [(NOBODY, NOBODY, 1_000), (NOBODY, world.whale, shares)]
    assert moved(world, world.pool) == minted
    assert world.pool.balanceOf(NOBODY) == world.pool.matureBalanceOf(NOBODY) == 1_000
    assert world.pool.maturesAt(world.whale) == due
    assert world.pool.MINIMUM_LIQUIDITY() == 1_000


def test_accrual__announces_to_whom_and_how_many(
    world: PoolWorld, trader: Address, whale: Address
) -> None:
    world.mine(2)
    world.sell(trader, 10_000 * UNIT)
    supply = world.pool.totalSupply()
    world.pool.burn(1, 0, 0, whale, FOREVER, sender=whale)
    accrued = world.pool.balanceOf(world.factory)
    assert args(world, "ProtocolSharesAccrued") == (world.factory.address, accrued)
    assert (NOBODY, world.factory.address, accrued) in moved(world, world.pool)
    assert world.pool.totalSupply() == supply + accrued - 1


# -------------------------------------------------------------------------- trades


def test_swap_exact_in__sell_of_token0__announces_both_amounts(
    world: PoolWorld, trader: Address, attacker: Address
) -> None:
    out = world.pool.swapExactIn(True, UNIT, 0, attacker, ANY_FEE, FOREVER, sender=trader)
    fee = world.config.min_fee
    assert args(world, "Swap") == (trader, attacker, UNIT, -out, fee)
    assert moved(world, world.token0) == [(trader, world.pool.address, UNIT)]
    assert moved(world, world.token1) == [(world.pool.address, attacker, out)]


def test_swap_exact_out__sell_of_token1__announces_both_amounts(
    world: PoolWorld, trader: Address, attacker: Address
) -> None:
    cost = world.pool.swapExactOut(False, UNIT, 9 * UNIT, attacker, ANY_FEE, FOREVER, sender=trader)
    fee = world.config.min_fee
    assert args(world, "Swap") == (trader, attacker, -UNIT, cost, fee)
    assert moved(world, world.token1) == [(trader, world.pool.address, cost)]
    assert moved(world, world.token0) == [(world.pool.address, attacker, UNIT)]


def test_swap_exact_in_prepaid__pays_the_other_token_to_whom_it_was_told(
    world: PoolWorld, trader: Address, attacker: Address
) -> None:
    pool = world.pool
    for side, amounts in ((True, (UNIT, 0)), (False, (0, UNIT))):
        with world.evm.rollback():
            prepay(world, trader, *amounts)
            out = pool.swapExactInPrepaid(side, 0, attacker, ANY_FEE, FOREVER, sender=trader)
            token_in, token_out = world.tokens if side else world.tokens[::-1]
            assert moved(world, token_out) == [(pool.address, attacker, out)]
            assert moved(world, token_in) == []


def test_swap_exact_out_prepaid__just_enough__nothing_is_sent_back(
    world: PoolWorld, trader: Address
) -> None:
    cost, _ = world.pool.quoteExactOut(True, UNIT)
    prepay(world, trader, cost, 0)
    world.pool.swapExactOutPrepaid(True, UNIT, cost, trader, ANY_FEE, FOREVER, sender=trader)
    assert moved(world, world.token0) == []


def test_swap_exact_out_prepaid__one_too_many__one_is_sent_back_to_the_caller(
    world: PoolWorld, trader: Address, attacker: Address
) -> None:
    cost, _ = world.pool.quoteExactOut(False, UNIT)
    prepay(world, trader, 0, cost + 1)
    world.pool.swapExactOutPrepaid(False, UNIT, cost, attacker, ANY_FEE, FOREVER, sender=trader)
    assert moved(world, world.token1) == [(world.pool.address, trader, 1)]
    assert moved(world, world.token0) == [(world.pool.address, attacker, UNIT)]


# -------------------------------------------------------------------------- upkeep


def test_skim__announces_who_and_what(world: PoolWorld, attacker: Address) -> None:
    prepay(world, attacker, 5, 7)
    assert tuple(world.pool.skim(sender=attacker)) == (5, 7)
    assert args(world, "Skimmed") == (attacker, world.treasury, 5, 7)


def test_increase_cardinality__announces_who_and_both_sizes(
    world: PoolWorld, attacker: Address
) -> None:
    world.pool.increaseObservationCardinality(4, sender=attacker)
    assert args(world, "ObservationCardinalityIncreased") == (attacker, 1, 4)
    world.pool.increaseObservationCardinality(6, sender=attacker)
    assert args(world, "ObservationCardinalityIncreased") == (attacker, 4, 6)


def test_set_emergency_state__announces_who_and_both_states(world: PoolWorld) -> None:
    for before, after in (
        (State.NORMAL, State.WITHDRAW_ONLY),
        (State.WITHDRAW_ONLY, State.FROZEN),
        (State.FROZEN, State.THROTTLED),
        (State.THROTTLED, State.NORMAL),
    ):
        world.pool.setEmergencyState(after, sender=world.gate)
        assert args(world, "EmergencyStateSet") == (world.gate, before, after)
        assert world.pool.emergencyState() == after


# --------------------------------------------------------------------- share token


def test_approve__announces_and_is_kept(
    world: PoolWorld, whale: Address, attacker: Address
) -> None:
    assert world.pool.approve(attacker, 77, sender=whale) is True
    assert args(world, "Approval") == (whale, attacker, 77)
    assert world.pool.allowance(whale, attacker) == 77
    assert world.pool.allowance(attacker, whale) == 0


def test_transfer__announces_and_moves(world: PoolWorld, whale: Address, attacker: Address) -> None:
    world.mine(2)
    before = world.pool.balanceOf(whale)
    assert world.pool.transfer(attacker, 77, sender=whale) is True
    assert args(world, "Transfer") == (whale, attacker, 77)
    assert world.pool.balanceOf(whale) == before - 77
    assert world.pool.balanceOf(attacker) == world.pool.matureBalanceOf(attacker) == 77


def test_transfer_from__announces_moves_and_uses_up(
    world: PoolWorld, whale: Address, attacker: Address
) -> None:
    world.mine(2)
    world.pool.approve(attacker, 77, sender=whale)
    assert world.pool.transferFrom(whale, attacker, 30, sender=attacker) is True
    assert args(world, "Transfer") == (whale, attacker, 30)
    assert world.pool.allowance(whale, attacker) == 47
    assert world.pool.balanceOf(attacker) == 30
