"""The lending strategies, to the unit: each sum where rounding up and down differ, each bound."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.capital import MAX, World, build_world
from tests.support.evm import Contract, reverts
from tests.support.lending import DAY, ZERO, CometScene, build_comet, permit_harvester

SHARE = 10**6
RAY = 10**27

# ------------------------------------------------------------- Compound III


def invested(decimals: int = 6) -> CometScene:
    """A thousand deposited, a third more given beside, and interest of a year on it."""
    scene = build_comet(decimals)
    router, asset = scene.world.router, scene.world.asset
    asset.mint(router, 2_000 * scene.unit)
    asset.approve(scene.strategy, MAX, sender=router)
    scene.strategy.deposit(1_000 * scene.unit, router, sender=router)
    scene.comet.transfer(scene.strategy, 333 * scene.unit + 1, sender=scene.saver)
    scene.evm.mine(1, 365 * DAY)
    return scene


@dataclass(frozen=True)
class Books:
    shares: int
    assets: int
    toll: int


def books(scene: CometScene) -> Books:
    """With the virtual ones; the toll is what two roundings of Comet can take."""
    index = int(scene.comet.totalsBasic()[0])
    return Books(
        int(scene.strategy.totalSupply()) + SHARE,
        int(scene.comet.balanceOf(scene.strategy)) + 1,
        index // 10**15 + 2,
    )


@pytest.fixture
def scene() -> CometScene:
    return invested()


def test_compound_preview_deposit__any_amount__less_the_toll_rounded_down(
    scene: CometScene,
) -> None:
    b = books(scene)
    for assets in (*range(12), *range(10**6, 10**6 + 10)):
        expected = max(0, assets - b.toll) * b.shares // b.assets
        assert scene.strategy.previewDeposit(assets) == expected, assets


def test_compound_preview_mint__any_amount__and_the_toll_rounded_up(scene: CometScene) -> None:
    b = books(scene)
    assert scene.strategy.previewMint(0) == 0
    for shares in (*range(1, 12), *range(10**9, 10**9 + 10)):
        expected = -(-shares * b.assets // b.shares) + b.toll
        assert scene.strategy.previewMint(shares) == expected, shares


def test_compound_preview_withdraw__any_amount__and_the_toll_rounded_up(
    scene: CometScene,
) -> None:
    b = books(scene)
    assert scene.strategy.previewWithdraw(0) == 0
    for assets in (*range(1, 12), *range(10**6, 10**6 + 10)):
        expected = -(-(assets + b.toll) * b.shares // b.assets)
        assert scene.strategy.previewWithdraw(assets) == expected, assets


def test_compound_preview_redeem__any_amount__less_the_toll_rounded_down(
    scene: CometScene,
) -> None:
    b = books(scene)
    for shares in (0, 1, SHARE, *range(10 * SHARE, 10 * SHARE + 10), *range(10**9, 10**9 + 10)):
        expected = max(0, shares * b.assets // b.shares - b.toll)
        assert scene.strategy.previewRedeem(shares) == expected, shares


def test_compound_redeem_in_kind__any_amount__what_a_redemption_pays(scene: CometScene) -> None:
    router, heir = scene.world.router, scene.evm.account("heir")
    for shares in (10**9, 10**9 + 7 * SHARE + 1):
        promised = scene.strategy.previewRedeem(shares)
        token, amount = scene.strategy.redeemInKind(shares, heir, router, sender=router)
        assert (token, amount) == (scene.comet.address, promised)
        (event,) = scene.evm.events("RedeemedInKind")
        assert tuple(event.args.values()) == (
            router.address,
            heir,
            router.address,
            scene.comet.address,
            promised,
            shares,
        )


def test_compound_max_deposit__what_a_principal_can_still_hold(scene: CometScene) -> None:
    room = 2**103 - 1 - int(scene.comet.totalSupply())
    assert scene.strategy.maxDeposit(scene.world.router) == room


def test_compound_max_withdraw__what_lies_in_comet(scene: CometScene) -> None:
    router = scene.world.router
    scene.lend_out(left=77)
    assert scene.strategy.maxWithdraw(router) == 77
    scene.strategy.withdraw(77, router, router, sender=router)
    assert scene.world.asset.balanceOf(scene.comet) == 0
    assert scene.strategy.maxWithdraw(router) == 0


def test_compound_claim__receiver_has_some_already__only_what_came_is_told(
    scene: CometScene,
) -> None:
    harvester, heir = scene.world.harvester, scene.evm.account("heir")
    scene.comp.mint(heir, 10**20)
    scene.strategy.claimRewards(heir, sender=harvester)
    (event,) = scene.evm.events("RewardsClaimed")
    came = int(scene.comp.balanceOf(heir)) - 10**20
    assert came > 0
    assert tuple(event.args.values()) == (harvester, heir, (scene.comp.address,), (came,))


def test_compound_claim__no_rewards__announced_all_the_same(scene: CometScene) -> None:
    world = scene.world
    roles = (world.authority, world.gate)
    bare = scene.evm.deploy("CompoundV3Strategy", world.router, scene.comet, ZERO, *roles)
    permit_harvester(world, bare)
    bare.claimRewards(world.harvester, sender=world.harvester)
    (event,) = scene.evm.events("RewardsClaimed")
    assert tuple(event.args.values()) == (world.harvester, world.harvester, (), ())


def test_compound_claim__by_a_stranger__refused(scene: CometScene) -> None:
    stranger = scene.evm.account("attacker")
    with reverts("AccessManagedUnauthorized", stranger):
        scene.strategy.claimRewards(stranger, sender=stranger)


# ------------------------------------------------------------- Aave V3


@dataclass
class Market:
    """A strategy in a market whose figures are what a test says."""

    world: World
    market: Contract
    strategy: Contract

    def room(self) -> int:
        return int(self.strategy.maxDeposit(self.world.router))


@pytest.fixture
def aave() -> Market:
    world = build_world(decimals=6)
    market = world.evm.deploy("ScriptedAave", world.asset)
    roles = (world.authority, world.gate)
    strategy = world.evm.deploy("AaveV3Strategy", world.router, market, *roles)
    permit_harvester(world, strategy)
    world.asset.mint(world.router, 10**12)
    world.asset.approve(strategy, MAX, sender=world.router)
    return Market(world, market, strategy)


def test_aave_max_deposit__no_cap__without_limit(aave: Market) -> None:
    aave.market.setSupply(10**30, 10**30, 2 * RAY)
    assert aave.room() == MAX


def test_aave_max_deposit__cap_of_one__is_one_whole_token(aave: Market) -> None:
    aave.market.setCap(1)
    assert aave.room() == 10**6


def test_aave_max_deposit__supplied_and_owed__count_towards_the_cap_rounded_up(
    aave: Market,
) -> None:
    aave.market.setCap(1_000)
    for scaled, treasury, income in (
        (5, 0, RAY),
        (0, 5, RAY),
        (7, 3, RAY + 1),
        (10**8, 10**7, 13 * RAY // 10 + 1),
    ):
        aave.market.setSupply(scaled, treasury, income)
        assert aave.room() == 10**9 - -(-(scaled + treasury) * income // RAY)


def test_aave_max_deposit__cap_reached_or_passed__nothing(aave: Market) -> None:
    aave.market.setCap(1)
    aave.market.setSupply(10**6 - 1, 0, RAY)
    assert aave.room() == 1
    aave.market.setSupply(10**6, 0, RAY)
    assert aave.room() == 0
    aave.market.setSupply(10**6 + 1, 0, RAY)
    assert aave.room() == 0


def test_aave_limits__flags__each_stops_what_it_says(aave: Market) -> None:
    """Property: R3. Frozen takes nothing in; paused and inactive let nothing move at all."""
    router, strategy = aave.world.router, aave.strategy
    strategy.deposit(10**6, router, sender=router)
    for active in (True, False):
        for frozen in (True, False):
            for paused in (True, False):
                aave.market.setFlags(active, frozen, paused)
                assert (aave.room() > 0) == (active and not frozen and not paused)
                assert (strategy.maxWithdraw(router) > 0) == (active and not paused)


def test_aave_deposit__supplied_for_itself(aave: Market) -> None:
    router, strategy = aave.world.router, aave.strategy
    strategy.deposit(10**6 + 1, router, sender=router)
    (event,) = aave.world.evm.events("Supplied")
    expected = (aave.world.asset.address, 10**6 + 1, strategy.address, 0)
    assert tuple(event.args.values()) == expected
    assert aave.world.asset.allowance(strategy, aave.market) == 0
    assert strategy.totalAssets() == 10**6 + 1
    assert strategy.withdraw(10**6, router, router, sender=router) > 0
    assert strategy.totalAssets() == 1
