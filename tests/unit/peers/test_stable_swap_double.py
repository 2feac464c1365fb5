"""The StableSwap double against its exact model, to the unit, and that against the invariant."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest

from tests.models.stable_swap import WAD, PoolModel, Refused, balance_for, invariant
from tests.support.evm import Address, Contract, Evm, Revert, reverts

RUNS = int(os.environ.get("FUZZ_RUNS", "30"))
SEED = int(os.environ.get("FUZZ_SEED", "5"))
MAX = 2**256 - 1
DAY = 86_400
SHAPES = ((6, 18), (18, 18), (6, 6, 18))


@dataclass
class Scene:
    """A pool of the double, its model, and one trader with endless coins."""

    evm: Evm
    pool: Contract
    lp: Contract
    coins: list[Contract]
    model: PoolModel
    trader: Address

    def check(self) -> None:
        n = self.model.n
        assert [self.pool.balances(i) for i in range(n)] == self.model.balances
        assert [coin.balanceOf(self.pool) for coin in self.coins] == self.model.held
        assert self.lp.totalSupply() == self.model.supply
        assert self.pool.get_virtual_price() == self.model.virtual_price()


def build(
    decimals: Sequence[int], amp: int = 100, fee: int = 4 * 10**6, whole: int = 1_000_000
) -> Scene:
    evm = Evm()
    trader = evm.account("trader")
    coins = [evm.deploy("TestToken", f"Coin {i}", f"C{i}", d) for i, d in enumerate(decimals)]
    lp = evm.deploy("PoolTokenDouble", "Stable pool", "STABLE")
    name = f"StableSwap{len(coins)}Double"
    pool = evm.deploy(name, evm.default_sender, coins, lp, amp, fee, 5 * 10**9)
    lp.set_minter(pool)
    model = PoolModel(tuple(decimals), amp, fee, 5 * 10**9)
    for coin, places in zip(coins, decimals, strict=True):
        coin.mint(trader, 10**15 * 10**places)
        coin.approve(pool, MAX, sender=trader)
    amounts = [whole * 10**places for places in decimals]
    pool.add_liquidity(amounts, 0, sender=trader)
    model.add(amounts)
    return Scene(evm, pool, lp, coins, model, trader)


def step(scene: Scene, rng: random.Random) -> None:  # noqa: PLR0912
    """One random call on both; both succeed or both refuse."""
    model, pool, trader = scene.model, scene.pool, scene.trader
    kind = rng.choice(("exchange", "exchange", "add", "remove", "exactly", "one", "one"))
    trial = model.copy()
    i, j = rng.sample(range(model.n), 2)
    refused = False
    # Either whole tokens or dust.
    size = rng.choice((rng.randrange(1, 3_000_000), 1)) if rng.random() < 0.8 else 0

    def amount(coin: int) -> int:
        if size:
            return size * int(10 ** model.decimals[coin]) // rng.choice((1, 3, 1_000))
        return rng.randrange(1, 1_000)

    dx = amount(i)
    amounts = [rng.choice((0, amount(k))) for k in range(model.n)]
    lp = model.supply // rng.choice((2, 5, 1_000, 10**9)) + rng.randrange(3)
    try:
        if kind == "exchange":
            got = trial.exchange(i, j, dx)
        elif kind == "add":
            got = trial.add(amounts)
        elif kind == "remove":
            got = sum(trial.remove(lp))
        elif kind == "exactly":
            got = trial.remove_exactly(amounts)
        else:
            got = trial.remove_one(lp, i)
    except Refused:
        refused = True
    before = (scene.coins[j].balanceOf(trader), scene.lp.balanceOf(trader))
    try:
        if kind == "exchange":
            quoted = pool.get_dy(i, j, dx)
            assert quoted == model.quote(i, j, dx)
            pool.exchange(i, j, dx, 0, sender=trader)
            assert scene.coins[j].balanceOf(trader) - before[0] == got
        elif kind == "add":
            if sum(amounts):
                assert pool.calc_token_amount(amounts, True) == model.quote_lp(amounts, True)
            pool.add_liquidity(amounts, 0, sender=trader)
            assert scene.lp.balanceOf(trader) - before[1] == got
        elif kind == "remove":
            pool.remove_liquidity(lp, [0] * model.n, sender=trader)
        elif kind == "exactly":
            pool.remove_liquidity_imbalance(amounts, MAX, sender=trader)
            assert before[1] - scene.lp.balanceOf(trader) == got
        else:
            assert pool.calc_withdraw_one_coin(lp, i) == model.quote_one(lp, i)[0]
            pool.remove_liquidity_one_coin(lp, i, 0, sender=trader)
    except Revert:
        assert refused, f"the pool refuses {kind}"
        return
    assert not refused, f"the model refuses {kind}"
    scene.model = trial


@pytest.mark.fuzz
@pytest.mark.parametrize("decimals", SHAPES, ids=str)
def test_any_call__random_sequence__equals_the_model_to_the_unit(decimals: tuple[int, ...]) -> None:
    for run in range(max(RUNS // 15, 1)):
        rng = random.Random(f"{SEED}/{decimals}/{run}")
        amp = rng.choice((1, 10, 100, 2_000, 10**5))
        scene = build(decimals, amp, rng.choice((0, 4 * 10**6, 10**8)))
        for _ in range(25):
            last = scene.pool.get_virtual_price()
            step(scene, rng)
            scene.check()
            # Steps of D and rounding of amounts: a few wei, seen at the size of the pool.
            slack = 2 + 20 * WAD // scene.model.supply
            assert scene.pool.get_virtual_price() >= last - slack, "no call takes from the LPs"


def residual(d: Fraction, xp: Sequence[int], amp: int) -> Fraction:
    """The invariant's two sides, subtracted; rises with D."""
    n, product = len(xp), Fraction(1)
    for x in xp:
        product *= x
    ann = amp * n
    power = Fraction(d ** (n + 1))
    return ann * d + power / (n**n * product) - ann * sum(xp) - d


@pytest.mark.parametrize("n", [2, 3])
def test_invariant__against_exact_fractions__is_off_by_two_at_most(n: int) -> None:
    rng = random.Random(f"{SEED}/{n}")
    for _ in range(40):
        amp = rng.choice((1, 10, 200, 5_000))
        whole = rng.randrange(10**20, 10**27)
        xp = [whole // rng.choice((1, 2, 7, 50)) + rng.randrange(10**18) for _ in range(n)]
        d = invariant(xp, amp)
        assert residual(Fraction(d - 2), xp, amp) < 0 < residual(Fraction(d + 3), xp, amp)
        y = balance_for(0, xp, d, amp)
        assert abs(y - xp[0]) <= 2 + xp[0] // min(xp), "solving for a coin gives it back"


def test_invariant__balanced__is_the_sum() -> None:
    assert invariant([10**24, 10**24], 100) == 2 * 10**24
    assert invariant([7 * 10**20] * 3, 1) == 21 * 10**20
    assert invariant([0, 0], 100) == 0


def test_kill__stops_all_but_the_balanced_exit() -> None:
    scene = build((6, 18))
    pool, trader = scene.pool, scene.trader
    with reverts():
        pool.kill_me(sender=trader)
    pool.kill_me()
    one = 10**18
    for call in (
        (pool.exchange, (0, 1, 10**6, 0)),
        (pool.add_liquidity, ([10**6, one], 0)),
        (pool.remove_liquidity_one_coin, (one, 0, 0)),
        (pool.remove_liquidity_imbalance, ([10**6, 0], MAX)),
    ):
        with reverts():
            call[0](*call[1], sender=trader)
    assert pool.calc_withdraw_one_coin(one, 0) > 0, "views do not know"
    before = [coin.balanceOf(trader) for coin in scene.coins]
    pool.remove_liquidity(one, [0, 0], sender=trader)
    got = [coin.balanceOf(trader) - b for coin, b in zip(scene.coins, before, strict=True)]
    assert got == [10**6 // 2, one // 2]
    pool.unkill_me()
    pool.exchange(0, 1, 10**6, 0, sender=trader)


def test_kill__after_sixty_days__is_no_longer_possible() -> None:
    scene = build((6, 18))
    scene.evm.mine(1, 60 * DAY)
    with reverts():
        scene.pool.kill_me()


def test_ramp__half_way__is_half_way_and_moves_the_virtual_price() -> None:
    scene = build((6, 18), amp=1_000)
    scene.pool.exchange(0, 1, 800_000 * 10**6, 0, sender=scene.trader)
    scene.evm.mine(1, 2 * DAY)
    with reverts():
        scene.pool.ramp_A(10_001, scene.evm.timestamp + 10 * DAY)
    before = scene.pool.get_virtual_price()
    scene.pool.ramp_A(200, scene.evm.timestamp + 10 * DAY)
    scene.evm.mine(1, 5 * DAY)
    assert scene.pool.A() == 600
    assert scene.pool.get_virtual_price() < before, "a lower A is worth less when imbalanced"
    scene.pool.stop_ramp_A()
    scene.evm.mine(1, 9 * DAY)
    assert scene.pool.A() == 600


def test_fees__trades_and_imbalance__pay_the_lps_and_the_owner() -> None:
    scene = build((6, 18), fee=10**8)
    pool, trader = scene.pool, scene.trader
    before = pool.get_virtual_price()
    out = pool.get_dy(0, 1, 100_000 * 10**6)
    assert out < 99_100 * 10**18
    pool.exchange(0, 1, 100_000 * 10**6, out, sender=trader)
    assert pool.get_virtual_price() > before
    owed = pool.admin_balances(1)
    assert 495 * 10**18 < owed < 505 * 10**18, "half of the hundredth"
    pool.withdraw_admin_fees()
    assert scene.coins[1].balanceOf(scene.evm.default_sender) == owed
    pool.commit_new_fee(0, 0)
    with reverts():
        pool.apply_new_fee()
    scene.evm.mine(1, 3 * DAY)
    pool.apply_new_fee()
    assert pool.fee() == pool.admin_fee() == 0


def test_remove_liquidity__inside_its_transfer__the_virtual_price_is_wrong() -> None:
    """The old pools' read-only reentrancy: what a strategy must not believe."""
    evm = Evm()
    trader = evm.account("trader")
    coins = [evm.deploy("ReentrantToken", "Hooked", "HOOK", 18) for _ in range(2)]
    lp = evm.deploy("PoolTokenDouble", "Stable pool", "STABLE")
    pool = evm.deploy("StableSwap2Double", evm.default_sender, coins, lp, 100, 0, 0)
    lp.set_minter(pool)
    for coin in coins:
        coin.mint(trader, 10**24)
        coin.approve(pool, MAX, sender=trader)
    pool.add_liquidity([10**23, 10**23], 0, sender=trader)
    before = pool.get_virtual_price()
    coins[0].arm(pool, pool.calldata("get_virtual_price"), False)
    pool.remove_liquidity(9 * 10**22, [0, 0], sender=trader)
    seen = int.from_bytes(bytes(coins[0].lastResult()), "big")
    assert coins[0].lastSuccess()
    assert seen < before * 8 // 10
    assert abs(pool.get_virtual_price() - before) <= 2
    coins[0].arm(pool, pool.calldata("remove_liquidity", 0, [0, 0]), False)
    pool.remove_liquidity(10**22, [0, 0], sender=trader)
    assert not coins[0].lastSuccess(), "but no call that changes anything gets in"
