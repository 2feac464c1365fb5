"""What a strategy of our own must pass beyond ERC-4626: only the router brings, states, no trap."""

from __future__ import annotations

from typing import ClassVar

from tests.kit.adapter import StrategyAdapter
from tests.kit.vault import VaultKit, fits
from tests.support.capital import FROZEN, NORMAL, THROTTLED, WITHDRAW_ONLY
from tests.support.evm import reverts


class StrategyKit(VaultKit):
    """For contracts that derive from contracts/strategies/Strategy.sol."""

    adapter: ClassVar[type[StrategyAdapter]]

    def test_deposit__by_anyone_but_the_router__refused(self, case: StrategyAdapter) -> None:
        vault, router = case.vault, case.world.router
        stranger = case.account("attacker")
        case.mint(stranger, case.unit)
        case.approve(stranger)
        assert vault.router() == router.address
        assert vault.maxDeposit(stranger) == vault.maxMint(stranger) == 0
        for receiver in (stranger, router):
            assert not fits(vault, "deposit", case.unit, receiver, sender=stranger)
            assert not fits(vault, "mint", case.unit, receiver, sender=stranger)
        case.mint(router, case.unit)
        case.approve(router)
        assert not fits(vault, "deposit", case.unit, stranger, sender=router)
        assert fits(vault, "deposit", case.unit, router, sender=router)

    def test_deposit__afterwards__nothing_lies_idle_and_no_allowance_stands(
        self, case: StrategyAdapter
    ) -> None:
        case.enter(case.account("whale"), 1_000 * case.unit)
        assert case.asset.balanceOf(case.vault) <= case.dust
        for event in case.evm.events("Approval"):
            if event.address == case.asset.address and event["owner"] == case.vault.address:
                left = case.asset.allowance(case.vault, event["spender"])
                assert left == 0, "the protocol keeps no allowance"

    def test_states__pushed_by_the_gate__stop_what_they_say(self, case: StrategyAdapter) -> None:
        """Property: S2, R3."""
        self.held(case)
        vault, router, owner = case.vault, case.world.router, case.account("whale")
        heir = case.account("heir")
        for state in (THROTTLED, WITHDRAW_ONLY, FROZEN, NORMAL):
            vault.setEmergencyState(state, sender=case.world.gate)
            assert (vault.maxDeposit(router) == 0) == (state != NORMAL)
            assert (vault.maxMint(router) == 0) == (state != NORMAL)
            assert (vault.maxWithdraw(owner) == 0) == (state == FROZEN)
            assert fits(vault, "redeem", 10**6, owner, owner, sender=owner) == (state != FROZEN)
            self.assert_limits_are_honest(case)
            with case.evm.rollback():
                if state == FROZEN:
                    with reverts("EmergencyStateForbids"):
                        vault.transfer(heir, 1, sender=owner)
                else:
                    vault.transfer(heir, 1, sender=owner)
        with reverts("NotEmergencyGate"):
            vault.setEmergencyState(FROZEN, sender=case.account("attacker"))

    def test_exit__everyone_to_the_last_share__nobody_is_trapped(
        self, case: StrategyAdapter
    ) -> None:
        """Property: R9."""
        self.held(case)
        case.gain(50 * case.unit)
        case.recall()
        vault = case.vault
        whole, paid = int(vault.totalAssets()), 0
        for label in ("whale", "investor"):
            who = case.account(label)
            shares = int(vault.balanceOf(who))
            assert vault.maxRedeem(who) == shares
            paid += int(vault.redeem(shares, who, who, sender=who))
            assert vault.balanceOf(who) == 0
        assert vault.totalSupply() == 0
        slack = whole * case.slippage_bps // 10_000
        assert whole - slack - whole // 10**5 - 3 - 2 * case.dust <= paid <= whole

    def test_rewards__claim__only_the_harvester(self, case: StrategyAdapter) -> None:
        self.held(case)
        case.permit_harvester()
        vault, harvester = case.vault, case.world.harvester
        tokens = list(vault.rewardTokens())
        assert len(tokens) == len(set(tokens)) <= 8
        with reverts("AccessManagedUnauthorized"):
            vault.claimRewards(harvester, sender=case.account("attacker"))
        before = case.price()
        vault.claimRewards(harvester, sender=harvester)
        assert case.price() == before, "a reward is no part of the worth before it is sold"
        claimed = case.evm.events("RewardsClaimed")[0]
        assert (claimed["by"], claimed["receiver"]) == (harvester, harvester)
