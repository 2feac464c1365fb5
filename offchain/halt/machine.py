"""ACTIVE → REDUCING → HALTED, kept in the journal and fail-closed; it never loosens by itself.

ACTIVE does everything. REDUCING only takes risk off: exits, reports, the brake. HALTED sends
nothing but the brake. A journal that cannot be read or does not verify means HALTED, whatever it
says, and no resume is possible on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from offchain.chain.txbook import Urgency
from offchain.errors import OffchainError
from offchain.journal.events import Draft, Kind
from offchain.journal.store import Journal, JournalError


class HaltState(IntEnum):
    """How much the orchestrator may do; a higher state allows less."""

    ACTIVE = 0
    REDUCING = 1
    HALTED = 2


class HaltError(OffchainError):
    """A change of state that is not allowed."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state in force, who set it, and why."""

    state: HaltState
    by: str
    reason: str
    seq: int

    def allows(self, urgency: Urgency) -> bool:
        """Whether a transaction of this urgency may be signed or pushed."""
        if urgency is Urgency.BRAKE:
            return True
        if urgency is Urgency.REDUCE:
            return self.state <= HaltState.REDUCING
        return self.state is HaltState.ACTIVE


class HaltMachine:
    """Reads and moves the state. Several processes may; the journal's order decides."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._standing = Standing(HaltState.ACTIVE, "journal", "nothing was ever halted", 0)
        self._broken: Standing | None = None

    def standing(self) -> Standing:
        """The state in force now, with what other processes journalled since."""
        if self._broken is not None:
            return self._broken
        try:
            events = self._journal.events(after=self._standing.seq, kinds=[Kind.HALT_CHANGED])
            for event in events:
                payload = event.payload
                state = HaltState[payload["state"]]
                self._standing = Standing(state, payload["by"], payload["reason"], event.seq)
        except (JournalError, KeyError, ValueError) as error:
            self.distrust(f"the journal cannot be read: {error}")
            return self.standing()
        return self._standing

    def distrust(self, reason: str) -> None:
        """The journal failed verification or reading: HALTED until another process start."""
        self._broken = Standing(HaltState.HALTED, "orchestrator", reason, self._standing.seq)

    def tighten(self, state: HaltState, by: str, reason: str) -> Standing:
        """Anyone, the orchestrator included: moves to a state that allows less, at once.

        If the journal refuses to take it, the process is HALTED all the same.
        """
        now = self.standing()
        if self._broken is not None or state <= now.state:
            return now
        try:
            self._write(state, by, reason)
        except JournalError as error:
            self.distrust(f"{reason}; and the journal refused to take that down: {error}")
        return self.standing()

    def resume(self, by: str, reason: str) -> Standing:
        """A named person, with a reason: back to ACTIVE.

        Raises:
            HaltError: without a name or a reason, if nothing is halted, or on a broken journal.
        """
        if not by.strip() or not reason.strip():
            raise HaltError("resume needs the name of a person and a reason")
        now = self.standing()
        if self._broken is not None:
            raise HaltError(f"cannot resume: {now.reason}")
        if now.state is HaltState.ACTIVE:
            raise HaltError("nothing to resume: the orchestrator is ACTIVE")
        self._write(HaltState.ACTIVE, by.strip(), reason.strip())
        return self.standing()

    def _write(self, state: HaltState, by: str, reason: str) -> None:
        payload = {"state": state.name, "by": by, "reason": reason}
        self._journal.append([Draft(Kind.HALT_CHANGED, by, f"state:{state.name}", payload)])
