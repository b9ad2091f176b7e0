"""The sequencer: runs a program of `instructions`, on an accumulator and a memory of words."""

from amaranth import Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import VALUE_WIDTH

from ..layouts import VALUE
from .assembler import Assembler
from .instructions import Action, Condition, Op

SOURCES = tuple(op.name for op in Op if op.value >= Op.NARROW.value)

RESULT = signed(VALUE_WIDTH + 1)
"""With the sign that a sum or a difference of 16-bit numbers has."""


class Sequencer(wiring.Component):
    """Two cycles an instruction, and those for which it is held back.

    Parameters
    ----------
    code : Assembler

    Members
    -------
    sources : what instructions load that is no word, by name
    action, address, result : what is to be done in this cycle, where, and with what
    held : not yet
    word_at, word : another word to read, there a cycle later; while the action is `WAIT`
    accumulator
    """

    def __init__(self, code: Assembler) -> None:
        self.code = code
        self.bits = code.layout["address"].shape
        super().__init__(
            {
                "sources": In(data.StructLayout(dict.fromkeys(SOURCES, VALUE))),
                "action": Out(Action),
                "address": Out(self.bits),
                "result": Out(RESULT),
                "held": In(1),
                "word_at": In(self.bits),
                "word": Out(VALUE),
                "accumulator": Out(VALUE),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        code = self.code
        m.submodules.program = program = memory.Memory(
            shape=code.layout, depth=len(code.program), init=code.program
        )
        fetch = program.read_port()
        self._instruction = fetch.data
        self._does = does = Signal()
        self._negative = Signal()
        self._carry = Signal()
        acts = Signal()
        m.d.comb += does.eq(acts & ~self.held)
        with m.FSM():
            with m.State("START"):
                m.d.comb += fetch.en.eq(1)
                m.next = "FIRST"
            with m.State("FIRST"):
                m.d.comb += fetch.en.eq(0)
                m.next = "SECOND"
            with m.State("SECOND"):
                m.d.comb += [acts.eq(1), fetch.en.eq(does), self.action.eq(fetch.data.action)]
                with m.If(does):
                    m.next = "FIRST"
        self._remember(m)
        self._calculate(m)
        self._choose(m, acts, fetch.addr)
        return m

    def _remember(self, m: Module) -> None:
        """The words, and which of them the instruction means."""
        code, given = self.code, self._instruction.address
        m.submodules.words = words = memory.Memory(
            shape=VALUE, depth=len(code.memory), init=code.memory
        )
        read, write = words.read_port(), words.write_port()
        x, y = Signal(self.bits), Signal(self.bits)
        joined = Signal(self.bits)
        waits = self._instruction.action == Action.WAIT
        with m.If(given < code.fields):
            m.d.comb += joined.eq(y)
        with m.Elif(given < code.first_single):
            m.d.comb += joined.eq(x)
        m.d.comb += [
            self.address.eq(given | joined),
            read.addr.eq(Mux(waits, self.word_at, self.address)),
            self.word.eq(read.data),
            write.addr.eq(self.address),
            write.data.eq(self.result),
            write.en.eq(self.action == Action.STORE),
        ]
        for action, register in ((Action.SET_X, x), (Action.SET_Y, y)):
            with m.If(self.action == action):
                m.d.sync += register.eq(self.result)

    def _calculate(self, m: Module) -> None:
        """The result, and what is known of it."""
        op, a = self._instruction.op, self.accumulator
        left, right = Signal(RESULT), Signal(RESULT)
        chosen = Signal(VALUE)
        carry = Signal()
        total = Signal(RESULT)
        with m.Switch(op):
            for name in SOURCES:
                with m.Case(Op[name]):
                    m.d.comb += chosen.eq(self.sources[name])
            with m.Case(Op.KEEP, Op.CLEAR):
                m.d.comb += chosen.eq(0)
            with m.Default():
                m.d.comb += chosen.eq(self.word)
        with m.Switch(op):
            with m.Case(Op.KEEP, Op.ADD, Op.ADD_CARRY, Op.SUBTRACT, Op.SUBTRACT_BORROW):
                m.d.comb += left.eq(a)
            with m.Case(Op.SUBTRACT_FROM):
                m.d.comb += left.eq(~a)
            with m.Case(Op.DECREMENT):
                m.d.comb += left.eq(~0)
        with m.Switch(op):
            with m.Case(Op.SUBTRACT, Op.SUBTRACT_FROM, Op.INCREMENT):
                m.d.comb += carry.eq(1)
            with m.Case(Op.ADD_CARRY, Op.SUBTRACT_BORROW):
                m.d.comb += carry.eq(self._carry)
        differs = (op == Op.SUBTRACT) | (op == Op.SUBTRACT_BORROW)
        m.d.comb += [
            right.eq(Mux(differs, ~chosen, chosen)),
            total.eq(left + right + carry),
            self.result.eq(Mux(op == Op.MASK, a & self.word, total)),
        ]
        with m.If(self._does & (op != Op.KEEP)):
            m.d.sync += [a.eq(self.result), self._negative.eq(self.result[-1])]
        with m.Switch(op):
            sums = (Op.ADD, Op.ADD_CARRY, Op.SUBTRACT, Op.SUBTRACT_BORROW, Op.SUBTRACT_FROM)
            with m.Case(*sums), m.If(self._does):
                m.d.sync += self._carry.eq(total[-1] ^ left[-1] ^ right[-1])

    def _choose(self, m: Module, acts: Signal, following: Value) -> None:
        """Which instruction comes next."""
        one = self._instruction
        self._here = here = Signal.like(following)
        link = Signal.like(following)
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
        with m.If(acts):
            m.d.comb += following.eq(Mux(goes, target, here + 1))
        with m.If(self._does):
            m.d.sync += here.eq(following)
        with m.If(self.action == Action.CALL):
            m.d.sync += link.eq(here + 1)
        with m.If(self.action == Action.SET_LINK):
            m.d.sync += link.eq(self.result)
