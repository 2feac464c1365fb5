"""An emergency gate with its role holders and targets, for tests; it decides nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from eth_utils.crypto import keccak

from tests.support.evm import Address, Contract, Evm, interface

DAY = 86_400
MAX_DURATION = 3 * DAY
COOLDOWN = 14 * DAY
HEARTBEAT = 30 * DAY
REASON = b"drill".ljust(32, b"\0")
ROLES = {name: keccak(text=name) for name in ("governance", "guardian", "breaker", "sentinel")}


class State(IntEnum):
    """`EmergencyState` in interfaces/safety/IEmergencyTarget.sol."""

    NORMAL = 0
    THROTTLED = 1
    WITHDRAW_ONLY = 2
    FROZEN = 3


class Cause(IntEnum):
    """`IEmergencyGate.FailCause`."""

    NONE = 0
    NOT_A_TARGET = 1
    TICKET_NOT_READY = 2
    NOT_FOLLOWED = 3


class Mode(IntEnum):
    """`HostileTarget.Mode` in tests/support/contracts/GateTargets.sol."""

    HONEST = 0
    REVERT = 1
    BURN = 2
    BOMB = 3
    IGNORE = 4
    SHOW_NORMAL = 5
    SHOW_JUNK = 6
    SHOW_LONG = 7
    SHOW_SHORT = 8
    BURN_VIEW = 9
    REVERT_VIEW = 10
    REENTER = 11
    REENTER_STRICTLY = 12
    SHOW_FROZEN = 13


# In these the target's call fails, so nothing may be recorded.
REFUSING = (Mode.REVERT, Mode.BURN, Mode.BOMB)
# In these the call succeeds and the target does not show what was ordered.
LYING = (
    Mode.IGNORE,
    Mode.SHOW_NORMAL,
    Mode.SHOW_JUNK,
    Mode.SHOW_LONG,
    Mode.SHOW_SHORT,
    Mode.BURN_VIEW,
    Mode.REVERT_VIEW,
)
UNREADABLE = (
    Mode.SHOW_JUNK,
    Mode.SHOW_LONG,
    Mode.SHOW_SHORT,
    Mode.BURN_VIEW,
    Mode.REVERT_VIEW,
)


@dataclass(frozen=True)
class GateWorld:
    """One gate on one EVM, every role held by a labelled account."""

    evm: Evm
    gate: Contract
    governance: Address
    guardian: Address
    breaker: Address
    sentinel: Address

    @classmethod
    def create(cls, evm: Evm, code: bytes | None = None) -> GateWorld:
        """Deploys the gate, or other creation code with its ABI, and names all four roles."""
        governance, guardian = evm.account("governance"), evm.account("guardian")
        breaker, sentinel = evm.account("breaker"), evm.account("sentinel")
        arguments = (governance, guardian, MAX_DURATION, COOLDOWN, HEARTBEAT)
        if code is None:
            gate = evm.deploy("EmergencyGate", *arguments)
        else:
            tail = interface("EmergencyGate").constructor.encode(arguments)
            gate = evm.at("EmergencyGate", evm.create(code + tail))
        gate.setBreaker(breaker, sender=governance)
        gate.setSentinel(sentinel, sender=governance)
        return cls(evm, gate, governance, guardian, breaker, sentinel)

    def honest(self, count: int = 1, register: bool = True) -> list[Contract]:
        """Deploys targets that keep their promise."""
        return self._targets("HonestTarget", count, register)

    def hostile(self, count: int = 1, register: bool = True) -> list[Contract]:
        """Deploys targets that can be armed after they were registered."""
        return self._targets("HostileTarget", count, register)

    def _targets(self, name: str, count: int, register: bool) -> list[Contract]:
        made = [self.evm.deploy(name, self.gate) for _ in range(count)]
        if register:
            for target in made:
                self.gate.register(target, sender=self.governance)
        return made

    def raise_to(
        self,
        targets: Sequence[Contract],
        level: State,
        sender: Address | None = None,
        duration: int = MAX_DURATION,
    ) -> tuple[int, ...]:
        """`raiseMany` by the guardian, or by whom is named; returns the failed indexes."""
        who = self.guardian if sender is None else sender
        return tuple(self.gate.raiseMany(list(targets), level, duration, REASON, sender=who))

    def record(self, target: Contract) -> tuple[State, int]:
        """What the gate holds of a target."""
        state, expiry = self.gate.stateOf(target)
        return State(state), int(expiry)

    def ready_at(self, role: str, target: Contract, level: State) -> int:
        """When a role's ticket is ready."""
        return int(self.gate.roleTicketReadyAt(ROLES[role], target, level))
