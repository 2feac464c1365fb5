"""Stateful fuzz: any sequence of calls leaves the pool where the exact-integer model says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.models.guarded_pool import Config, Pool, Rejected, State
from tests.support.amm import ANY_FEE, FOREVER, PoolWorld
from tests.support.evm import Evm, Revert

pytestmark = pytest.mark.fuzz

# (reserves, decimals, config): from dust to the 112-bit limit, 0.25 s to 12 s per block.
MARKETS = [
    ((10**24, 2 * 10**24), (18, 18), Config()),
    ((1_000, 1_003), (0, 0), Config(guard_window=2, max_fee=65_535)),
    ((10**12, 5 * 10**20), (6, 18), Config(guard_window=4, maturity_blocks=8)),
    ((2 * 10**33, 10**10), (24, 8), Config(truncation_rate=1)),
    ((2**112 - 1, 2**112 - 1), (18, 18), Config(min_fee=0, max_fee=0)),
    ((2**112 - 1, 1_000_000), (18, 6), Config(min_fee=1, volatility_factor=0)),
    ((1_000_000, 2**111), (6, 24), Config(guard_window=60)),
]
BLOCK_TIMES = (0, 1, 2, 11, 12, 13, 24, 36, 61, 600, 5_000)
USERS = ("trader", "attacker", "investor")


@cache
def market(index: int, deployer_code: bytes | None) -> tuple[PoolWorld, int]:
    reserves, decimals, config = MARKETS[index]
    world = PoolWorld(Evm(), config, reserves, decimals, users=USERS, deployer_code=deployer_code)
    return world, world.evm.snapshot()


def amounts() -> st.SearchStrategy[int]:
    """From one wei to more than any reserve, evenly over the magnitudes."""
    return st.integers(0, 112).flatmap(lambda bits: st.integers(0, 2**bits))


class PoolAgainstModel(RuleBasedStateMachine):
    """After each call the pool is where the model is."""

    deployer_code: bytes | None = None

    @initialize(index=st.integers(0, len(MARKETS) - 1))
    def open_market(self, index: int) -> None:
        self.world, mark = market(index, self.deployer_code)
        self.world.evm.restore(mark)
        self.pristine = self.world.model
        self.model: Pool = self.pristine.copy()
        self.world.model = self.model
        self.users = [self.world.evm.account(label) for label in USERS] + [self.world.whale]
        self.fixed: tuple[Any, ...] | None = None

    def teardown(self) -> None:
        self.world.model = self.pristine

    def call(self, method: str, *args: Any, sender: Any) -> Any:
        """The outcome: what came back, or the name of the error."""
        try:
            return getattr(self.world.pool, method)(*args, sender=sender)
        except Revert as error:
            return error.name

    def both(self, expected: Any, method: str, *args: Any, sender: Any) -> bool:
        try:
            wanted = expected()
        except Rejected as error:
            wanted = error.name
        got = self.call(method, *args, sender=sender)
        got = tuple(got) if isinstance(wanted, tuple) else got
        assert got == wanted, f"{method}{args}: contract {got}, model {wanted}"
        return not isinstance(wanted, str)

    def growth(self) -> tuple[int, int]:
        return self.model.reserve0 * self.model.reserve1, self.model.supply

    @rule(seconds=st.sampled_from(BLOCK_TIMES), blocks=st.integers(1, 3))
    def mine(self, seconds: int, blocks: int) -> None:
        self.world.mine(blocks, seconds)
        self.fixed = None

    def assert_within_the_window(self, side: bool) -> None:
        """The last trade was no better than the window's worst opening for its direction."""
        event = self.world.evm.events("Swap")[0]
        amount0, amount1 = int(event.args["amount0"]), int(event.args["amount1"])
        amount_in, amount_out = (amount0, -amount1) if side else (amount1, -amount0)
        window = self.model._opened().window
        numerator, denominator = (window.low if side else window.high).ratio
        if side:
            assert amount_out * denominator <= amount_in * numerator, "a sell above lo"
        else:
            assert amount_in * denominator >= amount_out * numerator, "a buy below hi"

    @rule(user=st.integers(0, 3), side=st.booleans(), amount=amounts())
    def swap_exact_in(self, user: int, side: bool, amount: int) -> None:
        sender, k = self.users[user], self.growth()[0]
        self.both(
            lambda: self.model.quote_exact_in(side, amount),
            "quoteExactIn",
            side,
            amount,
            sender=sender,
        )
        done = self.both(
            lambda: self.model.swap_exact_in(side, amount),
            "swapExactIn",
            *(side, amount, 0, sender, ANY_FEE, FOREVER),
            sender=sender,
        )
        assert self.growth()[0] >= k, "k fell"
        if done:
            self.assert_within_the_window(side)

    @rule(user=st.integers(0, 3), side=st.booleans(), amount=amounts())
    def swap_exact_out(self, user: int, side: bool, amount: int) -> None:
        sender, k = self.users[user], self.growth()[0]
        self.both(
            lambda: self.model.quote_exact_out(side, amount),
            "quoteExactOut",
            side,
            amount,
            sender=sender,
        )
        done = self.both(
            lambda: self.model.swap_exact_out(side, amount),
            "swapExactOut",
            *(side, amount, 2**255, sender, ANY_FEE, FOREVER),
            sender=sender,
        )
        assert self.growth()[0] >= k, "k fell"
        if done:
            self.assert_within_the_window(side)

    @rule(
        side=st.booleans(),
        exact_in=st.booleans(),
        amount=amounts(),
        cut=st.integers(1, 255),
    )
    def split(self, side: bool, exact_in: bool, amount: int, cut: int) -> None:
        """One trade of an amount against two of its parts by two users; undone again."""
        method, limit = ("swapExactIn", 0) if exact_in else ("swapExactOut", 2**255)
        first = amount * cut // 256
        parts = [first, amount - first]
        with self.world.evm.rollback():
            whole = self.trade(method, side, amount, limit, 0)
        with self.world.evm.rollback():
            pieces = [self.trade(method, side, p, limit, n) for n, p in enumerate(parts)]
        if whole is None or None in pieces:
            return
        total = sum(piece for piece in pieces if piece is not None)
        assert total <= whole if exact_in else total >= whole, "splitting beats the whole"

    def trade(self, method: str, side: bool, amount: int, limit: int, user: int) -> int | None:
        """What came back; nothing if the pool refused."""
        sender = self.users[user]
        answer = self.call(method, side, amount, limit, sender, ANY_FEE, FOREVER, sender=sender)
        return answer if isinstance(answer, int) else None

    def prepaid(
        self,
        expected: Callable[[Pool], Any],
        method: str,
        *args: Any,
        paid: tuple[int, int],
        sender: Any,
    ) -> None:
        """Pays and calls; what the pool refuses is undone together with its payment."""

        def pay() -> None:
            for token, amount in zip(self.world.tokens, paid, strict=True):
                token.transfer(self.world.pool, amount, sender=sender)

        with self.world.evm.rollback():
            pay()
            trial = self.model.copy()
            if not self.both(lambda: expected(trial), method, *args, sender=sender):
                return
        pay()
        self.both(lambda: expected(self.model), method, *args, sender=sender)

    @rule(user=st.integers(0, 3), side=st.booleans(), amount=amounts())
    def swap_exact_in_prepaid(self, user: int, side: bool, amount: int) -> None:
        sender = self.users[user]
        self.prepaid(
            lambda model: model.swap_exact_in(side, amount),
            "swapExactInPrepaid",
            *(side, 0, sender, ANY_FEE, FOREVER),
            paid=(amount, 0) if side else (0, amount),
            sender=sender,
        )

    @rule(
        user=st.integers(0, 3),
        side=st.booleans(),
        amount=amounts(),
        surplus=st.integers(-1, 2**20),
    )
    def swap_exact_out_prepaid(self, user: int, side: bool, amount: int, surplus: int) -> None:
        """Pays what it costs and somewhat more, or one unit less; the rest comes back."""
        sender = self.users[user]
        try:
            paid = max(0, self.model.quote_exact_out(side, amount)[0] + surplus)
        except Rejected:
            paid = max(0, surplus)

        def expected(model: Pool) -> int:
            if model.quote_exact_out(side, amount)[0] > paid:
                raise Rejected("InsufficientPayment")
            return model.swap_exact_out(side, amount)

        token = self.world.tokens[0 if side else 1]
        held, cost = token.balanceOf(sender), self.model.reserve0 if side else self.model.reserve1
        self.prepaid(
            expected,
            "swapExactOutPrepaid",
            *(side, amount, 2**255, sender, ANY_FEE, FOREVER),
            paid=(paid, 0) if side else (0, paid),
            sender=sender,
        )
        cost -= self.model.reserve0 if side else self.model.reserve1
        assert token.balanceOf(sender) == held + cost, "paid more than the cost"

    @rule(
        side=st.booleans(),
        exact_in=st.booleans(),
        amount=amounts(),
        seconds=st.sampled_from(BLOCK_TIMES),
    )
    def quote_next(self, side: bool, exact_in: bool, amount: int, seconds: int) -> None:
        """What the model would do as the first of the next block."""
        ahead = self.model.copy()
        ahead.block += 1
        ahead.timestamp += seconds
        self.both(
            lambda: (ahead.quote_exact_in if exact_in else ahead.quote_exact_out)(side, amount),
            "quoteExactInNext" if exact_in else "quoteExactOutNext",
            *(side, amount, ahead.timestamp),
            sender=self.users[0],
        )

    @rule(user=st.integers(0, 3), amount0=amounts(), amount1=amounts())
    def donate(self, user: int, amount0: int, amount1: int) -> None:
        """Moves nothing in the pool, and goes to the treasury."""
        treasury = [token.balanceOf(self.world.treasury) for token in self.world.tokens]
        sender, paid = self.users[user], (amount0, amount1)

        def expected(model: Pool) -> tuple[int, int]:
            model._require(State.THROTTLED)
            model.checkpoint()
            return paid

        with self.world.evm.rollback():
            for token, amount in zip(self.world.tokens, paid, strict=True):
                token.transfer(self.world.pool, amount, sender=sender)
            self.world.assert_equals_model()
        self.prepaid(expected, "skim", paid=paid, sender=sender)
        if self.model.state <= State.THROTTLED:
            treasury = [held + amount for held, amount in zip(treasury, paid, strict=True)]
        assert [t.balanceOf(self.world.treasury) for t in self.world.tokens] == treasury

    @rule(user=st.integers(0, 3), amount0=amounts(), amount1=amounts())
    def mint(self, user: int, amount0: int, amount1: int) -> None:
        sender, (k, supply) = self.users[user], self.growth()
        pending = self.model.pending_protocol_shares()
        self.both(
            lambda: self.model.quote_mint(amount0, amount1),
            "quoteMint",
            *(amount0, amount1),
            sender=sender,
        )
        self.both(
            lambda: self.model.mint(sender, amount0, amount1),
            "mint",
            *(amount0, amount1, 0, FOREVER),
            sender=sender,
        )
        self.assert_value_per_share_kept(k, supply + pending)

    @rule(user=st.integers(0, 3), amount0=amounts(), amount1=amounts())
    def mint_prepaid(self, user: int, amount0: int, amount1: int) -> None:
        sender, (k, supply) = self.users[user], self.growth()
        pending = self.model.pending_protocol_shares()
        self.prepaid(
            lambda model: model.mint(sender, amount0, amount1),
            "mintPrepaid",
            *(0, FOREVER),
            paid=(amount0, amount1),
            sender=sender,
        )
        self.assert_value_per_share_kept(k, supply + pending)

    @rule(user=st.integers(0, 3), part=st.integers(0, 11), exact=amounts())
    def burn(self, user: int, part: int, exact: int) -> None:
        sender, (k, supply) = self.users[user], self.growth()
        pending = self.model.pending_protocol_shares()
        held = self.model.account(sender)
        shares = held.balance * part // 10 if part else exact
        self.both(lambda: self.model.quote_burn(shares), "quoteBurn", shares, sender=sender)
        self.both(
            lambda: self.model.burn(sender, shares),
            "burn",
            *(shares, 0, 0, sender, FOREVER),
            sender=sender,
        )
        self.assert_value_per_share_kept(k, supply + pending)

    def assert_value_per_share_kept(self, k: int, supply: int) -> None:
        """√k per share, the protocol's part already counted, did not fall."""
        k_after, supply_after = self.growth()
        assert k_after * supply**2 >= k * supply_after**2, "√k per share fell"

    @rule(user=st.integers(0, 3), to=st.integers(0, 3), part=st.integers(1, 11))
    def transfer(self, user: int, to: int, part: int) -> None:
        sender, receiver = self.users[user], self.users[to]
        shares = self.model.account(sender).balance * part // 10

        def expected() -> bool:
            self.model.transfer(sender, receiver, shares)
            return True

        self.both(expected, "transfer", receiver, shares, sender=sender)

    @rule()
    def checkpoint(self) -> None:
        self.both(self.model.checkpoint, "checkpoint", sender=self.users[0])

    @rule(cardinality=st.integers(2, 12))
    @precondition(lambda self: self.model.cardinality_target < 12)
    def grow(self, cardinality: int) -> None:
        self.both(
            lambda: self.model.grow(cardinality),
            "increaseObservationCardinality",
            cardinality,
            sender=self.users[0],
        )

    @rule(state=st.sampled_from([State.NORMAL, State.NORMAL, *State]))
    def emergency(self, state: State) -> None:
        self.world.pool.setEmergencyState(state, sender=self.world.gate)
        self.model.state = state
        self.fixed = None

    @rule(seconds_ago=st.integers(0, 2_000))
    def observe(self, seconds_ago: int) -> None:
        try:
            wanted: Any = self.model.observe(seconds_ago)
        except Rejected as error:
            wanted = error.name
        try:
            plain, truncated = self.world.pool.observe([seconds_ago])
            got: Any = (plain[0], truncated[0])
        except Revert as error:
            got = error.name
        assert got == wanted, f"observe({seconds_ago}): contract {got}, model {wanted}"

    @invariant()
    def nothing_inside_a_block_moves_oracle_or_fee(self) -> None:
        plain, truncated = self.world.pool.observe([0])
        now = (self.world.pool.feePips(), tuple(self.world.pool.guardPrices()), plain, truncated)
        assert self.fixed in (None, now), "moved inside a block"
        self.fixed = now

    @invariant()
    def same_state(self) -> None:
        self.world.assert_equals_model()
        for token, reserve in zip(
            self.world.tokens, (self.model.reserve0, self.model.reserve1), strict=True
        ):
            assert token.balanceOf(self.world.pool) == reserve, "more or less than the reserve"


class TestPoolAgainstModel(PoolAgainstModel.TestCase):  # type: ignore[valid-type,misc]
    """Property: P1, P2, P4, P5, P6, P7."""
