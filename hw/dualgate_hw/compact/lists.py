"""Descriptors and lists: what is read entry after entry from the memory of entries."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.engine import LAYER_WORDS, WORD_BITS

from ..layouts import ENTRY, LAYER
from .parts import Places, Plane, Use


class Descriptors(wiring.Component):
    """Fetches a layer's descriptor and keeps it until another is wanted.

    `LAYER_WORDS` and 2 cycles, none for the one that is there.

    Parameters
    ----------
    places : Places

    Members
    -------
    fetch, index : which is wanted; not along with any other reader of entries
    forget : a descriptor was written
    entry_at, entry : read port
    fetched, layer : see `Seen`
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "fetch": In(1),
                "index": In(range(places.shapes.engine.layers)),
                "forget": In(1),
                "entry_at": Out(range(places.entries)),
                "entry": In(ENTRY),
                "fetched": Out(1),
                "layer": Out(LAYER),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        held = Signal.like(self.index)
        known = Signal()
        read = Signal(range(LAYER_WORDS + 1))
        words = [Signal(WORD_BITS, name=f"word_{n}") for n in range(LAYER_WORDS)]
        raw = LAYER(Cat(words)[: LAYER.size])
        for name, value in self.places.shapes.narrow(raw).items():
            m.d.comb += self.layer[name].eq(value)
        m.d.comb += self.fetched.eq(known & (held == self.index))
        with m.If(self.fetch & ~self.fetched):
            bits = exact_log2(LAYER_WORDS)
            m.d.comb += self.entry_at.eq(self.places.descriptors | Cat(read[:bits], self.index))
            m.d.sync += read.eq(read + 1)
            for n, word in enumerate(words):
                with m.If(read == n + 1):
                    m.d.sync += word.eq(self.entry)
            with m.If(read == LAYER_WORDS):
                m.d.sync += [read.eq(0), held.eq(self.index), known.eq(1)]
        with m.If(self.forget):
            m.d.sync += known.eq(0)
        return m


class ListWalker(wiring.Component):
    """Adds up the products of a list's entries with the rows that belong to them.

    ::

        entry's place -> entry -> row's address, scalar -> operands -> sums
        cycle 1                2                           3            4

    An entry a cycle: ``entries + 4`` cycles from `walk` to the first in which `walking` is low.

    Parameters
    ----------
    places : Places

    Members
    -------
    asked : of `Use`, the members from `walk` to `base`; `base` is the row of index 0
    use : what it asks for
    entry : what was read
    walking : see `Seen`
    row : pulse for each entry
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "asked": In(Use(places)),
                "use": Out(Use(places)),
                "entry": In(ENTRY),
                "walking": Out(1),
                "row": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        asked, use = self.asked, self.use
        left = Signal(self.places.shapes.unit)
        at = Signal.like(asked.first)
        base = Signal.like(asked.base)
        read, loads, steps = Signal(), Signal(), Signal()
        scalar = Signal.like(use.scalar)
        m.d.comb += [
            use.clear.eq(asked.walk),
            use.step.eq(steps),
            use.load_row.eq(loads),
            use.load_scalar.eq(loads),
            self.row.eq(read),
            self.walking.eq((left != 0) | read | loads | steps),
        ]
        with m.If(left != 0):
            m.d.comb += use.entry_at.eq(at)
            m.d.sync += [at.eq(at + 1), left.eq(left - 1)]
        with m.If(read):
            m.d.comb += [use.plane.eq(Plane.UPPER), use.row.eq(base + self.entry.index)]
        with m.If(loads):
            m.d.comb += use.scalar.eq(scalar)
        m.d.sync += [
            read.eq(left != 0),
            loads.eq(read),
            steps.eq(loads),
            scalar.eq(self.entry.value),
        ]
        with m.If(asked.walk):
            m.d.sync += [left.eq(asked.count), at.eq(asked.first), base.eq(asked.base)]
        return m
