"""A router over USDC with queue, gateway and harvester on a chain of real peers; no test in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from web3.contract import Contract

from offchain.abi import AbiIndex, Event, checksum
from offchain.chain.client import ChainClient, KeySigner, Signer
from tests.peers import compound, curve
from tests.peers.npm import deploy_own
from tests.peers.tokens import approve, fund
from tests.peers.world import STABLE_FEE, Peers
from tests.support.build import artifact
from tests.support.evm import interface

USD, DAI, WAD = 10**6, 10**18, 10**18
BPS, NO_LIMIT, NO_CAP = 10_000, 2**16 - 1, 2**112 - 1
MAX = 2**256 - 1
FOREVER = 2**40 - 1
HARVESTER = 6
ZERO = "0x" + "00" * 20


@dataclass
class CapitalChain:
    """The suite; `boss` holds every role of people, `gate` speaks for the emergency gate."""

    client: ChainClient
    peers: Peers
    boss: KeySigner
    gate: Signer
    authority: Contract
    router: Contract
    queue: Contract
    gateway: Contract
    harvester: Contract
    strategies: dict[str, Contract]
    first_block: int
    _plans: Any = field(default_factory=lambda: count(1))

    @property
    def usdc(self) -> Contract:
        return self.peers.tokens.usdc

    def send(self, function: Any, signer: Signer | None = None) -> Any:
        """By the boss unless somebody else is named."""
        return self.client.transact(signer or self.boss, function)

    def add(self, name: str, strategy: Contract) -> Contract:
        """Puts a strategy behind the router, with loose limits."""
        self.send(self.router.functions.addStrategy(strategy.address, NO_CAP, BPS))
        self.send(self.router.functions.setHealthLimits(strategy.address, NO_LIMIT, NO_LIMIT))
        self.strategies[name] = strategy
        return strategy

    def plan(
        self, moves: Sequence[tuple[Contract, bool, int, int]], max_loss: int
    ) -> tuple[bytes, int, int, list[tuple[str, bool, int, int]]]:
        """A plan with a fresh id that never expires."""
        steps = [(str(s.address), lend, assets, least) for s, lend, assets, least in moves]
        plan_id: bytes = next(self._plans).to_bytes(32, "big")
        return plan_id, FOREVER, max_loss, steps

    def join(self, investor: Signer, assets: int) -> None:
        """Funds an investor, who deposits all of it and trusts queue and gateway with shares."""
        fund(self.client, self.boss, self.usdc, investor.address, assets)
        approve(self.client, investor, self.usdc, self.router.address)
        deposit = self.router.get_function_by_signature("deposit(uint256,address)")
        self.send(deposit(assets, investor.address), investor)
        for spender in (self.queue, self.gateway):
            approve(self.client, investor, self.router, spender.address)

    def events(self) -> list[Event]:
        """Everything that router and queue ever said, in order."""
        addresses = [self.router.address, self.queue.address]
        logs = self.client.web3.eth.get_logs({"fromBlock": self.first_block, "address": addresses})
        # Both know an event named Withdraw, with another order of the same fields.
        indices = {c.address: AbiIndex([c.abi]) for c in (self.router, self.queue)}
        found = []
        for log in sorted(logs, key=lambda one: (one["blockNumber"], one["logIndex"])):
            address = checksum(log["address"])
            topics = [bytes(topic) for topic in log["topics"]]
            event = indices[address].decode_event(address, topics, bytes(log["data"]))
            if event is not None:
                found.append(event)
        return found


def capital_chain(client: ChainClient, peers: Peers, boss: KeySigner, gate: Signer) -> CapitalChain:
    """Deploys it: Aave V3 and a foreign credit vault are in, rewards in DAI can be sold."""
    usdc, dai = peers.tokens.usdc, peers.tokens.dai
    first_block = client.web3.eth.block_number
    authority = deploy_own(client, boss, "AccessAuthority", boss.address)
    named = (usdc.address, "Breakwater Dollar", "bwUSD")
    config = (*named, authority.address, gate.address, ZERO)
    manager = deploy_own(client, boss, "RouterManager", config)
    place = deploy_own(client, boss, "CapitalRouter", config, manager.address).address
    router = client.contract(place, artifact("ICapitalRouter").abi)
    queue = deploy_own(client, boss, "ExitQueue", place, gate.address)
    gateway = deploy_own(client, boss, "DepositGateway", place, authority.address, gate.address)
    swap_router = peers.uniswap_v3.router.address
    venue = deploy_own(client, boss, "UniswapV3Venue", swap_router, authority.address)
    oracle = deploy_own(client, boss, "RateOracle")
    who = (place, oracle.address, authority.address, gate.address)
    harvester = deploy_own(client, boss, "YieldHarvester", *who)
    suite = CapitalChain(
        *(client, peers, boss, gate, authority, router, queue, gateway, harvester),
        strategies={},
        first_block=first_block,
    )
    known = interface("ICapitalRouter").by_name
    selectors = [known[name][0].selector for name in ("receiveYield", "processReport")]
    hops = (bytes.fromhex(dai.address[2:]), STABLE_FEE.to_bytes(3, "big"))
    path = b"".join((*hops, bytes.fromhex(usdc.address[2:])))
    for call in (
        authority.functions.setTargetFunctionRole(place, selectors, HARVESTER),
        authority.functions.grantRole(HARVESTER, harvester.address, 0),
        router.functions.setExitQueue(queue.address),
        router.functions.setPlanLimits(BPS, BPS),
        venue.functions.setPath(dai.address, usdc.address, path),
        harvester.functions.setRoute(dai.address, venue.address, 50),
        # A dai (18 decimals) is worth a dollar (6).
        oracle.functions.setRate(dai.address, USD),
    ):
        suite.send(call)
    provider = peers.aave.provider.address
    aave = (place, provider, authority.address, gate.address)
    suite.add("aave", deploy_own(client, boss, "AaveV3Strategy", *aave))
    credit = (usdc.address, peers.borrower.address, 900)
    suite.add("credit", deploy_own(client, boss, "CreditVaultDouble", *credit))
    return suite


CURVE_LIMITS = (50, 50, 2_000)
TWAP_PERIOD, DEVIATION, WIDTH, SLIPPAGE_BPS = 600, 50, 60, 100
POOL_DEPTH = 5_000_000


def five_protocols(suite: CapitalChain) -> tuple[Contract, ...]:
    """Adds Compound's and Curve's doubles and Uniswap V3 to what is there: five protocols."""
    client, peers, boss = suite.client, suite.peers, suite.boss
    place, powers = suite.router.address, (suite.authority.address, suite.gate.address)
    usdc, dai, weth = peers.tokens.usdc, peers.tokens.dai, peers.tokens.weth
    collateral = compound.Collateral(weth.address, peers.feeds.first("WETH").address, 18)
    market = compound.deploy_compound_v3(
        client, boss, usdc, peers.feeds.first("USDC"), [collateral]
    )
    own = (market.comet.address, market.rewards.address)
    suite.add("comet", deploy_own(client, boss, "CompoundV3Strategy", place, *own, *powers))
    pool = curve.deploy_curve_pool(client, boss, [usdc, dai], seed=POOL_DEPTH)
    own = (pool.pool.address, pool.lp.address)
    terms = (*own, 2, CURVE_LIMITS)
    suite.add("curve", deploy_own(client, boss, "CurveStrategy", place, *terms, *powers))
    oracle = deploy_own(client, boss, "RateOracle")
    suite.send(oracle.functions.setRate(dai.address, USD))
    swap_router = peers.uniswap_v3.router.address
    venue = deploy_own(client, boss, "UniswapV3Venue", swap_router, suite.authority.address)
    config = (
        *(peers.v3_stable_pool.address, oracle.address, venue.address),
        *(TWAP_PERIOD, DEVIATION, WIDTH, SLIPPAGE_BPS),
    )
    suite.add("uniswap", deploy_own(client, boss, "UniswapV3Strategy", place, config, *powers))
    return tuple(suite.strategies[n] for n in ("aave", "credit", "comet", "curve", "uniswap"))
