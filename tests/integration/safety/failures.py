"""What can fail, one by one and in pairs, and what users can still do then; judges nothing itself.

`python -m tests.integration.safety.failures` prints the table of docs/safety.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from offchain.abi import AbiError
from tests.support.amm import FOREVER
from tests.support.evm import Address, Contract, Revert
from tests.support.gate import MAX_DURATION, REASON, State
from tests.support.plane import (
    DEPOSIT,
    FEED_MAX,
    FEED_UNIT,
    MAX_AGE,
    UNIT,
    Suite,
)
from tests.support.safes import LocalSafe

REVERTS = bytes.fromhex("5f5ffd")
VIRTUAL_SHARES = 10**12
QUEUED = "queued exit"
LIVE, REVERTING, GAS_BURNING = 1, 3, 4
APART, LIE_LOW, LIE_HIGH = (FEED_UNIT * n // 10 for n in (8, 7, 13))


# --- what users, prices and the brake can do: each is tried, and its effect is looked at


def deposit(suite: Suite) -> None:
    before = suite.router.balanceOf(suite.investor)
    suite.router["deposit(uint256,address)"](UNIT, suite.investor, sender=suite.investor)
    assert suite.router.balanceOf(suite.investor) > before


def instant_exit(suite: Suite) -> None:
    before = suite.asset.balanceOf(suite.investor)
    shares = suite.router.balanceOf(suite.investor) // 10
    suite.router["redeem(uint256,address,address)"](
        shares, suite.investor, suite.investor, sender=suite.investor
    )
    assert suite.asset.balanceOf(suite.investor) - before == DEPOSIT // 10


def queued_exit(suite: Suite) -> None:
    before = suite.asset.balanceOf(suite.investor)
    shares = suite.router.balanceOf(suite.investor) // 10
    investor = suite.investor
    suite.queue.requestRedeem(shares, investor, investor, sender=investor)
    suite.evm.mine()
    suite.queue.process(10, sender=suite.keeper)
    suite.queue.redeem(shares, investor, investor, sender=investor)
    assert suite.asset.balanceOf(suite.investor) - before == DEPOSIT // 10


def exit_in_kind(suite: Suite) -> None:
    investor, router = suite.investor, suite.router
    before = suite.asset.balanceOf(investor)
    shares = router.balanceOf(investor) // 10
    part = router.idle() * shares // (router.totalSupply() + VIRTUAL_SHARES)
    assets, _, (strategy_shares,) = router.redeemInKind(shares, investor, investor, sender=investor)
    assert assets == suite.asset.balanceOf(investor) - before == part > 0
    try:
        arrived = suite.strategy.balanceOf(investor)
    except (Revert, AbiError):
        arrived = 0
    assert strategy_shares > 0
    # What a broken strategy does not hand over is on the router's books for him; of one that is
    # gone there is nothing to hand over.
    left = strategy_shares if suite.evm.code(suite.strategy) else 0
    assert arrived + router.owedInKind(suite.strategy, investor) == left


def swap(suite: Suite) -> None:
    assert suite.swap(UNIT) > 0


def burn(suite: Suite) -> None:
    provider = suite.liquidity_provider
    shares = suite.pool.balanceOf(provider) // 10
    got = suite.pool.burn(shares, 1, 1, provider, FOREVER, sender=provider)
    assert min(got) > 0


def price(suite: Suite) -> None:
    assert suite.oracle.price(suite.asset) > 0


def trip(suite: Suite) -> None:
    """A loss appears and anyone pokes, in one block."""
    suite.asset.burn(suite.router, UNIT)
    suite.breaker.poke(suite.router, sender=suite.attacker)
    assert suite.router.emergencyState() == State.FROZEN


def freeze(suite: Suite) -> None:
    """Two guardians stop everything that still has code."""
    alive = [target for target in suite.targets if suite.evm.code(target)]
    order_freeze(suite, suite.guardian)
    assert all(target.emergencyState() == State.FROZEN for target in alive)


ACTIONS: Mapping[str, Callable[[Suite], None]] = {
    "deposit": deposit,
    "instant exit": instant_exit,
    QUEUED: queued_exit,
    "exit in kind": exit_in_kind,
    "swap": swap,
    "burn": burn,
    "priced risk": price,
    "trip": trip,
    "freeze": freeze,
}


def order_freeze(
    suite: Suite,
    safe: LocalSafe,
    owners: tuple[Address, ...] | None = None,
    nonce: int | None = None,
) -> None:
    """A Safe's owners order that all targets be frozen."""
    arguments = (list(suite.targets), State.FROZEN, MAX_DURATION, REASON)
    data = suite.gate.calldata("raiseMany", *arguments)
    tx = safe.order(suite.gate, data, nonce)
    safe.send(tx, safe.signed(tx, owners))


# --- what fails


@dataclass(frozen=True)
class Failure:
    """One thing that fails.

    Attributes:
        name: as the table shows it.
        subject: what it happens to; two failures of one subject exclude each other, except that
            three feeds can fail each in its own way.
        happen: makes it happen; a feed's failure also gets the number of the feed.
        stops: the actions that are not possible any more.
    """

    name: str
    subject: str
    happen: Callable[..., None]
    stops: frozenset[str] = frozenset()


def _round(answer: int, age: int = 0) -> Callable[[Suite, int], None]:
    def happen(suite: Suite, feed: int) -> None:
        suite.feeds[feed].setMode(0)
        suite.feeds[feed].setRound(answer, suite.evm.timestamp - age)

    return happen


def _mode(mode: int) -> Callable[[Suite, int], None]:
    return lambda suite, feed: suite.feeds[feed].setMode(mode)


def _lie(answer: int) -> Callable[[Suite], None]:
    def happen(suite: Suite) -> None:
        for feed in suite.feeds[:2]:
            feed.setMode(LIVE)
            feed.setRound(answer, suite.evm.timestamp)

    return happen


def _strategy(suite: Suite) -> Contract:
    return suite.strategy


def _gone(pick: Callable[[Suite], Contract], code: bytes | str = b"") -> Callable[[Suite], None]:
    return lambda suite: suite.evm.etch(pick(suite), code)


def refused(reason: str, attempt: Callable[[], None]) -> None:
    """The attempt must fail, and for this reason."""
    try:
        attempt()
    except Revert as error:
        assert error.args == (reason,), f"refused with {error}, not with {reason}"
        return
    raise AssertionError(f"what should be refused with {reason} was done")


def wrong_safe(suite: Suite) -> None:
    """The guardians' own signatures, all of them valid, under another Safe of theirs."""
    twin = suite.safes.create(suite.guardian.owners, 2, salt=7)
    # Safe's word for "the call it was to make has failed".
    refused("GS013", lambda: order_freeze(suite, twin, twin.owners))


def replayed(suite: Suite) -> None:
    safe, gate = suite.guardian, suite.gate
    tx = safe.order(gate, gate.calldata("heartbeat"))
    signatures = safe.signed(tx)
    safe.send(tx, signatures)
    refused("GS026", lambda: safe.send(tx, signatures))


def removed_owner(suite: Suite) -> None:
    """Removed while the order waited for its signatures."""
    safe = suite.guardian
    removed = safe.owners[2]
    safe.call(safe.contract, "removeOwner", safe.owners[1], removed, 2)
    refused("GS026", lambda: order_freeze(suite, safe, (safe.owners[0], removed)))


def too_few(suite: Suite) -> None:
    safe = suite.guardian
    refused("GS020", lambda: order_freeze(suite, safe, safe.owners[:1]))


def sequencer_down(suite: Suite) -> None:
    suite.sequencer.setRound(1, suite.evm.timestamp)


def breaker_unnamed(suite: Suite) -> None:
    suite.govern(suite.gate, "setBreaker", "0x" + "00" * 20)


PRICE, TRIP = frozenset({"priced risk"}), frozenset({"trip"})
SILENT = (
    Failure("one feed stale", "feed", _round(FEED_UNIT, MAX_AGE + 1)),
    Failure("one feed zero", "feed", _round(0)),
    Failure("one feed negative", "feed", _round(-FEED_UNIT)),
    Failure("one feed from the future", "feed", _round(FEED_UNIT, -1)),
    Failure("one feed at its bound", "feed", _round(FEED_MAX)),
    Failure("one feed reverts", "feed", _mode(REVERTING)),
    Failure("one feed burns its gas", "feed", _mode(GAS_BURNING)),
)
DIVERGES = Failure("one feed diverges", "feed", _round(APART), PRICE)
LIE_DOWN = Failure("two of three lie low", "feeds", _lie(LIE_LOW), PRICE | {"deposit"})
LIE_UP = Failure("two of three lie high", "feeds", _lie(LIE_HIGH), PRICE)
NO_ORACLE = Failure("oracle gone", "oracle", _gone(lambda s: s.oracle), PRICE)
UNNAMED = Failure("breaker taken out of the gate", "name", breaker_unnamed, TRIP)
BROKEN = Failure("breaker broken", "breaker", _gone(lambda s: s.breaker, REVERTS), TRIP)
FAILURES = (
    *SILENT,
    DIVERGES,
    LIE_DOWN,
    LIE_UP,
    Failure("sequencer down", "sequencer", sequencer_down, PRICE),
    NO_ORACLE,
    Failure("gate called by a wrong Safe", "wrong Safe", wrong_safe),
    Failure("signatures replayed", "replay", replayed),
    Failure("signed by a removed owner", "owner", removed_owner),
    Failure("threshold not met", "threshold", too_few),
    Failure("strategy upgraded to other code", "strategy", _gone(_strategy, "HostileTarget")),
    Failure("strategy self-destroyed", "strategy", _gone(_strategy)),
    Failure("pool self-destroyed", "pool", _gone(lambda s: s.pool), frozenset({"swap", "burn"})),
    Failure("exit queue self-destroyed", "queue", _gone(lambda s: s.queue), frozenset({QUEUED})),
    UNNAMED,
    BROKEN,
    Failure("access manager gone", "authority", _gone(lambda s: s.authority)),
)


@dataclass(frozen=True)
class Interplay:
    """Pairs that do not simply stop what each of the two stops.

    Attributes:
        first: one of the pair.
        second: the other.
        also_stops: what only both together stop.
        restores: what one stops alone, and both together do not.
        why: for the table.
    """

    first: tuple[Failure, ...]
    second: tuple[Failure, ...]
    also_stops: frozenset[str] = frozenset()
    restores: frozenset[str] = frozenset()
    why: str = ""


INTERPLAYS = (
    Interplay(SILENT, SILENT, also_stops=PRICE, why="below quorum"),
    Interplay(
        (DIVERGES,),
        (DIVERGES,),
        also_stops=frozenset({"deposit"}),
        why="two that diverge alike are two that lie low: the breaker stops new money",
    ),
    Interplay(
        SILENT,
        (LIE_DOWN, LIE_UP),
        restores=PRICE,
        why="nobody is left to contradict: the lie is the price (known limit)",
    ),
    Interplay(
        (LIE_DOWN,),
        (NO_ORACLE, UNNAMED, BROKEN),
        restores=frozenset({"deposit"}),
        why="no false trip either",
    ),
)


def coexist(first: Failure, second: Failure) -> bool:
    """Whether both can be at once."""
    return first.subject != second.subject or first.subject == "feed"


def stopped(failures: Sequence[Failure]) -> frozenset[str]:
    """What one failure, or two together, stop."""
    stops = frozenset[str]().union(*(failure.stops for failure in failures))
    if len(failures) == 2:
        one, other = failures
        for play in INTERPLAYS:
            if (one in play.first and other in play.second) or (
                other in play.first and one in play.second
            ):
                stops = (stops | play.also_stops) - play.restores
    return stops


def happen(suite: Suite, failures: Sequence[Failure]) -> None:
    """Makes the failures happen, each feed's to a feed of its own, and lets keepers react."""
    free = iter((2,) if any(failure.subject == "feeds" for failure in failures) else (0, 1))
    for failure in failures:
        failure.happen(suite, *([next(free)] if failure.subject == "feed" else []))
    suite.watch()


# --- the table


def table() -> str:
    """Markdown: what each failure leaves possible, and what pairs do beyond that."""
    lines = [
        f"| failure | {' | '.join(ACTIONS)} |",
        "|---" * (len(ACTIONS) + 1) + "|",
    ]
    for failure in FAILURES:
        marks = ("–" if action in failure.stops else "yes" for action in ACTIONS)
        lines.append(f"| {failure.name} | {' | '.join(marks)} |")
    lines += [
        "",
        "| two failures together | beyond what each does alone | why |",
        "|---|---|---|",
    ]
    silent = f"one feed silent ({', '.join(f.name.removeprefix('one feed ') for f in SILENT)})"
    for play in INTERPLAYS:
        pair = [
            silent if side == SILENT else " or ".join(f.name for f in side)
            for side in (play.first, play.second)
        ]
        both = " + ".join(
            "another, too" if n and pair[0] == pair[1] else p for n, p in enumerate(pair)
        )
        effect = [f"stops {', '.join(sorted(play.also_stops))}"] if play.also_stops else []
        effect += [f"does not stop {', '.join(sorted(play.restores))}"] if play.restores else []
        lines.append(f"| {both} | {'; '.join(effect)} | {play.why} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
