"""Random lives of an exit queue over the router, compared with the exact model at every step."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from typing import Any

import pytest

from tests.models.flows import QUEUE, QueueModel
from tests.models.router import Refused, RouterModel, StrategyModel, VaultModel
from tests.support.evm import Evm, Revert
from tests.support.flows import FROZEN, NORMAL, WITHDRAW_ONLY, Flows, flows

pytestmark = pytest.mark.fuzz
RUNS = int(os.environ.get("FUZZ_RUNS", "10"))
STEPS = 60
ACTORS = ("investor", "whale", "pensioner", "attacker")
ACTIONS = (
    *("deposit", "request", "request", "exit", "process", "process", "process", "cancel"),
    *("redeem", "redeem", "withdraw", "gain", "lose", "report", "lend", "limit", "time", "state"),
)


@dataclass
class Life:
    """The world and its model, moved together."""

    world: Flows
    model: RouterModel
    queue: QueueModel
    rng: random.Random
    unit: int

    def both(self, act: Any, expect: Any) -> Any:
        """Runs both; either both refuse or both return the same."""
        try:
            expected = expect()
        except Refused:
            with pytest.raises(Revert):
                act()
            return None
        got = act()
        got = tuple(got) if hasattr(got, "__iter__") else got
        assert got == expected
        return got

    def amount(self, most: int) -> int:
        """Often everything, a little or a random part; sometimes too much."""
        kind = self.rng.random()
        if kind < 0.25:
            return most
        if kind < 0.35:
            return self.rng.randint(0, min(most, 3))
        if kind < 0.4:
            return most + 1
        return self.rng.randint(0, most)

    def step(self) -> None:
        name = self.rng.choice(ACTIONS)
        getattr(self, name)(self.world.evm.account(self.rng.choice(ACTORS)))

    def deposit(self, who: Any) -> None:
        assets = self.rng.randint(0, 20 * self.unit)
        self.world.asset.mint(who, assets)
        router = self.world.router
        self.both(
            lambda: router.deposit(assets, who, sender=who), lambda: self.model.deposit(who, assets)
        )

    def request(self, who: Any) -> None:
        shares = self.amount(self.model.balances[who])
        queue = self.world.queue
        self.both(
            lambda: queue.requestRedeem(shares, who, who, sender=who),
            lambda: self.queue.request(who, shares),
        )

    def exit(self, who: Any) -> None:
        shares = self.amount(self.model.balances[who])
        queue = self.world.queue
        self.both(
            lambda: queue.exit(shares, who, who, 0, sender=who),
            lambda: self.queue.exit(who, shares),
        )

    def process(self, who: Any) -> None:
        most = self.rng.randint(0, 4)
        queue = self.world.queue
        self.both(lambda: queue.process(most, sender=who), lambda: self.queue.process(most))

    def cancel(self, _: Any) -> None:
        if not self.queue.requests:
            return
        request_id = self.rng.randint(1, len(self.queue.requests))
        who = self.queue.requests[request_id - 1].controller
        queue = self.world.queue
        self.both(
            lambda: queue.cancelRedeem(request_id, who, sender=who),
            lambda: self.queue.cancel(request_id),
        )

    def redeem(self, who: Any) -> None:
        shares = self.amount(self.queue.claim_shares[who])
        queue = self.world.queue
        self.both(
            lambda: queue.redeem(shares, who, who, sender=who),
            lambda: self.queue.redeem(who, shares),
        )

    def withdraw(self, who: Any) -> None:
        assets = self.amount(self.queue.claim_assets[who])
        queue = self.world.queue
        self.both(
            lambda: queue.withdraw(assets, who, who, sender=who),
            lambda: self.queue.withdraw(who, assets),
        )

    def gain(self, _: Any) -> None:
        assets = self.rng.randint(0, 3 * self.unit)
        self.world.strategy.gain(assets)
        self.model.strategies[0].vault.assets += assets

    def lose(self, _: Any) -> None:
        vault = self.model.strategies[0].vault
        assets = self.rng.randint(0, vault.assets // 4)
        self.world.strategy.lose(assets)
        vault.assets -= assets

    def report(self, _: Any) -> None:
        capital, strategy = self.world.capital, self.model.strategies[0]
        self.both(lambda: capital.report(self.world.strategy), lambda: self.model.report(strategy))

    def lend(self, _: Any) -> None:
        assets = self.rng.randint(0, self.model.idle)
        strategy = self.model.strategies[0]
        self.both(
            lambda: self.world.capital.lend(self.world.strategy, assets),
            lambda: self.model.lend(strategy, assets),
        )

    def limit(self, _: Any) -> None:
        vault = self.model.strategies[0].vault
        vault.limit = self.rng.choice((None, 0, self.rng.randint(0, vault.assets + 1)))
        self.world.strategy.setLimit(vault.limit is not None, vault.limit or 0)

    def time(self, _: Any) -> None:
        self.world.evm.mine(seconds=self.rng.randint(1, 3 * 86_400))
        self.model.now = self.world.evm.timestamp

    def state(self, _: Any) -> None:
        self.queue.state = self.rng.choice((NORMAL, NORMAL, WITHDRAW_ONLY, FROZEN))
        self.world.queue.setEmergencyState(self.queue.state, sender=self.world.gate)

    def check(self) -> None:
        """Everything that can be read agrees with the model, and the sums are exact."""
        world, model, queue = self.world, self.model, self.queue
        assert world.router.idle() == model.idle
        assert world.router.totalSupply() == model.supply + model.locked
        assert world.queue.queuedShares() == queue.queued == world.router.queuedShares()
        assert world.router.balanceOf(world.queue) == queue.queued == model.balances[QUEUE]
        held = sum(queue.claim_assets.values())
        assert world.queue.claimableAssets() == world.asset.balanceOf(world.queue) == held
        assert world.queue.head() == queue.head + 1
        for index, request in enumerate(queue.requests, 1):
            assert request.requested == request.pending + request.processed + request.cancelled
            pending = world.queue.pendingRedeemRequest(index, request.controller)
            assert pending == request.pending
        frozen = queue.state == FROZEN
        for label in ACTORS:
            who = world.evm.account(label)
            assert world.router.balanceOf(who) == model.balances[who]
            assert world.queue.maxRedeem(who) == (0 if frozen else queue.claim_shares[who])
            assert world.queue.maxWithdraw(who) == (0 if frozen else queue.claim_assets[who])
            owned = [i for i, r in enumerate(queue.requests, 1) if r.controller == who]
            claimable = sum(world.queue.claimableRedeemRequest(i, who) for i in owned)
            assert claimable == queue.claim_shares[who]


def begin(seed: int) -> Life:
    rng = random.Random(seed)
    decimals = rng.choice((0, 6, 8, 18, 24))
    world = flows(Evm(), decimals)
    for label in ACTORS:
        who = world.evm.account(label)
        for token, spender in (
            (world.asset, world.router),
            (world.router, world.queue),
        ):
            token.approve(spender, 2**256 - 1, sender=who)
    model = RouterModel(world.scale, world.evm.timestamp, queue=QUEUE)
    model.strategies.append(StrategyModel(VaultModel(), 2**112 - 1))
    return Life(world, model, QueueModel(model), rng, 10**decimals)


@pytest.mark.parametrize("seed", range(RUNS))
def test_exit_queue__random_lives__equal_the_model(seed: int) -> None:
    """Property: R7, R9. requested = paid + queued + cancelled, at every step, to the unit."""
    life = begin(seed)
    for label in ACTORS:
        life.deposit(life.world.evm.account(label))
    for step in range(STEPS):
        try:
            life.step()
            life.check()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, step {step}: {error}") from error
