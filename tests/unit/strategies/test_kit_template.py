"""The template of docs/strategies.md through the kit, as whoever copies it will do with his own."""

from __future__ import annotations

from tests.kit import Reasons, StrategyAdapter, StrategyKit
from tests.support.evm import Contract


class Template(StrategyAdapter):
    """The template over a vault that keeps its own books, limits what leaves and can pause."""

    # The vault below rounds every move against the strategy.
    dust = 1

    def deploy(self) -> Contract:
        self.target = self.evm.deploy("FeeVault", self.asset, self.account("fees"), 0, 0)
        place = (self.world.router, self.target, self.world.authority, self.world.gate)
        return self.evm.deploy("TemplateStrategy", *place)

    def gain(self, assets: int) -> None:
        self.asset.mint(self.target, assets)
        self.target.book(assets)

    def lose(self, assets: int) -> None:
        self.target.book(-assets)

    def run_dry(self, left: int) -> None:
        self.target.setLimit(left)

    def refill(self) -> None:
        self.target.setLimit(2**256 - 1)

    def pause(self) -> None:
        self.target.setPaused(True)

    def resume(self) -> None:
        self.target.setPaused(False)


class TestTemplate(StrategyKit):
    adapter = Template
    decimals = (0, 8, 24)
    cannot = Reasons({"push_spot": "the vault below trades nowhere"})
