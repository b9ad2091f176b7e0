# SPDX-License-Identifier: BSD-2-Clause

"""The sequencer: runs a program of `instructions`, on an accumulator and a memory of words."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from dualgate.contract.formats import VALUE_WIDTH

from ..common.shapes import VALUE
from .assembler import Assembler
from .instructions import Action, AluOp, Condition

SOURCES = tuple(op.name for op in AluOp if op >= AluOp.NARROW)

ADDS = (AluOp.KEEP, AluOp.ADD, AluOp.ADD_CARRY, AluOp.SUBTRACT, AluOp.SUBTRACT_BORROW)
"""What begins with the accumulator."""

SUMS = (*ADDS[1:], AluOp.SUBTRACT_FROM)
"""What has a carry."""

WORDS = (AluOp.LOAD, *SUMS, AluOp.INCREMENT, AluOp.DECREMENT)
"""What adds the word."""

RESULT = signed(VALUE_WIDTH + 1)
"""With the sign that a sum or a difference of 16-bit numbers has."""


def _filled(entries: Sequence[object]) -> int:
    """Words of a memory that has no address without one, and so none that synthesis makes up."""
    return 1 << int(ceil_log2(len(entries)))


class Sequencer(wiring.Component):
    """Two cycles an instruction, and those for which it is held back.

    In the first, what the instruction means is decoded into registers, beside the word that is
    read, so that the second has time for the result and for what is done with it.

    Parameters
    ----------
    code : Assembler

    Members
    -------
    sources : what instructions load that is no word, by name
    does : bit n is high while the action of that number is to be done
    address, result, accumulator : what it is done with
    held : not yet
    word_at, word : another word to read, there a cycle later; while the action is `WAIT`
    """

    def __init__(self, code: Assembler) -> None:
        self.code = code
        self.bits = code.layout["address"].shape
        super().__init__(
            {
                "sources": In(data.StructLayout(dict.fromkeys(SOURCES, VALUE))),
                "does": Out(len(Action)),
                "address": Out(self.bits),
                "result": Out(RESULT),
                "accumulator": Out(VALUE),
                "held": In(1),
                "word_at": In(self.bits),
                "word": Out(VALUE),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        code = self.code
        m.submodules.program = program = memory.Memory(
            shape=code.layout, depth=_filled(code.program), init=code.program
        )
        fetch = program.read_port()
        self._instruction = fetch.data
        self._second = second = Signal()
        self._ends = ends = Signal()
        self._negative, self._carry = Signal(), Signal()
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
        self._remember(m)
        self._calculate(m)
        self._choose(m, fetch.addr)
        return m

    def _remember(self, m: Module) -> None:
        """The words, and which of them the instruction means."""
        code, one = self.code, self._instruction
        m.submodules.words = words = memory.Memory(
            shape=VALUE, depth=_filled(code.memory), init=code.memory
        )
        read, write = words.read_port(), words.write_port()
        x, y = Signal(self.bits), Signal(self.bits)
        joined = Signal(self.bits)
        with m.If(one.address < code.fields):
            m.d.comb += joined.eq(y)
        with m.Elif(one.address < code.first_single):
            m.d.comb += joined.eq(x)
        m.d.comb += [
            self.address.eq(one.address | joined),
            read.addr.eq(Mux(one.action == Action.WAIT, self.word_at, self.address)),
            self.word.eq(read.data),
            write.addr.eq(self.address),
            write.data.eq(self.result),
            write.en.eq(self.does[Action.STORE]),
        ]
        for action, register in ((Action.SET_X, x), (Action.SET_Y, y)):
            with m.If(self.does[action]):
                m.d.sync += register.eq(self.result)

    def _calculate(self, m: Module) -> None:
        """The result, and what is known of it."""
        a = self.accumulator
        left, right = Signal(RESULT), Signal(RESULT)
        chosen, total = Signal(VALUE), Signal(RESULT)
        operand = [self.word & self._decoded(m, *WORDS).replicate(VALUE_WIDTH)]
        for name in SOURCES:
            wanted = self._decoded(m, AluOp[name])
            operand.append(self.sources[name] & wanted.replicate(VALUE_WIDTH))
        adds, takes = self._decoded(m, *ADDS), self._decoded(m, AluOp.SUBTRACT_FROM)
        fills = self._decoded(m, AluOp.DECREMENT)
        differs = self._decoded(m, AluOp.SUBTRACT, AluOp.SUBTRACT_BORROW)
        one_more = self._decoded(m, AluOp.SUBTRACT, AluOp.SUBTRACT_FROM, AluOp.INCREMENT)
        carries = self._decoded(m, AluOp.ADD_CARRY, AluOp.SUBTRACT_BORROW)
        masks, keeps = self._decoded(m, AluOp.MASK), self._decoded(m, AluOp.KEEP)
        m.d.comb += [
            left.eq(Mux(adds, a, Mux(takes, ~a, fills.replicate(VALUE_WIDTH).as_signed()))),
            chosen.eq(reduce(or_, operand)),
            right.eq(Mux(differs, ~chosen, chosen)),
            total.eq(left + right + (one_more | (carries & self._carry))),
            self.result.eq(Mux(masks, a & self.word, total)),
        ]
        with m.If(self._ends & ~keeps):
            m.d.sync += [a.eq(self.result), self._negative.eq(self.result[-1])]
        with m.If(self._ends & self._decoded(m, *SUMS)):
            m.d.sync += self._carry.eq(total[-1] ^ left[-1] ^ right[-1])

    def _decoded(self, m: Module, *ops: AluOp) -> Signal:
        """Whether the instruction is one of these; in its second cycle."""
        found = Signal(name="_or_".join(op.name.lower() for op in ops[:2]))
        m.d.sync += found.eq(Cat(self._instruction.op == op for op in ops).any())
        return found

    def _choose(self, m: Module, following: Value) -> None:
        """Which instruction comes next."""
        one = self._instruction
        here, link = Signal.like(following), Signal.like(following)
        goes = Signal()
        zero = self.accumulator == 0
        with m.Switch(one.condition):
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
        target = Mux(one.condition == Condition.LINK, link, one.target)
        with m.If(self._second):
            m.d.comb += following.eq(Mux(goes, target, here + 1))
        with m.If(self._ends):
            m.d.sync += here.eq(following)
        with m.If(self.does[Action.CALL]):
            m.d.sync += link.eq(here + 1)
        with m.If(self.does[Action.SET_LINK]):
            m.d.sync += link.eq(self.result)
