# SPDX-License-Identifier: BSD-2-Clause

"""The activation unit: accumulated sums become values and slopes, one neuron a cycle."""

from amaranth import Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.contract.activations import SIGMOID_TABLE, TABLE_BITS

from ...common.activation_rules import table_index, value_and_slope, with_sign
from ...common.delay import delay
from ...common.mac import MAC_LATENCY
from ...common.rounding import WINDOW, round_off, shift_right_twice, with_half
from ...common.shapes import ENTRY, LAYER, OUTPUT, VALUE, WORD, Shapes, banked_address, vector
from ...common.tables import SIGMOID_SHAPE, TablePort, own_table
from .activation_writer import ActivationWriter, unit_position

ACTIVATION_LATENCY = 8
"""Cycles from a sum at the head of the queue to its value."""


class ActivationUnit(wiring.Component):
    """Narrows sums, applies the activation, and writes the results that later lanes need.

    ::

        sums -> shift -> shift -> round -> index -> table -> h -> square -> value, slope
        stage     1        2        3        4        5      6      7           8

    The nonzero values of a hidden layer are appended to its list, which a bias entry closes, and
    its slopes are written to their vector. Values and slopes of the last layer are written to the
    output memory. A hidden unit that a mask leaves out has value and slope zero.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `layer` : In(LAYER)
        Descriptor of the layer in progress of `thread`, with `load`.
    `first_layer` : In(1)
        Whether that is the first layer.
    `context` : In(shapes.context)
        Context of its sample.
    `masked` : In(1)
        Whether its sample has masks.
    `masks` : In(memory read port of WORD)
        Masks of all contexts.
    `load` : In(1)
        Pulse: a group's sums arrive. It comes `MAC_LATENCY` cycles, or more, after a cycle in which
        `busy` was low, or `queued` for the next group of the layer in progress.
    `sums` : In(vector(N, shapes.value_sum))
        The sums, with `load`.
    `group` : In(shapes.group)
        Their group, with `load`.
    `thread` : In(range(threads))
        Their thread, with `load`.
    `busy` : Out(1)
        High while a step that is taken in this cycle would bring its sums before all units of the
        group in progress are written.
    `queued` : Out(1)
        High while such a step would bring its sums before the last unit of that group, if it has N,
        is in stage 1. Another group of the same layer of the same sample need not wait for more.
    `owner` : Out(range(threads))
        `thread` of the group in progress.
    `done` : Out(1)
        Pulse: the last unit of the layer is written.
    `last_layer` : Out(1)
        Whether that layer is the last one.
    `count` : Out(shapes.unit)
        Number of entries of the list that the layer made, with `done`.
    `hidden` : In(memory write port of ENTRY)
        Lists of hidden values of all contexts.
    `slopes` : In(memory write port of rows of N values, with an enable for each)
        Slopes of hidden units of all contexts.
    `outputs` : In(memory write port of OUTPUT)
        Outputs and their slopes of all contexts.
    `saturated` : Out(1)
        Pulse for each pre-activation that is clipped.
    `sigmoid` : Out(TablePort(SIGMOID_SHAPE))
        The table of sigmoids. With several cores it can be read in every cycle, without a request;
        with a single core the port stays unconnected, because the unit has its own table.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        super().__init__(
            {
                "layer": In(LAYER),
                "first_layer": In(1),
                "context": In(shapes.context),
                "masked": In(1),
                "masks": In(shapes.read(shapes.mask_words, WORD, contexts)),
                "load": In(1),
                "sums": In(vector(shapes.neurons, shapes.value_sum)),
                "group": In(shapes.group),
                "thread": In(range(shapes.threads)),
                "busy": Out(1),
                "queued": Out(1),
                "owner": Out(range(shapes.threads)),
                "done": Out(1),
                "last_layer": Out(1),
                "count": Out(shapes.unit),
                "hidden": In(shapes.write(engine.activations, ENTRY, contexts)),
                "slopes": In(shapes.write(engine.vectors, shapes.vector, contexts, granularity=1)),
                "outputs": In(shapes.write(engine.groups * engine.neurons, OUTPUT, contexts)),
                "saturated": Out(1),
                "sigmoid": Out(TablePort(SIGMOID_SHAPE)),
            }
        )
        self._writer = ActivationWriter(shapes)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._base = Signal(self.shapes.unit)
        # Registers of the owner, so that no use has to choose between threads.
        self._layer = Signal(LAYER)
        self._first_layer = Signal()
        self._context = Signal(self.shapes.context)
        self._masked = Signal()
        position, total = self._queue(m)
        dropped = self._drop(m, position)
        z = self._narrow(m, position, total)
        value, slope = self._activate(m, z, dropped)
        self._write(m, delay(m, position, ACTIVATION_LATENCY), value, slope)
        return m

    def _queue(self, m: Module) -> tuple[data.View, Signal]:
        """Hold a group's sums, and return the position and the sum of one lane after the other."""
        bits = (self.shapes.neurons - 1).bit_length()
        sums = Signal(vector(self.shapes.neurons, self.shapes.value_sum))
        position = Signal(unit_position(self.shapes))
        last_lane = position.unit[:bits] == self.shapes.neurons - 1
        last_unit = Signal(self.shapes.unit)
        m.d.comb += position.final.eq(position.unit == last_unit)
        with m.If(position.valid):
            m.d.sync += [
                sums.eq(sums.as_value() >> self.shapes.value_sum.width),
                position.unit.eq(position.unit + 1),
            ]
            with m.If(position.final | last_lane):
                m.d.sync += position.valid.eq(0)
        with m.If(self.load):
            m.d.sync += [
                sums.eq(self.sums),
                position.valid.eq(1),
                position.unit.eq(self.group << bits),
                position.group.eq(self.group),
                self.owner.eq(self.thread),
                self._layer.eq(self.layer),
                self._first_layer.eq(self.first_layer),
                self._context.eq(self.context),
                self._masked.eq(self.masked),
                last_unit.eq(self.layer.outputs - 1),
            ]
        working = self.load | position.valid
        # `busy` is registered, and sums come `MAC_LATENCY` cycles after their last step.
        for stage in range(1, ACTIVATION_LATENCY - MAC_LATENCY):
            working = working | delay(m, position.valid, stage)
        m.d.sync += self.busy.eq(working)
        # Registered, too; of so few units the last one is never late.
        early = self.shapes.neurons - MAC_LATENCY - 2
        if early >= 0:
            holds = self.load | (position.valid & (position.unit[:bits] < early))
            m.d.sync += self.queued.eq(holds)
        return position, sums[0]

    def _drop(self, m: Module, position: data.View) -> Value:
        """Return whether a mask leaves out the unit that is in stage 7."""
        place = Signal(self.shapes.unit)
        dropped = Signal()
        bits = exact_log2(WORD.width)
        kept = self.masks.data.bit_select(delay(m, place[:bits], 1), 1)
        m.d.comb += [
            # Begin of the list that this layer writes. Masks are in the same order.
            self._base.eq(
                Mux(self._first_layer, 0, self._layer.list_base + self._layer.inputs + 1)
            ),
            self.masks.en.eq(1),
            self.masks.addr.eq(banked_address(self._context, place[bits:], self.shapes.mask_words)),
        ]
        m.d.sync += [
            place.eq(self._base + position.unit),
            dropped.eq(self._masked & ~self._layer.last & ~kept),
        ]
        return delay(m, dropped, 4)

    def _narrow(self, m: Module, position: data.View, total: Signal) -> Signal:
        """Stages 1 to 3: a rounding shift to 16 bits that saturates."""
        z = Signal(VALUE)
        valid = delay(m, position.valid, 2)
        shift = self._layer.z_shift
        shifted, lost = shift_right_twice(m, with_half(total), shift, WINDOW, 3)
        narrowed, clipped = round_off(delay(m, shifted, 1), delay(m, lost, 1))
        m.d.sync += [z.eq(narrowed), self.saturated.eq(valid & clipped)]
        return z

    def _activate(self, m: Module, z: Signal, dropped: Value) -> tuple[Signal, Signal]:
        """Stages 4 to 8: the table, its square, and the value and slope made of them."""
        if self.shapes.engine.cores == 1:
            own_table(m, self.sigmoid, SIGMOID_TABLE)
        index = Signal(TABLE_BITS)
        m.d.sync += index.eq(table_index(self._layer.activation, z))
        m.d.comb += self.sigmoid.addr.eq(index)
        h = Signal(15)
        square = Signal(30)
        # A block RAM and a multiplier each take most of a cycle: both results are registered.
        m.d.sync += [h.eq(self.sigmoid.data), square.eq(h * h)]
        signed_h = Signal(signed(16))
        m.d.sync += signed_h.eq(with_sign(h, delay(m, z, 3)))
        value, slope = self._select(m, delay(m, z, 4), signed_h, square)
        with m.If(dropped):
            m.d.sync += [value.eq(0), slope.eq(0)]
        return value, slope

    def _select(
        self, m: Module, z: Signal, signed_h: Signal, square: Signal
    ) -> tuple[Signal, Signal]:
        """Stages 7 and 8: choose the layer's value and slope."""
        rounded = (square + (1 << 15)) >> 16
        rule = self._layer.activation
        value, slope = value_and_slope(m, rule, z, signed_h, rounded)
        return delay(m, value, 1), delay(m, slope, 1)

    def _write(self, m: Module, at: data.View, value: Signal, slope: Signal) -> None:
        """Hand the result of stage 8 to the writer."""
        writer = self._writer
        m.submodules.writer = writer
        for mine, theirs in (
            (self.hidden, writer.hidden),
            (self.slopes, writer.slopes),
            (self.outputs, writer.outputs),
        ):
            wiring.connect(m, wiring.flipped(mine), theirs)
        m.d.comb += [
            writer.at.eq(at),
            writer.value.eq(value),
            writer.slope.eq(slope),
            writer.layer.eq(self._layer),
            writer.base.eq(self._base),
            writer.context.eq(self._context),
            writer.thread.eq(self.owner),
            self.done.eq(writer.done),
            self.last_layer.eq(self._layer.last),
            self.count.eq(writer.count),
        ]
