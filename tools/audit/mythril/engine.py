"""Helps Mythril's engine over what stops it on this code; adds no detector and hides no finding."""

from __future__ import annotations

from copy import copy
from functools import cache, partial
from typing import Any

from mythril.exceptions import SolverTimeOutException, UnsatError
from mythril.laser.ethereum.instructions import Instruction, StateTransition
from mythril.laser.ethereum.state.calldata import SymbolicCalldata
from mythril.laser.ethereum.state.constraints import Constraints
from mythril.laser.ethereum.state.memory import Memory
from mythril.laser.ethereum.state.return_data import ReturnData
from mythril.laser.smt import Concat, Solver, simplify, symbol_factory
from mythril.laser.smt.solver.solver import BaseSolver
from mythril.support import model
from mythril.support.model import get_model
from mythril.support.support_args import args

# More places than a table of a contract of the largest size has entries.
MOST_TARGETS = 64
# A missed entry is a function that is never seen: worth more work than one path is.
TABLE_WORK = 20


@cache
def _word(value: int) -> Any:
    return symbol_factory.BitVecVal(value, 256)


def _concrete(value: Any) -> int | None:
    return value if isinstance(value, int) else value.value


class _Here:
    """Stands where Mythril starts a thread for every query."""

    def __init__(self, _: int) -> None:
        self._query: Any = None

    def apply_async(self, ask: Any, args: Any) -> _Here:
        self._query = partial(ask, *args)
        return self

    def get(self, _: int) -> Any:
        return self._query()

    def terminate(self) -> None:
        """There is nothing to end."""


class _Satisfier(Solver):  # type: ignore[misc]
    """Stands where Mythril asks for the shortest call that shows a finding: any will do."""

    def minimize(self, _: Any) -> None:
        """Leaves the wish unheard."""

    maximize = minimize


def install(solver_units: int) -> None:
    """Applies all of the below; a query gets so many of the solver's own units of work."""
    _count_work(solver_units)
    _keep_what_may_be_possible()
    _ask_only_whether()
    _read_words_at_once()
    _hasten_memory()
    _answer_as_long_as_asked()
    _follow_code_tables()


def _count_work(solver_units: int) -> None:
    """A query is given up after so much work, not after so much time.

    Every machine then gives up the same queries, however busy it is.
    """

    def bound(solver: Any, units: int) -> None:
        solver.raw.set("rlimit", max(units, solver_units))

    BaseSolver.set_timeout = bound
    args.solver_timeout = solver_units


def _keep_what_may_be_possible() -> None:
    """A path is left when it is impossible, not when the solver gave up on it."""

    def possible(constraints: Any, _: Any = None) -> bool:
        try:
            get_model(constraints)
        except SolverTimeOutException:
            return True
        except UnsatError:
            return False
        return True

    Constraints.is_possible = possible


def _ask_only_whether() -> None:
    """Of the call that shows a finding only its selector is wanted.

    Mythril looks for the shortest call, and then reads each of its bytes from the model, which took
    nine tenths of all time.
    """
    model.ThreadPool = _Here
    model.Optimize = _Satisfier

    def selector(data: Any, found: Any) -> list[int]:
        size = found.eval(data.calldatasize.raw, model_completion=True).as_long()
        return [
            found.eval(data._load(i).raw, model_completion=True).as_long()
            for i in range(min(size, 4))
        ]

    SymbolicCalldata.concrete = selector


def _read_words_at_once() -> None:
    """A word of calldata is 32 bytes: Mythril asks the solver after each if it was the last."""

    def word(data: Any, offset: Any) -> Any:
        place = _word(offset) if isinstance(offset, int) else offset
        return simplify(Concat([data._load(simplify(place + _word(i))) for i in range(32)]))

    SymbolicCalldata.get_word_at = word


def _hasten_memory() -> None:
    """Concrete memory addresses go around the solver, which Mythril asks to simplify each one.

    A constructor copies its contract byte by byte, which took longer than all the rest.
    """
    read, write = Memory.__getitem__, Memory.__setitem__

    def get(memory: Any, item: Any) -> Any:
        if isinstance(item, slice):
            start, stop = _concrete(item.start or 0), _concrete(item.stop)
            if item.step is None and start is not None and stop is not None:
                return [memory._memory.get(_word(i), 0) for i in range(start, stop)]
        elif (place := _concrete(item)) is not None:
            return memory._memory.get(_word(place), 0)
        return read(memory, item)

    def put(memory: Any, item: Any, value: Any) -> None:
        place = None if isinstance(item, slice) else _concrete(item)
        if place is None:
            write(memory, item, value)
        elif place < len(memory):
            memory._memory[_word(place)] = value

    Memory.__getitem__, Memory.__setitem__ = get, put


def _answer_as_long_as_asked() -> None:
    """An unknown callee returns as many unknown bytes as the caller reserved.

    Mythril lets it return an unknown number of them; the caller's free memory pointer is then
    unknown ever after, and every word it writes. Where the caller reserved nothing, the number
    stays unknown.
    """
    unknown = Instruction._write_symbolic_returndata

    def write(state: Any, offset: Any, size: Any) -> None:
        start, count = _concrete(offset), _concrete(size)
        if start is None or not count:
            unknown(state, offset, size)
            return
        place = (
            f"call_output_{state.get_current_instruction()['address']}_{len(state.mstate.memory)}"
        )
        data = [state.new_bitvec(f"{place}_{i}", 8) for i in range(count)]
        state.mstate.mem_extend(start, count)
        for index, byte in enumerate(data):
            state.mstate.memory[start + index] = byte
        state.last_return_data = ReturnData(data, _word(count))

    Instruction._write_symbolic_returndata = staticmethod(write)


def _follow_code_tables() -> None:
    """A copy from an unknown place in the code is taken once for every place that it can be.

    Vyper finds a function by a table in its own code. Mythril reads nothing from deployed code, or
    takes the entry for unknown, and gives up at the jump.
    """
    original = Instruction.codecopy_

    def copy_deployed(_: Any, state: Any) -> Any:
        memory_offset, code_offset, size = (state.mstate.stack.pop() for _ in range(3))
        code = state.environment.code.bytecode
        return Instruction._code_copy_helper(
            code, memory_offset, code_offset, size, "CODECOPY", state
        )

    deployed = StateTransition()(copy_deployed)

    def once(instruction: Any, state: Any) -> Any:
        tupled = isinstance(state.environment.code.bytecode, tuple)
        return (deployed if tupled else original)(instruction, state)

    def codecopy(instruction: Any, state: Any) -> list[Any]:
        offset = state.mstate.stack[-2]
        if _concrete(offset) is not None or _concrete(state.mstate.stack[-3]) is None:
            return list(once(instruction, state))
        branches = []
        rest = copy(state)
        for _ in range(MOST_TARGETS):
            try:
                found = get_model(
                    rest.world_state.constraints, solver_timeout=TABLE_WORK * args.solver_timeout
                )
            except (UnsatError, SolverTimeOutException):
                break
            place = found.eval(offset.raw, model_completion=True).as_long()
            branch = copy(state)
            branch.world_state.constraints.append(offset == _word(place))
            branch.mstate.stack[-2] = _word(place)
            branches += once(instruction, branch)
            rest.world_state.constraints.append(offset != _word(place))
        return branches

    Instruction.codecopy_ = codecopy
