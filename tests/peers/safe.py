"""Deploys the real Safe 1.4.1 and proves by code hash that it is; it signs no transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak
from web3.contract import Contract

from offchain.chain.client import ChainClient, Signer
from tests.peers.npm import PeerError, deploy, load

PACKAGE = "@safe-global/safe-contracts/build/artifacts/contracts"
ZERO = "0x" + "00" * 20

# Hashes of the runtime code of the canonical 1.4.1 deployments, from safe-global/safe-deployments,
# src/assets/v1.4.1/*.json, "canonical" → "codeHash". None of these five contracts has an
# immutable, so their code is the same wherever they are deployed. MultiSend (not the call-only
# one) carries its own address as an immutable and is left out.
CANONICAL_CODE_HASHES = {
    "Safe": "1fe2df852ba3299d6534ef416eefa406e56ced995bca886ab7a553e6d0c5e1c4",
    "SafeL2": "b1f926978a0f44a2c0ec8fe822418ae969bd8c3f18d61e5103100339894f81ff",
    "SafeProxyFactory": "50c3cdc4074750a7a974204a716c999edd37482f907608d960b2b025ee0b3317",
    "MultiSendCallOnly": "ecd5bd14a08c5d2122379900b2f272bdf107a7e92423c10dd5fe3254386c9939",
    "CompatibilityFallbackHandler": (
        "7c6007a5d711cea8dfd5d91f5940ec29c7f200fe511eb1fc1397b367af3c42f9"
    ),
}
SINGLETON_SLOT = 0


@dataclass(frozen=True)
class SafeSuite:
    """The Safe contracts of one chain.

    Attributes:
        singleton: Safe, the logic of the proxies.
        singleton_l2: SafeL2, the same with an event per transaction.
        proxy_factory: creates the Safes.
        multi_send_call_only: batches calls, never delegates.
        fallback_handler: token callbacks and EIP-1271.
    """

    singleton: Contract
    singleton_l2: Contract
    proxy_factory: Contract
    multi_send_call_only: Contract
    fallback_handler: Contract

    def by_name(self) -> dict[str, Contract]:
        """The contracts by the names that the canonical hashes use."""
        return {
            "Safe": self.singleton,
            "SafeL2": self.singleton_l2,
            "SafeProxyFactory": self.proxy_factory,
            "MultiSendCallOnly": self.multi_send_call_only,
            "CompatibilityFallbackHandler": self.fallback_handler,
        }


def deploy_safe_suite(client: ChainClient, deployer: Signer) -> SafeSuite:
    """Deploys the five contracts and checks their code.

    Raises:
        PeerError: if the code is not canonical.
    """
    suite = SafeSuite(
        singleton=deploy(client, deployer, load(f"{PACKAGE}/Safe.sol/Safe")),
        singleton_l2=deploy(client, deployer, load(f"{PACKAGE}/SafeL2.sol/SafeL2")),
        proxy_factory=deploy(
            client, deployer, load(f"{PACKAGE}/proxies/SafeProxyFactory.sol/SafeProxyFactory")
        ),
        multi_send_call_only=deploy(
            client, deployer, load(f"{PACKAGE}/libraries/MultiSendCallOnly.sol/MultiSendCallOnly")
        ),
        fallback_handler=deploy(
            client,
            deployer,
            load(
                f"{PACKAGE}/handler/CompatibilityFallbackHandler.sol/CompatibilityFallbackHandler"
            ),
        ),
    )
    wrong = not_canonical(client, suite)
    if wrong:
        raise PeerError(f"not the canonical Safe 1.4.1: {', '.join(wrong)}")
    return suite


def not_canonical(client: ChainClient, suite: SafeSuite) -> list[str]:
    """Names of the contracts whose code on chain is not the canonical one."""
    return [
        name
        for name, contract in suite.by_name().items()
        if keccak(client.code(contract.address)).hex() != CANONICAL_CODE_HASHES[name]
    ]


def create_safe(
    client: ChainClient,
    payer: Signer,
    suite: SafeSuite,
    owners: Sequence[str],
    threshold: int,
    *,
    salt: int = 0,
    l2: bool = False,
) -> Contract:
    """Creates a Safe through the factory; the payer gets no power over it.

    Raises:
        PeerError: if what was created has another singleton, owners or threshold.
        TransactionReverted: if owners or threshold are unusable, or the salt is taken.
    """
    singleton = suite.singleton_l2 if l2 else suite.singleton
    handler = suite.fallback_handler.address
    setup = singleton.encode_abi(
        "setup", [list(owners), threshold, ZERO, b"", handler, ZERO, 0, ZERO]
    )
    receipt = client.transact(
        payer,
        suite.proxy_factory.functions.createProxyWithNonce(singleton.address, setup, salt),
    )
    created = client.events(receipt, suite.proxy_factory, "ProxyCreation")[0]
    safe = safe_at(client, created["proxy"])
    slot = client.web3.eth.get_storage_at(safe.address, SINGLETON_SLOT)
    if (
        slot[-20:] != bytes.fromhex(singleton.address[2:])
        or list(client.call(safe.functions.getOwners())) != list(owners)
        or client.call(safe.functions.getThreshold()) != threshold
    ):
        raise PeerError(f"the Safe at {safe.address} is not what was asked for")
    return safe


def safe_at(client: ChainClient, address: str) -> Contract:
    """A Safe that exists, with the ABI of 1.4.1."""
    return client.contract(address, load(f"{PACKAGE}/SafeL2.sol/SafeL2").abi)
