"""The registry of investors: deployed, told whom to trust, and set as the router's policy."""

from __future__ import annotations

from collections.abc import Mapping

from eth_utils.crypto import keccak
from web3.contract import Contract
from web3.utils.address import get_create_address

from offchain.chain.client import ChainClient
from offchain.deployment import ZERO_ADDRESS, Deployment
from scripts._deployment.bound import ROUTER, bind
from scripts._deployment.installer import Installer
from scripts._deployment.parameters import Parameters

REGISTRY, ESCROW = "InvestorRegistry", "ExitEscrow"
# Shares pass through these two, and both ask the policy about the people behind them. The
# harvester holds no shares, so it is not one of them.
CONDUITS = ("DepositGateway", "ExitQueue")
PROVIDER_SET = keccak(text="ProviderSet(address,address,bool)")
CONDUIT_SET = keccak(text="ConduitSet(address,address,bool)")


def escrow_code_of(registry: str) -> str:
    """The code that every escrow runs: the first contract that the registry created."""
    return str(get_create_address(registry, 1))  # type: ignore[arg-type]


def deploy_registry(installer: Installer, authority: Contract) -> Contract:
    """The registry, and the code of its escrows, which it creates itself."""
    registry = installer.deploy(REGISTRY, authority.address)
    installer.adopt(ESCROW, escrow_code_of(registry.address))
    return registry


def wire_registry(
    installer: Installer,
    p: Parameters,
    registry: Contract,
    router: Contract,
    conduits: Mapping[str, Contract],
) -> None:
    """Names providers and conduits; a permissioned router obeys the registry from the start."""
    fn, call = registry.functions, installer.client.call
    for provider in p.kyc_providers:
        installer.ensure(
            f"KYC provider {provider}", call(fn.isProvider(provider)), fn.addProvider(provider)
        )
    for name in CONDUITS:
        place = conduits[name].address
        installer.ensure(
            f"shares pass through {name}", call(fn.isConduit(place)), fn.setConduit(place, True)
        )
    if p.permissioned:
        installer.ensure(
            "only investors with credentials may enter",
            call(router.functions.accessPolicy()) == registry.address,
            router.functions.setAccessPolicy(registry.address),
        )


def provider_names(p: Parameters) -> dict[str, str]:
    """KYC providers as the deployment file names them."""
    return {f"kyc_provider_{n}": address for n, address in enumerate(p.kyc_providers, start=1)}


def differences(client: ChainClient, deployment: Deployment) -> tuple[int, list[str]]:
    """What the registry and the router's policy are, against the file.

    Returns:
        how many things were looked at, and one line for each that is wrong.
    """
    registry = bind(client, deployment, REGISTRY)
    policy = client.call(bind(client, deployment, ROUTER).functions.accessPolicy())
    wanted = registry.address if deployment.permissioned else ZERO_ADDRESS
    problems = [] if policy == wanted else [f"the router's access policy is {policy}, not {wanted}"]
    providers = {a for n, a in deployment.roles.items() if n.startswith("kyc_provider_")}
    conduits = {deployment.address(name) for name in CONDUITS}
    for what, topic, expected, view in (
        ("KYC provider", PROVIDER_SET, providers, registry.functions.isProvider),
        ("conduit", CONDUIT_SET, conduits, registry.functions.isConduit),
    ):
        for account in sorted(expected | _named(client, deployment, registry.address, topic)):
            trusted = client.call(view(account))
            if trusted != (account in expected):
                problems.append(f"{account} is {'a' if trusted else 'no'} {what}")
    return 1 + len(providers) + len(conduits), problems


def trusts(client: ChainClient, deployment: Deployment, account: str) -> list[str]:
    """What the registry of a suite trusts an account with; nothing, if it has no registry."""
    if REGISTRY not in deployment.contracts:
        return []
    fn = bind(client, deployment, REGISTRY).functions
    views = {"KYC provider": fn.isProvider, "conduit": fn.isConduit}
    return [f"{what} of {REGISTRY}" for what, view in views.items() if client.call(view(account))]


def _named(client: ChainClient, deployment: Deployment, registry: str, topic: bytes) -> set[str]:
    """Every account that an event of the registry ever named."""
    logs = client.web3.eth.get_logs(
        {
            "fromBlock": deployment.first_block,
            "address": client.web3.to_checksum_address(registry),
            "topics": ["0x" + topic.hex()],
        }
    )
    return {str(client.web3.to_checksum_address(bytes(log["topics"][2])[-20:])) for log in logs}
