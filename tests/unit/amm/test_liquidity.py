"""Liquidity: minting, maturity, burning, the share token, the protocol's part."""

from __future__ import annotations

import pytest
from eth_account.messages import encode_typed_data

from tests.models.guarded_pool import State
from tests.support.amm import FOREVER, NEVER_ENDING, PoolWorld
from tests.support.evm import Address, Evm, reverts

UNIT = 10**18


def mint(world: PoolWorld, owner: Address, amount: int = 1_000 * UNIT) -> int:
    shares, _, _ = world.pool.mint(amount, 10 * amount, 0, FOREVER, sender=owner)
    return int(shares)


def test_mint__takes_only_the_ratio(world: PoolWorld, trader: Address) -> None:
    """Property: P5."""
    reserves = world.pool.getReserves()
    quoted = tuple(world.pool.quoteMint(1_000 * UNIT, 10_000 * UNIT))
    before = [t.balanceOf(trader) for t in world.tokens]
    taken = world.pool.mint(1_000 * UNIT, 10_000 * UNIT, quoted[0], FOREVER, sender=trader)
    shares, amount0, amount1 = taken
    assert tuple(taken) == quoted
    assert amount0 * reserves[1] // reserves[0] in (amount1, amount1 - 1)
    event = world.evm.events("Mint")[0]
    assert event.args["shares"] == shares == world.pool.balanceOf(trader)
    assert event.args["maturesAt"] == world.evm.block_number + 2 == world.pool.maturesAt(trader)
    after = [t.balanceOf(trader) for t in world.tokens]
    assert [b - a for a, b in zip(after, before, strict=True)] == [amount0, amount1]


@pytest.mark.parametrize(("rest0", "rest1"), [(0, 3_000), (500, 0), (0, 0)])
def test_mint_prepaid__rest_goes_back(
    world: PoolWorld, trader: Address, rest0: int, rest1: int
) -> None:
    paid = (1_000 + rest0) * UNIT, (2_000 + rest1) * UNIT
    quoted = tuple(world.pool.quoteMint(*paid))
    before = [t.balanceOf(trader) for t in world.tokens]
    for token, amount in zip(world.tokens, paid, strict=True):
        token.transfer(world.pool, amount, sender=trader)
    minted = tuple(world.pool.mintPrepaid(quoted[0], FOREVER, sender=trader))
    assert minted == quoted == (quoted[0], 1_000 * UNIT, 2_000 * UNIT)
    after = [t.balanceOf(trader) for t in world.tokens]
    assert [b - a for a, b in zip(after, before, strict=True)] == list(quoted[1:])


def test_mint__terms_not_met__reverts(world: PoolWorld, trader: Address) -> None:
    shares, _, _ = world.pool.quoteMint(UNIT, 2 * UNIT)
    with reverts("InsufficientOutput", shares, shares + 1):
        world.pool.mint(UNIT, 2 * UNIT, shares + 1, FOREVER, sender=trader)
    with reverts("Expired"):
        world.pool.mint(UNIT, 2 * UNIT, 0, world.evm.timestamp - 1, sender=trader)
    with reverts("ZeroAmount"):
        world.pool.mint(0, 2 * UNIT, 0, FOREVER, sender=trader)
    with reverts("Expired"):
        world.pool.mintPrepaid(0, world.evm.timestamp - 1, sender=trader)
    world.token0.transfer(world.pool, UNIT, sender=trader)
    world.token1.transfer(world.pool, 2 * UNIT, sender=trader)
    with reverts("InsufficientOutput", shares, shares + 1):
        world.pool.mintPrepaid(shares + 1, FOREVER, sender=trader)


def test_burn__immature__reverts_on_every_path(
    world: PoolWorld, trader: Address, attacker: Address
) -> None:
    """Property: P7."""
    shares = mint(world, trader)
    world.mine()
    block = world.evm.block_number + 1
    world.pool.approve(attacker, NEVER_ENDING, sender=trader)
    with reverts("SharesImmature", trader, 0, block):
        world.pool.burn(1, 0, 0, trader, FOREVER, sender=trader)
    with reverts("SharesImmature", trader, 0, block):
        world.pool.transfer(attacker, 1, sender=trader)
    with reverts("SharesImmature", trader, 0, block):
        world.pool.transferFrom(trader, attacker, 1, sender=attacker)
    world.mine()
    world.pool.transferFrom(trader, attacker, 1, sender=attacker)
    world.pool.burn(shares - 1, 0, 0, trader, FOREVER, sender=trader)
    assert world.pool.balanceOf(trader) == 0


def test_mint__again__mature_shares_stay_free(
    world: PoolWorld, trader: Address, attacker: Address
) -> None:
    """Property: P7."""
    first = mint(world, trader)
    world.mine(2)
    second = mint(world, trader)
    assert world.pool.matureBalanceOf(trader) == first
    with reverts("SharesImmature", trader, first, world.evm.block_number + 2):
        world.pool.burn(first + 1, 0, 0, trader, FOREVER, sender=trader)
    world.pool.transfer(attacker, first, sender=trader)
    assert world.pool.balanceOf(trader) == second
    assert world.pool.matureBalanceOf(trader) == 0
    assert world.pool.matureBalanceOf(attacker) == first


def test_mint__while_waiting__restarts_the_wait(world: PoolWorld, trader: Address) -> None:
    mint(world, trader)
    world.mine()
    mint(world, trader)
    world.mine()
    assert world.pool.matureBalanceOf(trader) == 0
    world.mine()
    assert world.pool.matureBalanceOf(trader) == world.pool.balanceOf(trader)


def test_burn__pays_what_was_quoted(world: PoolWorld, trader: Address, attacker: Address) -> None:
    """Property: P5."""
    shares = mint(world, trader)
    world.mine(2)
    world.sell(attacker, 10_000 * UNIT)
    world.mine()
    quoted = tuple(world.pool.quoteBurn(shares))
    before = [t.balanceOf(trader) for t in world.tokens]
    with reverts("InsufficientOutput", quoted[0], quoted[0] + 1):
        world.pool.burn(shares, quoted[0] + 1, 0, trader, FOREVER, sender=trader)
    with reverts("InsufficientOutput", quoted[1], quoted[1] + 1):
        world.pool.burn(shares, 0, quoted[1] + 1, trader, FOREVER, sender=trader)
    with reverts("Expired"):
        world.pool.burn(shares, *quoted, trader, world.evm.timestamp - 1, sender=trader)
    paid = tuple(world.pool.burn(shares, *quoted, trader, FOREVER, sender=trader))
    assert paid == quoted
    after = [t.balanceOf(trader) for t in world.tokens]
    assert tuple(a - b for a, b in zip(after, before, strict=True)) == quoted


def test_burn__withdraw_only__works_frozen__does_not(world: PoolWorld, whale: Address) -> None:
    """Property: S2."""
    world.mine(2)
    world.pool.setEmergencyState(State.WITHDRAW_ONLY, sender=world.gate)
    world.pool.burn(UNIT, 0, 0, whale, FOREVER, sender=whale)
    world.pool.setEmergencyState(State.FROZEN, sender=world.gate)
    with reverts("EmergencyStateForbids", State.FROZEN):
        world.pool.burn(UNIT, 0, 0, whale, FOREVER, sender=whale)
    with reverts("EmergencyStateForbids", State.FROZEN):
        world.pool.transfer(world.treasury, UNIT, sender=whale)
    with reverts("EmergencyStateForbids", State.FROZEN):
        world.pool.skim(sender=whale)
    with reverts("EmergencyStateForbids", State.FROZEN):
        world.pool.checkpoint(sender=whale)
    with reverts("EmergencyStateForbids", State.FROZEN):
        world.pool.increaseObservationCardinality(9, sender=whale)


def test_protocol_shares__growth__part_goes_to_the_treasury(
    world: PoolWorld, trader: Address, whale: Address
) -> None:
    for _ in range(6):
        world.mine()
        world.sell(trader, 50_000 * UNIT)
        world.sell(trader, 100_000 * UNIT, zero_for_one=False)
    world.mine()
    r0, r1 = world.pool.getReserves()
    supply = world.pool.totalSupply()
    world.pool.burn(UNIT, 0, 0, whale, FOREVER, sender=whale)
    accrued = world.evm.events("ProtocolSharesAccrued")[0].args["shares"]
    growth = (r0 * r1) ** 0.5 - supply
    assert abs(accrued / (supply + accrued) * (r0 * r1) ** 0.5 / growth - 0.1) < 1e-6
    world.factory.collect(world.pool, sender=trader)
    assert world.pool.balanceOf(world.treasury) == accrued
    assert world.pool.matureBalanceOf(world.treasury) == accrued


def test_protocol_shares__nothing_grew__none_are_made(world: PoolWorld, whale: Address) -> None:
    """Not even none of them: no event, no transfer to the factory."""
    world.mine(2)
    before = world.pool.balanceOf(world.factory)
    world.pool.burn(UNIT, 0, 0, whale, FOREVER, sender=whale)
    assert world.evm.events("ProtocolSharesAccrued") == []
    shares = [e for e in world.evm.events("Transfer") if e.address == world.pool.address]
    assert world.factory.address not in [e["to"] for e in shares]
    assert world.pool.balanceOf(world.factory) == before


@pytest.mark.parametrize("donated", [(5, 7), (1, 1), (1, 0), (0, 1), (0, 0)])
def test_skim__donation__goes_to_the_treasury_and_moves_no_price(
    world: PoolWorld, attacker: Address, donated: tuple[int, int]
) -> None:
    reserves = tuple(world.pool.getReserves())
    for token, amount in zip(world.tokens, donated, strict=True):
        token.transfer(world.pool, amount, sender=attacker)
    assert tuple(world.pool.getReserves()) == reserves
    world.pool.skim(sender=attacker)
    assert tuple(t.balanceOf(world.treasury) for t in world.tokens) == donated
    moved = [e["value"] for e in world.evm.events("Transfer")]
    assert moved == [amount for amount in donated if amount], "nothing is not sent"
    assert tuple(world.pool.getReserves()) == reserves


def permit_signature(
    world: PoolWorld,
    owner: Address,
    spender: Address,
    value: int,
    deadline: int,
    nonce: int,
    chain_id: int = 31_337,
) -> tuple[int, bytes, bytes]:
    signed = owner.signer.sign_message(
        encode_typed_data(
            {
                "name": "Breakwater Liquidity",
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": world.pool.address,
            },
            {
                "Permit": [
                    {"name": "owner", "type": "address"},
                    {"name": "spender", "type": "address"},
                    {"name": "value", "type": "uint256"},
                    {"name": "nonce", "type": "uint256"},
                    {"name": "deadline", "type": "uint256"},
                ]
            },
            {
                "owner": str(owner),
                "spender": str(spender),
                "value": value,
                "nonce": nonce,
                "deadline": deadline,
            },
        )
    )
    return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


def test_burn__of_nothing_or_of_more_than_there_is__reverts(
    world: PoolWorld, whale: Address
) -> None:
    world.mine(2)
    with reverts("ZeroAmount"):
        world.pool.burn(0, 0, 0, whale, FOREVER, sender=whale)
    supply = world.pool.totalSupply()
    assert tuple(world.pool.quoteBurn(supply)) == tuple(world.pool.getReserves())
    with reverts("InsufficientLiquidity"):
        world.pool.quoteBurn(supply + 1)


def test_share_token__names_itself(world: PoolWorld) -> None:
    pool = world.pool
    assert (pool.name(), pool.symbol(), pool.decimals()) == ("Breakwater Liquidity", "BWL", 18)


def test_permit__signed__allows_once(world: PoolWorld, whale: Address, attacker: Address) -> None:
    signature = permit_signature(world, whale, attacker, UNIT, FOREVER, 0)
    world.pool.permit(whale, attacker, UNIT, FOREVER, *signature, sender=attacker)
    assert world.pool.allowance(whale, attacker) == UNIT
    with reverts("InvalidSigner"):
        world.pool.permit(whale, attacker, UNIT, FOREVER, *signature, sender=attacker)
    world.mine(2)
    world.pool.transferFrom(whale, attacker, UNIT, sender=attacker)
    with reverts("InsufficientAllowance", 1, 0):
        world.pool.transferFrom(whale, attacker, 1, sender=attacker)


def test_permit__expired_or_forged__reverts(
    world: PoolWorld, whale: Address, attacker: Address
) -> None:
    past = world.evm.timestamp - 1
    signature = permit_signature(world, whale, attacker, UNIT, past, 0)
    with reverts("PermitExpired", past):
        world.pool.permit(whale, attacker, UNIT, past, *signature, sender=attacker)
    forged = permit_signature(world, attacker, attacker, UNIT, FOREVER, 0)
    with reverts("InvalidSigner"):
        world.pool.permit(whale, attacker, UNIT, FOREVER, *forged, sender=attacker)


def test_permit__after_a_fork_of_the_chain__holds_on_one_side_only(
    world: PoolWorld, whale: Address, attacker: Address
) -> None:
    fork = Evm(chain_id=1)
    fork.etch(world.pool, world.evm.code(world.pool))
    pool = fork.at("GuardedPool", world.pool)
    there = permit_signature(world, whale, attacker, UNIT, FOREVER, 0)
    with reverts("InvalidSigner"):
        pool.permit(whale, attacker, UNIT, FOREVER, *there, sender=attacker)
    here = permit_signature(world, whale, attacker, UNIT, FOREVER, 0, chain_id=1)
    pool.permit(whale, attacker, UNIT, FOREVER, *here, sender=attacker)
    assert pool.allowance(whale, attacker) == UNIT
    with reverts("InvalidSigner"):
        world.pool.permit(whale, attacker, UNIT, FOREVER, *here, sender=attacker)


def test_transfer__to_nobody_or_too_much__reverts(
    world: PoolWorld, whale: Address, attacker: Address
) -> None:
    world.mine(2)
    with reverts("InvalidReceiver"):
        world.pool.transfer("0x" + "00" * 20, 1, sender=whale)
    with reverts("InsufficientBalance", 1, 0):
        world.pool.transfer(whale, 1, sender=attacker)
