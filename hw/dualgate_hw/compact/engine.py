# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine: a sequencer, the parts that its program works with, and their memories."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import VALUE_WIDTH
from dualgate.contract.rules import EXP_TABLE, SIGMOID_TABLE

from ..common.shapes import VALUE, WORD, Shapes, delay
from .dot_product import DotProductLoop
from .instructions import Action, AluOp
from .multipliers import Multipliers, Narrower
from .outer_product import OuterProductLoop
from .parts import Control, Places, Plane, merge
from .program import assemble
from .row_memory import RowMemory, lane_of
from .row_step import RowStepLoop
from .sequencer import Sequencer
from .split_table import SplitTable

CYCLES_WIDTH = 32


class CompactEngine(wiring.Component):
    """A training engine behind two streams of words that takes one sample at a time.

    For the words see `dualgate.contract.commands`.

    Parameters
    ----------
    parameters : EngineParameters

    Members
    -------
    command, response : streams of words

    Attributes
    ----------
    working : Signal
        A sample, or a batch's end, is in work; no port, for a lamp.
    """

    command: stream.Interface
    response: stream.Interface

    def __init__(self, parameters: EngineParameters) -> None:
        self.parameters = parameters
        self.places = Places(Shapes(parameters, contexts=1))
        self.memory, self.code = assemble(self.places)
        words = stream.Signature(WORD)
        super().__init__({"command": In(words), "response": Out(words)})
        self.working = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        places = self.places
        m.submodules.sequencer = self._sequencer = Sequencer(self.code)
        m.submodules.dot_product = self._dot_product = DotProductLoop(places)
        m.submodules.outer_product = self._outer_product = OuterProductLoop(places)
        m.submodules.row_step = self._row_step = RowStepLoop(places)
        m.submodules.multipliers = self._multipliers = Multipliers(places)
        m.submodules.narrower = self._narrower = Narrower(places)
        m.submodules.row_memory = self._row_memory = RowMemory(places)
        self._result = self._sequencer.result
        self._requests, self._control = (
            Control(places).create(path=(name,)) for name in ("requests", "control")
        )
        loops = (self._dot_product, self._outer_product, self._row_step)
        merge(m, [self._requests, *(loop.control for loop in loops)], self._control)
        self._list_entries(m)
        self._store_rows(m)
        self._multiply(m)
        self._narrow(m)
        self._loop(m)
        self._look_up(m)
        self._converse(m)
        self._count(m)
        return m

    def _when(self, *actions: Action) -> Value:
        return Cat(self._sequencer.does[action] for action in actions).any()

    def _source(self, m: Module, op: AluOp, value: Value) -> None:
        m.d.comb += self._sequencer.sources[op.name].eq(value)

    def _list_entries(self, m: Module) -> None:
        """The memory of entries, the place of one of them, and the index of the next to be put."""
        m.submodules.entries = entries = memory.Memory(
            shape=self.places.shapes.entry, depth=self.places.entries, init=[]
        )
        read, write = entries.read_port(), entries.write_port()
        place, index = Signal(range(self.places.entries)), Signal(self.places.shapes.unit)
        puts = self._when(Action.PUT_ENTRY)
        with m.If(puts | self._control.next):
            m.d.sync += place.eq(place + 1)
        with m.If(self._when(Action.SET_PLACE)):
            m.d.sync += place.eq(self._result)
        with m.If(self._when(Action.SET_INDEX)):
            m.d.sync += index.eq(self._result)
        m.d.comb += [
            read.addr.eq(place),
            write.addr.eq(place),
            write.data.value.eq(self._result),
            write.data.index.eq(index),
            write.en.eq(puts),
        ]
        self._entry = read.data
        self._source(m, AluOp.VALUE, read.data.value)
        self._source(m, AluOp.INDEX, read.data.index)
        self._source(m, AluOp.PLACE, place)

    def _store_rows(self, m: Module) -> None:
        """The row memory, and the row and lane that are set."""
        row_memory, requests = self._row_memory, self._requests
        neurons = self.places.shapes.neurons
        plane = Signal(Plane)
        row = Signal(range(self.places.rows))
        self._lane = Signal(range(neurons))
        m.d.comb += plane.eq(self._sequencer.address)
        sums = plane == Plane.SUMS
        with m.If(self._when(Action.SET_ROW)):
            m.d.sync += row.eq(self._result)
        with m.If(self._when(Action.SET_LANE)):
            m.d.sync += self._lane.eq(self._result)
        with m.If(self._when(Action.READ_ROW, Action.WRITE_ROW)):
            m.d.comb += requests.plane.eq(plane)
        m.d.comb += requests.read.eq(self._when(Action.READ_ROW))
        with m.If(self._when(Action.WRITE_ROW)):
            number = self._sequencer.accumulator.replicate(neurons)
            m.d.comb += [
                requests.row_write.eq(Mux(sums, ~0, 1 << self._lane)),
                requests.row_data.eq(Mux(sums, self._narrower.total, number)),
            ]
        offset = Mux(self._control.indexed, self._entry.index, 0)
        m.d.comb += row_memory.row.eq(row + offset)
        self._sum_read = delay(m, requests.read & sums, 1)
        self._source(m, AluOp.LANE, delay(m, lane_of(row_memory.read, self._lane), 1))
        self._source(m, AluOp.ROW_NONZERO, delay(m, row_memory.read.as_value().any(), 1))

    def _multiply(self, m: Module) -> None:
        """Operands, and the products of single numbers."""
        requests, control, multipliers = self._requests, self._control, self._multipliers
        multiplies = self._when(Action.MULTIPLY)
        factor = self._when(Action.PUSH_FACTOR, Action.MULTIPLY, Action.ACCUMULATE)
        with m.If(self._when(Action.SET_SCALAR)):
            m.d.comb += [requests.load_scalar.eq(1), requests.scalar.eq(self._result)]
        with m.If(factor):
            m.d.comb += [requests.load_factor.eq(1), requests.factor.eq(self._result)]
        steps = delay(m, multiplies | self._when(Action.ACCUMULATE), 1)
        m.d.comb += [
            requests.clear.eq(multiplies),
            requests.step.eq(steps),
            requests.alone.eq(multiplies | steps),
        ]
        self._product = delay(m, multiplies, 2)
        for part in (multipliers, self._row_memory):
            for name in control.signature.members:
                m.d.comb += Value.cast(getattr(part.control, name)).eq(
                    Value.cast(getattr(control, name))
                )
        m.d.comb += [
            multipliers.row.eq(self._row_memory.read),
            multipliers.lane.eq(Mux(self._product, 0, self._lane)),
        ]

    def _narrow(self, m: Module) -> None:
        """Which number is narrowed, and by how much."""
        narrower = self._narrower
        shift = Signal(len(narrower.shift) + 1)
        holds = self._when(Action.SET_NUMBER)
        lane = delay(m, self._when(Action.SET_LANE), 1)
        with m.If(self._when(Action.SET_SHIFT)):
            m.d.sync += shift.eq(self._result)
        m.d.comb += [
            Cat(narrower.shift, narrower.rounds).eq(shift),
            narrower.forget.eq(self._when(Action.START_MEASURE)),
            narrower.take.eq(holds | lane | self._product | self._sum_read),
            narrower.measure.eq(holds | lane),
            narrower.number.eq(self._multipliers.sum),
        ]
        with m.If(holds):
            m.d.comb += narrower.number.eq(self._result)
        with m.If(self._sum_read):
            number = self._row_memory.read.as_value()[: len(narrower.number)].as_signed()
            m.d.comb += narrower.number.eq(number)
        self._source(m, AluOp.NARROW, narrower.narrow)
        self._source(m, AluOp.CLIPPED, narrower.clipped)
        unused = Const(0, VALUE_WIDTH - 1 - len(narrower.highest))
        self._source(m, AluOp.HIGHEST, Cat(narrower.highest, unused, narrower.some))

    def _loop(self, m: Module) -> None:
        """What runs by itself until it is waited for."""
        dot_product, outer_product, end = self._dot_product, self._outer_product, self._row_step
        sequencer, memory = self._sequencer, self.memory
        for loop in (dot_product, outer_product):
            m.d.comb += [loop.count.eq(self._result), loop.entry.eq(self._entry)]
        m.d.comb += [
            dot_product.start.eq(self._when(Action.DOT_PRODUCT)),
            outer_product.start.eq(self._when(Action.OUTER_PRODUCT)),
            outer_product.row.eq(self._row_memory.read),
            outer_product.products.eq(self._multipliers.products),
            end.start.eq(self._when(Action.STEP_ROW)),
            end.drops.eq(self._result),
            end.row.eq(self._row_memory.read),
            end.product.eq(self._multipliers.products[0]),
            end.scale.eq(sequencer.word),
            sequencer.word_at.eq(
                Mux(
                    end.momentum,
                    self.code.address(memory.momentum),
                    self.code.address(memory.power),
                )
            ),
        ]
        self._busy = dot_product.busy | outer_product.busy | end.busy
        self._source(m, AluOp.CLIPS, end.clips)

    def _look_up(self, m: Module) -> None:
        """The tables, at the accumulator."""
        for op, entries in ((AluOp.SIGMOID, SIGMOID_TABLE), (AluOp.EXP, EXP_TABLE)):
            m.submodules[op.name.lower()] = table = SplitTable(entries)
            m.d.comb += table.index.eq(self._sequencer.accumulator)
            self._source(m, op, table.entry)

    def _converse(self, m: Module) -> None:
        """Words in and out; and what holds the sequencer back."""
        command, response = self.command, self.response
        low = Signal(VALUE)
        takes, listens = self._when(Action.TAKE), self._when(Action.PEEK, Action.TAKE)
        replies = self._when(Action.REPLY)
        answers = self._when(Action.SEND) | replies
        result = self._result[:VALUE_WIDTH]
        with m.If(self._when(Action.SET_LOW)):
            m.d.sync += low.eq(self._result)
        self._starved = listens & ~command.valid
        m.d.comb += [
            command.ready.eq(takes),
            response.valid.eq(answers),
            response.payload.eq(
                Mux(replies, Cat(result, result[-1].replicate(VALUE_WIDTH)), Cat(low, result))
            ),
            self._sequencer.held.eq(
                self._starved | (answers & ~response.ready) | (self._when(Action.WAIT) & self._busy)
            ),
        ]
        self._source(m, AluOp.INPUT_LOW, command.payload[:VALUE_WIDTH])
        self._source(m, AluOp.INPUT_HIGH, command.payload[VALUE_WIDTH:])

    def _count(self, m: Module) -> None:
        """Cycles in which there is work, those left out that it waits for words."""
        cycles = Signal(CYCLES_WIDTH)
        with m.If(self.working & ~self._starved):
            m.d.sync += cycles.eq(cycles + 1)
        with m.If(self._when(Action.START_CYCLES)):
            m.d.sync += [self.working.eq(1), cycles.eq(self._result)]
        with m.If(self._when(Action.STOP_CYCLES)):
            m.d.sync += self.working.eq(0)
        self._source(m, AluOp.CYCLES_LOW, cycles[:VALUE_WIDTH])
        self._source(m, AluOp.CYCLES_HIGH, cycles[VALUE_WIDTH:])
