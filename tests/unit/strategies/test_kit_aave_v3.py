"""The Aave V3 strategy through the kit, on the real Aave deployed into the in-process EVM."""

from __future__ import annotations

from typing import Any

from offchain.chain.client import KeySigner
from tests.kit import Reasons, StrategyAdapter, StrategyKit
from tests.kit.adapter import NOBODY
from tests.peers import aave_v3
from tests.peers.aave_v3 import Listing
from tests.peers.feeds import deploy_feeds
from tests.peers.tokens import deploy_token
from tests.support.build import artifact
from tests.support.evm import Contract
from tests.support.evm_client import EvmClient

USD = 10**8
BPS = 10_000
DAY = 86_400


class AaveV3(StrategyAdapter):
    """A market of the real Aave that lists the asset and a collateral."""

    # Aave rounds scaled balances to the nearest.
    dust = 2

    def deploy(self) -> Contract:
        client = self.client = EvmClient(self.evm)
        boss = self.boss = KeySigner(self.account("aave").key)
        self.borrower = KeySigner(self.account("borrower").key)
        self.token = client.contract(self.asset.address, artifact("TestToken").abi)
        self.collateral = deploy_token(client, boss, "Collateral", "COL", 18)
        feeds = deploy_feeds(client, boss, {"USD": USD, "COL": USD})
        listings = {
            "USD": Listing(self.token, feeds.first("USD"), aave_v3.STABLE_TERMS),
            "COL": Listing(self.collateral, feeds.first("COL"), aave_v3.STABLE_TERMS),
        }
        self.aave = aave_v3.deploy_aave_v3(client, boss, listings)
        self.a_token = self.evm.at("TestToken", self.aave.reserves["USD"].a_token.address)
        self.mint(boss.address, 200_000 * self.unit)
        aave_v3.supply(client, boss, self.aave, self.token, 100_000 * self.unit)
        # Interest makes the index odd.
        self.borrow(6_000)
        self.evm.mine(1, 90 * DAY)
        return self.evm.deploy(
            "AaveV3Strategy",
            self.world.router,
            self.aave.provider.address,
            self.world.authority,
            self.world.gate,
        )

    def borrow(self, target_bps: int) -> None:
        aave_v3.borrow_to_utilisation(
            self.client,
            self.borrower,
            self.aave,
            self.token,
            collateral=self.collateral,
            target_bps=target_bps,
        )

    def gain(self, assets: int) -> None:
        self.a_token.transfer(self.vault, assets, sender=self.boss.address)

    def lose(self, assets: int) -> None:
        self.a_token.transfer(NOBODY, assets, sender=self.vault)

    def donate(self, donor: Any, assets: int) -> None:
        self.a_token.transfer(donor, assets, sender=self.boss.address)
        self.a_token.transfer(self.vault, assets, sender=donor)

    def run_dry(self, left: int) -> None:
        self.borrow(BPS)
        if left:
            self.mint(self.borrower.address, left)
            aave_v3.repay(self.client, self.borrower, self.aave, self.token, left)

    def refill(self) -> None:
        self.mint(self.borrower.address, 50_000 * self.unit)
        aave_v3.repay(self.client, self.borrower, self.aave, self.token, 50_000 * self.unit)

    def set_paused(self, paused: bool) -> None:
        configure = self.aave.configurator.functions
        self.client.transact(self.boss, configure.setReservePause(self.asset.address, paused))

    def pause(self) -> None:
        self.set_paused(True)

    def resume(self) -> None:
        self.set_paused(False)


class TestAaveV3(StrategyKit):
    adapter = AaveV3
    cannot = Reasons({"push_spot": "it lends and trades nowhere"})
