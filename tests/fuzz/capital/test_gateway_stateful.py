"""Random batches through the gateway, compared with the exact model intent by intent."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.models.flows import GatewayModel, IntentModel
from tests.models.router import RouterModel, StrategyModel, VaultModel
from tests.support.evm import Evm
from tests.support.flows import NORMAL, REASONS, THROTTLED, WITHDRAW_ONLY, Flows, Intent, flows

pytestmark = pytest.mark.fuzz
RUNS = int(os.environ.get("FUZZ_RUNS", "10"))
BATCHES = 12
FOREVER = 2**40
ACTORS = ("investor", "whale", "pensioner", "attacker", "founder")


@dataclass
class Trading:
    """The world and its model, moved together."""

    world: Flows
    router: RouterModel
    gateway: GatewayModel
    rng: random.Random
    unit: int
    spent: list[Intent] = field(default_factory=list)

    def amount(self, most: int) -> int:
        kind = self.rng.random()
        if kind < 0.2:
            return most
        if kind < 0.3:
            return self.rng.randint(0, min(most, 3))
        if kind < 0.35:
            return most + 1
        return self.rng.randint(0, most // 2)

    def minimum(self, fair: int) -> int:
        """None, exactly fair, one too greedy, or a little below."""
        return self.rng.choice((0, 0, fair, fair + 1, fair * 95 // 100))

    def make(self) -> tuple[Intent, IntentModel, str | None]:
        """An intent, what it means, and why it must be refused whatever the prices are."""
        world, router = self.world, self.router
        who = world.evm.account(self.rng.choice(ACTORS))
        if self.rng.random() < 0.5:
            amount = self.amount(self.gateway.wallets[who])
            fair = router.to_shares_down(amount)
            intent = world.deposit_intent(who, amount, minimum=self.minimum(fair), deadline=FOREVER)
        else:
            amount = self.amount(router.balances[who])
            fair = router.to_assets_down(amount)
            intent = world.exit_intent(who, amount, minimum=self.minimum(fair), deadline=FOREVER)
        meaning = IntentModel(who, amount, intent.minimum)
        kind = self.rng.random()
        if kind < 0.05:
            return replace(intent, deadline=world.evm.timestamp - 1), meaning, "EXPIRED"
        if kind < 0.1:
            forger = world.evm.account("forger")
            defect = "ZERO_AMOUNT" if amount == 0 else "BAD_SIGNATURE"
            return replace(intent, signer=forger), meaning, defect
        if kind < 0.15 and self.spent:
            again = self.rng.choice(self.spent)
            return again, IntentModel(again.owner, again.amount, again.minimum), "NONCE_USED"
        return intent, meaning, None

    def batch(self) -> None:
        made = [self.make() for _ in range(self.rng.randint(1, 8))]
        expected: dict[int, int | str] = {}
        for kind, settle in (
            ("DepositIntent", self.gateway.deposits),
            ("ExitIntent", self.gateway.exits),
        ):
            chosen = [i for i, m in enumerate(made) if m[0].kind == kind]
            judged = [i for i in chosen if made[i][2] is None]
            expected |= {i: made[i][2] for i in chosen if made[i][2] is not None}
            results = settle([made[i][1] for i in judged])
            expected |= dict(zip(judged, results, strict=True))
        self.spent += [made[i][0] for i, result in expected.items() if isinstance(result, int)]
        self.world.settle(*(m[0] for m in made))
        self.compare(made, expected)

    def compare(self, made: list[Any], expected: dict[int, int | str]) -> None:
        evm = self.world.evm
        batch = evm.events("BatchSettled")[0]
        got: dict[tuple[str, int], list[Any]] = {}
        for event in evm.events():
            if event.name == "IntentRejected":
                reason = REASONS[event["reason"]]
                got.setdefault((event["owner"], event["nonce"]), []).append(reason)
            elif event.name == "DepositSettled":
                got.setdefault((event["owner"], event["nonce"]), []).append(event["shares"])
            elif event.name == "ExitSettled":
                got.setdefault((event["owner"], event["nonce"]), []).append(event["assets"])
        for i, result in expected.items():
            intent = made[i][0]
            assert result in got[intent.owner, intent.nonce], (i, meaning(intent), result)
        settled = [r for r in expected.values() if isinstance(r, int)]
        assert batch["deposits"] + batch["exits"] == len(settled)
        assert batch["sharesOut"] == sum(e["shares"] for e in evm.events("DepositSettled"))
        assert batch["assetsOut"] == sum(e["assets"] for e in evm.events("ExitSettled"))

    def check(self) -> None:
        world, router = self.world, self.router
        assert world.router.idle() == router.idle
        assert world.router.totalSupply() == router.supply + router.locked
        assert world.asset.balanceOf(world.gateway) == world.router.balanceOf(world.gateway) == 0
        for label in ACTORS:
            who = world.evm.account(label)
            assert world.router.balanceOf(who) == router.balances[who]
            assert world.asset.balanceOf(who) == self.gateway.wallets[who]

    def disturb(self) -> None:
        """Between batches: time, gains, losses, reports, lending, limits, states."""
        rng, world, strategy = self.rng, self.world, self.router.strategies[0]
        world.evm.mine(seconds=rng.randint(1, 3 * 86_400))
        self.router.now = world.evm.timestamp
        kind = rng.choice(("gain", "lose", "report", "lend", "limit", "state", "none"))
        if kind == "gain":
            assets = rng.randint(0, 3 * self.unit)
            world.strategy.gain(assets)
            strategy.vault.assets += assets
        elif kind == "lose":
            assets = rng.randint(0, strategy.vault.assets // 5)
            world.strategy.lose(assets)
            strategy.vault.assets -= assets
        elif kind == "report":
            world.capital.report(world.strategy)
            self.router.report(strategy)
        elif kind == "lend" and self.router.idle > 10**6:
            assets = rng.randint(self.router.idle // 2, self.router.idle)
            world.capital.lend(world.strategy, assets)
            self.router.lend(strategy, assets)
        elif kind == "limit":
            strategy.vault.limit = rng.choice((None, 0, rng.randint(0, strategy.vault.assets + 1)))
            world.strategy.setLimit(strategy.vault.limit is not None, strategy.vault.limit or 0)
        elif kind == "state":
            self.gateway.state = rng.choice((NORMAL, THROTTLED, WITHDRAW_ONLY))
            world.gateway.setEmergencyState(self.gateway.state, sender=world.gate)


def meaning(intent: Intent) -> tuple[str, str, int, int, int]:
    """What matters of an intent, for messages."""
    return intent.kind, intent.owner, intent.amount, intent.minimum, intent.nonce


def begin(seed: int) -> Trading:
    rng = random.Random(seed)
    decimals = rng.choice((0, 6, 8, 18, 24))
    unit = 10**decimals
    world = flows(Evm(), decimals)
    router = RouterModel(world.scale, world.evm.timestamp)
    router.strategies.append(StrategyModel(VaultModel(), 2**112 - 1))
    wallets = {}
    for label in ACTORS:
        who = world.fund(label, 50 * unit)
        world.router.approve(world.gateway, 2**256 - 1, sender=who)
        wallets[str(who)] = 50 * unit
    return Trading(world, router, GatewayModel(router, wallets), rng, unit)


@pytest.mark.parametrize("seed", range(RUNS))
def test_gateway__random_batches__equal_the_model(seed: int) -> None:
    """Property: R2, S5. Every intent gets what the model says or its reason; nothing rests."""
    trading = begin(seed)
    for number in range(BATCHES):
        try:
            trading.batch()
            trading.check()
            trading.disturb()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, batch {number}: {error}") from error
