"""The Curve strategy through the kit, on the StableSwap double."""

from __future__ import annotations

from tests.kit import Reasons, StrategyAdapter, StrategyKit
from tests.kit.adapter import NOBODY
from tests.support.evm import Contract
from tests.support.lending import pool_of

ENTRY, EXIT = 10, 20


class Curve(StrategyAdapter):
    """A pool of the asset and another coin, a million of each."""

    slippage_bps = ENTRY + EXIT
    coins = 2

    def deploy(self) -> Contract:
        others = [self.evm.deploy("TestToken", "Other", "OTH", 18) for _ in range(self.coins - 1)]
        held = [self.asset, *others]
        self.pool, self.lp, self.trader = pool_of(self.evm, held, 200, 4 * 10**6, 1_000_000)
        self.evm.mine(1, 86_400)
        return self.evm.deploy(
            "CurveStrategy",
            self.world.router,
            self.pool,
            self.lp,
            self.coins,
            (ENTRY, EXIT, 3_000),
            self.world.authority,
            self.world.gate,
        )

    def lp_for(self, assets: int) -> int:
        return int(assets * 10**36 // self.unit // self.pool.get_virtual_price())

    def gain(self, assets: int) -> None:
        self.lp.transfer(self.vault, self.lp_for(assets), sender=self.trader)

    def lose(self, assets: int) -> None:
        self.lp.transfer(NOBODY, self.lp_for(assets), sender=self.vault)

    def pause(self) -> None:
        self.pool.kill_me()
        assert self.vault.probe()

    def resume(self) -> None:
        self.pool.unkill_me()
        assert not self.vault.probe()

    def push_spot(self, up: bool) -> None:
        sold, whole = (0, self.unit) if up else (1, 10**18)
        self.pool.exchange(sold, 1 - sold, 700_000 * whole, 0, sender=self.trader)


class TestCurve(StrategyKit):
    adapter = Curve
    cannot = Reasons({"run_dry": "a pool gets dearer, not dry: see test_curve_strategy"})
    # As ERC-4626 allows. What test_curve_strategy shows instead: never worse than the preview.
    waives = Reasons(
        {
            "test_preview_redeem__then_redeem__exact": "pays more if the pool does",
            "test_preview_withdraw__then_withdraw__exact": "burns less if the pool does",
            "test_withdraw__by_a_third_party__spends_the_owners_allowance": "pays more, burns less",
            "test_shares__given_in_kind__are_redeemed_by_the_new_holder": "pays more",
            "test_reentrancy__from_the_asset__gains_nothing": "compares with the preview",
        }
    )


class ThreeCoins(Curve):
    coins = 3


class TestCurveOfThree(StrategyKit):
    adapter = ThreeCoins
    decimals = (6,)
    cannot = TestCurve.cannot
    waives = TestCurve.waives
