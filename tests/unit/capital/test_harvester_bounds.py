"""Harvests, to the unit: what is claimed, sold, kept and told, and whose part of the gas it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.evm import Contract, Evm, Revert, known_abis, reverts
from tests.support.flows import KEEPER
from tests.unit.capital.test_yield_harvester import (
    CLAIM_BURNS,
    CLAIM_REVERTS,
    KEPT,
    LIST_REVERTS,
    UNIT,
    Farm,
    build_farm,
)

FLOOR = 500_000 + 40_000
BURN_GAS = 2


@pytest.fixture
def farm() -> Farm:
    """Its own strategy owes five of a reward that is worth two assets each."""
    return build_farm(Evm(), 5)


def told(farm: Farm, name: str) -> list[tuple[Any, ...]]:
    """Arguments of the harvester's own events of that name in the last call."""
    return farm.flows.evm.told(name, farm.harvester)


def reason(farm: Farm, name: str) -> tuple[str, tuple[Any, ...]]:
    """The error, with its arguments, that the only such event carries."""
    (event,) = told(farm, name)
    return known_abis().decode_error(bytes(event[-1]))


# ---- told


def test_harvest__sold__tells_each_step(farm: Farm) -> None:
    strategy, reward = farm.strategy.address, farm.reward.address
    assert farm.harvest() == [10]
    assert told(farm, "RewardClaimed") == [(strategy, reward, 5)]
    assert told(farm, "RewardSold") == [(strategy, reward, 5, 10, 10)]
    assert told(farm, "Harvested") == [(farm.flows.keeper, strategy, 0, 0, 10)]


def test_harvest__loss_and_gain__are_told(farm: Farm) -> None:
    farm.flows.capital.lend(farm.strategy, 20)
    farm.strategy.lose(4)
    farm.harvest()
    assert told(farm, "Harvested") == [(farm.flows.keeper, farm.strategy.address, 0, 4, 10)]
    farm.strategy.gain(3)
    assert farm.harvest() == [3]
    assert told(farm, "Harvested") == [(farm.flows.keeper, farm.strategy.address, 3, 0, 0)]


def test_harvest__claim_refused__says_why(farm: Farm) -> None:
    farm.strategy.setMode(CLAIM_REVERTS)
    farm.harvest()
    assert told(farm, "ClaimFailed")[0][0] == farm.strategy.address
    assert reason(farm, "ClaimFailed")[0] == "ClaimRefused"


def test_harvest__report_fails__says_why(farm: Farm) -> None:
    farm.break_report(farm.strategy)
    assert farm.harvest() == [0]
    assert told(farm, "HarvestFailed")[0][:2] == (farm.flows.keeper, farm.strategy.address)
    assert reason(farm, "HarvestFailed") == ("InvalidStrategy", (farm.strategy.address,))
    assert told(farm, "Harvested") == []


def test_harvest__no_route__is_kept_and_says_why(farm: Farm) -> None:
    token = farm.flows.evm.deploy("TestToken", "Other", "OTH", 18)
    strategy = farm.strategy_with((token, 3))
    farm.harvest(strategy)
    assert told(farm, "RewardKept")[0][:3] == (strategy.address, token.address, 3)
    assert reason(farm, "RewardKept") == ("NoRoute", (token.address,))


def test_harvest__worth_nothing__is_kept_and_says_why(farm: Farm) -> None:
    farm.oracle.setRate(farm.reward, UNIT // 6)
    farm.harvest()
    assert reason(farm, "RewardKept") == ("WorthNothing", (farm.reward.address, 5))
    assert farm.harvester.pending(farm.strategy, farm.reward) == 5


def test_harvest__nothing_due__tells_only_the_report(farm: Farm) -> None:
    farm.harvest()
    farm.harvest()
    own = [e.name for e in farm.flows.evm.events() if e.address == farm.harvester.address]
    assert own == ["Harvested"]


def test_harvest__vault_without_rewards__is_not_asked_to_claim(farm: Farm) -> None:
    vault = farm.flows.capital.add_strategy("PlainVault")
    assert farm.harvest(vault) == [0]
    own = [e.name for e in farm.flows.evm.events() if e.address == farm.harvester.address]
    assert own == ["Harvested"]


def test_harvest__list_refused__report_only(farm: Farm) -> None:
    farm.strategy.setMode(LIST_REVERTS)
    assert farm.harvest() == [0]
    assert told(farm, "RewardClaimed") == told(farm, "ClaimFailed") == []


# ---- the least that a sale may bring


def test_harvest__minimum_is_no_whole_asset__is_rounded_up(farm: Farm) -> None:
    """A hundredth less than ten is ten: nine would be too little."""
    farm.venue.setPrice(UNIT * 9 // 5)
    assert farm.harvest() == [0]
    assert reason(farm, "RewardKept") == ("Underpaid", (9, 10))
    farm.venue.setPrice(2 * UNIT)
    assert farm.harvest() == [10]


def test_harvest__minimum_of_a_single_asset__is_sold_and_handed_over(farm: Farm) -> None:
    farm.oracle.setRate(farm.reward, UNIT // 5)
    farm.venue.setPrice(UNIT // 5)
    assert farm.harvest() == [1]
    assert told(farm, "RewardSold") == [(farm.strategy.address, farm.reward.address, 5, 1, 1)]
    assert farm.flows.asset.balanceOf(farm.harvester) == 0


def test_harvest__a_single_reward__is_claimed_and_sold(farm: Farm) -> None:
    strategy = farm.strategy_with((farm.reward, 1))
    assert farm.harvest(strategy) == [2]
    assert told(farm, "RewardClaimed") == [(strategy.address, farm.reward.address, 1)]


def test_harvest__venue_takes_only_part__rest_is_sold_with_what_comes_next(farm: Farm) -> None:
    farm.venue.setTaken(4_000)
    farm.harvest()
    assert told(farm, "RewardSold") == [(farm.strategy.address, farm.reward.address, 2, 10, 10)]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 3
    assert farm.reward.allowance(farm.harvester, farm.venue) == 0
    farm.venue.setTaken(10_000)
    farm.strategy.setDue(farm.reward, 4)
    assert farm.harvest() == [14]
    assert told(farm, "RewardClaimed") == [(farm.strategy.address, farm.reward.address, 4)]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 0


def test_harvest__asset_lies_here_already__only_what_is_sold_counts(farm: Farm) -> None:
    farm.flows.asset.mint(farm.harvester, 7)
    assert farm.harvest() == [10]
    assert farm.flows.asset.balanceOf(farm.harvester) == 7


def test_harvest__reward_and_asset__each_is_counted_once(farm: Farm) -> None:
    asset, reward = farm.flows.asset, farm.reward
    for order in (((reward, 3), (asset, 4)), ((asset, 4), (reward, 3))):
        strategy = farm.strategy_with(*order)
        assert farm.harvest(strategy) == [10]
        claimed = {row[1:] for row in told(farm, "RewardClaimed")}
        assert claimed == {(reward.address, 3), (asset.address, 4)}
        assert told(farm, "RewardKept") == []
        assert asset.balanceOf(farm.harvester) == 0


# ---- routes


def test_set_route__twice__tells_what_was_there(farm: Farm) -> None:
    venue = farm.flows.evm.deploy("PricedVenue", UNIT)
    by, token = farm.flows.governance, farm.reward.address
    farm.harvester.setRoute(token, venue, 7, sender=by)
    assert told(farm, "RouteSet") == [(by, token, farm.venue.address, venue.address, 7)]
    assert tuple(farm.harvester.routeOf(token)) == (venue.address, 7)


def test_set_route__loosest__accepted_and_a_point_more_refused(farm: Farm) -> None:
    by = farm.flows.governance
    farm.harvester.setRoute(farm.reward, farm.venue, 1_000, sender=by)
    with reverts("SlippageTooLoose", 1_001, 1_000):
        farm.harvester.setRoute(farm.reward, farm.venue, 1_001, sender=by)


# ---- lists of tokens


def listing(farm: Farm, *words: int) -> Contract:
    """A foreign vault that answers with these words."""
    vault = farm.flows.capital.add_strategy("FallbackVault")
    vault.setJunk(b"".join(word.to_bytes(32, "big") for word in words))
    return vault


def test_harvest__eight_tokens__all_are_claimed_and_of_nine_none(farm: Farm) -> None:
    evm = farm.flows.evm
    tokens = [evm.deploy("TestToken", f"T{n}", "T", 18) for n in range(9)]
    eight = farm.strategy_with(*((token, 1) for token in tokens[:8]))
    farm.harvest(eight)
    assert [row[1] for row in told(farm, "RewardClaimed")] == [t.address for t in tokens[:8]]
    nine = farm.strategy_with(*((token, 1) for token in tokens))
    farm.harvest(nine)
    assert told(farm, "RewardClaimed") == []


def test_harvest__list_starts_elsewhere__is_none(farm: Farm) -> None:
    token = int(farm.reward.address, 16)
    for words in ((33, 1, token), (64, 1, token), (0, 1, token)):
        vault = listing(farm, *words)
        assert farm.harvest(vault) == [0]
        own = [e.name for e in farm.flows.evm.events() if e.address == farm.harvester.address]
        assert own == ["Harvested"], words


def test_harvest__list_longer_than_it_says__counts(farm: Farm) -> None:
    vault = listing(farm, 32, 1, int(farm.reward.address, 16), 2**160)
    farm.reward.mint(farm.harvester, 3)
    assert farm.harvest(vault) == [6]


def test_harvest__list_shorter_than_it_says__is_none(farm: Farm) -> None:
    vault = listing(farm, 32, 2, int(farm.reward.address, 16))
    farm.reward.mint(farm.harvester, 3)
    assert farm.harvest(vault) == [0]


# ---- gas


def harvest(farm: Farm, gas: int, *strategies: Contract) -> list[int]:
    return farm.harvest(*strategies, gas=gas)


def left(farm: Farm, gas: int, *strategies: Contract) -> int:
    """What the harvester says was left for the first strategy that it refuses to start."""
    try:
        harvest(farm, gas, *strategies)
    except Revert as error:
        assert (error.name, error.args[1]) == ("GasBelowFloor", FLOOR)
        return int(error.args[0])
    raise AssertionError("it had enough")


def test_harvest__just_the_floor__starts_and_a_unit_less_does_not(farm: Farm) -> None:
    nobody = farm.flows.evm.at("TestToken", farm.flows.evm.account("attacker"))
    gas = 540_000 + FLOOR - left(farm, 540_000, nobody)
    assert left(farm, gas - 1, nobody) == FLOOR - 1
    assert harvest(farm, gas, nobody) == [0]


def test_harvest__two__each_is_given_half_of_what_is_left(farm: Farm) -> None:
    nobody = farm.flows.evm.at("TestToken", farm.flows.evm.account("attacker"))
    first = left(farm, 2 * FLOOR - 20_000, nobody, nobody)
    assert FLOOR - 40_000 < first < FLOOR
    assert harvest(farm, 2 * FLOOR + 200_000, nobody, nobody) == [0, 0]


def test_harvest__first_burns_all_it_gets__second_has_its_part(farm: Farm) -> None:
    """What is kept back of the first one's part leaves the second no less than the floor."""
    strategies = [farm.strategy_with() for _ in range(2)]
    for strategy in strategies:
        farm.flows.capital.lend(strategy, 1)
    strategies[0].setFault(strategies[0].calldata("previewRedeem", 0)[:4], BURN_GAS)
    first = left(farm, 1_000_000, *strategies)
    gas = 1_000_000 + 2 * (FLOOR + 20_000 - first)
    assert harvest(farm, gas, *strategies) == [0, 0]
    assert [row[1] for row in told(farm, "HarvestFailed")] == [strategies[0].address]


def test_harvest__claim_burns_all_it_gets__gain_is_reported(farm: Farm) -> None:
    """Half of the gas is kept for what follows."""
    farm.flows.capital.lend(farm.strategy, 20)
    farm.strategy.gain(4)
    farm.strategy.setMode(CLAIM_BURNS)
    assert harvest(farm, 3_000_000) == [4 - KEPT]
    assert told(farm, "ClaimFailed") != []


def test_harvest__claim_needs_nearly_half__is_served(farm: Farm) -> None:
    farm.strategy.setAppetite(0, 1_250_000)
    assert harvest(farm, 3_200_000) == [10]
    farm.strategy.setDue(farm.reward, 5)
    farm.strategy.setAppetite(0, 1_650_000)
    assert harvest(farm, 3_200_000) == [0], "and more than half is not"


def test_harvest__list_needs_nearly_a_quarter__is_served(farm: Farm) -> None:
    farm.strategy.setAppetite(720_000, 0)
    assert harvest(farm, 3_200_000) == [10]
    farm.strategy.setDue(farm.reward, 5)
    farm.strategy.setAppetite(850_000, 0)
    assert harvest(farm, 3_200_000) == [0], "and more than a quarter is not"


def test_harvest__sale_needs_nearly_half__is_served(farm: Farm) -> None:
    farm.venue.setAppetite(1_150_000)
    assert harvest(farm, 3_200_000) == [10]
    farm.strategy.setDue(farm.reward, 5)
    farm.venue.setAppetite(1_650_000)
    assert harvest(farm, 3_200_000) == [0], "and more than half is not"
    assert farm.harvester.pending(farm.strategy, farm.reward) == 5


# ---- one at a time


def test_harvest__strategy_that_is_a_keeper_reenters__its_claim_fails(farm: Farm) -> None:
    flows = farm.flows
    flows.authority.grantRole(KEEPER, farm.strategy, 0, sender=flows.governance)
    farm.strategy.setReentry(farm.harvester.calldata("harvest", []))
    assert farm.harvest() == [0]
    assert reason(farm, "ClaimFailed")[0] == "ClaimRefused"
