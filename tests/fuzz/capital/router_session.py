"""A router and its exact model in one random session, compared to the unit after every step."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

from tests.fuzz.safety.models import Bucket
from tests.models import router as model
from tests.models.router import Refused, RouterModel, StrategyModel, VaultModel
from tests.support.capital import BPS, DAY, MAX_112, NO_LIMIT, World, build_world
from tests.support.evm import Address, Contract, Evm, Revert

PREVIEW_REDEEM = bytes.fromhex("4cdad506")
WITHDRAW = bytes.fromhex("b460af94")
HONEST, REVERTS, BURNS_GAS, LIES, PAYS_HALF = 0, 1, 2, 4, 5
TOKENS = ("TestToken", "TestToken", "UsdtLikeToken")
ACTORS = ("whale", "investor", "saver", "attacker", "queue")
DECIMALS = (0, 6, 8, 18, 24)


@dataclass
class Session:
    """One router, its model, and a seeded source of steps."""

    world: World
    books: RouterModel
    rng: random.Random
    unit: int
    people: dict[str, Address] = field(default_factory=dict)
    vaults: list[Contract] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)
    # What the breaker lets out, and who the policy turns away; None and nobody without them.
    bucket: Bucket | None = None
    policy: Contract | None = None
    denied: set[str] = field(default_factory=set)

    @property
    def router(self) -> Contract:
        return self.world.router

    # ---- steps ----

    def step(self) -> None:
        steps = (
            *(self.deposit,) * 3,
            *(self.redeem,) * 5,
            *(self.withdraw,) * 5,
            *(self.lend,) * 8,
            *(self.recall,) * 2,
            *(self.report,) * 3,
            *(self.gain,) * 2,
            *(self.lose,) * 3,
            *(self.pass_time,) * 3,
            self.mint,
            self.in_kind,
            self.transfer,
            self.dry_up,
            self.break_down,
            self.change_state,
            *(self.queue_up,) * 2,
            self.harvest,
            self.change_limits,
            *(self.lose_much,) * 3,
            self.donate,
            self.refuse_payment,
            self.reenter,
            self.deny,
        )
        self._recover()
        self.rng.choice(steps)()

    def _recover(self) -> None:
        """Trouble lasts a few steps only: most of a session must be able to happen."""
        if self.books.state != model.NORMAL and self.rng.random() < 0.4:
            self._set_state(model.NORMAL)
        for index, strategy in enumerate(self.books.strategies):
            if strategy.vault.broken and self.rng.random() < 0.3:
                self._set_broken(index, False)
            if strategy.vault.refuses and self.rng.random() < 0.4:
                self._set_refuses(index, HONEST)
            if strategy.review and self.rng.random() < 0.06:
                self._close_review(index)

    def deposit(self) -> None:
        who, assets = self._actor(), self._amount()
        self.world.fund(self.people[who], assets)
        self._both(
            f"deposit {who} {assets}",
            lambda: self.router.deposit(assets, self.people[who], sender=self.people[who]),
            lambda: self._pays_in(who, assets, self.books.deposit(who, assets)),
            lambda: self.router.previewDeposit(assets),
        )

    def mint(self) -> None:
        who = self._actor()
        shares = self.books.to_shares_down(self._amount()) + self.rng.randrange(3)
        self.world.fund(self.people[who], self.books.to_assets_up(shares))
        self._both(
            f"mint {who} {shares}",
            lambda: self.router.mint(shares, self.people[who], sender=self.people[who]),
            lambda: self._pays_in(who, None, self.books.mint(who, shares)),
            lambda: self.router.previewMint(shares),
        )

    def redeem(self) -> None:
        who = self._holder()
        held = self.books.balances[who]
        shares = self._part(held)
        address = self.people[who]
        if self.rng.random() < 0.3 and self._honest():
            self._check_max(who)
        self._exit(
            f"redeem {who} {shares}",
            lambda: self.router.redeem(shares, address, address, sender=address),
            lambda: self._takes_out(self.books.redeem(who, shares)),
            (lambda: self.router.previewRedeem(shares)) if self._honest() else None,
        )

    def withdraw(self) -> None:
        who = self._holder()
        assets = self._part(self.books.to_assets_down(self.books.balances[who]))
        address = self.people[who]
        self._exit(
            f"withdraw {who} {assets}",
            lambda: self.router.withdraw(assets, address, address, sender=address),
            lambda: self._takes_out(assets, self.books.withdraw(who, assets)),
            (lambda: self.router.previewWithdraw(assets)) if self._honest() else None,
        )

    def in_kind(self) -> None:
        who = self._actor()
        shares = self._part(self.books.balances[who])
        address = self.people[who]

        def run() -> tuple[int, list[int]]:
            assets, _, parts = self.router.redeemInKind(shares, address, address, sender=address)
            return assets, list(parts)

        def modelled() -> tuple[int, list[int]]:
            paid, parts = self.books.redeem_in_kind(who, shares)
            return self._takes_out(paid), parts

        self._both(f"in kind {who} {shares}", run, modelled)

    def transfer(self) -> None:
        source, target = self._actor(), self._actor()
        shares = self._part(self.books.balances[source])

        def move() -> bool:
            if self.books.state == model.FROZEN or shares > self.books.balances[source]:
                raise Refused
            if self.denied & {source, target}:
                raise Refused
            self.books.balances[source] -= shares
            self.books.balances[target] += shares
            return True

        self._both(
            f"transfer {source} {target} {shares}",
            lambda: self.router.transfer(self.people[target], shares, sender=self.people[source]),
            move,
        )

    def lend(self) -> None:
        index = self._strategy()
        strategy = self.books.strategies[index]
        room = self.books.cap_of(strategy, self.books.total_assets) - strategy.debt
        most = max(0, min(self.books.idle, room))
        # Idle has to run out often: only then do exits reach the strategies.
        assets = most if self.rng.random() < 0.6 else self._part(most)
        self._both(
            f"lend {index} {assets}",
            lambda: self.world.lend(self.vaults[index], assets),
            lambda: self.books.lend(self.books.strategies[index], assets),
        )

    def recall(self) -> None:
        index = self._strategy()
        if self.books.strategies[index].vault.refuses:
            return
        assets = self._part(self.books.strategies[index].debt)
        self._both(
            f"recall {index} {assets}",
            lambda: self.world.recall(self.vaults[index], assets),
            lambda: self.books.recall(self.books.strategies[index], assets),
        )

    def report(self) -> None:
        self._report(self._strategy())

    def _report(self, index: int) -> None:
        before = self.books.ratio
        strategy = self.books.strategies[index]
        result = self._both(
            f"report {index}",
            lambda: self.world.report(self.vaults[index]),
            lambda: self.books.report(strategy),
        )
        if result is not None and result[1] == 0:
            after = self.books.ratio
            assert after[0] * before[1] >= before[0] * after[1], (
                "R5: no report without a loss lowers the price"
            )

    def harvest(self) -> None:
        index, assets = self._strategy(), self._amount() // 50
        self.world.fund(self.world.harvester, assets)
        self._both(
            f"yield {index} {assets}",
            lambda: self.router.receiveYield(
                self.vaults[index], assets, sender=self.world.harvester
            ),
            lambda: self.books.receive_yield(assets),
        )

    def gain(self) -> None:
        index = self._strategy()
        vault = self.books.strategies[index].vault
        assets = self.rng.randrange(vault.assets // 10 + 2)
        self.vaults[index].gain(assets)
        vault.assets += assets
        self.trail.append(f"gain {index} {assets}")

    def lose(self) -> None:
        index = self._strategy()
        vault = self.books.strategies[index].vault
        most = vault.assets if self.rng.random() < 0.1 else vault.assets // 10
        assets = self.rng.randrange(most + 1)
        self.vaults[index].lose(assets)
        vault.assets -= assets
        self.trail.append(f"lose {index} {assets}")

    def lose_much(self) -> None:
        """Beyond what a report may book: a review opens, and stays open for some time."""
        index = self._strategy()
        strategy = self.books.strategies[index]
        strategy.max_loss_bps = 100
        self.world.set_health(self.vaults[index], strategy.max_gain_bps, 100)
        vault = strategy.vault
        assets = self.rng.randrange(vault.assets // 20, vault.assets // 2 + 1)
        self.vaults[index].lose(assets)
        vault.assets -= assets
        self.trail.append(f"lose {index} {assets}, at most 100 bps")
        self._report(index)
        if self.books.review:
            self.rng.choice((self.redeem, self.withdraw))()

    def dry_up(self) -> None:
        index = self._strategy()
        vault = self.books.strategies[index].vault
        vault.limit = None if self.rng.random() < 0.5 else self._part(vault.assets)
        self.vaults[index].setLimit(vault.limit is not None, vault.limit or 0)
        self.trail.append(f"limit {index} {vault.limit}")

    def break_down(self) -> None:
        self._set_broken(self._strategy(), True)

    def _set_broken(self, index: int, broken: bool) -> None:
        self.books.strategies[index].vault.broken = broken
        self.vaults[index].setFault(PREVIEW_REDEEM, 1 if broken else 0)
        self.trail.append(f"broken {index} {broken}")

    def refuse_payment(self) -> None:
        """The strategy goes on saying that it can pay, and reverts, burns its gas, lies, cheats."""
        fault = self.rng.choice((REVERTS, BURNS_GAS, LIES, PAYS_HALF))
        self._set_refuses(self._strategy(), fault)

    def _set_refuses(self, index: int, fault: int) -> None:
        self.books.strategies[index].vault.refuses = fault != HONEST
        self.vaults[index].setFault(WITHDRAW, fault)
        self.trail.append(f"payments of {index}: {fault}")

    def reenter(self) -> None:
        """The strategy's next movement calls the router, which changes nothing."""
        index, who = self._strategy(), str(self.people["attacker"])
        call = self.rng.choice(
            (
                self.router.calldata("transfer", who, 0),
                self.router.calldata("redeem(uint256,address,address)", 1, who, who),
                self.router.calldata("processReport", self.vaults[index].address),
                self.router.calldata("totalAssets"),
            )
        )
        self.vaults[index].arm(self.router, call)
        self.trail.append(f"strategy {index} will reenter")

    def deny(self) -> None:
        """The policy turns somebody away, or lets him in again."""
        if self.policy is None:
            return
        who = self.rng.choice(("saver", "attacker"))
        self.denied ^= {who}
        self.policy.setDenied(self.people[who], who in self.denied)
        self.trail.append(f"denied: {sorted(self.denied)}")

    def donate(self) -> None:
        self.world.asset.mint(self.router, self._amount())

    def pass_time(self) -> None:
        seconds = self.rng.choice((1, 12, 3_600, DAY, 3 * DAY, 30 * DAY))
        self.world.evm.mine(1, seconds)
        self.books.now = self.world.evm.timestamp
        self.trail.append(f"time {seconds}")

    def change_state(self) -> None:
        self._set_state(self.rng.choice((1, 2, 3)))

    def _set_state(self, state: int) -> None:
        self.world.set_state(state)
        self.books.state = state
        self.trail.append(f"state {state}")

    def queue_up(self) -> None:
        shares = self._part(self.books.balances["queue"])
        self.router.setQueuedShares(shares, sender=self.people["queue"])
        self.books.queued = shares
        self.trail.append(f"queued {shares}")

    def change_limits(self) -> None:
        index = self._strategy()
        strategy = self.books.strategies[index]
        strategy.max_gain_bps = self.rng.choice((NO_LIMIT, 300))
        strategy.max_loss_bps = self.rng.choice((NO_LIMIT, 300))
        vault, governance = self.vaults[index], self.world.governance
        self.world.set_health(vault, strategy.max_gain_bps, strategy.max_loss_bps)
        self._close_review(index)
        seconds = self.rng.choice((0, DAY, 7 * DAY))
        self.router.setProfitUnlockTime(seconds, sender=governance)
        self.books.unlock_time = seconds
        self.trail.append(f"limits {index}, unlock {seconds}")

    def _close_review(self, index: int) -> None:
        self.router.closeReview(self.vaults[index], sender=self.world.governance)
        self.books.close_review(self.books.strategies[index])
        self.trail.append(f"review of {index} closed")

    # ---- both worlds ----

    def _both(
        self,
        what: str,
        real: Callable[[], object],
        modelled: Callable[[], object],
        preview: Callable[[], object] | None = None,
    ) -> object:
        """Runs a step on both sides: the same answer, or both refuse."""
        self.trail.append(what)
        promised = preview() if preview else None
        if self.bucket is not None:
            self.books.allowance = self.bucket.available(self.books.now)
        before = deepcopy((self.books, self.bucket))
        try:
            expected = modelled()
        except Refused:
            self.books, self.bucket = before
            try:
                real()
            except Revert:
                return None
            raise AssertionError(f"the router did what the model refuses: {what}") from None
        got = real()
        if expected is not None:
            assert got == expected, f"{what}: the router says {got}, the model {expected}"
        if preview:
            assert promised == expected, f"{what}: the preview said {promised}, it was {expected}"
        return expected

    def _exit(
        self,
        what: str,
        real: Callable[[], object],
        modelled: Callable[[], object],
        preview: Callable[[], object] | None,
    ) -> None:
        """An exit; while a loss is under review, whoever leaves takes nothing from who stays."""
        before = self.books.exit_ratio
        self._both(what, real, modelled, preview)
        after = self.books.exit_ratio
        if self.books.review:
            # A strategy may round a unit against the router whenever it pays.
            rounded = after[0] + len(self.vaults)
            assert rounded * before[1] >= before[0] * after[1], f"R5: {what} costs others"

    def _honest(self) -> bool:
        """Whether every strategy can pay what it says."""
        return not any(strategy.vault.refuses for strategy in self.books.strategies)

    def _pays_in(self, who: str, assets: int | None, answer: int) -> int:
        """The rest of a deposit or mint: policy and breaker; `answer` is what the call returns."""
        if who in self.denied:
            raise Refused
        if self.bucket is not None:
            self.bucket.give(answer if assets is None else assets, self.books.now)
        return answer

    def _takes_out(self, assets: int, answer: int | None = None) -> int:
        """The rest of an exit: the breaker's allowance."""
        if self.bucket is not None and assets and not self.bucket.take(assets, self.books.now):
            raise Refused
        return assets if answer is None else answer

    def _check_max(self, who: str) -> None:
        """R3: what max returns succeeds, one more fails."""
        address, router = self.people[who], self.router
        for limit, call in (
            (
                router.maxRedeem(address),
                lambda n: router.redeem(n, address, address, sender=address),
            ),
            (
                router.maxWithdraw(address),
                lambda n: router.withdraw(n, address, address, sender=address),
            ),
        ):
            with self.world.evm.rollback():
                if limit:
                    call(limit)
            with self.world.evm.rollback():
                try:
                    call(limit + 1)
                except Revert:
                    continue
                raise AssertionError(f"R3: {who} took {limit + 1}, the maximum was {limit}")

    def compare(self) -> None:
        books, router = self.books, self.router
        assert router.idle() == books.idle, "idle"
        assert router.totalDebt() == books.debt, "R1: total debt is the sum of debts"
        assert router.totalAssets() == books.total_assets, "R1"
        assert router.lockedShares() == books.locked, "locked shares"
        assert router.totalSupply() == books.supply + books.locked, "supply"
        for name in (*ACTORS, "treasury"):
            assert router.balanceOf(self.people[name]) == books.balances[name], name
        for strategy, vault in zip(books.strategies, self.vaults, strict=True):
            state = self.world.state(vault)
            assert (state[0], state[8], state[7]) == (
                strategy.debt,
                strategy.shares,
                strategy.review,
            )
            assert vault.totalAssets() == strategy.vault.assets
        assert router.highWaterMarkWad() == books.high_water_mark, "high-water mark"
        assert self.world.asset.balanceOf(router) >= books.idle, "the books are covered"

    # ---- choices ----

    def _actor(self) -> str:
        return self.rng.choice(ACTORS)

    def _holder(self) -> str:
        """Mostly somebody who has something to take out."""
        holders = [name for name in ACTORS if self.books.balances[name]]
        return self.rng.choice(holders) if holders and self.rng.random() < 0.8 else self._actor()

    def _strategy(self) -> int:
        return self.rng.randrange(len(self.vaults))

    def _amount(self) -> int:
        some = self.rng.randrange(1, 100 * self.unit)
        return self.rng.choice((1, 2, some, some, some, 1_000 * self.unit))

    def _part(self, whole: int) -> int:
        some = self.rng.randrange(whole + 1)
        return self.rng.choice(
            (0, 1, whole + 1, whole, whole, some, some, some, some, whole - some)
        )


def start(seed: int, decimals: int) -> Session:
    evm = Evm()
    rng = random.Random(seed)
    metered = rng.random() < 0.25
    world = build_world(evm, decimals=decimals, token=rng.choice(TOKENS), metered=metered)
    people = {name: evm.account(name) for name in (*ACTORS, "treasury")}
    virtual = 10 ** (world.router.decimals() - decimals)
    books = RouterModel(virtual=virtual, now=evm.timestamp, queue="queue")
    session = Session(
        world, books, rng, 10 ** min(decimals, 6) * 10 ** max(0, decimals - 6), people
    )
    for _ in range(3):
        bps = rng.choice((BPS, 4_000))
        vault = world.add_strategy(bps=bps)
        session.vaults.append(vault)
        books.strategies.append(StrategyModel(VaultModel(), MAX_112, bps))
    world.router.setExitQueue(people["queue"], sender=world.governance)
    fees = (rng.choice((0, 1_000)), rng.choice((0, 100)))
    world.router.setFees((*fees, people["treasury"]), sender=world.governance)
    books.performance_bps, books.management_bps = fees
    books.recipient, books.settled_until = "treasury", evm.timestamp
    if world.breaker is not None:
        limit = rng.choice((300, 2_000)) * session.unit
        terms = (limit, DAY, limit // 10)
        world.breaker.setLimit(world.router, world.asset, *terms, sender=world.governance)
        session.bucket = Bucket(limit, DAY, evm.timestamp)
    if rng.random() < 0.25:
        session.policy = evm.deploy("PolicyDouble")
        world.router.setAccessPolicy(session.policy, sender=world.governance)
    return session
