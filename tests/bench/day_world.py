"""The suite, its investors and six strategies on a chain of their own, for the day's gas.

Everything that meters, prices or judges is the real thing and switched on. It measures nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner
from tests.peers.npm import deploy_own
from tests.peers.tokens import fund
from tests.peers.world import STABLE_FEE, Peers, deploy_peers
from tests.support.anvil import Anvil, AnvilOptions
from tests.support.build import artifact
from tests.support.evm import Address, interface, labelled
from tests.support.flows import Intent

USD, DAI, ETHER = 10**6, 10**18, 10**18
BPS, NO_LIMIT, NO_CAP = 10_000, 2**16 - 1, 2**112 - 1
MAX = 2**256 - 1
FOREVER = 2**40 - 1
KEEPER, HARVESTER = 3, 6
DAY = 86_400
PEOPLE = 100
STAKE = 10_000 * USD
IDLE_FLOOR_BPS = 500
REWARD = 40 * DAI
BLOCK_GAS = 60_000_000
OFFICE = ("batcher", "allocator", "keeper")


@dataclass(frozen=True)
class DayWorld:
    """A router over USDC that worked yesterday already; `boss` holds all roles of people.

    Attributes:
        depositors: hold shares, and assets for another deposit.
        leavers: hold shares, part of which they sell.
        strategies: all have debt; those in `rewarding` pay DAI.
    """

    chain: Anvil
    client: ChainClient
    peers: Peers
    boss: KeySigner
    router: Contract
    gateway: Contract
    harvester: Contract
    strategies: tuple[Contract, ...]
    rewarding: tuple[Contract, ...]
    depositors: tuple[Address, ...]
    leavers: tuple[Address, ...]

    def send(self, sender: str, function: Any) -> int:
        """Sends from any account; the gas that the receipt shows."""
        return int(self.receipt(sender, function)["gasUsed"], 16)

    def receipt(self, sender: str, function: Any) -> dict[str, Any]:
        """The raw receipt of a transaction that must succeed."""
        data = bytes.fromhex(str(function._encode_transaction_data()).removeprefix("0x"))
        receipt = self.chain.send(sender, function.address, data, gas=BLOCK_GAS // 2)
        if int(receipt["status"], 16) != 1:
            self.client.call(function, sender=sender)
            raise AssertionError(f"{function.fn_name} of the day reverted")
        return receipt

    def accrue_rewards(self) -> None:
        """The protocols owe their rewards."""
        for strategy in self.rewarding:
            self.send(self.boss.address, strategy.functions.setDue(self.dai.address, REWARD))

    def unsold(self) -> int:
        """Rewards that a harvest claimed and could not sell."""
        pending = self.harvester.functions.pending
        found = [pending(s.address, self.dai.address) for s in self.rewarding]
        return sum(int(self.client.call(one)) for one in found)

    @property
    def usdc(self) -> Contract:
        return self.peers.tokens.usdc

    @property
    def dai(self) -> Contract:
        return self.peers.tokens.dai


def build_day_world() -> DayWorld:
    """Starts a chain; the caller stops it."""
    chain = Anvil(AnvilOptions(gas_limit=BLOCK_GAS))
    client = ChainClient(chain.web3)
    boss = chain.signer(0)
    peers = deploy_peers(client, boss)
    usdc, dai = peers.tokens.usdc, peers.tokens.dai
    gate = chain.signer(9).address
    authority = deploy_own(client, boss, "AccessAuthority", boss.address)
    oracle = deploy_own(client, boss, "PriceOracle", authority.address)
    for symbol, token in (("USDC", usdc), ("DAI", dai)):
        adapters = [
            deploy_own(
                client, boss, "AggregatorV3Adapter", feed.address, 30 * DAY, 0, 10**24, "feed"
            ).address
            for feed in peers.feeds[symbol]
        ]
        rules = (200, 100, 900, "0x" + "00" * 20, 0)
        client.transact(boss, oracle.functions.setFeeds(token.address, adapters, rules))
    # The breaker wants a real gate; the router listens to an account.
    real_gate = deploy_own(
        client, boss, "EmergencyGate", boss.address, gate, 7 * DAY, 30 * DAY, 90 * DAY
    )
    breaker = deploy_own(
        client, boss, "CircuitBreaker", authority.address, real_gate.address, oracle.address
    )
    config = (
        *(usdc.address, "Breakwater Dollar", "bwUSD"),
        *(authority.address, gate, breaker.address),
    )
    manager = deploy_own(client, boss, "RouterManager", config)
    place = deploy_own(client, boss, "CapitalRouter", config, manager.address).address
    router = client.contract(place, artifact("ICapitalRouter").abi)
    gateway = deploy_own(client, boss, "DepositGateway", place, authority.address, gate)
    queue = deploy_own(client, boss, "ExitQueue", place, gate)
    sold_at = peers.uniswap_v3.router.address
    venue = deploy_own(client, boss, "UniswapV3Venue", sold_at, authority.address)
    harvester = deploy_own(
        client, boss, "YieldHarvester", place, oracle.address, authority.address, gate
    )
    aave = deploy_own(
        *(client, boss, "AaveV3Strategy", place),
        *(peers.aave.provider.address, authority.address, gate),
    )
    credit = deploy_own(
        client, boss, "CreditVaultDouble", usdc.address, peers.borrower.address, 900
    )
    rewarding = tuple(deploy_own(client, boss, "RewardingStrategy", usdc.address) for _ in range(4))
    strategies = (aave, credit, *rewarding)

    known = interface("ICapitalRouter").by_name
    selectors = [known[name][0].selector for name in ("receiveYield", "processReport")]
    path = bytes.fromhex(dai.address[2:]) + STABLE_FEE.to_bytes(3, "big")
    for call in (
        authority.functions.setTargetFunctionRole(place, selectors, HARVESTER),
        authority.functions.grantRole(HARVESTER, harvester.address, 0),
        router.functions.setExitQueue(queue.address),
        router.functions.setFees((1_000, 50, chain.signer(8).address)),
        router.functions.setPlanLimits(BPS, BPS),
        router.functions.raiseIdleFloor(IDLE_FLOOR_BPS),
        router.functions.lowerDepositCap(10**9 * USD),
        breaker.functions.setLimit(place, usdc.address, 10**9 * USD, DAY, USD),
        venue.functions.setPath(dai.address, usdc.address, path + bytes.fromhex(usdc.address[2:])),
        harvester.functions.setRoute(dai.address, venue.address, 50),
        *(router.functions.addStrategy(s.address, NO_CAP, BPS) for s in strategies),
        *(router.functions.setHealthLimits(s.address, 5_000, 5_000) for s in strategies),
        *(s.functions.setReward(dai.address, REWARD) for s in rewarding),
    ):
        client.transact(boss, call)
    people = tuple(labelled(f"investor {n}") for n in range(2 * PEOPLE))
    world = DayWorld(
        chain=chain,
        client=client,
        peers=peers,
        boss=boss,
        router=router,
        gateway=gateway,
        harvester=harvester,
        strategies=strategies,
        rewarding=rewarding,
        depositors=people[:PEOPLE],
        leavers=people[PEOPLE:],
    )
    _yesterday(world, people)
    return world


def _yesterday(world: DayWorld, people: tuple[Address, ...]) -> None:
    """Everybody joined through the gateway, capital works, every strategy was harvested."""
    router, gateway, boss = world.router, world.gateway, world.boss.address
    for person in people:
        world.chain.set_balance(person, 10 * ETHER)
        fund(world.client, world.boss, world.usdc, person, 3 * STAKE)
        world.send(person, world.usdc.functions.approve(gateway.address, MAX))
        world.send(person, router.functions.approve(gateway.address, MAX))
    for first in range(0, len(people), 50):
        intents = [
            Intent("DepositIntent", person, person, STAKE, 0, 0, FOREVER)
            for person in people[first : first + 50]
        ]
        signed = [intent.signed(gateway) for intent in intents]  # type: ignore[arg-type]
        world.send(boss, gateway.functions.settle(first.to_bytes(32, "big"), signed, []))
    # As much as the least that the leavers of a day take stays idle.
    share = len(people) * STAKE * 9 // 10 // len(world.strategies)
    moves = [(strategy.address, True, share, 0) for strategy in world.strategies]
    plan = (b"yesterday".ljust(32), FOREVER, 100, moves)
    world.send(boss, router.functions.rebalance(plan))
    world.chain.advance(DAY)
    addresses = [strategy.address for strategy in world.strategies]
    world.send(boss, world.harvester.functions.harvest(addresses))
    world.accrue_rewards()
    world.chain.advance(DAY // 2)
