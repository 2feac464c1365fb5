"""What the kit asks of whoever brings a vault: how to stand it up, move it and harm it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import Any, ClassVar

from tests.support.capital import HARVESTER, World, build_world
from tests.support.evm import Address, Contract, Evm

Reasons = MappingProxyType
MAX = 2**256 - 1
NOBODY = "0x000000000000000000000000000000000000dEaD"


class Adapter(ABC):
    """One vault over a fresh asset, behind a real router, on its own in-process EVM.

    A subclass says how to deploy the vault and how to make it gain, lose, run dry and pause. What
    cannot happen to the vault is named in its kit's `cannot`, and that method is left alone.

    Attributes:
        evm: the world that everything lives in.
        world: the router and its roles (tests/support/capital.py).
        asset: the router's asset; its mint is open.
        unit: one whole token.
        vault: what `deploy` returned.
        dust: units by which the protocol underneath may round one move; 0 if it keeps exact books.
        slippage_bps: most of a holder's value that an entry or an exit may cost through a market.
        push_bps: most that the fees of a pushing trade may add to the worth at once.
        entry_bps: fee on the way in. exit_bps: on the way out.
    """

    dust: ClassVar[int] = 0
    slippage_bps: ClassVar[int] = 0
    push_bps: ClassVar[int] = 0
    entry_bps: ClassVar[int] = 0
    exit_bps: ClassVar[int] = 0

    vault: Contract

    def __init__(self, decimals: int, token: str = "TestToken", *token_args: Any) -> None:
        self.evm = Evm()
        self.world: World = build_world(self.evm, decimals, token, token_args)
        self.asset = self.world.asset
        self.unit = 10**decimals
        self.vault = self.deploy()

    @abstractmethod
    def deploy(self) -> Contract:
        """Deploys the vault over `self.asset`; returns it under an ABI with ERC-4626's calls."""

    @abstractmethod
    def gain(self, assets: int) -> None:
        """Makes what the vault holds worth about so much more."""

    def lose(self, assets: int) -> None:
        """Makes what the vault holds worth about so much less."""
        raise NotImplementedError(f"{type(self).__name__}: say `cannot` or write lose()")

    def run_dry(self, left: int) -> None:
        """Leaves about `left` of the asset for all holders together to withdraw."""
        raise NotImplementedError(f"{type(self).__name__}: say `cannot` or write run_dry()")

    def refill(self) -> None:
        """Undoes `run_dry`."""
        raise NotImplementedError(f"{type(self).__name__}: say `cannot` or write refill()")

    def pause(self) -> None:
        """The protocol underneath stops both ways, in and out."""
        raise NotImplementedError(f"{type(self).__name__}: say `cannot` or write pause()")

    def resume(self) -> None:
        """Undoes `pause`."""
        raise NotImplementedError(f"{type(self).__name__}: say `cannot` or write resume()")

    def push_spot(self, up: bool) -> None:
        """Moves every spot price around the vault far, within this block, as flash capital can."""
        raise NotImplementedError(f"{type(self).__name__}: say `cannot` or write push_spot()")

    def settle(self) -> None:  # noqa: B027
        """Lets pass what a holder must wait for before he can leave again (a lock, a TWAP)."""

    def recall(self) -> None:  # noqa: B027
        """What a keeper does so that all holders can leave at once."""

    def donate(self, donor: Any, assets: int) -> None:
        """Sends the vault what raises its worth, without asking for shares."""
        self.mint(donor, assets)
        self.asset.transfer(self.vault, assets, sender=donor)

    # ---- what the kit itself needs

    def depositor(self, holder: Any) -> Any:
        """Who makes the deposit for a holder: himself."""
        return holder

    def mint(self, holder: Any, assets: int) -> None:
        self.asset.mint(holder, assets)

    def approve(self, holder: Any) -> None:
        self.asset.approve(self.vault, 0, sender=holder)
        self.asset.approve(self.vault, MAX, sender=holder)

    def enter(self, holder: Any, assets: int) -> int:
        """Deposits fresh assets for a holder; the shares he got."""
        by = self.depositor(holder)
        self.mint(by, assets)
        self.approve(by)
        shares = int(self.vault.deposit(assets, by, sender=by))
        if by != holder:
            self.vault.transfer(holder, shares, sender=by)
        return shares

    def price(self) -> tuple[int, int]:
        """Worth and number of all shares, as a fraction's numerator and denominator."""
        return int(self.vault.totalAssets()), int(self.vault.totalSupply())

    def account(self, label: str) -> Address:
        return self.evm.account(label)


class StrategyAdapter(Adapter):
    """A vault that derives from contracts/strategies/Strategy.sol: only the router deposits.

    The harvester of `world` may call `claimRewards`.
    """

    def depositor(self, holder: Any) -> Any:  # noqa: ARG002
        """The router deposits; the kit hands the shares on, as an exit in kind would."""
        return self.world.router

    def permit_harvester(self) -> None:
        """Gives the harvester its role on the vault."""
        authority, governance = self.world.authority, self.world.governance
        selector = self.vault.calldata("claimRewards", NOBODY)[:4]
        authority.setTargetFunctionRole(self.vault, [selector], HARVESTER, sender=governance)
        authority.grantRole(HARVESTER, self.world.harvester, 0, sender=governance)
