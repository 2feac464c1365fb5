"""The Aave V3 strategy where the kit's market does not lead: no listing, rewards, V3.1's count."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.capital import World, build_world
from tests.support.evm import Contract, reverts
from tests.support.lending import ZERO, add, permit_harvester

UNIT = 10**18
UNKNOWN, KNOWN, TOO_LONG = range(3)


@dataclass
class Scene:
    """A router with a strategy in a market of doubles that holds 100 units for it."""

    world: World
    market: Contract
    a_token: Contract
    strategy: Contract


@pytest.fixture
def scene() -> Scene:
    world = build_world()
    a_token = world.evm.deploy("ATokenDouble", world.asset)
    market = world.evm.deploy("AaveMarketDouble", world.asset, a_token)
    strategy = world.evm.deploy("AaveV3Strategy", world.router, market, world.authority, world.gate)
    permit_harvester(world, strategy)
    add(world, strategy)
    world.deposit(world.evm.account("investor"), 100 * UNIT)
    world.lend(strategy, 100 * UNIT)
    return Scene(world, market, a_token, strategy)


def test_constructor__asset_not_listed__reverts(scene: Scene) -> None:
    world, foreign = scene.world, build_world(scene.world.evm)
    with reverts("NotListed", foreign.asset.address):
        world.evm.deploy(
            "AaveV3Strategy", foreign.router, scene.market, world.authority, world.gate
        )


# ---- what can leave


@pytest.mark.parametrize("counted", [0, 30 * UNIT, 100 * UNIT, 200 * UNIT])
def test_max_withdraw__the_pool_counts__no_more_than_it_counts(scene: Scene, counted: int) -> None:
    """Property: R3. Aave from V3.1 on pays out of its count, whatever lies there."""
    router, strategy = scene.world.router, scene.strategy
    scene.market.setCount(KNOWN, counted)
    most = min(counted, 100 * UNIT)
    assert strategy.maxWithdraw(router) == most
    assert strategy.totalAssets() == 100 * UNIT, "what cannot leave now is still worth as much"
    with reverts("ERC4626ExceededMaxWithdraw", router.address, most + 1, most):
        strategy.withdraw(most + 1, router, router, sender=router)
    strategy.withdraw(most, router, router, sender=router)
    assert scene.world.asset.balanceOf(router) == most


@pytest.mark.parametrize("answer", [UNKNOWN, TOO_LONG])
def test_max_withdraw__the_pool_does_not_count__what_lies_there(scene: Scene, answer: int) -> None:
    """Property: R3. Older pools revert, or answer something else."""
    scene.market.setCount(answer, 1)
    assert scene.strategy.maxWithdraw(scene.world.router) == 100 * UNIT
    scene.a_token.pay(scene.strategy, scene.world.evm.account("borrower"), 40 * UNIT)
    scene.a_token.mint(scene.strategy, 40 * UNIT)
    assert scene.strategy.maxWithdraw(scene.world.router) == 60 * UNIT, "the rest is lent out"


# ---- rewards


def test_rewards__no_controller__there_are_none(scene: Scene) -> None:
    harvester = scene.world.harvester
    for nobody in (ZERO, scene.world.evm.account("controller")):
        scene.a_token.setController(nobody)
        assert list(scene.strategy.rewardTokens()) == []
        claimed = scene.strategy.claimRewards(harvester, sender=harvester)
        assert [list(part) for part in claimed] == [[], []]


def test_rewards__a_controller__names_and_pays_those_of_the_a_token(scene: Scene) -> None:
    world, strategy = scene.world, scene.strategy
    harvester, receiver = world.harvester, world.evm.account("receiver")
    reward = world.evm.deploy("TestToken", "Reward", "RWD", 18)
    controller = world.evm.deploy("AaveRewardsDouble", scene.a_token, reward, 7 * UNIT)
    scene.a_token.setController(controller)
    assert list(strategy.rewardTokens()) == [reward.address]
    with reverts("AccessManagedUnauthorized"):
        strategy.claimRewards(receiver, sender=receiver)
    tokens, amounts = strategy.claimRewards(receiver, sender=harvester)
    assert (list(tokens), list(amounts)) == ([reward.address], [7 * UNIT])
    assert reward.balanceOf(receiver) == 7 * UNIT
    (asked,) = world.evm.events("Claimed")
    assert list(asked["assets"]) == [scene.a_token.address]
    assert (asked["by"], asked["to"]) == (strategy.address, receiver)
    (event,) = world.evm.events("RewardsClaimed")
    assert (event["by"], event["receiver"]) == (harvester, receiver)
