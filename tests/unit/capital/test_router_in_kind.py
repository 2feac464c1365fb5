"""Leaving in kind, to the unit: which shares go, which are owed, and what the books keep."""

from __future__ import annotations

from tests.support.capital import BPS, FROZEN, MAX_112, WITHDRAW_ONLY, World
from tests.support.evm import Address, Contract, reverts

SCALE = 10**6


def moved(world: World, token: Contract) -> list[int]:
    """What the last call moved of a token."""
    return [e["value"] for e in world.evm.events("Transfer") if e.address == token.address]


def invested(world: World, holder: Address, assets: int, lend: int) -> Contract:
    """Deposits, and lends a part to a strategy that can answer oddly."""
    strategy = world.add_strategy("OddAnswers")
    world.deposit(holder, assets)
    world.lend(strategy, lend)
    return strategy


def in_kind(world: World, holder: Address, shares: int) -> tuple[int, list[str], list[int]]:
    assets, strategies, parts = world.router.redeemInKind(shares, holder, holder, sender=holder)
    return int(assets), list(strategies), list(parts)


# ---- the parts


def test_redeem_in_kind__nothing_divides__every_part_is_rounded_down(
    world: World, whale: Address
) -> None:
    """Property: R2. Five of eleven parts of 4 idle assets and of 6 lent ones."""
    strategy = invested(world, whale, 10, 6)
    assert in_kind(world, whale, 5 * SCALE) == (1, [strategy.address], [2])
    (event,) = world.evm.told("InKindRedeemed")
    assert event[:4] == (whale, whale, 5 * SCALE, 1)
    assert (list(event[4]), list(event[5])) == ([strategy.address], [2])
    (event,) = world.evm.told("DebtMoved")
    assert event[:6] == (bytes(32), strategy.address, False, 0, 2, 4)
    assert world.evm.told("Withdraw") == [(whale, whale, whale, 1, 5 * SCALE)]
    router = world.router
    assert (router.idle(), router.totalDebt(), router.totalSupply()) == (3, 4, 5 * SCALE)
    assert (world.debt(strategy), world.state(strategy)[8]) == (4, 4)
    assert (strategy.balanceOf(whale), world.asset.balanceOf(whale)) == (2, 1)


def test_redeem_in_kind__unreported_gain__part_is_what_its_book_value_buys(
    world: World, whale: Address
) -> None:
    """Property: R2. 40 of 44 parts of 33 shares are 30; worth 50 for a debt of 33, 19 of them."""
    strategy = invested(world, whale, 43, 33)
    strategy.gain(17)
    shares, supply1 = 40 * SCALE, 44 * SCALE
    worth = strategy.previewRedeem(33)
    assert worth == 50 - 1
    part = (33 * shares // supply1) * 33 // worth
    assert in_kind(world, whale, shares) == (10 * 40 // 44, [strategy.address], [part])
    assert world.state(strategy)[8] == 33 - part
    assert world.debt(strategy) == 33 - 30


def test_redeem_in_kind__unreported_loss__part_is_of_the_shares(
    world: World, whale: Address
) -> None:
    strategy = invested(world, whale, 43, 33)
    strategy.lose(20)
    assert in_kind(world, whale, 40 * SCALE)[2] == [30]


def test_redeem_in_kind__worthless_strategy__its_shares_leave(world: World, whale: Address) -> None:
    """Property: R9."""
    strategy = invested(world, whale, 43, 33)
    strategy.lose(33)
    assert in_kind(world, whale, 40 * SCALE)[2] == [30]
    assert strategy.balanceOf(whale) == 30


def test_redeem_in_kind__a_part_of_one__leaves_and_is_told(world: World, whale: Address) -> None:
    strategy = invested(world, whale, 10, 2)
    assert in_kind(world, whale, 6 * SCALE)[2] == [1]
    assert strategy.balanceOf(whale) == 1
    assert [event[4:6] for event in world.evm.told("DebtMoved")] == [(1, 1)]


def test_redeem_in_kind__a_part_of_nothing__moves_and_tells_nothing(
    world: World, whale: Address
) -> None:
    strategy = invested(world, whale, 10, 1)
    assert in_kind(world, whale, 6 * SCALE)[2] == [0]
    assert moved(world, strategy) == []
    assert world.evm.told("DebtMoved") == world.evm.told("InKindOwed") == []
    assert world.debt(strategy) == world.router.totalDebt() == 1


def test_redeem_in_kind__two_strategies__each_gives_its_part(world: World, whale: Address) -> None:
    first = invested(world, whale, 10, 10)
    second = invested(world, whale, 33, 33)
    assert in_kind(world, whale, 22 * SCALE) == (0, [first.address, second.address], [5, 16])
    assert world.router.totalDebt() == 5 + 17
    assert [world.debt(s) for s in (first, second)] == [5, 17]


def test_redeem_in_kind__strategy_asks_for_a_price_meanwhile__is_refused(
    world: World, whale: Address
) -> None:
    """A strategy that answers by what it can read would change its own part."""
    strategy = invested(world, whale, 43, 33)
    strategy.setQuestion(world.router, world.router.calldata("totalAssets"))
    assert strategy.previewRedeem(33) == 66, "between calls it is answered"
    assert in_kind(world, whale, 40 * SCALE)[2] == [30]


# ---- transfers that fail


def test_redeem_in_kind__transfer_answers_no__is_owed(world: World, whale: Address) -> None:
    """Property: R9."""
    strategy = invested(world, whale, 10, 10)
    strategy.setTransfer(bytes(32), False)
    in_kind(world, whale, 4 * SCALE)
    assert world.router.owedInKind(strategy, whale) == 3
    assert world.evm.told("InKindOwed") == [(whale, strategy.address, 3)]


def test_redeem_in_kind__transfer_answers_two__is_owed(world: World, whale: Address) -> None:
    strategy = invested(world, whale, 10, 10)
    strategy.setTransfer((2).to_bytes(32, "big"), False)
    in_kind(world, whale, 4 * SCALE)
    assert world.router.owedInKind(strategy, whale) == 3


def test_redeem_in_kind__transfer_answers_yes__nothing_is_owed(
    world: World, whale: Address
) -> None:
    strategy = invested(world, whale, 10, 10)
    strategy.setTransfer((1).to_bytes(32, "big"), True)
    in_kind(world, whale, 4 * SCALE)
    assert world.router.owedInKind(strategy, whale) == 0
    assert strategy.balanceOf(whale) == 3
    assert world.evm.told("InKindOwed") == []


def test_redeem_in_kind__transfer_answers_nothing__nothing_is_owed(
    world: World, whale: Address
) -> None:
    strategy = invested(world, whale, 10, 10)
    strategy.setTransfer(b"", True)
    in_kind(world, whale, 4 * SCALE)
    assert world.router.owedInKind(strategy, whale) == 0
    assert strategy.balanceOf(whale) == 3


# ---- what is owed


def owing(world: World, holder: Address) -> Contract:
    """A strategy that refused to move 3 of its 10 shares."""
    strategy = invested(world, holder, 10, 10)
    strategy.setTransfer(bytes(32), False)
    in_kind(world, holder, 4 * SCALE)
    strategy.setTransfer((1).to_bytes(32, "big"), True)
    return strategy


def test_claim_in_kind__owed__moves_it_once_and_tells(world: World, whale: Address) -> None:
    strategy = owing(world, whale)
    assert world.router.claimInKind(strategy, whale) == 3
    assert world.evm.told("InKindClaimed") == [(whale, strategy.address, 3)]
    assert strategy.balanceOf(whale) == 3
    with reverts("ZeroAmount"):
        world.router.claimInKind(strategy, whale)


def test_claim_in_kind__a_single_share__moves(world: World, whale: Address) -> None:
    strategy = invested(world, whale, 10, 2)
    strategy.setTransfer(bytes(32), False)
    in_kind(world, whale, 6 * SCALE)
    strategy.setTransfer((1).to_bytes(32, "big"), True)
    assert world.router.claimInKind(strategy, whale) == 1


def test_claim_in_kind__frozen__waits_and_withdraw_only__moves(
    world: World, whale: Address
) -> None:
    """Property: S2."""
    strategy = owing(world, whale)
    world.set_state(FROZEN)
    with reverts("EmergencyStateForbids", FROZEN):
        world.router.claimInKind(strategy, whale)
    world.set_state(WITHDRAW_ONLY)
    assert world.router.claimInKind(strategy, whale) == 3


def test_claim_in_kind__strategy_reenters__is_refused(world: World, whale: Address) -> None:
    strategy = owing(world, whale)
    strategy.arm(world.router, world.router.calldata("totalAssets"))
    world.router.claimInKind(strategy, whale)
    assert strategy.calledBack()
    assert not strategy.callSucceeded()
    assert world.router.totalAssets() == 7


def test_redeem_in_kind__strategy_reenters_as_its_shares_leave__is_refused(
    world: World, whale: Address
) -> None:
    strategy = invested(world, whale, 10, 10)
    strategy.arm(world.router, world.router.calldata("totalAssets"))
    in_kind(world, whale, 4 * SCALE)
    assert strategy.calledBack()
    assert not strategy.callSucceeded()


def test_owed_in_kind__refused_again__adds_up(world: World, whale: Address) -> None:
    strategy = invested(world, whale, 21, 21)
    strategy.setTransfer(bytes(32), False)
    first = in_kind(world, whale, 4 * SCALE)[2][0]
    second = in_kind(world, whale, 4 * SCALE)[2][0]
    assert first > 0 < second
    assert world.router.owedInKind(strategy, whale) == first + second


def test_add_strategy__some_of_its_shares_are_owed__books_hold_the_rest(
    world: World, whale: Address
) -> None:
    """Property: R1. What is owed is not the router's, and once claimed no longer there."""
    strategy = owing(world, whale)
    router, governance = world.router, world.governance
    router.removeStrategy(strategy, True, sender=governance)
    with world.evm.rollback():
        router.addStrategy(strategy, MAX_112, BPS, sender=governance)
        assert world.state(strategy)[8] == 7
    router.claimInKind(strategy, whale)
    router.addStrategy(strategy, MAX_112, BPS, sender=governance)
    assert world.state(strategy)[8] == strategy.balanceOf(router) == 7


def test_add_strategy__owed_twice__books_hold_the_rest(world: World, whale: Address) -> None:
    """Property: R1."""
    strategy = invested(world, whale, 21, 21)
    strategy.setTransfer(bytes(32), False)
    left = 21 - sum(in_kind(world, whale, 4 * SCALE)[2][0] for _ in range(2))
    world.router.removeStrategy(strategy, True, sender=world.governance)
    world.router.addStrategy(strategy, MAX_112, BPS, sender=world.governance)
    assert world.state(strategy)[8] == left < strategy.balanceOf(world.router)
