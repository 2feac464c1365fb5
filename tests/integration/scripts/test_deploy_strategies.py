"""A permissioned suite with every strategy that parameters can ask for, over its peers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from typing import cast as cast_to

import pytest
from web3.contract import Contract
from web3.types import TxData

from offchain import artifacts
from offchain.chain.client import ChainClient, TransactionReverted
from offchain.chain.signers import KeySigner
from offchain.deployment import Deployment
from scripts._deployment.bound import ROUTER, bind
from scripts._deployment.errors import DeployError
from scripts._deployment.installer import Installer
from scripts._deployment.parameters import (
    Cap,
    Compound,
    Curve,
    GuardedPoolTerms,
    Parameters,
    Sale,
    UniswapV3,
)
from scripts._deployment.permissions import MANAGED, OPTIONAL, decisions
from scripts._deployment.suite import GAS, GAS_PER_STRATEGY, Suite
from scripts._deployment.verify import verify
from scripts._local.cast import cast, investor
from scripts._local.credentials import credential_for
from scripts._local.world import build_ground, build_suite
from tests.peers import compound, curve
from tests.peers.tokens import approve, balance, fund
from tests.peers.world import STABLE_FEE, WETH_FEE
from tests.support.anvil import Anvil
from tests.support.deployment import Site, refused_functions

pytestmark = pytest.mark.peers
USDC, DAY, HOUR = 10**6, 86_400, 3_600
CAP = Cap(assets=5_000_000 * USDC, bps=3_000)
TWAP = 600
OWN = ("AaveV3Strategy", *OPTIONAL)


@dataclass(frozen=True)
class Whole:
    """The suite with five strategies of its own and a foreign vault."""

    site: Site
    parameters: Parameters
    deployment: Deployment

    def contract(self, name: str) -> Contract:
        return bind(self.site.client, self.deployment, name)

    def view(self, name: str, function: str, *arguments: Any) -> Any:
        found = self.contract(name).functions[function]
        return self.site.client.call(found(*arguments))

    def do(self, who: KeySigner, name: str, function: str, *arguments: Any) -> None:
        found = self.contract(name).functions[function]
        self.site.client.transact(who, found(*arguments))


def parameters_with_everything(site: Site) -> Parameters:
    """Deploys the doubles of Compound and Curve, and asks for all there is."""
    client, peers, owner = site.client, site.ground.peers, site.cast["peers_deployer"]
    usdc, dai, weth = peers.tokens.usdc, peers.tokens.dai, peers.tokens.weth
    collateral = compound.Collateral(weth.address, peers.feeds.first("WETH").address, 18)
    market = compound.deploy_compound_v3(
        client, owner, usdc, peers.feeds.first("USDC"), [collateral]
    )
    pool = curve.deploy_curve_pool(client, owner, [usdc, dai], seed=5_000_000)
    asked = {
        "compound": Compound(comet=market.comet.address, rewards=market.rewards.address, cap=CAP),
        "curve": Curve(
            pool=pool.pool.address,
            lp_token=pool.lp.address,
            coins=2,
            entry_loss_bps=50,
            exit_loss_bps=50,
            imbalance_bps=2_000,
            cap=CAP,
        ),
        "uniswap_v3": UniswapV3(
            pool=peers.v3_stable_pool.address,
            twap_period=TWAP,
            max_deviation=50,
            width=60,
            max_slippage_bps=100,
            cap=CAP,
        ),
        "guarded_pool": GuardedPoolTerms(
            twap_period=TWAP, max_deviation_bps=100, max_slippage_bps=100, cap=CAP
        ),
        "sales": (
            Sale(token=dai.address, fee_pips=STABLE_FEE, max_slippage_bps=50),
            Sale(token=weth.address, fee_pips=WETH_FEE, max_slippage_bps=200),
        ),
        "permissioned": True,
    }
    return Parameters.model_validate(dict(site.parameters) | asked)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    with Anvil() as anvil:
        client = ChainClient(anvil.web3, artifacts.index())
        site = Site(anvil, client, cast(), build_ground(client, cast(), lambda _: None))
        parameters = parameters_with_everything(site)
        surroundings = site.ground.surroundings.model_copy(update={"parameters": parameters})
        path = tmp_path_factory.mktemp("whole") / "31337.json"
        before = client.web3.eth.block_number
        deployment = build_suite(client, surroundings, cast(), path, lambda _: None)
        _check_gas(client, site.deployer.address, before)
        yield Whole(site, parameters, deployment)


def _check_gas(client: ChainClient, deployer: str, before: int) -> None:
    """What the deployment asks to be funded for, against what it burnt."""
    used = 0
    for number in range(before + 1, client.web3.eth.block_number + 1):
        block = client.web3.eth.get_block(number, full_transactions=True)
        for tx in cast_to(Sequence[TxData], block["transactions"]):
            if tx["from"] == deployer:
                used += client.web3.eth.get_transaction_receipt(tx["hash"])["gasUsed"]
    asked = GAS + GAS_PER_STRATEGY * len(OPTIONAL)
    print(f"deployment with every strategy: {used} gas of {asked}")
    assert 0.8 * asked < used <= asked


@pytest.fixture
def whole(built: Whole) -> Iterator[Whole]:
    snapshot = built.site.anvil.snapshot()
    yield built
    built.site.anvil.revert(snapshot)
    built.site.client.forget()


def test_verify__every_strategy_and_permissioned__no_difference(whole: Whole) -> None:
    checks = verify(whole.site.client, whole.deployment)
    assert [check.problems for check in checks] == [()] * 11
    assert set(OWN) < set(whole.deployment.contracts)
    assert {whole.deployment.artifact(n) for n in whole.deployment.contracts} >= set(MANAGED)


def test_strategies__each__has_cap_health_limits_and_a_limit_in_kind(whole: Whole) -> None:
    """Property: S1, R4."""
    limits, router = whole.parameters.limits, whole.deployment.address(ROUTER)
    for name in OWN:
        strategy = whole.deployment.address(name)
        state = whole.view(ROUTER, "strategyState", strategy)
        assert (state.maxGainBps, state.maxLossBps) == (limits.max_gain_bps, limits.max_loss_bps)
        cap = whole.parameters.aave.cap if name == "AaveV3Strategy" else CAP
        assert (state.capAssets, state.capBps) == (cap.assets, cap.bps)
        limit, window, *_ = whole.view("CircuitBreaker", "limitOf", router, strategy)
        shares = whole.view(name, "convertToShares", limits.exit_limit)
        assert (limit, window) == (shares, limits.exit_window)


def test_permissions__every_restricted_function__has_a_decision(whole: Whole) -> None:
    stranger = whole.site.cast["attacker"].address
    refused = refused_functions(whole.site.client, whole.deployment, stranger)
    for artifact, names in refused.items():
        assert names == decisions(artifact).keys(), artifact
    assert {artifact for artifact, names in refused.items() if names} == set(MANAGED)


def _enter(whole: Whole, number: int, assets: int) -> KeySigner:
    """An investor with a credential and money, who deposits."""
    client, who = whole.site.client, investor(number)
    expiry = client.timestamp() + 30 * DAY
    provider = whole.site.cast["kyc_provider"]
    registry = whole.contract("InvestorRegistry")
    client.transact(
        whole.site.cast["trader"],
        credential_for(client, registry, provider, who.address, expiry=expiry),
    )
    _fund(whole, who, assets)
    whole.do(who, ROUTER, "deposit(uint256,address)", assets, who.address)
    return who


def _fund(whole: Whole, who: KeySigner, assets: int) -> None:
    client, usdc = whole.site.client, whole.site.ground.peers.tokens.usdc
    whole.site.anvil.set_balance(who.address, 10**18)
    fund(client, whole.site.cast["peers_deployer"], usdc, who.address, assets)
    approve(client, who, usdc, whole.deployment.address(ROUTER))


def test_plan__over_every_strategy__lends_to_each_and_comes_back(whole: Whole) -> None:
    """Property: R1, R9."""
    site, each = whole.site, 50_000 * USDC
    who = _enter(whole, 1, 1_000_000 * USDC)
    site.anvil.advance(HOUR)
    for number, name in enumerate(OWN, start=1):
        move = (whole.deployment.address(name), True, each, each * 99 // 100)
        plan = (number.to_bytes(32, "big"), site.client.timestamp() + DAY, each // 100, [move])
        whole.do(site.cast["allocator"], ROUTER, "rebalance", plan)
        state = whole.view(ROUTER, "strategyState", whole.deployment.address(name))
        assert each * 99 // 100 <= state.debt <= each
    site.anvil.advance(HOUR)
    whole.do(site.cast["keeper"], "YieldHarvester", "harvest", _addresses(whole))
    usdc = site.ground.peers.tokens.usdc
    held = whole.view(ROUTER, "balanceOf", who.address)
    whole.do(who, ROUTER, "redeem(uint256,address,address)", held, who.address, who.address)
    assert balance(site.client, usdc, who.address) > 995_000 * USDC


def _addresses(whole: Whole) -> list[str]:
    return [whole.deployment.address(name) for name in OWN]


def test_guarded_pool__keeper__puts_capital_into_the_suites_own_pool(whole: Whole) -> None:
    site, strategy = whole.site, whole.deployment.address("GuardedPoolStrategy")
    _enter(whole, 1, 1_000_000 * USDC)
    site.anvil.advance(HOUR)
    each = 50_000 * USDC
    plan = (b"\1" * 32, site.client.timestamp() + DAY, 10, [(strategy, True, each, each - 10)])
    whole.do(site.cast["allocator"], ROUTER, "rebalance", plan)
    keeper = site.cast["keeper"]
    whole.do(keeper, "GuardedPoolStrategy", "invest", 10_000 * USDC, 5_000 * USDC)
    assert whole.view("GuardedPoolStrategy", "position")[0] > 0
    site.anvil.mine(5, 12)
    whole.do(keeper, "GuardedPoolStrategy", "unwind")
    assert whole.view("GuardedPoolStrategy", "position")[0] == 0
    other = site.ground.peers.tokens.weth
    assert balance(site.client, other, strategy) == 0
    assert whole.view("GuardedPoolStrategy", "totalAssets") > each * 99 // 100


def test_permissioned__without_a_credential__nobody_enters(whole: Whole) -> None:
    who = investor(2)
    _fund(whole, who, 1_000 * USDC)
    with pytest.raises(TransactionReverted, match="DepositRefused"):
        whole.do(who, ROUTER, "deposit(uint256,address)", 1_000 * USDC, who.address)
    _enter(whole, 2, 1_000 * USDC)
    assert whole.view(ROUTER, "balanceOf", who.address) > 0


def test_permissioned__frozen__exit_waits_in_his_escrow_until_released(whole: Whole) -> None:
    """Property: R9."""
    who, usdc = _enter(whole, 1, 1_000 * USDC), whole.site.ground.peers.tokens.usdc
    compliance = whole.site.cast["compliance"]
    reason = b"name on a sanctions list".ljust(32, b"\0")
    whole.do(compliance, "InvestorRegistry", "freeze", who.address, reason)
    held = whole.view(ROUTER, "balanceOf", who.address)
    approve(whole.site.client, who, whole.contract(ROUTER), whole.deployment.address("ExitQueue"))
    whole.do(who, "ExitQueue", "exit", held, who.address, who.address, 0)
    escrow = whole.view("InvestorRegistry", "escrowOf", who.address)
    waiting = balance(whole.site.client, usdc, escrow)
    assert waiting >= 1_000 * USDC - 1
    assert balance(whole.site.client, usdc, who.address) == 0
    release = (who.address, usdc.address, waiting, who.address)
    with pytest.raises(TransactionReverted, match="NoReason"):
        whole.do(compliance, "InvestorRegistry", "releaseEscrow", *release, bytes(32))
    released = b"not the one on the list".ljust(32, b"\0")
    whole.do(compliance, "InvestorRegistry", "releaseEscrow", *release, released)
    assert balance(whole.site.client, usdc, who.address) == waiting


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sales": ()}, "the Uniswap V3 pool trades .* for which there is no sale"),
        ({"sales": (), "uniswap_v3": None}, "the guarded pool trades .* there is no sale"),
        ({"curve": {"pool": "0x" + "11" * 20}}, "there is no contract at"),
    ],
)
def test_install__strategy_that_could_not_work__is_refused(
    whole: Whole, tmp_path: Path, change: dict[str, Any], words: str
) -> None:
    fields = whole.parameters.model_dump()
    for name, value in change.items():
        fields[name] = {**fields[name], **value} if isinstance(value, dict) else value
    site = whole.site
    installer = Installer(site.client, site.deployer, tmp_path / "31337.json", lambda _: None)
    with pytest.raises(DeployError, match=words):
        Suite(installer, Parameters.model_validate(fields)).install()
