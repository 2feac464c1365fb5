"""What the deposit gateway settles, what it refuses and why, and that it keeps nothing."""

from __future__ import annotations

from dataclasses import replace
from math import gcd

import pytest

from tests.support.evm import Contract, Evm, interface, reverts
from tests.support.flows import FROZEN, NORMAL, THROTTLED, WITHDRAW_ONLY, Flows, Intent, flows

UNIT = 10**18
# Shares of an asset unit while the price is one.
SHARE = 10**24


@pytest.fixture
def world() -> Flows:
    return flows(Evm())


def assert_empty(world: Flows) -> None:
    """Nothing rests in the gateway but refused payouts."""
    assert world.asset.balanceOf(world.gateway) == world.gateway.totalHeld()
    assert world.router.balanceOf(world.gateway) == 0
    assert world.asset.allowance(world.gateway, world.router) == 0


def ratio(world: Flows) -> tuple[int, int]:
    """The router's price: assets over shares, virtual ones included."""
    return world.router.totalAssets() + 1, world.router.totalSupply() + world.scale


# ---- deposits


def test_settle__two_deposits__one_router_deposit_and_exact_shares(world: Flows) -> None:
    world.make_price_awkward(UNIT)
    first = world.fund("investor", 5 * UNIT)
    second = world.fund("whale", 11 * UNIT)
    intents = [world.deposit_intent(first, 5 * UNIT - 7), world.deposit_intent(second, 11 * UNIT)]
    total1, supply1 = ratio(world)
    assert world.settle(*intents) == (2, 0)

    batch = world.evm.events("BatchSettled")[0]
    settled = world.evm.events("DepositSettled")
    minted = (16 * UNIT - 7) * supply1 // total1
    assert batch["assetsIn"] == 16 * UNIT - 7
    assert batch["sharesOut"] == minted
    assert batch["by"] == world.batcher
    alone = [i.amount * supply1 // total1 for i in intents]
    surplus = minted - sum(alone)
    head = surplus * intents[0].amount // (16 * UNIT - 7)
    expected = [alone[0] + head, alone[1] + surplus - head]
    assert [e["shares"] for e in settled] == expected
    assert world.router.balanceOf(first) == expected[0]
    assert world.router.balanceOf(second) == expected[1]
    assert world.asset.balanceOf(first) == 7
    assert_empty(world)


def test_settle__receiver_named__gets_the_shares(world: Flows) -> None:
    owner, receiver = world.fund("investor", UNIT), world.evm.account("custodian")
    world.settle(world.deposit_intent(owner, UNIT, receiver=receiver))
    assert world.router.balanceOf(receiver) == SHARE
    assert world.router.balanceOf(owner) == 0


def test_settle__minimum_is_the_exact_preview__settles(world: Flows) -> None:
    world.make_price_awkward(UNIT)
    first, second = world.fund("investor", 5 * UNIT), world.fund("whale", 9 * UNIT)
    preview = world.router.previewDeposit
    intents = [
        world.deposit_intent(owner, assets, minimum=preview(assets))
        for owner, assets in ((first, 3 * UNIT + 1), (second, 9 * UNIT - 5))
    ]
    assert world.settle(*intents) == (2, 0)


def test_settle__the_reference_rounds_off_the_last_share__the_exact_answer_counts(
    world: Flows,
) -> None:
    """The batch's own rate would buy one share less than the router gives."""
    world.make_price_awkward(UNIT)
    total1, supply1 = ratio(world)
    assets = total1 // gcd(total1, supply1)
    exact = world.router.previewDeposit(assets)
    assert exact * total1 == assets * supply1, "nothing is rounded"
    assert assets * world.router.previewDeposit(2**112) >> 112 == exact - 1
    owner = world.fund("investor", 2 * assets)
    assert world.settle(world.deposit_intent(owner, assets, minimum=exact)) == (1, 0)
    assert world.router.balanceOf(owner) == exact


def test_settle__minimum_one_above_the_preview__below_minimum(world: Flows) -> None:
    world.make_price_awkward(UNIT)
    owner, whale = world.fund("investor", 5 * UNIT), world.fund("whale", 5 * UNIT)
    minimum = world.router.previewDeposit(5 * UNIT) + 1
    greedy = world.deposit_intent(owner, 5 * UNIT, minimum=minimum)
    assert world.settle(greedy, world.deposit_intent(whale, UNIT)) == (1, 0)
    assert world.rejections() == [(owner, "BELOW_MINIMUM")]
    assert not world.gateway.isNonceUsed(owner, greedy.nonce)
    assert world.asset.balanceOf(owner) == 5 * UNIT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"deadline": 1_699_999_999}, "EXPIRED"),
        ({"amount": 0}, "ZERO_AMOUNT"),
        ({"amount": 10 * UNIT + 1}, "NOT_FUNDED"),
        ({"amount": 2**255}, "NO_ROOM"),
        ({"signature": b""}, "BAD_SIGNATURE"),
        ({"signature": bytes(65)}, "BAD_SIGNATURE"),
        ({"minimum": 2**256 - 1}, "BELOW_MINIMUM"),
        ({"receiver": "0x" + "00" * 20}, "REFUSED"),
    ],
)
def test_settle__one_intent_is_bad__others_settle(
    world: Flows, change: dict[str, object], reason: str
) -> None:
    bad_owner, good_owner = world.fund("investor", 10 * UNIT), world.fund("whale", UNIT)
    bad = replace(world.deposit_intent(bad_owner, UNIT), **change)
    good = world.deposit_intent(good_owner, UNIT)
    assert world.settle(bad, good) == (1, 0)
    assert world.rejections() == [(bad_owner, reason)]
    assert world.router.balanceOf(good_owner) == SHARE
    assert not world.gateway.isNonceUsed(bad_owner, bad.nonce)
    assert_empty(world)


@pytest.mark.parametrize("place", ["router", "gateway"])
def test_settle__receiver_can_never_be_paid__refused(world: Flows, place: str) -> None:
    owner = world.fund("investor", UNIT)
    holder = world.invest("whale", UNIT)
    receiver = getattr(world, place).address
    entry = world.deposit_intent(owner, UNIT, receiver=receiver)
    leave = world.exit_intent(holder, SHARE, receiver=receiver)
    assert world.settle(entry, leave) == (0, 0)
    assert world.rejections() == [(owner, "REFUSED"), (holder, "REFUSED")]


def test_settle__cap_leaves_room_for_one__the_other_has_no_room(world: Flows) -> None:
    first, second = world.fund("investor", 5 * UNIT), world.fund("whale", 5 * UNIT)
    world.router.lowerDepositCap(7 * UNIT, sender=world.capital.guardian)
    intents = [world.deposit_intent(first, 5 * UNIT), world.deposit_intent(second, 5 * UNIT)]
    assert world.settle(*intents) == (1, 0)
    assert world.rejections() == [(second, "NO_ROOM")]


def test_settle__same_intent_twice__nonce_used(world: Flows) -> None:
    owner = world.fund("attacker", 10 * UNIT)
    intent = world.deposit_intent(owner, UNIT)
    assert world.settle(intent, intent) == (1, 0)
    assert world.rejections() == [(owner, "NONCE_USED")]
    assert world.settle(intent) == (0, 0)
    assert world.rejections() == [(owner, "NONCE_USED")]
    assert world.asset.balanceOf(owner) == 9 * UNIT


def test_settle__nonces_out_of_order_and_far_apart__each_works_once(world: Flows) -> None:
    owner = world.fund("investor", 10 * UNIT)
    for nonce in (5, 3, 256, 2**256 - 1, 0):
        assert world.settle(world.deposit_intent(owner, UNIT, nonce=nonce)) == (1, 0)
        assert world.gateway.isNonceUsed(owner, nonce)
    assert not world.gateway.isNonceUsed(owner, 4)


# ---- signatures that belong elsewhere


def test_settle__signed_for_another_gateway__bad_signature(world: Flows) -> None:
    other = world.evm.deploy("DepositGateway", world.router, world.authority, world.gate)
    owner = world.fund("investor", UNIT)
    intent = world.deposit_intent(owner, UNIT)
    stolen = replace(intent, signature=intent.signed(other)[1])
    assert world.settle(stolen) == (0, 0)
    assert world.rejections() == [(owner, "BAD_SIGNATURE")]


def test_settle__signed_for_another_chain__bad_signature(
    world: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = world.fund("investor", UNIT)
    intent = world.deposit_intent(owner, UNIT)
    with monkeypatch.context() as patch:
        patch.setattr("tests.support.flows.CHAIN_ID", 1)
        signature = intent.signed(world.gateway)[1]
    assert world.settle(replace(intent, signature=signature)) == (0, 0)
    assert world.rejections() == [(owner, "BAD_SIGNATURE")]


def test_settle__deposit_signature_used_as_exit__bad_signature(world: Flows) -> None:
    owner = world.invest("investor", UNIT)
    entry = world.deposit_intent(owner, UNIT)
    signature = entry.signed(world.gateway)[1]
    crossed = world.exit_intent(owner, SHARE, nonce=entry.nonce, signature=signature)
    assert world.settle(crossed) == (0, 0)
    assert world.rejections() == [(owner, "BAD_SIGNATURE")]


@pytest.mark.parametrize("field", ["receiver", "amount", "minimum", "nonce", "deadline"])
def test_settle__any_field_altered__bad_signature(world: Flows, field: str) -> None:
    owner = world.fund("investor", 10 * UNIT)
    intent = world.deposit_intent(owner, UNIT, minimum=5)
    signature = intent.signed(world.gateway)[1]
    value = world.evm.account("attacker") if field == "receiver" else getattr(intent, field) + 1
    altered = replace(intent, **{field: value, "signature": signature})
    assert world.settle(altered) == (0, 0)
    assert world.rejections() == [(owner, "BAD_SIGNATURE")]


def test_settle__high_s_twin_of_a_signature__bad_signature(world: Flows) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    owner = world.fund("investor", UNIT)
    intent = world.deposit_intent(owner, UNIT)
    signature = intent.signed(world.gateway)[1]
    s = order - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    assert world.settle(replace(intent, signature=twin)) == (0, 0)


def test_digest__equals_the_typed_data_hash(world: Flows) -> None:
    owner = world.fund("investor", UNIT)
    assert world.gateway.depositDigest(
        world.deposit_intent(owner, UNIT, nonce=9).fields()
    ) != world.gateway.exitDigest(world.exit_intent(owner, SHARE, nonce=9).fields())


# ---- contract wallets


def wallet_with(world: Flows, name: str, assets: int, *args: object) -> Contract:
    wallet = world.evm.deploy(name, *args)
    world.asset.mint(wallet, assets)
    world.asset.approve(world.gateway, 2**256 - 1, sender=wallet)
    return wallet


def test_settle__contract_wallet_signs__settles(world: Flows) -> None:
    key = world.evm.account("signer")
    wallet = wallet_with(world, "ContractWallet", UNIT, key)
    intent = world.deposit_intent(wallet.address, UNIT, signer=key)
    assert world.settle(intent) == (1, 0)
    assert world.router.balanceOf(wallet) == SHARE


def test_settle__contract_wallet_with_a_strangers_key__bad_signature(world: Flows) -> None:
    wallet = wallet_with(world, "ContractWallet", UNIT, world.evm.account("signer"))
    intent = world.deposit_intent(wallet.address, UNIT, signer=world.evm.account("attacker"))
    assert world.settle(intent) == (0, 0)


@pytest.mark.parametrize(("mode", "settled"), [(0, 1), (1, 0), (2, 0), (3, 0), (4, 0)])
def test_settle__wallet_answers_oddly__only_the_magic_word_counts(
    world: Flows, mode: int, settled: int
) -> None:
    wallet = wallet_with(world, "EagerWallet", UNIT)
    world.evm.transact(world.batcher, wallet, wallet.calldata("arm", mode))
    good = world.fund("whale", UNIT)
    intent = world.deposit_intent(wallet.address, UNIT, signature=b"yes")
    assert world.settle(intent, world.deposit_intent(good, UNIT)) == (settled + 1, 0)


@pytest.mark.parametrize("hostile", ["GasBurner", "LongReturner", "Reverter", "JunkReturner"])
def test_settle__hostile_signers__cost_a_bounded_amount_and_stop_nobody(
    world: Flows, hostile: str
) -> None:
    signers = [world.evm.deploy(hostile) for _ in range(5)]
    if hostile == "LongReturner":
        for signer in signers:
            signer.arm(1_000_000)
    bad = [world.deposit_intent(s.address, UNIT, signature=b"x" * 65) for s in signers]
    good = world.fund("investor", UNIT)
    # Room for five capped signers and the one good deposit, not for one unbounded signer.
    assert world.settle(*bad, world.deposit_intent(good, UNIT), gas=1_700_000) == (1, 0)
    assert [r for _, r in world.rejections()] == ["BAD_SIGNATURE"] * 5


# ---- permits


def test_settle__permit_given__needs_no_allowance(world: Flows) -> None:
    owner = world.evm.account("investor")
    world.asset.mint(owner, UNIT)
    permit = world.permit(world.asset, owner, UNIT)
    assert world.settle(world.deposit_intent(owner, UNIT, permit=permit)) == (1, 0)
    assert world.asset.allowance(owner, world.gateway) == 0


def test_settle__permit_front_run__still_settles(world: Flows) -> None:
    owner, attacker = world.evm.account("investor"), world.evm.account("attacker")
    world.asset.mint(owner, UNIT)
    permit = world.permit(world.asset, owner, UNIT)
    world.asset.permit(owner, world.gateway, *permit, sender=attacker)
    assert world.settle(world.deposit_intent(owner, UNIT, permit=permit)) == (1, 0)


def test_settle__permit_invalid__not_funded_and_others_settle(world: Flows) -> None:
    owner, good = world.evm.account("investor"), world.fund("whale", UNIT)
    world.asset.mint(owner, UNIT)
    permit = world.permit(world.asset, owner, UNIT, nonce=7)
    bad = world.deposit_intent(owner, UNIT, permit=permit)
    assert world.settle(bad, world.deposit_intent(good, UNIT)) == (1, 0)
    assert world.rejections() == [(owner, "NOT_FUNDED")]


def test_settle__asset_without_permit__allowance_counts() -> None:
    world = flows(Evm(), 6, "UsdtLikeToken")
    owner = world.fund("investor", 10**6)
    permit = (1, 2**40, 27, bytes(32), bytes(32))
    assert world.settle(world.deposit_intent(owner, 10**6, permit=permit)) == (1, 0)
    holder = world.invest("whale", 10**6)
    assert world.settle(world.exit_intent(holder, 10**18)) == (0, 1)
    assert world.asset.balanceOf(holder) == 10**6
    assert_empty(world)


def test_settle__exit_with_permit_on_shares__needs_no_allowance(world: Flows) -> None:
    owner = world.invest("investor", UNIT)
    world.router.approve(world.gateway, 0, sender=owner)
    permit = world.permit(world.router, owner, SHARE)
    assert world.settle(world.exit_intent(owner, SHARE, permit=permit)) == (0, 1)


def test_settle__idle_pays_all__asks_no_strategy(world: Flows) -> None:
    """Every view of the strategy burns its gas: a batch that asked one would run out."""
    owner = world.invest("investor", 3 * UNIT)
    world.lend_all_but(UNIT)
    for view in ("previewRedeem", "maxWithdraw"):
        selector = interface("StrategyDouble").by_name[view][0].selector
        world.strategy.setFault(selector, 2)
    assert world.settle(world.exit_intent(owner, SHARE // 2), gas=900_000) == (0, 1)


# ---- odd tokens


def test_settle__token_takes_a_fee__whole_batch_refused() -> None:
    world = flows(Evm(), 18, "FeeToken", (100,))
    owner = world.fund("investor", UNIT)
    with reverts("AssetsArrivedDiffer", UNIT, UNIT * 99 // 100):
        world.settle(world.deposit_intent(owner, UNIT))
    assert world.asset.balanceOf(owner) == UNIT


def test_settle__token_answers_false__not_funded() -> None:
    world = flows(Evm(), 18, "FalseToken")
    poor, good = world.fund("investor", UNIT - 1), world.fund("whale", UNIT)
    done = world.settle(world.deposit_intent(poor, UNIT), world.deposit_intent(good, UNIT))
    assert done == (1, 0)
    assert world.rejections() == [(poor, "NOT_FUNDED")]


def test_settle__token_moves_nothing_and_says_yes__not_funded() -> None:
    world = flows(Evm(), 18, "BarringToken")
    barred, good = world.fund("attacker", UNIT), world.fund("whale", UNIT)
    world.asset.setSilent(True)
    world.asset.bar(barred, True)
    done = world.settle(world.deposit_intent(barred, UNIT), world.deposit_intent(good, UNIT))
    assert done == (1, 0)
    assert world.rejections() == [(barred, "NOT_FUNDED")]
    assert world.router.balanceOf(good) == SHARE


def test_settle__token_reenters__refused_by_the_guard() -> None:
    world = flows(Evm(), 18, "ReentrantToken")
    owner = world.fund("investor", UNIT)
    intent = world.deposit_intent(owner, UNIT)
    again = world.gateway.calldata("withdrawHeld", owner)
    world.asset.arm(world.gateway, again, False)
    assert world.settle(intent) == (1, 0)
    assert not world.asset.lastSuccess()


def test_settle__hook_donates_during_the_pull__changes_nothing() -> None:
    world = flows(Evm(), 18, "ReentrantToken")
    owner = world.fund("investor", UNIT)
    world.asset.arm(world.asset, world.asset.calldata("mint", world.gateway, 5), False)
    assert world.settle(world.deposit_intent(owner, UNIT)) == (1, 0)
    assert world.router.balanceOf(owner) == SHARE
    assert world.asset.balanceOf(world.gateway) == 5


# ---- exits


def test_settle__exits__one_redeem_and_exact_assets(world: Flows) -> None:
    world.make_price_awkward(UNIT)
    first, second = world.invest("investor", 5 * UNIT), world.invest("whale", 9 * UNIT)
    shares = [world.router.balanceOf(first) - 5, world.router.balanceOf(second)]
    intents = [
        world.exit_intent(first, shares[0], minimum=world.router.previewRedeem(shares[0])),
        world.exit_intent(second, shares[1], minimum=world.router.previewRedeem(shares[1])),
    ]
    total1, supply1 = ratio(world)
    assert world.settle(*intents) == (0, 2)
    paid = sum(shares) * total1 // supply1
    alone = [s * total1 // supply1 for s in shares]
    surplus = paid - sum(alone)
    extra = surplus * shares[0] // sum(shares)
    assert world.asset.balanceOf(first) == alone[0] + extra
    assert world.asset.balanceOf(second) == alone[1] + surplus - extra
    batch = world.evm.events("BatchSettled")[0]
    assert (batch["sharesIn"], batch["assetsOut"]) == (sum(shares), paid)
    assert_empty(world)


def test_settle__deposits_and_exits__deposits_first_give_liquidity(world: Flows) -> None:
    holder, investor = world.invest("whale", 5 * UNIT), world.fund("investor", 3 * UNIT)
    done = world.settle(world.exit_intent(holder, SHARE), world.deposit_intent(investor, 3 * UNIT))
    assert done == (1, 1)
    names = [e.name for e in world.evm.events()]
    assert names.index("DepositSettled") < names.index("ExitSettled")


def test_settle__liquidity_for_one_exit__the_other_has_no_room(world: Flows) -> None:
    first, second = world.invest("investor", 5 * UNIT), world.invest("whale", 5 * UNIT)
    world.set_liquidity(7 * UNIT)
    done = world.settle(world.exit_intent(first, 5 * SHARE), world.exit_intent(second, 5 * SHARE))
    assert done == (0, 1)
    assert world.rejections() == [(second, "NO_ROOM")]
    assert world.router.balanceOf(second) == 5 * SHARE


def test_settle__exit_unfunded__not_funded(world: Flows) -> None:
    first, second = world.invest("attacker", UNIT), world.invest("whale", UNIT)
    done = world.settle(
        world.exit_intent(first, SHARE),
        world.exit_intent(first, SHARE),
        world.exit_intent(second, SHARE),
    )
    assert done == (0, 2)
    assert world.rejections() == [(first, "NOT_FUNDED")]


def test_settle__exit_of_absurd_size__others_settle(world: Flows) -> None:
    holder = world.invest("whale", UNIT)
    absurd = world.exit_intent(world.evm.account("attacker"), 2**256 - 1)
    assert world.settle(absurd, world.exit_intent(holder, SHARE)) == (0, 1)
    assert world.rejections() == [(absurd.owner, "NOT_FUNDED")]


def test_settle__unrealised_loss__same_price_for_all_and_minimums_hold(world: Flows) -> None:
    """Property: S5. Who did not sign for the loss keeps his shares."""
    names = ("investor", "whale", "attacker")
    first, second, third = (world.invest(n, 10 * UNIT) for n in names)
    world.lend_all_but(0)
    world.lose(3 * UNIT, report=False)
    tight = world.exit_intent(third, 10 * SHARE, minimum=10 * UNIT)
    done = world.settle(
        world.exit_intent(first, 10 * SHARE, minimum=9 * UNIT),
        tight,
        world.exit_intent(second, 4 * SHARE),
    )
    assert done == (0, 2)
    assert world.rejections() == [(third, "BELOW_MINIMUM")]
    assert world.asset.balanceOf(first) == 9 * UNIT
    assert world.asset.balanceOf(second) == 4 * UNIT * 9 // 10
    assert world.router.balanceOf(third) == 10 * SHARE
    assert not world.gateway.isNonceUsed(third, tight.nonce)
    assert_empty(world)


def test_settle__loss_grows_with_size__leaving_one_out_lets_others_in(world: Flows) -> None:
    first, second = world.invest("investor", 10 * UNIT), world.invest("whale", 10 * UNIT)
    world.invest("founder", 10 * UNIT)
    world.lend_all_but(10 * UNIT)
    world.lose(10 * UNIT, report=False)
    done = world.settle(
        world.exit_intent(first, 10 * SHARE, minimum=10 * UNIT),
        world.exit_intent(second, 10 * SHARE),
    )
    # Together they would get less than one each: the first did not sign for that, so the second
    # leaves alone at par.
    assert done == (0, 1)
    assert world.rejections() == [(first, "BELOW_MINIMUM")]
    assert world.asset.balanceOf(second) == 10 * UNIT


# ---- receivers that cannot be paid


def test_settle__token_bars_a_receiver__payout_held_for_the_owner() -> None:
    world = flows(Evm(), 18, "BarringToken")
    attacker, whale = world.invest("attacker", UNIT), world.invest("whale", UNIT)
    barred = world.evm.account("barred")
    world.asset.bar(barred, True)
    done = world.settle(
        world.exit_intent(attacker, SHARE, receiver=barred), world.exit_intent(whale, SHARE)
    )
    assert done == (0, 2)
    assert world.evm.events("PayoutHeld")[0]["assets"] == UNIT
    assert world.asset.balanceOf(whale) == UNIT
    assert world.gateway.heldOf(attacker) == world.gateway.totalHeld() == UNIT
    assert_empty(world)

    with reverts("Barred"):
        world.gateway.withdrawHeld(barred, sender=attacker)
    with reverts("NothingHeld", whale):
        world.gateway.withdrawHeld(whale, sender=whale)
    # A batch in between does not touch what is held.
    world.settle(world.deposit_intent(world.fund("investor", UNIT), UNIT))
    world.gateway.withdrawHeld(attacker, sender=attacker)
    assert world.asset.balanceOf(attacker) == UNIT
    assert world.gateway.totalHeld() == 0
    assert_empty(world)


# ---- who and when


def test_settle__stranger__refused(world: Flows) -> None:
    attacker = world.evm.account("attacker")
    with reverts("AccessManagedUnauthorized"):
        world.gateway.settle(bytes(32), [], [], sender=attacker)


def test_settle__batch_id_twice_or_empty__refused(world: Flows) -> None:
    owner = world.fund("investor", UNIT)
    with reverts("EmptyBatch"):
        world.gateway.settle(bytes(32), [], [], sender=world.batcher)
    world.settle(world.deposit_intent(owner, UNIT // 2))
    again = world.deposit_intent(owner, UNIT // 2).signed(world.gateway)
    with reverts("BatchAlreadySettled"):
        world.gateway.settle(world.batches.to_bytes(32, "big"), [again], [], sender=world.batcher)
    assert world.gateway.isBatchSettled(world.batches.to_bytes(32, "big"))


def test_cancel_nonce__then_settle__nonce_used(world: Flows) -> None:
    owner = world.fund("investor", UNIT)
    intent = world.deposit_intent(owner, UNIT)
    world.gateway.setEmergencyState(FROZEN, sender=world.gate)
    world.gateway.cancelNonce(intent.nonce, sender=owner)
    with reverts("NonceAlreadyUsed", owner, intent.nonce):
        world.gateway.cancelNonce(intent.nonce, sender=owner)
    world.gateway.setEmergencyState(0, sender=world.gate)
    assert world.settle(intent) == (0, 0)
    assert world.rejections() == [(owner, "NONCE_USED")]


def intents_of_both_kinds(world: Flows) -> tuple[Intent, Intent]:
    holder, investor = world.invest("whale", UNIT), world.fund("investor", UNIT)
    return world.deposit_intent(investor, UNIT), world.exit_intent(holder, SHARE)


def test_settle__states__each_allows_what_it_says(world: Flows) -> None:
    """Property: S2."""
    entry, leave = intents_of_both_kinds(world)
    world.gateway.setEmergencyState(FROZEN, sender=world.gate)
    with reverts("EmergencyStateForbids", FROZEN):
        world.settle(entry, leave)
    world.gateway.setEmergencyState(WITHDRAW_ONLY, sender=world.gate)
    assert world.settle(entry, leave) == (0, 1)
    assert world.rejections() == [(entry.owner, "NO_ROOM")]
    world.gateway.setEmergencyState(THROTTLED, sender=world.gate)
    assert world.settle(entry) == (1, 0)


def test_withdraw_held__frozen__waits_and_in_any_better_state__pays() -> None:
    world = flows(Evm(), 18, "BarringToken")
    owner, barred = world.invest("whale", 3 * UNIT), world.evm.account("barred")
    world.asset.bar(barred, True)
    for state in (NORMAL, THROTTLED, WITHDRAW_ONLY):
        world.gateway.setEmergencyState(NORMAL, sender=world.gate)
        assert world.settle(world.exit_intent(owner, SHARE, receiver=barred)) == (0, 1)
        world.gateway.setEmergencyState(FROZEN, sender=world.gate)
        with reverts("EmergencyStateForbids", FROZEN):
            world.gateway.withdrawHeld(owner, sender=owner)
        assert world.gateway.heldOf(owner) == UNIT
        world.gateway.setEmergencyState(state, sender=world.gate)
        before = world.asset.balanceOf(owner)
        assert world.gateway.withdrawHeld(owner, sender=owner) == UNIT
        assert world.asset.balanceOf(owner) == before + UNIT
    assert_empty(world)


def test_set_emergency_state__not_the_gate__refused(world: Flows) -> None:
    with reverts("NotEmergencyGate", world.batcher):
        world.gateway.setEmergencyState(FROZEN, sender=world.batcher)


# ---- any decimals


@pytest.mark.parametrize("decimals", [0, 6, 8, 18, 24])
def test_settle__any_decimals__in_and_out_never_gains(decimals: int) -> None:
    """Property: R2."""
    world = flows(Evm(), decimals)
    unit = 10**decimals
    world.make_price_awkward(unit)
    owners = [world.fund(f"investor {i}", 3 * unit + i) for i in range(5)]
    entries = [world.deposit_intent(o, 3 * unit + i) for i, o in enumerate(owners)]
    assert world.settle(*entries) == (5, 0)
    for owner in owners:
        world.router.approve(world.gateway, 2**256 - 1, sender=owner)
    world.settle(*(world.exit_intent(o, world.router.balanceOf(o)) for o in owners))
    spent = sum(3 * unit + i for i in range(5))
    assert sum(world.asset.balanceOf(o) for o in owners) <= spent
    assert_empty(world)
