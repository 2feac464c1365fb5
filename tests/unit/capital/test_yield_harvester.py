"""What a harvest brings in, at which least price, and that no strategy stops another."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.capital import HARVESTER
from tests.support.evm import Contract, Evm, known_abis, reverts
from tests.support.flows import FROZEN, KEEPER, THROTTLED, WITHDRAW_ONLY, Flows, flows

UNIT = 10**18
# What the double's own virtual share keeps of a gain.
KEPT = 1
HONEST, CLAIM_REVERTS, CLAIM_BURNS, LIST_BURNS, LIST_REVERTS = range(5)


@dataclass
class Farm:
    """A router whose strategies earn a reward token worth two assets."""

    flows: Flows
    harvester: Contract
    oracle: Contract
    venue: Contract
    reward: Contract
    strategy: Contract

    def harvest(self, *strategies: Contract, gas: int = 30_000_000) -> list[int]:
        """What each brought."""
        addresses = [s.address for s in strategies or (self.strategy,)]
        done = self.harvester.harvest(addresses, sender=self.flows.keeper, gas=gas)
        return [int(v) for v in done]

    def strategy_with(self, *rewards: tuple[Contract, int]) -> Contract:
        """Another strategy that owes these rewards."""
        strategy = self.flows.capital.add_strategy("RewardingStrategy")
        for token, amount in rewards:
            strategy.setReward(token, amount)
        return strategy

    def earn(self, strategy: Contract, assets: int) -> None:
        """Lends to it and lets it gain so much (lose, below 0), not reported yet."""
        self.flows.capital.lend(strategy, 10 * UNIT)
        if assets > 0:
            strategy.gain(assets)
        else:
            strategy.lose(-assets)

    def break_report(self, strategy: Contract) -> None:
        """Nobody can tell what it is worth any more."""
        selector = strategy.calldata("previewRedeem", 0)[:4]
        strategy.setFault(selector, 1)


def build_farm(evm: Evm, owed: int) -> Farm:
    """Its strategy owes so much of the reward, and nobody has claimed yet."""
    world = flows(evm)
    world.invest("investor", 100 * UNIT)
    oracle = evm.deploy("RateOracle")
    args = (world.router, oracle, world.authority, world.gate)
    harvester = evm.deploy("YieldHarvester", *args)
    world.permit_role(harvester, "YieldHarvester", ["harvest"], KEEPER)
    reward = evm.deploy("TestToken", "Reward", "RWD", 18)
    venue = evm.deploy("PricedVenue", 2 * UNIT)
    oracle.setRate(reward, 2 * UNIT)
    harvester.setRoute(reward, venue, 100, sender=world.governance)
    for role in (KEEPER, HARVESTER):
        world.authority.grantRole(role, harvester, 0, sender=world.governance)
    made = Farm(world, harvester, oracle, venue, reward, None)  # type: ignore[arg-type]
    made.strategy = made.strategy_with((reward, owed))
    return made


@pytest.fixture
def farm() -> Farm:
    return build_farm(Evm(), 5 * UNIT)


def kept_reasons(farm: Farm) -> list[str]:
    """Why the last harvest kept rewards."""
    kept = farm.flows.evm.events("RewardKept")
    return [known_abis().decode_error(bytes(e["reason"]))[0] for e in kept]


def assert_empty(farm: Farm) -> None:
    assert farm.flows.asset.balanceOf(farm.harvester) == 0
    assert farm.flows.asset.allowance(farm.harvester, farm.flows.router) == 0
    assert farm.reward.allowance(farm.harvester, farm.venue) == 0


# ---- the plain case


def test_harvest__reward_and_gain__sold_handed_over_and_reported(farm: Farm) -> None:
    router = farm.flows.router
    farm.earn(farm.strategy, 3 * UNIT)
    before = router.totalAssets()
    assert farm.harvest() == [13 * UNIT - KEPT]
    assert router.totalAssets() == before + 13 * UNIT - KEPT
    sold = farm.flows.evm.events("RewardSold")[0]
    assert (sold["amount"], sold["proceeds"]) == (5 * UNIT, 10 * UNIT)
    assert sold["minimum"] == 10 * UNIT * 99 // 100
    harvested = farm.flows.evm.events("Harvested")[0]
    assert (harvested["by"], harvested["strategy"]) == (farm.flows.keeper, farm.strategy.address)
    assert (harvested["gain"], harvested["loss"]) == (3 * UNIT - KEPT, 0)
    assert harvested["yieldSold"] == 10 * UNIT
    names = [e.name for e in farm.flows.evm.events()]
    assert names.index("YieldReceived") < names.index("Harvested")
    assert_empty(farm)


def test_harvest__loss__reported(farm: Farm) -> None:
    farm.earn(farm.strategy, -UNIT)
    assert farm.harvest() == [10 * UNIT]
    assert farm.flows.evm.events("Harvested")[0]["loss"] == UNIT


def test_harvest__asset_itself_as_reward__handed_over_unsold(farm: Farm) -> None:
    strategy = farm.strategy_with((farm.flows.asset, 4 * UNIT))
    assert farm.harvest(strategy) == [4 * UNIT]
    assert farm.flows.evm.events("RewardSold") == []
    assert_empty(farm)


def test_harvest__token_listed_twice__counted_once(farm: Farm) -> None:
    strategy = farm.strategy_with((farm.reward, 0), (farm.reward, 4 * UNIT))
    assert farm.harvest(strategy) == [8 * UNIT]
    asset_twice = farm.strategy_with((farm.flows.asset, 0), (farm.flows.asset, UNIT))
    assert farm.harvest(asset_twice) == [UNIT]


def test_harvest__nothing_due__report_only(farm: Farm) -> None:
    farm.harvest()
    assert farm.harvest() == [0]
    assert farm.flows.evm.events("RewardSold") == []


# ---- the oracle's bound


@pytest.mark.parametrize(("price", "sold"), [(198, True), (197, False), (300, True)])
def test_harvest__venue_price__sold_only_at_the_bound_or_above(
    farm: Farm, price: int, sold: bool
) -> None:
    farm.venue.setPrice(price * UNIT // 100)
    assert farm.harvest() == [5 * price * UNIT // 100 if sold else 0]
    assert farm.harvester.pending(farm.strategy, farm.reward) == (0 if sold else 5 * UNIT)
    assert_empty(farm)


def test_harvest__oracle_refuses__reward_kept_and_sold_later(farm: Farm) -> None:
    """Property: O1."""
    farm.oracle.setRate(farm.reward, 0)
    assert farm.harvest() == [0]
    assert kept_reasons(farm) == ["PriceUnavailable"]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 5 * UNIT
    farm.oracle.setRate(farm.reward, 2 * UNIT)
    assert farm.harvest() == [10 * UNIT]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 0


def test_harvest__venue_lies_about_its_payment__reward_kept(farm: Farm) -> None:
    farm.venue.setLies(True)
    assert farm.harvest() == [0]
    assert farm.reward.balanceOf(farm.harvester) == 5 * UNIT
    assert_empty(farm)


def test_harvest__venue_takes_only_part__rest_waits(farm: Farm) -> None:
    farm.venue.setTaken(4_000)
    assert farm.harvest() == [10 * UNIT]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 3 * UNIT
    assert_empty(farm)


def test_harvest__route_missing_or_dust__kept(farm: Farm) -> None:
    other = farm.flows.evm.deploy("TestToken", "Other", "OTH", 18)
    strategy = farm.strategy_with((other, UNIT), (farm.reward, 1))
    farm.oracle.setRate(farm.reward, 1)
    assert farm.harvest(strategy) == [0]
    assert kept_reasons(farm) == ["NoRoute", "WorthNothing"]
    assert farm.harvester.pending(strategy, other) == UNIT
    assert farm.harvester.pending(strategy, farm.reward) == 1


def test_harvest__two_strategies_one_token__each_is_credited_its_own(farm: Farm) -> None:
    farm.oracle.setRate(farm.reward, 0)
    other = farm.strategy_with((farm.reward, 7 * UNIT))
    assert farm.harvest(farm.strategy, other) == [0, 0]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 5 * UNIT
    assert farm.harvester.pending(other, farm.reward) == 7 * UNIT
    farm.oracle.setRate(farm.reward, 2 * UNIT)
    assert farm.harvest(other) == [14 * UNIT]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 5 * UNIT


# ---- those who misbehave


def test_harvest__report_fails__logged_rolled_back_and_others_go_on(farm: Farm) -> None:
    bad = farm.strategy_with((farm.reward, UNIT))
    farm.break_report(bad)
    assert farm.harvest(bad, farm.strategy) == [0, 10 * UNIT]
    failed = farm.flows.evm.events("HarvestFailed")[0]
    assert (failed["by"], failed["strategy"]) == (farm.flows.keeper, bad.address)
    assert bad.due(farm.reward) == UNIT
    assert_empty(farm)


def test_harvest__claim_refused__reported_all_the_same(farm: Farm) -> None:
    farm.strategy.setMode(CLAIM_REVERTS)
    farm.earn(farm.strategy, 3 * UNIT)
    assert farm.harvest() == [3 * UNIT - KEPT]
    assert farm.flows.evm.events("ClaimFailed")[0]["strategy"] == farm.strategy.address


@pytest.mark.parametrize("mode", [CLAIM_BURNS, LIST_BURNS])
@pytest.mark.parametrize("gas", [3_000_000, 30_000_000])
def test_harvest__strategy_burns_gas__others_still_harvested(
    farm: Farm, mode: int, gas: int
) -> None:
    burner = farm.strategy_with((farm.reward, UNIT))
    burner.setMode(mode)
    assert farm.harvest(burner, farm.strategy, burner, gas=gas)[1] == 10 * UNIT


def test_harvest__venue_burns_gas__reward_kept_and_report_done(farm: Farm) -> None:
    farm.venue.setBurns(True)
    farm.earn(farm.strategy, UNIT)
    assert farm.harvest(gas=3_000_000) == [UNIT - KEPT]
    assert farm.harvester.pending(farm.strategy, farm.reward) == 5 * UNIT


@pytest.mark.parametrize("foreign", ["PlainVault", "StrategyDouble", "FallbackVault"])
def test_harvest__vault_without_rewards__report_only(farm: Farm, foreign: str) -> None:
    vault = farm.flows.capital.add_strategy(foreign)
    farm.flows.capital.lend(vault, 10 * UNIT)
    farm.flows.asset.mint(vault, 2 * UNIT)
    done = farm.harvest(vault, farm.strategy)
    assert done == [2 * UNIT - KEPT, 10 * UNIT]


@pytest.mark.parametrize(("burns", "length"), [(True, 0), (False, 100_000)])
def test_harvest__foreign_vault_burns_gas_or_answers_at_length__report_only(
    farm: Farm, burns: bool, length: int
) -> None:
    vault = farm.flows.capital.add_strategy("FallbackVault")
    vault.setBurns(burns)
    vault.setLength(length)
    farm.earn(vault, UNIT)
    assert farm.harvest(vault, farm.strategy) == [UNIT - KEPT, 10 * UNIT]


def test_harvest__no_contract_at_all__report_decides(farm: Farm) -> None:
    nobody = farm.flows.evm.account("attacker")
    done = farm.harvester.harvest([nobody, farm.strategy.address], sender=farm.flows.keeper)
    assert list(done) == [0, 10 * UNIT]


DIRTY = 2**160


@pytest.mark.parametrize(
    "words",
    [
        (32,),
        (32, 0),
        (32, 255),
        (33, 255),
        (32, 1, DIRTY),
        (32, 2, DIRTY - 1, DIRTY),
        (32, 3, 1, DIRTY, 1),
    ],
    ids=str,
)
def test_harvest__junk_instead_of_a_token_list__no_rewards(
    farm: Farm, words: tuple[int, ...]
) -> None:
    """Each word of a list is looked at: one that is no address makes it no list."""
    vault = farm.flows.capital.add_strategy("FallbackVault")
    vault.setJunk(b"".join(word.to_bytes(32, "big") for word in words))
    farm.earn(vault, UNIT)
    assert farm.harvest(vault) == [UNIT - KEPT]
    assert farm.flows.evm.events("HarvestFailed") == []


def test_harvest__strategy_reenters__its_claim_fails(farm: Farm) -> None:
    data = farm.harvester.calldata("harvest", [farm.strategy.address])
    farm.strategy.setReentry(data)
    assert farm.harvest() == [0]
    assert len(farm.flows.evm.events("ClaimFailed")) == 1


def test_harvest__too_little_gas__refused_instead_of_failing_strategies(farm: Farm) -> None:
    with reverts("GasBelowFloor"):
        farm.harvest(farm.strategy, farm.strategy, farm.strategy, gas=1_500_000)


# ---- who and when


def test_own_calls__from_outside__refused(farm: Farm) -> None:
    keeper = farm.flows.keeper
    with reverts("OnlySelf"):
        farm.harvester.harvestOne(keeper, farm.strategy, sender=keeper)
    with reverts("OnlySelf"):
        farm.harvester.sellOne(farm.strategy, farm.reward, sender=keeper)


def test_harvest_and_set_route__strangers__refused(farm: Farm) -> None:
    attacker = farm.flows.evm.account("attacker")
    with reverts("AccessManagedUnauthorized"):
        farm.harvester.harvest([], sender=attacker)
    with reverts("AccessManagedUnauthorized"):
        farm.harvester.setRoute(farm.reward, farm.venue, 0, sender=attacker)


def test_set_route__too_loose__refused(farm: Farm) -> None:
    with reverts("SlippageTooLoose", 1_001, 1_000):
        farm.harvester.setRoute(farm.reward, farm.venue, 1_001, sender=farm.flows.governance)
    farm.harvester.setRoute(farm.reward, farm.venue, 1_000, sender=farm.flows.governance)
    assert tuple(farm.harvester.routeOf(farm.reward)) == (farm.venue.address, 1_000)


def test_harvest__states__works_up_to_throttled(farm: Farm) -> None:
    for state in (WITHDRAW_ONLY, FROZEN):
        farm.harvester.setEmergencyState(state, sender=farm.flows.gate)
        with reverts("EmergencyStateForbids", state):
            farm.harvest()
    farm.harvester.setEmergencyState(THROTTLED, sender=farm.flows.gate)
    assert farm.harvest() == [10 * UNIT]
