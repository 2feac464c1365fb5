"""The tests that every ERC-4626 vault behind the router must pass; it knows no concrete vault."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, ClassVar

import pytest

from tests.conftest import FUZZ_RUNS
from tests.kit.adapter import Adapter, Reasons
from tests.support.evm import Revert

BPS = 10_000
MOVES = {
    "lose": ("test_loss",),
    "run_dry": ("test_illiquid",),
    "pause": ("test_pause",),
    "push_spot": ("test_spot",),
}


def fits(vault: Any, function: str, amount: int, *accounts: Any, sender: Any) -> bool:
    """Whether the call succeeds; it is undone."""
    with vault._evm.rollback():
        try:
            getattr(vault, function)(amount, *accounts, sender=sender)
        except Revert:
            return False
    return True


class VaultKit:
    """Subclass it, name the adapter, and pytest collects the tests.

    Attributes:
        adapter: the vault's adapter.
        decimals: of the assets to run with.
        cannot: moves that cannot happen to this vault, with the reason; their tests go away.
        waives: tests that this vault fails, with the reason; each must indeed fail.
    """

    adapter: ClassVar[type[Adapter]]
    decimals: ClassVar[tuple[int, ...]] = (6, 18)
    cannot: ClassVar[Mapping[str, str]] = Reasons({})
    waives: ClassVar[Mapping[str, str]] = Reasons({})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        unknown = set(cls.cannot) - set(MOVES) | {w for w in cls.waives if not hasattr(cls, w)}
        if unknown:
            raise TypeError(f"{cls.__name__}: the kit knows no {', '.join(sorted(unknown))}")
        for name in dir(cls):
            if name.startswith(tuple(p for move in cls.cannot for p in MOVES[move])):
                setattr(cls, name, None)
            elif name in cls.waives:
                inherited = getattr(cls, name)

                def weak(self: Any, case: Adapter, _inherited: Any = inherited) -> None:
                    _inherited(self, case)

                mark = pytest.mark.xfail(strict=True, reason=cls.waives[name])
                setattr(cls, name, mark(weak))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "stage" in metafunc.fixturenames:
            metafunc.parametrize(
                "stage", self.decimals, indirect=True, scope="class", ids=lambda d: f"{d}-decimals"
            )

    @pytest.fixture(scope="class")
    def stage(self, request: pytest.FixtureRequest) -> Adapter:
        """The vault, deployed once per class and number of decimals."""
        return self.adapter(request.param)

    @pytest.fixture
    def case(self, stage: Adapter, request: pytest.FixtureRequest) -> Iterator[Adapter]:
        """The vault as it was deployed; whatever the test does is undone."""
        with stage.evm.rollback():
            case = copy(stage)
            seed = request.config.getoption("--hypothesis-seed")
            case.rng = random.Random(f"{seed} {request.node.name}")  # type: ignore[attr-defined]
            yield case

    # ---- situations: what every property must hold in

    def held(self, case: Adapter) -> None:
        """Two holders, one small."""
        case.enter(case.account("whale"), 1_000 * case.unit)
        case.enter(case.account("investor"), 10 * case.unit + 1)
        case.settle()

    def situations(self, case: Adapter) -> Iterator[str]:
        """A held vault, then after a gain, after an odd gain and, if it can lose, after a loss."""
        with case.evm.rollback():
            yield "empty"
        moves = ("held", "gain", "odd gain", "loss")
        for move in moves[: 3 if "lose" in self.cannot else 4]:
            with case.evm.rollback():
                self.held(case)
                if move == "gain":
                    case.gain(101 * case.unit)
                elif move == "odd gain":
                    case.gain(self.rng(case).randrange(1, 7 * case.unit) | 1)
                elif move == "loss":
                    case.lose(333 * case.unit + 1)
                yield move

    def rng(self, case: Adapter) -> random.Random:
        found: random.Random = case.rng  # type: ignore[attr-defined]
        return found

    def amounts(self, case: Adapter, most: int) -> list[int]:
        """Some amounts up to `most`: the corners and, with the budget, random ones."""
        if most == 0:
            return []
        rng = self.rng(case)
        drawn = {1, min(2, most), most} | {
            min(most, rng.randrange(1, 10 ** rng.randrange(1, len(str(most)) + 1)))
            for _ in range(max(2, FUZZ_RUNS // 10))
        }
        return sorted(drawn)

    def ready(self, case: Adapter, label: str, assets: int) -> Any:
        """A depositor with assets and an allowance."""
        by = case.depositor(case.account(label))
        case.mint(by, assets)
        case.approve(by)
        return by

    # ---- views

    def test_views__any_input__answer(self, case: Adapter) -> None:
        vault, somebody = case.vault, case.account("investor")
        assert vault.asset() == case.asset.address
        for _ in self.situations(case):
            for amount in (0, 1, case.unit, 10**12 * case.unit):
                for view in ("convertToShares", "convertToAssets", "previewDeposit", "previewMint"):
                    assert getattr(vault, view)(amount) >= 0
            for amount in (0, 1, int(vault.maxWithdraw(somebody))):
                assert vault.previewWithdraw(amount) >= 0
            for amount in (0, 1, int(vault.balanceOf(somebody))):
                assert vault.previewRedeem(amount) >= 0
            assert vault.previewRedeem(0) == vault.previewWithdraw(0) == 0
            assert vault.previewDeposit(0) == vault.previewMint(0) == 0

    def test_convert__anyone_asks__same_answer(self, case: Adapter) -> None:
        for _ in self.situations(case):
            for view in ("convertToShares", "convertToAssets", "previewDeposit", "previewMint"):
                ask = getattr(case.vault, view)
                askers = (case.account("whale"), case.account("attacker"), case.world.router)
                assert len({ask(case.unit + 7, sender=asker) for asker in askers}) == 1

    def test_convert__round_trip__never_gains(self, case: Adapter) -> None:
        """Property: R2."""
        vault = case.vault
        for _ in self.situations(case):
            for amount in self.amounts(case, 10_000 * case.unit):
                assert vault.convertToAssets(vault.convertToShares(amount)) <= amount
                assert vault.convertToShares(vault.convertToAssets(amount)) <= amount
                assert vault.previewDeposit(amount) <= vault.convertToShares(amount)
                assert vault.previewRedeem(amount) <= vault.convertToAssets(amount)

    # ---- previews: what is said is what happens

    def test_preview_deposit__then_deposit__exact(self, case: Adapter) -> None:
        for _ in self.situations(case):
            for assets in self.amounts(case, 5_000 * case.unit):
                with case.evm.rollback():
                    by = self.ready(case, "newcomer", assets)
                    said, had = case.vault.previewDeposit(assets), case.asset.balanceOf(by)
                    if not said and not fits(case.vault, "deposit", assets, by, sender=by):
                        continue
                    assert case.vault.deposit(assets, by, sender=by) == said
                    assert had - case.asset.balanceOf(by) == assets
                    event = case.evm.events("Deposit")
                    mine = [e for e in event if e.address == case.vault.address]
                    assert [(e["assets"], e["shares"]) for e in mine] == [(assets, said)]

    def test_preview_mint__then_mint__exact(self, case: Adapter) -> None:
        for _ in self.situations(case):
            most = int(case.vault.convertToShares(5_000 * case.unit))
            for shares in self.amounts(case, most):
                with case.evm.rollback():
                    said = int(case.vault.previewMint(shares))
                    by = self.ready(case, "newcomer", said)
                    had, held = case.asset.balanceOf(by), case.vault.balanceOf(by)
                    assert case.vault.mint(shares, by, sender=by) == said
                    assert had - case.asset.balanceOf(by) == said
                    assert case.vault.balanceOf(by) - held == shares

    def test_preview_withdraw__then_withdraw__exact(self, case: Adapter) -> None:
        owner = case.account("whale")
        for _ in self.situations(case):
            for assets in self.amounts(case, int(case.vault.maxWithdraw(owner))):
                with case.evm.rollback():
                    said, had = case.vault.previewWithdraw(assets), case.asset.balanceOf(owner)
                    held = case.vault.balanceOf(owner)
                    assert case.vault.withdraw(assets, owner, owner, sender=owner) == said
                    assert case.asset.balanceOf(owner) - had == assets
                    assert held - case.vault.balanceOf(owner) == said
                    event = case.evm.events("Withdraw")
                    mine = [e for e in event if e.address == case.vault.address]
                    assert [(e["assets"], e["shares"]) for e in mine] == [(assets, said)]

    def test_preview_redeem__then_redeem__exact(self, case: Adapter) -> None:
        owner = case.account("whale")
        for _ in self.situations(case):
            for shares in self.amounts(case, int(case.vault.maxRedeem(owner))):
                with case.evm.rollback():
                    said, had = case.vault.previewRedeem(shares), case.asset.balanceOf(owner)
                    if not said and not fits(
                        case.vault, "redeem", shares, owner, owner, sender=owner
                    ):
                        continue
                    assert case.vault.redeem(shares, owner, owner, sender=owner) == said
                    assert case.asset.balanceOf(owner) - had == said

    # ---- round trips

    def test_round_trip__in_and_out__never_gains(self, case: Adapter) -> None:
        """Property: R2. By deposit or mint in, by redeem or withdraw out."""
        vault = case.vault
        for _ in self.situations(case):
            for assets in self.amounts(case, 5_000 * case.unit):
                by = case.depositor(case.account("newcomer"))
                with case.evm.rollback():
                    if not vault.previewDeposit(assets):
                        continue
                    self.ready(case, "newcomer", assets)
                    before = int(vault.balanceOf(by))
                    shares = int(vault.deposit(assets, by, sender=by))
                    case.settle()
                    with case.evm.rollback():
                        part = min(shares, int(vault.maxRedeem(by)))
                        if vault.previewRedeem(part):
                            assert vault.redeem(part, by, by, sender=by) <= assets, (
                                "deposit, redeem"
                            )
                    if int(vault.maxWithdraw(by)) >= assets:
                        slack = int(vault.convertToShares(case.dust))
                        cost = int(vault.withdraw(assets, by, by, sender=by))
                        assert cost >= shares - slack, "deposit, withdraw"
                    assert before == 0 or vault.balanceOf(by) <= before + shares
                with case.evm.rollback():
                    shares = max(1, int(vault.convertToShares(assets)))
                    paid = int(vault.previewMint(shares))
                    self.ready(case, "newcomer", paid)
                    assert vault.mint(shares, by, sender=by) == paid
                    case.settle()
                    part = min(shares, int(vault.maxRedeem(by)))
                    if vault.previewRedeem(part):
                        assert vault.redeem(part, by, by, sender=by) <= paid, "mint, redeem"

    def test_round_trip__out_and_in__never_gains(self, case: Adapter) -> None:
        """Property: R2. By redeem or withdraw out, by deposit or mint in."""
        vault, owner = case.vault, case.account("whale")
        for situation in self.situations(case):
            if situation == "empty":
                continue
            by = case.depositor(owner)
            for shares in self.amounts(case, int(vault.maxRedeem(owner)) // 2):
                with case.evm.rollback():
                    if not vault.previewRedeem(shares):
                        continue
                    got = int(vault.redeem(shares, by, owner, sender=owner))
                    case.approve(by)
                    if vault.previewDeposit(got):
                        slack = int(vault.convertToShares(case.dust))
                        again = int(vault.deposit(got, by, sender=by))
                        assert again <= shares + slack, "redeem, deposit"
            for assets in self.amounts(case, int(vault.maxWithdraw(owner)) // 2):
                with case.evm.rollback():
                    burned = int(vault.withdraw(assets, by, owner, sender=owner))
                    case.mint(by, int(vault.previewMint(burned)))
                    case.approve(by)
                    paid = int(vault.mint(burned, by, sender=by))
                    assert paid >= assets - case.dust, "withdraw, mint"

    # ---- limits

    def assert_limits_are_honest(self, case: Adapter) -> None:
        """Property: R3. What a limit allows succeeds, one more fails."""
        vault = case.vault
        by = case.depositor(case.account("newcomer"))
        most = int(vault.maxDeposit(by))
        if most < 2**120:
            case.mint(by, most + 1)
            case.approve(by)
            assert most == 0 or fits(vault, "deposit", most, by, sender=by), "maxDeposit"
            assert not fits(vault, "deposit", most + 1, by, sender=by), "maxDeposit + 1"
        most = int(vault.maxMint(by))
        if most < 2**120:
            assert most == 0 or fits(vault, "mint", most, by, sender=by), "maxMint"
        for label in ("whale", "investor", "stranger"):
            who = case.account(label)
            for function in ("withdraw", "redeem"):
                most = int(getattr(vault, f"max{function.title()}")(who))
                assert most == 0 or fits(vault, function, most, who, who, sender=who), function
                assert not fits(vault, function, most + 1, who, who, sender=who), f"{function} + 1"

    def test_max__any_situation__succeeds_and_one_more_fails(self, case: Adapter) -> None:
        """Property: R3."""
        for _ in self.situations(case):
            self.assert_limits_are_honest(case)

    # ---- allowances and shares as tokens

    def test_withdraw__by_a_third_party__spends_the_owners_allowance(self, case: Adapter) -> None:
        self.held(case)
        vault, owner, spender = case.vault, case.account("whale"), case.account("spender")
        shares = int(vault.balanceOf(owner)) // 4
        worth = int(vault.previewRedeem(shares))
        for function, amount in (("redeem", shares), ("withdraw", worth)):
            with case.evm.rollback():
                assert not fits(vault, function, amount, spender, owner, sender=spender)
                needed = shares if function == "redeem" else int(vault.previewWithdraw(amount))
                vault.approve(spender, needed, sender=owner)
                getattr(vault, function)(amount, spender, owner, sender=spender)
                assert vault.allowance(owner, spender) == 0
                assert case.asset.balanceOf(spender) == worth

    def test_shares__given_in_kind__are_redeemed_by_the_new_holder(self, case: Adapter) -> None:
        """Property: R9. Whoever holds shares after an exit in kind takes his part out."""
        self.held(case)
        vault, owner, heir = case.vault, case.account("whale"), case.account("heir")
        shares, before = int(vault.balanceOf(owner)), case.price()
        vault.transfer(heir, shares // 3, sender=owner)
        assert case.price() == before, "a transfer of shares moves no price"
        worth = int(vault.previewRedeem(shares // 3))
        most = int(vault.maxRedeem(heir))
        assert most == shares // 3
        assert vault.redeem(most, heir, heir, sender=heir) == worth > 0
        assert case.asset.balanceOf(heir) == worth
        assert vault.maxRedeem(heir) == vault.balanceOf(heir) == 0

    # ---- other holders

    def test_price__others_come_and_go__never_falls(self, case: Adapter) -> None:
        """Property: R2. But for the units that the protocol underneath rounds away itself."""
        vault, other = case.vault, case.account("investor")
        for situation in self.situations(case):
            if situation == "empty":
                continue
            shares = int(vault.balanceOf(other))
            for assets in self.amounts(case, 3_000 * case.unit):
                with case.evm.rollback():
                    before = int(vault.convertToAssets(shares))
                    if not vault.previewDeposit(assets):
                        continue
                    case.enter(case.account("newcomer"), assets)
                    assert vault.convertToAssets(shares) >= before - case.dust, "someone came"
                    case.settle()
                    before = int(vault.convertToAssets(shares))
                    who = case.account("newcomer")
                    if vault.previewRedeem(vault.maxRedeem(who)):
                        vault.redeem(vault.maxRedeem(who), who, who, sender=who)
                    assert vault.convertToAssets(shares) >= before - case.dust, "someone left"

    def test_walk__many_moves__holders_never_take_out_more_than_there_is(
        self, case: Adapter
    ) -> None:
        """Property: R2, R3. A random walk of three holders; limits are tried on the way."""
        rng, vault = self.rng(case), case.vault
        people = [case.account(label) for label in ("whale", "investor", "trader")]
        self.held(case)
        put = 1_010 * case.unit + 1
        got = 0
        for _ in range(FUZZ_RUNS):
            who = rng.choice(people)
            move = rng.randrange(4)
            if move == 0:
                assets = rng.randrange(1, 500 * case.unit)
                if vault.previewDeposit(assets):
                    case.enter(who, assets)
                    put += assets
            elif move == 1:
                case.settle()
                most = int(vault.maxWithdraw(who))
                if most:
                    assets = rng.randrange(1, most + 1)
                    vault.withdraw(assets, who, who, sender=who)
                    got += assets
            elif move == 2:
                case.settle()
                shares = rng.randrange(int(vault.maxRedeem(who)) + 1)
                if vault.previewRedeem(shares):
                    got += int(vault.redeem(shares, who, who, sender=who))
            else:
                vault.transfer(rng.choice(people), vault.balanceOf(who) // 3, sender=who)
            claims = sum(int(vault.convertToAssets(vault.balanceOf(p))) for p in people)
            assert claims <= vault.totalAssets()
            assert got <= put
        case.settle()
        self.assert_limits_are_honest(case)

    def test_donation__before_the_victim__costs_him_next_to_nothing(self, case: Adapter) -> None:
        """Property: R8. At most a hundred thousandth of his stake; the attacker gains nothing."""
        vault, attacker, victim = case.vault, case.account("attacker"), case.account("victim")
        shares = case.enter(attacker, max(1, case.dust + 1))
        donated = 1_000 * case.unit
        case.donate(attacker, donated)
        stake = 100 * case.unit
        held = case.enter(victim, stake)
        case.settle()
        worth = int(vault.previewRedeem(held))
        fees = stake * (case.entry_bps + case.exit_bps + case.slippage_bps) // BPS
        assert worth >= stake - fees - stake // 10**5 - 2 - 2 * case.dust
        assert int(vault.previewRedeem(shares)) <= donated, "it does not pay"

    # ---- hostile tokens

    def test_reentrancy__from_the_asset__gains_nothing(self, case: Adapter) -> None:
        """A hook in the asset calls back into every entry point, on the way in and out."""
        hooked = type(case)(18, "ReentrantToken")
        self.held(hooked)
        vault, asset, owner = hooked.vault, hooked.asset, hooked.account("whale")
        hooked.enter(hooked.account("accomplice"), hooked.unit)
        vault.transfer(asset, vault.balanceOf(hooked.account("accomplice")) // 2, sender=owner)
        mine = str(asset)
        entries = (
            vault.calldata("redeem", 1_000, mine, mine),
            vault.calldata("withdraw", 1_000, mine, mine),
            vault.calldata("deposit", 1_000, mine),
        )
        for data in entries:
            with hooked.evm.rollback():
                before = hooked.price()
                said = int(vault.previewRedeem(10**9))
                asset.arm(vault, data, False)
                if fits(vault, "redeem", 10**9, owner, owner, sender=owner):
                    assert vault.redeem(10**9, owner, owner, sender=owner) <= said + hooked.dust
                after = hooked.price()
                slack = (hooked.dust + 1) * before[1]
                assert after[0] * before[1] + slack >= before[0] * after[1], "nobody paid for it"

    def test_read_only_reentrancy__in_the_middle_of_a_call__no_false_price(
        self, case: Adapter
    ) -> None:
        """Who asks for the price while a token moves gets the price before or after, or none."""
        hooked = type(case)(18, "ReentrantToken")
        self.held(hooked)
        vault, asset, owner = hooked.vault, hooked.asset, hooked.account("whale")
        by = self.ready(hooked, "newcomer", 500 * hooked.unit)
        one = int(vault.convertToShares(1_000 * hooked.unit))
        moves = (
            (vault.redeem, (int(vault.balanceOf(owner)) // 2, owner, owner), owner),
            (vault.deposit, (500 * hooked.unit, by), by),
        )
        for move, arguments, sender in moves:
            with hooked.evm.rollback():
                before = int(vault.convertToAssets(one))
                asset.arm(vault, vault.calldata("convertToAssets", one), False)
                move(*arguments, sender=sender)
                after = int(vault.convertToAssets(one))
                if asset.lastSuccess():
                    seen = int.from_bytes(bytes(asset.lastResult()), "big")
                    low, high = sorted((before, after))
                    assert low - 1 <= seen <= high + 1

    def test_fee_on_transfer__asset__refused(self, case: Adapter) -> None:
        """A token of which less arrives than was sent must not be credited in full."""
        taxed = type(case)(18, "FeeToken", 0)
        self.held(taxed)
        taxed.asset.setFee(100)
        by = self.ready(taxed, "newcomer", 100 * taxed.unit)
        try:
            shares = taxed.vault.deposit(100 * taxed.unit, by, sender=by)
        except Revert:
            return
        credited = int(taxed.vault.convertToAssets(shares))
        assert credited <= 99 * taxed.unit, "more is credited than arrived"

    # ---- trouble

    def test_loss__two_holders__both_bear_their_part(self, case: Adapter) -> None:
        self.held(case)
        vault = case.vault
        whole, worth = int(vault.totalAssets()), {}
        for label in ("whale", "investor"):
            who = case.account(label)
            worth[label] = int(vault.convertToAssets(vault.balanceOf(who)))
        case.lose(whole // 4)
        left = int(vault.totalAssets())
        assert left < whole
        for label, before in worth.items():
            now = int(vault.convertToAssets(vault.balanceOf(case.account(label))))
            assert abs(now - before * left // whole) <= before // 10**5 + 2 + case.dust
        self.assert_limits_are_honest(case)

    def test_illiquid__part_is_left__that_can_leave_and_the_rest_later(self, case: Adapter) -> None:
        """Property: R3, R9."""
        self.held(case)
        vault, owner = case.vault, case.account("whale")
        for left in (0, 1, 7 * case.unit + 1):
            with case.evm.rollback():
                case.run_dry(left)
                most = int(vault.maxWithdraw(owner))
                assert most <= left + case.dust
                self.assert_limits_are_honest(case)
                if most:
                    vault.withdraw(most, owner, owner, sender=owner)
                    assert vault.maxWithdraw(owner) <= case.dust
                case.refill()
                rest = int(vault.maxRedeem(owner))
                assert rest == vault.balanceOf(owner)
                vault.redeem(rest, owner, owner, sender=owner)
                assert vault.balanceOf(owner) == 0, "no trap"

    def test_pause__both_ways__limits_say_zero_and_views_answer(self, case: Adapter) -> None:
        """Property: R3."""
        self.held(case)
        vault, owner = case.vault, case.account("whale")
        by = case.depositor(case.account("newcomer"))
        worth = case.price()
        case.pause()
        assert vault.maxDeposit(by) == vault.maxMint(by) == 0
        assert vault.maxWithdraw(owner) == vault.maxRedeem(owner) == 0
        assert case.price() == worth, "a pause is no loss"
        self.assert_limits_are_honest(case)
        vault.transfer(case.account("heir"), vault.balanceOf(owner), sender=owner)
        case.resume()
        self.assert_limits_are_honest(case)

    def test_spot__pushed_within_the_block__moves_no_valuation(self, case: Adapter) -> None:
        self.held(case)
        vault, shares = case.vault, 10**9
        for up in (True, False):
            with case.evm.rollback():
                worth, supply = case.price()
                one, minted = int(vault.previewRedeem(shares)), int(vault.convertToShares(10**9))
                case.push_spot(up)
                after = case.price()
                assert worth <= after[0] <= worth + worth * case.push_bps // BPS
                assert after[1] == supply
                assert one <= vault.previewRedeem(shares) <= one + one * case.push_bps // BPS
                assert minted - minted * case.push_bps // BPS <= vault.convertToShares(10**9)
                assert vault.convertToShares(10**9) <= minted

    def test_spot__pushed__entry_and_exit_refused_or_within_the_bound(self, case: Adapter) -> None:
        """Who enters or leaves while a price is pushed costs the others no more than the bound."""
        self.held(case)
        vault, owner, other = case.vault, case.account("whale"), case.account("investor")
        for up in (True, False):
            for way in ("in", "out"):
                with case.evm.rollback():
                    shares = int(vault.balanceOf(other))
                    before = int(vault.convertToAssets(shares))
                    case.push_spot(up)
                    if way == "in" and int(vault.maxDeposit(case.depositor(owner))):
                        case.enter(owner, 100 * case.unit)
                    if way == "out" and int(vault.maxWithdraw(owner)):
                        part = int(vault.maxWithdraw(owner)) // 2
                        had = case.asset.balanceOf(owner)
                        vault.withdraw(part, owner, owner, sender=owner)
                        assert case.asset.balanceOf(owner) - had == part
                    after = int(vault.convertToAssets(shares))
                    assert after >= before - before * case.slippage_bps // BPS - 1 - case.dust

    # ---- behind the router

    def test_router__lend_gain_report_exit__books_what_came(self, case: Adapter) -> None:
        """Property: R1, R9. One life behind the real router, to the last share."""
        world, vault = case.world, case.vault
        governance, investor = world.governance, case.account("saver")
        world.router.addStrategy(vault, 2**112 - 1, BPS, sender=governance)
        world.set_health(vault)
        world.router.setProfitUnlockTime(0, sender=governance)
        shares = world.deposit(investor, 1_000 * case.unit)
        world.lend(vault, 600 * case.unit)
        lent = 600 * case.unit
        kept = lent - lent * (case.entry_bps + case.exit_bps + case.slippage_bps) // BPS
        assert kept - 2 - case.dust <= world.debt(vault) <= lent
        case.settle()
        debt = world.debt(vault)
        case.gain(60 * case.unit)
        gain, loss = world.report(vault)
        assert gain > 0 == loss
        assert world.debt(vault) == debt + gain <= vault.totalAssets()
        case.settle()
        case.recall()
        world.router.redeemInKind(shares // 4, investor, investor, sender=investor)
        in_kind = int(vault.balanceOf(investor))
        assert in_kind > 0
        vault.redeem(in_kind, investor, investor, sender=investor)
        left = int(world.router.maxRedeem(investor))
        world.router.redeem(left, investor, investor, sender=investor)
        assert case.asset.balanceOf(investor) > kept + 400 * case.unit
