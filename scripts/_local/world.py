"""Builds the local world: real peers, two real Safes, a credit vault, the suite; nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from web3.contract import Contract

from offchain.chain.client import ChainClient
from offchain.deployment import Address, Deployment
from scripts._deployment.draft import write_whole
from scripts._deployment.errors import DeployError
from scripts._deployment.handover import check_handover
from scripts._deployment.installer import Installer, genesis_hash
from scripts._deployment.parameters import (
    Aave,
    Asset,
    Cap,
    Feed,
    ForeignVault,
    Holders,
    Limits,
    Parameters,
    PoolSeed,
    Safes,
)
from scripts._deployment.safes import check_safes
from scripts._deployment.suite import Suite
from scripts._local.cast import GOVERNANCE_THRESHOLD, GUARDIAN_THRESHOLD, Cast, cast
from scripts._safe import sign_all
from tests.peers.npm import deploy_own
from tests.peers.safe import create_safe
from tests.peers.tokens import fund
from tests.peers.world import Peers, deploy_peers

USDC = 10**6
ETHER = 10**18
DAY = 86_400
FEED_MAX_AGE = DAY
# A ten-thousandth of a dollar and a million, in the feeds' eight decimals.
FEED_MIN, FEED_MAX = 10**4, 10**14
CREDIT_RATE_BPS = 900
POOL_WETH = 2_000 * ETHER
POOL_USDC = 4_000_000 * USDC


@dataclass(frozen=True)
class LocalWorld:
    """Everything that stands on a local chain."""

    client: ChainClient
    cast: Cast
    peers: Peers
    governance: Contract
    guardian: Contract
    credit_vault: Contract
    deployment: Deployment


class Surroundings(BaseModel):
    """What an interrupted local deployment needs to know of the peers that it already has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    genesis_hash: str
    parameters: Parameters
    external: dict[str, Address]


def build_world(
    client: ChainClient, path: Path, say: Callable[[str], None], *, permissioned: bool = False
) -> LocalWorld:
    """Deploys peers and suite on an empty local chain and writes the deployment file to `path`.

    Args:
        client: the chain.
        path: of the deployment file.
        say: told each step in one line.
        permissioned: whether only investors with credentials may enter.

    Raises:
        DeployError: if the deployer is left with any power.
    """
    roles = cast()
    ground = build_ground(client, roles, say)
    asked = {"permissioned": permissioned}
    parameters = ground.surroundings.parameters.model_copy(update=asked)
    surroundings = ground.surroundings.model_copy(update={"parameters": parameters})
    deployment = build_suite(client, surroundings, roles, path, say)
    return LocalWorld(
        client, roles, ground.peers, ground.governance, ground.guardian, ground.vault, deployment
    )


def build_or_resume(client: ChainClient, path: Path, say: Callable[[str], None]) -> Deployment:
    """The same, going on where an earlier run on this chain was cut off.

    Raises:
        DeployError: if a draft is damaged, or the deployer is left with any power.
    """
    roles = cast()
    draft = path.with_suffix(".peers.draft.json")
    surroundings = _load_surroundings(draft)
    if surroundings is None or surroundings.genesis_hash != genesis_hash(client):
        surroundings = build_ground(client, roles, say).surroundings
        write_whole(draft, surroundings.model_dump_json(indent=2) + "\n")
    deployment = build_suite(client, surroundings, roles, path, say)
    draft.unlink()
    return deployment


@dataclass(frozen=True)
class Ground:
    """Everything that must stand before the suite can."""

    peers: Peers
    governance: Contract
    guardian: Contract
    vault: Contract
    surroundings: Surroundings


def build_ground(client: ChainClient, roles: Cast, say: Callable[[str], None]) -> Ground:
    peers_deployer, deployer = roles["peers_deployer"], roles["deployer"]
    peers = deploy_peers(client, peers_deployer, progress=say)
    say("governance Safe (3 of 5) and guardian Safe (2 of 3)")
    governance = create_safe(
        client,
        peers_deployer,
        peers.safe,
        [key.address for key in roles.governance_owners],
        GOVERNANCE_THRESHOLD,
    )
    guardian = create_safe(
        client,
        peers_deployer,
        peers.safe,
        [key.address for key in roles.guardian_owners],
        GUARDIAN_THRESHOLD,
    )
    vault = deploy_own(
        client,
        peers_deployer,
        "CreditVaultDouble",
        peers.tokens.usdc.address,
        peers.borrower.address,
        CREDIT_RATE_BPS,
    )
    fund(client, peers_deployer, peers.tokens.usdc, deployer.address, POOL_USDC)
    fund(client, peers_deployer, peers.tokens.weth, deployer.address, POOL_WETH)
    parameters = local_parameters(client, peers, governance, guardian, vault, roles)
    surroundings = Surroundings(
        genesis_hash=genesis_hash(client), parameters=parameters, external=peers.addresses()
    )
    return Ground(peers, governance, guardian, vault, surroundings)


def build_suite(
    client: ChainClient,
    surroundings: Surroundings,
    roles: Cast,
    path: Path,
    say: Callable[[str], None],
) -> Deployment:
    """The suite, its first governance batch, and every check; then the file."""
    installer = Installer(client, roles["deployer"], path, say)
    parameters = surroundings.parameters
    governance = check_safes(client, parameters)
    installed = Suite(installer, parameters).install()
    if installed.governance_calls:
        say("the governance Safe takes the targets under the gate")
        owners = roles.governance_owners
        tx = governance.build(installed.governance_calls)
        signatures = sign_all(tx, owners[: parameters.safes.governance_threshold])
        governance.execute(tx, signatures, owners[0])
    external = {**surroundings.external, **installed.deployment.external}
    deployment = installed.deployment.model_copy(update={"external": external})
    check_handover(client, deployment)
    installer.finish(deployment)
    return deployment


def _load_surroundings(path: Path) -> Surroundings | None:
    if not path.exists():
        return None
    try:
        return Surroundings.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DeployError(f"draft {path} is damaged: {str(error).splitlines()[0]}") from None


def local_parameters(
    client: ChainClient,
    peers: Peers,
    governance: Contract,
    guardian: Contract,
    vault: Contract,
    roles: Cast,
) -> Parameters:
    """Parameters of a suite on USDC over local peers."""
    tokens = peers.tokens
    seeds = {tokens.usdc.address: POOL_USDC, tokens.weth.address: POOL_WETH}
    token0, token1 = sorted(seeds, key=str.lower)
    return Parameters(
        chain_id=client.chain_id,
        share_name="Breakwater USDC",
        share_symbol="bwUSDC",
        asset=tokens.usdc.address,
        safes=Safes(
            governance=governance.address,
            governance_threshold=GOVERNANCE_THRESHOLD,
            governance_owners=len(roles.governance_owners),
            guardian=guardian.address,
            guardian_threshold=GUARDIAN_THRESHOLD,
            guardian_owners=len(roles.guardian_owners),
            multi_send=peers.safe.multi_send_call_only.address,
        ),
        holders=Holders(
            # The orchestrator reports, harvests and settles with one key.
            **{
                name: roles["keeper" if name == "batcher" else name].address
                for name in Holders.model_fields
            },
        ),
        assets=tuple(
            Asset(
                token=token.address,
                feeds=tuple(
                    Feed(
                        address=feed.address,
                        max_age=FEED_MAX_AGE,
                        min_answer=FEED_MIN,
                        max_answer=FEED_MAX,
                    )
                    for feed in peers.feeds[symbol]
                ),
                max_spread_bps=200,
            )
            for symbol, token in (("USDC", tokens.usdc), ("WETH", tokens.weth), ("DAI", tokens.dai))
        ),
        aave=Aave(
            addresses_provider=peers.aave.provider.address,
            cap=Cap(assets=50_000_000 * USDC, bps=6_000),
        ),
        foreign_vaults=(
            ForeignVault(
                name="CreditVault",
                address=vault.address,
                cap=Cap(assets=20_000_000 * USDC, bps=2_500),
            ),
        ),
        kyc_providers=(roles["kyc_provider"].address,),
        uniswap_v3_router=peers.uniswap_v3.router.address,
        pool=PoolSeed(
            token0=token0,
            token1=token1,
            amount0=seeds[token0],
            amount1=seeds[token1],
            guard_window=12,
        ),
        limits=Limits(
            deposit_cap=100_000_000 * USDC,
            exit_limit=8_000_000 * USDC,
            exit_window=DAY,
            max_drawdown_bps=300,
            max_price_drop_bps=500,
            idle_floor_bps=500,
            small_plan_bps=1_000,
            epoch_loss_bps=50,
            profit_unlock=7 * DAY,
            max_gain_bps=500,
            max_loss_bps=10_000,
            performance_fee_bps=1_000,
            management_fee_bps=50,
            governance_delay=DAY,
            freeze_duration=3 * DAY,
            freeze_cooldown=14 * DAY,
            guardian_heartbeat=90 * DAY,
        ),
    )
