"""What verify and the handover check find when one thing is wrong with a finished suite."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_utils.abi import function_abi_to_4byte_selector

from offchain.chain.client import ChainClient
from offchain.deployment import Deployment
from scripts._deployment.bound import bind, vault_at
from scripts._deployment.errors import DeployError
from scripts._deployment.handover import privileges_left
from scripts._deployment.permissions import KEEPER, REQUIRED, decisions, selectors
from scripts._deployment.verify import verify
from scripts._local.world import build_suite
from tests.peers.tokens import fund
from tests.support.deployment import UNAUTHORIZED, Site, refusal, refused_functions


@dataclass(frozen=True)
class Finished:
    """A suite that is whole, and means to spoil it."""

    site: Site
    deployment: Deployment

    @property
    def client(self) -> ChainClient:
        return self.site.client

    def contract(self, name: str) -> Any:
        return bind(self.client, self.deployment, name)

    def govern_gate(self, function: str, *args: Any) -> None:
        governance = self.site.parameters.safes.governance
        self.site.anvil.set_balance(governance, 10**18)
        self.site.as_account(governance, self.contract("EmergencyGate"), function, *args)

    def govern(self, target: str, function: str, *args: Any) -> None:
        authority = self.contract("AccessAuthority")
        self.site.as_governance(authority, self.contract(target), function, *args)


@pytest.fixture(scope="module")
def suite_on_site(ground_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    path = tmp_path_factory.mktemp("suite") / "31337.json"
    surroundings, cast = ground_site.ground.surroundings, ground_site.cast
    deployment = build_suite(ground_site.client, surroundings, cast, path, lambda _: None)
    return Finished(ground_site, deployment)


@pytest.fixture
def finished(suite_on_site: Finished) -> Iterator[Finished]:
    anvil = suite_on_site.site.anvil
    snapshot = anvil.snapshot()
    yield suite_on_site
    anvil.revert(snapshot)
    suite_on_site.client.forget()


def differences(finished: Finished, deployment: Deployment | None = None) -> dict[str, str]:
    checks = verify(finished.client, deployment or finished.deployment)
    return {check.name: "; ".join(check.problems) for check in checks if check.problems}


def test_verify__untouched_suite__no_difference(finished: Finished) -> None:
    checks = verify(finished.client, finished.deployment)
    assert [check.problems for check in checks] == [()] * 11
    assert all(check.seen for check in checks)


def test_deployed_feeds__refuse_the_bounds_of_the_parameters(finished: Finished) -> None:
    (first, *_), *_ = [asset.feeds for asset in finished.site.parameters.assets]
    adapter = finished.contract("USDCFeed1").functions
    assert first.min_answer > 0
    assert finished.client.call(adapter.minAnswer()) == first.min_answer
    assert finished.client.call(adapter.maxAnswer()) == first.max_answer


def _other_code(f: Finished) -> None:
    f.site.anvil.rpc("anvil_setCode", f.deployment.address("PoolDeployer"), "0x00")


def _other_breaker(f: Finished) -> None:
    f.govern_gate("setBreaker", f.site.cast["attacker"].address)


def _other_queue(f: Finished) -> None:
    f.govern("CapitalRouter", "setExitQueue", f.site.cast["attacker"].address)


def _unregister(f: Finished) -> None:
    f.govern_gate("remove", f.deployment.address("ExitQueue"))


def _limit_removed(f: Finished) -> None:
    router, aave = (f.deployment.address(n) for n in ("CapitalRouter", "AaveV3Strategy"))
    f.govern("CircuitBreaker", "removeLimit", router, aave)


def _stranger_in_a_role(f: Finished) -> None:
    f.govern("AccessAuthority", "grantRole", KEEPER, f.site.cast["attacker"].address, 0)


def _role_taken(f: Finished) -> None:
    f.govern("AccessAuthority", "revokeRole", KEEPER, f.site.cast["keeper"].address)


def _function_given_away(f: Finished) -> None:
    router = f.contract("CapitalRouter")
    chosen = selectors(list(router.abi), "raiseCap")
    f.govern("AccessAuthority", "setTargetFunctionRole", router.address, chosen, KEEPER)


def _target_closed(f: Finished) -> None:
    f.govern("AccessAuthority", "setTargetClosed", f.deployment.address("ExitQueue"), True)


def _allowance(f: Finished) -> None:
    usdc = vault_at(f.client, f.site.parameters.asset)
    router = f.deployment.address("CapitalRouter")
    f.client.transact(f.site.deployer, usdc.functions.approve(router, 7))


def _policy_set(f: Finished) -> None:
    f.govern("CapitalRouter", "setAccessPolicy", f.deployment.address("InvestorRegistry"))


def _provider_too_many(f: Finished) -> None:
    f.govern("InvestorRegistry", "addProvider", f.site.cast["attacker"].address)


def _provider_missing(f: Finished) -> None:
    provider = f.site.cast["kyc_provider"].address
    compliance, registry = f.site.cast["compliance"].address, f.contract("InvestorRegistry")
    f.site.as_account(compliance, registry, "removeProvider", provider)


def _conduit_missing(f: Finished) -> None:
    f.govern("InvestorRegistry", "setConduit", f.deployment.address("ExitQueue"), False)


def _other_escrow(f: Finished) -> None:
    f.site.anvil.rpc("anvil_setCode", f.deployment.address("ExitEscrow"), "0x00")


def _nominated(f: Finished) -> None:
    f.govern_gate("proposeGovernance", f.site.deployer.address)


PLANTED: dict[str, tuple[Callable[[Finished], None], str, str]] = {
    "code": (_other_code, "code as recorded", "PoolDeployer has other code"),
    "gate's breaker": (_other_breaker, "wiring", "EmergencyGate.breaker is attacker"),
    "exit queue": (_other_queue, "wiring", "CapitalRouter.exitQueue is"),
    "limit": (_limit_removed, "exits metered", "AaveV3Strategy leaves the router without a limit"),
    "target": (_unregister, "targets of the gate", "ExitQueue is not registered"),
    "role too many": (_stranger_in_a_role, "roles", "holds keeper"),
    "role missing": (_role_taken, "roles", "does not hold keeper"),
    "function": (_function_given_away, "permissions", "CapitalRouter.raiseCap belongs to keeper"),
    "closed": (_target_closed, "permissions", "ExitQueue is closed"),
    "allowance": (_allowance, "handover", "the deployer still holds allowance of 7"),
    "policy": (_policy_set, "investors", "the router's access policy is"),
    "provider too many": (_provider_too_many, "investors", "is a KYC provider"),
    "provider missing": (_provider_missing, "investors", "is no KYC provider"),
    "conduit missing": (_conduit_missing, "investors", "is no conduit"),
    "escrow": (_other_escrow, "code as recorded", "ExitEscrow has other code"),
    "nomination": (_nominated, "handover", "pendingGovernance of EmergencyGate"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_verify__one_difference_on_chain__is_named(finished: Finished, case: str) -> None:
    plant, name, words = PLANTED[case]
    plant(finished)
    found = differences(finished)
    if case == "gate's breaker":
        words = words.replace("attacker", finished.site.cast["attacker"].address)
    assert words in found[name]


def _deposit(f: Finished, assets: int) -> None:
    usdc = f.site.ground.peers.tokens.usdc
    router, whale = f.contract("CapitalRouter"), f.site.cast["treasury"].address
    fund(f.client, f.site.cast["peers_deployer"], usdc, whale, assets)
    f.site.as_account(whale, usdc, "approve", router.address, assets)
    f.site.as_account(whale, router, "deposit", assets, whale)


def test_verify__more_than_can_leave_within_the_delay__is_named(finished: Finished) -> None:
    """A day of delay, 8 million a day: 4 at once and 4 in that day, and not one unit more."""
    limits = finished.site.parameters.limits
    assert limits.governance_delay == limits.exit_window
    _deposit(finished, limits.exit_limit)
    assert differences(finished) == {}
    _deposit(finished, 1)
    words = "governance acts after 86400 s, but at the breaker's pace all leave in 86401 s"
    assert differences(finished) == {"delay outlasts exits": words}


def test_verify__recorded_argument_changed__code_is_not_what_it_gives(finished: Finished) -> None:
    old = finished.deployment.contracts["USDCFeed1"]
    source, max_age, *others = old.constructor_args
    assert max_age == "86400"
    other = old.model_copy(update={"constructor_args": [source, "86401", *others]})
    contracts = {**finished.deployment.contracts, "USDCFeed1": other}
    found = differences(finished, finished.deployment.model_copy(update={"contracts": contracts}))
    assert found == {
        "code as compiled": "USDCFeed1 is not what these sources and its recorded arguments give"
    }


def test_verify__strategy_that_the_file_does_not_know__is_named(finished: Finished) -> None:
    external = dict(finished.deployment.external)
    vault = external.pop("CreditVault")
    found = differences(finished, finished.deployment.model_copy(update={"external": external}))
    assert found == {"strategies of the router": f"{vault} is nothing that the file knows"}


def test_verify__contract_missing_in_the_file__one_line(finished: Finished) -> None:
    contracts = {k: v for k, v in finished.deployment.contracts.items() if k != "ExitQueue"}
    with pytest.raises(DeployError, match="the deployment has no ExitQueue"):
        verify(finished.client, finished.deployment.model_copy(update={"contracts": contracts}))


def _sentinel(f: Finished) -> None:
    f.govern_gate("setSentinel", f.site.deployer.address)


def _later_role(f: Finished) -> None:
    f.govern("AccessAuthority", "setGrantDelay", KEEPER, 3_600)
    f.site.anvil.advance(6 * 86_400)
    f.govern("AccessAuthority", "grantRole", KEEPER, f.site.deployer.address, 0)


def _role(f: Finished) -> None:
    f.govern("AccessAuthority", "grantRole", KEEPER, f.site.deployer.address, 0)


def _treasury(f: Finished) -> None:
    f.govern("PoolFactory", "setTreasury", f.site.deployer.address)


def _provider(f: Finished) -> None:
    f.govern("InvestorRegistry", "addProvider", f.site.deployer.address)


def _shares(f: Finished) -> None:
    pool, treasury = f.contract("GuardedPool"), f.site.cast["treasury"].address
    f.site.as_account(treasury, pool, "transfer", f.site.deployer.address, 5)


LEFT: dict[str, tuple[Callable[[Finished], None], str]] = {
    "role": (_role, f"role {KEEPER} of AccessAuthority"),
    "role that begins later": (_later_role, f"role {KEEPER} of AccessAuthority"),
    "gate power": (_sentinel, "sentinel of EmergencyGate"),
    "nomination": (_nominated, "pendingGovernance of EmergencyGate"),
    "treasury": (_treasury, "treasury of PoolFactory"),
    "allowance": (_allowance, "allowance of 7 of .* to 0x"),
    "KYC provider": (_provider, "KYC provider of InvestorRegistry"),
    "shares": (_shares, "5 shares of GuardedPool"),
}


@pytest.mark.parametrize("case", LEFT)
def test_privileges_left__one_thing_left__is_found(finished: Finished, case: str) -> None:
    deployer = finished.site.deployer.address
    assert privileges_left(finished.client, finished.deployment, deployer) == []
    leave, words = LEFT[case]
    leave(finished)
    (found,) = privileges_left(finished.client, finished.deployment, deployer)
    assert re.match(words, found)


def test_permissions__every_function_that_asks_the_authority__has_a_decision(
    finished: Finished,
) -> None:
    """A stranger calls everything: what refuses him for want of a role is what must be decided."""
    stranger = finished.site.cast["attacker"].address
    refused = refused_functions(finished.client, finished.deployment, stranger)
    for artifact, names in refused.items():
        assert names == decisions(artifact).keys(), artifact
    assert {artifact for artifact, names in refused.items() if names} == set(REQUIRED)


def test_permissions__function_of_another_role__is_refused_on_chain(finished: Finished) -> None:
    """Nobody but a role's holder may call what the role is for."""
    router = finished.contract("CapitalRouter")
    entry = next(e for e in router.abi if e.get("name") == "processReport")
    data = bytes(function_abi_to_4byte_selector(entry)) + bytes(32)
    keeper, sentinel = finished.site.cast["keeper"].address, finished.site.cast["sentinel"].address
    assert refusal(finished.client, router.address, data, sentinel) == UNAUTHORIZED
    assert refusal(finished.client, router.address, data, keeper) != UNAUTHORIZED


def test_deployment_file__saved_and_loaded__verifies_the_same(
    finished: Finished, tmp_path: Path
) -> None:
    finished.deployment.save(tmp_path / "31337.json")
    loaded = Deployment.load(tmp_path / "31337.json", 31337)
    assert differences(finished, loaded) == {}
