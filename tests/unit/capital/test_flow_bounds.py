"""Gateway, queue and harvester at their edges: who is refused, which views answer what."""

from __future__ import annotations

import pytest

from tests.support.capital import DAY, KEEPER, ZERO
from tests.support.evm import Evm, reverts
from tests.support.flows import Flows, flows

UNIT, SHARE = 10**18, 10**24


@pytest.fixture
def world() -> Flows:
    return flows(Evm())


def policy_of(world: Flows) -> object:
    policy = world.evm.deploy("PolicyDouble")
    world.router.setAccessPolicy(policy, sender=world.governance)
    return policy


# ---- gateway


def test_settle__loss_under_review__exits_at_the_price_after_it_and_no_deposit(
    world: Flows,
) -> None:
    """Property: R5. Who signed for the book value keeps his shares; nobody comes in."""
    plane = world.capital
    patient, hasty = world.invest("whale", 100 * UNIT), world.invest("attacker", 100 * UNIT)
    newcomer = world.fund("investor", UNIT)
    world.lend_all_but(100 * UNIT)
    plane.set_health(world.strategy, loss_bps=100)
    world.lose(50 * UNIT, report=True)
    shares = world.router.balanceOf(hasty)
    few = shares // 4
    book = world.router.convertToAssets(few)
    done = world.settle(
        world.deposit_intent(newcomer, UNIT),
        world.exit_intent(patient, few, minimum=book),
        world.exit_intent(hasty, shares),
    )
    assert done == (0, 1)
    assert world.rejections() == [(newcomer, "NO_ROOM"), (patient, "BELOW_MINIMUM")]
    assert 75 * UNIT - 2 <= world.asset.balanceOf(hasty) <= 75 * UNIT
    assert world.router.balanceOf(patient) == shares


def test_settle__somebody_waits_in_the_queue__exits_see_what_he_is_not_owed(world: Flows) -> None:
    waits, leaves = world.invest("whale", 6 * UNIT), world.invest("investor", 6 * UNIT)
    world.set_liquidity(7 * UNIT)
    world.queue.requestRedeem(6 * SHARE, waits, waits, sender=waits)
    done = world.settle(world.exit_intent(leaves, 2 * SHARE), world.exit_intent(leaves, SHARE))
    assert done == (0, 1)
    assert world.rejections() == [(leaves, "NO_ROOM")]
    assert world.asset.balanceOf(leaves) == UNIT


def test_settle__breaker_lets_out_less_than_idle__exits_stay_within() -> None:
    """Property: S1."""
    metered = flows(Evm(), metered=True)
    breaker = metered.capital.breaker
    assert breaker is not None
    holders = [metered.invest(name, 10 * UNIT) for name in ("whale", "investor")]
    terms = (16 * UNIT, DAY, UNIT)
    breaker.setLimit(metered.router, metered.asset, *terms, sender=metered.governance)
    metered.evm.mine(1, DAY)
    free = breaker.available(metered.router, metered.asset)
    assert free == 8 * UNIT
    done = metered.settle(*(metered.exit_intent(h, 5 * SHARE) for h in holders))
    assert done == (0, 1)
    assert metered.rejections() == [(holders[1], "NO_ROOM")]


def test_settle__breaker_cannot_say__exits_leave_unmetered() -> None:
    """Property: R9."""
    metered = flows(Evm(), metered=True)
    holder = metered.invest("whale", 10 * UNIT)
    metered.evm.etch(metered.capital.breaker, "Reverter")
    assert metered.settle(metered.exit_intent(holder, SHARE)) == (0, 1)
    assert [event["assets"] for event in metered.evm.events("Unmetered")] == [UNIT]


def test_settle__the_price_rises_while_assets_are_pulled__whole_batch_refused() -> None:
    """Whoever was judged by the lower price gets no less than he signed for."""
    world = flows(Evm(), 18, "ReentrantToken")
    plane = world.capital
    world.invest("founder", 10 * UNIT)
    world.lend_all_but(0)
    world.router.setProfitUnlockTime(0, sender=world.governance)
    plane.authority.grantRole(KEEPER, world.asset, 0, sender=world.governance)
    owner = world.fund("investor", UNIT)
    preview = world.router.previewDeposit(UNIT)
    world.strategy.gain(UNIT)
    report = world.router.calldata("processReport", world.strategy.address)
    intent = world.deposit_intent(owner, UNIT, minimum=preview)
    with world.evm.rollback():
        world.asset.arm(world.router, report, True)
        world.asset.transfer(owner, 0, sender=owner)
        assert world.asset.lastSuccess()
        fewer = world.router.previewDeposit(UNIT)
        assert fewer < preview, "the report in the hook makes shares dearer"
    world.asset.arm(world.router, report, True)
    with reverts("PriceMoved", preview, fewer):
        world.settle(intent)
    assert world.asset.balanceOf(owner) == UNIT
    assert not world.gateway.isNonceUsed(owner, intent.nonce)


def test_settle__exit_wants_one_more_than_the_price__below_minimum(world: Flows) -> None:
    """At the price itself it is paid."""
    world.make_price_awkward(UNIT)
    holder = world.invest("investor", 5 * UNIT)
    shares = world.router.balanceOf(holder)
    price = world.router.convertToAssets(shares)
    greedy = world.exit_intent(holder, shares, minimum=price + 1)
    assert world.settle(greedy) == (0, 0)
    assert world.rejections() == [(holder, "BELOW_MINIMUM")]
    assert not world.gateway.isNonceUsed(holder, greedy.nonce)
    assert world.router.balanceOf(holder) == shares
    assert world.settle(world.exit_intent(holder, shares, minimum=price)) == (0, 1)
    assert world.asset.balanceOf(holder) == price


def test_settle__a_loss_appears_while_strategies_pay__no_exit_below_what_was_signed(
    world: Flows,
) -> None:
    """The first strategy's exit makes the second lose: after the batch was judged."""
    plane = world.capital
    tight, loose = world.invest("investor", 10 * UNIT), world.invest("whale", 10 * UNIT)
    second = plane.add_strategy()
    plane.lend(world.strategy, 10 * UNIT)
    plane.lend(second, 10 * UNIT)
    plane.router.setExitOrder([world.strategy, second], sender=world.governance)
    exits = [
        world.exit_intent(tight, 10 * SHARE, minimum=10 * UNIT),
        world.exit_intent(loose, 10 * SHARE),
    ]
    with world.evm.rollback():
        assert world.settle(*exits) == (0, 2), "without the loss both are paid"
    world.strategy.arm(second, second.calldata("lose", 4 * UNIT))
    with reverts("PriceMoved", 10 * UNIT, 8 * UNIT):
        world.settle(*exits)
    assert second.totalAssets() == 10 * UNIT
    for holder in (tight, loose):
        assert world.router.balanceOf(holder) == 10 * SHARE


@pytest.mark.parametrize("fault", ["setBroken", "setTransfersBroken"])
def test_settle__policy_fails__deposit_refused(world: Flows, fault: str) -> None:
    policy = policy_of(world)
    getattr(policy, fault)(True)
    owner = world.fund("investor", UNIT)
    assert world.settle(world.deposit_intent(owner, UNIT)) == (0, 0)
    assert world.rejections() == [(owner, "REFUSED")]


def test_settle__policy_fails_on_an_exit__owner_is_paid(world: Flows) -> None:
    """Property: R9."""
    owner, heir = world.invest("whale", UNIT), world.evm.account("heir")
    policy = policy_of(world)
    policy.setExitsBroken(True)  # type: ignore[attr-defined]
    assert world.settle(world.exit_intent(owner, SHARE, receiver=heir)) == (0, 1)
    assert (world.asset.balanceOf(owner), world.asset.balanceOf(heir)) == (UNIT, 0)


def test_withdraw_held__owner_denied_since__goes_where_the_policy_says() -> None:
    world = flows(Evm(), 18, "BarringToken")
    owner, escrow = world.invest("whale", UNIT), world.evm.account("escrow")
    world.asset.bar(owner, True)
    assert world.settle(world.exit_intent(owner, SHARE)) == (0, 1)
    assert world.gateway.heldOf(owner) == UNIT
    with reverts("ZeroAddress"):
        world.gateway.withdrawHeld(ZERO, sender=owner)
    policy = policy_of(world)
    policy.setEscrow(escrow)  # type: ignore[attr-defined]
    policy.setDenied(owner, True)  # type: ignore[attr-defined]
    assert world.gateway.withdrawHeld(world.evm.account("heir"), sender=owner) == UNIT
    assert world.asset.balanceOf(escrow) == UNIT
    assert world.gateway.totalHeld() == 0


def test_cancel_nonce__used_or_cancelled__reverts(world: Flows) -> None:
    owner = world.fund("investor", 2 * UNIT)
    world.settle(world.deposit_intent(owner, UNIT, nonce=300))
    for nonce in (300, 301):
        if nonce == 301:
            world.gateway.cancelNonce(nonce, sender=owner)
        assert world.gateway.isNonceUsed(owner, nonce)
        with reverts("NonceAlreadyUsed", owner, nonce):
            world.gateway.cancelNonce(nonce, sender=owner)
    assert not world.gateway.isNonceUsed(owner, 299)
    assert world.settle(world.deposit_intent(owner, UNIT, nonce=301)) == (0, 0)
    assert world.rejections() == [(owner, "NONCE_USED")]


def test_settle__refused_for_its_price_or_room__nonce_stays_usable(world: Flows) -> None:
    """The nonce is used up before anything is called, and given back if nothing was settled."""
    owner = world.fund("investor", 2 * UNIT)
    dear = world.deposit_intent(owner, UNIT, minimum=10**30, nonce=7)
    assert world.settle(dear) == (0, 0)
    assert not world.gateway.isNonceUsed(owner, 7)
    world.router.lowerDepositCap(UNIT // 2, sender=world.capital.guardian)
    assert world.settle(world.deposit_intent(owner, UNIT, nonce=7)) == (0, 0)
    assert world.rejections() == [(owner, "NO_ROOM")]
    assert not world.gateway.isNonceUsed(owner, 7)
    assert world.settle(world.deposit_intent(owner, UNIT // 2, nonce=7)) == (1, 0)
    assert world.gateway.isNonceUsed(owner, 7)


# ---- queue


def test_queue__nothing_or_nobody__reverts(world: Flows) -> None:
    owner = world.invest("whale", UNIT)
    with reverts("ZeroAmount"):
        world.queue.exit(0, owner, owner, 0, sender=owner)
    with reverts("ZeroAddress"):
        world.queue.exit(SHARE, ZERO, owner, 0, sender=owner)
    world.queue.requestRedeem(SHARE, owner, owner, sender=owner)
    with reverts("ZeroAddress"):
        world.queue.cancelRedeem(1, ZERO, sender=owner)


def test_claimable__of_somebody_elses_request__zero(world: Flows) -> None:
    owner, other = world.invest("whale", UNIT), world.invest("investor", UNIT)
    world.queue.requestRedeem(SHARE, owner, owner, sender=owner)
    world.queue.process(1)
    assert world.queue.claimableRedeemRequest(1, owner) == SHARE
    assert world.queue.claimableRedeemRequest(1, other) == 0


# ---- what cannot be built


@pytest.mark.parametrize("missing", range(2))
def test_constructors__without_router_or_gate__revert(world: Flows, missing: int) -> None:
    place = [world.router.address, str(world.gate)]
    place[missing] = ZERO
    router, gate = place
    authority = world.authority.address
    with reverts():
        world.evm.deploy("DepositGateway", router, authority, gate)
    with reverts():
        world.evm.deploy("ExitQueue", router, gate)
    with reverts():
        world.evm.deploy("YieldHarvester", router, world.asset, authority, gate)


def test_harvester__views_and_routes__as_built(world: Flows) -> None:
    oracle = world.evm.deploy("RateOracle")
    made = ("YieldHarvester", world.router, oracle, world.authority, world.gate)
    harvester = world.evm.deploy(*made)
    assert harvester.router() == world.router.address
    assert harvester.oracle() == oracle.address
    with reverts("ZeroAddress"):
        harvester.setRoute(ZERO, oracle, 10, sender=world.governance)
    with reverts():
        world.evm.deploy("YieldHarvester", world.router, ZERO, world.authority, world.gate)
    assert world.gateway.router() == world.router.address


def test_registry__nobody__is_no_provider_and_no_investor(evm: Evm) -> None:
    world = flows(evm)
    registry = world.evm.deploy("InvestorRegistry", world.authority)
    with reverts("ZeroAddress"):
        registry.addProvider(ZERO, sender=world.governance)
    with reverts("ZeroAddress"):
        registry.deny(ZERO, b"reason".ljust(32, b"\0"), sender=world.governance)
