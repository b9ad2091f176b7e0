# SPDX-License-Identifier: BSD-2-Clause

"""The writer of activations: values to their list, slopes to their row, outputs to their memory."""

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import ENTRY, LAYER, OUTPUT, VALUE, Shapes, banked_address


def unit_position(shapes: Shapes) -> data.StructLayout:
    """Position of a unit in its layer.

    Fields
    ------
    valid
        Whether there is a unit.
    final
        Whether it is the last one of the layer.
    unit
        Index of the unit.
    group
        Group of the unit.
    """
    return data.StructLayout({"valid": 1, "final": 1, "unit": shapes.unit, "group": shapes.group})


class ActivationWriter(wiring.Component):
    """Writes values and slopes, one unit a cycle, to the memories that later lanes read.

    A hidden unit's value, unless it is zero, is appended to the layer's list, and its slope is
    written to its lane of a row of slopes. In the cycle after the last unit a bias entry closes the
    list; the writer needs that cycle, so that no unit of another group may follow at once. Value
    and slope of an output are written to the output memory. The writes are combinational.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `at` : In(unit_position(shapes))
        Position of the unit.
    `value`, `slope` : In(VALUE)
        Results of the unit.
    `layer` : In(LAYER)
        Descriptor of the layer, until its bias entry is written.
    `base` : In(shapes.unit)
        Begin of the list that the layer writes.
    `context` : In(shapes.context)
        Context of the sample.
    `thread` : In(range(threads))
        Thread of the sample. The writer counts the entries of each thread's list, because groups of
        different threads may alternate.
    `hidden` : In(memory write port of ENTRY)
        Lists of hidden values of all contexts.
    `slopes` : In(memory write port of rows of N values, with an enable for each)
        Slopes of hidden units of all contexts.
    `outputs` : In(memory write port of OUTPUT)
        Outputs and their slopes of all contexts.
    `done` : Out(1)
        Pulse: the last write of the layer is made.
    `count` : Out(shapes.unit)
        Number of entries of the list that the layer made, with `done`.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        super().__init__(
            {
                "at": In(unit_position(shapes)),
                "value": In(VALUE),
                "slope": In(VALUE),
                "layer": In(LAYER),
                "base": In(shapes.unit),
                "context": In(shapes.context),
                "thread": In(range(shapes.threads)),
                "hidden": In(shapes.write(engine.activations, ENTRY, contexts)),
                "slopes": In(shapes.write(engine.vectors, shapes.vector, contexts, granularity=1)),
                "outputs": In(shapes.write(engine.groups * engine.neurons, OUTPUT, contexts)),
                "done": Out(1),
                "count": Out(shapes.unit),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        writes_hidden = self.at.valid & ~self.layer.last
        self._append(m, writes_hidden)
        self._write_slope(m, writes_hidden)
        self._write_output(m)
        return m

    def _append(self, m: Module, writes_hidden: Value) -> None:
        """Append a nonzero value to its list, and after the last unit the bias entry."""
        at, unit = self.at, self.shapes.unit
        count = Signal(unit)
        counts = Array(Signal(unit, name=f"count_{n}") for n in range(self.shapes.threads))
        closing = Signal()
        entry = Signal(ENTRY)
        wanted = Signal()
        m.d.comb += [
            count.eq(Mux(at.valid & (at.unit == 0), 0, counts[self.thread])),
            wanted.eq(writes_hidden & (self.value != 0)),
            entry.index.eq(Mux(closing, self.layer.outputs, at.unit)),
            entry.value.eq(Mux(closing, 1 << self.layer.out_frac, self.value)),
            self.hidden.addr.eq(
                banked_address(self.context, self.base + count, self.shapes.engine.activations)
            ),
            self.hidden.data.eq(entry),
            self.hidden.en.eq(wanted | closing),
            self.count.eq(count + 1),
            self.done.eq(closing | (at.valid & at.final & self.layer.last)),
        ]
        m.d.sync += closing.eq(writes_hidden & at.final)
        with m.If(at.valid):
            m.d.sync += counts[self.thread].eq(count + wanted)

    def _write_slope(self, m: Module, writes_hidden: Value) -> None:
        """Write a slope to its lane of a row.

        The first lane's write clears the others: lanes without a unit must read zero.
        """
        engine, slope = self.shapes.engine, self.slope
        bits = (engine.neurons - 1).bit_length()
        lanes = [self.at.unit[:bits] == lane for lane in range(engine.neurons)]
        address = self.layer.vector_base + self.at.group
        m.d.comb += self.slopes.addr.eq(banked_address(self.context, address, engine.vectors))
        with m.If(writes_hidden):
            m.d.comb += self.slopes.en.eq(Mux(lanes[0], ~0, Cat(lanes)))
        for lane, entry in enumerate(self.slopes.data):
            m.d.comb += entry.eq(slope if lane == 0 else Mux(lanes[0], 0, slope))

    def _write_output(self, m: Module) -> None:
        """Write value and slope of an output."""
        engine = self.shapes.engine
        width = engine.groups * engine.neurons
        m.d.comb += [
            self.outputs.addr.eq(banked_address(self.context, self.at.unit, width)),
            self.outputs.data.value.eq(self.value),
            self.outputs.data.slope.eq(self.slope),
            self.outputs.en.eq(self.at.valid & self.layer.last),
        ]
