"""A gate under two real Safes, with twenty targets, on the session's local chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from eth_utils import keccak
from web3.contract import Contract

from offchain.chain.client import ChainClient, KeySigner
from offchain.deployment import DeployedContract, Deployment
from scripts._safe import SafeAccount
from tests.peers.npm import deploy_own
from tests.peers.safe import SafeSuite, create_safe, deploy_safe_suite
from tests.support.anvil import Anvil
from tests.support.gate import COOLDOWN, HEARTBEAT, MAX_DURATION

GOVERNANCE_OWNERS = range(1, 6)
GUARDIAN_OWNERS = range(6, 9)
GOVERNANCE_THRESHOLD, GUARDIAN_THRESHOLD = 3, 2
TARGETS = 20
EXECUTOR = 9
STRANGER = 0


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


@pytest.fixture(scope="session")
def brake_world(shared_chain: Anvil, shared_client: ChainClient) -> BrakeWorld:
    client, payer = shared_client, shared_chain.signer(EXECUTOR)
    suite = deploy_safe_suite(client, payer)
    governors = [shared_chain.signer(n) for n in GOVERNANCE_OWNERS]
    guards = [shared_chain.signer(n) for n in GUARDIAN_OWNERS]
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
        stranger=shared_chain.signer(STRANGER),
    )


@pytest.fixture
def world(brake_world: BrakeWorld, client: ChainClient) -> BrakeWorld:
    """The world for one test, set back afterwards."""
    assert client is brake_world.client
    return brake_world
