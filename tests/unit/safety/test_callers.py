"""A role belongs to the contract that calls, never to who started the transaction."""

from __future__ import annotations

import pytest

from tests.support.evm import Contract, Evm, Revert, reverts
from tests.support.flows import flows
from tests.support.gate import HEARTBEAT, MAX_DURATION, REASON, GateWorld, State
from tests.unit.safety.conftest import DAY, USD, Plane

ROLES = ("governance", "guardian", "breaker", "sentinel")


class Through:
    """A contract's functions, called through a relay by a stranger."""

    def __init__(self, evm: Evm, contract: Contract) -> None:
        self.relay = evm.deploy("Relay")
        self._contract, self._stranger = contract, evm.account("attacker")

    def call(self, method: str, *arguments: object) -> None:
        data = self._contract.calldata(method, *arguments)
        self.relay.forward(self._contract, data, sender=self._stranger)


@pytest.fixture
def world() -> GateWorld:
    return GateWorld.create(Evm())


def relayed(world: GateWorld, role: str) -> Through:
    """A relay that holds one role of the gate."""
    through = Through(world.evm, world.gate)
    if role == "governance":
        world.gate.proposeGovernance(through.relay, sender=world.governance)
        through.call("acceptGovernance")
        moved = world.evm.events("RoleMoved")[-1]
        assert moved.args["current"] == through.relay.address
    else:
        setter = getattr(world.gate, f"set{role.capitalize()}")
        setter(through.relay, sender=world.governance)
    return through


@pytest.mark.parametrize("role", ROLES)
def test_gate__role_held_by_a_contract__acts_and_is_named(world: GateWorld, role: str) -> None:
    """Property: S3, S4."""
    (target,) = world.honest()
    through = relayed(world, role)
    orders = {
        "governance": ("raiseState", target, State.FROZEN, MAX_DURATION, REASON),
        "guardian": ("raiseState", target, State.FROZEN, MAX_DURATION, REASON),
        "breaker": ("trip", target, State.FROZEN, REASON),
        "sentinel": ("throttle", target, REASON),
    }
    through.call(*orders[role])
    (event,) = world.evm.events("StateRaised")
    assert event.args["by"] == through.relay.address
    assert world.record(target)[0] == (State.THROTTLED if role == "sentinel" else State.FROZEN)


def test_gate__governance_is_a_contract__every_function_of_it(world: GateWorld) -> None:
    """Property: S3."""
    (target,) = world.honest()
    (fresh,) = world.honest(register=False)
    through = relayed(world, "governance")
    through.call("raiseMany", [target], State.WITHDRAW_ONLY, 0, REASON)
    through.call("resume", target, REASON)
    (event,) = world.evm.events("StateResumed")
    assert event.args["by"] == through.relay.address
    through.call("register", fresh)
    through.call("remove", fresh)
    through.call("setGuardian", world.evm.account("next guardian"))
    through.call("setBreaker", world.evm.account("next breaker"))
    through.call("setSentinel", world.evm.account("next sentinel"))
    through.call("proposeGovernance", world.governance)
    (proposed,) = world.evm.events("GovernanceProposed")
    assert proposed.args["governance"] == through.relay.address


def test_gate__guardian_is_a_contract__its_heartbeat_counts(world: GateWorld) -> None:
    """Property: S6."""
    through = relayed(world, "guardian")
    world.evm.mine(1, seconds=DAY)
    through.call("heartbeat")
    (event,) = world.evm.events("GuardianHeartbeat")
    assert tuple(event.args.values()) == (
        through.relay.address,
        world.evm.timestamp + HEARTBEAT,
    )


@pytest.mark.parametrize("role", ROLES)
def test_gate__role_holder_starts_a_strangers_contract__is_nobody(
    world: GateWorld, role: str
) -> None:
    """Property: S3. Whoever lures a key's owner into a call of his own contract gains nothing."""
    (target,) = world.honest()
    (fresh,) = world.honest(register=False)
    lure = world.evm.deploy("Relay")
    victim = getattr(world, role)
    for method, arguments in (
        ("raiseState", (target, State.FROZEN, MAX_DURATION, REASON)),
        ("trip", (target, State.FROZEN, REASON)),
        ("throttle", (target, REASON)),
        ("resume", (target, REASON)),
        ("register", (fresh,)),
        ("remove", (target,)),
        ("setGuardian", (lure,)),
        ("heartbeat", ()),
        ("proposeGovernance", (lure,)),
    ):
        with reverts("Error"):
            lure.forward(world.gate, world.gate.calldata(method, *arguments), sender=victim)


def test_accept_governance__proposed_starts_a_strangers_contract__is_nobody(
    world: GateWorld,
) -> None:
    """Property: S3."""
    lure, heir = world.evm.deploy("Relay"), world.evm.account("heir")
    world.gate.proposeGovernance(heir, sender=world.governance)
    with reverts("Error", "emergency_gate: caller is not proposed"):
        lure.forward(world.gate, world.gate.calldata("acceptGovernance"), sender=heir)


def test_gate__anyone_by_a_contract__lapse_and_sync_name_it(world: GateWorld) -> None:
    (target,) = world.honest()
    through = Through(world.evm, world.gate)
    world.raise_to([target], State.FROZEN)
    world.evm.mine(1, seconds=MAX_DURATION)
    through.call("lapse", target)
    (event,) = world.evm.events("StateLapsed")
    assert event.args["by"] == through.relay.address
    assert event.args["previous"] == State.FROZEN
    assert event.args["current"] == State.WITHDRAW_ONLY


def test_gate__anyone_by_a_contract__sync_names_it(world: GateWorld) -> None:
    (target,) = world.hostile()
    through = Through(world.evm, world.gate)
    world.raise_to([target], State.FROZEN)
    target.overwrite(State.NORMAL)
    through.call("sync", target)
    (event,) = world.evm.events("StateSynced")
    assert tuple(event.args.values()) == (target.address, through.relay.address, State.FROZEN)


def test_accept_governance__heir_is_a_contract_that_the_guardian_calls__takes_over(
    world: GateWorld,
) -> None:
    """The role goes to the contract; that its caller holds another one is no obstacle."""
    heir = world.evm.deploy("Relay")
    world.gate.proposeGovernance(heir, sender=world.governance)
    heir.forward(world.gate, world.gate.calldata("acceptGovernance"), sender=world.guardian)
    assert world.gate.governance() == heir.address


def test_emergency_target__ordered_by_a_contract__names_its_gate_and_refuses_others() -> None:
    """Property: S3. Of a real target that keeps its state by `EmergencyTarget`."""
    evm = Evm()
    gate, lure = evm.deploy("Relay"), evm.deploy("Relay")
    target = evm.deploy("ExitQueue", flows(evm).router, gate)
    order = target.calldata("setEmergencyState", State.FROZEN)
    gate.forward(target, order)
    (event,) = evm.events("EmergencyStateSet")
    assert tuple(event.args.values()) == (gate.address, State.NORMAL, State.FROZEN)
    with reverts("NotEmergencyGate", lure.address):
        lure.forward(target, order)


def test_remove__not_a_target__reverts(world: GateWorld) -> None:
    (stranger,) = world.honest(register=False)
    with reverts("Error", "emergency_gate: not a target"):
        world.gate.remove(stranger, sender=world.governance)


def test_register__any_gas__never_takes_starvation_for_an_answer(world: GateWorld) -> None:
    """A read that ran out of gas must stop the call, not count as what the target says."""
    (fresh,) = world.honest(register=False)
    said = set()
    for gas in range(50_000, 140_000, 1_000):
        mark = world.evm.snapshot()
        try:
            world.gate.register(fresh, sender=world.governance, gas=gas)
            said.add("listed")
        except Revert as error:
            said.add(error.args[0] if error.args else error.halt.partition("(")[0])
        world.evm.restore(mark)
    assert "emergency_gate: too little gas" in said
    assert said <= {"emergency_gate: too little gas", "OutOfGas", "listed"}


def test_raise_state__any_gas__never_takes_starvation_for_a_refusal(world: GateWorld) -> None:
    """Property: S4. Who relays an order picks its gas, and must not make the target fail by it."""
    (target,) = world.honest()
    said = set()
    for gas in range(60_000, 260_000, 2_000):
        mark = world.evm.snapshot()
        try:
            order = (target, State.FROZEN, MAX_DURATION, REASON)
            world.gate.raiseState(*order, sender=world.guardian, gas=gas)
            said.add("raised")
        except Revert as error:
            said.add(error.args[0] if error.args else error.halt.partition("(")[0])
        world.evm.restore(mark)
    assert "emergency_gate: too little gas" in said
    assert said <= {"emergency_gate: too little gas", "OutOfGas", "raised"}


def test_breaker__meter_is_the_calling_contracts_own(metered: object) -> None:
    """Property: S1. A target's meter answers to the target, not to who called it."""
    plane: Plane = metered()  # type: ignore[operator]
    relay = plane.evm.deploy("Relay")
    before = plane.breaker.available(plane.target, plane.asset)
    for method in ("onOutflow", "onInflow"):
        data = plane.breaker.calldata(method, plane.asset, USD)
        relay.forward(plane.breaker, data, sender=plane.attacker)
    assert plane.breaker.available(plane.target, plane.asset) == before


def test_breaker__governed_by_a_contract__is_named(watched: Plane) -> None:
    through = Through(watched.evm, watched.breaker)
    watched.authority.grantRole(0, through.relay, 0, sender=watched.governance)
    watched.authority.grantRole(1, through.relay, 0, sender=watched.governance)
    through.call("tightenWatch", watched.target, 100, 300)
    (event,) = watched.evm.events("WatchSet")
    assert event.args["by"] == through.relay.address
    through.call("setWatch", watched.target, (watched.asset.address, 300, 500, DAY, 5))
    (event,) = watched.evm.events("WatchSet")
    assert event.args["by"] == through.relay.address
    watched.breaker.setLimit(
        watched.target, watched.asset, 10**12, DAY, 10**11, sender=watched.governance
    )
    through.call("tightenLimit", watched.target, watched.asset, 5 * 10**11)
    (event,) = watched.evm.events("LimitTightened")
    assert event.args["by"] == through.relay.address
    watched.target.setPrice(USD // 2)
    through.call("poke", watched.target)
    assert watched.evm.events("Tripped")[0].args["by"] == through.relay.address
