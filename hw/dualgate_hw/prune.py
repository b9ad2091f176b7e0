"""Pruning: a stored tangent vector goes on as the entries near its largest, and no others."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import VALUE_WIDTH
from dualgate.settings import PRUNE_BITS, PRUNE_OFF

from .layouts import INDEX, LAYER, Shapes, owned
from .nonzeros import word_job
from .slots import sum_note, vector_job


class Pruner(wiring.Component):
    """Reads a slot's vector for each group of the layer it enters, and flags what is kept.

    The test needs no comparison: with b the bit length of the vector's largest magnitude, an entry
    is kept when any magnitude bit from b - p up is set; the mask of those bits serves all N lanes.
    A word costs 3 cycles here, beside the stepping of earlier words; one without flags is not sent.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    job : stream in
    index, layer : descriptor wanted, read a cycle later
    slot_layer : index of the layer that the slot of `job` enters
    prune : p, see `Settings`
    vectors : read port
    word : stream out to the stepper
    kept, dropped : nonzero entries of a word, counted once a vector
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine = shapes.engine
        layers = range(engine.layers)
        super().__init__(
            {
                "job": In(stream.Signature(vector_job(shapes))),
                "slot_layer": In(layers),
                "index": Out(layers),
                "layer": In(LAYER),
                "prune": In(PRUNE_BITS),
                "vectors": In(shapes.read(engine.groups, shapes.vector, shapes.slots)),
                "word": Out(stream.Signature(word_job(shapes.neurons, sum_note(shapes)))),
                "kept": Out(range(shapes.neurons + 1)),
                "dropped": Out(range(shapes.neurons + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        neurons = self.shapes.neurons
        job = Signal(vector_job(self.shapes))
        layer = Signal(LAYER)
        mask = Signal(VALUE_WIDTH)
        group = Signal(INDEX)
        entry = Signal(INDEX)
        row = Signal(INDEX)
        self._scalars = Signal(self.shapes.vector)
        self._flags = Signal(neurons)
        word = self.word.payload
        last_word = entry + neurons >= layer.inputs
        last_group = group == layer.groups - 1
        m.d.comb += [
            self.index.eq(self.slot_layer),
            self.vectors.en.eq(1),
            self.vectors.addr.eq(
                owned(job.slot, entry >> (neurons - 1).bit_length(), self.shapes.engine.groups)
            ),
            word.scalars.eq(self._scalars),
            word.flags.eq(self._flags),
            word.row.eq(row + entry),
            word.end.eq(last_word),
            word.meta.slot.eq(job.slot),
            word.meta.group.eq(group),
            word.meta.final.eq(last_group),
        ]
        with m.FSM():
            with m.State("IDLE"), m.If(self.job.valid):
                m.d.sync += [
                    job.eq(self.job.payload),
                    mask.eq(self._mask(self.job.payload.bits)),
                    group.eq(0),
                    entry.eq(0),
                ]
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.job.ready.eq(1)
                m.d.sync += [layer.eq(self.layer), row.eq(self.layer.weight_base)]
                m.next = "FLAG"
            with m.State("READ"):
                m.next = "FLAG"
            with m.State("FLAG"):
                self._flag(m, mask, group == 0)
                m.next = "OFFER"
            with m.State("OFFER"):
                skip = ~last_word & (self._flags == 0)
                m.d.comb += self.word.valid.eq(~skip)
                with m.If(self.word.ready | skip):
                    m.d.sync += entry.eq(entry + neurons)
                    m.next = "READ"
                    with m.If(last_word):
                        m.d.sync += [entry.eq(0), group.eq(group + 1)]
                        m.d.sync += row.eq(row + layer.inputs + 1)
                        with m.If(last_group):
                            m.next = "IDLE"
        return m

    def _mask(self, bits: Signal) -> Signal:
        """Magnitude bits whose presence keeps an entry: those from ``bits - p`` up, or all."""
        everything = (1 << VALUE_WIDTH) - 1
        keep_all = (self.prune == PRUNE_OFF) | (bits <= self.prune)
        return Mux(keep_all, everything, (everything << (bits - self.prune)[:5]) & everything)

    def _flag(self, m: Module, mask: Signal, first_group: Value) -> None:
        """Take a word with its flags, and count it once."""
        neurons = self.shapes.neurons
        nonzero = Signal(neurons)
        wanted = Signal(neurons)
        for lane, entry in enumerate(self.vectors.data):
            magnitude = Mux(entry < 0, -entry, entry)
            m.d.comb += [
                nonzero[lane].eq(entry != 0),
                wanted[lane].eq((magnitude & mask) != 0),
            ]
        m.d.sync += [self._scalars.eq(self.vectors.data), self._flags.eq(wanted)]
        with m.If(first_group):
            pruned = nonzero & ~wanted
            m.d.comb += [
                self.kept.eq(sum(wanted[1:], wanted[0])),
                self.dropped.eq(sum(pruned[1:], pruned[0])),
            ]
