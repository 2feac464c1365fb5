"""The router's ways out, to the unit: what each amount pays, burns, tells and refuses."""

from __future__ import annotations

from tests.support.capital import FROZEN, ZERO, World, build_world
from tests.support.evm import Address, Contract, Evm, reverts

SCALE = 10**6
BURN_GAS, SHORT = 2, 5
PREVIEW_REDEEM = bytes.fromhex("4cdad506")
WITHDRAW = bytes.fromhex("b460af94")
LAST_ADDRESS = "0x" + "ff" * 20


def lent(world: World, holder: Address, assets: int, kind: str = "StrategyDouble") -> Contract:
    strategy = world.add_strategy(kind)
    world.deposit(holder, assets)
    world.lend(strategy, assets)
    return strategy


def moves_of(world: World, token: Contract) -> int:
    """How often the token moved in the last call."""
    return sum(event.address == token.address for event in world.evm.events("Transfer"))


def policy_answering(world: World, word: int) -> None:
    """From now on an access policy that answers everything with this word."""
    policy = world.evm.deploy("JunkReturner")
    policy.arm(word.to_bytes(32, "big"))
    world.router.setAccessPolicy(policy, sender=world.governance)


# ---- nothing, one, and a fraction


def test_redeem__no_share__refused_and_one_share_accepted(world: World, whale: Address) -> None:
    world.deposit(whale, 10)
    with reverts("ZeroAmount"):
        world.router.redeem(0, whale, whale, sender=whale)
    assert world.router.redeem(1, whale, whale, sender=whale) == 0


def test_withdraw__nothing__refused_and_one_accepted(world: World, whale: Address) -> None:
    world.deposit(whale, 10)
    with reverts("ZeroAmount"):
        world.router.withdraw(0, whale, whale, sender=whale)
    assert world.router.withdraw(1, whale, whale, sender=whale) == SCALE
    assert world.asset.balanceOf(whale) == 1


def test_redeem_in_kind__no_share__refused_and_one_share_accepted(
    world: World, whale: Address
) -> None:
    world.deposit(whale, 10)
    with reverts("ZeroAmount"):
        world.router.redeemInKind(0, whale, whale, sender=whale)
    assert world.router.redeemInKind(1, whale, whale, sender=whale)[0] == 0
    assert world.router.balanceOf(whale) == 10 * SCALE - 1


def test_redeem__one_share_of_another__needs_his_allowance(
    world: World, whale: Address, attacker: Address
) -> None:
    world.deposit(whale, 10)
    with reverts("ERC20InsufficientAllowance", attacker, 0, 1):
        world.router.redeem(1, attacker, whale, sender=attacker)


def test_redeem__a_fraction_of_a_unit__burns_the_shares_and_moves_no_asset(
    world: World, whale: Address
) -> None:
    world.deposit(whale, 10)
    assert world.router.redeem(SCALE - 1, whale, whale, sender=whale) == 0
    assert moves_of(world, world.asset) == 0
    assert world.evm.told("Withdraw") == [(whale, whale, whale, 0, SCALE - 1)]
    assert world.router.totalSupply() == 9 * SCALE + 1
    assert world.router.idle() == 10


def test_redeem__worth_one_unit__pays_it(world: World, whale: Address, investor: Address) -> None:
    world.deposit(whale, 10)
    assert world.router.redeem(2 * SCALE - 1, investor, whale, sender=whale) == 1
    assert world.asset.balanceOf(investor) == 1
    assert world.evm.told("Withdraw") == [(whale, investor, whale, 1, 2 * SCALE - 1)]
    burned, sent = world.evm.told("Transfer")
    assert burned == (whale, ZERO, 2 * SCALE - 1)
    assert sent == (world.router.address, investor, 1)


def test_withdraw__price_does_not_divide__shares_are_rounded_up(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10)
    world.deposit(whale, 10)
    strategy.lose(3)
    world.report(strategy)
    total1, supply1 = world.router.totalAssets() + 1, world.router.totalSupply() + SCALE
    exact = 4 * supply1
    assert exact % total1 != 0
    price = exact // total1 + 1
    assert world.router.previewWithdraw(4) == price
    with reverts("SlippageExceeded", price, price - 1):
        world.router.withdraw(4, whale, whale, price - 1, sender=whale)
    assert world.router.withdraw(4, whale, whale, price, sender=whale) == price
    assert world.evm.told("Withdraw") == [(whale, whale, whale, 4, price)]


# ---- who is paid


def test_redeem__policy_names_nobody__owner_is_paid(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R9."""
    world.deposit(whale, 10)
    policy_answering(world, 0)
    world.router.redeem(5 * SCALE, investor, whale, sender=whale)
    assert world.asset.balanceOf(whale) == 5


def test_redeem__policy_names_the_first_address__it_is_paid(world: World, whale: Address) -> None:
    world.deposit(whale, 10)
    policy_answering(world, 1)
    world.router.redeem(5 * SCALE, whale, whale, sender=whale)
    assert world.asset.balanceOf("0x" + "00" * 19 + "01") == 5


def test_redeem__policy_names_the_last_address__it_is_paid(world: World, whale: Address) -> None:
    world.deposit(whale, 10)
    policy_answering(world, 2**160 - 1)
    world.router.redeem(5 * SCALE, whale, whale, sender=whale)
    assert world.asset.balanceOf(LAST_ADDRESS) == 5


def test_redeem__policy_answers_more_than_an_address__owner_is_paid(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R9."""
    world.deposit(whale, 10)
    policy_answering(world, 2**160 + int(investor, 16))
    world.router.redeem(5 * SCALE, investor, whale, sender=whale)
    assert world.asset.balanceOf(whale) == 5


def test_redeem__policy_names_the_router__owner_is_paid(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: R9."""
    world.deposit(whale, 10)
    policy_answering(world, int(world.router.address, 16))
    world.router.redeem(5 * SCALE, investor, whale, sender=whale)
    assert world.asset.balanceOf(whale) == 5


# ---- who waits


def waiting(world: World, holder: Address, shares: int) -> Address:
    """A queue that holds so many of the holder's shares, all of them waiting."""
    queue = world.evm.account("queue")
    world.router.setExitQueue(queue, sender=world.governance)
    world.router.transfer(queue, shares, sender=holder)
    world.router.setQueuedShares(shares, sender=queue)
    return queue


def test_redeem__one_unit_more_than_is_free__says_what_is(
    world: World, whale: Address, investor: Address
) -> None:
    world.deposit(whale, 100)
    world.deposit(investor, 100)
    waiting(world, investor, 100 * SCALE)
    strategy = world.add_strategy()
    world.lend(strategy, 100)
    strategy.setLimit(True, 60)
    with reverts("InsufficientLiquidity", 61, 60):
        world.router.redeem(61 * SCALE, whale, whale, sender=whale)
    assert world.router.redeem(60 * SCALE, whale, whale, sender=whale) == 60


def test_redeem__part_of_a_unit_is_owed__counts_as_a_whole_one(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: S5. What waits is rounded up: it goes first."""
    world.deposit(whale, 100)
    world.deposit(investor, 100)
    strategy = world.add_strategy()
    world.lend(strategy, 200)
    strategy.setLimit(True, 51)
    waiting(world, investor, 30 * SCALE + 1)
    assert world.router.maxWithdraw(whale) == world.router.availableLiquidity() == 51 - 31
    with reverts("InsufficientLiquidity", 21, 20):
        world.router.withdraw(21, whale, whale, sender=whale)
    world.router.withdraw(20, whale, whale, sender=whale)


def test_withdraw__unreported_loss_and_somebody_waits__its_book_value_must_be_free(
    world: World, whale: Address, investor: Address
) -> None:
    """Property: S5. Half is lost: 21 assets take 42 of the 40 that nobody waits for."""
    strategy = world.add_strategy()
    world.deposit(whale, 60)
    world.deposit(investor, 40)
    world.lend(strategy, 100)
    waiting(world, investor, 40 * SCALE)
    waiting(world, whale, 20 * SCALE)
    world.router.setQueuedShares(60 * SCALE, sender=world.evm.account("queue"))
    strategy.lose(50)
    assert world.router.maxWithdraw(whale) == 20
    with reverts("InsufficientLiquidity", 42, 40):
        world.router.withdraw(21, whale, whale, sender=whale)
    assert world.router.withdraw(20, whale, whale, sender=whale) == 40 * SCALE


def test_redeem__idle_covers_who_waits_too__no_strategy_is_asked(
    world: World, whale: Address, investor: Address
) -> None:
    """A strategy that burns what it is given costs those nothing whom idle pays."""
    world.deposit(whale, 100)
    world.deposit(investor, 100)
    waiting(world, investor, 30 * SCALE)
    strategy = world.add_strategy()
    world.lend(strategy, 100)
    strategy.setFault(PREVIEW_REDEEM, BURN_GAS)
    assert world.router.redeem(70 * SCALE, whale, whale, sender=whale, gas=550_000) == 70


def test_withdraw__idle_and_the_meter_just_cover_who_waits__no_strategy_is_asked(
    whale: Address, investor: Address
) -> None:
    unit = 10**18
    world = build_world(Evm(), metered=True)
    assert world.breaker is not None
    for holder in (whale, investor):
        world.deposit(holder, 1_000 * unit)
    terms = (1_000 * unit, 86_400, unit)
    world.breaker.setLimit(world.router, world.asset, *terms, sender=world.governance)
    allowed = int(world.breaker.available(world.router, world.asset))
    strategy = world.add_strategy()
    world.lend(strategy, world.router.idle() - allowed)
    waiting(world, investor, 100 * unit * SCALE)
    strategy.setFault(PREVIEW_REDEEM, BURN_GAS)
    free = allowed - 100 * unit
    assert free > 0
    assert world.router.withdraw(free, whale, whale, sender=whale, gas=550_000) == free * SCALE


# ---- strategies pay


def test_redeem__first_strategy_covers_it__the_next_is_left_alone(
    world: World, whale: Address
) -> None:
    first, second = lent(world, whale, 10), lent(world, whale, 10)
    world.router.redeem(10 * SCALE, whale, whale, sender=whale)
    assert world.evm.told("DebtMoved") == [(bytes(32), first.address, False, 10, 10, 0, 0)]
    assert world.evm.told("ExitLossTaken") == []
    assert world.state(first)[8] == 0
    assert world.debt(second) == 10


def test_withdraw__a_single_unit_from_a_strategy__is_pulled(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    world.router.withdraw(1, whale, whale, sender=whale)
    assert world.evm.told("DebtMoved") == [(bytes(32), strategy.address, False, 1, 1, 9, 0)]
    assert world.state(strategy)[8] == strategy.balanceOf(world.router) == 9
    assert world.router.totalDebt() == world.router.totalAssets() == 9


def test_redeem__the_last_unit_of_a_strategy__is_paid(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 1)
    assert world.router.redeem(SCALE, whale, whale, sender=whale) == 1
    assert world.debt(strategy) == world.state(strategy)[8] == 0


def test_redeem__one_strategy_named__pays_out_of_turn(world: World, whale: Address) -> None:
    first, second = lent(world, whale, 10), lent(world, whale, 10)
    world.router.redeem(4 * SCALE, whale, whale, 0, [second.address], sender=whale)
    assert (world.debt(first), world.debt(second)) == (10, 6)


def test_redeem__names_more_than_it_needs__the_rest_is_not_looked_at(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 10)
    named = [strategy.address, world.asset.address]
    assert world.router.redeem(10 * SCALE, whale, whale, 0, named, sender=whale) == 10


def test_redeem__names_one_without_debt__the_next_pays(world: World, whale: Address) -> None:
    empty, strategy = world.add_strategy(), lent(world, whale, 10)
    named = [empty.address, strategy.address]
    assert world.router.redeem(10 * SCALE, whale, whale, 0, named, sender=whale) == 10
    assert [event[1] for event in world.evm.told("DebtMoved")] == [strategy.address]


def test_redeem__unreported_loss__says_who_bore_it(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 10)
    strategy.lose(5)
    assert world.router.redeem(4 * SCALE, whale, whale, sender=whale) == 2
    assert world.evm.told("ExitLossTaken") == [(whale, strategy.address, 4, 2)]
    assert world.evm.told("DebtMoved") == [(bytes(32), strategy.address, False, 2, 4, 6, 0)]


def test_redeem__strategy_pays_half_beside_idle__is_skipped(world: World, whale: Address) -> None:
    """Property: R1. What lies idle must not pass for what the strategy paid."""
    strategy = lent(world, whale, 50)
    world.deposit(whale, 100)
    strategy.setFault(WITHDRAW, SHORT)
    with reverts("InsufficientLiquidity", 120, 100):
        world.router.redeem(120 * SCALE, whale, whale, sender=whale)
    with reverts("InvalidStrategy", strategy.address):
        world.router.redeem(120 * SCALE, whale, whale, 0, [strategy.address], sender=whale)


def test_redeem__strategy_pays_half_beside_a_gift__is_skipped(world: World, whale: Address) -> None:
    """Property: R1. Nor must what somebody sent."""
    strategy = lent(world, whale, 50)
    world.asset.mint(world.router, 50)
    strategy.setFault(WITHDRAW, SHORT)
    with reverts("InsufficientLiquidity", 20, 0):
        world.router.redeem(20 * SCALE, whale, whale, sender=whale)


def test_redeem__strategy_pays_and_answers_nothing__is_skipped(
    world: World, whale: Address
) -> None:
    strategy = lent(world, whale, 50, "OddAnswers")
    strategy.setMute(True)
    with reverts("InsufficientLiquidity", 20, 0):
        world.router.redeem(20 * SCALE, whale, whale, sender=whale)
    assert world.router.previewRedeem(20 * SCALE) == 20


def test_redeem__strategy_burns_more_shares_than_it_says__is_skipped(
    world: World, whale: Address
) -> None:
    """Property: R1. The books never count shares that are not there."""
    strategy = lent(world, whale, 50, "OddVault")
    strategy.setOdd(0, 1)
    with reverts("InsufficientLiquidity", 20, 0):
        world.router.redeem(20 * SCALE, whale, whale, sender=whale)


def test_redeem__too_little_gas_for_a_strategy__refused_instead_of_skipping_it(
    world: World, whale: Address
) -> None:
    """Property: R9. Nobody chooses by his gas limit whom to skip."""
    strategy = lent(world, whale, 50)
    strategy.setFault(WITHDRAW, BURN_GAS)
    with reverts("InsufficientLiquidity", 20, 0):
        world.router.redeem(20 * SCALE, whale, whale, sender=whale)
    with reverts("InsufficientGas"):
        world.router.redeem(20 * SCALE, whale, whale, sender=whale, gas=800_000)


# ---- locked while strategies pay


def test_withdraw__strategy_asks_for_a_price__is_refused(world: World, whale: Address) -> None:
    strategy = lent(world, whale, 100)
    strategy.arm(world.router, world.router.calldata("totalAssets"))
    world.router.withdraw(10, whale, whale, sender=whale)
    assert strategy.calledBack()
    assert not strategy.callSucceeded()
    assert world.router.totalAssets() == 90, "and afterwards it is open again"


def test_withdraw__strategy_has_the_router_frozen__stays_frozen(
    world: World, whale: Address
) -> None:
    """Property: S2. The brake waits for nobody, and no exit undoes it."""
    strategy = lent(world, whale, 100)
    world.freeze_inside(strategy)
    world.router.withdraw(10, whale, whale, sender=whale)
    assert strategy.callSucceeded()
    assert world.router.emergencyState() == FROZEN


def test_redeem__strategy_has_the_router_frozen__stays_frozen(world: World, whale: Address) -> None:
    """Property: S2."""
    strategy = lent(world, whale, 100)
    world.freeze_inside(strategy)
    world.router.redeem(10 * SCALE, whale, whale, sender=whale)
    assert world.router.emergencyState() == FROZEN
