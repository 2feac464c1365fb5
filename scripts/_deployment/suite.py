"""The plan of a suite: what is deployed, wired how, handed to whom; it sends nothing itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web3.contract import Contract

from offchain import artifacts
from offchain.chain.client import ChainClient
from offchain.deployment import ZERO_ADDRESS, Deployment
from scripts._deployment.errors import DeployError
from scripts._deployment.installer import Installer
from scripts._deployment.investors import deploy_registry, provider_names, wire_registry
from scripts._deployment.parameters import Asset, Parameters
from scripts._deployment.permissions import (
    GOVERNANCE,
    PERMISSIONS,
    ROLE_NAMES,
    role_holders,
    selectors,
)
from scripts._deployment.strategies import (
    Core,
    Lender,
    check_sales,
    deploy_strategies,
    optional,
    peers,
    wire_sales,
)
from scripts._safe import Call

SETTLE_TIME = 900
RECOVER_DIVISOR = 2
NO_SANITY_BOUND = (ZERO_ADDRESS, 0)
PROTOCOL_SHARE_BPS = 1_000
# Pool defaults: fee 0.05 % to 1 %, rising with volatility and with deviation.
POOL_MATURITY_BLOCKS = 2
POOL_MIN_FEE_PIPS = 500
POOL_MAX_FEE_PIPS = 10_000
POOL_VOLATILITY_FACTOR = 20_000
POOL_DEVIATION_FACTOR = 200_000
POOL_TRUNCATION_RATE = 60
# What a suite costs to deploy, measured over local peers and rounded up.
GAS, GAS_PER_STRATEGY = 58_000_000, 5_500_000
GWEI, ETHER = 10**9, 10**18
# The breaker's largest limit (TokenBucket.MAX_LIMIT).
LARGEST_LIMIT = 2**103 - 1


@dataclass(frozen=True)
class Installed:
    """A deployed suite, not yet written.

    Attributes:
        deployment: what will be written.
        governance_calls: by which governance takes the targets under the gate.
    """

    deployment: Deployment
    governance_calls: tuple[Call, ...]


class Suite:
    """Deploys and wires one suite.

    Args:
        installer: does each step at most once.
        parameters: what the chain and its people look like.
    """

    def __init__(self, installer: Installer, parameters: Parameters) -> None:
        self._in = installer
        self._p = parameters
        self._client: ChainClient = installer.client
        self._deployer = installer.signer.address

    def install(self) -> Installed:
        """Deploys, wires, grants, hands over.

        Raises:
            DeployError: if the chain is another one, a peer is missing, or funds are.
            TransactionReverted: if a contract refuses.
        """
        self._check_surroundings()
        p, deploy = self._p, self._in.deploy
        authority = deploy("AccessAuthority", self._deployer)
        gate = deploy(
            "EmergencyGate",
            p.safes.governance,
            p.safes.guardian,
            p.limits.freeze_duration,
            p.limits.freeze_cooldown,
            p.limits.guardian_heartbeat,
        )
        oracle = deploy("PriceOracle", authority.address)
        for asset in p.assets:
            self._price(oracle, asset)
        breaker = deploy("CircuitBreaker", authority.address, gate.address, oracle.address)
        config = (
            p.asset,
            p.share_name,
            p.share_symbol,
            authority.address,
            gate.address,
            breaker.address,
        )
        manager = deploy("RouterManager", config)
        router = deploy("CapitalRouter", config, manager.address)
        router = self._client.contract(router.address, artifacts.load("ICapitalRouter").abi)
        queue = deploy("ExitQueue", router.address, gate.address)
        gateway = deploy("DepositGateway", router.address, authority.address, gate.address)
        harvester = deploy(
            "YieldHarvester", router.address, oracle.address, authority.address, gate.address
        )
        venue = deploy("UniswapV3Venue", p.uniswap_v3_router, authority.address)
        factory = deploy(
            "PoolFactory",
            authority.address,
            deploy("PoolDeployer").address,
            gate.address,
            p.holders.treasury,
            PROTOCOL_SHARE_BPS,
        )
        pool = self._pool(factory, gate)
        anchors = deploy("AuditAnchor", authority.address)
        registry = deploy_registry(self._in, authority)
        core = Core(router, authority, gate, oracle, venue, pool)
        strategies = deploy_strategies(self._in, p, core)
        wire_sales(self._in, p, venue, harvester)
        self._wire_router(router, queue, strategies)
        self._wire_breaker(breaker, router, strategies)
        conduits = {"DepositGateway": gateway, "ExitQueue": queue}
        wire_registry(self._in, p, registry, router, conduits)
        self._grant(authority, harvester)
        managed = {
            "PriceOracle": oracle,
            "CircuitBreaker": breaker,
            "CapitalRouter": router,
            "DepositGateway": gateway,
            "YieldHarvester": harvester,
            "UniswapV3Venue": venue,
            "PoolFactory": factory,
            "InvestorRegistry": registry,
            "AuditAnchor": anchors,
        }
        own = {name: lender.contract for name, lender in strategies.items() if lender.own}
        managed |= own
        self._permit(authority, managed)
        self._pass_pool_shares(pool)
        self._hand_over(authority)
        targets = [router, queue, gateway, harvester, pool, *own.values()]
        calls = self._governance_calls(gate, breaker, targets)
        deployment = self._in.record(self._roles(), self._external(), p.permissioned)
        return Installed(deployment, calls)

    # ---- before ----

    def _check_surroundings(self) -> None:
        p = self._p
        if self._client.chain_id != p.chain_id:
            raise DeployError(
                f"the parameters are for chain {p.chain_id}, the node is on {self._client.chain_id}"
            )
        if self._client.balance(self._deployer) == 0:
            raise DeployError(f"the deployer {self._deployer} has no ether on chain {p.chain_id}")
        self._check_funds()
        needed = {
            "asset": p.asset,
            "governance Safe": p.safes.governance,
            "guardian Safe": p.safes.guardian,
            "Uniswap V3's router": p.uniswap_v3_router,
            **peers(p),
        }
        for what, address in needed.items():
            if not self._client.code(address):
                raise DeployError(f"there is no contract at {address}, where the {what} should be")
        check_sales(self._client, p)

    def _check_funds(self) -> None:
        """NOTE: a deployment that goes on has paid for a part already and is not asked again."""
        block = self._client.web3.eth.get_block("latest")
        gas = GAS + GAS_PER_STRATEGY * len(optional(self._p))
        needed = gas * (int(block.get("baseFeePerGas", 0)) + GWEI)
        held = self._client.balance(self._deployer)
        if self._in.fresh and held < needed:
            raise DeployError(
                f"the deployer {self._deployer} has {held / ETHER:.4f} ether; "
                f"a deployment needs about {needed / ETHER:.4f} at the present fee"
            )

    # ---- safety plane ----

    def _price(self, oracle: Contract, asset: Asset) -> None:
        symbol = self._symbol(asset.token)
        adapters = [
            self._in.deploy(
                f"{symbol}Feed{number}",
                feed.address,
                feed.max_age,
                feed.min_answer,
                feed.max_answer,
                f"{symbol} / USD, AggregatorV3, {feed.max_age} s",
                artifact="AggregatorV3Adapter",
            ).address
            for number, feed in enumerate(asset.feeds, start=1)
        ]
        rules = (
            asset.max_spread_bps,
            asset.max_spread_bps // RECOVER_DIVISOR,
            SETTLE_TIME,
            *NO_SANITY_BOUND,
        )
        self._in.ensure(
            f"price of {symbol} from {len(adapters)} feeds",
            list(self._client.call(oracle.functions.feedsOf(asset.token))) == adapters,
            oracle.functions.setFeeds(asset.token, adapters, rules),
        )

    def _wire_breaker(
        self, breaker: Contract, router: Contract, strategies: dict[str, Lender]
    ) -> None:
        limits = self._p.limits
        self._meter(breaker, router, "exits", self._p.asset, limits.exit_limit)
        for name, lender in strategies.items():
            strategy = lender.contract
            # NOTE: what leaves in kind is redeemed at the strategy, past the asset's meter.
            shares = self._client.call(strategy.functions.convertToShares(limits.exit_limit))
            what = f"exits in {name} shares"
            self._meter(breaker, router, what, strategy.address, min(shares, LARGEST_LIMIT))
        watch = self._client.call(breaker.functions.watchOf(router.address))
        self._in.ensure(
            "router under watch",
            int(watch[0], 16) != 0,
            breaker.functions.setWatch(
                router.address,
                (self._p.asset, limits.max_drawdown_bps, limits.max_price_drop_bps, 0, 0),
            ),
        )

    def _meter(
        self, breaker: Contract, router: Contract, what: str, token: str, limit: int
    ) -> None:
        held = self._client.call(breaker.functions.limitOf(router.address, token))
        window = self._p.limits.exit_window
        self._in.ensure(
            f"{what} metered",
            held[0] != 0,
            breaker.functions.setLimit(router.address, token, limit, window, limit // 10),
        )

    # ---- money plane ----

    def _wire_router(
        self, router: Contract, queue: Contract, strategies: dict[str, Lender]
    ) -> None:
        p, fn, ensure = self._p, router.functions, self._in.ensure
        known = self._client.call(fn.strategies())
        for name, lender in strategies.items():
            strategy, cap = lender.contract, lender.cap
            ensure(
                f"strategy {name}, at most {cap.bps / 100:g} %",
                strategy.address in known,
                fn.addStrategy(strategy.address, cap.assets, cap.bps),
            )
            state = self._client.call(fn.strategyState(strategy.address))
            health = (p.limits.max_gain_bps, p.limits.max_loss_bps)
            ensure(
                f"health limits of {name}",
                (state[3], state[4]) == health,
                fn.setHealthLimits(strategy.address, *health),
            )
        ensure(
            "exit queue",
            self._client.call(fn.exitQueue()) == queue.address,
            fn.setExitQueue(queue.address),
        )
        ensure(
            "profit unlock time",
            self._client.call(fn.profitUnlockTime()) == p.limits.profit_unlock,
            fn.setProfitUnlockTime(p.limits.profit_unlock),
        )
        fees = (p.limits.performance_fee_bps, p.limits.management_fee_bps, p.holders.treasury)
        ensure("fees", self._client.call(fn.fees()) == fees, fn.setFees(fees))
        plan_limits = (p.limits.small_plan_bps, p.limits.epoch_loss_bps)
        ensure(
            "plan limits",
            self._client.call(fn.planLimits()) == plan_limits,
            fn.setPlanLimits(*plan_limits),
        )
        ensure(
            "idle floor",
            self._client.call(fn.idleFloorBps()) >= p.limits.idle_floor_bps,
            fn.raiseIdleFloor(p.limits.idle_floor_bps),
        )
        ensure(
            "deposit cap",
            self._client.call(fn.depositCap()) <= p.limits.deposit_cap,
            fn.lowerDepositCap(p.limits.deposit_cap),
        )

    def _pool(self, factory: Contract, gate: Contract) -> Contract:
        seed = self._p.pool
        config = (
            seed.guard_window,
            POOL_MATURITY_BLOCKS,
            POOL_MIN_FEE_PIPS,
            POOL_MAX_FEE_PIPS,
            POOL_VOLATILITY_FACTOR,
            POOL_DEVIATION_FACTOR,
            POOL_TRUNCATION_RATE,
        )
        fn = factory.functions
        address = self._client.call(fn.predictPool(seed.token0, seed.token1, config))
        if not self._client.call(fn.isPool(address)):
            amounts = {seed.token0: seed.amount0, seed.token1: seed.amount1}
            for token, amount in amounts.items():
                self._allow_exactly(token, factory.address, amount)
            self._in.ensure(
                f"guarded pool at {address}, seeded",
                False,
                fn.createPool(seed.token0, seed.token1, seed.amount0, seed.amount1, config),
            )
        return self._in.adopt(
            "GuardedPool",
            address,
            factory.address,
            seed.token0,
            seed.token1,
            gate.address,
            PROTOCOL_SHARE_BPS,
            config,
        )

    def _allow_exactly(self, token: str, spender: str, amount: int) -> None:
        """An allowance that the one purchase uses up, so that none is left."""
        erc20 = self._vault(token)
        held = self._client.call(erc20.functions.balanceOf(self._deployer))
        if held < amount:
            raise DeployError(
                f"the deployer holds {held} of {self._symbol(token)}, "
                f"the pool's seed needs {amount}"
            )
        self._in.ensure(
            f"allowance of {self._symbol(token)} for the pool's seed",
            self._client.call(erc20.functions.allowance(self._deployer, spender)) == amount,
            erc20.functions.approve(spender, amount),
        )

    def _pass_pool_shares(self, pool: Contract) -> None:
        """The seed's liquidity belongs to the treasury; its shares have matured by now."""
        shares = self._client.call(pool.functions.balanceOf(self._deployer))
        self._in.ensure(
            "pool shares to the treasury",
            shares == 0,
            pool.functions.transfer(self._p.holders.treasury, shares),
        )

    # ---- powers ----

    def _grant(self, authority: Contract, harvester: Contract) -> None:
        """Every role but governance's, which comes last."""
        fn = authority.functions
        for role, holder in role_holders(self._roles(), harvester.address):
            if role != GOVERNANCE:
                self._in.ensure(
                    f"role {ROLE_NAMES[role]} to {holder}",
                    self._client.call(fn.hasRole(role, holder))[0],
                    fn.grantRole(role, holder, 0),
                )

    def _permit(self, authority: Contract, managed: dict[str, Contract]) -> None:
        fn = authority.functions
        for permission in PERMISSIONS:
            contract = managed.get(permission.artifact)
            if contract is None:
                continue
            wanted = [
                s for name in permission.functions for s in selectors(list(contract.abi), name)
            ]
            missing = [
                s
                for s in wanted
                if self._client.call(fn.getTargetFunctionRole(contract.address, s))
                != permission.role
            ]
            self._in.ensure(
                f"{ROLE_NAMES[permission.role]} may call {', '.join(permission.functions)} "
                f"of {permission.artifact}",
                not missing,
                fn.setTargetFunctionRole(contract.address, missing, permission.role),
            )

    def _hand_over(self, authority: Contract) -> None:
        """Governance gets everything, behind its delay; then the deployer lets go."""
        p, fn = self._p, authority.functions
        self._in.ensure(
            f"everything to governance, {p.limits.governance_delay} s delayed",
            self._client.call(fn.hasRole(GOVERNANCE, p.safes.governance))[0],
            fn.grantRole(GOVERNANCE, p.safes.governance, p.limits.governance_delay),
        )
        self._in.ensure(
            "the deployer lets go",
            not self._client.call(fn.hasRole(GOVERNANCE, self._deployer))[0],
            fn.renounceRole(GOVERNANCE, self._deployer),
        )

    def _governance_calls(
        self, gate: Contract, breaker: Contract, targets: list[Contract]
    ) -> tuple[Call, ...]:
        fn = gate.functions
        calls = [
            fn.register(target.address)
            for target in targets
            if not self._client.call(fn.isTarget(target.address))
        ]
        if self._client.call(fn.breaker()) != breaker.address:
            calls.append(fn.setBreaker(breaker.address))
        if self._client.call(fn.sentinel()) != self._p.holders.sentinel:
            calls.append(fn.setSentinel(self._p.holders.sentinel))
        return tuple(Call(to=gate.address, data=_data(call)) for call in calls)

    # ---- records ----

    def _roles(self) -> dict[str, str]:
        p = self._p
        return {
            "governance": p.safes.governance,
            "guardian": p.safes.guardian,
            **{name: getattr(p.holders, name) for name in type(p.holders).model_fields},
            **provider_names(p),
            "deployer": self._deployer,
        }

    def _external(self) -> dict[str, str]:
        p = self._p
        named = {self._symbol(asset.token): asset.token for asset in p.assets}
        named |= {vault.name: vault.address for vault in p.foreign_vaults}
        named["SafeMultiSendCallOnly"] = p.safes.multi_send
        named["AaveAddressesProvider"] = p.aave.addresses_provider
        named["UniswapV3Router"] = p.uniswap_v3_router
        return named

    def _vault(self, address: str) -> Contract:
        """Somebody else's ERC-20 or ERC-4626: our strategy base has both."""
        return self._client.contract(address, artifacts.load("Strategy").abi)

    def _symbol(self, token: str) -> str:
        erc20 = self._vault(token)
        return "".join(c for c in self._client.call(erc20.functions.symbol()) if c.isalnum())


def _data(call: Any) -> bytes:
    return bytes.fromhex(str(call._encode_transaction_data()).removeprefix("0x"))
