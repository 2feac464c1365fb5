"""In which order Mythril takes up its open paths, and after how many instructions it stops."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from mythril.laser.ethereum.strategy import BasicSearchStrategy
from mythril.laser.ethereum.transaction import ContractCreationTransaction


class TooSlow(Exception):
    """The analysis takes far longer than one of its size should."""


class Search(BasicSearchStrategy):  # type: ignore[misc]
    """Follows one path to its end, then goes on where it has been least often.

    Mythril reports a finding only when the transaction that shows it has ended, so paths are
    followed to their end. The next one starts at the fork whose next instruction was executed
    least often, so no function is left out for the sake of another. Neither the clock nor chance
    has a say: the same code gives the same search on every machine.

    Attributes:
        create_steps: instructions of the constructor that may be executed.
        steps: instructions of the deployed code that may be executed, over all calls.
        seconds: of processor time; who needs more is not analysed, and the gate says so.
        created: set when the constructor came to an end: its other paths are left.
        exhausted: whether a call was left unfinished because there were no more steps.
    """

    create_steps = 0
    steps = 0
    seconds = 0
    created = False
    exhausted = False

    def __init__(self, work_list: list[Any], max_depth: int, **_: Any) -> None:
        super().__init__(work_list, max_depth)
        self._visits: Counter[tuple[bool, int]] = Counter()
        self._left = {True: self.create_steps, False: self.steps}
        self._others = 0

    def get_strategic_global_state(self) -> Any:
        """The next state, or StopIteration when there is none or no more steps."""
        if time.process_time() > self.seconds:
            raise TooSlow(f"not done after {self.seconds} s of processor time")
        state = self._next()
        creating = _creating(state)
        self._left[creating] -= 1
        if self._left[creating] < 0 or (creating and self.created):
            type(self).exhausted = self.exhausted or not creating
            self.work_list.clear()
            self._others = 0
            raise StopIteration
        self._visits[creating, state.mstate.pc] += 1
        return state

    def _next(self) -> Any:
        # What the last instruction left to go on with stands at the end of the list.
        fresh = range(self._others, len(self.work_list))
        while self.work_list:
            chosen = min(fresh or range(len(self.work_list)), key=self._visited)
            state = self.work_list.pop(chosen)
            self._others = len(self.work_list)
            if fresh or state.world_state.constraints.is_possible():
                return state
        raise StopIteration

    def _visited(self, index: int) -> int:
        state = self.work_list[index]
        return self._visits[_creating(state), state.mstate.pc]


def _creating(state: Any) -> bool:
    return isinstance(state.current_transaction, ContractCreationTransaction)
