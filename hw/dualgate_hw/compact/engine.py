# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine: a sequencer, the parts that its program works with, and their memories."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import EXP_TABLE, SIGMOID_TABLE
from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import VALUE_WIDTH

from ..common.delay import delay
from ..common.shapes import VALUE, WORD, Shapes
from .batch_end import BatchEnd
from .instructions import Action, Op
from .lists import ListWalker
from .multipliers import Multipliers, Narrower
from .parts import Places, Plane, Use, merge
from .program import assemble
from .sequencer import Sequencer
from .store import RowStore, lane_of
from .tables import Table
from .updates import Updates

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
        m.submodules.walker = self._walker = ListWalker(places)
        m.submodules.updates = self._updates = Updates(places)
        m.submodules.batch_end = self._batch_end = BatchEnd(places)
        m.submodules.multipliers = self._multipliers = Multipliers(places)
        m.submodules.narrower = self._narrower = Narrower(places)
        m.submodules.store = self._store = RowStore(places)
        self._result = self._sequencer.result
        self._own, self._use = (Use(places).create(path=(name,)) for name in ("own", "use"))
        loops = (self._walker, self._updates, self._batch_end)
        merge(m, [self._own, *(loop.use for loop in loops)], self._use)
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

    def _source(self, m: Module, op: Op, value: Value) -> None:
        m.d.comb += self._sequencer.sources[op.name].eq(value)

    def _list_entries(self, m: Module) -> None:
        """The memory of entries, the place of one of them, and the index of the next to be put."""
        m.submodules.entries = entries = memory.Memory(
            shape=self.places.shapes.entry, depth=self.places.entries, init=[]
        )
        read, write = entries.read_port(), entries.write_port()
        place, index = Signal(range(self.places.entries)), Signal(self.places.shapes.unit)
        puts = self._when(Action.PUT)
        with m.If(puts | self._use.next):
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
        self._source(m, Op.VALUE, read.data.value)
        self._source(m, Op.INDEX, read.data.index)
        self._source(m, Op.PLACE, place)

    def _store_rows(self, m: Module) -> None:
        """The row memory, and the row and lane that are set."""
        store, own = self._store, self._own
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
        with m.If(self._when(Action.READ, Action.WRITE)):
            m.d.comb += own.plane.eq(plane)
        m.d.comb += own.read.eq(self._when(Action.READ))
        with m.If(self._when(Action.WRITE)):
            number = self._sequencer.accumulator.replicate(neurons)
            m.d.comb += [
                own.row_write.eq(Mux(sums, ~0, 1 << self._lane)),
                own.row_data.eq(Mux(sums, self._narrower.total, number)),
            ]
        offset = Mux(self._use.indexed, self._entry.index, 0)
        m.d.comb += store.row.eq(row + offset)
        self._sum_read = delay(m, own.read & sums, 1)
        self._source(m, Op.LANE, delay(m, lane_of(store.read, self._lane), 1))
        self._source(m, Op.ROW, delay(m, store.read.as_value().any(), 1))

    def _multiply(self, m: Module) -> None:
        """Operands, and the products of single numbers."""
        own, use, multipliers = self._own, self._use, self._multipliers
        multiplies = self._when(Action.MULTIPLY)
        factor = self._when(Action.FACTOR, Action.MULTIPLY, Action.ACCUMULATE)
        with m.If(self._when(Action.SET_SCALAR)):
            m.d.comb += [own.load_scalar.eq(1), own.scalar.eq(self._result)]
        with m.If(factor):
            m.d.comb += [own.load_factor.eq(1), own.factor.eq(self._result)]
        steps = delay(m, multiplies | self._when(Action.ACCUMULATE), 1)
        m.d.comb += [own.clear.eq(multiplies), own.step.eq(steps), own.alone.eq(multiplies | steps)]
        self._product = delay(m, multiplies, 2)
        for part in (multipliers, self._store):
            for name in use.signature.members:
                m.d.comb += Value.cast(getattr(part.use, name)).eq(Value.cast(getattr(use, name)))
        m.d.comb += [
            multipliers.row.eq(self._store.read),
            multipliers.lane.eq(Mux(self._product, 0, self._lane)),
        ]

    def _narrow(self, m: Module) -> None:
        """Which number is narrowed, and by how much."""
        narrower = self._narrower
        shift = Signal(len(narrower.shift) + 1)
        holds = self._when(Action.HOLD)
        lane = delay(m, self._when(Action.SET_LANE), 1)
        with m.If(self._when(Action.SET_SHIFT)):
            m.d.sync += shift.eq(self._result)
        m.d.comb += [
            Cat(narrower.shift, narrower.rounds).eq(shift),
            narrower.forget.eq(self._when(Action.MEASURE)),
            narrower.take.eq(holds | lane | self._product | self._sum_read),
            narrower.measure.eq(holds | lane),
            narrower.number.eq(self._multipliers.sum),
        ]
        with m.If(holds):
            m.d.comb += narrower.number.eq(self._result)
        with m.If(self._sum_read):
            number = self._store.read.as_value()[: len(narrower.number)].as_signed()
            m.d.comb += narrower.number.eq(number)
        self._source(m, Op.NARROW, narrower.narrow)
        self._source(m, Op.CLIPPED, narrower.clipped)
        unused = Const(0, VALUE_WIDTH - 1 - len(narrower.highest))
        self._source(m, Op.HIGHEST, Cat(narrower.highest, unused, narrower.some))

    def _loop(self, m: Module) -> None:
        """What runs by itself until it is waited for."""
        walker, updates, end = self._walker, self._updates, self._batch_end
        sequencer, memory = self._sequencer, self.memory
        for loop in (walker, updates):
            m.d.comb += [loop.count.eq(self._result), loop.entry.eq(self._entry)]
        m.d.comb += [
            walker.start.eq(self._when(Action.WALK)),
            updates.start.eq(self._when(Action.UPDATE)),
            updates.row.eq(self._store.read),
            updates.products.eq(self._multipliers.products),
            end.start.eq(self._when(Action.APPLY)),
            end.drops.eq(self._result),
            end.row.eq(self._store.read),
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
        self._busy = walker.busy | updates.busy | end.busy
        self._source(m, Op.CLIPS, end.clips)

    def _look_up(self, m: Module) -> None:
        """The tables, at the accumulator."""
        for op, entries in ((Op.TABLE, SIGMOID_TABLE), (Op.EXP, EXP_TABLE)):
            m.submodules[op.name.lower()] = table = Table(entries)
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
        self._source(m, Op.INPUT_LOW, command.payload[:VALUE_WIDTH])
        self._source(m, Op.INPUT_HIGH, command.payload[VALUE_WIDTH:])

    def _count(self, m: Module) -> None:
        """Cycles in which there is work, those left out that it waits for words."""
        cycles = Signal(CYCLES_WIDTH)
        with m.If(self.working & ~self._starved):
            m.d.sync += cycles.eq(cycles + 1)
        with m.If(self._when(Action.WORK)):
            m.d.sync += [self.working.eq(1), cycles.eq(self._result)]
        with m.If(self._when(Action.REST)):
            m.d.sync += self.working.eq(0)
        self._source(m, Op.CYCLES_LOW, cycles[:VALUE_WIDTH])
        self._source(m, Op.CYCLES_HIGH, cycles[VALUE_WIDTH:])
