# SPDX-License-Identifier: BSD-2-Clause

"""The interpreter: runs the assembled program as the sequencer does, and counts cycles."""

from collections.abc import Callable
from typing import NamedTuple

from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import VALUE_WIDTH
from dualgate_hw.common.shapes import Shapes
from dualgate_hw.compact.assembler import Assembler
from dualgate_hw.compact.instructions import Action, AluOp, Condition
from dualgate_hw.compact.parts import Places
from dualgate_hw.compact.program import assemble

from .numbers import MASK, Acts, Sources, signed
from .streams import StarvedError, Streams
from .units import Units

INSTRUCTION = 2
"""Cycles of an instruction that is not held."""

PLANES = 8
"""Planes of a row that an address can name, in its lowest bits."""


class Decoded(NamedTuple):
    """An instruction, decoded.

    Parameters
    ----------
    operate : callable
        Gives the result, from the instruction's word of memory.
    address : int
        Address of that word.
    joined : int
        Register that is joined to the address: 1 is X, 2 is Y, 0 is none.
    act : callable or None
        Uses the result; None for no action.
    goes : callable or None
        Tells whether the condition holds; None if it never does.
    target : int or None
        Address of the next instruction if the condition holds; None stands for the link register.
    """

    operate: Callable[[int], int]
    address: int
    joined: int
    act: Callable[[int], None] | None
    goes: Callable[[], bool] | None
    target: int | None


class Machine:
    """A compact engine between two streams of words that never keep it waiting.

    The program never uses a result before the gateware has it: if it did, the engine would not
    agree with the golden model. So the interpreter lets an action take effect at once. Time is a
    sum: two cycles for each instruction, plus the cycles for which an `Action.WAIT` is held because
    a loop in hardware is in progress.

    Parameters
    ----------
    engine : EngineParameters
        Of a compact engine.
    """

    def __init__(self, engine: EngineParameters) -> None:
        places = Places(Shapes(engine, contexts=1))
        memory, code = assemble(places)
        self._power, self._momentum = code.address(memory.power), code.address(memory.momentum)
        self._streams = Streams()
        self._units = Units(places)
        words: list[int] = code.memory
        # Every address has a word, as in the gateware, where the depth is a power of two.
        self._cells = words + [0] * ((1 << (len(words) - 1).bit_length()) - len(words))
        self._accumulator = self._carry = 0
        self._negative = False
        self._x = self._y = self._address = 0
        self._here = self._link = 0
        # Cycle numbers: the second cycle of the instruction in progress, the first cycle without a
        # loop in progress, the cycle from which work is counted; and the cycles counted.
        self._now = self._free = self._since = self._worked = 0
        self._program = self._decode(code)

    def exchange(self, words: list[int]) -> list[int]:
        """Run whole commands, and return the words of their responses."""
        self._streams.feed(words)
        try:
            while True:
                self._execute(self._program[self._here])
        except StarvedError:
            return self._streams.responses

    def _execute(self, one: Decoded) -> None:
        """Execute an instruction; one that raises `StarvedError` is executed again later."""
        operate, address, joined, act, goes, target = one
        following = self._here + 1
        if goes is not None and goes():
            following = self._link if target is None else target
        if joined:
            address |= self._x if joined == 1 else self._y
        result = operate(self._cells[address])
        if act is not None:
            self._address = address
            act(result)
        if operate != self._keep:
            self._accumulator, self._negative = signed(result), result < 0
        self._here = following
        self._now += INSTRUCTION

    def _decode(self, code: Assembler) -> list[Decoded]:
        sources = {**self._sources(), **self._units.sources(), **self._streams.sources()}
        actions = {**self._actions(), **self._units.actions(), **self._streams.actions()}
        conditions = self._conditions()
        program = []
        for one in code.program:
            condition = Condition(one.condition)
            program.append(
                Decoded(
                    sources[AluOp(one.op)],
                    one.address,
                    2 if one.address < code.fields else int(one.address < code.first_single),
                    actions.get(Action(one.action)),
                    conditions.get(condition),
                    None if condition is Condition.LINK else one.target,
                )
            )
        return program

    def _sources(self) -> Sources:
        """Operations on the accumulator and the word, table look-ups, and the count of cycles."""
        return {
            AluOp.KEEP: self._keep,
            AluOp.LOAD: lambda word: word,
            AluOp.ADD: lambda word: self._sum(self._accumulator, word, 0),
            AluOp.ADD_CARRY: lambda word: self._sum(self._accumulator, word, self._carry),
            AluOp.SUBTRACT: lambda word: self._sum(self._accumulator, ~word, 1),
            AluOp.SUBTRACT_BORROW: lambda word: self._sum(self._accumulator, ~word, self._carry),
            AluOp.SUBTRACT_FROM: lambda word: self._sum(~self._accumulator, word, 1),
            AluOp.MASK: lambda word: self._accumulator & word,
            AluOp.INCREMENT: lambda word: word + 1,
            AluOp.DECREMENT: lambda word: word - 1,
            AluOp.CLEAR: lambda _: 0,
            AluOp.SIGMOID: lambda _: self._units.sigmoid(self._accumulator),
            AluOp.EXP: lambda _: self._units.exp(self._accumulator),
            AluOp.CYCLES_LOW: lambda _: signed(self._worked),
            AluOp.CYCLES_HIGH: lambda _: signed(self._worked >> VALUE_WIDTH),
        }

    def _keep(self, _: int) -> int:
        return self._accumulator

    def _sum(self, left: int, right: int, more: int) -> int:
        self._carry = (left & MASK) + (right & MASK) + more >> VALUE_WIDTH
        return left + right + more

    def _conditions(self) -> dict[Condition, Callable[[], bool]]:
        return {
            Condition.ALWAYS: lambda: True,
            Condition.ZERO: lambda: self._accumulator == 0,
            Condition.NOT_ZERO: lambda: self._accumulator != 0,
            Condition.NEGATIVE: lambda: self._negative,
            Condition.NOT_NEGATIVE: lambda: not self._negative,
            Condition.CARRY: lambda: self._carry == 1,
            Condition.LINK: lambda: True,
        }

    def _actions(self) -> Acts:
        """Actions on the sequencer's registers and memory, and those that concern time."""
        units = self._units
        return {
            Action.STORE: self._store,
            Action.SET_X: self._set_x,
            Action.SET_Y: self._set_y,
            Action.SET_LINK: self._set_link,
            Action.CALL: lambda _: self._set_link(self._here + 1),
            Action.READ_ROW: lambda _: units.read(self._plane),
            Action.WRITE_ROW: lambda _: units.write(self._plane, self._accumulator),
            Action.DOT_PRODUCT: lambda result: self._begin(units.dot_product(result & MASK)),
            Action.OUTER_PRODUCT: lambda result: self._begin(units.outer_product(result & MASK)),
            Action.STEP_ROW: self._step_row,
            Action.WAIT: self._wait,
            Action.START_CYCLES: self._start_cycles,
            Action.STOP_CYCLES: self._stop_cycles,
        }

    def _store(self, result: int) -> None:
        self._cells[self._address] = signed(result)

    @property
    def _plane(self) -> int:
        """The plane in an address's lowest bits; higher bits may come from Y."""
        return self._address & PLANES - 1

    def _set_x(self, result: int) -> None:
        self._x = result & len(self._cells) - 1

    def _set_y(self, result: int) -> None:
        self._y = result & len(self._cells) - 1

    def _set_link(self, result: int) -> None:
        self._link = result

    def _step_row(self, result: int) -> None:
        power, momentum = self._cells[self._power], self._cells[self._momentum]
        self._begin(self._units.step_row(result, power, momentum))

    def _begin(self, cycles: int) -> None:
        """Begin a loop in hardware, which ends `cycles` later."""
        self._free = self._now + cycles

    def _wait(self, _: int) -> None:
        self._now = max(self._now, self._free)

    def _start_cycles(self, result: int) -> None:
        self._since = self._now - result

    def _stop_cycles(self, _: int) -> None:
        self._worked = self._now - self._since
