# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine: a sequencer, the datapath that its program works with, and the memories."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import EXP_TABLE, SIGMOID_TABLE
from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import VALUE_WIDTH

from ..common.delay import delay
from ..common.shapes import VALUE, WORD, Shapes
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

    `dualgate.contract.commands` defines the words. A cycle count is the sum of two cycles for each
    instruction of the program and of the cycles in which it waits for a hardware loop.

    Parameters
    ----------
    parameters : EngineParameters
        Parameters with ``compact=1``.

    Members
    -------
    `command` : In(stream of WORD)
        Command words.
    `response` : Out(stream of WORD)
        Response words.

    Attributes
    ----------
    working : Signal
        High while a sample or a batch's end is in progress. It is not a port; boards show it on a
        lamp.
    memory : DataMemory
        The cells of the program, by name.
    code : Assembler
        The program and the contents of its data memory.
    """

    command: stream.Interface
    response: stream.Interface

    def __init__(self, parameters: EngineParameters) -> None:
        self.parameters = parameters
        self.places = places = Places(Shapes(parameters, contexts=1))
        self.memory, self.code = assemble(places)
        words = stream.Signature(WORD)
        super().__init__({"command": In(words), "response": Out(words)})
        self.working = Signal()
        self._sequencer = Sequencer(self.code)
        self._dot_product = DotProductLoop(places)
        self._outer_product = OuterProductLoop(places)
        self._row_step = RowStepLoop(places)
        self._multipliers = Multipliers(places)
        self._narrower = Narrower(places)
        self._row_memory = RowMemory(places)
        self._tables = {AluOp.SIGMOID: SplitTable(SIGMOID_TABLE), AluOp.EXP: SplitTable(EXP_TABLE)}
        self._entries = memory.Memory(shape=places.shapes.entry, depth=places.entries, init=[])
        self._entry_read = self._entries.read_port()
        self._entry_write = self._entries.write_port()
        # The control signals of the program, and those merged with the loops' for the datapath.
        self._own, self._control = (
            Control(places).create(path=(name,)) for name in ("own", "control")
        )
        self._lane = Signal(range(places.shapes.neurons))
        # Something for the narrower to take: a sum read from the row memory, a single product.
        self._sum_read, self._product = Signal(), Signal()
        self._starved = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sequencer = self._sequencer
        m.submodules.dot_product = self._dot_product
        m.submodules.outer_product = self._outer_product
        m.submodules.row_step = self._row_step
        m.submodules.multipliers = self._multipliers
        m.submodules.narrower = self._narrower
        m.submodules.row_memory = self._row_memory
        loops = (self._dot_product, self._outer_product, self._row_step)
        merge(m, [self._own, *(loop.control for loop in loops)], self._control)
        self._access_entries(m)
        self._access_rows(m)
        self._multiply(m)
        self._narrow(m)
        self._run_loops(m)
        self._look_up(m)
        self._converse(m)
        self._count(m)
        return m

    def _when(self, *actions: Action) -> Value:
        """High while one of these actions is to be done."""
        return Cat(self._sequencer.does[action] for action in actions).any()

    def _source(self, m: Module, op: AluOp, value: Value) -> None:
        """Connect a source that instructions load."""
        m.d.comb += self._sequencer.sources[op.name].eq(value)

    def _access_entries(self, m: Module) -> None:
        """Read the entry at the current place; write entries there."""
        m.submodules.entries = self._entries
        read, write, result = self._entry_read, self._entry_write, self._sequencer.result
        place, index = Signal(range(self.places.entries)), Signal(self.places.shapes.unit)
        puts = self._when(Action.PUT_ENTRY)
        with m.If(puts | self._control.next):
            m.d.sync += place.eq(place + 1)
        with m.If(self._when(Action.SET_PLACE)):
            m.d.sync += place.eq(result)
        with m.If(self._when(Action.SET_INDEX)):
            m.d.sync += index.eq(result)
        m.d.comb += [
            read.addr.eq(place),
            write.addr.eq(place),
            write.data.value.eq(result),
            write.data.index.eq(index),
            write.en.eq(puts),
        ]
        self._source(m, AluOp.VALUE, read.data.value)
        self._source(m, AluOp.INDEX, read.data.index)
        self._source(m, AluOp.PLACE, place)

    def _access_rows(self, m: Module) -> None:
        """Set the row and the lane; read and write words of the row memory."""
        row_memory, own, result = self._row_memory, self._own, self._sequencer.result
        neurons = self.places.shapes.neurons
        plane = Signal(Plane)
        row = Signal(range(self.places.rows))
        m.d.comb += plane.eq(self._sequencer.address)
        sums = plane == Plane.SUMS
        with m.If(self._when(Action.SET_ROW)):
            m.d.sync += row.eq(result)
        with m.If(self._when(Action.SET_LANE)):
            m.d.sync += self._lane.eq(result)
        with m.If(self._when(Action.READ_ROW, Action.WRITE_ROW)):
            m.d.comb += own.plane.eq(plane)
        m.d.comb += own.read.eq(self._when(Action.READ_ROW))
        with m.If(self._when(Action.WRITE_ROW)):
            number = self._sequencer.accumulator.replicate(neurons)
            m.d.comb += [
                own.row_write.eq(Mux(sums, ~0, 1 << self._lane)),
                own.row_data.eq(Mux(sums, self._narrower.total, number)),
            ]
        offset = Mux(self._control.indexed, self._entry_read.data.index, 0)
        m.d.comb += row_memory.row.eq(row + offset)
        m.d.sync += self._sum_read.eq(own.read & sums)
        self._source(m, AluOp.LANE, delay(m, lane_of(row_memory.read, self._lane), 1))
        self._source(m, AluOp.ROW_NONZERO, delay(m, row_memory.read.as_value().any(), 1))

    def _multiply(self, m: Module) -> None:
        """Load operands, multiply single numbers, and connect the datapath's control signals."""
        own, multipliers, result = self._own, self._multipliers, self._sequencer.result
        multiplies = self._when(Action.MULTIPLY)
        factor = self._when(Action.PUSH_FACTOR, Action.MULTIPLY, Action.ACCUMULATE)
        with m.If(self._when(Action.SET_SCALAR)):
            m.d.comb += [own.load_scalar.eq(1), own.scalar.eq(result)]
        with m.If(factor):
            m.d.comb += [own.load_factor.eq(1), own.factor.eq(result)]
        steps = delay(m, multiplies | self._when(Action.ACCUMULATE), 1)
        m.d.comb += [own.clear.eq(multiplies), own.step.eq(steps), own.alone.eq(multiplies | steps)]
        m.d.sync += self._product.eq(delay(m, multiplies, 1))
        for part in (multipliers, self._row_memory):
            merge(m, [self._control], part.control)
        m.d.comb += [
            multipliers.row.eq(self._row_memory.read),
            multipliers.lane.eq(Mux(self._product, 0, self._lane)),
        ]

    def _narrow(self, m: Module) -> None:
        """Give the narrower its shift and, from one of four origins, its number."""
        narrower, result = self._narrower, self._sequencer.result
        shift = Signal(len(narrower.shift) + 1)
        takes_result = self._when(Action.SET_NUMBER)
        takes_lane = delay(m, self._when(Action.SET_LANE), 1)
        with m.If(self._when(Action.SET_SHIFT)):
            m.d.sync += shift.eq(result)
        m.d.comb += [
            Cat(narrower.shift, narrower.rounds).eq(shift),
            narrower.forget.eq(self._when(Action.START_MEASURE)),
            narrower.take.eq(takes_result | takes_lane | self._product | self._sum_read),
            narrower.measure.eq(takes_result | takes_lane),
            narrower.number.eq(self._multipliers.sum),
        ]
        with m.If(takes_result):
            m.d.comb += narrower.number.eq(result)
        with m.If(self._sum_read):
            number = self._row_memory.read.as_value()[: len(narrower.number)].as_signed()
            m.d.comb += narrower.number.eq(number)
        self._source(m, AluOp.NARROW, narrower.narrow)
        self._source(m, AluOp.CLIPPED, narrower.clipped)
        unused = Const(0, VALUE_WIDTH - 1 - len(narrower.highest))
        self._source(m, AluOp.HIGHEST, Cat(narrower.highest, unused, narrower.some))

    def _run_loops(self, m: Module) -> None:
        """Start the hardware loops, which run until the program waits for them."""
        dot_product, outer_product = self._dot_product, self._outer_product
        row_step, sequencer, memory = self._row_step, self._sequencer, self.memory
        for loop in (dot_product, outer_product):
            m.d.comb += [loop.count.eq(sequencer.result), loop.entry.eq(self._entry_read.data)]
        momentum, power = (self.code.address(cell) for cell in (memory.momentum, memory.power))
        m.d.comb += [
            dot_product.start.eq(self._when(Action.DOT_PRODUCT)),
            outer_product.start.eq(self._when(Action.OUTER_PRODUCT)),
            outer_product.row.eq(self._row_memory.read),
            outer_product.products.eq(self._multipliers.products),
            row_step.start.eq(self._when(Action.STEP_ROW)),
            row_step.drops.eq(sequencer.result),
            row_step.row.eq(self._row_memory.read),
            row_step.product.eq(self._multipliers.products[0]),
            row_step.scale.eq(sequencer.cell),
            sequencer.cell_address.eq(Mux(row_step.momentum, momentum, power)),
        ]
        self._source(m, AluOp.CLIPS, row_step.clips)

    def _look_up(self, m: Module) -> None:
        """Connect the tables, whose index is the accumulator."""
        for op, table in self._tables.items():
            m.submodules[op.name.lower()] = table
            m.d.comb += table.index.eq(self._sequencer.accumulator)
            self._source(m, op, table.entry)

    def _converse(self, m: Module) -> None:
        """Take command words, send response words, and hold the sequencer."""
        command, response = self.command, self.response
        low = Signal(VALUE)
        takes, listens = self._when(Action.TAKE), self._when(Action.PEEK, Action.TAKE)
        replies = self._when(Action.REPLY)
        answers = self._when(Action.SEND) | replies
        result = self._sequencer.result[:VALUE_WIDTH]
        busy = self._dot_product.busy | self._outer_product.busy | self._row_step.busy
        with m.If(self._when(Action.SET_LOW)):
            m.d.sync += low.eq(result)
        m.d.comb += [
            self._starved.eq(listens & ~command.valid),
            command.ready.eq(takes),
            response.valid.eq(answers),
            response.payload.eq(
                Mux(replies, Cat(result, result[-1].replicate(VALUE_WIDTH)), Cat(low, result))
            ),
            self._sequencer.held.eq(
                self._starved | (answers & ~response.ready) | (self._when(Action.WAIT) & busy)
            ),
        ]
        self._source(m, AluOp.INPUT_LOW, command.payload[:VALUE_WIDTH])
        self._source(m, AluOp.INPUT_HIGH, command.payload[VALUE_WIDTH:])

    def _count(self, m: Module) -> None:
        """Count the cycles of work, without those in which the sequencer waits for a word."""
        cycles = Signal(CYCLES_WIDTH)
        with m.If(self.working & ~self._starved):
            m.d.sync += cycles.eq(cycles + 1)
        with m.If(self._when(Action.START_CYCLES)):
            m.d.sync += [self.working.eq(1), cycles.eq(self._sequencer.result)]
        with m.If(self._when(Action.STOP_CYCLES)):
            m.d.sync += self.working.eq(0)
        self._source(m, AluOp.CYCLES_LOW, cycles[:VALUE_WIDTH])
        self._source(m, AluOp.CYCLES_HIGH, cycles[VALUE_WIDTH:])
