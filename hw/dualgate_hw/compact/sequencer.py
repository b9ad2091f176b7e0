# SPDX-License-Identifier: BSD-2-Clause

"""The sequencer: runs a program on an accumulator and a memory of 16-bit cells."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from dualgate.contract.formats import VALUE_WIDTH

from ..common.shapes import VALUE
from .assembler import Assembler
from .instructions import Action, AluOp, Condition

SOURCES = tuple(op.name for op in AluOp if op >= AluOp.NARROW)
"""Names of the sources: registers of the engine that instructions load."""

FROM_A = (AluOp.KEEP, AluOp.ADD, AluOp.ADD_CARRY, AluOp.SUBTRACT, AluOp.SUBTRACT_BORROW)
"""Operations whose first operand is A."""

SUMS = (*FROM_A[1:], AluOp.SUBTRACT_FROM)
"""Operations that set the carry."""

FROM_CELL = (AluOp.LOAD, *SUMS, AluOp.INCREMENT, AluOp.DECREMENT)
"""Operations whose second operand is the cell."""

RESULT = signed(VALUE_WIDTH + 1)
"""Shape of a result: a sum or a difference of 16-bit numbers, with its sign."""


def _power_of_two(entries: Sequence[object]) -> int:
    """Depth of a memory: filled up to a power of two, so that every address has a word.

    Otherwise synthesis would decide what lies behind the last entry.
    """
    return 1 << int(ceil_log2(len(entries)))


class Sequencer(wiring.Component):
    """Runs a program: two cycles an instruction, and those in which it is held.

    In the first cycle the cell is read, and the instruction is decoded into registers. The second
    cycle then has time for the result and for the action on it. An instruction that is held stays
    in its second cycle.

    Parameters
    ----------
    code : Assembler
        The program and the contents of its data memory.

    Members
    -------
    `sources` : In(StructLayout)
        The sources that instructions load, 16 bits each, by name.
    `does` : Out(len(Action))
        Bit n is high while the action with number n is to be done, in the second cycle and as long
        as the instruction is held.
    `address` : Out(bits of an address)
        Address of the instruction, with X or Y joined to it.
    `result` : Out(RESULT)
        Result of the instruction, in the second cycle.
    `accumulator` : Out(VALUE)
        The accumulator A before the instruction.
    `held` : In(1)
        Holds the instruction in its second cycle.
    `cell_address` : In(bits of an address)
        Address of a cell for the hardware loops to read, during the action `WAIT`.
    `cell` : Out(VALUE)
        The cell that was read last, valid a cycle after its address.
    """

    def __init__(self, code: Assembler) -> None:
        self.code = code
        layout = code.layout
        self.bits = layout["address"].shape
        super().__init__(
            {
                "sources": In(data.StructLayout(dict.fromkeys(SOURCES, VALUE))),
                "does": Out(len(Action)),
                "address": Out(self.bits),
                "result": Out(RESULT),
                "accumulator": Out(VALUE),
                "held": In(1),
                "cell_address": In(self.bits),
                "cell": Out(VALUE),
            }
        )
        program, cells = code.program, code.memory
        self._program = memory.Memory(shape=layout, depth=_power_of_two(program), init=program)
        self._fetch = self._program.read_port()
        self._cells = memory.Memory(shape=VALUE, depth=_power_of_two(cells), init=cells)
        self._read, self._write = self._cells.read_port(), self._cells.write_port()
        self._second = Signal()
        self._ends = Signal()
        self._negative, self._carry = Signal(), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.program, m.submodules.cells = self._program, self._cells
        fetch, second, ends = self._fetch, self._second, self._ends
        m.d.comb += ends.eq(second & ~self.held)
        with m.FSM():
            with m.State("START"):
                m.next = "FIRST"
            with m.State("FIRST"):
                m.d.comb += fetch.en.eq(0)
                m.d.sync += self.does.eq(1 << fetch.data.action)
                m.next = "SECOND"
            with m.State("SECOND"):
                m.d.comb += [second.eq(1), fetch.en.eq(ends)]
                with m.If(ends):
                    m.d.sync += self.does.eq(0)
                    m.next = "FIRST"
        self._access(m)
        self._calculate(m)
        self._choose(m)
        return m

    def _access(self, m: Module) -> None:
        """Read and write the data memory at the address that the instruction, X and Y make."""
        code, instruction = self.code, self._fetch.data
        read, write = self._read, self._write
        x, y = Signal(self.bits), Signal(self.bits)
        joined = Signal(self.bits)
        with m.If(instruction.address < code.fields):
            m.d.comb += joined.eq(y)
        with m.Elif(instruction.address < code.first_single):
            m.d.comb += joined.eq(x)
        waits = instruction.action == Action.WAIT
        m.d.comb += [
            self.address.eq(instruction.address | joined),
            read.addr.eq(Mux(waits, self.cell_address, self.address)),
            self.cell.eq(read.data),
            write.addr.eq(self.address),
            write.data.eq(self.result),
            write.en.eq(self.does[Action.STORE]),
        ]
        for action, register in ((Action.SET_X, x), (Action.SET_Y, y)):
            with m.If(self.does[action]):
                m.d.sync += register.eq(self.result)

    def _calculate(self, m: Module) -> None:
        """Compute the result, and set A, its sign and the carry.

        All operations but `MASK` are ``left + right + carry_in``, with A, ~A, -1 or 0 on the left,
        and the operand or its complement on the right.
        """
        a = self.accumulator
        left, right = Signal(RESULT), Signal(RESULT)
        operand, total = Signal(VALUE), Signal(RESULT)
        operands = [self.cell & self._decoded(m, *FROM_CELL).replicate(VALUE_WIDTH)]
        for name in SOURCES:
            loads = self._decoded(m, AluOp[name])
            operands.append(self.sources[name] & loads.replicate(VALUE_WIDTH))
        from_a, inverts_a = self._decoded(m, *FROM_A), self._decoded(m, AluOp.SUBTRACT_FROM)
        decrements = self._decoded(m, AluOp.DECREMENT)
        inverts_operand = self._decoded(m, AluOp.SUBTRACT, AluOp.SUBTRACT_BORROW)
        adds_one = self._decoded(m, AluOp.SUBTRACT, AluOp.SUBTRACT_FROM, AluOp.INCREMENT)
        adds_carry = self._decoded(m, AluOp.ADD_CARRY, AluOp.SUBTRACT_BORROW)
        masks, keeps = self._decoded(m, AluOp.MASK), self._decoded(m, AluOp.KEEP)
        minus_one = decrements.replicate(VALUE_WIDTH).as_signed()
        m.d.comb += [
            left.eq(Mux(from_a, a, Mux(inverts_a, ~a, minus_one))),
            operand.eq(reduce(or_, operands)),
            right.eq(Mux(inverts_operand, ~operand, operand)),
            total.eq(left + right + (adds_one | (adds_carry & self._carry))),
            self.result.eq(Mux(masks, a & self.cell, total)),
        ]
        with m.If(self._ends & ~keeps):
            m.d.sync += [a.eq(self.result), self._negative.eq(self.result[-1])]
        with m.If(self._ends & self._decoded(m, *SUMS)):
            m.d.sync += self._carry.eq(total[-1] ^ left[-1] ^ right[-1])

    def _decoded(self, m: Module, *ops: AluOp) -> Signal:
        """In the second cycle: high if the instruction has one of these operations."""
        found = Signal(name="_or_".join(op.name.lower() for op in ops[:2]))
        m.d.sync += found.eq(Cat(self._fetch.data.op == op for op in ops).any())
        return found

    def _choose(self, m: Module) -> None:
        """Choose the next instruction, and set the link."""
        instruction, following = self._fetch.data, self._fetch.addr
        here, link = Signal.like(following), Signal.like(following)
        goes = Signal()
        zero = self.accumulator == 0
        with m.Switch(instruction.condition):
            for condition, holds in (
                (Condition.ALWAYS, 1),
                (Condition.LINK, 1),
                (Condition.ZERO, zero),
                (Condition.NOT_ZERO, ~zero),
                (Condition.NEGATIVE, self._negative),
                (Condition.NOT_NEGATIVE, ~self._negative),
                (Condition.CARRY, self._carry),
            ):
                with m.Case(condition):
                    m.d.comb += goes.eq(holds)
        target = Mux(instruction.condition == Condition.LINK, link, instruction.target)
        with m.If(self._second):
            m.d.comb += following.eq(Mux(goes, target, here + 1))
        with m.If(self._ends):
            m.d.sync += here.eq(following)
        with m.If(self.does[Action.CALL]):
            m.d.sync += link.eq(here + 1)
        with m.If(self.does[Action.SET_LINK]):
            m.d.sync += link.eq(self.result)
