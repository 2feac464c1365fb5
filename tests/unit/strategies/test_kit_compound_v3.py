"""The Compound III strategy through the kit, on the Comet double."""

from __future__ import annotations

from tests.kit import Reasons, StrategyAdapter, StrategyKit
from tests.kit.adapter import NOBODY
from tests.peers.compound import Collateral, configuration
from tests.support.capital import MAX
from tests.support.evm import Contract

DAY = 86_400


class CompoundV3(StrategyAdapter):
    """A market of 100 000 tokens, half of them lent out for a while."""

    # Comet rounds principal and balance down; the strategy charges for it on the way in and out.
    dust = 3

    def deploy(self) -> Contract:
        evm, asset, unit = self.evm, self.asset, self.unit
        decimals = int(asset.decimals())
        self.saver, self.borrower = self.account("saver"), self.account("borrower")
        collateral = evm.deploy("TestToken", "Collateral", "COL", 18)
        feeds = [evm.deploy("FeedDouble", name, 8, 10**8) for name in ("USD", "COL")]
        put_up = Collateral(collateral.address, feeds[1].address, 18)
        config = configuration(
            evm.default_sender, asset.address, feeds[0].address, decimals, [put_up]
        )
        self.comet = evm.deploy("CometDouble", config)
        rewards = evm.deploy("CometRewardsDouble", evm.default_sender)
        comp = evm.deploy("TestToken", "Compound", "COMP", 18)
        rewards.setRewardConfig(self.comet, comp)
        comp.mint(rewards, 10**30)
        for who in (self.saver, self.borrower):
            self.mint(who, 10**6 * unit)
            asset.approve(self.comet, MAX, sender=who)
        collateral.mint(self.borrower, 10**30)
        collateral.approve(self.comet, MAX, sender=self.borrower)
        self.comet.supply(collateral, 10**30, sender=self.borrower)
        self.comet.supply(asset, 100_000 * unit, sender=self.saver)
        self.comet.withdraw(asset, 50_000 * unit, sender=self.borrower)
        evm.mine(1, 300 * DAY)
        return evm.deploy(
            "CompoundV3Strategy",
            self.world.router,
            self.comet,
            rewards,
            self.world.authority,
            self.world.gate,
        )

    def gain(self, assets: int) -> None:
        self.comet.transfer(self.vault, assets, sender=self.saver)

    def lose(self, assets: int) -> None:
        self.comet.transfer(NOBODY, assets, sender=self.vault)

    def run_dry(self, left: int) -> None:
        lies = self.asset.balanceOf(self.comet)
        self.comet.withdraw(self.asset, lies - left, sender=self.borrower)

    def refill(self) -> None:
        self.mint(self.borrower, 60_000 * self.unit)
        self.comet.supply(self.asset, 60_000 * self.unit, sender=self.borrower)

    def pause(self) -> None:
        self.comet.pause(True, False, True, False, False)

    def resume(self) -> None:
        self.comet.pause(False, False, False, False, False)


class TestCompoundV3(StrategyKit):
    adapter = CompoundV3
    cannot = Reasons({"push_spot": "it lends and trades nowhere"})
