"""Every way to move money, each by whoever may do it: tried while frozen, and when open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from web3.contract.contract import ContractFunction

from offchain.chain.client import Signer, TransactionReverted
from offchain.chain.signers import KeySigner
from scripts._demo.stage import Stage
from tests.peers.tokens import approve, balance, fund

USDC = 10**6
ETHER = 10**18
DAY = 86_400
GAS = 4_000_000
NO_LIMIT = 2**256 - 1
NO_PERMIT = (0, 0, 0, b"\0" * 32, b"\0" * 32)
PLAN_MAX_LOSS = 10
NONCE = 7


@dataclass(frozen=True)
class Attempt:
    """Something that somebody would like to do."""

    what: str
    who: Signer
    call: ContractFunction


def prepare(stage: Stage) -> list[Attempt]:
    """Gives everybody what the attempts need, so that only a freeze can refuse them."""
    client, whale, investor = stage.client, stage.cast["whale"], stage.investors[0]
    payer, weth = stage.cast["peers_deployer"], stage.world.peers.tokens.weth
    pool = stage.contract("GuardedPool")
    fund(client, payer, stage.usdc, whale.address, 10_000 * USDC)
    fund(client, payer, weth, whale.address, ETHER)
    approve(client, whale, stage.usdc, stage.router.address)
    for token in (stage.usdc, weth):
        approve(client, whale, token, pool.address)
    stage.anvil.set_balance(investor.address, ETHER)
    for name in ("ExitQueue", "DepositGateway"):
        approve(client, investor, stage.router, stage.contract(name).address)
    return [*_capital(stage, whale, investor), *_flows(stage, investor), *_pool(stage, whale)]


def moved(stage: Stage, attempts: list[Attempt]) -> list[str]:
    """Tries all, one after the other; names what went through, or that a balance changed."""
    before = holdings(stage)
    through = [attempt.what for attempt in attempts if _goes_through(stage, attempt)]
    if holdings(stage) != before:
        through.append("a balance changed")
    return through


def possible(stage: Stage, attempts: list[Attempt]) -> list[str]:
    """Tries each on a copy of the state: which of them go through where nothing is frozen."""
    through = []
    for attempt in attempts:
        before = stage.anvil.snapshot()
        if _goes_through(stage, attempt):
            through.append(attempt.what)
        stage.anvil.revert(before)
        stage.client.forget()
    return through


def holdings(stage: Stage) -> tuple[int, ...]:
    """What every money contract holds, and the shares of two people who would like to leave."""
    tokens, router = stage.world.peers.tokens, stage.router
    names = ("GuardedPool", "AaveV3Strategy", "ExitQueue", "DepositGateway")
    places = [router.address, *(stage.contract(name).address for name in names)]
    people = (stage.investors[0].address, stage.cast["whale"].address)
    return (
        *(balance(stage.client, token, a) for token in (tokens.usdc, tokens.weth) for a in places),
        *(stage.view(router.functions.balanceOf(person)) for person in people),
        balance(stage.client, stage.world.credit_vault, router.address),
        stage.view(router.functions.idle()),
        stage.view(router.functions.totalDebt()),
    )


def _goes_through(stage: Stage, attempt: Attempt) -> bool:
    try:
        stage.client.transact(attempt.who, attempt.call, gas=GAS)
    except TransactionReverted:
        return False
    return True


def _capital(stage: Stage, whale: Signer, investor: Signer) -> Iterator[Attempt]:
    fn, me = stage.router.functions, investor.address
    shares = stage.view(fn.balanceOf(me)) // 4
    aave = stage.contract("AaveV3Strategy").address
    expiry = stage.client.timestamp() + 30 * DAY
    plan = ((2).to_bytes(32, "big"), expiry, PLAN_MAX_LOSS, [(aave, False, USDC, 0)])
    yield Attempt("deposit", whale, fn["deposit(uint256,address)"](USDC, whale.address))
    yield Attempt("mint", whale, fn["mint(uint256,address)"](ETHER, whale.address))
    yield Attempt("withdraw", investor, fn["withdraw(uint256,address,address)"](USDC, me, me))
    yield Attempt("redeem", investor, fn["redeem(uint256,address,address)"](shares, me, me))
    yield Attempt("redeem in kind", investor, fn.redeemInKind(shares, me, me))
    yield Attempt("share transfer", investor, fn.transfer(whale.address, shares))
    yield Attempt("rebalance", stage.cast["allocator"], fn.rebalance(plan))
    yield Attempt("report", stage.cast["keeper"], fn.processReport(aave))


def _flows(stage: Stage, investor: KeySigner) -> Iterator[Attempt]:
    keeper, me = stage.cast["keeper"], investor.address
    queue = stage.contract("ExitQueue").functions
    gateway = stage.contract("DepositGateway").functions
    harvester = stage.contract("YieldHarvester").functions
    shares = stage.view(stage.router.functions.balanceOf(me)) // 4
    yield Attempt("queued exit", investor, queue.requestRedeem(shares, me, me))
    yield Attempt("exit", investor, queue.exit(shares, me, me, 0))
    yield Attempt("queue processing", keeper, queue.process(10))
    intent = (me, me, shares, 1, NONCE, stage.client.timestamp() + 30 * DAY)
    signature = investor.sign_hash(stage.view(gateway.exitDigest(intent)))
    batch = gateway.settle(b"\1" * 32, [], [(intent, signature, NO_PERMIT)])
    yield Attempt("signed exit", keeper, batch)
    yield Attempt("harvest", keeper, harvester.harvest([stage.contract("AaveV3Strategy").address]))


def _pool(stage: Stage, whale: Signer) -> Iterator[Attempt]:
    pool, treasury = stage.contract("GuardedPool").functions, stage.cast["treasury"]
    shares = stage.view(pool.balanceOf(treasury.address)) // 4
    usdc_first = stage.view(pool.token0()) == stage.usdc.address
    for what, zero_for_one, amount in (
        ("sale of USDC", usdc_first, USDC),
        ("sale of WETH", not usdc_first, ETHER // 1_000),
    ):
        swap = pool.swapExactIn(zero_for_one, amount, 0, whale.address, NO_LIMIT, NO_LIMIT)
        yield Attempt(what, whale, swap)
    yield Attempt("pool mint", whale, pool.mint(5_000 * USDC, ETHER, 0, NO_LIMIT))
    yield Attempt("pool burn", treasury, pool.burn(shares, 0, 0, treasury.address, NO_LIMIT))
    yield Attempt("pool share transfer", treasury, pool.transfer(whale.address, shares))
