"""The whole suite on one in-process EVM, every part real and two Safes in charge; for tests.

Gate, breaker, oracle with its adapters, router, exit queue, strategy base, pool and both Safes are
what ships; only the feeds' publishers are doubles (`FeedDouble`). It asserts nothing by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from offchain.abi import AbiError
from tests.models.guarded_pool import Config
from tests.support.amm import ANY_FEE, FOREVER, NEVER_ENDING, sorted_tokens
from tests.support.evm import Address, Contract, Evm, Revert, interface
from tests.support.gate import COOLDOWN, HEARTBEAT, MAX_DURATION
from tests.support.safes import LocalSafe, SafeFactory

GUARDIAN, ALLOCATOR, KEEPER = 1, 2, 3
BPS = 10_000
DAY = 86_400
UNIT = 10**6
FEED_UNIT = 10**8
MAX_AGE = 3_600
FEED_MIN, FEED_MAX = FEED_UNIT // 100, FEED_UNIT * 100
DEPOSIT = 1_000_000 * UNIT
LIMIT = 400_000 * UNIT
MAX_DRAWDOWN_BPS, MAX_PRICE_DROP_BPS, MAX_SPREAD_BPS = 200, 500, 100
NO_SANITY_BOUND = ("0x" + "00" * 20, 0)
TIGHTENING = {
    "CircuitBreaker": ("tightenLimit", "tightenWatch"),
    "ICapitalRouter": ("lowerCap", "raiseIdleFloor", "lowerDepositCap", "revokePlan"),
}


@dataclass(frozen=True)
class Suite:
    """Contracts and people of one deployment; half of the capital is lent, half lies idle."""

    evm: Evm
    safes: SafeFactory
    governance: LocalSafe
    guardian: LocalSafe
    authority: Contract
    gate: Contract
    oracle: Contract
    breaker: Contract
    feeds: Sequence[Contract]
    sequencer: Contract
    asset: Contract
    router: Contract
    queue: Contract
    strategy: Contract
    pool: Contract
    tokens: tuple[Contract, Contract]
    investor: Address
    trader: Address
    liquidity_provider: Address
    allocator: Address
    keeper: Address
    sentinel: Address
    attacker: Address

    @property
    def targets(self) -> tuple[Contract, ...]:
        """All that the gate can stop."""
        return (self.router, self.queue, self.strategy, self.pool)

    def govern(self, contract: Contract, method: str, *args: Any) -> None:
        """Governance's act once its delay is over: the Safe's own call, without signatures."""
        call = contract[method] if "(" in method else getattr(contract, method)
        call(*args, sender=self.governance.contract)

    def watch(self) -> None:
        """What keepers do: tell the oracle of a dispute and have the router judged, if they can."""
        with suppress(Revert, AbiError):
            self.oracle.sync(self.asset, sender=self.keeper)
        with suppress(Revert, AbiError):
            self.breaker.poke(self.router, sender=self.keeper)

    def fund(self, holder: Address, assets: int) -> None:
        """Gives assets, approved to the router."""
        self.asset.mint(holder, assets)
        self.asset.approve(self.router, NEVER_ENDING, sender=holder)

    def swap(self, amount: int, zero_for_one: bool = True) -> int:
        """The trader sells one side of the pool; what he got."""
        out = self.pool.swapExactIn(
            zero_for_one, amount, 0, self.trader, ANY_FEE, FOREVER, sender=self.trader
        )
        return int(out)


def permit(suite_authority: Contract, role: int, target: Contract, kind: str, *names: str) -> None:
    """Lets a role call these functions; by the authority's first administrator."""
    codecs = interface(kind).by_name
    selectors = [codec.selector for name in names for codec in codecs[name]]
    suite_authority.setTargetFunctionRole(target, selectors, role)


def build_suite(evm: Evm) -> Suite:
    """Deploys the suite and hands it to the two Safes; no delay is set, so tests need not wait."""
    safes = SafeFactory(evm)
    governors = [evm.account(f"governor {n}") for n in range(5)]
    guards = [evm.account(f"guard {n}") for n in range(3)]
    governance, guardian = safes.create(governors, 3), safes.create(guards, 2)
    people = {
        name: evm.account(name)
        for name in (
            *("investor", "trader", "liquidity_provider"),
            *("allocator", "keeper", "sentinel", "attacker"),
        )
    }

    authority = evm.deploy("AccessAuthority", evm.default_sender)
    gate = evm.deploy(
        "EmergencyGate", governance.contract, guardian.contract, MAX_DURATION, COOLDOWN, HEARTBEAT
    )
    oracle = evm.deploy("PriceOracle", authority)
    breaker = evm.deploy("CircuitBreaker", authority, gate, oracle)
    tokens = sorted_tokens(evm, (6, 18))
    asset = tokens[0]

    config = (asset, "Breakwater Dollar", "bwUSD", authority, gate, breaker)
    manager = evm.deploy("RouterManager", config)
    router = evm.at("ICapitalRouter", evm.deploy("CapitalRouter", config, manager))
    queue = evm.deploy("ExitQueue", router, gate)
    strategy = evm.deploy("HoldingStrategy", router, authority, gate)
    feeds = [evm.deploy("FeedDouble", f"USD {n}", 8, FEED_UNIT) for n in range(3)]
    pool = _pool(evm, authority, gate, tokens, people["liquidity_provider"])

    suite = Suite(
        evm=evm,
        safes=safes,
        governance=governance,
        guardian=guardian,
        authority=authority,
        gate=gate,
        oracle=oracle,
        breaker=breaker,
        feeds=feeds,
        sequencer=evm.deploy("FeedDouble", "sequencer", 0, 0),
        asset=asset,
        router=router,
        queue=queue,
        strategy=strategy,
        pool=pool,
        tokens=tokens,
        **people,
    )
    _price(suite)
    _wire(suite)
    _capital(suite)
    return suite


def _pool(
    evm: Evm,
    authority: Contract,
    gate: Contract,
    tokens: tuple[Contract, Contract],
    provider: Address,
) -> Contract:
    deployer = evm.deploy("PoolDeployer")
    treasury = evm.account("treasury")
    factory = evm.deploy("PoolFactory", authority, deployer, gate, treasury, 1_000)
    reserves = (1_000_000 * UNIT, 1_000_000 * 10**18)
    for token, amount in zip(tokens, reserves, strict=True):
        token.mint(provider, amount)
        token.approve(factory, NEVER_ENDING, sender=provider)
    address, _ = factory.createPool(*tokens, *reserves, Config().as_tuple(), sender=provider)
    pool = evm.at("GuardedPool", address)
    trader = evm.account("trader")
    for token, amount in zip(tokens, reserves, strict=True):
        token.mint(trader, amount)
        token.approve(pool, NEVER_ENDING, sender=trader)
    return pool


def _price(suite: Suite) -> None:
    evm = suite.evm
    for feed in suite.feeds:
        feed.setMode(1)
    adapters = [
        evm.deploy("AggregatorV3Adapter", feed, MAX_AGE, FEED_MIN, FEED_MAX, f"USD {n}")
        for n, feed in enumerate(suite.feeds)
    ]
    rules = (MAX_SPREAD_BPS, MAX_SPREAD_BPS // 2, MAX_AGE, *NO_SANITY_BOUND)
    suite.oracle.setFeeds(suite.asset, adapters, rules)
    suite.oracle.setSequencerFeed(suite.sequencer, MAX_AGE)
    evm.mine(1, MAX_AGE + 1)


def _wire(suite: Suite) -> None:
    authority, breaker, router = suite.authority, suite.breaker, suite.router
    breaker.setLimit(router, suite.asset, LIMIT, DAY, LIMIT // 10)
    watch = (suite.asset, MAX_DRAWDOWN_BPS, MAX_PRICE_DROP_BPS, 0, 0)
    breaker.setWatch(router, watch)
    router.addStrategy(suite.strategy, DEPOSIT, BPS)
    router.setExitQueue(suite.queue)
    router.setPlanLimits(BPS, BPS)
    permit(authority, GUARDIAN, breaker, "CircuitBreaker", *TIGHTENING["CircuitBreaker"])
    permit(authority, GUARDIAN, router, "ICapitalRouter", *TIGHTENING["ICapitalRouter"])
    permit(authority, ALLOCATOR, router, "ICapitalRouter", "rebalance")
    permit(authority, KEEPER, router, "ICapitalRouter", "processReport")
    for role, holder in (
        (GUARDIAN, suite.guardian.contract),
        (GUARDIAN, suite.governance.contract),
        (ALLOCATOR, suite.allocator),
        (KEEPER, suite.keeper),
        (0, suite.governance.contract),
    ):
        authority.grantRole(role, holder, 0)
    authority.renounceRole(0, suite.evm.default_sender)
    suite.govern(suite.gate, "setBreaker", breaker)
    suite.govern(suite.gate, "setSentinel", suite.sentinel)
    for target in suite.targets:
        suite.govern(suite.gate, "register", target)


def _capital(suite: Suite) -> None:
    evm = suite.evm
    suite.fund(suite.investor, 2 * DEPOSIT)
    suite.router["deposit(uint256,address)"](DEPOSIT, suite.investor, sender=suite.investor)
    suite.router.approve(suite.queue, NEVER_ENDING, sender=suite.investor)
    move = (suite.strategy, True, DEPOSIT // 2, 0)
    plan = (b"\1".ljust(32, b"\0"), evm.timestamp + DAY, DEPOSIT, [move])
    suite.router.rebalance(plan, sender=suite.allocator)
    # Past the pool's maturity, so that shares can be burned.
    evm.mine(10)
