"""The Uniswap V3 venue on the real router: fixed paths, its own measure of what came, the rest."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.support.capital import MAX, ZERO
from tests.support.evm import Address, Contract, Evm, reverts
from tests.support.uniswap import V3, V3_FEE, v3

UNIT = 10**18
DEPTH = 10**6 * UNIT


def path_of(*tokens: Contract, fee: int = V3_FEE) -> bytes:
    """Token, fee, token, fee, … as Uniswap's router reads it."""
    joint = f"{fee:06x}"
    return bytes.fromhex(joint.join(token.address[2:] for token in tokens))


@dataclass
class Scene:
    """A pool of two tokens, a venue with the path from the first to the second, and a seller."""

    evm: Evm
    venue: Contract
    peer: V3
    sold: Contract
    bought: Contract
    governance: Address
    seller: Address
    receiver: Address

    def sell(self, amount: int, least: int = 0) -> int:
        arguments = (self.sold, self.bought, amount, least, self.receiver)
        return int(self.venue.sell(*arguments, sender=self.seller))

    def set_path(self, path: bytes) -> None:
        self.venue.setPath(self.sold, self.bought, path, sender=self.governance)


def build(depth: int = DEPTH) -> Scene:
    """So much of each token over the full range; the bought one can be told to take a fee."""
    evm = Evm()
    people = {name: evm.account(name) for name in ("governance", "lp", "seller", "receiver")}
    sold = evm.deploy("TestToken", "Sold", "SOLD", 18)
    bought = evm.deploy("FeeToken", "Bought", "BGHT", 18, 0)
    tokens = (sold, bought) if int(sold.address, 16) < int(bought.address, 16) else (bought, sold)
    for token in tokens:
        token.mint(people["lp"], depth)
    peer = v3(evm, tokens, (depth, depth), people["lp"])
    authority = evm.deploy("AccessAuthority", people["governance"])
    venue = evm.deploy("UniswapV3Venue", peer.router, authority)
    sold.approve(venue, MAX, sender=people["seller"])
    roles = {name: people[name] for name in ("governance", "seller", "receiver")}
    scene = Scene(evm, venue, peer, sold, bought, **roles)
    scene.set_path(path_of(sold, bought))
    return scene


@pytest.fixture
def scene() -> Scene:
    return build()


def test_constructor__no_router__reverts(scene: Scene) -> None:
    with reverts("ZeroAddress"):
        scene.evm.deploy("UniswapV3Venue", ZERO, scene.venue.authority())
    assert scene.venue.swapRouter() == scene.peer.router.address


# ---- paths


def test_set_path__read_back_and_taken_away(scene: Scene) -> None:
    third = scene.evm.deploy("TestToken", "Third", "TRD", 18)
    path = path_of(scene.sold, third, scene.bought)
    scene.set_path(path)
    (event,) = scene.evm.events("PathSet")
    assert (event["by"], event["path"]) == (scene.governance, path)
    assert scene.venue.pathOf(scene.sold, scene.bought) == path
    assert scene.venue.pathOf(scene.bought, scene.sold) == b"", "the way back is another path"
    scene.set_path(b"")
    assert scene.venue.pathOf(scene.sold, scene.bought) == b""
    scene.sold.mint(scene.seller, UNIT)
    with reverts("NoPath", scene.sold.address, scene.bought.address):
        scene.sell(UNIT)
    assert scene.sold.balanceOf(scene.seller) == UNIT


def test_set_path__does_not_join_the_pair__reverts(scene: Scene) -> None:
    third = scene.evm.deploy("TestToken", "Third", "TRD", 18)
    good = path_of(scene.sold, scene.bought)
    ends = (path_of(third, scene.bought), path_of(scene.sold, third), path_of(scene.bought))
    for wrong in (*ends, good[::-1], good[:-1], good + b"\0", path_of(scene.bought, scene.sold)):
        with reverts("PathMismatch", scene.sold.address, scene.bought.address):
            scene.set_path(wrong)
    assert scene.venue.pathOf(scene.sold, scene.bought) == good


def test_set_path__by_a_stranger__reverts(scene: Scene) -> None:
    with reverts("AccessManagedUnauthorized"):
        scene.venue.setPath(scene.sold, scene.bought, b"", sender=scene.seller)


# ---- sales


def test_sell__a_deep_pool__receiver_gets_what_is_said_and_nothing_stays(scene: Scene) -> None:
    scene.sold.mint(scene.seller, 100 * UNIT)
    paid = scene.sell(100 * UNIT, 99 * UNIT)
    assert scene.bought.balanceOf(scene.receiver) == paid >= 99 * UNIT
    assert scene.sold.balanceOf(scene.seller) == scene.sold.balanceOf(scene.venue) == 0
    (event,) = scene.evm.events("Sold")
    assert (event["amountIn"], event["amountOut"]) == (100 * UNIT, paid)


def test_sell__the_bought_token_takes_a_fee__what_arrived_is_held_to_the_minimum(
    scene: Scene,
) -> None:
    """The router says that it paid; the receiver got less."""
    scene.sold.mint(scene.seller, 100 * UNIT)
    with scene.evm.rollback():
        full = scene.sell(100 * UNIT)
    scene.bought.setFee(100)
    arrives = full - full // 100
    with reverts("Underpaid", arrives, full):
        scene.sell(100 * UNIT, full)
    assert scene.sold.balanceOf(scene.seller) == 100 * UNIT
    assert scene.sell(100 * UNIT, arrives) == arrives == scene.bought.balanceOf(scene.receiver)


def test_sell__the_pool_runs_dry__the_rest_goes_back() -> None:
    scene = build(depth=10**6)
    offered = 2**90
    scene.sold.mint(scene.seller, offered)
    paid = scene.sell(offered)
    rest = scene.sold.balanceOf(scene.seller)
    assert 0 < rest < offered, "the pool took only part"
    assert scene.sold.balanceOf(scene.peer.pool) == 10**6 + offered - rest
    assert scene.bought.balanceOf(scene.receiver) == paid > 999_000
    assert scene.sold.balanceOf(scene.venue) == 0
    assert scene.sold.allowance(scene.venue, scene.peer.router) == 0
    (event,) = scene.evm.events("Sold")
    assert event["amountIn"] == offered - rest


def moved(scene: Scene, token: Contract) -> int:
    """How often the token moved in the last call."""
    return sum(e.address == token.address for e in scene.evm.events("Transfer"))


def test_sell__all_is_taken__is_told_whole_and_nothing_goes_back(scene: Scene) -> None:
    scene.sold.mint(scene.seller, UNIT)
    paid = scene.sell(UNIT)
    (event,) = scene.evm.events("Sold")
    pair = (scene.sold.address, scene.bought.address)
    assert tuple(event.args.values()) == (scene.seller, *pair, UNIT, paid, scene.receiver)
    assert moved(scene, scene.sold) == 2, "to the venue and to the pool"


def test_sell__the_receiver_holds_some_already__only_what_came_counts(scene: Scene) -> None:
    scene.sold.mint(scene.seller, 2 * UNIT)
    with scene.evm.rollback():
        paid = scene.sell(UNIT)
    scene.bought.mint(scene.receiver, 7 * UNIT)
    assert scene.sell(UNIT, paid) == paid
    with reverts():
        scene.sell(UNIT, paid)


def test_sell__tokens_of_somebody_else_lie_there__are_not_sold(scene: Scene) -> None:
    scene.sold.mint(scene.seller, UNIT)
    with scene.evm.rollback():
        paid = scene.sell(UNIT)
    scene.sold.mint(scene.venue, 7 * UNIT)
    assert scene.sell(UNIT) == paid
    assert scene.sold.balanceOf(scene.venue) == 7 * UNIT
    assert scene.sold.balanceOf(scene.seller) == 0


def test_sell__the_pool_leaves_a_single_unit__it_goes_back() -> None:
    scene = build(depth=10**6)
    offered = 2**90
    scene.sold.mint(scene.seller, offered)
    with scene.evm.rollback():
        scene.sell(offered)
        taken = offered - scene.sold.balanceOf(scene.seller)
    scene.sell(taken + 1)
    assert scene.sold.balanceOf(scene.seller) == offered - taken
    assert scene.sold.balanceOf(scene.venue) == 0
    (event,) = scene.evm.events("Sold")
    assert event["amountIn"] == taken


def test_set_path__one_and_two_hops__are_told(scene: Scene) -> None:
    third = scene.evm.deploy("TestToken", "Third", "TRD", 18)
    pair = (scene.sold.address, scene.bought.address)
    for path in (path_of(scene.sold, scene.bought), path_of(scene.sold, third, scene.bought)):
        scene.set_path(path)
        (event,) = scene.evm.events("PathSet")
        assert tuple(event.args.values()) == (scene.governance, *pair, path)


def test_set_path__a_single_token_to_itself__reverts(scene: Scene) -> None:
    sold = scene.sold
    with reverts("PathMismatch", sold.address, sold.address):
        scene.venue.setPath(sold, sold, path_of(sold), sender=scene.governance)
