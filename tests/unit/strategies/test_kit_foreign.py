"""Foreign ERC-4626 vaults through the kit: OpenZeppelin's, solmate's, one with fees and limits."""

from __future__ import annotations

from tests.kit import Adapter, Reasons, VaultKit
from tests.kit.adapter import NOBODY
from tests.support.evm import Contract

HOOKS = "an asset with hooks shows a price between the transfer and the mint"
TAX = "credits what was sent; the router refuses such an asset itself"
INFLATION = "few virtual shares: a plan's least amount and the health limits stand before it"
NO_MARKET = "it holds the asset and trades nowhere"
NO_PAUSE = "it has no pause"
ALWAYS_LIQUID = "it holds all that it owes"


class HoldingVault(Adapter):
    """A vault that holds its asset and counts its balance."""

    contract: str

    def deploy(self) -> Contract:
        return self.evm.deploy(self.contract, self.asset)

    def gain(self, assets: int) -> None:
        self.asset.mint(self.vault, assets)

    def lose(self, assets: int) -> None:
        self.asset.transfer(NOBODY, assets, sender=self.vault)


class OpenZeppelinVault(HoldingVault):
    contract = "PlainVault"


class SolmateVault(HoldingVault):
    contract = "SolmateVault"


class FeeVault(Adapter):
    """Keeps its own books, takes 20 bps in and 30 bps out, can pause and limit what leaves."""

    entry_bps = 20
    exit_bps = 30

    def deploy(self) -> Contract:
        fees = self.account("fees")
        return self.evm.deploy("FeeVault", self.asset, fees, self.entry_bps, self.exit_bps)

    def gain(self, assets: int) -> None:
        self.asset.mint(self.vault, assets)
        self.vault.book(assets)

    def lose(self, assets: int) -> None:
        self.vault.book(-assets)

    def run_dry(self, left: int) -> None:
        self.vault.setLimit(left)

    def refill(self) -> None:
        self.vault.setLimit(2**256 - 1)

    def pause(self) -> None:
        self.vault.setPaused(True)

    def resume(self) -> None:
        self.vault.setPaused(False)


class TestOpenZeppelin(VaultKit):
    adapter = OpenZeppelinVault
    decimals = (0, 6, 24)
    cannot = Reasons({"run_dry": ALWAYS_LIQUID, "pause": NO_PAUSE, "push_spot": NO_MARKET})
    waives = Reasons(
        {
            "test_read_only_reentrancy__in_the_middle_of_a_call__no_false_price": HOOKS,
            "test_fee_on_transfer__asset__refused": TAX,
            "test_donation__before_the_victim__costs_him_next_to_nothing": INFLATION,
        }
    )


class TestSolmate(VaultKit):
    adapter = SolmateVault
    decimals = (8, 18)
    cannot = Reasons({"run_dry": ALWAYS_LIQUID, "pause": NO_PAUSE, "push_spot": NO_MARKET})
    waives = Reasons(
        {
            "test_read_only_reentrancy__in_the_middle_of_a_call__no_false_price": HOOKS,
            "test_fee_on_transfer__asset__refused": TAX,
            "test_donation__before_the_victim__costs_him_next_to_nothing": INFLATION,
        }
    )


class TestFees(VaultKit):
    adapter = FeeVault
    decimals = (0, 18, 24)
    cannot = Reasons({"push_spot": NO_MARKET})
    waives = Reasons({"test_read_only_reentrancy__in_the_middle_of_a_call__no_false_price": HOOKS})
