"""A gate under two real Safes on a local chain, and a judged router beside it; asserts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak
from hexbytes import HexBytes
from web3.contract import Contract
from web3.types import TxReceipt

from offchain.chain.client import ChainClient, KeySigner
from offchain.deployment import DeployedContract, Deployment
from scripts._safe import Call, SafeAccount, sign_all
from tests.peers.npm import deploy_own
from tests.peers.safe import SafeSuite, create_safe, deploy_safe_suite
from tests.support import build
from tests.support.anvil import Anvil
from tests.support.gate import COOLDOWN, HEARTBEAT, MAX_DURATION, REASON, State

GOVERNANCE_OWNERS = range(1, 6)
GUARDIAN_OWNERS = range(6, 9)
GOVERNANCE_THRESHOLD, GUARDIAN_THRESHOLD = 3, 2
TARGETS = 20
EXECUTOR = 9
STRANGER = 0
# A quarter of the smallest block of our target chains.
MOST_GAS_FOR_TWENTY = 7_500_000
ALLOCATOR_ROLE = 2
UNIT = 10**6
CAPITAL = 1_000_000 * UNIT
LOSS = CAPITAL // 20
MAX_DRAWDOWN_BPS = 200
BPS = 10_000
DAY = 86_400
ZERO = "0x" + "00" * 20


@dataclass(frozen=True)
class BrakeWorld:
    """Two Safes, a gate and its targets."""

    client: ChainClient
    suite: SafeSuite
    gate: Contract
    targets: Sequence[Contract]
    governance: SafeAccount
    guardian: SafeAccount
    governance_owners: Sequence[KeySigner]
    guardian_owners: Sequence[KeySigner]
    executor: KeySigner
    stranger: KeySigner

    def deployment(self, **others: Contract) -> Deployment:
        """The deployment file of this world, with other contracts of a suite by name."""
        named = {"EmergencyGate": (self.gate, "EmergencyGate")}
        named |= {f"Target{n}": (t, "EmergencyTarget") for n, t in enumerate(self.targets)}
        named |= {name: (contract, name) for name, contract in others.items()}
        contracts = {
            name: DeployedContract(
                address=contract.address,
                code_hash="0x" + keccak(self.client.code(contract.address)).hex(),
                constructor_args=[],
                deploy_block=1,
                artifact=artifact,
            )
            for name, (contract, artifact) in named.items()
        }
        return Deployment(
            chain_id=self.client.chain_id,
            contracts=contracts,
            external={"SafeMultiSendCallOnly": self.suite.multi_send_call_only.address},
        )


def build_brake(chain: Anvil, client: ChainClient) -> BrakeWorld:
    """Deploys the Safes, the gate and twenty targets; governance has registered none of them."""
    payer = chain.signer(EXECUTOR)
    suite = deploy_safe_suite(client, payer)
    governors = [chain.signer(n) for n in GOVERNANCE_OWNERS]
    guards = [chain.signer(n) for n in GUARDIAN_OWNERS]
    batches = suite.multi_send_call_only.address
    safes = [
        SafeAccount(
            client,
            create_safe(client, payer, suite, [o.address for o in owners], threshold).address,
            batches,
        )
        for owners, threshold in (
            (governors, GOVERNANCE_THRESHOLD),
            (guards, GUARDIAN_THRESHOLD),
        )
    ]
    governance, guardian = safes
    gate = deploy_own(
        client,
        payer,
        "EmergencyGate",
        governance.address,
        guardian.address,
        MAX_DURATION,
        COOLDOWN,
        HEARTBEAT,
    )
    targets = [deploy_own(client, payer, "HonestTarget", gate.address) for _ in range(TARGETS)]
    return BrakeWorld(
        client=client,
        suite=suite,
        gate=gate,
        targets=targets,
        governance=governance,
        guardian=guardian,
        governance_owners=governors,
        guardian_owners=guards,
        executor=payer,
        stranger=chain.signer(STRANGER),
    )


def call(contract: Contract, function: str, *args: Any) -> Call:
    """One call of a Safe."""
    return Call(contract.address, bytes(HexBytes(contract.encode_abi(function, list(args)))))


def govern(world: BrakeWorld, calls: Sequence[Call]) -> TxReceipt:
    """Three of five governors sign one batch."""
    tx = world.governance.build(calls)
    signatures = sign_all(tx, world.governance_owners[:GOVERNANCE_THRESHOLD])
    return world.governance.execute(tx, signatures, world.executor)


def register_all(world: BrakeWorld) -> TxReceipt:
    """Puts the twenty targets under the gate."""
    return govern(world, [call(world.gate, "register", t.address) for t in world.targets])


def freeze_call(world: BrakeWorld) -> Call:
    """The order that all twenty targets be frozen."""
    chosen = [target.address for target in world.targets]
    return call(world.gate, "raiseMany", chosen, State.FROZEN, MAX_DURATION, REASON)


def freeze_all(world: BrakeWorld) -> TxReceipt:
    """Two of three guardians freeze the twenty targets in one transaction."""
    tx = world.guardian.build([freeze_call(world)])
    signatures = sign_all(tx, world.guardian_owners[:GUARDIAN_THRESHOLD])
    return world.guardian.execute(tx, signatures, world.executor)


@dataclass(frozen=True)
class Judged:
    """A real router under the gate, its real breaker, and half of its capital in a strategy."""

    breaker: Contract
    router: Contract
    strategy: Contract


def build_judged(world: BrakeWorld) -> Judged:
    """Deploys the router; governance wires it by one batch; the executor invests and lends."""
    client, payer, gate = world.client, world.executor, world.gate

    def own(name: str, *args: Any) -> Contract:
        return deploy_own(client, payer, name, *args)

    authority = own("AccessAuthority", world.governance.address)
    oracle = own("PriceOracle", authority.address)
    breaker = own("CircuitBreaker", authority.address, gate.address, oracle.address)
    asset = own("TestToken", "Dollar", "USD", 6)
    parts = (authority.address, gate.address, breaker.address)
    config = (asset.address, "Breakwater Dollar", "bwUSD", *parts)
    manager = own("RouterManager", config)
    deployed = own("CapitalRouter", config, manager.address)
    router = client.contract(deployed.address, build.artifact("ICapitalRouter").abi)
    strategy = own("StrategyDouble", asset.address)
    rebalance = bytes(HexBytes(router.encode_abi("rebalance", [(bytes(32), 0, 0, [])])))[:4]
    watch = (asset.address, MAX_DRAWDOWN_BPS, 0, 0, 0)
    govern(
        world,
        [
            call(gate, "setBreaker", breaker.address),
            call(gate, "register", router.address),
            call(router, "addStrategy", strategy.address, CAPITAL, BPS),
            call(router, "setPlanLimits", BPS, BPS),
            call(authority, "setTargetFunctionRole", router.address, [rebalance], ALLOCATOR_ROLE),
            call(authority, "grantRole", ALLOCATOR_ROLE, payer.address, 0),
        ],
    )
    client.transact(payer, asset.functions.mint(payer.address, CAPITAL))
    client.transact(payer, asset.functions.approve(router.address, CAPITAL))
    deposit = router.get_function_by_signature("deposit(uint256,address)")
    client.transact(payer, deposit(CAPITAL, payer.address))
    move = (strategy.address, True, CAPITAL // 2, 0)
    plan = (bytes(32), client.timestamp() + DAY, CAPITAL, [move])
    client.transact(payer, router.functions.rebalance(plan))
    # From now on a fall below today's share price counts.
    govern(world, [call(breaker, "setWatch", router.address, watch)])
    return Judged(breaker, router, strategy)


def lose_and_poke(chain: Anvil, world: BrakeWorld, judged: Judged) -> tuple[TxReceipt, TxReceipt]:
    """Mines one block: the strategy loses a tenth of what it has, and a stranger pokes."""
    client = world.client
    lose = judged.strategy.functions.lose(LOSS)
    poke = judged.breaker.functions.poke(judged.router.address)
    chain.set_automine(False)
    try:
        pending = [
            client.send(world.executor, lose, gas=500_000),
            client.send(world.stranger, poke, gas=25_000_000),
        ]
        chain.mine()
    finally:
        chain.set_automine(True)
    loss, trip = client.wait_all(pending)
    return loss, trip
