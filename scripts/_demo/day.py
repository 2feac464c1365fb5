"""The whole day, in order, on a chain of its own; what it promises is checked at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain import artifacts
from offchain.chain.client import ChainClient
from offchain.loop import Orchestrator, assemble
from offchain.settings import Settings
from scripts._demo import books, invest, kyc, leave, storm
from scripts._demo.sandwich import GuardedPoolVenue, Sandwich, UniswapV2Venue
from scripts._demo.stage import Figure, Stage
from scripts._deployment.handover import privileges_left
from scripts._local.cast import investor
from scripts._local.world import LocalWorld, build_world
from tests.peers import uniswap_v2
from tests.peers.safe import not_canonical
from tests.support.anvil import Anvil, AnvilOptions

INVESTORS = 100
USDC = 10**6
VICTIM_USDC = 120_000 * USDC
BATCH = 34
Act = Callable[[str], None]


def open_world(
    anvil: Anvil, folder: Path, say: Callable[[str], None], *, permissioned: bool = False
) -> LocalWorld:
    """A local chain with everything on it; its deployment file lies in `folder`."""
    client = ChainClient(anvil.web3, artifacts.index())
    return build_world(client, folder / f"{client.chain_id}.json", say, permissioned=permissioned)


def open_orchestrator(
    anvil: Anvil, world: LocalWorld, folder: Path, say: Callable[[str], None]
) -> Orchestrator:
    """The orchestrator over a local world, with the keeper's and the sentinel's test keys."""
    settings = Settings.read(
        rpc_urls=anvil.url,
        deployments=folder,
        journal=str(folder / "journal.db"),
        batch_size=BATCH,
        batch_patience_blocks=1,
        confirmations=1,
        finality=2,
        poll_seconds=0.5,
    )
    return assemble(settings, keeper=world.cast["keeper"], sentinel=world.cast["sentinel"], say=say)


def run(folder: Path, act: Act, say: Callable[[str], None], port: int = 0) -> dict[str, Figure]:
    """One institutional day.

    Args:
        folder: empty; the deployment file and the journal go there.
        act: told each act's title.
        say: told each line.
        port: of the chain; 0 lets the system choose.

    Returns:
        every figure, measured.
    """
    started = time.monotonic()
    with Anvil(AnvilOptions(port=port)) as anvil:
        act("A world of real peers, and a suite that its deployer cannot touch")
        world = open_world(anvil, folder, say, permissioned=True)
        stage = Stage(anvil, world, tuple(investor(i) for i in range(INVESTORS)), say)
        stage.figures |= _first_figures(world)
        with _orchestrator(anvil, world, folder, say) as orchestrator:
            act("A KYC provider signs credentials; nobody enters without one")
            kyc.admit(stage)
            act("100 investors deposit, a plan puts the capital to work")
            brought = invest.deposit(stage, orchestrator)
            invest.put_to_work(stage)
            act("A month passes")
            invest.earn(stage, orchestrator)
            act("A sandwich bot attacks the same trade on Uniswap V2 and on our pool")
            _sandwich(stage)
            act("A feed breaks, a strategy loses money, the breaker trips")
            storm.break_a_feed(stage)
            defaulted = storm.lose_money(stage, orchestrator)
            act("The guardian Safe freezes everything")
            storm.freeze(stage)
            tried = storm.try_everything(stage)
            act("The governance Safe resumes, and everybody leaves")
            storm.resume(stage)
            storm.book_the_loss(stage, orchestrator, defaulted)
            storm.try_again(stage, tried)
            leave.leave(stage, orchestrator, brought)
            act("The books")
            books.close(stage, orchestrator)
    stage.figures["seconds"] = round(time.monotonic() - started, 1)
    return stage.figures


def promises(figures: dict[str, Figure]) -> dict[str, bool]:
    """Which promised figure held."""
    f = figures
    return {
        "safe_codehash_canonical": f["safe_codehash_canonical"] is True,
        "deployer_privileges_left": f["deployer_privileges_left"] == 0,
        "entries_without_credential": f["entries_without_credential"] == 0,
        "deposits": f["deposits"] >= INVESTORS,
        "settlement_failures": f["settlement_failures"] == 0,
        "yield_harvested": f["yield_harvested"] > 0,
        "univ2_sandwich_profit": f["univ2_sandwich_profit"] > 0,
        "pool_sandwich_profit": f["pool_sandwich_profit"] <= 0,
        "oracle_survives_feed": f["oracle_survives_feed"] is True,
        "breaker_tripped": f["breaker_tripped"] is True,
        "targets_frozen": f["targets_frozen"] == f["targets"],
        "moves_while_frozen": f["moves_while_frozen"] == 0,
        "moves_when_open": f["moves_when_open"] == f["moves_tried"],
        "resumed_by_governance": f["resumed_by_governance"] is True,
        "exits": f["exits"] == INVESTORS,
        "shares_left": f["shares_left"] == 0,
        "escrow_exit_usdc": f["escrow_exit_usdc"] > 0,
        "escrow_released_pct": f["escrow_released_pct"] == 100,
        "nav_drift_wei": f["nav_drift_wei"] == 0,
        "journal_verified": f["journal_verified"] is True,
        "batch_gas_saving_pct": f["batch_gas_saving_pct"] > 0,
    }


def _first_figures(world: LocalWorld) -> dict[str, Figure]:
    left = privileges_left(world.client, world.deployment, world.cast["deployer"].address)
    canonical = not not_canonical(world.client, world.peers.safe)
    return {
        "safe_codehash_canonical": canonical,
        "deployer_privileges_left": len(left),
        "contracts_deployed": len(world.deployment.contracts),
    }


@contextmanager
def _orchestrator(
    anvil: Anvil, world: LocalWorld, folder: Path, say: Callable[[str], None]
) -> Iterator[Orchestrator]:
    orchestrator = open_orchestrator(
        anvil, world, folder, lambda line: say(f"orchestrator: {line}")
    )
    try:
        yield orchestrator
    finally:
        orchestrator.close()


def _sandwich(stage: Stage) -> None:
    """The bot's best of several sizes on each venue. Profits in USDC's own units."""
    peers, pool = stage.world.peers, stage.contract("GuardedPool")
    usdc, weth = peers.tokens.usdc, peers.tokens.weth
    token0 = stage.view(pool.functions.token0())
    reserves = stage.view(pool.functions.getReserves())
    venues = (
        (
            "univ2_sandwich_profit",
            UniswapV2Venue(peers.uniswap_v2.router, (usdc, weth)),
            uniswap_v2.reserves(stage.client, peers.v2_pair, usdc)[0],
        ),
        (
            "pool_sandwich_profit",
            GuardedPoolVenue(pool, token0),
            reserves[0] if token0 == usdc.address else reserves[1],
        ),
    )
    for figure, venue, reserve in venues:
        stage.say("Uniswap V2 pair:" if figure.startswith("uni") else "our pool:")
        # The same part of each venue's depth, so that the two trades press the price alike.
        victim_amount = VICTIM_USDC * reserve // (4_000_000 * USDC)
        sandwich = Sandwich(
            stage.anvil,
            stage.client,
            payer=stage.cast["peers_deployer"],
            bot=stage.cast["attacker"],
            victim=stage.cast["trader"],
            token_in=usdc,
            token_out=weth,
            reserve_in=reserve,
            victim_amount=victim_amount,
        )
        best = sandwich.best(venue, stage.say)
        stage.figures[figure] = best.profit
